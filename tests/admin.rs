//! What operators change of accounts: each change whole or not at all, and once.

#![expect(clippy::unwrap_used, reason = "a test stops where a fixture is broken")]

#[path = "support/bindings.rs"]
mod bindings;
#[path = "admin/bodies.rs"]
mod bodies;
#[path = "admin/keys.rs"]
mod keys;
#[path = "support/memory_store.rs"]
mod memory_store;
#[path = "admin/once.rs"]
mod once;

use memory_store::MemoryStore;
use tollgate::account::AccountRecord;
use tollgate::admin::{Change, Once, Order, Reply};
use tollgate::time::Timestamp;

/// 2026-12-01T00:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

/// An account that has paid.
fn store() -> MemoryStore {
    let account = serde_json::from_str(r#"{"plan":"pro","status":"active"}"#).unwrap();
    MemoryStore { account: Some(account), ..MemoryStore::default() }
}

fn order(change: Change, once: Option<(&str, &str)>) -> Order {
    let once = once.map(|(key, body)| Once::new(key, &["POST", "/a", body, "ben"]).unwrap());
    Order { change, actor: "ben".to_owned(), once }
}

/// Carries a change out that may come more than once.
fn change(store: &mut MemoryStore, change: Change, now: Timestamp) -> Reply {
    order(change, None).carry_out(store, now).unwrap()
}

fn record(store: &MemoryStore) -> &AccountRecord {
    store.account.as_ref().unwrap()
}
