//! `tollgate explain`: the gate's own decisions, with what was given.

use serde_json::{Value, json};

use crate::tool::{Run, folder, tollgate, tollgate_with, write};

const AT: &str = "2026-12-01T09:30:00Z";

const CONFIG: &str = r#"
[[durable_objects.bindings]]
name = "LEDGER"
class_name = "Ledger"

[[durable_objects.bindings]]
name = "INBOX"
class_name = "Inbox"

[[durable_objects.bindings]]
name = "READER_REGISTRY"
class_name = "ReaderRegistry"

[[ratelimits]]
name = "BURST"
namespace_id = "1"
simple = { limit = 10, period = 10 }

[vars]
ORIGIN = "https://origin.example"

[vars.BRAND]
name = "Example"
account_url = "https://www.example/account"
plans_url = "https://www.example/plans"

[[vars.BILLING]]
provider = "stripe"

[[vars.ROUTES]]
match = "GET /free/**"
open = true

[[vars.ROUTES]]
match = "/articles/**"
requires = ["premium"]
anonymous = "offer"

[[vars.ROUTES]]
match = "/v1/**"
meter = "api"
cost = 2
burst = "BURST"

[[vars.ROUTES]]
match = "/**"

[[vars.PLANS]]
id = "pro"
name = "Pro"
entitlements = ["premium"]
quotas = [
  { meter = "api", limit = 100, per = "month" },
  { meter = "api", limit = 10, per = "day", each = "member" },
]
buy_url = "https://www.example/buy/pro"
grace_days = 3

[[vars.ISSUERS]]
iss = "https://accounts.example"
audience = ["https://api.example"]
claims = { account = "org", plan = "plan" }
subscription = "account"
keys_secret = "KEYS"

[[vars.ISSUERS]]
iss = "https://login.example"
audience = ["https://api.example"]
claims = { account = "sub", plan = "plan", entitlements = "entitlements" }
subscription = "token"
jwks_url = "https://login.example/jwks.json"
"#;

/// A folder with the configuration, and a private key of the first issuer.
struct Bench {
    config: String,
    key: String,
    folder: std::path::PathBuf,
}

impl Bench {
    fn new(name: &str) -> Self {
        let folder = folder(name);
        let made = tollgate(&["keygen", "--json"]).json();
        let secrets = format!("KEYS='{}'\nSTRIPE_WEBHOOK_SECRET=whsec_of_a_test", made["jwks"]);
        write(&folder, ".dev.vars", &secrets);
        let config = write(&folder, "wrangler.toml", CONFIG);
        Self { config, key: made["private"].to_string(), folder }
    }

    fn explain(&self, request: &str, more: &[&str]) -> Run {
        let head = ["explain", request, "--config", &self.config, "--at", AT];
        tollgate(&[&head[..], more].concat())
    }

    /// The result in JSON.
    fn decide(&self, request: &str, more: &[&str]) -> Value {
        let run = self.explain(request, &[more, &["--json"]].concat());
        let json = run.json();
        let code = i32::from(json["decision"]["pass"] != true);
        let _ = run.with_code(code);
        json
    }

    fn account(&self, record: &Value) -> String {
        write(&self.folder, "account.json", &record.to_string())
    }
}

#[test]
fn whoever_sends_nothing_is_told_what_the_gate_tells() {
    let bench = Bench::new("explain-nothing");
    let said = bench.explain("GET https://api.example/articles/1", &[]).with_code(1).stdout;
    for part in [
        "\"/articles/**\" (ROUTES[1]): requires premium; offered for sale",
        "not GET /free/**",
        "none; looked at Authorization: Bearer, the cookie tollgate",
        "Decision: denied, 402 payment-required",
        "choose-plan pro: https://www.example/buy/pro",
        "Tollgate-Cause: payment-required",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = bench.decide("/x", &[]);
    assert_eq!(json["decision"]["cause"], "sign-in-required");
    assert_eq!((&json["route"]["index"], &json["answer"]["status"]), (&json!(3), &json!(401)));
    let open = bench.decide("/free/x", &[]);
    assert_eq!(open["origin"]["to"], "https://origin.example/free/x");
    let page = bench.decide("/articles/1", &["--header", "Accept: text/html"]);
    let fields = &page["answer"]["headers"];
    assert_eq!(fields["Content-Type"], "text/html; charset=utf-8");
    let preflight = ["--header", "Origin: https://a.example"];
    let preflight = [&preflight[..], &["--header", "Access-Control-Request-Method: GET"]].concat();
    let json = bench.decide("OPTIONS /articles/1", &preflight);
    assert_eq!(json["decision"]["preflight"], true);
}

/// A signature is verified as the gate would; what the claims say is read as it would.
#[test]
fn a_real_token_is_really_verified() {
    let bench = Bench::new("explain-token");
    let mint = [
        "mint",
        "--key",
        "-",
        "--config",
        &bench.config,
        "--iss",
        "https://accounts.example",
        "--account",
        "acme",
        "--sub",
        "anna",
        "--at",
        "2026-12-01T09:00:00Z",
    ];
    let token = tollgate_with(&mint, &bench.key).with_code(0).stdout;
    let file = write(&bench.folder, "token", &token);
    let account = bench.account(&json!({"plan": "pro", "status": "active"}));
    let given = ["--token", file.as_str(), "--account", account.as_str()];
    let said = bench.explain("/v1/x", &given).with_code(0).stdout;
    for part in [
        "signature   verified (Ed25519, key",
        "caller      -/acme, member anna",
        "-/acme is asked for 2 units of api",
        "the operator's: pro, active: opens what it was bought for",
        "api/month: 2 of 100 used",
        "api/day/member: 2 of 10 used",
        "Tollgate-Plan: pro",
        "with the credential, as it came",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains(token.trim()), "no token is printed");

    let other = tollgate(&["keygen", "--json"]).json()["private"].clone();
    let mut forged = other;
    forged["kid"] = serde_json::from_str::<Value>(&bench.key).unwrap()["kid"].clone();
    let forged = tollgate_with(&mint, &forged.to_string()).stdout;
    let file = write(&bench.folder, "forged", &forged);
    let json = bench.decide("/v1/x", &["--token", &file]);
    assert_eq!(json["decision"]["token_error"], "bad-signature");
    // A token in a header is no less verified.
    let field = format!("Authorization: Bearer {}", forged.trim());
    let json = bench.decide("/v1/x", &["--header", &field, "--account", &account, "--as", "acme"]);
    assert_eq!(json["decision"]["pass"], true, "what --as says comes last");
    let json = bench.decide("/v1/x", &["--header", &field]);
    assert_eq!(json["decision"]["token_error"], "bad-signature");
    let json = bench.decide("/v1/x", &["--token", &file, "--trust-token", "--account", &account]);
    assert_eq!(json["decision"]["pass"], true);
    // Later than it is valid.
    let late = ["--token", &file, "--trust-token", "--at", "2026-12-02T00:00:00Z"];
    let head = ["explain", "/v1/x", "--config", &bench.config, "--json"];
    let json = tollgate(&[&head[..], &late].concat()).with_code(1).json();
    assert_eq!(json["decision"]["token_error"], "expired");
}

#[test]
fn keys_at_a_url_are_asked_for_read_or_done_without() {
    let bench = Bench::new("explain-keys");
    let made = tollgate(&["keygen", "--alg", "es256", "--json"]).json();
    let mint = [
        "mint",
        "--key",
        "-",
        "--config",
        &bench.config,
        "--iss",
        "https://login.example",
        "--account",
        "bob",
        "--entitlement",
        "premium",
        "--at",
        AT,
    ];
    let token = tollgate_with(&mint, &made["private"].to_string()).stdout;
    let file = write(&bench.folder, "token", &token);
    let run = bench.explain("/articles/1", &["--token", &file]).with_code(1);
    assert!(run.stdout.contains("--online fetches them"), "{}", run.stdout);
    assert!(run.stdout.contains("503 checker-unavailable"), "{}", run.stdout);
    let keys = write(&bench.folder, "keys.json", &made["jwks"].to_string());
    let json = bench.decide("/articles/1", &["--token", &file, "--keys", &keys]);
    assert_eq!(json["decision"]["pass"], true);
    let json = bench.decide("/articles/1", &["--token", &file, "--trust-token"]);
    assert_eq!(json["origin"]["headers"]["Tollgate-Account"], "bob");
}

#[test]
fn an_account_is_judged_as_its_ledger_would_at_that_time() {
    let bench = Bench::new("explain-account");
    let failed = |at: &str| {
        json!({"plan": "pro", "status": "past_due", "payment_failed_at": at,
            "payment_failure": "card_expired"})
    };
    for (record, more, cause) in [
        (failed("2026-11-30T09:30:00Z"), &[][..], None),
        (failed("2026-11-20T00:00:00Z"), &[], Some("card-expired")),
        (failed("2026-11-20T00:00:00Z"), &["--provider-down"], None),
        (
            json!({"status": "active", "plan": "pro", "suspended": true}),
            &[],
            Some("account-suspended"),
        ),
        (json!({"status": "paused", "plan": "pro"}), &[], Some("subscription-paused")),
        (json!({"status": "active", "plan": "other"}), &[], Some("misconfigured")),
        (
            json!({"status": "active", "plan": "pro"}),
            &["--used", "api/month=99"],
            Some("quota-exhausted"),
        ),
        (json!({"status": "active", "plan": "pro"}), &["--used", "api/month=98"], None),
        (
            json!({"status": "active", "plan": "pro"}),
            &["--used", "api/month=99", "--credits", "5"],
            None,
        ),
        (
            json!({"status": "active", "plan": "pro"}),
            &["--used", "api/day/member=10"],
            Some("quota-exhausted"),
        ),
        (
            json!({"status": "active", "plan": "pro", "limits": {"api/month": 1}}),
            &[],
            Some("cost-exceeds-quota"),
        ),
        (json!({"status": "active", "plan": "pro"}), &["--over-burst"], Some("rate-limited")),
        (
            json!({"status": "active", "plan": "pro"}),
            &["--ledger-down"],
            Some("checker-unavailable"),
        ),
        (json!({}), &[], Some("no-subscription")),
    ] {
        let file = bench.account(&record);
        let json = bench.decide("POST /v1/x", &[&["--account", &file][..], more].concat());
        let found = json["decision"]["cause"].as_str();
        assert_eq!(found, cause, "{record} {more:?}: {json:#}");
    }
    let file = bench.account(&failed("2026-11-30T09:30:00Z"));
    let said = bench.explain("/v1/x", &["--account", &file]).with_code(0).stdout;
    assert!(said.contains("a charge failed; access ends in 2 days"), "{said}");
}

#[test]
fn a_token_of_nobody_can_stand_in() {
    let bench = Bench::new("explain-as");
    let json = bench.decide("/articles/1", &["--as", "bob"]);
    assert_eq!(json["decision"]["cause"], "no-subscription");
    let record = json!({"plan": "pro", "status": "active"}).to_string();
    let head =
        ["explain", "/articles/1", "--config", &bench.config, "--as", "bob", "--account", "-"];
    let said = tollgate_with(&head, &record).with_code(0).stdout;
    assert!(said.contains("as if a token stood in Authorization: Bearer"), "{said}");
    let own = bench.explain("/_tollgate/health", &[]).with_code(0).stdout;
    assert!(own.contains("never gated"), "{own}");
    let account = bench.account(&json!({"plan": "pro", "status": "active"}));
    let usage =
        ["--account", &account, "--used", "api/month=7", "--header", "Accept: application/json"];
    let json = bench.decide("/_tollgate/usage", &usage);
    assert!(json["answer"]["body"].as_str().unwrap().contains("\"used\":7"), "{json:#}");
}

#[test]
fn an_api_key_is_looked_for_in_the_record() {
    let bench = Bench::new("explain-key");
    let text = format!("tg_abcd1234_{}", "s".repeat(54));
    let file = write(&bench.folder, "key", &text);
    let listed = |more: Value| {
        let mut key = json!({"id": "abcd1234", "prefix": "tg_abcd1234", "created_at": AT});
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bench.account(&json!({"plan": "pro", "status": "active", "keys": [key]}))
    };
    let account = listed(json!({"member": "ci"}));
    let given = ["--token", &file, "--account", &account, "--as", "acme"];
    let said = bench.explain("/v1/x", &given).with_code(0).stdout;
    assert!(said.contains("taken on trust, without GATE_SECRET"), "{said}");
    assert!(said.contains("abcd1234 is of -/acme, as its record says"), "{said}");
    assert!(said.contains("api/day/member: 2 of 10 used"), "{said}");
    assert!(!said.contains(&text), "no key is printed");
    for (more, cause) in [
        (json!({"revoked_at": "2026-11-30T00:00:00Z"}), "credential-revoked"),
        (json!({"id": "another1"}), "invalid-token"),
        (json!({"scopes": ["other"]}), "not-for-sale"),
    ] {
        let account = listed(more);
        let json = bench.decide("/articles/1", &["--token", &file, "--account", &account]);
        assert_eq!(json["decision"]["cause"], cause, "{json:#}");
    }
    let said = bench.explain("/articles/1", &["--token", &file]).with_code(1).stdout;
    assert!(said.contains("only a running gate knows whose"), "{said}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let bench = Bench::new("explain-wrong");
    let record = bench.account(&json!({"plan": "pro", "status": "canceled"}));
    for (request, more, part) in [
        ("GET", &[][..], "expected a method and a URL"),
        ("GET /a b", &[], "expected a method and a URL"),
        ("/a", &["--used", "api/mnth=3"], "did you mean \"api/month\"?"),
        ("/a", &["--used", "3"], "such as api/month=990"),
        ("/a", &["--header", "x"], "such as 'Accept: text/html'"),
        ("/a", &["--account", &record], "account.json: status: expected"),
        ("/a", &["--as", "t/a"], "--as TENANT/ACCOUNT: tokens of this issuer don't say that"),
        ("/a", &["--as", "a/b/c"], "this has two slashes"),
        ("/a", &["--token", &record, "--as", "x"], "--as is for a request without a token"),
        ("/a", &["--token", "none"], "none: No such file"),
    ] {
        let said = bench.explain(request, more).with_code(2).said();
        assert!(said.contains(part), "{part}: {said}");
    }
    let folder = folder("explain-nowhere");
    let run = crate::tool::run(&["explain", "/a"], "", &[], &folder).with_code(2);
    assert!(run.said().contains("name the configuration with --config"), "{}", run.said());
}
