//! The vocabulary that everything else speaks: what was decided about a request, and why.
//!
//! A denial is a value, not an error. It names exactly one [`Cause`] of a closed set; the status,
//! the words, the headers and the log line are all derived from it.

mod remedy;

pub use remedy::{Action, PlanOffer, Remedy};

use std::rc::Rc;

use serde::Serialize;

use crate::account::PaymentFailure;
use crate::allowance::Grant;
use crate::identity::Identity;
use crate::quota::Charge;
use crate::time::Timestamp;
use crate::token::TokenError;
use crate::wire::wire;

/// What is to happen with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Answer at the edge.
    Deny(Box<Denial>),
    /// Hand it to the origin.
    Pass(Box<Pass>),
}

/// A request that goes to the origin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pass {
    /// Index of the route in the configuration; `None` where the configuration is not known.
    pub route: Option<usize>,
    /// The verified caller; `None` on open routes.
    pub identity: Option<Rc<Identity>>,
    /// The quotas this request was counted in, as they stand after it.
    pub quotas: Vec<QuotaState>,
    /// Warnings for the caller.
    pub notices: Vec<Notice>,
    /// What was spent, so that it can be given back when the origin fails.
    pub charge: Option<Charge>,
    /// The free page that was counted, if one was.
    pub free_page: Option<Box<FreePage>>,
    /// What the caller is to keep from now on, as the value of a `Set-Cookie` field.
    pub set_cookie: Option<String>,
    /// Why this passed without the checks it should have had, if so.
    pub degraded: Option<Degraded>,
    /// A CORS preflight on a gated route: the caller gets the origin's CORS headers and no more,
    /// since many origins answer any `OPTIONS` with the resource itself.
    pub is_preflight: bool,
}

/// A page that a reader without an account sees for free, and that counts once it is delivered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FreePage {
    /// Where it was counted.
    pub grant: Grant,
    /// The reader's count with it, as the value of a `Set-Cookie` field. Only for a page that was
    /// delivered.
    pub set_cookie: String,
}

/// A pass that was not properly checked, because something of ours was broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Degraded {
    /// The ledger did not answer, and the route or plan says to pass.
    CheckerUnavailable,
    /// The configuration is invalid, and the operator chose to pass.
    Misconfigured,
    /// The gate itself failed, and the operator chose to pass.
    Panicked,
}

impl Degraded {
    /// The stable word for headers, logs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::CheckerUnavailable => "checker-unavailable",
            Self::Misconfigured => "misconfigured",
            Self::Panicked => "panicked",
        }
    }
}

/// A request that is answered at the edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    /// The one reason.
    pub cause: Cause,
    /// What the caller can do about it, best first.
    pub remedies: Vec<Remedy>,
    /// The quota that denied, if one did.
    pub quota: Option<QuotaState>,
    /// All quotas that the request would have been counted in, the one that denied among them.
    pub quotas: Vec<QuotaState>,
    /// When waiting alone helps: the earliest time at which a retry can succeed.
    pub retry_at: Option<Timestamp>,
    /// Facts for the sentence that explains it.
    pub facts: Facts,
}

impl Denial {
    /// A denial for `cause` with nothing else known.
    pub fn new(cause: Cause) -> Self {
        Self {
            cause,
            remedies: Vec::new(),
            quota: None,
            quotas: Vec::new(),
            retry_at: None,
            facts: Facts::default(),
        }
    }
}

/// What is known beside the cause. Never holds a secret or a token.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// `tenant/account` of the verified caller; for the log, not for the body.
    pub account: Option<String>,
    /// Display name of the caller's plan.
    pub plan: Option<String>,
    /// Entitlements the route asks for and the caller lacks.
    pub missing: Vec<String>,
    /// Whether the account could do it, and only the scopes of this API key leave it out.
    pub is_beyond_scopes: bool,
    /// Why a token was refused: safe for the caller to know.
    pub token_error: Option<TokenError>,
    /// When the thing that ended did end, such as the grace or the trial.
    pub since: Option<Timestamp>,
    /// Why the charge failed, as far as a payer may know.
    pub payment_failure: Option<PaymentFailure>,
    /// For the operator's log only: what exactly went wrong on our side.
    pub operator_detail: Option<String>,
}

/// Why a request was denied. Closed: adding one is a change of the public contract.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The operator suspended the account.
    AccountSuspended,
    /// The anonymous reader's free allowance is used up.
    AllowanceExhausted,
    /// The request can't be read safely, for example a path with two meanings.
    BadRequest,
    /// The payment failed because the card itself has expired.
    CardExpired,
    /// The ledger did not answer in time.
    CheckerUnavailable,
    /// This single request costs more than the quota could ever allow.
    CostExceedsQuota,
    /// The credential was valid once and has been revoked.
    CredentialRevoked,
    /// Prepaid credits are used up.
    CreditsExhausted,
    /// The token is malformed, badly signed, expired or for somebody else.
    InvalidToken,
    /// The operator's configuration is broken.
    Misconfigured,
    /// The account has no subscription.
    NoSubscription,
    /// No plan on sale has the entitlement.
    NotForSale,
    /// The origin did not answer.
    OriginUnavailable,
    /// A charge failed and the grace is over.
    PaymentFailed,
    /// The first payment was never finished.
    PaymentIncomplete,
    /// No credential, on a route that is offered for sale.
    PaymentRequired,
    /// The plan lacks the entitlement, and another plan on sale has it.
    PlanLacksEntitlement,
    /// A hard quota is used up.
    QuotaExhausted,
    /// The burst rate was exceeded.
    RateLimited,
    /// No credential.
    SignInRequired,
    /// The subscription ran out or was cancelled.
    SubscriptionExpired,
    /// The subscription is paused.
    SubscriptionPaused,
    /// The trial is over.
    TrialEnded,
}

/// Whose fault a denial is, which decides who is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// The caller, who can fix it.
    Caller,
    /// The operator, by mistake or by decision.
    Operator,
    /// The gate or something it depends on.
    Platform,
}

impl Cause {
    /// Every cause, in the order of their words.
    pub const ALL: [Self; 23] = [
        Self::AccountSuspended,
        Self::AllowanceExhausted,
        Self::BadRequest,
        Self::CardExpired,
        Self::CheckerUnavailable,
        Self::CostExceedsQuota,
        Self::CredentialRevoked,
        Self::CreditsExhausted,
        Self::InvalidToken,
        Self::Misconfigured,
        Self::NoSubscription,
        Self::NotForSale,
        Self::OriginUnavailable,
        Self::PaymentFailed,
        Self::PaymentIncomplete,
        Self::PaymentRequired,
        Self::PlanLacksEntitlement,
        Self::QuotaExhausted,
        Self::RateLimited,
        Self::SignInRequired,
        Self::SubscriptionExpired,
        Self::SubscriptionPaused,
        Self::TrialEnded,
    ];

    /// The cause that `word` names, such as `quota-exhausted`.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.word() == word)
    }

    /// The stable word in JSON, logs, metrics and problem type URIs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AccountSuspended => "account-suspended",
            Self::AllowanceExhausted => "allowance-exhausted",
            Self::BadRequest => "bad-request",
            Self::CardExpired => "card-expired",
            Self::CheckerUnavailable => "checker-unavailable",
            Self::CostExceedsQuota => "cost-exceeds-quota",
            Self::CredentialRevoked => "credential-revoked",
            Self::CreditsExhausted => "credits-exhausted",
            Self::InvalidToken => "invalid-token",
            Self::Misconfigured => "misconfigured",
            Self::NoSubscription => "no-subscription",
            Self::NotForSale => "not-for-sale",
            Self::OriginUnavailable => "origin-unavailable",
            Self::PaymentFailed => "payment-failed",
            Self::PaymentIncomplete => "payment-incomplete",
            Self::PaymentRequired => "payment-required",
            Self::PlanLacksEntitlement => "plan-lacks-entitlement",
            Self::QuotaExhausted => "quota-exhausted",
            Self::RateLimited => "rate-limited",
            Self::SignInRequired => "sign-in-required",
            Self::SubscriptionExpired => "subscription-expired",
            Self::SubscriptionPaused => "subscription-paused",
            Self::TrialEnded => "trial-ended",
        }
    }

    /// The HTTP status. 402 only where a payment action by this caller fixes it (RFC 9110 §15.5.3).
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::CredentialRevoked | Self::InvalidToken | Self::SignInRequired => 401,
            Self::AllowanceExhausted
            | Self::CardExpired
            | Self::CostExceedsQuota
            | Self::CreditsExhausted
            | Self::NoSubscription
            | Self::PaymentFailed
            | Self::PaymentIncomplete
            | Self::PaymentRequired
            | Self::PlanLacksEntitlement
            | Self::QuotaExhausted
            | Self::SubscriptionExpired
            | Self::SubscriptionPaused
            | Self::TrialEnded => 402,
            Self::AccountSuspended | Self::NotForSale => 403,
            Self::RateLimited => 429,
            Self::OriginUnavailable => 502,
            Self::CheckerUnavailable | Self::Misconfigured => 503,
        }
    }

    /// Whose fault it is.
    pub const fn source(self) -> Source {
        match self {
            Self::AccountSuspended | Self::Misconfigured | Self::NotForSale => Source::Operator,
            Self::CheckerUnavailable | Self::OriginUnavailable => Source::Platform,
            _ => Source::Caller,
        }
    }
}

/// A quota and how much of it is used.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct QuotaState {
    /// The quota's name, unique in its plan: `<meter>/<period>`, such as `api/month`.
    pub name: String,
    /// Units that may be used in one period.
    pub limit: u64,
    /// Units used so far, this request included when it passed. May exceed a soft limit.
    pub used: u64,
    /// When the period ends and the count starts again.
    pub resets_at: Timestamp,
    /// The whole length of the period in seconds.
    pub window_s: u64,
    /// Whether the limit stops requests (`hard`) or only counts overage (`soft`).
    pub enforcement: Enforcement,
}

impl QuotaState {
    /// Units left, zero when a soft quota is passed.
    pub const fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// Whether it limits this meter.
    pub fn is_about(&self, meter: &str) -> bool {
        let name = self.name.strip_suffix("/member").unwrap_or(&self.name);
        name.rsplit_once('/').is_some_and(|(of, _)| of == meter)
    }
}

wire!(QuotaState { name, limit, used, resets_at, window_s, enforcement });

/// What happens when a quota is used up.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// Requests are denied.
    #[default]
    Hard,
    /// Requests pass, the overage is counted and the caller is told.
    Soft,
}

wire! { enum Enforcement { Hard, Soft } }

/// A warning on a request that passed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// The payment provider is down; nothing is wrong with the caller's card.
    ProviderOutage,
    /// A charge failed; access ends at `until` unless it is fixed.
    PaymentGrace {
        /// When the grace ends.
        until: Timestamp,
    },
    /// A threshold of a quota is reached.
    QuotaNearLimit {
        /// The quota's name.
        quota: String,
        /// The threshold, in percent of the limit.
        percent: u8,
    },
    /// A soft quota is passed.
    SoftQuotaPassed {
        /// The quota's name.
        quota: String,
    },
    /// The subscription is cancelled and ends at `at`.
    SubscriptionEnding {
        /// When it ends.
        at: Timestamp,
    },
}

#[cfg(test)]
mod tests;
