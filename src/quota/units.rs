//! Units on their way between holder, ledger and store.

use serde::Serialize;

use crate::time::Timestamp;
use crate::wire::wire;

/// Takes up to `most` units from an amount, and returns how many.
pub(super) fn take_up_to(amount: &mut u64, most: u64) -> u64 {
    let taken = most.min(*amount);
    // Never too much: see the line above.
    *amount = amount.saturating_sub(taken);
    taken
}

/// All of them together, to be compared with a cost. Costs are far below the most that a sum can
/// come to, so that one which stops there compares alike.
pub(super) fn total(units: impl Iterator<Item = u64>) -> u64 {
    units.fold(0, u64::saturating_add)
}

/// Units of a meter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MeterUnits {
    /// The meter.
    pub meter: String,
    /// Number of units.
    pub units: u64,
}

wire!(MeterUnits { 1: meter, 2: units });

/// Units of a meter that passed uncounted, as totals since the holder began.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DegradedUnits {
    /// The meter.
    pub meter: String,
    /// Number of units.
    pub units: u64,
    /// Units the ledger has acknowledged, sent so that a ledger that forgot this holder doesn't
    /// count them twice.
    pub reported: u64,
}

wire!(DegradedUnits { 1: meter, 2: units, 3: reported });

/// Prepaid units, for any meter.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CreditPack {
    /// The operator's name for it: the same is never added twice.
    pub id: String,
    /// Units that were bought.
    pub units: u64,
    /// Units that are left; leases that are out have theirs already.
    pub left: u64,
    /// The time of the purchase.
    pub added_at: Timestamp,
    /// The end of their validity; `None` for credits that stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

wire!(CreditPack { 1: id, 2: units, 3: left, 4: added_at, 5: expires_at });
