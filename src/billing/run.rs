//! A run of calls of providers' APIs, for what their webhooks did not say, as a machine: each start
//! and [`Rest::resume`](crate::step::Rest::resume) return the next [`Step`], which is a [`Need`] to
//! be performed, or the end.
//!
//! A run comes to an end: it makes so many calls at most, and stops after some failures in a row.

mod budget;
mod customers;
mod error;
mod missed;
mod state;
mod step;

pub use error::RunError;
pub use step::{AccountEvents, Need, Pending, Step};

use budget::Budget;
use state::Run;

use super::settings::Providers;
use crate::identity::AccountName;
use crate::time::Timestamp;

/// Reads every customer of an account again, and has its ledger take over what they say before it
/// ends. Ends with the number of customers, or the first failure.
pub fn reread_account<'a>(
    providers: Providers<'a>,
    account: &AccountName,
    now: Timestamp,
) -> Step<'a> {
    let run = Run::new(providers, Budget::new(0), now);
    customers::of_account(run, account.to_owned(), MAX_CALLS)
}

/// Looks for what got lost on the way: webhooks that did not arrive, events of customers whose
/// account nobody has named, and accounts of which news are due. Failures are logged.
pub fn reconcile(providers: Providers<'_>, now: Timestamp) -> Step<'_> {
    let run = Run::new(providers, Budget::new(MAX_CALLS), now);
    missed::take_in(run, |run| {
        if run.providers.all.iter().any(|billing| billing.api_key.is_some()) {
            customers::on_look_list(run, MAX_CUSTOMERS)
        } else {
            run.end()
        }
    })
}

/// Looks for the account of a customer about whom an event has just come. Failures are logged.
pub fn look_soon(providers: Providers<'_>, now: Timestamp) -> Step<'_> {
    let run = Run::new(providers, Budget::new(MAX_CALLS), now);
    customers::on_look_list(run, MAX_CUSTOMERS_SOON)
}

/// Calls in one run, or for each customer of an account that an operator has read: the platform
/// allows 50 on its free plan.
const MAX_CALLS: usize = 40;
/// Customers in one run, three calls each.
const MAX_CUSTOMERS: usize = 10;
/// Customers after one webhook.
const MAX_CUSTOMERS_SOON: usize = 2;
