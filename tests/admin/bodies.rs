//! The bodies of writes, and their mistakes.

use serde_json::json;
use tollgate::admin::{Change, body};
use tollgate::config::Config;

use crate::NOW;
use crate::bindings::Vars;

#[test]
fn keys_are_read_and_mistakes_named() {
    let read = |body: &str| body::key(body, "id".to_owned(), NOW);
    let all = r#"{"name":"ü","member":"m","scopes":["a"],"expires_at":"2027-01-01T00:00:00Z"}"#;
    let Ok(Change::Key(key)) = read(all) else { panic!("a key") };
    assert_eq!((key.name.as_deref(), key.member.as_deref()), (Some("ü"), Some("m")));
    assert_eq!((key.scopes.as_slice(), key.created_at), (&["a".to_owned()][..], Some(NOW)));
    assert!(read("{}").is_ok() && read(r#"{"name":null,"scopes":null,"expires_at":null}"#).is_ok());
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(201));
    let many = json!({"scopes": vec!["a"; 51]}).to_string();
    for (body, said) in [
        ("", "JSON"),
        ("[]", "object"),
        (r#"{"name":""}"#, "name: expected"),
        (r#"{"name":7}"#, "found 7"),
        (r#"{"name":"a\nb"}"#, "one line"),
        (&long, "200 bytes"),
        (&many, "1 to 50"),
        (r#"{"scopes":[]}"#, "leave it out"),
        (r#"{"scopes":"a"}"#, "scopes:"),
        (r#"{"scopes":[7]}"#, "scopes:"),
        (r#"{"expires_at":"2026-12-01T00:00:00Z"}"#, "to come"),
        (r#"{"expires_at":7}"#, "found 7"),
        (r#"{"id":"a"}"#, "unknown field \"id\""),
        (r#"{"name":"a","name":"b"}"#, "twice"),
    ] {
        let error = read(body).unwrap_err();
        assert!(error.contains(said) && error.ends_with('.'), "{body}: {error}");
    }
}

#[test]
fn rotations_say_how_long_the_old_key_works() {
    let read = |body: &str| body::rotation(body, "a".to_owned(), "b".to_owned());
    for good in [0_u64, 1, 2_592_000] {
        assert!(read(&json!({"overlap_s": good}).to_string()).is_ok());
    }
    for bad in ["{}", r#"{"overlap_s":-1}"#, r#"{"overlap_s":2592001}"#, r#"{"overlap_s":"1"}"#] {
        assert!(read(bad).unwrap_err().contains("0 to 2592000"), "{bad}");
    }
}

#[test]
fn tokens_are_revoked_by_id_or_by_time() {
    let read = |body: &str| body::revocation(body, NOW);
    assert_eq!(read(r#"{"token_id":"t"}"#), Ok(Change::RevokeToken("t".to_owned())));
    let soon = r#"{"issued_before":"2026-12-01T00:05:00Z"}"#;
    assert_eq!(read(soon), Ok(Change::RevokeBefore(NOW.plus_seconds(300))), "clocks disagree");
    assert!(read(r#"{"issued_before":"2026-12-01T00:05:00.001Z"}"#).is_err());
    assert!(read(r#"{"issued_before":7}"#).is_err());
}

#[test]
fn only_plans_by_their_ids_are_taken() {
    let plans = json!([{"id": "pro", "prices": ["price_1"]}]);
    let vars = Vars::default()
        .with_resource("LEDGER")
        .with("ORIGIN", json!("https://o.example"))
        .with("ROUTES", json!([{"match": "/**", "open": true}]))
        .with("PLANS", plans);
    let config = Config::parse(&vars).unwrap();
    assert!(body::record(r#"{"plan":"pro","status":"active"}"#, &config).is_ok());
    for plan in [r#"{"plan":"price_1"}"#, r#"{"plan":"pro","add_ons":["gold"]}"#] {
        assert!(body::record(plan, &config).unwrap_err().contains("it has pro"), "{plan}");
    }
    assert!(body::nothing("").is_ok() && body::nothing("{}").is_ok());
    assert!(body::nothing(r#"{"a":1}"#).is_err());
}
