//! Requests that are sent again.

use proptest::prelude::*;
use tollgate::admin::idempotency::KEEP_MS;
use tollgate::admin::{Change, IdempotencyKey};

use crate::{NOW, command, record, store};

fn revoke(id: &str) -> Change {
    Change::RevokeToken(id.to_owned())
}

#[test]
fn the_same_request_is_answered_as_before_for_a_day() {
    let mut store = store();
    let first = command(revoke("a"), Some(("k", "a"))).execute(&mut store, NOW).unwrap();
    assert!(!first.is_replay);
    command(revoke("b"), None).execute(&mut store, NOW).unwrap();
    for (after_ms, is_replay) in [(1, true), (KEEP_MS - 1, true), (KEEP_MS, false)] {
        let now = NOW.plus_ms(after_ms);
        let again = command(revoke("a"), Some(("k", "a"))).execute(&mut store, now).unwrap();
        assert_eq!((again.status, again.is_replay), (200, is_replay));
        assert_eq!(again.body == first.body, is_replay, "b is in there by now");
    }
    assert_eq!(record(&store).revoked_tokens, ["a", "b"]);
}

#[test]
fn another_request_under_the_key_does_nothing() {
    let mut store = store();
    command(revoke("a"), Some(("k", "a"))).execute(&mut store, NOW).unwrap();
    let before = store.clone();
    let other = command(revoke("b"), Some(("k", "b"))).execute(&mut store, NOW).unwrap();
    assert_eq!(other.status, 422);
    assert_eq!(store.account, before.account);
    assert_eq!((store.audit.len(), store.replies), (1, before.replies));
}

#[test]
fn what_was_answered_is_forgotten_by_the_next_write_a_day_later() {
    let mut store = store();
    for number in 0..10 {
        let key = format!("k{number}");
        let now = NOW.plus_ms(number * KEEP_MS / 5);
        command(revoke("a"), Some((&key, "a"))).execute(&mut store, now).unwrap();
    }
    assert_eq!(store.replies.len(), 5);
}

#[test]
fn a_store_that_fails_says_so_before_anything_is_answered() {
    for calls in 0..6 {
        let mut store = store();
        store.calls_left.set(Some(calls));
        let outcome = command(revoke("a"), Some(("k", "a"))).execute(&mut store, NOW);
        assert!(outcome.is_err(), "{calls} calls");
    }
}

#[test]
fn keys_are_printable() {
    for key in ["a", " ", "~", &"x".repeat(255)] {
        assert!(IdempotencyKey::new(key, &[]).is_ok(), "{key}");
    }
    for key in ["", "\n", "é", "\u{7f}", &"x".repeat(256)] {
        assert!(
            IdempotencyKey::new(key, &[]).unwrap_err().to_string().contains("1 to 255"),
            "{key}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_two_requests_have_one_fingerprint(
        left in prop::collection::vec("[a:0-9]{0,3}", 0..4),
        right in prop::collection::vec("[a:0-9]{0,3}", 0..4),
    ) {
        let print = |parts: &[String]| {
            let parts: Vec<_> = parts.iter().map(String::as_str).collect();
            IdempotencyKey::new("k", &parts).unwrap().fingerprint
        };
        prop_assert_eq!(print(&left) == print(&right), left == right);
    }
}
