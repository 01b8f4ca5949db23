//! The cost and the savings of leases, in numbers: `cargo test --release --test simulation --
//! --ignored figures --nocapture`. Lines that begin with `FIGURE` are for machines: a name and a
//! number.

use tollgate::account::{Status, Subscription};
use tollgate::plan::{Cost, Meter, Period, Plan, Quota};
use tollgate::time::Timestamp;

use crate::random::Random;
use crate::schedule::{Account, Demand, Isolate, Route, Schedule, Size};
use crate::troubles::{Rates, Troubles};
use crate::world::{Options, Tally, World};

#[test]
fn a_quiet_account_costs_little() {
    one_isolate(&PACES[..QUIET_PACES]);
}

#[test]
#[ignore = "figures, for whoever asks for them"]
fn figures() {
    one_isolate(&PACES);
    near_the_limit();
    one_hot_account(4);
    one_hot_account(20);
}

/// A name, the time between requests, their number, whether they come regularly, and the most that
/// a million of them may cost.
type Pace = (&'static str, u64, u64, bool, f64);

const PACES: [Pace; 8] = [
    ("cold", 60_000, 2_000, false, 1.15),
    ("regular_cold", 60_000, 2_000, true, 1.15),
    ("slow", 5_000, 2_000, false, 0.60),
    ("regular_slow", 5_000, 2_000, true, 0.60),
    ("warm", 1_000, 5_000, false, 0.25),
    ("regular_warm", 1_000, 5_000, true, 0.25),
    ("busy", 50, 50_000, false, 0.05),
    ("hot", 1, 300_000, false, 0.01),
];
const QUIET_PACES: usize = 6;

/// The cost of accounts of every temperature in one isolate.
fn one_isolate(paces: &[Pace]) {
    println!("\nOne isolate, 50 ms to the ledger and back:");
    for &(name, every_ms, requests, is_regular, most_dollars) in paces {
        let regular = Demand::Slow { every_ms, between_stops: u64::MAX };
        let demand = if is_regular { regular } else { Demand::Steady { every_ms } };
        let isolate = isolate(25, demand, requests);
        let schedule = schedule(vec![isolate], u64::from(u32::MAX), requests * every_ms * 2);
        let options = options();
        let mut world = World::new(&schedule, &options);
        world.go_on();
        let Tally { requests, ledger_calls, waited, .. } = world.outcome.tally;
        let rows = world.accounts[0].store.rows_written;
        let per_1000 = ledger_calls as f64 * 1_000.0 / requests as f64;
        let waiting = waited as f64 * 100.0 / requests as f64;
        let dollars = dollars(ledger_calls as f64, rows as f64, requests as f64);
        println!(
            "  {name:12} {per_1000:8.1} ledger calls per 1,000 requests, {waiting:6.2} % wait, \
             {:.2} rows written per call, ${dollars:.4} per million requests",
            rows as f64 / ledger_calls as f64,
        );
        assert!(dollars <= most_dollars + 1e-9, "{name}: ${dollars}, more than ${most_dollars}");
        figure(&format!("{name}.ledger_calls_per_1000_requests"), per_1000);
        figure(&format!("{name}.requests_that_wait_percent"), waiting);
        figure(&format!("{name}.dollars_per_million_requests"), dollars);
    }
}

/// The units held elsewhere when the first customer is refused, and the units sold in the end.
fn near_the_limit() {
    println!("\nA limit that lasts 60 s, at the first refusal:");
    for (count, per_s) in [(2, 20), (20, 2), (20, 20), (200, 2), (200, 20)] {
        let demand = Demand::Even { per_s };
        let random = &mut Random::new(7, count);
        let isolates = (0..count).map(|_| isolate(random.between(5, 125), demand, u64::MAX));
        let limit = count * per_s * 60;
        let schedule = schedule(isolates.collect(), limit, 120_000);
        let options = options();
        let mut world = World::new(&schedule, &options);
        while world.outcome.tally.refused == 0 && world.go_one() {}
        let window = &world.accounts[0].book.windows[0];
        let held = window.used - window.passed;
        world.go_on();
        let sold = world.accounts[0].book.windows[0].passed;
        println!(
            "  {count:3} isolates at {per_s:2}/s: {held} of {limit} units are held elsewhere; \
             {sold} are sold in the end",
        );
        figure(&format!("stranded.{count}_isolates_at_{per_s}_per_s.units"), held as f64);
        figure(&format!("sold.{count}_isolates_at_{per_s}_per_s.units"), sold as f64);
    }
}

/// One account, a million requests a second, all over the world.
fn one_hot_account(each: u64) {
    const PER_S: u64 = 1_000_000;
    const LOCATIONS: u64 = 300;
    let isolates = LOCATIONS * each;
    let random = &mut Random::new(1, 1);
    let mut all = Vec::new();
    for _ in 0..LOCATIONS {
        let latency_ms = random.between(5, 125);
        for _ in 0..each {
            let demand = Demand::Even { per_s: PER_S / isolates };
            let first_ms = random.below(1_000);
            all.push(Isolate { first_ms, ..isolate(latency_ms, demand, u64::MAX) });
        }
    }
    let schedule = schedule(all, u64::from(u32::MAX), ENDS_MS);
    let options = options();
    let mut world = World::new(&schedule, &options);
    world.go_until(WARM_MS);
    let (before, rows_before) = (world.outcome.tally, world.accounts[0].store.rows_written);
    world.go_until(ENDS_MS);
    let after = world.outcome.tally;
    let rows = world.accounts[0].store.rows_written - rows_before;
    let seconds = (ENDS_MS - WARM_MS) as f64 / 1_000.0;
    let requests = (after.requests - before.requests) as f64;
    let calls = (after.ledger_calls - before.ledger_calls) as f64;
    let waiting = (after.waited - before.waited) as f64 * 100.0 / requests;
    let cpu_us = (after.ledger_ns - before.ledger_ns) as f64 / calls / 1_000.0;
    let naive_dollars = dollars(1.0, 1.0, 1.0);
    let dollars = dollars(calls, rows as f64, requests);
    println!("\nOne account, {PER_S} requests/s, {LOCATIONS} locations, {each} isolates in each:");
    println!("  {:.0} requests/s, {waiting:.4} % of them wait", requests / seconds);
    println!("  {:.1} ledger calls/s, {cpu_us:.2} us of CPU each", calls / seconds);
    println!("  {:.2} rows written per call", rows as f64 / calls);
    println!(
        "  ${dollars:.5} per million requests; with a counter per request ${naive_dollars:.2}"
    );
    let name = |what: &str| format!("million_per_s.{isolates}_isolates.{what}");
    figure(&name("ledger_calls_per_s"), calls / seconds);
    figure(&name("ledger_call_cpu_us"), cpu_us);
    figure(&name("requests_that_wait_percent"), waiting);
    figure(&name("rows_written_per_call"), rows as f64 / calls);
    figure(&name("dollars_per_million_requests"), dollars);
    figure("counter_per_request.dollars_per_million_requests", naive_dollars);
    assert_eq!(after.refused + after.unavailable, 0, "there is room, and nothing goes wrong");
}

/// The cost of a million requests, by the calls and rows that some of them made.
fn dollars(calls: f64, rows: f64, requests: f64) -> f64 {
    (calls * CALL_DOLLARS + rows * ROW_DOLLARS) * 1e6 / requests
}

fn figure(name: &str, value: f64) {
    println!("FIGURE {name} {value}");
}

fn options() -> Options {
    Options { compares: false, measures: true, ..Options::default() }
}

fn isolate(latency_ms: u64, demand: Demand, requests: u64) -> Isolate {
    Isolate {
        clock_offset_ms: 0,
        clock_drift_ppm: 0,
        latency_ms,
        demand,
        first_ms: 0,
        last_ms: 0,
        requests,
    }
}

/// One account with one monthly quota, and nothing that goes wrong.
fn schedule(mut isolates: Vec<Isolate>, limit: u64, horizon_ms: u64) -> Schedule {
    for isolate in &mut isolates {
        isolate.last_ms = horizon_ms;
    }
    let random = &mut Random::new(0, 0);
    let meter = || "a".to_owned();
    let quota = Quota { meter: meter(), limit, period: Period::Month, ..Quota::default() };
    let plan = Plan { id: "p".to_owned(), quotas: vec![quota], ..Plan::default() };
    let plan_id = Some(plan.id.clone());
    let record =
        Subscription { plan: plan_id, status: Status::Active, ..Subscription::default() }.into();
    let route = Route { costs: vec![Cost { meter: meter(), units: 1 }], is_settled: false };
    let lost = tollgate::plan::Lost::Strict;
    let meters =
        vec![Meter { id: meter(), name: None, lost, notify_at: Vec::new(), keep_days: None }];
    let mut rates = Rates::draw(random);
    let troubles = Troubles::none();
    rates.keep(troubles);
    Schedule {
        seed: 1,
        size: Size::Large,
        troubles,
        rates,
        // 2027-03-02: far from the end of the month.
        starts_at: Timestamp::from_seconds(1_803_945_600),
        horizon_ms,
        deadline_ms: 1_000,
        origin_ms: 30_000,
        passes_in_outage: false,
        meters,
        plans: vec![plan],
        routes: vec![route.clone(), route],
        accounts: vec![Account { record, packs: Vec::new() }],
        hot_per_mille: 1_000,
        members: 1,
        isolates,
        strikes: Vec::new(),
    }
}

/// The time at which every isolate has asked for as much as it will, and the end of the run.
const WARM_MS: u64 = 30_000;
const ENDS_MS: u64 = 60_000;
/// A request to a Durable Object, and a row written: Cloudflare's price list, Workers Paid, 2025.
const CALL_DOLLARS: f64 = 0.15 / 1e6;
const ROW_DOLLARS: f64 = 1.00 / 1e6;
