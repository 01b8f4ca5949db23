//! The book's own reckoning of a quota's rest.

use tollgate::account::Status;
use tollgate::plan::{Enforcement, Plan, Quota, Scope};
use tollgate::time::Timestamp;

use crate::book::{Book, Pack, WindowKey, meter_place};
use crate::hearing::member_of;

/// A quota in the window that holds the present.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    /// Of the window in the book, if it is there already.
    pub(crate) place: Option<usize>,
    pub(crate) key: WindowKey,
    pub(crate) ends_at: Timestamp,
    pub(crate) used: u64,
    pub(crate) carried: u64,
    /// The most that may be counted.
    pub(crate) ceiling: u64,
}

impl Count {
    pub(crate) fn room(&self) -> u64 {
        self.ceiling.saturating_sub(self.used)
    }
}

impl Pack {
    pub(crate) fn is_usable(&self, now: Timestamp) -> bool {
        self.left > 0 && self.lasts(now)
    }

    pub(crate) fn lasts(&self, now: Timestamp) -> bool {
        self.bought.expires_at.is_none_or(|at| now < at)
    }
}

impl Book {
    /// The quotas of a meter. Without a member, those that are each member's own are left out.
    pub(crate) fn counts(
        &self,
        plan: &Plan,
        meter: &str,
        member: Option<&str>,
        now: Timestamp,
    ) -> Vec<Count> {
        let is_about = |quota: &&Quota| {
            quota.meter == meter && (quota.scope == Scope::Account || member.is_some())
        };
        let quotas = plan.quotas.iter().filter(is_about);
        quotas.map(|quota| self.count(quota, member, now)).collect()
    }

    fn count(&self, quota: &Quota, member: Option<&str>, now: Timestamp) -> Count {
        let window = quota.window(now, self.record.own.cycle_anchor);
        let key = WindowKey {
            meter: meter_place(&quota.meter),
            member: member_of(member.filter(|_| quota.scope == Scope::Member)),
            period: quota.period,
            starts_at: window.starts_at,
        };
        let limit = self.own_limit(quota);
        let place = self.windows.iter().rposition(|other| other.key == key);
        let (used, carried) = match place.map(|place| &self.windows[place]) {
            Some(window) => (window.used, window.carried),
            None => (0, self.carried(quota, key, limit)),
        };
        let ceiling = match (quota.enforcement, quota.overage_max) {
            (Enforcement::Hard, _) => limit + carried,
            (Enforcement::Soft, Some(overage_max)) => limit + carried + overage_max,
            (Enforcement::Soft, None) => u64::MAX / 4,
        };
        Count { place, key, ends_at: window.ends_at, used, carried, ceiling }
    }

    /// An exception of the account's own, else the trial's limit, else the plan's.
    fn own_limit(&self, quota: &Quota) -> u64 {
        if !self.record.limits.is_empty()
            && let Some(limit) = self.record.limits.get(&quota.name().to_string())
        {
            return *limit;
        }
        let of_trial = quota.trial_limit.filter(|_| self.record.own.status == Status::Trialing);
        of_trial.unwrap_or(quota.limit)
    }

    /// The rest of the last window that something was counted in, and of unused ones since.
    fn carried(&self, quota: &Quota, key: WindowKey, limit: u64) -> u64 {
        let mut key = key;
        let most = quota.rollover_max;
        if most == 0 {
            return 0;
        }
        for unused in 0..12 {
            let before = quota.window(key.starts_at.plus_ms(-1), self.record.own.cycle_anchor);
            key.starts_at = before.starts_at;
            let Some(window) = self.windows.iter().rfind(|other| other.key == key) else {
                continue;
            };
            let left = (limit + window.carried).saturating_sub(window.used).min(most);
            return (0..unused).fold(left, |left, _| (limit + left).min(most));
        }
        0
    }
}
