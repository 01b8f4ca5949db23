//! The things on sale: meters, plans with small quotas, routes and accounts.

use tollgate::account::{AccountRecord, Status};
use tollgate::plan::{Cost, Enforcement, Lost, Meter, Period, Plan, Quota, Scope};
use tollgate::quota::CreditPack;
use tollgate::time::Timestamp;

use crate::random::Random;
use crate::schedule::{Account, Route, Size, record};

/// The things on sale, and the accounts that buy them.
#[derive(Debug)]
pub(crate) struct Sales {
    pub(crate) meters: Vec<Meter>,
    pub(crate) plans: Vec<Plan>,
    pub(crate) routes: Vec<Route>,
    pub(crate) accounts: Vec<Account>,
}

pub(crate) fn draw(
    random: &mut Random,
    size: Size,
    starts_at: Timestamp,
    horizon_ms: u64,
) -> Sales {
    let meter_count = *random.pick(&[1, 1, 2, 3]);
    let meters: Vec<Meter> = METERS[..meter_count].iter().map(|id| meter(random, id)).collect();
    let scale = match size {
        Size::Small => *random.pick(&[6, 20, 60, 200]),
        Size::Medium => *random.pick(&[100, 400]),
        Size::Large => *random.pick(&[3_000, 50_000]),
    };
    let plans: Vec<Plan> =
        ["p", "q"].iter().map(|id| plan(random, id, meter_count, scale)).collect();
    let mut routes: Vec<Route> =
        (0..random.between(1, 3)).map(|_| route(random, meter_count)).collect();
    routes.push(Route { costs: vec![cost(0, 1)], is_settled: false });
    let count = match size {
        Size::Small => *random.pick(&[1, 1, 1, 2]),
        Size::Medium => random.between(1, 4),
        Size::Large => random.between(20, 60),
    };
    let account = |_| {
        let plan = random.pick(&plans);
        let mut record = record(plan);
        record.own.cycle_anchor = anchor(random, starts_at, horizon_ms);
        let packs = *random.pick(&[0, 0, 1, 2, 3]);
        let pack = |number| pack(random, &format!("{number}"), starts_at, horizon_ms);
        Account { record, packs: (0..packs).map(pack).collect() }
    };
    let accounts = (0..count).map(account).collect();
    Sales { meters, plans, routes, accounts }
}

/// A record in the place of another: another plan, a trial, limits of its own, or no plan.
pub(crate) fn changed(random: &mut Random, old: &AccountRecord, plans: &[Plan]) -> AccountRecord {
    let plan = random.pick(plans);
    let mut record = old.clone();
    record.own.plan = Some(plan.id.clone());
    match random.below(10) {
        0 => record.own.plan = None,
        1 | 2 => record.own.status = Status::Trialing,
        3..=5 => {
            let quota = random.pick(&plan.quotas);
            record.limits.insert(quota.name().to_string(), random.below(quota.limit * 2 + 2));
        }
        _ => {}
    }
    record
}

/// Some credits, which may expire while the schedule runs.
pub(crate) fn pack(
    random: &mut Random,
    id: &str,
    starts_at: Timestamp,
    horizon_ms: u64,
) -> CreditPack {
    let most = *random.pick(&[6, 40]);
    let units = random.between(1, most);
    let after_ms = i64::try_from(random.below(horizon_ms * 3 / 2)).unwrap();
    let expires_at = random.happens(600).then(|| starts_at.plus_ms(after_ms));
    CreditPack { id: id.to_owned(), units, left: units, added_at: starts_at, expires_at }
}

fn meter(random: &mut Random, id: &str) -> Meter {
    let lost = if random.happens(300) { Lost::Lenient } else { Lost::Strict };
    Meter { id: id.to_owned(), name: None, lost, notify_at: vec![50, 90], keep_days: None }
}

fn plan(random: &mut Random, id: &str, meters: usize, scale: u64) -> Plan {
    let mut quotas: Vec<Quota> = Vec::new();
    for meter in &METERS[..meters] {
        for _ in 0..*random.pick(&[1, 1, 1, 2, 3]) {
            let quota = quota(random, meter, scale);
            if quotas.iter().all(|other| other.name() != quota.name()) {
                quotas.push(quota);
            }
        }
    }
    if quotas.len() > 1 && random.happens(60) {
        // A meter without a limit, perhaps.
        quotas.pop();
    }
    Plan { id: id.to_owned(), quotas, ..Plan::default() }
}

fn quota(random: &mut Random, meter: &str, scale: u64) -> Quota {
    let is_soft = random.happens(200);
    Quota {
        meter: meter.to_owned(),
        limit: if random.happens(30) { 0 } else { random.between(1, scale) },
        period: *random.pick(&Period::ALL),
        utc_offset_min: *random.pick(&[0, 0, 0, 60, -300]),
        enforcement: if is_soft { Enforcement::Soft } else { Enforcement::Hard },
        scope: if random.happens(250) { Scope::Member } else { Scope::Account },
        overage_max: (is_soft && random.happens(700)).then(|| random.below(scale)),
        rollover_max: if random.happens(200) { random.between(1, scale) } else { 0 },
        trial_limit: random.happens(150).then(|| random.below(scale)),
    }
}

fn route(random: &mut Random, meters: usize) -> Route {
    let first = random.index(meters);
    let count = if random.happens(400) { random.between(1, meters as u64) } else { 1 };
    let costs = (0..usize::try_from(count).unwrap())
        .map(|place| {
            let units = if random.happens(700) { 1 } else { random.between(1, 6) };
            cost((first + place) % meters, units)
        })
        .collect();
    Route { costs, is_settled: random.happens(300) }
}

fn cost(meter: usize, units: u64) -> Cost {
    Cost { meter: METERS[meter].to_owned(), units }
}

/// Mostly one whose cycle ends while the schedule runs.
fn anchor(random: &mut Random, starts_at: Timestamp, horizon_ms: u64) -> Option<Timestamp> {
    let within_ms = i64::try_from(random.below(horizon_ms)).unwrap();
    let anchor = starts_at.plus_ms(within_ms).plus_seconds(-86_400 * 365);
    random.happens(600).then_some(anchor)
}

/// Their names are their places.
const METERS: [&str; 3] = ["a", "b", "c"];
