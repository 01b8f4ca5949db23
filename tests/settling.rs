//! The part of a charge that comes back once the origin has answered, row by row.

#![expect(clippy::unwrap_used, reason = "a test stops where a fixture is broken")]

#[path = "support/bindings.rs"]
mod bindings;

use bindings::Vars;
use serde_json::{Value, json};
use tollgate::config::{Config, Route};
use tollgate::gate::{OriginAnswer, settle};
use tollgate::quota::{Charge, Taking};

/// A route, a charge, and what the origin answered.
struct Row {
    when: &'static str,
    /// The settings of the route `/a`, which has the meter `api`.
    route: &'static str,
    /// Meter and units that were taken.
    taken: &'static [(&'static str, u64)],
    status: u16,
    cost: &'static str,
    cache_status: &'static str,
    unsent_ms: u32,
    /// Meter and units that come back.
    back: &'static [(&'static str, u64)],
    /// A part of what is said to the operator; empty where nothing is.
    fault: &'static str,
}

/// An origin that answers as it should.
const ROW: Row = Row {
    when: "all is well",
    route: r#"{"meter":"api"}"#,
    taken: &[("api", 1)],
    status: 200,
    cost: "",
    cache_status: "",
    unsent_ms: 0,
    back: &[],
    fault: "",
};

const TEN: &str = r#"{"meter":"tokens","cost":10,"settle":true}"#;
const BOTH: &str = r#"{"costs":{"api":1,"tokens":10},"settle":true}"#;
const FREE: &str = r#"{"meter":"api","uncounted":["HEAD","304","cache-hit"]}"#;
const TAKEN_BOTH: &[(&str, u64)] = &[("api", 1), ("tokens", 10)];

#[rustfmt::skip]
const TABLE: &[Row] = &[
    ROW,
    Row { when: "the caller's mistake", status: 404, ..ROW },
    Row { when: "the origin asks to come back", status: 429, ..ROW },
    Row { when: "a redirect", status: 302, ..ROW },

    Row { when: "the origin failed", status: 500, back: &[("api", 1)], ..ROW },
    Row { when: "the origin is overloaded", status: 503, back: &[("api", 1)], ..ROW },
    Row { when: "the origin could not be reached", status: 0, back: &[("api", 1)], ..ROW },
    Row { when: "the origin failed, and the route keeps the units", route: r#"{"meter":"api","refund":false}"#, status: 500, ..ROW },
    Row { when: "not reached, and the route keeps the units", route: r#"{"meter":"api","refund":false}"#, status: 0, ..ROW },
    Row { when: "the origin failed at several meters", route: BOTH, taken: TAKEN_BOTH, status: 502, back: TAKEN_BOTH, ..ROW },
    Row { when: "the origin failed and says a cost", route: TEN, taken: &[("tokens", 10)], status: 500, cost: "3", back: &[("tokens", 10)], ..ROW },
    Row { when: "the same, and the route keeps the units", route: r#"{"meter":"tokens","cost":10,"settle":true,"refund":false}"#,
          taken: &[("tokens", 10)], status: 500, cost: "3", ..ROW },

    Row { when: "the caller broke its body off", status: 0, unsent_ms: OriginAnswer::BROKEN_OFF, ..ROW },
    Row { when: "the same, and the origin said something", status: 500, unsent_ms: OriginAnswer::BROKEN_OFF, ..ROW },
    Row { when: "the caller stalled until the origin had enough of it", status: 0, unsent_ms: 1_001, ..ROW },
    Row { when: "the same, told by what stands before the origin", status: 520, unsent_ms: 60_000, ..ROW },
    Row { when: "not reached while the caller was sending", status: 0, unsent_ms: 20, back: &[("api", 1)], ..ROW },
    Row { when: "overloaded while the caller was sending", status: 503, unsent_ms: 1_000, back: &[("api", 1)], ..ROW },
    Row { when: "a slow caller whose body isn't waited for", route: TEN, taken: &[("tokens", 10)], cost: "3", unsent_ms: 60_000, back: &[("tokens", 7)], ..ROW },

    Row { when: "the caller had it already", route: FREE, status: 304, back: &[("api", 1)], ..ROW },
    Row { when: "the caller had it already, where that counts", status: 304, ..ROW },
    Row { when: "from a cache", route: FREE, cache_status: "HIT", back: &[("api", 1)], ..ROW },
    Row { when: "from a cache that writes small", route: FREE, cache_status: "hit", back: &[("api", 1)], ..ROW },
    Row { when: "past a cache", route: FREE, cache_status: "MISS", ..ROW },
    Row { when: "past a cache that asked", route: FREE, cache_status: "REVALIDATED", ..ROW },
    Row { when: "from a cache, where that counts", cache_status: "HIT", ..ROW },
    Row { when: "a failure from a cache, which keeps the units", route: r#"{"meter":"api","uncounted":["cache-hit"],"refund":false}"#,
          status: 500, cache_status: "HIT", ..ROW },
    Row { when: "uncounted before settled", route: r#"{"meter":"tokens","cost":10,"settle":true,"uncounted":["304"]}"#,
          taken: &[("tokens", 10)], status: 304, cost: "7", back: &[("tokens", 10)], ..ROW },

    Row { when: "it cost less", route: TEN, taken: &[("tokens", 10)], cost: "3", back: &[("tokens", 7)], ..ROW },
    Row { when: "it cost nothing", route: TEN, taken: &[("tokens", 10)], cost: "0", back: &[("tokens", 10)], ..ROW },
    Row { when: "it cost all of it", route: TEN, taken: &[("tokens", 10)], cost: "10", ..ROW },
    Row { when: "named though there is only one", route: TEN, taken: &[("tokens", 10)], cost: "tokens=4", back: &[("tokens", 6)], ..ROW },
    Row { when: "also of a request that went wrong", route: TEN, taken: &[("tokens", 10)], status: 400, cost: "1", back: &[("tokens", 9)], ..ROW },
    Row { when: "nothing is said of what it cost", route: TEN, taken: &[("tokens", 10)], ..ROW },
    Row { when: "said where nobody listens", cost: "0", ..ROW },
    Row { when: "it cost more than was reserved", route: TEN, taken: &[("tokens", 10)], cost: "11",
          fault: "11 units of \"tokens\", but the route reserves 10", ..ROW },
    Row { when: "no number", route: TEN, taken: &[("tokens", 10)], cost: "many", fault: "found \"many\"", ..ROW },
    Row { when: "another meter", route: TEN, taken: &[("tokens", 10)], cost: "api=1", fault: "the meter \"tokens\"", ..ROW },
    Row { when: "a negative number", route: TEN, taken: &[("tokens", 10)], cost: "-5", fault: "found \"-5\"", ..ROW },

    Row { when: "several meters", route: BOTH, taken: TAKEN_BOTH, cost: "api=1, tokens=3", back: &[("tokens", 7)], ..ROW },
    Row { when: "several meters in another order", route: BOTH, taken: TAKEN_BOTH, cost: "tokens=0,api=0", back: TAKEN_BOTH, ..ROW },
    Row { when: "one of several is left out", route: BOTH, taken: TAKEN_BOTH, cost: "tokens=3", back: &[("tokens", 7)], fault: "the meter \"api\"", ..ROW },
    Row { when: "a bare number where there are several", route: BOTH, taken: TAKEN_BOTH, cost: "3", fault: "found \"3\"", ..ROW },
    Row { when: "one of several is too much", route: BOTH, taken: TAKEN_BOTH, cost: "api=0, tokens=99", back: &[("api", 1)], fault: "99 units", ..ROW },
    // A meter that the plan doesn't limit was never charged.
    Row { when: "a meter that was not charged", route: BOTH, taken: &[("api", 1)], cost: "api=1, tokens=3", ..ROW },
    Row { when: "a failure where nothing was charged", taken: &[], status: 500, ..ROW },
];

#[test]
fn every_row_of_the_table() {
    let mut wrong = Vec::new();
    for row in TABLE {
        let charge = charge(row.taken);
        let Row { status, cost, cache_status, unsent_ms, .. } = *row;
        let answer = OriginAnswer { status, cost, cache_status, unsent_ms };
        let settlement = settle(&route(row), &charge, &answer);
        let back: Vec<_> = settlement
            .returned
            .takings
            .iter()
            .map(|taking| (taking.meter.as_str(), taking.units))
            .collect();
        let fault = settlement.fault.unwrap_or_default();
        let is_said =
            if row.fault.is_empty() { fault.is_empty() } else { fault.contains(row.fault) };
        if back != row.back || !is_said {
            wrong.push(format!("{}\n  found {back:?} {fault:?}", row.when));
        }
        if !back.is_empty() {
            assert_eq!(settlement.returned.holder, charge.holder, "{}", row.when);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_route_that_counts_nothing_settles_nothing() {
    let row = Row { route: "{}", status: 500, taken: &[("api", 1)], ..ROW };
    let settlement = settle(
        &route(&row),
        &charge(row.taken),
        &OriginAnswer { status: 500, ..Default::default() },
    );
    assert!(settlement.returned.is_empty() && settlement.fault.is_none());
}

#[test]
fn of_units_from_several_leases_the_last_taken_come_back() {
    let taking = |lease, units| Taking { lease, meter: "tokens".into(), units };
    let takings = vec![taking(1, 6), taking(2, 4)];
    let charge = Charge { holder: "h".into(), takings };
    let answer = OriginAnswer { status: 200, cost: "5", ..OriginAnswer::default() };
    let settlement = settle(&route(&Row { route: TEN, ..ROW }), &charge, &answer);
    assert_eq!(settlement.returned.takings, [taking(1, 1), taking(2, 4)]);
}

/// The route of a row, read as the operator's would be.
fn route(row: &Row) -> Route {
    let mut route: Value = serde_json::from_str(row.route).unwrap();
    route.as_object_mut().unwrap().insert("match".to_owned(), json!("/a"));
    let quota = |meter: &str| json!({"meter": meter, "limit": 100, "per": "month"});
    let vars = Vars::default()
        .with_objects()
        .with("ORIGIN", json!("https://origin.example"))
        .with("ROUTES", json!([route, {"match": "/**", "open": true}]))
        .with("PLANS", json!([{"id": "p", "quotas": [quota("api"), quota("tokens")]}]))
        .with(
            "ISSUERS",
            json!([{"iss": "i", "audience": "a", "jwks_url": "https://id.example/jwks"}]),
        );
    let config = Config::parse(&vars).map_err(|invalid| invalid.mistakes).unwrap();
    config.routes.into_iter().next().unwrap()
}

fn charge(taken: &[(&str, u64)]) -> Charge {
    let taking = |(place, (meter, units)): (u64, &(&str, u64))| Taking {
        lease: place,
        meter: (*meter).to_owned(),
        units: *units,
    };
    Charge { holder: "h".into(), takings: (1..).zip(taken).map(taking).collect() }
}
