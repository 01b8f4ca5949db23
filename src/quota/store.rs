//! What the ledger needs of a database: four kinds of rows, read and written one at a time.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::AccountRecord;
use crate::quota::Period;
use crate::time::Timestamp;

/// The rows of one account's ledger.
///
/// Whoever implements it makes each call of the ledger atomic: where one method fails, the call
/// fails, and nothing that it wrote may stay. A counter is never above [`MAX_UNITS`]; the units of
/// a lease and the credits of an account may be any `u64`.
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

    /// Units counted in a window; 0 where nothing was.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn counter(&self, meter: &str, window: CounterWindow) -> Result<u64, StoreError>;

    /// Writes the units counted in a window.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn set_counter(
        &mut self,
        meter: &str,
        window: CounterWindow,
        used: u64,
    ) -> Result<(), StoreError>;

    /// The lease of this name, if it is known.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn lease(&self, name: &str) -> Result<Option<LeaseRow>, StoreError>;

    /// Writes a lease, in the place of one with the same name.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn put_lease(&mut self, row: &LeaseRow) -> Result<(), StoreError>;

    /// Deletes every lease whose `forget_at` is `now` or earlier.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn delete_leases(&mut self, now: Timestamp) -> Result<(), StoreError>;

    /// Adds to the audit trail.
    ///
    /// # Errors
    /// See [`Self::put_account`].
    fn append_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// The last `limit` entries of the audit trail, newest first.
    ///
    /// # Errors
    /// See [`Self::account`].
    fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;
}

/// Which count of a meter is meant.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct CounterWindow {
    /// The kind of period.
    pub period: Period,
    /// Where this one started.
    pub starts_at: Timestamp,
}

/// A lease as the ledger remembers it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LeaseRow {
    /// Its name: the key.
    pub lease: String,
    /// The meter it is for.
    pub meter: String,
    /// Units granted.
    pub units: u64,
    /// How many of them came from credits; the others were debited in every window.
    pub credits: u64,
    /// Units given back so far.
    pub returned: u64,
    /// Where the units that are not credits were debited.
    pub windows: Vec<CounterWindow>,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// When nobody can hold it any more and it may be deleted.
    pub forget_at: Timestamp,
}

/// Who did what to an account, and when.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
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

/// The database failed. Carries what the operator's log should say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the ledger's store failed: {}", self.0)
    }
}

impl Error for StoreError {}

/// The most units that a counter holds: the greatest integer that a JavaScript number, and so a row
/// of a Durable Object, holds exactly.
pub const MAX_UNITS: u64 = 9_007_199_254_740_991;
