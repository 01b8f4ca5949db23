//! A caller with units left gets them, within times that are stated.
//!
//! After a schedule has calmed down, little is left of the quota, some isolates hold units ahead of
//! a slow demand, and one isolate asks for one unit every second.

use tollgate::plan::{Enforcement, Quota, Scope};
use tollgate::quota::CreditPack;
use tollgate::quota::lease::LEASE_LIFETIME_MS;
use tollgate::quota::ledger::LEASE_MARGIN_MS;

use crate::book::{State, is_lenient};
use crate::counts::Count;
use crate::random::Random;
use crate::rules::Rule;
use crate::schedule::Strike;
use crate::visit::DENIAL_TTL_MS;
use crate::world::{Event, World};

/// The facts about the isolate that asks.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) is_over: bool,
    isolate: usize,
    member: usize,
    random: Random,
    ends_ms: u64,
    has_begun: bool,
    /// Since when a unit has been within each reach, and has been refused.
    since_ms: [u64; 3],
    gathers_until_ms: u64,
    credits_come_ms: u64,
}

impl World<'_> {
    pub(crate) fn prove_liveness(&mut self) {
        let Some(plan) = self.accounts[0].book.plan(self.schedule) else { return };
        let is_chosen = self.schedule.seed.is_multiple_of(PROVED_ONE_IN);
        let is_small = self.isolates.len() <= 100;
        if self.outcome.broken.is_some() || !plan.limits("a") || !is_small || !is_chosen {
            return;
        }
        let random = &mut Random::new(self.schedule.seed, 2);
        let member = random.index(self.members.len());
        let mut record = self.accounts[0].book.record.clone();
        let most = *random.pick(&[5, 50, 300]);
        let left = random.between(1, most);
        for quota in plan.quotas.iter().filter(|quota| quota.meter == "a") {
            let limit = self.limit_that_leaves(quota, left, member);
            record.limits.insert(quota.name().to_string(), limit);
        }
        self.put_account(0, record);
        let living = self.isolates.iter().flat_map(|isolate| &isolate.views);
        for place in living.filter(|(account, _)| *account == 0).map(|(_, view)| view.place) {
            self.accounts[0].book.holders[place].trouble = None;
        }
        let now_ms = self.now_ms;
        let isolate = random.index(self.isolates.len());
        self.outcome.tally.liveness_proofs += 1;
        self.probe = Some(Probe {
            is_over: false,
            has_begun: false,
            isolate,
            member,
            random: random.clone(),
            ends_ms: now_ms + PROOF_MS,
            since_ms: [now_ms; 3],
            gathers_until_ms: now_ms + random.below(15_000),
            credits_come_ms: now_ms + *random.pick(&[PROOF_MS / 3, PROOF_MS - 15_000]),
        });
        let others = self.isolates.len().min(4);
        for other in (0..others).filter(|other| *other != isolate) {
            self.queue.push(now_ms, Event::Arrive { isolate: other });
        }
        if random.happens(300) {
            let dies = Box::new(Strike::Dies { isolate: (isolate + 1) % others.max(2) });
            self.queue.push(now_ms + random.below(20_000), Event::Fate { strike: dies });
        }
        self.queue.push(now_ms + random.below(10_000), Event::Arrive { isolate });
        self.go_on();
        self.check(0);
    }

    /// The limit with which so much is left of a quota.
    fn limit_that_leaves(&self, quota: &Quota, left: u64, member: usize) -> u64 {
        let book = &self.accounts[0].book;
        let plan = book.plan(self.schedule).unwrap();
        let who = Some(self.members[member].as_str());
        let counts = book.counts(plan, "a", who, self.ledger_now());
        let of_member = quota.scope == Scope::Member;
        let is_it = |count: &&Count| {
            count.key.period == quota.period && count.key.member.is_some() == of_member
        };
        let count = counts.iter().find(is_it).unwrap();
        let overage = match (quota.enforcement, quota.overage_max) {
            (Enforcement::Soft, Some(most)) => most,
            _ => 0,
        };
        (count.used + left).saturating_sub(count.carried + overage)
    }

    pub(crate) fn arrive_for_proof(&mut self, isolate: usize) {
        let Some(probe) = &mut self.probe else { return };
        if self.now_ms >= probe.ends_ms {
            probe.is_over = true;
            return;
        }
        let is_probe = isolate == probe.isolate;
        if is_probe && !std::mem::replace(&mut probe.has_begun, true) {
            probe.since_ms = [self.now_ms; 3];
        }
        let member = if is_probe { probe.member } else { probe.random.index(self.members.len()) };
        // They gather units for a while, and then are too slow to spend them and too busy to give
        // them back.
        let slow_ms = 1_500 * (1 + isolate as u64);
        let pace_ms = if self.now_ms < probe.gathers_until_ms { 100 } else { slow_ms };
        let next_ms = if is_probe { PROBE_MS } else { probe.random.between(pace_ms / 2, pace_ms) };
        self.queue.push(self.now_ms + next_ms, Event::Arrive { isolate });
        if is_probe && self.now_ms >= probe.credits_come_ms {
            probe.credits_come_ms = u64::MAX;
            let now = self.ledger_now();
            let id = "999".to_owned();
            let pack = CreditPack { id, units: 5, left: 5, added_at: now, expires_at: None };
            self.add_credits(0, pack);
        }
        let route = self.schedule.routes.len() - 1;
        self.request(isolate, 0, route, member, is_probe);
    }

    pub(crate) fn probe_passed(&mut self) {
        if let Some(probe) = &mut self.probe {
            probe.since_ms = [self.now_ms; 3];
        }
    }

    /// A refusal is right for so long.
    pub(crate) fn probe_refused(&mut self) {
        let now_ms = self.now_ms;
        let is_there = REACHES.map(|(reach, _)| self.room(reach) > 0);
        let Some(probe) = &mut self.probe else { return };
        for (place, (reach, stated_ms)) in REACHES.into_iter().enumerate() {
            let since_ms = &mut probe.since_ms[place];
            if !is_there[place] {
                *since_ms = now_ms;
            }
            let refused_ms = now_ms - *since_ms;
            let longest_ms = &mut self.outcome.tally.longest_refused_ms[place];
            *longest_ms = refused_ms.max(*longest_ms);
            if refused_ms > stated_ms {
                let how = format!("a unit of {reach:?}, for {refused_ms} ms");
                return self.fail(Rule::RefusedTooLong, how);
            }
        }
    }

    /// Units that the probe could get, if all that is within reach came back.
    fn room(&self, reach: Reach) -> u64 {
        let probe = self.probe.as_ref().unwrap();
        let book = &self.accounts[0].book;
        let now = self.ledger_now();
        let Some(plan) = book.plan(self.schedule) else { return 0 };
        let who = Some(self.members[probe.member].as_str());
        let mut counts = book.counts(plan, "a", who, now);
        let mut credits = book.credits_left(now);
        for holder in &book.holders {
            for lease in holder.leases.iter().filter(|lease| lease.state == State::Out) {
                let is_lost = holder.trouble.is_some();
                let comes_back = match reach {
                    Reach::Ledger => false,
                    Reach::Living => !is_lost,
                    Reach::Lost => !is_lost || is_lenient(self.schedule, lease.meter),
                };
                if !comes_back {
                    continue;
                }
                let first = lease.spent.max(lease.heard_spent);
                let last = lease.units - lease.heard_returned;
                let of_quota = last.min(lease.from_quota) - first.min(lease.from_quota);
                for window in lease.windows.iter() {
                    let is_it = |count: &&mut Count| count.place == Some(window);
                    if let Some(count) = counts.iter_mut().find(is_it) {
                        count.used -= of_quota;
                    }
                }
                let of_credits = lease.credits(first, last);
                let usable = of_credits.filter(|(pack, _)| book.packs[*pack].lasts(now));
                credits += usable.map(|(_, units)| units).sum::<u64>();
            }
        }
        counts.iter().map(Count::room).min().unwrap_or(u64::MAX / 8) + credits
    }
}

/// The source of the units within reach, those of the reaches before included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reach {
    /// The ledger's units.
    Ledger,
    /// The units that living isolates hold.
    Living,
    /// The units that lost isolates held, and the ledger will take back.
    Lost,
}

const REACHES: [(Reach, u64); 3] = [
    (Reach::Ledger, SOLD_WITHIN_MS),
    (Reach::Living, HELD_WITHIN_MS),
    (Reach::Lost, LOST_WITHIN_MS),
];
/// It takes more events than all that went before.
const PROVED_ONE_IN: u64 = 8;
const PROBE_MS: u64 = 1_000;
const PROOF_MS: u64 = 130_000;
/// A second for the next try, and two for the messages.
const SLACK_MS: u64 = PROBE_MS + 2_000;
/// The ledger's units are sold as soon as no refusal is remembered.
const SOLD_WITHIN_MS: u64 = DENIAL_TTL_MS.unsigned_abs() * 65 / 64 + SLACK_MS;
/// The units of a living isolate come back when its lease ends, at the latest.
const HELD_WITHIN_MS: u64 = LEASE_LIFETIME_MS.unsigned_abs() * 65 / 64 + SOLD_WITHIN_MS;
/// The units of a lost one come back, of a lenient meter, when the ledger forgets it: it looks for
/// holders to forget every five seconds.
const LOST_WITHIN_MS: u64 =
    (LEASE_LIFETIME_MS + LEASE_MARGIN_MS).unsigned_abs() + 5_000 + SOLD_WITHIN_MS;
