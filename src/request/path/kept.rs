//! Readings of a path that are kept with it, so that it is read once.

use std::borrow::Cow;

use super::{PathError, Readings, readings};

/// The readings of a path that its owner keeps beside them: made once, looked at often. Of a plain
/// path they take no memory of their own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeptReadings {
    /// `None` where the path as it stands is the first reading.
    literal: Option<Vec<u8>>,
    others: Vec<Vec<u8>>,
}

impl KeptReadings {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// As for [`readings`].
    pub(crate) fn of(raw_path: &str) -> Result<Self, PathError> {
        let Readings { literal, others } = readings(raw_path)?;
        let literal = match literal {
            Cow::Borrowed(_) => None,
            Cow::Owned(literal) => Some(literal),
        };
        Ok(Self { literal, others: others.into_owned() })
    }

    /// The readings of `raw_path`, the same that was read.
    pub(crate) fn beside<'a>(&'a self, raw_path: &'a str) -> Readings<'a> {
        let literal = self.literal.as_deref().unwrap_or(raw_path.as_bytes());
        Readings { literal: Cow::Borrowed(literal), others: Cow::Borrowed(&self.others) }
    }
}
