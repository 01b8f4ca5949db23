//! Asks payment providers what their webhooks didn't say.

use std::cell::RefCell;

use super::billing::{Answered, call};
use super::isolate::{Isolate, now};
use super::{inbox, inbox_object};
use crate::account::Provider;
use crate::billing::api::{self, ApiAnswer, ApiRequest, Completion, Reread};
use crate::billing::inbox::{Call, CustomerKey, InboxRequest, Incoming, Taken};
use crate::billing::webhook::{self, Webhook};
use crate::billing::{Billing, BillingError, BillingEvent};
use crate::config::Config;
use crate::identity::AccountName;
use crate::report;

/// The event of a genuine webhook, completed by answers of the provider.
///
/// # Errors
///
/// The provider did not answer: the webhook has to come again.
pub(super) async fn incoming(
    config: &Config,
    billing: &Billing,
    webhook: &Webhook<'_>,
) -> Result<Incoming, String> {
    let unreadable = |error: BillingError| {
        Ok(Incoming::unreadable(billing.provider, webhook, error.to_string()))
    };
    let read = webhook::read(billing, &config.plans, webhook);
    let mut completion = match read.and_then(|event| Completion::new(billing, webhook, event)) {
        Ok(completion) => completion,
        Err(error) => return unreadable(error),
    };
    while let Some(request) = completion.next() {
        let (status, body) = call(config, billing, &request).await?;
        match completion.answered(&ApiAnswer { status, body: &body }) {
            Ok(()) => {}
            Err(error) if error.is_passing() => return Err(error.to_string()),
            // Sending it again would not help: the key lacks a right, or the charge is gone.
            Err(error) => return unreadable(error),
        }
    }
    let event = completion.into_event();
    Ok(Incoming { event, body: webhook.body.to_owned(), unreadable: None })
}

/// Reads every customer of an account again, and has its ledger take over what they say before this
/// returns. Returns how many customers were read.
///
/// # Errors
///
/// Why not all of them could be read.
pub(super) async fn reread_account(
    isolate: &Isolate,
    config: &Config,
    account: &AccountName,
) -> Result<usize, String> {
    let request = InboxRequest::CustomersOf { account: account.clone() };
    let customers: Vec<CustomerKey> = inbox::ask(isolate, config, request).await?;
    let calls = Calls::new(config, customers.len().saturating_mul(MAX_CALLS));
    for customer in &customers {
        let events = calls.reread(customer).await?;
        let taken = take_in(isolate, config, events.clone()).await?;
        // The inbox delivers them too, which changes nothing then. Another account's events stay
        // with that account, though the two share a customer.
        let is_its = |taken: &Taken| taken.account.as_ref() == Some(account);
        let events = events.into_iter().zip(&taken).filter(|(_, taken)| is_its(taken));
        let events: Vec<_> = events
            .map(|(event, taken)| BillingEvent { is_by_address: taken.is_by_address, ..event })
            .collect();
        if !events.is_empty() {
            inbox_object::apply(isolate, config, account, events).await?;
        }
    }
    Ok(customers.len())
}

/// Looks for what got lost on the way: webhooks that did not arrive, events of customers of whom
/// nobody has said which account they are, and accounts of which news are due.
pub(super) async fn reconcile(isolate: &Isolate, config: &Config) {
    let calls = Calls::new(config, MAX_CALLS);
    for billing in &config.billing {
        log(calls.take_in_missed(isolate, billing).await);
    }
    if config.billing.iter().any(|billing| billing.api_key.is_some()) {
        look(isolate, config, &calls, MAX_CUSTOMERS).await;
    }
}

/// Looks for whose customer it is about whom an event has just come.
pub(super) async fn look_soon(isolate: &Isolate, config: &Config) {
    look(isolate, config, &Calls::new(config, MAX_CALLS), MAX_CUSTOMERS_SOON).await;
}

/// Reads those customers again whose turn it is, and has the inbox count how the calls went.
async fn look(isolate: &Isolate, config: &Config, calls: &Calls<'_>, limit: usize) {
    log(read_again(isolate, config, calls, limit).await);
    let made = calls.made.take();
    if !made.is_empty() {
        log(inbox::tell(isolate, config, InboxRequest::Called(made)).await);
    }
}

async fn read_again(
    isolate: &Isolate,
    config: &Config,
    calls: &Calls<'_>,
    limit: usize,
) -> Result<(), String> {
    let request = InboxRequest::LookList { limit };
    let customers: Vec<CustomerKey> = inbox::ask(isolate, config, request).await?;
    for customer in customers {
        if calls.is_over() {
            break;
        }
        match calls.reread(&customer).await {
            Ok(events) => {
                take_in(isolate, config, events).await?;
            }
            Err(reason) => log(Err(reason)),
        }
    }
    Ok(())
}

async fn take_in(
    isolate: &Isolate,
    config: &Config,
    events: Vec<BillingEvent>,
) -> Result<Vec<Taken>, String> {
    let events = events.into_iter().map(Incoming::asked_for).collect();
    inbox::take_in(isolate, config, events).await
}

/// Calls of one run, which come to an end.
struct Calls<'a> {
    config: &'a Config,
    left: RefCell<Budget>,
    made: RefCell<Vec<Call>>,
}

struct Budget {
    calls: usize,
    failures_in_a_row: usize,
}

impl<'a> Calls<'a> {
    fn new(config: &'a Config, calls: usize) -> Self {
        let left = RefCell::new(Budget { calls, failures_in_a_row: 0 });
        Self { config, left, made: RefCell::default() }
    }

    fn is_over(&self) -> bool {
        let left = self.left.borrow();
        left.calls == 0 || left.failures_in_a_row >= MAX_FAILURES
    }

    /// Makes a call, for `customer` where it is for one.
    async fn call(
        &self,
        billing: &Billing,
        request: &ApiRequest,
        customer: Option<&CustomerKey>,
    ) -> Result<Answered, String> {
        if self.is_over() {
            return Err("no more calls of the provider's API in this run".to_owned());
        }
        let answer = call(self.config, billing, request).await;
        let status = answer.as_ref().map_or(0, |(status, _)| *status);
        let is_good = (200..500).contains(&status);
        let mut left = self.left.borrow_mut();
        left.calls = left.calls.saturating_sub(1);
        left.failures_in_a_row = if is_good && status != TOO_MANY_REQUESTS {
            0
        } else {
            left.failures_in_a_row.saturating_add(1)
        };
        if let Some(customer) = customer.filter(|_| status != TOO_MANY_REQUESTS) {
            self.made.borrow_mut().push(Call { customer: customer.clone(), is_good });
        }
        answer
    }

    /// All that its provider knows of a customer.
    async fn reread(&self, customer: &CustomerKey) -> Result<Vec<BillingEvent>, String> {
        let CustomerKey { provider, id } = customer;
        let billing = self.config.billing(*provider);
        let reread = billing.and_then(|billing| Reread::of_customer(billing, id));
        let (Some(billing), Some(mut reread)) = (billing, reread) else {
            return Err(no_key(*provider));
        };
        while let Some(request) = reread.next() {
            let (status, body) = self.call(billing, &request, Some(customer)).await?;
            reread.answered(&ApiAnswer { status, body: &body }, &self.config.plans, now())?;
        }
        Ok(reread.into_events())
    }

    /// Takes in what a provider says did not arrive, until a page holds nothing new.
    async fn take_in_missed(&self, isolate: &Isolate, billing: &Billing) -> Result<(), String> {
        let mut page = None;
        for _ in 0..MAX_PAGES {
            let Some(request) = api::missed(billing, page.as_deref()) else { break };
            let (status, body) = self.call(billing, &request, None).await?;
            let (bodies, next) = api::missed_events(billing, &ApiAnswer { status, body: &body })?;
            let mut events = Vec::new();
            for body in &bodies {
                let webhook = Webhook { headers: Vec::new(), body };
                match incoming(self.config, billing, &webhook).await {
                    Ok(incoming) => events.push(incoming),
                    Err(reason) => log(Err(reason)),
                }
            }
            let taken = inbox::take_in(isolate, self.config, events).await?;
            if next.is_none() || taken.iter().all(|taken| taken.is_repeated) {
                break;
            }
            page = next;
        }
        Ok(())
    }
}

fn no_key(provider: Provider) -> String {
    format!("there is no key for the API of {}", provider.word())
}

fn log(outcome: Result<(), String>) {
    if let Err(reason) = outcome {
        worker::console_error!("{}", report::fault_line("billing-api", &reason));
    }
}

const TOO_MANY_REQUESTS: u16 = 429;
/// Calls in one run: the platform allows 50 on its free plan.
const MAX_CALLS: usize = 40;
/// Customers in one run, three calls each.
const MAX_CUSTOMERS: usize = 10;
/// Customers after one webhook.
const MAX_CUSTOMERS_SOON: usize = 2;
/// Failures in a row after which a run is over.
const MAX_FAILURES: usize = 3;
/// Pages of missed events in one run.
const MAX_PAGES: usize = 3;
