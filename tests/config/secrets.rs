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
