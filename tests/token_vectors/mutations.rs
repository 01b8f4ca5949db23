//! A good token whose form, header, key or signature is bent, each with the exact refusal.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, crypto};
use serde_json::{Value, json};
use tollgate::token::{Algorithm, KeyRing, KeyRingKind, MAX_TOKEN_BYTES};

use crate::bench::{
    EVERY_ALGORITHM, admit, good_claims, good_token, header, mint, now, parts, ring_for, rules,
    verdict, with, with_claim, with_header_member,
};

#[test]
fn good_tokens_are_admitted() {
    for by in EVERY_ALGORITHM {
        let good = good_token(by);
        let (found, expires_at) = admit(&good, &rules(), &ring_for(&good)).unwrap();
        assert_eq!(found.identity.account, "acme");
        assert_eq!(found.identity.entitlements, ["read", "write"]);
        assert_eq!(expires_at, now().plus_seconds(600 + 30));
        let nameless = mint(&json!({"alg": by.name()}).to_string(), good_claims().to_string(), by);
        assert_eq!(verdict(&nameless), "admitted", "{by:?} without kid");
    }
    assert_eq!(verdict(&with_header_member("alg", json!("EdDSA"))), "admitted");
}

#[test]
fn every_changed_character_is_noticed() {
    for by in [Algorithm::Ed25519, Algorithm::Es256, Algorithm::Hs256] {
        let token = good_token(by);
        for (index, byte) in token.bytes().enumerate() {
            for replacement in [b'A', b'_', b'=', b'.'] {
                if byte != replacement {
                    let mut bent = token.clone().into_bytes();
                    bent[index] = replacement;
                    let bent = String::from_utf8(bent).unwrap();
                    assert_ne!(verdict(&bent), "admitted", "{by:?} at {index}: {bent}");
                }
            }
        }
    }
}

#[test]
fn a_foreign_part_breaks_the_signature() {
    for by in EVERY_ALGORITHM {
        let good = good_token(by);
        let other_claims = with(good_claims(), "sub", json!("other"));
        let other =
            mint(&with(header(by), "typ", json!("jwt")).to_string(), other_claims.to_string(), by);
        let [good_header, good_payload, good_signature] = parts(&good);
        let [other_header, other_payload, other_signature] = parts(&other);
        for (header, payload, signature) in [
            (other_header, good_payload, good_signature),
            (good_header, other_payload, good_signature),
            (good_header, good_payload, other_signature),
        ] {
            let bent = format!("{header}.{payload}.{signature}");
            assert_eq!(verdict(&bent), "bad-signature", "{by:?}");
        }
        assert_eq!(verdict(&other), "admitted");
    }
}

#[test]
fn the_form_is_exact() {
    let good = good_token(Algorithm::Ed25519);
    let [header, payload, signature] = parts(&good);
    let bent_end = |text: &str, last: char| {
        let mut text = text.to_owned();
        text.pop();
        format!("{text}{last}")
    };
    let standard = STANDARD_NO_PAD.encode(URL_SAFE_NO_PAD.decode(signature).unwrap());
    assert_ne!(standard, signature, "the vector has to hold a character that differs");
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.{signature}."),
        format!("{good}.{signature}"),
        format!("{good}.{payload}.{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{good}="),
        format!("{good}=="),
        format!("{header}=.{payload}.{signature}"),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{header}.\n{payload}.{signature}"),
        format!("{header}.{payload}.{standard}"),
        format!("{header}.{payload}.{}", bent_end(signature, 'B')),
        format!("Bearer {good}"),
        format!("\u{feff}{good}"),
        json!({"protected": header, "payload": payload, "signature": signature}).to_string(),
    ] {
        assert_eq!(verdict(&token), "malformed", "{token:?}");
    }
}

#[test]
fn size_is_bounded_before_anything_is_decoded() {
    let filled = |bytes: usize| with_claim("note", json!("x".repeat(bytes)));
    assert_eq!(verdict(&filled(5_000)), "admitted");
    assert_eq!(verdict(&filled(6_500)), "too-large");
    assert_eq!(verdict(&".".repeat(MAX_TOKEN_BYTES)), "malformed");
    assert_eq!(verdict(&".".repeat(MAX_TOKEN_BYTES + 1)), "too-large");
}

#[test]
fn json_has_one_meaning() {
    let good_header = header(Algorithm::Ed25519).to_string();
    let good_claims = good_claims().to_string();
    let before_end =
        |text: &str, more: &str| format!("{},{more}}}", text.strip_suffix('}').unwrap());
    for (header, payload) in [
        (before_end(&good_header, r#""alg":"EdDSA""#), good_claims.clone()),
        (before_end(&good_header, r#""\u0061lg":"none""#), good_claims.clone()),
        (good_header.clone(), before_end(&good_claims, r#""sub":"victim""#)),
        (good_header.clone(), before_end(&good_claims, r#""deep":{"a":1,"a":2}"#)),
        (
            good_header.clone(),
            before_end(&good_claims, &format!(r#""deep":{}1{}"#, "[".repeat(40), "]".repeat(40))),
        ),
        (good_header.clone(), format!("{good_claims}{good_claims}")),
        (good_header.clone(), "[]".to_owned()),
        (good_header.clone(), "\"text\"".to_owned()),
        (good_header.clone(), "null".to_owned()),
        (good_header.clone(), String::from("not json")),
        ("[]".to_owned(), good_claims.clone()),
        ("{}".to_owned(), good_claims.clone()),
    ] {
        let token = mint(&header, &payload, Algorithm::Ed25519);
        assert_eq!(verdict(&token), "malformed", "{header} {payload}");
    }
    let latin_1 = [b"{\"sub\":\"".as_slice(), &[0xfc], b"\"}"].concat();
    assert_eq!(verdict(&mint(&good_header, latin_1, Algorithm::Ed25519)), "malformed");
    let utf_16: Vec<u8> = good_claims.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(verdict(&mint(&good_header, utf_16, Algorithm::Ed25519)), "malformed");
}

#[test]
fn header_members_are_judged() {
    let long = "k".repeat(257);
    for (name, member, expected) in [
        ("alg", json!("none"), "unsupported-algorithm"),
        ("alg", json!("None"), "unsupported-algorithm"),
        ("alg", json!(""), "unsupported-algorithm"),
        ("alg", json!("eddsa"), "unsupported-algorithm"),
        ("alg", json!("ES256"), "unsupported-algorithm"),
        ("alg", json!("ES384"), "unsupported-algorithm"),
        ("alg", json!("HS256"), "unsupported-algorithm"),
        ("alg", json!(["EdDSA"]), "malformed"),
        ("alg", json!(null), "malformed"),
        ("kid", json!("ec"), "unsupported-algorithm"),
        ("kid", json!("unheard of"), "unknown-key"),
        ("kid", json!("ED"), "unknown-key"),
        ("kid", json!("ed "), "unknown-key"),
        ("kid", json!("../../dev/null"), "unknown-key"),
        ("kid", json!(""), "unknown-key"),
        ("kid", json!(7), "malformed"),
        ("kid", json!(null), "malformed"),
        ("kid", json!(long), "malformed"),
        ("crit", json!(["exp"]), "critical-header"),
        ("crit", json!([]), "critical-header"),
        ("crit", json!(null), "critical-header"),
        ("b64", json!(false), "critical-header"),
        ("b64", json!(true), "critical-header"),
        ("typ", json!(7), "malformed"),
        // Keys from the token are never looked at: not trusted, not fetched, not a reason to
        // refuse.
        ("jku", json!("https://evil.example/keys"), "admitted"),
        ("x5u", json!("https://evil.example/cert"), "admitted"),
        ("jwk", json!({"kty": "oct", "k": "AAAA"}), "admitted"),
        ("x5c", json!(["MIIB"]), "admitted"),
    ] {
        let token = with_header_member(name, member.clone());
        assert_eq!(verdict(&token), expected, "{name}: {member}");
    }
}

#[test]
fn an_embedded_key_signs_for_nobody() {
    let other = EncodingKey::from_secret(&[7; 32]);
    let jwk = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode([7; 32]), "kid": "oct"});
    let header = with(header(Algorithm::Hs256), "jwk", jwk);
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(good_claims().to_string())
    );
    let signature =
        crypto::sign(signed.as_bytes(), &other, jsonwebtoken::Algorithm::HS256).unwrap();
    assert_eq!(verdict(&format!("{signed}.{signature}")), "bad-signature");
}

/// The classic: HMAC with the public key as secret, in every form the attacker may have it in.
#[test]
fn a_public_key_is_no_secret() {
    let all: Value = serde_json::from_str(include_str!("../vectors/token-keys.json")).unwrap();
    let rsa = all["keys"].as_array().unwrap().iter().find(|key| key["kid"] == "rsa").unwrap();
    let public_ring = KeyRing::parse(&rsa.to_string(), KeyRingKind::Inline).unwrap();
    let modulus = rsa["n"].as_str().unwrap();
    for secret in [
        modulus.as_bytes().to_vec(),
        URL_SAFE_NO_PAD.decode(modulus).unwrap(),
        public_ring.keys()[0].jwk.clone().into_bytes(),
    ] {
        for header in [json!({"alg": "HS256", "kid": "rsa"}), json!({"alg": "HS256"})] {
            let signed = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(header.to_string()),
                URL_SAFE_NO_PAD.encode(good_claims().to_string())
            );
            let key = EncodingKey::from_secret(&secret);
            let signature =
                crypto::sign(signed.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
            let token = format!("{signed}.{signature}");
            let refused = admit(&token, &rules(), &public_ring).unwrap_err();
            assert_eq!(refused.code(), "unsupported-algorithm");
        }
    }
}

#[test]
fn a_key_bound_to_one_algorithm_takes_no_other() {
    let all: Value = serde_json::from_str(include_str!("../vectors/token-keys.json")).unwrap();
    let rsa = all["keys"].as_array().unwrap().iter().find(|key| key["kid"] == "rsa").unwrap();
    let only_ps256 = with(rsa.clone(), "alg", json!("PS256")).to_string();
    let ring = KeyRing::parse(&only_ps256, KeyRingKind::Inline).unwrap();
    assert!(admit(&good_token(Algorithm::Ps256), &rules(), &ring).is_ok());
    let refused = admit(&good_token(Algorithm::Rs256), &rules(), &ring).unwrap_err();
    assert_eq!(refused.code(), "unsupported-algorithm");
}

#[test]
fn a_signature_of_the_wrong_length_costs_no_verification() {
    for (by, bytes) in [
        (Algorithm::Ed25519, 63),
        (Algorithm::Ed25519, 65),
        // DER, the default of an ECDSA library.
        (Algorithm::Es256, 70),
        (Algorithm::Hs256, 16),
        (Algorithm::Rs256, 128),
        (Algorithm::Ps256, 257),
    ] {
        let good = good_token(by);
        let [header, payload, _] = parts(&good);
        let token = format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(vec![1; bytes]));
        assert_eq!(verdict(&token), "bad-signature", "{by:?} {bytes}");
    }
}
