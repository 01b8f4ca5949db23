//! The offers of each payment provider, as its API lists them.

use serde_json::Value;
use tollgate::billing::{Billing, Catalogue, NextPage, events_of};

use crate::commands::Failure;
use crate::commands::http::{Request, Response};

/// Something that a provider sells.
pub(super) struct Offer {
    /// Everything it is called there: ids of the price and its product, a lookup key.
    pub(super) names: Vec<String>,
    /// Its name for people.
    pub(super) label: String,
}

/// Everything that is on sale for a subscription, and the last answer, for its clock.
pub(super) fn offers(billing: &Billing, api_key: &str) -> Result<(Vec<Offer>, Response), Failure> {
    let mut offers = Vec::new();
    let catalogue = &events_of(billing.provider).catalogue;
    let mut url = format!("{}{}", billing.api_url, catalogue.path);
    for _ in 0..MAX_PAGES {
        let response = ask(&url, api_key)?;
        let json: Value = serde_json::from_str(&response.body)
            .map_err(|error| Failure::unreachable(&url, &error))?;
        let items = json.get(catalogue.items).and_then(Value::as_array);
        let items = items.ok_or_else(|| Failure::unreachable(&url, &"it sent no list"))?;
        offers.extend(items.iter().filter_map(|item| offer(catalogue, item)));
        let Some(next) = next_page(billing, catalogue, &json, &url) else {
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

fn next_page(billing: &Billing, catalogue: &Catalogue, json: &Value, url: &str) -> Option<String> {
    match catalogue.next {
        NextPage::LastId => {
            let has_more = json.get("has_more").and_then(Value::as_bool)?;
            let last = json.get(catalogue.items)?.as_array()?.last()?.get("id")?.as_str()?;
            let first = format!("{}{}", billing.api_url, catalogue.path);
            has_more.then(|| format!("{first}&starting_after={last}"))
        }
        NextPage::Url { more, url } => {
            if let Some(more) = more
                && !json.pointer(more)?.as_bool()?
            {
                return None;
            }
            let next = json.pointer(url)?.as_str()?.to_owned();
            // Only ever at the configured host: the key goes with it.
            Some(next).filter(|next| next.starts_with(&format!("{}/", billing.api_url)))
        }
        NextPage::Number(most) => {
            let most = json.pointer(most)?.as_u64()?;
            let (before, page) = url.rsplit_once('=')?;
            let next = page.parse::<u64>().ok()?.saturating_add(1);
            (next <= most).then(|| format!("{before}={next}"))
        }
    }
}

/// An item of a list; `None` where no subscription can be to it.
fn offer(catalogue: &Catalogue, item: &Value) -> Option<Offer> {
    let (field, unsold) = catalogue.unsold;
    let unsold: Option<Value> = serde_json::from_str(unsold).ok();
    if item.pointer(field).is_some_and(|found| unsold.as_ref() == Some(found)) {
        return None;
    }
    let names: Vec<String> = catalogue.names.iter().flat_map(|at| texts(item, at)).collect();
    let label = catalogue.labels.iter().find_map(|at| texts(item, at).into_iter().next());
    let first = names.first()?;
    let label = match label {
        Some(label) => format!("{first} ({label})"),
        None => first.clone(),
    };
    Some(Offer { names, label })
}

/// The texts and numbers at a pointer, in which `*` stands for each item of a list.
fn texts(value: &Value, pointer: &str) -> Vec<String> {
    if let Some((list, rest)) = pointer.split_once("/*") {
        let items = value.pointer(list).and_then(Value::as_array);
        return items.into_iter().flatten().flat_map(|item| texts(item, rest)).collect();
    }
    match value.pointer(pointer) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Number(number)) => vec![number.to_string()],
        _ => Vec::new(),
    }
}

/// A list of 200 pages is no list of prices.
const MAX_PAGES: usize = 200;
