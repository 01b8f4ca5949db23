//! Each way to get a variable wrong, and the whole of what is said about it.

use serde_json::{Value, json};

use crate::fixture::{changed, good, mistakes, route, warnings};

const ORIGIN: &str = "expected scheme, host and port of the origin, or service:BINDING; for example \"https://origin.example.com\"";

/// Asserts that `value` in the place of a whole variable is refused with exactly this sentence.
#[track_caller]
fn whole(name: &str, value: Value, sentence: &str) {
    assert_eq!(mistakes(&good().with(name, value)), [sentence]);
}

/// The same, for one field.
#[track_caller]
fn field(name: &str, path: &str, value: Value, sentence: &str) {
    assert_eq!(mistakes(&good().with(name, changed(name, path, value))), [sentence]);
}

#[test]
fn nothing_at_all_is_said_once_for_each_needed_variable() {
    let found = mistakes(&crate::bindings::Vars::default());
    assert_eq!(
        found,
        [
            format!("ORIGIN: found nothing; {ORIGIN}"),
            "ROUTES: found nothing; expected at least one route; for example [[vars.ROUTES]] match = \"/articles/**\"  requires = [\"premium\"]".to_owned(),
        ]
    );
}

#[test]
#[rustfmt::skip]
fn origins() {
    for bad in ["origin.example", "https://", "https://origin.example/path", "ftp://origin.example", "", "service:", "https://a b"] {
        whole("ORIGIN", json!(bad), &format!("ORIGIN: found {bad:?}; {ORIGIN}"));
    }
    whole("ORIGIN", json!(["https://a.example"]), "ORIGIN: found [\"https://a.example\"]; expected a string; for example \"https://origin.example.com\"");
    whole("ORIGIN", json!("service:NOWHERE"), "ORIGIN: found no service binding \"NOWHERE\"; expected [[services]] binding = \"NOWHERE\" in wrangler.toml; for example \"https://origin.example.com\"");
}

#[test]
#[rustfmt::skip]
fn words_and_flags() {
    whole("ON_MISCONFIGURED", json!("maybe"), "ON_MISCONFIGURED: found \"maybe\"; expected one of \"deny\", \"pass\"; for example \"deny\"");
    whole("ON_MISCONFIGURED", json!(true), "ON_MISCONFIGURED: found true; expected a string; for example \"deny\"");
    for bad in [json!("EU"), json!("de"), json!("fedramp"), json!("")] {
        whole("JURISDICTION", bad.clone(), &format!("JURISDICTION: found {bad}; expected one of \"eu\", \"us\", \"none\"; for example \"eu\""));
    }
    whole("JURISDICTION", json!(["eu", "us"]), "JURISDICTION: found [\"eu\",\"us\"]; expected a string; for example \"eu\"");
    whole("LOG", json!("all"), "LOG: found \"all\"; expected one of \"denials\", \"faults\", \"off\"; for example \"denials\"");
    whole("PROVIDER_OUTAGE", json!("yes"), "PROVIDER_OUTAGE: found \"yes\"; expected true or false; for example false");
    whole("PROVIDER_OUTAGE", json!(1), "PROVIDER_OUTAGE: found 1; expected true or false; for example false");
    for bad in ["gate", "/", "", "/a b", "/a?b", "/a/../b", "/./a", "/a//b", "/ü"] {
        whole("PREFIX", json!(bad), &format!("PREFIX: found {bad:?}; expected a path that starts with a slash, of letters, digits and -._~; for example \"/_tollgate\""));
    }
}

#[test]
#[rustfmt::skip]
fn secrets() {
    whole("ADMIN_TOKEN", json!("short"), "ADMIN_TOKEN: found a value of 5 bytes; expected at least 16 bytes that nobody can guess; several values are apart by spaces; for example openssl rand -base64 32");
    whole("ADMIN_TOKEN", json!(1_234_567_890), "ADMIN_TOKEN: found something that isn't a string; expected at least 16 bytes that nobody can guess; several values are apart by spaces; for example openssl rand -base64 32");
    let long = "x".repeat(513);
    whole("ADMIN_TOKEN", json!(long), "ADMIN_TOKEN: found a token that is too long; expected a token of 16 to 512 bytes; for example openssl rand -base64 24");
    let operators = |token: &str| json!(json!([{"name": "anna", "role": "read", "token": token}]).to_string());
    for (token, found) in [(long.as_str(), "long"), ("short", "short")] {
        let sentence = format!("ADMIN_TOKENS[0]: found a token that is too {found}; expected a JSON array of objects with name, role (read, support or admin) and a token of 16 to 512 bytes; several tokens of one operator are apart by spaces; for example [{{\"name\":\"anna\",\"role\":\"support\",\"token\":\"…\"}}]");
        whole("ADMIN_TOKENS", operators(token), &sentence);
    }
    let key = "expected a private JWK: OKP Ed25519, EC P-256, or oct of at least 32 bytes; several, each with a kid of its own, in a JWK Set or apart by spaces; for example npm run keygen";
    for (bad, found) in [
        ("nonsense", "something that isn't JSON"),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#, "d: found a public key, expected a private one"),
        (r#"{"kty":"oct","k":"AA"}"#, "k: found a secret of 1 bytes, expected at least 32"),
        (r#"{"kty":"RSA","d":"AA"}"#, "kty: found \"RSA\", expected \"OKP\", \"EC\" or \"oct\""),
    ] {
        whole("ASSERTION_KEY", json!(bad), &format!("ASSERTION_KEY: found {found}; {key}"));
    }
}

#[test]
#[rustfmt::skip]
fn credentials() {
    let expected = "expected an array of \"bearer\", \"cookie:NAME\", \"header:NAME\" or \"query:NAME\"; for example [\"bearer\", \"cookie:tollgate\"]";
    whole("CREDENTIALS", json!([]), &format!("CREDENTIALS: found an empty array; {expected}"));
    whole("CREDENTIALS", json!({"bearer": true}), &format!("CREDENTIALS: found a table of {{bearer}}; {expected}"));
    for bad in ["Bearer", "cookie", "cookie:", "cookie:a b", "header:a:b", "body:x"] {
        whole("CREDENTIALS", json!(["bearer", bad]), &format!("CREDENTIALS[1]: found {bad:?}; {expected}"));
    }
}

#[test]
#[rustfmt::skip]
fn whole_variables_of_the_wrong_type() {
    let route = "for example [[vars.ROUTES]] match = \"/articles/**\"  requires = [\"premium\"]";
    whole("ROUTES", json!(3), &format!("ROUTES: found 3; expected an array of tables; {route}"));
    whole("ROUTES", json!([7, {"match": "/**", "open": true}]), &format!("ROUTES[0]: found 7; expected a table; {route}"));
    whole("ROUTES", json!("nonsense"), &format!("ROUTES: found a string that isn't JSON (expected ident at line 1 column 2); expected a table in wrangler.toml, or JSON; {route}"));
    whole("ROUTES", json!([]), "ROUTES: found routes that leave some requests unmatched; expected a last route that matches everything and says what happens to the rest; for example [[vars.ROUTES]] match = \"/**\"  open = true");
    whole("BRAND", json!(["Example"]), "BRAND: found [\"Example\"]; expected a table; for example { name = \"Example\", color = \"#1f4fd8\" }");
    whole("DEADLINES", json!(5), "DEADLINES: found 5; expected a table; for example { ledger_ms = 1000 }");
    whole("PLANS", json!({"id": "pro"}), "PLANS: found a table of {id}; expected an array of tables; for example [[vars.PLANS]] id = \"pro\"  name = \"Pro\"  entitlements = [\"premium\"]");
    whole("PLANS", json!(r#"[{"id":"a","id":"b"}]"#), "PLANS: found a string that isn't JSON (member \"id\" stands twice in one object at line 1 column 15); expected a table in wrangler.toml, or JSON; for example [[vars.PLANS]] id = \"pro\"  name = \"Pro\"  entitlements = [\"premium\"]");
}

#[test]
#[rustfmt::skip]
fn fields_of_routes() {
    let needed = "ROUTES[0].match: found nothing; expected method, host and path pattern; for example \"GET /articles/**\"";
    field("ROUTES", "match", Value::Null, needed);
    whole("ROUTES", json!(r#"[{"match":null,"requires":["premium"]},{"match":"/**","open":true}]"#), needed);
    field("ROUTES", "match", json!(" "), "ROUTES[0].match: found \" \"; expected a string that isn't empty; for example \"GET /articles/**\"");
    field("ROUTES", "requires", json!(["two words"]), "ROUTES[0].requires: found \"two words\"; expected words without spaces or control characters; for example [\"premium\"]");
    field("ROUTES", "requires", json!(3), "ROUTES[0].requires: found 3; expected an array of words; for example [\"premium\"]");
    field("ROUTES", "meter", json!(["api", "b"]), "ROUTES[0].meter: found [\"api\", \"b\"]; expected one meter, or costs for several; for example costs = { api = 1 }");
    field("ROUTES", "meter", json!([]), "ROUTES[0].meter: found no usable word; expected one meter; for example \"api\"");
    field("ROUTES", "meter", Value::Null, "ROUTES[0].meter: found nothing, beside cost = 2; expected the meter that the cost is counted on; for example meter = \"api\"");
    for bad in [json!(0), json!(-1), json!(1.5), json!(1_000_000_001_u64), json!("2")] {
        field("ROUTES", "cost", bad.clone(), &format!("ROUTES[0].cost: found {bad}; expected a whole number from 1 to 1000000000; for example 1"));
    }
    field("ROUTES", "anonymous", json!("allow"), "ROUTES[0].anonymous: found \"allow\"; expected one of \"deny\", \"offer\"; for example \"offer\"");
    field("ROUTES", "on_outage", json!(false), "ROUTES[0].on_outage: found false; expected one of \"deny\", \"pass\"; for example \"pass\"");
    field("ROUTES", "burst", json!("NOWHERE"), "ROUTES[0].burst: found no rate-limit binding \"NOWHERE\"; expected [[ratelimits]] name = \"NOWHERE\" in wrangler.toml; for example simple = { limit = 100, period = 10 }");
    field("ROUTES", "origin", json!("https://a/b"), &format!("ROUTES[0].origin: found \"https://a/b\"; {ORIGIN}"));
    field("ROUTES", "origin", json!("service:NOWHERE"), "ROUTES[0].origin: found no service binding \"NOWHERE\"; expected [[services]] binding = \"NOWHERE\" in wrangler.toml; for example \"https://origin.example.com\"");
    field("ROUTES", "refund", json!("no"), "ROUTES[0].refund: found \"no\"; expected true or false; for example true");
    field("ROUTES", "forward_overrides", json!(0), "ROUTES[0].forward_overrides: found 0; expected true or false; for example true");
    field("ROUTES", "cache", json!("no"), "ROUTES[0].cache: found \"no\"; expected true or false; for example true");
    field("ROUTES", "forward_credential", json!(0), "ROUTES[0].forward_credential: found 0; expected true or false; for example true");
    field("ROUTES", "require", json!(["premium"]), "ROUTES[0]: found the unknown field \"require\"; expected no such field; did you mean \"requires\"?");
    field("ROUTES", "banana", json!(1), "ROUTES[0]: found the unknown field \"banana\"; expected one of the fields match, open, requires, meter, cost, costs, settle, uncounted, anonymous, free, free_burst, crawlers, on_outage, burst, origin, forward_credential, refund, forward_overrides, cache");
    let asks = "ROUTES[0].open: found open = true beside requires, meter, burst, anonymous, free or crawlers; expected either an open route or one that asks for something; for example [[vars.ROUTES]] match = \"/articles/**\"  requires = [\"premium\"]";
    field("ROUTES", "open", json!(true), asks);
    for asked in [json!({"requires": ["premium"]}), json!({"meter": "api"}), json!({"burst": "BURST"}), json!({"anonymous": "deny"}), json!({"free": "5 per day"}), json!({"crawlers": ["Security"]})] {
        let mut open = json!({"match": "/a", "open": true});
        open.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        whole("ROUTES", json!([open, {"match": "/**", "open": true}]), asks);
    }
}

#[test]
#[rustfmt::skip]
fn what_routes_give_away() {
    let expected = "expected \"N per minute\", hour, day or month, with N from 1 to 100; for example free = \"5 per month\"";
    for bad in ["5", "0 per day", "101 per month", "5 per cycle", "5/month"] {
        field("ROUTES", "free", json!(bad), &format!("ROUTES[0].free: found {bad:?}; {expected}"));
    }
    field("ROUTES", "free", json!(5), "ROUTES[0].free: found 5; expected a string that isn't empty; for example free = \"5 per month\"");
    field("ROUTES", "free", Value::Null, "ROUTES[0].free: found nothing, beside free_burst; expected the allowance that it guards; for example free = \"5 per month\"");
    field("ROUTES", "free_burst", json!("NOWHERE"), "ROUTES[0].free_burst: found no rate-limit binding \"NOWHERE\"; expected [[ratelimits]] name = \"NOWHERE\" in wrangler.toml; for example simple = { limit = 100, period = 10 }");
    field("ROUTES", "crawlers", json!([" "]), "ROUTES[0].crawlers: found \" \"; expected an array of categories; for example [\"Search Engine Crawler\"]");
    field("ROUTES", "crawlers", json!(true), "ROUTES[0].crawlers: found true; expected an array of categories; for example [\"Search Engine Crawler\"]");
    whole("ALLOWANCE_KEY", json!("0123456789abcdef0123456789abcde"), "ALLOWANCE_KEY: found a value of 31 bytes; expected at least 32 bytes that nobody can guess; several values are apart by spaces; for example openssl rand -base64 32");
    whole("ALLOWANCE_KEY", json!(""), "ALLOWANCE_KEY: found nothing, but a free allowance on route [0]; expected a secret of at least 32 bytes that signs its cookie; for example openssl rand -base64 32");
    let mut routes: Vec<_> = (1..=7).map(|n| json!({"match": format!("/{n}"), "free": format!("{n} per day")})).collect();
    routes.push(json!({"match": "/8", "free": "1 per day"}));
    routes.push(json!({"match": "/**", "open": true}));
    whole("ROUTES", json!(routes), "ROUTES: found 7 different free allowances; expected at most 6; routes with the same one share its count; for example free = \"5 per month\"");
}

#[test]
#[rustfmt::skip]
fn what_a_route_costs() {
    let table = "expected a table of whole numbers from 1 to 1000000000; for example { api = 1, tokens = 4000 }";
    let several = |costs: Value| json!([{"match": "/a", "costs": costs}, {"match": "/**", "open": true}]);
    for (bad, found) in [
        (json!({"api": 0}), "a table of {api}"),
        (json!({"api": 1, "tokens": 1.5}), "a table of {api, tokens}"),
        (json!({"two words": 1}), "a table of {two words}"),
        (json!({}), "a table of {}"),
        (json!([1]), "[1]"),
    ] {
        whole("ROUTES", several(bad), &format!("ROUTES[0].costs: found {found}; {table}"));
    }
    let alone = "ROUTES[0].costs: found costs beside meter or cost; expected costs alone, which names its meters; for example costs = { api = 1 }";
    field("ROUTES", "costs", json!({"api": 1}), alone);
    let beside = json!([{"match": "/a", "costs": {"api": 1}, "cost": 2}, {"match": "/**", "open": true}]);
    whole("ROUTES", beside, alone);
    field("ROUTES", "settle", json!("yes"), "ROUTES[0].settle: found \"yes\"; expected true or false; for example true");
    let kinds = "expected any of \"HEAD\", \"304\" and \"cache-hit\"; for example [\"HEAD\"]";
    for bad in ["GET", "head", "200", "HIT"] {
        field("ROUTES", "uncounted", json!(["HEAD", bad]), &format!("ROUTES[0].uncounted: found {bad:?}; {kinds}"));
    }
    field("ROUTES", "uncounted", json!([304]), "ROUTES[0].uncounted: found 304; expected words without spaces or control characters; for example [\"HEAD\", \"304\"]");
    for beside in [json!({"settle": true}), json!({"uncounted": "HEAD"})] {
        let mut route = json!({"match": "/a"});
        route.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        whole("ROUTES", json!([route, {"match": "/**", "open": true}]), "ROUTES[0].meter: found nothing, beside settle or uncounted; expected a meter beside it; for example meter = \"api\"");
    }
}

#[test]
#[rustfmt::skip]
fn fields_of_meters() {
    let example = "for example [[vars.METERS]] id = \"api\"  name = \"API calls\"  notify_at = [80, 95]";
    whole("METERS", json!({"id": "api"}), &format!("METERS: found a table of {{id}}; expected an array of tables; {example}"));
    whole("METERS", json!(["api"]), &format!("METERS[0]: found \"api\"; expected a table; {example}"));
    field("METERS", "id", Value::Null, "METERS[0].id: found nothing; expected the meter's id in routes; for example \"api\"");
    field("METERS", "name", json!(3), "METERS[0].name: found 3; expected a string that isn't empty; for example \"API calls\"");
    field("METERS", "lost", json!("charged"), "METERS[0].lost: found \"charged\"; expected one of \"strict\", \"lenient\"; for example \"lenient\"");
    for bad in [json!(0), json!(36_501), json!("400")] {
        field("METERS", "keep_days", bad.clone(), &format!("METERS[0].keep_days: found {bad}; expected a whole number from 1 to 36500; for example 400"));
    }
    for bad in [json!(80), json!([0]), json!([101]), json!([95, 80]), json!([80, 80]), json!(["80"]), json!([80.5]), json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])] {
        let found = mistakes(&good().with("METERS", changed("METERS", "notify_at", bad.clone())));
        let [one] = &found[..] else { panic!("{bad}: {found:?}") };
        assert!(one.starts_with("METERS[0].notify_at: found "), "{one}");
        assert!(one.ends_with("; expected at most ten whole numbers from 1 to 100 that rise; for example [80, 95, 100]"), "{one}");
    }
    field("METERS", "notify-at", json!([80]), "METERS[0]: found the unknown field \"notify-at\"; expected no such field; did you mean \"notify_at\"?");
    let twice = json!([{"id": "api"}, {"id": "api"}]);
    whole("METERS", twice, "METERS[1].id: found \"api\" a second time; expected one entry for each meter; for example \"api\"");
}

#[test]
#[rustfmt::skip]
fn where_thresholds_are_announced() {
    let url = "expected an https:// URL (http:// only on localhost); for example \"https://billing.example.com/tollgate\"";
    for bad in ["http://billing.example/x", "billing.example", ""] {
        whole("NOTIFY_URL", json!(bad), &format!("NOTIFY_URL: found {bad:?}; {url}"));
    }
    whole("NOTIFY_SECRET", json!("short"), "NOTIFY_SECRET: found a value of 5 bytes; expected at least 32 bytes that nobody can guess; several values are apart by spaces; for example openssl rand -base64 32");
    let key = "expected `whsec_` and base64 of 24 to 64 random bytes; several apart by spaces; for example npm run keygen";
    for bad in ["whsec_0123456789abcdef0123456789abcde", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", "no-base64-at-all-but-long-enough!", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= whsec_this-is-long-and-has-no-meaning"] {
        whole("NOTIFY_SECRET", json!(bad), &format!("NOTIFY_SECRET: found a value that is no such key; {key}"));
    }
    let unsigned = "NOTIFY_SECRET: found nothing, beside NOTIFY_URL; expected the secret that messages to NOTIFY_URL are signed with; for example npm run keygen";
    whole("NOTIFY_SECRET", json!(""), unsigned);
    let vars = crate::bindings::Vars::default()
        .with("ORIGIN", json!("https://origin.example"))
        .with("ROUTES", json!([{"match": "/**", "open": true}]))
        .with("NOTIFY_URL", json!("https://billing.example"));
    assert_eq!(mistakes(&vars), [unsigned]);
}

#[test]
fn patterns_are_explained_by_their_own_parser() {
    for bad in ["articles", "GET articles", "get /a", "/a/**/b", "/a?b", "/a/../b"] {
        let found = mistakes(&good().with("ROUTES", changed("ROUTES", "match", json!(bad))));
        let [one] = &found[..] else { panic!("{bad}: {found:?}") };
        assert!(one.starts_with(&format!("ROUTES[0].match: found {bad:?}; expected ")), "{one}");
    }
}

#[test]
#[rustfmt::skip]
fn fields_of_plans() {
    field("PLANS", "id", Value::Null, "PLANS[0].id: found nothing; expected the plan's id in tokens; for example \"pro\"");
    field("PLANS", "id", json!(5), "PLANS[0].id: found 5; expected a string that isn't empty; for example \"pro\"");
    field("PLANS", "name", json!(""), "PLANS[0].name: found \"\"; expected a string that isn't empty; for example \"Pro\"");
    field("PLANS", "price", json!(20), "PLANS[0].price: found 20; expected a string that isn't empty; for example \"€20 a month\"");
    field("PLANS", "buy_url", json!("javascript:alert(1)"), "PLANS[0].buy_url: found \"javascript:alert(1)\"; expected an https:// URL (http:// only on localhost); for example \"https://example.com/buy/pro\"");
    field("PLANS", "grace_days", json!(366), "PLANS[0].grace_days: found 366; expected a whole number from 0 to 365; for example 3");
    field("PLANS", "on_sale", json!("true"), "PLANS[0].on_sale: found \"true\"; expected true or false; for example true");
    field("PLANS", "quota", json!([]), "PLANS[0]: found the unknown field \"quota\"; expected no such field; did you mean \"quotas\"?");
    field("PLANS", "quotas", json!("many"), "PLANS[0].quotas: found \"many\"; expected an array of tables; for example [{ meter = \"api\", limit = 1000, per = \"month\" }]");
    field("PLANS", "quotas.meter", Value::Null, "PLANS[0].quotas[0].meter: found nothing; expected the meter that is limited; for example \"api\"");
    field("PLANS", "quotas.limit", Value::Null, "PLANS[0].quotas[0]: found a quota without limit or per; expected a limit and a period; for example limit = 1000, per = \"month\"");
    field("PLANS", "quotas.utc_offset", json!("+14:01"), "PLANS[0].quotas[0].utc_offset: found \"+14:01\"; expected an offset from UTC of at most 14 hours; for example \"+02:00\"");
    field("PLANS", "quotas.enforcement", json!("firm"), "PLANS[0].quotas[0].enforcement: found \"firm\"; expected one of \"hard\", \"soft\"; for example \"soft\"");
    field("PLANS", "quotas.enforcement", json!("hard"), "PLANS[0].quotas[0].overage_max: found an overage of a hard quota; expected enforcement = \"soft\" beside it; for example enforcement = \"soft\"");
    field("PLANS", "quotas.enforcement", Value::Null, "PLANS[0].quotas[0].overage_max: found an overage of a hard quota; expected enforcement = \"soft\" beside it; for example enforcement = \"soft\"");
    field("PLANS", "quotas.each", json!("user"), "PLANS[0].quotas[0].each: found \"user\"; expected one of \"account\", \"member\"; for example \"member\"");
    for (name, example) in [("overage_max", 500), ("rollover_max", 500), ("trial_limit", 100)] {
        field("PLANS", &format!("quotas.{name}"), json!(-1), &format!("PLANS[0].quotas[0].{name}: found -1; expected a whole number from 0 to 9007199254740991; for example {example}"));
    }
    field("PLANS", "quotas.limits", json!(1), "PLANS[0].quotas[0]: found the unknown field \"limits\"; expected no such field; did you mean \"limit\"?");
    field("PLANS", "quotas.limit", json!(1_u64 << 53), "PLANS[0].quotas[0].limit: found 9007199254740992; expected a whole number from 0 to 9007199254740991; for example 1000");
    field("PLANS", "quotas.per", json!("year"), "PLANS[0].quotas[0].per: found \"year\"; expected one of \"minute\", \"hour\", \"day\", \"month\", \"cycle\"; for example \"month\"");
    let twice = json!([with_id("a"), with_id("b"), with_id("a")]);
    whole("PLANS", twice, "PLANS[2].id: found \"a\" a second time; expected an id of its own for each plan; for example \"pro\"");
    let quotas = json!([crate::fixture::quota(), crate::fixture::quota()]);
    field("PLANS", "quotas", quotas, "PLANS[0].quotas: found \"api/day/member\" twice; expected one quota per meter, period and scope; for example [{ meter = \"api\", limit = 1000, per = \"month\" }]");
}

fn with_id(id: &str) -> Value {
    crate::fixture::with(crate::fixture::plan(), "id", json!(id))
}

#[test]
#[rustfmt::skip]
fn fields_of_issuers() {
    field("ISSUERS", "iss", Value::Null, "ISSUERS[0].iss: found nothing; expected the tokens' iss; for example \"https://login.example.com\"");
    field("ISSUERS", "audience", Value::Null, "ISSUERS[0].audience: found nothing; expected who the tokens are for; for example [\"https://api.example.com\"]");
    field("ISSUERS", "leeway_s", json!(301), "ISSUERS[0].leeway_s: found 301; expected a whole number from 0 to 300; for example 60");
    field("ISSUERS", "max_lifetime_s", json!(0), "ISSUERS[0].max_lifetime_s: found 0; expected a whole number from 1 to 31622400; for example 3600");
    field("ISSUERS", "subscription", json!("ledger"), "ISSUERS[0].subscription: found \"ledger\"; expected one of \"account\", \"both\", \"token\"; for example \"token\"");
    field("ISSUERS", "claims.account", json!(7), "ISSUERS[0].claims.account: found 7; expected the name of a claim such as \"sub\", or the way to a nested one such as [\"app\", \"account\"] (at most 8 names); for example \"plan\" or [\"org\", \"id\"]");
    field("ISSUERS", "claims.tenants", json!("t"), "ISSUERS[0].claims: found the unknown field \"tenants\"; expected no such field; did you mean \"tenant\"?");
    let keys = "expected one of keys (a JWKS), keys_secret (a secret's name) or jwks_url; for example jwks_url = \"https://login.example.com/.well-known/jwks.json\"";
    field("ISSUERS", "keys", Value::Null, &format!("ISSUERS[0].keys: found an issuer without keys; {keys}"));
    field("ISSUERS", "jwks_url", json!("https://id.example/jwks"), &format!("ISSUERS[0].keys: found more than one of keys, keys_secret, jwks_url; {keys}"));
    field("ISSUERS", "keys", json!("nonsense"), "ISSUERS[0].keys: found something else; expected a JWK Set such as {\"keys\":[…]}");
    field("ISSUERS", "keys", json!({"kty": "EC", "crv": "P-384"}), "ISSUERS[0].keys.crv: found \"P-384\"; expected \"P-256\"");
    field("ISSUERS", "keys", json!({"keys": []}), "ISSUERS[0].keys.keys: found 0; expected 1 to 64");
    field("ISSUERS", "keys", json!({"keys": [{"kty": "oct", "k": "AA"}]}), "ISSUERS[0].keys.keys[0].kty: found \"oct\", a shared secret, which may stand in a secret binding only; expected a public key");
    field("ISSUERS", "keys", crate::fixture::with(crate::fixture::key(), "d", json!("AA")), "ISSUERS[0].keys.d: found a private key in a public place, so that it has to be considered compromised; expected the public half of a new pair");
    let fetched = crate::fixture::with(crate::fixture::with(crate::fixture::issuer(), "keys", Value::Null), "jwks_url", json!("http://id.example/jwks"));
    whole("ISSUERS", json!([fetched]), "ISSUERS[0].jwks_url: found \"http://id.example/jwks\"; expected an https:// URL (http:// only on localhost); for example \"https://login.example.com/.well-known/jwks.json\"");
    let same = json!([crate::fixture::issuer(), crate::fixture::issuer()]);
    whole("ISSUERS", same, "ISSUERS[1].iss: found \"https://id.example\" a second time; expected one entry per issuer; put both keys into its JWKS");
    let nameless = crate::fixture::with(crate::fixture::issuer(), "keys", Value::Null);
    let elsewhere = crate::fixture::with(nameless, "keys_secret", json!("TOKEN_KEYS"));
    whole("ISSUERS", json!([elsewhere]), "ISSUERS[0].keys_secret: found \"TOKEN_KEYS\", which is not there; expected the name of a secret that holds a JWKS, set by wrangler secret put; for example \"TOKEN_KEYS\"");
}

#[test]
#[rustfmt::skip]
fn fields_of_the_brand_and_the_deadlines() {
    let colour = "expected a colour as #rrggbb; for example \"#1f4fd8\"";
    for bad in ["blue", "#fff", "#1f4fd80", "#+12345", "#1f4fdg"] {
        field("BRAND", "color", json!(bad), &format!("BRAND.color: found {bad:?}; {colour}"));
    }
    field("BRAND", "color", json!("#ffff00"), "BRAND.color: found \"#ffff00\", on which white text has too little contrast; expected a darker colour, with a contrast to white of at least 4.5:1; for example \"#1f4fd8\"");
    field("BRAND", "color", json!("#777777"), "BRAND.color: found \"#777777\", on which white text has too little contrast; expected a darker colour, with a contrast to white of at least 4.5:1; for example \"#1f4fd8\"");
    field("BRAND", "name", json!("x".repeat(61)), "BRAND.name: found a longer name; expected at most 60 characters; for example \"Example\"");
    field("BRAND", "logo_url", json!("http://example.com/logo.svg"), "BRAND.logo_url: found \"http://example.com/logo.svg\"; expected an https:// URL (http:// only on localhost); for example \"https://example.com/logo.svg\"");
    field("BRAND", "support_url", json!("mailto:nobody"), "BRAND.support_url: found \"mailto:nobody\"; expected an https:// URL or a mailto: address; for example \"mailto:help@example.com\"");
    field("BRAND", "colour", json!("#000000"), "BRAND: found the unknown field \"colour\"; expected no such field; did you mean \"color\"?");
    for bad in [json!(0), json!(120_001), json!("1000"), json!(-1)] {
        field("DEADLINES", "jwks_ms", bad.clone(), &format!("DEADLINES.jwks_ms: found {bad}; expected a whole number from 1 to 120000; for example 1000"));
    }
}

#[test]
#[rustfmt::skip]
fn what_the_parts_need_of_each_other() {
    let bare = || crate::bindings::Vars::default()
        .with("ORIGIN", json!("https://origin.example"))
        .with("ROUTES", json!([{"match": "/a", "meter": "api"}, {"match": "/**", "open": true}]));
    assert_eq!(mistakes(&bare()), [
        "ISSUERS: found routes that ask for a token, and nobody who could sign one; expected at least one issuer; as it stands every such request is refused; for example [[vars.ISSUERS]] iss = \"https://login.example.com\"",
        &unbound("LEDGER", "Ledger", "but meters, billing or account records that need it"),
        "PLANS: found no plan at all, but a meter on route [0]; expected at least one plan; without any, every such request is refused; for example [[vars.PLANS]] id = \"pro\"",
    ]);
    let by_account = json!([{"iss": "i", "audience": "a", "keys": crate::fixture::key(), "subscription": "account"}]);
    let reads_accounts = bare().with("ISSUERS", by_account).with("ROUTES", json!([{"match": "/**"}]));
    assert_eq!(mistakes(&reads_accounts).len(), 1, "the ledger is needed without meters too");
    let by_token = json!([{"iss": "i", "audience": "a", "keys": crate::fixture::key()}]);
    let gives_away = bare().with("ISSUERS", by_token).with("ROUTES", json!([{"match": "/**", "free": "5 per day"}]));
    let found = mistakes(&gives_away);
    let registry = unbound("READER_REGISTRY", "ReaderRegistry", "but free allowances that need it");
    assert!(found.contains(&registry), "who replays is found out there: {found:?}");
    assert!(found.iter().any(|one| one.starts_with("ALLOWANCE_KEY: ")) && found.len() == 2);
    let takes_money = bare()
        .with("ROUTES", json!([{"match": "/**", "open": true}]))
        .with("BILLING", json!([{"provider": "paddle"}]))
        .with("PADDLE_WEBHOOK_SECRET", json!("pdl_ntfset_of_a_test"));
    let found = mistakes(&takes_money);
    assert!(found.contains(&unbound("LEDGER", "Ledger", "but meters, billing or account records that need it")));
    assert!(found.contains(&unbound("INBOX", "Inbox", "but billing that needs it")), "{found:?}");
    assert!(mistakes(&takes_money.with_resource("LEDGER").with_resource("INBOX")).is_empty());
}

#[test]
#[rustfmt::skip]
fn what_operators_miss_without_objects_is_a_warning() {
    let operated = || crate::bindings::Vars::default()
        .with("ORIGIN", json!("https://origin.example"))
        .with("ROUTES", json!([{"match": "/**", "open": true}]))
        .with("ADMIN_TOKEN", json!("0123456789abcdef"))
        .with("GATE_SECRET", json!("gate-secret-0123456789abcdef0123456789"));
    assert_eq!(warnings(&operated()), [""; 0], "there are no accounts either");
    assert_eq!(warnings(&operated().with_resource("LEDGER")), [
        unbound("INBOX", "Inbox", "so that operators can't list accounts and events"),
        unbound("KEY_DIRECTORY", "KeyDirectory", "so that operators can't make API keys, and every one is refused"),
    ]);
    assert_eq!(warnings(&operated().with_objects()), [""; 0]);
}

fn unbound(binding: &str, class: &str, but: &str) -> String {
    format!(
        "{binding}: found no Durable Object binding, {but}; expected the bindings and the migration \
         of the shipped wrangler.toml; for example [[durable_objects.bindings]] \
         name = \"{binding}\"  class_name = \"{class}\""
    )
}

#[test]
fn checks_of_the_parts_run_beside_mistakes_in_other_parts() {
    let unmatched = good().with("ROUTES", json!([route()])).with("LOG", json!("x"));
    let found = mistakes(&unmatched.clone().with("ORIGIN", json!("x")));
    let starts: Vec<_> = found.iter().filter_map(|one| one.split_once(':')).collect();
    assert_eq!(
        starts.iter().map(|(place, _)| *place).collect::<Vec<_>>(),
        ["ORIGIN", "LOG", "ROUTES"]
    );
    let unreadable = unmatched.with("ROUTES", json!([{"match": 5}]));
    assert_eq!(mistakes(&unreadable).len(), 2, "what can't be read isn't blamed for what lacks");
}

#[test]
fn every_mistake_is_reported_at_once() {
    let vars = good()
        .with("ORIGIN", json!("nowhere"))
        .with("ROUTES", json!([crate::fixture::with(route(), "cost", json!(0)), {"match": 5}]))
        .with("PLANS", json!([{"id": "", "grace_days": -1, "quotas": [{"limit": "x"}]}]))
        .with("ISSUERS", json!([{"leeway": 1}]))
        .with("BRAND", json!({"color": "red", "nam": "x"}))
        .with("LOG", json!("x"))
        .with("PREFIX", json!("x"))
        .with("ADMIN_TOKEN", json!("x"));
    let found = mistakes(&vars);
    for place in [
        "ORIGIN:",
        "ROUTES[0].cost:",
        "ROUTES[1].match:",
        "PLANS[0].id:",
        "PLANS[0].grace_days:",
        "PLANS[0].quotas[0].limit:",
        "PLANS[0].quotas[0].meter:",
        "ISSUERS[0].iss:",
        "ISSUERS[0].audience:",
        "ISSUERS[0].keys:",
        "ISSUERS[0]: found the unknown field",
        "BRAND.color:",
        "BRAND: found the unknown field",
        "LOG:",
        "PREFIX:",
        "ADMIN_TOKEN:",
    ] {
        assert!(found.iter().any(|one| one.starts_with(place)), "{place} {found:#?}");
    }
}
