//! Requests while the ledger gives no answer, and afterwards.

use tollgate::cause::{Action, Cause};
use tollgate::decision::Degraded;
use tollgate::gate::{Need, OriginAnswer, Process, Step};

use crate::world::{World, token};
use crate::{ALICE, BIG, PRO, cause, denied, meet, passed, performed, world};

/// Units that were counted as having passed during an outage.
fn degraded(world: &World) -> u64 {
    world.store(ALICE).unwrap().counters.values().map(|counter| counter.degraded).sum()
}

#[test]
fn a_failing_ledger_is_left_alone_for_two_seconds() {
    let mut world = world();
    let token = token("{}");
    world.ledger_is_down = true;
    for _ in 0..5 {
        let decision = world.serve("GET /premium", Some(&token));
        assert_eq!(denied(&decision).cause, Cause::CheckerUnavailable);
        assert!(denied(&decision).remedies.iter().any(|one| one.action == Action::Wait));
        let waits_ms = denied(&decision).retry_at.unwrap().ms_since(world.now);
        assert!((2_000..3_000).contains(&waits_ms), "{waits_ms}");
    }
    assert_eq!(performed(&mut world), ["verify", "ledger"], "an outage costs one deadline");
    world.ledger_is_down = false;
    world.pass_ms(1_999);
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::CheckerUnavailable));
    // Not all isolates come back at the same time.
    world.pass_ms(1_001);
    passed(&world.serve("GET /premium", Some(&token)));
}

#[test]
fn a_long_outage_is_looked_at_less_often_and_by_one_request_at_a_time() {
    let mut world = world();
    let token = token("{}");
    world.ledger_is_down = true;
    let mut probes = Vec::new();
    for _ in 0..400 {
        let decision = world.serve("GET /premium", Some(&token));
        assert_eq!(denied(&decision).cause, Cause::CheckerUnavailable);
        if performed(&mut world).contains(&"ledger") {
            probes.push(world.now);
        }
        world.pass_ms(100);
    }
    let pauses: Vec<_> = probes.windows(2).map(|two| two[1].ms_since(two[0])).collect();
    assert!((2_000..=3_100).contains(&pauses[0]), "{pauses:?}");
    assert!((4_000..=6_100).contains(&pauses[1]), "{pauses:?}");
    for pause_ms in &pauses[2..] {
        assert!((8_000..=12_100).contains(pause_ms), "{pauses:?}");
    }

    // While one finds out, others don't wait for it.
    world.pass_ms(12_000);
    let (mut probe, step) =
        world.arrival("GET /premium", Some(&token)).start(&mut world.memory, world.now);
    assert!(matches!(step, Step::Need(Need::CallLedger { .. })), "{step:?}");
    let decision = world.serve("GET /premium", Some(&token));
    assert_eq!(denied(&decision).cause, Cause::CheckerUnavailable);
    assert!(performed(&mut world).is_empty());
    world.ledger_is_down = false;
    let outcome = meet(&mut world, &step);
    assert!(matches!(probe.resume(outcome, &mut world.memory, world.now), Step::End(_)));
    passed(&world.serve("GET /premium", Some(&token)));
}

#[test]
fn an_outage_of_one_ledger_is_not_an_outage_of_another() {
    let mut world = world();
    world.put_account("-/bob", PRO);
    world.ledger_is_down = true;
    world.serve("GET /premium", Some(&token("{}")));
    world.ledger_is_down = false;
    passed(&world.serve("GET /premium", Some(&token(r#"{"sub":"bob"}"#))));
}

#[test]
fn while_the_ledger_is_down_the_plan_last_known_decides() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    world.ledger_is_down = true;
    // A fresh record needs no ledger; a metered route does, and `pro` passes then.
    let decision = world.serve("GET /premium", Some(&token));
    assert_eq!(passed(&decision).degraded, None);
    let decision = world.serve("GET /api", Some(&token));
    assert_eq!(passed(&decision).degraded, Some(Degraded::CheckerUnavailable));
    assert_eq!(passed(&decision).charge, None);
    world.pass_ms(60_000);
    let decision = world.serve("GET /premium", Some(&token));
    assert_eq!(passed(&decision).degraded, Some(Degraded::CheckerUnavailable));
    let identity = passed(&decision).identity.as_ref().unwrap();
    assert_eq!(
        (identity.plan.as_deref(), &identity.entitlements[..]),
        (Some("pro"), &["premium".to_owned()][..])
    );
}

#[test]
fn an_outage_lets_nobody_in_who_was_known_to_be_barred() {
    for (record, expected) in [
        (r#"{"plan":"pro","status":"active","suspended":true}"#, Cause::AccountSuspended),
        (
            r#"{"plan":"pro","status":"active","tokens_revoked_before":"2026-12-01T00:00:00Z"}"#,
            Cause::CredentialRevoked,
        ),
    ] {
        let mut world = world();
        world.put_account(ALICE, record);
        let token = token("{}");
        assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(expected));
        world.ledger_is_down = true;
        world.pass_ms(60_000);
        assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(expected));
    }
}

#[test]
fn what_is_held_is_spent_before_anything_goes_uncounted() {
    let mut world = world();
    world.put_account(ALICE, BIG);
    let token = token("{}");
    for _ in 0..8 {
        passed(&world.serve("GET /api", Some(&token)));
    }
    let held = world.counted(ALICE) - 8;
    assert!(held > 2, "{held}");
    world.ledger_is_down = true;
    performed(&mut world);
    for _ in 0..held - 1 {
        let decision = world.serve("GET /api", Some(&token));
        assert_eq!(passed(&decision).degraded, None);
    }
    assert!(!performed(&mut world).contains(&"ledger"), "nobody waits for a ledger that is down");
    // The last one, once nothing is known of the account any more, is still a unit.
    world.now = world.now.plus_ms(10_000);
    let decision = world.serve("GET /api", Some(&token));
    assert_eq!(passed(&decision).degraded, Some(Degraded::CheckerUnavailable));
    assert_eq!(passed(&decision).charge.as_ref().unwrap().units_of("api"), 1);
    for _ in 0..3 {
        let decision = world.serve("GET /api", Some(&token));
        assert_eq!(passed(&decision).degraded, Some(Degraded::CheckerUnavailable));
        assert_eq!(passed(&decision).charge, None);
    }

    world.ledger_is_down = false;
    world.pass_ms(60_000);
    passed(&world.serve("GET /api", Some(&token)));
    world.settle_down();
    assert_eq!(world.counted(ALICE), 8 + held + 1);
    assert_eq!(degraded(&world), 3, "and the ledger hears of the others");
}

#[test]
fn what_passed_uncounted_is_counted_once_however_often_it_is_told() {
    let mut world = world();
    world.put_account(ALICE, BIG);
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    world.pass_ms(10_000);
    world.ledger_is_down = true;
    passed(&world.serve("GET /premium", Some(&token)));
    for _ in 0..4 {
        passed(&world.serve("GET /bulk", Some(&token)));
    }
    world.ledger_is_down = false;
    world.pass_ms(5_000);
    passed(&world.serve("GET /premium", Some(&token)));
    assert_eq!(degraded(&world), 8, "told also by an isolate that never asked for units");
    // The ledger forgets the holder, and its next report comes as the first.
    for _ in 0..2 {
        world.pass_ms(120_000);
        passed(&world.serve("GET /api", Some(&token)));
        assert_eq!(degraded(&world), 8);
    }
    world.ledger_is_down = true;
    world.pass_ms(60_000);
    passed(&world.serve("GET /api", Some(&token)));
    world.ledger_is_down = false;
    world.pass_ms(60_000);
    passed(&world.serve("GET /api", Some(&token)));
    assert_eq!(degraded(&world), 9);
}

#[test]
fn what_passed_uncounted_is_told_by_whatever_message_comes_first() {
    // The plan stands in tokens alone, and the message that gives units back is about no token.
    let mut world = World::new(&crate::vars(&serde_json::json!({
        "keys": crate::tokens::ed_key(), "subscription": "token", "claims": {"plan": "plan"},
    })));
    let token = token(r#"{"plan":"big"}"#);
    let first = world.serve("GET /api", Some(&token));
    world.ledger_is_down = true;
    let decision = world.serve("GET /bulk", Some(&token));
    assert!(passed(&decision).degraded.is_some());
    world.ledger_is_down = false;
    world.pass_ms(3_000);
    performed(&mut world);
    world.origin_answers(&first, &OriginAnswer::default());
    world.settle_down();
    assert_eq!(performed(&mut world), ["give-back"]);
    assert_eq!((world.counted(ALICE), degraded(&world)), (0, 2));
}
