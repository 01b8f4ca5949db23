//! Announcements on their way: rows of an account's database, sent by the object's alarm, so that
//! neither a caller nor the ledger waits for the operator's webhook.

use std::rc::Rc;

use serde::Deserialize;
use worker::{Env, State};

use super::crypto;
use super::glue::{self, settle};
use super::isolate::{Isolate, now};
use super::ledger_store::{SqlStore, failed, time};
use crate::config::Notify;
use crate::quota::StoreError;
use crate::report;
use crate::report::announcement::{Next, Outgoing, signature_field, signed_text};
use crate::time::Timestamp;

/// Sends what is due, and has the object woken again for the rest.
///
/// # Errors
///
/// The database failed. The runtime calls the alarm again then.
pub(super) async fn deliver(state: &Rc<State>, env: &Env) -> Result<(), StoreError> {
    let store = SqlStore::new(state);
    let isolate = Isolate::of(env);
    let Ok(config) = &isolate.config else {
        // Whether they are still wanted shows once the configuration can be read.
        wake_at(state, now().plus_ms(MISCONFIGURED_RETRY_MS));
        return Ok(());
    };
    let Some(notify) = &config.notify else { return store.write("DELETE FROM outbox", vec![]) };
    for row in store.due(now())? {
        let message = match row.message(state) {
            Ok(message) => message,
            Err(error) => {
                store.forget(row.id)?;
                log(&error.0);
                continue;
            }
        };
        let answer = send(notify, &message).await;
        match message.after(&answer, now()) {
            Next::Forget => store.forget(row.id)?,
            Next::GiveUp(reason) => {
                store.forget(row.id)?;
                log(&format!("given up after {reason}"));
            }
            Next::TryAgain { at, reason } => {
                store.put_off(row.id, at)?;
                log(&reason);
            }
        }
    }
    wake_when_due(state)
}

/// Has the object woken when the first announcement is due, if there is one.
///
/// # Errors
///
/// The database failed.
pub(super) fn wake_when_due(state: &Rc<State>) -> Result<(), StoreError> {
    let store = SqlStore::new(state);
    let rows: Vec<DueRow> = store.rows("SELECT MIN(due_at_ms) AS due_at_ms FROM outbox", vec![])?;
    let first = rows.first().and_then(|row| row.due_at_ms).map(milliseconds);
    if let Some(at) = first {
        wake_at(state, at.max(now()));
    }
    Ok(())
}

async fn send(notify: &Notify, message: &Outgoing) -> Result<u16, String> {
    let (body, at) = (message.body(), now());
    let text = signed_text(&message.id, at, &body);
    let mut signatures = Vec::new();
    for key in &notify.keys {
        signatures.push(crypto::hmac_sha256(key, &text).await?);
    }
    let signature = signature_field(&signatures);
    let timestamp = at.as_seconds().to_string();
    let answer =
        glue::post_webhook(&notify.url, &message.id, &timestamp, &signature, &body, DEADLINE_MS);
    let status = settle(answer).await?;
    status.as_string().and_then(|status| status.parse().ok()).ok_or_else(|| "no status".to_owned())
}

fn wake_at(state: &State, at: Timestamp) {
    glue::wake_at(state.storage().as_raw().as_ref(), &at.as_millis().to_string());
}

fn log(reason: &str) {
    worker::console_error!("{}", report::fault_line("announcement", reason));
}

impl SqlStore {
    fn due(&self, now: Timestamp) -> Result<Vec<OutboxRow>, StoreError> {
        let query = "SELECT id, account, attempts, value FROM outbox WHERE due_at_ms <= ? \
                     ORDER BY due_at_ms LIMIT 10";
        self.rows(query, vec![time(now)])
    }

    fn put_off(&self, id: f64, due_at: Timestamp) -> Result<(), StoreError> {
        let query = "UPDATE outbox SET attempts = attempts + 1, due_at_ms = ? WHERE id = ?";
        self.write(query, vec![time(due_at), id.into()])
    }

    fn forget(&self, id: f64) -> Result<(), StoreError> {
        self.write("DELETE FROM outbox WHERE id = ?", vec![id.into()])
    }
}

#[derive(Deserialize)]
struct OutboxRow {
    id: f64,
    account: String,
    attempts: f64,
    value: String,
}

impl OutboxRow {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts to 8")]
    fn message(&self, state: &State) -> Result<Outgoing, StoreError> {
        Ok(Outgoing {
            // The object's own id is unlike any other account's.
            id: format!("{}-{}", state.id(), self.id),
            account: self.account.clone(),
            announcement: serde_json::from_str(&self.value).map_err(failed)?,
            attempts: self.attempts as usize,
        })
    }
}

#[derive(Deserialize)]
struct DueRow {
    due_at_ms: Option<f64>,
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds fit into 53 bits")]
fn milliseconds(ms: f64) -> Timestamp {
    Timestamp::from_millis(ms as i64)
}

/// How long a receiver may take to answer, as Standard Webhooks proposes.
const DEADLINE_MS: u32 = 15_000;
const MISCONFIGURED_RETRY_MS: i64 = 300_000;
