//! The facts of one denial in a sentence or two.

use std::borrow::Cow;

use super::words::{date, enumerate, grouped, period_of, quota_size, when};
use crate::cause::{Cause, QuotaState};
use crate::decision::{Denial, Facts};
use crate::time::Timestamp;
use crate::token::TokenError;

/// The facts in a sentence or two: plan, quota, dates, what is missing.
#[expect(clippy::too_many_lines, reason = "a catalogue: one entry per cause")]
pub(crate) fn detail(denial: &Denial, now: Timestamp) -> Cow<'static, str> {
    let facts = &denial.facts;
    let the_plan = the_plan(facts);
    let text = match denial.cause {
        Cause::AccountSuspended => {
            return "The operator of this service has suspended this account.".into();
        }
        Cause::AllowanceExhausted => match &denial.quota {
            Some(quota) if quota.limit == 1 => used_up(quota, "is free", now),
            Some(quota) => used_up(quota, "are free", now),
            None => return "You have used everything that is free in this period.".into(),
        },
        Cause::BadRequest => {
            return "The address or a header of this request is malformed or has two meanings, so \
                    it was not passed on."
                .into();
        }
        Cause::CardExpired => format!(
            "The card on file has expired, so we could not collect the payment for {the_plan}{}.",
            grace_over(facts)
        ),
        Cause::CheckerUnavailable => {
            return "The part of our system that checks access did not answer. Nothing is wrong \
                    with your account or your payment."
                .into();
        }
        Cause::CostExceedsQuota => match &denial.quota {
            Some(quota) => format!(
                "This one request costs more than the {} that {the_plan} allows{}.",
                quota_size(quota),
                period_of(&quota.name)
            ),
            None => format!("This one request costs more than {the_plan} ever allows."),
        },
        Cause::CredentialRevoked => {
            return "What was sent worked once, but has been revoked since.".into();
        }
        Cause::CreditsExhausted => {
            return "All prepaid credits of your account are used, so this request was not carried \
                    out."
                .into();
        }
        Cause::InvalidToken => {
            let reason = token_error(facts.token_error);
            format!("{reason} So we can't tell who is asking.")
        }
        Cause::Misconfigured => {
            return "Something on our side is set up wrongly, so your request could not be handled. \
                    Nothing is wrong with your account or your payment."
                .into();
        }
        Cause::NoSubscription => {
            return "Your account has no subscription that covers this.".into();
        }
        Cause::NotForSale if facts.is_beyond_scopes => format!(
            "This needs {}, which the scopes of this API key leave out: use another key.",
            enumerate(&facts.missing)
        ),
        Cause::NotForSale if !facts.missing.is_empty() => {
            format!("This needs {}, which no plan on sale includes.", enumerate(&facts.missing))
        }
        Cause::NotForSale => {
            return "What you asked for is not included in any plan on sale.".into();
        }
        Cause::OriginUnavailable => {
            return "The server behind this address did not answer. Nothing is wrong with your \
                    account or your payment."
                .into();
        }
        Cause::PaymentFailed => {
            format!("We could not collect the payment for {the_plan}{}.", grace_over(facts))
        }
        Cause::PaymentIncomplete => {
            format!("The first payment for {the_plan} was begun but never completed.")
        }
        Cause::PaymentRequired => return "What you asked for is part of a paid plan.".into(),
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
        Cause::SignInRequired => {
            return "We need to know who you are before we can show this.".into();
        }
        Cause::SubscriptionExpired => {
            format!("Your access to {the_plan} ended{}.", on_date(facts.since))
        }
        Cause::SubscriptionPaused => match facts.since {
            Some(at) => format!("Your access to {the_plan} has been paused since {}.", date(at)),
            None => format!("Your access to {the_plan} is paused."),
        },
        Cause::TrialEnded => format!("Your trial of {the_plan} ended{}.", on_date(facts.since)),
    };
    Cow::Owned(text)
}

/// Whether [`detail`] names the time at which a retry can succeed.
pub(crate) fn says_when(denial: &Denial) -> bool {
    denial.retry_at.is_some() && (denial.quota.is_some() || denial.cause == Cause::RateLimited)
}

/// The reason to refuse a token, for `error_description` and people.
pub(super) fn token_error(error: Option<TokenError>) -> &'static str {
    error.map_or("The token is not valid.", TokenError::describe)
}

fn used_up(quota: &QuotaState, includes: &str, now: Timestamp) -> String {
    let (size, period, resets) =
        (quota_size(quota), period_of(&quota.name), when(quota.resets_at, now));
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
