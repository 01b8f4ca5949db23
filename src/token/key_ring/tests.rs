use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

/// The public keys of RFC 8037 A.2 and RFC 7515 A.3.
const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

/// Of `jws_rsa_roca_key` in Wycheproof.
const ROCA: &str = "AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_HhFw16HGaTDUHqPrId7fe4r11CqRw09yBFuW79V8sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mwZM9wREPXoDPgOoIWl6q_MPsp7n0zs3Z5ZaiQWOOzl1S9OhwAfSiiOwz6efnXEaxuTEtPd7BjSx7NaFka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_wSyHQg_c_qHRtKUsNSGCT7OZg0hzm2KphtjnayKJvC64vAbROBR4Ubg6Bxg9IQVZ-QYyE";

fn encoded(bytes: usize) -> String {
    URL_SAFE_NO_PAD.encode(vec![0xff; bytes])
}

fn ed25519() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519_X, "kid": "ed"})
}

fn p256() -> Value {
    json!({"kty": "EC", "crv": "P-256", "x": P256_X, "y": P256_Y, "kid": "ec"})
}

fn rsa() -> Value {
    json!({"kty": "RSA", "n": encoded(256), "e": "AQAB", "kid": "rsa"})
}

fn oct() -> Value {
    json!({"kty": "oct", "k": encoded(32), "kid": "oct"})
}

fn with(mut jwk: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("not an object") };
    for (name, value) in changes {
        jwk[name] = value;
    }
    jwk
}

fn ring(keys: &[Value], kind: KeyRingKind) -> Result<KeyRing, KeyRingError> {
    KeyRing::parse(&json!({ "keys": keys }).to_string(), kind)
}

fn token(header: &Value, signature_bytes: usize) -> Unverified {
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let text = format!("{header}.{}.{}", URL_SAFE_NO_PAD.encode("{}"), encoded(signature_bytes));
    Unverified::parse(&text).unwrap()
}

fn kids(check: &SignatureCheck) -> Vec<&str> {
    check.keys.iter().filter_map(|key| key.kid.as_deref()).collect()
}

#[test]
fn the_key_says_what_it_is_for() {
    let rings = [vec![ed25519(), p256(), rsa()], vec![oct()]];
    let rings = rings.map(|keys| ring(&keys, KeyRingKind::Secret).unwrap());
    let keys = rings.iter().flat_map(KeyRing::keys);
    let found: Vec<_> = keys.map(|key| key.algorithms.as_slice()).collect();
    let expected: [&[Algorithm]; 4] = [
        &[Algorithm::Ed25519],
        &[Algorithm::Es256],
        &[Algorithm::Ps256, Algorithm::Rs256],
        &[Algorithm::Hs256],
    ];
    assert_eq!(found, expected);

    for (jwk, alg, expected) in [
        (ed25519(), "EdDSA", Algorithm::Ed25519),
        (ed25519(), "Ed25519", Algorithm::Ed25519),
        (p256(), "ES256", Algorithm::Es256),
        (rsa(), "PS256", Algorithm::Ps256),
        (rsa(), "RS256", Algorithm::Rs256),
    ] {
        let ring = self::ring(&[with(jwk, json!({ "alg": alg }))], KeyRingKind::Inline).unwrap();
        assert_eq!(ring.keys()[0].algorithms, [expected]);
    }
}

#[test]
fn only_required_public_members_are_handed_out() {
    let private = with(
        rsa(),
        json!({"d": "AA", "p": "AA", "q": "AA", "dp": "AA", "dq": "AA", "qi": "AA", "x5c": [], "use": "sig"}),
    );
    let ring = ring(&[private, rsa_with_leading_zero()], KeyRingKind::Secret).unwrap();
    let expected = json!({"e": "AQAB", "kty": "RSA", "n": encoded(256)});
    for key in ring.keys() {
        assert_eq!(serde_json::from_str::<Value>(&key.jwk).unwrap(), expected);
    }
    assert_eq!(ring.keys()[0].jwk, ring.keys()[1].jwk, "one key, one text");
}

#[test]
fn secrets_do_not_stand_among_public_keys() {
    for public in [ed25519(), p256(), rsa()] {
        let mistakes = ring(&[oct(), public.clone()], KeyRingKind::Secret).unwrap_err();
        assert_eq!(mistakes, KeyRingError::of("keys", KeyProblem::Mixed));
        let fetched = ring(&[oct(), public], KeyRingKind::Fetched).unwrap();
        assert_eq!(fetched.keys().len(), 1, "a secret that an issuer publishes is passed over");
    }
    let other = with(oct(), json!({"kid": "other"}));
    assert!(ring(&[oct(), other], KeyRingKind::Secret).is_ok());
    assert!(ring(&[ed25519(), p256(), rsa()], KeyRingKind::Secret).is_ok());
}

fn rsa_with_leading_zero() -> Value {
    let padded = URL_SAFE_NO_PAD.encode([vec![0], vec![0xff; 256]].concat());
    with(rsa(), json!({"n": padded, "kid": "padded"}))
}

#[test]
fn the_operators_mistakes_are_named() {
    use KeyRingKind::{Inline, Secret};
    for (kind, jwk, expected) in [
        (Inline, json!({}), "keys[0].kty: found nothing, expected \"OKP\", \"EC\" or \"RSA\""),
        (Secret, with(rsa(), json!({"kty": "DSA"})), "keys[0].kty: found \"DSA\", expected"),
        (Inline, oct(), "keys[0].kty: found \"oct\", a shared secret"),
        (
            Inline,
            with(ed25519(), json!({"crv": "Ed448"})),
            "keys[0].crv: found \"Ed448\", expected \"Ed25519\"",
        ),
        (
            Inline,
            with(p256(), json!({"crv": "P-384"})),
            "keys[0].crv: found \"P-384\", expected \"P-256\"",
        ),
        (
            Inline,
            with(ed25519(), json!({"x": encoded(31)})),
            "keys[0].x: found 31 bytes, expected 32",
        ),
        (Inline, with(p256(), json!({"y": encoded(33)})), "keys[0].y: found 33 bytes, expected 32"),
        (Inline, with(p256(), json!({"x": format!("{P256_X}=")})), "keys[0].x: expected base64url"),
        (Inline, with(p256(), json!({"x": 7})), "keys[0].x: expected base64url"),
        (
            Inline,
            with(rsa(), json!({"n": encoded(255)})),
            "keys[0].n: found a modulus of 2040 bits",
        ),
        (
            Inline,
            with(rsa(), json!({"n": encoded(1025)})),
            "keys[0].n: found a modulus of 8200 bits",
        ),
        (Inline, with(rsa(), json!({"n": ""})), "keys[0].n: found a modulus of 0 bits"),
        (
            Inline,
            with(p256(), json!({"y": P256_X})),
            "keys[0].y: found a point that is not on P-256, expected the public half",
        ),
        (
            Secret,
            with(ed25519(), json!({"x": URL_SAFE_NO_PAD.encode([0; 32])})),
            "keys[0].x: found a point of small order",
        ),
        (Inline, with(rsa(), json!({"n": ROCA})), "keys[0].n: found a modulus with the ROCA"),
        (Inline, with(rsa(), json!({"e": "AQ"})), "keys[0].e: expected an odd exponent"),
        (Inline, with(rsa(), json!({"e": "AQAA"})), "keys[0].e: expected an odd exponent"),
        (
            Inline,
            with(rsa(), json!({"alg": "ES256"})),
            "keys[0].alg: found \"ES256\", expected \"PS256\" or \"RS256\"",
        ),
        (Inline, with(rsa(), json!({"alg": "RS512"})), "keys[0].alg: found \"RS512\""),
        (Inline, with(rsa(), json!({"alg": "none"})), "keys[0].alg: found \"none\""),
        (Inline, with(rsa(), json!({"alg": null})), "keys[0].alg: found null"),
        (
            Secret,
            with(oct(), json!({"alg": "RS256"})),
            "keys[0].alg: found \"RS256\", expected \"HS256\"",
        ),
        (
            Secret,
            with(oct(), json!({"k": encoded(31)})),
            "keys[0].k: found a secret of 31 bytes, expected at least 32",
        ),
        (
            Inline,
            with(rsa(), json!({"use": "enc"})),
            "keys[0].use: found \"enc\", expected \"sig\"",
        ),
        (
            Inline,
            with(rsa(), json!({"key_ops": ["sign"]})),
            "keys[0].key_ops: expected a list with \"verify\"",
        ),
        (
            Inline,
            with(ed25519(), json!({"d": ED25519_X})),
            "keys[0].d: found a private key in a public place",
        ),
        (Inline, with(rsa(), json!({"kid": 7})), "keys[0].kid: expected a string"),
        (Inline, with(rsa(), json!({"kid": "k".repeat(257)})), "keys[0].kid: expected a string"),
        (Inline, json!("pem"), "keys[0]: expected a JWK"),
    ] {
        let error = ring(std::slice::from_ref(&jwk), kind).unwrap_err();
        assert_eq!(error.0.len(), 1, "{error}");
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(error.to_string().len() < 200 && !error.code().is_empty());
    }
}

#[test]
fn all_mistakes_come_at_once() {
    let bad = with(rsa(), json!({"use": "enc", "kid": 7, "e": "AA", "d": "AA"}));
    let mistakes = ring(&[ed25519(), bad, p256(), p256()], KeyRingKind::Inline).unwrap_err();
    let places: Vec<_> = mistakes.0.iter().map(|one| one.place.as_str()).collect();
    assert_eq!(places, ["keys[1].use", "keys[1].d", "keys[1].kid", "keys[1].e", "keys[3].kid"]);
    let codes: Vec<_> = mistakes.0.iter().map(|one| one.problem.code()).collect();
    assert_eq!(codes, ["wrong-value", "private", "wrong-name", "wrong-exponent", "same-name"]);
}

#[test]
fn a_secret_is_never_in_a_message_or_a_debug_text() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA";
    let ring = ring(&[with(oct(), json!({"k": secret}))], KeyRingKind::Secret).unwrap();
    assert!(!format!("{ring:?}").contains("c2Vj"));
    let short = with(oct(), json!({"k": "c2VjcmV0", "alg": "HS256"}));
    assert!(!self::ring(&[short], KeyRingKind::Secret).unwrap_err().to_string().contains("c2Vj"));
    let check = token(&json!({"alg": "HS256"}), 32);
    let check = ring.signature_check(&check).unwrap();
    assert!(!format!("{check:?}").contains(&check.signed));
}

#[test]
fn a_single_jwk_is_accepted_from_the_operator_only() {
    let text = ed25519().to_string();
    assert_eq!(KeyRing::parse(&text, KeyRingKind::Inline).unwrap().keys().len(), 1);
    assert_eq!(KeyRing::parse(&oct().to_string(), KeyRingKind::Secret).unwrap().keys().len(), 1);
    assert!(KeyRing::parse(&text, KeyRingKind::Fetched).is_err());
    let bad = with(ed25519(), json!({"crv": "X25519"})).to_string();
    let mistakes = KeyRing::parse(&bad, KeyRingKind::Inline).unwrap_err();
    assert_eq!(mistakes.to_string(), "crv: found \"X25519\", expected \"Ed25519\"");
}

#[test]
fn a_fetched_set_keeps_what_is_usable() {
    let private = with(ed25519(), json!({"d": ED25519_X, "kid": "leaked"}));
    let encryption = with(rsa(), json!({"use": "enc", "alg": "RSA-OAEP"}));
    let keys = [json!({"kty": "PQ"}), oct(), private, encryption, json!(7), p256()];
    let ring = ring(&keys, KeyRingKind::Fetched).unwrap();
    assert_eq!(ring.keys().len(), 1);
    assert_eq!(ring.keys()[0].kid.as_deref(), Some("ec"));

    let nothing_left = self::ring(&keys[..2], KeyRingKind::Fetched).unwrap_err();
    assert_eq!(nothing_left.0.len(), 2);
    assert_eq!(nothing_left.to_string().matches("; ").count(), 1);
}

#[test]
fn sets_are_bounded_and_strict() {
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#, r#"{"keys":[],"keys":[]}"#] {
        assert!(KeyRing::parse(text, KeyRingKind::Fetched).is_err(), "{text}");
    }
    assert!(ring(&vec![p256(); 64], KeyRingKind::Fetched).is_ok());
    assert!(ring(&vec![p256(); 65], KeyRingKind::Fetched).is_err());
    let long = with(p256(), json!({"note": "x".repeat(64 * 1024)}));
    assert!(ring(&[long], KeyRingKind::Fetched).is_err());
    let double =
        format!("{{\"keys\":[{{\"kty\":\"OKP\",\"kty\":\"OKP\",\"x\":\"{ED25519_X}\"}}]}}");
    let mistakes = KeyRing::parse(&double, KeyRingKind::Inline).unwrap_err();
    assert!(mistakes.to_string().contains("\"kty\" stands twice"));
}

#[test]
fn a_key_id_chooses_exactly() {
    let without_kid = with(ed25519(), json!({"kid": null}));
    assert!(ring(&[without_kid], KeyRingKind::Inline).is_err(), "null is not a kid");
    let mut nameless = ed25519();
    nameless.as_object_mut().unwrap().remove("kid");
    let ring = ring(&[nameless, ed25519(), p256(), rsa()], KeyRingKind::Inline).unwrap();

    let check = |header: Value, bytes| ring.signature_check(&token(&header, bytes));
    assert_eq!(kids(&check(json!({"alg": "EdDSA", "kid": "ed"}), 64).unwrap()), ["ed"]);
    assert_eq!(check(json!({"alg": "EdDSA"}), 64).unwrap().keys.len(), 2);
    assert_eq!(kids(&check(json!({"alg": "PS256", "kid": "rsa"}), 256).unwrap()), ["rsa"]);
    assert_eq!(check(json!({"alg": "PS256"}), 256).unwrap().algorithm, Algorithm::Ps256);
    for (header, bytes, expected) in [
        (json!({"alg": "EdDSA", "kid": "ED"}), 64, TokenError::UnknownKey),
        (json!({"alg": "EdDSA", "kid": ""}), 64, TokenError::UnknownKey),
        (json!({"alg": "HS256", "kid": "rsa"}), 32, TokenError::UnsupportedAlgorithm),
        (json!({"alg": "HS256"}), 32, TokenError::UnsupportedAlgorithm),
        (json!({"alg": "RS256", "kid": "ec"}), 256, TokenError::UnsupportedAlgorithm),
        (json!({"alg": "es256", "kid": "ec"}), 64, TokenError::UnsupportedAlgorithm),
        (json!({"alg": "none", "kid": "never"}), 64, TokenError::UnsupportedAlgorithm),
        (json!({"alg": "ES256", "kid": "ec"}), 70, TokenError::BadSignature),
        (json!({"alg": "RS256", "kid": "rsa"}), 255, TokenError::BadSignature),
        (json!({"alg": "EdDSA"}), 63, TokenError::BadSignature),
    ] {
        assert_eq!(check(header.clone(), bytes).unwrap_err(), expected, "{header}");
    }
}

#[test]
fn a_token_without_a_key_id_is_tried_against_few_keys() {
    let keys: Vec<_> = (0..10).map(|n| with(p256(), json!({"kid": format!("k{n}")}))).collect();
    let ring = ring(&keys, KeyRingKind::Inline).unwrap();
    let check = ring.signature_check(&token(&json!({"alg": "ES256"}), 64)).unwrap();
    assert_eq!(kids(&check), ["k0", "k1", "k2", "k3"]);
}
