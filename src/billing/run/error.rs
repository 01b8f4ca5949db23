//! The reasons why a run, or a part of it, did not get done.

use std::error::Error;
use std::fmt;

use crate::account::Provider;
use crate::billing::error::{BillingError, CallError};

/// The reason why a run, or a part of it, did not get done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RunError {
    /// There is no key for the API of this provider, or the provider isn't configured.
    NoApiKey(Provider),
    /// The run has made as many calls as it may, or too many of them failed.
    NoMoreCalls,
    /// A provider could not be called, refused, or answered what can't be read.
    Provider(BillingError),
    /// The inbox did not answer: the reason.
    Inbox(String),
    /// The account's ledger did not answer: the reason.
    Ledger(String),
}

impl RunError {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoApiKey(_) => "no-api-key",
            Self::NoMoreCalls => "no-more-calls",
            Self::Provider(error) => error.code(),
            Self::Inbox(_) => "inbox-unreachable",
            Self::Ledger(_) => "ledger-unreachable",
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoApiKey(provider) => {
                write!(formatter, "there is no key for the API of {}", provider.word())
            }
            Self::NoMoreCalls => {
                formatter.write_str("no more calls of the provider's API in this run")
            }
            Self::Provider(error) => error.fmt(formatter),
            Self::Inbox(reason) | Self::Ledger(reason) => formatter.write_str(reason),
        }
    }
}

impl Error for RunError {}

impl From<BillingError> for RunError {
    fn from(error: BillingError) -> Self {
        Self::Provider(error)
    }
}

impl From<CallError> for RunError {
    fn from(error: CallError) -> Self {
        Self::Provider(error.into())
    }
}
