//! The Durable Objects of the class `ReaderRegistry`: each watches over the readers of one shard,
//! which have no account.
//!
//! `wrangler.toml` binds the class as `READER_REGISTRY`, with `new_sqlite_classes`.

use wasm_bindgen::prelude::*;

use super::database::Database;
use super::isolate::now;
use super::object::{Context, Fault, Handled, Job, Object};
use super::reader_store::{self, SqlReaderStore};
use crate::allowance::{Readers, ReadersRequest};
use crate::store::StoreError;
use crate::wire;

/// The object.
#[wasm_bindgen]
pub struct ReaderRegistry(Object);

#[wasm_bindgen]
impl ReaderRegistry {
    /// Called by the runtime for each object, and again after a panic.
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: JsValue) -> Self {
        Self(Object::new(state, env, ReaderRegistryJob::default()))
    }

    /// Answers one message: see [`Object::answer`].
    pub fn answer(&self, message: String) -> JsValue {
        self.0.answer(message)
    }
}

/// The object's memory between messages: when to tidy up.
#[derive(Default)]
struct ReaderRegistryJob {
    readers: Readers,
}

impl Job for ReaderRegistryJob {
    type Message = ReadersRequest;

    fn create_tables(&self, database: &Database) -> Result<(), StoreError> {
        reader_store::create_tables(database)
    }

    fn handle(&mut self, context: &Context<'_>, message: ReadersRequest) -> Result<Handled, Fault> {
        let mut store = SqlReaderStore::new(context.state);
        let reply = self.readers.handle(&mut store, &message, now())?;
        Ok(Handled { reply: wire::encode(&reply), wake: None })
    }
}
