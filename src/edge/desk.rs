//! How the rest of the edge talks to the desk.

use super::isolate::Isolate;
use super::ledger::{self, Message};
use crate::billing::desk::DeskRequest;
use crate::config::Config;
use crate::wire::Wire;

/// Asks the desk something. [`DeskRequest`] says what the reply to it is.
///
/// # Errors
///
/// Why there is no answer.
pub(super) async fn ask<T: Wire>(
    isolate: &Isolate,
    config: &Config,
    request: DeskRequest,
) -> Result<T, String> {
    let reply = ledger::call(isolate, config, NAME, &Message::Desk(request)).await?;
    ledger::read(&reply)
}

/// Tells the desk something to which there is nothing to answer.
///
/// # Errors
///
/// Why it may not have heard it.
#[cfg(feature = "backstage")]
pub(super) async fn tell(
    isolate: &Isolate,
    config: &Config,
    request: DeskRequest,
) -> Result<(), String> {
    ledger::call(isolate, config, NAME, &Message::Desk(request)).await.map(|_| ())
}

/// The object's name. No account has one without a slash.
pub(super) const NAME: &str = "desk";
