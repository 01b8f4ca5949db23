//! The memory of the ledger's answers, and its duration.

use tollgate::cause::Cause;
use tollgate::gate::{Need, OriginAnswer, Outcome, Process, Step};
use tollgate::quota::{GrantOutcome, LedgerReply};

use crate::world::{World, token};
use crate::{ALICE, BIG, PRO, cause, denied, meet, passed, performed, world};

#[test]
fn a_good_account_is_believed_for_ten_seconds() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    performed(&mut world);
    world.pass_ms(7_999);
    passed(&world.serve("GET /premium", Some(&token)));
    assert!(performed(&mut world).is_empty());
    world.pass_ms(2_001);
    passed(&world.serve("GET /premium", Some(&token)));
    assert_eq!(performed(&mut world), ["ledger"]);
}

#[test]
fn who_is_asked_for_often_is_looked_at_again_off_the_path() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    performed(&mut world);
    for _ in 0..240 {
        world.pass_ms(250);
        passed(&world.serve("GET /premium", Some(&token)));
    }
    assert_eq!(performed(&mut world), ["tell"; 7], "every eight seconds of a minute");
    let rows = world.store(ALICE).unwrap();
    assert!(rows.holders.is_empty(), "whoever only reads is nothing to remember");
}

#[test]
fn news_that_come_off_the_path_count_for_the_next_request() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    world.put_account(ALICE, r#"{"plan":"pro","status":"active","suspended":true}"#);
    world.pass_ms(8_000);
    passed(&world.serve("GET /premium", Some(&token)));
    let decision = world.serve("GET /premium", Some(&token));
    assert_eq!(cause(&decision), Some(Cause::AccountSuspended));
}

#[test]
fn a_bad_account_is_believed_for_three_seconds() {
    let mut world = world();
    let token = token("{}");
    world.put_account(ALICE, r#"{"plan":"pro","status":"paused"}"#);
    for _ in 0..5 {
        let decision = world.serve("GET /premium", Some(&token));
        assert_eq!(cause(&decision), Some(Cause::SubscriptionPaused));
    }
    assert_eq!(performed(&mut world), ["verify", "ledger"], "a flood costs one call");
    world.put_account(ALICE, PRO);
    world.pass_ms(2_999);
    let decision = world.serve("GET /premium", Some(&token));
    assert_eq!(cause(&decision), Some(Cause::SubscriptionPaused));
    world.pass_ms(1);
    passed(&world.serve("GET /premium", Some(&token)));
}

#[test]
fn whoever_buys_what_was_denied_is_in_within_three_seconds() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    world.pass_ms(1_000);
    let decision = world.serve("GET /vault", Some(&token));
    assert_eq!(cause(&decision), Some(Cause::PlanLacksEntitlement));
    world.put_account(ALICE, r#"{"plan":"max","status":"active"}"#);
    // Asking all the time must not keep the denial alive.
    for _ in 0..5 {
        world.pass_ms(500);
        world.serve("GET /vault", Some(&token));
    }
    world.pass_ms(500);
    passed(&world.serve("GET /vault", Some(&token)));
}

#[test]
fn a_refusal_is_remembered_for_three_seconds() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /api", Some(&token)));
    passed(&world.serve("GET /api", Some(&token)));
    performed(&mut world);
    for _ in 0..5 {
        let decision = world.serve("GET /api", Some(&token));
        assert_eq!(cause(&decision), Some(Cause::QuotaExhausted));
        assert_eq!(denied(&decision).quotas.len(), 1, "and how it stands");
    }
    assert_eq!(performed(&mut world), ["ledger"], "a flood costs one call");
    world.put_account(ALICE, r#"{"plan":"max","status":"active"}"#);
    world.pass_ms(2_999);
    assert_eq!(cause(&world.serve("GET /api", Some(&token))), Some(Cause::QuotaExhausted));
    world.pass_ms(1);
    passed(&world.serve("GET /api", Some(&token)));
}

#[test]
fn a_refusal_ends_with_its_period() {
    let mut world = world();
    world.put_account(ALICE, r#"{"plan":"max","status":"active"}"#);
    let token = token("{}");
    world.pass_ms(59_000);
    for _ in 0..100 {
        passed(&world.serve("GET /api", Some(&token)));
    }
    assert_eq!(cause(&world.serve("GET /api", Some(&token))), Some(Cause::QuotaExhausted));
    world.pass_ms(1_000);
    passed(&world.serve("GET /api", Some(&token)));
}

#[test]
fn a_refusal_of_a_dear_request_leaves_cheap_ones_alone() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /api", Some(&token)));
    assert_eq!(cause(&world.serve("GET /bulk", Some(&token))), Some(Cause::QuotaExhausted));
    passed(&world.serve("GET /api", Some(&token)));
    assert_eq!(cause(&world.serve("GET /api", Some(&token))), Some(Cause::QuotaExhausted));
    performed(&mut world);
    world.serve("GET /bulk", Some(&token));
    world.serve("GET /api", Some(&token));
    assert!(performed(&mut world).is_empty(), "both are remembered");
}

#[test]
fn a_refusal_is_of_one_plan_alone() {
    let mut world = World::new(&crate::vars(&serde_json::json!({
        "keys": crate::tokens::ed_key(), "subscription": "token", "claims": {"plan": "plan"},
    })));
    let [pro, big] = [token(r#"{"plan":"pro"}"#), token(r#"{"plan":"big"}"#)];
    for _ in 0..2 {
        passed(&world.serve("GET /api", Some(&pro)));
    }
    assert_eq!(cause(&world.serve("GET /api", Some(&pro))), Some(Cause::QuotaExhausted));
    // The customer has bought the larger plan, and comes with a new token.
    let decision = world.serve("GET /api", Some(&big));
    assert_eq!(passed(&decision).quotas[0].used, 3, "it is the same count");
}

#[test]
fn that_there_is_no_plan_is_remembered_too() {
    let mut world = world();
    world.put_account(ALICE, r#"{"status":"active"}"#);
    let token = token("{}");
    for _ in 0..5 {
        let decision = world.serve("GET /api", Some(&token));
        assert_eq!(cause(&decision), Some(Cause::NoSubscription));
    }
    assert_eq!(performed(&mut world), ["verify", "ledger"]);
    world.put_account(ALICE, PRO);
    world.pass_ms(3_000);
    passed(&world.serve("GET /api", Some(&token)));
}

#[test]
fn a_denial_remembered_holds_while_the_ledger_is_down() {
    let mut world = world();
    world.put_account(ALICE, r#"{"plan":"pro","status":"paused"}"#);
    let token = token("{}");
    world.serve("GET /premium", Some(&token));
    world.ledger_is_down = true;
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::SubscriptionPaused));
}

#[test]
fn units_of_a_request_that_is_denied_go_back() {
    let mut world = world();
    let token = token("{}");
    // `/vault` is metered, and the lack of it in the plan shows at the ledger alone.
    let decision = world.serve("GET /vault", Some(&token));
    assert_eq!(cause(&decision), Some(Cause::PlanLacksEntitlement));
    assert_eq!(performed(&mut world), ["verify", "ledger"]);
    passed(&world.serve("GET /api", Some(&token)));
    assert!(!performed(&mut world).contains(&"ledger"), "another request takes them");

    world.pass_ms(3_000);
    let decision = world.serve("GET /vault", Some(&token));
    assert_eq!(cause(&decision), Some(Cause::PlanLacksEntitlement));
    world.settle_down();
    assert_eq!(world.counted(ALICE), 1, "or else the ledger gets them back");
}

#[test]
fn units_that_were_set_aside_go_back_where_the_plan_is_gone() {
    for record in [r#"{"status":"active"}"#, r#"{"plan":"gone","status":"active"}"#] {
        let mut world = world();
        world.put_account(ALICE, BIG);
        let token = token("{}");
        for _ in 0..5 {
            passed(&world.serve("GET /api", Some(&token)));
        }
        assert!(world.counted(ALICE) > 5, "some are held");
        // Nobody looks after leases meanwhile.
        world.now = world.now.plus_ms(10_000);
        world.put_account(ALICE, record);
        assert!(cause(&world.serve("GET /api", Some(&token))).is_some());
        world.settle_down();
        assert_eq!(world.counted(ALICE), 5, "{record}");
    }
}

#[test]
fn nothing_goes_back_where_nothing_was_granted() {
    let mut world = world();
    let token = token("{}");
    let (mut gate, step) =
        world.arrival("GET /vault", Some(&token)).start(&mut world.memory, world.now);
    let outcome = meet(&mut world, &step);
    let Step::Need(Need::CallLedger { .. }) = gate.resume(outcome, &mut world.memory, world.now)
    else {
        panic!("the ledger is asked");
    };
    let reply = LedgerReply { grant: Some(GrantOutcome::NoPlan), ..LedgerReply::default() };
    let outcome = Outcome::LedgerAnswered(Ok(Box::new(reply)));
    gate.resume(outcome, &mut world.memory, world.now);
    assert!(gate.take_errands().is_empty());
}

#[test]
fn what_the_origin_failed_at_is_given_back() {
    let mut world = world();
    let token = token("{}");
    let first = world.serve("GET /api", Some(&token));
    passed(&world.serve("GET /api", Some(&token)));
    let failed = OriginAnswer { status: 502, ..OriginAnswer::default() };
    assert_eq!(world.origin_answers(&first, &failed), None);
    performed(&mut world);
    passed(&world.serve("GET /api", Some(&token)));
    assert!(!performed(&mut world).contains(&"ledger"), "the unit was there");
    assert_eq!(world.counted(ALICE), 2);
    assert_eq!(cause(&world.serve("GET /api", Some(&token))), Some(Cause::QuotaExhausted));
}

#[test]
fn what_the_origin_failed_at_goes_back_to_the_ledger_where_nobody_else_asks() {
    let mut world = world();
    let decision = world.serve("GET /api", Some(&token("{}")));
    world.pass_ms(29_900);
    assert_eq!(world.counted(ALICE), 1);
    world.origin_answers(&decision, &OriginAnswer::default());
    world.settle_down();
    assert_eq!(world.counted(ALICE), 0, "also after the lease is over");
}

#[test]
fn a_request_costs_what_the_origin_says_it_did() {
    let mut world = world();
    let token = token("{}");
    let decision = world.serve("GET /settled", Some(&token));
    assert_eq!(passed(&decision).quotas[0].used, 2);
    let answer = OriginAnswer { status: 200, cost: "1", ..OriginAnswer::default() };
    assert_eq!(world.origin_answers(&decision, &answer), None);
    let decision = world.serve("GET /api", Some(&token));
    assert_eq!(passed(&decision).quotas[0].used, 2);
    world.settle_down();
    assert_eq!(world.counted(ALICE), 2);
}

#[test]
fn a_denial_names_the_plan_of_the_record() {
    let mut world = world();
    let decision = world.serve("GET /vault", Some(&token("{}")));
    assert_eq!(denied(&decision).facts.plan.as_deref(), Some("pro"));
    assert_eq!(denied(&decision).facts.missing, ["vault"]);
}
