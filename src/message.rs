//! Messages from isolates to the objects that keep accounts and API keys.
//!
//! Those to the inbox and to the registries of readers stand with them:
//! [`InboxRequest`](crate::billing::inbox::InboxRequest) and
//! [`ReadersRequest`](crate::allowance::ReadersRequest). `tests/formats` has a copy of each in its
//! bytes.

use crate::account::KeyOwner;
use crate::admin::Command;
use crate::billing::BillingEvent;
use crate::billing::sessions::SessionRequest;
use crate::identity::AccountName;
use crate::quota::LedgerRequest;
use crate::wire::wire;

/// A message to the ledger of an account.
#[derive(Clone, Debug, PartialEq)]
pub enum LedgerMessage {
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
    /// The account's record.
    Read,
    /// Ask for leave to make a link to the provider, or report one that was made.
    Session(SessionRequest),
    /// The standing of the account.
    Usage {
        /// The plan that the token names.
        plan: Option<String>,
        /// The member: its own quotas are shown.
        member: Option<String>,
    },
}

/// A message to a directory of API keys.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyDirectoryMessage {
    /// Add a key. The reply is empty.
    File {
        /// The hash of the key.
        hash: String,
        /// The owner.
        owner: KeyOwner,
    },
    /// Find the owner of the key with this hash.
    Find(String),
}

wire! {
    enum LedgerMessage {
        1: ApplyBilling { 1: account, 2: events },
        2: Ask(request),
        3: Audit { 1: before, 2: limit },
        4: Execute(command),
        5: Credits,
        6: Read,
        7: Session(request),
        8: Usage { 1: plan, 2: member },
    }
}
wire! {
    enum KeyDirectoryMessage {
        1: File { 1: hash, 2: owner },
        2: Find(hash),
    }
}
