//! Bytes that can't be read, and why.

use std::error::Error;
use std::fmt;

/// Bytes that can't be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unreadable {
    /// They are no message.
    Broken,
    /// A field is absent and has no default.
    Missing(&'static str),
    /// A variant or a word of this enum that this release doesn't know.
    Unknown(&'static str),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => formatter.write_str("it is damaged"),
            Self::Missing(field) => write!(formatter, "{field} is missing"),
            Self::Unknown(name) => {
                write!(formatter, "it has a {name} that this release does not know")
            }
        }
    }
}

impl Error for Unreadable {}
