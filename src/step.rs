//! The vocabulary of step machines: a need with the rest of its process.
//!
//! A process with several steps returns its next need or its end. The edge performs the need, and
//! [`Rest::resume`] goes on with the outcome.

use crate::time::Timestamp;

/// A need's input, and the rest of the process that has it.
pub struct Pending<'a, Input, Outcome, Step> {
    /// The input of the need.
    pub input: Input,
    /// The rest of the process.
    pub rest: Rest<'a, Outcome, Step>,
}

/// The rest of a process that waits for the outcome of a need. It takes exactly that outcome, and
/// takes it once.
pub struct Rest<'a, Outcome, Step>(Box<dyn FnOnce(Outcome, Timestamp) -> Step + 'a>);

impl<'a, Input, Outcome, Step> Pending<'a, Input, Outcome, Step> {
    /// A need with this input, and the rest of its process.
    pub fn new(input: Input, rest: impl FnOnce(Outcome, Timestamp) -> Step + 'a) -> Self {
        Self { input, rest: Rest(Box::new(rest)) }
    }
}

impl<Outcome, Step> Rest<'_, Outcome, Step> {
    /// Goes on with the outcome of the need, which came at `now`.
    pub fn resume(self, outcome: Outcome, now: Timestamp) -> Step {
        (self.0)(outcome, now)
    }
}
