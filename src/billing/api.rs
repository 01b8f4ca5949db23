//! What the gate asks of a provider, and how it reads the answer. Nothing here talks to anybody:
//! the edge sends an [`ApiRequest`] to the host of [`Billing::api_host`] and brings an
//! [`ApiAnswer`].

mod completion;
mod form;
mod others;
mod reread;
mod stripe;

pub use completion::Completion;
pub use reread::{REREAD, Reread};

use serde_json::Value;

use self::form::{encoded, form};
use super::object::{Document, Object};
use crate::account::Provider;
use crate::billing::Billing;
use crate::plan::Plan;
use crate::strict_json;
use crate::text::url::is_safe_url;

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

/// What a provider's API answered.
#[derive(Clone, Copy, Debug)]
pub struct ApiAnswer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'a str,
}

/// A checkout to be made.
#[derive(Clone, Copy, Debug)]
pub struct Sale<'a> {
    /// What is sold: the provider's id of the price; see [`price_of`].
    pub price: &'a str,
    /// Who buys, `tenant/account`.
    pub account: &'a str,
    /// A signed reference to that account, where one can be made.
    pub reference: Option<&'a str>,
    /// The provider's id of who buys, where it is known.
    pub customer: Option<&'a str>,
    /// Where the customer comes back to with what was bought.
    pub return_url: &'a str,
    /// Where the customer comes back to without.
    pub cancel_url: &'a str,
    /// The same for the same sale, so that it is made once (at Stripe). Any text: it is hashed.
    pub idempotency_key: &'a str,
}

/// A link into the provider's portal, where a customer changes the payment method or the
/// subscription. `None` without a key for the API.
pub fn portal(billing: &Billing, customer: &str, return_url: &str) -> Option<ApiRequest> {
    match billing.provider {
        Provider::Stripe => stripe::portal(billing, customer, return_url),
        Provider::Paddle => others::paddle_portal(billing, customer),
        Provider::LemonSqueezy => others::lemonsqueezy_portal(billing, customer),
        Provider::Standard => others::polar_portal(billing, customer, return_url),
    }
}

/// The link that the answer to [`portal`] holds.
///
/// # Errors
///
/// What the provider said instead, or that its link may not be followed.
pub fn portal_url(billing: &Billing, answer: &ApiAnswer<'_>) -> Result<String, String> {
    let path = match billing.provider {
        Provider::Stripe => "url",
        Provider::Paddle => "data.urls.general.overview",
        Provider::LemonSqueezy => "data.attributes.urls.customer_portal",
        Provider::Standard => "customer_portal_url",
    };
    url_at(billing, answer, path)
}

/// A link to the provider's checkout.
///
/// # Errors
///
/// Says what of the configuration is missing.
pub fn checkout(billing: &Billing, sale: &Sale<'_>) -> Result<ApiRequest, String> {
    let request = match billing.provider {
        Provider::Stripe => stripe::checkout(billing, sale),
        Provider::Paddle => others::paddle_checkout(billing, sale),
        Provider::LemonSqueezy => {
            let no_store = "BILLING says no store, which Lemon Squeezy needs for a checkout";
            let store = billing.store.as_deref().ok_or_else(|| no_store.to_owned())?;
            others::lemonsqueezy_checkout(billing, store, sale)
        }
        Provider::Standard => others::polar_checkout(billing, sale),
    };
    request.ok_or_else(|| "there is no key for the provider's API".to_owned())
}

/// The link that the answer to [`checkout`] holds.
///
/// # Errors
///
/// As for [`portal_url`].
pub fn checkout_url(billing: &Billing, answer: &ApiAnswer<'_>) -> Result<String, String> {
    let path = match billing.provider {
        Provider::Stripe | Provider::Standard => "url",
        Provider::Paddle => "data.checkout.url",
        Provider::LemonSqueezy => "data.attributes.url",
    };
    url_at(billing, answer, path)
}

/// Asks for the price that a plan is sold at, where `prices` begins with a lookup key or a product.
/// `None` where it is a price's id already: then [`Plan::prices`]'s first is [`Sale::price`].
pub fn price_of(billing: &Billing, plan: &Plan) -> Option<ApiRequest> {
    let price = plan.prices.first()?;
    match billing.provider {
        Provider::Stripe => stripe::price_of(billing, price),
        _ => None,
    }
}

/// The price's id that the answer to [`price_of`] holds.
///
/// # Errors
///
/// What the provider said instead, or that it has no such price.
pub fn price_found(answer: &ApiAnswer<'_>) -> Result<String, String> {
    let body = read(answer)?;
    let list = Document::of(Provider::Stripe).root("list", &body);
    let price = list.list("data").first().and_then(|price| price.id("id"));
    price.ok_or_else(|| "the provider has no active price of this name".to_owned())
}

/// Asks for events that did not arrive, the newest first: those before `starting_after` where that
/// is given. Only Stripe can be asked.
pub fn missed(billing: &Billing, starting_after: Option<&str>) -> Option<ApiRequest> {
    if billing.provider != Provider::Stripe {
        return None;
    }
    let page = starting_after.map(|id| format!("&starting_after={}", encoded(id)));
    let page = page.unwrap_or_default();
    get(billing, &["/v1/events?delivery_success=false&limit=100", &page])
}

/// The bodies of the events in the answer to [`missed`], each as its webhook would have had, and
/// where the next page starts if there is one.
///
/// # Errors
///
/// What the provider said instead.
pub fn missed_events(answer: &ApiAnswer<'_>) -> Result<(Vec<String>, Option<String>), String> {
    let body = read(answer)?;
    let next = next_page(&Document::of(Provider::Stripe).root("list", &body));
    let events = body.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    Ok((events.iter().map(Value::to_string).collect(), next))
}

/// Where the next page of one of Stripe's lists starts.
fn next_page(list: &Object<'_>) -> Option<String> {
    if !list.is("has_more") {
        return None;
    }
    list.list("data").last()?.id("id")
}

/// A request without a body.
fn get(billing: &Billing, path: &[&str]) -> Option<ApiRequest> {
    request(billing, "GET", path, String::new())
}

/// A request with the fields that each provider needs. `None` without a key.
fn request(
    billing: &Billing,
    method: &'static str,
    path: &[&str],
    body: String,
) -> Option<ApiRequest> {
    let key = billing.api_key.as_deref()?;
    let mut headers = vec![("authorization", ["Bearer ", key].concat())];
    let json_api = "application/vnd.api+json";
    let (accept, sent) = match billing.provider {
        Provider::Stripe => {
            headers.push(("stripe-version", stripe::VERSION.to_owned()));
            ("application/json", "application/x-www-form-urlencoded")
        }
        Provider::Paddle => {
            headers.push(("paddle-version", "1".to_owned()));
            ("application/json", "application/json")
        }
        Provider::LemonSqueezy => (json_api, json_api),
        Provider::Standard => ("application/json", "application/json"),
    };
    headers.push(("accept", accept.to_owned()));
    if method == "POST" {
        headers.push(("content-type", sent.to_owned()));
    }
    let url = [&[billing.api_url.as_str()], path].concat().concat();
    Some(ApiRequest { method, url, headers, body })
}

/// The body of a good answer.
fn read(answer: &ApiAnswer<'_>) -> Result<Value, String> {
    let body = strict_json::parse(answer.body);
    if !(200..300).contains(&answer.status) {
        let body = body.unwrap_or_default();
        let said = ["/error/message", "/error/detail", "/detail", "/errors/0/detail"];
        let said = said.iter().find_map(|at| body.pointer(at)?.as_str()).unwrap_or("nothing more");
        let said: String = said.chars().take(MAX_QUOTED_CHARS).collect();
        return Err(format!("the provider answered {}: {said}", answer.status));
    }
    body.map_err(|error| format!("the provider answered no JSON: {error}"))
}

/// A link that a browser may be sent to.
fn url_at(billing: &Billing, answer: &ApiAnswer<'_>, path: &str) -> Result<String, String> {
    let body = read(answer)?;
    let body = Document::of(billing.provider).root("answer", &body);
    let missing = |expected| body.missing(path, expected);
    let url = body.text(path).ok_or_else(|| missing("a link"))?;
    let may_be_local = billing.api_url.starts_with("http://");
    let is_safe = is_safe_url(url) && (may_be_local || url.starts_with("https://"));
    if is_safe { Ok(url.to_owned()) } else { Err(missing("an https:// link")) }
}

/// How much of what a provider says is passed on.
const MAX_QUOTED_CHARS: usize = 200;
