//! The vocabulary between the gate and its driver: needs, their outcomes, ends, and errands.
//!
//! [`Need`] and [`Outcome`] have the same order: that of the events in a request.

use std::fmt;

use super::Memory;
use crate::account::KeyOwner;
use crate::allowance::ReportDue;
use crate::config::{IssuerIndex, RouteIndex};
use crate::identity::{AccountName, ObjectName};
use crate::quota::{LedgerReply, LedgerRequest, Usage};
use crate::time::Timestamp;
use crate::token::SignatureCheck;

/// The next step of a request: a need, or its end.
#[derive(Debug)]
pub enum Step<End> {
    /// The driver meets this need, and hands the outcome to [`Process::resume`].
    Need(Need),
    /// Nothing more is needed.
    End(End),
}

/// A request on its way to an end of one type.
pub trait Process {
    /// The value that the request ends with.
    type End;

    /// Goes on with the outcome of the last need. An outcome of another kind, and one after the
    /// end, are a fault of the driver: they deny as misconfigured.
    fn resume(&mut self, outcome: Outcome, memory: &mut Memory, now: Timestamp) -> Step<Self::End>;

    /// The route that was matched; `None` where none was, or none is needed.
    fn route(&self) -> Option<RouteIndex>;

    /// Work for after the response. Empty when called again.
    fn take_errands(&mut self) -> Vec<Errand>;
}

/// Something that the driver has to do before the request can go on.
#[derive(Debug)]
pub enum Need {
    /// Ask the directory for the owner of an API key.
    FindKey {
        /// The object that may know.
        directory: ObjectName,
        /// The key's hash.
        hash: String,
    },
    /// Fetch the key set of this issuer.
    FetchKeys {
        /// The issuer.
        issuer: IssuerIndex,
    },
    /// Verify this signature.
    VerifySignature(SignatureCheck),
    /// Ask a rate-limit binding about this key.
    LimitBurst {
        /// The binding's name.
        binding: String,
        /// The name that requests are counted under.
        key: String,
    },
    /// Ask the ledger of this account.
    CallLedger {
        /// The account's name.
        account: AccountName,
        /// The message.
        request: Box<LedgerRequest>,
    },
    /// Read how this account stands from its ledger.
    ReadUsage {
        /// The account's name.
        account: AccountName,
        /// The plan that the token names.
        plan: Option<String>,
        /// The member: its own quotas are meant.
        member: String,
    },
    /// Ask the inbox whether the payment provider seems to be down.
    ReadOutage,
    /// Look again after this time: another request is doing what this one needs.
    Wait {
        /// Milliseconds.
        for_ms: u32,
    },
}

/// The outcome of a [`Need`].
#[derive(Debug)]
pub enum Outcome {
    /// Of [`Need::FindKey`]: the key's owner, `None` where there is no such key.
    KeyFound(Result<Option<KeyOwner>, CallError>),
    /// Of [`Need::FetchKeys`]: the body.
    KeysFetched(Result<String, CallError>),
    /// Of [`Need::VerifySignature`]: whether it is right. An error is a key that can't be used.
    SignatureVerified(Result<bool, CallError>),
    /// Of [`Need::LimitBurst`]: whether the request is within the rate.
    BurstAnswered(bool),
    /// Of [`Need::CallLedger`]: the reply.
    LedgerAnswered(Result<Box<LedgerReply>, CallError>),
    /// Of [`Need::ReadUsage`]: how the account stands.
    UsageRead(Result<Box<Usage>, CallError>),
    /// Of [`Need::ReadOutage`]: whether it is down.
    OutageRead(Result<bool, CallError>),
    /// Of [`Need::Wait`].
    Waited,
}

/// The reason why a call has no result. Each holds a sentence for the operator's log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CallError {
    /// No answer: too late, not reached, or overloaded. The same call may work later.
    Unreachable(String),
    /// An answer that can't be read.
    Unreadable(String),
    /// A mistake of the gate's own, or of its configuration: the same call fails again.
    Fault(String),
}

impl CallError {
    /// The stable word for logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Unreadable(_) => "unreadable",
            Self::Fault(_) => "fault",
        }
    }

    /// The sentence alone.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unreachable(reason) | Self::Unreadable(reason) | Self::Fault(reason) => reason,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.reason(), self.code())
    }
}

impl std::error::Error for CallError {}

/// Something to do after the response, off the request's path.
#[derive(Debug)]
pub enum Errand {
    /// Ask the inbox whether the payment provider seems to be down, and hand the answer to
    /// [`outage_reported`](super::outage_reported).
    AskOutage,
    /// Fetch an issuer's keys again and hand them to [`keys_refreshed`](super::keys_refreshed).
    RefreshKeys {
        /// The issuer.
        issuer: IssuerIndex,
    },
    /// Wait for so long, then send [`readers_to_report`](super::readers_to_report) to the object
    /// that this shard is at, and hand the reply to [`readers_reported`](super::readers_reported).
    /// A report that gets lost need not be sent again.
    ReportReaders(ReportDue),
    /// Send a message to an account's ledger and hand the reply to
    /// [`ledger_replied`](super::ledger_replied).
    Tell {
        /// The account's name.
        account: AccountName,
        /// The message.
        request: LedgerRequest,
    },
    /// Ask [`watch`](super::watch) what to do about this lease, and do it, until it is done.
    Watch {
        /// The account's name.
        account: AccountName,
        /// The lease.
        lease: u64,
    },
}

/// An outcome of another kind than the one that was needed. Of its content it has nothing: that may
/// be an account or a key set, and this is logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Misfit {
    needed: &'static str,
    found: &'static str,
}

impl fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed, found } = self;
        write!(formatter, "the gate needed the outcome {needed} and was given {found}")
    }
}

/// Defines a method of [`Outcome`] for each kind of it, which takes the content out.
macro_rules! outcomes {
    ($($name:ident: $kind:ident -> $content:ty,)*) => {
        impl Outcome {
            $(
                pub(super) fn $name(self) -> Result<$content, Misfit> {
                    let found = self.word();
                    let Self::$kind(content) = self else {
                        return Err(Misfit { needed: stringify!($kind), found });
                    };
                    Ok(content)
                }
            )*

            const fn word(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => stringify!($kind),)*
                    Self::Waited => WAITED,
                }
            }
        }
    };
}

outcomes! {
    key_found: KeyFound -> Result<Option<KeyOwner>, CallError>,
    keys_fetched: KeysFetched -> Result<String, CallError>,
    signature_verified: SignatureVerified -> Result<bool, CallError>,
    burst_answered: BurstAnswered -> bool,
    ledger_answered: LedgerAnswered -> Result<Box<LedgerReply>, CallError>,
    usage_read: UsageRead -> Result<Box<Usage>, CallError>,
    outage_read: OutageRead -> Result<bool, CallError>,
}

impl Outcome {
    pub(super) fn waited(self) -> Result<(), Misfit> {
        let found = self.word();
        let Self::Waited = self else { return Err(Misfit { needed: WAITED, found }) };
        Ok(())
    }
}

const WAITED: &str = "Waited";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_taken_for_its_own_kind_alone() {
        assert_eq!(Outcome::BurstAnswered(true).burst_answered(), Ok(true));
        assert_eq!(Outcome::Waited.waited(), Ok(()));
        let misfit = Outcome::OutageRead(Ok(true)).burst_answered().unwrap_err();
        let text = "the gate needed the outcome BurstAnswered and was given OutageRead";
        assert_eq!(misfit.to_string(), text);
        assert!(Outcome::BurstAnswered(true).waited().is_err());
        assert!(Outcome::Waited.key_found().is_err());
    }

    #[test]
    fn an_error_shows_its_reason_and_its_code() {
        for (error, text) in [
            (CallError::Unreachable("too late".into()), "too late (unreachable)"),
            (CallError::Unreadable("no JSON".into()), "no JSON (unreadable)"),
            (CallError::Fault("no binding".into()), "no binding (fault)"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
