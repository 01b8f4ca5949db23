//! The message that is under way from a holder to its ledger.

use crate::quota::{DegradedUnits, LeaseReport, Want};
use crate::time::Timestamp;

/// The message that an answer is waited for.
#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) number: u64,
    pub(super) asked_at: Timestamp,
    pub(super) until: Timestamp,
    pub(super) wants: Vec<Want>,
    pub(super) reports: Vec<LeaseReport>,
    pub(super) degraded: Vec<DegradedUnits>,
    /// Leases that are over, and need not be named again once this is heard.
    pub(super) finished: Vec<u64>,
}
