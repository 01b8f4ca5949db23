//! The commands that use the admin API, against a server that answers as the gate does.

use std::path::Path;

use serde_json::{Value, json};

use crate::server::{Received, Reply, Server};
use crate::tool::{Run, folder, run, write};

const TOKEN: &str = "operators-token-of-a-test";

/// The program, for the gate at this address.
fn at(server: &Server, arguments: &[&str]) -> Run {
    let variables = [("TOLLGATE_URL", server.url()), ("TOLLGATE_ADMIN_TOKEN", TOKEN.to_owned())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    run(arguments, "", &variables, Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// A gate that answers one thing alone.
fn gate(reply: impl Fn(&Received) -> Reply + Send + 'static) -> Server {
    Server::new(move |request| match request.header("authorization") {
        Some(given) if given == format!("Bearer {TOKEN}") => reply(request),
        _ => Reply::problem(401, "Send the operator's token."),
    })
}

#[test]
fn every_command_asks_for_what_the_contract_has() {
    let cases: &[(&[&str], &str, Value)] = &[
        (&["account", "show", "alice"], "GET accounts/-/alice", Value::Null),
        (&["account", "show", "acme/a b"], "GET accounts/acme/a%20b", Value::Null),
        (&["account", "show", "-/alice"], "GET accounts/-/alice", Value::Null),
        (&["account", "usage", "alice"], "GET accounts/-/alice/usage", Value::Null),
        (
            &[
                "account",
                "credits",
                "add",
                "alice",
                "inv-1",
                "500",
                "--expires-at",
                "2027-01-01T00:00:00Z",
            ],
            "POST accounts/-/alice/credits",
            json!({"id": "inv-1", "units": 500, "expires_at": "2027-01-01T00:00:00Z"}),
        ),
        (
            &["account", "credits", "add", "alice", "inv-1", "500"],
            "POST accounts/-/alice/credits",
            json!({"id": "inv-1", "units": 500}),
        ),
        (
            &[
                "account", "keys", "create", "alice", "--name", "ci", "--scope", "read", "--scope",
                "x",
            ],
            "POST accounts/-/alice/keys",
            json!({"name": "ci", "scopes": ["read", "x"]}),
        ),
        (
            &["account", "keys", "rotate", "alice", "k1", "--overlap", "1h"],
            "POST accounts/-/alice/keys/k1/rotate",
            json!({"overlap_s": 3600}),
        ),
        (
            &["account", "keys", "revoke", "alice", "k/1"],
            "DELETE accounts/-/alice/keys/k%2F1",
            Value::Null,
        ),
        (
            &["account", "revoke-tokens", "alice", "--id", "t1"],
            "POST accounts/-/alice/revocations",
            json!({"token_id": "t1"}),
        ),
        (
            &["account", "revoke-tokens", "alice", "--issued-before", "2026-12-01T00:00:00Z"],
            "POST accounts/-/alice/revocations",
            json!({"issued_before": "2026-12-01T00:00:00Z"}),
        ),
        (&["account", "reread", "alice"], "POST accounts/-/alice/reread", Value::Null),
        (&["events", "show", "stripe", "evt_1"], "GET events/stripe/evt_1", Value::Null),
        (&["events", "retry", "paddle", "evt_1"], "POST events/paddle/evt_1/retry", Value::Null),
        (
            &["customer", "link", "stripe", "cus_1", "alice"],
            "PUT customers/stripe/cus_1",
            json!({"account": "-/alice"}),
        ),
        (&["customer", "show", "stripe", "cus_1"], "GET customers/stripe/cus_1", Value::Null),
        (&["outage"], "GET outage", Value::Null),
    ];
    for (arguments, expected, body) in cases {
        let server = gate(|request| match request.method.as_str() {
            "DELETE" => Reply::text(204, ""),
            _ => Reply::json(200, &json!({"done": true, "read": 1})),
        });
        let run = at(&server, arguments).with_code(0);
        assert!(!run.said().contains(TOKEN));
        let [request] = server.received().try_into().unwrap();
        let path = request.path().strip_prefix("/_tollgate/admin/").unwrap().to_owned();
        assert_eq!(format!("{} {path}", request.method), *expected);
        let sent = if request.body.is_empty() { Value::Null } else { request.json() };
        assert_eq!(sent, *body, "{arguments:?}");
        let key = request.header("idempotency-key");
        assert_eq!(key.is_some(), request.method != "GET", "{arguments:?}");
        assert!(key.is_none_or(|key| key.len() >= 16));
        assert!(at(&server, &[arguments, &["--json"][..]].concat()).json().is_object());
    }
}

/// A list of 250 in pages of at most 100, with a cursor that names the next.
fn paged(request: &Received) -> Reply {
    let parameter = |name: &str| {
        let (_, query) = request.target.split_once('?').unwrap();
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(other, _)| *other == name).map(|(_, value)| value.to_owned())
    };
    let limit: usize = parameter("limit").unwrap().parse().unwrap();
    let start: usize = parameter("cursor").map_or(0, |cursor| cursor.parse().unwrap());
    assert!((1..=100).contains(&limit), "{limit}");
    let end = start.saturating_add(limit).min(250);
    let item = |number: usize| json!({"account": format!("-/a{number}"), "status": "active"});
    let items: Vec<_> = (start..end).map(item).collect();
    let next = (end < 250).then(|| end.to_string());
    Reply::json(200, &json!({"items": items, "next_cursor": next}))
}

#[test]
fn lists_are_read_to_their_end_or_as_far_as_asked() {
    let server = gate(paged);
    let all =
        at(&server, &["account", "list", "--status", "past_due", "--json"]).with_code(0).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 250);
    assert_eq!(server.received().len(), 3);
    assert!(server.received().iter().all(|request| request.target.contains("status=past_due")));
    let some = at(&server, &["account", "list", "--limit", "120"]).with_code(0).stdout;
    let lines: Vec<_> = some.lines().collect();
    assert_eq!(lines.len(), 121, "a head and so many");
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["account", "status"]);
    assert_eq!(lines[120].split_whitespace().collect::<Vec<_>>(), ["-/a119", "active"]);
    for (arguments, path) in [
        (&["account", "subscriptions", "alice"][..], "accounts/-/alice/subscriptions"),
        (&["account", "keys", "list", "alice"], "accounts/-/alice/keys"),
        (&["account", "credits", "list", "alice"], "accounts/-/alice/credits"),
        (&["account", "audit", "alice", "--limit", "3"], "accounts/-/alice/audit"),
        (&["events", "list", "--state", "failed", "--provider", "stripe"], "events"),
    ] {
        let server = gate(|_| Reply::json(200, &json!({"items": [], "next_cursor": null})));
        let run = at(&server, arguments).with_code(0);
        assert!(run.stdout.ends_with(".\n"), "says that there is nothing: {}", run.stdout);
        let [request] = server.received().try_into().unwrap();
        assert_eq!(request.path(), format!("/_tollgate/admin/{path}"));
    }
    let endless = gate(|_| Reply::json(200, &json!({"items": [{}], "next_cursor": "x"})));
    let said = at(&endless, &["account", "list"]).with_code(3).said();
    assert!(said.contains("its pages don't go on"), "{said}");
}

#[test]
fn a_record_is_changed_and_what_is_not_the_operators_stays_out() {
    let known = json!({
        "plan": "free", "status": "active", "limits": {"api/day": 5}, "entitlements": ["x"],
        "subscriptions": [{"id": "sub_1"}], "customers": [], "keys": [{"id": "k"}], "account": "-/alice",
    });
    let answer = move |request: &Received| match request.method.as_str() {
        "GET" => Reply::json(200, &known),
        _ => Reply::json(200, &request.json()),
    };
    let server = gate(answer);
    let set = [
        "account",
        "set",
        "alice",
        "--plan",
        "pro",
        "--limit",
        "api/month=9",
        "--clear",
        "entitlements",
    ];
    let _ = at(&server, &set).with_code(0);
    let written = server.received()[1].json();
    let expected = json!({
        "plan": "pro", "status": "active", "limits": {"api/day": 5, "api/month": 9},
    });
    assert_eq!((server.received()[1].method.as_str(), &written), ("PUT", &expected));
    let json = at(&server, &[&set[..], &["--dry-run", "--json"]].concat()).with_code(0).json();
    assert_eq!(json["would_be"], expected);
    assert_eq!(server.received().len(), 3, "a dry run only reads");

    // A new account begins with nothing; a whole record is written as it is.
    let server = gate(|request| match request.method.as_str() {
        "GET" => Reply::problem(404, "There is no such account."),
        _ => Reply::json(200, &request.json()),
    });
    let time = ["--time", "ends_at=2026-12-31T00:00:00Z", "--suspended", "true"];
    let _ = at(&server, &[&["account", "set", "new", "--status", "active"], &time[..]].concat())
        .with_code(0);
    let expected =
        json!({"status": "active", "ends_at": "2026-12-31T00:00:00Z", "suspended": true});
    assert_eq!(server.received()[1].json(), expected);
    let file = write(&folder("record"), "record.json", r#"{"plan":"pro"}"#);
    let _ = at(&server, &["account", "set", "new", "--from", &file]).with_code(0);
    assert_eq!(server.received()[2].json(), json!({"plan": "pro"}));
    for (more, part) in [
        (&["--status", "pastdue"][..], "did you mean past_due?"),
        (&["--clear", "subscriptions"], "the operator's fields are"),
        (&["--time", "end_at=2026-12-31T00:00:00Z"], "did you mean ends_at?"),
        (&["--limit", "api"], "such as api/month=5000"),
        (&[], "nothing to change"),
    ] {
        let said = at(&server, &[&["account", "set", "new"], more].concat()).with_code(2).said();
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_refusal_is_told_in_the_gates_words() {
    for (status, code, part) in [
        (400, 1, "PLANS has no plan"),
        (404, 1, "PLANS has no plan"),
        (403, 1, "PLANS has no plan"),
        (503, 3, "PLANS has no plan"),
    ] {
        let server = gate(move |_| Reply::problem(status, "PLANS has no plan \"gold\"."));
        let run = at(&server, &["account", "show", "alice", "--json"]).with_code(code);
        assert!(run.stderr.contains(part), "{}", run.stderr);
        assert_eq!(run.json()["exit"], code);
    }
    let server = gate(|_| Reply::json(200, &json!({})));
    let wrong = [("TOLLGATE_URL", server.url()), ("SUPPORT_TOKEN", "something-wrong".to_owned())];
    let wrong = wrong.each_ref().map(|(name, value)| (*name, value.as_str()));
    let show = ["account", "show", "alice"];
    let named = [&show[..], &["--admin-token-env", "SUPPORT_TOKEN"]].concat();
    let run = run(&named, "", &wrong, &folder("wrong-token")).with_code(1);
    assert!(run.stderr.contains("no operator's token"), "{}", run.stderr);
    assert!(!run.said().contains("something-wrong"));
}

#[test]
fn what_is_no_gate_or_not_there_is_code_3() {
    let page = Server::new(|_| Reply::text(404, "<html>nothing here</html>"));
    let said = at(&page, &["account", "show", "alice"]).with_code(3).said();
    assert!(said.contains("not as a gate would"), "{said}");
    let moved = Server::new(|_| Reply::text(301, "").with("location", "https://www.example/"));
    let said = at(&moved, &["account", "show", "alice"]).with_code(3).said();
    assert!(said.contains("it redirects to https://www.example/"), "{said}");
    assert_eq!(moved.received().len(), 1, "and the token does not follow");
    let url = {
        let gone = Server::new(|_| Reply::text(200, ""));
        gone.url()
    };
    let variables = [("TOLLGATE_ADMIN_TOKEN", TOKEN)];
    let show = ["account", "show", "alice", "--gate", &url];
    let _ = run(&show, "", &variables, &folder("gone")).with_code(3);
    for (gate, part) in [
        ("", "say --gate URL, or set TOLLGATE_URL"),
        ("api.example.com", "expected a URL such as"),
        ("http://api.example.com", "would travel unencrypted"),
        ("http://127.0.0.1.example.com", "would travel unencrypted"),
    ] {
        let show = ["account", "show", "alice", "--gate", gate];
        let said = run(&show, "", &variables, &folder("gone")).with_code(2).said();
        assert!(said.contains(part), "{part}: {said}");
    }
    let show = ["account", "show", "alice", "--gate", "https://api.example.com"];
    let said = run(&show, "", &[], &folder("gone")).with_code(2).said();
    assert!(said.contains("into TOLLGATE_ADMIN_TOKEN"), "{said}");
}

/// A gate that asks to come back is asked again, with the same key: it is done once.
#[test]
fn a_busy_gate_is_asked_again_under_the_same_key() {
    let mut asked = 0;
    let server = Server::new(move |_| {
        asked += 1;
        match asked {
            1 => Reply::problem(503, "Busy.").with("retry-after", "0"),
            _ => Reply::json(201, &json!({"id": "inv-1"})),
        }
    });
    let add = ["account", "credits", "add", "alice", "inv-1", "5"];
    let run = at(&server, &add).with_code(0);
    assert!(run.stderr.contains("the gate is busy (503)"), "{}", run.stderr);
    let keys: Vec<_> = server.received();
    let keys: Vec<_> = keys.iter().map(|one| one.header("idempotency-key").unwrap()).collect();
    assert_eq!((keys.len(), keys[0]), (2, keys[1]));
    let _ = at(&server, &[&add[..], &["--idempotency-key", "mine"]].concat()).with_code(0);
    assert_eq!(server.received()[2].header("idempotency-key"), Some("mine"));
    let never = gate(|_| Reply::problem(503, "Busy.").with("retry-after", "0"));
    let _ = at(&never, &add).with_code(3);
    assert_eq!(never.received().len(), 3);
}

#[test]
fn many_accounts_are_reread_even_if_one_fails() {
    let server = gate(|request| match request.path() {
        path if path.ends_with("/a1/reread") => Reply::problem(409, "No customer is known."),
        path if path.ends_with("/reread") => Reply::json(200, &json!({"read": 2, "record": {}})),
        _ => {
            let items: Vec<_> = (0..3).map(|n| json!({"account": format!("-/a{n}")})).collect();
            Reply::json(200, &json!({"items": items, "next_cursor": null}))
        }
    });
    let json = at(&server, &["account", "reread", "--all", "--json"]).with_code(1).json();
    assert_eq!(json["items"][0], json!({"account": "-/a0", "read": 2, "error": null}));
    assert_eq!(json["items"][1]["error"], "No customer is known.");
    assert_eq!(json["items"][2]["read"], 2);
}

#[test]
fn an_outage_is_an_answer_that_is_no() {
    let server = gate(|_| Reply::json(200, &json!({"declared": false, "detected": true})));
    let said = at(&server, &["outage"]).with_code(1).stdout;
    assert!(said.contains("detected: yes"), "{said}");
}
