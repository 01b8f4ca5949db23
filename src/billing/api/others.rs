//! The APIs of Paddle, Lemon Squeezy and Polar: JSON in, JSON out.
//!
//! Source: <https://developer.paddle.com/api-reference>, <https://docs.lemonsqueezy.com/api>, and
//! `@polar-sh/sdk` 0.49.0, whose paths end in a slash.

use serde_json::{Value, json};

use super::{ApiRequest, Sale, encoded, get, request};
use crate::billing::Billing;

pub(super) fn paddle_portal(billing: &Billing, customer: &str) -> Option<ApiRequest> {
    let path = ["/customers/", &encoded(customer), "/portal-sessions"];
    request(billing, "POST", &path, "{}".to_owned())
}

/// Paddle's checkout comes back to where the page of its own settings says.
pub(super) fn paddle_checkout(billing: &Billing, sale: &Sale<'_>) -> Option<ApiRequest> {
    let mut body = json!({
        "items": [{ "price_id": sale.price, "quantity": 1 }],
        "custom_data": named(billing, sale),
    });
    put(&mut body, "customer_id", sale.customer);
    request(billing, "POST", &["/transactions"], body.to_string())
}

/// A customer has one link, which is good for a day.
pub(super) fn lemonsqueezy_portal(billing: &Billing, customer: &str) -> Option<ApiRequest> {
    get(billing, &["/v1/customers/", &encoded(customer)])
}

pub(super) fn lemonsqueezy_checkout(
    billing: &Billing,
    store: &str,
    sale: &Sale<'_>,
) -> Option<ApiRequest> {
    let related = |kind: &str, id: &str| json!({ "data": { "type": kind, "id": id } });
    let body = json!({ "data": {
        "type": "checkouts",
        "attributes": {
            "checkout_data": { "custom": named(billing, sale) },
            "product_options": { "redirect_url": sale.return_url },
        },
        "relationships": {
            "store": related("stores", store),
            "variant": related("variants", sale.price),
        },
    }});
    request(billing, "POST", &["/v1/checkouts"], body.to_string())
}

pub(super) fn polar_portal(
    billing: &Billing,
    customer: &str,
    return_url: &str,
) -> Option<ApiRequest> {
    let body = json!({ "customer_id": customer, "return_url": return_url });
    request(billing, "POST", &["/v1/customer-sessions/"], body.to_string())
}

pub(super) fn polar_checkout(billing: &Billing, sale: &Sale<'_>) -> Option<ApiRequest> {
    let mut body = json!({
        "products": [sale.price],
        "success_url": sale.return_url,
        "return_url": sale.cancel_url,
        "metadata": named(billing, sale),
    });
    put(&mut body, "customer_id", sale.customer);
    request(billing, "POST", &["/v1/checkouts/"], body.to_string())
}

/// Data that comes back with every event of the sale: a signed reference, since a name alone would
/// not count.
fn named(billing: &Billing, sale: &Sale<'_>) -> Value {
    let mut named = json!({});
    put(&mut named, &billing.account_key, sale.reference);
    named
}

fn put(object: &mut Value, name: &str, value: Option<&str>) {
    if let (Value::Object(object), Some(value)) = (object, value) {
        object.insert(name.to_owned(), Value::from(value));
    }
}
