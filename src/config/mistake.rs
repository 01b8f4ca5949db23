//! The mistakes of a configuration, worded so that they can be mended.

use std::fmt;

use serde::Serialize;

/// One mistake. Never holds a secret.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Mistake {
    /// The variable, such as `ROUTES`.
    pub variable: String,
    /// The place in the variable, such as `[2].match`; empty when it is about the whole of it.
    pub field: String,
    /// The value that was found.
    pub found: String,
    /// A description of the right value.
    pub expected: String,
    /// A value that would be accepted, as in `wrangler.toml`; empty where there is none.
    pub example: String,
}

impl Mistake {
    /// A mistake in `field` of `variable`, with the words for the fields of this name.
    pub(super) fn new(
        variable: &str,
        field: &str,
        found: &str,
        expected: &str,
        example: &str,
    ) -> Self {
        let [variable, field, found, expected, example] =
            [variable, field, found, expected, example].map(str::to_owned);
        Self { variable, field, found, expected, example }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, field, found, expected, example } = self;
        write!(f, "{variable}{field}: found {found}; expected {expected}")?;
        if example.is_empty() { Ok(()) } else { write!(f, "; for example {example}") }
    }
}
