//! Units that were left of one period and may be used in the next.

use tollgate::plan::{Period, Quota};
use tollgate::time::Timestamp;

use crate::bench::{Bench, DAY_MS, Hand, NOW, each, quota, soft, told, want, want_of};

fn rolling(limit: u64, rollover_max: u64) -> Bench {
    Bench::new(vec![Quota { rollover_max, ..quota(Period::Day, limit) }])
}

const fn day(number: i64) -> Timestamp {
    NOW.plus_ms(number * DAY_MS)
}

/// Number of units that may be used on a day, seen by a request that costs so much.
fn limit_on(bench: &mut Bench, hand: &mut Hand, number: i64, cost: u64) -> u64 {
    bench.now = day(number);
    let outcome = hand.ask(bench, vec![want(cost, 0)]);
    told(&outcome).first().map_or(0, |(.., limit)| *limit)
}

#[test]
fn what_is_left_rolls_over_up_to_the_maximum() {
    let mut bench = rolling(10, 4);
    let mut hand = Hand::new("h");
    assert_eq!(limit_on(&mut bench, &mut hand, 0, 7), 10, "there was nothing before the first");
    assert_eq!(limit_on(&mut bench, &mut hand, 1, 12), 13);
    assert_eq!(limit_on(&mut bench, &mut hand, 2, 1), 11, "one was left of thirteen");
    assert_eq!(limit_on(&mut bench, &mut hand, 3, 14), 14, "ten were left, four roll over");
    assert_eq!(limit_on(&mut bench, &mut hand, 4, 1), 10, "and nothing of what is used up");
}

#[test]
fn what_rolled_over_can_be_used_to_the_last_unit() {
    let mut bench = rolling(10, 5);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    bench.now = day(1);
    assert_eq!(hand.get(&mut bench, 15, 0), Some(15));
    assert_eq!(hand.get(&mut bench, 1, 0), None);
    bench.now = day(2);
    assert_eq!(hand.get(&mut bench, 11, 0), None);
    assert_eq!(hand.get(&mut bench, 10, 0), Some(10));
}

#[test]
fn periods_in_which_nothing_was_used_count_too() {
    for (unused, expected) in [(0, 11), (1, 21), (2, 31), (3, 35), (11, 35), (12, 10)] {
        let mut bench = rolling(10, 25);
        let mut hand = Hand::new("h");
        assert_eq!(hand.get(&mut bench, 9, 0), Some(9));
        let limit = limit_on(&mut bench, &mut hand, 1 + unused, 1);
        assert_eq!(limit, expected, "{unused} days without a request");
    }
}

#[test]
fn units_that_come_back_after_the_period_are_gone_with_it() {
    let mut bench = rolling(10, 10);
    let mut hand = Hand::new("h");
    bench.now = day(1).plus_ms(-1);
    assert_eq!(hand.get(&mut bench, 10, 0), Some(10));
    assert_eq!(limit_on(&mut bench, &mut hand, 1, 1), 10);
    // The next day has begun with what was known then.
    hand.give_back(&mut bench, 1, 5);
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(told(&outcome), [("api/day", 2, 10)]);
    assert_eq!(bench.used_in(Period::Day, day(0)), 5);
}

#[test]
fn overage_takes_nothing_from_the_next_period() {
    let mut bench = Bench::new(vec![Quota { rollover_max: 5, ..soft(Period::Day, 10) }]);
    let mut hand = Hand::new("h");
    assert_eq!(limit_on(&mut bench, &mut hand, 0, 50), 10);
    assert_eq!(limit_on(&mut bench, &mut hand, 1, 1), 10);
    assert_eq!(limit_on(&mut bench, &mut hand, 2, 1), 15);
}

#[test]
fn a_month_and_a_cycle_roll_over_as_days_do() {
    let quotas =
        [Period::Month, Period::Cycle].map(|period| Quota { rollover_max: 5, ..quota(period, 10) });
    let mut bench = Bench::new(quotas.into());
    bench.record().own.cycle_anchor = Some(day(-1).plus_ms(-1));
    let mut hand = Hand::new("h");
    bench.now = day(10);
    assert_eq!(hand.get(&mut bench, 8, 0), Some(8));
    // 1 January: a new month, and the cycle that began on 29 December.
    bench.now = day(31);
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(told(&outcome), [("api/month", 1, 12), ("api/cycle", 1, 12)]);
}

#[test]
fn each_member_has_a_rest_of_its_own() {
    let mut bench = Bench::new(vec![Quota { rollover_max: 9, ..each(Period::Day, 10) }]);
    let mut hand = Hand::new("h");
    hand.ask(&mut bench, vec![want_of("alice", 4, 0)]);
    hand.ask(&mut bench, vec![want_of("bob", 9, 0)]);
    bench.now = day(1);
    let outcome = hand.ask(&mut bench, vec![want_of("alice", 1, 0)]);
    assert_eq!(told(&outcome), [("api/day/member", 1, 16)]);
    let outcome = hand.ask(&mut bench, vec![want_of("bob", 1, 0)]);
    assert_eq!(told(&outcome), [("api/day/member", 1, 11)]);
    let outcome = hand.ask(&mut bench, vec![want_of("carol", 1, 0)]);
    assert_eq!(told(&outcome), [("api/day/member", 1, 10)]);
}
