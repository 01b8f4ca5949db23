//! Fetching more before what is held runs out.

use tollgate::cause::QuotaState;
use tollgate::plan::{Period, Quota};
use tollgate::quota::{GrantOutcome, LedgerReply};

use crate::pair::{NOW, Pair, api, cost, monthly, sizes};

/// A pair at ten requests a second that holds what it asked for.
fn warm(limit: u64) -> Pair {
    let mut pair = Pair::new(limit);
    pair.serve_evenly(200, 100);
    pair
}

#[test]
fn more_is_fetched_while_there_is_still_enough() {
    let mut pair = warm(1_000_000);
    let mut fetched_at = Vec::new();
    for _ in 0..300 {
        pair.pass_ms(100);
        pair.take(&api(1)).expect("nobody ever waits");
        let held = pair.available();
        if let Some(request) = pair.top_up(false) {
            assert!((10..=25).contains(&held), "some two seconds' worth: {held}");
            let [(0, ahead)] = sizes(&request)[..] else { panic!("{request:?}") };
            assert!((70..=101).contains(&ahead), "{ahead}");
            fetched_at.push(pair.now);
            pair.exchange(&request);
        }
    }
    assert!((3..=5).contains(&fetched_at.len()), "{fetched_at:?}");
}

#[test]
fn one_message_is_enough() {
    let mut pair = warm(1_000_000);
    let mut request = None;
    while request.is_none() {
        pair.pass_ms(100);
        pair.take(&api(1)).expect("there is enough");
        request = pair.top_up(false);
    }
    for _ in 0..10 {
        pair.pass_ms(100);
        pair.take(&api(1)).expect("there is enough");
        assert!(pair.top_up(false).is_none());
    }
    pair.exchange(&request.expect("it was sent"));
    assert!(pair.top_up(false).is_none(), "it is full again");
}

#[test]
fn who_holds_nothing_and_wants_little_is_left_alone() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..20 {
        pair.pass_ms(20_000);
        pair.serve(&api(1)).expect("there is enough");
        assert!(pair.top_up(false).is_none());
        assert_eq!(pair.available(), 0);
    }
}

#[test]
fn a_slow_regular_pace_is_asked_ahead_for_by_its_gaps() {
    for (every_ms, ahead) in [(2_500, 8), (5_000, 4), (10_000, 2), (11_000, 0)] {
        let mut pair = Pair::new(1_000_000);
        for _ in 0..2 {
            pair.serve(&api(1)).expect("there is enough");
            assert_eq!(pair.available(), 0, "two requests are no pace");
            pair.pass_ms(every_ms);
        }
        assert!(pair.take(&api(1)).is_none());
        let (request, _) = pair.request(&api(1));
        assert_eq!(sizes(&request), [(1, ahead)], "every {every_ms} ms");
        pair.exchange(&request);
        for left in (0..ahead).rev() {
            pair.pass_ms(every_ms);
            pair.take(&api(1)).expect("it is held until then");
            assert_eq!(pair.top_up(false).is_some(), left == 0, "every {every_ms} ms, {left}");
        }
    }
}

#[test]
fn what_is_about_to_end_does_not_last() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..200 {
        pair.take(&api(1));
    }
    let (request, _) = pair.request(&api(1));
    pair.exchange(&request);
    assert!(pair.available() > 300);
    // Twenty-two seconds at a slower pace, with far more at hand than that needs.
    for _ in 0..22 {
        pair.pass_ms(1_000);
        pair.take(&api(1)).expect("there is enough");
        assert!(pair.top_up(false).is_none());
    }
    pair.pass_ms(1_000);
    pair.take(&api(1)).expect("there is enough");
    assert!(pair.available() > 200);
    let request = pair.top_up(false).expect("it ends in two seconds");
    assert!(sizes(&request)[0].1 > 5, "{request:?}");
}

#[test]
fn news_that_are_due_go_out_in_any_case_and_bring_units_along() {
    let mut pair = Pair::new(1_000_000);
    let request = pair.top_up(true).expect("it is due");
    assert_eq!((request.number, request.wants.len()), (0, 0));
    pair.exchange(&request);
    let mut pair = warm(1_000_000);
    while pair.top_up(false).is_none() {
        pair.pass_ms(100);
        pair.take(&api(1)).expect("there is enough");
    }
    pair.pass_ms(1_500);
    pair.serve_evenly(40, 100);
    let held = pair.available();
    assert!(pair.top_up(false).is_none());
    let request = pair.top_up(true).expect("it is due");
    let ahead = sizes(&request)[0].1;
    assert!((80..=101).contains(&(held + ahead)), "filled up to ten seconds: {held} {ahead}");
}

#[test]
fn near_the_limit_it_is_not_asked_ahead_all_the_time() {
    let mut pair = Pair::new(40);
    let mut messages = 0;
    for _ in 0..38 {
        pair.pass_ms(50);
        pair.serve(&api(1)).expect("there is enough");
        if let Some(request) = pair.top_up(false) {
            messages += 1;
            pair.exchange(&request);
        }
    }
    assert!(messages <= 3, "a message a second at most: {messages}");
}

#[test]
fn a_ledger_that_grants_nothing_ahead_is_left_alone_for_a_second() {
    let mut pair = Pair::new(1_000_000);
    for _ in 0..20 {
        pair.take(&api(1));
    }
    let request = pair.top_up(false).expect("there is demand");
    let leases = Vec::new();
    let grant = Some(GrantOutcome::Granted { leases, quotas: vec![some_quota(&pair)] });
    let reply = LedgerReply { grant, ..LedgerReply::default() };
    pair.holder.answered("h", request.number, &reply, pair.now);
    pair.pass_ms(999);
    assert!(pair.top_up(false).is_none());
    let request = pair.top_up(true).expect("news are due all the same");
    assert!(request.wants.is_empty());
    pair.exchange(&request);
    pair.pass_ms(1);
    assert!(pair.top_up(false).is_some());
}

fn some_quota(pair: &Pair) -> Vec<QuotaState> {
    let quota = &pair.plans[0].quotas[0];
    vec![QuotaState::new(quota, quota.window(pair.now, None), 5, 5)]
}

#[test]
fn every_meter_that_runs_low_is_topped_up_in_one_message() {
    let quotas = vec![monthly("api", 1_000_000), monthly("tokens", 1_000_000)];
    let mut pair = Pair::with(quotas);
    for _ in 0..10 {
        pair.take(&[cost("api", 1), cost("tokens", 50)]);
    }
    let request = pair.top_up(false).expect("there is demand");
    let meters: Vec<_> = request.wants.iter().map(|want| want.meter.as_str()).collect();
    assert_eq!(meters, ["api", "tokens"]);
    pair.exchange(&request);
    let (api_held, tokens_held) =
        (pair.available(), pair.holder.available("tokens", None, pair.now));
    assert_eq!((api_held, tokens_held), (18, 900));
    for _ in 0..17 {
        pair.take(&[cost("tokens", 50)]).expect("there is enough");
    }
    let request = pair.top_up(false).expect("one of them is low");
    let meters: Vec<_> = request.wants.iter().map(|want| want.meter.as_str()).collect();
    assert_eq!(meters, ["tokens"]);
}

#[test]
fn a_meter_that_nothing_limits_is_asked_for_once() {
    let mut pair = Pair::new(1_000_000);
    let both = [cost("api", 1), cost("free", 9)];
    for _ in 0..50 {
        pair.take(&both);
    }
    let (request, _) = pair.request(&both);
    assert_eq!(request.wants.len(), 2);
    let charge = pair.exchange(&request).charge;
    assert_eq!((charge.units_of("api"), charge.units_of("free")), (1, 0));
    for _ in 0..100 {
        pair.pass_ms(100);
        pair.take(&api(1));
        if let Some(request) = pair.top_up(false) {
            assert_eq!(request.wants[0].meter, "api");
            assert_eq!(request.wants.len(), 1);
            pair.exchange(&request);
        }
    }
    assert!(pair.available() > 0, "and what is limited was not put off by it");
}

#[test]
fn at_the_end_of_a_period_no_more_is_fetched_than_can_be_spent_in_it() {
    let minutely = Quota { period: Period::Minute, ..monthly("api", 100_000) };
    let mut pair = Pair::with(vec![minutely]);
    let mut spent = 0;
    let (mut messages, mut most_out) = (0, 0);
    while pair.now.ms_since(NOW) < 59_990 {
        pair.pass_ms(10);
        pair.serve(&api(1)).expect("there is enough");
        spent += 1;
        if let Some(request) = pair.top_up(false) {
            messages += u64::from(pair.now.ms_since(NOW) > 55_000);
            pair.exchange(&request);
        }
        if pair.now.ms_since(NOW) > 55_000 {
            most_out = most_out.max(pair.counted() - spent);
        }
    }
    // A hundred a second: a thousand are fetched at a time, of which few are left over.
    assert!(most_out <= 1_300, "{most_out}");
    assert!(messages <= 8, "{messages}");
    assert!(pair.counted() - spent < 150, "{}", pair.counted() - spent);
}
