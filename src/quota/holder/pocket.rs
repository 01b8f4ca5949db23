//! Units by meter, and by member where the plan counts each of them.

use crate::decision::QuotaState;
use crate::quota::Want;
use crate::quota::holder::Holder;
use crate::quota::holder::demand::Demand;
use crate::time::Timestamp;

/// Units of one meter, and how many of them are wanted.
#[derive(Debug)]
pub(super) struct Pocket {
    pub(super) meter: String,
    /// Only where the plan counts each member.
    pub(super) member: Option<String>,
    pub(super) demand: Demand,
    /// As the ledger said last, all that it granted included.
    pub(super) quotas: Vec<QuotaState>,
}

impl Pocket {
    fn is_for(&self, meter: &str, member: Option<&str>) -> bool {
        self.meter == meter && self.member.as_deref() == member
    }
}

impl Holder {
    /// Units to ask for beyond what is needed: what the next seconds will want, less what is held.
    pub(super) fn ahead(&self, meter: &str, member: Option<&str>, now: Timestamp) -> u64 {
        let Some(pocket) = self.pocket(meter, member) else { return 0 };
        let expected = pocket.demand.expected(self.horizon_ms, now);
        expected.saturating_sub(self.available(meter, member, now))
    }

    /// What a pocket wants before it runs dry, if it is about to or is asked for all the same.
    pub(super) fn wanted_soon(
        &self,
        pocket: &Pocket,
        is_due: bool,
        now: Timestamp,
    ) -> Option<Want> {
        let soon = now.plus_ms(LOW_MS);
        let member = pocket.member.as_deref();
        let lasting = self.available(&pocket.meter, member, soon);
        let ahead = pocket.demand.expected(self.horizon_ms, now).saturating_sub(lasting);
        let is_low = lasting <= pocket.demand.expected(LOW_MS, now);
        ((is_low || is_due) && ahead > 0).then(|| Want {
            meter: pocket.meter.clone(),
            member: pocket.member.clone(),
            needed: 0,
            ahead,
        })
    }

    pub(super) fn pocket(&self, meter: &str, member: Option<&str>) -> Option<&Pocket> {
        self.pockets.get(self.place(meter, member)?)
    }

    /// The pocket of this member, or else that of the whole account.
    pub(super) fn place(&self, meter: &str, member: Option<&str>) -> Option<usize> {
        let place_of = |member: Option<&str>| {
            self.pockets.iter().position(|pocket| pocket.is_for(meter, member))
        };
        place_of(member).or_else(|| member.and_then(|_| place_of(None)))
    }

    pub(super) fn pocket_for(&mut self, meter: &str, member: Option<&str>) -> usize {
        self.place(meter, member).unwrap_or_else(|| self.add_pocket(meter, None, Demand::default()))
    }

    pub(super) fn exact_pocket_for(&mut self, meter: &str, member: Option<&str>) -> usize {
        let exact = self.pockets.iter().position(|pocket| pocket.is_for(meter, member));
        exact.unwrap_or_else(|| {
            let demand = self.pocket(meter, None).map_or_else(Demand::default, |all| all.demand);
            self.add_pocket(meter, member, demand)
        })
    }

    fn add_pocket(&mut self, meter: &str, member: Option<&str>, demand: Demand) -> usize {
        let (meter, member) = (meter.to_owned(), member.map(str::to_owned));
        self.pockets.push(Pocket { meter, member, demand, quotas: Vec::new() });
        self.pockets.len().saturating_sub(1)
    }
}

/// More is fetched when what is held lasts for less than this: far longer than an answer takes.
const LOW_MS: i64 = 2_000;
