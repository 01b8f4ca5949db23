//! Requests to providers' APIs, and the reading of their answers.

use serde_json::{Value, json};

use crate::billing::error::{BillingError, CallError};
use crate::billing::settings::Billing;
use crate::identity::AccountName;
use crate::strict_json;
use crate::text::percent;

/// A request to a provider's API.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ApiRequest {
    /// The method.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Header fields; one of them is the key, so never log them.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for GET.
    pub body: String,
}

/// The answer of a provider's API.
#[derive(Clone, Copy, Debug)]
pub struct ApiAnswer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'a str,
}

/// An answer as the edge brings it: the HTTP status and the body.
pub type StatusAndBody = (u16, String);

impl ApiRequest {
    /// Whether it goes to the provider's API: a key is sent to no other host.
    ///
    /// # Errors
    ///
    /// [`CallError::ForeignHost`].
    pub fn check_host(&self, billing: &Billing) -> Result<(), CallError> {
        let path = self.url.strip_prefix(billing.api_url.as_str());
        let is_its = path.is_some_and(|path| path.starts_with('/'));
        if is_its { Ok(()) } else { Err(CallError::ForeignHost) }
    }
}

impl<'a> From<&'a StatusAndBody> for ApiAnswer<'a> {
    fn from((status, body): &'a StatusAndBody) -> Self {
        Self { status: *status, body }
    }
}

/// A checkout to be made.
#[derive(Clone, Copy, Debug)]
pub struct Sale<'a> {
    /// The provider's id of the price; see [`price_of`](super::price_of).
    pub price: &'a str,
    /// The buying account.
    pub account: &'a AccountName,
    /// A signed reference to that account, where one can be made.
    pub reference: Option<&'a str>,
    /// The provider's id of who buys, where it is known.
    pub customer: Option<&'a str>,
    /// The page to come back to after the purchase.
    pub return_url: &'a str,
    /// The page to come back to without one.
    pub cancel_url: &'a str,
    /// The same for the same sale, so that it is made once (at Stripe). Any text: it is hashed.
    pub idempotency_key: &'a str,
}

/// The form of requests to a provider's API.
#[derive(Debug)]
pub(crate) struct Media {
    /// Header fields of every request, beside the key.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// The media type of answers.
    pub(crate) accept: &'static str,
    /// The media type of bodies.
    pub(crate) sent: &'static str,
}

impl Media {
    /// JSON both ways.
    pub(crate) const JSON: Self =
        Self { headers: &[], accept: "application/json", sent: "application/json" };

    /// A request without a body. `None` without a key.
    pub(crate) fn get(&self, billing: &Billing, path: &[&str]) -> Option<ApiRequest> {
        self.request(billing, "GET", path, String::new())
    }

    /// A request with this body. `None` without a key.
    pub(crate) fn post(
        &self,
        billing: &Billing,
        path: &[&str],
        body: String,
    ) -> Option<ApiRequest> {
        let mut request = self.request(billing, "POST", path, body)?;
        request.headers.push(("content-type", self.sent.to_owned()));
        Some(request)
    }

    fn request(
        &self,
        billing: &Billing,
        method: &'static str,
        path: &[&str],
        body: String,
    ) -> Option<ApiRequest> {
        let key = billing.api_key.as_deref()?;
        let mut headers = vec![("authorization", ["Bearer ", key].concat())];
        headers.extend(self.headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        headers.push(("accept", self.accept.to_owned()));
        let url = [&[billing.api_url.as_str()], path].concat().concat();
        Some(ApiRequest { method, url, headers, body })
    }
}

/// The body of a good answer.
///
/// # Errors
///
/// The provider refused, or its answer is no JSON.
pub(crate) fn read(answer: &ApiAnswer<'_>) -> Result<Value, BillingError> {
    let body = strict_json::parse(answer.body);
    if !(200..300).contains(&answer.status) {
        let body = body.unwrap_or_default();
        let said = ["/error/message", "/error/detail", "/detail", "/errors/0/detail"];
        let said = said.iter().find_map(|at| body.pointer(at)?.as_str()).unwrap_or("nothing more");
        let said: String = said.chars().take(MAX_QUOTED_CHARS).collect();
        return Err(BillingError::Refused { status: answer.status, said });
    }
    body.map_err(|error| BillingError::AnswerNotJson(error.to_string()))
}

/// Data that comes back with every event of the sale: a signed reference, since a name alone would
/// not count.
pub(crate) fn named(billing: &Billing, sale: &Sale<'_>) -> Value {
    let mut named = json!({});
    put(&mut named, &billing.account_key, sale.reference);
    named
}

/// Adds a member to an object, where there is a value for it.
pub(crate) fn put(object: &mut Value, name: &str, value: Option<&str>) {
    if let (Value::Object(object), Some(value)) = (object, value) {
        object.insert(name.to_owned(), Value::from(value));
    }
}

/// `name=value` pairs, apart by `&`.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        percent::push(&mut out, name, percent::is_unreserved);
        out.push('=');
        percent::push(&mut out, value, percent::is_unreserved);
    }
    out
}

/// A part of a path, or a name or value of a form.
pub(crate) fn encoded(text: &str) -> String {
    percent::encode(text, percent::is_unreserved)
}

/// The most that is quoted of a provider's answer.
const MAX_QUOTED_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Provider;

    #[test]
    fn a_request_goes_to_the_api_of_its_provider_alone() {
        let api_url = "https://api.example".to_owned();
        let billing = Billing { api_url, ..Billing::new(Provider::Stripe) };
        for (url, is_its) in [
            ("https://api.example/v1/events", true),
            ("https://api.example", false),
            ("https://api.example.evil.example/v1", false),
            ("https://api.example@evil.example/v1", false),
            ("https://api.example:8443/v1", false),
            ("http://api.example/v1", false),
            ("https://other.example/v1", false),
            ("", false),
        ] {
            let request = ApiRequest { url: url.to_owned(), ..ApiRequest::default() };
            let expected = if is_its { Ok(()) } else { Err(CallError::ForeignHost) };
            assert_eq!(request.check_host(&billing), expected, "{url}");
        }
    }
}
