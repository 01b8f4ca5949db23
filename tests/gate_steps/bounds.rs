//! Memory has bounds: the oldest makes room, and what was forgotten is asked for again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tollgate::gate::{Outcome, Step};

use crate::world::{World, claims, token};
use crate::{performed, world};

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
    let parts: Vec<_> = good.split('.').collect();
    let claims = claims(&format!(r#"{{"sub":"{number}"}}"#)).to_string();
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims), parts[2])
}

/// Serves a request where every signature is right.
fn serve(world: &mut World, token: &str) {
    let mut gate = world.gate("GET /premium", Some(token));
    let mut step = gate.start(&mut world.memory, world.now);
    while !matches!(step, Step::Done(_)) {
        let outcome = if matches!(step, Step::VerifySignature(_)) {
            world.performed.push("verify");
            Outcome::SignatureVerified(Ok(true))
        } else {
            world.perform(&step)
        };
        step = gate.resume(outcome, &mut world.memory, world.now);
    }
    world.run(gate.take_errands());
}
