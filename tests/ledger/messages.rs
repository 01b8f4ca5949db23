//! Messages that are lost, sent again, late or out of order.

use tollgate::plan::Period;
use tollgate::quota::{GrantOutcome, LeaseReport, LedgerRequest};

use crate::bench::{Bench, Hand, NOW, leases, on, quota, units, want};

#[test]
fn the_same_message_again_is_void_and_changes_nothing() {
    let mut bench = Bench::new(vec![quota(Period::Month, 100)]);
    let mut hand = Hand::new("h");
    let request = hand.message(vec![want(1, 5)]);
    let first = bench.call(&request);
    assert_eq!(first.grant.as_ref().and_then(units), Some(6));
    let (before, writes) = (bench.store.clone(), bench.store.writes);
    let again = bench.call(&request);
    assert_eq!(again.grant, Some(GrantOutcome::Void));
    assert_eq!(again.account, first.account, "it is told how the account stands all the same");
    assert_eq!((&bench.store.counters, &bench.store.holders), (&before.counters, &before.holders));
    assert_eq!(bench.store.writes, writes);
}

#[test]
fn a_message_that_was_overtaken_is_void() {
    let mut bench = Bench::new(vec![quota(Period::Month, 100)]);
    let mut hand = Hand::new("h");
    let late = hand.message(vec![want(1, 0), want(1, 0)]);
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    assert_eq!(bench.call(&late).grant, Some(GrantOutcome::Void));
    // Nor may a number lie within those that the wants of another message took.
    let within = LedgerRequest { number: 2, ..late };
    assert_eq!(bench.call(&within).grant, Some(GrantOutcome::Void));
    assert_eq!(bench.used(), [1]);
}

#[test]
fn leases_are_called_by_the_number_and_the_place_of_their_want() {
    let quotas = vec![quota(Period::Month, 100), on("b", quota(Period::Month, 100))];
    let mut bench = Bench::new(quotas);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    let [unlimited, b] = ["x", "b"].map(|meter| {
        let mut wanted = want(1, 0);
        wanted.meter = meter.into();
        wanted
    });
    let outcome = hand.ask(&mut bench, vec![unlimited, b, want(2, 0)]);
    let ids: Vec<_> = leases(&outcome).iter().map(|lease| (lease.id, lease.units)).collect();
    assert_eq!(ids, [(3, 1), (4, 2)]);
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(leases(&outcome)[0].id, 5);
}

#[test]
fn a_lease_that_never_arrived_goes_back_whole() {
    let mut bench = Bench::new(vec![quota(Period::Month, 10)]);
    let mut hand = Hand::new("h");
    let lost = hand.message(vec![want(1, 0)]);
    assert_eq!(bench.call(&lost).grant.as_ref().and_then(units), Some(1));
    // The holder gave up waiting, and asks anew for all there is.
    assert_eq!(hand.get(&mut bench, 10, 0), Some(10));
    assert_eq!(bench.used(), [10]);
    hand.leases.clear();
    hand.tell(&mut bench);
    assert_eq!(bench.used(), [0], "that too was never named");
}

#[test]
fn a_lease_that_arrived_and_is_not_named_any_more_is_settled() {
    let mut bench = Bench::new(vec![quota(Period::Month, 10)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 4, 0), Some(4));
    hand.leases[0] = LeaseReport { id: 1, spent: 3, returned: 1 };
    hand.tell(&mut bench);
    assert_eq!(bench.used(), [3]);
    assert_eq!(bench.store.holders["h"].leases.len(), 1);
    hand.leases.clear();
    hand.tell(&mut bench);
    assert_eq!(bench.used(), [3]);
    assert!(bench.store.holders["h"].leases.is_empty());
    // Too late for it to come back.
    hand.leases.push(LeaseReport { id: 1, spent: 0, returned: 4 });
    hand.tell(&mut bench);
    assert_eq!(bench.used(), [3]);
}

#[test]
fn returned_units_leave_the_windows_they_were_debited_in() {
    let mut bench = Bench::new(vec![quota(Period::Minute, 10), quota(Period::Day, 100)]);
    let mut hand = Hand::new("h");
    bench.now = NOW.plus_ms(-1);
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    assert_eq!(hand.get(&mut bench, 5, 0), Some(5));
    bench.now = NOW;
    assert_eq!(hand.get(&mut bench, 7, 0), Some(7));
    // Minute before midnight, minute after; day before, day after.
    assert_eq!(bench.used(), [6, 7, 6, 7]);
    hand.give_back(&mut bench, 2, 2);
    assert_eq!(bench.used(), [4, 7, 4, 7]);
    hand.give_back(&mut bench, 2, 2);
    hand.give_back(&mut bench, 2, 1);
    assert_eq!(bench.used(), [4, 7, 4, 7], "totals: what was said before is no news");
    hand.give_back(&mut bench, 2, u64::MAX);
    assert_eq!(bench.used(), [1, 7, 1, 7], "never more than was granted");
    hand.leases.push(LeaseReport { id: 99, spent: 0, returned: 3 });
    hand.tell(&mut bench);
    assert_eq!(bench.used(), [1, 7, 1, 7], "nor of what never was");
}

#[test]
fn spent_and_returned_never_pass_what_was_granted() {
    let mut bench = Bench::new(vec![quota(Period::Month, 10)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 6, 0), Some(6));
    for (spent, returned, expected) in [(9, 0, (6, 0)), (6, 2, (4, 2)), (u64::MAX, 1, (4, 2))] {
        hand.leases[0] = LeaseReport { id: 1, spent, returned };
        hand.tell(&mut bench);
        let row = &bench.store.holders["h"].leases[0];
        assert_eq!((row.spent, row.returned), expected);
    }
}

#[test]
fn a_report_is_heard_before_the_wants() {
    let mut bench = Bench::new(vec![quota(Period::Month, 5)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 5, 0), Some(5));
    hand.leases[0] = LeaseReport { id: 1, spent: 4, returned: 1 };
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
}

#[test]
fn what_is_reported_counts_also_where_the_wants_are_refused() {
    let mut bench = Bench::new(vec![quota(Period::Month, 5)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 5, 0), Some(5));
    hand.leases[0] = LeaseReport { id: 1, spent: 4, returned: 1 };
    assert_eq!(hand.get(&mut bench, 2, 0), None);
    assert_eq!(bench.used(), [4]);
    bench.record().own.plan = Some("gone".into());
    hand.leases[0] = LeaseReport { id: 1, spent: 3, returned: 2 };
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!((outcome, bench.used()), (GrantOutcome::UnknownPlan, vec![3]));
}

#[test]
fn holders_have_numbers_and_leases_of_their_own() {
    let mut bench = Bench::new(vec![quota(Period::Month, 10)]);
    let (mut one, mut other) = (Hand::new("h"), Hand::new("i"));
    assert_eq!(one.get(&mut bench, 4, 0), Some(4));
    assert_eq!(other.get(&mut bench, 4, 0), Some(4));
    one.give_back(&mut bench, 1, 3);
    assert_eq!(bench.used(), [5]);
    assert_eq!(bench.store.holders["i"].leases[0].returned, 0);
}

#[test]
fn whoever_only_reads_leaves_no_row() {
    let mut bench = Bench::new(vec![quota(Period::Month, 10)]);
    let reader = LedgerRequest { holder: "r".into(), ..LedgerRequest::default() };
    let reply = bench.call(&reader);
    assert!(reply.account.is_some() && reply.grant.is_none());
    assert_eq!(bench.store.writes, 0);
    assert!(bench.store.holders.is_empty());
}
