//! Several wants in one message: all of what they need or nothing, from what they share.

use tollgate::plan::Period;
use tollgate::quota::{GrantOutcome, RefusalReason, Want};

use crate::bench::{
    Bench, Hand, each, leases, on, quota, refused, states, told, units, want, want_of,
};

fn want_on(meter: &str, needed: u64, ahead: u64) -> Want {
    Want { meter: meter.into(), ..want(needed, ahead) }
}

/// The units of each lease.
fn sizes(outcome: &GrantOutcome) -> Vec<u64> {
    leases(outcome).iter().map(|lease| lease.units).collect()
}

fn two_meters(a: u64, b: u64) -> Bench {
    Bench::new(vec![on("a", quota(Period::Month, a)), on("b", quota(Period::Month, b))])
}

#[test]
fn either_all_are_met_or_none() {
    let mut bench = two_meters(10, 3);
    let mut hand = Hand::new("h");
    let outcome = hand.ask(&mut bench, vec![want_on("a", 4, 0), want_on("b", 4, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CostExceedsQuota, "b/month")));
    let GrantOutcome::Refused { meter, quotas, .. } = &outcome else { panic!("it was refused") };
    assert_eq!(
        (meter.as_str(), states(quotas)),
        ("b", vec![("a/month", 0, 10), ("b/month", 0, 3)])
    );
    assert!(bench.store.counters.is_empty());

    let outcome = hand.ask(&mut bench, vec![want_on("a", 4, 0), want_on("b", 3, 0)]);
    assert_eq!(sizes(&outcome), [4, 3]);
    let GrantOutcome::Granted { quotas, .. } = &outcome else { panic!("it was granted") };
    assert_eq!(states(&quotas[0]), [("a/month", 4, 10)]);
    assert_eq!(states(&quotas[1]), [("b/month", 3, 3)]);
    assert_eq!(bench.used(), [4, 3]);
    let outcome = hand.ask(&mut bench, vec![want_on("b", 1, 0), want_on("a", 1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "b/month")));
    assert_eq!(bench.used(), [4, 3]);
}

#[test]
fn wants_share_the_accounts_credits() {
    let mut bench = two_meters(1, 1).with_credits(4);
    let mut hand = Hand::new("h");
    let outcome = hand.ask(&mut bench, vec![want_on("a", 3, 0), want_on("b", 4, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CreditsExhausted, "b/month")));
    assert_eq!((bench.used(), bench.credits()), (vec![], 4));
    let outcome = hand.ask(&mut bench, vec![want_on("a", 3, 0), want_on("b", 3, 0)]);
    assert_eq!(sizes(&outcome), [3, 3]);
    assert_eq!((bench.used(), bench.credits()), (vec![1, 1], 0));
}

#[test]
fn what_is_asked_ahead_never_takes_what_another_want_needs() {
    let mut bench = two_meters(1, 0).with_credits(10);
    let mut hand = Hand::new("h");
    let outcome = hand.ask(&mut bench, vec![want_on("a", 1, 1_000), want_on("b", 9, 1_000)]);
    assert_eq!(sizes(&outcome), [1, 9], "and of the one that is left a quarter is none");
    assert_eq!((bench.used(), bench.credits()), (vec![1], 1));

    let mut bench = two_meters(0, 0).with_credits(20);
    let outcome =
        Hand::new("h").ask(&mut bench, vec![want_on("a", 0, 1_000), want_on("b", 4, 1_000)]);
    assert_eq!(sizes(&outcome), [4, 7], "a quarter of 16, and of the 12 that are then left");
    assert_eq!(bench.credits(), 9);
}

#[test]
fn wants_of_several_members_share_the_accounts_count() {
    let quotas = vec![quota(Period::Month, 40), each(Period::Month, 30)];
    let mut bench = Bench::new(quotas);
    let mut hand = Hand::new("h");
    let wants = vec![want_of("alice", 3, 8), want_of("bob", 5, 8), want_of("alice", 1, 0)];
    let outcome = hand.ask(&mut bench, wants);
    // Nine are needed. Of the 31 that are left alice may have 7 ahead, but her own count only has
    // 26: a quarter is 6. Of the 25 that are left then bob may have a quarter, of his own as well.
    assert_eq!(sizes(&outcome), [3 + 6, 5 + 6, 1]);
    assert_eq!(bench.used(), [21, 10, 11], "the account's, alice's and bob's");
    assert_eq!(told(&outcome), [("api/month", 21, 40), ("api/month/member", 10, 30)]);
    assert!(leases(&outcome).iter().all(|lease| lease.is_of_member));

    // Each alone would fit, together they don't.
    let wants = vec![want_of("alice", 10, 0), want_of("bob", 10, 0)];
    let outcome = hand.ask(&mut bench, wants);
    assert_eq!(refused(&outcome).map(|(_, name)| name), Some("api/month"));
    assert_eq!(bench.used(), [21, 10, 11]);
    let outcome = hand.ask(&mut bench, vec![want_of("alice", 10, 0), want_of("bob", 9, 0)]);
    assert_eq!(units(&outcome), Some(19));
    assert_eq!(bench.used(), [40, 20, 20]);
    hand.give_back(&mut bench, 2, 11);
    assert_eq!(bench.used(), [29, 20, 9]);
}

#[test]
fn what_nothing_limits_is_no_reason_to_refuse_the_rest() {
    let mut bench = two_meters(5, 5);
    let mut hand = Hand::new("h");
    let wants = vec![want_on("x", u64::MAX, u64::MAX), want_on("a", 2, 0)];
    let outcome = hand.ask(&mut bench, wants);
    assert_eq!(
        leases(&outcome).iter().map(|one| (one.id, one.units)).collect::<Vec<_>>(),
        [(2, 2)]
    );
    let GrantOutcome::Granted { quotas, .. } = &outcome else { panic!("it was granted") };
    assert_eq!((quotas[0].len(), quotas[1].len()), (0, 1));
}
