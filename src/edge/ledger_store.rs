//! The ledger's rows in the SQLite database of its Durable Object.

use std::rc::Rc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use worker::{SqlStorage, SqlStorageValue, State};

use crate::account::AccountRecord;
use crate::quota::store::{
    Announcement, AuditEntry, Counter, CounterKey, CreditPack, HolderRow, HolderTimes,
};
use crate::quota::{LedgerStore, StoreError};
use crate::report::announcement::body;
use crate::time::Timestamp;

/// One account's rows.
pub(super) struct SqlStore {
    state: Rc<State>,
    sql: SqlStorage,
    /// Whether there is something new to announce.
    pub(super) has_queued: bool,
}

impl SqlStore {
    /// The object's database.
    pub(super) fn new(state: &Rc<State>) -> Self {
        Self { state: Rc::clone(state), sql: state.storage().sql(), has_queued: false }
    }

    /// Makes the tables where they aren't there yet.
    pub(super) fn create_tables(&self) -> Result<(), StoreError> {
        self.write(SCHEMA, Vec::new())
    }

    pub(super) fn write(
        &self,
        query: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<(), StoreError> {
        self.sql.exec(query, values).map(|_| ()).map_err(failed)
    }

    pub(super) fn rows<T: DeserializeOwned>(
        &self,
        query: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>, StoreError> {
        self.sql.exec(query, values).and_then(|cursor| cursor.to_array()).map_err(failed)
    }

    /// The JSON in the column `value` of the first row.
    pub(super) fn json<T: DeserializeOwned>(
        &self,
        query: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Option<T>, StoreError> {
        self.all_json(query, values).map(|rows| rows.into_iter().next())
    }

    /// The JSON in the column `value` of every row.
    fn all_json<T: DeserializeOwned>(
        &self,
        query: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>, StoreError> {
        let rows: Vec<JsonRow> = self.rows(query, values)?;
        rows.iter().map(|row| serde_json::from_str(&row.value).map_err(failed)).collect()
    }
}

impl LedgerStore for SqlStore {
    fn account(&self) -> Result<Option<AccountRecord>, StoreError> {
        self.json("SELECT value FROM account", Vec::new())
    }

    fn put_account(&mut self, record: &AccountRecord) -> Result<(), StoreError> {
        let query = "INSERT INTO account (id, value) VALUES (1, ?) \
                     ON CONFLICT (id) DO UPDATE SET value = excluded.value";
        self.write(query, vec![json(record)?])
    }

    fn counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        let query = "SELECT used, carried, degraded, announced_percent FROM counter \
                     WHERE meter = ? AND member = ? AND period = ? AND starts_at_ms = ?";
        let rows: Vec<CounterRow> = self.rows(query, window_key(key))?;
        Ok(rows.first().map(CounterRow::counter))
    }

    fn put_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError> {
        let query = "INSERT INTO counter (meter, member, period, starts_at_ms, \
                         used, carried, degraded, announced_percent) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
                     ON CONFLICT (meter, member, period, starts_at_ms) DO UPDATE SET \
                         used = excluded.used, carried = excluded.carried, \
                         degraded = excluded.degraded, \
                         announced_percent = excluded.announced_percent";
        let mut values = window_key(key);
        for units in [counter.used, counter.carried, counter.degraded] {
            values.push(SqlStorageValue::Integer(i64::try_from(units).map_err(failed)?));
        }
        values.push(SqlStorageValue::Integer(counter.announced_percent.into()));
        self.write(query, values)
    }

    fn delete_counters(
        &mut self,
        meter: &str,
        started_before: Timestamp,
    ) -> Result<(), StoreError> {
        let query = "DELETE FROM counter WHERE meter = ? AND starts_at_ms < ?";
        self.write(query, vec![meter.into(), time(started_before)])
    }

    fn holder(&self, name: &str) -> Result<Option<HolderRow>, StoreError> {
        self.json("SELECT value FROM holder WHERE name = ?", vec![name.into()])
    }

    fn put_holder(&mut self, row: &HolderRow) -> Result<(), StoreError> {
        let query = "INSERT INTO holder (name, seen_at_ms, forget_at_ms, value) \
                     VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET \
                         seen_at_ms = excluded.seen_at_ms, \
                         forget_at_ms = excluded.forget_at_ms, value = excluded.value";
        let name = row.name.as_str().into();
        self.write(query, vec![name, time(row.seen_at), time(row.forget_at), json(row)?])
    }

    fn delete_holder(&mut self, name: &str) -> Result<(), StoreError> {
        self.write("DELETE FROM holder WHERE name = ?", vec![name.into()])
    }

    fn holder_times(&self) -> Result<Vec<HolderTimes>, StoreError> {
        let query = "SELECT name, seen_at_ms, forget_at_ms FROM holder";
        let rows: Vec<TimesRow> = self.rows(query, Vec::new())?;
        Ok(rows.into_iter().map(TimesRow::times).collect())
    }

    fn credits(&self) -> Result<Vec<CreditPack>, StoreError> {
        let query = "SELECT value FROM credit ORDER BY expires_at_ms IS NULL, expires_at_ms, added";
        self.all_json(query, Vec::new())
    }

    fn put_credits(&mut self, pack: &CreditPack) -> Result<(), StoreError> {
        let query = "INSERT INTO credit (id, expires_at_ms, value) VALUES (?, ?, ?) \
                     ON CONFLICT (id) DO UPDATE SET value = excluded.value";
        let expires_at = pack.expires_at.map_or(SqlStorageValue::Null, time);
        self.write(query, vec![pack.id.as_str().into(), expires_at, json(pack)?])
    }

    fn merged(&self, name: &str) -> Result<u64, StoreError> {
        let found = self.json("SELECT value FROM merged WHERE name = ?", vec![name.into()])?;
        Ok(found.unwrap_or_default())
    }

    fn put_merged(
        &mut self,
        name: &str,
        units: u64,
        forget_at: Timestamp,
    ) -> Result<(), StoreError> {
        let query = "INSERT INTO merged (name, value, forget_at_ms) VALUES (?, ?, ?) \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.write(query, vec![name.into(), json(&units)?, time(forget_at)])
    }

    fn delete_merged(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.write("DELETE FROM merged WHERE forget_at_ms <= ?", vec![time(now)])
    }

    fn queue_announcement(&mut self, announcement: &Announcement) -> Result<(), StoreError> {
        // An alarm isn't told whose it is: only a call by name is.
        let account = self.state.id().name().unwrap_or_default();
        let query = "INSERT INTO outbox (attempts, due_at_ms, body) VALUES (0, ?, ?)";
        self.has_queued = true;
        self.write(query, vec![time(announcement.at), body(&account, announcement).into()])
    }

    fn append_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.write("INSERT INTO audit (value) VALUES (?)", vec![json(entry)?])
    }

    fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let limit = i64::try_from(limit).map_err(failed)?;
        let query = "SELECT value FROM audit ORDER BY id DESC LIMIT ?";
        self.all_json(query, vec![SqlStorageValue::Integer(limit)])
    }
}

#[derive(Deserialize)]
struct JsonRow {
    value: String,
}

/// SQLite's numbers arrive as JavaScript's; the ledger keeps them within 2^53.
#[derive(Deserialize)]
struct CounterRow {
    used: f64,
    carried: f64,
    degraded: f64,
    announced_percent: f64,
}

impl CounterRow {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    fn counter(&self) -> Counter {
        Counter {
            used: self.used as u64,
            carried: self.carried as u64,
            degraded: self.degraded as u64,
            announced_percent: self.announced_percent as u8,
        }
    }
}

#[derive(Deserialize)]
struct TimesRow {
    name: String,
    seen_at_ms: f64,
    forget_at_ms: f64,
}

impl TimesRow {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds fit into 53 bits")]
    fn times(self) -> HolderTimes {
        HolderTimes {
            name: self.name,
            seen_at: Timestamp::from_millis(self.seen_at_ms as i64),
            forget_at: Timestamp::from_millis(self.forget_at_ms as i64),
        }
    }
}

/// A counter is a row of its own, so that a restart, a retry or a look from outside finds it as it
/// is; what is only read back whole stands as JSON. All leases of a holder are one row, so that a
/// call writes that and the counters, and no more. No index on `forget_at_ms`: it would cost a row
/// written with every grant, for one scan now and then.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY CHECK (id = 1), value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS counter (
        meter TEXT NOT NULL, member TEXT NOT NULL, period TEXT NOT NULL,
        starts_at_ms INTEGER NOT NULL, used INTEGER NOT NULL, carried INTEGER NOT NULL,
        degraded INTEGER NOT NULL, announced_percent INTEGER NOT NULL,
        PRIMARY KEY (meter, member, period, starts_at_ms)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS holder (
        name TEXT PRIMARY KEY, seen_at_ms INTEGER NOT NULL, forget_at_ms INTEGER NOT NULL,
        value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS credit (
        added INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, expires_at_ms INTEGER,
        value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS merged (
        name TEXT PRIMARY KEY, value TEXT NOT NULL, forget_at_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, attempts INTEGER NOT NULL,
        due_at_ms INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY AUTOINCREMENT, value TEXT NOT NULL);
";

/// Where no member is meant the column is empty: a key with NULL in it is equal to none.
fn window_key(key: &CounterKey) -> Vec<SqlStorageValue> {
    let member = key.member.as_deref().unwrap_or_default();
    vec![key.meter.as_str().into(), member.into(), key.period.word().into(), time(key.starts_at)]
}

pub(super) fn time(point: Timestamp) -> SqlStorageValue {
    SqlStorageValue::Integer(point.as_millis())
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<SqlStorageValue, StoreError> {
    serde_json::to_string(value).map(SqlStorageValue::String).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError(error.to_string())
}
