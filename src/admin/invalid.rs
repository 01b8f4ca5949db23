//! Mistakes in a request of an operator, each with what would be right.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::identity::AccountNameError;
use crate::json_object::ReadError;

/// The reason why a request is wrong in itself: status 400.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum InvalidRequest {
    /// The body.
    Body(ReadError),
    /// The name of an account in the body.
    Account(AccountNameError),
    /// The name of an account in the path.
    Path(AccountNameError),
    /// A revocation names both a token and a time, or neither.
    NotOneRevocation,
    /// The configuration has no such plan.
    UnknownPlan {
        /// The id in the request.
        id: String,
        /// The ids of the plans that there are.
        known: Vec<String>,
    },
    /// The query has a parameter that is not known, has one twice, or has one without a value.
    Parameters {
        /// The known parameters.
        known: Vec<&'static str>,
    },
    /// A parameter of the query has another value than the expected one.
    Parameter {
        /// Its name.
        name: &'static str,
        /// A description of the right value.
        expected: Cow<'static, str>,
    },
    /// The idempotency key is empty, too long, or no printable ASCII.
    IdempotencyKey,
}

impl InvalidRequest {
    /// A cursor that no page of the list ended with.
    pub const CURSOR: Self = Self::parameter("cursor", "what next_cursor of the page before said");

    /// A parameter of the query with another value than the expected one.
    pub const fn parameter(name: &'static str, expected: &'static str) -> Self {
        Self::Parameter { name, expected: Cow::Borrowed(expected) }
    }

    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Body(error) => error.code(),
            Self::Account(error) | Self::Path(error) => error.code(),
            Self::NotOneRevocation => "not-one-revocation",
            Self::UnknownPlan { .. } => "unknown-plan",
            Self::Parameters { .. } => "wrong-parameters",
            Self::Parameter { .. } => "wrong-parameter",
            Self::IdempotencyKey => "wrong-idempotency-key",
        }
    }
}

/// A whole sentence, with its full stop.
impl fmt::Display for InvalidRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(ReadError::NotJson(reason)) => {
                write!(formatter, "The body isn't JSON: {reason}.")
            }
            Self::Body(error) if error.field().is_empty() => {
                write!(formatter, "The body: {error}.")
            }
            Self::Body(error) => write!(formatter, "{error}."),
            Self::Account(error) => write!(formatter, "account: {error}."),
            Self::Path(error) => write!(formatter, "The path: {error}."),
            Self::NotOneRevocation => formatter
                .write_str("The body: expected either token_id or issued_before, a string."),
            Self::UnknownPlan { id, known } => {
                write!(formatter, "PLANS has no plan {id:?}; it has {}.", known.join(", "))
            }
            Self::Parameters { known } if known.is_empty() => {
                formatter.write_str("The query: expected none.")
            }
            Self::Parameters { known } => write!(
                formatter,
                "The query: expected {}=, each once at most.",
                known.join("= or ")
            ),
            Self::Parameter { name, expected } => write!(formatter, "{name}: expected {expected}."),
            Self::IdempotencyKey => write!(
                formatter,
                "Idempotency-Key: expected 1 to {MAX_IDEMPOTENCY_KEY_BYTES} printable ASCII \
                 characters."
            ),
        }
    }
}

impl Error for InvalidRequest {}

impl From<AccountNameError> for InvalidRequest {
    fn from(error: AccountNameError) -> Self {
        Self::Account(error)
    }
}

impl From<ReadError> for InvalidRequest {
    fn from(error: ReadError) -> Self {
        Self::Body(error)
    }
}

/// The longest idempotency key.
pub(super) const MAX_IDEMPOTENCY_KEY_BYTES: usize = 255;
