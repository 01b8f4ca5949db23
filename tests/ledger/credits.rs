//! Credits: which are used first, for how long, and where they go back to.

use tollgate::plan::Period;
use tollgate::quota::{CreditPack, Ledger, RefusalReason};
use tollgate::store::MAX_UNITS;

use crate::bench::{Bench, DAY_MS, Hand, NOW, leases, quota, refused, soft, units, want};

/// The rest of each pack, in the order in which they were added.
fn left(bench: &Bench) -> Vec<u64> {
    bench.store.packs.iter().map(|pack| pack.left).collect()
}

#[test]
fn credits_make_up_for_what_the_quota_lacks() {
    let quotas = vec![quota(Period::Minute, 5), soft(Period::Month, 100)];
    let mut bench = Bench::new(quotas).with_credits(4);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 3, 0), Some(3));
    assert_eq!(bench.credits(), 4);
    assert_eq!(hand.get(&mut bench, 4, 0), Some(4));
    assert_eq!((bench.used(), bench.credits()), (vec![5, 5], 2));
    let outcome = hand.ask(&mut bench, vec![want(3, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CreditsExhausted, "api/minute")));
    assert_eq!((bench.used(), bench.credits()), (vec![5, 5], 2));
    assert_eq!(hand.get(&mut bench, 2, 0), Some(2));
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CreditsExhausted, "api/minute")));
}

#[test]
fn a_soft_quota_takes_none() {
    let mut bench = Bench::new(vec![soft(Period::Month, 2)]).with_credits(5);
    assert_eq!(Hand::new("h").get(&mut bench, 4, 0), Some(4));
    assert_eq!((bench.used(), bench.credits()), (vec![4], 5));
}

#[test]
fn a_cost_that_no_fresh_period_could_hold_is_said_to_be() {
    let quotas = vec![quota(Period::Day, 10), quota(Period::Month, 20)];
    let mut bench = Bench::new(quotas).with_credits(3);
    let mut hand = Hand::new("h");
    let outcome = hand.ask(&mut bench, vec![want(14, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CostExceedsQuota, "api/day")));
    assert_eq!(hand.get(&mut bench, 13, 0), Some(13));
    assert_eq!((bench.used(), bench.credits()), (vec![10, 10], 0));

    let mut by_credits_alone = Bench::new(vec![quota(Period::Month, 0)]).with_credits(1);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut by_credits_alone, 1, 0), Some(1));
    assert_eq!(by_credits_alone.used(), [0; 0]);
    let outcome = hand.ask(&mut by_credits_alone, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CreditsExhausted, "api/month")));
    let mut nothing = Bench::new(vec![quota(Period::Month, 0)]);
    let outcome = Hand::new("h").ask(&mut nothing, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CostExceedsQuota, "api/month")));
}

#[test]
fn what_expires_first_is_used_first() {
    let mut bench = Bench::new(vec![quota(Period::Month, 0)]);
    bench.sell("for ever", 10, None);
    bench.sell("late", 10, Some(NOW.plus_ms(2 * DAY_MS)));
    bench.sell("soon", 10, Some(NOW.plus_ms(DAY_MS)));
    bench.sell("as soon", 10, Some(NOW.plus_ms(DAY_MS)));
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 15, 0), Some(15));
    assert_eq!(left(&bench), [10, 10, 0, 5], "of two that expire together the older");
    assert_eq!(hand.get(&mut bench, 17, 0), Some(17));
    assert_eq!(left(&bench), [8, 0, 0, 0]);
}

#[test]
fn what_has_expired_is_worth_nothing() {
    let mut bench = Bench::new(vec![quota(Period::Month, 0)]);
    bench.sell("pack", 10, Some(NOW.plus_ms(DAY_MS)));
    let mut hand = Hand::new("h");
    bench.now = NOW.plus_ms(DAY_MS - 1);
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    bench.now = NOW.plus_ms(DAY_MS);
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CreditsExhausted, "api/month")));
    hand.give_back(&mut bench, 1, 1);
    assert_eq!(left(&bench), [10], "it goes back, and is still worth nothing");
    assert_eq!(hand.get(&mut bench, 1, 0), None);
}

#[test]
fn a_lease_ends_with_the_first_of_its_packs() {
    let mut bench = Bench::new(vec![quota(Period::Day, 3)]);
    bench.sell("for ever", 10, None);
    bench.sell("soon", 2, Some(NOW.plus_ms(6_400)));
    let mut hand = Hand::new("h");
    let mut lifetime_ms = |needed| {
        let outcome = hand.ask(&mut bench, vec![want(needed, 0)]);
        leases(&outcome)[0].lifetime_ms
    };
    assert_eq!(lifetime_ms(3), 25_000, "of the quota alone");
    assert_eq!(lifetime_ms(1), 6_400 - 100);
    assert_eq!(lifetime_ms(2), 6_400 - 100, "of both packs");
    assert_eq!(lifetime_ms(2), 25_000);
}

#[test]
fn ahead_of_demand_a_quarter_of_what_is_left_is_granted_from_credits_too() {
    let mut bench = Bench::new(vec![quota(Period::Month, 1)]).with_credits(100);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 1, 40), Some(26));
    assert_eq!((bench.used(), bench.credits()), (vec![1], 75));
}

#[test]
fn credits_go_back_first_and_to_the_packs_they_came_from() {
    let mut bench = Bench::new(vec![quota(Period::Month, 5)]);
    bench.sell("for ever", 4, None);
    bench.sell("soon", 2, Some(NOW.plus_ms(DAY_MS)));
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 9, 0), Some(9));
    assert_eq!((bench.used(), left(&bench)), (vec![5], vec![2, 0]));
    // The pack that was taken last goes back first, and after it the one that expires.
    for (returned, used, packs) in
        [(1, 5, [3, 0]), (2, 5, [4, 0]), (3, 5, [4, 1]), (6, 3, [4, 2]), (9, 0, [4, 2])]
    {
        hand.give_back(&mut bench, 1, returned);
        assert_eq!((bench.used(), left(&bench)), (vec![used], packs.to_vec()), "{returned}");
    }
}

#[test]
fn a_pack_is_added_once() {
    let mut bench = Bench::new(vec![quota(Period::Month, 0)]);
    let pack = CreditPack { id: "p1".into(), units: 5, left: 99, added_at: NOW, expires_at: None };
    let kept = Ledger::add_credits(&mut bench.store, pack.clone(), "ops", NOW).unwrap();
    assert_eq!((kept.left, kept.added_at), (5, NOW), "whatever was said of it");
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 3, 0), Some(3));
    let later = NOW.plus_seconds(60);
    let other = CreditPack { units: 500, ..pack };
    let again = Ledger::add_credits(&mut bench.store, other, "ops", later).unwrap();
    assert_eq!((again.units, again.left, again.added_at), (5, 2, NOW));
    assert_eq!(left(&bench), [2]);
    let trail = &bench.store.audit;
    assert_eq!(trail.len(), 1);
    assert_eq!((trail[0].actor.as_str(), trail[0].action.as_str()), ("ops", "add-credits"));
    assert_eq!(trail[0].detail, serde_json::to_string(&kept).unwrap());
}

#[test]
fn a_pack_that_is_used_up_still_says_that_there_were_credits() {
    let mut bench = Bench::new(vec![quota(Period::Month, 1)]).with_credits(1);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 2, 0), Some(2));
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CreditsExhausted, "api/month")));
    assert_eq!(units(&outcome), None);
}

#[test]
fn what_is_left_of_all_packs_never_passes_the_most_that_can_be_counted() {
    let mut bench = Bench::new(vec![quota(Period::Month, 0)]);
    bench.sell("a", MAX_UNITS - 10, None);
    bench.sell("b", 100, None);
    bench.sell("c", 100, None);
    assert_eq!(left(&bench), [MAX_UNITS - 10, 10, 0]);
    bench.sell("b", 100, None);
    assert_eq!(left(&bench), [MAX_UNITS - 10, 10, 0], "again is not once more");
}
