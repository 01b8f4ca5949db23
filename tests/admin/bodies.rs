//! The bodies of writes, and their mistakes.

use serde_json::json;
use tollgate::admin::{Change, body};
use tollgate::config::Config;
use tollgate::identity::AccountName;

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
        let error = read(body).unwrap_err().to_string();
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
        assert!(read(bad).unwrap_err().to_string().contains("0 to 2592000"), "{bad}");
    }
}

#[test]
fn tokens_are_revoked_by_id_or_by_time() {
    let read = |body: &str| body::revocation(body, NOW);
    assert_eq!(read(r#"{"token_id":"t"}"#), Ok(Change::RevokeToken("t".to_owned())));
    let soon = r#"{"issued_before":"2026-12-01T00:05:00Z"}"#;
    assert_eq!(read(soon), Ok(Change::RevokeBefore(NOW.plus_seconds(300))), "clocks disagree");
    assert!(read(r#"{"issued_before":"2026-12-01T00:05:00.001Z"}"#).is_err());
    for (body, code, said) in [
        (r#"{"issued_before":7}"#, "wrong-value", "issued_before: expected an RFC 3339 time"),
        ("{}", "not-one-revocation", "either token_id or issued_before"),
        (
            r#"{"token_id":"t","issued_before":"2026-12-01T00:00:00Z"}"#,
            "not-one-revocation",
            "either",
        ),
        (
            r#"{"token":"t"}"#,
            "unknown-field",
            "The body: unknown field \"token\", expected token_id or",
        ),
    ] {
        let error = read(body).unwrap_err();
        assert_eq!(error.code(), code, "{body}");
        assert!(error.to_string().contains(said), "{body}: {error}");
    }
}

#[test]
fn a_customers_account_is_named_with_or_without_a_tenant() {
    for (body, name) in
        [(r#"{"account":"acme/alice"}"#, "acme/alice"), (r#"{"account":"alice"}"#, "-/alice")]
    {
        assert_eq!(body::account(body), Ok(AccountName::parse(name).unwrap()), "{body}");
    }
    for (body, said) in [
        (
            "{}",
            "account: expected an account's name such as \"-/alice\", a tenant before the slash, found nothing.",
        ),
        (r#"{"account":"a/b/c"}"#, "this has two slashes (one inside of a part is written %2F)."),
        (r#"{"account":"a\nb"}"#, "this has control characters."),
        (r#"{"account":17}"#, "a tenant before the slash, found 17."),
        ("[]", "The body: expected an object such as {\"account\":\"-/alice\"}, found []."),
        ("", "The body isn't JSON: EOF while parsing a value at line 1 column 0."),
    ] {
        let error = body::account(body).unwrap_err().to_string();
        assert!(error.ends_with(said), "{body}: {error}");
    }
}

#[test]
fn only_plans_by_their_ids_are_taken() {
    let plans = json!([{"id": "pro", "prices": ["price_1"]}]);
    let vars = Vars::default()
        .with_objects()
        .with("ORIGIN", json!("https://o.example"))
        .with("ROUTES", json!([{"match": "/**", "open": true}]))
        .with("PLANS", plans);
    let config = Config::parse(&vars).unwrap();
    assert!(body::record(r#"{"plan":"pro","status":"active"}"#, &config).is_ok());
    for plan in [r#"{"plan":"price_1"}"#, r#"{"plan":"pro","add_ons":["gold"]}"#] {
        let error = body::record(plan, &config).unwrap_err();
        assert_eq!(error.code(), "unknown-plan", "{plan}");
        assert!(error.to_string().contains("it has pro"), "{error}");
    }
    assert!(body::nothing("").is_ok() && body::nothing("{}").is_ok());
    assert!(body::nothing(r#"{"a":1}"#).is_err());
}
