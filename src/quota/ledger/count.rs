//! Quotas in the windows that hold the present: what was used of them and what still may be.

use super::subscriber::Subscriber;
use crate::cause::QuotaState;
use crate::plan::{Enforcement, Plan, Quota, Scope, Terms, Window, percent_used};
use crate::quota::GrantOutcome;
use crate::quota::store::{Counter, CounterKey, LedgerStore, WindowKey};
use crate::store::{MAX_UNITS, StoreError};
use crate::time::Timestamp;

/// The plan that an account's units are counted by, or what to answer where there is none.
pub(super) fn plan_of<'a>(
    terms: Terms<'a>,
    plan_id: Option<&str>,
) -> Result<&'a Plan, GrantOutcome> {
    let id = plan_id.ok_or(GrantOutcome::NoPlan)?;
    terms.plan(id).ok_or(GrantOutcome::UnknownPlan)
}

/// A quota in the window that holds the present.
#[derive(Debug)]
pub(super) struct Count<'a> {
    pub(super) quota: &'a Quota,
    pub(super) window: Window,
    pub(super) key: CounterKey,
    pub(super) counter: Counter,
    /// Units that the present call is going to count.
    pub(super) reserved: u64,
    /// Units that may be used in this window: an exception of the account's own, what is allowed
    /// in a trial, and what rolled over included.
    pub(super) limit: u64,
}

impl Count<'_> {
    /// The most that may ever be counted in this window.
    pub(super) fn ceiling(&self) -> u64 {
        let ceiling = match (self.quota.enforcement, self.quota.overage_max) {
            (Enforcement::Hard, _) => self.limit,
            (Enforcement::Soft, Some(overage_max)) => self.limit.saturating_add(overage_max),
            (Enforcement::Soft, None) => MAX_UNITS,
        };
        ceiling.min(MAX_UNITS)
    }

    /// Units that may still be counted.
    pub(super) fn room(&self) -> u64 {
        self.ceiling().saturating_sub(self.counter.used).saturating_sub(self.reserved)
    }

    /// How much of the limit is used, in whole percent; a limit of nothing is used up.
    pub(super) fn percent(&self) -> u64 {
        percent_used(self.counter.used, self.limit).unwrap_or(100)
    }

    /// As it is told.
    pub(super) fn state(&self) -> QuotaState {
        QuotaState::new(self.quota, self.window, self.limit, self.counter.used)
    }

    /// As a lease remembers it.
    pub(super) fn window_key(&self) -> WindowKey {
        let CounterKey { member, period, starts_at, .. } = &self.key;
        WindowKey { of_member: member.is_some(), period: *period, starts_at: *starts_at }
    }
}

/// Several quotas, in the plan's order.
#[derive(Debug)]
pub(super) struct Counts<'a>(Vec<Count<'a>>);

impl<'a> Counts<'a> {
    /// Those of one meter. Without a member, its own quotas are left out.
    pub(super) fn of_meter(
        store: &impl LedgerStore,
        plan: &'a Plan,
        subscriber: Subscriber<'_>,
        meter: &str,
        member: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let is_wanted = |quota: &&Quota| quota.meter == meter;
        Self::read(store, plan.quotas.iter().filter(is_wanted), subscriber, member, now)
    }

    /// All of a plan's.
    pub(super) fn of_plan(
        store: &impl LedgerStore,
        plan: &'a Plan,
        subscriber: Subscriber<'_>,
        member: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        Self::read(store, plan.quotas.iter(), subscriber, member, now)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some of them are a member's own.
    pub(super) fn count_members(&self) -> bool {
        self.iter().any(|count| count.key.member.is_some())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Count<'a>> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Count<'a>> {
        self.0.iter_mut()
    }

    /// What the tightest of them still has; everything where there is none.
    pub(super) fn room(&self) -> u64 {
        self.iter().map(Count::room).min().unwrap_or(MAX_UNITS)
    }

    /// When the first of their windows ends.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        self.iter().map(|count| count.window.ends_at).min()
    }

    /// Whether so little of a window is left that nothing is granted ahead: it would hardly arrive
    /// in time to be spent.
    pub(super) fn end_soon(&self, now: Timestamp) -> bool {
        self.ends_at().is_some_and(|ends_at| ends_at.ms_since(now) < AHEAD_MIN_LIFETIME_MS)
    }

    /// As they are told.
    pub(super) fn states(&self) -> Vec<QuotaState> {
        self.iter().map(Count::state).collect()
    }

    fn read(
        store: &impl LedgerStore,
        quotas: impl Iterator<Item = &'a Quota>,
        subscriber: Subscriber<'_>,
        member: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let counts = quotas
            .filter(|quota| quota.scope == Scope::Account || member.is_some())
            .map(|quota| read_one(store, quota, subscriber, member, now))
            .collect::<Result<_, _>>()?;
        Ok(Self(counts))
    }
}

fn read_one<'a>(
    store: &impl LedgerStore,
    quota: &'a Quota,
    subscriber: Subscriber<'_>,
    member: Option<&str>,
    now: Timestamp,
) -> Result<Count<'a>, StoreError> {
    let anchor = subscriber.cycle_anchor;
    let window = quota.window(now, anchor);
    let key = CounterKey {
        meter: quota.meter.clone(),
        member: member.filter(|_| quota.scope == Scope::Member).map(str::to_owned),
        period: quota.period,
        starts_at: window.starts_at,
    };
    let own_limit = own_limit(quota, subscriber);
    let counter = if let Some(counter) = store.counter(&key)? {
        counter
    } else {
        let carried = carried_over(store, quota, &key, own_limit, anchor)?;
        Counter { carried, ..Counter::default() }
    };
    let limit = own_limit.saturating_add(counter.carried).min(MAX_UNITS);
    Ok(Count { quota, window, key, counter, reserved: 0, limit })
}

/// The quota's limit for this account: an exception of its own, else the trial's, else the plan's.
fn own_limit(quota: &Quota, subscriber: Subscriber<'_>) -> u64 {
    let exception = subscriber.limits.and_then(|limits| limits.get(&quota.name().to_string()));
    let of_trial = quota.trial_limit.filter(|_| subscriber.is_trial);
    exception.copied().or(of_trial).unwrap_or(quota.limit)
}

/// Units that were left of the period before, which itself may have got some from its predecessor.
/// Periods in which nothing was used leave no row: they are reckoned from the last that has one.
fn carried_over(
    store: &impl LedgerStore,
    quota: &Quota,
    key: &CounterKey,
    own_limit: u64,
    anchor: Option<Timestamp>,
) -> Result<u64, StoreError> {
    if quota.rollover_max == 0 {
        return Ok(0);
    }
    let mut earlier = key.clone();
    for unused_periods in 0..ROLLOVER_LOOKS_BACK {
        let before = earlier.starts_at.plus_ms(-1);
        earlier.starts_at = quota.window(before, anchor).starts_at;
        let Some(counter) = store.counter(&earlier)? else { continue };
        let allowed = own_limit.saturating_add(counter.carried);
        let mut carried = allowed.saturating_sub(counter.used).min(quota.rollover_max);
        for _ in 0..unused_periods {
            carried = own_limit.saturating_add(carried).min(quota.rollover_max);
        }
        return Ok(carried);
    }
    Ok(0)
}

const AHEAD_MIN_LIFETIME_MS: i64 = 1_000;
/// Whoever used nothing for longer starts without what rolled over.
const ROLLOVER_LOOKS_BACK: u32 = 12;
