//! The verdict on a provider: down or not.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tollgate::account::Provider;
use tollgate::billing::inbox::{Call, InboxRequest};
use tollgate::billing::outage::{
    self, Attempt, HISTORY_MS, Outages, Signal, WINDOW_MS, signals_of,
};
use tollgate::billing::{BillingEvent, News};
use tollgate::cause::PaymentFailure;
use tollgate::time::Timestamp;

use crate::world::*;

fn signal(customer: usize, minute: i64, is_good: bool) -> Signal {
    Signal {
        provider: Provider::Stripe,
        attempt: Attempt::Charge,
        customer: format!("cus_{customer}"),
        at: START.plus_ms(minute * MINUTE_MS),
        is_good,
    }
}

fn failing(customers: usize, minute: i64) -> Vec<Signal> {
    (0..customers).map(|customer| signal(customer, minute, false)).collect()
}

/// As the inbox's store hands them out.
fn assess(signals: &[Signal], now: Timestamp) -> Outages {
    let sorted: BTreeSet<_> = signals.iter().cloned().collect();
    outage::assess(&Vec::from_iter(sorted), now)
}

fn at(minute: i64) -> Timestamp {
    START.plus_ms(minute * MINUTE_MS)
}

#[test]
fn several_customers_who_fail_at_once_are_an_outage() {
    assert!(!assess(&failing(4, 0), at(1)).is_detected());
    let outages = assess(&failing(5, 0), at(1));
    let expected = Outages {
        providers: vec![Provider::Stripe],
        since: Some(START),
        failing_customers: 5,
        succeeding_customers: 0,
        window_s: WINDOW_MS / 1_000,
    };
    assert_eq!(outages, expected);
}

#[test]
fn one_customers_bad_day_is_none() {
    let signals: Vec<_> = (0..50).map(|minute| signal(1, minute, false)).collect();
    let outages = assess(&signals, at(50));
    assert_eq!((outages.is_detected(), outages.failing_customers), (false, 1));
}

#[test]
fn half_of_the_customers_have_to_fail() {
    let mut signals = failing(5, 0);
    signals.extend((10..15).map(|customer| signal(customer, 0, true)));
    assert!(assess(&signals, at(1)).is_detected());
    signals.push(signal(15, 0, true));
    assert!(!assess(&signals, at(1)).is_detected());
}

#[test]
fn an_outage_ends_when_charges_succeed_again() {
    let mut signals = failing(10, 0);
    signals.extend((20..49).map(|customer| signal(customer, 10, true)));
    assert!(assess(&signals, at(10)).is_detected(), "still a quarter fails");
    signals.extend((49..60).map(|customer| signal(customer, 20, true)));
    assert!(!assess(&signals, at(20)).is_detected());
    // Without an outage before, the same numbers are none.
    let mut calm: Vec<_> = (20..49).map(|customer| signal(customer, 0, true)).collect();
    calm.extend(failing(10, 10));
    assert!(!assess(&calm, at(10)).is_detected());
}

#[test]
fn an_outage_ends_when_the_same_customers_have_paid() {
    let mut signals = failing(6, 0);
    signals.extend((0..3).map(|customer| signal(customer, 10, true)));
    assert!(assess(&signals, at(10)).is_detected(), "three still fail");
    signals.push(signal(3, 11, true));
    assert!(!assess(&signals, at(11)).is_detected());
}

#[test]
fn an_outage_ends_when_nothing_is_heard_any_more() {
    let signals = failing(9, 0);
    assert!(assess(&signals, at(59)).is_detected());
    assert!(!assess(&signals, at(60)).is_detected());
}

#[test]
fn an_outage_lasts_while_it_goes_on() {
    let signals: Vec<_> = (0..10).flat_map(|time| failing(5, time * 30)).collect();
    let outages = assess(&signals, at(299));
    assert_eq!(outages.since, Some(START));
}

#[test]
fn one_provider_says_nothing_about_another_nor_charges_about_calls() {
    let mut signals = failing(8, 0);
    for (index, signal) in signals.iter_mut().enumerate() {
        match index % 4 {
            0 => signal.provider = Provider::Paddle,
            1 => signal.attempt = Attempt::Call,
            _ => {}
        }
    }
    assert!(!assess(&signals, at(1)).is_detected());
    let paddle = Signal { provider: Provider::Paddle, ..signal(0, 0, false) };
    signals.extend((20..25).map(|one| Signal { customer: one.to_string(), ..paddle.clone() }));
    assert_eq!(assess(&signals, at(1)).providers, [Provider::Paddle]);
}

#[test]
fn what_is_yet_to_come_is_not_counted() {
    assert!(!assess(&failing(9, 5), at(4)).is_detected());
}

fn paid() -> News {
    News::Paid { subscription: "sub_1".to_owned(), until: None, payments: Vec::new() }
}

fn said(news: News) -> Option<bool> {
    let event = BillingEvent { news: vec![news], ..event("evt_1", "cus_1") };
    signals_of(&event, START).map(|signal| signal.is_good)
}

#[test]
fn a_bank_that_declines_says_nothing_about_the_provider() {
    let failed = |reason| News::PaymentFailed { subscription: None, reason };
    for (reason, is_nobodys) in PaymentFailure::ALL.map(|reason| {
        use PaymentFailure::{ProviderOutage, TryLater};
        (reason, matches!(reason, ProviderOutage | TryLater))
    }) {
        assert_eq!(said(failed(Some(reason))), is_nobodys.then_some(false), "{reason:?}");
    }
    assert_eq!(said(failed(None)), None);
    assert_eq!(said(paid()), Some(true));
    assert_eq!(said(News::CustomerDeleted), None);
}

#[test]
fn a_clock_that_is_ahead_is_set_back() {
    let news = vec![paid()];
    let event = BillingEvent { news, occurred_at: at(9), ..event("evt_1", "cus_1") };
    assert_eq!(signals_of(&event, at(3)).map(|signal| signal.at), Some(at(3)));
}

/// A world in which five customers have paid a month ago.
fn world_of_payers() -> World {
    let mut world = World::new();
    for number in 0..5 {
        let event = event(&format!("paid_{number}"), &format!("cus_{number}"));
        let event = BillingEvent {
            news: vec![paid()],
            is_payment: true,
            occurred_at: START.plus_ms(-30 * DAY_MS),
            ..event
        };
        world.take_in(naming(event, &format!("-/{number}")));
    }
    world
}

fn fail(world: &mut World, id: &str, customer: &str, reason: PaymentFailure) {
    let failed = News::PaymentFailed { subscription: None, reason: Some(reason) };
    world.take_in(BillingEvent { news: vec![failed], ..event(id, customer) });
}

#[test]
fn strangers_and_unpaid_customers_and_codes_that_blame_the_merchant_bring_nobody_in() {
    let mut world = world_of_payers();
    for number in 0..50 {
        fail(
            &mut world,
            &format!("s_{number}"),
            &format!("stranger_{number}"),
            PaymentFailure::TryLater,
        );
        let unpaid = format!("new_{number}");
        world.take_in(of_account(event(&format!("n_{number}"), &unpaid), &format!("-/{unpaid}")));
        fail(&mut world, &format!("u_{number}"), &unpaid, PaymentFailure::TryLater);
    }
    for number in 0..5 {
        let customer = format!("cus_{number}");
        fail(&mut world, &format!("m_{number}"), &customer, PaymentFailure::Merchant);
        fail(&mut world, &format!("d_{number}"), &customer, PaymentFailure::Declined);
    }
    let outages: Outages = world.ask(InboxRequest::Outage);
    assert_eq!((outages.is_detected(), outages.failing_customers), (false, 0));
}

#[test]
fn the_inbox_sees_outages_in_events_and_calls_and_forgets_them() {
    let mut world = world_of_payers();
    for number in 0..5 {
        let customer = format!("cus_{number}");
        fail(&mut world, &format!("evt_{number}"), &customer, PaymentFailure::TryLater);
        // Sending it again adds nothing.
        fail(&mut world, &format!("evt_{number}"), "cus_other", PaymentFailure::TryLater);
    }
    let outages: Outages = world.ask(InboxRequest::Outage);
    assert_eq!((outages.is_detected(), outages.failing_customers), (true, 5));
    world.later(WINDOW_MS);
    assert!(!world.ask::<Outages>(InboxRequest::Outage).is_detected());
    let call = |number| Call { customer: customer_key(&format!("cus_{number}")), is_good: false };
    world.tell(InboxRequest::Called((0..5).map(call).collect())).expect("the store works");
    world.later(4_999);
    assert!(!world.ask::<Outages>(InboxRequest::Outage).is_detected(), "for a moment");
    world.later(1);
    assert!(world.ask::<Outages>(InboxRequest::Outage).is_detected());
    world.later(2 * HISTORY_MS);
    assert!(!world.ask::<Outages>(InboxRequest::Outage).is_detected());
    assert!(world.store.signals.is_empty());
}

fn signals() -> impl Strategy<Value = Vec<Signal>> {
    let one = (0..12_usize, 0..200_i64, prop::bool::weighted(0.3));
    prop::collection::vec(one.prop_map(|(who, minute, good)| signal(who, minute, good)), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_in_which_it_is_told_makes_no_difference(
        (told, shuffled) in signals().prop_flat_map(|told| {
            (Just(told.clone()), Just(told).prop_shuffle())
        }),
        minute in 0..300_i64,
    ) {
        let mut doubled = shuffled.clone();
        doubled.extend(told.iter().take(5).cloned());
        prop_assert_eq!(assess(&told, at(minute)), assess(&shuffled, at(minute)));
        let (once, twice) = (assess(&told, at(minute)), assess(&doubled, at(minute)));
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn what_goes_well_never_brings_an_outage_about(
        told in signals(),
        more in prop::collection::vec((0..20_usize, 0..200_i64), 1..20),
        minute in 0..300_i64,
    ) {
        let before = assess(&told, at(minute));
        let mut better = told;
        better.extend(more.into_iter().map(|(who, minute)| signal(who, minute, true)));
        let after = assess(&better, at(minute));
        prop_assert!(before.is_detected() || !after.is_detected());
        prop_assert!(after.since.is_none() || after.since >= before.since);
    }

    #[test]
    fn fewer_customers_than_the_floor_are_never_an_outage(
        told in signals(), minute in 0..300_i64,
    ) {
        let is_one_of_four = |one: &Signal| matches!(one.customer.as_str(), "cus_0" | "cus_1" | "cus_2" | "cus_3");
        let few: Vec<_> = told.into_iter().filter(is_one_of_four).collect();
        prop_assert!(!assess(&few, at(minute)).is_detected());
    }
}
