//! The store of an object that watches over readers, in memory.

use std::cell::Cell;
use std::collections::BTreeMap;

use tollgate::allowance::{CountKey, ReaderRow, ReaderStore};
use tollgate::store::StoreError;
use tollgate::time::Timestamp;

/// The rows, open to the tests, which can make it fail.
#[derive(Default)]
pub(crate) struct MemoryReaders {
    pub(crate) rows: BTreeMap<CountKey, ReaderRow>,
    pub(crate) is_broken: Cell<bool>,
    pub(crate) writes: usize,
}

impl MemoryReaders {
    fn reach(&self) -> Result<(), StoreError> {
        if self.is_broken.get() { Err(StoreError("disk full".to_owned())) } else { Ok(()) }
    }
}

impl ReaderStore for MemoryReaders {
    fn highest(&self, count: CountKey) -> Result<u8, StoreError> {
        self.reach()?;
        Ok(self.rows.get(&count).map_or(0, |row| row.highest))
    }

    fn put_row(&mut self, row: &ReaderRow) -> Result<(), StoreError> {
        self.reach()?;
        self.writes = self.writes.saturating_add(1);
        self.rows.insert(row.count, *row);
        Ok(())
    }

    fn delete_forgotten(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.reach()?;
        self.rows.retain(|_, row| row.forget_at > now);
        Ok(())
    }
}
