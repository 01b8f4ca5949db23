//! The units that one isolate has of one account.

use std::rc::Rc;

use super::held::HeldLease;
use super::pocket::Pocket;
use super::under_way::UnderWay;
use crate::quota::DegradedUnits;
use crate::time::Timestamp;

/// The units that one isolate has of one account. Nothing here is authoritative: it may be lost
/// any time.
#[derive(Debug)]
pub struct Holder {
    pub(super) name: Rc<str>,
    pub(super) next_number: u64,
    /// Time after a request during which its units may still be given back.
    pub(super) refund_ms: i64,
    pub(super) horizon_ms: i64,
    /// The plan that the last request went by, as far as its token named one.
    pub(super) plan: Option<String>,
    pub(super) pockets: Vec<Pocket>,
    pub(super) pockets_made: u64,
    pub(super) leases: Vec<HeldLease>,
    pub(super) under_way: Option<UnderWay>,
    pub(super) degraded: Vec<DegradedUnits>,
    pub(super) failures: u32,
    pub(super) ask_again_at: Timestamp,
    pub(super) top_up_again_at: Timestamp,
}

impl Holder {
    /// Holds nothing. `name` must be random enough never to be met twice; units may be given back
    /// until `refund_ms` after they were taken.
    pub fn new(name: &str, refund_ms: i64) -> Self {
        Self {
            name: name.into(),
            next_number: 1,
            refund_ms,
            horizon_ms: DEFAULT_HORIZON_MS,
            plan: None,
            pockets: Vec::new(),
            pockets_made: 0,
            leases: Vec::new(),
            under_way: None,
            degraded: Vec::new(),
            failures: 0,
            ask_again_at: Timestamp::default(),
            top_up_again_at: Timestamp::default(),
        }
    }
}

/// The span of demand to ask for at a time, unless the ledger sets another.
pub(super) const DEFAULT_HORIZON_MS: i64 = 10_000;
