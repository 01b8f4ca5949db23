//! Quotas in the windows that hold the present: the units used of them, and their room.

use super::error::{LedgerError, add};
use super::subscriber::Subscriber;
use crate::cause::QuotaState;
use crate::plan::{Enforcement, Plan, Quota, Scope, Terms, Window, percent_used};
use crate::quota::store::{Counter, CounterKey, LedgerStore, WindowKey};
use crate::quota::{GrantOutcome, Want};
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
    /// Units that the present call is going to debit.
    reserved: u64,
    /// Units that may be used in this window: an exception of the account's own, what is allowed
    /// in a trial, and what rolled over included.
    pub(super) limit: u64,
}

impl Count<'_> {
    /// The most that may ever be counted in this window.
    pub(super) fn ceiling(&self) -> u64 {
        match (self.quota.enforcement, self.quota.overage_max) {
            (Enforcement::Hard, _) => self.limit,
            (Enforcement::Soft, Some(overage_max)) => limits_together(self.limit, overage_max),
            (Enforcement::Soft, None) => MAX_UNITS,
        }
    }

    /// Units that may still be counted. None, too, where the limit was lowered below those that
    /// were used already.
    pub(super) fn room(&self) -> u64 {
        self.ceiling().saturating_sub(self.counter.used).saturating_sub(self.reserved)
    }

    /// Counts units as used.
    pub(super) fn debit(&mut self, units: u64) -> Result<(), LedgerError> {
        self.counter.used = add(self.counter.used, units)?;
        Ok(())
    }

    /// Counts the reserved units as used. Returns whether there were any.
    pub(super) fn debit_reserved(&mut self) -> Result<bool, LedgerError> {
        let reserved = std::mem::take(&mut self.reserved);
        self.debit(reserved)?;
        Ok(reserved > 0)
    }

    /// The used share of the limit, in whole percent; a limit of nothing is used up.
    pub(super) fn percent(&self) -> u64 {
        percent_used(self.counter.used, self.limit).unwrap_or(100)
    }

    /// The form in messages.
    pub(super) fn state(&self) -> QuotaState {
        QuotaState::new(self.quota, self.window, self.limit, self.counter.used)
    }

    /// The form in a lease.
    pub(super) fn window_key(&self) -> WindowKey {
        let CounterKey { member, period, starts_at, .. } = &self.key;
        WindowKey { of_member: member.is_some(), period: *period, starts_at: *starts_at }
    }

    /// Whether the units of a want are counted here.
    fn is_for(&self, want: &Want) -> bool {
        let CounterKey { meter, member, .. } = &self.key;
        *meter == want.meter && (member.is_none() || *member == want.member)
    }
}

/// Several quotas in the plan's order. Each counter is among them once, so that wants that are
/// counted in the same window share it.
#[derive(Debug, Default)]
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
        let mut counts = Self::default();
        for quota in plan.quotas.iter().filter(|quota| quota.meter == meter) {
            counts.read(store, quota, subscriber, member, now)?;
        }
        Ok(counts)
    }

    /// Those that any of the wants is counted in.
    pub(super) fn of_wants(
        store: &impl LedgerStore,
        plan: &'a Plan,
        subscriber: Subscriber<'_>,
        wants: &[Want],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut counts = Self::default();
        for quota in &plan.quotas {
            for want in wants.iter().filter(|want| want.meter == quota.meter) {
                counts.read(store, quota, subscriber, want.member.as_deref(), now)?;
            }
        }
        Ok(counts)
    }

    /// All of a plan's.
    pub(super) fn of_plan(
        store: &impl LedgerStore,
        plan: &'a Plan,
        subscriber: Subscriber<'_>,
        member: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut counts = Self::default();
        for quota in &plan.quotas {
            counts.read(store, quota, subscriber, member, now)?;
        }
        Ok(counts)
    }

    /// Adds a quota's count, unless it is there already or is nobody's.
    fn read(
        &mut self,
        store: &impl LedgerStore,
        quota: &'a Quota,
        subscriber: Subscriber<'_>,
        member: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let member = match quota.scope {
            Scope::Account => None,
            Scope::Member if member.is_none() => return Ok(()),
            Scope::Member => member,
        };
        let window = quota.window(now, subscriber.cycle_anchor);
        let key = CounterKey {
            meter: quota.meter.clone(),
            member: member.map(str::to_owned),
            period: quota.period,
            starts_at: window.starts_at,
        };
        let known = self.0.iter_mut().find(|count| count.key == key);
        // Several wants share a window.
        if known.as_ref().is_some_and(|count| count.quota == quota) {
            return Ok(());
        }
        let count = read_count(store, quota, subscriber, window, key)?;
        match known {
            None => self.0.push(count),
            // The configuration refuses a quota that is written twice. Here the tighter counts.
            Some(known) if count.ceiling() < known.ceiling() => *known = count,
            Some(_) => {}
        }
        Ok(())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Count<'a>> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Count<'a>> {
        self.0.iter_mut()
    }

    /// Those that a want is counted in.
    pub(super) fn of_want(&self, want: &Want) -> impl Iterator<Item = &Count<'a>> {
        self.iter().filter(move |count| count.is_for(want))
    }

    /// The one of them with the least room; `None` where nothing limits the want.
    pub(super) fn tightest(&self, want: &Want) -> Option<&Count<'a>> {
        self.of_want(want).min_by_key(|count| count.room())
    }

    /// Reserves units of a want in all of them.
    pub(super) fn reserve(&mut self, want: &Want, units: u64) -> Result<(), LedgerError> {
        for count in self.0.iter_mut().filter(|count| count.is_for(want)) {
            count.reserved = add(count.reserved, units)?;
        }
        Ok(())
    }

    /// The end of the first of a want's windows.
    pub(super) fn ends_at(&self, want: &Want) -> Option<Timestamp> {
        self.of_want(want).map(|count| count.window.ends_at).min()
    }

    /// The form in messages.
    pub(super) fn states(&self) -> Vec<QuotaState> {
        self.iter().map(Count::state).collect()
    }

    /// The same of one want.
    pub(super) fn states_of(&self, want: &Want) -> Vec<QuotaState> {
        self.of_want(want).map(Count::state).collect()
    }
}

fn read_count<'a>(
    store: &impl LedgerStore,
    quota: &'a Quota,
    subscriber: Subscriber<'_>,
    window: Window,
    key: CounterKey,
) -> Result<Count<'a>, StoreError> {
    let own_limit = own_limit(quota, subscriber);
    let counter = if let Some(counter) = store.counter(&key)? {
        counter
    } else {
        let carried = carried_over(store, quota, &key, own_limit, subscriber.cycle_anchor)?;
        Counter { carried, ..Counter::default() }
    };
    let limit = limits_together(own_limit, counter.carried);
    Ok(Count { quota, window, key, counter, reserved: 0, limit })
}

/// Two limits as one. No counter holds more than [`MAX_UNITS`], so a higher limit is that one.
fn limits_together(limit: u64, more: u64) -> u64 {
    limit.saturating_add(more).min(MAX_UNITS)
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
        let allowed = limits_together(own_limit, counter.carried);
        // Nothing is left where more was used than is allowed: of a soft quota, or a lowered one.
        let mut carried = allowed.saturating_sub(counter.used).min(quota.rollover_max);
        for _ in 0..unused_periods {
            carried = limits_together(own_limit, carried).min(quota.rollover_max);
        }
        return Ok(carried);
    }
    Ok(0)
}

/// Whoever used nothing for longer starts without what rolled over.
const ROLLOVER_LOOKS_BACK: u32 = 12;
