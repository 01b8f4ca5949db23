//! A ledger's store in memory. Tests can make it fail.

use std::cell::Cell;
use std::collections::BTreeMap;

use tollgate::account::AccountRecord;
use tollgate::admin::{OperatorStore, StoredReply};
use tollgate::quota::store::{
    Announcement, AuditEntry, Counter, CounterKey, HolderRow, HolderTimes,
};
use tollgate::quota::{CreditPack, LedgerStore};
use tollgate::store::StoreError;
use tollgate::time::Timestamp;

/// The rows, open to the tests.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct MemoryStore {
    pub(crate) account: Option<AccountRecord>,
    pub(crate) counters: BTreeMap<CounterKey, Counter>,
    pub(crate) holders: BTreeMap<String, HolderRow>,
    /// In the order in which they were added.
    pub(crate) packs: Vec<CreditPack>,
    /// Units by name, and until when they are kept.
    pub(crate) merged: BTreeMap<String, (u64, Timestamp)>,
    pub(crate) announcements: Vec<Announcement>,
    pub(crate) audit: Vec<AuditEntry>,
    /// Replies to operators, by the key of the request.
    pub(crate) replies: BTreeMap<String, StoredReply>,
    /// Number of calls that succeed before one fails; without end where `None`.
    pub(crate) calls_left: Cell<Option<usize>>,
    /// Number of calls that wrote something.
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

    fn counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        self.reach()?;
        Ok(self.counters.get(key).copied())
    }

    fn put_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError> {
        self.write()?;
        self.counters.insert(key.clone(), *counter);
        Ok(())
    }

    fn delete_counters(
        &mut self,
        meter: &str,
        started_before: Timestamp,
    ) -> Result<(), StoreError> {
        self.write()?;
        self.counters.retain(|key, _| key.meter != meter || key.starts_at >= started_before);
        Ok(())
    }

    fn holder(&self, name: &str) -> Result<Option<HolderRow>, StoreError> {
        self.reach()?;
        Ok(self.holders.get(name).cloned())
    }

    fn put_holder(&mut self, row: &HolderRow) -> Result<(), StoreError> {
        self.write()?;
        self.holders.insert(row.name.clone(), row.clone());
        Ok(())
    }

    fn delete_holder(&mut self, name: &str) -> Result<(), StoreError> {
        self.write()?;
        self.holders.remove(name);
        Ok(())
    }

    fn holder_times(&self) -> Result<Vec<HolderTimes>, StoreError> {
        self.reach()?;
        Ok(self.holders.values().map(HolderRow::times).collect())
    }

    fn credits(&self) -> Result<Vec<CreditPack>, StoreError> {
        self.reach()?;
        let mut packs = self.packs.clone();
        packs.sort_by_key(|pack| (pack.expires_at.is_none(), pack.expires_at));
        Ok(packs)
    }

    fn put_credits(&mut self, pack: &CreditPack) -> Result<(), StoreError> {
        self.write()?;
        match self.packs.iter_mut().find(|other| other.id == pack.id) {
            Some(known) => known.clone_from(pack),
            None => self.packs.push(pack.clone()),
        }
        Ok(())
    }

    fn merged(&self, name: &str) -> Result<u64, StoreError> {
        self.reach()?;
        Ok(self.merged.get(name).map_or(0, |(units, _)| *units))
    }

    fn put_merged(
        &mut self,
        name: &str,
        units: u64,
        forget_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write()?;
        self.merged.insert(name.to_owned(), (units, forget_at));
        Ok(())
    }

    fn delete_merged(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.merged.values().all(|(_, forget_at)| *forget_at > now) {
            return self.reach();
        }
        self.merged.retain(|_, (_, forget_at)| *forget_at > now);
        self.write()
    }

    fn queue_announcement(&mut self, announcement: &Announcement) -> Result<(), StoreError> {
        self.write()?;
        self.announcements.push(announcement.clone());
        Ok(())
    }

    fn has_audit(&self, entry: &AuditEntry) -> Result<bool, StoreError> {
        self.reach()?;
        Ok(self.audit.contains(entry))
    }

    fn append_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.write()?;
        self.audit.push(entry.clone());
        Ok(())
    }
}

impl OperatorStore for MemoryStore {
    fn audit(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.reach()?;
        let all =
            (0..).zip(&self.audit).filter(|(number, _)| before.is_none_or(|end| *number < end));
        let all: Vec<_> = all.map(|(number, entry)| (number, entry.clone())).collect();
        Ok(all.into_iter().rev().take(limit).collect())
    }

    fn stored_reply(&self, key: &str) -> Result<Option<StoredReply>, StoreError> {
        self.reach()?;
        Ok(self.replies.get(key).cloned())
    }

    fn put_stored_reply(&mut self, key: &str, reply: &StoredReply) -> Result<(), StoreError> {
        self.write()?;
        self.replies.insert(key.to_owned(), reply.clone());
        Ok(())
    }

    fn delete_stored_replies(&mut self, before: Timestamp) -> Result<(), StoreError> {
        self.write()?;
        self.replies.retain(|_, reply| reply.at > before);
        Ok(())
    }
}
