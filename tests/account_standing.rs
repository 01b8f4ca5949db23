//! Every row of the table that says whether an account may be served, and its edges.

use tollgate::account::{
    AccountRecord, PaymentFailure, Standing, Status, Subscription, is_revoked, standing,
};
use tollgate::decision::{Cause, Notice};
use tollgate::time::Timestamp;

const DAY_MS: i64 = 86_400_000;
const GRACE_DAYS: u32 = 3;
const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

const fn days(count: i64) -> Timestamp {
    NOW.plus_ms(count.saturating_mul(DAY_MS))
}

fn record(status: Status) -> Subscription {
    Subscription { status, ..Subscription::default() }
}

fn failed(status: Status, failure: PaymentFailure, at: Timestamp) -> Subscription {
    Subscription { payment_failure: Some(failure), payment_failed_at: Some(at), ..record(status) }
}

fn verdict(record: &Subscription) -> Standing {
    standing(record, GRACE_DAYS, false, NOW)
}

fn verdict_in_outage(record: &Subscription) -> Standing {
    standing(record, GRACE_DAYS, true, NOW)
}

fn denied(cause: Cause, since: Option<Timestamp>) -> Standing {
    Standing::Denied { cause, since }
}

fn good(notices: &[Notice]) -> Standing {
    Standing::Good { notices: notices.to_vec() }
}

#[test]
fn no_subscription_opens_nothing() {
    assert_eq!(verdict(&Subscription::default()), denied(Cause::NoSubscription, None));
    assert_eq!(verdict_in_outage(&Subscription::default()), denied(Cause::NoSubscription, None));
}

#[test]
fn plain_statuses() {
    for (status, expected) in [
        (Status::Active, good(&[])),
        (Status::Trialing, good(&[])),
        (Status::Incomplete, denied(Cause::PaymentIncomplete, None)),
        (Status::Paused, denied(Cause::SubscriptionPaused, None)),
        (Status::Ended, denied(Cause::SubscriptionExpired, None)),
        (Status::Unpaid, denied(Cause::PaymentFailed, None)),
        (Status::PastDue, denied(Cause::PaymentFailed, None)),
    ] {
        assert_eq!(verdict(&record(status)), expected, "{status:?}");
    }
}

#[test]
fn a_trial_ends_at_its_instant() {
    let trial = |end| Subscription { trial_ends_at: Some(end), ..record(Status::Trialing) };
    assert_eq!(verdict(&trial(NOW.plus_ms(1))), good(&[]));
    assert_eq!(verdict(&trial(NOW)), denied(Cause::TrialEnded, Some(NOW)));
    assert_eq!(verdict_in_outage(&trial(days(-9))), denied(Cause::TrialEnded, Some(days(-9))));
    let paid = Subscription { trial_ends_at: Some(days(-9)), ..record(Status::Active) };
    assert_eq!(verdict(&paid), good(&[]), "the trial of somebody who pays is history");
    let stale = Subscription { current_period_ends_at: Some(days(-90)), ..trial(days(1)) };
    assert_eq!(verdict(&stale), good(&[]), "a trial has its own end");
}

#[test]
fn a_cancelled_subscription_is_good_until_its_end() {
    let cancelled = |status, end| Subscription { ends_at: Some(end), ..record(status) };
    for status in [Status::Active, Status::Trialing] {
        let at = NOW.plus_ms(1);
        assert_eq!(verdict(&cancelled(status, at)), good(&[Notice::SubscriptionEnding { at }]));
    }
    for status in [Status::Active, Status::Trialing, Status::PastDue, Status::Paused] {
        assert_eq!(
            verdict_in_outage(&cancelled(status, NOW)),
            denied(Cause::SubscriptionExpired, Some(NOW)),
            "{status:?}"
        );
    }
}

#[test]
fn an_ended_subscription_says_since_when() {
    let ended = Subscription {
        ends_at: Some(days(-2)),
        current_period_ends_at: Some(days(-1)),
        ..record(Status::Ended)
    };
    assert_eq!(verdict(&ended), denied(Cause::SubscriptionExpired, Some(days(-2))));
    let unsaid = Subscription { ends_at: None, ..ended };
    assert_eq!(verdict(&unsaid), denied(Cause::SubscriptionExpired, Some(days(-1))));
    let early = Subscription { current_period_ends_at: Some(days(5)), ..unsaid };
    assert_eq!(verdict(&early), denied(Cause::SubscriptionExpired, None));
}

#[test]
fn a_period_that_nobody_renewed_ends_after_the_patience() {
    let active = |end| Subscription { current_period_ends_at: Some(end), ..record(Status::Active) };
    // Three days of grace and three for late news.
    assert_eq!(verdict(&active(days(-6).plus_ms(1))), good(&[]));
    assert_eq!(verdict(&active(days(-6))), denied(Cause::SubscriptionExpired, Some(days(-6))));
    assert_eq!(verdict_in_outage(&active(days(-6))), good(&[Notice::ProviderOutage]));
    assert_eq!(verdict_in_outage(&active(days(1))), good(&[]), "nothing of it is due");
}

#[test]
fn a_failed_charge_is_forgiven_for_the_grace() {
    for failure in [PaymentFailure::Declined, PaymentFailure::CardExpired] {
        let at = days(-3).plus_ms(1);
        let until = at.plus_ms(3 * DAY_MS);
        let late = failed(Status::PastDue, failure, at);
        assert_eq!(verdict(&late), good(&[Notice::PaymentGrace { until }]), "{failure:?}");
    }
    let over = failed(Status::PastDue, PaymentFailure::Declined, days(-3));
    assert_eq!(verdict(&over), denied(Cause::PaymentFailed, Some(NOW)));
    let expired = failed(Status::PastDue, PaymentFailure::CardExpired, days(-4));
    assert_eq!(verdict(&expired), denied(Cause::CardExpired, Some(days(-1))));
    let at_once = failed(Status::PastDue, PaymentFailure::Declined, NOW);
    assert_eq!(standing(&at_once, 0, false, NOW), denied(Cause::PaymentFailed, Some(NOW)));
}

#[test]
fn grace_and_cancellation_are_both_told() {
    let (until, at) = (days(2), days(1));
    let both = Subscription {
        ends_at: Some(at),
        ..failed(Status::PastDue, PaymentFailure::Declined, days(-1))
    };
    assert_eq!(
        verdict(&both),
        good(&[Notice::PaymentGrace { until }, Notice::SubscriptionEnding { at }])
    );
}

#[test]
fn who_was_given_up_on_has_no_grace() {
    let recent = failed(Status::Unpaid, PaymentFailure::Declined, days(-1));
    assert_eq!(verdict(&recent), denied(Cause::PaymentFailed, None));
    assert_eq!(verdict_in_outage(&recent), denied(Cause::PaymentFailed, None));
    let card = failed(Status::Unpaid, PaymentFailure::CardExpired, days(-30));
    assert_eq!(verdict(&card), denied(Cause::CardExpired, Some(days(-27))));
}

#[test]
fn a_provider_outage_is_not_the_callers_fault() {
    let outage = good(&[Notice::ProviderOutage]);
    for status in [Status::PastDue, Status::Unpaid] {
        let long_ago = failed(status, PaymentFailure::ProviderOutage, days(-30));
        assert_eq!(verdict(&long_ago), outage, "{status:?}");
    }
    for failure in [PaymentFailure::Declined, PaymentFailure::CardExpired] {
        assert_eq!(verdict_in_outage(&failed(Status::PastDue, failure, days(-30))), outage);
    }
    assert_eq!(verdict_in_outage(&record(Status::PastDue)), outage);
    assert_eq!(
        verdict_in_outage(&record(Status::Incomplete)),
        denied(Cause::PaymentIncomplete, None)
    );
}

#[test]
fn no_grace_is_too_long() {
    let late = failed(Status::PastDue, PaymentFailure::Declined, Timestamp::from_millis(i64::MAX));
    let verdict = standing(&late, u32::MAX, false, NOW);
    let until = Timestamp::from_millis(i64::MAX);
    assert_eq!(verdict, good(&[Notice::PaymentGrace { until }]));
}

#[test]
fn tokens_are_revoked_by_id_or_by_age() {
    let record = AccountRecord {
        tokens_revoked_before: Some(NOW),
        revoked_tokens: vec!["t1".into()],
        ..AccountRecord::default()
    };
    for (id, issued_at, expected) in [
        (Some("t1"), Some(days(1)), true),
        (Some("t2"), Some(days(1)), false),
        (None, Some(days(1)), false),
        (Some("t2"), Some(NOW), false),
        (Some("t2"), Some(NOW.plus_ms(-1)), true),
        (Some("t2"), None, true),
    ] {
        assert_eq!(is_revoked(&record, id, issued_at), expected, "{id:?} {issued_at:?}");
    }
    assert!(!is_revoked(&AccountRecord::default(), None, None));
}
