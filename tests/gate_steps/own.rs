//! Requests for the gate itself, and requests that it can't understand: neither ever passes.

use std::rc::Rc;

use serde_json::json;
use tollgate::cause::Cause;
use tollgate::decision::Denial;
use tollgate::gate::Inquiry;
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

/// An endpoint of the gate's own.
#[derive(Clone, Copy, Debug)]
enum Own {
    Account,
    /// The request for the state of access to this path.
    Status(&'static str),
    Usage,
}

/// The end of a request for such an endpoint. None of them can be a pass: that has no type here.
#[derive(Debug)]
enum End {
    Denied(Box<Denial>),
    Open,
    Shown,
}

/// Each of the gate's own endpoints, about each path where it is about one.
fn own() -> impl Iterator<Item = Own> {
    [Own::Usage, Own::Account].into_iter().chain(PATHS.map(Own::Status))
}

fn end(world: &mut World, own: Own, method: &str, token: Option<&str>) -> End {
    let name = match own {
        Own::Account => "billing/portal",
        Own::Status(_) => "status",
        Own::Usage => "usage",
    };
    let facts = world.arrival(&format!("{method} /_tollgate/{name}"), token).facts;
    let (config, now) = (Rc::clone(&world.config), world.now);
    let end = match own {
        Own::Account => {
            let begun = Inquiry::account(config, facts, &mut world.memory, now);
            world.end_of(begun).map(|_| End::Shown)
        }
        Own::Status(path) => {
            let back = ReturnPath::new(path, "/_tollgate/").unwrap();
            match Inquiry::access(config, &facts, &back, &mut world.memory, now) {
                None => Ok(End::Open),
                Some(begun) => world.end_of(begun).map(|_| End::Shown),
            }
        }
        Own::Usage => {
            let begun = Inquiry::usage(config, facts, &mut world.memory, now);
            world.end_of(begun).map(|_| End::Shown)
        }
    };
    end.unwrap_or_else(End::Denied)
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
                for own in own() {
                    let mut world = fresh();
                    let told = format!("{method} {own:?}, credential {credential}, bot {bot:?}");
                    match end(&mut world, own, method, token.as_deref()) {
                        End::Denied(denial) => {
                            assert_ne!(denial.cause, Cause::Misconfigured, "{told}");
                        }
                        End::Open | End::Shown => shown += 1,
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
        for own in own() {
            end(&mut world, own, "GET", None);
        }
    }
    for number in 1..=3 {
        let decision = world.visit(&format!("GET /free?page={number}"), None);
        assert_eq!(passed(&decision).quotas[0].used, number);
    }
    for own in own() {
        let is_offer = matches!(own, Own::Status("/offer"));
        let expected = if is_offer { Cause::PaymentRequired } else { Cause::SignInRequired };
        match (own, end(&mut world, own, "GET", None)) {
            (Own::Status("/open"), End::Open) => {}
            (_, End::Denied(denial)) => assert_eq!(denial.cause, expected, "{own:?}"),
            (_, end) => panic!("{own:?}: {end:?}"),
        }
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
