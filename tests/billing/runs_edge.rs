//! The outside of a run: performs its needs by a script, and keeps them.

use serde_json::{Value, json};
use tollgate::account::Provider;
use tollgate::billing::api::StatusAndBody;
use tollgate::billing::inbox::{Call, CustomerKey, InboxRequest, Incoming, Taken};
use tollgate::billing::run::{AccountEvents, Need, RunError, Step};
use tollgate::billing::{Billing, CallError, Providers};
use tollgate::plan::Plan;
use tollgate::step::Pending;
use tollgate::time::Timestamp;

use super::fixture::{NOW, billing, plans};

/// Answers a call by its path behind the host.
type Answers = Box<dyn Fn(&str) -> Result<StatusAndBody, CallError>>;

/// The outside of a run. All of it works unless a test says otherwise.
pub(crate) struct Edge {
    pub(crate) providers: Vec<Billing>,
    pub(crate) answers: Answers,
    /// The customers that the inbox lists.
    pub(crate) customers: Result<Vec<CustomerKey>, String>,
    /// What becomes of each event.
    pub(crate) taken: Box<dyn Fn(&Incoming) -> Taken>,
    /// The kinds of needs that have no reply.
    pub(crate) down: Vec<&'static str>,
    /// The needs so far, in their order.
    pub(crate) needs: Vec<&'static str>,
    /// The paths of calls.
    pub(crate) called: Vec<String>,
    pub(crate) asked: Vec<InboxRequest>,
    pub(crate) kept: Vec<Incoming>,
    pub(crate) applied: Vec<AccountEvents>,
    pub(crate) reported: Vec<Call>,
    pub(crate) log: Vec<String>,
}

impl Edge {
    pub(crate) fn new() -> Self {
        Self {
            providers: vec![billing(Provider::Stripe, &[])],
            answers: Box::new(|path| Ok((200, all_is_empty(path).to_string()))),
            customers: Ok(Vec::new()),
            taken: Box::new(|_| Taken::default()),
            down: Vec::new(),
            needs: Vec::new(),
            called: Vec::new(),
            asked: Vec::new(),
            kept: Vec::new(),
            applied: Vec::new(),
            reported: Vec::new(),
            log: Vec::new(),
        }
    }

    pub(crate) fn with_customers(ids: &[&str]) -> Self {
        Self { customers: Ok(ids.iter().map(|id| customer(id)).collect()), ..Self::new() }
    }

    /// The same, with these answers to all calls.
    pub(crate) fn answering(
        self,
        answers: impl Fn(&str) -> Result<StatusAndBody, CallError> + 'static,
    ) -> Self {
        Self { answers: Box::new(answers), ..self }
    }

    /// Leads a run to its end.
    pub(crate) fn run(
        &mut self,
        start: impl for<'a> Fn(Providers<'a>, Timestamp) -> Step<'a>,
    ) -> Result<usize, RunError> {
        let (all, plans): (_, Vec<Plan>) = (self.providers.clone(), plans());
        let mut step = start(Providers { all: &all, plans: &plans }, NOW);
        loop {
            step = match step {
                Step::Need(need) => self.perform(need),
                Step::End(end) => return end,
            };
        }
    }

    fn perform<'a>(&mut self, need: Need<'a>) -> Step<'a> {
        match need {
            Need::CallProvider(Pending { input, rest }) => {
                assert_eq!(input.request.check_host(input.billing), Ok(()));
                self.needs.push("call");
                let path = input.request.url.replace(&input.billing.api_url, "");
                let answered = (self.answers)(&path);
                self.called.push(path);
                rest.resume(answered, NOW)
            }
            Need::ListCustomers(Pending { input, rest }) => {
                self.asked.push(input);
                let customers = self.customers.clone();
                rest.resume(self.reply("list", customers), NOW)
            }
            Need::TakeIn(Pending { input, rest }) => {
                let taken = input.iter().map(|incoming| (self.taken)(incoming)).collect();
                self.kept.extend(input);
                rest.resume(self.reply("take in", Ok(taken)), NOW)
            }
            Need::ApplyToAccount(Pending { input, rest }) => {
                assert!(!input.events.is_empty());
                self.applied.push(input);
                rest.resume(self.reply("apply", Ok(())), NOW)
            }
            Need::ReportCalls(Pending { input, rest }) => {
                assert!(self.reported.is_empty() && !input.is_empty(), "once, and of something");
                self.reported = input;
                rest.resume(self.reply("report", Ok(())), NOW)
            }
            Need::Log(Pending { input, rest }) => {
                assert_eq!(input.what, "billing-api");
                self.needs.push("log");
                self.log.push(input.reason);
                rest.resume((), NOW)
            }
        }
    }

    fn reply<T>(&mut self, need: &'static str, reply: Result<T, String>) -> Result<T, String> {
        self.needs.push(need);
        if self.down.contains(&need) { Err("overloaded".to_owned()) } else { reply }
    }
}

/// A customer of Stripe's.
pub(crate) fn customer(id: &str) -> CustomerKey {
    CustomerKey { provider: Provider::Stripe, id: id.to_owned() }
}

/// The answer of a provider that knows every customer, and of none anything.
pub(crate) fn all_is_empty(path: &str) -> Value {
    match path.strip_prefix("/v1/customers/") {
        Some(rest) => {
            let id = rest.split(['?', '/']).next();
            json!({"id": id, "object": "customer", "metadata": {}})
        }
        None => json!({"object": "list", "data": [], "has_more": false}),
    }
}
