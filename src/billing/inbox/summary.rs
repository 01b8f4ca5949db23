//! The standing of an account, in a few words for the inbox's list.

use super::customer::CustomerKey;
use super::message::AccountSummary;
use crate::account::{AccountRecord, Customer, ProviderSubscription, Status, judge};
use crate::cause::Cause;
use crate::identity::AccountName;
use crate::plan::{Plan, plan_named};
use crate::time::Timestamp;

impl AccountSummary {
    /// The summary of an account's record at `now`, the time of its change.
    pub fn of(
        account: &AccountName,
        record: &AccountRecord,
        plans: &[Plan],
        provider_outage: bool,
        now: Timestamp,
    ) -> Self {
        let judgement = judge(record, plans, None, provider_outage, now);
        let leading = judgement.leading();
        let cause = if record.suspended {
            Some(Cause::AccountSuspended)
        } else if judgement.good.is_empty() {
            let refused = judgement.denied.first().map(|refused| refused.cause);
            Some(refused.unwrap_or(Cause::NoSubscription))
        } else {
            None
        };
        Self {
            account: account.clone(),
            plan: leading.and_then(|leading| leading.plan.clone()),
            status: leading.map_or(Status::None, |leading| leading.status).word().to_owned(),
            cause: cause.map(|cause| cause.word().to_owned()),
            updated_at: now,
            look_at: look_at(record, plans, now),
        }
    }
}

/// The customers that pay for an account's subscriptions: first of those that open something, as
/// they lead, then of those that are easiest to mend. A customer that the provider deleted pays for
/// nothing any more.
pub fn payers(
    record: &AccountRecord,
    plans: &[Plan],
    provider_outage: bool,
    now: Timestamp,
) -> Vec<CustomerKey> {
    let judgement = judge(record, plans, None, provider_outage, now);
    let refused = judgement.denied.iter().map(|refused| refused.subscription);
    let mut customers: Vec<CustomerKey> = Vec::new();
    for subscription in judgement.good.iter().copied().chain(refused) {
        let is_it =
            |one: &&ProviderSubscription| std::ptr::eq(&raw const one.subscription, subscription);
        let Some(billed) = record.billed.iter().find(is_it) else { continue };
        let Some(id) = billed.customer.clone() else { continue };
        let key = CustomerKey { provider: billed.provider, id };
        let is_deleted = record.customers.iter().any(|one| {
            one.provider == key.provider && one.id == key.id && one.deleted_at.is_some()
        });
        if !is_deleted && !customers.contains(&key) {
            customers.push(key);
        }
    }
    customers
}

/// The time to read an account's customers again from their provider, unless news come before.
fn look_at(record: &AccountRecord, plans: &[Plan], now: Timestamp) -> Option<Timestamp> {
    if record.customers.is_empty() {
        return None;
    }
    let is_in_doubt = |billed: &ProviderSubscription| {
        billed.last_report.as_ref().is_some_and(|report| report.is_in_doubt)
    };
    if record.billed.iter().any(is_in_doubt)
        || record.customers.iter().any(Customer::lacks_entitlements)
    {
        return Some(now.plus_ms(IN_DOUBT_MS));
    }
    let moments = record.billed.iter().filter_map(|billed| moment(billed, plans));
    moments.filter_map(|moment| from(moment, now)).min()
}

/// The time at which the known facts are about to decide something: the grace ends, or news of a
/// renewal should have come.
fn moment(billed: &ProviderSubscription, plans: &[Plan]) -> Option<Timestamp> {
    let known = billed.known()?;
    match known.status {
        Status::PastDue => {
            let plan = known.plan.as_deref().and_then(|id| plan_named(plans, id));
            let grace_s = plan.map_or(0, |plan| i64::from(plan.grace_days)).saturating_mul(DAY_S);
            Some(known.payment_failed_at?.plus_seconds(grace_s).plus_ms(-BEFORE_GRACE_ENDS_MS))
        }
        Status::Trialing => {
            let ends_at = known.trial_ends_at.or(known.current_period_ends_at)?;
            Some(ends_at.plus_ms(NEWS_LATE_MS))
        }
        Status::Active => Some(known.current_period_ends_at?.plus_ms(NEWS_LATE_MS)),
        Status::None | Status::Incomplete | Status::Unpaid | Status::Paused | Status::Ended => None,
    }
}

/// The moment, if it is to come; else now and then for a while.
fn from(moment: Timestamp, now: Timestamp) -> Option<Timestamp> {
    if moment > now {
        return Some(moment);
    }
    (now.ms_since(moment) < GIVE_UP_MS).then(|| now.plus_ms(AGAIN_MS))
}

/// A reread fact counts as of a second ago, and so has to be read later than that.
const IN_DOUBT_MS: i64 = 3_000;
const DAY_S: i64 = 86_400;
/// Early enough to see a payment before somebody is locked out who has paid.
const BEFORE_GRACE_ENDS_MS: i64 = 2 * 3_600_000;
/// Providers close an invoice about an hour after the period is over.
const NEWS_LATE_MS: i64 = 2 * 3_600_000;
const AGAIN_MS: i64 = 6 * 3_600_000;
/// News that have not come by then never will.
const GIVE_UP_MS: i64 = 7 * 86_400_000;
