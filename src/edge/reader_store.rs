//! The rows of an object that watches over readers without an account, in its SQLite database.

use super::ledger_store::{SqlStore, json, time};
use crate::allowance::{CountKey, ReaderRow, ReaderStore};
use crate::quota::StoreError;
use crate::time::Timestamp;

/// Makes the table where it isn't there yet. An account's object has no use for it.
pub(super) fn create_table(store: &SqlStore) -> Result<(), StoreError> {
    store.write(SCHEMA, Vec::new())
}

impl ReaderStore for SqlStore {
    fn highest(&self, count: CountKey) -> Result<u8, StoreError> {
        let query = "SELECT value FROM reader WHERE count = ?";
        Ok(self.json(query, vec![count.to_string().into()])?.unwrap_or_default())
    }

    fn put_row(&mut self, row: &ReaderRow) -> Result<(), StoreError> {
        let query = "INSERT INTO reader (count, value, forget_at_ms) VALUES (?, ?, ?) \
                     ON CONFLICT (count) DO UPDATE SET value = excluded.value";
        let count = row.count.to_string().into();
        self.write(query, vec![count, json(&row.highest)?, time(row.forget_at)])
    }

    fn delete_forgotten(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.write("DELETE FROM reader WHERE forget_at_ms <= ?", vec![time(now)])
    }
}

/// A count is named by reader, limit, period and start. No index on `forget_at_ms`: it would cost a
/// row written with every count, for one scan an hour.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS reader (
        count TEXT PRIMARY KEY, value TEXT NOT NULL, forget_at_ms INTEGER NOT NULL) WITHOUT ROWID;
";
