//! The Durable Objects of the class `KeyDirectory`: each knows the owners of the API keys whose
//! hashes begin with one byte.
//!
//! `wrangler.toml` binds the class as `KEY_DIRECTORY`, with `new_sqlite_classes`.

use wasm_bindgen::prelude::*;

use super::database::Database;
use super::key_store;
use super::object::{Context, Fault, Handled, Job, Object};
use super::schema::{self, Migrations};
use crate::message::KeyDirectoryMessage;
use crate::wire;

/// The object.
#[wasm_bindgen]
pub struct KeyDirectory(Object);

#[wasm_bindgen]
impl KeyDirectory {
    /// Called by the runtime for each object, and again after a panic.
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: JsValue) -> Self {
        Self(Object::new(state, env, KeyDirectoryJob))
    }

    /// Answers one message: see [`Object::answer`].
    pub fn answer(&self, message: Vec<u8>) -> JsValue {
        self.0.answer(message)
    }
}

struct KeyDirectoryJob;

impl Job for KeyDirectoryJob {
    type Message = KeyDirectoryMessage;

    const MIGRATIONS: Migrations = schema::KEY_DIRECTORY;

    fn handle(
        &mut self,
        context: &Context<'_>,
        message: KeyDirectoryMessage,
    ) -> Result<Handled, Fault> {
        let database = Database::new(context.state);
        let reply = match message {
            KeyDirectoryMessage::File { hash, owner } => {
                key_store::add(&database, &hash, &owner)?;
                Vec::new()
            }
            KeyDirectoryMessage::Find(hash) => wire::encode(&key_store::find(&database, &hash)?),
        };
        Ok(Handled { reply, wake: None })
    }
}
