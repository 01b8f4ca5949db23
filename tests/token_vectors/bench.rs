//! An issuer with one key of each kind, and the way a token takes through the gate.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey, crypto};
use serde_json::{Value, json};
use tollgate::time::Timestamp;
use tollgate::token::{
    Algorithm, ClaimMapping, ClaimPath, Key, KeyRing, KeyRingKind, Rules, SignatureCheck,
    TokenError, TokenIdentity, Unverified,
};

pub(crate) const NOW_S: i64 = 1_800_000_000;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(NOW_S)
}

pub(crate) fn rules() -> Rules {
    Rules {
        issuer: "https://issuer.example".to_owned(),
        audiences: vec!["https://api.example".to_owned(), "second".to_owned()],
        typ: None,
        leeway_s: 30,
        max_lifetime_s: None,
    }
}

pub(crate) fn mapping() -> ClaimMapping {
    ClaimMapping {
        account: ClaimPath(vec!["sub".to_owned()]),
        tenant: None,
        plan: None,
        entitlements: Some(ClaimPath(vec!["scope".to_owned()])),
    }
}

/// The set that a token means: the keys `ed`, `ec` and `rsa`, or apart from them the secret `oct`.
pub(crate) fn ring_for(token: &str) -> KeyRing {
    let means_secret = Unverified::parse(token).is_ok_and(|token| match token.key_id() {
        Some(kid) => kid == "oct",
        None => token.algorithm_name() == "HS256",
    });
    let mut set: Value = serde_json::from_str(include_str!("../vectors/token-keys.json")).unwrap();
    let keys = set.get_mut("keys").and_then(Value::as_array_mut).unwrap();
    keys.retain(|key| (key["kid"] == "oct") == means_secret);
    KeyRing::from_value(&set, KeyRingKind::Secret).unwrap()
}

pub(crate) fn good_claims() -> Value {
    json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "acme",
        "scope": "read write", "iat": NOW_S - 60, "exp": NOW_S + 600,
    })
}

/// The whole way, as the gate and the edge share it: who the token is about, and until when.
pub(crate) fn admit(
    text: &str,
    rules: &Rules,
    ring: &KeyRing,
) -> Result<(TokenIdentity, Timestamp), TokenError> {
    let unverified = Unverified::parse(text)?;
    let expires_at = rules.check(&unverified, now())?;
    let check = ring.signature_check(&unverified)?;
    if !is_verified(&check) {
        return Err(TokenError::BadSignature);
    }
    Ok((mapping().read(unverified.claims())?, expires_at))
}

/// The edge's use of the platform's crypto.
pub(crate) fn is_verified(check: &SignatureCheck) -> bool {
    check.keys.iter().any(|key| verifies(key, check.algorithm, &check.signed, &check.signature))
}

pub(crate) fn verifies(key: &Rc<Key>, by: Algorithm, signed: &str, signature: &[u8]) -> bool {
    let jwk = serde_json::from_str(&key.jwk).unwrap();
    let decoding_key = DecodingKey::from_jwk(&jwk).unwrap();
    let signature = URL_SAFE_NO_PAD.encode(signature);
    crypto::verify(&signature, signed.as_bytes(), &decoding_key, theirs(by)).unwrap()
}

/// A token with exactly these bytes as header and payload, properly signed.
pub(crate) fn mint(header: &str, payload: impl AsRef<[u8]>, by: Algorithm) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = crypto::sign(signed.as_bytes(), &signing_key(by), theirs(by)).unwrap();
    format!("{signed}.{signature}")
}

pub(crate) fn header(by: Algorithm) -> Value {
    let kid = match by {
        Algorithm::Ed25519 => "ed",
        Algorithm::Es256 => "ec",
        Algorithm::Hs256 => "oct",
        Algorithm::Ps256 | Algorithm::Rs256 => "rsa",
    };
    json!({"alg": by.name(), "kid": kid, "typ": "JWT"})
}

pub(crate) fn good_token(by: Algorithm) -> String {
    mint(&header(by).to_string(), good_claims().to_string(), by)
}

pub(crate) const EVERY_ALGORITHM: [Algorithm; 5] =
    [Algorithm::Ed25519, Algorithm::Es256, Algorithm::Hs256, Algorithm::Ps256, Algorithm::Rs256];

pub(crate) fn verdict(token: &str) -> &'static str {
    verdict_by(token, &rules())
}

pub(crate) fn verdict_by(token: &str, rules: &Rules) -> &'static str {
    admit(token, rules, &ring_for(token)).map_or_else(TokenError::code, |_| "admitted")
}

pub(crate) fn with(mut value: Value, name: &str, member: Value) -> Value {
    value.as_object_mut().unwrap().insert(name.to_owned(), member);
    value
}

pub(crate) fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name);
    value
}

pub(crate) fn with_claims(claims: &Value) -> String {
    mint(&header(Algorithm::Ed25519).to_string(), claims.to_string(), Algorithm::Ed25519)
}

pub(crate) fn with_claim(name: &str, member: Value) -> String {
    with_claims(&with(good_claims(), name, member))
}

pub(crate) fn with_header(header: &Value) -> String {
    mint(&header.to_string(), good_claims().to_string(), Algorithm::Ed25519)
}

pub(crate) fn with_header_member(name: &str, member: Value) -> String {
    with_header(&with(header(Algorithm::Ed25519), name, member))
}

pub(crate) fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

fn theirs(by: Algorithm) -> jsonwebtoken::Algorithm {
    match by {
        Algorithm::Ed25519 => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
    }
}

fn signing_key(by: Algorithm) -> EncodingKey {
    match by {
        // RFC 8037 A.1 and RFC 7515 A.3, A.1: `d`, `d` and `k`.
        Algorithm::Ed25519 => EncodingKey::from_ed_der(&pkcs8(
            "MC4CAQAwBQYDK2VwBCIEIA",
            "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        )),
        Algorithm::Es256 => EncodingKey::from_ec_der(&pkcs8(
            "MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCA",
            "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
        )),
        Algorithm::Hs256 => EncodingKey::from_secret(&decoded(
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        )),
        Algorithm::Ps256 | Algorithm::Rs256 => {
            EncodingKey::from_rsa_pem(include_bytes!("../vectors/rsa-test-key.pem")).unwrap()
        }
    }
}

/// A private key with the fixed head of its PKCS #8 structure before it (RFC 8410, RFC 5915).
fn pkcs8(head: &str, private: &str) -> Vec<u8> {
    [decoded(head), decoded(private)].concat()
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
