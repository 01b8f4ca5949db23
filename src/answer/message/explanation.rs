//! The page behind a problem type URI: a cause explained to a reader of its documentation.

use crate::cause::Cause;

/// A cause explained.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Explanation {
    /// The meaning of the cause.
    pub(crate) meaning: &'static str,
    /// Advice for the caller.
    pub(crate) caller: &'static str,
    /// Advice for the operator.
    pub(crate) operator: &'static str,
}

/// The explanation of `cause`.
#[expect(clippy::too_many_lines, reason = "a catalogue: one entry per cause")]
pub(crate) const fn explanation(cause: Cause) -> Explanation {
    let (meaning, caller, operator) = match cause {
        Cause::AccountSuspended => (
            "The operator has suspended the account. The credential is valid and payments may be up to date.",
            "Contact support. Paying or retrying does not lift a suspension.",
            "Look at the account's record and at the audit trail for who suspended it and why.",
        ),
        Cause::AllowanceExhausted => (
            "Callers without an account may use this a number of times per period, and those are used up.",
            "Choose a plan or sign in to continue now, or wait until the allowance starts again.",
            "Check the free allowance of the route. Many of these are readers worth an offer.",
        ),
        Cause::BadRequest => (
            "The request is malformed, or its path could mean two different things, so it was not passed on.",
            "Send a plain path: no encoded slashes, no dot segments, no control characters.",
            "Rare in good traffic. A burst from one source is usually somebody probing.",
        ),
        Cause::CardExpired => (
            "A charge failed because the card on file has expired, and the grace period is over.",
            "Update the payment method. Access comes back within seconds of a successful payment.",
            "Check that expiry reminders are sent before the renewal date.",
        ),
        Cause::CheckerUnavailable => (
            "The counter that decides about this request did not answer in time. The caller did nothing wrong.",
            "Retry after a moment, with increasing pauses.",
            "Look at the ledger's errors and latency. Routes and plans can choose to pass during an outage.",
        ),
        Cause::CostExceedsQuota => (
            "This single request costs more units than the quota allows in a whole period.",
            "Send a smaller request or choose a larger plan. Waiting never helps.",
            "Compare the route's cost with the smallest quota that is meant to reach it.",
        ),
        Cause::CredentialRevoked => (
            "The key or token was valid once and has been revoked.",
            "Sign in again or use a current key. Do not retry with the same one.",
            "Look for the revocation in the audit trail. Repeated use may mean that a key leaked.",
        ),
        Cause::CreditsExhausted => (
            "The prepaid credits of the account are used up.",
            "Buy more credits. The request can then be repeated as it is.",
            "Check that customers are warned before their credits run out.",
        ),
        Cause::InvalidToken => (
            "The token is malformed, badly signed, expired, or meant for another service.",
            "Get a fresh token and repeat the request. The WWW-Authenticate header says what is wrong.",
            "Many at once point at a rotated key, a wrong audience or a clock, not at the callers.",
        ),
        Cause::Misconfigured => (
            "The gate's configuration is invalid. The caller did nothing wrong.",
            "Try again later and give support the support id.",
            "Read the gate's health endpoint: it names every mistake and how to fix it.",
        ),
        Cause::NoSubscription => (
            "The account is known but has no subscription.",
            "Choose a plan.",
            "If the customer did pay, check that the provider's webhooks arrive and name this account.",
        ),
        Cause::NotForSale => (
            "The request needs an entitlement that no plan on sale includes. Paying does not help.",
            "Contact support if you think that you should have access.",
            "Unless this is meant, add the entitlement to a plan or correct the route.",
        ),
        Cause::OriginUnavailable => (
            "The server behind the gate did not answer. The caller did nothing wrong.",
            "Retry after a moment, with increasing pauses.",
            "Look at the origin's health and at the address the gate uses for it.",
        ),
        Cause::PaymentFailed => (
            "A charge for the subscription failed, and the grace period is over.",
            "Update the payment method. Access comes back within seconds of a successful payment.",
            "A sudden rise over many accounts points at the payment provider: declare an outage.",
        ),
        Cause::PaymentIncomplete => (
            "The first payment was begun and never finished, often at the bank's confirmation step.",
            "Finish the payment, or begin again with another payment method.",
            "Many of these point at a broken checkout or confirmation page.",
        ),
        Cause::PaymentRequired => (
            "The request carried no credential, and what it asked for is on sale.",
            "Sign in if you are a customer. Otherwise choose a plan.",
            "This is what the route asks for with `anonymous = \"offer\"`.",
        ),
        Cause::PlanLacksEntitlement => (
            "The plan of the account does not include what the request needs; another plan does.",
            "Change to a plan that includes it. The answer names one.",
            "If the customer should have it, compare the plan's entitlements with the route's.",
        ),
        Cause::QuotaExhausted => (
            "The plan's quota for this period is used up.",
            "Change to a larger plan, or wait until the time given in the answer.",
            "A customer who meets this often needs a larger plan or an earlier warning.",
        ),
        Cause::RateLimited => (
            "Requests came faster than the burst limit allows. This is about speed, not about money.",
            "Wait for the seconds given in Retry-After, then continue more slowly.",
            "If good callers meet this often, raise the limit of their plan.",
        ),
        Cause::SignInRequired => (
            "The request carried no credential, and this is not open to everybody.",
            "Sign in, or send a token or key with the request.",
            "If this should be open, say so in the route.",
        ),
        Cause::SubscriptionExpired => (
            "The subscription ran out or was cancelled, and its last period is over.",
            "Renew the subscription or choose a plan.",
            "If the customer did renew, check that the provider's webhooks arrive.",
        ),
        Cause::SubscriptionPaused => (
            "The subscription is paused, and nothing is charged meanwhile.",
            "Resume the subscription.",
            "If nobody paused it, look at the provider's record of this subscription.",
        ),
        Cause::TrialEnded => (
            "The trial is over and no paid plan followed.",
            "Choose a plan to continue.",
            "Check that trial users are told before the last day.",
        ),
    };
    Explanation { meaning, caller, operator }
}
