//! The needs and faults that the step machines of billing share.

use super::api::ApiRequest;
use super::settings::Billing;

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
