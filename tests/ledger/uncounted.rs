//! Uncounted use: during an outage, or before signing in.

use tollgate::plan::{Period, Quota};
use tollgate::quota::store::{Counter, CounterKey};
use tollgate::quota::{DegradedUnits, LedgerRequest, Merge};

use crate::bench::{Bench, DAY_MS, Hand, NOW, each, leases, on, quota, soft, told, want, want_of};

fn degraded(meter: &str, units: u64, reported: u64) -> DegradedUnits {
    DegradedUnits { meter: meter.into(), units, reported }
}

/// The count of `api` in the current day.
fn today(bench: &Bench) -> Counter {
    let starts_at = Period::Day.window(bench.now, None, 0).starts_at;
    let key = CounterKey { meter: "api".into(), member: None, period: Period::Day, starts_at };
    bench.store.counters.get(&key).copied().unwrap_or_default()
}

#[test]
fn what_passed_during_an_outage_is_counted_apart() {
    let mut bench = Bench::new(vec![quota(Period::Day, 10), each(Period::Day, 5)]);
    let mut hand = Hand::new("h");
    let mut say = |bench: &mut Bench, all: Vec<DegradedUnits>| {
        let request = LedgerRequest { degraded: all, ..hand.message(vec![want_of("alice", 1, 0)]) };
        bench.call(&request).grant.expect("a want has an outcome")
    };
    let outcome = say(&mut bench, vec![degraded("api", 50, 0), degraded("x", 3, 0)]);
    assert_eq!(told(&outcome)[0], ("api/day", 1, 10), "nobody is refused for it");
    assert_eq!((today(&bench).degraded, today(&bench).used), (50, 1));
    // A member's count has nothing of it: the member is unknown.
    assert_eq!(bench.store.counters.values().filter(|one| one.degraded > 0).count(), 1);

    say(&mut bench, vec![degraded("api", 50, 0)]);
    assert_eq!(today(&bench).degraded, 50, "totals: nothing new");
    say(&mut bench, vec![degraded("api", 49, 0)]);
    assert_eq!(today(&bench).degraded, 50);
    bench.now = NOW.plus_seconds(86_400);
    say(&mut bench, vec![degraded("api", 53, 50)]);
    assert_eq!(today(&bench).degraded, 3, "what is new counts when it is heard");
}

#[test]
fn a_holder_that_was_forgotten_is_not_counted_again() {
    let mut bench = Bench::new(vec![soft(Period::Day, 10)]);
    let mut hand = Hand::new("h");
    let mut say = |bench: &mut Bench, units: u64, told: u64| {
        let all = vec![degraded("api", units, told)];
        let request = LedgerRequest { degraded: all, ..hand.message(Vec::new()) };
        bench.call(&request);
        today(bench).degraded
    };
    assert_eq!(say(&mut bench, 5, 0), 5);
    bench.now = NOW.plus_seconds(600);
    assert_eq!(say(&mut bench, 7, 5), 7);
    bench.now = NOW.plus_seconds(1_200);
    assert_eq!(say(&mut bench, 7, 7), 7);
    // An answer that got lost: the row is ahead of the message.
    assert_eq!(say(&mut bench, 9, 7), 9);
    assert_eq!(say(&mut bench, 9, 7), 9);
}

#[test]
fn holders_are_added_up() {
    let mut bench = Bench::new(vec![soft(Period::Day, 10)]);
    for name in ["h", "i"] {
        let all = vec![degraded("api", 4, 0)];
        bench.call(&LedgerRequest { degraded: all, ..Hand::new(name).message(Vec::new()) });
    }
    assert_eq!(today(&bench).degraded, 8);
    let all = vec![degraded("api", u64::MAX, 0)];
    bench.call(&LedgerRequest { degraded: all, ..Hand::new("j").message(Vec::new()) });
    assert_eq!(today(&bench).degraded, tollgate::store::MAX_UNITS);
}

#[test]
fn a_row_that_began_with_an_outage_is_a_row_like_any() {
    let mut bench = Bench::new(vec![Quota { rollover_max: 4, ..quota(Period::Day, 10) }]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 8, 0), Some(8));
    bench.now = NOW.plus_seconds(86_400);
    let all = vec![degraded("api", 1, 0)];
    bench.call(&LedgerRequest { degraded: all, ..hand.message(Vec::new()) });
    assert_eq!(today(&bench), Counter { carried: 2, degraded: 1, ..Counter::default() });
    assert_eq!(hand.get(&mut bench, 12, 0), Some(12));
}

fn merge(name: &str, units: u64) -> Merge {
    let ends_at = NOW.plus_ms(7 * DAY_MS);
    let (name, meter) = (name.into(), "api".into());
    Merge { name, meter, member: None, units, ends_at }
}

#[test]
fn a_readers_allowance_is_merged_once_and_as_far_as_there_is_room() {
    let mut bench = Bench::new(vec![quota(Period::Day, 10), quota(Period::Month, 100)]);
    let mut hand = Hand::new("h");
    let mut say = |bench: &mut Bench, merge: Merge| {
        bench.call(&LedgerRequest { merge: Some(merge.into()), ..hand.message(Vec::new()) });
        bench.used()
    };
    assert_eq!(say(&mut bench, merge("r1", 3)), [3, 3]);
    assert_eq!(say(&mut bench, merge("r1", 3)), [3, 3], "once");
    assert_eq!(say(&mut bench, merge("r1", 2)), [3, 3], "an older count is no news");
    assert_eq!(say(&mut bench, merge("r1", 5)), [5, 5], "what it has grown by");
    assert_eq!(say(&mut bench, merge("r2", 50)), [10, 10], "there is room for five of them");
    assert_eq!(say(&mut bench, merge("r2", 50)), [10, 10]);
    let request =
        LedgerRequest { merge: Some(merge("r3", 1).into()), ..hand.message(vec![want(1, 0)]) };
    let outcome = bench.call(&request).grant.expect("a want has an outcome");
    assert_eq!(leases(&outcome), [], "it comes before the wants");
    bench.now = NOW.plus_ms(DAY_MS);
    bench.call(&LedgerRequest { merge: Some(merge("r2", 50).into()), ..hand.message(Vec::new()) });
    assert_eq!(bench.used(), [10, 10], "nor is what found no room counted tomorrow");
}

#[test]
fn a_merge_counts_for_the_member_who_signed_in() {
    let mut bench = Bench::new(vec![quota(Period::Day, 9), each(Period::Day, 4)]);
    let mut hand = Hand::new("h");
    for (member, used) in [("ann", 3), ("ann", 4), ("bob", 7)] {
        let merge = merge(&format!("{member}{used}"), 3);
        let merge = Some(Box::new(Merge { member: Some(member.into()), ..merge }));
        bench.call(&LedgerRequest { merge, ..hand.message(Vec::new()) });
        let of_account = bench.store.counters.iter().find(|(key, _)| key.member.is_none());
        assert_eq!(of_account.map(|(_, counter)| counter.used), Some(used), "{member}");
    }
}

#[test]
fn a_merge_waits_for_a_plan_and_for_a_meter_that_counts() {
    let mut bench = Bench::new(vec![on("b", quota(Period::Day, 10))]);
    let plan = bench.record().own.plan.take();
    let mut hand = Hand::new("h");
    bench.call(&LedgerRequest { merge: Some(merge("r", 3).into()), ..hand.message(Vec::new()) });
    assert!(bench.store.merged.is_empty());
    bench.record().own.plan = plan;
    bench.call(&LedgerRequest { merge: Some(merge("r", 3).into()), ..hand.message(Vec::new()) });
    assert_eq!((bench.store.merged.len(), bench.used()), (1, vec![]));
}
