//! Messages to the Durable Objects of the class `Ledger`: accounts, and the few that are none.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsCast;

use super::glue;
use super::glue::resolved;
use super::isolate::Isolate;
use crate::account::KeyOwner;
use crate::admin::Command;
use crate::allowance::ReadersRequest;
use crate::billing::BillingEvent;
use crate::billing::inbox::InboxRequest;
use crate::billing::sessions::SessionRequest;
use crate::config::{Config, LEDGER_BINDING};
use crate::identity::{AccountName, ObjectName};
use crate::quota::LedgerRequest;
use crate::wire::{self, Field, wire};

/// Sends a message to an object. What the promise comes to, [`reply`] waits for.
///
/// # Errors
///
/// The reason why nothing can be sent.
pub(super) fn send(
    isolate: &Isolate,
    config: &Config,
    object: &ObjectName,
    message: &Message,
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
    message: &Message,
    deadline_ms: u32,
) -> Result<Promise, String> {
    let namespace = isolate.resource(LEDGER_BINDING).ok_or("the LEDGER binding is gone")?;
    Ok(glue::ask_ledger(
        &namespace,
        &object.to_string(),
        Uint8Array::from(&*wire::encode(message)),
        deadline_ms,
    ))
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
    message: &Message,
) -> Result<Vec<u8>, String> {
    reply(send(isolate, config, object, message)?).await
}

/// A message to an object of this class.
pub(super) enum Message {
    /// Take over events of payment providers. The reply is the standing of the account after them.
    ApplyBilling {
        /// The account's name.
        account: AccountName,
        /// The events; at least one.
        events: Vec<BillingEvent>,
    },
    /// Hear reports, grant units.
    Ask(LedgerRequest),
    /// A page of the audit trail: pairs of a number and JSON.
    Audit {
        /// The number of the last entry of the page before.
        before: Option<u64>,
        /// The most items of the reply.
        limit: usize,
    },
    /// Execute an operator's command. The reply is its outcome, and the standing of the account
    /// after it.
    Execute(Box<Command>),
    /// Every pack of credits that the account ever had.
    Credits,
    /// Keep events and deliver them, or tell of them. Of the object that is the inbox.
    Inbox(InboxRequest),
    /// Add an API key to the directory. Of an object that is no account's; so is the next.
    FileKey {
        /// The hash of the key.
        hash: String,
        /// The owner.
        owner: KeyOwner,
    },
    /// Find the owner of the API key with this hash.
    FindKey(String),
    /// The account's record.
    Read,
    /// Hear which readers without an account were seen. Of an object that is no account's.
    ReportReaders(ReadersRequest),
    /// Whether to make a link to the provider, or that one was made.
    Session(SessionRequest),
    /// The standing of the account.
    Usage {
        /// The plan that the token names.
        plan: Option<String>,
        /// The member: its own quotas are shown.
        member: Option<String>,
    },
}

wire! {
    enum Message {
        1: ApplyBilling { 1: account, 2: events },
        2: Ask(request),
        3: Audit { 1: before, 2: limit },
        4: Execute(command),
        5: Credits,
        6: Inbox(request),
        7: FileKey { 1: hash, 2: owner },
        8: FindKey(hash),
        9: Read,
        10: ReportReaders(request),
        11: Session(request),
        12: Usage { 1: plan, 2: member },
    }
}
