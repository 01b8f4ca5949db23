//! Messages to Durable Objects, from the side that sends them.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsCast;

use super::glue::{self, resolved};
use super::isolate::Isolate;
use crate::config::{Config, Jurisdiction};
use crate::identity::ObjectName;
use crate::wire::{self, Field};

/// Sends a message to an object. What the promise comes to, [`reply`] waits for.
///
/// # Errors
///
/// The reason why nothing can be sent.
pub(super) fn send(
    isolate: &Isolate,
    config: &Config,
    object: &ObjectName,
    message: &impl Field,
) -> Result<Promise, String> {
    send_within(isolate, object, message, config.deadlines.ledger_ms)
}

/// The same with a deadline of its own.
///
/// # Errors
///
/// As for [`send`].
pub(super) fn send_within(
    isolate: &Isolate,
    object: &ObjectName,
    message: &impl Field,
    deadline_ms: u32,
) -> Result<Promise, String> {
    send_encoded(isolate, object, &wire::encode(message), deadline_ms)
}

/// Waits for the reply to [`send`], which [`read`] reads.
///
/// # Errors
///
/// The reason for the lack of a reply: too late, unreachable, overloaded, or the object's own
/// error.
pub(super) async fn reply(promise: Promise) -> Result<Vec<u8>, String> {
    let reply = resolved(promise).await?;
    let bytes = reply.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec);
    bytes.ok_or_else(|| "a reply that isn't bytes".to_owned())
}

/// Reads a reply.
///
/// # Errors
///
/// The mistake in it.
pub(super) fn read<T: Field>(reply: &[u8]) -> Result<T, String> {
    wire::decode(reply).map_err(|error| format!("a reply that can't be read: {error}"))
}

/// Sends a message to an object and waits for the reply.
///
/// # Errors
///
/// As for [`send`] and [`reply`].
pub(super) async fn call(
    isolate: &Isolate,
    config: &Config,
    object: &ObjectName,
    message: &impl Field,
) -> Result<Vec<u8>, String> {
    reply(send(isolate, config, object, message)?).await
}

fn send_encoded(
    isolate: &Isolate,
    object: &ObjectName,
    message: &[u8],
    deadline_ms: u32,
) -> Result<Promise, String> {
    let binding = object.class().binding();
    let gone = || format!("the {binding} binding is gone");
    let namespace = isolate.resource(binding).ok_or_else(gone)?;
    // Without the jurisdiction the name would lead to another object.
    let config = isolate.config.as_ref().map_err(|_| "the configuration is invalid")?;
    let jurisdiction = match config.jurisdiction {
        Jurisdiction::None => "",
        jurisdiction @ (Jurisdiction::Eu | Jurisdiction::Us) => jurisdiction.word(),
    };
    let name = object.to_string();
    let message = Uint8Array::from(message);
    Ok(glue::ask_object(&namespace, jurisdiction, &name, message, deadline_ms))
}
