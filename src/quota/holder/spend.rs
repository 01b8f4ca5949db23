//! Spending: requests take units, and give back what they did not use.

use std::rc::Rc;

use super::held::{HeldLease, WATCH_LASTS_MS};
use super::state::Holder;
use crate::cause::QuotaState;
use crate::plan::Cost;
use crate::quota::units::{take_up_to, total};
use crate::quota::{Charge, DegradedUnits};
use crate::time::Timestamp;

impl Holder {
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
    /// Units stay spent if they come back after the holder has forgotten the lease.
    pub fn give_back(&mut self, charge: &Charge, now: Timestamp) -> Vec<u64> {
        let mut to_watch = Vec::new();
        let is_ours = charge.holder == self.name;
        for taking in charge.takings.iter().filter(|_| is_ours) {
            let is_it = |lease: &&mut HeldLease| lease.id == taking.lease;
            let Some(lease) = self.leases.iter_mut().find(is_it) else { continue };
            lease.put_back(taking.units);
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
            // Clamped on purpose: it is a figure for the operator, for which no request may fail.
            if let Some(total) = self.degraded.iter_mut().find(|one| one.meter == cost.meter) {
                total.units = total.units.saturating_add(cost.units);
            } else {
                let Cost { meter, units } = cost.clone();
                self.degraded.push(DegradedUnits { meter, units, reported: 0 });
            }
        }
    }

    /// The quotas of these meters from this isolate's side: units that it holds and has not spent
    /// are still the account's.
    pub fn quotas(&self, costs: &[Cost], member: Option<&str>, now: Timestamp) -> Vec<QuotaState> {
        let mut states = Vec::new();
        for cost in costs {
            let Some(pocket) = self.pocket(&cost.meter, member) else { continue };
            let held = self.held_of_quotas(&cost.meter, member, now);
            states.extend(pocket.quotas.iter().map(|quota| {
                // More may be held than was used where a new period has begun.
                let used = quota.used.saturating_sub(held);
                QuotaState { used, ..quota.clone() }
            }));
        }
        states
    }

    /// Units of a meter that can be spent now.
    pub fn available(&self, meter: &str, member: Option<&str>, now: Timestamp) -> u64 {
        total(self.live(meter, member, now).map(|lease| lease.available))
    }

    /// Number of held units that are counted in the quotas, and are not credits.
    pub fn held_of_quotas(&self, meter: &str, member: Option<&str>, now: Timestamp) -> u64 {
        total(self.live(meter, member, now).map(HeldLease::of_quotas))
    }

    /// Credits that can be spent now, on any meter.
    pub fn held_credits(&self, now: Timestamp) -> u64 {
        let live = self.leases.iter().filter(|lease| now < lease.expires_at);
        total(live.map(HeldLease::of_credits))
    }

    fn live(
        &self,
        meter: &str,
        member: Option<&str>,
        now: Timestamp,
    ) -> impl Iterator<Item = &HeldLease> {
        let pocket = self.open_pocket_id(meter, member);
        let is_live =
            move |lease: &&HeldLease| Some(lease.pocket) == pocket && now < lease.expires_at;
        self.leases.iter().filter(is_live)
    }

    /// The time at which the ledger will be asked again after a failure; long past without one.
    pub fn ask_again_at(&self) -> Timestamp {
        self.ask_again_at
    }

    /// Takes as much of the costs as is held, from what expires first.
    pub(super) fn set_aside(
        &mut self,
        costs: &[Cost],
        member: Option<&str>,
        now: Timestamp,
    ) -> Charge {
        let mut charge = self.nothing();
        for cost in costs {
            let Some(pocket) = self.open_pocket_id(&cost.meter, member) else { continue };
            let mut missing = cost.units;
            // Leases expire in the order they came, but for those that end with a period.
            for lease in self.leases.iter_mut().filter(|lease| lease.pocket == pocket) {
                if missing == 0 || lease.available == 0 || now >= lease.expires_at {
                    continue;
                }
                let units = lease.take(missing);
                take_up_to(&mut missing, units);
                lease.last_taken_at = now;
                charge.push(lease.id, &cost.meter, units);
            }
        }
        charge
    }

    pub(super) fn nothing(&self) -> Charge {
        Charge { holder: Rc::clone(&self.name), takings: Vec::new() }
    }
}
