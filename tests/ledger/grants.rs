//! Grants and refusals, and the replies about them.

use tollgate::plan::{Period, Plan};
use tollgate::quota::{GrantOutcome, LedgerReply, LedgerRequest, RefusalReason, Want};
use tollgate::store::MAX_UNITS;

use crate::bench::{Bench, Hand, NOW, leases, on, quota, refused, soft, told, units, want};
use crate::memory_store::MemoryStore;

#[test]
fn a_grant_is_debited_in_every_window() {
    let mut bench = Bench::new(vec![quota(Period::Minute, 10), soft(Period::Month, 100)]);
    let mut hand = Hand::new("h");
    let outcome = hand.ask(&mut bench, vec![want(3, 0)]);
    let [lease] = leases(&outcome) else { panic!("there is room") };
    assert_eq!((lease.id, lease.units, lease.is_of_member), (1, 3, false));
    assert_eq!(told(&outcome), [("api/minute", 3, 10), ("api/month", 3, 100)]);
    let GrantOutcome::Granted { quotas, .. } = &outcome else { panic!("it was granted") };
    assert_eq!((quotas[0][0].resets_at, quotas[0][0].window_s), (NOW.plus_seconds(60), 60));
    assert_eq!(bench.used(), [3, 3]);
}

#[test]
fn the_tightest_hard_quota_decides_and_nothing_is_debited_on_refusal() {
    let mut bench = Bench::new(vec![quota(Period::Minute, 2), quota(Period::Month, 3)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 2, 0), Some(2));
    let before = bench.store.counters.clone();
    let outcome = hand.ask(&mut bench, vec![want(1, 5)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/minute")));
    assert_eq!(bench.store.counters, before);
    bench.now = NOW.plus_seconds(60);
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/month")));
}

#[test]
fn where_two_quotas_are_used_up_the_last_to_start_again_is_named() {
    let mut bench = Bench::new(vec![quota(Period::Day, 2), quota(Period::Hour, 2)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 2, 0), Some(2));
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/day")));
    let GrantOutcome::Refused { meter, quotas, .. } = outcome else { panic!("it was refused") };
    assert_eq!((meter.as_str(), quotas.len()), ("api", 2), "and how all of them stand");
}

#[test]
fn the_token_names_the_plan_or_else_the_record_does() {
    let mut bench = Bench::new(vec![quota(Period::Month, 1)]);
    bench.plans.push(Plan { id: "free".into(), ..Plan::default() });
    let mut hand = Hand::new("h");
    let mut named = |bench: &mut Bench, plan: &str| {
        let request = LedgerRequest { plan: Some(plan.into()), ..hand.message(vec![want(1, 0)]) };
        bench.call(&request).grant.expect("a want has an outcome")
    };
    let free = named(&mut bench, "free");
    let nothing = GrantOutcome::Granted { leases: Vec::new(), quotas: vec![Vec::new()] };
    assert_eq!(free, nothing, "what no quota is about needs no units");
    assert_eq!(named(&mut bench, "gone"), GrantOutcome::UnknownPlan);
    let other = vec![Want { meter: "exports".into(), ..want(1, 9) }];
    assert_eq!(hand.ask(&mut bench, other), nothing);
    assert!(bench.store.counters.is_empty());
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));

    let mut unknown = Bench { store: MemoryStore::default(), ..bench };
    let request = Hand::new("h").message(vec![want(1, 0)]);
    let reply = unknown.call(&request);
    let (grant, horizon_ms) = (Some(GrantOutcome::NoPlan), reply.horizon_ms);
    assert_eq!(reply, LedgerReply { account: None, grant, horizon_ms });
    let request = LedgerRequest { plan: Some("p".into()), number: 2, ..request };
    let reply = unknown.call(&request);
    assert_eq!(reply.account, None);
    assert_eq!(reply.grant.as_ref().and_then(units), Some(1));
}

#[test]
fn a_change_of_plan_keeps_the_count_and_takes_the_new_limit_at_once() {
    let mut bench = Bench::new(vec![quota(Period::Month, 10)]);
    let quotas = vec![quota(Period::Month, 100), on("exports", quota(Period::Day, 1))];
    bench.plans.push(Plan { id: "large".into(), quotas, ..Plan::default() });
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 10, 0), Some(10));
    assert_eq!(hand.get(&mut bench, 1, 0), None);
    bench.record().own.plan = Some("large".into());
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(told(&outcome), [("api/month", 11, 100)]);
    bench.record().own.plan = Some("p".into());
    let outcome = hand.ask(&mut bench, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/month")));
    assert_eq!(bench.used(), [11], "nothing is taken away, and nothing more is granted");
}

#[test]
fn absurd_units_break_nothing() {
    let mut firm = Bench::new(vec![quota(Period::Month, u64::MAX)]).with_credits(MAX_UNITS);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut firm, MAX_UNITS, u64::MAX), Some(MAX_UNITS + MAX_UNITS / 4));
    let outcome = hand.ask(&mut firm, vec![want(u64::MAX, u64::MAX)]);
    assert!(refused(&outcome).is_some());
    assert_eq!(hand.get(&mut firm, MAX_UNITS - MAX_UNITS / 4, 9), Some(MAX_UNITS - MAX_UNITS / 4));
    assert_eq!((firm.used(), firm.credits()), (vec![MAX_UNITS], 0));
    let ids: Vec<_> = hand.leases.iter().map(|lease| lease.id).collect();
    for id in ids {
        hand.give_back(&mut firm, id, u64::MAX);
    }
    assert_eq!((firm.used(), firm.credits()), (vec![0], MAX_UNITS));

    let mut soft = Bench::new(vec![soft(Period::Month, 5)]);
    let mut hand = Hand::new("h");
    let outcome = hand.ask(&mut soft, vec![want(u64::MAX, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::CostExceedsQuota, "api/month")));
    assert_eq!(hand.get(&mut soft, MAX_UNITS, 1), Some(MAX_UNITS));
    let outcome = hand.ask(&mut soft, vec![want(1, 0)]);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/month")));

    let mut full = Bench::new(vec![quota(Period::Month, 1)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut full, 1, 0), Some(1));
    assert_eq!(hand.get(&mut full, 0, u64::MAX), Some(0), "nothing is nothing");
    assert_eq!(full.used(), [1]);
}

#[test]
fn a_quota_written_twice_is_counted_once() {
    let mut bench = Bench::new(vec![quota(Period::Month, 9), quota(Period::Month, 5)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 4, 0), Some(4));
    assert_eq!(bench.used(), [4]);
    assert_eq!(hand.get(&mut bench, 2, 0), None);
    hand.give_back(&mut bench, 1, 3);
    assert_eq!(bench.used(), [1]);
}
