//! Readers of free pages who have signed in: what they used counts for the account, once.

use serde_json::json;
use tollgate::cause::Cause;
use tollgate::decision::Decision;
use tollgate::gate::{Need, OriginAnswer, Process, Step};

use crate::free_pages::{read, site};
use crate::world::{World, token};
use crate::{ALICE, cause, denied, meet, passed, performed};

/// A site that counts readers and callers alike, with alice on a plan that has room.
fn newspaper() -> World {
    let mut world = site(&json!([
        {"match": "/articles/**", "free": "5 per month", "meter": "api"},
        {"match": "/recipes/**", "free": "3 per day"},
        {"match": "/api/**", "meter": "api", "uncounted": ["HEAD"]},
    ]));
    world.put_account(ALICE, crate::BIG);
    world
}

/// Whether the response takes the cookie away.
fn clears(decision: &Decision) -> bool {
    let set_cookie = passed(decision).set_cookie.as_deref();
    set_cookie.is_some_and(|value| value.contains("=; Max-Age=0;"))
}

#[test]
fn what_was_free_counts_for_the_account_once_and_the_cookie_is_taken_away() {
    let mut world = newspaper();
    read(&mut world, 1..=3);
    let kept = world.cookie.clone();
    let decision = world.visit("GET /articles/4", Some(&token("{}")));
    assert!(clears(&decision));
    assert_eq!((passed(&decision).quotas[0].used, &world.cookie), (4, &None));
    performed(&mut world);
    // The browser sends it once more, and another isolate has never seen it.
    world.cookie.clone_from(&kept);
    let decision = world.visit("GET /articles/5", Some(&token("{}")));
    assert!(clears(&decision));
    assert_eq!(passed(&decision).quotas[0].used, 5);
    world.settle_down();
    world.start_anew("another");
    world.cookie = kept;
    let decision = world.visit("GET /articles/6", Some(&token("{}")));
    assert!(clears(&decision));
    assert_eq!(passed(&decision).quotas[0].used, 6);
    world.settle_down();
    assert_eq!(world.counted(ALICE), 6);
}

#[test]
fn a_count_that_has_grown_meanwhile_counts_as_far_as_it_has() {
    let mut world = newspaper();
    read(&mut world, 1..=2);
    // A page on its way while the reader signs in.
    let late = world.serve("GET /articles/3", None);
    passed(&world.visit("GET /articles/4", Some(&token("{}"))));
    assert_eq!(world.counted(ALICE), 3);
    world.origin_answers(&late, &OriginAnswer { status: 200, ..OriginAnswer::default() });
    assert!(world.cookie.is_some());
    let decision = world.visit("GET /articles/4", Some(&token("{}")));
    assert!(clears(&decision));
    assert_eq!(passed(&decision).quotas[0].used, 5, "2, a request, 1, a request");
}

#[test]
fn the_ledger_is_asked_even_where_units_are_held() {
    let mut world = newspaper();
    let token = token("{}");
    for _ in 0..40 {
        world.pass_ms(50);
        passed(&world.serve("GET /api/1", Some(&token)));
    }
    performed(&mut world);
    passed(&world.serve("GET /api/1", Some(&token)));
    assert!(!performed(&mut world).contains(&"ledger"), "units are held");
    read(&mut world, 1..=1);
    let (mut gate, step) =
        world.arrival("GET /api/1", Some(&token)).start(&mut world.memory, world.now);
    match &step {
        Step::Need(Need::CallLedger { request, .. }) => {
            assert_eq!(request.merge.as_ref().map(|merge| merge.units), Some(1));
            assert!(request.wants.iter().all(|want| want.needed == 0));
        }
        step => panic!("{step:?}"),
    }
    let outcome = meet(&mut world, &step);
    match gate.resume(outcome, &mut world.memory, world.now) {
        Step::End(decision) => assert!(clears(&decision)),
        Step::Need(need) => panic!("{need:?}"),
    }
    performed(&mut world);
    let decision = world.serve("GET /api/1", Some(&token));
    assert!(clears(&decision), "until the browser has heard of it");
    assert!(!performed(&mut world).contains(&"ledger"), "once is enough");
}

#[test]
fn a_hard_quota_is_never_exceeded_by_it() {
    let mut world = newspaper();
    let record = json!({"plan": "max", "status": "active", "limits": {"api/minute": 4}});
    world.put_account(ALICE, &record.to_string());
    let token = token("{}");
    passed(&world.visit("GET /articles/9", Some(&token)));
    read(&mut world, 1..=5);
    // The whole of it is counted, and there was room for three.
    let decision = world.visit("GET /articles/9", Some(&token));
    assert_eq!(denied(&decision).cause, Cause::QuotaExhausted);
    assert_eq!(denied(&decision).quota.as_ref().unwrap().used, 4);
    performed(&mut world);
    for _ in 0..3 {
        let decision = world.visit("GET /articles/9", Some(&token));
        assert_eq!(cause(&decision), Some(Cause::QuotaExhausted));
    }
    assert!(performed(&mut world).is_empty(), "a refusal is remembered all the same");
    assert_eq!(world.counted(ALICE), 4);
    world.pass_ms(60_000);
    let decision = world.visit("GET /articles/9", Some(&token));
    assert!(clears(&decision));
    assert_eq!(passed(&decision).quotas[0].used, 1, "not even in the next period");
}

#[test]
fn a_crowd_of_the_same_reader_is_counted_once() {
    let mut world = newspaper();
    read(&mut world, 1..=3);
    let token = token("{}");
    let gates: Vec<_> = (0..20).map(|_| world.arrival("GET /articles/7", Some(&token))).collect();
    for decision in crate::crowd::serve_all(&mut world, gates) {
        assert!(clears(&decision));
    }
    world.settle_down();
    assert_eq!(world.counted(ALICE), 23);
}

#[test]
fn while_the_ledger_is_down_what_is_held_is_spent_and_the_count_waits() {
    let mut world = newspaper();
    let token = token("{}");
    for _ in 0..40 {
        world.pass_ms(50);
        passed(&world.serve("GET /api/1", Some(&token)));
    }
    read(&mut world, 1..=2);
    world.ledger_is_down = true;
    for _ in 0..3 {
        let decision = world.visit("GET /articles/3", Some(&token));
        assert_eq!((passed(&decision).degraded, &passed(&decision).set_cookie), (None, &None));
    }
    assert!(world.cookie.is_some());
    world.ledger_is_down = false;
    world.pass_ms(4_000);
    let decision = world.visit("GET /articles/3", Some(&token));
    assert!(clears(&decision));
    world.settle_down();
    assert_eq!(world.counted(ALICE), 40 + 3 + 1 + 2);
}

#[test]
fn a_count_that_no_meter_knows_stays_with_the_reader() {
    let mut world = newspaper();
    let token = token("{}");
    passed(&world.visit("GET /recipes/1", None));
    let of_recipes = world.cookie.clone();
    let decision = world.visit("GET /articles/1", Some(&token));
    assert_eq!((&passed(&decision).set_cookie, &world.cookie), (&None, &of_recipes));
    read(&mut world, 1..=2);
    let decision = world.visit("GET /articles/1", Some(&token));
    assert!(passed(&decision).set_cookie.is_some() && !clears(&decision));
    assert_eq!(passed(&decision).quotas[0].used, 4);
    let decision = world.visit("GET /recipes/2", None);
    assert_eq!(passed(&decision).quotas[0].used, 2, "what was merged is gone, the rest is not");
}

#[test]
fn nothing_is_looked_at_where_nothing_is_counted() {
    let mut world = newspaper();
    let token = token("{}");
    passed(&world.visit("GET /other", Some(&token)));
    read(&mut world, 1..=2);
    performed(&mut world);
    for asks in ["GET /other", "GET /recipes/1", "HEAD /api/1"] {
        let decision = world.visit(asks, Some(&token));
        assert_eq!(passed(&decision).set_cookie, None, "{asks}");
    }
    assert!(performed(&mut world).is_empty());
    assert_eq!(world.counted(ALICE), 0);
}

#[test]
fn a_page_counts_for_what_it_costs_and_not_where_only_the_origin_knows() {
    let mut world = site(&json!([
        {"match": "/settled/**", "free": "4 per day", "meter": "api", "cost": 50, "settle": true},
        {"match": "/articles/**", "free": "5 per month", "costs": {"api": 2, "other": 1}},
    ]));
    world.put_account(ALICE, r#"{"plan":"max","status":"active"}"#);
    passed(&world.visit("GET /settled/1", None));
    read(&mut world, 1..=3);
    let token = token("{}");
    let mut used = Vec::new();
    for _ in 0..3 {
        let decision = world.visit("GET /articles/4", Some(&token));
        used.push((passed(&decision).quotas[0].used, world.cookie.is_some()));
    }
    assert_eq!(used, [(8, true), (10, true), (12, true)], "6 for what was free, and 2 each");
    let decision = world.visit("GET /settled/2", None);
    assert_eq!(passed(&decision).quotas[0].used, 2, "that count is still the reader's");
    let decision = world.visit("GET /articles/9", None);
    assert_eq!(passed(&decision).quotas[0].used, 4, "nor does this isolate forget a reader");
}
