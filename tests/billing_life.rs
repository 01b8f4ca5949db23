//! A subscription's life as a function: in any order of its events, it ends the same.

#![expect(clippy::indexing_slicing, reason = "a test stops where nothing is there")]
#![expect(clippy::arithmetic_side_effects, reason = "small numbers")]

use proptest::prelude::*;
use tollgate::account::{AccountRecord, Provider, Status, Subscription};
use tollgate::billing::{BillingEvent, News, apply};
use tollgate::cause::PaymentFailure;
use tollgate::time::Timestamp;

const START: Timestamp = Timestamp::from_seconds(1_796_083_200);

fn at(hours: i64) -> Timestamp {
    START.plus_seconds(hours * 3_600)
}

fn event(hours: i64, news: News) -> BillingEvent {
    BillingEvent {
        customer: Some("cus_1".to_owned()),
        news: vec![news],
        ..BillingEvent::new(Provider::Stripe, format!("evt_{hours}"), String::new(), at(hours))
    }
}

fn told(hours: i64, status: Status, period_end: i64) -> BillingEvent {
    let state = Box::new(Subscription {
        plan: Some("pro".to_owned()),
        status,
        current_period_ends_at: Some(at(period_end)),
        ..Subscription::default()
    });
    event(hours, News::Subscription { id: "sub_1".to_owned(), state })
}

fn failed(hours: i64, reason: Option<PaymentFailure>) -> BillingEvent {
    event(hours, News::PaymentFailed { subscription: Some("sub_1".to_owned()), reason })
}

fn declined(hours: i64, reason: PaymentFailure) -> BillingEvent {
    event(hours, News::PaymentFailed { subscription: None, reason: Some(reason) })
}

fn paid(hours: i64, until: i64) -> BillingEvent {
    event(
        hours,
        News::Paid {
            subscription: "sub_1".to_owned(),
            until: Some(at(until)),
            payments: vec![format!("pi_{hours}")],
        },
    )
}

fn dispute(is_open: bool, payment: i64) -> News {
    let (id, payments) = ("dp_1".to_owned(), vec![format!("pi_{payment}")]);
    News::Dispute { id, is_open, subscription: None, payments }
}

fn record(events: &[BillingEvent]) -> AccountRecord {
    events.iter().fold(AccountRecord::default(), |record, event| apply(record, event, at(2_000)))
}

fn subscription(events: &[BillingEvent]) -> Subscription {
    record(events).billed[0].subscription.clone()
}

#[test]
fn the_grace_starts_with_the_first_failure_and_never_again() {
    let events = [
        told(0, Status::Active, 720),
        failed(720, None),
        told(720, Status::PastDue, 1_440),
        failed(744, None),
        told(744, Status::PastDue, 1_440),
        failed(792, Some(PaymentFailure::InsufficientFunds)),
    ];
    for length in 2..=events.len() {
        let now = subscription(&events[..length]);
        assert_eq!((now.status, now.payment_failed_at), (Status::PastDue, Some(at(720))));
    }
    let last = subscription(&events);
    assert_eq!(last.payment_failure, Some(PaymentFailure::InsufficientFunds));
    // A payment ends it, and the next failure starts another.
    let mut more = [&events[..], &[paid(800, 1_440)]].concat();
    let mended = subscription(&more);
    assert_eq!((mended.status, mended.payment_failed_at), (Status::Active, None));
    assert_eq!(mended.payment_failure, None);
    more.push(failed(1_440, None));
    let again = subscription(&more);
    assert_eq!((again.status, again.payment_failed_at), (Status::PastDue, Some(at(1_440))));
}

#[test]
fn either_of_two_words_is_enough() {
    // The subscription's own news is lost, the invoice's arrives; and the other way round.
    let begun = told(0, Status::Incomplete, 720);
    assert_eq!(subscription(&[begun.clone(), paid(1, 720)]).status, Status::Active);
    assert_eq!(subscription(&[begun, told(1, Status::Active, 720)]).status, Status::Active);
    let good = told(0, Status::Active, 720);
    assert_eq!(subscription(&[good.clone(), failed(720, None)]).status, Status::PastDue);
    assert_eq!(
        subscription(&[good.clone(), told(720, Status::PastDue, 1)]).status,
        Status::PastDue
    );
    // A payment carries the end of its period.
    let renewed = subscription(&[good, paid(720, 1_440)]);
    assert_eq!(renewed.current_period_ends_at, Some(at(1_440)));
}

#[test]
fn a_decline_of_the_customer_says_why_the_invoice_failed() {
    let declines = [declined(720, PaymentFailure::CardExpired), told(720, Status::PastDue, 1_440)];
    assert_eq!(subscription(&declines).payment_failure, Some(PaymentFailure::CardExpired));
    // One from before has nothing to do with it.
    let old = [declined(1, PaymentFailure::CardExpired), told(720, Status::PastDue, 1_440)];
    assert_eq!(subscription(&old).payment_failure, None);
}

#[test]
fn a_deleted_customer_has_nothing_any_more() {
    let gone = event(5, News::CustomerDeleted);
    for events in [[told(0, Status::Active, 720), gone.clone()], [gone, told(0, Status::Active, 7)]]
    {
        let ended = subscription(&events);
        assert_eq!((ended.status, ended.ends_at), (Status::Ended, Some(at(5))));
    }
}

#[test]
fn what_is_said_twice_of_one_instant_is_in_doubt_until_the_next_word() {
    let two = [told(0, Status::Incomplete, 720), told(0, Status::Active, 720)];
    assert_eq!(subscription(&two).status, Status::Active, "what is later in a life counts");
    let is_in_doubt = |events: &[BillingEvent]| {
        record(events).billed[0].last_report.as_ref().unwrap().is_in_doubt
    };
    assert!(is_in_doubt(&two));
    assert!(!is_in_doubt(&two[..1]));
    assert!(!is_in_doubt(&[two[0].clone(), two[0].clone()]));
    assert!(!is_in_doubt(&[two[0].clone(), two[1].clone(), told(1, Status::Active, 720)]));
}

#[test]
fn a_list_of_ten_adds_to_the_whole_one() {
    let list = |hours, names: &[&str], is_complete| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        event(hours, News::Entitlements { names, is_complete })
    };
    let names = |events: &[BillingEvent]| -> Vec<String> {
        record(events).extra_entitlements().flatten().cloned().collect()
    };
    let (whole, ten) = (list(1, &["a", "b", "c"], true), list(2, &["a", "d"], false));
    assert_eq!(names(&[whole.clone(), ten.clone()]), ["a", "b", "c", "a", "d"]);
    assert_eq!(names(&[ten.clone(), whole.clone()]), ["a", "b", "c", "a", "d"]);
    assert!(record(&[whole.clone(), ten.clone()]).customers[0].lacks_entitlements());
    assert_eq!(names(&[ten, whole, list(3, &["d"], true)]), ["d"]);
}

#[test]
fn what_ended_long_ago_is_forgotten() {
    let ended = told(0, Status::Ended, 0);
    let at_once = apply(AccountRecord::default(), &ended, at(24));
    assert_eq!(at_once.billed.len(), 1);
    let later = apply(at_once, &event(1, News::CustomerDeleted), at(24 * 401));
    assert!(later.billed.is_empty());
}

#[test]
fn records_survive_being_written_down() {
    let events = [
        told(0, Status::Active, 720),
        declined(719, PaymentFailure::TryLater),
        failed(720, Some(PaymentFailure::Declined)),
        event(721, dispute(true, 0)),
        event(722, News::Entitlements { names: vec!["a".to_owned()], is_complete: false }),
        event(723, News::CustomerDeleted),
    ];
    let record = record(&events);
    assert_eq!(tollgate::wire::decode(&tollgate::wire::encode(&record)), Ok(record));
}

fn status() -> impl Strategy<Value = Status> {
    prop::sample::select(Status::ALL[1..].to_vec())
}

fn failure() -> impl Strategy<Value = PaymentFailure> {
    let all = PaymentFailure::ALL.to_vec();
    prop::sample::select(all)
}

/// Any event, of two subscriptions; few instants, so that many are the same.
fn any_event() -> impl Strategy<Value = BillingEvent> {
    let sub = prop::sample::select(vec!["sub_1".to_owned(), "sub_2".to_owned()]);
    let names = prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..3);
    let news = prop_oneof![
        4 => (sub.clone(), status(), 0_i64..6, prop::option::of(0_i64..6)).prop_map(
            |(id, status, end, ends)| {
                let state = Subscription {
                    plan: Some("pro".to_owned()),
                    status,
                    current_period_ends_at: Some(at(end)),
                    ends_at: ends.map(at),
                    ..Subscription::default()
                };
                News::Subscription { id, state: Box::new(state) }
            }
        ),
        2 => (sub.clone(), prop::option::of(0_i64..6))
            .prop_map(|(subscription, until)| News::Paid {
                subscription,
                until: until.map(at),
                payments: until.map(|until| format!("pi_{until}")).into_iter().collect(),
            }),
        2 => (prop::option::of(sub), prop::option::of(failure()))
            .prop_map(|(subscription, reason)| News::PaymentFailed { subscription, reason }),
        1 => (names, any::<bool>()).prop_map(|(names, is_complete)| {
            let names = names.into_iter().map(str::to_owned).collect();
            News::Entitlements { names, is_complete }
        }),
        1 => (any::<bool>(), 0_i64..6).prop_map(|(is_open, payment)| dispute(is_open, payment)),
        1 => Just(News::CustomerDeleted),
    ];
    (0_i64..6, news).prop_map(|(hours, news)| event(hours, news))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// In any order and with any of them repeated, the same events end in the same record.
    #[test]
    fn order_and_repetition_make_no_difference(
        (events, shuffled) in prop::collection::vec(any_event(), 1..12).prop_flat_map(|events| {
            let twice = [events.clone(), events.clone()].concat();
            (Just(events), Just(twice).prop_shuffle())
        })
    ) {
        prop_assert_eq!(record(&events), record(&shuffled));
    }

    /// With anything lost before: after the last report of all, with no open failures, the state is
    /// that of the report.
    #[test]
    fn what_is_missing_is_made_up_by_the_newest_word(
        events in prop::collection::vec(any_event(), 0..12),
        kept in prop::collection::vec(any::<bool>(), 12),
    ) {
        let last = told(9, Status::Active, 99);
        let some = events.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(event, _)| event);
        let with_all = [&events[..], std::slice::from_ref(&last)].concat();
        let with_some: Vec<_> = some.cloned().chain([last]).collect();
        let state = |events: &[BillingEvent]| {
            let record = record(events);
            let one = record.billed.iter().find(|one| one.id == "sub_1").unwrap();
            one.subscription.clone()
        };
        prop_assert_eq!(state(&with_all), state(&with_some));
        prop_assert_eq!(state(&with_all).status, Status::Active);
    }

    /// A retry never moves the start of the grace forward.
    #[test]
    fn more_failures_never_lengthen_the_grace(
        first in 10_i64..20, retries in prop::collection::vec(20_i64..90, 0..40),
    ) {
        let mut events = vec![told(0, Status::Active, 10), failed(first, None)];
        events.extend(retries.iter().map(|hours| told(*hours, Status::PastDue, 99)));
        events.extend(retries.iter().map(|hours| failed(*hours, None)));
        prop_assert_eq!(subscription(&events).payment_failed_at, Some(at(first)));
    }
}
