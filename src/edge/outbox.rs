//! Announcements on their way: rows of an account's database, sent by the object's alarm, so that
//! neither a caller nor the ledger waits for the operator's webhook.

use js_sys::Object;
use wasm_bindgen::{JsCast, JsValue};

use super::database::{text_of, time, time_of, units, units_of};
use super::glue::{self, resolved};
use super::isolate::{Isolate, now};
use super::ledger_store::SqlLedgerStore;
use super::object::wake_at;
use crate::config::Notify;
use crate::report;
use crate::report::announcement::{Next, after};
use crate::store::StoreError;
use crate::time::Timestamp;

/// Sends what is due, and has the object woken again for the rest.
///
/// # Errors
///
/// The database failed. The runtime calls the alarm again then.
pub(super) async fn deliver(state: JsValue, env: JsValue) -> Result<(), StoreError> {
    let store = SqlLedgerStore::new(&state);
    let isolate = Isolate::of(&env);
    let Ok(config) = &isolate.config else {
        // Whether they are still wanted shows once the configuration can be read.
        wake_at(&state, now().plus_ms(MISCONFIGURED_RETRY_MS));
        return Ok(());
    };
    let Some(notify) = &config.notify else {
        return store.database.write("DELETE FROM outbox", &[]);
    };
    let began_at = now();
    for row in store.outbox(AT_A_TIME)?.iter().filter(|row| row.due_at <= began_at) {
        // The object's own id is unlike any other account's.
        let object = glue::property(&state, "id").unchecked_into::<Object>().to_string();
        let id = format!("{object}-{}", row.id);
        let answer = send(notify, &id, &row.body).await;
        match after(&id, row.attempts, &answer, now()) {
            Next::Forget => store.forget(row.id)?,
            Next::GiveUp(reason) => {
                store.forget(row.id)?;
                log(&format!("given up, {reason}"));
            }
            Next::TryAgain { at, reason } => {
                store.put_off(row.id, at)?;
                log(&reason);
            }
        }
    }
    if let Some(due_at) = store.first_due()? {
        wake_at(&state, due_at.max(now()));
    }
    Ok(())
}

async fn send(notify: &Notify, id: &str, body: &str) -> Result<u16, String> {
    let timestamp = now().as_seconds().to_string();
    let sent = glue::post_webhook(&notify.url, &notify.keys, id, &timestamp, body, DEADLINE_MS);
    let status = resolved(sent).await?;
    status.as_string().and_then(|status| status.parse().ok()).ok_or_else(|| "no status".to_owned())
}

fn log(reason: &str) {
    worker::console_error!("{}", report::fault_line("announcement", reason));
}

impl SqlLedgerStore {
    /// The time when the first announcement is due, if there is one.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub(super) fn first_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.outbox(1)?.first().map(|row| row.due_at))
    }

    /// The announcements that are due first.
    fn outbox(&self, limit: i32) -> Result<Vec<OutboxRow>, StoreError> {
        let query = "SELECT id, attempts, due_at_ms, body FROM outbox ORDER BY due_at_ms LIMIT ?";
        let cells = self.database.cells(query, &[limit.into()])?;
        cells.as_chunks().0.iter().map(OutboxRow::of).collect()
    }

    fn put_off(&self, id: u64, due_at: Timestamp) -> Result<(), StoreError> {
        let query = "UPDATE outbox SET attempts = attempts + 1, due_at_ms = ? WHERE id = ?";
        self.database.write(query, &[time(due_at), units(id)])
    }

    fn forget(&self, id: u64) -> Result<(), StoreError> {
        self.database.write("DELETE FROM outbox WHERE id = ?", &[units(id)])
    }
}

struct OutboxRow {
    id: u64,
    attempts: usize,
    due_at: Timestamp,
    body: String,
}

impl OutboxRow {
    fn of([id, attempts, due_at, body]: &[JsValue; 4]) -> Result<Self, StoreError> {
        Ok(Self {
            id: units_of(id)?,
            attempts: usize::try_from(units_of(attempts)?).unwrap_or(usize::MAX),
            due_at: time_of(due_at)?,
            body: text_of(body)?,
        })
    }
}

/// The longest time for a receiver's answer, as Standard Webhooks proposes.
const DEADLINE_MS: u32 = 15_000;
/// An alarm may run for 15 minutes; what is left is due at once.
const AT_A_TIME: i32 = 10;
const MISCONFIGURED_RETRY_MS: i64 = 300_000;
