//! The rows that only operators need, in the database of an account's object.

use wasm_bindgen::JsValue;

use super::database::{text_of, time, time_of, units, units_of};
use super::ledger_store::SqlLedgerStore;
use crate::admin::{OperatorStore, StoredReply};
use crate::quota::store::AuditEntry;
use crate::store::StoreError;
use crate::time::Timestamp;

impl OperatorStore for SqlLedgerStore {
    fn audit(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        let query = "SELECT id, at_ms, actor, action, detail FROM audit \
                     WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2";
        let before = before.map_or(JsValue::NULL, units);
        let cells = self.database.cells(query, &[before, limit.into()])?;
        cells.as_chunks().0.iter().map(audit_entry).collect()
    }

    fn stored_reply(&self, key: &str) -> Result<Option<StoredReply>, StoreError> {
        let query = "SELECT fingerprint, status, body, at_ms FROM answered WHERE key = ?";
        let cells = self.database.cells(query, &[key.into()])?;
        cells.as_chunks().0.first().map(stored_reply).transpose()
    }

    fn put_stored_reply(&mut self, key: &str, reply: &StoredReply) -> Result<(), StoreError> {
        let query = "INSERT INTO answered (key, fingerprint, status, body, at_ms) \
                     VALUES (?, ?, ?, ?, ?)";
        let StoredReply { fingerprint, status, body, at } = reply;
        let (status, at) = ((*status).into(), time(*at));
        self.database.write(query, &[key.into(), fingerprint.into(), status, body.into(), at])
    }

    fn delete_stored_replies(&mut self, before: Timestamp) -> Result<(), StoreError> {
        self.database.write("DELETE FROM answered WHERE at_ms <= ?", &[time(before)])
    }
}

fn stored_reply(row: &[JsValue; 4]) -> Result<StoredReply, StoreError> {
    let [fingerprint, status, body, at] = row;
    let status = u16::try_from(units_of(status)?);
    let status = status.map_err(|_| StoreError("a kept reply has no HTTP status".to_owned()))?;
    let (fingerprint, body) = (text_of(fingerprint)?, text_of(body)?);
    Ok(StoredReply { fingerprint, status, body, at: time_of(at)? })
}

fn audit_entry(row: &[JsValue; 5]) -> Result<(u64, AuditEntry), StoreError> {
    let [id, at, actor, action, detail] = row;
    let (actor, action, detail) = (text_of(actor)?, text_of(action)?, text_of(detail)?);
    Ok((units_of(id)?, AuditEntry { at: time_of(at)?, actor, action, detail }))
}
