//! The reading of customers: all of one account's, or those whose turn it is.

use std::vec;

use super::budget::Budget;
use super::error::RunError;
use super::state::{Run, Then};
use super::step::Step;
use crate::billing::api::{ApiAnswer, Reread};
use crate::billing::event::BillingEvent;
use crate::billing::inbox::{CustomerKey, InboxRequest, Incoming, Taken};
use crate::billing::settings::Billing;
use crate::identity::AccountName;

/// Reads every customer of an account, and ends the run at the first failure.
pub(super) fn of_account(run: Run<'_>, account: AccountName, calls_each: usize) -> Step<'_> {
    let request = InboxRequest::CustomersOf { account: account.clone() };
    run.list_customers(request, move |run, customers| match customers {
        Ok(customers) => {
            let budget = Budget::new(customers.len().saturating_mul(calls_each));
            next_of_account(run.with_budget(budget), account, customers.into_iter())
        }
        Err(error) => Step::End(Err(error)),
    })
}

/// Reads customers whose turn it is, as long as calls are left, and reports how the calls went.
pub(super) fn on_look_list(run: Run<'_>, limit: usize) -> Step<'_> {
    run.list_customers(InboxRequest::LookList { limit }, |run, customers| match customers {
        Ok(customers) => next_on_list(run, customers.into_iter()),
        Err(error) => run.log(&error, Run::report),
    })
}

fn next_of_account(
    run: Run<'_>,
    account: AccountName,
    mut left: vec::IntoIter<CustomerKey>,
) -> Step<'_> {
    let Some(customer) = left.next() else { return run.end() };
    read(
        run,
        customer,
        Box::new(|run, events| match events {
            Ok(events) => take_over(run, account, events, left),
            Err(error) => Step::End(Err(error)),
        }),
    )
}

/// Has the inbox and the ledger of an account take over events of a customer. The inbox delivers
/// them too, which changes nothing then.
fn take_over(
    run: Run<'_>,
    account: AccountName,
    events: Vec<BillingEvent>,
    left: vec::IntoIter<CustomerKey>,
) -> Step<'_> {
    run.take_in(incoming(events.clone()), |mut run, taken| match taken {
        Ok(taken) => {
            run.customers_read = run.customers_read.saturating_add(1);
            let events = events_for(&account, events, &taken);
            if events.is_empty() {
                return next_of_account(run, account, left);
            }
            run.apply(account.clone(), events, |run, applied| match applied {
                Ok(()) => next_of_account(run, account, left),
                Err(error) => Step::End(Err(error)),
            })
        }
        Err(error) => Step::End(Err(error)),
    })
}

/// Those of the events that go to an account. Another account's stay with that account, though
/// the two share a customer.
fn events_for(
    account: &AccountName,
    events: Vec<BillingEvent>,
    taken: &[Taken],
) -> Vec<BillingEvent> {
    let is_its = |taken: &Taken| taken.account.as_ref() == Some(account);
    let events = events.into_iter().zip(taken).filter(|(_, taken)| is_its(taken));
    let by = |(event, taken): (BillingEvent, &Taken)| BillingEvent {
        is_by_address: taken.is_by_address,
        ..event
    };
    events.map(by).collect()
}

fn next_on_list(run: Run<'_>, mut left: vec::IntoIter<CustomerKey>) -> Step<'_> {
    let Some(customer) = left.next().filter(|_| !run.is_over()) else { return run.report() };
    read(
        run,
        customer,
        Box::new(|run, events| match events {
            Ok(events) => run.take_in(incoming(events), |mut run, taken| match taken {
                Ok(_) => {
                    run.customers_read = run.customers_read.saturating_add(1);
                    next_on_list(run, left)
                }
                Err(error) => run.log(&error, Run::report),
            }),
            Err(error) => run.log(&error, |run| next_on_list(run, left)),
        }),
    )
}

/// All that its provider knows of a customer.
fn read<'a>(
    run: Run<'a>,
    customer: CustomerKey,
    then: Then<'a, Result<Vec<BillingEvent>, RunError>>,
) -> Step<'a> {
    let billing = run.providers.of(customer.provider);
    let reread = billing.and_then(|billing| Reread::of_customer(billing, &customer.id));
    match (billing, reread) {
        (Some(billing), Some(reread)) => Reading { billing, customer, reread, then }.next(run),
        _ => then(run, Err(RunError::NoApiKey(customer.provider))),
    }
}

/// A customer that is being read.
struct Reading<'a> {
    billing: &'a Billing,
    customer: CustomerKey,
    reread: Reread,
    then: Then<'a, Result<Vec<BillingEvent>, RunError>>,
}

impl<'a> Reading<'a> {
    fn next(mut self, run: Run<'a>) -> Step<'a> {
        let Some(request) = self.reread.next() else {
            return (self.then)(run, Ok(self.reread.into_events()));
        };
        let (billing, customer) = (self.billing, Some(self.customer.clone()));
        run.call(
            billing,
            request,
            customer,
            Box::new(|run, answered| {
                let (plans, now) = (run.providers.plans, run.now);
                let taken_in = answered.and_then(|answered| {
                    Ok(self.reread.answered(&ApiAnswer::from(&answered), plans, now)?)
                });
                match taken_in {
                    Ok(()) => self.next(run),
                    Err(error) => (self.then)(run, Err(error)),
                }
            }),
        )
    }
}

fn incoming(events: Vec<BillingEvent>) -> Vec<Incoming> {
    events.into_iter().map(Incoming::asked_for).collect()
}
