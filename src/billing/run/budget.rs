//! The calls of one run, which come to an end.

/// The calls that a run may still make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Budget {
    calls_left: usize,
    failures_in_a_row: usize,
}

/// The outcome of a call, as far as it says something about the provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CallOutcome {
    /// The provider works: it answered, be it with a refusal.
    Good,
    /// There were too many calls (429), which says nothing about the provider.
    TooMany,
    /// The provider failed (5xx), or did not answer.
    Failed,
}

impl Budget {
    pub(super) const fn new(calls: usize) -> Self {
        Self { calls_left: calls, failures_in_a_row: 0 }
    }

    /// Whether the run may make no more calls.
    pub(super) const fn is_over(self) -> bool {
        self.calls_left == 0 || self.failures_in_a_row >= MAX_FAILURES
    }

    /// Counts a call.
    pub(super) const fn spend(&mut self, outcome: CallOutcome) {
        self.calls_left = self.calls_left.saturating_sub(1);
        self.failures_in_a_row = match outcome {
            CallOutcome::Good => 0,
            CallOutcome::TooMany | CallOutcome::Failed => self.failures_in_a_row.saturating_add(1),
        };
    }
}

impl CallOutcome {
    /// The outcome of a call that was answered with this status, if it was answered.
    pub(super) const fn of(status: Option<u16>) -> Self {
        match status {
            Some(429) => Self::TooMany,
            Some(200..=499) => Self::Good,
            Some(_) | None => Self::Failed,
        }
    }
}

/// Failures in a row after which a run is over.
const MAX_FAILURES: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_counts() {
        let mut budget = Budget::new(2);
        budget.spend(CallOutcome::Good);
        assert!(!budget.is_over());
        budget.spend(CallOutcome::Good);
        assert!(budget.is_over());
        assert!(Budget::new(0).is_over());
    }

    #[test]
    fn three_failures_in_a_row_are_enough() {
        let mut budget = Budget::new(40);
        for outcome in [CallOutcome::Failed, CallOutcome::TooMany, CallOutcome::Good] {
            budget.spend(outcome);
        }
        for outcome in [CallOutcome::TooMany, CallOutcome::Failed] {
            budget.spend(outcome);
            assert!(!budget.is_over(), "the good one broke the row");
        }
        budget.spend(CallOutcome::TooMany);
        assert!(budget.is_over());
    }

    #[test]
    fn a_refusal_is_an_answer_of_a_provider_that_works() {
        for (status, outcome) in [
            (None, CallOutcome::Failed),
            (Some(0), CallOutcome::Failed),
            (Some(199), CallOutcome::Failed),
            (Some(200), CallOutcome::Good),
            (Some(404), CallOutcome::Good),
            (Some(429), CallOutcome::TooMany),
            (Some(499), CallOutcome::Good),
            (Some(500), CallOutcome::Failed),
            (Some(503), CallOutcome::Failed),
        ] {
            assert_eq!(CallOutcome::of(status), outcome, "{status:?}");
        }
    }
}
