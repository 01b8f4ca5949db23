//! The operators' API: every operation from its request to its answer, and each change whole or not
//! at all, and once.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where a fixture is broken")]

#[path = "support/bindings.rs"]
mod bindings;
#[path = "admin/bodies.rs"]
mod bodies;
#[path = "admin/flow.rs"]
mod flow;
#[path = "admin/flow_checks.rs"]
mod flow_checks;
#[path = "admin/flow_needs.rs"]
mod flow_needs;
#[path = "admin/flow_writes.rs"]
mod flow_writes;
#[path = "admin/idempotency.rs"]
mod idempotency;
#[path = "admin/keys.rs"]
mod keys;
#[path = "support/memory_store.rs"]
mod memory_store;
#[path = "admin/table.rs"]
mod table;

use memory_store::MemoryStore;
use tollgate::account::AccountRecord;
use tollgate::admin::{Change, Command, IdempotencyKey, Reply, record};
use tollgate::time::Timestamp;

/// 2026-12-01T00:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

/// An account that has paid.
fn store() -> MemoryStore {
    let account = record::parse(r#"{"plan":"pro","status":"active"}"#).unwrap();
    MemoryStore { account: Some(account), ..MemoryStore::default() }
}

/// A command, under an idempotency key where `once` has one and the body of its request.
fn command(change: Change, once: Option<(&str, &str)>) -> Command {
    let key = |(key, body)| IdempotencyKey::new(key, &["POST", "/a", body, "ben"]).unwrap();
    Command { change, actor: "ben".to_owned(), idempotency_key: once.map(key) }
}

/// Executes a command that may come more than once.
fn change(store: &mut MemoryStore, change: Change, now: Timestamp) -> Reply {
    command(change, None).execute(store, now).unwrap()
}

fn record(store: &MemoryStore) -> &AccountRecord {
    store.account.as_ref().unwrap()
}
