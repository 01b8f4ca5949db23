//! The rows that only operators have to do with, in the database of an account's object.

use wasm_bindgen::JsValue;

use super::ledger_store::{SqlStore, text_of, time, time_of, units, units_of};
use crate::admin::{Answered, OperatorStore, Reply};
use crate::quota::store::AuditEntry;
use crate::store::StoreError;
use crate::time::Timestamp;

impl OperatorStore for SqlStore {
    fn audit(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        let query = "SELECT id, at_ms, actor, action, detail FROM audit \
                     WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2";
        let before = before.map_or(JsValue::NULL, units);
        let cells = self.cells(query, &[before, limit.into()])?;
        Ok(cells.as_chunks().0.iter().map(audit_entry).collect())
    }

    fn answered(&self, key: &str) -> Result<Option<Answered>, StoreError> {
        let query = "SELECT fingerprint, status, body, at_ms FROM answered WHERE key = ?";
        let cells = self.cells(query, &[key.into()])?;
        Ok(cells.as_chunks().0.first().map(answered))
    }

    fn put_answered(&mut self, key: &str, answered: &Answered) -> Result<(), StoreError> {
        let query = "INSERT INTO answered (key, fingerprint, status, body, at_ms) \
                     VALUES (?, ?, ?, ?, ?)";
        let Answered { fingerprint, reply, at } = answered;
        let status = reply.status.into();
        self.write(
            query,
            &[key.into(), fingerprint.into(), status, (&reply.body).into(), time(*at)],
        )
    }

    fn delete_answered(&mut self, before: Timestamp) -> Result<(), StoreError> {
        self.write("DELETE FROM answered WHERE at_ms <= ?", &[time(before)])
    }
}

fn answered([fingerprint, status, body, at]: &[JsValue; 4]) -> Answered {
    let status = u32::try_from(units_of(status)).unwrap_or_default();
    let reply = Reply::done(status, text_of(body));
    Answered { fingerprint: text_of(fingerprint), reply, at: time_of(at) }
}

fn audit_entry([id, at, actor, action, detail]: &[JsValue; 5]) -> (u64, AuditEntry) {
    let [actor, action, detail] = [actor, action, detail].map(text_of);
    (units_of(id), AuditEntry { at: time_of(at), actor, action, detail })
}
