//! Refusing: the quota that is in the way of a want, and the reason.

use crate::cause::QuotaState;
use crate::quota::ledger::count::{Count, Counts};
use crate::quota::ledger::credits::Credits;
use crate::quota::{RefusalReason, Want};

/// The refusal of a want that neither its quotas nor the account's credits can meet.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) reason: RefusalReason,
    pub(super) meter: String,
    pub(super) quota: QuotaState,
}

impl Refusal {
    /// Names the quota in the way: one that no waiting overcomes before one that starts again, and
    /// of those the last to do so. Where the account's credits would make up for each of them but
    /// earlier wants have reserved these, it is the `tightest`.
    pub(super) fn of(
        want: &Want,
        counts: &Counts<'_>,
        tightest: &Count<'_>,
        credits: &Credits,
    ) -> Self {
        let is_too_little = |units: u64| want.needed.saturating_sub(units) > credits.at_first;
        let never = counts
            .of_want(want)
            .filter(|count| is_too_little(count.ceiling()))
            .min_by_key(|count| count.ceiling());
        let not_now = counts
            .of_want(want)
            .filter(|count| is_too_little(count.room()))
            .max_by_key(|count| count.window.ends_at);
        let (count, reason) = match never {
            // A quota of nothing is how a plan sells a meter by credits alone.
            Some(count) if credits.were_ever && count.ceiling() == 0 => {
                (count, RefusalReason::CreditsExhausted)
            }
            Some(count) => (count, RefusalReason::CostExceedsQuota),
            None if credits.were_ever => {
                (not_now.unwrap_or(tightest), RefusalReason::CreditsExhausted)
            }
            None => (not_now.unwrap_or(tightest), RefusalReason::QuotaExhausted),
        };
        Self { reason, meter: want.meter.clone(), quota: count.state() }
    }
}
