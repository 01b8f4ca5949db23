//! The body of a request, read as a whole with a bound.

use std::error::Error;
use std::fmt;

/// A body that can't be had.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BodyError {
    /// It is longer than the bound.
    TooLarge {
        /// The bound, in bytes.
        max_bytes: u32,
    },
    /// The connection broke off, or the body did not come in time: the platform's reason.
    Unreadable(String),
}

impl BodyError {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } => 413,
            Self::Unreadable(_) => 400,
        }
    }

    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "body-too-large",
            Self::Unreadable(_) => "body-unreadable",
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { max_bytes } => write!(formatter, "more than {max_bytes} bytes"),
            Self::Unreadable(reason) => formatter.write_str(reason),
        }
    }
}

impl Error for BodyError {}
