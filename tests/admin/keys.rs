//! API keys in the account's record.

use tollgate::account::ApiKey;
use tollgate::admin::Change;
use tollgate::admin::change::MAX_KEYS;

use crate::memory_store::MemoryStore;
use crate::{NOW, change, record, store};

fn key(id: &str) -> Change {
    Change::Key(Box::new(ApiKey {
        id: id.to_owned(),
        scopes: vec!["export".to_owned()],
        created_at: Some(NOW),
        ..ApiKey::default()
    }))
}

fn rotate(id: &str, successor: &str, overlap_s: u64) -> Change {
    Change::RotateKey { id: id.to_owned(), successor: successor.to_owned(), overlap_s }
}

#[test]
fn a_key_is_added_and_revoked_for_good() {
    let mut store = store();
    let made = change(&mut store, key("one"), NOW);
    assert_eq!(made.status, 201);
    assert!(made.body.contains(r#""id":"one""#) && made.body.contains(r#""prefix":"tg_one""#));
    let revoke = || Change::RevokeKey("one".to_owned());
    let later = NOW.plus_seconds(60);
    for now in [later, later.plus_seconds(60)] {
        assert_eq!(change(&mut store, revoke(), now).status, 204);
    }
    assert_eq!(record(&store).keys[0].revoked_at, Some(later), "once");
    assert!(!record(&store).keys[0].works(later));
    let actions: Vec<_> = store.audit.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["add-key", "revoke-key"]);
    assert_eq!(change(&mut store, rotate("one", "two", 60), later).status, 409, "it is over");
}

#[test]
fn a_rotated_key_works_on_for_the_overlap_and_never_longer_than_it_did() {
    let mut store = store();
    change(&mut store, key("one"), NOW);
    let made = change(&mut store, rotate("one", "two", 60), NOW.plus_seconds(10));
    assert_eq!(made.status, 201);
    let [one, two] = record(&store).keys.as_slice() else { panic!("two keys") };
    assert_eq!(one.expires_at, Some(NOW.plus_seconds(70)));
    assert!(one.works(NOW.plus_seconds(69)) && !one.works(NOW.plus_seconds(70)));
    assert_eq!((two.replaces.as_deref(), &two.scopes), (Some("one"), &one.scopes));
    assert_eq!((two.expires_at, two.created_at), (None, Some(NOW.plus_seconds(10))));
    change(&mut store, rotate("one", "three", 3_600), NOW.plus_seconds(20));
    assert_eq!(record(&store).keys[0].expires_at, Some(NOW.plus_seconds(70)));
    change(&mut store, rotate("two", "four", 0), NOW.plus_seconds(30));
    assert!(!record(&store).keys[1].works(NOW.plus_seconds(30)), "at once");
}

#[test]
fn there_have_to_be_an_account_and_a_key() {
    for wanted in [key("a"), rotate("a", "b", 0), Change::RevokeKey("a".to_owned())] {
        let mut nobody = MemoryStore::default();
        let is_new = matches!(wanted, Change::Key(_));
        assert_eq!(change(&mut nobody, wanted.clone(), NOW).status, 404);
        assert_eq!(nobody.account, None);
        if !is_new {
            assert_eq!(change(&mut store(), wanted, NOW).status, 404);
        }
    }
}

#[test]
fn what_works_no_more_makes_room_and_what_works_does_not() {
    let mut store = store();
    for number in 0..MAX_KEYS {
        assert_eq!(change(&mut store, key(&format!("k{number}")), NOW).status, 201);
    }
    let before = store.clone();
    assert_eq!(change(&mut store, key("more"), NOW).status, 409);
    assert_eq!(change(&mut store, rotate("k1", "more", 60), NOW).status, 409);
    assert_eq!(store.account, before.account, "also not the old key's end");
    change(&mut store, Change::RevokeKey("k3".to_owned()), NOW);
    assert_eq!(change(&mut store, key("more"), NOW).status, 201);
    let ids: Vec<_> = record(&store).keys.iter().map(|key| key.id.as_str()).collect();
    assert_eq!((ids.len(), ids.contains(&"k3"), ids.contains(&"more")), (MAX_KEYS, false, true));
}
