//! A quota as it stands for one account.

use serde::Serialize;

use crate::plan::{Enforcement, Quota, QuotaName, Window};
use crate::time::Timestamp;
use crate::wire::wire;

/// A quota and how much of it is used.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct QuotaState {
    /// The quota's name: its meter, its period and whose units it counts.
    pub name: QuotaName,
    /// Units that may be used in one period.
    pub limit: u64,
    /// Units used so far, this request included when it passed. May exceed a soft limit.
    pub used: u64,
    /// The time at which the period ends and the count starts again.
    pub resets_at: Timestamp,
    /// The whole length of the period in seconds.
    pub window_s: u64,
    /// Whether the limit stops requests (`hard`) or only counts overage (`soft`).
    pub enforcement: Enforcement,
}

impl QuotaState {
    /// The state of `quota` with `used` units of `limit` used in `window`. The limit is what the
    /// account may use there: an exception of its own and what rolled over included.
    pub fn new(quota: &Quota, window: Window, limit: u64, used: u64) -> Self {
        Self {
            name: quota.name(),
            limit,
            used,
            resets_at: window.ends_at,
            window_s: window.length_s(),
            enforcement: quota.enforcement,
        }
    }

    /// Units left, zero when a soft quota is passed.
    pub const fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// Whether it limits this meter.
    pub fn is_about(&self, meter: &str) -> bool {
        self.name.meter == meter
    }
}

wire!(QuotaState { 1: name, 2: limit, 3: used, 4: resets_at, 5: window_s, 6: enforcement });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_is_found_by_its_whole_name() {
        let quota = Quota { meter: "a/b".to_owned(), ..Quota::default() };
        let state = QuotaState::new(&quota, Window::default(), 5, 3);
        assert!(state.is_about("a/b") && !state.is_about("a"));
        assert_eq!((state.limit, state.remaining()), (5, 2));
    }
}
