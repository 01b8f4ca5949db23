//! The size of wants: the units that are needed, and those of the next seconds.

use crate::pair::{NOW, Pair, api, cost, monthly, sizes};

#[test]
fn a_first_request_asks_for_what_it_needs() {
    let mut pair = Pair::new(1_000);
    assert!(pair.take(&api(3)).is_none());
    let (request, charge) = pair.request(&api(3));
    assert_eq!((sizes(&request), charge.is_empty()), (vec![(3, 0)], true));
    assert_eq!((request.holder.as_str(), request.number), ("h", 1));
    let charge = pair.exchange(&request).charge;
    assert_eq!((charge.units_of("api"), charge.takings.len()), (3, 1));
    assert_eq!(pair.available(), 0);
}

#[test]
fn a_steady_rate_asks_for_ten_seconds_of_it() {
    for (every_ms, least, most) in [(1_000, 6, 10), (100, 85, 101), (10, 900, 1_001)] {
        let mut pair = Pair::new(1_000_000);
        for _ in 0..20_000 / every_ms {
            pair.pass_ms(every_ms);
            pair.take(&api(1));
        }
        let (request, _) = pair.request(&api(1));
        let (needed, ahead) = sizes(&request)[0];
        assert_eq!(needed, 1);
        assert!((least..=most).contains(&ahead), "every {every_ms} ms: {ahead}");
    }
}

#[test]
fn demand_is_counted_in_units() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..200 {
        pair.pass_ms(100);
        pair.take(&api(40));
    }
    let (request, _) = pair.request(&api(40));
    let (needed, ahead) = sizes(&request)[0];
    assert_eq!(needed, 40);
    assert!((3_400..=4_040).contains(&ahead), "{ahead}");
}

#[test]
fn a_crowd_asks_for_a_crowd() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..64 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&api(1));
    assert_eq!(sizes(&request), [(1, 126)]);
}

#[test]
fn what_is_held_is_set_aside_and_not_asked_for_again() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..10 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&api(1));
    pair.exchange(&request);
    let held = pair.available();
    assert!(held > 5, "{held}");
    // Dearer than what is held.
    assert!(pair.take(&api(held + 4)).is_none());
    let (request, charge) = pair.request(&api(held + 4));
    assert_eq!(charge.units_of("api"), held);
    assert_eq!((sizes(&request)[0].0, pair.available()), (4, 0));
}

#[test]
fn the_ledger_says_how_far_to_look_ahead() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..32 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&api(1));
    let mut reply = pair.deliver(&request);
    assert_eq!(reply.horizon_ms, 10_000);
    reply.horizon_ms = 20_000;
    pair.holder.answered("h", request.number, &reply, pair.now);
    let (request, _) = pair.request(&api(1_000));
    let held = sizes(&request)[0];
    assert_eq!(held.1, 124, "31 within a moment, for twenty seconds");
    // Never less than ten seconds, for any horizon in the reply.
    let mut reply = pair.deliver(&request);
    reply.horizon_ms = 0;
    pair.holder.answered("h", request.number, &reply, pair.now);
    let (request, _) = pair.request(&api(100_000));
    assert_eq!(sizes(&request)[0].1, 62);
}

#[test]
fn silence_is_forgotten() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..100 {
        pair.take(&api(1));
    }
    pair.now = NOW.plus_ms(60_000);
    assert!(pair.take(&api(1)).is_none());
    let (request, _) = pair.request(&api(1));
    assert_eq!(sizes(&request), [(1, 0)]);
}

#[test]
fn each_meter_has_a_demand_of_its_own() {
    let mut pair = Pair::with(vec![monthly("api", 1_000), monthly("tokens", 1_000_000)]);
    let both = [cost("api", 1), cost("tokens", 100)];
    for _ in 0..5 {
        pair.take(&both);
    }
    for _ in 0..5 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&both);
    assert_eq!(sizes(&request), [(1, 18), (100, 800)]);
    assert_eq!(request.wants[1].meter, "tokens");
    let charge = pair.exchange(&request).charge;
    assert_eq!((charge.units_of("api"), charge.units_of("tokens")), (1, 100));
}
