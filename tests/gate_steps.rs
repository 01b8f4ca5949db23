//! The gate over several requests, by an explicit clock: what it remembers and for how long, which
//! steps it asks for, and what it does with answers that it did not ask for.

#![expect(clippy::unwrap_used, reason = "a test stops where a fixture is broken")]
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "claims are changed in place")]

#[path = "gate_steps/api_keys.rs"]
mod api_keys;
#[path = "support/bindings.rs"]
mod bindings;
#[path = "gate_steps/bounds.rs"]
mod bounds;
#[path = "gate_steps/crowd.rs"]
mod crowd;
#[path = "gate_steps/free_pages.rs"]
mod free_pages;
#[path = "gate_steps/keys.rs"]
mod keys;
#[path = "gate_steps/leases.rs"]
mod leases;
#[path = "gate_steps/ledger.rs"]
mod ledger;
#[path = "gate_steps/members.rs"]
mod members;
#[path = "support/memory_store.rs"]
mod memory_store;
#[path = "gate_steps/out_of_step.rs"]
mod out_of_step;
#[path = "gate_steps/outage.rs"]
mod outage;
#[path = "gate_steps/own.rs"]
mod own;
#[path = "gate_steps/sign_in.rs"]
mod sign_in;
#[path = "support/tokens.rs"]
mod tokens;
#[path = "gate_steps/tokens_seen.rs"]
mod tokens_seen;
#[path = "gate_steps/way_back.rs"]
mod way_back;
#[path = "support/world.rs"]
mod world;

use bindings::Vars;
use serde_json::{Value, json};
use tollgate::cause::Cause;
use tollgate::decision::{Decision, Denial, Pass};
use tollgate::gate::{CallError, Outcome, Step};
use world::World;

/// A gate with these keys of the issuer, and routes of each kind.
fn vars(keys: &Value) -> Vars {
    let mut issuer = json!({
        "iss": "https://id.example", "audience": "https://api.example", "subscription": "account",
    });
    issuer.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    Vars::default()
        .with_objects()
        .with_resource("BURST")
        .with("ORIGIN", json!("https://origin.example"))
        .with("GATE_SECRET", json!(GATE_SECRET))
        .with("ISSUERS", json!([issuer]))
        .with(
            "PLANS",
            json!([
                {"id": "pro", "entitlements": ["premium"], "on_outage": "pass",
                 "quotas": [{"meter": "api", "limit": 2, "per": "month"}]},
                {"id": "max", "entitlements": ["premium", "vault"],
                 "quotas": [{"meter": "api", "limit": 100, "per": "minute"}]},
                {"id": "big", "entitlements": ["premium"], "on_outage": "pass",
                 "quotas": [{"meter": "api", "limit": 100_000, "per": "month"}]},
                {"id": "team", "quotas": [
                    {"meter": "api", "limit": 60, "per": "month"},
                    {"meter": "api", "limit": 20, "per": "month", "each": "member"}]},
            ]),
        )
        .with(
            "ROUTES",
            json!([
                {"match": "/premium", "requires": ["premium"]},
                {"match": "/vault", "requires": ["vault"], "meter": "api"},
                {"match": "/api", "meter": "api"},
                {"match": "/bulk", "meter": "api", "cost": 2},
                {"match": "/fast", "burst": "BURST"},
                {"match": "/heads", "meter": "api", "uncounted": ["HEAD", "304"]},
                {"match": "/mixed", "costs": {"api": 1, "tokens": 5}},
                {"match": "/settled", "meter": "api", "cost": 2, "settle": true},
                {"match": "/**"},
            ]),
        )
}

/// A world with keys in the configuration, and alice on the plan `pro`.
fn world() -> World {
    let mut world = World::new(&vars(&json!({"keys": tokens::ed_key()})));
    world.put_account(ALICE, PRO);
    world
}

/// A world whose issuer has its keys at a URL that answers with the key `kid`.
fn world_with_url(kid: &str) -> World {
    let mut world = World::new(&vars(&json!({"jwks_url": "https://id.example/jwks"})));
    world.put_account(ALICE, PRO);
    world.key_set = key_set(kid);
    world
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for the answer of a server")]
fn key_set(kid: &str) -> Result<String, CallError> {
    let mut key = tokens::ed_key();
    key["kid"] = kid.into();
    Ok(json!({"keys": [key]}).to_string())
}

/// The outcome of the need that a request stands at.
fn meet<End: std::fmt::Debug>(world: &mut World, step: &Step<End>) -> Outcome {
    match step {
        Step::Need(need) => world.meet(need),
        Step::End(end) => panic!("it has ended: {end:?}"),
    }
}

fn passed(decision: &Decision) -> &Pass {
    match decision {
        Decision::Pass(pass) => pass,
        Decision::Deny(denial) => panic!("denied: {denial:?}"),
    }
}

fn denied(decision: &Decision) -> &Denial {
    match decision {
        Decision::Deny(denial) => denial,
        Decision::Pass(pass) => panic!("passed: {pass:?}"),
    }
}

fn cause(decision: &Decision) -> Option<Cause> {
    match decision {
        Decision::Deny(denial) => Some(denial.cause),
        Decision::Pass(_) => None,
    }
}

/// The steps performed since the last call.
fn performed(world: &mut World) -> Vec<&'static str> {
    std::mem::take(&mut world.performed)
}

const ALICE: &str = "-/alice";
const GATE_SECRET: &str = "gate-secret-0123456789abcdef0123456789";
const BIG: &str = r#"{"plan":"big","status":"active"}"#;
const PRO: &str = r#"{"plan":"pro","status":"active"}"#;
