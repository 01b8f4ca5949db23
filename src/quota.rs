//! Quotas: periods, the ledger and its leases.

pub use crate::decision::Enforcement;

/// How much of a meter may be used in a period.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quota {
    /// The meter that is limited.
    pub meter: String,
    /// Units per period.
    pub limit: u64,
    /// What happens at the limit.
    pub enforcement: Enforcement,
}

/// What a passed request spent, so that it can be given back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Charge {
    /// The lease it was spent from.
    pub lease: String,
    /// The meter.
    pub meter: String,
    /// Units.
    pub units: u64,
}
