//! The needs of every operation, in their order, and its answer.

use tollgate::account::{ApiKey, Provider};
use tollgate::admin::{End, OPERATIONS, Refusal};
use tollgate::billing::BillingEvent;
use tollgate::billing::inbox::{
    Claim, CustomerKey, CustomerRow, EventKey, EventRow, EventState, InboxRequest, Link, Linked,
};
use tollgate::billing::run::RunError;
use tollgate::identity::AccountName;

use crate::NOW;
use crate::flow::{Edge, example, json, refusal, request};

/// Every operation: its target behind `admin/`, a body, its needs, and its answer or a part of it.
const CASES: [(&str, &str, &[&str], &str); 22] = [
    ("GET openapi.json", "", &["document"], "{}"),
    (
        "GET accounts",
        "",
        &["inbox"],
        r#"{"items":[{"account":"-/alice","plan":null,"status":"active","cause":null,"updated_at":"2026-12-01T00:00:00Z"}],"next_cursor":"LS9hbGljZQ"}"#,
    ),
    ("GET accounts/-/alice", "", &["record"], r#"{"plan":"pro","status":"active"}"#),
    (
        "PUT accounts/-/alice",
        r#"{"plan":"free","status":"active"}"#,
        &["body", "execute", "inbox"],
        r#"{"plan":"free","status":"active"}"#,
    ),
    ("GET accounts/-/alice/audit", "", &["audit"], r#"{"items":[],"next_cursor":null}"#),
    ("GET accounts/-/alice/credits", "", &["credits"], r#"{"items":[],"next_cursor":null}"#),
    (
        "POST accounts/-/alice/credits",
        r#"{"id":"a","units":5}"#,
        &["body", "execute"],
        r#"{"id":"a","units":5,"left":5,"added_at":"2026-12-01T00:00:00Z","expires_at":null}"#,
    ),
    ("GET accounts/-/alice/keys", "", &["record"], r#"{"items":[],"next_cursor":null}"#),
    (
        "POST accounts/-/alice/keys",
        r#"{"name":"ci","member":"m"}"#,
        &["body", "random", "execute", "directory"],
        r#"{"id":"axxbcdef","name":"ci","member":"m","created_at":"2026-12-01T00:00:00Z","prefix":"tg_axxbcdef","secret":"tg_axxbcdef_sss"#,
    ),
    ("DELETE accounts/-/alice/keys/a0000000", "", &["body", "execute"], ""),
    (
        "POST accounts/-/alice/keys/a0000000/rotate",
        r#"{"overlap_s":60}"#,
        &["body", "random", "execute", "directory"],
        r#"{"id":"axxbcdef","created_at":"2026-12-01T00:00:00Z","replaces":"a0000000","prefix":"tg_axxbcdef","secret":"tg_axxbcdef_sss"#,
    ),
    (
        "POST accounts/-/alice/reread",
        "{}",
        &["body", "reread", "execute"],
        r#"{"read":0,"record":{"plan":"pro","status":"active"}}"#,
    ),
    (
        "POST accounts/-/alice/revocations",
        r#"{"token_id":"t"}"#,
        &["body", "execute", "inbox"],
        r#"{"plan":"pro","status":"active","revoked_tokens":["t"]}"#,
    ),
    (
        "GET accounts/-/alice/subscriptions",
        "",
        &["record"],
        r#"{"items":[{"plan":"pro","status":"active","standing":{"access":true,"cause":null}}],"next_cursor":null}"#,
    ),
    ("GET accounts/-/alice/usage?plan=free&member=m", "", &["usage"], r#"{"plan":{"id":"free""#),
    (
        "GET conflicts",
        "",
        &["inbox"],
        r#"{"items":[{"provider":"stripe","customer":"cus_1","account":"-/alice","at":"2026-12-01T00:00:00Z","actor":"stripe","decided":false,"conflict":true,"named":[{"account":"-/bob","at":"2026-12-01T00:00:00Z"}]}],"next_cursor":null}"#,
    ),
    (
        "GET customers/stripe/cus_1",
        "",
        &["inbox"],
        r#"{"provider":"stripe","customer":"cus_1","account":"-/alice","at":"2026-12-01T00:00:00Z","actor":"stripe","decided":false,"conflict":true,"named":["#,
    ),
    (
        "PUT customers/stripe/cus_1",
        r#"{"account":"alice"}"#,
        &["body", "inbox", "note", "note"],
        r#"{"provider":"stripe","customer":"cus_1","account":"-/alice","at":"2026-12-01T00:00:00Z","actor":"cleo","decided":true,"conflict":false,"named":[],"released":3}"#,
    ),
    ("GET events?state=failed&provider=stripe", "", &["inbox"], r#"{"items":[{"id":"evt_1","#),
    (
        "GET events/stripe/evt_1",
        "",
        &["inbox"],
        r#"{"id":"evt_1","provider":"stripe","type":"invoice.paid","received_at":"2026-12-01T00:00:00Z","occurred_at":"2026-12-01T00:00:00Z","customer":"cus_1","account":null,"state":"failed","reason":"unreadable","attempts":2,"body":"{\"id\":\"evt_1\"}"}"#,
    ),
    (
        "POST events/stripe/evt_1/retry",
        "",
        &["body", "inbox", "note"],
        r#"{"id":"evt_1","provider":"stripe","type":"invoice.paid","received_at":"2026-12-01T00:00:00Z","occurred_at":"2026-12-01T00:00:00Z","customer":"cus_1","account":null,"state":"failed","reason":"unreadable","attempts":2}"#,
    ),
    (
        "GET outage",
        "",
        &["inbox"],
        r#"{"declared":false,"detected":false,"providers":[],"since":null,"failing_customers":0,"succeeding_customers":0,"window_s":3600}"#,
    ),
];

#[test]
fn every_operation_has_its_needs_in_their_order() {
    for (operation, (target, body, needs, answer)) in OPERATIONS.iter().zip(CASES) {
        let (method, path) = target.split_once(' ').unwrap();
        let bare = path.split('?').next().unwrap();
        assert_eq!((operation.method, example(operation.path)), (method, format!("admin/{bare}")));
        let mut edge = edge_for(target);
        let json = json(edge.ask(&format!("{method} admin/{path}"), body));
        assert_eq!(edge.needs, needs, "{target}");
        assert!(json.starts_with(answer), "{target}: {json}");
        assert!(!answer.ends_with('}') || json == answer, "{target}: {json}");
        if method == "GET" {
            let end = full().ask(&format!("HEAD admin/{path}"), body);
            let answer = end.answer("HEAD", "/");
            assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{target}");
        }
    }
}

#[test]
fn whatever_does_not_answer_is_named_and_503() {
    for (target, body, needs, _) in CASES {
        for down in needs.iter().filter(|need| !matches!(**need, "body" | "random" | "document")) {
            let target = target.replacen(' ', " admin/", 1);
            let mut edge = edge_for(&target);
            edge.down = vec![down];
            edge.customers = Err(RunError::NoApiKey(Provider::Stripe));
            let is_index = *down == "inbox" && needs.contains(&"execute");
            let end = edge.ask(&target, body);
            match *down {
                "reread" => {
                    let refusal = refusal(end);
                    assert_eq!((refusal.status(), refusal.code()), (502, "provider-unreachable"));
                    let reason = "there is no key for the API of stripe";
                    assert!(refusal.detail().contains(&format!("could be read again: {reason}.")));
                }
                _ if edge.needs.contains(&"reread") => {}
                // The inbox sends notes and the state of accounts too.
                "note" => assert!(matches!(end, End::Done(_)), "{target}"),
                _ if is_index => {
                    let line = end.log_line().unwrap();
                    assert!(line.contains("account-index") && line.contains("too late"), "{line}");
                    assert!(matches!(end, End::Done(_)), "{target}");
                }
                "directory" => {
                    let detail = refusal(end).detail().into_owned();
                    assert!(detail.contains("listed and opens nothing"), "{detail}");
                    assert!(!detail.contains("tg_"), "{detail}");
                }
                _ => {
                    let subject =
                        if *down == "inbox" { "The inbox" } else { "The account's ledger" };
                    let refusal = refusal(end);
                    assert_eq!(refusal.status(), 503, "{target}");
                    assert_eq!(refusal.detail(), format!("{subject} did not answer: too late."));
                }
            }
        }
    }
}

#[test]
fn nothing_is_there_yet() {
    for (target, code) in [
        ("GET admin/accounts/-/nobody", "no-account"),
        ("GET admin/accounts/-/nobody/keys", "no-account"),
        ("GET admin/accounts/-/nobody/subscriptions", "no-account"),
        ("GET admin/customers/stripe/cus_1", "no-customer"),
        ("GET admin/events/stripe/evt_1", "no-event"),
        ("POST admin/events/stripe/evt_1/retry", "no-event"),
    ] {
        let mut edge = Edge::new();
        edge.store.account = None;
        let refusal = refusal(edge.ask(target, ""));
        assert_eq!((refusal.status(), refusal.code()), (404, code), "{target}");
    }
}

#[test]
fn the_inbox_is_asked_for_what_the_request_names() {
    let mut edge = full();
    edge.ask("GET admin/events?state=waiting&limit=7&cursor=Mw", "");
    let Some(InboxRequest::Events { filter, cursor, limit }) = edge.asked_of_inbox else {
        panic!("a list of events")
    };
    assert_eq!((filter.state, filter.provider), (Some(EventState::Waiting), None));
    assert_eq!((cursor.as_deref(), limit), (Some("3"), 7));
    let mut edge = full();
    edge.ask("POST admin/events/stripe/evt%2F1/retry", "");
    let event = EventKey { provider: Provider::Stripe, id: "evt/1".to_owned() };
    let retry = InboxRequest::Retry { event, actor: "cleo".to_owned() };
    assert_eq!(edge.asked_of_inbox, Some(retry));
}

#[test]
fn a_customer_of_another_account_takes_the_highest_role() {
    for (token, may) in [("Bearer ben-helps-customers", false), ("Bearer cleo-may-do-it-all", true)]
    {
        let mut edge = full();
        edge.body = Ok(r#"{"account":"acme/bob"}"#.to_owned());
        edge.run(&request("PUT admin/customers/paddle/ctm_1", token));
        let Some(InboxRequest::Link { account, may_move, .. }) = edge.asked_of_inbox else {
            panic!("a link")
        };
        assert_eq!((account.as_str(), may_move), ("acme/bob", may));
    }
    for (before, said) in [(Some("-/eve"), "the account -/eve's"), (None, "name another account")] {
        let mut edge = full();
        let before = before.and_then(|name| AccountName::parse(name).ok());
        edge.linked = Linked { is_refused: true, before: before.clone(), ..Linked::default() };
        let refusal = refusal(edge.ask("PUT admin/customers/stripe/cus_1", r#"{"account":"a"}"#));
        assert_eq!(refusal.status(), 403);
        assert!(refusal.detail().contains(said), "{}", refusal.detail());
        assert_eq!(refusal, Refusal::CustomerTaken { account: before });
        assert!(edge.noted.is_empty());
    }
}

#[test]
fn notes_reach_every_account_that_a_decision_touches() {
    let mut edge = full();
    edge.ask("PUT admin/customers/stripe/cus_1", r#"{"account":"alice"}"#);
    edge.noted.sort();
    assert_eq!(edge.noted, ["-/alice", "-/bob"]);
}

/// An edge with something of everything; the account has a key where the target names it.
fn edge_for(target: &str) -> Edge {
    let mut edge = full();
    if target.contains("a0000000") {
        let key = ApiKey { id: "a0000000".to_owned(), ..ApiKey::default() };
        edge.store.account.as_mut().unwrap().keys.push(key);
    }
    edge
}

/// An edge with something of everything.
fn full() -> Edge {
    let mut edge = Edge::new();
    let event =
        BillingEvent::new(Provider::Stripe, "evt_1".to_owned(), "invoice.paid".to_owned(), NOW);
    edge.event = Some(EventRow {
        customer: Some("cus_1".to_owned()),
        state: EventState::Failed,
        reason: Some("unreadable".to_owned()),
        attempts: 2,
        ..EventRow::new(&event, NOW)
    });
    let link = Link {
        account: AccountName::parse("-/alice").unwrap(),
        at: NOW,
        actor: "stripe".to_owned(),
        is_decided: false,
    };
    edge.customer = Some(CustomerRow {
        key: CustomerKey { provider: Provider::Stripe, id: "cus_1".to_owned() },
        link: Some(link),
        claims: vec![Claim { account: AccountName::parse("-/bob").unwrap(), at: NOW }],
    });
    let notes = ["-/alice", "-/bob"].map(|one| {
        let event = BillingEvent::new(Provider::Stripe, String::new(), String::new(), NOW);
        (AccountName::parse(one).unwrap(), event)
    });
    edge.linked = Linked { released: 3, notes: notes.into(), ..Linked::default() };
    edge
}
