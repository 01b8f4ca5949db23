//! Requests to a provider, and the reading of its answers. Nothing here does I/O: the edge sends an
//! [`ApiRequest`], once [`ApiRequest::check_host`] allows it, and brings an [`ApiAnswer`].

mod completion;
pub(super) mod request;
mod reread;

pub use completion::Completion;
pub use request::{ApiAnswer, ApiRequest, Sale, StatusAndBody};
pub use reread::Reread;

use serde_json::Value;

use self::request::{encoded, read};
use super::error::BillingError;
use super::object::{Document, next_page};
use super::settings::Billing;
use super::{api_of, events_of};
use crate::plan::Plan;
use crate::text::url::is_safe_url;

/// A link into the provider's portal, where a customer changes the payment method or the
/// subscription. `None` without a key for the API.
pub fn portal(billing: &Billing, customer: &str, return_url: &str) -> Option<ApiRequest> {
    (api_of(billing.provider).portal)(billing, customer, return_url)
}

/// The link that the answer to [`portal`] holds.
///
/// # Errors
///
/// The provider refused, or its link may not be followed.
pub fn portal_url(billing: &Billing, answer: &ApiAnswer<'_>) -> Result<String, BillingError> {
    url_at(billing, answer, api_of(billing.provider).portal_url)
}

/// A link to the provider's checkout.
///
/// # Errors
///
/// The configuration lacks something.
pub fn checkout(billing: &Billing, sale: &Sale<'_>) -> Result<ApiRequest, BillingError> {
    (api_of(billing.provider).checkout)(billing, sale)
}

/// The link that the answer to [`checkout`] holds.
///
/// # Errors
///
/// As for [`portal_url`].
pub fn checkout_url(billing: &Billing, answer: &ApiAnswer<'_>) -> Result<String, BillingError> {
    url_at(billing, answer, api_of(billing.provider).checkout_url)
}

/// Asks for the price that a plan is sold at, where `prices` begins with a lookup key or a product.
/// `None` where it is a price's id already: then [`Plan::prices`]'s first is [`Sale::price`].
pub fn price_of(billing: &Billing, plan: &Plan) -> Option<ApiRequest> {
    let price = plan.prices.first()?;
    api_of(billing.provider).price?(billing, price)
}

/// The price's id that the answer to [`price_of`] holds.
///
/// # Errors
///
/// The provider refused, or has no such price.
pub fn price_found(billing: &Billing, answer: &ApiAnswer<'_>) -> Result<String, BillingError> {
    let body = read(answer)?;
    let list = Document::of(api_of(billing.provider).fields).root("list", &body);
    let price = list.list("data").first().and_then(|price| price.id("id"));
    price.ok_or(BillingError::NoSuchPrice)
}

/// Asks for events that did not arrive, the newest first: those before `starting_after` where that
/// is given. `None` where the provider keeps no list of them.
pub fn missed(billing: &Billing, starting_after: Option<&str>) -> Option<ApiRequest> {
    let api = api_of(billing.provider);
    let events = events_of(billing.provider);
    let page = starting_after.map(|id| format!("&starting_after={}", encoded(id)));
    api.media.get(billing, &[events.missed?, &page.unwrap_or_default()])
}

/// The bodies of the events in the answer to [`missed`], each as its webhook would have had, and
/// where the next page starts if there is one.
///
/// # Errors
///
/// The provider refused.
pub fn missed_events(
    billing: &Billing,
    answer: &ApiAnswer<'_>,
) -> Result<(Vec<String>, Option<String>), BillingError> {
    let body = read(answer)?;
    let next = next_page(&Document::of(api_of(billing.provider).fields).root("list", &body));
    let events = body.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    Ok((events.iter().map(Value::to_string).collect(), next))
}

/// A link that a browser may be sent to.
fn url_at(billing: &Billing, answer: &ApiAnswer<'_>, path: &str) -> Result<String, BillingError> {
    let body = read(answer)?;
    let body = Document::of(api_of(billing.provider).fields).root("answer", &body);
    let missing = |expected| body.missing(path, expected);
    let url = body.text(path).ok_or_else(|| missing("a link"))?;
    let may_be_local = billing.api_url.starts_with("http://");
    let is_safe = is_safe_url(url) && (may_be_local || url.starts_with("https://"));
    if is_safe { Ok(url.to_owned()) } else { Err(missing("an https:// link")) }
}
