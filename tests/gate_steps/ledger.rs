//! What is remembered of the ledger's answers, and what happens while it gives none.

use tollgate::decision::{Action, Cause, Degraded};
use tollgate::gate::{Errand, Outcome, Step};
use tollgate::quota::{GrantOutcome, LedgerReply};

use crate::world::token;
use crate::{ALICE, PRO, cause, denied, passed, performed, world};

#[test]
fn a_good_account_is_believed_for_ten_seconds() {
    let mut world = world();
    let token = token("{}");
    passed(&world.serve("GET /premium", Some(&token)));
    performed(&mut world);
    world.pass_ms(9_999);
    passed(&world.serve("GET /premium", Some(&token)));
    assert!(performed(&mut world).is_empty());
    world.pass_ms(1);
    passed(&world.serve("GET /premium", Some(&token)));
    assert_eq!(performed(&mut world), ["ledger"]);
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
fn a_failing_ledger_is_left_alone_for_two_seconds() {
    let mut world = world();
    let token = token("{}");
    world.ledger_is_down = true;
    for _ in 0..5 {
        let decision = world.serve("GET /premium", Some(&token));
        assert_eq!(denied(&decision).cause, Cause::CheckerUnavailable);
        assert!(denied(&decision).remedies.iter().any(|one| one.action == Action::Wait));
    }
    assert_eq!(performed(&mut world), ["verify", "ledger"], "an outage costs one deadline");
    world.ledger_is_down = false;
    world.pass_ms(1_999);
    assert_eq!(cause(&world.serve("GET /premium", Some(&token))), Some(Cause::CheckerUnavailable));
    world.pass_ms(1);
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
    // What is fresh needs no ledger; what is metered does, and `pro` says pass.
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
    // `/vault` is metered, and only the ledger knows that the plan lacks it.
    let decision = world.serve("GET /vault", Some(&token));
    assert_eq!(cause(&decision), Some(Cause::PlanLacksEntitlement));
    assert_eq!(performed(&mut world), ["verify", "ledger", "report"]);
    assert_eq!(world.counted(ALICE), 0);
    passed(&world.serve("GET /api", Some(&token)));
    assert_eq!(world.counted(ALICE), 1);
}

#[test]
fn nothing_goes_back_where_nothing_was_granted() {
    let mut world = world();
    let token = token("{}");
    let mut gate = world.gate("GET /vault", Some(&token));
    let step = gate.start(&mut world.memory, world.now);
    let outcome = world.perform(&step);
    let Step::CallLedger { .. } = gate.resume(outcome, &mut world.memory, world.now) else {
        panic!("the ledger is asked");
    };
    let reply = LedgerReply { account: None, grant: Some(GrantOutcome::NoPlan) };
    let outcome = Outcome::LedgerAnswered(Ok(Box::new(reply)));
    gate.resume(outcome, &mut world.memory, world.now);
    assert!(gate.take_errands().is_empty());
}

#[test]
fn a_charge_names_the_lease_that_the_ledger_granted() {
    let mut world = world();
    let token = token("{}");
    let leases: Vec<_> = (0..2)
        .map(|_| {
            let decision = world.serve("GET /api", Some(&token));
            passed(&decision).charge.clone().unwrap()
        })
        .collect();
    assert_ne!(leases[0].lease, leases[1].lease);
    assert_eq!(world.counted(ALICE), 2);
    // What the edge does when the origin fails.
    let Errand::Report { account, request } = tollgate::gate::refund(ALICE.to_owned(), &leases[0])
    else {
        panic!("a refund is a report");
    };
    let outcome = world.perform(&Step::CallLedger { account, request });
    assert!(matches!(outcome, Outcome::LedgerAnswered(Ok(_))));
    assert_eq!(world.counted(ALICE), 1);
}

#[test]
fn a_denial_names_the_plan_of_the_record() {
    let mut world = world();
    let decision = world.serve("GET /vault", Some(&token("{}")));
    assert_eq!(denied(&decision).facts.plan.as_deref(), Some("pro"));
    assert_eq!(denied(&decision).facts.missing, ["vault"]);
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
