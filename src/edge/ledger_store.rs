//! The ledger's rows in the SQLite database of its Durable Object.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use worker::{SqlStorage, SqlStorageValue, State};

use crate::account::AccountRecord;
use crate::quota::store::{AuditEntry, CounterWindow, LeaseRow};
use crate::quota::{LedgerStore, StoreError};
use crate::time::Timestamp;

/// One account's rows.
pub(super) struct SqlStore {
    sql: SqlStorage,
}

impl SqlStore {
    /// The object's database.
    pub(super) fn new(state: &State) -> Self {
        Self { sql: state.storage().sql() }
    }

    /// Makes the tables where they aren't there yet.
    pub(super) fn create_tables(&self) -> Result<(), StoreError> {
        self.write(SCHEMA, Vec::new())
    }

    fn write(&self, query: &str, values: Vec<SqlStorageValue>) -> Result<(), StoreError> {
        self.sql.exec(query, values).map(|_| ()).map_err(failed)
    }

    fn rows<T: DeserializeOwned>(
        &self,
        query: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Vec<T>, StoreError> {
        self.sql.exec(query, values).and_then(|cursor| cursor.to_array()).map_err(failed)
    }

    /// The JSON in the column `value` of the first row.
    fn json<T: DeserializeOwned>(
        &self,
        query: &str,
        values: Vec<SqlStorageValue>,
    ) -> Result<Option<T>, StoreError> {
        let rows: Vec<JsonRow> = self.rows(query, values)?;
        let Some(row) = rows.first() else { return Ok(None) };
        serde_json::from_str(&row.value).map(Some).map_err(failed)
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

    fn counter(&self, meter: &str, window: CounterWindow) -> Result<u64, StoreError> {
        let query = "SELECT used FROM counter WHERE meter = ? AND period = ? AND starts_at_ms = ?";
        let rows: Vec<CounterRow> = self.rows(query, window_key(meter, window))?;
        // SQLite's numbers arrive as JavaScript's; the ledger keeps them within 2^53.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
        Ok(rows.first().map_or(0, |row| row.used as u64))
    }

    fn set_counter(
        &mut self,
        meter: &str,
        window: CounterWindow,
        used: u64,
    ) -> Result<(), StoreError> {
        let query = "INSERT INTO counter (meter, period, starts_at_ms, used) VALUES (?, ?, ?, ?) \
                     ON CONFLICT (meter, period, starts_at_ms) DO UPDATE SET used = excluded.used";
        let mut values = window_key(meter, window);
        values.push(SqlStorageValue::Integer(i64::try_from(used).map_err(failed)?));
        self.write(query, values)
    }

    fn lease(&self, name: &str) -> Result<Option<LeaseRow>, StoreError> {
        self.json("SELECT value FROM lease WHERE name = ?", vec![name.into()])
    }

    fn put_lease(&mut self, row: &LeaseRow) -> Result<(), StoreError> {
        let query = "INSERT INTO lease (name, forget_at_ms, value) VALUES (?, ?, ?) \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.write(query, vec![row.lease.as_str().into(), time(row.forget_at), json(row)?])
    }

    fn delete_leases(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.write("DELETE FROM lease WHERE forget_at_ms <= ?", vec![time(now)])
    }

    fn append_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.write("INSERT INTO audit (value) VALUES (?)", vec![json(entry)?])
    }

    fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let limit = i64::try_from(limit).map_err(failed)?;
        let query = "SELECT value FROM audit ORDER BY id DESC LIMIT ?";
        let rows: Vec<JsonRow> = self.rows(query, vec![SqlStorageValue::Integer(limit)])?;
        rows.iter().map(|row| serde_json::from_str(&row.value).map_err(failed)).collect()
    }
}

#[derive(Deserialize)]
struct JsonRow {
    value: String,
}

#[derive(Deserialize)]
struct CounterRow {
    used: f64,
}

/// A counter is a row of its own, so that a restart, a retry or a look from outside finds it as it
/// is; what is only read back whole stands as JSON. No index on `forget_at_ms`: it would cost a row
/// written with every grant, for one scan in five minutes.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY CHECK (id = 1), value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS counter (
        meter TEXT NOT NULL, period TEXT NOT NULL, starts_at_ms INTEGER NOT NULL,
        used INTEGER NOT NULL, PRIMARY KEY (meter, period, starts_at_ms)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS lease (
        name TEXT PRIMARY KEY, forget_at_ms INTEGER NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY AUTOINCREMENT, value TEXT NOT NULL);
";

fn window_key(meter: &str, window: CounterWindow) -> Vec<SqlStorageValue> {
    vec![meter.into(), window.period.word().into(), time(window.starts_at)]
}

fn time(point: Timestamp) -> SqlStorageValue {
    SqlStorageValue::Integer(point.as_millis())
}

fn json(value: &impl serde::Serialize) -> Result<SqlStorageValue, StoreError> {
    serde_json::to_string(value).map(SqlStorageValue::String).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError(error.to_string())
}
