//! The pockets of a holder: which there are, and how soon each runs dry.

use super::demand::Demand;
use super::pocket::Pocket;
use super::state::Holder;
use super::watch::QUIET_MS;
use crate::quota::Want;
use crate::quota::lease::LEASE_LIFETIME_MS;
use crate::time::Timestamp;

impl Holder {
    /// Units to ask for beyond what is needed: what the next seconds will want, less what is held.
    pub(super) fn ahead(&self, meter: &str, member: Option<&str>, now: Timestamp) -> u64 {
        let Some(pocket) = self.pocket(meter, member) else { return 0 };
        self.expected(pocket, now).saturating_sub(self.available(meter, member, now))
    }

    /// The units that a pocket will spend of a lease, if they are worth one. The rest of an account
    /// that is seldom asked for would have to be given back, by a call that the next request costs
    /// anyway.
    fn expected(&self, pocket: &Pocket, now: Timestamp) -> u64 {
        let ends_in_ms = pocket.ends_in_ms(now);
        let one = pocket.demand.last_units().max(1);
        let by_rate = pocket.demand.expected(self.horizon_ms.min(ends_in_ms), now);
        if by_rate >= one.saturating_mul(WORTH_A_LEASE) {
            return by_rate;
        }
        let by_gaps = pocket.demand.expected_by_gaps(SLOW_HORIZON_MS.min(ends_in_ms));
        if by_gaps >= one.saturating_mul(WORTH_A_SLOW_LEASE) { by_gaps } else { 0 }
    }

    /// The time after which units of a pocket that nobody asks for go back.
    pub(super) fn quiet_ms(&self, pocket: u64) -> i64 {
        let pocket = self.pockets.iter().find(|one| one.id == pocket);
        let gap_ms = pocket.and_then(|pocket| pocket.demand.gap_ms()).unwrap_or_default();
        gap_ms.saturating_mul(2).clamp(QUIET_MS, SLOW_HORIZON_MS)
    }

    /// The want of a pocket before it runs dry, if it is about to or is asked for all the same.
    pub(super) fn wanted_soon(
        &self,
        pocket: &Pocket,
        is_due: bool,
        now: Timestamp,
    ) -> Option<Want> {
        if pocket.is_for_members {
            return None;
        }
        // Near its period's end nothing lasts: what is held for half of the rest is enough.
        let low_ms = LOW_MS.min(pocket.ends_in_ms(now) / 2);
        let soon = now.plus_ms(low_ms);
        let member = pocket.member.as_deref();
        let lasting = self.available(&pocket.meter, member, soon);
        let ahead = self.expected(pocket, now).saturating_sub(lasting);
        let is_low = lasting <= pocket.demand.expected(low_ms, now);
        ((is_low || is_due) && ahead > 0).then(|| Want {
            meter: pocket.meter.clone(),
            member: pocket.member.clone(),
            needed: 0,
            ahead,
        })
    }

    pub(super) fn pocket(&self, meter: &str, member: Option<&str>) -> Option<&Pocket> {
        let id = self.pocket_id(meter, member)?;
        self.pockets.iter().find(|pocket| pocket.id == id)
    }

    pub(super) fn pocket_mut(&mut self, id: u64) -> Option<&mut Pocket> {
        self.pockets.iter_mut().find(|pocket| pocket.id == id)
    }

    /// The pocket of this member, or else that of the whole account.
    pub(super) fn pocket_id(&self, meter: &str, member: Option<&str>) -> Option<u64> {
        let exact = self.exact_pocket_id(meter, member);
        exact.or_else(|| member.and_then(|_| self.exact_pocket_id(meter, None)))
    }

    /// The pocket that this member may spend from.
    pub(super) fn open_pocket_id(&self, meter: &str, member: Option<&str>) -> Option<u64> {
        let pocket = self.pocket(meter, member)?;
        (!pocket.is_for_members).then_some(pocket.id)
    }

    /// The pocket that this member's demand is noted in; a new one where there is none yet. Until
    /// it is known that the plan counts members, that of the account: a crowd's demand must not be
    /// split up.
    pub(super) fn pocket_for(&mut self, meter: &str, member: Option<&str>, now: Timestamp) -> u64 {
        let known = self.pocket(meter, member);
        let needs_own = known.is_some_and(|pocket| pocket.is_for_members) && member.is_some();
        match known {
            Some(pocket) if !needs_own => pocket.id,
            _ => {
                let member = member.filter(|_| needs_own);
                self.add_pocket(meter, member, Demand::default(), now)
            }
        }
    }

    /// The pocket for a lease of just this member. From now on nothing is kept in the account's
    /// pocket: what was held in it goes back, since it would be counted in nobody's own quota.
    pub(super) fn members_pocket(&mut self, meter: &str, member: &str, now: Timestamp) -> u64 {
        let mut demand = Demand::default();
        if let Some(all) = self.pockets.iter_mut().find(|pocket| pocket.is_for(meter, None)) {
            all.is_for_members = true;
            demand = all.demand;
        }
        let own = self.exact_pocket_id(meter, Some(member));
        own.unwrap_or_else(|| self.add_pocket(meter, Some(member), demand, now))
    }

    /// The pocket for a lease that the whole account may spend. Members have none of their own
    /// then; where they did, the plan has changed, and what they held goes back.
    pub(super) fn accounts_pocket(&mut self, meter: &str, now: Timestamp) -> u64 {
        self.pockets.retain(|pocket| pocket.meter != meter || pocket.member.is_none());
        let id = self.pocket_for(meter, None, now);
        if let Some(pocket) = self.pocket_mut(id) {
            pocket.is_for_members = false;
        }
        id
    }

    fn exact_pocket_id(&self, meter: &str, member: Option<&str>) -> Option<u64> {
        let is_it = |pocket: &&Pocket| pocket.is_for(meter, member);
        self.pockets.iter().find(is_it).map(|pocket| pocket.id)
    }

    fn add_pocket(
        &mut self,
        meter: &str,
        member: Option<&str>,
        demand: Demand,
        now: Timestamp,
    ) -> u64 {
        if self.pockets.len() >= MANY_POCKETS {
            let Self { pockets, leases, .. } = self;
            pockets.retain(|pocket| {
                let is_held = leases.iter().any(|lease| lease.pocket == pocket.id);
                is_held || pocket.is_for_members || pocket.demand.is_recent(now)
            });
        }
        self.pockets_made = self.pockets_made.saturating_add(1);
        let (id, meter, member) = (self.pockets_made, meter.to_owned(), member.map(str::to_owned));
        self.pockets.push(Pocket {
            id,
            meter,
            member,
            is_for_members: false,
            demand,
            quotas: Vec::new(),
        });
        id
    }
}

/// More is fetched when what is held lasts for less than this: far longer than an answer takes.
const LOW_MS: i64 = 2_000;
/// So many requests are expected where it pays to ask ahead.
const WORTH_A_LEASE: u64 = 4;
/// The same where the last gaps were long and alike.
const WORTH_A_SLOW_LEASE: u64 = 2;
/// The span of demand to ask for where it is slow: a lease lives little longer.
const SLOW_HORIZON_MS: i64 = LEASE_LIFETIME_MS - 5_000;
/// From so many members on, the ones that have gone are forgotten.
const MANY_POCKETS: usize = 32;
