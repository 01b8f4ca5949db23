//! Everything an answer says in words. English; a translation would be a second room like this.

mod explanation;
mod words;

use std::borrow::Cow;

pub(super) use explanation::{Explanation, explanation};
pub(super) use words::{date, grouped, period_of, quota_name, when};
use words::{enumerate, quota_size};

use crate::cause::{Action, Cause, PaymentFailure, QuotaState, Remedy};
use crate::decision::{Denial, Facts};
use crate::time::Timestamp;
use crate::token::TokenError;

/// The language of everything in this room (BCP 47).
pub(super) const LANGUAGE: &str = "en";

/// What happened, as a heading. The same for every denial of this cause (RFC 9457 §3.1.3).
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

/// The facts in a sentence or two: plan, quota, dates, what is missing.
pub(super) fn detail(denial: &Denial, now: Timestamp) -> Cow<'static, str> {
    let facts = &denial.facts;
    let (the_plan, since) = (the_plan(facts), on_date(facts.since));
    let text = match denial.cause {
        Cause::AllowanceExhausted => match &denial.quota {
            Some(quota) if quota.limit == 1 => used_up(quota, "is free", now),
            Some(quota) => used_up(quota, "are free", now),
            None => "You have used everything that is free in this period.".to_owned(),
        },
        Cause::CardExpired => format!(
            "The card on file has expired, so we could not collect the payment for {the_plan}{}.",
            grace_over(facts)
        ),
        Cause::CostExceedsQuota => match &denial.quota {
            Some(quota) => format!(
                "This one request costs more than the {} that {the_plan} allows{}.",
                quota_size(quota),
                period_of(quota)
            ),
            None => format!("This one request costs more than {the_plan} ever allows."),
        },
        Cause::CreditsExhausted => {
            "All prepaid credits of your account are used, so this request was not carried out."
                .to_owned()
        }
        Cause::InvalidToken => {
            let reason = token_error(facts.token_error);
            format!("{reason} So we can't tell who is asking.")
        }
        Cause::NotForSale if facts.is_beyond_scopes => format!(
            "This needs {}, which the scopes of this API key leave out: use another key.",
            enumerate(&facts.missing)
        ),
        Cause::NotForSale if !facts.missing.is_empty() => {
            format!("This needs {}, which no plan on sale includes.", enumerate(&facts.missing))
        }
        Cause::PaymentFailed => {
            format!("We could not collect the payment for {the_plan}{}.", grace_over(facts))
        }
        Cause::PaymentIncomplete => {
            format!("The first payment for {the_plan} was begun but never completed.")
        }
        Cause::PlanLacksEntitlement if !facts.missing.is_empty() => {
            format!("This needs {}, which {the_plan} does not include.", enumerate(&facts.missing))
        }
        Cause::PlanLacksEntitlement => format!("What you asked for is not part of {the_plan}."),
        Cause::QuotaExhausted => match &denial.quota {
            Some(quota) => used_up(quota, &format!("{the_plan} includes"), now),
            None => format!("You have used everything that {the_plan} includes in this period."),
        },
        Cause::RateLimited => match denial.retry_at {
            Some(at) => format!(
                "Requests came faster than {the_plan} allows. You can try again {}.",
                when(at, now)
            ),
            None => format!("Requests came faster than {the_plan} allows."),
        },
        Cause::SubscriptionExpired => format!("Your access to {the_plan} ended{since}."),
        Cause::SubscriptionPaused => match facts.since {
            Some(at) => format!("Your access to {the_plan} has been paused since {}.", date(at)),
            None => format!("Your access to {the_plan} is paused."),
        },
        Cause::TrialEnded => format!("Your trial of {the_plan} ended{since}."),
        other => return Cow::Borrowed(fixed_detail(other)),
    };
    Cow::Owned(text)
}

/// Whose move it is, where no remedy says so yet.
pub(super) fn advice(denial: &Denial) -> &'static str {
    match (denial.cause, denial.facts.payment_failure) {
        (Cause::PaymentFailed | Cause::CardExpired, Some(failure)) => payment_advice(failure),
        (cause, _) => general_advice(cause),
    }
}

/// What helps against a failed charge, as far as the bank lets a payer know.
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

/// Two or three words above the heading that say what kind of thing this is.
pub(super) const fn kind(cause: Cause) -> &'static str {
    match cause {
        Cause::AccountSuspended | Cause::NotForSale => "No access",
        Cause::AllowanceExhausted
        | Cause::CostExceedsQuota
        | Cause::CreditsExhausted
        | Cause::QuotaExhausted
        | Cause::RateLimited => "Limit reached",
        Cause::BadRequest => "Request problem",
        Cause::CardExpired | Cause::PaymentFailed | Cause::PaymentIncomplete => "Payment problem",
        Cause::CheckerUnavailable | Cause::Misconfigured | Cause::OriginUnavailable => {
            "Our problem, not yours"
        }
        Cause::CredentialRevoked | Cause::InvalidToken | Cause::SignInRequired => "Sign-in needed",
        Cause::NoSubscription
        | Cause::PaymentRequired
        | Cause::PlanLacksEntitlement
        | Cause::SubscriptionExpired
        | Cause::SubscriptionPaused
        | Cause::TrialEnded => "Plan needed",
    }
}

/// What a button for `remedy` says.
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

/// What `remedy` asks for where there is no place to go: a whole sentence without its full stop.
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

/// Why a token was refused, for `error_description` (RFC 6750 §3: ASCII without quotes) and people.
pub(super) fn token_error(error: Option<TokenError>) -> &'static str {
    error.map_or("The token is not valid.", TokenError::describe)
}

const fn fixed_detail(cause: Cause) -> &'static str {
    match cause {
        Cause::AccountSuspended => "The operator of this service has suspended this account.",
        Cause::BadRequest => {
            "The address or a header of this request is malformed or has two meanings, so it was \
             not passed on."
        }
        Cause::CheckerUnavailable => {
            "The part of our system that checks access did not answer. Nothing is wrong with your \
             account or your payment."
        }
        Cause::CredentialRevoked => "What was sent worked once, but has been revoked since.",
        Cause::Misconfigured => {
            "Something on our side is set up wrongly, so your request could not be handled. \
             Nothing is wrong with your account or your payment."
        }
        Cause::NoSubscription => "Your account has no subscription that covers this.",
        Cause::NotForSale => "What you asked for is not included in any plan on sale.",
        Cause::OriginUnavailable => {
            "The server behind this address did not answer. Nothing is wrong with your account or \
             your payment."
        }
        Cause::PaymentRequired => "What you asked for is part of a paid plan.",
        Cause::SignInRequired => "We need to know who you are before we can show this.",
        _ => title(cause),
    }
}

fn used_up(quota: &QuotaState, includes: &str, now: Timestamp) -> String {
    let (size, period, resets) = (quota_size(quota), period_of(quota), when(quota.resets_at, now));
    if quota.remaining() == 0 {
        let all = if quota.limit == 1 { "the" } else { "all" };
        return format!(
            "You have used {all} {size} that {includes}{period}. The count starts again {resets}."
        );
    }
    format!(
        "You have {} left of the {size} that {includes}{period}, fewer than this request needs. The \
         count starts again {resets}.",
        grouped(quota.remaining())
    )
}

fn the_plan(facts: &Facts) -> Cow<'static, str> {
    match &facts.plan {
        Some(plan) => Cow::Owned(format!("the {plan} plan")),
        None => Cow::Borrowed("your plan"),
    }
}

fn grace_over(facts: &Facts) -> String {
    let over = |at| format!(", and the time to fix it ran out on {}", date(at));
    facts.since.map(over).unwrap_or_default()
}

fn on_date(at: Option<Timestamp>) -> String {
    at.map(|at| format!(" on {}", date(at))).unwrap_or_default()
}
