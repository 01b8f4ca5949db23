//! The tables of a ledger's counts and holders, as [`LivePages`](crate::quota::live::LivePages)
//! packs them.

use wasm_bindgen::JsValue;

use super::database::{Database, blob, bytes_of, text_of, time, time_of, units, units_of};
use crate::quota::live::LiveRows;
use crate::quota::store::{Counter, CounterKey, HolderTimes};
use crate::store::StoreError;
use crate::time::Timestamp;

impl LiveRows for Database {
    fn live_row(&self, member: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.cell("SELECT value FROM live WHERE member = ?", &[member.into()], bytes_of)
    }

    fn put_live_row(
        &mut self,
        member: &str,
        starts_at: Timestamp,
        value: &[u8],
    ) -> Result<(), StoreError> {
        let query = "INSERT INTO live (member, starts_at_ms, value) VALUES (?, ?, ?) \
                     ON CONFLICT (member) DO UPDATE SET \
                         starts_at_ms = excluded.starts_at_ms, value = excluded.value";
        self.write(query, &[member.into(), time(starts_at), blob(value)])?;
        #[cfg(feature = "drills")]
        self.write("UPDATE live SET drill = 'later' WHERE member = ?", &[member.into()])?;
        Ok(())
    }

    fn delete_live_row(&mut self, member: &str) -> Result<(), StoreError> {
        self.write("DELETE FROM live WHERE member = ?", &[member.into()])
    }

    fn live_rows_before(&self, started_before: Timestamp) -> Result<Vec<String>, StoreError> {
        let query = "SELECT member FROM live WHERE starts_at_ms < ?";
        self.cells(query, &[time(started_before)])?.iter().map(text_of).collect()
    }

    fn past_counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        let query = "SELECT used, carried, degraded, announced_percent FROM past_counter \
                     WHERE meter = ? AND member = ? AND period = ? AND starts_at_ms = ?";
        let cells = self.cells(query, &window_key(key))?;
        cells.as_chunks().0.first().map(counter).transpose()
    }

    fn put_past_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError> {
        let query = "INSERT INTO past_counter (meter, member, period, starts_at_ms, \
                         used, carried, degraded, announced_percent) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
                     ON CONFLICT (meter, member, period, starts_at_ms) DO UPDATE SET \
                         used = excluded.used, carried = excluded.carried, \
                         degraded = excluded.degraded, \
                         announced_percent = excluded.announced_percent";
        let [meter, member, period, starts_at] = window_key(key);
        let [used, carried, degraded] =
            [counter.used, counter.carried, counter.degraded].map(units);
        let percent = counter.announced_percent.into();
        self.write(query, &[meter, member, period, starts_at, used, carried, degraded, percent])
    }

    fn delete_past_counters(
        &mut self,
        meter: &str,
        started_before: Timestamp,
    ) -> Result<(), StoreError> {
        let query = "DELETE FROM past_counter WHERE meter = ? AND starts_at_ms < ?";
        self.write(query, &[meter.into(), time(started_before)])
    }

    fn own_holder(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.cell("SELECT value FROM holder WHERE name = ?", &[name.into()], bytes_of)
    }

    fn put_own_holder(&mut self, times: &HolderTimes, value: &[u8]) -> Result<(), StoreError> {
        let query = "INSERT INTO holder (name, seen_at_ms, forget_at_ms, value) \
                     VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET \
                         seen_at_ms = excluded.seen_at_ms, \
                         forget_at_ms = excluded.forget_at_ms, value = excluded.value";
        let HolderTimes { name, seen_at, forget_at } = times;
        self.write(query, &[name.into(), time(*seen_at), time(*forget_at), blob(value)])?;
        #[cfg(feature = "drills")]
        self.write("UPDATE holder SET drill = 'later' WHERE name = ?", &[name.into()])?;
        Ok(())
    }

    fn delete_own_holder(&mut self, name: &str) -> Result<(), StoreError> {
        self.write("DELETE FROM holder WHERE name = ?", &[name.into()])
    }

    fn own_holder_times(&self) -> Result<Vec<HolderTimes>, StoreError> {
        let query = "SELECT name, seen_at_ms, forget_at_ms FROM holder";
        self.cells(query, &[])?.as_chunks().0.iter().map(holder_times).collect()
    }
}

/// The column is empty for a count without a member: a key with NULL in it is equal to none.
fn window_key(key: &CounterKey) -> [JsValue; 4] {
    let member = key.member.as_deref().unwrap_or_default();
    [key.meter.as_str().into(), member.into(), key.period.word().into(), time(key.starts_at)]
}

fn counter([used, carried, degraded, percent]: &[JsValue; 4]) -> Result<Counter, StoreError> {
    let percent = u8::try_from(units_of(percent)?);
    Ok(Counter {
        used: units_of(used)?,
        carried: units_of(carried)?,
        degraded: units_of(degraded)?,
        announced_percent: percent.map_err(|error| StoreError(error.to_string()))?,
    })
}

fn holder_times([name, seen_at, forget_at]: &[JsValue; 3]) -> Result<HolderTimes, StoreError> {
    let (seen_at, forget_at) = (time_of(seen_at)?, time_of(forget_at)?);
    Ok(HolderTimes { name: text_of(name)?, seen_at, forget_at })
}
