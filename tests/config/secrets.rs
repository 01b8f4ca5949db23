//! Nothing that is said about a mistake holds a secret: anybody may ask for the gate's health.

use serde_json::{Value, json};
use tollgate::config::Config;

use crate::bindings::Vars;
use crate::fixture::{changed, good, issuer, with};

/// In each of these, something secret stands in a wrong way or place.
const SECRET: &str = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC1z";
/// Its beginning: a part is as bad as the whole.
const PART: &str = "c2VjcmV0LX";

fn places() -> Vec<Vars> {
    let oct = json!({"kty": "oct", "k": SECRET});
    let set = json!({"keys": [oct.clone()]});
    let private = json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": SECRET});
    let keyless = with(issuer(), "keys", Value::Null);
    let by_secret = json!([with(keyless.clone(), "keys_secret", json!("TOKEN_KEYS"))]);
    let text = |value: &Value| json!(value.to_string());
    let in_url = |scheme: &str| json!(format!("{scheme}://user:{SECRET}@host.example/x"));
    let mut places = vec![
        good().with("ADMIN_TOKEN", json!({"token": SECRET})),
        good().with("ADMIN_TOKEN", json!([SECRET])),
        good().with("ADMIN_TOKEN", json!(PART)),
        good().with("ALLOWANCE_KEY", json!(PART)),
        good().with("ALLOWANCE_KEY", json!({"key": SECRET})),
        good().with("ASSERTION_KEY", json!(SECRET)),
        good().with("NOTIFY_SECRET", json!({"secret": SECRET})),
        good().with("NOTIFY_SECRET", json!(format!("whsec-{SECRET}"))),
        good().with("NOTIFY_SECRET", json!(PART)),
        good().with("NOTIFY_URL", in_url("https")),
        good().with("ASSERTION_KEY", private.clone()),
        good().with("ASSERTION_KEY", json!(format!(r#"{{"kty":"RSA","d":"{SECRET}"}}"#))),
        good().with("ASSERTION_KEY", json!(format!(r#"{{"kty":"oct","k":"{SECRET}""#))),
        good().with("ISSUERS", changed("ISSUERS", "keys", set.clone())),
        good().with("ISSUERS", changed("ISSUERS", "keys", oct.clone())),
        good().with("ISSUERS", changed("ISSUERS", "keys", private.clone())),
        good().with("ISSUERS", changed("ISSUERS", "keys", text(&set))),
        good().with("ISSUERS", changed("ISSUERS", "key", set.clone())),
        good().with("ISSUERS", changed("ISSUERS", "typ", oct.clone())),
        good().with("ISSUERS", changed("ISSUERS", "claims.plan", oct.clone())),
        good().with("ISSUERS", set.clone()),
        good().with("ISSUERS", json!([[oct.clone()]])),
        good().with("ISSUERS", json!([with(keyless.clone(), "keys_secret", text(&set))])),
        good().with("ISSUERS", json!([with(keyless.clone(), "keys_secret", json!(SECRET))])),
        good().with("ISSUERS", json!([with(keyless, "jwks_url", in_url("https"))])),
        good().with("ORIGIN", in_url("https")),
        good().with("ORIGIN", oct.clone()),
        good().with("ROUTES", changed("ROUTES", "origin", in_url("http"))),
        good().with("BRAND", changed("BRAND", "logo_url", in_url("https"))),
        good().with("BRAND", changed("BRAND", "support_url", in_url("https"))),
        good().with("BRAND", changed("BRAND", "logo_url", json!(format!("http://a/?k={SECRET}")))),
        good().with("PLANS", json!([oct.clone(), [oct.clone()]])),
        good().with("CREDENTIALS", json!([oct.clone()])),
        good().with("LOG", oct),
    ];
    for bad in [
        text(&private),
        json!(format!("{{\"k\":\"{SECRET}\"")),
        json!(SECRET),
        text(&json!([{"k": SECRET}])),
    ] {
        places.push(good().with("ISSUERS", by_secret.clone()).with("TOKEN_KEYS", bad));
    }
    places
}

#[test]
fn no_mistake_repeats_a_secret() {
    for (index, vars) in places().iter().enumerate() {
        let invalid = Config::parse(vars).expect_err(&format!("place {index} is refused"));
        assert!(!invalid.mistakes.is_empty());
        for mistake in &invalid.mistakes {
            let said = format!("{mistake}\n{}", serde_json::to_string(mistake).unwrap());
            assert!(!said.contains(PART), "place {index}: {said}");
        }
        let shown = format!("{:?} {:?}", invalid.mistakes, invalid.fallback);
        assert!(!shown.contains(PART), "place {index}: {shown}");
    }
}

#[test]
fn a_secret_that_is_right_is_used() {
    let by_secret = with(with(issuer(), "keys", Value::Null), "keys_secret", json!("TOKEN_KEYS"));
    let set = json!({"keys": [{"kty": "oct", "k": SECRET, "kid": "a"}]}).to_string();
    let vars = good().with("ISSUERS", json!([by_secret])).with("TOKEN_KEYS", json!(set));
    let vars = vars.with("ALLOWANCE_KEY", json!(SECRET));
    let config = Config::parse(&vars).map_err(|invalid| invalid.mistakes).unwrap();
    assert!(!format!("{:?}", config.issuers).contains(PART), "nor shown for debugging");
    assert!(!format!("{:?}", config.allowance_key).contains(PART), "neither is this one");
}

/// The error about a value that is no secret.
fn said(name: &str, value: &str) -> String {
    let invalid = Config::parse(&good().with(name, json!(value))).unwrap_err();
    let about: Vec<_> = invalid.mistakes.iter().filter(|one| one.variable == name).collect();
    assert_eq!(about.len(), 1, "{name} = {value:?}: {:?}", invalid.mistakes);
    let said = about.first().unwrap().to_string();
    let words = value.split_whitespace().filter(|word| word.len() > 12);
    for word in words {
        assert!(!said.contains(word.get(8..).unwrap_or_default()), "{said}");
    }
    said
}

fn is_taken(name: &str, value: &str) -> bool {
    Config::parse(&good().with(name, json!(value))).is_ok()
}

/// SPKI of Ed25519, P-256 and RSA, as PEM has them between its lines (RFC 8410 §10.1; made for
/// this test).
const SPKI: [&str; 3] = [
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKSexBRK64+3c/kZ4KBKLrSkDJpkZ9whgacjE32xzKDg=",
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAorRRoH0KpfluRVZxUTVQUUqKW0YuvvcXCU+h",
];

#[test]
fn what_everybody_may_know_is_no_secret() {
    let shared = [
        "ADMIN_TOKEN",
        "GATE_SECRET",
        "ALLOWANCE_KEY",
        "NOTIFY_SECRET",
        "STRIPE_WEBHOOK_SECRET",
        "PADDLE_WEBHOOK_SECRET",
        "LEMONSQUEEZY_WEBHOOK_SECRET",
        "STANDARD_WEBHOOK_SECRET",
        "STRIPE_API_KEY",
        "PADDLE_API_KEY",
        "LEMONSQUEEZY_API_KEY",
        "STANDARD_API_KEY",
    ];
    let public = [
        (format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", SPKI[0]), "PEM"),
        (format!("-----BEGIN CERTIFICATE----- {} -----END CERTIFICATE-----", SPKI[2]), "PEM"),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
                .into(),
            "JWK",
        ),
        (r#" [{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}]"#.into(), "JWK"),
        (SPKI[0].to_owned(), "DER"),
        (SPKI[1].to_owned(), "DER"),
        (SPKI[2].to_owned(), "DER"),
        (format!("a-good-secret-0123456789-0123456789-0123 {}", SPKI[1]), "DER"),
        (format!("whsk_{}", "A".repeat(44)), "private key of Standard Webhooks"),
        (format!("pk_live_51{}", "a".repeat(60)), "publishable"),
        (format!("pk_test_51{}", "a".repeat(60)), "publishable"),
        (format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} me", "a".repeat(40)), "SSH"),
    ];
    for name in shared {
        for (value, what) in &public {
            let said = said(name, value);
            assert!(said.contains(what), "{name}: {said}");
        }
        let key = format!("whpk_{}", "QUFB".repeat(11));
        let said = said(name, &key);
        let is_for_it = name == "STANDARD_WEBHOOK_SECRET";
        assert!(said.contains(if is_for_it { "can't be read" } else { "whpk_" }), "{said}");
    }
}

#[test]
fn a_secret_of_another_place_is_named() {
    let own = [
        ("STRIPE_WEBHOOK_SECRET", "whsec_0123456789abcdef0123456789abcde"),
        ("STRIPE_API_KEY", "sk_live_0123456789abcdef0123456789abcdef"),
        ("STRIPE_API_KEY", "rk_test_0123456789abcdef0123456789abcdef"),
        ("PADDLE_WEBHOOK_SECRET", "pdl_ntfset_0123456789abcdef0123456789abcdef"),
        ("PADDLE_API_KEY", "pdl_live_apikey_0123456789abcdef0123456789"),
        ("LEMONSQUEEZY_API_KEY", "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiI5NGQ1OWNlZiJ9.c2lnbmF0dXJl"),
        ("STANDARD_WEBHOOK_SECRET", "polar_whs_0123456789abcdef0123456789abcdef"),
        ("STANDARD_API_KEY", "polar_oat_0123456789abcdef0123456789abcdef"),
    ];
    let names = ["GATE_SECRET", "ALLOWANCE_KEY", "LEMONSQUEEZY_WEBHOOK_SECRET"];
    for (place, value) in own {
        assert!(is_taken(place, value), "{place} = {value}");
        for (other, _) in own.iter().filter(|(other, _)| *other != place) {
            let said = said(other, value);
            let what = ["an API key of", "webhook secret", "whsec_ secret", "token"];
            assert!(what.iter().any(|what| said.contains(what)), "{said}");
        }
        for other in names {
            said(other, value);
        }
    }
    assert!(said("PADDLE_API_KEY", &format!("live_{}", "a".repeat(27))).contains("client-side"));
    assert!(is_taken("LEMONSQUEEZY_WEBHOOK_SECRET", "test_of_mine"), "a text of one's own");
}

#[test]
fn a_webhook_secret_can_be_what_it_says() {
    let [short, right, long] = [23, 24, 65].map(|bytes| {
        use base64::Engine as _;
        format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(vec![7; bytes]))
    });
    let public = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let neutral = format!("whpk_AQ{}=", "A".repeat(41));
    let of_another_length = format!("whpk_{}", "QUFB".repeat(11));
    for bad in ["whsec_", "whsec_no!base64", "whpk_", &short, &long, &neutral, &of_another_length] {
        assert!(!is_taken("STANDARD_WEBHOOK_SECRET", bad), "{bad}");
        assert!(!is_taken("STANDARD_WEBHOOK_SECRET", &format!("{right} {bad}")), "{bad}");
    }
    for spki in SPKI {
        assert!(!is_taken("STANDARD_WEBHOOK_SECRET", &format!("whpk_{spki}")), "{spki}");
        assert!(!is_taken("STANDARD_WEBHOOK_SECRET", &format!("whsec_{spki}")), "{spki}");
        assert!(!is_taken("NOTIFY_SECRET", &format!("whsec_{spki}")), "{spki}");
    }
    for good in [right.as_str(), public, "polar_whs_of_a_test", "a-text-of-ones-own"] {
        assert!(is_taken("STANDARD_WEBHOOK_SECRET", good), "{good}");
    }
    assert!(is_taken(
        "STANDARD_WEBHOOK_SECRET",
        &format!("{public} {right}\n polar_whs_of_a_test")
    ));
    for (name, prefix) in [
        ("STRIPE_WEBHOOK_SECRET", "whsec_"),
        ("PADDLE_WEBHOOK_SECRET", "pdl_ntfset_"),
        ("STANDARD_WEBHOOK_SECRET", "polar_whs_"),
    ] {
        assert!(!is_taken(name, prefix) && !is_taken(name, &format!("{prefix}12345")), "{name}");
        assert!(is_taken(name, &format!("{prefix}of_a_test")), "{name}");
    }
}

#[test]
fn every_secret_takes_several_values() {
    let two = |one: &str, other: &str| format!(" {one}\n{other} ");
    let long = ["0123456789abcdef-0123456789abcdef", "fedcba9876543210-fedcba9876543210"];
    for name in ["ADMIN_TOKEN", "GATE_SECRET", "ALLOWANCE_KEY", "LEMONSQUEEZY_WEBHOOK_SECRET"] {
        assert!(is_taken(name, &two(long[0], long[1])), "{name}");
        assert!(is_taken(name, &[long[0]; 4].join(" ")), "{name}");
        assert!(said(name, &[long[0]; 5].join(" ")).contains("found 5 values; expected at most 4"));
        assert!(said(name, &two(long[0], "short")).contains("a value of 5 bytes"));
    }
    let vars = good().with("ADMIN_TOKEN", json!(two(long[0], long[1])));
    let anna =
        r#"[{"name":"anna","role":"support","token":"anna-anna-anna-anna anna-before-that-anna"}]"#;
    let vars = vars
        .with("ADMIN_TOKENS", json!(anna))
        .with("STRIPE_API_KEY", json!("sk_test_new sk_test_old"));
    let config = Config::parse(&vars).map_err(|invalid| invalid.mistakes).unwrap();
    let operators = config.operators.iter().map(|one| (one.name.as_str(), one.token.as_str()));
    let expected = [
        ("admin", long[0]),
        ("admin", long[1]),
        ("anna", "anna-anna-anna-anna"),
        ("anna", "anna-before-that-anna"),
    ];
    assert_eq!(operators.collect::<Vec<_>>(), expected);
    assert_eq!(config.billing[0].api_key.as_deref(), Some("sk_test_new"), "the first is used");
    for bad in ["anna-anna-anna-anna short", " ", "0123456789abcdef"] {
        let list = json!([{"name": "anna", "role": "read", "token": bad}]).to_string();
        assert!(said("ADMIN_TOKENS", &list).contains("[0]: found a token"), "{bad:?}");
    }
}

#[test]
fn assertion_keys_stand_beside_each_other() {
    let key = |kid: &str| {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "d": SECRET,
               "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    };
    let (new, old) = (key("new"), key("old"));
    let shared = json!({"kty": "oct", "kid": "shared", "k": SECRET});
    for text in [
        format!("{new} {old} {shared}"),
        json!({"keys": [new, old, shared]}).to_string(),
        format!("{}\n{shared}", json!({"keys": [new, old]})),
    ] {
        let config = Config::parse(&good().with("ASSERTION_KEY", json!(text)));
        let keys = config.unwrap().assertion_keys.unwrap();
        assert!(keys.first().contains(r#""kid":"new""#));
        let public = keys.public();
        let kids: Vec<_> = public.iter().map(|jwk| jwk["kid"].as_str().unwrap()).collect();
        assert_eq!(kids, ["new", "old"], "a shared secret is shown to nobody");
        let shown = format!("{keys:?} {public:?}");
        assert!(!shown.contains(PART), "{shown}");
        assert!(public.iter().all(|jwk| jwk["alg"] == "Ed25519" && jwk["use"] == "sig"));
    }
    let nameless = with(old.clone(), "kid", Value::Null);
    for (bad, what) in [
        (format!("{new} {new}"), "two of the same kid or one without"),
        (format!("{new} {nameless}"), "two of the same kid or one without"),
        (format!("{new} {}", with(old.clone(), "d", Value::Null)), "a public key"),
        (format!("{new} x"), "isn't JSON"),
        (format!("{new} 7"), "JWK Set"),
        (json!({"keys": []}).to_string(), "keys: found 0, expected 1"),
        (json!({"keys": 7}).to_string(), "keys: expected a list"),
        (["a", "b", "c", "d", "e"].map(|kid| key(kid).to_string()).join(" "), "5 keys"),
        (
            with(new.clone(), "alg", json!("ES256")).to_string(),
            r#"alg: found "ES256", expected "Ed25519""#,
        ),
        (
            with(new, "x", json!("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")).to_string(),
            "small order",
        ),
        (
            json!({"kty": "EC", "crv": "P-256", "d": SECRET,
                   "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                   "y": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})
            .to_string(),
            "not on P-256",
        ),
    ] {
        let said = said("ASSERTION_KEY", &bad);
        assert!(said.contains(what), "{bad}: {said}");
        assert!(!said.contains(PART), "{said}");
    }
}
