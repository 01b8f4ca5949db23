//! Units by meter, and by member where the plan counts each of them.

use super::demand::Demand;
use crate::cause::QuotaState;
use crate::time::Timestamp;

/// Units of one meter, and how many of them are wanted.
#[derive(Debug)]
pub(super) struct Pocket {
    /// The id of the pocket in its leases.
    pub(super) id: u64,
    pub(super) meter: String,
    /// Only where the plan counts each member.
    pub(super) member: Option<String>,
    /// Of the account's pocket: whether members have their own, so that nothing is kept here.
    pub(super) is_for_members: bool,
    pub(super) demand: Demand,
    /// As the ledger said last, all that it granted included.
    pub(super) quotas: Vec<QuotaState>,
}

impl Pocket {
    pub(super) fn is_for(&self, meter: &str, member: Option<&str>) -> bool {
        self.meter == meter && self.member.as_deref() == member
    }

    /// For how long units of it can be spent at most: they end with the first of their periods.
    pub(super) fn ends_in_ms(&self, now: Timestamp) -> i64 {
        let ends_in_ms = self.quotas.iter().map(|quota| quota.resets_at.ms_since(now));
        // A period that is over gives no bound for the current one.
        ends_in_ms.filter(|ms| *ms > 0).min().unwrap_or(i64::MAX)
    }
}
