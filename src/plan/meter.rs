//! Meters: what is counted, and what happens to units that are lost.

use crate::words::words;

/// The way that a meter is counted and watched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Meter {
    /// Its id in routes and quotas.
    pub id: String,
    /// The name of its units on pages.
    pub name: Option<String>,
    /// The policy for units that are lost with an isolate.
    pub lost: Lost,
    /// Shares of a quota, in percent and rising, at which caller and operator get a notice.
    pub notify_at: Vec<u8>,
    /// Days after the end of a period for which its count is kept; forever where it is not said.
    pub keep_days: Option<u32>,
}

words! {
    /// The policy for the units of an isolate that was lost without a report.
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub enum Lost {
        /// They are charged: a hard quota is never exceeded.
        #[default]
        Strict = "strict",
        /// They go back: the customer never pays for what didn't happen, and a hard quota may be
        /// exceeded by what the isolate spent since it last reported.
        Lenient = "lenient",
    }
}

/// Units of a meter that one request costs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cost {
    /// The meter.
    pub meter: String,
    /// Number of units; the most it can be, where the origin reports the real cost.
    pub units: u64,
}

/// The share of a limit that is used, in whole percent; `None` for a limit of nothing, which has no
/// share that could be reached.
pub fn percent_used(used: u64, limit: u64) -> Option<u64> {
    used.saturating_mul(100).checked_div(limit)
}

/// The highest of the `thresholds` that is reached by `percent` used; they are in percent and rise.
pub fn threshold_reached(thresholds: &[u8], percent: u64) -> Option<u8> {
    thresholds.iter().rev().copied().find(|at| u64::from(*at) <= percent)
}

/// The default, in percent.
pub const DEFAULT_NOTIFY_AT: [u8; 2] = [80, 95];
