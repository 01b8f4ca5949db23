//! Rights of operators, and refusals of wrong requests, before anything is asked of an object.

use std::rc::Rc;

use tollgate::admin::operation::{Access, Input};
use tollgate::admin::{End, InvalidRequest, OPERATIONS, Refusal, Request};
use tollgate::config::{Config, Role};
use tollgate::request::BodyError;

use crate::flow::{Edge, example, refusal, request, vars};

const TOKENS: [(Role, &str); 3] = [
    (Role::Read, "Bearer anna-may-only-look-on"),
    (Role::Support, "bearer  ben-helps-customers "),
    (Role::Admin, "BEARER cleo-may-do-it-all"),
];

#[test]
fn each_role_may_do_what_those_before_it_may_and_no_more() {
    for operation in OPERATIONS {
        let target = format!("{} {}", operation.method, example(operation.path));
        for (role, token) in TOKENS {
            let end = Edge::new().run(&request(&target, token));
            let needed = match operation.access {
                Access::Role(needed) => needed,
                Access::Public => Role::Read,
            };
            let forbidden = End::Refused(Refusal::Forbidden { needed, found: role });
            assert_eq!(end == forbidden, role < needed, "{target} by {role:?}: {end:?}");
        }
    }
}

#[test]
fn the_document_alone_is_open_to_everybody_and_always() {
    for operation in OPERATIONS {
        let target = format!("{} {}", operation.method, example(operation.path));
        let public = operation.access == Access::Public;
        for config in [None, Some(Edge::new().config.unwrap())] {
            let status = if config.is_some() { 401 } else { 503 };
            let mut edge = Edge { config, ..Edge::new() };
            let end = edge.run(&request(&target, ""));
            match end {
                End::Done(done) => assert!(public && done.status == 200, "{target}"),
                End::Refused(refusal) => {
                    assert_eq!((public, refusal.status()), (false, status), "{target}");
                }
            }
            assert_eq!(edge.needs, if public { vec!["document"] } else { vec![] }, "{target}");
        }
    }
}

#[test]
fn every_wrong_request_has_its_status_and_its_code() {
    for (target, status, code, detail) in [
        ("GET admin", 404, "no-endpoint", "openapi.json"),
        ("GET admin/accounts/-/alice/x", 404, "no-endpoint", "openapi.json"),
        ("DELETE admin/accounts/-/alice", 405, "method-not-allowed", "can't be done"),
        ("POST admin/openapi.json", 405, "method-not-allowed", "can't be done"),
        ("GET admin/accounts/-/alice?x=1", 400, "wrong-parameters", "expected none"),
        ("GET admin/accounts?status=canceled", 400, "wrong-parameter", "status: expected"),
        ("GET admin/accounts/-/alice/audit?limit=0", 400, "wrong-parameter", "1 to 100"),
        ("GET admin/accounts/-/alice/audit?cursor=eA", 400, "wrong-parameter", "next_cursor"),
        ("GET admin/accounts/-/alice/credits?limit=101", 400, "wrong-parameter", "1 to 100"),
        ("GET admin/accounts/-/alice/keys?cursor=_w", 400, "wrong-parameter", "next_cursor"),
        ("GET admin/accounts/-/alice/usage?plan=gold", 400, "unknown-plan", "it has pro, free"),
        ("GET admin/events?state=lost", 400, "wrong-parameter", "state: expected received"),
        ("GET admin/events?provider=visa", 400, "wrong-parameter", "provider: expected stripe"),
        ("GET admin/events/visa/evt_1", 404, "no-provider", "no such provider"),
        ("GET admin/customers/visa/cus_1", 404, "no-provider", "no such provider"),
    ] {
        let mut edge = Edge::new();
        let refusal = refusal(edge.ask(target, ""));
        assert_eq!((refusal.status(), refusal.code()), (status, code), "{target}");
        assert!(refusal.detail().contains(detail), "{target}: {}", refusal.detail());
        assert!(edge.needs.is_empty(), "{target}: {:?}", edge.needs);
    }
}

#[test]
fn nearly_right_tokens_open_nothing() {
    for authorization in [
        "",
        "cleo-may-do-it-all",
        "Bearer",
        "Bearer ",
        "Bearer leo-may-do-it-all",
        "Bearer cleo-may-do-it-allx",
        "Bearer CLEO-MAY-DO-IT-ALL",
        "Basic cleo-may-do-it-all",
    ] {
        let end = Edge::new().run(&request("GET admin/accounts", authorization));
        assert_eq!(end, End::Refused(Refusal::Unauthorized), "{authorization}");
    }
}

#[test]
fn without_operators_the_endpoints_are_closed() {
    let vars = vars().with("ADMIN_TOKENS", "".into());
    let config = Some(Rc::new(Config::parse(&vars).unwrap()));
    for token in ["", "Bearer cleo-may-do-it-all", "Bearer "] {
        let mut edge = Edge { config: config.clone(), ..Edge::new() };
        assert_eq!(edge.run(&request("GET admin/x", token)), End::Refused(Refusal::Closed));
    }
}

#[test]
fn bodies_are_json_and_bounded() {
    for operation in OPERATIONS {
        let target = format!("{} {}", operation.method, example(operation.path));
        let request = request(&target, "Bearer cleo-may-do-it-all");
        let is_write = operation.input != Input::None;
        for (kind, is_right) in [
            ("", true),
            ("text/plain", true),
            ("APPLICATION/JSON ; charset=utf-8", true),
            ("application/x-www-form-urlencoded", true),
            ("application/xml", false),
            ("multipart/form-data; boundary=x", false),
        ] {
            let mut edge = Edge::new();
            let end = edge.run(&Request { content_type: kind, ..request });
            let is_refused = end == End::Refused(Refusal::UnsupportedMediaType);
            assert_eq!(is_refused, is_write && !is_right, "{target} {kind}");
            assert_eq!(
                edge.needs.first() == Some(&"body"),
                is_write && is_right,
                "{target} {kind}"
            );
        }
        let too_large = BodyError::TooLarge { max_bytes: 65_536 };
        let broken = BodyError::Unreadable("the connection broke off".to_owned());
        for (error, status, detail) in [
            (too_large, 413, "The body: more than 65536 bytes."),
            (broken, 400, "The body: the connection broke off."),
        ] {
            let mut edge = Edge { body: Err(error), ..Edge::new() };
            let end = edge.run(&request);
            if is_write {
                let refusal = refusal(end);
                assert_eq!((refusal.status(), refusal.detail().as_ref()), (status, detail));
                assert_eq!(edge.needs, ["body"], "{target}");
            }
        }
    }
}

#[test]
fn a_wrong_idempotency_key_is_refused_of_every_write_and_of_no_read() {
    for operation in OPERATIONS {
        let target = format!("{} {}", operation.method, example(operation.path));
        for key in ["", "é", &"x".repeat(256)] {
            let mut edge = Edge::new();
            let end = edge.ask_once(&target, "", key);
            let is_refused =
                matches!(&end, End::Refused(Refusal::Invalid(InvalidRequest::IdempotencyKey)));
            assert_eq!(is_refused, operation.input != Input::None, "{target} {key}");
        }
    }
}

#[test]
fn a_refusal_is_problem_details() {
    let token = "Bearer ben-helps-customers";
    let put = Request {
        path: "/_tollgate/admin/accounts/-/alice",
        ..request("PUT admin/accounts/-/alice", token)
    };
    let answer = Edge::new().run(&put).answer(put.method, put.path);
    assert_eq!(answer.status, 403);
    assert_eq!(
        answer.body,
        "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,\
         \"detail\":\"This takes the role admin; yours is support.\",\
         \"instance\":\"/_tollgate/admin/accounts/-/alice\"}"
    );
    let header = |name: &str, answer: &tollgate::answer::Answer| {
        let found = answer.headers.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.to_string())
    };
    assert_eq!(header("Content-Type", &answer).as_deref(), Some("application/problem+json"));
    assert_eq!(header("Cache-Control", &answer).as_deref(), Some("no-store"));
    let answer = Edge::new().run(&request("GET admin/x", "")).answer("HEAD", "/x");
    assert_eq!((answer.status, answer.body.as_str()), (401, ""));
    let challenge = header("WWW-Authenticate", &answer);
    assert_eq!(challenge.as_deref(), Some("Bearer realm=\"tollgate-admin\""));
    let answer = Edge::new().ask("DELETE admin/accounts/-/alice", "").answer("DELETE", "/x");
    assert_eq!((answer.status, header("Allow", &answer).as_deref()), (405, Some("GET, HEAD, PUT")));
}
