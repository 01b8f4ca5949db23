//! The reader registry's rows in the SQLite database of its Durable Object.

use wasm_bindgen::JsValue;

use super::database::{Database, time, units_of};
use crate::allowance::{CountKey, ReaderRow, ReaderStore};
use crate::store::StoreError;
use crate::time::Timestamp;

/// The rows of one shard.
pub(super) struct SqlReaderStore {
    database: Database,
}

impl SqlReaderStore {
    /// The rows of the object with this state.
    pub(super) fn new(state: &JsValue) -> Self {
        Self { database: Database::new(state) }
    }
}

impl ReaderStore for SqlReaderStore {
    fn highest(&self, count: CountKey) -> Result<u8, StoreError> {
        let query = "SELECT highest FROM reader WHERE count = ?";
        let cells = self.database.cells(query, &[count.to_string().into()])?;
        let highest = cells.first().map_or(Ok(0), units_of)?;
        Ok(u8::try_from(highest).unwrap_or(u8::MAX))
    }

    fn put_row(&mut self, row: &ReaderRow) -> Result<(), StoreError> {
        let query = "INSERT INTO reader (count, highest, forget_at_ms) VALUES (?, ?, ?) \
                     ON CONFLICT (count) DO UPDATE SET highest = excluded.highest";
        let count = row.count.to_string().into();
        self.database.write(query, &[count, row.highest.into(), time(row.forget_at)])
    }

    fn delete_forgotten(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.database.write("DELETE FROM reader WHERE forget_at_ms <= ?", &[time(now)])
    }
}
