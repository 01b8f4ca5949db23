//! Quotas: how much of a meter a plan lets its accounts use, and how often.

use super::period::{Period, Window};
use super::quota_name::{QuotaName, Scope};
use crate::time::Timestamp;
use crate::words::words;

/// The amount of a meter that may be used in a period.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Quota {
    /// The meter that is limited.
    pub meter: String,
    /// Units per period.
    pub limit: u64,
    /// The period after which the count starts again.
    pub period: Period,
    /// The start of days and months: minutes that local time is ahead of UTC, negative west of it.
    pub utc_offset_min: i32,
    /// The policy at the limit.
    pub enforcement: Enforcement,
    /// The scope of the count.
    pub scope: Scope,
    /// Of a soft quota: units beyond the limit that pass; without it, any number.
    pub overage_max: Option<u64>,
    /// Units that were left of one period and may be used in the next, at most.
    pub rollover_max: u64,
    /// Units per period during a trial, in the place of `limit`.
    pub trial_limit: Option<u64>,
}

impl Quota {
    /// The quota's name, unique in its plan.
    pub fn name(&self) -> QuotaName {
        QuotaName { meter: self.meter.clone(), period: self.period, scope: self.scope }
    }

    /// The window that holds `now`, for an account whose billing cycle starts at `anchor`.
    pub fn window(&self, now: Timestamp, anchor: Option<Timestamp>) -> Window {
        self.period.window(now, anchor, self.utc_offset_min)
    }
}

words! {
    /// The policy for a quota that is used up.
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub enum Enforcement: Serialize, Wire {
        /// Requests are denied.
        #[default]
        Hard = "hard",
        /// Requests pass, the overage is counted and the caller gets a notice.
        Soft = "soft",
    }
}
