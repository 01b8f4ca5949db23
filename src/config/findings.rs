//! Mistakes and warnings of checks that go beyond syntax.

use super::Mistake;

/// The findings of all checks.
#[derive(Default)]
pub(super) struct Findings {
    /// They make the configuration unusable.
    pub(super) mistakes: Vec<Mistake>,
    /// They are probably not meant.
    pub(super) warnings: Vec<Mistake>,
}

impl Findings {
    /// Adds a mistake: see [`Mistake`] for the arguments.
    pub(super) fn mistake(
        &mut self,
        variable: &str,
        field: &str,
        found: &str,
        expected: &str,
        example: &str,
    ) {
        self.mistakes.push(Mistake::new(variable, field, found, expected, example));
    }

    /// Adds a warning: see [`Mistake`] for the arguments.
    pub(super) fn warn(
        &mut self,
        variable: &str,
        field: &str,
        found: &str,
        expected: &str,
        example: &str,
    ) {
        self.warnings.push(Mistake::new(variable, field, found, expected, example));
    }
}
