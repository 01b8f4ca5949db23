//! The findings of checks, and their sum.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::commands::{Failure, Outcome};

/// The gravity of a finding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// As it should be.
    Good,
    /// Probably not meant.
    Warning,
    /// Wrong.
    Mistake,
    /// It could not be looked at: somebody does not answer.
    Unreachable,
    /// It was not looked at, for want of something.
    Skipped,
}

/// Everything that was found, in order.
#[derive(Default)]
pub(super) struct Findings(Vec<(Kind, String, String)>);

impl Findings {
    /// Notes a finding of a check.
    pub(super) fn add(&mut self, kind: Kind, check: impl Into<String>, detail: impl Into<String>) {
        self.0.push((kind, check.into(), detail.into()));
    }

    /// Notes that somebody does not answer.
    pub(super) fn add_failure(&mut self, check: impl Into<String>, failure: &Failure) {
        self.add(Kind::Unreachable, check, failure.to_string());
    }

    /// The sum of the findings, in a line.
    pub(super) fn summary(&self, gate: &str) -> String {
        let (mistakes, warnings) = (self.count(Kind::Mistake), self.count(Kind::Warning));
        match self.count(Kind::Unreachable) {
            0 => format!("{gate}: {mistakes} mistakes, {warnings} warnings."),
            silent => {
                format!(
                    "{gate}: {mistakes} mistakes, {warnings} warnings, {silent} without answer."
                )
            }
        }
    }

    /// For a program.
    pub(super) fn json(&self) -> Value {
        let one = |(kind, check, detail): &(Kind, String, String)| json!({ "kind": kind.word(), "check": check, "detail": detail });
        self.0.iter().map(one).collect()
    }

    /// The end of the command: the worst that was found decides.
    pub(super) fn outcome(&self, summary: &str, json: Value) -> Outcome {
        let mut text = String::new();
        for (kind, check, detail) in &self.0 {
            let about = if check == "configuration" { String::new() } else { format!("{check}: ") };
            let _ = writeln!(text, "{}: {about}{detail}", kind.word());
        }
        let _ = writeln!(text, "{summary}");
        let code = match (self.count(Kind::Mistake), self.count(Kind::Unreachable)) {
            (0, 0) => 0,
            (0, _) => 3,
            _ => 1,
        };
        Outcome::with_code(code, text, json)
    }

    fn count(&self, kind: Kind) -> usize {
        self.0.iter().filter(|(other, ..)| *other == kind).count()
    }
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Mistake => "mistake",
            Self::Unreachable => "no answer",
            Self::Skipped => "skipped",
        }
    }
}
