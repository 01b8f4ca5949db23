//! The rows of an account's database that only operators need.

use super::reply::StoredReply;
use crate::quota::store::{AuditEntry, LedgerStore};
use crate::store::StoreError;
use crate::time::Timestamp;

/// The rows beside those of the ledger. As atomic as those.
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

    /// The reply to the request with this idempotency key.
    ///
    /// # Errors
    /// See [`Self::audit`].
    fn stored_reply(&self, key: &str) -> Result<Option<StoredReply>, StoreError>;

    /// Keeps the reply to the request with this idempotency key.
    ///
    /// # Errors
    /// The row could not be written; so for every method that writes.
    fn put_stored_reply(&mut self, key: &str, reply: &StoredReply) -> Result<(), StoreError>;

    /// Deletes the replies to requests that came at `before` or earlier.
    ///
    /// # Errors
    /// See [`Self::put_stored_reply`].
    fn delete_stored_replies(&mut self, before: Timestamp) -> Result<(), StoreError>;
}
