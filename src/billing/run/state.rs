//! The state of a run, and the needs as its parts have them.

use super::budget::{Budget, CallOutcome};
use super::error::RunError;
use super::step::{AccountEvents, Need, Pending, Step};
use crate::billing::api::{ApiRequest, StatusAndBody};
use crate::billing::error::CallError;
use crate::billing::event::BillingEvent;
use crate::billing::inbox::{Call, CustomerKey, InboxRequest, Incoming, Taken};
use crate::billing::settings::{Billing, Providers};
use crate::billing::step::{Fault, ProviderCall};
use crate::identity::AccountName;
use crate::time::Timestamp;

/// A run of calls.
pub(super) struct Run<'a> {
    pub(super) providers: Providers<'a>,
    /// The time of the last outcome.
    pub(super) now: Timestamp,
    /// The number of customers that were read.
    pub(super) customers_read: usize,
    budget: Budget,
    /// The calls for customers that say something about their provider.
    calls: Vec<Call>,
}

/// The rest of a run behind one of its parts, which has this outcome.
pub(super) type Then<'a, Outcome> = Box<dyn FnOnce(Run<'a>, Outcome) -> Step<'a> + 'a>;

impl<'a> Run<'a> {
    pub(super) const fn new(providers: Providers<'a>, budget: Budget, now: Timestamp) -> Self {
        Self { providers, now, customers_read: 0, budget, calls: Vec::new() }
    }

    pub(super) fn with_budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.budget.is_over()
    }

    /// Calls a provider within the budget, for `customer` where it is for one.
    pub(super) fn call(
        self,
        billing: &'a Billing,
        request: ApiRequest,
        customer: Option<CustomerKey>,
        next: Then<'a, Result<StatusAndBody, RunError>>,
    ) -> Step<'a> {
        if self.is_over() {
            return next(self, Err(RunError::NoMoreCalls));
        }
        self.call_beside_budget(billing, request, |mut run, answered| {
            run.count(answered.as_ref().map(|(status, _)| *status).ok(), customer);
            next(run, answered.map_err(RunError::from))
        })
    }

    /// Calls a provider for a fact that one event lacks. It doesn't count: a page may bring a
    /// hundred events again, and their completion must not stop others from being read.
    pub(super) fn call_beside_budget(
        self,
        billing: &'a Billing,
        request: ApiRequest,
        next: impl FnOnce(Self, Result<StatusAndBody, CallError>) -> Step<'a> + 'a,
    ) -> Step<'a> {
        self.need(ProviderCall { billing, request }, Need::CallProvider, next)
    }

    pub(super) fn list_customers(
        self,
        request: InboxRequest,
        next: impl FnOnce(Self, Result<Vec<CustomerKey>, RunError>) -> Step<'a> + 'a,
    ) -> Step<'a> {
        self.need(request, Need::ListCustomers, |run, customers: Result<_, _>| {
            next(run, customers.map_err(RunError::Inbox))
        })
    }

    pub(super) fn take_in(
        self,
        events: Vec<Incoming>,
        next: impl FnOnce(Self, Result<Vec<Taken>, RunError>) -> Step<'a> + 'a,
    ) -> Step<'a> {
        self.need(events, Need::TakeIn, |run, taken: Result<_, _>| {
            next(run, taken.map_err(RunError::Inbox))
        })
    }

    pub(super) fn apply(
        self,
        account: AccountName,
        events: Vec<BillingEvent>,
        next: impl FnOnce(Self, Result<(), RunError>) -> Step<'a> + 'a,
    ) -> Step<'a> {
        let events = AccountEvents { account, events };
        self.need(events, Need::ApplyToAccount, |run, applied: Result<_, _>| {
            next(run, applied.map_err(RunError::Ledger))
        })
    }

    /// Logs the reason why a part of the run did not get done, and goes on.
    pub(super) fn log(
        self,
        error: &RunError,
        next: impl FnOnce(Self) -> Step<'a> + 'a,
    ) -> Step<'a> {
        let fault = Fault { what: "billing-api", reason: error.to_string() };
        self.need(fault, Need::Log, |run, ()| next(run))
    }

    /// Ends the run, once the inbox has counted how its calls went.
    pub(super) fn report(mut self) -> Step<'a> {
        let calls = std::mem::take(&mut self.calls);
        if calls.is_empty() {
            return self.end();
        }
        self.need(calls, Need::ReportCalls, |run, reported: Result<_, _>| match reported {
            Ok(()) => run.end(),
            Err(reason) => run.log(&RunError::Inbox(reason), Self::end),
        })
    }

    pub(super) fn end(self) -> Step<'a> {
        Step::End(Ok(self.customers_read))
    }

    fn count(&mut self, status: Option<u16>, customer: Option<CustomerKey>) {
        let outcome = CallOutcome::of(status);
        self.budget.spend(outcome);
        if let Some(customer) = customer.filter(|_| outcome != CallOutcome::TooMany) {
            self.calls.push(Call { customer, is_good: outcome == CallOutcome::Good });
        }
    }

    fn need<Input, Outcome: 'a>(
        self,
        input: Input,
        kind: fn(Pending<'a, Input, Outcome>) -> Need<'a>,
        next: impl FnOnce(Self, Outcome) -> Step<'a> + 'a,
    ) -> Step<'a> {
        let rest = move |outcome, now| next(Self { now, ..self }, outcome);
        Step::Need(kind(Pending::new(input, rest)))
    }
}
