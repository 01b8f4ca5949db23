//! The inbox: where events of payment providers are kept until the account that they are about has
//! them, so that a provider may take its webhook for delivered once the inbox has it.
//!
//! An event comes in ([`Inbox::handle`] of [`InboxRequest::TakeIn`]) and is kept: `received` where
//! its account is known, `waiting` where it isn't, `ignored` where nothing follows from it,
//! `failed` where it can't be read. A received one is delivered to its account's ledger until that
//! has taken it ([`batch`], [`record_delivery`]), and is `applied` then.
//! A step that is cut off is done again: an event that is applied twice changes nothing.
//! `docs/billing.md` has the whole.

mod customer;
mod customer_store;
mod deliver;
mod event_state;
mod list;
mod look;
mod message;
mod note;
mod ownership;
mod store;
mod summary;
mod take_in;

pub use customer::{Claim, CustomerKey, CustomerPage, CustomerRow, Link, Linked, SubscriptionKey};
pub use customer_store::CustomerStore;
pub use deliver::{ReadBody, batch, record_delivery};
pub use event_state::EventState;
pub use message::{
    AccountFilter, AccountPage, AccountSummary, Call, EventDetail, EventFilter, EventKey,
    EventPage, EventRow, InboxRequest, Incoming, Retried, Taken,
};
pub use store::{Content, InboxStore, Retention};
pub use summary::payers;

use crate::billing::outage::{self, Attempt, Outages, Signal};
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::wire;

/// The inbox. The events are in the store; this only remembers facts that are costly to find again.
#[derive(Debug, Default)]
pub struct Inbox {
    /// The time of the last tidying.
    swept_at: Option<Timestamp>,
    /// The last verdict on outages, and its time.
    assessed: Option<(Timestamp, Outages)>,
}

impl Inbox {
    /// Answers a message: with the reply named at [`InboxRequest`], as [`wire`] writes it, or with
    /// nothing.
    ///
    /// # Errors
    ///
    /// The store failed. Nothing of this call may be kept then: see [`InboxStore`].
    pub fn handle(
        &mut self,
        store: &mut impl InboxStore,
        request: InboxRequest,
        read: &ReadBody<'_>,
        now: Timestamp,
    ) -> Result<Vec<u8>, StoreError> {
        self.tidy_up(store, now)?;
        Ok(match request {
            InboxRequest::TakeIn(events) => wire::encode(&take_in::all(store, events, now)?),
            InboxRequest::Link { customer, account, actor, may_move } => {
                let by = (actor, may_move);
                wire::encode(&take_in::link(store, &customer, &account, by, now)?)
            }
            InboxRequest::Retry { event, actor } => {
                wire::encode(&take_in::retry(store, &event, &actor, read, now)?)
            }
            InboxRequest::Customer(customer) => {
                let row = ownership::customer_row(store, &customer)?;
                let is_known = row.link.is_some() || !row.claims.is_empty();
                wire::encode(&Some(row).filter(|_| is_known))
            }
            InboxRequest::CustomerToLead { account, customers } => {
                wire::encode(&ownership::to_lead(store, &account, &customers)?)
            }
            InboxRequest::Conflicts { cursor, limit } => {
                wire::encode(&list::conflicts(store, cursor.as_deref(), limit)?)
            }
            InboxRequest::CustomersOf { account } => wire::encode(&store.customers_of(&account)?),
            InboxRequest::Event(key) => wire::encode(&list::event(store, &key)?),
            InboxRequest::Events { filter, cursor, limit } => {
                wire::encode(&list::events(store, filter, cursor.as_deref(), limit)?)
            }
            InboxRequest::Accounts { filter, cursor, limit } => {
                wire::encode(&list::accounts(store, &filter, cursor.as_deref(), limit)?)
            }
            InboxRequest::PutAccount(summary) => {
                store.put_account(&summary)?;
                Vec::new()
            }
            InboxRequest::LookList { limit } => wire::encode(&look::list(store, limit, now)?),
            InboxRequest::Called(calls) => {
                for Call { customer: CustomerKey { provider, id: customer }, is_good } in calls {
                    let attempt = Attempt::Call;
                    store.add_signal(&Signal { provider, attempt, customer, at: now, is_good })?;
                }
                Vec::new()
            }
            InboxRequest::Outage => wire::encode(&self.assess(store, now)?),
        })
    }

    /// Every isolate asks when it is about to deny, so the signals are not read each time.
    fn assess(&mut self, store: &impl InboxStore, now: Timestamp) -> Result<Outages, StoreError> {
        let recent = |at: Timestamp| (0..ASSESSED_MS).contains(&now.ms_since(at));
        if let Some((_, known)) = self.assessed.as_ref().filter(|(at, _)| recent(*at)) {
            return Ok(known.clone());
        }
        let signals = store.signals(now.plus_ms(-outage::HISTORY_MS))?;
        let outages = outage::assess(&signals, now);
        self.assessed = Some((now, outages.clone()));
        Ok(outages)
    }

    fn tidy_up(&mut self, store: &mut impl InboxStore, now: Timestamp) -> Result<(), StoreError> {
        let recent = |at: Timestamp| (0..SWEEP_INTERVAL_MS).contains(&now.ms_since(at));
        if self.swept_at.is_none() {
            self.swept_at = store.forgot_at()?;
        }
        if !self.swept_at.is_some_and(recent) {
            let limits = Retention {
                contents_before: now.plus_ms(-CONTENTS_KEPT_MS),
                events_before: now.plus_ms(-EVENTS_KEPT_MS),
                signals_before: now.plus_ms(-outage::HISTORY_MS),
            };
            store.forget(limits, now)?;
            self.swept_at = Some(now);
        }
        Ok(())
    }
}

/// Long enough to look into what a customer complains about.
pub const CONTENTS_KEPT_MS: i64 = 30 * DAY_MS;
/// Longer than any provider sends an event again.
pub const EVENTS_KEPT_MS: i64 = 400 * DAY_MS;

const DAY_MS: i64 = 86_400_000;
/// Tidying up reads every row, so it is not done more often.
const SWEEP_INTERVAL_MS: i64 = DAY_MS;
const ASSESSED_MS: i64 = 5_000;
