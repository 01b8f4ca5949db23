//! The ledger's needs of a database: a few kinds of rows, read and written one at a time.

use crate::account::AccountRecord;
use crate::plan::{Period, QuotaName};
use crate::quota::{CreditPack, MeterUnits};
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::wire::wire;

/// The rows of one account's ledger.
///
/// Whoever implements it makes each call of the ledger atomic: where one method fails, the call
/// fails, and nothing that it wrote may stay. No number is above [`MAX_UNITS`].
pub trait LedgerStore {
    /// The account's record, if there is one.
    ///
    /// # Errors
    /// The row could not be read; so for every method.
    fn account(&self) -> Result<Option<AccountRecord>, StoreError>;

    /// Writes the account's record.
    ///
    /// # Errors
    /// The row could not be written; so for every method that writes.
    fn put_account(&mut self, record: &AccountRecord) -> Result<(), StoreError>;

    /// The count of a window, if anything was counted.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError>;

    /// Writes what was counted in a window.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn put_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError>;

    /// Deletes the counters of a meter whose window started before `started_before`.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn delete_counters(&mut self, meter: &str, started_before: Timestamp)
    -> Result<(), StoreError>;

    /// A holder's row, if there is one.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn holder(&self, name: &str) -> Result<Option<HolderRow>, StoreError>;

    /// Writes what is known of a holder.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn put_holder(&mut self, row: &HolderRow) -> Result<(), StoreError>;

    /// Forgets a holder.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn delete_holder(&mut self, name: &str) -> Result<(), StoreError>;

    /// Every holder's times, in any order.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn holder_times(&self) -> Result<Vec<HolderTimes>, StoreError>;

    /// Every pack of credits that the account ever had, the first to expire first, and of those
    /// that expire together the oldest.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn credits(&self) -> Result<Vec<CreditPack>, StoreError>;

    /// Writes a pack of credits, in the place of one with the same id.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn put_credits(&mut self, pack: &CreditPack) -> Result<(), StoreError>;

    /// Number of units merged under this name.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn merged(&self, name: &str) -> Result<u64, StoreError>;

    /// Writes how many units were merged under a name.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn put_merged(
        &mut self,
        name: &str,
        units: u64,
        forget_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Deletes the merges under each name whose `forget_at` is `now` or earlier.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn delete_merged(&mut self, now: Timestamp) -> Result<(), StoreError>;

    /// Queues an announcement for the operator.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn queue_announcement(&mut self, announcement: &Announcement) -> Result<(), StoreError>;

    /// Whether the audit trail has just this entry.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn has_audit(&self, entry: &AuditEntry) -> Result<bool, StoreError>;

    /// Writes what was collected. The ledger calls it at the end of each message; a store that
    /// writes row by row has collected nothing.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn write_collected(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Adds to the audit trail.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn append_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError>;
}

/// The identity of a meter's count.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CounterKey {
    /// The meter.
    pub meter: String,
    /// The member, where a member's units are counted.
    pub member: Option<String>,
    /// The kind of period.
    pub period: Period,
    /// The start of this one.
    pub starts_at: Timestamp,
}

/// The count of a window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counter {
    /// Units that were debited and did not come back.
    pub used: u64,
    /// Units that rolled over from the period before: they add to the limit.
    pub carried: u64,
    /// Units that passed uncounted while the ledger was out of reach, by the holders' reports.
    pub degraded: u64,
    /// The highest threshold, in percent, that was announced in this window.
    pub announced_percent: u8,
}

/// A holder as the ledger remembers it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HolderRow {
    /// Its name: the key.
    pub name: String,
    /// The highest number of a message that was heard.
    pub heard: u64,
    /// The leases that it may still keep.
    pub leases: Vec<LeaseRow>,
    /// Its reports of uncounted units, as totals.
    pub degraded: Vec<MeterUnits>,
    /// The time of its last message.
    pub seen_at: Timestamp,
    /// The time from which no message of it can be under way any more and its held units are lost.
    pub forget_at: Timestamp,
}

impl HolderRow {
    /// The times of its last message and of its forgetting.
    pub fn times(&self) -> HolderTimes {
        let Self { name, seen_at, forget_at, .. } = self;
        HolderTimes { name: name.clone(), seen_at: *seen_at, forget_at: *forget_at }
    }
}

/// The times of a holder's last message and of its forgetting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HolderTimes {
    /// The holder.
    pub name: String,
    /// The time of its last message.
    pub seen_at: Timestamp,
    /// The time from which it may be forgotten.
    pub forget_at: Timestamp,
}

/// A lease as the ledger remembers it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeaseRow {
    /// Its id.
    pub id: u64,
    /// The meter it is for.
    pub meter: String,
    /// The member it is for, where members are counted.
    pub member: Option<String>,
    /// Units granted.
    pub units: u64,
    /// Number of them from each pack of credits; the others were debited in every window.
    pub credits: Vec<PackUnits>,
    /// The windows in which the units that are not credits were debited.
    pub windows: Vec<WindowKey>,
    /// The holder's report of spent units.
    pub spent: u64,
    /// Its report of returned units.
    pub returned: u64,
    /// Whether a message of the holder has named it: then it arrived.
    pub has_arrived: bool,
}

/// Units of a pack of credits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PackUnits {
    /// The pack's id.
    pub pack: String,
    /// Number of units.
    pub units: u64,
}

/// A window of the meter and member of a lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WindowKey {
    /// Whether the window is the member's own.
    pub of_member: bool,
    /// The kind of period.
    pub period: Period,
    /// Its start.
    pub starts_at: Timestamp,
}

wire!(HolderRow { 1: name, 2: heard, 3: leases, 4: degraded, 5: seen_at, 6: forget_at });
wire!(LeaseRow {
    1: id,
    2: meter,
    3: member,
    4: units,
    5: credits,
    6: windows,
    7: spent,
    8: returned,
    9: has_arrived,
});
wire!(Counter { 1: used, 2: carried, 3: degraded, 4: announced_percent });
wire!(PackUnits { 1: pack, 2: units });
wire!(WindowKey { 1: of_member, 2: period, 3: starts_at });
wire!(AuditEntry { 1: at, 2: actor, 3: action, 4: detail });

/// An announcement to the operator's webhook.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Announcement {
    /// Something that stands in the account's audit trail.
    Note {
        /// The time of the event.
        at: Timestamp,
        /// The trail's word for it.
        action: String,
        /// Its details, as a JSON object.
        detail: String,
    },
    /// An account reached a threshold of a quota.
    Threshold(Threshold),
}

impl Announcement {
    /// The time of the event.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Note { at, .. } => *at,
            Self::Threshold(threshold) => threshold.at,
        }
    }
}

/// An account's reaching of a threshold of a quota.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Threshold {
    /// The time of that.
    pub at: Timestamp,
    /// The quota.
    pub quota: QuotaName,
    /// The member, where the quota is each member's own.
    pub member: Option<String>,
    /// The threshold in percent.
    pub percent: u8,
    /// Units used, leases that are out included.
    pub used: u64,
    /// Units that may be used.
    pub limit: u64,
    /// The time at which the count starts again.
    pub resets_at: Timestamp,
}

/// An operator's or provider's action on an account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEntry {
    /// The time of it.
    pub at: Timestamp,
    /// The operator's or provider's name, never a secret.
    pub actor: String,
    /// The action, a stable word.
    pub action: String,
    /// The details, as JSON.
    pub detail: String,
}
