//! The native edge of these tests: performs what a visit needs, with the real limit of the account's
//! object, a scripted inbox and a scripted provider, and keeps the needs in their order.

use std::rc::Rc;

use serde_json::{Value, json};
use tollgate::account::{AccountRecord, Provider, Status, Subscription};
use tollgate::billing::api::{ApiRequest, StatusAndBody};
use tollgate::billing::inbox::{CustomerKey, InboxRequest};
use tollgate::billing::sessions::Sessions;
use tollgate::billing::{BillingEvent, News, apply};
use tollgate::billing::{CallError, ProviderCall};
use tollgate::config::Config;
use tollgate::endpoint::HostedPage;
use tollgate::gate::KnownAccount;
use tollgate::hosted_page::{End, Ended, Need, Pending, Request, Step, start};
use tollgate::identity::AccountName;
use tollgate::identity::Identity;
use tollgate::request::{RequestFacts, ReturnPath};
use tollgate::time::Timestamp;

use crate::bindings::Vars;

/// 2026-12-01T00:00:00Z, the start of a minute.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);
pub(crate) const PORTAL_URL: &str = "https://billing.stripe.com/p/1";
pub(crate) const CHECKOUT_URL: &str = "https://checkout.stripe.com/c/1";

/// The outside of the machine, and the caller `-/alice`.
pub(crate) struct Edge {
    pub(crate) config: Rc<Config>,
    pub(crate) method: &'static str,
    pub(crate) record: Option<AccountRecord>,
    pub(crate) now: Timestamp,
    /// The limit of the account's object.
    pub(crate) sessions: Sessions,
    /// Whether that object answers.
    pub(crate) has_sessions: bool,
    /// The answer of the inbox.
    pub(crate) customer: Result<Option<CustomerKey>, String>,
    /// The answer of the provider in the place of a good one.
    pub(crate) trouble: Option<Result<StatusAndBody, CallError>>,
    /// The needs of the last visit, in their order.
    pub(crate) needs: Vec<&'static str>,
    /// Every question to the inbox, and every request to the provider.
    pub(crate) asked: Vec<InboxRequest>,
    pub(crate) calls: Vec<ApiRequest>,
}

impl Edge {
    /// A shop with pages of its own, where alice isn't known.
    pub(crate) fn new() -> Self {
        Self::with(&vars())
    }

    /// The same without any page of its own.
    pub(crate) fn without_pages() -> Self {
        Self::with(&vars().with("BRAND", json!({"name": "Gazette"})))
    }

    pub(crate) fn with(vars: &Vars) -> Self {
        Self {
            config: Rc::new(Config::parse(vars).unwrap()),
            method: "GET",
            record: None,
            now: NOW,
            sessions: Sessions::default(),
            has_sessions: true,
            customer: Ok(None),
            trouble: None,
            needs: Vec::new(),
            asked: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// Where alice pays as `cus_1`, which is hers alone.
    pub(crate) fn paying(mut self) -> Self {
        let plan = Some("price_pro".to_owned());
        let state = Subscription { plan, status: Status::Active, ..Subscription::default() };
        let event = BillingEvent {
            customer: Some("cus_1".to_owned()),
            news: vec![News::Subscription { id: "sub_1".to_owned(), state: Box::new(state) }],
            ..BillingEvent::new(Provider::Stripe, String::new(), String::new(), NOW)
        };
        self.record = Some(apply(AccountRecord::default(), &event, NOW));
        self.customer = Ok(Some(customer()));
        self
    }

    pub(crate) fn portal(&mut self) -> Ended {
        self.visit(&HostedPage::Portal)
    }

    pub(crate) fn checkout(&mut self, plan: &str) -> Ended {
        self.visit(&HostedPage::Checkout { plan: plan.to_owned() })
    }

    fn visit(&mut self, page: &HostedPage) -> Ended {
        self.visit_from(page, "/articles/1?x=y")
    }

    pub(crate) fn visit_from(&mut self, page: &HostedPage, path: &str) -> Ended {
        self.needs.clear();
        let lines = format!("{}\nhttps://shop.example/_tollgate/billing\n\n\n", self.method);
        let facts = RequestFacts::from_lines(&lines).unwrap();
        let path = ReturnPath::new(path, "/_tollgate/").unwrap();
        let identity = Rc::new(Identity::of_account(&alice(), None));
        let known = KnownAccount { identity, record: self.record.clone() };
        let config = Rc::clone(&self.config);
        let request = Request { facts: &facts, page, path: &path, config: &config, known: &known };
        let mut step = start(request, self.now);
        loop {
            step = match step {
                Step::Need(need) => self.perform(need),
                Step::End(ended) => return ended,
            };
        }
    }

    fn perform<'a>(&mut self, need: Need<'a>) -> Step<'a> {
        match need {
            Need::AskSessions(Pending { input, rest }) => {
                self.needs.push("sessions");
                assert_eq!(input.account, "-/alice");
                let reply = self.sessions.handle(input.request, self.now);
                let reply = Some(reply).filter(|_| self.has_sessions);
                rest.resume(reply.ok_or_else(|| "too late".to_owned()), self.now)
            }
            Need::AskInbox(Pending { input, rest }) => {
                self.needs.push("inbox");
                self.asked.push(input);
                rest.resume(self.customer.clone(), self.now)
            }
            Need::CallProvider(Pending { input: ProviderCall { billing, request }, rest }) => {
                self.needs.push("provider");
                assert!(request.url.starts_with(&billing.api_url), "{}", request.url);
                let answer = self.trouble.clone().unwrap_or_else(|| Ok(good_answer(&request)));
                self.calls.push(request);
                rest.resume(answer, self.now)
            }
            Need::KeepSession(Pending { input, rest }) => {
                self.needs.push("keep");
                self.sessions.handle(input.request, self.now);
                rest.resume((), self.now)
            }
        }
    }

    /// A field of the last request's form.
    pub(crate) fn sent(&self, name: &str) -> Option<String> {
        let form = url::form_urlencoded::parse(self.calls.last().unwrap().body.as_bytes());
        form.into_owned().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// The idempotency key of the last request.
    pub(crate) fn idempotency_key(&self) -> String {
        let headers = &self.calls.last().unwrap().headers;
        let key = headers.iter().find(|(name, _)| *name == "idempotency-key");
        key.unwrap().1.clone()
    }
}

/// The account of these tests.
pub(crate) fn alice() -> AccountName {
    AccountName::parse("-/alice").unwrap()
}

fn good_answer(request: &ApiRequest) -> StatusAndBody {
    let path = request.url.strip_prefix("https://api.stripe.com/v1/").unwrap();
    let body = match path.split('?').next().unwrap() {
        "billing_portal/sessions" => json!({"url": PORTAL_URL}),
        "checkout/sessions" => json!({"url": CHECKOUT_URL}),
        "prices" => json!({"data": [{"id": "price_found"}]}),
        other => panic!("no call of {other}"),
    };
    (200, body.to_string())
}

pub(crate) fn customer() -> CustomerKey {
    CustomerKey { provider: Provider::Stripe, id: "cus_1".to_owned() }
}

pub(crate) fn vars() -> Vars {
    Vars::default()
        .with_objects()
        .with("ORIGIN", json!("https://o.example"))
        .with("ROUTES", json!([{"match": "/**", "open": true}]))
        .with("PLANS", plans())
        .with("BILLING", json!([{"provider": "stripe"}]))
        .with("STRIPE_WEBHOOK_SECRET", json!("whsec_of_a_test"))
        .with("STRIPE_API_KEY", json!("sk_test_1"))
        .with("GATE_SECRET", json!("0123456789abcdef0123456789abcdef"))
        .with(
            "BRAND",
            json!({
                "name": "Gazette", "plans_url": "https://shop.example/plans?r={reference}",
                "account_url": "https://shop.example/account",
            }),
        )
}

fn plans() -> Value {
    json!([
        {"id": "pro", "prices": ["price_pro"]},
        {"id": "team", "prices": ["team-monthly"]},
        {"id": "link", "prices": ["price_link"], "buy_url": "https://shop.example/buy/link"},
        {"id": "unpriced"},
        {"id": "old", "prices": ["price_old"], "on_sale": false},
    ])
}

/// The end of a visit that went without a fault.
pub(crate) fn end(ended: Ended) -> End {
    assert_eq!(ended.log_line, None, "{:?}", ended.end);
    ended.end
}

pub(crate) fn lead_to(url: &str) -> End {
    End::LeadTo(url.to_owned())
}
