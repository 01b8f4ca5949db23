//! Days of ordinary and hostile traffic, each from its seed: no outage is seen where there is none, and
//! one that there is is seen within 15 minutes.
//!
//! `TOLLGATE_DAYS=200 cargo test --test inbox days` runs as many, `TOLLGATE_FIRST_DAY` sets the
//! first: a day that fails names its seed.

use tollgate::billing::inbox::{InboxRequest, Incoming};
use tollgate::billing::outage::Outages;
use tollgate::billing::{BillingEvent, News};
use tollgate::cause::PaymentFailure;
use tollgate::wire;

use crate::world::*;

/// A small generator of its own, so that a seed means the same day for ever (`SplitMix64`,
/// <https://doi.org/10.1145/2714064.2660195>).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn is(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let index = self.below(u64::try_from(all.len()).expect("it fits"));
        all[usize::try_from(index).expect("it fits")]
    }
}

/// A day at a gate: payers, strangers with stolen cards, and the time when the provider is down.
struct Day {
    random: Random,
    world: World,
    payers: u64,
    events: u64,
    /// From when to when the provider is down, in minutes.
    outage: Option<(i64, i64)>,
}

/// Failures by the fault of a bank, a card or a buyer.
const THEIRS: [PaymentFailure; 5] = [
    PaymentFailure::CardExpired,
    PaymentFailure::CardData,
    PaymentFailure::InsufficientFunds,
    PaymentFailure::Declined,
    PaymentFailure::Merchant,
];

impl Day {
    fn new(seed: u64, has_outage: bool) -> Self {
        let mut random = Random(seed);
        let payers = 60 + random.below(400);
        let from = 60 + i64::try_from(random.below(20 * 60)).expect("it fits");
        let outage = has_outage.then_some((from, from + 45));
        let mut day = Self { random, world: World::new(), payers, events: 0, outage };
        for payer in 0..day.payers {
            let event = day.event(&format!("cus_{payer}"), paid());
            let before = START.plus_ms(-20 * DAY_MS);
            let event = BillingEvent { occurred_at: before, is_payment: true, ..event };
            day.take_in(naming(event, &format!("-/{payer}")));
        }
        day
    }

    fn event(&mut self, customer: &str, news: News) -> BillingEvent {
        self.events += 1;
        let id = format!("evt_{}", self.events);
        BillingEvent { occurred_at: self.world.now, news: vec![news], ..event(&id, customer) }
    }

    /// Without the copy that [`World::take_in`] makes so that a failure can be undone.
    fn take_in(&mut self, event: BillingEvent) {
        let World { inbox, store, now, .. } = &mut self.world;
        let request = InboxRequest::TakeIn(vec![Incoming::asked_for(event)]);
        inbox.handle(store, request, &read, *now).expect("the store works");
    }

    fn sees_an_outage(&mut self) -> bool {
        let World { inbox, store, now, .. } = &mut self.world;
        let reply =
            inbox.handle(store, InboxRequest::Outage, &read, *now).expect("the store works");
        let outages: Outages = wire::decode(&reply).expect("it says what it sees");
        outages.is_detected()
    }

    /// Runs the day. Returns the minutes in which an outage was seen.
    fn run(&mut self) -> Vec<i64> {
        let mut seen = Vec::new();
        let wave = self.random.below(1_200);
        for minute in 0..24 * 60 {
            self.world.now = START.plus_ms(minute * MINUTE_MS);
            let is_down = self.outage.is_some_and(|(from, to)| (from..to).contains(&minute));
            self.charge_payers(is_down);
            let in_wave =
                u64::try_from(minute).is_ok_and(|minute| (wave..wave + 90).contains(&minute));
            if in_wave {
                self.try_cards();
            }
            if minute % 5 == 0 && self.sees_an_outage() {
                seen.push(minute);
            }
        }
        seen
    }

    /// Renewals through the day: most succeed, some cards fail, and a bank is out of order now and
    /// then. Where the provider is down, nothing of it succeeds.
    fn charge_payers(&mut self, is_down: bool) {
        let count = if is_down { 1 + self.random.below(2) } else { self.random.below(3) };
        for _ in 0..count {
            let payer = self.random.below(self.payers);
            let (news, is_payment) = if is_down {
                (failed(PaymentFailure::TryLater), false)
            } else if self.random.is(12) {
                (failed(self.random.one_of(&THEIRS)), false)
            } else if self.random.is(2) {
                (failed(PaymentFailure::TryLater), false)
            } else {
                (paid(), true)
            };
            let event = self.event(&format!("cus_{payer}"), news);
            self.take_in(BillingEvent { is_payment, ..event });
        }
    }

    /// A wave of card testing: many strangers, some under accounts of their own, codes of all kinds.
    fn try_cards(&mut self) {
        for _ in 0..6 {
            let stranger = format!("stranger_{}", self.random.below(5_000));
            let reason = if self.random.is(60) {
                PaymentFailure::TryLater
            } else {
                self.random.one_of(&THEIRS)
            };
            let event = self.event(&stranger, failed(reason));
            let is_signed_in = self.random.is(30);
            let account = format!("-/{stranger}");
            self.take_in(if is_signed_in { naming(event, &account) } else { event });
        }
    }
}

fn paid() -> News {
    News::Paid { subscription: "sub_1".to_owned(), until: None, payments: Vec::new() }
}

fn failed(reason: PaymentFailure) -> News {
    News::PaymentFailed { subscription: None, reason: Some(reason) }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn no_outage_is_seen_but_a_real_one_and_that_within_15_minutes() {
    let first = number("TOLLGATE_FIRST_DAY", 1);
    for seed in first..first + number("TOLLGATE_DAYS", 1) {
        let calm = Day::new(seed, false).run();
        assert!(calm.is_empty(), "day {seed}: an outage in minute {:?} that is none", calm.first());
        let mut day = Day::new(seed, true);
        let seen = day.run();
        let (from, to) = day.outage.expect("there is one");
        let found = seen.first().copied().unwrap_or(i64::MAX);
        assert!((from..=from + 15).contains(&found), "day {seed}: down at {from}, seen at {found}");
        let over = seen.last().copied().unwrap_or(i64::MAX);
        assert!(over < to + 61, "day {seed}: up at {to}, still seen at {over}");
    }
}
