//! A ledger's rows in memory: what is written lasts once it is committed, and not before.

use std::cell::{Cell, RefCell};

use tollgate::account::AccountRecord;
use tollgate::plan::Period;
use tollgate::quota::store::{
    Announcement, AuditEntry, Counter, CounterKey, HolderRow, HolderTimes,
};
use tollgate::quota::{CreditPack, LedgerStore};
use tollgate::store::StoreError;
use tollgate::time::Timestamp;

use crate::faults::Fault;
use crate::packed::Packed;

/// The rows. Holders are named by their place.
#[derive(Debug, Default)]
pub(crate) struct Store {
    account: Option<AccountRecord>,
    counters: Vec<(CounterKey, Counter)>,
    holders: Vec<Option<HolderRow>>,
    packs: Vec<CreditPack>,
    /// The changes of the current call, so that it can be undone.
    undo: Vec<Undo>,
    /// Number of methods that the current call may still use before one fails.
    pub(crate) fails_after: Cell<Option<u64>>,
    /// Rows written, by calls that were committed.
    pub(crate) rows_written: u64,
    pub(crate) fault: Option<Fault>,
    /// The counts and holders once more, packed, where they are: the ledger reads these.
    packed: Option<Packed>,
    /// The first difference between the packed rows and the others.
    differs: RefCell<Option<String>>,
}

#[derive(Debug)]
enum Undo {
    Account(Box<Option<AccountRecord>>),
    Counter { place: usize, before: Option<Counter> },
    Forgotten { place: usize, before: HolderRow, is_remembered: bool },
    Holder { place: usize, before: Option<HolderRow> },
    Pack { place: usize, before: Option<CreditPack> },
}

/// The changes of a call.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// Places of counters.
    pub(crate) counters: Vec<usize>,
    /// Places of holders.
    pub(crate) forgotten: Vec<Forgotten>,
    pub(crate) packs: bool,
}

/// A holder whose leases the ledger gave up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forgotten {
    pub(crate) place: usize,
    /// Whether the ledger still has its list of heard messages.
    pub(crate) is_remembered: bool,
}

impl Store {
    pub(crate) fn new(
        account: AccountRecord,
        packs: &[CreditPack],
        fault: Option<Fault>,
        is_packed: bool,
    ) -> Self {
        let packed = is_packed.then(|| Packed::new(fault));
        let mut store = Self { account: Some(account), fault, packed, ..Self::default() };
        for pack in packs {
            store.put_pack(pack);
        }
        store.undo.clear();
        store
    }

    /// Makes what the call changed last.
    pub(crate) fn commit(&mut self, changed: &mut Changed) {
        changed.counters.clear();
        changed.forgotten.clear();
        changed.packs = false;
        self.fails_after.set(None);
        let is_apart = |undo: &&Undo| matches!(undo, Undo::Account(_) | Undo::Pack { .. });
        self.rows_written += match &mut self.packed {
            None => self.undo.len() as u64,
            Some(packed) => packed.commit() + self.undo.iter().filter(is_apart).count() as u64,
        };
        for undo in self.undo.drain(..) {
            match undo {
                Undo::Counter { place, .. } => changed.counters.push(place),
                Undo::Forgotten { place, is_remembered, .. } => {
                    changed.forgotten.push(Forgotten { place, is_remembered });
                }
                Undo::Pack { .. } => changed.packs = true,
                Undo::Account(_) | Undo::Holder { .. } => {}
            }
        }
    }

    /// Undoes what the call changed.
    pub(crate) fn roll_back(&mut self) {
        self.fails_after.set(None);
        if self.fault == Some(Fault::FailedCallsStay) {
            self.undo.clear();
            self.packed.iter_mut().for_each(Packed::keep);
        }
        self.packed.iter_mut().for_each(Packed::roll_back);
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Account(before) => self.account = *before,
                Undo::Counter { place, before: Some(before) } => self.counters[place].1 = before,
                Undo::Counter { place, before: None } => self.counters.truncate(place),
                Undo::Forgotten { place, before, .. } => self.holders[place] = Some(before),
                Undo::Holder { place, before } => self.holders[place] = before,
                Undo::Pack { place, before: Some(before) } => self.packs[place] = before,
                Undo::Pack { place, before: None } => {
                    self.packs.remove(place);
                }
            }
        }
    }

    pub(crate) fn counters(&self) -> &[(CounterKey, Counter)] {
        &self.counters
    }

    pub(crate) fn packs(&self) -> &[CreditPack] {
        &self.packs
    }

    /// Counts of windows that are still kept: of each minute quota the newest two.
    pub(crate) fn kept_counters(&self) -> impl Iterator<Item = &(CounterKey, Counter)> {
        self.counters.iter().filter(|(key, _)| self.is_kept(key))
    }

    fn is_kept(&self, key: &CounterKey) -> bool {
        let is_newer = |(other, _): &&(CounterKey, Counter)| {
            other.starts_at > key.starts_at
                && (other.period, &other.meter, &other.member)
                    == (key.period, &key.meter, &key.member)
        };
        self.packed.is_none()
            || key.period != Period::Minute
            || self.counters.iter().filter(is_newer).count() < 2
    }

    /// Has a later release, or this one, write the rows from now on.
    pub(crate) fn set_later(&mut self, is_later: bool) {
        self.packed.iter_mut().for_each(|packed| packed.tables.is_later = is_later);
    }

    /// The first difference between the packed rows and the others.
    pub(crate) fn difference(&self) -> Option<String> {
        self.differs.borrow_mut().take()
    }

    /// Holds what is read of the packed rows against the others.
    fn hold_against<T: PartialEq + std::fmt::Debug>(&self, packed: &T, plain: &T) {
        if packed != plain && self.fault.is_none() {
            let how = format!("packed {packed:?}, but {plain:?}");
            self.differs.borrow_mut().get_or_insert(how);
        }
    }

    fn reach(&self) -> Result<(), StoreError> {
        match self.fails_after.get() {
            None => Ok(()),
            Some(0) => Err(StoreError("disk full".to_owned())),
            Some(left) => {
                self.fails_after.set(Some(left - 1));
                Ok(())
            }
        }
    }

    fn place_of(&self, key: &CounterKey) -> Option<usize> {
        // The newest windows are last, and are those that are looked for.
        self.counters.iter().rposition(|(other, _)| other == key)
    }

    fn put_pack(&mut self, pack: &CreditPack) {
        if let Some(place) = self.packs.iter().position(|other| other.id == pack.id) {
            let before = std::mem::replace(&mut self.packs[place], pack.clone());
            self.undo.push(Undo::Pack { place, before: Some(before) });
            return;
        }
        let last = Timestamp::from_millis(i64::MAX);
        let order = |pack: &CreditPack| (pack.expires_at.unwrap_or(last), pack.added_at);
        let place = self.packs.partition_point(|other| order(other) <= order(pack));
        self.packs.insert(place, pack.clone());
        self.undo.push(Undo::Pack { place, before: None });
    }
}

impl LedgerStore for Store {
    fn account(&self) -> Result<Option<AccountRecord>, StoreError> {
        self.reach()?;
        Ok(self.account.clone())
    }

    fn put_account(&mut self, record: &AccountRecord) -> Result<(), StoreError> {
        self.reach()?;
        let before = self.account.replace(record.clone());
        self.undo.push(Undo::Account(Box::new(before)));
        Ok(())
    }

    fn counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        self.reach()?;
        let place = self.place_of(key).filter(|_| self.is_kept(key));
        let plain = place.map(|place| self.counters[place].1);
        let Some(Packed { tables, pages, .. }) = &self.packed else { return Ok(plain) };
        let packed = pages.counter(tables, key)?;
        self.hold_against(&packed, &plain);
        Ok(packed)
    }

    fn put_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError> {
        self.reach()?;
        let mut place = self.place_of(key);
        let used = place.map_or(0, |place| self.counters[place].1.used);
        let mut counter = *counter;
        match self.fault {
            Some(Fault::NoDebitAtGrant) if counter.used > used => counter.used = used,
            Some(Fault::DebitsTwice) if counter.used > used => counter.used += counter.used - used,
            Some(Fault::RefundInTheWrongWindow) if counter.used < used => {
                let is_alike = |other: &CounterKey| {
                    (&other.meter, &other.member, other.period)
                        == (&key.meter, &key.member, key.period)
                };
                let newest = self.counters.iter().rposition(|(other, _)| is_alike(other));
                let newest = newest.unwrap();
                let back = used - counter.used;
                counter = self.counters[newest].1;
                counter.used = counter.used.saturating_sub(back);
                place = Some(newest);
            }
            _ => {}
        }
        let newest = place.map_or(key, |place| &self.counters[place].0);
        if let Some(Packed { tables, pages, .. }) = &mut self.packed {
            pages.put_counter(tables, newest, &counter)?;
        }
        let undo = if let Some(place) = place {
            let before = std::mem::replace(&mut self.counters[place].1, counter);
            Undo::Counter { place, before: Some(before) }
        } else {
            self.counters.push((key.clone(), counter));
            Undo::Counter { place: self.counters.len() - 1, before: None }
        };
        self.undo.push(undo);
        Ok(())
    }

    fn delete_counters(&mut self, _meter: &str, _before: Timestamp) -> Result<(), StoreError> {
        self.reach()
    }

    fn holder(&self, name: &str) -> Result<Option<HolderRow>, StoreError> {
        self.reach()?;
        let place: usize = name.parse().unwrap();
        let mut row = self.holders.get(place).cloned().flatten();
        if let Some(Packed { tables, pages, .. }) = &self.packed {
            let packed = pages.holder(tables, name)?;
            self.hold_against(&packed, &row);
            row = packed;
        }
        if self.fault == Some(Fault::OldMessagesAreHeard)
            && let Some(row) = &mut row
        {
            row.heard = 0;
        }
        if self.fault == Some(Fault::OutagesAreCountedAgain)
            && let Some(row) = &mut row
        {
            row.degraded.clear();
        }
        Ok(row)
    }

    fn put_holder(&mut self, row: &HolderRow) -> Result<(), StoreError> {
        self.reach()?;
        let place: usize = row.name.parse().unwrap();
        if self.holders.len() <= place {
            self.holders.resize(place + 1, None);
        }
        let mut row = row.clone();
        if self.fault == Some(Fault::ReturnsAddUp) {
            row.leases.iter_mut().for_each(|lease| lease.returned = 0);
        }
        if let Some(Packed { tables, pages, .. }) = &mut self.packed {
            pages.put_holder(tables, &row)?;
        }
        let heard = row.heard;
        let undo = match self.holders[place].replace(row) {
            // Nothing was heard: it only loses the units that it held.
            Some(before) if before.heard == heard => {
                Undo::Forgotten { place, before, is_remembered: true }
            }
            before => Undo::Holder { place, before },
        };
        self.undo.push(undo);
        Ok(())
    }

    fn delete_holder(&mut self, name: &str) -> Result<(), StoreError> {
        self.reach()?;
        let place: usize = name.parse().unwrap();
        if let Some(Packed { tables, pages, .. }) = &mut self.packed {
            pages.delete_holder(tables, name)?;
        }
        if let Some(before) = self.holders.get_mut(place).and_then(Option::take) {
            self.undo.push(Undo::Forgotten { place, before, is_remembered: false });
        }
        Ok(())
    }

    fn holder_times(&self) -> Result<Vec<HolderTimes>, StoreError> {
        self.reach()?;
        let mut times: Vec<_> = self.holders.iter().flatten().map(HolderRow::times).collect();
        if let Some(Packed { tables, pages, .. }) = &self.packed {
            let mut packed = pages.holder_times(tables)?;
            packed.sort_unstable_by_key(|times| times.name.parse::<usize>().ok());
            self.hold_against(&packed, &times);
            times = packed;
        }
        if self.fault == Some(Fault::ReclaimsTooEarly) {
            for times in &mut times {
                times.forget_at = times.seen_at.plus_ms(5_000);
            }
        }
        Ok(times)
    }

    fn write_collected(&mut self) -> Result<(), StoreError> {
        self.reach()?;
        self.packed.as_mut().map_or(Ok(()), Packed::write)
    }

    fn credits(&self) -> Result<Vec<CreditPack>, StoreError> {
        self.reach()?;
        let mut packs = self.packs.clone();
        if self.fault == Some(Fault::CreditsNeverExpire) {
            for pack in &mut packs {
                pack.expires_at = None;
            }
        }
        Ok(packs)
    }

    fn put_credits(&mut self, pack: &CreditPack) -> Result<(), StoreError> {
        self.reach()?;
        let is_debit = self.packs.iter().any(|other| other.id == pack.id && other.left > pack.left);
        if self.fault != Some(Fault::CreditsNotDebited) || !is_debit {
            self.put_pack(pack);
        }
        Ok(())
    }

    fn merged(&self, _name: &str) -> Result<u64, StoreError> {
        Ok(0)
    }

    fn put_merged(
        &mut self,
        _name: &str,
        _units: u64,
        _forget_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.reach()
    }

    fn delete_merged(&mut self, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    fn queue_announcement(&mut self, _announcement: &Announcement) -> Result<(), StoreError> {
        self.reach()
    }

    fn has_audit(&self, _entry: &AuditEntry) -> Result<bool, StoreError> {
        self.reach().map(|()| false)
    }

    fn append_audit(&mut self, _entry: &AuditEntry) -> Result<(), StoreError> {
        self.reach()
    }
}
