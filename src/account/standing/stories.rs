//! Short stories of accounts and their subscriptions: the place to try out a change to judging.
//! Every row of the table and its edges are tested in `tests/account_standing.rs`.

use super::{Judgement, Standing, judge, standing};
use crate::account::{AccountRecord, Status, Subscription};
use crate::cause::{Cause, Notice, PaymentFailure};
use crate::plan::{Plan, Quota};
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);
const GRACE_DAYS: u32 = 3;

#[test]
fn a_charge_fails_and_its_grace_runs_out() {
    let failed_at = |days: i64| Subscription {
        payment_failed_at: Some(days_from_now(-days)),
        ..with(Status::PastDue)
    };
    let notice = Notice::PaymentGrace { until: days_from_now(1) };
    assert_eq!(at_present(&failed_at(2)), Standing::Good { notices: vec![notice] });
    let denied = Standing::Denied { cause: Cause::PaymentFailed, since: Some(NOW) };
    assert_eq!(at_present(&failed_at(3)), denied, "the last instant is over");
    let expired = Some(PaymentFailure::CardExpired);
    let denied = Standing::Denied { cause: Cause::CardExpired, since: Some(NOW) };
    assert_eq!(at_present(&Subscription { payment_failure: expired, ..failed_at(3) }), denied);
}

#[test]
fn a_cancelled_subscription_lasts_to_its_end_and_no_longer() {
    let ends_at = |at| Subscription { ends_at: Some(at), ..with(Status::Active) };
    let tomorrow = days_from_now(1);
    let notices = vec![Notice::SubscriptionEnding { at: tomorrow }];
    assert_eq!(at_present(&ends_at(tomorrow)), Standing::Good { notices });
    let denied = Standing::Denied { cause: Cause::SubscriptionExpired, since: Some(NOW) };
    assert_eq!(at_present(&ends_at(NOW)), denied);
    // The end counts before anything that might be mended until then.
    let paused = Subscription { status: Status::Paused, ..ends_at(NOW) };
    assert_eq!(at_present(&paused), denied);
}

#[test]
fn the_news_of_a_renewal_may_be_late() {
    let period_ended = |days: i64| Subscription {
        current_period_ends_at: Some(days_from_now(-days)),
        ..with(Status::Active)
    };
    assert_eq!(at_present(&period_ended(5)), Standing::Good { notices: Vec::new() });
    let since = Some(days_from_now(-6));
    let denied = Standing::Denied { cause: Cause::SubscriptionExpired, since };
    assert_eq!(at_present(&period_ended(6)), denied);
    let during_outage = standing(&period_ended(6), GRACE_DAYS, true, NOW);
    assert_eq!(during_outage, Standing::Good { notices: vec![Notice::ProviderOutage] });
}

#[test]
fn the_plan_says_how_long_the_grace_is() {
    let failed =
        Subscription { payment_failed_at: Some(days_from_now(-2)), ..on("small", Status::PastDue) };
    let record = AccountRecord::from(failed);
    let lenient = Plan { grace_days: 3, ..plan("small", 10) };
    let judgement = judge(&record, &[lenient], None, false, NOW);
    assert_eq!(judgement.notices, [Notice::PaymentGrace { until: days_from_now(1) }]);
    let judgement = judge(&record, &[plan("small", 10)], None, false, NOW);
    assert_eq!(judgement.denied[0].cause, Cause::PaymentFailed);
}

#[test]
fn where_none_is_good_the_one_that_is_easiest_to_mend_is_named() {
    let record = AccountRecord::from(on("small", Status::Ended));
    let judgement = judge(&record, &[plan("small", 10)], None, false, NOW);
    assert!(judgement.good.is_empty());
    assert_eq!(judgement.denied[0].cause, Cause::SubscriptionExpired);
    assert_eq!(plan_of(&judgement), Some("small"), "its quotas count all the same");
}

fn at_present(subscription: &Subscription) -> Standing {
    standing(subscription, GRACE_DAYS, false, NOW)
}

fn plan_of<'a>(judgement: &Judgement<'a>) -> Option<&'a str> {
    judgement.leading()?.plan.as_deref()
}

fn with(status: Status) -> Subscription {
    Subscription { status, ..Subscription::default() }
}

fn on(plan: &str, status: Status) -> Subscription {
    Subscription { plan: Some(plan.into()), ..with(status) }
}

fn plan(id: &str, limit: u64) -> Plan {
    let quota = Quota { meter: "api".into(), limit, ..Quota::default() };
    Plan { id: id.into(), quotas: vec![quota], ..Plan::default() }
}

fn days_from_now(days: i64) -> Timestamp {
    NOW.plus_seconds(days.saturating_mul(86_400))
}
