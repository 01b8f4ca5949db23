//! The standing of a caller's own account: the steps of the gate, and its answers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/bindings.rs"]
mod bindings;
#[expect(dead_code, reason = "other suites see to signatures")]
#[path = "support/tokens.rs"]
mod tokens;
#[path = "usage/answers.rs"]
mod usage_answers;
#[path = "usage/held.rs"]
mod usage_held;
#[path = "usage/steps.rs"]
mod usage_steps;

use std::rc::Rc;

use bindings::Vars;
use serde_json::{Value, json};
use tollgate::admin::record::shown;
use tollgate::cause::QuotaState;
use tollgate::config::Config;
use tollgate::decision::Denial;
use tollgate::gate::{Begun, Inquiry, Memory, Need, Outcome, Process, Step};
use tollgate::plan::Quota;
use tollgate::quota::Usage;
use tollgate::request::RequestFacts;
use tollgate::time::Timestamp;
use tollgate::usage::AccountUsage;

/// 2026-12-01T00:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_796_083_200);

/// One isolate, and a clock that stands still.
struct Isolate {
    config: Rc<Config>,
    memory: Memory,
    now: Timestamp,
}

impl Isolate {
    fn new(vars: &Vars) -> Self {
        let config = Config::parse(vars).map_err(|invalid| invalid.mistakes).unwrap();
        let memory = Memory::new(config.issuers.len(), "isolate".to_owned(), 30_000);
        Self { config: Rc::new(config), memory, now: NOW }
    }

    fn begin(&mut self, token: Option<&str>) -> Begun<Box<AccountUsage>> {
        let bearer = token.map_or_else(String::new, |token| format!("Bearer {token}"));
        let lines = format!("GET\nhttps://api.example/_tollgate/usage\n\n\n\n{bearer}");
        let facts = RequestFacts::from_lines(&lines).unwrap();
        Inquiry::usage(Rc::clone(&self.config), Rc::new(facts), &mut self.memory, self.now)
    }

    /// Up to the first need that isn't a signature.
    fn ask(&mut self, token: &str) -> Begun<Box<AccountUsage>> {
        let (mut inquiry, step) = self.begin(Some(token));
        let step = match step {
            // Other suites see to signatures.
            Step::Need(Need::VerifySignature(_)) => {
                inquiry.resume(Outcome::SignatureVerified(Ok(true)), &mut self.memory, self.now)
            }
            step => step,
        };
        (inquiry, step)
    }

    fn answer(&mut self, inquiry: &mut Inquiry<Box<AccountUsage>>, usage: Usage) -> UsageStep {
        inquiry.resume(Outcome::UsageRead(Ok(Box::new(usage))), &mut self.memory, self.now)
    }

    /// To the end, with a ledger that answers this.
    fn told(&mut self, token: &str, usage: Usage) -> UsageStep {
        let (mut inquiry, step) = self.ask(token);
        assert!(matches!(step, Step::Need(Need::ReadUsage { .. })), "{step:?}");
        self.answer(&mut inquiry, usage)
    }
}

type UsageStep = Step<Result<Box<AccountUsage>, Box<Denial>>>;

fn shown(step: UsageStep) -> AccountUsage {
    match step {
        Step::End(Ok(usage)) => *usage,
        step => panic!("nothing is shown: {step:?}"),
    }
}

fn denied(step: UsageStep) -> Denial {
    match step {
        Step::End(Err(denial)) => *denial,
        step => panic!("not denied: {step:?}"),
    }
}

fn vars() -> Vars {
    Vars::default()
        .with("ORIGIN", json!("https://origin.example"))
        .with("ROUTES", json!([{ "match": "/**", "meter": "api" }]))
        .with("PLANS", plans())
        .with("METERS", json!([{ "id": "api", "name": "API calls", "notify_at": [50, 90] }]))
        .with(
            "ISSUERS",
            json!([issuer("https://id.example", "token"), issuer("https://by.account", "account")]),
        )
        .with(
            "BRAND",
            json!({
                "name": "Gazette", "plans_url": "https://g.example/plans",
                "account_url": "https://g.example/account", "support_url": "mailto:help@g.example",
            }),
        )
        .with_objects()
}

fn plans() -> Value {
    json!([
        { "id": "free", "name": "Free <b>", "on_sale": false, "on_outage": "pass", "quotas": [
            { "meter": "api", "limit": 10, "per": "month" },
            { "meter": "api", "limit": 4, "per": "day", "each": "member" },
            { "meter": "tokens", "limit": 5, "per": "hour", "enforcement": "soft", "overage_max": 2 },
        ] },
        { "id": "pro", "name": "Pro", "price": "€20", "buy_url": "https://g.example/buy/pro",
          "quotas": [{ "meter": "api", "limit": 1000, "per": "month" }] },
    ])
}

fn issuer(iss: &str, subscription: &str) -> Value {
    json!({
        "iss": iss, "audience": ["https://api.example"], "subscription": subscription,
        "keys": { "keys": [tokens::ed_key()] },
        "claims": { "account": "org", "plan": "plan", "entitlements": "entitlements" },
    })
}

/// A token of a member of the account `acme`; `changes` is a JSON object of claims that differ.
fn token(changes: &str) -> String {
    let mut claims = json!({
        "iss": "https://id.example", "aud": "https://api.example", "org": "acme", "sub": "ann",
        "plan": "free", "jti": "t-1",
        "iat": NOW.plus_seconds(-60).as_seconds(), "exp": NOW.plus_seconds(600).as_seconds(),
    });
    let changes: Value = serde_json::from_str(changes).unwrap();
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    tokens::mint(&claims, "ed")
}

/// A ledger's usage of the plan `free`, with these counts in the order of its quotas.
fn usage(config: &Config, used: [u64; 3], record: &str) -> Usage {
    let quotas = &config.plan("free").unwrap().quotas;
    let state = |(quota, used): (&Quota, u64)| {
        QuotaState::new(quota, quota.window(NOW, None), quota.limit, used)
    };
    Usage {
        account: shown::read(serde_json::from_str(record).unwrap()).ok(),
        quotas: quotas.iter().zip(used).map(state).collect(),
        credits: Vec::new(),
    }
}
