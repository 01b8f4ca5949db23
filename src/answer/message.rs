//! The sentences of an answer, in English. A translation would be a second module like this.

mod detail;
mod explanation;
mod words;

use std::borrow::Cow;

use detail::token_error;
pub(super) use detail::{detail, says_when};
pub(super) use explanation::{Explanation, explanation};
pub(super) use words::{date, grouped, quota_name, when};

use crate::cause::{Action, Cause, Group, PaymentFailure, Remedy};
use crate::decision::Denial;
use crate::time::Timestamp;

/// The language of everything in this room (BCP 47).
pub(super) const LANGUAGE: &str = "en";

/// The heading. The same for every denial of this cause (RFC 9457 §3.1.3).
pub(super) const fn title(cause: Cause) -> &'static str {
    match cause {
        Cause::AccountSuspended => "This account is suspended",
        Cause::AllowanceExhausted => "Your free allowance is used up",
        Cause::BadRequest => "This request can't be read",
        Cause::CardExpired => "Your card has expired",
        Cause::CheckerUnavailable => "We can't check your access right now",
        Cause::CostExceedsQuota => "This request is larger than your plan allows",
        Cause::CredentialRevoked => "This key or token was revoked",
        Cause::CreditsExhausted => "Your credits are used up",
        Cause::InvalidToken => "Your sign-in is not valid",
        Cause::Misconfigured => "We have a problem on our side",
        Cause::NoSubscription => "This needs a subscription",
        Cause::NotForSale => "This is not part of any plan",
        Cause::OriginUnavailable => "Our service is not answering",
        Cause::PaymentFailed => "Your payment did not go through",
        Cause::PaymentIncomplete => "Your first payment is not finished",
        Cause::PaymentRequired => "This is for paying customers",
        Cause::PlanLacksEntitlement => "Your plan does not include this",
        Cause::QuotaExhausted => "Your plan's limit is reached",
        Cause::RateLimited => "Too many requests at once",
        Cause::SignInRequired => "Please sign in",
        Cause::SubscriptionExpired => "Your subscription has ended",
        Cause::SubscriptionPaused => "Your subscription is paused",
        Cause::TrialEnded => "Your trial has ended",
    }
}

/// Advice on the next move, where no remedy gives it yet.
pub(super) fn advice(denial: &Denial) -> &'static str {
    match (denial.cause, denial.facts.payment_failure) {
        (Cause::PaymentFailed | Cause::CardExpired, Some(failure)) => payment_advice(failure),
        (cause, _) => general_advice(cause),
    }
}

/// Help against a failed charge, as far as the bank reveals the reason to a payer.
const fn payment_advice(failure: PaymentFailure) -> &'static str {
    match failure {
        PaymentFailure::AuthenticationRequired => {
            "Your bank wants you to confirm the payment: open your payment page and follow its \
             steps."
        }
        PaymentFailure::CardData => {
            "A number, date or code of your card is wrong: correct the card details, and access \
             comes back within moments."
        }
        PaymentFailure::CardExpired => {
            "Put in a card that is still valid, and access comes back within moments."
        }
        #[cfg(feature = "drills")]
        PaymentFailure::Drill => "A drill.",
        PaymentFailure::Declined => {
            "Your bank declined the payment: ask your bank, or use another card or payment method."
        }
        PaymentFailure::InsufficientFunds => {
            "There was not enough money or credit on the card: use another card, or try again \
             later."
        }
        PaymentFailure::Merchant => {
            "Nothing is wrong with your card: something on our side is. Please contact support."
        }
        PaymentFailure::ProviderOutage | PaymentFailure::TryLater => {
            "Nothing may be wrong with your card: try the payment once more in a little while."
        }
    }
}

const fn general_advice(cause: Cause) -> &'static str {
    match cause {
        Cause::AccountSuspended => "Please get in touch with support; paying does not lift this.",
        Cause::AllowanceExhausted => "Choose a plan to continue now.",
        Cause::BadRequest => "Check the address for typing mistakes, then send it again.",
        Cause::CardExpired | Cause::PaymentFailed => {
            "Update your payment method and access comes back within moments."
        }
        Cause::CheckerUnavailable | Cause::OriginUnavailable => {
            "There is nothing for you to fix. Please try again in a moment."
        }
        Cause::CostExceedsQuota => {
            "Waiting does not help: send a smaller request or choose a larger plan."
        }
        Cause::CredentialRevoked => "Sign in again, or use a key or token that is still valid.",
        Cause::CreditsExhausted => "Buy more credits to continue.",
        Cause::InvalidToken => "Sign in again, or send a fresh token.",
        Cause::Misconfigured => "There is nothing for you to fix. We need to repair this.",
        Cause::NoSubscription | Cause::PaymentRequired => "Choose a plan to get access.",
        Cause::NotForSale => "If you think you should have access, ask support.",
        Cause::PaymentIncomplete => "Finish the payment to start using it.",
        Cause::PlanLacksEntitlement => "Change to a plan that includes it and continue right away.",
        Cause::QuotaExhausted => "Change to a larger plan to continue now.",
        Cause::RateLimited => "Slow down a little. Nothing is wrong with your account.",
        Cause::SignInRequired => "Sign in, or send a credential with the request.",
        Cause::SubscriptionExpired => "Renew the subscription to get back in.",
        Cause::SubscriptionPaused => "Resume the subscription to get back in.",
        Cause::TrialEnded => "Choose a plan to keep going.",
    }
}

/// Two or three words above the heading: the kind of the denial.
pub(super) const fn kind(cause: Cause) -> &'static str {
    match cause.group() {
        Group::LimitReached => "Limit reached",
        Group::NoAccess => "No access",
        Group::OwnProblem => "Our problem, not yours",
        Group::PaymentProblem => "Payment problem",
        Group::PlanNeeded => "Plan needed",
        Group::RequestProblem => "Request problem",
        Group::SignInNeeded => "Sign-in needed",
    }
}

/// The text of a button for `remedy`.
pub(super) fn label(remedy: &Remedy) -> Cow<'static, str> {
    if let (Action::ChoosePlan, Some(plan)) = (remedy.action, &remedy.plan) {
        return Cow::Owned(format!("Get {}", plan.name));
    }
    Cow::Borrowed(match remedy.action {
        Action::BuyCredits => "Buy more credits",
        Action::CheckAgain => "I have paid",
        Action::ChoosePlan => "See plans",
        Action::ContactSupport => "Contact support",
        Action::FinishPayment => "Finish the payment",
        Action::ReduceCost => "Send a smaller request",
        Action::ResumeSubscription => "Resume subscription",
        Action::SignIn => "Sign in",
        Action::UpdatePayment => "Update payment method",
        Action::Wait => "Wait, then try again",
    })
}

/// The request of `remedy` where there is no place to go: a whole sentence without its full stop.
pub(super) fn instruction(
    remedy: &Remedy,
    retry_at: Option<Timestamp>,
    now: Timestamp,
) -> Cow<'static, str> {
    let fixed = match (remedy.action, &remedy.plan, retry_at) {
        (Action::ChoosePlan, Some(plan), _) => {
            let price = plan.price.as_deref().map(|price| format!(" ({price})"));
            return format!("Choose the plan {}{}", plan.name, price.unwrap_or_default()).into();
        }
        (Action::Wait, _, Some(at)) => return format!("Try again {}", when(at, now)).into(),
        (Action::BuyCredits, ..) => "Buy more credits",
        (Action::CheckAgain, ..) => "After paying, look whether access is back",
        (Action::ChoosePlan, ..) => "Choose a plan that includes this",
        (Action::ContactSupport, ..) => "Contact support and quote the support id",
        (Action::FinishPayment, ..) => "Finish the payment that was begun",
        (Action::ReduceCost, ..) => "Send a request that costs less",
        (Action::ResumeSubscription, ..) => "Resume the subscription",
        (Action::SignIn, ..) => "Sign in, or send a valid credential",
        (Action::UpdatePayment, ..) => "Update the payment method of your account",
        (Action::Wait, ..) => "Wait a little, then try again",
    };
    Cow::Borrowed(fixed)
}

/// The fault of the credential that was sent, for `error_description` (RFC 6750 §3: ASCII without
/// quotes); `None` where none was sent (§3.1), or where it has no fault.
pub(super) fn credential_fault(denial: &Denial) -> Option<&'static str> {
    match denial.cause {
        Cause::CredentialRevoked => Some("The token was revoked."),
        Cause::InvalidToken => Some(token_error(denial.facts.token_error)),
        Cause::AccountSuspended
        | Cause::AllowanceExhausted
        | Cause::BadRequest
        | Cause::CardExpired
        | Cause::CheckerUnavailable
        | Cause::CostExceedsQuota
        | Cause::CreditsExhausted
        | Cause::Misconfigured
        | Cause::NoSubscription
        | Cause::NotForSale
        | Cause::OriginUnavailable
        | Cause::PaymentFailed
        | Cause::PaymentIncomplete
        | Cause::PaymentRequired
        | Cause::PlanLacksEntitlement
        | Cause::QuotaExhausted
        | Cause::RateLimited
        | Cause::SignInRequired
        | Cause::SubscriptionExpired
        | Cause::SubscriptionPaused
        | Cause::TrialEnded => None,
    }
}
