//! Refused webhooks: status, sentence and header fields of the answer.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::account::Provider;
use crate::billing::error::BillingError;
use crate::billing::webhook::WebhookError;
use crate::request::BodyError;

/// The reason why a webhook was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The configuration is invalid.
    Misconfigured,
    /// No provider of this name is configured.
    NoProvider,
    /// Another method than POST.
    MethodNotAllowed,
    /// The body can't be had.
    Body(BodyError),
    /// It was not sent by the provider, or not in time.
    NotGenuine {
        /// The provider that it claims to be from.
        provider: Provider,
        /// The reason.
        reason: NotGenuine,
    },
    /// The provider's API does not give the facts that the event lacks at the moment.
    NotCompleted(BillingError),
    /// The inbox did not answer: the reason.
    NotKept(String),
}

/// The reason why a webhook isn't genuine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotGenuine {
    /// Its header fields rule it out.
    Header(WebhookError),
    /// None of the secrets made one of its signatures.
    WrongSignature {
        /// The name of the secret.
        secret: &'static str,
    },
    /// The platform can't use the key that a secret is: its reason.
    UnusableKey(String),
}

impl Refusal {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoProvider => 404,
            Self::MethodNotAllowed => 405,
            Self::Body(error) => error.status(),
            Self::NotGenuine { .. } => 400,
            Self::Misconfigured | Self::NotCompleted(_) | Self::NotKept(_) => 503,
        }
    }

    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Misconfigured => "misconfigured",
            Self::NoProvider => "no-provider",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Body(error) => error.code(),
            Self::NotGenuine { reason, .. } => reason.code(),
            Self::NotCompleted(error) => error.code(),
            Self::NotKept(_) => "inbox-unreachable",
        }
    }

    /// The error as a sentence, with what would be right.
    pub fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Misconfigured => "The configuration is invalid; see health.".into(),
            Self::NoProvider => "BILLING names no provider of this name.".into(),
            Self::MethodNotAllowed => "Only POST works here.".into(),
            Self::Body(error) => format!("The body: {error}.").into(),
            Self::NotGenuine { provider, reason } => {
                format!("This is no webhook of {}: {reason}.", provider.word()).into()
            }
            Self::NotCompleted(error) => not_kept(error),
            Self::NotKept(reason) => not_kept(reason),
        }
    }

    /// Header fields of the answer.
    pub const fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::MethodNotAllowed => &[("Allow", "POST")],
            Self::Misconfigured | Self::NotCompleted(_) | Self::NotKept(_) => {
                &[("Retry-After", "10")]
            }
            Self::NoProvider | Self::Body(_) | Self::NotGenuine { .. } => &[],
        }
    }

    /// The reason, for the operator's log; `None` where the operator need not see it.
    pub(super) fn reason(&self) -> Option<String> {
        match self {
            Self::NotGenuine { reason, .. } => Some(reason.to_string()),
            Self::NotCompleted(error) => Some(error.to_string()),
            Self::NotKept(reason) => Some(reason.clone()),
            Self::Misconfigured | Self::NoProvider | Self::MethodNotAllowed | Self::Body(_) => None,
        }
    }
}

impl NotGenuine {
    const fn code(&self) -> &'static str {
        match self {
            Self::Header(error) => error.code(),
            Self::WrongSignature { .. } => "signature-wrong",
            Self::UnusableKey(_) => "key-unusable",
        }
    }
}

impl fmt::Display for NotGenuine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(formatter),
            Self::WrongSignature { secret } => {
                write!(formatter, "its signature was not made with {secret} over this body")
            }
            Self::UnusableKey(reason) => formatter.write_str(reason),
        }
    }
}

impl Error for NotGenuine {}

fn not_kept(reason: impl fmt::Display) -> Cow<'static, str> {
    format!("The webhook could not be kept: {reason}. Send it again.").into()
}
