//! Messages from the rest of the edge to the inbox.

use super::isolate::Isolate;
use super::object_call;
use crate::billing::inbox::InboxRequest;
#[cfg(feature = "backstage")]
use crate::billing::inbox::{Incoming, Taken};
use crate::billing::outage::Outages;
use crate::config::Config;
use crate::gate::CallError;
use crate::identity::ObjectName;
use crate::wire::Field;

/// Asks the inbox something. [`InboxRequest`] says what the reply to it is.
///
/// # Errors
///
/// The reason for the lack of an answer.
pub(super) async fn ask<T: Field>(
    isolate: &Isolate,
    config: &Config,
    request: InboxRequest,
) -> Result<T, String> {
    let reply = object_call::call(isolate, config, &ObjectName::Inbox, &request).await?;
    object_call::read(&reply)
}

/// Has the inbox keep events. It gets more time than a ledger: where many come at once they queue
/// up, and a provider waits for some seconds, but takes minutes or hours to send again.
///
/// # Errors
///
/// The reason why they may not be kept.
#[cfg(feature = "backstage")]
pub(super) async fn take_in(
    isolate: &Isolate,
    config: &Config,
    events: Vec<Incoming>,
) -> Result<Vec<Taken>, String> {
    let message = InboxRequest::TakeIn(events);
    let deadline_ms = config.deadlines.ledger_ms.max(TAKE_IN_MS);
    let promise = object_call::send_within(isolate, &ObjectName::Inbox, &message, deadline_ms)?;
    object_call::read(&object_call::reply(promise).await?)
}

/// Whether a payment provider seems to be down.
///
/// # Errors
///
/// The reason for the lack of an answer.
pub(super) async fn is_outage(isolate: &Isolate, config: &Config) -> Result<bool, CallError> {
    let message = InboxRequest::Outage;
    let promise = object_call::send(isolate, config, &ObjectName::Inbox, &message)
        .map_err(CallError::Fault)?;
    let reply = object_call::reply(promise).await.map_err(CallError::Unreachable)?;
    let outages: Outages = object_call::read(&reply).map_err(CallError::Unreadable)?;
    Ok(outages.is_detected())
}

/// Tells the inbox something to which there is nothing to answer.
///
/// # Errors
///
/// The reason why it may not have got it.
#[cfg(feature = "backstage")]
pub(super) async fn tell(
    isolate: &Isolate,
    config: &Config,
    request: InboxRequest,
) -> Result<(), String> {
    object_call::call(isolate, config, &ObjectName::Inbox, &request).await.map(|_| ())
}

/// A little less than the most impatient provider waits (Paddle: 5 s).
#[cfg(feature = "backstage")]
const TAKE_IN_MS: u32 = 4_500;
