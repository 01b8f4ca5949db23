//! Requests as they come in, and what operators do.

use tollgate::account::AccountRecord;
use tollgate::quota::{CreditPack, Ledger};

use crate::random::Random;
use crate::schedule::Demand;
use crate::store::Changed;
use crate::world::{Account, Event, World};

impl World<'_> {
    /// A request comes to an isolate, and the next one is drawn.
    pub(crate) fn arrive(&mut self, isolate: usize) {
        if self.probe.is_some() {
            return self.arrive_for_proof(isolate);
        }
        let schedule = self.schedule;
        let spec = &schedule.isolates[isolate];
        let state = &mut self.isolates[isolate];
        // A request's luck is its own, also where others are left out.
        state.luck = Random::new(schedule.seed, (isolate as u64 + 1) << 32 | state.requests);
        let demand = &mut state.demand;
        let is_hot = demand.happens(schedule.hot_per_mille);
        let other = demand.index(schedule.accounts.len());
        let route = demand.index(schedule.routes.len() - 1);
        let member = demand.index(self.members.len());
        let ordinal = state.requests;
        state.requests += 1;
        let next_ms = match spec.demand {
            Demand::Steady { every_ms } => demand.between(every_ms / 2, every_ms * 3 / 2 + 1),
            Demand::Slow { every_ms, between_stops }
                if state.requests.is_multiple_of(between_stops) =>
            {
                demand.between(every_ms, 40_000)
            }
            Demand::Slow { every_ms, .. } => demand.between(every_ms * 9 / 10, every_ms * 11 / 10),
            Demand::Even { per_s } => {
                (spec.first_ms + state.requests * 1_000 / per_s).saturating_sub(self.now_ms)
            }
            Demand::Bursts { most, every_ms } if state.left_in_burst == 0 => {
                state.left_in_burst = demand.below(most);
                demand.between(every_ms / 2, every_ms * 3 / 2 + 1)
            }
            Demand::Bursts { .. } => {
                state.left_in_burst -= 1;
                demand.below(3)
            }
        };
        let next_ms = self.now_ms + next_ms;
        if ordinal + 1 < spec.requests && next_ms <= spec.last_ms {
            self.queue.push(next_ms, Event::Arrive { isolate });
        }
        if self.options.tells {
            self.outcome.requests.push((isolate, ordinal));
        }
        if !self.options.left_out.contains(&(isolate, ordinal)) {
            let account = if is_hot { 0 } else { other };
            self.request(isolate, account, route, member, false);
        }
    }

    /// An operator puts a record in the place of an account's.
    pub(crate) fn put_account(&mut self, number: usize, record: AccountRecord) {
        let now = self.ledger_now();
        let account = &mut self.accounts[number];
        let record = Ledger::put_account(&mut account.store, record, "operator", now).unwrap();
        account.store.commit(&mut self.changed);
        account.book.record = record;
        if self.options.tells {
            let AccountRecord { own, limits, .. } = &self.accounts[number].book.record;
            let (plan, status) = (&own.plan, own.status);
            let line = format!("is told: plan {plan:?}, {status:?}, limits {limits:?}");
            self.tell_of(number, || line);
        }
    }

    /// Credits are bought.
    pub(crate) fn add_credits(&mut self, number: usize, pack: CreditPack) {
        let now = self.ledger_now();
        self.tell_of(number, || format!("gets credits: {pack:?}"));
        let account = &mut self.accounts[number];
        let pack = Ledger::add_credits(&mut account.store, pack, "operator", now).unwrap();
        account.store.commit(&mut self.changed);
        account.book.add_pack(&pack);
    }
}

impl Account {
    /// Holds what a call has written against the book.
    pub(crate) fn compare(&mut self, changed: &Changed) {
        for place in &changed.counters {
            let (key, counter) = &self.store.counters()[*place];
            self.book.compare(key, counter);
        }
        if changed.packs {
            self.book.compare_packs(self.store.packs());
        }
    }
}
