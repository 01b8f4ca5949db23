//! The ledger's rows in the SQLite database of its Durable Object.

use wasm_bindgen::JsValue;

use super::database::{
    Database, blob, optional_bytes_of, optional_time_of, text_of, time, time_of, units, units_of,
};
use super::glue;
use crate::account::AccountRecord;
use crate::identity::AccountName;
use crate::quota::live::LivePages;
use crate::quota::store::{Announcement, AuditEntry, Counter, CounterKey, HolderRow, HolderTimes};
use crate::quota::{CreditPack, LedgerStore};
use crate::report::announcement::body;
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::wire;

/// One account's rows.
pub(super) struct SqlLedgerStore {
    pub(super) database: Database,
    /// The live rows that the present message has read.
    pages: LivePages,
    /// The id of the object.
    id: JsValue,
    /// Whether there is something new to announce.
    pub(super) has_queued: bool,
}

impl SqlLedgerStore {
    /// The rows of the object with this state.
    pub(super) fn new(state: &JsValue) -> Self {
        let (database, id) = (Database::new(state), glue::property(state, "id"));
        Self { database, pages: LivePages::default(), id, has_queued: false }
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
        // Each statement costs as much as the rest of a message, and who reads the record of a
        // request's account needs its live row next.
        let query = "SELECT (SELECT value FROM account), \
                         (SELECT value FROM live WHERE member = '')";
        let cells = self.database.cells(query, &[])?;
        let [record, live] = cells.as_slice() else { return Ok(None) };
        self.pages.know_account(optional_bytes_of(live)?.as_deref())?;
        let read = |value: Vec<u8>| {
            wire::decode(&value).map_err(|error| StoreError(format!("the record: {error}")))
        };
        optional_bytes_of(record)?.map(read).transpose()
    }

    fn put_account(&mut self, record: &AccountRecord) -> Result<(), StoreError> {
        let query = "INSERT INTO account (id, value) VALUES (1, ?) \
                     ON CONFLICT (id) DO UPDATE SET value = excluded.value";
        self.database.write(query, &[blob(&wire::encode(record))])
    }

    fn counter(&self, key: &CounterKey) -> Result<Option<Counter>, StoreError> {
        self.pages.counter(&self.database, key)
    }

    fn put_counter(&mut self, key: &CounterKey, counter: &Counter) -> Result<(), StoreError> {
        self.pages.put_counter(&mut self.database, key, counter)
    }

    fn delete_counters(
        &mut self,
        meter: &str,
        started_before: Timestamp,
    ) -> Result<(), StoreError> {
        self.pages.delete_counters(&mut self.database, meter, started_before)
    }

    fn holder(&self, name: &str) -> Result<Option<HolderRow>, StoreError> {
        self.pages.holder(&self.database, name)
    }

    fn put_holder(&mut self, row: &HolderRow) -> Result<(), StoreError> {
        self.pages.put_holder(&mut self.database, row)
    }

    fn delete_holder(&mut self, name: &str) -> Result<(), StoreError> {
        self.pages.delete_holder(&mut self.database, name)
    }

    fn holder_times(&self) -> Result<Vec<HolderTimes>, StoreError> {
        self.pages.holder_times(&self.database)
    }

    fn write_collected(&mut self) -> Result<(), StoreError> {
        self.pages.write(&mut self.database)
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
