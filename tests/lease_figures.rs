//! What leases cost: calls to the ledger, requests that wait, units that are stranded, and how far
//! one ledger goes. `cargo test --release --test lease_figures -- --include-ignored --nocapture`
//! prints the tables of docs/performance.md and docs/scaling.md; without it, the small scenes hold
//! the figures to what the documentation promises.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "lease_figures/fleet.rs"]
mod fleet;
#[path = "support/memory_store.rs"]
mod memory_store;

use fleet::{Figures, Scene, run};

/// One isolate, by how often it is asked: name, requests in 1,000 s, and the most calls per 1,000
/// requests that the documentation promises.
const PACES: [(&str, u64, f64); 5] = [
    ("cold: 1 a minute", 17, 1_100.0),
    ("slow: 1 in 5 s", 200, 1_000.0),
    ("warm: 1 a second", 1_000, 220.0),
    ("busy: 20 a second", 20_000, 10.0),
    ("hot: 1,000 a second", 1_000_000, 1.0),
];

#[test]
fn calls_per_thousand_requests() {
    println!(
        "\n| account, one isolate | ledger calls per 1,000 requests | requests that waited | cost per million requests | a counter per request |"
    );
    println!("| --- | --- | --- | --- | --- |");
    for (name, requests_per_1000_s, most) in PACES {
        let for_ms = (2_000_000_000 / requests_per_1000_s).clamp(120_000, 40_000_000);
        let figures = run(Scene { for_ms, ..scene(1, requests_per_1000_s) });
        let calls = per_thousand(figures.calls, figures.requests);
        let waited = per_thousand(figures.waited, figures.requests) / 10.0;
        let cost = price(figures.calls, figures.rows_written) * 1e6 / figures.requests as f64;
        println!(
            "| {name} | {calls:.1} | {waited:.2} % | ${cost:.3} | ${:.2} |",
            price(1_000_000, 1_000_000)
        );
        assert!(calls <= most, "{name}: {calls} calls per 1,000 requests");
    }
}

#[test]
fn units_that_are_stranded_near_the_limit() {
    println!("\n| isolates | limit | requests/s | units held elsewhere at the first refusal |");
    println!("| --- | --- | --- | --- |");
    for (isolates, limit) in [(2, 1_000), (20, 10_000), (200, 100_000)] {
        let scene = Scene {
            limit,
            until_refused: true,
            for_ms: 400_000,
            warm_up_ms: 0,
            ..scene(isolates, 500_000)
        };
        let stranded = run(scene).stranded;
        println!("| {isolates} | {limit} | 500 | {stranded} |");
        assert!(stranded * 100 <= limit, "{stranded} of {limit} units");
    }
}

#[test]
#[ignore = "takes a minute in a release build; printed by `npm run bench`"]
fn how_far_one_ledger_goes() {
    println!(
        "\n| requests/s | locations x isolates | ledger calls/s | calls per 1,000 requests | requests that waited | µs of CPU a call, without the database |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for (requests_per_s, locations, isolates) in [
        (10_000, 100, 2),
        (100_000, 300, 2),
        (1_000_000, 300, 4),
        (1_000_000, 300, 20),
        (5_000_000, 300, 30),
    ] {
        let scene = Scene {
            batch: (requests_per_s / (locations * isolates) as u64 / 20).max(1),
            for_ms: 60_000,
            warm_up_ms: 30_000,
            ..scene(locations * isolates, requests_per_s * 1_000)
        };
        let Figures { requests, calls, waited, ledger_time, seconds, .. } = run(scene);
        println!(
            "| {requests_per_s} | {locations} x {isolates} | {:.0} | {:.3} | {:.3} % | {:.1} |",
            calls as f64 / seconds as f64,
            per_thousand(calls, requests),
            per_thousand(waited, requests) / 10.0,
            ledger_time.as_secs_f64() * 1e6 / calls as f64,
        );
    }
}

fn scene(isolates: usize, requests_per_1000_s: u64) -> Scene {
    Scene {
        isolates,
        requests_per_1000_s,
        batch: 1,
        limit: 1_000_000_000_000,
        for_ms: 120_000,
        warm_up_ms: 30_000,
        until_refused: false,
    }
}

fn per_thousand(part: u64, whole: u64) -> f64 {
    part as f64 * 1_000.0 / whole.max(1) as f64
}

/// Dollars by the platform's list: $0.15 for a million requests to objects, $1.00 for a million
/// rows written.
fn price(calls: u64, rows_written: u64) -> f64 {
    calls as f64 * 0.15e-6 + rows_written as f64 * 1e-6
}
