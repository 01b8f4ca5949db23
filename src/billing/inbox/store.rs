//! The inbox's needs of a database.

use super::customer::CustomerKey;
use super::customer_store::CustomerStore;
use super::message::{AccountFilter, AccountSummary, EventFilter, EventKey, EventRow};
use crate::billing::outage::Signal;
use crate::identity::AccountName;
use crate::store::StoreError;
use crate::time::Timestamp;

/// The content of an event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Content {
    /// A [`BillingEvent`](crate::billing::BillingEvent) as [`wire`](crate::wire) writes it; empty
    /// where it could not be read.
    pub event: Vec<u8>,
    /// The provider's body; empty where the event came by a question.
    pub body: String,
}

/// The rows of the inbox.
///
/// Whoever implements it makes each call of the inbox atomic: where one method fails, nothing that
/// the call wrote may stay. There is at most one event of each key.
pub trait InboxStore: CustomerStore {
    /// An event.
    ///
    /// # Errors
    /// The row could not be read; so for every method that reads.
    fn event(&self, key: &EventKey) -> Result<Option<EventRow>, StoreError>;

    /// The content of an event, as long as it is kept.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn content(&self, key: &EventKey) -> Result<Option<Content>, StoreError>;

    /// Writes an event, in the place of one with the same key, and gives it the next number.
    ///
    /// # Errors
    /// The row could not be written; so for every method that writes.
    fn add_event(&mut self, row: &EventRow, content: &Content) -> Result<(), StoreError>;

    /// Writes what may change of an event: account, state, reason, attempts and `due_at`.
    ///
    /// # Errors
    /// See [`Self::add_event`].
    fn update_event(&mut self, row: &EventRow) -> Result<(), StoreError>;

    /// Accounts that have a received event which is due; those first that were tried least often,
    /// and of those the longest due.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn due_accounts(&self, now: Timestamp, limit: usize) -> Result<Vec<AccountName>, StoreError>;

    /// The time at which the first received event is due.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// The received events of an account; those first that were tried least often, and of those
    /// the first to come.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn received_of(&self, account: &AccountName, limit: usize)
    -> Result<Vec<EventRow>, StoreError>;

    /// The events of a customer that wait for an account, in the order of their arrival. A
    /// subscription's events are among those of its customer.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn waiting_of(&self, customer: &CustomerKey) -> Result<Vec<EventRow>, StoreError>;

    /// Waiting events that are due for a question to their provider, the longest due first.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn waiting_due(&self, now: Timestamp, limit: usize) -> Result<Vec<EventRow>, StoreError>;

    /// Events with a number below `before`, the last to come first; no notes for audit trails.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn events(
        &self,
        filter: EventFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError>;

    /// Writes how an account stands, unless something newer is known of it.
    ///
    /// # Errors
    /// See [`Self::add_event`].
    fn put_account(&mut self, summary: &AccountSummary) -> Result<(), StoreError>;

    /// Accounts behind `after`, in the order of their names' bytes.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn accounts(
        &self,
        filter: &AccountFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AccountSummary>, StoreError>;

    /// Accounts whose `look_at` is `now` or earlier and that were not looked at since
    /// `looked_before`, the longest due first.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn to_look_at(
        &self,
        now: Timestamp,
        looked_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<AccountName>, StoreError>;

    /// Writes that an account is looked at `now`, and next at `look_at`.
    ///
    /// # Errors
    /// See [`Self::add_event`].
    fn note_look(
        &mut self,
        account: &AccountName,
        now: Timestamp,
        look_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Writes how a charge or a call went; the same again changes nothing.
    ///
    /// # Errors
    /// See [`Self::add_event`].
    fn add_signal(&mut self, signal: &Signal) -> Result<(), StoreError>;

    /// Every signal later than `since` that counts, in the order of [`Signal`] but for the order of
    /// providers; none at all where none of them is bad. A charge counts if its customer is linked
    /// to an account and has paid before it.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn signals(&self, since: Timestamp) -> Result<Vec<Signal>, StoreError>;

    /// Deletes what is out of date, and writes that it was done `now`.
    ///
    /// # Errors
    /// See [`Self::add_event`].
    fn forget(&mut self, limits: Retention, now: Timestamp) -> Result<(), StoreError>;

    /// The time of the last such deletion.
    ///
    /// # Errors
    /// See [`Self::event`].
    fn forgot_at(&self) -> Result<Option<Timestamp>, StoreError>;
}

/// The rows that may be deleted, by the time of their arrival.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// The content of events that are applied or ignored, of before this; and all that is known of
    /// applied ones that were asked for or made here, since nobody sends those again.
    pub contents_before: Timestamp,
    /// All that is kept of events that are not on their way, of before this.
    pub events_before: Timestamp,
    /// Signals of before this.
    pub signals_before: Timestamp,
}
