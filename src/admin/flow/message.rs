//! Messages to objects, as the machine needs them sent. The edge maps each to one of the wire.

use crate::account::KeyOwner;
use crate::admin::change::Command;
use crate::billing::BillingEvent;
use crate::billing::inbox::InboxRequest;
use crate::identity::{AccountName, ObjectName};

/// A message to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectCall {
    /// The object and the message.
    pub request: ObjectRequest,
    /// Longest time for the reply, in milliseconds.
    pub deadline_ms: u32,
}

/// An object and a message to it.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectRequest {
    /// To the ledger of an account.
    Account {
        /// The account's name.
        account: AccountName,
        /// The message.
        request: AccountRequest,
    },
    /// To the inbox.
    Inbox(InboxRequest),
    /// To a directory of API keys: add one.
    FileKey {
        /// The object.
        directory: ObjectName,
        /// The hash that the key is found by.
        hash: String,
        /// The owner of the key.
        owner: KeyOwner,
    },
}

/// A message to the ledger of an account.
#[derive(Clone, Debug, PartialEq)]
pub enum AccountRequest {
    /// Take over an event: `Option<AccountSummary>`.
    ApplyBilling(BillingEvent),
    /// A page of the audit trail, the last entry first: `Vec<(u64, AuditEntry)>`.
    Audit {
        /// The number of the last entry of the page before.
        before: Option<u64>,
        /// The most entries.
        limit: usize,
    },
    /// Every pack of credits: `Vec<CreditPack>`.
    Credits,
    /// Execute a command: `(Reply, Option<AccountSummary>)`.
    Execute(Box<Command>),
    /// The record: `Option<AccountRecord>`.
    Record,
    /// The counters: [`Usage`](crate::quota::Usage).
    Usage {
        /// The plan that the token names.
        plan: Option<String>,
        /// The member with quotas of their own.
        member: Option<String>,
    },
}

/// No reply to a call: too late, unreachable, overloaded, or an error of the object's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CallError(pub String);
