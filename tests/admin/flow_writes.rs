//! Writes that are sent again, keys and their secrets, and customers that are read again.

use std::rc::Rc;

use tollgate::account::ApiKey;
use tollgate::admin::{Change, End, Refusal};
use tollgate::billing::inbox::InboxRequest;

use crate::flow::{Edge, json, refusal};
use crate::{NOW, change};

const CREDITS: &str = "POST admin/accounts/-/alice/credits";
const KEYS: &str = "POST admin/accounts/-/alice/keys";
const REREAD: &str = "POST admin/accounts/-/alice/reread";

fn replayed(end: &End) -> bool {
    let answer = end.answer("POST", "/");
    answer.headers.iter().any(|(name, value)| *name == "Idempotency-Replayed" && value == "true")
}

#[test]
fn a_write_that_is_sent_again_is_answered_as_before() {
    let mut edge = Edge::new();
    let first = edge.ask_once(CREDITS, r#"{"id":"a","units":5}"#, "k");
    let again = edge.ask_once(CREDITS, r#"{"id":"a","units":5}"#, "k");
    assert_eq!((replayed(&first), replayed(&again)), (false, true));
    assert_eq!(json(first), json(again));
    assert_eq!(edge.store.audit.len(), 1);
    let other = refusal(edge.ask_once(CREDITS, r#"{"id":"a","units":6}"#, "k"));
    assert_eq!((other.status(), other.code()), (422, "refused-by-ledger"));
    let elsewhere = edge.ask_once(KEYS, r#"{"id":"a","units":5}"#, "k");
    assert_eq!(refusal(elsewhere).status(), 400, "the body comes before the ledger");
}

#[test]
fn a_refusal_by_the_ledger_stays_one() {
    let mut edge = Edge::new();
    edge.ask(CREDITS, r#"{"id":"a","units":5}"#);
    let first = edge.ask_once(CREDITS, r#"{"id":"a","units":6}"#, "k");
    let again = edge.ask_once(CREDITS, r#"{"id":"a","units":6}"#, "k");
    assert_eq!((replayed(&first), replayed(&again)), (false, true));
    let (first, again) = (refusal(first), refusal(again));
    assert_eq!((first.status(), first.detail()), (409, again.detail()));
    assert!(first.detail().contains("A pack of this id was added before"), "{first:?}");
}

#[test]
fn the_list_of_accounts_is_written_again_with_a_replay() {
    let mut edge = Edge::new();
    let put = "PUT admin/accounts/acme/bob";
    for is_replay in [false, true] {
        let end = edge.ask_once(put, r#"{"plan":"pro","status":"active"}"#, "k");
        assert_eq!(replayed(&end), is_replay);
        assert_eq!(edge.needs, ["body", "execute", "inbox"]);
        let Some(InboxRequest::PutAccount(summary)) = edge.asked_of_inbox.take() else {
            panic!("a summary")
        };
        assert_eq!((summary.account.as_str(), summary.status.as_str()), ("acme/bob", "active"));
    }
    edge.ask_once(put, r#"{"plan":"free","status":"active"}"#, "k");
    assert_eq!((edge.needs.as_slice(), edge.asked_of_inbox), (&["body", "execute"][..], None));
}

#[test]
fn the_secret_of_a_key_is_shown_once_and_its_hash_is_filed() {
    let mut edge = Edge::new();
    let made = json(edge.ask_once(KEYS, r#"{"name":"ci","member":"m"}"#, "k"));
    let (_, text) = made.split_once(r#""secret":""#).unwrap();
    let text = text.strip_suffix("\"}").unwrap();
    assert!(ApiKey::is_ours(text, &edge.config.as_ref().unwrap().gate_secrets), "{text}");
    let (directory, hash, owner) = edge.filed.take().unwrap();
    assert_eq!((hash.as_str(), directory), (&*ApiKey::hash(text), ApiKey::directory(&hash)));
    assert_eq!((owner.account.as_str(), owner.key.as_str()), ("-/alice", "axxbcdef"));
    assert_eq!(owner.member.as_deref(), Some("m"));
    let again = edge.ask_once(KEYS, r#"{"name":"ci","member":"m"}"#, "k");
    assert!(replayed(&again));
    assert_eq!(edge.needs, ["body", "random", "execute"], "nothing is filed");
    let shown = made.split_once(r#","secret""#).unwrap().0;
    let again = json(again);
    assert!(again.starts_with(&format!(r#"{shown},"secret":null,"note":"This key"#)), "{again}");
    for text in [again, format!("{:?}", edge.store)] {
        assert!(!text.contains(&"s".repeat(43)), "{text}");
    }
    assert_eq!(edge.store.account.as_ref().unwrap().keys.len(), 1);
}

#[test]
fn a_rotated_key_is_filed_for_the_same_member() {
    let mut edge = Edge::new();
    let key = ApiKey { id: "old".to_owned(), member: Some("m".to_owned()), ..ApiKey::default() };
    change(&mut edge.store, Change::Key(Box::new(key)), NOW);
    let target = "POST admin/accounts/-/alice/keys/old/rotate";
    let made = edge.ask(target, r#"{"overlap_s":60}"#);
    let End::Done(done) = made else { panic!("{made:?}") };
    assert_eq!(done.status, 201);
    assert!(done.json.contains(r#""replaces":"old""#), "{}", done.json);
    let (_, _, owner) = edge.filed.take().unwrap();
    assert_eq!((owner.key.as_str(), owner.member.as_deref()), ("axxbcdef", Some("m")));
    let unknown =
        refusal(edge.ask("POST admin/accounts/-/alice/keys/x/rotate", r#"{"overlap_s":0}"#));
    assert_eq!((unknown.status(), edge.filed), (404, None));
}

#[test]
fn without_a_secret_of_the_gate_no_key_is_made() {
    let mut edge = Edge::new();
    let config = edge.config.as_mut().and_then(Rc::get_mut).unwrap();
    config.gate_secrets.clear();
    let refusal = refusal(edge.ask(KEYS, "{}"));
    assert_eq!((refusal.status(), refusal.code()), (409, "no-gate-secret"));
    assert_eq!(edge.needs, ["body", "random"]);
}

#[test]
fn reading_customers_again_is_noted_and_counted() {
    let mut edge = Edge { customers: Ok(2), ..Edge::new() };
    let record = r#"{"plan":"pro","status":"active"}"#;
    let answer = json(edge.ask(REREAD, ""));
    assert_eq!(answer, format!(r#"{{"read":2,"record":{record}}}"#));
    assert_eq!(edge.store.audit[0].action, "reread");
    edge.store.account = None;
    assert_eq!(json(edge.ask(REREAD, "")), r#"{"read":2,"record":null}"#);
    edge.customers = Ok(0);
    let nobody = refusal(edge.ask(REREAD, ""));
    assert_eq!((nobody.status(), nobody.detail().as_ref()), (404, "There is no such account."));
    assert_eq!(edge.store.audit.len(), 1);
}

#[test]
fn a_revoked_key_leaves_nothing_to_say() {
    let mut edge = Edge::new();
    let key = ApiKey { id: "old".to_owned(), ..ApiKey::default() };
    change(&mut edge.store, Change::Key(Box::new(key)), NOW);
    let answer = edge.ask("DELETE admin/accounts/-/alice/keys/old", "").answer("DELETE", "/");
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert!(answer.headers.iter().all(|(name, _)| *name != "Content-Type"));
    let refusal = refusal(edge.ask("DELETE admin/accounts/-/alice/keys/old", r#"{"x":1}"#));
    assert!(matches!(refusal, Refusal::Invalid(_)), "{refusal:?}");
}

#[test]
fn lists_come_in_pages() {
    let mut edge = Edge::new();
    for id in ["a", "b", "c"] {
        edge.ask(CREDITS, &format!(r#"{{"id":"{id}","units":1}}"#));
        let key = ApiKey { id: id.to_owned(), ..ApiKey::default() };
        change(&mut edge.store, Change::Key(Box::new(key)), NOW);
    }
    for (list, entries) in [("audit", 6), ("credits", 3), ("keys", 3), ("subscriptions", 1)] {
        let mut query = "limit=2".to_owned();
        let mut seen = 0;
        loop {
            let target = format!("GET admin/accounts/-/alice/{list}?{query}");
            let page: serde_json::Value =
                serde_json::from_str(&json(edge.ask(&target, ""))).unwrap();
            let items = page["items"].as_array().unwrap().len();
            assert!((1..=2).contains(&items), "{list}: {page}");
            seen += items;
            let Some(next) = page["next_cursor"].as_str() else { break };
            query = format!("limit=2&cursor={next}");
        }
        assert_eq!(seen, entries, "{list}");
    }
    let audit = json(edge.ask("GET admin/accounts/-/alice/audit?limit=1", ""));
    assert!(
        audit.starts_with(
            r#"{"items":[{"at":"2026-12-01T00:00:00Z","actor":"ben","action":"add-key","detail":{"id":"c","created_at":null,"prefix":"tg_c"}}],"#
        ),
        "{audit}"
    );
}
