//! Units that are held ahead of demand: no call on a request's path, and nothing lost by it.

use tollgate::cause::{Cause, Notice};
use tollgate::decision::Decision;
use tollgate::gate::{Errand, OriginAnswer, Process, Step};
use tollgate::plan::QuotaName;

use crate::world::{World, token};
use crate::{ALICE, BIG, cause, denied, passed, performed, world};

/// A world in which alice has plenty of units.
fn plenty() -> World {
    let mut world = world();
    world.put_account(ALICE, BIG);
    world
}

/// Serves requests at an even pace; returns the used units after each, as the caller sees them.
fn serve_evenly(world: &mut World, requests: usize, every_ms: i64, token: &str) -> Vec<u64> {
    let mut used = Vec::new();
    for _ in 0..requests {
        world.pass_ms(every_ms);
        let decision = world.serve("GET /api", Some(token));
        used.push(passed(&decision).quotas[0].used);
    }
    used
}

#[test]
fn in_the_steady_state_no_request_waits_for_the_ledger() {
    let mut world = plenty();
    let token = token("{}");
    let mut used = serve_evenly(&mut world, 40, 50, &token);
    let warming_up = performed(&mut world);
    let waited = warming_up.iter().filter(|word| **word == "ledger").count();
    assert!(waited <= 4, "{warming_up:?}");
    used.extend(serve_evenly(&mut world, 1_200, 50, &token));
    let done = performed(&mut world);
    assert!(done.iter().all(|word| *word == "tell"), "{done:?}");
    assert!((6..=12).contains(&done.len()), "a message in five to ten seconds: {done:?}");
    let expected: Vec<u64> = (1..=1_240).collect();
    assert_eq!(used, expected, "what is held and not spent is not told to be used");
    world.settle_down();
    assert_eq!(world.counted(ALICE), 1_240, "and goes back in the end");
}

#[test]
fn a_trickle_holds_next_to_nothing() {
    let mut world = plenty();
    let token = token("{}");
    for requests in 1..=20 {
        world.pass_ms(20_000);
        let exp = world.now.plus_seconds(60).as_seconds();
        let lasting = crate::world::token(&format!(r#"{{"exp":{exp}}}"#));
        let token = if requests > 20 { &token } else { &lasting };
        passed(&world.serve("GET /api", Some(token)));
        assert_eq!(world.counted(ALICE), requests);
    }
}

#[test]
fn more_is_fetched_before_the_last_unit_is_spent_and_only_once_at_a_time() {
    let mut world = plenty();
    let token = token("{}");
    serve_evenly(&mut world, 100, 20, &token);
    let mut tells = Vec::new();
    let mut done = 0;
    // The message that fetches more never arrives.
    while done < 1_000 && tells.is_empty() {
        world.pass_ms(20);
        let (mut gate, step) =
            world.arrival("GET /api", Some(&token)).start(&mut world.memory, world.now);
        assert!(matches!(step, Step::End(Decision::Pass(_))), "{step:?}");
        tells.extend(gate.take_errands());
        done += 1;
    }
    assert!(matches!(&tells[..], [Errand::Tell { .. }]), "{tells:?}");
    for request in 0..30 {
        world.pass_ms(20);
        let (mut gate, step) =
            world.arrival("GET /api", Some(&token)).start(&mut world.memory, world.now);
        let is_passed = matches!(step, Step::End(Decision::Pass(_)));
        assert!(is_passed, "there is enough for the time that an answer takes: {request}");
        assert!(gate.take_errands().is_empty());
    }
}

#[test]
fn what_nobody_asks_for_goes_back_within_seconds() {
    let mut world = plenty();
    let token = token("{}");
    serve_evenly(&mut world, 100, 10, &token);
    assert!(world.counted(ALICE) > 150, "{}", world.counted(ALICE));
    performed(&mut world);
    world.pass_ms(5_000);
    assert_eq!(world.counted(ALICE), 100);
    let done = performed(&mut world);
    assert!(matches!(done[..], ["give-back"] | ["give-back", "give-back"]), "{done:?}");
    world.settle_down();
    assert!(performed(&mut world).is_empty());
}

#[test]
fn what_a_lost_isolate_held_is_charged_unless_the_meter_is_lenient() {
    for (lost, is_charged) in [("strict", true), ("lenient", false)] {
        let vars = crate::vars(&serde_json::json!({"keys": crate::tokens::ed_key()}));
        let meters = serde_json::json!([{"id": "api", "lost": lost}]);
        let mut world = World::new(&vars.with("METERS", meters));
        world.put_account(ALICE, BIG);
        let token = token("{}");
        serve_evenly(&mut world, 100, 10, &token);
        let out = world.counted(ALICE);
        world.start_anew("another");
        world.pass_ms(120_000);
        passed(&world.serve("GET /api", Some(&token)));
        world.settle_down();
        let left = world.counted(ALICE);
        assert_eq!(left == out + 1, is_charged, "{lost}: {out} {left}");
        // A lenient lease counts by its last report.
        assert!(left <= out + 1, "{lost}: {out} {left}");
    }
}

#[test]
fn every_last_unit_is_sold_and_none_twice() {
    let mut world = world();
    world.put_account(ALICE, r#"{"plan":"max","status":"active"}"#);
    let token = token("{}");
    let used = serve_evenly(&mut world, 100, 100, &token);
    assert_eq!(used, (1..=100).collect::<Vec<u64>>());
    let decision = world.serve("GET /api", Some(&token));
    assert_eq!(cause(&decision), Some(Cause::QuotaExhausted));
    assert_eq!(denied(&decision).quotas[0].used, 100);
}

#[test]
fn callers_are_told_when_a_limit_is_near() {
    let mut world = world();
    world.put_account(ALICE, r#"{"plan":"max","status":"active"}"#);
    let token = token("{}");
    for request in 1..=100 {
        world.pass_ms(100);
        let decision = world.serve("GET /api", Some(&token));
        let percent = match request {
            ..80 => None,
            80..95 => Some(80),
            95.. => Some(95),
        };
        let quota = QuotaName::parse("api/minute").unwrap();
        let notice = |percent| Notice::QuotaNearLimit { quota, percent };
        let expected: Vec<_> = percent.map(notice).into_iter().collect();
        assert_eq!(passed(&decision).notices, expected, "{request}");
    }
}

#[test]
fn head_costs_nothing_and_passes_where_nothing_is_left() {
    let mut world = world();
    let token = token("{}");
    for _ in 0..2 {
        passed(&world.serve("GET /heads", Some(&token)));
    }
    assert_eq!(cause(&world.serve("GET /heads", Some(&token))), Some(Cause::QuotaExhausted));
    performed(&mut world);
    let decision = world.serve("HEAD /heads", Some(&token));
    assert_eq!((&passed(&decision).charge, passed(&decision).quotas.len()), (&None, 0));
    assert!(!performed(&mut world).contains(&"ledger"), "it waits for nothing");
    let decision = world.serve("HEAD /api", Some(&token));
    assert_eq!(cause(&decision), Some(Cause::QuotaExhausted), "only where the route says so");
}

#[test]
fn an_answer_that_the_caller_had_already_is_given_back() {
    let mut world = world();
    let token = token("{}");
    for _ in 0..5 {
        let decision = world.serve("GET /heads", Some(&token));
        assert_eq!(passed(&decision).quotas[0].used, 1);
        let answer = OriginAnswer { status: 304, ..OriginAnswer::default() };
        world.origin_answers(&decision, &answer);
    }
    world.settle_down();
    assert_eq!(world.counted(ALICE), 0);
}

#[test]
fn a_meter_that_the_plan_does_not_limit_costs_nothing_and_no_message() {
    let mut world = plenty();
    let token = token("{}");
    // A crowd asks before the plan is known.
    let gates: Vec<_> = (0..64).map(|_| world.arrival("GET /mixed", Some(&token))).collect();
    for decision in crate::crowd::serve_all(&mut world, gates) {
        let charge = passed(&decision).charge.as_ref().unwrap();
        assert_eq!((charge.units_of("api"), charge.units_of("tokens")), (1, 0));
        assert_eq!(passed(&decision).quotas.len(), 1);
    }
    performed(&mut world);
    for _ in 0..100 {
        world.pass_ms(100);
        passed(&world.serve("GET /mixed", Some(&token)));
    }
    let done = performed(&mut world);
    let told = done.iter().filter(|word| **word == "tell").count();
    assert!(told <= 3 && !done.contains(&"ledger"), "{done:?}");
}

#[test]
fn an_account_that_had_to_make_room_gives_back_what_it_held() {
    let mut world = plenty();
    let alice = token("{}");
    serve_evenly(&mut world, 50, 10, &alice);
    let out = world.counted(ALICE);
    assert!(out > 60, "{out}");
    performed(&mut world);
    crate::bounds::serve_many(&mut world);
    let done = performed(&mut world);
    let tells = done.iter().filter(|word| **word == "tell").count();
    assert_eq!(tells, 1, "those who held nothing have nothing to say");
    assert_eq!(world.counted(ALICE), 50);
}
