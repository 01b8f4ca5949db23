//! Requests for the gate itself, and requests that it can't understand: neither ever passes.

use std::rc::Rc;

use serde_json::json;
use tollgate::cause::Cause;
use tollgate::decision::Decision;
use tollgate::gate::{Gate, Step};
use tollgate::request::ReturnPath;

use crate::world::{World, token};
use crate::{ALICE, BIG, cause, free_pages, passed};

/// A path on a route of each kind.
const PATHS: [&str; 9] =
    ["/open", "/free", "/offer", "/bots", "/paid", "/heads", "/fast", "/premium", "/other"];

fn world() -> World {
    let mut world = World::new(&free_pages::vars(&json!([
        {"match": "/open", "open": true},
        {"match": "/free", "free": "3 per month"},
        {"match": "/offer", "free": "3 per month", "anonymous": "offer", "free_burst": "BURST"},
        {"match": "/bots", "crawlers": ["Search Engine Crawler"]},
        {"match": "/paid", "meter": "api", "on_outage": "pass"},
        {"match": "/heads", "meter": "api", "uncounted": ["HEAD", "304"]},
        {"match": "/fast", "burst": "BURST"},
        {"match": "/premium", "requires": ["premium"]},
        {"match": "/**"},
    ])));
    world.put_account(ALICE, BIG);
    world
}

/// The last step of a gate.
fn end(world: &mut World, mut gate: Gate) -> Step {
    let mut step = gate.start(&mut world.memory, world.now);
    loop {
        match step {
            Step::Done(_) | Step::ShowAccount(_) | Step::ShowStatus(_) | Step::ShowUsage(_) => {
                break;
            }
            needed => {
                let outcome = world.perform(&needed);
                step = gate.resume(outcome, &mut world.memory, world.now);
            }
        }
    }
    world.run(gate.take_errands());
    step
}

/// Each of the gate's own endpoints, about each path where it is about one.
fn own(world: &World, method: &str, token: Option<&str>) -> Vec<(String, Gate)> {
    let facts = |name: &str| {
        let asked = world.gate(&format!("{method} /_tollgate/{name}"), token);
        Rc::new(asked.facts().clone())
    };
    let config = || Rc::clone(&world.config);
    let mut gates = vec![
        ("usage".to_owned(), Gate::for_usage(config(), facts("usage"))),
        ("billing".to_owned(), Gate::for_account(config(), facts("billing/portal"))),
    ];
    for path in PATHS {
        let back = ReturnPath::new(path, "/_tollgate/").unwrap();
        gates.push((path.to_owned(), Gate::for_status(config(), &facts("status"), &back)));
    }
    gates
}

#[test]
fn what_is_asked_of_the_gate_itself_never_passes() {
    let mut shown = 0;
    for method in ["GET", "HEAD", "POST"] {
        for (credential, token) in [
            ("none", None),
            ("good", Some(token("{}"))),
            ("unknown account", Some(token(r#"{"sub":"bob"}"#))),
            ("expired", Some(token(r#"{"exp":1}"#))),
            ("nonsense", Some("nonsense".to_owned())),
        ] {
            for (bot, is_down, is_within) in [
                ("", false, true),
                ("Search Engine Crawler", false, true),
                ("", true, true),
                ("", false, false),
            ] {
                let fresh = || {
                    let mut world = world();
                    world.bot_category = bot.to_owned();
                    world.address = "192.0.2.7".to_owned();
                    (world.ledger_is_down, world.is_within_burst) = (is_down, is_within);
                    world
                };
                let count = own(&fresh(), method, token.as_deref()).len();
                for index in 0..count {
                    let mut world = fresh();
                    let (name, gate) = own(&world, method, token.as_deref()).remove(index);
                    let step = end(&mut world, gate);
                    let told = format!("{method} {name}, credential {credential}, bot {bot:?}");
                    match step {
                        Step::Done(Decision::Deny(denial)) => {
                            assert_ne!(
                                denial.cause,
                                Cause::Misconfigured,
                                "{told}: by chance alone"
                            );
                        }
                        Step::Done(Decision::Pass(pass)) => panic!("{told}: {pass:?}"),
                        _ => shown += 1,
                    }
                    assert_eq!(world.cookie, None, "{told}: no page was counted");
                }
            }
        }
    }
    assert!(shown > 50, "most of who may see something sees it: {shown}");
}

#[test]
fn a_status_counts_no_page() {
    let mut world = world();
    for _ in 0..5 {
        for (_, gate) in own(&world, "GET", None) {
            end(&mut world, gate);
        }
    }
    for number in 1..=3 {
        let decision = world.visit(&format!("GET /free?page={number}"), None);
        assert_eq!(passed(&decision).quotas[0].used, number);
    }
    for (name, gate) in own(&world, "GET", None) {
        let step = end(&mut world, gate);
        let denied = match (name.as_str(), step) {
            ("/open", Step::ShowStatus(None)) => continue,
            (_, Step::Done(decision)) => cause(&decision),
            (_, step) => panic!("{name}: {step:?}"),
        };
        let expected =
            if name == "/offer" { Cause::PaymentRequired } else { Cause::SignInRequired };
        assert_eq!(denied, Some(expected), "{name}");
    }
}

#[test]
fn only_a_get_becomes_a_websocket() {
    let mut world = world();
    let good = token("{}");
    world.upgrade = "WebSocket".to_owned();
    for method in ["HEAD", "POST", "OPTIONS", "PREFLIGHT"] {
        for path in PATHS {
            for token in [None, Some(good.as_str())] {
                let decision = world.serve(&format!("{method} {path}"), token);
                assert_eq!(cause(&decision), Some(Cause::BadRequest), "{method} {path}");
            }
        }
    }
    assert_eq!(world.counted(ALICE), 0);
    passed(&world.serve("GET /paid", Some(&good)));
    passed(&world.serve("GET /open", None));
    world.upgrade = "h2c".to_owned();
    passed(&world.serve("HEAD /paid", Some(&good)));
}
