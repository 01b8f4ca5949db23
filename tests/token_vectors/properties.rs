//! Properties of every input.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Map, Value};
use tollgate::token::{Algorithm, KeyRing, KeyRingKind, Unverified};

use crate::any_json::any_leaf;
use crate::bench::{admit, good_claims, good_token, header, mapping, mint, now, ring_for, rules};

/// The text that is handed out to be verified is the text that came, all of it.
fn assert_faithful(text: &str) -> Result<(), TestCaseError> {
    if let Ok(unverified) = Unverified::parse(text) {
        let signature = URL_SAFE_NO_PAD.encode(unverified.signature());
        prop_assert_eq!(text, format!("{}.{signature}", unverified.signed_text()));
        if let Ok(check) = ring_for(text).signature_check(&unverified) {
            prop_assert_eq!(text, format!("{}.{signature}", check.signed));
            prop_assert!((1..=4).contains(&check.keys.len()));
            prop_assert!(check.keys.iter().all(|key| key.algorithms.contains(&check.algorithm)));
        }
    }
    Ok(())
}

fn json() -> impl Strategy<Value = Value> {
    let texts = prop_oneof![6 => ".{0,8}", 1 => Just("https://api.example".to_owned())];
    let leaf = any_leaf(texts);
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-c]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

const CLAIMS: [&str; 8] = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub", "scope"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_refused_or_kept_as_it_is(text in any::<String>()) {
        assert_faithful(&text)?;
    }

    #[test]
    fn any_text_of_the_right_letters_is_refused_or_kept_as_it_is(text in "[A-Za-z0-9_.-]{0,200}") {
        assert_faithful(&text)?;
    }

    #[test]
    fn any_header_and_payload_are_refused_or_kept_as_they_are(header in json(), payload in json()) {
        assert_faithful(&mint(&header.to_string(), payload.to_string(), Algorithm::Hs256))?;
    }

    #[test]
    fn a_token_changed_anywhere_is_never_admitted(
        by in prop::sample::select(vec![Algorithm::Ed25519, Algorithm::Hs256]),
        edits in prop::collection::vec((0..3_u8, any::<prop::sample::Index>(), "[A-Za-z0-9_.=+/-]|."), 1..4),
    ) {
        let good = good_token(by);
        let mut letters: Vec<char> = good.chars().collect();
        for (edit, index, letter) in edits {
            let index = index.index(letters.len());
            let letter = letter.chars().next().unwrap_or('A');
            match edit {
                0 => letters[index] = letter,
                1 => letters.insert(index, letter),
                _ => drop(letters.remove(index)),
            }
        }
        let bent: String = letters.into_iter().collect();
        assert_faithful(&bent)?;
        prop_assert_eq!(admit(&bent, &rules(), &ring_for(&bent)).is_ok(), bent == good);
    }

    #[test]
    fn any_claim_of_any_shape_has_a_verdict(
        name in prop::sample::select(CLAIMS.to_vec()),
        value in json(),
    ) {
        let mut claims = good_claims();
        claims[name] = value;
        let token = mint(&header(Algorithm::Hs256).to_string(), claims.to_string(), Algorithm::Hs256);
        let unverified = Unverified::parse(&token).unwrap();
        if let Ok(expires_at) = rules().check(&unverified, now()) {
            prop_assert!(expires_at > now());
        }
        if let Ok(found) = mapping().read(unverified.claims()) {
            prop_assert!(!found.identity.account.is_empty());
            let listed = &found.identity.entitlements;
            prop_assert!(listed.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn any_key_set_is_refused_or_holds_keys(
        base in prop::sample::select(vec!["ed", "ec", "oct", "rsa"]),
        member in prop::sample::select(vec!["kty", "crv", "x", "y", "n", "e", "k", "d", "alg", "use", "key_ops", "kid"]),
        value in json(),
    ) {
        let mut set: Value =
            serde_json::from_str(include_str!("../vectors/token-keys.json")).unwrap();
        let keys = set["keys"].as_array_mut().unwrap();
        keys.retain(|key| key["kid"] == base);
        keys[0][member] = value;
        for kind in [KeyRingKind::Fetched, KeyRingKind::Inline, KeyRingKind::Secret] {
            match KeyRing::parse(&set.to_string(), kind) {
                Ok(ring) => prop_assert_eq!(ring.keys().len(), 1),
                Err(error) => prop_assert!(!error.0.is_empty()),
            }
        }
    }
}
