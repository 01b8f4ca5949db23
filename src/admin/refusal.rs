//! Every error of the operators' endpoints: status, stable code, and sentence.

use std::borrow::Cow;

use super::change::NO_ACCOUNT;
use super::invalid::InvalidRequest;
use crate::account::Provider;
use crate::answer::{Headers, status_title};
use crate::billing::run::RunError;
use crate::config::Role;
use crate::identity::AccountName;
use crate::request::BodyError;

/// An operator's request that was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The request is wrong in itself.
    Invalid(InvalidRequest),
    /// Its body can't be had.
    Body(BodyError),
    /// It carries no operator's token.
    Unauthorized,
    /// The operator's role does not reach so far.
    Forbidden {
        /// The least role of the operation.
        needed: Role,
        /// The operator's.
        found: Role,
    },
    /// The role does not reach to a customer of another account.
    CustomerTaken {
        /// The account that has the customer; `None` where it is only named for it.
        account: Option<AccountName>,
    },
    /// The operator has set no token, so that nobody may do anything here.
    Closed,
    /// No endpoint has this path.
    NoEndpoint,
    /// Nothing is known of the account.
    NoAccount,
    /// No payment provider has this name.
    NoProvider,
    /// The inbox has no such event.
    NoEvent,
    /// The inbox has no account for the customer.
    NoCustomer,
    /// The endpoint has other methods.
    MethodNotAllowed {
        /// Those, as `Allow` lists them.
        allow: String,
    },
    /// No `GATE_SECRET` can sign a new API key.
    NoGateSecret,
    /// The body has another type than JSON or plain text.
    UnsupportedMediaType,
    /// The account's ledger refused the command.
    ByLedger {
        /// 404, 409 or 422.
        status: u16,
        /// The reason, as a sentence.
        detail: String,
        /// Whether it refused the same request before.
        is_replay: bool,
    },
    /// Not every customer could be read again at its payment provider.
    Provider(RunError),
    /// An object of ours did not answer.
    Unreachable {
        /// The object.
        service: Service,
        /// The reason.
        reason: String,
    },
    /// A key was added to its account, but not to the directory: the reason.
    KeyNotFiled(String),
    /// The configuration is invalid.
    Misconfigured,
}

/// An object that an operation depends on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    /// The ledger of the account.
    Ledger,
    /// The inbox of billing events, and the list of accounts.
    Inbox,
    /// The directory of API keys.
    KeyDirectory,
}

impl Refusal {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 400,
            Self::Body(error) => error.status(),
            Self::Unauthorized => 401,
            Self::Forbidden { .. } | Self::CustomerTaken { .. } => 403,
            Self::Closed
            | Self::NoEndpoint
            | Self::NoAccount
            | Self::NoProvider
            | Self::NoEvent
            | Self::NoCustomer => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::NoGateSecret => 409,
            Self::UnsupportedMediaType => 415,
            Self::ByLedger { status, .. } => *status,
            Self::Provider(_) => 502,
            Self::Unreachable { .. } | Self::KeyNotFiled(_) | Self::Misconfigured => 503,
        }
    }

    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(mistake) => mistake.code(),
            Self::Body(error) => error.code(),
            Self::Unauthorized => "unauthorized",
            Self::Forbidden { .. } => "role-too-low",
            Self::CustomerTaken { .. } => "customer-taken",
            Self::Closed => "closed",
            Self::NoEndpoint => "no-endpoint",
            Self::NoAccount => "no-account",
            Self::NoProvider => "no-provider",
            Self::NoEvent => "no-event",
            Self::NoCustomer => "no-customer",
            Self::MethodNotAllowed { .. } => "method-not-allowed",
            Self::NoGateSecret => "no-gate-secret",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::ByLedger { .. } => "refused-by-ledger",
            Self::Provider(_) => "provider-unreachable",
            Self::Unreachable { service, .. } => service.code(),
            Self::KeyNotFiled(_) => "key-not-filed",
            Self::Misconfigured => "misconfigured",
        }
    }

    /// The error as a sentence, with what would be right.
    pub fn detail(&self) -> Cow<'_, str> {
        let fixed = match self {
            Self::ByLedger { detail, .. } => detail.as_str(),
            Self::Unauthorized => {
                "Send an operator's token as Authorization: Bearer; it is not taken elsewhere."
            }
            Self::Closed => "These endpoints are closed: the operator has set no ADMIN_TOKEN.",
            Self::NoEndpoint => "There is nothing here; admin/openapi.json says what is.",
            Self::NoAccount => NO_ACCOUNT,
            Self::NoProvider => {
                return format!("There is no such provider: {}.", Provider::words()).into();
            }
            Self::NoEvent => "There is no such event.",
            Self::NoCustomer => "Nobody has said which account this customer is.",
            Self::MethodNotAllowed { .. } => "This can't be done to it.",
            Self::NoGateSecret => NO_GATE_SECRET,
            Self::UnsupportedMediaType => "Send JSON, as Content-Type: application/json.",
            Self::Misconfigured => "The configuration is invalid; see health.",
            Self::CustomerTaken { account: None } => {
                "Events name another account for this customer: deciding that takes the role admin."
            }
            Self::Invalid(mistake) => return mistake.to_string().into(),
            Self::Body(error) => return format!("The body: {error}.").into(),
            Self::Forbidden { needed, found } => {
                let (needed, found) = (needed.word(), found.word());
                return format!("This takes the role {needed}; yours is {found}.").into();
            }
            Self::CustomerTaken { account: Some(account) } => {
                return format!(
                    "This customer is the account {account}'s: giving it to another takes the role \
                     admin."
                )
                .into();
            }
            Self::Provider(reason) => {
                return format!("Not every customer could be read again: {reason}.").into();
            }
            Self::Unreachable { service, reason } => {
                return format!("{} did not answer: {reason}.", service.subject()).into();
            }
            Self::KeyNotFiled(reason) => {
                return format!(
                    "The key is listed and opens nothing, since the directory of keys did not \
                     answer: {reason}. Revoke it, and add another."
                )
                .into();
            }
        };
        fixed.into()
    }

    /// Header fields of its own.
    pub(super) fn headers(&self) -> Headers {
        match self {
            Self::Unauthorized => {
                vec![("WWW-Authenticate", "Bearer realm=\"tollgate-admin\"".into())]
            }
            Self::MethodNotAllowed { allow } => vec![("Allow", allow.clone().into())],
            Self::ByLedger { is_replay: true, .. } => vec![REPLAYED],
            _ => Headers::new(),
        }
    }

    /// The title of its problem details.
    pub(super) const fn title(&self) -> &'static str {
        status_title(self.status())
    }
}

impl From<InvalidRequest> for Refusal {
    fn from(mistake: InvalidRequest) -> Self {
        Self::Invalid(mistake)
    }
}

impl Service {
    const fn code(self) -> &'static str {
        match self {
            Self::Ledger => "ledger-unreachable",
            Self::Inbox => "inbox-unreachable",
            Self::KeyDirectory => "key-directory-unreachable",
        }
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::Ledger => "The account's ledger",
            Self::Inbox => "The inbox",
            Self::KeyDirectory => "The directory of keys",
        }
    }
}

/// The field of every answer that was given before.
pub(super) const REPLAYED: (&str, Cow<'static, str>) =
    ("Idempotency-Replayed", Cow::Borrowed("true"));

const NO_GATE_SECRET: &str = "API keys can't be made before the secret GATE_SECRET is set; \
     `openssl rand -base64 32` makes one.";
