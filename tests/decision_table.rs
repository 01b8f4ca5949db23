//! The whole table of decisions, row by row.
//!
//! Each row is a request, the state of the account and what differs in the configuration; the last
//! column has the result: status, cause, every remedy in order, and the time to come back.

#![expect(clippy::unwrap_used, reason = "a test stops where a fixture is broken")]
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "claims are changed in place")]

#[path = "support/bindings.rs"]
mod bindings;
#[path = "support/memory_store.rs"]
mod memory_store;
#[path = "decision_table/rows.rs"]
mod rows;
#[path = "support/tokens.rs"]
mod tokens;
#[path = "support/world.rs"]
mod world;

use std::collections::BTreeSet;

use bindings::Vars;
use rows::{ORDER, Row, TABLE};
use serde_json::{Value, json};
use tollgate::answer::{self, Asker, Place, Responder};
use tollgate::cause::{Action, Cause, Notice, Remedy, Source};
use tollgate::config::{Brand, Config};
use tollgate::decision::{Decision, Degraded, Denial, Pass};
use tollgate::request::path::{Reach, readings};
use world::{NOW, World};

#[test]
fn every_row_of_the_table() {
    hold(TABLE);
}

#[test]
fn of_several_causes_the_first_in_order_is_named() {
    hold(ORDER);
}

#[test]
fn every_cause_has_a_row() {
    let mut causes: BTreeSet<_> = TABLE.iter().filter_map(|row| cause(&decide(row))).collect();
    for cause in BY_THE_EDGE {
        assert!(causes.insert(cause), "{} has a row and is listed too", cause.word());
    }
    assert_eq!(causes, BTreeSet::from(Cause::ALL));
}

/// Causes that the edge finds, after the gate let a request pass.
const BY_THE_EDGE: [Cause; 1] = [Cause::OriginUnavailable];

#[test]
fn causes_without_a_row_are_answered_all_the_same() {
    for cause in BY_THE_EDGE {
        let answer = answered(&Denial::new(cause));
        assert_eq!(answer.status, cause.status());
        assert!(answer.body.contains(cause.word()), "{}", answer.body);
    }
}

#[test]
fn a_denial_carries_a_remedy_where_one_exists() {
    let helpless = [
        Cause::AccountSuspended,
        Cause::BadRequest,
        Cause::Misconfigured,
        Cause::NotForSale,
        Cause::OriginUnavailable,
    ];
    for row in TABLE.iter().chain(ORDER) {
        let with_support = decide(row);
        let without = decide_with(row, &[("BRAND", r#"{"name":"Example"}"#)]);
        let Some(cause) = cause(&with_support) else { continue };
        let remedies = |decision: &Decision| denial(decision).map_or(0, |one| one.remedies.len());
        assert_eq!(remedies(&without) == 0, helpless.contains(&cause), "{}", row.when);
        assert_eq!(remedies(&with_support) == 0, cause == Cause::BadRequest, "{}", row.when);
    }
}

#[test]
fn waiting_is_advised_exactly_where_it_helps() {
    for row in TABLE.iter().chain(ORDER) {
        let decision = decide(row);
        let Some(denial) = denial(&decision) else { continue };
        let waits = denial.remedies.iter().any(|remedy| remedy.action == Action::Wait);
        assert_eq!(waits, denial.retry_at.is_some(), "{}", row.when);
        assert!(denial.retry_at.is_none_or(|at| at > NOW), "{}", row.when);
        let answer = answered(denial);
        let retry_after = answer.headers.iter().find(|(name, _)| *name == "Retry-After");
        assert_eq!(retry_after.is_some(), waits, "{}", row.when);
    }
}

#[test]
fn nobody_pays_for_the_mistakes_of_others() {
    for row in TABLE.iter().chain(ORDER) {
        let decision = decide(row);
        let Some(denial) = denial(&decision) else { continue };
        let status = answered(denial).status;
        assert_eq!(status, denial.cause.status(), "{}", row.when);
        if denial.cause.source() != Source::Caller {
            assert_ne!(status, 402, "{}", row.when);
            let asks_for_money = |one: &Remedy| {
                !matches!(one.action, Action::ContactSupport | Action::SignIn | Action::Wait)
            };
            assert!(!denial.remedies.iter().any(asks_for_money), "{}", row.when);
        }
    }
}

#[test]
fn a_denied_request_costs_nothing() {
    for row in TABLE.iter().chain(ORDER) {
        let mut world = scene(row, &[]);
        let decision = world.serve(row.asks, row.token.text().as_deref());
        if denial(&decision).is_some() {
            let mut without = scene(row, &[]);
            world.settle_down();
            without.settle_down();
            assert_eq!(world.counted("-/alice"), without.counted("-/alice"), "{}", row.when);
        }
    }
}

#[test]
fn an_invalid_configuration_denies_or_passes_as_the_operator_chose() {
    for (chosen, status) in [("deny", Some(503)), ("pass", None)] {
        let vars = vars().with("ON_MISCONFIGURED", json!(chosen)).with("PLANS", json!("nonsense"));
        let invalid = Config::parse(&vars).unwrap_err();
        assert!(invalid.fallback.origin.is_some());
        let denied = invalid.fallback.on_misconfigured == tollgate::plan::FailurePolicy::Deny;
        assert_eq!(denied.then(|| Cause::Misconfigured.status()), status);
    }
}

#[test]
fn the_gates_own_endpoints_are_told_apart_before_the_table() {
    let prefix = World::new(&vars()).config.prefix.clone();
    assert_eq!(readings("/_tollgate/health").unwrap().reach(&prefix), Reach::Inside);
    assert_eq!(readings("/premium").unwrap().reach(&prefix), Reach::Outside);
}

fn hold(rows: &[Row]) {
    let mut wrong = Vec::new();
    for row in rows {
        let found = told(&decide(row));
        if found != row.gives {
            wrong.push(format!("{}\n  expected {}\n  found    {found}", row.when, row.gives));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn decide(row: &Row) -> Decision {
    decide_with(row, &[])
}

fn decide_with(row: &Row, more: &[(&str, &str)]) -> Decision {
    scene(row, more).serve(row.asks, row.token.text().as_deref())
}

/// The world as the row's request finds it.
fn scene(row: &Row, more: &[(&str, &str)]) -> World {
    let differing = row.vars.iter().chain(more);
    let vars = differing
        .fold(vars(), |vars, (name, json)| vars.with(name, serde_json::from_str(json).unwrap()));
    let mut world = World::new(&vars);
    if !row.account.is_empty() {
        world.put_account("-/alice", row.account);
    }
    (row.world)(&mut world);
    for asks in row.after {
        world.visit(asks, row.token.text().as_deref());
    }
    world
}

fn denial(decision: &Decision) -> Option<&Denial> {
    match decision {
        Decision::Deny(denial) => Some(denial),
        Decision::Pass(_) => None,
    }
}

fn cause(decision: &Decision) -> Option<Cause> {
    denial(decision).map(|denial| denial.cause)
}

fn answered(denial: &Denial) -> answer::Answer {
    let asker = Asker { method: "GET", host: "api.example", path: "/", ..Asker::default() };
    let base_url = "https://api.example";
    let place = Place { base_url, prefix: "/_tollgate/", credential_headers: "" };
    Responder { asker, place, brand: &Brand::default(), now: NOW }.denied(denial, "test-1")
}

/// A decision in the form of the table's last column.
fn told(decision: &Decision) -> String {
    match decision {
        Decision::Pass(pass) => told_pass(pass),
        Decision::Deny(denial) => {
            let remedies: Vec<_> = denial.remedies.iter().map(told_remedy).collect();
            let retry = denial.retry_at.map(|at| format!("; retry {}", at.rfc3339()));
            let (status, word) = (denial.cause.status(), denial.cause.word());
            format!("{status} {word}: {}{}", remedies.join(", "), retry.unwrap_or_default())
        }
    }
}

fn told_remedy(remedy: &Remedy) -> String {
    let plan = remedy.plan.as_ref().map(|plan| format!(" {}", plan.id));
    format!("{}{}", remedy.action.word(), plan.unwrap_or_default())
}

fn told_pass(pass: &Pass) -> String {
    let mut told = vec!["pass".to_owned()];
    told.extend(pass.is_preflight.then(|| "preflight".to_owned()));
    told.extend(pass.identity.iter().map(|caller| format!("as {}", caller.account_name())));
    told.extend(pass.quotas.iter().map(|one| format!("{} {}/{}", one.name, one.used, one.limit)));
    told.extend(pass.free_page.iter().map(|_| "counted".to_owned()));
    told.extend(pass.notices.iter().map(|notice| match notice {
        Notice::ProviderOutage => "notice provider-outage".to_owned(),
        Notice::PaymentGrace { until } => format!("notice grace until {}", until.rfc3339()),
        Notice::QuotaNearLimit { quota, percent } => format!("notice {quota} at {percent}"),
        Notice::SoftQuotaPassed { quota } => format!("notice {quota} passed"),
        Notice::SubscriptionEnding { at } => format!("notice ending {}", at.rfc3339()),
    }));
    told.extend(pass.degraded.map(Degraded::word).map(|word| format!("degraded {word}")));
    told.join(", ")
}

/// The configuration that the rows share.
fn vars() -> Vars {
    let issuer = |iss: &str, subscription: &str, claims: Value| {
        json!({
            "iss": iss, "audience": ["https://api.example"], "keys": tokens::ed_key(),
            "subscription": subscription, "claims": claims,
        })
    };
    let named = json!({"plan": "plan", "entitlements": "scope"});
    Vars::default()
        .with_objects()
        .with_resource("BURST")
        .with("ORIGIN", json!("https://origin.example"))
        .with("ALLOWANCE_KEY", json!("a-secret-of-thirty-two-bytes-at-least"))
        .with("BRAND", serde_json::from_str(rows::BRAND).unwrap())
        .with("ROUTES", serde_json::from_str(rows::ROUTES).unwrap())
        .with("PLANS", serde_json::from_str(rows::PLANS).unwrap())
        .with(
            "ISSUERS",
            json!([
                issuer("https://id.example", "account", json!({})),
                issuer("https://token.example", "token", named.clone()),
                issuer("https://both.example", "both", named),
            ]),
        )
}
