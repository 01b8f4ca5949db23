//! The holder's side of a lease: what one isolate holds of one account's units.
//!
//! Requests are passed from what is held; the ledger is asked off their path, before the last unit
//! is spent. Only one message is under way at a time. Its number voids all earlier ones, at the
//! ledger and here: an answer that comes too late is not looked at, and the ledger takes back what
//! it granted once it hears the next message (see [`crate::quota::lease`]).

mod demand;
mod held;
mod message;
mod pocket;
mod watch;

use std::rc::Rc;

use crate::cause::QuotaState;
use crate::plan::Cost;
use crate::quota::{Charge, DegradedUnits};
use crate::time::Timestamp;

use held::Held;
use message::UnderWay;
use pocket::Pocket;

pub use message::{Answered, Ask, RETRY_MS};
use watch::WATCH_LASTS_MS;

pub use watch::{QUIET_MS, Watch};

/// What one isolate holds of one account. Nothing here is authoritative: it may be lost any time.
#[derive(Debug)]
pub struct Holder {
    name: Rc<str>,
    next_number: u64,
    /// How long after a request its units may still be given back.
    refund_ms: i64,
    horizon_ms: i64,
    /// The plan that the last request went by, as far as its token named one.
    plan: Option<String>,
    pockets: Vec<Pocket>,
    pockets_made: u64,
    leases: Vec<Held>,
    under_way: Option<UnderWay>,
    degraded: Vec<DegradedUnits>,
    failures: u32,
    ask_again_at: Timestamp,
    top_up_again_at: Timestamp,
}

impl Holder {
    /// Holds nothing. `name` must be random enough never to be met twice; units may be given back
    /// until `refund_ms` after they were taken.
    pub fn new(name: &str, refund_ms: i64) -> Self {
        Self {
            name: name.into(),
            next_number: 1,
            refund_ms,
            horizon_ms: DEFAULT_HORIZON_MS,
            plan: None,
            pockets: Vec::new(),
            pockets_made: 0,
            leases: Vec::new(),
            under_way: None,
            degraded: Vec::new(),
            failures: 0,
            ask_again_at: Timestamp::default(),
            top_up_again_at: Timestamp::default(),
        }
    }

    /// Notes that a request wants these units, whether or not it will get them. Once a request.
    pub fn note_demand(&mut self, costs: &[Cost], member: Option<&str>, now: Timestamp) {
        for cost in costs {
            let id = self.pocket_for(&cost.meter, member, now);
            if let Some(pocket) = self.pocket_mut(id) {
                pocket.demand.note(cost.units, now);
            }
        }
    }

    /// Takes all of the costs from what is held; `None`, and nothing taken, where that is too
    /// little.
    pub fn take(&mut self, costs: &[Cost], member: Option<&str>, now: Timestamp) -> Option<Charge> {
        let is_enough =
            costs.iter().all(|cost| self.available(&cost.meter, member, now) >= cost.units);
        is_enough.then(|| self.set_aside(costs, member, now))
    }

    /// Gives units back that a request took. Returns the lease that has to be watched again.
    ///
    /// What comes later than the holder remembers the lease stays spent.
    pub fn give_back(&mut self, charge: &Charge, now: Timestamp) -> Vec<u64> {
        let mut to_watch = Vec::new();
        let is_ours = charge.holder == self.name;
        for taking in charge.takings.iter().filter(|_| is_ours) {
            let is_it = |lease: &&mut Held| lease.id == taking.lease;
            let Some(lease) = self.leases.iter_mut().find(is_it) else { continue };
            let units = taking.units.min(lease.spent());
            lease.available = lease.available.saturating_add(units);
            lease.expire(now);
            if lease.watched_until <= now {
                lease.watched_until = now.plus_ms(WATCH_LASTS_MS);
                to_watch.push(lease.id);
            }
        }
        to_watch
    }

    /// Notes that a request passed without being counted, since the ledger is out of reach.
    pub fn count_degraded(&mut self, costs: &[Cost]) {
        for cost in costs {
            if let Some(total) = self.degraded.iter_mut().find(|one| one.meter == cost.meter) {
                total.units = total.units.saturating_add(cost.units);
            } else {
                let Cost { meter, units } = cost.clone();
                self.degraded.push(DegradedUnits { meter, units, told: 0 });
            }
        }
    }

    /// The quotas of these meters as this isolate knows them: what it holds of them and has not
    /// spent is still the account's.
    pub fn quotas(&self, costs: &[Cost], member: Option<&str>, now: Timestamp) -> Vec<QuotaState> {
        let mut states = Vec::new();
        for cost in costs {
            let Some(pocket) = self.pocket(&cost.meter, member) else { continue };
            let held = self.held_of_quotas(&cost.meter, member, now);
            states.extend(pocket.quotas.iter().map(|quota| {
                let used = quota.used.saturating_sub(held);
                QuotaState { used, ..quota.clone() }
            }));
        }
        states
    }

    /// Units of a meter that can be spent now.
    pub fn available(&self, meter: &str, member: Option<&str>, now: Timestamp) -> u64 {
        let live = self.live(meter, member, now);
        live.fold(0, |sum: u64, lease| sum.saturating_add(lease.available))
    }

    /// How many of them are counted in the quotas, and not credits.
    pub fn held_of_quotas(&self, meter: &str, member: Option<&str>, now: Timestamp) -> u64 {
        let live = self.live(meter, member, now);
        live.fold(0, |sum: u64, lease| sum.saturating_add(lease.of_quotas()))
    }

    /// Credits that can be spent now, on any meter.
    pub fn held_credits(&self, now: Timestamp) -> u64 {
        let live = self.leases.iter().filter(|lease| now < lease.expires_at);
        live.fold(0, |sum: u64, lease| sum.saturating_add(lease.of_credits()))
    }

    fn live(
        &self,
        meter: &str,
        member: Option<&str>,
        now: Timestamp,
    ) -> impl Iterator<Item = &Held> {
        let pocket = self.open_pocket_id(meter, member);
        let is_live = move |lease: &&Held| Some(lease.pocket) == pocket && now < lease.expires_at;
        self.leases.iter().filter(is_live)
    }

    /// When the ledger will be asked again after a failure; long past where it didn't fail.
    pub fn ask_again_at(&self) -> Timestamp {
        self.ask_again_at
    }

    /// Takes as much of the costs as is held, from what expires first.
    fn set_aside(&mut self, costs: &[Cost], member: Option<&str>, now: Timestamp) -> Charge {
        let mut charge = self.nothing();
        for cost in costs {
            let Some(pocket) = self.open_pocket_id(&cost.meter, member) else { continue };
            let mut missing = cost.units;
            // Leases expire in the order they came, but for those that end with a period.
            for lease in self.leases.iter_mut().filter(|lease| lease.pocket == pocket) {
                let units = missing.min(lease.available);
                if units == 0 || now >= lease.expires_at {
                    continue;
                }
                lease.available = lease.available.saturating_sub(units);
                lease.last_taken_at = now;
                missing = missing.saturating_sub(units);
                charge.push(lease.id, &cost.meter, units);
            }
        }
        charge
    }

    fn nothing(&self) -> Charge {
        Charge { holder: Rc::clone(&self.name), takings: Vec::new() }
    }
}

/// For how much of the demand to ask at a time, unless the ledger says more.
const DEFAULT_HORIZON_MS: i64 = 10_000;
