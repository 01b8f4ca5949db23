//! The reasons for which the ledger can't carry out a call, and arithmetic that names them.

use std::error::Error;
use std::fmt;

use crate::store::StoreError;

/// The reason why a call of the ledger failed. Nothing that it wrote may be kept.
///
/// All but the first are broken rules: a row or a message that the ledger's own code doesn't make.
/// None of them is answered with an ordinary value, since that would hide units.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LedgerError {
    /// The database failed.
    Store(StoreError),
    /// A sum of units is beyond any counter.
    TooManyUnits,
    /// More units are to be taken off than there are.
    TooFewUnits,
    /// Units are to go back to a pack of credits that is gone.
    UnknownPack,
    /// A message has so high a number that the next can't have a higher one.
    LastNumber,
}

impl LedgerError {
    /// The stable word for logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::TooManyUnits => "too-many-units",
            Self::TooFewUnits => "too-few-units",
            Self::UnknownPack => "unknown-pack",
            Self::LastNumber => "last-number",
        }
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Store(error) => return error.fmt(formatter),
            Self::TooManyUnits => "the ledger is wrong: a sum of units is beyond any counter",
            Self::TooFewUnits => "the ledger is wrong: more units come off than there are",
            Self::UnknownPack => "the ledger is wrong: units go back to a pack that is gone",
            Self::LastNumber => "a message to the ledger has a number that none can follow",
        })
    }
}

impl Error for LedgerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::TooManyUnits | Self::TooFewUnits | Self::UnknownPack | Self::LastNumber => None,
        }
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Both together.
///
/// # Errors
///
/// [`LedgerError::TooManyUnits`]
pub(super) fn add(units: u64, more: u64) -> Result<u64, LedgerError> {
    units.checked_add(more).ok_or(LedgerError::TooManyUnits)
}

/// The units without `part` of them.
///
/// # Errors
///
/// [`LedgerError::TooFewUnits`]
pub(super) fn subtract(units: u64, part: u64) -> Result<u64, LedgerError> {
    units.checked_sub(part).ok_or(LedgerError::TooFewUnits)
}

/// All of them together.
///
/// # Errors
///
/// [`LedgerError::TooManyUnits`]
pub(super) fn sum(all: impl IntoIterator<Item = u64>) -> Result<u64, LedgerError> {
    all.into_iter().try_fold(0, add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_the_database_speaks_for_itself() {
        let error = LedgerError::from(StoreError("disk full".to_owned()));
        assert_eq!(error.to_string(), "the ledger's store failed: disk full");
        assert_eq!(error.code(), "store");
    }

    #[test]
    fn arithmetic_that_does_not_come_out_has_a_name() {
        assert_eq!(sum([1, 2, 3]), Ok(6));
        assert_eq!(sum([u64::MAX, 1]), Err(LedgerError::TooManyUnits));
        assert_eq!(subtract(3, 3), Ok(0));
        assert_eq!(subtract(3, 4), Err(LedgerError::TooFewUnits));
    }
}
