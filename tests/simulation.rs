//! A deterministic simulation of isolates, ledgers and the network between them: the very code that
//! ships, from a seed, with everything going wrong that can.
//!
//! `TOLLGATE_SCHEDULES=10000000 cargo test --release --test simulation` runs through a night;
//! `TOLLGATE_SEED=7 cargo test --test simulation -- --nocapture` prints one schedule's story.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a simulation that is wrong has to be loud, and it measures its own speed"
)]

#[path = "simulation/book.rs"]
mod book;
#[path = "simulation/calm.rs"]
mod calm;
#[path = "simulation/caught.rs"]
mod caught;
#[path = "simulation/counts.rs"]
mod counts;
#[path = "simulation/demand.rs"]
mod demand;
#[path = "simulation/errands.rs"]
mod errands;
#[path = "simulation/faults.rs"]
mod faults;
#[path = "simulation/figures.rs"]
mod figures;
#[path = "simulation/hearing.rs"]
mod hearing;
#[path = "simulation/liveness.rs"]
mod liveness;
#[path = "simulation/network.rs"]
mod network;
#[path = "simulation/packed.rs"]
mod packed;
#[path = "simulation/queue.rs"]
mod queue;
#[path = "simulation/random.rs"]
mod random;
#[path = "simulation/releases.rs"]
mod releases;
#[path = "simulation/rules.rs"]
mod rules;
#[path = "simulation/sales.rs"]
mod sales;
#[path = "simulation/schedule.rs"]
mod schedule;
#[path = "simulation/shrinking.rs"]
mod shrinking;
#[path = "simulation/slab.rs"]
mod slab;
#[path = "simulation/store.rs"]
mod store;
#[path = "simulation/troubles.rs"]
mod troubles;
#[path = "simulation/visit.rs"]
mod visit;
#[path = "simulation/world.rs"]
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use schedule::Schedule;
use shrinking::shrink;
use world::{Options, Tally, run};

/// The schedules of a test run; more by the environment.
const SCHEDULES: u64 = 24_000;

#[test]
fn every_rule_holds_in_every_schedule() {
    let options = Options::default();
    if let Some(seed) = number("TOLLGATE_SEED") {
        let story = shrink(&Schedule::new(seed), None, options.compares);
        println!("{}", story.text());
        assert!(story.outcome.broken.is_none(), "seed {seed} breaks a rule");
        return;
    }
    let schedules = number("TOLLGATE_SCHEDULES").unwrap_or(SCHEDULES);
    let first = number("TOLLGATE_FIRST_SEED").unwrap_or(0);
    let begun = Instant::now();
    let (tally, failed) = run_all(first, schedules, &options);
    println!("{tally:#?}");
    if schedules >= SCHEDULES {
        for times in [tally.held_across_gaps, tally.returned_after_gaps, tally.lost_in_gaps] {
            assert!(times > 0, "leases are kept between slow requests, returned and lost");
        }
    }
    let (events, seconds) = (tally.events as f64, begun.elapsed().as_secs_f64());
    let cpu_s = tally.cpu_ns as f64 / 1e9;
    println!(
        "{} schedules from seed {first}: {events} events in {seconds:.1} s, {:.0} a second; \
         {:.0} a second of CPU time",
        tally.schedules,
        events / seconds,
        events / cpu_s,
    );
    if let Some(seed) = failed {
        panic!("{}", shrink(&Schedule::new(seed), None, options.compares).text());
    }
}

/// Runs schedules on every core. Returns what they came to, and the first seed that failed.
fn run_all(first: u64, schedules: u64, options: &Options) -> (Tally, Option<u64>) {
    let next = AtomicU64::new(first);
    let is_over = AtomicBool::new(false);
    let sum = Mutex::new((Tally::default(), None));
    let work = || {
        let mut tally = Tally::default();
        while !is_over.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + schedules {
                break;
            }
            let outcome = run(&Schedule::new(seed), options);
            tally.add(&outcome.tally);
            if outcome.broken.is_some() {
                is_over.store(true, Ordering::Relaxed);
                sum.lock().unwrap().1.get_or_insert(seed);
            }
        }
        tally.cpu_ns = cpu_ns();
        sum.lock().unwrap().0.add(&tally);
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    sum.into_inner().unwrap()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// This thread's time on a CPU, where Linux reports it: others may want the machine too.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
}
