//! The allowance of a quota: overage, trials, exceptions, and members with counts of their own.

use tollgate::account::Status;
use tollgate::plan::{Period, Quota, Terms};
use tollgate::quota::{Ledger, RefusalReason};

use crate::bench::{
    Bench, Hand, NOW, each, leases, on, quota, refused, soft, states, told, units, want, want_of,
};

#[test]
fn a_soft_quota_counts_overage() {
    let mut bench = Bench::new(vec![soft(Period::Month, 2)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 3, 0), Some(3));
    let outcome = hand.ask(&mut bench, vec![want(1, 50)]);
    assert_eq!(units(&outcome), Some(51), "nothing is near");
    assert_eq!(told(&outcome), [("api/month", 54, 2)]);
}

#[test]
fn overage_ends_where_the_quota_says() {
    let capped = Quota { overage_max: Some(3), ..soft(Period::Month, 2) };
    let mut bench = Bench::new(vec![capped.clone()]);
    let mut hand = Hand::new("h");
    let outcome = hand.ask(&mut bench, vec![want(6, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CostExceedsQuota, "api/month")));
    assert_eq!(hand.get(&mut bench, 1, 50), Some(2), "near its end it is shared like a hard one");
    assert_eq!(hand.get(&mut bench, 3, 50), Some(3));
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/month")));
    assert_eq!(bench.used(), [5]);

    let mut prepaid = Bench::new(vec![capped]).with_credits(1);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut prepaid, 6, 0), Some(6), "overage first, then credits");
    assert_eq!((prepaid.used(), prepaid.credits()), (vec![5], 0));

    let mut none = Bench::new(vec![Quota { overage_max: Some(0), ..soft(Period::Month, 2) }]);
    assert_eq!(Hand::new("h").get(&mut none, 3, 0), None);
}

#[test]
fn a_trial_has_a_limit_of_its_own() {
    let quotas = vec![Quota { trial_limit: Some(2), ..quota(Period::Month, 100) }];
    let mut bench = Bench::new(quotas);
    bench.record().own.status = Status::Trialing;
    let mut hand = Hand::new("h");
    let outcome = hand.ask(&mut bench, vec![want(2, 0)]);
    assert_eq!(told(&outcome), [("api/month", 2, 2)]);
    assert_eq!(hand.get(&mut bench, 1, 0), None);
    // Whoever pays has what is left of the month at once.
    bench.record().own.status = Status::Active;
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(told(&outcome), [("api/month", 3, 100)]);

    let mut unsaid = Bench::new(vec![quota(Period::Month, 100)]);
    unsaid.record().own.status = Status::Trialing;
    assert_eq!(Hand::new("h").get(&mut unsaid, 100, 0), Some(100));
}

#[test]
fn an_account_may_have_limits_of_its_own() {
    let quotas = vec![
        Quota { trial_limit: Some(2), ..quota(Period::Month, 10) },
        quota(Period::Day, 8),
        each(Period::Month, 3),
    ];
    let mut bench = Bench::new(quotas);
    let mut hand = Hand::new("h");
    bench.record().limits = [("api/month", 20), ("other/day", 0), ("api/month/member", 15)]
        .map(|(name, limit)| (name.to_owned(), limit))
        .into();
    let outcome = hand.ask(&mut bench, vec![want_of("alice", 8, 0)]);
    let expected = [("api/month", 8, 20), ("api/day", 8, 8), ("api/month/member", 8, 15)];
    assert_eq!(told(&outcome), expected);
    let outcome = hand.ask(&mut bench, vec![want_of("alice", 1, 0)]);
    assert_eq!(refused(&outcome).map(|(_, name)| name), Some("api/day"));
    // An exception counts, in a trial too.
    bench.record().own.status = Status::Trialing;
    bench.now = NOW.plus_seconds(86_400);
    let outcome = hand.ask(&mut bench, vec![want_of("alice", 7, 0)]);
    assert_eq!(told(&outcome)[0], ("api/month", 15, 20));
    bench.record().limits.insert("api/month".to_owned(), 0);
    let outcome = hand.ask(&mut bench, vec![want_of("bob", 1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CostExceedsQuota, "api/month")));
}

#[test]
fn each_member_is_counted_inside_the_account() {
    let mut bench = Bench::new(vec![quota(Period::Month, 7), each(Period::Day, 3)]);
    let mut hand = Hand::new("h");
    let outcome = hand.ask(&mut bench, vec![want_of("alice", 3, 0)]);
    assert!(leases(&outcome)[0].is_of_member);
    assert_eq!(told(&outcome), [("api/month", 3, 7), ("api/day/member", 3, 3)]);
    let outcome = hand.ask(&mut bench, vec![want_of("alice", 1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/day/member")));
    let outcome = hand.ask(&mut bench, vec![want_of("bob", 3, 0)]);
    assert_eq!(told(&outcome), [("api/month", 6, 7), ("api/day/member", 3, 3)]);
    let outcome = hand.ask(&mut bench, vec![want_of("carol", 2, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/month")));
    hand.give_back(&mut bench, 1, 2);
    let outcome = hand.ask(&mut bench, vec![want_of("alice", 2, 0)]);
    assert_eq!(told(&outcome), [("api/month", 6, 7), ("api/day/member", 3, 3)]);
    bench.now = NOW.plus_seconds(86_400);
    let outcome = hand.ask(&mut bench, vec![want_of("alice", 1, 0)]);
    assert_eq!(told(&outcome), [("api/month", 7, 7), ("api/day/member", 1, 3)]);
}

#[test]
fn a_member_is_only_noted_where_the_plan_counts_it() {
    let quotas = vec![quota(Period::Month, 9), on("b", each(Period::Month, 9))];
    let mut bench = Bench::new(quotas);
    let outcome = Hand::new("h").ask(&mut bench, vec![want_of("alice", 1, 0)]);
    assert!(!leases(&outcome)[0].is_of_member);
    assert_eq!(bench.store.holders["h"].leases[0].member, None);
    assert!(bench.store.counters.keys().all(|key| key.member.is_none()));
}

#[test]
fn usage_tells_every_quota_and_what_is_left_of_credits() {
    let quotas = vec![
        quota(Period::Month, 10),
        on("b", soft(Period::Day, 3)),
        each(Period::Day, 3),
        on("c", quota(Period::Hour, 1)),
    ];
    let mut bench = Bench::new(quotas);
    bench.plans.push(tollgate::plan::Plan { id: "other".into(), ..Default::default() });
    bench.sell("used up", 1, None);
    bench.sell("for ever", 8, None);
    bench.sell("soon", 8, Some(NOW.plus_seconds(60)));
    bench.sell("over", 8, Some(NOW));
    bench.store.packs[0].left = 0;
    let mut hand = Hand::new("h");
    hand.ask(&mut bench, vec![want_of("alice", 2, 0), want_of("bob", 1, 0)]);
    let before = bench.store.clone();
    let usage = |bench: &Bench, plan: Option<&str>, member: Option<&str>| {
        let terms = Terms { plans: &bench.plans, ..Terms::default() };
        Ledger::usage(&bench.store, terms, plan, member, bench.now).unwrap()
    };
    let alices = usage(&bench, None, Some("alice"));
    assert_eq!(alices.account, bench.store.account);
    assert_eq!(
        states(&alices.quotas),
        [("api/month", 3, 10), ("b/day", 0, 3), ("api/day/member", 2, 3), ("c/hour", 0, 1)]
    );
    let packs: Vec<_> = alices.credits.iter().map(|pack| pack.id.as_str()).collect();
    assert_eq!(
        packs,
        ["soon", "used up", "for ever"],
        "of one that is used up units may come back"
    );
    assert_eq!(usage(&bench, None, Some("carol")).quotas[2].used, 0);
    assert_eq!(usage(&bench, None, None).quotas.len(), 3, "nobody's own");
    assert!(usage(&bench, Some("other"), Some("alice")).quotas.is_empty());
    assert!(usage(&bench, Some("gone"), None).quotas.is_empty());
    assert_eq!(bench.store, before, "looking changes nothing");
}
