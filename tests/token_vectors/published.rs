//! The vectors of RFC 7515 and RFC 8037.

use serde_json::{Value, json};
use tollgate::token::{Algorithm, KeyRing, KeyRingKind, TokenError, Unverified};

use crate::bench::{is_verified, ring_for, verifies};

/// All of RFC 7515 appendix A signs the same claims.
fn claims() -> Value {
    json!({"iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true})
}

fn check(token: &str, ring: &KeyRing, algorithm: Algorithm, kid: Option<&str>) {
    let unverified = Unverified::parse(token).unwrap();
    assert_eq!(Value::Object(unverified.claims().clone()), claims());
    assert_eq!(unverified.issuer(), Some("joe"));
    let check = ring.signature_check(&unverified).unwrap();
    assert_eq!(check.algorithm, algorithm);
    let kids: Vec<_> = check.keys.iter().map(|key| key.kid.as_deref()).collect();
    assert_eq!(kids, [kid]);
    assert!(is_verified(&check));
}

#[test]
fn rfc_7515_a_1_hs256() {
    let token = include_str!("../vectors/rfc7515-a1.jws");
    check(token, &ring_for(token), Algorithm::Hs256, Some("oct"));
}

#[test]
fn rfc_7515_a_2_rs256() {
    let key = include_str!("../vectors/rfc7515-a2-key.json");
    let ring = KeyRing::parse(key, KeyRingKind::Inline).unwrap();
    check(include_str!("../vectors/rfc7515-a2.jws"), &ring, Algorithm::Rs256, None);
}

#[test]
fn rfc_7515_a_3_es256() {
    let token = include_str!("../vectors/rfc7515-a3.jws");
    check(token, &ring_for(token), Algorithm::Es256, Some("ec"));
}

/// The payload of A.4 is a sentence, not claims: the gate refuses the token, but the key it would
/// hand out verifies it.
#[test]
fn rfc_8037_a_4_ed25519() {
    let token = include_str!("../vectors/rfc8037-a4.jws");
    assert_eq!(Unverified::parse(token).unwrap_err(), TokenError::Malformed);

    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let with_claims = Unverified::parse(&format!("{header}.e30.{signature}")).unwrap();
    let check = ring_for(token).signature_check(&with_claims).unwrap();
    assert_eq!(check.algorithm, Algorithm::Ed25519);
    assert!(verifies(&check.keys[0], check.algorithm, signed, &check.signature));
    assert!(!is_verified(&check));
}
