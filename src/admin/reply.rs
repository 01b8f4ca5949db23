//! Replies of an account's ledger to operators' commands.

use crate::account::ApiKey;
use crate::time::Timestamp;
use crate::wire::wire;

/// The outcome of a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// JSON; of a refusal (from 400 on), the error as a sentence.
    pub body: String,
    /// Whether the command came before, and this is the reply that was kept: nothing was done now.
    pub is_replay: bool,
    /// The API key that the command made. It is not kept: a replay has none.
    pub new_key: Option<Box<ApiKey>>,
}

wire!(Reply { 1: status, 2: body, 3: is_replay, 4: new_key });

impl Reply {
    /// The reply to a command that was executed.
    pub fn done(status: u16, body: String) -> Self {
        Self { status, body, is_replay: false, new_key: None }
    }

    /// The reply to a command that was refused.
    pub fn refused(status: u16, detail: &str) -> Self {
        Self::done(status, detail.to_owned())
    }
}

/// A reply that is kept for the case that its request is sent again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredReply {
    /// The hash of the request: another request under the same key has another one.
    pub fingerprint: String,
    /// The HTTP status.
    pub status: u16,
    /// As in [`Reply`].
    pub body: String,
    /// The time of the first request.
    pub at: Timestamp,
}

impl StoredReply {
    /// The reply to the same request, sent again.
    pub fn replayed(self) -> Reply {
        Reply { is_replay: true, ..Reply::done(self.status, self.body) }
    }
}
