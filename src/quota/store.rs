//! What the ledger needs of a database: a few kinds of rows, read and written one at a time.

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

    /// What was counted in a window, if anything was.
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

    /// What is known of a holder, if anything is.
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

    /// How many units were merged under this name.
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

    /// Deletes what was merged under each name whose `forget_at` is `now` or earlier.
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

    /// Adds to the audit trail.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn append_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError>;
}

/// Which count of a meter is meant.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CounterKey {
    /// The meter.
    pub meter: String,
    /// Whose units, where a member's are counted.
    pub member: Option<String>,
    /// The kind of period.
    pub period: Period,
    /// Where this one started.
    pub starts_at: Timestamp,
}

/// What was counted in a window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counter {
    /// Units that were debited and did not come back.
    pub used: u64,
    /// Units that rolled over from the period before: they add to the limit.
    pub carried: u64,
    /// Units that passed uncounted while the ledger was out of reach, as far as it was told.
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
    /// What it said passed uncounted, as totals.
    pub degraded: Vec<MeterUnits>,
    /// When it was heard last.
    pub seen_at: Timestamp,
    /// When no message of it can be under way any more and what it holds is lost.
    pub forget_at: Timestamp,
}

impl HolderRow {
    /// When it was heard and when it is to be forgotten.
    pub fn times(&self) -> HolderTimes {
        let Self { name, seen_at, forget_at, .. } = self;
        HolderTimes { name: name.clone(), seen_at: *seen_at, forget_at: *forget_at }
    }
}

/// When a holder was heard, and when it is to be forgotten.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HolderTimes {
    /// The holder.
    pub name: String,
    /// When it was heard last.
    pub seen_at: Timestamp,
    /// When it may be forgotten.
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
    /// How many of them came from which credits; the others were debited in every window.
    pub credits: Vec<PackUnits>,
    /// Where the units that are not credits were debited.
    pub windows: Vec<WindowKey>,
    /// What the holder said it spent.
    pub spent: u64,
    /// What it gave back.
    pub returned: u64,
    /// Whether a message of the holder has named it: then it arrived.
    pub has_arrived: bool,
}

/// Units of a pack of credits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PackUnits {
    /// The pack's id.
    pub pack: String,
    /// How many.
    pub units: u64,
}

/// A window of the meter and member of a lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WindowKey {
    /// Whether it is the member's own.
    pub of_member: bool,
    /// The kind of period.
    pub period: Period,
    /// Where it started.
    pub starts_at: Timestamp,
}

wire!(HolderRow { name, heard, leases, degraded, seen_at, forget_at });
wire!(LeaseRow { id, meter, member, units, credits, windows, spent, returned, has_arrived });
wire!(PackUnits { pack, units });
wire!(WindowKey { of_member, period, starts_at });
wire!(AuditEntry { at, actor, action, detail });

/// An announcement to the operator's webhook.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Announcement {
    /// Something that stands in the account's audit trail.
    Note {
        /// When it was.
        at: Timestamp,
        /// The trail's word for it.
        action: String,
        /// Its details, as a JSON object.
        detail: String,
    },
    /// That an account reached a threshold of a quota.
    Threshold(Threshold),
}

impl Announcement {
    /// When it was so.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Note { at, .. } => *at,
            Self::Threshold(threshold) => threshold.at,
        }
    }
}

/// That an account reached a threshold of a quota.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Threshold {
    /// When it did.
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
    /// When the count starts again.
    pub resets_at: Timestamp,
}

/// Who did what to an account, and when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: a name that the edge knows the operator by, never a secret.
    pub actor: String,
    /// What was done, a stable word.
    pub action: String,
    /// What it was done with, as JSON.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    /// Where this fails because a type has changed, raise [`wire::FORMAT`] along with the text.
    #[test]
    fn holders_are_kept_as_their_format_says() {
        let [starts_at, seen_at, forget_at] = [1, 2, 3].map(Timestamp::from_millis);
        let row = HolderRow {
            name: "h".into(),
            heard: 7,
            leases: vec![LeaseRow {
                id: 4,
                meter: "api".into(),
                member: None,
                units: 9,
                credits: vec![PackUnits { pack: "p".into(), units: 5 }],
                windows: vec![WindowKey { of_member: true, period: Period::Day, starts_at }],
                spent: 6,
                returned: 8,
                has_arrived: true,
            }],
            degraded: vec![MeterUnits { meter: "api".into(), units: 10 }],
            seen_at,
            forget_at,
        };
        let text = "3 1 h7 1 4 3 api0 9 1 1 p5 1 1 3 Day1 6 8 1 1 3 api10 2 3 ";
        assert_eq!(wire::encode(&row), text);
        assert_eq!(wire::decode(text), Ok(row));
    }
}
