//! A ledger's store in memory, which can be told to fail.

use std::cell::Cell;
use std::collections::BTreeMap;

use tollgate::account::AccountRecord;
use tollgate::quota::store::{AuditEntry, CounterWindow, LeaseRow};
use tollgate::quota::{LedgerStore, StoreError};
use tollgate::time::Timestamp;

/// The rows, open to the tests.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct MemoryStore {
    pub(crate) account: Option<AccountRecord>,
    pub(crate) counters: BTreeMap<(String, CounterWindow), u64>,
    pub(crate) leases: BTreeMap<String, LeaseRow>,
    pub(crate) audit: Vec<AuditEntry>,
    /// How many calls succeed before one fails; without end where `None`.
    pub(crate) calls_left: Cell<Option<usize>>,
    /// How many calls wrote something.
    pub(crate) writes: usize,
}

impl MemoryStore {
    fn reach(&self) -> Result<(), StoreError> {
        let left = self.calls_left.get();
        self.calls_left.set(left.map(|calls| calls.saturating_sub(1)));
        if left == Some(0) { Err(StoreError("disk full".to_owned())) } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.writes = self.writes.saturating_add(1);
        self.reach()
    }
}

impl LedgerStore for MemoryStore {
    fn account(&self) -> Result<Option<AccountRecord>, StoreError> {
        self.reach()?;
        Ok(self.account.clone())
    }

    fn put_account(&mut self, record: &AccountRecord) -> Result<(), StoreError> {
        self.write()?;
        self.account = Some(record.clone());
        Ok(())
    }

    fn counter(&self, meter: &str, window: CounterWindow) -> Result<u64, StoreError> {
        self.reach()?;
        Ok(self.counters.get(&(meter.to_owned(), window)).copied().unwrap_or(0))
    }

    fn set_counter(
        &mut self,
        meter: &str,
        window: CounterWindow,
        used: u64,
    ) -> Result<(), StoreError> {
        self.write()?;
        self.counters.insert((meter.to_owned(), window), used);
        Ok(())
    }

    fn lease(&self, name: &str) -> Result<Option<LeaseRow>, StoreError> {
        self.reach()?;
        Ok(self.leases.get(name).cloned())
    }

    fn put_lease(&mut self, row: &LeaseRow) -> Result<(), StoreError> {
        self.write()?;
        self.leases.insert(row.lease.clone(), row.clone());
        Ok(())
    }

    fn delete_leases(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.write()?;
        self.leases.retain(|_, row| row.forget_at > now);
        Ok(())
    }

    fn append_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.write()?;
        self.audit.push(entry.clone());
        Ok(())
    }

    fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.reach()?;
        Ok(self.audit.iter().rev().take(limit).cloned().collect())
    }
}
