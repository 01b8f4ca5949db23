//! The results of right values, and the defaults.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tollgate::account::Provider;
use tollgate::allowance::Allowance;
use tollgate::config::{
    Anonymous, Brand, Config, Deadlines, Fallback, KeySource, LogLevel, Metering, OriginTarget,
    Role, SubscriptionSource, Uncounted, VARIABLES, VariableKind,
};
use tollgate::plan::{Cost, Enforcement, FailurePolicy, Lost, Meter, Period, Scope};
use tollgate::request::CredentialSource;

use crate::bindings::Vars;
use crate::fixture::{brand, changed, good, issuer, mistakes, plan, route, warnings, with};

fn parsed(vars: &Vars) -> Config {
    Config::parse(vars).map_err(|invalid| invalid.mistakes).unwrap()
}

#[test]
fn a_full_configuration_is_read_as_it_was_written() {
    let config = parsed(&good());
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.prefix, "/gate/");
    assert_eq!(config.origin, OriginTarget::Url("https://origin.example".into()));
    assert_eq!(
        config.deadlines,
        Deadlines { ledger_ms: 1, jwks_ms: 2, origin_ms: 120_000, billing_ms: 4 }
    );
    assert_eq!((config.log, config.provider_outage), (LogLevel::Faults, true));
    assert_eq!(config.on_misconfigured, FailurePolicy::Pass);
    let [admin, anna] = &config.operators[..] else { panic!("{:?}", config.operators) };
    assert_eq!((admin.name.as_str(), admin.role), ("admin", Role::Admin));
    assert_eq!(admin.token, "0123456789abcdef");
    assert_eq!((anna.name.as_str(), anna.role), ("anna", Role::Support));
    let stripe = config.billing(Provider::Stripe).unwrap();
    assert_eq!(stripe.webhook_secrets, ["whsec_the_old_one", "whsec_the_new_one"]);
    assert_eq!((stripe.api_host(), stripe.suspends_on_dispute), ("api.example", true));
    assert_eq!(config.billing(Provider::Paddle).unwrap().api_url, "https://api.paddle.com");
    assert!(config.assertion_keys.is_some() && config.allowance_key.is_some());
    assert_eq!(
        config.credentials,
        [
            CredentialSource::Bearer,
            CredentialSource::Cookie("session".into()),
            CredentialSource::Header("x-key".into()),
            CredentialSource::Query("token".into()),
        ]
    );
    let route = &config.routes[0];
    assert_eq!(route.requires, ["premium"]);
    let costs = vec![Cost { meter: "api".into(), units: 2 }];
    let uncounted = vec![Uncounted::Head, Uncounted::NotModified, Uncounted::CacheHit];
    assert_eq!(route.metering, Some(Metering { costs, is_settled: true, uncounted }));
    assert_eq!(route.anonymous, Anonymous::Offer);
    assert_eq!(route.on_outage, Some(FailurePolicy::Pass));
    assert_eq!(route.burst.as_deref(), Some("BURST"));
    assert_eq!(route.free, Allowance::parse("5 per month"));
    assert_eq!(route.free_burst.as_deref(), Some("FREE_BURST"));
    assert_eq!(route.crawlers, ["Search Engine Crawler"]);
    assert_eq!(route.origin, Some(OriginTarget::Service("SITE".into())));
    assert!(!route.open && !route.forward_credential && !route.refund);
    let plan = config.plan("pro").unwrap();
    assert_eq!((plan.grace_days, plan.on_sale, plan.on_outage), (7, true, FailurePolicy::Deny));
    let quota = &plan.quotas[0];
    assert_eq!((quota.period, quota.utc_offset_min), (Period::Day, 120));
    assert_eq!((quota.limit, quota.enforcement), (1000, Enforcement::Soft));
    assert_eq!((quota.overage_max, quota.rollover_max), (Some(500), 200));
    assert_eq!((quota.trial_limit, quota.scope), (Some(100), Scope::Member));
    assert_eq!(
        config.meters,
        [Meter {
            id: "api".into(),
            name: Some("API calls".into()),
            lost: Lost::Lenient,
            notify_at: vec![50, 100],
            keep_days: Some(400),
        }]
    );
    let notify = config.notify.as_ref().unwrap();
    assert_eq!(notify.url, "https://billing.example/tollgate");
    assert_eq!(notify.keys, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    assert!(config.terms().announces);
    let (index, issuer) = config.issuer("https://id.example").unwrap();
    assert_eq!((index.get(), issuer.subscription), (0, SubscriptionSource::Both));
    assert_eq!((issuer.rules.leeway_s, issuer.rules.max_lifetime_s), (5, Some(3600)));
    assert_eq!(issuer.mapping.account.0, ["org", "id"]);
    assert!(matches!(issuer.keys, KeySource::Inline(_)));
    assert_eq!(config.brand.color, "#1f4fd8", "colours are written in one way");
}

#[test]
fn the_least_configuration_has_defaults() {
    let vars = Vars::default()
        .with("ORIGIN", json!("https://origin.example"))
        .with("ROUTES", json!([{"match": "/**", "open": true}]));
    let config = parsed(&vars);
    assert_eq!(config.prefix, "/_tollgate/");
    assert_eq!(
        config.deadlines,
        Deadlines { ledger_ms: 1_000, jwks_ms: 3_000, origin_ms: 30_000, billing_ms: 10_000 }
    );
    assert_eq!((config.log, config.provider_outage), (LogLevel::Denials, false));
    assert_eq!(config.on_misconfigured, FailurePolicy::Deny);
    assert_eq!(config.brand, Brand::default());
    assert!(config.operators.is_empty() && config.assertion_keys.is_none());
    assert_eq!(
        config.credentials,
        [CredentialSource::Bearer, CredentialSource::Cookie("tollgate".into())]
    );
    let route = &config.routes[0];
    assert!(route.forward_credential && route.refund && !route.forward_overrides);
    assert_eq!((route.anonymous, route.on_outage), (Anonymous::Deny, None));
    assert!(route.free.is_none() && route.free_burst.is_none() && route.crawlers.is_empty());
    assert!(config.allowance_key.is_none());
    assert_eq!((config.meters.len(), config.notify.is_none()), (0, true));
    let terms = config.terms();
    assert_eq!((terms.lost("api"), terms.notify_at("api")), (Lost::Strict, &[80, 95][..]));
    assert_eq!((terms.keep_days("api"), terms.announces), (None, false));
}

#[test]
fn answers_are_kept_where_a_route_is_open_or_says_so() {
    for (route, is_cached) in [
        (json!({"match": "/**", "open": true}), true),
        (json!({"match": "/**", "open": true, "cache": false}), false),
        (json!({"match": "/**"}), false),
        (json!({"match": "/**", "free": "5 per month"}), false),
        (json!({"match": "/**", "cache": true}), true),
    ] {
        let config = parsed(&good().with("ROUTES", json!([route])).with("METERS", json!([])));
        assert_eq!(config.routes[0].cache, is_cached, "{route}");
    }
}

#[test]
fn a_route_may_cost_units_of_several_meters() {
    let costs = json!({"tokens": 4000, "api": 1});
    let route = json!({"match": "/chat", "costs": costs, "settle": true});
    let vars = good().with("ROUTES", json!([route, {"match": "/**", "open": true}]));
    let config = parsed(&vars);
    let metering = config.routes[0].metering.as_ref().unwrap();
    let costs: Vec<_> =
        metering.costs.iter().map(|cost| (cost.meter.as_str(), cost.units)).collect();
    assert_eq!(costs, [("api", 1), ("tokens", 4000)], "in the order of their names");
    assert!(metering.is_settled && metering.uncounted.is_empty());
}

#[test]
fn what_is_said_of_a_meter_may_be_little() {
    let vars = good().with("METERS", json!([{"id": "api"}, {"id": "tokens", "notify_at": []}]));
    let config = parsed(&vars);
    let terms = config.terms();
    assert_eq!((terms.lost("api"), terms.notify_at("api")), (Lost::Strict, &[80, 95][..]));
    assert_eq!(terms.notify_at("tokens"), &[0_u8; 0][..], "nobody is told");
    assert_eq!(config.meters[0].name, None);
}

#[test]
fn plans_and_issuers_have_defaults_too() {
    let vars = good()
        .with(
            "PLANS",
            json!([{"id": "pro", "entitlements": "premium", "quotas": [
            {"meter": "api", "limit": 0, "per": "cycle"}], "buy_url": "http://localhost:1/buy"}]),
        )
        .with(
            "ISSUERS",
            json!([{"iss": "i", "audience": "a", "jwks_url": "http://127.0.0.1:1/k"}]),
        );
    let config = parsed(&vars);
    let plan = config.plan("pro").unwrap();
    assert_eq!((plan.name.as_str(), plan.grace_days, plan.on_sale), ("pro", 3, true));
    assert_eq!((plan.quotas[0].enforcement, plan.quotas[0].utc_offset_min), (Enforcement::Hard, 0));
    assert_eq!((plan.quotas[0].scope, plan.quotas[0].overage_max), (Scope::Account, None));
    assert_eq!((plan.quotas[0].rollover_max, plan.quotas[0].trial_limit), (0, None));
    let issuer = &config.issuers[0];
    assert_eq!((issuer.rules.leeway_s, issuer.rules.max_lifetime_s), (60, None));
    assert_eq!(issuer.subscription, SubscriptionSource::Token);
    assert_eq!(issuer.mapping.account.0, ["sub"]);
    assert!(matches!(&issuer.keys, KeySource::Url(url) if url == "http://127.0.0.1:1/k"));
}

#[test]
fn json_in_a_string_is_as_good_as_a_table() {
    let text = |value: Value| Value::String(value.to_string());
    let vars = good()
        .with("ROUTES", text(json!([route(), {"match": "/**", "open": true}])))
        .with("PLANS", text(json!([plan()])))
        .with("ISSUERS", text(json!([issuer()])))
        .with("BRAND", text(brand()))
        .with("CREDENTIALS", json!("[\"bearer\"]"))
        .with("DEADLINES", json!("{\"ledger_ms\": 5}"))
        .with("PROVIDER_OUTAGE", json!("false"));
    let config = parsed(&vars);
    assert_eq!(config.plans, parsed(&good()).plans);
    assert_eq!(config.brand, parsed(&good()).brand);
    assert_eq!((config.deadlines.ledger_ms, config.provider_outage), (5, false));
}

#[test]
fn extremes_that_are_allowed() {
    for (name, path, value) in [
        ("PLANS", "quotas.limit", json!((1_u64 << 53) - 1)),
        ("PLANS", "quotas.utc_offset", json!("-14:00")),
        ("PLANS", "quotas.overage_max", json!((1_u64 << 53) - 1)),
        ("PLANS", "quotas.rollover_max", json!((1_u64 << 53) - 1)),
        ("PLANS", "quotas.trial_limit", json!(0)),
        ("METERS", "keep_days", json!(36_500)),
        ("METERS", "notify_at", json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 100])),
        ("PLANS", "grace_days", json!(365)),
        ("ROUTES", "cost", json!(1_000_000_000)),
        ("ISSUERS", "leeway_s", json!(0)),
        ("ISSUERS", "max_lifetime_s", json!(31_622_400)),
        ("BRAND", "name", json!("ü".repeat(60))),
        ("BRAND", "color", json!("#767676")),
    ] {
        let found = mistakes(&good().with(name, changed(name, path, value)));
        assert!(found.is_empty(), "{name} {path} {found:?}");
    }
    let over = changed("PLANS", "quotas.limit", json!((1_u64 << 53) + 1));
    assert_eq!(mistakes(&good().with("PLANS", over)).len(), 1);
}

#[test]
fn a_broken_configuration_still_says_what_to_go_by() {
    let fallback = |vars: &Vars| Config::parse(vars).unwrap_err().fallback;
    let broken = good().with("PLANS", json!("x"));
    assert_eq!(
        fallback(&broken),
        Fallback {
            prefix: "/gate/".into(),
            on_misconfigured: FailurePolicy::Pass,
            origin: Some(OriginTarget::Url("https://origin.example".into())),
        }
    );
    let worse = broken.with("PREFIX", json!("x")).with("ON_MISCONFIGURED", json!("x"));
    let worse = fallback(&worse.with("ORIGIN", json!("x")));
    assert_eq!((worse.prefix.as_str(), worse.origin), ("/_tollgate/", None));
    assert_eq!(worse.on_misconfigured, FailurePolicy::Deny, "closed is the default");
    let unmatched = fallback(&good().with("ROUTES", json!([route()])));
    assert!(unmatched.origin.is_some(), "also where only the parts don't fit");
}

#[test]
fn every_variable_is_listed_and_only_the_needed_ones_are_needed() {
    // A mistake in each variable is reported under its name, so the list is that of the variables
    // in use.
    let mut seen = BTreeSet::new();
    for variable in VARIABLES {
        let found = mistakes(&good().with(variable.name, json!([[]])));
        assert!(
            found.iter().any(|one| one.starts_with(variable.name)),
            "{} {found:?}",
            variable.name
        );
        assert_eq!(variable.required, matches!(variable.name, "ORIGIN" | "ROUTES"));
        let is_secret = variable.kind == VariableKind::Secret;
        let ends = ["_TOKEN", "_TOKENS", "_KEY", "_SECRET"];
        assert_eq!(is_secret, ends.iter().any(|end| variable.name.ends_with(end)));
        seen.insert(variable.name);
    }
    assert_eq!(seen.len(), VARIABLES.len(), "each once");
    assert!(
        warnings(&good().with("ISSUERS", json!([with(issuer(), "typ", Value::Null)]))).is_empty()
    );
}
