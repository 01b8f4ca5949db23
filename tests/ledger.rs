//! What the ledger grants, refuses and takes back, case by case.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "support/memory_store.rs"]
mod memory_store;

use memory_store::MemoryStore;
use tollgate::account::{AccountRecord, Status};
use tollgate::config::Plan;
use tollgate::quota::ledger::{LEASE_LIFETIME_MS, LEASE_MARGIN_MS, SWEEP_INTERVAL_MS};
use tollgate::quota::store::MAX_UNITS;
use tollgate::quota::{
    Enforcement, GrantOutcome, LeaseReport, Ledger, LedgerReply, LedgerRequest, LedgerStore,
    Period, Quota, RefusalReason, StoreError, Want,
};
use tollgate::time::Timestamp;

/// 2026-12-01T00:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

/// A ledger with a plan `p` of the given quotas on the meter `api`, and an account on it.
struct Bench {
    ledger: Ledger,
    store: MemoryStore,
    plans: Vec<Plan>,
}

impl Bench {
    fn new(quotas: &[(Period, u64, Enforcement)], credits: u64) -> Self {
        let quotas = quotas.iter().map(|(period, limit, enforcement)| Quota {
            meter: "api".into(),
            limit: *limit,
            period: *period,
            utc_offset_min: 0,
            enforcement: *enforcement,
        });
        let plan = Plan { id: "p".into(), quotas: quotas.collect(), ..Plan::default() };
        let account = AccountRecord { plan: Some("p".into()), credits, ..AccountRecord::default() };
        let store = MemoryStore { account: Some(account), ..MemoryStore::default() };
        Self { ledger: Ledger::default(), store, plans: vec![plan] }
    }

    fn call(&mut self, request: &LedgerRequest, now: Timestamp) -> LedgerReply {
        self.ledger.handle(&mut self.store, &self.plans, request, now).expect("the store works")
    }

    fn want(&mut self, lease: &str, units: u64, now: Timestamp) -> GrantOutcome {
        let reply = self.call(&asking("api", lease, units), now);
        reply.grant.expect("a want has an outcome")
    }

    fn give_back(&mut self, lease: &str, returned: u64, now: Timestamp) {
        let report = LeaseReport { lease: lease.into(), spent: 0, returned };
        self.call(&LedgerRequest { reports: vec![report], ..LedgerRequest::default() }, now);
    }

    /// Every counter, in the order of period and start.
    fn used(&self) -> Vec<u64> {
        self.store.counters.values().copied().collect()
    }

    fn credits(&self) -> u64 {
        self.store.account.as_ref().map_or(0, |record| record.credits)
    }
}

fn asking(meter: &str, lease: &str, units: u64) -> LedgerRequest {
    let want = Want { lease: lease.into(), meter: meter.into(), units };
    LedgerRequest { want: Some(want), ..LedgerRequest::default() }
}

/// Units and credits of a grant; `None` where it was refused.
fn granted(outcome: &GrantOutcome) -> Option<(u64, u64)> {
    match outcome {
        GrantOutcome::Granted { units, credits_spent, .. } => Some((*units, *credits_spent)),
        _ => None,
    }
}

/// Why and by which quota.
fn refused(outcome: &GrantOutcome) -> Option<(RefusalReason, &str)> {
    match outcome {
        GrantOutcome::Refused { reason, quota, .. } => Some((*reason, quota.name.as_str())),
        _ => None,
    }
}

const HARD: Enforcement = Enforcement::Hard;
const SOFT: Enforcement = Enforcement::Soft;

#[test]
fn a_grant_is_debited_in_every_window() {
    let mut bench = Bench::new(&[(Period::Minute, 10, HARD), (Period::Month, 100, SOFT)], 0);
    let GrantOutcome::Granted { lease, units, lifetime_ms, credits_spent, quotas } =
        bench.want("h:1", 3, NOW)
    else {
        panic!("there is room");
    };
    assert_eq!((lease.as_str(), units, credits_spent), ("h:1", 3, 0));
    assert_eq!(lifetime_ms, LEASE_LIFETIME_MS.unsigned_abs());
    let told: Vec<_> = quotas.iter().map(|quota| (quota.name.as_str(), quota.used)).collect();
    assert_eq!(told, [("api/minute", 3), ("api/month", 3)]);
    assert_eq!((quotas[0].resets_at, quotas[0].window_s), (NOW.plus_seconds(60), 60));
    assert_eq!(bench.used(), [3, 3]);
}

#[test]
fn the_tightest_hard_quota_decides_and_nothing_is_debited_on_refusal() {
    let mut bench = Bench::new(&[(Period::Minute, 2, HARD), (Period::Month, 3, HARD)], 0);
    assert!(granted(&bench.want("h:1", 2, NOW)).is_some());
    let before = bench.store.counters.clone();
    let outcome = bench.want("h:2", 1, NOW);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/minute")));
    assert_eq!(bench.store.counters, before);
    let next_minute = NOW.plus_seconds(60);
    assert!(granted(&bench.want("h:3", 1, next_minute)).is_some());
    let outcome = bench.want("h:4", 1, next_minute);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/month")));
}

#[test]
fn where_two_quotas_are_used_up_the_last_to_start_again_is_named() {
    let mut bench = Bench::new(&[(Period::Day, 2, HARD), (Period::Hour, 2, HARD)], 0);
    bench.want("h:1", 2, NOW);
    assert_eq!(
        refused(&bench.want("h:2", 1, NOW)),
        Some((RefusalReason::QuotaExhausted, "api/day"))
    );
}

#[test]
fn a_soft_quota_counts_overage() {
    let mut bench = Bench::new(&[(Period::Month, 2, SOFT)], 5);
    assert_eq!(granted(&bench.want("h:1", 3, NOW)), Some((3, 0)));
    let GrantOutcome::Granted { quotas, .. } = bench.want("h:2", 1, NOW) else {
        panic!("soft quotas don't refuse");
    };
    assert_eq!((quotas[0].used, quotas[0].remaining()), (4, 0));
    assert_eq!(bench.credits(), 5, "overage is counted, not paid from credits");
}

#[test]
fn credits_make_up_for_what_the_quota_lacks() {
    let mut bench = Bench::new(&[(Period::Minute, 5, HARD), (Period::Month, 100, SOFT)], 4);
    assert_eq!(granted(&bench.want("h:1", 3, NOW)), Some((3, 0)));
    assert_eq!(granted(&bench.want("h:2", 4, NOW)), Some((4, 2)));
    assert_eq!((bench.used(), bench.credits()), (vec![5, 5], 2));
    let outcome = bench.want("h:3", 3, NOW);
    assert_eq!(refused(&outcome), Some((RefusalReason::CreditsExhausted, "api/minute")));
    assert_eq!((bench.used(), bench.credits()), (vec![5, 5], 2));
    assert_eq!(granted(&bench.want("h:4", 2, NOW)), Some((2, 2)));
    let outcome = bench.want("h:5", 1, NOW);
    assert_eq!(refused(&outcome), Some((RefusalReason::CreditsExhausted, "api/minute")));
}

#[test]
fn a_cost_that_no_fresh_period_could_hold_is_said_to_be() {
    let mut bench = Bench::new(&[(Period::Day, 10, HARD), (Period::Month, 20, HARD)], 3);
    let outcome = bench.want("h:1", 14, NOW);
    assert_eq!(refused(&outcome), Some((RefusalReason::CostExceedsQuota, "api/day")));
    assert_eq!(granted(&bench.want("h:2", 13, NOW)), Some((13, 3)));

    let mut by_credits_alone = Bench::new(&[(Period::Month, 0, HARD)], 1);
    assert_eq!(granted(&by_credits_alone.want("h:1", 1, NOW)), Some((1, 1)));
    let outcome = by_credits_alone.want("h:2", 1, NOW);
    assert_eq!(refused(&outcome), Some((RefusalReason::CreditsExhausted, "api/month")));
    let mut nothing = Bench::new(&[(Period::Month, 0, HARD)], 0);
    let outcome = nothing.want("h:1", 1, NOW);
    assert_eq!(refused(&outcome), Some((RefusalReason::CostExceedsQuota, "api/month")));
}

#[test]
fn the_token_names_the_plan_or_else_the_record_does() {
    let mut bench = Bench::new(&[(Period::Month, 1, HARD)], 0);
    bench.plans.push(Plan { id: "free".into(), ..Plan::default() });
    let named = |plan: &str| LedgerRequest { plan: Some(plan.into()), ..asking("api", "h:1", 1) };
    assert_eq!(bench.call(&named("free"), NOW).grant, Some(GrantOutcome::Unlimited));
    assert_eq!(bench.call(&named("gone"), NOW).grant, Some(GrantOutcome::UnknownPlan));
    let other_meter = bench.call(&asking("exports", "h:1", 1), NOW).grant;
    assert_eq!(other_meter, Some(GrantOutcome::Unlimited));
    assert!(bench.store.counters.is_empty() && bench.store.leases.is_empty());
    assert_eq!(granted(&bench.want("h:1", 1, NOW)), Some((1, 0)));

    let mut unknown = Bench { store: MemoryStore::default(), ..bench };
    let reply = unknown.call(&asking("api", "h:1", 1), NOW);
    assert_eq!(reply, LedgerReply { account: None, grant: Some(GrantOutcome::NoPlan) });
    let reply =
        unknown.call(&LedgerRequest { plan: Some("p".into()), ..asking("api", "h:1", 1) }, NOW);
    assert_eq!(reply.account, None);
    assert_eq!(granted(&reply.grant.expect("a want has an outcome")), Some((1, 0)));
}

#[test]
fn the_same_want_again_is_the_same_grant() {
    let mut bench = Bench::new(&[(Period::Month, 10, HARD)], 0);
    let first = bench.want("h:1", 6, NOW);
    let after = bench.store.clone();
    assert_eq!(bench.want("h:1", 6, NOW), first);
    let GrantOutcome::Granted { lifetime_ms, units, .. } = bench.want("h:1", 2, NOW.plus_ms(1_000))
    else {
        panic!("it was granted");
    };
    assert_eq!((units, lifetime_ms), (6, LEASE_LIFETIME_MS.unsigned_abs() - 1_000));
    let other_meter = bench.call(&asking("exports", "h:1", 1), NOW);
    assert_eq!(other_meter.grant, Some(GrantOutcome::LeaseTaken));
    bench.plans.clear();
    assert_eq!(granted(&bench.want("h:1", 6, NOW)), Some((6, 0)), "even if the plan is gone");
    assert_eq!((bench.store.counters, bench.store.leases), (after.counters, after.leases));
}

#[test]
fn returned_units_leave_the_windows_they_were_debited_in() {
    let mut bench = Bench::new(&[(Period::Minute, 10, HARD), (Period::Day, 100, HARD)], 0);
    let late = NOW.plus_ms(-1);
    bench.want("h:0", 1, late);
    bench.want("h:1", 5, late);
    bench.want("h:2", 7, NOW);
    // Minute before midnight, minute after; day before, day after.
    assert_eq!(bench.used(), [6, 7, 6, 7]);
    bench.give_back("h:1", 2, NOW);
    assert_eq!(bench.used(), [4, 7, 4, 7]);
    bench.give_back("h:1", 2, NOW);
    bench.give_back("h:1", 1, NOW);
    assert_eq!(
        bench.used(),
        [4, 7, 4, 7],
        "totals: repeated and overtaken reports say nothing new"
    );
    bench.give_back("h:1", u64::MAX, NOW);
    assert_eq!(bench.used(), [1, 7, 1, 7], "never more than was granted");
    bench.give_back("nobody:1", 3, NOW);
    assert_eq!(bench.used(), [1, 7, 1, 7]);
}

#[test]
fn credits_go_back_as_credits_and_first() {
    let mut bench = Bench::new(&[(Period::Month, 5, HARD)], 4);
    assert_eq!(granted(&bench.want("h:1", 8, NOW)), Some((8, 3)));
    for (returned, used, credits) in [(2, 5, 3), (4, 4, 4), (8, 0, 4)] {
        bench.give_back("h:1", returned, NOW);
        assert_eq!((bench.used(), bench.credits()), (vec![used], credits), "{returned} returned");
    }
}

#[test]
fn a_report_is_heard_before_the_want() {
    let mut bench = Bench::new(&[(Period::Month, 5, HARD)], 0);
    bench.want("h:1", 5, NOW);
    let report = LeaseReport { lease: "h:1".into(), spent: 4, returned: 1 };
    let request = LedgerRequest { reports: vec![report], ..asking("api", "h:2", 1) };
    let outcome = bench.call(&request, NOW).grant.expect("a want has an outcome");
    assert_eq!(granted(&outcome), Some((1, 0)));
}

#[test]
fn what_a_silent_holder_had_stays_charged() {
    let mut bench = Bench::new(&[(Period::Month, 5, HARD)], 0);
    bench.want("h:1", 5, NOW);
    let forgotten = NOW.plus_ms(LEASE_LIFETIME_MS + LEASE_MARGIN_MS);
    bench.give_back("h:1", 1, forgotten.plus_ms(-1));
    assert_eq!(bench.used(), [4], "the margin is for late reports");
    bench.give_back("h:1", 5, forgotten);
    assert_eq!(bench.used(), [4]);
}

#[test]
fn forgotten_leases_are_deleted_now_and_then() {
    let mut bench = Bench::new(&[(Period::Month, 5, HARD)], 0);
    bench.want("h:1", 1, NOW);
    let mut at = NOW;
    for _ in 0..4 {
        at = at.plus_ms(SWEEP_INTERVAL_MS / 4 - 1);
        bench.call(&LedgerRequest::default(), at);
    }
    assert_eq!(bench.store.leases.len(), 1, "not on each call");
    let writes = bench.store.writes;
    bench.call(&LedgerRequest::default(), NOW.plus_ms(SWEEP_INTERVAL_MS));
    assert_eq!((bench.store.leases.len(), bench.store.writes), (0, writes + 1));
    assert_eq!(bench.used(), [1]);
    // A clock that was far ahead for a moment must not end the sweeping for as long.
    bench.call(&LedgerRequest::default(), NOW.plus_seconds(1_000_000_000));
    bench.want("h:2", 1, NOW);
    bench.call(&LedgerRequest::default(), NOW.plus_ms(SWEEP_INTERVAL_MS));
    assert_eq!(bench.store.leases.len(), 0);
}

#[test]
fn absurd_units_break_nothing() {
    let mut hard = Bench::new(&[(Period::Month, u64::MAX, HARD)], u64::MAX);
    assert_eq!(granted(&hard.want("h:1", MAX_UNITS, NOW)), Some((MAX_UNITS, 0)));
    assert_eq!(granted(&hard.want("h:2", u64::MAX, NOW)), Some((u64::MAX, u64::MAX)));
    assert!(refused(&hard.want("h:3", 1, NOW)).is_some());
    hard.give_back("h:2", u64::MAX, NOW);
    hard.give_back("h:1", u64::MAX, NOW);
    assert_eq!((hard.used(), hard.credits()), (vec![0], u64::MAX));

    let mut soft = Bench::new(&[(Period::Month, 5, SOFT)], 0);
    let outcome = soft.want("h:1", u64::MAX, NOW);
    assert_eq!(refused(&outcome), Some((RefusalReason::CostExceedsQuota, "api/month")));
    assert_eq!(granted(&soft.want("h:2", MAX_UNITS, NOW)), Some((MAX_UNITS, 0)));
    let outcome = soft.want("h:3", 1, NOW);
    assert_eq!(refused(&outcome), Some((RefusalReason::QuotaExhausted, "api/month")));

    let mut full = Bench::new(&[(Period::Month, 1, HARD)], 0);
    full.want("h:1", 1, NOW);
    let before = full.store.clone();
    assert_eq!(granted(&full.want("h:2", 0, NOW)), Some((0, 0)));
    assert_eq!(full.store, before, "nothing is nothing");
}

#[test]
fn a_quota_written_twice_is_counted_once() {
    let mut bench = Bench::new(&[(Period::Month, 9, HARD), (Period::Month, 5, HARD)], 0);
    bench.want("h:1", 4, NOW);
    assert_eq!(bench.used(), [4]);
    assert!(refused(&bench.want("h:2", 2, NOW)).is_some());
    bench.give_back("h:1", 3, NOW);
    assert_eq!(bench.used(), [1]);
}

#[test]
fn every_failure_of_the_store_fails_the_call() {
    let mut bench = Bench::new(&[(Period::Minute, 4, HARD), (Period::Month, 9, HARD)], 6);
    bench.want("h:1", 6, NOW);
    let report = LeaseReport { lease: "h:1".into(), spent: 1, returned: 3 };
    let request = LedgerRequest { reports: vec![report], ..asking("api", "h:2", 5) };
    let mut failures = 0;
    let outcome = loop {
        let mut store = bench.store.clone();
        store.calls_left.set(Some(failures));
        match Ledger::default().handle(&mut store, &bench.plans, &request, NOW) {
            Ok(reply) => break reply.grant.expect("a want has an outcome"),
            Err(error) => assert_eq!(error, StoreError("disk full".to_owned())),
        }
        failures += 1;
    };
    assert_eq!(granted(&outcome), Some((5, 4)));
    // Sweep, account, lease, 2 × 2 counters and the lease of the report; 2 counters, lease, 2
    // counters and the lease of the want; the account.
    assert_eq!(failures, 15);
}

#[test]
fn putting_an_account_leaves_a_trail() {
    let mut store = MemoryStore::default();
    let failing = AccountRecord { status: Status::PastDue, credits: 2, ..AccountRecord::default() };
    let kept = Ledger::put_account(&mut store, failing.clone(), "ops", NOW).unwrap();
    assert_eq!((kept.payment_failed_at, kept.credits_ever), (Some(NOW), 2));
    assert_eq!(store.account.as_ref(), Some(&kept));
    let later = NOW.plus_seconds(60);
    let again = Ledger::put_account(&mut store, failing, "ops", later).unwrap();
    assert_eq!(again.payment_failed_at, Some(NOW));
    let trail = store.audit(9).unwrap();
    assert_eq!(trail.iter().map(|entry| entry.at).collect::<Vec<_>>(), [later, NOW]);
    assert_eq!((trail[0].actor.as_str(), trail[0].action.as_str()), ("ops", "put-account"));
    assert_eq!(serde_json::from_str::<AccountRecord>(&trail[1].detail).unwrap(), kept);
    store.calls_left.set(Some(2));
    assert!(Ledger::put_account(&mut store, kept, "ops", later).is_err(), "no trail, no change");
}
