//! Every row of the table of standings, and its edges.

use tollgate::account::{AccountRecord, Standing, Status, Subscription, is_revoked, standing};
use tollgate::cause::{Cause, Notice, PaymentFailure};
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

mod of_several {
    //! Several subscriptions of one account.

    use tollgate::account::{
        AccountRecord, Dispute, Failure, LastReport, Payment, Provider, ProviderSubscription,
        Status, Subscription, judge,
    };
    use tollgate::cause::PaymentFailure;
    use tollgate::plan::{Plan, Quota};

    use super::{NOW, days};

    fn plans() -> Vec<Plan> {
        let quota =
            |meter: &str, limit| Quota { meter: meter.to_owned(), limit, ..Quota::default() };
        let plan = |id: &str, quotas| Plan { id: id.to_owned(), quotas, ..Plan::default() };
        vec![
            plan("small", vec![quota("api", 5)]),
            plan("large", vec![quota("api", 1_000), quota("export", 2)]),
            plan("other", vec![quota("export", 9)]),
            plan("none", Vec::new()),
        ]
    }

    fn billed(id: &str, plan: &str, status: Status, by_address: bool) -> ProviderSubscription {
        let subscription =
            Subscription { plan: Some(plan.to_owned()), status, ..Subscription::default() };
        let last_report = Some(LastReport {
            at: NOW,
            status,
            current_period_ends_at: None,
            ends_at: None,
            is_in_doubt: false,
        });
        ProviderSubscription {
            by_address,
            subscription,
            last_report,
            ..ProviderSubscription::new(Provider::Paddle, id)
        }
    }

    fn leading(billed: Vec<ProviderSubscription>) -> Option<String> {
        let record = AccountRecord { billed, ..AccountRecord::default() };
        judge(&record, &plans(), None, false, NOW).leading().and_then(|one| one.plan.clone())
    }

    #[test]
    fn the_best_plan_leads_whatever_the_order_of_ids() {
        let of = |ids: [(&str, &str); 3]| {
            leading(ids.map(|(id, plan)| billed(id, plan, Status::Active, false)).to_vec())
        };
        for ids in [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["c", "b", "a"]] {
            let [small, large, none] = ids;
            let mut all = [(small, "small"), (large, "large"), (none, "none")];
            all.sort_unstable();
            assert_eq!(of(all).as_deref(), Some("large"), "{ids:?}");
        }
    }

    #[test]
    fn what_came_by_an_address_alone_leads_only_where_it_gives_more_and_says_nothing() {
        let own = billed("z", "large", Status::Active, false);
        for plan in ["small", "other", "none"] {
            let stranger = billed("a", plan, Status::Active, true);
            assert_eq!(leading(vec![stranger, own.clone()]).as_deref(), Some("large"), "{plan}");
        }
        let mut failing = billed("a", "small", Status::PastDue, true);
        failing.subscription.payment_failed_at = Some(days(-1));
        failing.failures = vec![Failure { at: days(-1), reason: Some(PaymentFailure::Declined) }];
        let mut with_grace = plans();
        for plan in &mut with_grace {
            plan.grace_days = 3;
        }
        let record =
            AccountRecord { billed: vec![failing.clone(), own], ..AccountRecord::default() };
        let judgement = judge(&record, &with_grace, None, false, NOW);
        assert!(judgement.notices.is_empty(), "another's grace is nothing to be told of");
        let record = AccountRecord { billed: vec![failing], ..AccountRecord::default() };
        let judgement = judge(&record, &with_grace, None, false, NOW);
        assert_eq!(judgement.notices.len(), 1, "where there is nothing else, it counts whole");
        let refused = billed("a", "small", Status::Ended, true);
        let own = billed("z", "large", Status::Ended, false);
        let record = AccountRecord { billed: vec![refused, own], ..AccountRecord::default() };
        assert_eq!(judge(&record, &plans(), None, false, NOW).denied.len(), 1);
    }

    #[test]
    fn a_dispute_counts_where_its_payment_opened_something() {
        let dispute = |subscription: Option<&str>, payments: &[&str]| Dispute {
            provider: Provider::Paddle,
            id: "d".to_owned(),
            at: NOW,
            is_open: true,
            subscription: subscription.map(str::to_owned),
            payments: payments.iter().map(|id| (*id).to_owned()).collect(),
        };
        let payment = |id: &str| Payment { at: NOW, provider: Provider::Paddle, id: id.to_owned() };
        let mut own = billed("own", "large", Status::Active, false);
        own.payments = vec![payment("txn_own")];
        let mut strangers = billed("strangers", "small", Status::Active, true);
        strangers.payments = vec![payment("txn_strangers")];
        let purchases = vec![payment("txn_units")];
        let record = AccountRecord {
            billed: vec![own, strangers.clone()],
            purchases,
            ..AccountRecord::default()
        };
        for (subscription, payments, counts) in [
            (Some("own"), &[][..], true),
            (None, &["txn_own"], true),
            (None, &["txn_units"], true),
            (Some("strangers"), &["txn_strangers"], false),
            (Some("a_shirt"), &["txn_shirt"], false),
            (None, &[], false),
        ] {
            let one = dispute(subscription, payments);
            assert_eq!(record.has_got(&one), counts, "{subscription:?} {payments:?}");
        }
        let alone = AccountRecord { billed: vec![strangers], ..AccountRecord::default() };
        assert!(alone.has_got(&dispute(Some("strangers"), &[])), "it has nothing else");
        let own_system = Dispute { provider: Provider::Standard, ..dispute(None, &[]) };
        assert!(record.has_got(&own_system), "the seller's own word");
    }
}
