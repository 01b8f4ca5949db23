//! Causes of denials, and the facts that go with them: remedies, notices and the state of quotas.

mod notice;
mod payment_failure;
mod quota_state;
mod remedy;

pub use notice::Notice;
pub use payment_failure::PaymentFailure;
pub use quota_state::QuotaState;
pub use remedy::{Action, Remedy};

use crate::words::words;

/// Declares [`Cause`] from a table with one row per cause:
///
/// `Variant = "word": status, Source, Group, Mend, outage OUTAGE, ease EASE;`
///
/// The compiler then leads to its sentences in `answer/message/` and to its remedies in
/// `gate/remedies.rs`.
macro_rules! causes {
    ($(
        $(#[$meta:meta])*
        $variant:ident = $word:literal:
            $status:literal, $source:ident, $group:ident, $mend:ident, outage $outage:literal,
            ease $ease:literal;
    )+) => {
        words! {
            /// The reason of a denial. Closed: a further one is a change of the public contract.
            #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
            pub enum Cause: Serialize {
                $($(#[$meta])* $variant = $word),+
            }
        }

        impl Cause {
            /// The HTTP status. 402 only where a payment action by this caller fixes it (RFC 9110
            /// §15.5.3).
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$variant => $status),+
                }
            }

            /// The party at fault.
            pub const fn source(self) -> Source {
                match self {
                    $(Self::$variant => Source::$source),+
                }
            }

            /// The kind of denial, as a heading names it.
            pub const fn group(self) -> Group {
                match self {
                    $(Self::$variant => Group::$group),+
                }
            }

            /// The thing that brings access back.
            pub const fn mend(self) -> Mend {
                match self {
                    $(Self::$variant => Mend::$mend),+
                }
            }

            /// Whether an outage of the payment provider may explain it, which is then a reason not
            /// to deny.
            pub const fn may_be_outage(self) -> bool {
                match self {
                    $(Self::$variant => $outage),+
                }
            }

            /// The place among the causes that deny the subscriptions of one account: what is
            /// easiest to mend comes first, from 0.
            pub const fn ease(self) -> u8 {
                match self {
                    $(Self::$variant => $ease),+
                }
            }
        }
    };
}

// In the order of the words.
causes! {
    /// The operator suspended the account.
    AccountSuspended = "account-suspended":
        403, Operator, NoAccess, Otherwise, outage false, ease 5;
    /// The anonymous reader's free allowance is used up.
    AllowanceExhausted = "allowance-exhausted":
        402, Caller, LimitReached, Otherwise, outage false, ease 5;
    /// The request can't be read safely, for example a path with two meanings.
    BadRequest = "bad-request":
        400, Caller, RequestProblem, Otherwise, outage false, ease 5;
    /// The payment failed because the card itself has expired.
    CardExpired = "card-expired":
        402, Caller, PaymentProblem, Payment, outage true, ease 0;
    /// The ledger did not answer in time.
    CheckerUnavailable = "checker-unavailable":
        503, Platform, OwnProblem, Itself, outage false, ease 5;
    /// This single request costs more than the quota could ever allow.
    CostExceedsQuota = "cost-exceeds-quota":
        402, Caller, LimitReached, Otherwise, outage false, ease 5;
    /// The credential was valid once and has been revoked.
    CredentialRevoked = "credential-revoked":
        401, Caller, SignInNeeded, Otherwise, outage false, ease 5;
    /// Prepaid credits are used up.
    CreditsExhausted = "credits-exhausted":
        402, Caller, LimitReached, Payment, outage false, ease 5;
    /// The token is malformed, badly signed, expired or for somebody else.
    InvalidToken = "invalid-token":
        401, Caller, SignInNeeded, Otherwise, outage false, ease 5;
    /// The operator's configuration is broken.
    Misconfigured = "misconfigured":
        503, Operator, OwnProblem, Otherwise, outage false, ease 5;
    /// The account has no subscription.
    NoSubscription = "no-subscription":
        402, Caller, PlanNeeded, Payment, outage false, ease 5;
    /// No plan on sale has the entitlement.
    NotForSale = "not-for-sale":
        403, Operator, NoAccess, Otherwise, outage false, ease 5;
    /// The origin did not answer.
    OriginUnavailable = "origin-unavailable":
        502, Platform, OwnProblem, Itself, outage false, ease 5;
    /// A charge failed and the grace is over.
    PaymentFailed = "payment-failed":
        402, Caller, PaymentProblem, Payment, outage true, ease 1;
    /// The first payment was never finished.
    PaymentIncomplete = "payment-incomplete":
        402, Caller, PaymentProblem, Payment, outage false, ease 2;
    /// No credential, on a route that is offered for sale.
    PaymentRequired = "payment-required":
        402, Caller, PlanNeeded, Otherwise, outage false, ease 5;
    /// The plan lacks the entitlement, and another plan on sale has it.
    PlanLacksEntitlement = "plan-lacks-entitlement":
        402, Caller, PlanNeeded, Payment, outage false, ease 5;
    /// A hard quota is used up.
    QuotaExhausted = "quota-exhausted":
        402, Caller, LimitReached, Payment, outage false, ease 5;
    /// The burst rate was exceeded.
    RateLimited = "rate-limited":
        429, Caller, LimitReached, Otherwise, outage false, ease 5;
    /// No credential.
    SignInRequired = "sign-in-required":
        401, Caller, SignInNeeded, Otherwise, outage false, ease 5;
    /// The subscription ran out or was cancelled.
    SubscriptionExpired = "subscription-expired":
        402, Caller, PlanNeeded, Payment, outage true, ease 5;
    /// The subscription is paused.
    SubscriptionPaused = "subscription-paused":
        402, Caller, PlanNeeded, Payment, outage false, ease 3;
    /// The trial is over.
    TrialEnded = "trial-ended":
        402, Caller, PlanNeeded, Payment, outage false, ease 4;
}

/// The party at fault. An operator's log can be limited to denials of the other two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// The caller, who can fix it.
    Caller,
    /// The operator, by mistake or by decision.
    Operator,
    /// The gate or something it depends on.
    Platform,
}

/// The kind of a denial, for a reader who sees no more than a heading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Group {
    /// A limit is reached.
    LimitReached,
    /// Neither signing in nor paying gives access.
    NoAccess,
    /// Something is wrong on the side of the operator or the gate.
    OwnProblem,
    /// A payment has to be made good or finished.
    PaymentProblem,
    /// A plan has to be chosen or taken up again.
    PlanNeeded,
    /// The request has to be changed.
    RequestProblem,
    /// A valid credential is missing.
    SignInNeeded,
}

/// The thing that brings access back after a denial.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mend {
    /// A payment by a known caller: the gate can be asked whether access is back.
    Payment,
    /// Nothing that the caller does: it ends on its own, at a time that is not known.
    Itself,
    /// Something else.
    Otherwise,
}

#[cfg(test)]
mod tests;
