//! Warnings: what can be used, and is probably not meant.

use serde_json::{Value, json};

use crate::bindings::Vars;
use crate::fixture::{brand, good, issuer, plan, quota, route, warnings, with};

/// Without anything said of meters, for routes that have none.
fn meterless() -> Vars {
    good().with("METERS", json!([]))
}

fn routes(first: Value, second: Value) -> Value {
    json!([first, second, {"match": "/**", "open": true}])
}

#[test]
fn a_route_behind_one_that_matches_all_of_it() {
    let vars =
        meterless().with("ROUTES", routes(json!({"match": "/a/**"}), json!({"match": "GET /a/b"})));
    assert_eq!(
        warnings(&vars),
        ["ROUTES[1].match: found a route that is never reached; \
          expected it before route [0], which matches all of it"]
    );
    let apart = routes(json!({"match": "GET /a/b"}), json!({"match": "/a/**"}));
    assert!(warnings(&meterless().with("ROUTES", apart)).is_empty());
}

#[test]
fn overrides_kept_where_routes_tell_methods_apart() {
    let kept = json!({"match": "/app/**", "open": true, "forward_overrides": true});
    let found = |other: Value| {
        let all = json!([other, kept, {"match": "/**", "open": true}]);
        warnings(&meterless().with("ROUTES", all))
    };
    let sentence = "ROUTES[1].forward_overrides: found headers that replace the method of a \
                    request, beside routes that tell methods apart; expected routes without \
                    methods; as it stands a POST may arrive as a GET that another route is about";
    assert_eq!(found(json!({"match": "GET /articles/*"})), [sentence]);
    assert!(found(json!({"match": "/articles/*"})).is_empty());
    let removed = routes(json!({"match": "GET /a"}), json!({"match": "POST /a"}));
    assert!(warnings(&meterless().with("ROUTES", removed)).is_empty());
}

#[test]
fn cache_hits_for_nothing_where_no_answer_is_kept() {
    let found = |changes: Value| {
        let mut route = json!({"match": "/a", "meter": "api", "uncounted": ["cache-hit"]});
        route.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        warnings(&good().with("ROUTES", routes(route, json!({"match": "/b"}))))
    };
    assert_eq!(
        found(json!({})),
        ["ROUTES[0].uncounted: found \"cache-hit\" on a route whose answers the platform doesn't \
          keep; expected cache = true beside it; for example cache = true"]
    );
    assert!(found(json!({"cache": true})).is_empty());
    assert!(found(json!({"origin": "service:SITE"})).is_empty());
}

#[test]
fn an_entitlement_that_no_plan_includes() {
    let vars =
        good().with("ROUTES", routes(route(), json!({"match": "/v", "requires": ["vault"]})));
    assert_eq!(
        warnings(&vars),
        ["ROUTES[1].requires: found [\"vault\"], which no plan includes; \
          expected a plan with all of them; until then nobody can buy a way in"]
    );
    let split = json!([
        with(plan(), "entitlements", json!(["a"])),
        with(with(plan(), "entitlements", json!(["b"])), "id", json!("other")),
    ]);
    let both = routes(json!({"match": "/a", "requires": ["a", "b"]}), json!({"match": "/b"}));
    let found = warnings(&meterless().with("PLANS", split).with("ROUTES", both));
    assert_eq!(found.len(), 1, "no single plan has both: {found:?}");
}

#[test]
fn entitlements_that_no_token_can_carry() {
    let gated = routes(json!({"match": "/v", "requires": ["premium"]}), json!({"match": "/w"}));
    let silent = with(issuer(), "claims", json!({"account": "sub"}));
    let silent = with(silent, "subscription", json!("token"));
    let vars = meterless().with("ROUTES", gated).with("ISSUERS", json!([silent.clone()]));
    assert_eq!(
        warnings(&vars),
        ["ROUTES[0].requires: found entitlements that no token can carry, so that every token is \
          refused; expected in ISSUERS the claim that names plan or entitlements, or \
          subscription = \"account\"; for example claims = { plan = \"plan\" }"]
    );
    let by_record = with(silent.clone(), "subscription", json!("account"));
    let telling = with(silent, "claims", json!({"entitlements": "scope"}));
    for issuer in [by_record, telling] {
        assert!(warnings(&vars.clone().with("ISSUERS", json!([issuer]))).is_empty());
    }
}

#[test]
fn a_meter_on_which_no_plan_has_a_quota() {
    let vars = good().with("ROUTES", routes(route(), json!({"match": "/m", "meter": "miles"})));
    assert_eq!(
        warnings(&vars),
        ["ROUTES[1].meter: found \"miles\", on which no plan has a quota; \
          expected a quota in a plan; without one the meter limits nobody; \
          for example quotas = [{ meter = \"api\", limit = 1000, per = \"month\" }]"]
    );
}

#[test]
fn a_plan_on_sale_that_nobody_can_reach() {
    let nowhere = json!([with(plan(), "buy_url", Value::Null)]);
    let vars = good().with("PLANS", nowhere.clone());
    assert!(warnings(&vars).is_empty(), "there is a page of plans");
    let vars = vars.with("BRAND", with(brand(), "plans_url", Value::Null));
    assert_eq!(
        warnings(&vars),
        ["PLANS[0].buy_url: found a plan on sale that nobody can reach; \
          expected a buy_url here, or a plans_url in BRAND; \
          for example buy_url = \"https://example.com/buy/pro\""]
    );
    let hidden = json!([with(with(plan(), "buy_url", Value::Null), "on_sale", json!(false))]);
    assert!(warnings(&vars.with("PLANS", hidden)).is_empty());
}

#[test]
fn a_category_of_crawlers_that_is_not_known() {
    let crawlers = |list: Value| {
        let given = json!({"match": "/a", "crawlers": list});
        warnings(&meterless().with("ROUTES", routes(given, json!({"match": "/b"}))))
    };
    assert!(crawlers(json!(["Search Engine Crawler", "Page Preview"])).is_empty());
    assert_eq!(
        crawlers(json!("Search Engine Crawlers")),
        ["ROUTES[0].crawlers: found \"Search Engine Crawlers\", which Cloudflare doesn't list; \
          expected a category of verified bots; did you mean \"Search Engine Crawler\"?"]
    );
    let found = crawlers(json!(["Googlebot"]));
    assert!(found[0].contains("expected one of the categories Academic Research, "), "{found:?}");
}

#[test]
fn issuers_that_share_account_names() {
    let nameless =
        |iss: &str| with(with(issuer(), "iss", json!(iss)), "claims", json!({"account": "sub"}));
    let vars = |issuers: Value| good().with("ISSUERS", issuers);
    assert_eq!(
        warnings(&vars(json!([nameless("a"), issuer(), nameless("b")]))),
        ["ISSUERS[2].claims.tenant: found a second issuer whose tokens name no tenant, so that \
          both share account names; expected the claim that names the tenant, unless both know \
          the same accounts; for example claims = { tenant = \"org\" }"]
    );
    assert!(warnings(&vars(json!([nameless("a")]))).is_empty());
    assert!(warnings(&vars(json!([nameless("a"), issuer()]))).is_empty());
}

#[test]
fn an_entry_about_a_meter_that_no_route_counts_on() {
    let meters = json!([{"id": "api"}, {"id": "apis"}]);
    assert_eq!(
        warnings(&good().with("METERS", meters)),
        ["METERS[1].id: found \"apis\", which no route counts on; \
          expected the id of a meter on a route; for example meter = \"api\""]
    );
    let both = json!({"match": "/chat", "costs": {"api": 1, "tokens": 9}});
    let meters = json!([{"id": "api"}, {"id": "tokens"}]);
    let tokens = with(quota(), "meter", json!("tokens"));
    let vars = good()
        .with("ROUTES", routes(route(), both))
        .with("METERS", meters)
        .with("PLANS", json!([with(plan(), "quotas", json!([quota(), tokens]))]));
    assert!(warnings(&vars).is_empty());
}

#[test]
fn each_meter_of_several_on_which_no_plan_has_a_quota() {
    let costs = json!({"match": "/chat", "costs": {"api": 1, "tokens": 9, "miles": 2}});
    let found = warnings(&good().with("ROUTES", routes(route(), costs)));
    let said: Vec<_> = found.iter().filter_map(|one| one.split(',').next()).collect();
    assert_eq!(said, ["ROUTES[1].meter: found \"miles\"", "ROUTES[1].meter: found \"tokens\""]);
}

#[test]
fn operators_that_can_make_no_api_keys() {
    let vars = good().with("GATE_SECRET", json!("")).with("BILLING", json!([]));
    assert_eq!(
        warnings(&vars),
        ["GATE_SECRET: found nothing, so that operators can't make API keys and every one is \
          refused; expected a secret of at least 32 bytes; for example npx wrangler secret put \
          GATE_SECRET"]
    );
    let closed = vars.with("ADMIN_TOKEN", json!("")).with("ADMIN_TOKENS", json!(""));
    assert!(warnings(&closed).is_empty(), "nobody could make one");
}

#[test]
fn payments_that_would_wait_for_an_operator() {
    let closed = good().with("ADMIN_TOKEN", json!("")).with("ADMIN_TOKENS", json!(""));
    let unsigned = closed.with("GATE_SECRET", json!(""));
    let said = "a secret that signs references to accounts; without one every payment waits";
    for provider in ["paddle", "lemonsqueezy", "standard"] {
        let one = json!([{"provider": provider, "store": "7"}]);
        let [warning] = &warnings(&unsigned.clone().with("BILLING", one))[..] else {
            panic!("{provider}")
        };
        assert!(warning.contains(said) && warning.contains(provider), "{warning}");
    }
    let stripe = unsigned.with("BILLING", json!([{"provider": "stripe"}]));
    assert!(warnings(&stripe).is_empty(), "its metadata is the seller's alone");
    let asks = with(plan(), "buy_url", json!("https://shop.example/?ref={reference}"));
    let [warning] = &warnings(&stripe.with("PLANS", json!([asks])))[..] else { panic!() };
    assert!(warning.contains("beside a link with {reference}"), "{warning}");
}

#[test]
fn payment_links_that_carry_no_reference() {
    let of = |url: &str| good().with("PLANS", json!([with(plan(), "buy_url", json!(url))]));
    let [warning] = &warnings(&of("https://buy.stripe.com/abc"))[..] else { panic!() };
    assert!(warning.starts_with("PLANS[0].buy_url: found a payment link without"), "{warning}");
    let signed = "https://buy.stripe.com/abc?client_reference_id={reference}";
    for right in [signed, "https://shop.example/pro"] {
        assert!(warnings(&of(right)).is_empty(), "{right}");
    }
}

#[test]
fn modes_stores_and_disputes_that_are_probably_not_meant() {
    for (entry, variable, secret, said) in [
        (json!({"provider": "stripe", "test": true}), "BILLING[0].test", "", "test card is let in"),
        (json!({"provider": "stripe"}), "STRIPE_API_KEY", "rk_test_1234", "a key of the test mode"),
        (json!({"provider": "lemonsqueezy"}), "BILLING[0].store", "", "events of every store"),
        (
            json!({"provider": "stripe", "on_dispute": "suspend"}),
            "BILLING[0].on_dispute",
            "none",
            "suspends nobody",
        ),
    ] {
        let mut vars = good().with("BILLING", json!([entry]));
        if !secret.is_empty() {
            let key = if secret == "none" { "" } else { secret };
            vars = vars.with("STRIPE_API_KEY", json!(key));
        }
        let [warning] = &warnings(&vars)[..] else { panic!("{variable}") };
        assert!(warning.starts_with(variable) && warning.contains(said), "{warning}");
    }
}
