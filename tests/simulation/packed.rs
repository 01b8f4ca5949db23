//! A ledger's counts and holders in the packed rows that ship, as bytes in tables in memory.

use std::collections::BTreeMap;

use tollgate::quota::live::{LivePages, LiveRows};
use tollgate::quota::store::{Counter, CounterKey, HolderTimes};
use tollgate::store::StoreError;
use tollgate::time::Timestamp;

use crate::faults::Fault;
use crate::releases::{LIVE_ROW, OWN_HOLDER, later};

/// The packed rows, and the pages of the current call.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    pub(crate) tables: Tables,
    pub(crate) pages: LivePages,
    /// Of a deliberate fault.
    messages: u64,
}

/// The tables.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    live: BTreeMap<String, LiveValue>,
    past: BTreeMap<CounterKey, Counter>,
    holders: BTreeMap<String, OwnValue>,
    /// The changes of the current call, so that it can be undone.
    undo: Vec<Undo>,
    /// True while a later release writes, whose rows have further fields.
    pub(crate) is_later: bool,
    fault: Option<Fault>,
}

type LiveValue = (Timestamp, Vec<u8>);
type OwnValue = (HolderTimes, Vec<u8>);

#[derive(Debug)]
enum Undo {
    Live(String, Option<LiveValue>),
    Past(CounterKey, Option<Counter>),
    Holder(String, Option<OwnValue>),
}

impl Packed {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self { tables: Tables { fault, ..Tables::default() }, ..Self::default() }
    }

    /// Writes the changed pages, at the end of a message.
    pub(crate) fn write(&mut self) -> Result<(), StoreError> {
        self.messages += 1;
        if self.tables.fault == Some(Fault::LiveRowsAreNotWritten)
            && self.messages.is_multiple_of(4)
        {
            return Ok(());
        }
        self.pages.write(&mut self.tables)
    }

    /// Ends a call. Returns the number of rows that it wrote.
    pub(crate) fn commit(&mut self) -> u64 {
        self.pages = LivePages::default();
        let rows = self.tables.undo.len();
        self.tables.undo.clear();
        rows as u64
    }

    /// Undoes what the call changed.
    pub(crate) fn roll_back(&mut self) {
        self.pages = LivePages::default();
        let tables = &mut self.tables;
        while let Some(undo) = tables.undo.pop() {
            match undo {
                Undo::Live(member, before) => put(&mut tables.live, member, before),
                Undo::Past(key, before) => put(&mut tables.past, key, before),
                Undo::Holder(name, before) => put(&mut tables.holders, name, before),
            }
        }
    }

    /// Has the changes stay although the call failed: a deliberate fault.
    pub(crate) fn keep(&mut self) {
        let _ = self.pages.write(&mut self.tables);
        self.tables.undo.clear();
    }
}

fn put<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => drop(table.insert(key, value)),
        None => drop(table.remove(&key)),
    }
}

impl Tables {
    fn value(&self, value: &[u8], shape: &crate::releases::Shape) -> Vec<u8> {
        if self.is_later { later(value, shape) } else { value.to_vec() }
    }
}

impl LiveRows for Tables {
    fn live_row(&self, member: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.live.get(member).map(|(_, value)| value.clone()))
    }

    fn put_live_row(
        &mut self,
        member: &str,
        starts_at: Timestamp,
        value: &[u8],
    ) -> Result<(), StoreError> {
        let value = self.value(value, &LIVE_ROW);
        let before = self.live.insert(member.to_owned(), (starts_at, value));
        self.undo.push(Undo::Live(member.to_owned(), before));
        Ok(())
    }

    fn delete_live_row(&mut self, member: &str) -> Result<(), StoreError> {
        let before = self.live.remove(member);
        self.undo.push(Undo::Live(member.to_owned(), before));
        Ok(())
    }

    fn live_rows_before(&self, started_before: Timestamp) -> Result<Vec<String>, StoreError> {
        let rows = self.live.iter().filter(|(_, (starts_at, _))| *starts_at < started_before);
        Ok(rows.map(|(member, _)| member.clone()).collect())
    }

    fn past_counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        Ok(self.past.get(key).copied())
    }

    fn put_past_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError> {
        let before = self.past.insert(key.clone(), *counter);
        self.undo.push(Undo::Past(key.clone(), before));
        Ok(())
    }

    fn delete_past_counters(&mut self, _meter: &str, _before: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    fn own_holder(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.holders.get(name).map(|(_, value)| value.clone()))
    }

    fn put_own_holder(&mut self, times: &HolderTimes, value: &[u8]) -> Result<(), StoreError> {
        if self.fault == Some(Fault::FurtherHoldersFallOut) {
            return Ok(());
        }
        let value = self.value(value, &OWN_HOLDER);
        let before = self.holders.insert(times.name.clone(), (times.clone(), value));
        self.undo.push(Undo::Holder(times.name.clone(), before));
        Ok(())
    }

    fn delete_own_holder(&mut self, name: &str) -> Result<(), StoreError> {
        let before = self.holders.remove(name);
        self.undo.push(Undo::Holder(name.to_owned(), before));
        Ok(())
    }

    fn own_holder_times(&self) -> Result<Vec<HolderTimes>, StoreError> {
        Ok(self.holders.values().map(|(times, _)| times.clone()).collect())
    }
}
