//! What operators need of an account's database beside the ledger itself.

use super::change::Reply;
use crate::quota::store::{AuditEntry, LedgerStore};
use crate::store::StoreError;
use crate::time::Timestamp;

/// The rows that only operators have to do with. As atomic as those of the ledger.
pub trait OperatorStore: LedgerStore {
    /// The last `limit` entries of the audit trail before the one with the number `before`, newest
    /// first, each with its number.
    ///
    /// # Errors
    /// The rows could not be read; so for every method that reads.
    fn audit(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError>;

    /// What was answered to the request with this key.
    ///
    /// # Errors
    /// See [`Self::audit`].
    fn answered(&self, key: &str) -> Result<Option<Answered>, StoreError>;

    /// Writes what was answered to the request with this key.
    ///
    /// # Errors
    /// The row could not be written; so for every method that writes.
    fn put_answered(&mut self, key: &str, answered: &Answered) -> Result<(), StoreError>;

    /// Forgets what was answered before this time.
    ///
    /// # Errors
    /// See [`Self::put_answered`].
    fn delete_answered(&mut self, before: Timestamp) -> Result<(), StoreError>;
}

/// A request that was answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answered {
    /// Tells it from another one with the same key.
    pub fingerprint: String,
    /// What was answered.
    pub reply: Reply,
    /// When.
    pub at: Timestamp,
}
