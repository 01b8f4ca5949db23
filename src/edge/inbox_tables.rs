//! The inbox's rows in the database of its Durable Object; `schema/inbox_1.sql` has the tables.

use wasm_bindgen::JsValue;

use super::database::Database;

/// The inbox's rows: events, accounts and signals (`inbox_store.rs`), customers and subscriptions
/// (`customer_store.rs`).
pub(super) struct SqlInboxStore {
    pub(super) database: Database,
    /// True where there is something new to deliver.
    pub(super) has_queued: bool,
}

impl SqlInboxStore {
    /// The rows of the object with this state.
    pub(super) fn new(state: &JsValue) -> Self {
        Self { database: Database::new(state), has_queued: false }
    }
}
