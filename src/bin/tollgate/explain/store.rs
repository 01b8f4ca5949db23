//! The rows of one account, for as long as the explanation takes.

use std::collections::BTreeMap;

use tollgate::account::AccountRecord;
use tollgate::quota::store::{
    Announcement, AuditEntry, Counter, CounterKey, HolderRow, HolderTimes,
};
use tollgate::quota::{CreditPack, LedgerStore};
use tollgate::store::StoreError;
use tollgate::time::Timestamp;

/// The given rows of an account, and the ledger's additions to them.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) account: Option<AccountRecord>,
    pub(super) counters: BTreeMap<CounterKey, Counter>,
    pub(super) packs: Vec<CreditPack>,
    pub(super) holders: BTreeMap<String, HolderRow>,
    pub(super) merged: BTreeMap<String, u64>,
}

impl LedgerStore for Rows {
    fn account(&self) -> Result<Option<AccountRecord>, StoreError> {
        Ok(self.account.clone())
    }

    fn put_account(&mut self, record: &AccountRecord) -> Result<(), StoreError> {
        self.account = Some(record.clone());
        Ok(())
    }

    fn counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        Ok(self.counters.get(key).copied())
    }

    fn put_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError> {
        self.counters.insert(key.clone(), *counter);
        Ok(())
    }

    fn delete_counters(&mut self, meter: &str, before: Timestamp) -> Result<(), StoreError> {
        self.counters.retain(|key, _| key.meter != meter || key.starts_at >= before);
        Ok(())
    }

    fn holder(&self, name: &str) -> Result<Option<HolderRow>, StoreError> {
        Ok(self.holders.get(name).cloned())
    }

    fn put_holder(&mut self, row: &HolderRow) -> Result<(), StoreError> {
        self.holders.insert(row.name.clone(), row.clone());
        Ok(())
    }

    fn delete_holder(&mut self, name: &str) -> Result<(), StoreError> {
        self.holders.remove(name);
        Ok(())
    }

    fn holder_times(&self) -> Result<Vec<HolderTimes>, StoreError> {
        Ok(self.holders.values().map(HolderRow::times).collect())
    }

    fn credits(&self) -> Result<Vec<CreditPack>, StoreError> {
        Ok(self.packs.clone())
    }

    fn put_credits(&mut self, pack: &CreditPack) -> Result<(), StoreError> {
        self.packs.retain(|other| other.id != pack.id);
        self.packs.push(pack.clone());
        Ok(())
    }

    fn merged(&self, name: &str) -> Result<u64, StoreError> {
        Ok(self.merged.get(name).copied().unwrap_or_default())
    }

    fn put_merged(&mut self, name: &str, units: u64, _: Timestamp) -> Result<(), StoreError> {
        self.merged.insert(name.to_owned(), units);
        Ok(())
    }

    fn delete_merged(&mut self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    fn queue_announcement(&mut self, _: &Announcement) -> Result<(), StoreError> {
        Ok(())
    }

    fn has_audit(&self, _: &AuditEntry) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn append_audit(&mut self, _: &AuditEntry) -> Result<(), StoreError> {
        Ok(())
    }
}
