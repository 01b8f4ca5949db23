//! The second book: what was granted and what came back, added up from nothing each time.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tollgate::cause::QuotaState;
use tollgate::plan::{Enforcement, Quota, Scope};
use tollgate::quota::store::CounterKey;
use tollgate::quota::{CreditPack, GrantOutcome, Lease, LedgerRequest, Want};
use tollgate::store::MAX_UNITS;
use tollgate::time::Timestamp;

pub(crate) struct Book {
    quotas: Vec<Quota>,
    packs: Vec<CreditPack>,
    anchor: Option<Timestamp>,
    /// The units that rolled over into each window that anything was counted in.
    carried: BTreeMap<CounterKey, u64>,
    /// Every lease there ever was, of each holder; also of those who were forgotten.
    leases: Vec<Held>,
    holders: BTreeMap<String, Heard>,
}

/// A lease.
struct Held {
    holder: String,
    id: u64,
    meter: String,
    windows: BTreeSet<CounterKey>,
    units: u64,
    /// Credits by the place of their pack, in the order in which they were taken.
    credits: Vec<(usize, u64)>,
    spent: u64,
    returned: u64,
    has_arrived: bool,
    is_over: bool,
}

#[derive(Default)]
struct Heard {
    number: u64,
    at: Timestamp,
}

impl Held {
    fn all_credits(&self) -> u64 {
        self.credits.iter().map(|(_, units)| units).sum()
    }

    /// Units that count in its windows: what came back were the credits first.
    fn counted(&self) -> u64 {
        let of_quotas = self.units - self.all_credits();
        of_quotas - self.returned.saturating_sub(self.all_credits())
    }

    /// Credits that are out, by the place of their pack: the last taken came back first.
    fn credits_out(&self) -> Vec<(usize, u64)> {
        let mut back = self.returned;
        let mut out = Vec::new();
        for (place, units) in self.credits.iter().rev() {
            let part = (*units).min(back);
            back -= part;
            out.push((*place, units - part));
        }
        out
    }
}

impl Book {
    pub(crate) fn new(
        quotas: Vec<Quota>,
        packs: Vec<CreditPack>,
        anchor: Option<Timestamp>,
    ) -> Self {
        let (carried, leases, holders) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self { quotas, packs, anchor, carried, leases, holders }
    }

    /// The highest number that was heard of a holder.
    pub(crate) fn heard(&self, holder: &str) -> u64 {
        self.holders.get(holder).map_or(0, |heard| heard.number)
    }

    pub(crate) fn seen_at(&self, holder: &str) -> Timestamp {
        self.holders[holder].at
    }

    pub(crate) fn leases_ever(&self, holder: &str) -> Vec<u64> {
        let mut ids: Vec<_> =
            self.leases.iter().filter(|one| one.holder == holder).map(|one| one.id).collect();
        ids.sort_unstable();
        ids
    }

    /// Takes over the reports of a message.
    pub(crate) fn hear(&mut self, request: &LedgerRequest, now: Timestamp) {
        let number = request.number + (request.wants.len() as u64).max(1) - 1;
        self.holders.insert(request.holder.clone(), Heard { number, at: now });
        for held in &mut self.leases {
            if held.is_over || held.holder != request.holder {
                continue;
            }
            match request.leases.iter().find(|report| report.id == held.id) {
                Some(report) => {
                    held.returned = held.returned.max(report.returned.min(held.units));
                    held.spent = report.spent.min(held.units - held.returned);
                    held.has_arrived = true;
                }
                None if held.has_arrived => held.is_over = true,
                None => (held.returned, held.is_over) = (held.units, true),
            }
        }
    }

    /// Notes that a holder was forgotten; what it didn't say that it spent of `lenient` goes back.
    pub(crate) fn forget(&mut self, holder: &str, lenient: &str) {
        self.holders.remove(holder);
        for held in self.leases.iter_mut().filter(|held| held.holder == holder && !held.is_over) {
            held.is_over = true;
            if held.meter == lenient {
                held.returned = held.units - held.spent;
            }
        }
    }

    /// Writes a grant down, and checks that what came of the wants was right.
    pub(crate) fn note(
        &mut self,
        request: &LedgerRequest,
        outcome: &GrantOutcome,
        now: Timestamp,
    ) -> Result<(), TestCaseError> {
        let first_short = self.first_short(&request.wants, now);
        match outcome {
            GrantOutcome::Granted { leases, quotas } => {
                prop_assert_eq!(first_short, None);
                prop_assert_eq!(quotas.len(), request.wants.len());
                let rooms: Vec<_> = request.wants.iter().map(|want| self.room(want, now)).collect();
                let credits: u64 = self.usable(now).map(|(_, left)| left).sum();
                for ((want, room), id) in request.wants.iter().zip(rooms).zip(request.number..) {
                    let lease = leases.iter().find(|lease| lease.id == id);
                    let most_ahead = room.saturating_add(credits) / 4;
                    self.note_one(&request.holder, want, lease, most_ahead, now)?;
                }
                for (want, states) in request.wants.iter().zip(quotas) {
                    prop_assert_eq!(states, &self.states(want, now));
                }
            }
            GrantOutcome::Refused { meter, quota, quotas, .. } => {
                prop_assert_eq!(Some(meter), first_short.as_ref());
                let all: Vec<_> =
                    request.wants.iter().flat_map(|want| self.states(want, now)).collect();
                prop_assert!(quotas.contains(quota) && quota.is_about(meter));
                prop_assert_eq!(quotas, &all);
            }
            other => prop_assert!(false, "{other:?}"),
        }
        Ok(())
    }

    fn note_one(
        &mut self,
        holder: &str,
        want: &Want,
        lease: Option<&Lease>,
        most_ahead: u64,
        now: Timestamp,
    ) -> Result<(), TestCaseError> {
        let quotas: Vec<_> = self.quotas_of(want).cloned().collect();
        let Some(lease) = lease else {
            prop_assert!(quotas.is_empty() || want.needed == 0);
            return Ok(());
        };
        prop_assert!(!quotas.is_empty() && lease.units > 0 && lease.units >= want.needed);
        prop_assert!(lease.units - want.needed <= want.ahead.min(most_ahead));
        let of_member = quotas.iter().any(|quota| quota.scope == Scope::Member);
        prop_assert_eq!(lease.is_of_member, of_member);
        prop_assert_eq!(lease.is_lenient, want.meter == "b");
        let credits = self.spend_credits(lease.credits, now)?;
        let mut ends: Vec<_> =
            credits.iter().filter_map(|(place, _)| self.packs[*place].expires_at).collect();
        let mut windows = BTreeSet::new();
        if lease.units > lease.credits {
            for quota in &quotas {
                let key = self.key(quota, want, now);
                let carried = self.carried(quota, &key);
                self.carried.entry(key.clone()).or_insert(carried);
                windows.insert(key);
                ends.push(quota.window(now, self.anchor).ends_at);
            }
        }
        let lasts_until = now.plus_ms(i64::try_from(lease.lifetime_ms).unwrap());
        prop_assert!(lease.lifetime_ms <= 25_000 && ends.iter().all(|at| lasts_until <= *at));
        self.leases.push(Held {
            holder: holder.to_owned(),
            id: lease.id,
            meter: want.meter.clone(),
            windows,
            units: lease.units,
            credits,
            spent: 0,
            returned: 0,
            has_arrived: false,
            is_over: false,
        });
        Ok(())
    }

    /// The meter of the first want that can't be met beside those before it.
    fn first_short(&self, wants: &[Want], now: Timestamp) -> Option<String> {
        let mut credits: u64 = self.usable(now).map(|(_, left)| left).sum();
        let mut taken: BTreeMap<CounterKey, u64> = BTreeMap::new();
        for want in wants {
            let keys: BTreeSet<_> =
                self.quotas_of(want).map(|quota| self.key(quota, want, now)).collect();
            let before = |key: &CounterKey| taken.get(key).copied().unwrap_or(0);
            let rooms = self.quotas_of(want).map(|quota| {
                let key = self.key(quota, want, now);
                self.ceiling(quota, &key)
                    - (self.used(&key) + before(&key)).min(self.ceiling(quota, &key))
            });
            let Some(room) = rooms.min() else { continue };
            let missing = want.needed.saturating_sub(room);
            if missing > credits {
                return Some(want.meter.clone());
            }
            credits -= missing;
            for key in keys {
                *taken.entry(key).or_default() += want.needed.min(room);
            }
        }
        None
    }

    /// Units that the quotas of a want still have.
    fn room(&self, want: &Want, now: Timestamp) -> u64 {
        let of_quota = |quota| {
            let key = self.key(quota, want, now);
            self.ceiling(quota, &key).saturating_sub(self.used(&key))
        };
        self.quotas_of(want).map(of_quota).min().unwrap_or(MAX_UNITS)
    }

    fn quotas_of<'a>(&'a self, want: &'a Want) -> impl Iterator<Item = &'a Quota> {
        self.quotas.iter().filter(|quota| {
            quota.meter == want.meter && (quota.scope == Scope::Account || want.member.is_some())
        })
    }

    fn key(&self, quota: &Quota, want: &Want, now: Timestamp) -> CounterKey {
        CounterKey {
            meter: quota.meter.clone(),
            member: want.member.clone().filter(|_| quota.scope == Scope::Member),
            period: quota.period,
            starts_at: quota.window(now, self.anchor).starts_at,
        }
    }

    fn used(&self, key: &CounterKey) -> u64 {
        let in_it = self.leases.iter().filter(|held| held.windows.contains(key));
        in_it.map(Held::counted).sum()
    }

    fn limit(&self, quota: &Quota, key: &CounterKey) -> u64 {
        quota.limit.saturating_add(self.carried(quota, key)).min(MAX_UNITS)
    }

    /// The most that may be counted in a window.
    fn ceiling(&self, quota: &Quota, key: &CounterKey) -> u64 {
        let limit = self.limit(quota, key);
        match (quota.enforcement, quota.overage_max) {
            (Enforcement::Hard, _) => limit,
            (Enforcement::Soft, Some(more)) => (limit + more).min(MAX_UNITS),
            (Enforcement::Soft, None) => MAX_UNITS,
        }
    }

    /// The units that roll over into a window: of the last one that anything was counted in,
    /// through those between them; of nothing where that is more than twelve ago.
    fn carried(&self, quota: &Quota, key: &CounterKey) -> u64 {
        if let Some(carried) = self.carried.get(key) {
            return *carried;
        }
        let mut earlier = key.clone();
        for unused_periods in 0..12 {
            let before = earlier.starts_at.plus_ms(-1);
            earlier.starts_at = quota.window(before, self.anchor).starts_at;
            if let Some(carried) = self.carried.get(&earlier) {
                let allowed = quota.limit.saturating_add(*carried);
                let left = allowed.saturating_sub(self.used(&earlier)).min(quota.rollover_max);
                let through =
                    |carried: u64, _| quota.limit.saturating_add(carried).min(quota.rollover_max);
                return (0..unused_periods).fold(left, through);
            }
        }
        0
    }

    fn states(&self, want: &Want, now: Timestamp) -> Vec<QuotaState> {
        let state = |quota: &Quota| {
            let key = self.key(quota, want, now);
            let window = quota.window(now, self.anchor);
            QuotaState::new(quota, window, self.limit(quota, &key), self.used(&key))
        };
        self.quotas_of(want).map(state).collect()
    }

    /// Packs that can be used, by their place, the first to expire first.
    fn usable(&self, now: Timestamp) -> impl Iterator<Item = (usize, u64)> {
        let left = self.left();
        let mut places: Vec<_> = (0..self.packs.len()).collect();
        places.retain(|place| self.packs[*place].expires_at.is_none_or(|at| now < at));
        places.sort_by_key(|place| {
            let expires_at = self.packs[*place].expires_at;
            (expires_at.is_none(), expires_at)
        });
        places.into_iter().map(move |place| (place, left[place])).filter(|(_, left)| *left > 0)
    }

    fn spend_credits(
        &self,
        units: u64,
        now: Timestamp,
    ) -> Result<Vec<(usize, u64)>, TestCaseError> {
        let mut missing = units;
        let mut taken = Vec::new();
        for (place, left) in self.usable(now) {
            let part = left.min(missing);
            missing -= part;
            taken.extend((part > 0).then_some((place, part)));
        }
        prop_assert_eq!(missing, 0, "more credits than there are");
        Ok(taken)
    }

    /// The rest of each pack.
    pub(crate) fn left(&self) -> Vec<u64> {
        let mut left: Vec<_> = self.packs.iter().map(|pack| pack.units).collect();
        for (place, units) in self.leases.iter().flat_map(Held::credits_out) {
            left[place] -= units;
        }
        left
    }

    /// The use of each window that anything was ever counted in, and its units from before.
    pub(crate) fn counted(&self) -> BTreeMap<CounterKey, (u64, u64)> {
        self.carried
            .iter()
            .map(|(key, carried)| (key.clone(), (self.used(key), *carried)))
            .collect()
    }

    /// Checks that no quota is exceeded.
    pub(crate) fn check(&self) -> Result<(), TestCaseError> {
        for key in self.carried.keys() {
            let is_its = |quota: &&Quota| {
                let is_of_member = quota.scope == Scope::Member;
                quota.meter == key.meter
                    && quota.period == key.period
                    && is_of_member == key.member.is_some()
            };
            let quota = self.quotas.iter().find(is_its).unwrap();
            let used = self.used(key);
            prop_assert!(used <= self.ceiling(quota, key), "{} {used}", quota.name());
        }
        Ok(())
    }
}
