//! The ledger's rows in the SQLite database of its Durable Object.

use wasm_bindgen::JsValue;

use super::database::{Database, optional_time_of, text_of, time, time_of, units, units_of};
use super::glue;
use crate::account::AccountRecord;
use crate::identity::AccountName;
use crate::quota::store::{Announcement, AuditEntry, Counter, CounterKey, HolderRow, HolderTimes};
use crate::quota::{CreditPack, LedgerStore};
use crate::report::announcement::body;
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::wire;

/// Makes the tables where they aren't there yet.
pub(super) fn create_tables(database: &Database) -> Result<(), StoreError> {
    database.write(SCHEMA, &[])
}

/// One account's rows.
pub(super) struct SqlLedgerStore {
    pub(super) database: Database,
    /// The id of the object.
    id: JsValue,
    /// Whether there is something new to announce.
    pub(super) has_queued: bool,
}

impl SqlLedgerStore {
    /// The rows of the object with this state.
    pub(super) fn new(state: &JsValue) -> Self {
        let (database, id) = (Database::new(state), glue::property(state, "id"));
        Self { database, id, has_queued: false }
    }

    /// The account whose object this is. An alarm isn't told: only a call by name is.
    ///
    /// # Errors
    /// The object is no account's, or the platform doesn't say its name.
    pub(super) fn account_name(&self) -> Result<AccountName, StoreError> {
        let name = glue::property(&self.id, "name").as_string().unwrap_or_default();
        AccountName::parse(&name)
            .map_err(|error| StoreError(format!("the object {name:?}: {error}")))
    }
}

impl LedgerStore for SqlLedgerStore {
    fn account(&self) -> Result<Option<AccountRecord>, StoreError> {
        let cells = self.database.cells("SELECT value FROM account", &[])?;
        let read = |cell: &JsValue| serde_json::from_str(&text_of(cell)?).map_err(failed);
        cells.first().map(read).transpose()
    }

    fn put_account(&mut self, record: &AccountRecord) -> Result<(), StoreError> {
        let query = "INSERT INTO account (id, value) VALUES (1, ?) \
                     ON CONFLICT (id) DO UPDATE SET value = excluded.value";
        self.database.write(query, &[json(record)?])
    }

    fn counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        let query = "SELECT used, carried, degraded, announced_percent FROM counter \
                     WHERE meter = ? AND member = ? AND period = ? AND starts_at_ms = ?";
        let cells = self.database.cells(query, &window_key(key))?;
        let [used, carried, degraded, announced_percent] = cells.as_slice() else {
            return Ok(None);
        };
        Ok(Some(Counter {
            used: units_of(used)?,
            carried: units_of(carried)?,
            degraded: units_of(degraded)?,
            announced_percent: u8::try_from(units_of(announced_percent)?).map_err(failed)?,
        }))
    }

    fn put_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError> {
        let query = "INSERT INTO counter (meter, member, period, starts_at_ms, \
                         used, carried, degraded, announced_percent) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
                     ON CONFLICT (meter, member, period, starts_at_ms) DO UPDATE SET \
                         used = excluded.used, carried = excluded.carried, \
                         degraded = excluded.degraded, \
                         announced_percent = excluded.announced_percent";
        let [meter, member, period, starts_at] = window_key(key);
        let [used, carried, degraded] =
            [counter.used, counter.carried, counter.degraded].map(units);
        let announced_percent = counter.announced_percent.into();
        self.database.write(
            query,
            &[meter, member, period, starts_at, used, carried, degraded, announced_percent],
        )
    }

    fn delete_counters(
        &mut self,
        meter: &str,
        started_before: Timestamp,
    ) -> Result<(), StoreError> {
        let query = "DELETE FROM counter WHERE meter = ? AND starts_at_ms < ?";
        self.database.write(query, &[meter.into(), time(started_before)])
    }

    fn holder(&self, name: &str) -> Result<Option<HolderRow>, StoreError> {
        let cells =
            self.database.cells("SELECT value FROM holder WHERE name = ?", &[name.into()])?;
        let read = |cell: &JsValue| {
            // A row that can't be read is of another format, and so is its isolate: its units are
            // lost.
            let row = wire::decode(&text_of(cell)?);
            let unreadable = |_| HolderRow { name: name.to_owned(), ..HolderRow::default() };
            Ok(row.unwrap_or_else(unreadable))
        };
        cells.first().map(read).transpose()
    }

    fn put_holder(&mut self, row: &HolderRow) -> Result<(), StoreError> {
        let query = "INSERT INTO holder (name, seen_at_ms, forget_at_ms, value) \
                     VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET \
                         seen_at_ms = excluded.seen_at_ms, \
                         forget_at_ms = excluded.forget_at_ms, value = excluded.value";
        let name = row.name.as_str().into();
        self.database
            .write(query, &[name, time(row.seen_at), time(row.forget_at), wire::encode(row).into()])
    }

    fn delete_holder(&mut self, name: &str) -> Result<(), StoreError> {
        self.database.write("DELETE FROM holder WHERE name = ?", &[name.into()])
    }

    fn holder_times(&self) -> Result<Vec<HolderTimes>, StoreError> {
        let query = "SELECT name, seen_at_ms, forget_at_ms FROM holder";
        let cells = self.database.cells(query, &[])?;
        cells.as_chunks().0.iter().map(holder_times).collect()
    }

    fn credits(&self) -> Result<Vec<CreditPack>, StoreError> {
        let query = "SELECT id, units, units_left, added_at_ms, expires_at_ms FROM credit \
                     ORDER BY expires_at_ms IS NULL, expires_at_ms, added";
        let cells = self.database.cells(query, &[])?;
        cells.as_chunks().0.iter().map(credit_pack).collect()
    }

    fn put_credits(&mut self, pack: &CreditPack) -> Result<(), StoreError> {
        let query = "INSERT INTO credit (id, units, units_left, added_at_ms, expires_at_ms) \
                     VALUES (?, ?, ?, ?, ?) \
                     ON CONFLICT (id) DO UPDATE SET units_left = excluded.units_left";
        let id = pack.id.as_str().into();
        let expires_at = pack.expires_at.map_or(JsValue::NULL, time);
        let values = [id, units(pack.units), units(pack.left), time(pack.added_at), expires_at];
        self.database.write(query, &values)
    }

    fn merged(&self, name: &str) -> Result<u64, StoreError> {
        let cells =
            self.database.cells("SELECT units FROM merged WHERE name = ?", &[name.into()])?;
        cells.first().map_or(Ok(0), units_of)
    }

    fn put_merged(
        &mut self,
        name: &str,
        units_merged: u64,
        forget_at: Timestamp,
    ) -> Result<(), StoreError> {
        let query = "INSERT INTO merged (name, units, forget_at_ms) VALUES (?, ?, ?) \
                     ON CONFLICT (name) DO UPDATE SET units = excluded.units";
        self.database.write(query, &[name.into(), units(units_merged), time(forget_at)])
    }

    fn delete_merged(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.database.write("DELETE FROM merged WHERE forget_at_ms <= ?", &[time(now)])
    }

    fn queue_announcement(&mut self, announcement: &Announcement) -> Result<(), StoreError> {
        let account = self.account_name()?;
        let query = "INSERT INTO outbox (attempts, due_at_ms, body) VALUES (0, ?, ?)";
        self.has_queued = true;
        self.database.write(query, &[time(announcement.at()), body(&account, announcement).into()])
    }

    fn has_audit(&self, entry: &AuditEntry) -> Result<bool, StoreError> {
        let query =
            "SELECT 1 FROM audit WHERE at_ms = ? AND actor = ? AND action = ? AND detail = ?";
        let AuditEntry { at, actor, action, detail } = entry;
        let values = [time(*at), actor.into(), action.into(), detail.into()];
        Ok(!self.database.cells(query, &values)?.is_empty())
    }

    fn append_audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let query = "INSERT INTO audit (at_ms, actor, action, detail) VALUES (?, ?, ?, ?)";
        let AuditEntry { at, actor, action, detail } = entry;
        self.database.write(query, &[time(*at), actor.into(), action.into(), detail.into()])
    }
}

/// A counter is a row of its own, so that a restart, a retry or a look from outside finds it as it
/// is. All leases of a holder are one row, so that a call writes that and the counters, and no
/// more. No index on `forget_at_ms`: it would cost a row written with every grant, for one scan now
/// and then.
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
        added INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, units INTEGER NOT NULL,
        units_left INTEGER NOT NULL, added_at_ms INTEGER NOT NULL, expires_at_ms INTEGER);
    CREATE TABLE IF NOT EXISTS merged (
        name TEXT PRIMARY KEY, units INTEGER NOT NULL, forget_at_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, attempts INTEGER NOT NULL,
        due_at_ms INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, actor TEXT NOT NULL,
        action TEXT NOT NULL, detail TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS answered (
        key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL,
        body TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
";

/// The column is empty for a count without a member: a key with NULL in it is equal to none.
fn window_key(key: &CounterKey) -> [JsValue; 4] {
    let member = key.member.as_deref().unwrap_or_default();
    [key.meter.as_str().into(), member.into(), key.period.word().into(), time(key.starts_at)]
}

fn holder_times([name, seen_at, forget_at]: &[JsValue; 3]) -> Result<HolderTimes, StoreError> {
    let (seen_at, forget_at) = (time_of(seen_at)?, time_of(forget_at)?);
    Ok(HolderTimes { name: text_of(name)?, seen_at, forget_at })
}

fn credit_pack(row: &[JsValue; 5]) -> Result<CreditPack, StoreError> {
    let [id, units, left, added_at, expires_at] = row;
    Ok(CreditPack {
        id: text_of(id)?,
        units: units_of(units)?,
        left: units_of(left)?,
        added_at: time_of(added_at)?,
        expires_at: optional_time_of(expires_at)?,
    })
}

fn json(value: &impl serde::Serialize) -> Result<JsValue, StoreError> {
    serde_json::to_string(value).map(JsValue::from).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError(error.to_string())
}
