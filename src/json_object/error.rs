//! Mistakes in a JSON object.

use std::error::Error;
use std::fmt;

use serde_json::Value;

use crate::strict_json::StrictJsonError;

/// The reason why an object could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ReadError {
    /// The text is no JSON.
    NotJson(StrictJsonError),
    /// A value is missing, or another than the expected one.
    Wrong {
        /// The way to it, such as `keys[0].expires_at`; empty for the whole object.
        field: String,
        /// A description of the right value.
        expected: String,
        /// The start of the value in its place, as JSON; `None` where there is none.
        found: Option<String>,
    },
    /// An object has a member that nothing is known of.
    Unknown {
        /// The way to the object; empty for the whole one.
        field: String,
        /// The start of the member's name.
        name: String,
        /// The members that it may have.
        known: Vec<&'static str>,
    },
}

impl ReadError {
    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not-json",
            Self::Wrong { found: None, .. } => "field-missing",
            Self::Wrong { .. } => "wrong-value",
            Self::Unknown { .. } => "unknown-field",
        }
    }

    /// The way to the mistake, such as `keys[0].expires_at`; empty for the whole text.
    pub fn field(&self) -> &str {
        match self {
            Self::NotJson(_) => "",
            Self::Wrong { field, .. } | Self::Unknown { field, .. } => field,
        }
    }

    pub(super) fn wrong(field: &str, expected: &str, found: Option<&Value>) -> Self {
        Self::Wrong {
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: found.map(|value| start(&value.to_string())),
        }
    }

    pub(super) fn unknown(name: &str, known: Vec<&'static str>) -> Self {
        Self::Unknown { field: String::new(), name: start(name), known }
    }

    /// The same mistake, seen from around the field `outer`.
    pub(super) fn inside(mut self, outer: &str) -> Self {
        if let Self::Wrong { field, .. } | Self::Unknown { field, .. } = &mut self {
            let dot = if field.is_empty() { "" } else { "." };
            *field = [outer, dot, field.as_str()].concat();
        }
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field();
        if !field.is_empty() {
            write!(formatter, "{field}: ")?;
        }
        match self {
            Self::NotJson(reason) => write!(formatter, "no JSON: {reason}"),
            Self::Wrong { expected, found, .. } => {
                let found = found.as_deref().unwrap_or("nothing");
                write!(formatter, "expected {expected}, found {found}")
            }
            Self::Unknown { name, known, .. } => {
                write!(formatter, "unknown field {name:?}, expected {}", one_of(known))
            }
        }
    }
}

impl Error for ReadError {}

/// `a, b or c`; `none` where there is none.
fn one_of(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => [&rest.join(", "), " or ", last].concat(),
    }
}

/// As much of a text as a sentence quotes.
fn start(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((end, _)) => [text.get(..end).unwrap_or_default(), "…"].concat(),
        None => text.to_owned(),
    }
}

const MAX_QUOTED_CHARS: usize = 80;
