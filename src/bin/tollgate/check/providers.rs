//! What each payment provider has on sale, as its API lists it.

use serde_json::Value;
use tollgate::account::Provider;
use tollgate::billing::Billing;

use crate::commands::Failure;
use crate::commands::http::{Request, Response};

/// Something that a provider sells.
pub(super) struct Offer {
    /// Everything it is called there: ids of the price and its product, a lookup key.
    pub(super) names: Vec<String>,
    /// What a person calls it.
    pub(super) label: String,
}

/// Everything that is on sale for a subscription, and the last answer, for its clock.
pub(super) fn offers(billing: &Billing, api_key: &str) -> Result<(Vec<Offer>, Response), Failure> {
    let mut offers = Vec::new();
    let mut url = format!("{}{}", billing.api_url, first_page(billing.provider));
    for _ in 0..MAX_PAGES {
        let response = ask(&url, api_key)?;
        let json: Value = serde_json::from_str(&response.body)
            .map_err(|error| Failure::unreachable(&url, &error))?;
        let field = if billing.provider == Provider::Standard { "items" } else { "data" };
        let items = json.get(field).and_then(Value::as_array);
        let items = items.ok_or_else(|| Failure::unreachable(&url, &"it sent no list"))?;
        offers.extend(items.iter().filter_map(|item| offer(billing.provider, item)));
        let Some(next) = next_page(billing, &json, items, &url) else {
            return Ok((offers, response));
        };
        url = next;
    }
    Err(Failure::unreachable(&billing.api_url, &"its list of prices does not end"))
}

/// A thing of the API by its path; `None` where the provider doesn't know it.
pub(super) fn read(billing: &Billing, api_key: &str, path: &str) -> Result<Option<Value>, Failure> {
    let url = format!("{}{path}", billing.api_url);
    match ask(&url, api_key) {
        Err(failure) if failure.is_of(404) => Ok(None),
        Err(failure) => Err(failure),
        Ok(response) => serde_json::from_str(&response.body)
            .map(Some)
            .map_err(|error| Failure::unreachable(&url, &error)),
    }
}

fn ask(url: &str, api_key: &str) -> Result<Response, Failure> {
    let authorization = format!("Bearer {api_key}");
    let accept = "application/json, application/vnd.api+json";
    let headers = [("authorization", authorization.as_str()), ("accept", accept)];
    let response = Request { method: "GET", url, headers: &headers, body: None }.send()?;
    match response.status {
        200 => Ok(response),
        401 | 403 => Err(Failure::refused(response.status, "the API key may not list prices")),
        404 => Err(Failure::refused(404, format!("{url}: not found"))),
        status => Err(Failure::unreachable(url, &format!("it answers {status}"))),
    }
}

const fn first_page(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "/v1/prices?active=true&limit=100",
        Provider::Paddle => "/prices?status=active&per_page=200",
        Provider::LemonSqueezy => "/v1/variants?page[size]=100",
        Provider::Standard => "/v1/products/?is_archived=false&limit=100&page=1",
    }
}

fn next_page(billing: &Billing, json: &Value, items: &[Value], url: &str) -> Option<String> {
    // Only ever at the configured host: the key goes with it.
    let below = |next: &str| next.starts_with(&format!("{}/", billing.api_url));
    match billing.provider {
        Provider::Stripe => {
            let has_more = json.get("has_more").and_then(Value::as_bool)?;
            let last = items.last()?.get("id")?.as_str()?;
            let first = format!("{}{}", billing.api_url, first_page(Provider::Stripe));
            has_more.then(|| format!("{first}&starting_after={last}"))
        }
        Provider::Paddle => {
            let pagination = json.get("meta")?.get("pagination")?;
            let has_more = pagination.get("has_more").and_then(Value::as_bool)?;
            let next = pagination.get("next")?.as_str()?.to_owned();
            has_more.then_some(next).filter(|next| below(next))
        }
        Provider::LemonSqueezy => {
            let next = json.get("links")?.get("next")?.as_str()?.to_owned();
            Some(next).filter(|next| below(next))
        }
        Provider::Standard => {
            let most = json.get("pagination")?.get("max_page")?.as_u64()?;
            let (before, page) = url.rsplit_once('=')?;
            let next = page.parse::<u64>().ok()?.saturating_add(1);
            (next <= most).then(|| format!("{before}={next}"))
        }
    }
}

/// An item of a list; `None` where no subscription can be to it.
fn offer(provider: Provider, item: &Value) -> Option<Offer> {
    let text = |value: Option<&Value>| match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let of = |name: &str| text(item.get(name));
    let attribute = |name: &str| text(item.get("attributes").and_then(|all| all.get(name)));
    let (names, label) = match provider {
        Provider::Stripe => {
            if item.get("type").and_then(Value::as_str) == Some("one_time") {
                return None;
            }
            let label = of("nickname").or_else(|| of("lookup_key"));
            (vec![of("id"), of("product"), of("lookup_key")], label)
        }
        Provider::Paddle => {
            if item.get("billing_cycle").is_some_and(Value::is_null) {
                return None;
            }
            (vec![of("id"), of("product_id")], of("name").or_else(|| of("description")))
        }
        Provider::LemonSqueezy => {
            if attribute("status").is_some_and(|status| status == "draft") {
                return None;
            }
            (vec![of("id"), attribute("product_id")], attribute("name"))
        }
        Provider::Standard => {
            if item.get("is_recurring").and_then(Value::as_bool) == Some(false) {
                return None;
            }
            let prices = item.get("prices").and_then(Value::as_array);
            let prices = prices.into_iter().flatten().map(|price| text(price.get("id")));
            ([of("id")].into_iter().chain(prices).collect(), of("name"))
        }
    };
    let names: Vec<String> = names.into_iter().flatten().collect();
    let first = names.first()?;
    let label = match label {
        Some(label) => format!("{first} ({label})"),
        None => first.clone(),
    };
    Some(Offer { names, label })
}

/// A list of 200 pages is no list of prices.
const MAX_PAGES: usize = 200;
