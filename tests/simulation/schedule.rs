//! A schedule: all that a run is made of, drawn from a seed.

use tollgate::account::{AccountRecord, Status, Subscription};
use tollgate::plan::{Cost, Meter, Plan};
use tollgate::quota::CreditPack;
use tollgate::time::Timestamp;

use crate::random::Random;
use crate::sales;
use crate::troubles::{Rates, Trouble, Troubles};

/// The course of a run, but for the reactions of isolates and ledgers.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    pub(crate) size: Size,
    pub(crate) troubles: Troubles,
    pub(crate) rates: Rates,
    /// The ledgers' clocks when it begins.
    pub(crate) starts_at: Timestamp,
    /// For how long requests come.
    pub(crate) horizon_ms: u64,
    /// The longest wait for an answer of a ledger.
    pub(crate) deadline_ms: u32,
    /// The longest time of an origin.
    pub(crate) origin_ms: u64,
    /// Whether requests pass while a ledger is out of reach.
    pub(crate) passes_in_outage: bool,
    pub(crate) meters: Vec<Meter>,
    pub(crate) plans: Vec<Plan>,
    /// The last is the one that units are asked for by that prove liveness: one unit of the first meter.
    pub(crate) routes: Vec<Route>,
    pub(crate) accounts: Vec<Account>,
    /// The share of requests, per mille, that are the first account's.
    pub(crate) hot_per_mille: u64,
    pub(crate) members: u64,
    pub(crate) isolates: Vec<Isolate>,
    /// The strikes, each at a time of its own.
    pub(crate) strikes: Vec<(u64, Strike)>,
}

/// The size of a schedule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Size {
    /// A few isolates, a few dozen requests.
    Small,
    /// Dozens of isolates.
    Medium,
    /// Thousands of isolates in hundreds of locations, one hot account and many cold ones.
    Large,
}

/// The cost of requests.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) costs: Vec<Cost>,
    /// Whether the origin reports the real cost.
    pub(crate) is_settled: bool,
}

/// An account as it is at first.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) record: AccountRecord,
    pub(crate) packs: Vec<CreditPack>,
}

/// An isolate: where it is, what its clock shows, and what is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Isolate {
    pub(crate) clock_offset_ms: i64,
    /// The lead of its clock's speed, in millionths.
    pub(crate) clock_drift_ppm: i64,
    /// To the ledger, one way.
    pub(crate) latency_ms: u64,
    pub(crate) demand: Demand,
    pub(crate) first_ms: u64,
    pub(crate) last_ms: u64,
    /// The most requests that come.
    pub(crate) requests: u64,
}

/// The arrival of requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Demand {
    /// At an even pace, about.
    Steady { every_ms: u64 },
    /// So many, at an even pace to the millisecond.
    Even { per_s: u64 },
    /// At a slow regular pace, and after some requests none for a while.
    Slow { every_ms: u64, between_stops: u64 },
    /// Many at once, then none for a while.
    Bursts { most: u64, every_ms: u64 },
}

/// A blow from outside, at a time of its own.
#[derive(Clone, Debug)]
pub(crate) enum Strike {
    Dies { isolate: usize },
    Evicts { isolate: usize, account: usize },
    Restarts { account: usize },
    OutageBegins { account: usize },
    OutageEnds { account: usize },
    PlanChanges { account: usize, record: Box<AccountRecord> },
    TopUp { account: usize, pack: CreditPack },
}

impl Schedule {
    pub(crate) fn new(seed: u64) -> Self {
        let random = &mut Random::new(seed, 0);
        let size = match random.below(4_000) {
            0 => Size::Large,
            1..=20 => Size::Medium,
            _ => Size::Small,
        };
        Self::of_size(seed, size, random)
    }

    pub(crate) fn of_size(seed: u64, size: Size, random: &mut Random) -> Self {
        let horizon_ms = match size {
            Size::Small => *random.pick(&[1_000, 4_000, 15_000, 40_000, 100_000, 300_000]),
            Size::Medium => *random.pick(&[15_000, 60_000]),
            Size::Large => *random.pick(&[20_000, 40_000]),
        };
        let troubles = Troubles::draw(random);
        let starts_at = start(random, horizon_ms);
        let sales = sales::draw(random, size, starts_at, horizon_ms);
        let isolates = isolates(random, size, horizon_ms);
        let mut schedule = Self {
            seed,
            size,
            troubles,
            rates: Rates::draw(random),
            starts_at,
            horizon_ms,
            deadline_ms: *random.pick(&[1_000, 1_000, 1_000, 600, 2_500]),
            origin_ms: *random.pick(&[30_000, 30_000, 10_000]),
            passes_in_outage: random.happens(300),
            meters: sales.meters,
            plans: sales.plans,
            routes: sales.routes,
            accounts: sales.accounts,
            hot_per_mille: random.between(300, 950),
            members: *random.pick(&[1, 1, 2, 3]),
            isolates,
            strikes: Vec::new(),
        };
        schedule.draw_strikes(random);
        schedule.leave_out_what_is_no_trouble();
        schedule
    }

    /// True where the ledgers' rows are packed, as they are in a database.
    pub(crate) fn is_packed(&self) -> bool {
        self.seed % PACKED_ONE_IN == 1
    }

    /// The same without some kinds of trouble.
    pub(crate) fn without(mut self, trouble: Trouble) -> Self {
        self.troubles.remove(trouble);
        self.leave_out_what_is_no_trouble();
        self
    }

    fn draw_strikes(&mut self, random: &mut Random) {
        let most = if self.size == Size::Small { 3 } else { self.isolates.len() as u64 / 4 };
        let accounts = self.accounts.len();
        for _ in 0..random.below(most + 1) {
            let isolate = random.index(self.isolates.len());
            self.strike(random, Strike::Dies { isolate });
        }
        for _ in 0..random.below(most + 1) {
            let isolate = random.index(self.isolates.len());
            let account = random.index(accounts);
            self.strike(random, Strike::Evicts { isolate, account });
        }
        for _ in 0..random.below(3) {
            let account = random.index(accounts);
            self.strike(random, Strike::Restarts { account });
        }
        if random.happens(300) {
            let account = random.index(accounts);
            let begins_ms = random.below(self.horizon_ms);
            let lasts_ms = *random.pick(&[700, 5_000, 40_000, 120_000]);
            self.strikes.push((begins_ms, Strike::OutageBegins { account }));
            self.strikes.push((begins_ms + lasts_ms, Strike::OutageEnds { account }));
        }
        for _ in 0..random.below(4) {
            let account = random.index(accounts);
            let first = &self.accounts[account].record;
            let record = Box::new(sales::changed(random, first, &self.plans));
            self.strike(random, Strike::PlanChanges { account, record });
        }
        for number in 0..random.below(3) {
            let account = random.index(accounts);
            let id = format!("{}", 100 + number);
            let pack = sales::pack(random, &id, self.starts_at, self.horizon_ms);
            self.strike(random, Strike::TopUp { account, pack });
        }
    }

    fn strike(&mut self, random: &mut Random, strike: Strike) {
        self.strikes.push((random.below(self.horizon_ms), strike));
    }

    fn leave_out_what_is_no_trouble(&mut self) {
        let troubles = self.troubles;
        self.rates.keep(troubles);
        self.strikes.retain(|(_, strike)| troubles.has(strike.trouble()));
        for isolate in &mut self.isolates {
            if !troubles.has(Trouble::ClockOffsets) {
                isolate.clock_offset_ms = 0;
            }
            if !troubles.has(Trouble::ClockDrift) {
                isolate.clock_drift_ppm = 0;
            }
        }
        for route in &mut self.routes {
            route.is_settled &= troubles.has(Trouble::RealCosts);
        }
    }
}

impl Strike {
    fn trouble(&self) -> Trouble {
        match self {
            Self::Dies { .. } => Trouble::Deaths,
            Self::Evicts { .. } => Trouble::Evictions,
            Self::Restarts { .. } => Trouble::Restarts,
            Self::OutageBegins { .. } | Self::OutageEnds { .. } => Trouble::Outages,
            Self::PlanChanges { .. } => Trouble::PlanChanges,
            Self::TopUp { .. } => Trouble::TopUps,
        }
    }
}

/// The packed rows take as long as all the rest of a ledger.
const PACKED_ONE_IN: u64 = 4;

/// Mostly shortly before a window of some kind ends.
fn start(random: &mut Random, horizon_ms: u64) -> Timestamp {
    // 2027-03-01: the end of a month, a day, an hour and a minute.
    let boundary_s = 1_803_859_200;
    let earlier_s = *random.pick(&[0, 0, 86_400 * 3, 3_600 * 5, 60 * 7, 60 * 7]);
    let before_ms = random.below(horizon_ms + horizon_ms / 4);
    Timestamp::from_seconds(boundary_s - earlier_s).plus_ms(-i64::try_from(before_ms).unwrap())
}

fn isolates(random: &mut Random, size: Size, horizon_ms: u64) -> Vec<Isolate> {
    let (count, locations, each) = match size {
        Size::Small => (random.between(2, 6), random.between(1, 4), random.between(5, 40)),
        Size::Medium => (random.between(8, 60), random.between(4, 20), random.between(10, 60)),
        Size::Large => (random.between(1_000, 3_000), random.between(100, 300), 40),
    };
    let latencies: Vec<u64> = (0..locations).map(|_| random.between(1, 150)).collect();
    let is_even = size != Size::Small && random.happens(500);
    let isolate = |_| {
        let (first_ms, last_ms) = if is_even || random.happens(400) {
            (0, horizon_ms)
        } else {
            let first_ms = random.below(horizon_ms);
            (first_ms, random.between(first_ms, horizon_ms))
        };
        let pace_ms = (last_ms - first_ms) / each;
        let demand = match random.below(5) {
            0 => Demand::Steady { every_ms: random.between(8_000, 60_000) },
            1 => Demand::Bursts {
                most: random.between(2, each.min(20)),
                every_ms: random.between(300, 20_000),
            },
            2 => Demand::Steady { every_ms: random.between(1, 200) },
            3 => Demand::Slow {
                every_ms: random.between(2_000, 12_000),
                between_stops: random.between(4, 12),
            },
            _ => Demand::Steady { every_ms: random.between(1 + pace_ms / 3, 2 + pace_ms * 2) },
        };
        Isolate {
            clock_offset_ms: random.between_signed(-14_400_000, 14_400_000),
            clock_drift_ppm: random.between_signed(-10_000, 10_000),
            latency_ms: *random.pick(&latencies),
            demand,
            first_ms,
            last_ms,
            requests: random.between(1, each),
        }
    };
    (0..count).map(isolate).collect()
}

/// The account's standing is of no concern here: it is always good.
pub(crate) fn record(plan: &Plan) -> AccountRecord {
    let (plan, status) = (Some(plan.id.clone()), Status::Active);
    Subscription { plan, status, ..Subscription::default() }.into()
}
