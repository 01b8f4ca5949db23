//! A good token with bent claims or type, properly signed, each with the exact refusal.

use serde_json::json;
use tollgate::token::{Algorithm, Rules};

use crate::bench::{
    NOW_S, good_claims, header, mint, rules, verdict, verdict_by, with_claim, with_claims,
    with_header, with_header_member, without,
};

#[test]
fn times_are_checked_to_the_second() {
    for (name, member, expected) in [
        ("exp", json!(NOW_S - 29), "admitted"),
        ("exp", json!(NOW_S - 30), "expired"),
        ("exp", json!(0), "expired"),
        ("exp", json!(f64::from(1_799_999_970) + 0.5), "admitted"),
        ("nbf", json!(NOW_S + 30), "admitted"),
        ("nbf", json!(NOW_S + 31), "not-yet-valid"),
        ("nbf", json!(0), "admitted"),
        ("iat", json!(NOW_S + 30), "admitted"),
        ("iat", json!(NOW_S + 31), "not-yet-valid"),
    ] {
        assert_eq!(verdict(&with_claim(name, member.clone())), expected, "{name} {member}");
    }
}

#[test]
fn times_are_numbers() {
    assert_eq!(verdict(&with_claims(&without(good_claims(), "exp"))), "bad-claims");
    assert_eq!(verdict(&with_claims(&without(good_claims(), "iat"))), "admitted");
    for name in ["exp", "nbf", "iat"] {
        for member in [
            json!("1800000600"),
            json!(null),
            json!(true),
            json!([NOW_S]),
            json!({}),
            json!(-1),
            json!(1e300),
            json!(NOW_S * 1_000),
            json!(u64::MAX),
        ] {
            assert_eq!(verdict(&with_claim(name, member.clone())), "bad-claims", "{name} {member}");
        }
    }
    // Written as text, since no JSON library would write these.
    for number in
        ["NaN", "Infinity", "-Infinity", "1e999", "0x6B49D258", "01800000600", "1800000600."]
    {
        let claims = good_claims().to_string().replace("1800000600", number);
        let token = mint(&header(Algorithm::Ed25519).to_string(), claims, Algorithm::Ed25519);
        assert_eq!(verdict(&token), "malformed", "{number}");
    }
}

#[test]
fn audience_and_issuer_are_exact() {
    for (name, member, expected) in [
        ("aud", json!(["x", "https://api.example"]), "admitted"),
        ("aud", json!("second"), "admitted"),
        ("aud", json!(["x", "y"]), "wrong-audience"),
        ("aud", json!([]), "wrong-audience"),
        ("aud", json!(""), "wrong-audience"),
        ("aud", json!("https://api.example/"), "wrong-audience"),
        ("aud", json!("HTTPS://api.example"), "wrong-audience"),
        ("aud", json!("https://api.example second"), "wrong-audience"),
        ("aud", json!(["https://api.example", 7]), "bad-claims"),
        ("aud", json!([["https://api.example"]]), "bad-claims"),
        ("aud", json!({"https://api.example": true}), "bad-claims"),
        ("aud", json!(null), "bad-claims"),
        ("iss", json!("https://issuer.example/"), "unknown-issuer"),
        ("iss", json!("https://issuer.example\u{0}"), "unknown-issuer"),
        ("iss", json!("https://Issuer.example"), "unknown-issuer"),
        ("iss", json!(["https://issuer.example"]), "unknown-issuer"),
        ("iss", json!(null), "unknown-issuer"),
    ] {
        assert_eq!(verdict(&with_claim(name, member.clone())), expected, "{name} {member}");
    }
    assert_eq!(verdict(&with_claims(&without(good_claims(), "aud"))), "wrong-audience");
    assert_eq!(verdict(&with_claims(&without(good_claims(), "iss"))), "unknown-issuer");
}

#[test]
fn the_type_is_checked() {
    let any = rules();
    let access = Rules { typ: Some("at+jwt".to_owned()), ..rules() };
    let long_form = Rules { typ: Some("application/AT+JWT".to_owned()), ..rules() };
    let own = Rules { typ: Some("entitlement+jwt".to_owned()), ..rules() };
    for (typ, by_any, by_access, by_own) in [
        ("JWT", "admitted", "wrong-type", "wrong-type"),
        ("jwt", "admitted", "wrong-type", "wrong-type"),
        ("application/jwt", "admitted", "wrong-type", "wrong-type"),
        ("at+jwt", "admitted", "admitted", "wrong-type"),
        ("AT+JWT", "admitted", "admitted", "wrong-type"),
        ("Application/at+jwt", "admitted", "admitted", "wrong-type"),
        ("application/x/at+jwt", "wrong-type", "wrong-type", "wrong-type"),
        ("text/at+jwt", "wrong-type", "wrong-type", "wrong-type"),
        ("dpop+jwt", "wrong-type", "wrong-type", "wrong-type"),
        ("entitlement+jwt", "wrong-type", "wrong-type", "admitted"),
        ("", "wrong-type", "wrong-type", "wrong-type"),
    ] {
        let token = with_header_member("typ", json!(typ));
        assert_eq!(verdict_by(&token, &any), by_any, "{typ}");
        assert_eq!(verdict_by(&token, &access), by_access, "{typ}");
        assert_eq!(verdict_by(&token, &long_form), by_access, "{typ}");
        assert_eq!(verdict_by(&token, &own), by_own, "{typ}");
    }
    let untyped = with_header(&without(header(Algorithm::Ed25519), "typ"));
    assert_eq!(verdict_by(&untyped, &any), "admitted");
    assert_eq!(verdict_by(&untyped, &access), "wrong-type");
}

#[test]
fn the_lifetime_may_be_bounded() {
    let bounded = Rules { max_lifetime_s: Some(660), ..rules() };
    assert_eq!(verdict_by(&with_claims(&good_claims()), &bounded), "admitted");
    for (name, member, expected) in [
        ("exp", json!(NOW_S + 601), "lifetime-too-long"),
        ("exp", json!(253_402_300_799_u64), "lifetime-too-long"),
        ("iat", json!(0), "lifetime-too-long"),
    ] {
        assert_eq!(verdict_by(&with_claim(name, member), &bounded), expected);
    }
    let dateless = with_claims(&without(good_claims(), "iat"));
    assert_eq!(verdict_by(&dateless, &bounded), "bad-claims");
}

#[test]
fn claims_are_read_after_the_signature() {
    assert_eq!(verdict(&with_claims(&without(good_claims(), "sub"))), "bad-claims");
    assert_eq!(verdict(&with_claim("sub", json!(42))), "admitted");
    assert_eq!(verdict(&with_claim("scope", json!([1]))), "bad-claims");
    assert_eq!(verdict(&with_claim("jti", json!({}))), "bad-claims");
}
