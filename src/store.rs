//! The common part of all databases of the gate.

use std::error::Error;
use std::fmt;

/// The database failed. Carries what the operator's log should say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the ledger's store failed: {}", self.0)
    }
}

impl Error for StoreError {}

/// The most units that a counter holds: the greatest integer that a JavaScript number, and so a row
/// of a Durable Object, holds exactly.
pub const MAX_UNITS: u64 = 9_007_199_254_740_991;
