//! The steps of a run: needs, which the edge performs, and its end.

use super::error::RunError;
use crate::billing::api::StatusAndBody;
use crate::billing::error::CallError;
use crate::billing::event::BillingEvent;
use crate::billing::inbox::{Call, CustomerKey, InboxRequest, Incoming, Taken};
use crate::billing::step::{Fault, ProviderCall};
use crate::identity::AccountName;
use crate::step;

/// The next step of a run.
pub enum Step<'a> {
    /// Something to perform before it can go on.
    Need(Need<'a>),
    /// Its end: the number of customers that were read.
    End(Result<usize, RunError>),
}

/// Something that only the platform can do, and the rest of the run. An error of an object is the
/// reason why there is no reply of it.
pub enum Need<'a> {
    /// Call a provider's API.
    CallProvider(Pending<'a, ProviderCall<'a>, Result<StatusAndBody, CallError>>),
    /// Ask the inbox for customers: [`InboxRequest::CustomersOf`] or [`InboxRequest::LookList`].
    ListCustomers(Pending<'a, InboxRequest, Result<Vec<CustomerKey>, String>>),
    /// Have the inbox keep events. The outcome is its reply for each.
    TakeIn(Pending<'a, Vec<Incoming>, Result<Vec<Taken>, String>>),
    /// Have the ledger of an account take over events.
    ApplyToAccount(Pending<'a, AccountEvents, Result<(), String>>),
    /// Report to the inbox how the calls for customers went: [`InboxRequest::Called`].
    ReportCalls(Pending<'a, Vec<Call>, Result<(), String>>),
    /// Write a line to the operator's log.
    Log(Pending<'a, Fault, ()>),
}

/// A need's input, and the rest of the run.
pub type Pending<'a, Input, Outcome> = step::Pending<'a, Input, Outcome, Step<'a>>;

/// Events for one account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountEvents {
    /// The account's name, `tenant/account`.
    pub account: AccountName,
    /// The events; at least one.
    pub events: Vec<BillingEvent>,
}
