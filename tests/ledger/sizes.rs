//! The size of leases, and the time to spend them.

use tollgate::plan::Period;
use tollgate::quota::lease::LEASE_LIFETIME_MS;
use tollgate::quota::ledger::HOLDER_ACTIVE_MS;
use tollgate::quota::{GrantOutcome, RefusalReason};

use crate::bench::{Bench, Hand, NOW, each, leases, quota, refused, soft, units, want, want_of};

const LIFETIME_MS: u64 = LEASE_LIFETIME_MS.unsigned_abs();

fn lifetime_ms(outcome: &GrantOutcome) -> u64 {
    let [lease] = leases(outcome) else { panic!("{outcome:?}") };
    lease.lifetime_ms
}

#[test]
fn what_is_asked_ahead_is_granted_where_there_is_plenty() {
    let mut bench = Bench::new(vec![quota(Period::Month, 1_000)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 1, 30), Some(31));
    assert_eq!(hand.get(&mut bench, 0, 5), Some(5));
    assert_eq!(hand.get(&mut bench, 0, 0), Some(0));
    assert_eq!(bench.used(), [36]);
}

#[test]
fn leases_get_smaller_as_the_limit_nears_until_the_last_unit_is_sold() {
    let mut bench = Bench::new(vec![quota(Period::Month, 100)]);
    let mut hand = Hand::new("h");
    let mut sizes = Vec::new();
    while let Some(units) = hand.get(&mut bench, 1, 1_000) {
        sizes.push(units);
    }
    assert_eq!(sizes[..4], [25, 19, 14, 11], "one, and a quarter of the rest");
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    assert_eq!(sizes[sizes.len() - 4..], [1; 4]);
    assert_eq!(sizes.iter().sum::<u64>(), 100);
}

#[test]
fn what_a_request_needs_is_granted_whatever_is_fair() {
    let mut bench = Bench::new(vec![quota(Period::Month, 100)]);
    assert_eq!(Hand::new("h").get(&mut bench, 99, 50), Some(99));
    assert_eq!(Hand::new("i").get(&mut bench, 1, 50), Some(1));
}

#[test]
fn holders_that_are_there_share_what_is_left() {
    let mut bench = Bench::new(vec![quota(Period::Month, 1_000)]);
    let names = ["a", "b", "c", "d"];
    let mut hands = names.map(Hand::new);
    for hand in &mut hands {
        assert_eq!(hand.get(&mut bench, 0, 0), Some(0));
    }
    // A quarter of an even share of 1,000, then of 938.
    assert_eq!(hands[0].get(&mut bench, 0, 999), Some(62));
    assert_eq!(hands[0].get(&mut bench, 0, 999), Some(58));

    // A holder that was silent for a while shares no more, though it may still hold some.
    bench.now = NOW.plus_ms(HOLDER_ACTIVE_MS);
    assert_eq!(hands[0].get(&mut bench, 0, 999), Some(880 / 4));
    assert_eq!(hands[1].get(&mut bench, 0, 999), Some(660 / 8), "and is counted again");
}

#[test]
fn holders_are_told_to_ask_for_more_at_a_time_where_there_are_many() {
    let mut bench = Bench::new(vec![quota(Period::Month, 1_000_000)]);
    let horizon_ms = |bench: &mut Bench, holders: usize| {
        for number in 0..holders {
            let mut request = Hand::new("").message(vec![want(0, 0)]);
            request.holder = format!("{holders}-{number}");
            bench.call(&request);
        }
        let request = Hand::new("last").message(Vec::new());
        let horizon_ms = bench.call(&request).horizon_ms;
        bench.now = bench.now.plus_ms(120_000);
        horizon_ms
    };
    assert_eq!(horizon_ms(&mut bench, 1), 10_000);
    assert_eq!(horizon_ms(&mut bench, 500), 10_000);
    assert_eq!(horizon_ms(&mut bench, 750), 15_000);
    assert_eq!(horizon_ms(&mut bench, 5_000), 20_000, "less than a lease lives");
    assert_eq!(horizon_ms(&mut bench, 2), 10_000, "they have gone");
}

#[test]
fn a_lease_ends_with_the_first_of_its_windows() {
    let quotas = vec![quota(Period::Month, 100), soft(Period::Minute, 100)];
    for (into_ms, lifetime_ms_expected) in [
        (0, LIFETIME_MS),
        (30_000, LIFETIME_MS),
        // Less a sixty-fourth, for a clock that is slow.
        (40_000, 20_000 - 312),
        (58_000, 2_000 - 31),
        (59_000, 1_000 - 15),
    ] {
        let mut bench = Bench::new(quotas.clone());
        bench.now = NOW.plus_ms(into_ms);
        let outcome = Hand::new("h").ask(&mut bench, vec![want(1, 4)]);
        assert_eq!(units(&outcome), Some(5), "{into_ms}");
        assert_eq!(lifetime_ms(&outcome), lifetime_ms_expected, "{into_ms}");
    }
}

#[test]
fn nothing_is_granted_ahead_at_the_end_of_a_window() {
    let mut bench = Bench::new(vec![quota(Period::Minute, 100), quota(Period::Month, 100)]);
    let mut hand = Hand::new("h");
    bench.now = NOW.plus_ms(59_001);
    let outcome = hand.ask(&mut bench, vec![want(2, 50)]);
    assert_eq!((units(&outcome), lifetime_ms(&outcome)), (Some(2), 999 - 15));
    bench.now = NOW.plus_ms(59_999);
    let outcome = hand.ask(&mut bench, vec![want(98, 50)]);
    assert_eq!((units(&outcome), lifetime_ms(&outcome)), (Some(98), 1));
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/month")));
}

#[test]
fn units_that_are_credits_alone_end_with_no_window() {
    let mut bench = Bench::new(vec![quota(Period::Minute, 0)]).with_credits(100);
    bench.now = NOW.plus_ms(58_000);
    let outcome = Hand::new("h").ask(&mut bench, vec![want(1, 4)]);
    assert_eq!((units(&outcome), lifetime_ms(&outcome)), (Some(5), LIFETIME_MS));
}

#[test]
fn nothing_is_held_for_nobody_where_each_member_is_counted() {
    let mut bench = Bench::new(vec![quota(Period::Month, 1_000), each(Period::Month, 100)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 0, 50), Some(0));
    assert_eq!(bench.used(), [0; 0]);
    let outcome = hand.ask(&mut bench, vec![want_of("alice", 0, 50)]);
    assert_eq!(units(&outcome), Some(25), "a quarter of what alice may use");
}
