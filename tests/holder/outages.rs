//! A ledger that fails: left alone for a while, looked at by one request, never run over.

use tollgate::quota::holder::{Ask, RETRY_MS, WatchAction};
use tollgate::quota::{DegradedUnits, Holder};
use tollgate::time::Timestamp;

use crate::pair::{DEADLINE_MS, NOW, Pair, REFUND_MS, api, cost};

/// For how long a holder of this name leaves the ledger alone after each of several failures.
fn pauses(name: &str, failures: usize) -> Vec<i64> {
    let mut holder = Holder::new(name, REFUND_MS);
    let mut now = NOW;
    let mut pauses = Vec::new();
    for _ in 0..failures {
        let Ask::Send { request, .. } = holder.ask(&api(1), None, None, DEADLINE_MS, now) else {
            panic!("it may be asked again")
        };
        holder.failed(name, request.number, now);
        let again_at = holder.ask_again_at();
        pauses.push(again_at.ms_since(now));
        now = again_at;
    }
    pauses
}

#[test]
fn it_is_left_alone_for_longer_after_each_failure_up_to_a_bound() {
    let pauses = pauses("h", 6);
    for (pause_ms, shortest_ms) in pauses.iter().zip([2_000, 4_000, 8_000, 8_000, 8_000, 8_000]) {
        let longest_ms = shortest_ms + shortest_ms / 2;
        assert!((shortest_ms..longest_ms).contains(pause_ms), "{pauses:?}");
    }
}

#[test]
fn not_all_holders_come_back_at_once() {
    let firsts: Vec<_> =
        (0..100).map(|number| pauses(&format!("isolate:{number}"), 1)[0]).collect();
    let in_tenths = |tenth: i64| {
        let from_ms = RETRY_MS + tenth * 100;
        firsts.iter().filter(|pause_ms| (from_ms..from_ms + 100).contains(*pause_ms)).count()
    };
    let busiest = (0..10).map(in_tenths).max();
    assert!(busiest < Some(30), "{firsts:?}");
}

#[test]
fn while_it_is_left_alone_nobody_asks() {
    let mut pair = Pair::new(1_000);
    let (request, charge) = pair.request(&api(1));
    assert!(charge.is_empty());
    pair.holder.failed("h", request.number, pair.now);
    let again_at = pair.holder.ask_again_at();
    pair.now = again_at.plus_ms(-1);
    assert!(matches!(pair.ask(&api(1)), Ask::Unavailable));
    assert!(pair.top_up(true).is_none());
    pair.now = again_at;
    assert!(matches!(pair.ask(&api(1)), Ask::Send { .. }));
}

#[test]
fn one_request_finds_out_and_no_other_waits_for_it() {
    let mut pair = Pair::new(1_000);
    let (request, _) = pair.request(&api(1));
    pair.holder.failed("h", request.number, pair.now);
    pair.now = pair.holder.ask_again_at();
    let (probe, _) = pair.request(&api(1));
    assert!(matches!(pair.ask(&api(1)), Ask::Unavailable));
    pair.exchange(&probe);
    let (request, _) = pair.request(&api(1));
    assert!(matches!(pair.ask(&api(1)), Ask::Wait), "it is well again");
    pair.exchange(&request);
    // The next failure is a first one again.
    let (request, _) = pair.request(&api(1));
    pair.holder.failed("h", request.number, pair.now);
    assert!(pair.holder.ask_again_at().ms_since(pair.now) < 3_000);
}

#[test]
fn only_the_message_that_is_waited_for_can_fail() {
    let mut pair = Pair::new(1_000);
    let (old, _) = pair.request(&api(1));
    pair.pass_ms(1_500);
    let (request, _) = pair.request(&api(1));
    pair.holder.failed("h", old.number, pair.now);
    assert_eq!(pair.holder.ask_again_at(), Timestamp::default());
    pair.exchange(&request);
    pair.holder.failed("h", request.number, pair.now);
    assert!(matches!(pair.ask(&api(1)), Ask::Send { .. }), "it was answered");
}

#[test]
fn what_passed_uncounted_is_told_as_totals() {
    let mut pair = Pair::new(1_000);
    pair.holder.count_degraded(&[cost("api", 2), cost("tokens", 5)]);
    pair.holder.count_degraded(&api(1));
    let all = |told: [u64; 2]| {
        [("api", 3), ("tokens", 5)]
            .into_iter()
            .zip(told)
            .map(|((meter, units), reported)| DegradedUnits {
                meter: meter.into(),
                units,
                reported,
            })
            .collect::<Vec<_>>()
    };
    let (request, _) = pair.request(&[]);
    assert_eq!((request.number, &request.degraded), (1, &all([0, 0])), "also without a want");
    pair.pass_ms(1_500);
    let (request, _) = pair.request(&[]);
    assert_eq!(request.degraded, all([0, 0]), "the first was never answered");
    // Units that pass meanwhile are not in the answer.
    pair.holder.count_degraded(&api(4));
    pair.exchange(&request);
    let (request, _) = pair.request(&[]);
    let reported: Vec<_> = request.degraded.iter().map(|one| (one.units, one.reported)).collect();
    assert_eq!(reported, [(7, 3), (5, 5)]);
}

#[test]
fn a_message_on_its_own_account_goes_by_the_plan_of_the_last_request() {
    let mut pair = Pair::new(1_000);
    let plan = Some("p");
    let Ask::Send { request, .. } = pair.holder.ask(&api(3), None, plan, DEADLINE_MS, pair.now)
    else {
        panic!("it can be asked")
    };
    assert_eq!(request.plan.as_deref(), plan);
    let charge = pair.exchange(&request).charge;
    let to_watch = pair.holder.give_back(&charge, pair.now);
    pair.pass_ms(5_000);
    match pair.holder.watch(to_watch[0], DEADLINE_MS, pair.now) {
        WatchAction::Send(request) => assert_eq!(request.plan.as_deref(), plan),
        other => panic!("{other:?}"),
    }
}
