//! Memory has bounds: the oldest makes room, and what was forgotten is asked for again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tollgate::gate::{Need, Outcome, Process, Step};
use tollgate::token::{MAX_TOKEN_BYTES, TokenError};

use crate::world::{World, claims, token};
use crate::{denied, performed, tokens, vars, world};

/// More than the gate remembers, of tokens and of accounts.
const MANY: u32 = 4_097;

#[test]
fn the_oldest_token_and_account_make_room() {
    let mut world = world();
    let good = token("{}");
    let numbered = |number: u32| with_subject(&good, number);
    serve_many(&mut world);
    performed(&mut world);
    serve(&mut world, &numbered(MANY - 1));
    assert!(performed(&mut world).is_empty(), "the newest is remembered");
    serve(&mut world, &numbered(0));
    assert_eq!(performed(&mut world), ["verify", "ledger"], "the oldest is forgotten");
}

/// Serves so many callers that the first of them are forgotten.
pub(crate) fn serve_many(world: &mut World) {
    let good = token("{}");
    for number in 0..MANY {
        serve(world, &with_subject(&good, number));
    }
}

/// A token about somebody else, without a signature of its own: signing thousands takes long.
fn with_subject(good: &str, number: u32) -> String {
    with_claims(good, &format!(r#"{{"sub":"{number}"}}"#))
}

fn with_claims(good: &str, changes: &str) -> String {
    let parts: Vec<_> = good.split('.').collect();
    let claims = claims(changes).to_string();
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims), parts[2])
}

/// Serves a request where every signature is right.
fn serve(world: &mut World, token: &str) {
    let arrival = world.arrival("GET /premium", Some(token));
    let (mut gate, mut step) = arrival.start(&mut world.memory, world.now);
    while let Step::Need(need) = step {
        let outcome = if matches!(need, Need::VerifySignature(_)) {
            world.performed.push("verify");
            Outcome::SignatureVerified(Ok(true))
        } else {
            world.meet(&need)
        };
        step = gate.resume(outcome, &mut world.memory, world.now);
    }
    world.run(gate.take_errands());
}

/// The name of this number, of so many letters.
fn name(number: usize, bytes: usize) -> String {
    let letters = || ('a'..='z').chain('A'..='Z');
    let mut pairs = letters().flat_map(|first| letters().map(move |second| [first, second]));
    let pair = pairs.nth(number).unwrap();
    pair.into_iter().chain(std::iter::repeat('x')).take(bytes).collect()
}

/// A world whose tokens carry entitlements.
fn world_of_entitlements() -> World {
    let issuer = json!({
        "iss": "https://id.example", "audience": "https://api.example",
        "keys": tokens::ed_key(), "subscription": "both", "claims": {"entitlements": "ent"},
    });
    World::new(&vars(&json!({})).with("ISSUERS", json!([issuer])))
}

#[test]
fn large_tokens_take_no_more_than_their_bytes() {
    // As many bytes as a token may have, in long names and in the shortest.
    for (count, bytes, served) in [(250, 20, 600), (1_500, 2, 180)] {
        let mut world = world_of_entitlements();
        let good = token("{}");
        let names: Vec<_> = (0..count).map(|number| name(number, bytes)).collect();
        let entitlements = json!(names.join(" ")).to_string();
        let of = |number: u32| {
            with_claims(&good, &format!(r#"{{"sub":"{number}","ent":{entitlements}}}"#))
        };
        assert!((6_000..=MAX_TOKEN_BYTES).contains(&of(0).len()), "{}", of(0).len());
        // Two lists of names, each with its place and at least a block of the allocator.
        let least = 2 * count * (24 + 8 + bytes) + of(0).len();
        for number in 0..served {
            serve(&mut world, &of(number));
            if number == 9 {
                assert!(world.memory.bytes()[0] > 10 * least, "each counts what it takes");
            }
        }
        let [tokens, accounts] = world.memory.bytes();
        assert!(tokens <= 20 * MB && accounts <= 20 * MB, "{tokens} {accounts}");
        assert!(tokens > 18 * MB, "the bound is reached: {tokens}");
        performed(&mut world);
        serve(&mut world, &of(served - 1));
        assert!(performed(&mut world).is_empty(), "the newest is remembered");
        serve(&mut world, &of(0));
        assert!(performed(&mut world).contains(&"verify"), "the oldest is forgotten");
    }
}

#[test]
fn large_records_take_no_more_than_their_bytes() {
    let mut world = world();
    let good = token("{}");
    let revoked: Vec<_> = (0..1_000).map(|number| format!("token-{number:050}")).collect();
    let record = json!({"plan": "pro", "status": "active", "revoked_tokens": revoked}).to_string();
    for number in 0..250 {
        world.set_account(&format!("-/{number}"), &record);
        serve(&mut world, &with_subject(&good, number));
        let [_, accounts] = world.memory.bytes();
        assert!(accounts <= 20 * MB + 4 * record.len(), "{number}: {accounts}");
    }
    let [_, accounts] = world.memory.bytes();
    assert!(accounts > 19 * MB, "the bound is reached: {accounts}");
    performed(&mut world);
    serve(&mut world, &with_subject(&good, 249));
    assert!(performed(&mut world).is_empty(), "the newest is remembered");
    serve(&mut world, &with_subject(&good, 0));
    assert_eq!(performed(&mut world), ["ledger"], "the oldest is asked for again");
}

#[test]
fn ordinary_tokens_are_bounded_by_their_number_alone() {
    let mut world = world();
    serve_many(&mut world);
    let [tokens, accounts] = world.memory.bytes();
    assert!(tokens < 10 * MB && accounts < 15 * MB, "{tokens} {accounts}");
}

#[test]
fn what_is_longer_than_any_token_is_refused_before_it_is_looked_at() {
    let mut world = world();
    for mark in ["a", "tg_", "eyJ", "a.b."] {
        let long = format!("{mark}{}", "a".repeat(MAX_TOKEN_BYTES));
        let decision = world.serve("GET /premium", Some(&long));
        assert_eq!(denied(&decision).facts.token_error, Some(TokenError::TooLarge), "{mark}");
    }
    assert!(performed(&mut world).is_empty());
    assert_eq!(world.memory.bytes(), [0, 0]);
}

const MB: usize = 1_024 * 1_024;
