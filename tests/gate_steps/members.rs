//! Members of an account that each have a count of their own.

use serde_json::json;
use tollgate::cause::Cause;

use crate::world::{World, token};
use crate::{denied, passed, performed};

/// A world in which the account `acme` has several members, and a token of each.
fn team() -> (World, impl Fn(&str) -> String) {
    let mut world = World::new(&crate::vars(&json!({
        "keys": crate::tokens::ed_key(), "claims": {"account": "org"},
    })));
    world.put_account(ACME, r#"{"plan":"team","status":"active"}"#);
    (world, |member: &str| token(&format!(r#"{{"org":"acme","sub":"{member}"}}"#)))
}

const ACME: &str = "-/acme";

/// The name of the quota that refused.
fn full_quota(world: &mut World, token: &str) -> String {
    let decision = world.serve("GET /api", Some(token));
    assert_eq!(denied(&decision).cause, Cause::QuotaExhausted);
    denied(&decision).quota.as_ref().unwrap().name.to_string()
}

#[test]
fn each_has_its_own_count_inside_that_of_the_account() {
    let (mut world, token_of) = team();
    for member in ["alice", "bob", "carol"] {
        let token = token_of(member);
        for request in 1..=20 {
            world.pass_ms(50);
            let decision = world.serve("GET /api", Some(&token));
            let told = &passed(&decision).quotas;
            assert_eq!(told.len(), 2);
            let own = (told[1].name.to_string(), told[1].used);
            assert_eq!(own, ("api/month/member".to_owned(), request), "{member}");
        }
        assert_eq!(full_quota(&mut world, &token), "api/month/member");
    }
    // Sixty is what the account has; a refusal of one is none of another.
    assert_eq!(full_quota(&mut world, &token_of("dave")), "api/month");
    assert_eq!(full_quota(&mut world, &token_of("alice")), "api/month/member");
}

#[test]
fn nobody_spends_what_another_holds() {
    let (mut world, token_of) = team();
    let (alice, bob) = (token_of("alice"), token_of("bob"));
    let mut spent = 0;
    // Until alice holds some.
    while world.counted(ACME) == 2 * spent {
        passed(&world.serve("GET /api", Some(&alice)));
        spent += 1;
    }
    assert!(spent < 12, "{spent}");
    performed(&mut world);
    let decision = world.serve("GET /api", Some(&bob));
    assert_eq!(performed(&mut world).first(), Some(&"verify"));
    assert_eq!(passed(&decision).quotas[1].used, 1, "bob's first");
    world.settle_down();
    assert_eq!(world.counted(ACME), 2 * (spent + 1), "in the account's count and in theirs");
}

#[test]
fn many_members_at_once_stay_within_their_own_and_the_accounts_limit() {
    let (mut world, token_of) = team();
    let tokens: Vec<_> = (0..5).map(|number| token_of(&format!("m{number}"))).collect();
    let mut passes = vec![0_u32; tokens.len()];
    for round in 0..60 {
        world.pass_ms(40);
        for (token, passes) in tokens.iter().zip(&mut passes) {
            let decision = world.serve("GET /api", Some(token));
            if matches!(decision, tollgate::decision::Decision::Pass(_)) {
                *passes += 1;
            }
        }
        assert!(passes.iter().all(|count| *count <= 20), "{round}: {passes:?}");
    }
    // Some of them held a few units while others asked; these come to market again.
    world.settle_down();
    for (token, passes) in tokens.iter().zip(&mut passes) {
        while *passes < 20
            && matches!(world.serve("GET /api", Some(token)), tollgate::decision::Decision::Pass(_))
        {
            *passes += 1;
        }
    }
    assert_eq!(passes.iter().sum::<u32>(), 60, "{passes:?}");
}

#[test]
fn a_plan_without_members_needs_no_more_messages_than_any() {
    let (mut world, token_of) = team();
    let alice = token_of("alice");
    for _ in 0..4 {
        passed(&world.serve("GET /api", Some(&alice)));
    }
    world.put_account(ACME, crate::BIG);
    // The next news say so.
    for _ in 0..100 {
        world.pass_ms(100);
        passed(&world.serve("GET /api", Some(&alice)));
    }
    performed(&mut world);
    for _ in 0..100 {
        world.pass_ms(100);
        passed(&world.serve("GET /api", Some(&alice)));
    }
    let done = performed(&mut world);
    assert!(!done.contains(&"ledger"), "{done:?}");
}
