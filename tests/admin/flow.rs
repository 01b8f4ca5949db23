//! The native edge of the tests: performs what a request of an operator needs, with a ledger in
//! memory and scripted replies of everything else, and keeps the needs in their order.

use std::rc::Rc;

use serde_json::json;
use tollgate::account::{AccountRecord, KeyOwner, Provider};
use tollgate::admin::flow::{CallError, ObjectCall, Pending};
use tollgate::admin::{
    AccountRequest, End, Need, ObjectRequest, OperatorStore, Refusal, Request, Step, start,
};
use tollgate::billing::BillingEvent;
use tollgate::billing::inbox::{
    AccountPage, AccountSummary, CustomerPage, CustomerRow, EventDetail, EventPage, EventRow,
    InboxRequest, Linked, Retried,
};
use tollgate::billing::outage::Outages;
use tollgate::billing::run::RunError;
use tollgate::config::Config;
use tollgate::identity::{AccountName, ObjectName};
use tollgate::quota::{LedgerStore, Usage};
use tollgate::request::BodyError;
use tollgate::wire;

use crate::bindings::Vars;
use crate::memory_store::MemoryStore;
use crate::{NOW, store};

/// The outside of the machine. The parts listed in `down` do not answer.
pub(crate) struct Edge {
    pub(crate) config: Option<Rc<Config>>,
    pub(crate) store: MemoryStore,
    pub(crate) body: Result<String, BodyError>,
    pub(crate) down: Vec<&'static str>,
    /// The number of customers that a provider is asked about again.
    pub(crate) customers: Result<usize, RunError>,
    /// What the inbox has.
    pub(crate) event: Option<EventRow>,
    pub(crate) customer: Option<CustomerRow>,
    pub(crate) linked: Linked,
    /// The needs so far, in their order.
    pub(crate) needs: Vec<&'static str>,
    /// The last call of the inbox, and the last key that was filed.
    pub(crate) asked_of_inbox: Option<InboxRequest>,
    pub(crate) filed: Option<(ObjectName, String, KeyOwner)>,
    /// The accounts that events were applied to.
    pub(crate) noted: Vec<AccountName>,
}

impl Edge {
    pub(crate) fn new() -> Self {
        Self {
            config: Some(Rc::new(Config::parse(&vars()).unwrap())),
            store: store(),
            body: Ok(String::new()),
            down: Vec::new(),
            customers: Ok(0),
            event: None,
            customer: None,
            linked: Linked::default(),
            needs: Vec::new(),
            asked_of_inbox: None,
            filed: None,
            noted: Vec::new(),
        }
    }

    /// Serves a request of the operator with the highest role; `target` is `GET admin/…`, with its
    /// query.
    pub(crate) fn ask(&mut self, target: &str, body: &str) -> End {
        self.body = Ok(body.to_owned());
        self.run(&request(target, "Bearer cleo-may-do-it-all"))
    }

    /// The same under an idempotency key.
    pub(crate) fn ask_once(&mut self, target: &str, body: &str, key: &str) -> End {
        self.body = Ok(body.to_owned());
        let request = request(target, "Bearer cleo-may-do-it-all");
        self.run(&Request { idempotency_key: Some(key), ..request })
    }

    pub(crate) fn run(&mut self, request: &Request<'_>) -> End {
        self.needs.clear();
        let config = self.config.clone();
        let mut step = start(*request, config.as_deref(), NOW);
        loop {
            step = match step {
                Step::Need(need) => self.perform(need),
                Step::End(end) => return end,
            };
        }
    }

    fn perform<'a>(&mut self, need: Need<'a>) -> Step<'a> {
        match need {
            Need::Body(Pending { input, rest }) => {
                assert_eq!(input, 64 * 1_024);
                self.needs.push("body");
                rest.resume(self.body.clone(), NOW)
            }
            Need::Call(Pending { input, rest }) => {
                let ObjectCall { request, deadline_ms } = *input;
                assert!(deadline_ms > 0);
                let (name, reply) = self.reply(request);
                self.needs.push(name);
                let is_down = self.down.contains(&name);
                let reply = if is_down { Err(CallError("too late".to_owned())) } else { Ok(reply) };
                rest.resume(reply, NOW)
            }
            Need::Reread(Pending { input, rest }) => {
                assert_eq!(input.account, "-/alice");
                self.needs.push("reread");
                rest.resume(self.customers.clone(), NOW)
            }
            Need::Random(Pending { input, rest }) => {
                assert_eq!(input, [6, 32]);
                self.needs.push("random");
                rest.resume(["a-_bcdef".to_owned(), "s".repeat(43)], NOW)
            }
            Need::Document(Pending { input: (), rest }) => {
                self.needs.push("document");
                rest.resume("{}".to_owned(), NOW)
            }
        }
    }

    fn reply(&mut self, request: ObjectRequest) -> (&'static str, Vec<u8>) {
        match request {
            ObjectRequest::Account { account, request } => self.ledger(account, request),
            ObjectRequest::Inbox(request) => {
                self.asked_of_inbox = Some(request.clone());
                ("inbox", self.inbox(request))
            }
            ObjectRequest::FileKey { directory, hash, owner } => {
                self.filed = Some((directory, hash, owner));
                ("directory", Vec::new())
            }
        }
    }

    fn ledger(&mut self, account: AccountName, request: AccountRequest) -> (&'static str, Vec<u8>) {
        let store = &mut self.store;
        match request {
            AccountRequest::ApplyBilling(_) => {
                self.noted.push(account);
                ("note", wire::encode(&None::<AccountSummary>))
            }
            AccountRequest::Audit { before, limit } => {
                ("audit", wire::encode(&store.audit(before, limit).unwrap()))
            }
            AccountRequest::Credits => ("credits", wire::encode(&store.credits().unwrap())),
            AccountRequest::Execute(command) => {
                let reply = command.execute(store, NOW).unwrap();
                let summary = |_| AccountSummary { account, ..summary() };
                let summary = store.account.as_ref().map(summary);
                ("execute", wire::encode(&(reply, summary)))
            }
            AccountRequest::Record => ("record", wire::encode(&store.account)),
            AccountRequest::Usage { .. } => {
                let usage = Usage { account: store.account.clone(), ..Usage::default() };
                ("usage", wire::encode(&usage))
            }
        }
    }

    fn inbox(&self, request: InboxRequest) -> Vec<u8> {
        let row = self.event.clone();
        let note = || {
            vec![(alice(), BillingEvent::new(Provider::Stripe, String::new(), String::new(), NOW))]
        };
        match request {
            InboxRequest::Accounts { .. } => {
                let account = summary();
                let next_cursor = Some("-/alice".to_owned());
                wire::encode(&AccountPage { items: vec![account], next_cursor })
            }
            InboxRequest::Conflicts { .. } => {
                let items = self.customer.clone().into_iter().collect();
                wire::encode(&CustomerPage { items, next_cursor: None })
            }
            InboxRequest::Customer(_) => wire::encode(&self.customer),
            InboxRequest::Event(_) => {
                let body = Some("{\"id\":\"evt_1\"}".to_owned());
                wire::encode(&row.map(|row| EventDetail { row, body }))
            }
            InboxRequest::Events { .. } => {
                wire::encode(&EventPage { items: row.into_iter().collect(), next_cursor: None })
            }
            InboxRequest::Link { .. } => wire::encode(&self.linked),
            InboxRequest::Outage => {
                wire::encode(&Outages { window_s: 3_600, ..Outages::default() })
            }
            InboxRequest::PutAccount(_) => Vec::new(),
            InboxRequest::Retry { .. } => {
                wire::encode(&row.map(|row| Retried { row, notes: note() }))
            }
            other => panic!("an operator never sends {other:?}"),
        }
    }
}

pub(crate) fn vars() -> Vars {
    let operators = json!([
        {"name": "anna", "role": "read", "token": "anna-may-only-look-on"},
        {"name": "ben", "role": "support", "token": "ben-helps-customers"},
        {"name": "cleo", "role": "admin", "token": "cleo-may-do-it-all"},
    ]);
    Vars::default()
        .with_objects()
        .with("ORIGIN", json!("https://o.example"))
        .with("ROUTES", json!([{"match": "/**", "open": true}]))
        .with("PLANS", json!([{"id": "pro", "name": "Pro"}, {"id": "free"}]))
        .with("ADMIN_TOKENS", json!(operators.to_string()))
        .with("GATE_SECRET", json!("0123456789abcdef0123456789abcdef"))
}

/// A request for `GET admin/…?…`.
pub(crate) fn request<'a>(target: &'a str, authorization: &'a str) -> Request<'a> {
    let (method, rest) = target.split_once(' ').unwrap();
    let (endpoint, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = endpoint;
    Request { method, path, endpoint, query, authorization, ..Request::default() }
}

/// The JSON of a request that was done.
pub(crate) fn json(end: End) -> String {
    match end {
        End::Done(done) => done.json,
        End::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

pub(crate) fn refusal(end: End) -> Refusal {
    match end {
        End::Refused(refusal) => refusal,
        End::Done(done) => panic!("done: {done:?}"),
    }
}

/// The path of an endpoint, with examples in the place of its parameters.
pub(crate) fn example(template: &str) -> String {
    let mut path = template.to_owned();
    for (parameter, value) in [
        ("{tenant}", "-"),
        ("{account}", "alice"),
        ("{key}", "a0000000"),
        ("{provider}", "stripe"),
        ("{customer}", "cus_1"),
        ("{event}", "evt_1"),
    ] {
        path = path.replace(parameter, value);
    }
    path
}

pub(crate) fn alice() -> AccountName {
    AccountName::parse("-/alice").unwrap()
}

fn summary() -> AccountSummary {
    let summary = AccountSummary::of(&alice(), &AccountRecord::default(), &[], false, NOW);
    AccountSummary { status: "active".to_owned(), cause: None, ..summary }
}
