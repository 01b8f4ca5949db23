//! Errors of billing.

use std::error::Error;
use std::fmt;

use super::signature::WebhookError;

/// The reason why a provider's message could not be used, or a request to it not be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BillingError {
    /// A webhook's body is no JSON: the parser's reason.
    NotJson(String),
    /// A field of a message is missing, or is something else.
    Missing {
        /// The field, as the provider's list of fields has it.
        field: String,
        /// A description of the right value.
        expected: &'static str,
    },
    /// A header field of the webhook is missing.
    Header(WebhookError),
    /// The sold items stand only in the provider's API, and there is no key for it.
    ItemsUnknown {
        /// The secret that would be needed.
        api_key: &'static str,
    },
    /// There is no key for the provider's API.
    NoKey,
    /// A checkout needs a store, and `BILLING` names none.
    NoStore {
        /// The provider's name.
        provider: &'static str,
    },
    /// The provider has no active price of a plan's name.
    NoSuchPrice,
    /// The provider's API answered with an error.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The start of the provider's own explanation.
        said: String,
    },
    /// The provider's API answered no JSON: the parser's reason.
    AnswerNotJson(String),
    /// The provider's API could not be called.
    Call(CallError),
}

/// The reason why a request to a provider's API has no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CallError {
    /// It would go to another host than the provider's API.
    ForeignHost,
    /// No answer came, or too late: the platform's reason.
    NoAnswer(String),
    /// The answer has no status.
    NoStatus,
}

impl CallError {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ForeignHost => "foreign-host",
            Self::NoAnswer(_) => "no-answer",
            Self::NoStatus => "no-status",
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ForeignHost => "a request to a host that BILLING does not name",
            Self::NoAnswer(reason) => reason,
            Self::NoStatus => "an answer without a status",
        })
    }
}

impl Error for CallError {}

impl BillingError {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not-json",
            Self::Missing { .. } => "field-missing",
            Self::Header(error) => error.code(),
            Self::ItemsUnknown { .. } => "items-unknown",
            Self::NoKey => "no-api-key",
            Self::NoStore { .. } => "no-store",
            Self::NoSuchPrice => "no-such-price",
            Self::Refused { .. } => "provider-refused",
            Self::AnswerNotJson(_) => "answer-not-json",
            Self::Call(error) => error.code(),
        }
    }

    /// Whether the same call may be answered otherwise in a while.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Refused { status: 429 | 500.., .. } | Self::Call(_))
    }
}

impl fmt::Display for BillingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(reason) => write!(formatter, "no JSON: {reason}"),
            Self::Missing { field, expected } => {
                write!(formatter, "expected {expected} at {field}")
            }
            Self::Header(error) => error.fmt(formatter),
            Self::ItemsUnknown { api_key } => write!(
                formatter,
                "the event doesn't say what was bought: set {api_key}, or name the payment link in \
                 BILLING's credits"
            ),
            Self::NoKey => formatter.write_str("there is no key for the provider's API"),
            Self::NoStore { provider } => {
                write!(formatter, "BILLING says no store, which {provider} needs for a checkout")
            }
            Self::NoSuchPrice => {
                formatter.write_str("the provider has no active price of this name")
            }
            Self::Refused { status, said } => {
                write!(formatter, "the provider answered {status}: {said}")
            }
            Self::AnswerNotJson(reason) => {
                write!(formatter, "the provider answered no JSON: {reason}")
            }
            Self::Call(error) => error.fmt(formatter),
        }
    }
}

impl Error for BillingError {}

impl From<CallError> for BillingError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<BillingError> for String {
    fn from(error: BillingError) -> Self {
        error.to_string()
    }
}

impl From<CallError> for String {
    fn from(error: CallError) -> Self {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_may_change_is_passing() {
        let refused = |status| BillingError::Refused { status, said: String::new() };
        for (status, is_passing) in [(400, false), (404, false), (429, true), (503, true)] {
            assert_eq!(refused(status).is_passing(), is_passing, "{status}");
        }
        assert!(!BillingError::NoKey.is_passing());
        assert!(BillingError::from(CallError::NoAnswer("too late".to_owned())).is_passing());
    }
}
