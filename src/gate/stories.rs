//! Short stories of one caller and its ledger: the place to try out a change to the gate. Its
//! promises as a whole are tested in `tests/gate_steps` and `tests/decision_table`.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{CallError, Gate, Memory, Need, Outcome, Process, Step};
use crate::account::{AccountRecord, Status, Subscription};
use crate::cause::{Cause, QuotaState};
use crate::config::{Binding, Bindings, Config, RouteIndex};
use crate::decision::{Decision, Degraded, Denial, Pass};
use crate::plan::{Enforcement, QuotaName};
use crate::quota::{GrantOutcome, Lease, LedgerReply};
use crate::request::RequestFacts;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

/// The caller of a story, at the moment when its ledger is asked.
struct Story {
    memory: Memory,
    gate: Gate,
}

#[test]
fn a_new_caller_is_verified_and_its_ledger_is_asked() {
    let mut story = Story::at_ledger("/api");
    // No quota is about the meter, so that no lease is needed.
    let granted = GrantOutcome::Granted { leases: Vec::new(), quotas: vec![Vec::new()] };
    let pass = story.passes(Outcome::LedgerAnswered(Ok(reply(Some(granted)))));
    assert_eq!(pass.identity.unwrap().account, "alice");
    assert_eq!(pass.route, Some(RouteIndex::new(0)));
}

#[test]
fn a_ledger_without_a_subscription_denies() {
    let mut story = Story::at_ledger("/api");
    let denial = story.denies(Outcome::LedgerAnswered(Ok(reply(Some(GrantOutcome::NoPlan)))));
    assert_eq!(denial.cause, Cause::NoSubscription);
}

#[test]
fn a_reply_that_does_not_fit_the_message_is_a_fault_of_its_own_name() {
    for (grant, detail) in [
        (None, "the ledger was asked for units and did not say if it grants them"),
        (Some(GrantOutcome::UnknownPlan), "an account is on a plan that PLANS doesn't define"),
        (Some(GrantOutcome::Void), "the ledger knows a later message of this isolate"),
    ] {
        let mut story = Story::at_ledger("/api");
        let denial = story.denies(Outcome::LedgerAnswered(Ok(reply(grant))));
        assert_eq!(denial.cause, Cause::Misconfigured);
        assert_eq!(denial.facts.operator_detail.as_deref(), Some(detail));
    }
}

#[test]
fn a_grant_that_falls_short_is_a_fault_and_not_a_pass() {
    let lease = |units| Lease {
        id: 1,
        units,
        lifetime_ms: 25_000,
        credits: 0,
        is_lenient: false,
        is_of_member: false,
    };
    let quota = QuotaState {
        name: QuotaName::parse("api/month").unwrap(),
        limit: 100,
        used: 1,
        resets_at: NOW.plus_seconds(600),
        window_s: 2_592_000,
        enforcement: Enforcement::Hard,
    };
    let granted = |leases| GrantOutcome::Granted { leases, quotas: vec![vec![quota.clone()]] };
    let answered = |grant| Outcome::LedgerAnswered(Ok(reply(Some(grant))));
    let pass = Story::at_ledger("/api").passes(answered(granted(vec![lease(1)])));
    assert_eq!(pass.charge.unwrap().units_of("api"), 1);
    let unanswered = GrantOutcome::Granted { leases: vec![lease(1)], quotas: Vec::new() };
    for short in [granted(Vec::new()), granted(vec![lease(0)]), unanswered] {
        let denial = Story::at_ledger("/api").denies(answered(short));
        let detail = "the ledger granted less than it was asked for";
        assert_eq!(denial.facts.operator_detail.as_deref(), Some(detail));
    }
}

#[test]
fn without_the_ledger_the_route_decides_and_the_log_has_the_reason() {
    let failed = || Outcome::LedgerAnswered(Err(CallError::Unreachable("too late".to_owned())));
    let denial = Story::at_ledger("/api").denies(failed());
    assert_eq!(denial.cause, Cause::CheckerUnavailable);
    let detail = denial.facts.operator_detail;
    assert_eq!(detail.as_deref(), Some("ledger: too late (unreachable)"));
    let pass = Story::at_ledger("/lenient").passes(failed());
    assert_eq!(pass.degraded, Some(Degraded::CheckerUnavailable));
}

#[test]
fn an_outcome_of_another_kind_is_a_fault_that_names_both_kinds() {
    let mut story = Story::at_ledger("/api");
    let denial = story.denies(Outcome::Waited);
    assert_eq!(denial.cause, Cause::Misconfigured);
    let detail = "the gate needed the outcome LedgerAnswered and was given Waited";
    assert_eq!(denial.facts.operator_detail.as_deref(), Some(detail));
    let denial = story.denies(Outcome::Waited);
    let detail = "an outcome came after the decision";
    assert_eq!(denial.facts.operator_detail.as_deref(), Some(detail));
}

impl Story {
    /// A story on one of the routes of [`config`].
    fn at_ledger(path: &str) -> Self {
        let config = Rc::new(config());
        let mut memory = Memory::new(1, "isolate".to_owned(), 30_000);
        let lines = format!("GET\nhttps://api.example{path}\n\n\n\nBearer {}", token());
        let facts = Rc::new(RequestFacts::from_lines(&lines).unwrap());
        let (mut gate, first) = Gate::start(config, facts, &mut memory, NOW);
        assert!(matches!(first, Step::Need(Need::VerifySignature(_))), "{first:?}");
        let second = gate.resume(Outcome::SignatureVerified(Ok(true)), &mut memory, NOW);
        assert!(matches!(second, Step::Need(Need::CallLedger { .. })), "{second:?}");
        Self { memory, gate }
    }

    fn passes(&mut self, outcome: Outcome) -> Pass {
        match self.gate.resume(outcome, &mut self.memory, NOW) {
            Step::End(Decision::Pass(pass)) => *pass,
            step => panic!("{step:?}"),
        }
    }

    fn denies(&mut self, outcome: Outcome) -> Denial {
        match self.gate.resume(outcome, &mut self.memory, NOW) {
            Step::End(Decision::Deny(denial)) => *denial,
            step => panic!("{step:?}"),
        }
    }
}

/// A reply about an account in good standing.
fn reply(grant: Option<GrantOutcome>) -> Box<LedgerReply> {
    let record: AccountRecord =
        Subscription { plan: Some("pro".into()), status: Status::Active, ..Default::default() }
            .into();
    Box::new(LedgerReply { account: Some(record), grant, horizon_ms: 0 })
}

/// A token of alice. Its signature is none: these stories say themselves whether it is right.
fn token() -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "EdDSA", "kid": "ed", "typ": "JWT"}));
    let claims = part(json!({
        "iss": "https://id.example", "aud": "https://api.example", "sub": "alice",
        "iat": NOW.as_seconds(), "exp": NOW.plus_seconds(600).as_seconds(),
    }));
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 64]))
}

fn config() -> Config {
    Config::parse(&Vars).map_err(|invalid| invalid.mistakes).unwrap()
}

struct Vars;

impl Bindings for Vars {
    fn value(&self, name: &str) -> Option<Binding> {
        let value = match name {
            "ORIGIN" => return Some(Binding::Text("https://origin.example".to_owned())),
            "ISSUERS" => json!([{
                "iss": "https://id.example", "audience": "https://api.example",
                "subscription": "account",
                "keys": {"kid": "ed", "kty": "OKP", "crv": "Ed25519",
                         "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            }]),
            "PLANS" => json!([
                {"id": "pro", "quotas": [{"meter": "api", "limit": 100, "per": "month"}]},
            ]),
            "ROUTES" => json!([
                {"match": "/api", "meter": "api"},
                {"match": "/lenient", "meter": "api", "on_outage": "pass"},
                {"match": "/**"},
            ]),
            _ => return None,
        };
        Some(Binding::Json(value))
    }

    fn has_resource(&self, name: &str) -> bool {
        name == "LEDGER"
    }
}
