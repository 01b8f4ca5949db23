//! The vocabulary that the step machines of billing share: a need with the rest of its process.

use super::api::ApiRequest;
use super::settings::Billing;
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

/// A request to a provider's API. It holds the key of the API, so never log it.
#[derive(Clone)]
pub struct ProviderCall<'a> {
    /// The provider; the request goes to its host and to no other.
    pub billing: &'a Billing,
    /// The request.
    pub request: ApiRequest,
}

/// Something for the operator's log: the area that it is about, and the reason.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The area, a stable word.
    pub what: &'static str,
    /// The reason, as a clause.
    pub reason: String,
}

impl<'a, Input, Outcome, Step> Pending<'a, Input, Outcome, Step> {
    pub(super) fn new(input: Input, rest: impl FnOnce(Outcome, Timestamp) -> Step + 'a) -> Self {
        Self { input, rest: Rest(Box::new(rest)) }
    }
}

impl<Outcome, Step> Rest<'_, Outcome, Step> {
    /// Goes on with the outcome of the need, which came at `now`.
    pub fn resume(self, outcome: Outcome, now: Timestamp) -> Step {
        (self.0)(outcome, now)
    }
}
