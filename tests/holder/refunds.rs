//! Units that a request gives back.

use tollgate::quota::holder::WatchAction;
use tollgate::quota::{Charge, LeaseReport, Taking};

use crate::pair::{DEADLINE_MS, NOW, Pair, REFUND_MS, api, cost, monthly};

/// The next message's report on each lease.
fn reports(pair: &mut Pair) -> Vec<LeaseReport> {
    let (request, _) = pair.request(&[]);
    pair.exchange(&request);
    request.leases
}

#[test]
fn to_a_lease_that_lives_for_the_next_request() {
    let mut pair = Pair::new(1_000);
    let charge = pair.serve(&api(3)).expect("there is enough");
    assert_eq!(pair.holder.give_back(&charge, pair.now), [1], "somebody must look after it now");
    assert_eq!(pair.available(), 3);
    let again = pair.take(&api(2)).expect("there is enough");
    assert_eq!(again.takings[0].lease, 1);
    assert_eq!(pair.holder.give_back(&again, pair.now), [0; 0], "somebody does");
    pair.pass_ms(5_000);
    let WatchAction::Send(request) = pair.holder.watch(1, DEADLINE_MS, pair.now) else {
        panic!("nobody asked")
    };
    pair.exchange(&request);
    assert_eq!(pair.counted(), 0);
}

#[test]
fn to_a_lease_that_has_ended_for_the_ledger() {
    let mut pair = Pair::new(1_000);
    let charge = pair.serve(&api(3)).expect("there is enough");
    pair.pass_ms(29_999);
    assert_eq!(pair.holder.give_back(&charge, pair.now), [1]);
    assert_eq!(pair.available(), 0);
    let WatchAction::Send(request) = pair.holder.watch(1, DEADLINE_MS, pair.now) else {
        panic!("it is to go back at once")
    };
    assert_eq!(request.leases, [LeaseReport { id: 1, spent: 0, returned: 3 }]);
    pair.exchange(&request);
    assert_eq!(pair.counted(), 0);
}

#[test]
fn to_a_lease_that_was_closed_since_it_was_quiet() {
    let mut pair = Pair::new(1_000);
    for _ in 0..10 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&api(1));
    let charge = pair.exchange(&request).charge;
    pair.pass_ms(5_000);
    let WatchAction::Send(request) = pair.holder.watch(1, DEADLINE_MS, pair.now) else {
        panic!("nobody asked")
    };
    pair.exchange(&request);
    assert!(matches!(pair.holder.watch(1, DEADLINE_MS, pair.now), WatchAction::Done));
    assert_eq!(pair.counted(), 1);
    assert_eq!(pair.holder.give_back(&charge, pair.now), [1], "it is to be watched anew");
    assert_eq!(pair.available(), 1, "it has not ended, and may be spent");
    let WatchAction::Send(request) = pair.holder.watch(1, DEADLINE_MS, pair.now) else {
        panic!("nobody asked for it for five seconds")
    };
    pair.exchange(&request);
    assert_eq!(pair.counted(), 0);
}

#[test]
fn never_more_than_was_spent() {
    let mut pair = Pair::new(1_000);
    let charge = pair.serve(&api(3)).expect("there is enough");
    for _ in 0..3 {
        pair.holder.give_back(&charge, pair.now);
    }
    assert_eq!(pair.available(), 3);
    let takings = vec![Taking { lease: 1, meter: "api".into(), units: u64::MAX }];
    pair.holder.give_back(&Charge { takings, ..charge }, pair.now);
    assert_eq!(pair.available(), 3);
}

#[test]
fn not_of_another_holder() {
    let mut pair = Pair::new(1_000);
    let charge = pair.serve(&api(3)).expect("there is enough");
    let others = Charge { holder: "i".into(), ..charge.clone() };
    assert_eq!(pair.holder.give_back(&others, pair.now), [0; 0]);
    let unknown = vec![Taking { lease: 9, meter: "api".into(), units: 1 }];
    let unknown = Charge { takings: unknown, ..charge };
    assert_eq!(pair.holder.give_back(&unknown, pair.now), [0; 0]);
    assert_eq!(pair.available(), 0);
}

/// A request may have waited for the ledger before it asked its origin.
const SETTLED_MS: i64 = REFUND_MS + 1_500;

#[test]
fn not_after_the_lease_is_settled() {
    let mut pair = Pair::new(1_000);
    let charge = pair.serve(&api(3)).expect("there is enough");
    pair.now = NOW.plus_ms(SETTLED_MS - 1);
    assert_eq!(reports(&mut pair).len(), 1);
    pair.now = NOW.plus_ms(SETTLED_MS);
    // Still remembered: the ledger has no report of its end yet.
    let mut late = Pair::new(1_000);
    let lates = late.serve(&api(3)).expect("there is enough");
    late.now = pair.now;
    assert_eq!(late.holder.give_back(&lates, late.now), [1]);
    assert_eq!(reports(&mut pair).len(), 1);
    assert_eq!(pair.holder.give_back(&charge, pair.now), [0; 0]);
    assert_eq!(reports(&mut pair), []);
    assert_eq!(pair.counted(), 3);
}

#[test]
fn what_comes_back_while_the_lease_is_being_settled_is_not_lost() {
    let mut pair = Pair::new(1_000);
    let charge = pair.serve(&api(3)).expect("there is enough");
    pair.now = NOW.plus_ms(REFUND_MS);
    let (request, _) = pair.request(&[]);
    assert_eq!(pair.holder.give_back(&charge, pair.now), [1]);
    pair.exchange(&request);
    assert_eq!(reports(&mut pair), [LeaseReport { id: 1, spent: 0, returned: 3 }]);
    assert_eq!(pair.counted(), 0);
}

#[test]
fn the_part_of_a_charge_that_was_too_much() {
    let quotas = vec![monthly("api", 1_000), monthly("tokens", 1_000)];
    let mut pair = Pair::with(quotas);
    let charge = pair.serve(&[cost("api", 1), cost("tokens", 40)]).expect("there is enough");
    assert!(charge.beyond("tokens", 40).is_empty());
    assert!(charge.beyond("tokens", u64::MAX).is_empty());
    assert!(charge.beyond("other", 0).is_empty());
    let rest = charge.beyond("tokens", 13);
    assert_eq!((rest.units_of("tokens"), rest.units_of("api")), (27, 0));
    let to_watch = pair.holder.give_back(&rest, pair.now);
    assert_eq!(to_watch, [2], "the lease of the second want");
    assert_eq!(pair.holder.available("tokens", None, pair.now), 27);
    assert_eq!(charge.beyond("tokens", 0).plus(charge.beyond("api", 0)).takings.len(), 2);
}

#[test]
fn of_a_charge_from_several_leases_the_last_taken_comes_back_first() {
    let taking = |lease, units| Taking { lease, meter: "api".into(), units };
    let takings = vec![taking(1, 4), taking(2, 4), taking(3, 4)];
    let charge = Charge { holder: "h".into(), takings };
    assert_eq!(charge.beyond("api", 6).takings, [taking(2, 2), taking(3, 4)]);
    assert_eq!(charge.beyond("api", 8).takings, [taking(3, 4)]);
    assert_eq!(charge.beyond("api", 0).takings.len(), 3);
}
