//! Causes of denials, and the facts that go with them: remedies, notices and the state of quotas.

mod notice;
mod payment_failure;
mod quota_state;
mod remedy;

pub use notice::Notice;
pub use payment_failure::PaymentFailure;
pub use quota_state::QuotaState;
pub use remedy::{Action, Remedy};

use serde::Serialize;

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

#[cfg(test)]
mod tests;
