//! Stripe's API: forms in, JSON out. Source: <https://docs.stripe.com/api>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::billing::api::request::{ApiRequest, Media, Sale, encoded, form};
use crate::billing::error::BillingError;
use crate::billing::settings::Billing;

/// The version of the API in use, with any default of the account: that of `stripe`
/// 23.1.0.
const VERSION: &str = "2026-10-28.endive";

pub(super) const MEDIA: Media = Media {
    headers: &[("stripe-version", VERSION)],
    accept: "application/json",
    sent: "application/x-www-form-urlencoded",
};

pub(super) fn portal(billing: &Billing, customer: &str, return_url: &str) -> Option<ApiRequest> {
    let body = form(&[("customer", customer), ("return_url", return_url)]);
    MEDIA.post(billing, &["/v1/billing_portal/sessions"], body)
}

pub(super) fn checkout(billing: &Billing, sale: &Sale<'_>) -> Result<ApiRequest, BillingError> {
    let key = billing.account_key.as_str();
    let (metadata, subscription_data) =
        (format!("metadata[{key}]"), format!("subscription_data[metadata][{key}]"));
    let reference = sale.reference.map(|reference| ("client_reference_id", reference));
    let payer = sale.customer.map(|customer| ("customer", customer));
    // Only the seller's server writes metadata, so a name in it counts, too.
    let account = sale.reference.unwrap_or(sale.account.as_str());
    let pairs = [
        ("mode", "subscription"),
        ("line_items[0][price]", sale.price),
        ("line_items[0][quantity]", "1"),
        ("success_url", sale.return_url),
        ("cancel_url", sale.cancel_url),
        (&metadata, account),
        (&subscription_data, account),
    ];
    let pairs: Vec<_> = pairs.into_iter().chain(reference).chain(payer).collect();
    let request = MEDIA.post(billing, &["/v1/checkout/sessions"], form(&pairs));
    let mut request = request.ok_or(BillingError::NoKey)?;
    // Its parts may be long, or hold bytes that no header field may.
    let key = URL_SAFE_NO_PAD.encode(Sha256::digest(sale.idempotency_key));
    request.headers.push(("idempotency-key", key));
    Ok(request)
}

/// Asks for the id of a price by its lookup key or product. `None` where `price` is an id.
pub(super) fn price_of(billing: &Billing, price: &str) -> Option<ApiRequest> {
    let is_id = ["price_", "plan_"].iter().any(|prefix| price.starts_with(prefix));
    if is_id {
        return None;
    }
    let is_product = price.starts_with("prod_");
    let by = if is_product { "type=recurring&product=" } else { "lookup_keys[0]=" };
    MEDIA.get(billing, &["/v1/prices?active=true&limit=1&", by, &encoded(price)])
}
