//! A configuration in which everything is said, and ways to change it.

use serde_json::{Value, json};
use tollgate::config::{Config, Mistake};

use crate::bindings::Vars;

/// The public half of RFC 8037 A.1.
pub(crate) fn key() -> Value {
    json!({
        "kid": "ed", "kty": "OKP", "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    })
}

/// A configuration that is right and warns of nothing.
pub(crate) fn good() -> Vars {
    Vars::default()
        .with_objects()
        .with_resource("BURST")
        .with_resource("FREE_BURST")
        .with_resource("SITE")
        .with("ORIGIN", json!("https://origin.example"))
        .with("ROUTES", json!([route(), {"match": "/**", "open": true}]))
        .with("PLANS", json!([plan()]))
        .with("METERS", json!([meter()]))
        .with("ISSUERS", json!([issuer()]))
        .with("BRAND", brand())
        .with("CREDENTIALS", json!(["bearer", "cookie:session", "header:X-Key", "query:token"]))
        .with("PREFIX", json!("/gate"))
        .with("ON_MISCONFIGURED", json!("pass"))
        .with("PROVIDER_OUTAGE", json!(true))
        .with("DEADLINES", json!({"ledger_ms": 1, "jwks_ms": 2, "origin_ms": 120_000, "billing_ms": 4}))
        .with("JURISDICTION", json!("eu"))
        .with("LOG", json!("faults"))
        .with("ADMIN_TOKEN", json!("0123456789abcdef"))
        .with(
            "ASSERTION_KEY",
            json!(r#"{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}"#),
        )
        .with("GATE_SECRET", json!("gate-secret-0123456789abcdef0123456789"))
        .with("ALLOWANCE_KEY", json!("0123456789abcdef0123456789abcdef"))
        .with("NOTIFY_URL", json!("https://billing.example/tollgate"))
        .with("NOTIFY_SECRET", json!("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="))
        .with("ADMIN_TOKENS", operators())
        .with("BILLING", json!([billing(), {"provider": "paddle"}, {"provider": "lemonsqueezy", "store": "7"}, {"provider": "standard"}]))
        .with("STRIPE_WEBHOOK_SECRET", json!("whsec_the_old_one whsec_the_new_one"))
        .with("STRIPE_API_KEY", json!("sk_live_1"))
        .with("PADDLE_WEBHOOK_SECRET", json!("pdl_ntfset_of_a_test"))
        .with("PADDLE_API_KEY", json!("pdl_live_apikey_1"))
        .with("LEMONSQUEEZY_WEBHOOK_SECRET", json!("a-secret"))
        .with("LEMONSQUEEZY_API_KEY", json!("a-key-of-theirs"))
        .with("STANDARD_WEBHOOK_SECRET", json!("polar_whs_of_a_test"))
        .with("STANDARD_API_KEY", json!("polar_oat_1"))
}

pub(crate) fn billing() -> Value {
    json!({
        "provider": "stripe", "account": "tollgate_account", "api_url": "https://api.example",
        "store": "12345", "on_dispute": "suspend",
    })
}

fn operators() -> Value {
    json!(r#"[{"name":"anna","role":"support","token":"fedcba9876543210"}]"#)
}

pub(crate) fn route() -> Value {
    json!({
        "match": "GET api.example/articles/**", "requires": ["premium"], "meter": "api",
        "cost": 2, "anonymous": "offer", "on_outage": "pass", "burst": "BURST",
        "free": "5 per month", "free_burst": "FREE_BURST", "crawlers": ["Search Engine Crawler"],
        "origin": "service:SITE", "forward_credential": false, "refund": false,
        "settle": true, "uncounted": ["HEAD", "304", "cache-hit"],
    })
}

pub(crate) fn plan() -> Value {
    json!({
        "id": "pro", "name": "Pro", "price": "€20 a month", "entitlements": ["premium"],
        "buy_url": "https://example.com/buy", "on_sale": true, "on_outage": "deny",
        "grace_days": 7, "quotas": [quota()],
    })
}

pub(crate) fn quota() -> Value {
    json!({
        "meter": "api", "limit": 1000, "per": "day", "enforcement": "soft",
        "utc_offset": "+02:00", "overage_max": 500, "rollover_max": 200, "trial_limit": 100,
        "each": "member",
    })
}

pub(crate) fn meter() -> Value {
    json!({
        "id": "api", "name": "API calls", "lost": "lenient", "notify_at": [50, 100],
        "keep_days": 400,
    })
}

pub(crate) fn issuer() -> Value {
    json!({
        "iss": "https://id.example", "audience": ["https://api.example"], "typ": "at+jwt",
        "leeway_s": 5, "max_lifetime_s": 3600, "keys": {"keys": [key()]},
        "claims": {"account": ["org", "id"], "tenant": "tenant", "plan": "plan",
                   "entitlements": "scope"},
        "subscription": "both",
    })
}

pub(crate) fn brand() -> Value {
    json!({
        "name": "Example", "color": "#1F4FD8", "logo_url": "https://example.com/logo.svg",
        "sign_in_url": "https://example.com/login", "plans_url": "https://example.com/plans",
        "account_url": "https://example.com/account", "support_url": "mailto:help@example.com",
    })
}

/// `table` with one field that differs; null takes it out.
pub(crate) fn with(mut table: Value, field: &str, value: Value) -> Value {
    let map = table.as_object_mut().unwrap();
    if value.is_null() {
        map.remove(field)
    } else {
        map.insert(field.to_owned(), value)
    };
    table
}

/// The variable `name` with one field of its (first) table changed, nested ones by dots.
pub(crate) fn changed(name: &str, path: &str, value: Value) -> Value {
    let (field, rest) = path.split_once('.').unwrap_or((path, ""));
    let change = |table: Value, inner: Value| match rest {
        "" => with(table, field, value.clone()),
        rest => with(table, field, with(inner, rest, value.clone())),
    };
    match name {
        "ROUTES" => json!([change(route(), json!({})), {"match": "/**", "open": true}]),
        "PLANS" if field == "quotas" && !rest.is_empty() => {
            json!([with(plan(), "quotas", json!([with(quota(), rest, value.clone())]))])
        }
        "PLANS" => json!([change(plan(), json!({}))]),
        "ISSUERS" => json!([change(issuer(), issuer().get("claims").cloned().unwrap())]),
        "BRAND" => change(brand(), json!({})),
        "METERS" => json!([change(meter(), json!({}))]),
        _ => change(json!({"ledger_ms": 1}), json!({})),
    }
}

/// The mistakes of `vars`, a sentence each.
pub(crate) fn mistakes(vars: &Vars) -> Vec<String> {
    Config::parse(vars).map_or_else(|invalid| sentences(&invalid.mistakes), |_| Vec::new())
}

/// The warnings for `vars`; it has to be right.
pub(crate) fn warnings(vars: &Vars) -> Vec<String> {
    sentences(&Config::parse(vars).map_err(|invalid| invalid.mistakes).unwrap().warnings)
}

fn sentences(mistakes: &[Mistake]) -> Vec<String> {
    mistakes.iter().map(Mistake::to_string).collect()
}
