//! `tollgate check --gate`: a running gate, its issuers and its payment provider, all played by one
//! server.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use crate::server::{Received, Reply, Server};
use crate::tool::{Run, folder, run, write};

const SECRET: &str = "whsec_of_a_test";
const STANDARD_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const API_KEY: &str = "sk_live_of_a_test";
const TOKEN: &str = "operators-token-of-a-test";

/// The other side's behaviour; each test changes a part of it.
#[derive(Clone)]
struct Others {
    health: (u16, Value),
    jwks: String,
    prices: Vec<Value>,
    clock_ahead_s: i64,
    events: Value,
    outage: Value,
}

impl Default for Others {
    fn default() -> Self {
        let key = json!({
            "kid": "a", "kty": "OKP", "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        Self {
            health: (200, json!({"status": "ok", "warnings": []})),
            jwks: json!({"keys": [key]}).to_string(),
            prices: vec![price("price_1", "pro_monthly"), price("price_2", "pro_yearly")],
            clock_ahead_s: 0,
            events: json!([]),
            outage: json!({"declared": false, "detected": false}),
        }
    }
}

fn price(id: &str, lookup_key: &str) -> Value {
    json!({"id": id, "type": "recurring", "lookup_key": lookup_key, "product": format!("prod_{id}")})
}

impl Others {
    fn answer(&self, request: &Received) -> Reply {
        let ahead = jiff::SignedDuration::from_secs(self.clock_ahead_s);
        let date = jiff::Timestamp::now().checked_add(ahead).unwrap();
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let allowed =
            |token: &str| request.header("authorization") == Some(&format!("Bearer {token}"));
        let reply = match request.path() {
            "/_tollgate/health" => Reply::json(self.health.0, &self.health.1),
            "/jwks" => Reply::text(200, &self.jwks),
            "/_tollgate/webhooks/stripe" | "/_tollgate/webhooks/standard" => webhook(request),
            path if path.starts_with("/v1/") && !allowed(API_KEY) => Reply::text(401, "{}"),
            "/v1/prices" => self.list(request),
            "/v1/prices/price_old" => {
                Reply::json(200, &json!({"id": "price_old", "active": false}))
            }
            path if path.starts_with("/_tollgate/admin/") && !allowed(TOKEN) => {
                Reply::problem(401, "Send the operator's token.")
            }
            "/_tollgate/admin/events" => {
                Reply::json(200, &json!({"items": self.events, "next_cursor": null}))
            }
            "/_tollgate/admin/outage" => Reply::json(200, &self.outage),
            _ => Reply::problem(404, "The gate has no such endpoint."),
        };
        reply.with("date", &date)
    }

    /// Prices one to a page, as a provider with many would.
    fn list(&self, request: &Received) -> Reply {
        let after = request.target.split_once("starting_after=").map(|(_, after)| after);
        let start = after.map_or(0, |after| {
            self.prices.iter().position(|price| price["id"] == after).unwrap().saturating_add(1)
        });
        let page: Vec<_> = self.prices.iter().skip(start).take(1).collect();
        let has_more = start.saturating_add(1) < self.prices.len();
        Reply::json(200, &json!({"object": "list", "data": page, "has_more": has_more}))
    }

    /// The check of a gate in front of all this.
    fn check(self, name: &str, config: &str, secrets: &str, more: &[&str]) -> Run {
        let server = Server::new(move |request| self.answer(request));
        let folder = folder(name);
        let config = config.replace("SERVER", &server.url());
        let file = write(&folder, "wrangler.toml", &config);
        write(&folder, ".dev.vars", secrets);
        let url = server.url();
        let arguments = [&["check", &file, "--gate", &url][..], more].concat();
        run(&arguments, "", &[("OPERATOR", TOKEN), ("WRONG", "not-the-operators")], &folder)
    }

    fn check_all(self, name: &str) -> Run {
        let more = ["--admin-token-env", "OPERATOR"];
        self.check(name, CONFIG, &secrets(SECRET), &more)
    }
}

/// A gate's answer to a webhook: a wrong signature is named, an unknown event is taken.
fn webhook(request: &Received) -> Reply {
    let sign = |key: &[u8], text: &str| {
        let key = EncodingKey::from_secret(key);
        let signature = crypto::sign(text.as_bytes(), &key, Algorithm::HS256).unwrap();
        URL_SAFE_NO_PAD.decode(signature).unwrap()
    };
    let is_right = if let Some(field) = request.header("stripe-signature") {
        let (time, signature) = field.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let expected = sign(SECRET.as_bytes(), &format!("{time}.{}", request.body));
        let expected =
            expected.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        signature == expected
    } else {
        let [id, time] =
            ["webhook-id", "webhook-timestamp"].map(|name| request.header(name).unwrap());
        let key = STANDARD.decode(STANDARD_SECRET.strip_prefix("whsec_").unwrap()).unwrap();
        let expected = sign(&key, &format!("{id}.{time}.{}", request.body));
        let expected = format!("v1,{}", STANDARD.encode(expected));
        request.header("webhook-signature") == Some(&expected)
    };
    assert_eq!(request.json()["type"], "tollgate.ping");
    if is_right {
        Reply::json(200, &json!({"received": true}))
    } else {
        Reply::problem(400, "No signature fits the body.")
    }
}

fn secrets(webhook: &str) -> String {
    format!("STRIPE_WEBHOOK_SECRET=\"{webhook}\"\nSTRIPE_API_KEY={API_KEY}\n")
}

const CONFIG: &str = r#"
[[durable_objects.bindings]]
name = "LEDGER"
class_name = "Ledger"

[[durable_objects.bindings]]
name = "INBOX"
class_name = "Inbox"

[vars]
ORIGIN = "https://origin.example"

[[vars.BILLING]]
provider = "stripe"
api_url = "SERVER"

[[vars.ROUTES]]
match = "/**"
requires = ["premium"]

[[vars.PLANS]]
id = "pro"
entitlements = ["premium"]
prices = ["price_1", "pro_yearly"]
buy_url = "https://shop.example/pro"

[[vars.ISSUERS]]
iss = "https://id.example"
audience = "https://api.example"
jwks_url = "SERVER/jwks"
claims = { plan = "plan" }
"#;

#[test]
fn a_gate_that_is_as_it_should_be() {
    let run = Others::default().check_all("live-good").with_code(0);
    for part in [
        "ok: health: the gate works",
        "ok: clock: the gate and this machine agree",
        "ok: keys of https://id.example: 1 usable",
        "ok: webhook stripe: STRIPE_WEBHOOK_SECRET is right at",
        "ok: events: none has failed",
        "ok: clock: stripe and this machine agree",
        "ok: prices stripe: 2 on sale, each in a plan",
        "0 mistakes, 0 warnings.",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.said());
    }
    for secret in [SECRET, API_KEY, TOKEN] {
        assert!(!run.said().contains(secret), "{secret}");
    }
    let json = Others::default()
        .check("live-json", CONFIG, &secrets(SECRET), &["--json"])
        .with_code(0)
        .json();
    let findings = json["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["kind"] == "ok"), "{json:#}");
}

#[test]
fn a_wrong_secret_is_found_out_without_being_shown() {
    let two = secrets(&format!("{SECRET} whsec_another"));
    let run = Others::default().check("live-secret", CONFIG, &two, &[]).with_code(1);
    assert!(
        run.stdout.contains("ok: webhook stripe: STRIPE_WEBHOOK_SECRET (1 of 2)"),
        "{}",
        run.stdout
    );
    let wrong = "refuses what STRIPE_WEBHOOK_SECRET (2 of 2) signs: No signature fits the body.";
    assert!(run.stdout.contains(wrong), "{}", run.stdout);
    assert!(!run.said().contains("whsec_another"));
    // A provider that the gate does not know of; and one whose secret is in the environment.
    let paddle = CONFIG.replace("stripe", "paddle");
    let run =
        Others::default().check("live-paddle", &paddle, "PADDLE_WEBHOOK_SECRET=pdl_secret", &[]);
    let run = run.with_code(1);
    assert!(run.stdout.contains("webhooks/paddle is not there"), "{}", run.stdout);
    assert!(run.stdout.contains("skipped: prices paddle"), "{}", run.stdout);
    let standard = CONFIG.replace("\"stripe\"", "\"standard\"");
    let given = format!("STANDARD_WEBHOOK_SECRET={STANDARD_SECRET}");
    let run = Others::default().check("live-standard", &standard, &given, &[]).with_code(0);
    assert!(run.stdout.contains("STANDARD_WEBHOOK_SECRET is right"), "{}", run.stdout);
    let public = "STANDARD_WEBHOOK_SECRET=whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let run = Others::default().check("live-public", &standard, public, &[]).with_code(0);
    assert!(run.stdout.contains("is a public key"), "{}", run.stdout);
}

#[test]
fn prices_and_plans_that_miss_each_other_are_named() {
    let others = Others {
        prices: vec![
            price("price_2", "pro_yearly"),
            price("price_9", "gold"),
            json!({"id": "price_once", "type": "one_time", "product": "prod_once"}),
        ],
        ..Others::default()
    };
    let config = CONFIG.replace("\"price_1\"", "\"price_old\", \"price_none\"");
    let run = others.check("live-prices", &config, &secrets(SECRET), &[]).with_code(1);
    for part in [
        "warning: prices stripe: price_9 (gold) is on sale, and no plan's `prices` has it",
        "mistake: plan pro: the price \"price_old\" is archived at the provider: nobody can buy",
        "mistake: plan pro: the price \"price_none\" is not known to the provider",
        "2 mistakes, 1 warnings.",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    assert!(!run.stdout.contains("price_once"), "{}", run.stdout);
    let key = secrets(SECRET).replace(API_KEY, "sk_live_wrong");
    let run = Others::default().check("live-key", CONFIG, &key, &[]).with_code(1);
    assert!(run.stdout.contains("the API key may not list prices"), "{}", run.stdout);
    let unsold = CONFIG.replace("prices = [\"price_1\", \"pro_yearly\"]\n", "");
    let unsold = unsold.replace("buy_url = \"https://shop.example/pro\"\n", "");
    let run = Others::default().check("live-unsold", &unsold, &secrets(SECRET), &[]).with_code(0);
    assert!(run.stdout.contains("warning: plan pro: it is on sale without"), "{}", run.stdout);
}

#[test]
fn a_gate_tells_its_own_mistakes() {
    let mistake = json!({
        "variable": "ROUTES", "field": "[0]", "found": "x", "expected": "y", "example": "",
    });
    let health = (503, json!({"status": "misconfigured", "mistakes": [mistake]}));
    let run = Others { health, ..Others::default() }.check_all("live-misconfigured").with_code(1);
    assert!(
        run.stdout.contains("mistake: health: ROUTES[0]: found x; expected y"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("webhook"), "it can't do more: {}", run.stdout);
    // A warning that this file doesn't lead to: the gate runs another one.
    let health = (200, json!({"status": "ok", "warnings": [mistake_of("BRAND")]}));
    let run = Others { health, ..Others::default() }.check_all("live-warning").with_code(0);
    assert!(run.stdout.contains("warning: health: BRAND: found x"), "{}", run.stdout);
}

fn mistake_of(variable: &str) -> Value {
    json!({"variable": variable, "field": "", "found": "x", "expected": "y", "example": ""})
}

#[test]
fn warnings_that_the_gate_shares_are_said_once() {
    let config = format!("{CONFIG}\n[[vars.METERS]]\nid = \"nobody\"\n");
    let run = Others::default().check("live-drift", &config, &secrets(SECRET), &["--json"]);
    let json = run.with_code(0).json();
    let findings = json["findings"].as_array().unwrap();
    let warnings: Vec<_> = findings.iter().filter(|one| one["kind"] == "warning").collect();
    assert_eq!(warnings.len(), 2, "{json:#}");
    assert!(warnings[1]["detail"].as_str().unwrap().contains("it runs another"), "{json:#}");
    let health = (200, json!({"status": "ok", "warnings": json["warnings"]}));
    let same = Others { health, ..Others::default() };
    let json = same.check("live-same", &config, &secrets(SECRET), &["--json"]).with_code(0).json();
    let findings = json["findings"].as_array().unwrap();
    let warnings: Vec<_> = findings.iter().filter(|one| one["kind"] == "warning").collect();
    assert_eq!(warnings.len(), 1, "{json:#}");
}

#[test]
fn clocks_that_disagree_are_told_by_how_much() {
    for (ahead_s, code, part) in [
        (20, 0, "seconds ahead of this machine"),
        (-30, 0, "seconds behind this machine"),
        (600, 1, "ahead of this machine: tokens and webhooks are refused"),
    ] {
        let others = Others { clock_ahead_s: ahead_s, ..Others::default() };
        let run = others.check_all("live-clock").with_code(code);
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn keys_that_cannot_be_had_or_used_are_told_apart() {
    let others = Others { jwks: "{\"keys\":[]}".to_owned(), ..Others::default() };
    let run = others.check_all("live-jwks").with_code(1);
    assert!(run.stdout.contains("mistake: keys of https://id.example"), "{}", run.stdout);
    let config = CONFIG.replace("SERVER/jwks", "SERVER/elsewhere");
    let run = Others::default().check("live-no-jwks", &config, &secrets(SECRET), &[]).with_code(3);
    assert!(run.stdout.contains("no answer: keys of https://id.example"), "{}", run.stdout);
    assert!(run.stdout.contains("1 without answer"), "{}", run.stdout);
}

#[test]
fn failed_events_and_outages_are_shown_to_an_operator() {
    let others = Others {
        events: json!([{"id": "evt_9"}]),
        outage: json!({"declared": false, "detected": true}),
        ..Others::default()
    };
    let run = others.check_all("live-operations").with_code(0);
    assert!(run.stdout.contains("warning: events: 1 have failed (evt_9)"), "{}", run.stdout);
    assert!(run.stdout.contains("warning: outage: the gate sees an outage"), "{}", run.stdout);
    let more = ["--admin-token-env", "WRONG"];
    let run = Others::default().check("live-operator", CONFIG, &secrets(SECRET), &more);
    let run = run.with_code(1);
    assert!(run.stdout.contains("mistake: operator: "), "{}", run.stdout);
    let more = ["--admin-token-env", "NOWHERE"];
    let run = Others::default().check("live-nowhere", CONFIG, &secrets(SECRET), &more);
    assert!(run.with_code(2).said().contains("into NOWHERE"));
}

#[test]
fn what_is_no_gate_is_code_3() {
    let health = (200, json!({"status": "up"}));
    let other = Others { health, ..Others::default() }.check_all("live-other").with_code(3);
    assert!(other.stdout.contains("not as a gate would"), "{}", other.stdout);
    let folder = folder("live-gone");
    let config = CONFIG.replace("SERVER", "https://provider.example");
    let file = write(
        &folder,
        "wrangler.toml",
        &config.replace(
            "[[vars.BILLING]]\nprovider = \"stripe\"\napi_url = \"https://provider.example\"\n",
            "",
        ),
    );
    let url = {
        let gone = Server::new(|_| Reply::text(200, ""));
        gone.url()
    };
    let gone = run(&["check", &file, "--gate", &url], "", &[], &folder).with_code(3);
    assert!(gone.stdout.contains("no answer: health"), "{}", gone.stdout);
}
