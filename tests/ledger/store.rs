//! Failures of the store, the writes of a call, and the audit trail.

use tollgate::account::{AccountRecord, Status, Subscription};
use tollgate::plan::{Period, Terms};
use tollgate::quota::{CreditPack, DegradedUnits, Ledger, LedgerError, LedgerRequest, Merge};
use tollgate::store::StoreError;

use crate::bench::{Bench, Hand, NOW, quota, units, want};
use crate::memory_store::MemoryStore;

#[test]
fn every_failure_of_the_store_fails_the_call() {
    let mut bench = Bench::new(vec![quota(Period::Minute, 6), quota(Period::Month, 9)]);
    bench.announces = true;
    bench.sell("pack", 6, None);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 8, 0), Some(8));
    hand.leases[0].returned = 5;
    let next_minute = NOW.plus_seconds(60);
    let request = LedgerRequest {
        degraded: vec![DegradedUnits { meter: "api".into(), units: 1, reported: 0 }],
        merge: Some(Box::new(Merge { meter: "api".into(), units: 1, ..Merge::default() })),
        ..hand.message(vec![want(5, 1)])
    };
    let terms = Terms { plans: &bench.plans, announces: true, ..Terms::default() };
    let mut failures = 0;
    let outcome = loop {
        let mut store = bench.store.clone();
        store.calls_left.set(Some(failures));
        match Ledger::default().handle(&mut store, terms, &request, next_minute) {
            Ok(reply) => break reply.grant.expect("a want has an outcome"),
            Err(error) => assert_eq!(error, LedgerError::Store(StoreError("disk full".to_owned()))),
        }
        failures += 1;
        assert!(failures < 60, "it never gets through");
    };
    assert_eq!(units(&outcome), Some(6));
    // Account, holders, old merges, holder; credits, a pack and 2 × 2 counters for what comes back;
    // 2 × 2 for what is degraded; 2 for the reader and 2 × 2 for the merge; 2 counters and the
    // credits for the want, 2 announcements, 2 counters, a pack; the holder.
    assert_eq!(failures, 29);
}

#[test]
fn a_call_writes_its_counters_and_its_holder_and_no_more() {
    let mut bench = Bench::new(vec![quota(Period::Minute, 100), quota(Period::Month, 900)]);
    let mut hand = Hand::new("h");
    assert_eq!(hand.get(&mut bench, 1, 9), Some(10));
    assert_eq!(bench.store.writes, 3);
    hand.tell(&mut bench);
    assert_eq!(bench.store.writes, 4, "nothing came back");
    hand.leases[0].spent = 2;
    hand.leases[0].returned = 8;
    assert_eq!(hand.get(&mut bench, 1, 0), Some(1));
    assert_eq!(bench.store.writes, 9);
    assert_eq!(hand.get(&mut bench, 1_000, 0), None);
    assert_eq!(bench.store.writes, 10, "a refusal is heard, and that is all");
}

#[test]
fn putting_an_account_leaves_a_trail() {
    let mut store = MemoryStore::default();
    let own = Subscription { status: Status::PastDue, ..Subscription::default() };
    let failing = AccountRecord::from(own);
    let kept = Ledger::put_account(&mut store, failing.clone(), "ops", NOW).unwrap();
    assert_eq!(kept.own.payment_failed_at, Some(NOW));
    assert_eq!(store.account.as_ref(), Some(&kept));
    let later = NOW.plus_seconds(60);
    let again = Ledger::put_account(&mut store, failing, "ops", later).unwrap();
    assert_eq!(again.own.payment_failed_at, Some(NOW));
    let trail: Vec<_> = store.audit.iter().rev().collect();
    assert_eq!(trail.iter().map(|entry| entry.at).collect::<Vec<_>>(), [later, NOW]);
    assert_eq!((trail[0].actor.as_str(), trail[0].action.as_str()), ("ops", "put-account"));
    assert_eq!(trail[1].detail, serde_json::to_string(&kept).unwrap());
    store.calls_left.set(Some(2));
    assert!(Ledger::put_account(&mut store, kept, "ops", later).is_err(), "no trail, no change");
    store.calls_left.set(Some(2));
    let pack = CreditPack { id: "p".into(), units: 1, left: 0, added_at: NOW, expires_at: None };
    assert!(Ledger::add_credits(&mut store, pack, "ops", later).is_err(), "no trail, no credits");
}
