//! The verdict on an account: its subscriptions and the time in, its standing out.
//!
//! A thing that ends at an instant has ended at that instant.

use crate::account::{AccountRecord, Status, Subscription};
use crate::cause::{Cause, Notice, PaymentFailure};
use crate::plan::{Plan, plan_named};
use crate::time::Timestamp;

/// The state of a subscription: it grants access, or it doesn't.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It does.
    Good {
        /// Facts for its caller.
        notices: Vec<Notice>,
    },
    /// It does not.
    Denied {
        /// The cause.
        cause: Cause,
        /// The time at which the thing that ended did end, where that is known.
        since: Option<Timestamp>,
    },
}

/// Every subscription of an account, each judged for itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Judgement<'a> {
    /// Those that grant access; first the one whose plan gives most units.
    pub good: Vec<&'a Subscription>,
    /// The notices for their caller.
    pub notices: Vec<Notice>,
    /// Those that don't; first the one that is easiest to mend.
    pub denied: Vec<DeniedSubscription<'a>>,
}

/// A subscription that opens nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeniedSubscription<'a> {
    /// The subscription.
    pub subscription: &'a Subscription,
    /// The cause.
    pub cause: Cause,
    /// The time at which the thing that ended did end, where that is known.
    pub since: Option<Timestamp>,
}

impl<'a> Judgement<'a> {
    /// The subscription that decides on quotas, where there can be only one.
    pub fn leading(&self) -> Option<&'a Subscription> {
        let refused = || self.denied.first().map(|refused| refused.subscription);
        self.good.first().copied().or_else(refused)
    }
}

/// Judges every subscription of an account. `plans` are what is sold; `named` is the plan of those
/// that name none, from the caller's token; `provider_outage` is as for [`standing`].
pub fn judge<'a>(
    record: &'a AccountRecord,
    plans: &[Plan],
    named: Option<&Plan>,
    provider_outage: bool,
    now: Timestamp,
) -> Judgement<'a> {
    let mut judgement = Judgement::default();
    for (subscription, only_adds) in record.judged() {
        let plan = match &subscription.plan {
            Some(id) => plan_named(plans, id),
            None => named,
        };
        let grace_days = plan.map_or(0, |plan| plan.grace_days);
        match standing(subscription, grace_days, provider_outage, now) {
            Standing::Good { notices } => {
                let leads = judgement.good.first().and_then(|first| first.plan.as_deref());
                let leader = leads.and_then(|id| plan_named(plans, id));
                let is_best = plan.is_some_and(|plan| match leader {
                    Some(leader) => gives_more(plan, leader),
                    None => !plan.quotas.is_empty(),
                });
                if is_best {
                    judgement.good.insert(0, subscription);
                } else {
                    judgement.good.push(subscription);
                }
                if only_adds {
                    continue;
                }
                let is_new = |notice: &Notice| !judgement.notices.contains(notice);
                let notices: Vec<_> = notices.into_iter().filter(is_new).collect();
                judgement.notices.extend(notices);
            }
            Standing::Denied { .. } if only_adds => {}
            Standing::Denied { cause, since } => {
                let refused = DeniedSubscription { subscription, cause, since };
                let is_before =
                    |other: &&DeniedSubscription<'_>| other.cause.ease() <= cause.ease();
                let place = judgement.denied.iter().take_while(is_before).count();
                judgement.denied.insert(place, refused);
            }
        }
    }
    judgement
}

/// The standing of a subscription at `now`.
///
/// `grace_days` is how long a failed charge is forgiven, counted from
/// [`Subscription::payment_failed_at`] and from nothing else; a failure at an unknown time has no
/// grace. `provider_outage` is whether the payment provider is known to be down: then a charge that
/// the provider still retries and a renewal that did not come are nobody's fault. It does not bring
/// back who was given up on before.
pub fn standing(
    subscription: &Subscription,
    grace_days: u32,
    provider_outage: bool,
    now: Timestamp,
) -> Standing {
    let passed = |at: Option<Timestamp>| at.filter(|at| *at <= now);
    let while_it_lasts = match subscription.status {
        Status::None => return denied(Cause::NoSubscription, None),
        Status::Incomplete => return denied(Cause::PaymentIncomplete, None),
        Status::Ended => {
            let since =
                passed(subscription.ends_at).or(passed(subscription.current_period_ends_at));
            return denied(Cause::SubscriptionExpired, since);
        }
        Status::Trialing if passed(subscription.trial_ends_at).is_some() => {
            return denied(Cause::TrialEnded, subscription.trial_ends_at);
        }
        Status::Paused => denied(Cause::SubscriptionPaused, None),
        Status::PastDue | Status::Unpaid => {
            after_failed_charge(subscription, grace_days, provider_outage, now)
        }
        Status::Trialing if subscription.trial_ends_at.is_some() => good(subscription, None),
        Status::Trialing | Status::Active => {
            while_renewing(subscription, grace_days, provider_outage, now)
        }
    };
    match passed(subscription.ends_at) {
        Some(end) => denied(Cause::SubscriptionExpired, Some(end)),
        None => while_it_lasts,
    }
}

/// Whether a token is revoked: by its id, or because it was issued before the account's cut.
///
/// A token without a time of issue can't show that it came after a cut. Any cut revokes it.
pub fn is_revoked(
    record: &AccountRecord,
    token_id: Option<&str>,
    issued_at: Option<Timestamp>,
) -> bool {
    let by_id = token_id.is_some_and(|id| record.revoked_tokens.iter().any(|other| other == id));
    let by_age = record
        .tokens_revoked_before
        .is_some_and(|cut| issued_at.is_none_or(|issued_at| issued_at < cut));
    by_id || by_age
}

/// Whether `plan` gives at least as much as `leader` of all that this limits, and of something
/// more. A plan without quotas leaves the lead to one with them.
fn gives_more(plan: &Plan, leader: &Plan) -> bool {
    let covers = |one: &Plan, other: &Plan| {
        other.quotas.iter().all(|quota| {
            let same = one.quotas.iter().find(|mine| mine.name() == quota.name());
            same.is_some_and(|mine| mine.limit >= quota.limit)
        })
    };
    !plan.quotas.is_empty() && covers(plan, leader) && !covers(leader, plan)
}

fn after_failed_charge(
    subscription: &Subscription,
    grace_days: u32,
    provider_outage: bool,
    now: Timestamp,
) -> Standing {
    let still_retried = subscription.status == Status::PastDue;
    let failed_by_outage = subscription.payment_failure == Some(PaymentFailure::ProviderOutage);
    if failed_by_outage || (provider_outage && still_retried) {
        return good(subscription, Some(Notice::ProviderOutage));
    }
    let grace_ends_at = subscription.payment_failed_at.map(|at| days_after(at, grace_days));
    match grace_ends_at {
        Some(until) if still_retried && now < until => {
            good(subscription, Some(Notice::PaymentGrace { until }))
        }
        _ if subscription.payment_failure == Some(PaymentFailure::CardExpired) => {
            denied(Cause::CardExpired, grace_ends_at.filter(|at| *at <= now))
        }
        _ => denied(Cause::PaymentFailed, grace_ends_at.filter(|at| *at <= now)),
    }
}

/// A period that is over and was not renewed: the news may only be late, so this waits for it.
fn while_renewing(
    subscription: &Subscription,
    grace_days: u32,
    provider_outage: bool,
    now: Timestamp,
) -> Standing {
    let patience_days = grace_days.saturating_add(RENEWAL_NEWS_DAYS);
    match subscription.current_period_ends_at {
        Some(end) if days_after(end, patience_days) <= now => {
            if provider_outage {
                good(subscription, Some(Notice::ProviderOutage))
            } else {
                denied(Cause::SubscriptionExpired, Some(end))
            }
        }
        _ => good(subscription, None),
    }
}

fn good(subscription: &Subscription, notice: Option<Notice>) -> Standing {
    let ending = subscription.ends_at.map(|at| Notice::SubscriptionEnding { at });
    Standing::Good { notices: notice.into_iter().chain(ending).collect() }
}

const fn denied(cause: Cause, since: Option<Timestamp>) -> Standing {
    Standing::Denied { cause, since }
}

fn days_after(at: Timestamp, days: u32) -> Timestamp {
    at.plus_seconds(i64::from(days).saturating_mul(SECONDS_PER_DAY))
}

/// Greatest delay of the news of a renewal, beside the grace: Stripe sends a webhook again for up
/// to three days.
pub const RENEWAL_NEWS_DAYS: u32 = 3;

const SECONDS_PER_DAY: i64 = 86_400;

#[cfg(test)]
mod stories;
