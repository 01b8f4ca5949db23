//! The Durable Objects of the class `ReaderRegistry`: each watches over the readers of one shard,
//! which have no account.
//!
//! `wrangler.toml` binds the class as `READER_REGISTRY`, with `new_sqlite_classes`.

use wasm_bindgen::prelude::*;

use super::isolate::now;
use super::object::{Context, Fault, Handled, Job, Object};
use super::reader_store::SqlReaderStore;
use super::schema::{self, Migrations};
use crate::allowance::{Readers, ReadersRequest};
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
    pub fn answer(&self, message: Vec<u8>) -> JsValue {
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

    const MIGRATIONS: Migrations = schema::READER_REGISTRY;

    fn handle(&mut self, context: &Context<'_>, message: ReadersRequest) -> Result<Handled, Fault> {
        let mut store = SqlReaderStore::new(context.state);
        let reply = self.readers.handle(&mut store, &message, now())?;
        Ok(Handled { reply: wire::encode(&reply), wake: None })
    }
}
