//! Signatures as each provider's own library makes them, and what is refused.

use base64::Engine as _;
use hmac::{Hmac, Mac as _};
use jsonwebtoken::{Algorithm as Jwa, DecodingKey, EncodingKey, crypto};
use sha2::Sha256;
use tollgate::account::Provider;
use tollgate::billing::events_of;
use tollgate::billing::webhook::{Webhook, WebhookError, checks};
use tollgate::token::{Algorithm, MAX_CANDIDATES, SignatureCheck};

use super::fixture::{NOW, billing};

const BODY: &str = r#"{"id":"evt_1","type":"customer.subscription.deleted"}"#;
const STRIPE: &str = "36953940c210ba5d702fcf0aca063e93fbf950389a1ff29feba4bdba15c6eb45";
const STANDARD: &str = "v1,3iq7pCdGtfkKEVYkmkUhx/pb8VvkYu7kZSJWZC/lXi8=";
const STANDARD_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const PADDLE: &str = "7752b1aef348098ddd4256adb8780d0b4f940a1baee312862301e8104e12b964";
const LEMON_SQUEEZY: &str = "fe624b68dd8bff7e2cb5e8c9eb05ab681af09f722f2ece0bc6d7c29fddbaf30a";

/// A key pair of RFC 8037, appendix A.
const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
    -----END PRIVATE KEY-----\n";
const ED25519_PUBLIC: &str = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

type Fields<'a> = &'a [(&'a str, &'a str)];

fn found(
    provider: Provider,
    secrets: &[&str],
    fields: Fields<'_>,
    body: &str,
    late_s: i64,
) -> Result<Vec<SignatureCheck>, WebhookError> {
    // The edge reads the header fields of the one provider and no other.
    let is_read = |name: &str| events_of(provider).headers.contains(&name);
    let read = fields.iter().filter(|(name, _)| is_read(name));
    let headers = read.map(|(name, value)| (*name, (*value).to_owned())).collect();
    checks(&billing(provider, secrets), &Webhook { headers, body }, NOW.plus_seconds(late_s))
}

/// Whether one of the checks succeeds, by libraries that are not ours.
fn is_genuine(checks: &[SignatureCheck]) -> bool {
    checks.iter().any(|check| {
        assert!((1..=MAX_CANDIDATES).contains(&check.keys.len()));
        check.keys.iter().any(|key| verifies(check, &key.jwk))
    })
}

fn verifies(check: &SignatureCheck, jwk: &str) -> bool {
    let jwk: serde_json::Value = serde_json::from_str(jwk).unwrap();
    if check.algorithm == Algorithm::Ed25519 {
        let key = DecodingKey::from_ed_components(jwk["x"].as_str().unwrap()).unwrap();
        let signature = base64url(&check.signature);
        return crypto::verify(&signature, check.signed.as_bytes(), &key, Jwa::EdDSA).unwrap();
    }
    assert_eq!(check.algorithm, Algorithm::Hs256);
    let key = base64url_decoded(jwk["k"].as_str().unwrap());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(check.signed.as_bytes());
    mac.verify_slice(&check.signature).is_ok()
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn base64url_decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn genuine(provider: Provider, secrets: &[&str], fields: Fields<'_>) -> bool {
    is_genuine(&found(provider, secrets, fields, BODY, 0).unwrap())
}

fn refused(provider: Provider, fields: Fields<'_>, late_s: i64) -> String {
    found(provider, &["whsec_test"], fields, BODY, late_s).unwrap_err().to_string()
}

#[test]
fn stripe_signs_the_time_and_the_body() {
    let good = format!("t=1795333000,v1={STRIPE}");
    let zeros = "0".repeat(64);
    for field in [
        good.clone(),
        format!("t=1795333000,v1={zeros},v1={STRIPE}"),
        format!("t=1795333000,v0={zeros},v1={STRIPE},v2=x"),
        format!("v1={STRIPE},t=1795333000"),
    ] {
        assert!(genuine(Provider::Stripe, &["whsec_test"], &[("stripe-signature", &field)]));
    }
    assert!(genuine(
        Provider::Stripe,
        &["whsec_new", "whsec_test"],
        &[("stripe-signature", &good)]
    ));
    assert!(!genuine(Provider::Stripe, &["whsec_tes"], &[("stripe-signature", &good)]));
    let other_time = format!("t=1795333001,v1={STRIPE}");
    assert!(!genuine(Provider::Stripe, &["whsec_test"], &[("stripe-signature", &other_time)]));
    let fields: Fields<'_> = &[("stripe-signature", &good)];
    let checks = found(Provider::Stripe, &["whsec_test"], fields, &format!("{BODY} "), 0).unwrap();
    assert!(!is_genuine(&checks), "another body");
}

#[test]
fn paddle_signs_with_a_colon() {
    let field = format!("ts=1795333000;h1={PADDLE}");
    assert!(genuine(Provider::Paddle, &["pdl_ntfset_x"], &[("paddle-signature", &field)]));
    let zeros = "0".repeat(64);
    let field = format!("ts=1795333000;h1={PADDLE};h1={zeros}");
    assert!(genuine(Provider::Paddle, &["pdl_ntfset_x"], &[("paddle-signature", &field)]));
    assert!(!genuine(Provider::Paddle, &["pdl_ntfset_y"], &[("paddle-signature", &field)]));
}

#[test]
fn lemon_squeezy_signs_the_body_alone() {
    let fields: Fields<'_> = &[("x-signature", LEMON_SQUEEZY)];
    assert!(genuine(Provider::LemonSqueezy, &["lssecret"], fields));
    assert!(!genuine(Provider::LemonSqueezy, &["lssecreT"], fields));
    let years_late = found(Provider::LemonSqueezy, &["lssecret"], fields, BODY, 99_999_999);
    assert!(is_genuine(&years_late.unwrap()), "there is no time in it");
}

#[test]
fn standard_webhooks_sign_id_time_and_body() {
    let time = "1795333000";
    let two = format!("v1,{} {STANDARD}", "A".repeat(44));
    for signature in [STANDARD, &two, &format!("v2,abc {STANDARD}")] {
        for names in [
            ["webhook-id", "webhook-timestamp", "webhook-signature"],
            ["svix-id", "svix-timestamp", "svix-signature"],
        ] {
            let fields = [(names[0], "msg_1"), (names[1], time), (names[2], signature)];
            assert!(genuine(Provider::Standard, &[STANDARD_SECRET], &fields), "{signature}");
            let other_id = [(names[0], "msg_2"), fields[1], fields[2]];
            assert!(!genuine(Provider::Standard, &[STANDARD_SECRET], &other_id));
        }
    }
    let unpadded = STANDARD.trim_end_matches('=');
    let fields = [("webhook-id", "msg_1"), ("webhook-timestamp", time)];
    let fields = [fields[0], fields[1], ("webhook-signature", unpadded)];
    assert!(genuine(Provider::Standard, &[STANDARD_SECRET], &fields));
}

#[test]
fn polar_signs_with_its_secret_as_it_is_shown() {
    use base64::Engine as _;
    let secret = "polar_whs_0123456789";
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("msg_1.1795333000.{BODY}").as_bytes());
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let signature = format!("v1,{signature}");
    let fields = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1795333000"),
        ("webhook-signature", signature.as_str()),
    ];
    assert!(genuine(Provider::Standard, &[secret], &fields));
    assert!(genuine(Provider::Standard, &[ED25519_PUBLIC, secret], &fields), "beside another");
}

#[test]
fn standard_webhooks_may_be_signed_with_a_private_key() {
    let key = EncodingKey::from_ed_pem(ED25519_PEM.as_bytes()).unwrap();
    let signed = format!("msg_1.1795333000.{BODY}");
    let signature = crypto::sign(signed.as_bytes(), &key, Jwa::EdDSA).unwrap();
    let signature = signature.replace('-', "+").replace('_', "/");
    let signature = format!("v1a,{signature}==");
    let fields = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1795333000"),
        ("webhook-signature", signature.as_str()),
    ];
    assert!(genuine(Provider::Standard, &[ED25519_PUBLIC], &fields));
    let error = found(Provider::Standard, &[STANDARD_SECRET], &fields, BODY, 0).unwrap_err();
    assert_eq!(error, WebhookError::NoKey);
    assert!(error.to_string().contains("whpk_"), "{error}");
}

#[test]
fn what_is_old_or_ahead_is_refused() {
    let stripe = format!("t=1795333000,v1={STRIPE}");
    let paddle = format!("ts=1795333000;h1={PADDLE}");
    let standard = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1795333000"),
        ("webhook-signature", STANDARD),
    ];
    let forms: [(Provider, Fields<'_>); 3] = [
        (Provider::Stripe, &[("stripe-signature", &stripe)]),
        (Provider::Paddle, &[("paddle-signature", &paddle)]),
        (Provider::Standard, &standard),
    ];
    for (provider, fields) in forms {
        for late_s in [-300, 0, 300] {
            let secrets = ["whsec_test", "pdl_ntfset_x", STANDARD_SECRET];
            assert!(is_genuine(&found(provider, &secrets, fields, BODY, late_s).unwrap()));
        }
        assert!(refused(provider, fields, 301).contains("301 seconds ago, expected at most 300"));
        assert!(refused(provider, fields, -301).contains("301 seconds ahead"));
    }
}

/// Taken for a text, each of these would be a secret that everybody has.
#[test]
fn what_is_no_key_verifies_nothing() {
    let spki = "whpk_MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let neutral = format!("whpk_AQ{}=", "A".repeat(41));
    for secret in ["whsec_", "whsec_no!base64", "whsec_c2hvcnQ=", "whpk_", spki, &neutral] {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("msg_1.{}.{BODY}", NOW.as_seconds()).as_bytes());
        let bytes: [u8; 32] = mac.finalize().into_bytes().into();
        let signature = base64::engine::general_purpose::STANDARD.encode(bytes);
        let (time, list) = (NOW.as_seconds().to_string(), format!("v1,{signature}"));
        let fields = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", time.as_str()),
            ("webhook-signature", list.as_str()),
        ];
        let found = found(Provider::Standard, &[secret], &fields, BODY, 0);
        assert!(matches!(found, Err(WebhookError::NoKey)), "{secret}");
        // Beside a right one it changes nothing.
        let both = genuine(Provider::Standard, &[secret, STANDARD_SECRET], &fields);
        assert!(!both, "{secret}");
    }
}

#[test]
fn what_can_not_be_a_signature_is_named() {
    for field in [
        String::new(),
        "t=1795333000".to_owned(),
        format!("v1={STRIPE}"),
        format!("t=now,v1={STRIPE}"),
        format!("t=-1795333000,v1={STRIPE}"),
        format!("t=,v1={STRIPE}"),
        format!("t={},v1={STRIPE}", "9".repeat(40)),
        format!("t=1795333000,v1={}", STRIPE.trim_start_matches('3')),
        format!("t=1795333000,v1={STRIPE}0"),
        format!("t=1795333000,v1={}ä", STRIPE.trim_end_matches("45")),
        format!("t=1795333000,v0={STRIPE}"),
    ] {
        let error = refused(Provider::Stripe, &[("stripe-signature", &field)], 0);
        assert!(error.contains("stripe-signature is not t=<seconds>,v1="), "{field}: {error}");
    }
    let missing = refused(Provider::Stripe, &[("paddle-signature", "ts=1;h1=2")], 0);
    assert_eq!(missing, "the header field stripe-signature is missing");
    assert!(refused(Provider::LemonSqueezy, &[("x-signature", "zz")], 0).contains("64 hex"));
    let id = ("webhook-id", "msg_1");
    let missing = refused(Provider::Standard, &[id], 0);
    assert!(missing.contains("webhook-timestamp is missing"), "{missing}");
    let time = ("webhook-timestamp", "1795333000");
    for list in ["", "v1", "v1,", "v1,AAAA", "v1a,AAAA", STANDARD.trim_start_matches("v1,")] {
        let error = refused(Provider::Standard, &[id, time, ("webhook-signature", list)], 0);
        assert!(error.contains("webhook-signature is not v1,<base64>"), "{list}: {error}");
    }
    let error = refused(Provider::Standard, &[id, ("webhook-timestamp", "1e9")], 0);
    assert!(error.contains("webhook-timestamp is not seconds"), "{error}");
}

#[test]
fn a_flood_of_signatures_costs_a_few_verifications() {
    let many = format!(",v1={STRIPE}").repeat(1_000);
    let field = format!("t=1795333000{many}");
    let fields: Fields<'_> = &[("stripe-signature", &field)];
    let secrets = ["a_secret"; 100];
    let checks = found(Provider::Stripe, &secrets, fields, BODY, 0).unwrap();
    assert!(checks.len() <= MAX_CANDIDATES);
    assert!(checks.iter().all(|check| check.keys.len() <= MAX_CANDIDATES));
}
