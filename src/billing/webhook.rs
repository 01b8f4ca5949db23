//! Webhooks: their verification, and their content.
//!
//! [`checks`] looks at the header fields only; the body is not looked into before the edge has
//! verified one of the signatures. [`read`] then makes a [`BillingEvent`] of it.

use super::error::BillingError;
use super::event::{BillingEvent, PING};
use super::object::{Document, Object, Watcher};
use super::settings::Billing;
use super::signature::{self, Scheme};
use super::spec::Delivery;
use super::{api_of, events_of, spec_of, standard};
use crate::plan::Plan;
use crate::strict_json;
use crate::time::Timestamp;
use crate::token::SignatureCheck;

pub use super::signature::{TOLERANCE_S, Webhook, WebhookError};

/// The checks to make: the webhook is genuine if any one of these is right.
///
/// # Errors
///
/// It can't be genuine under any secret: a field is missing or malformed, or it was signed too long
/// ago or in the future.
pub fn checks(
    billing: &Billing,
    webhook: &Webhook<'_>,
    now: Timestamp,
) -> Result<Vec<SignatureCheck>, WebhookError> {
    match &spec_of(billing.provider).scheme {
        Scheme::Timed(form) => signature::timed(billing, webhook, form, now),
        Scheme::Body { header } => signature::by_body(billing, webhook, header),
        Scheme::Standard => standard::signature::checks(billing, webhook, now),
    }
}

/// The content of a genuine webhook. An event of a type that the gate has no use for has no news.
///
/// # Errors
///
/// A field of the body is missing or not as it should be.
pub fn read(
    billing: &Billing,
    plans: &[Plan],
    webhook: &Webhook<'_>,
) -> Result<BillingEvent, BillingError> {
    read_watched(billing, plans, webhook, &|_, _| {})
}

/// The same, while `watcher` is called with every field that is read.
///
/// # Errors
///
/// As for [`read`].
pub fn read_watched(
    billing: &Billing,
    plans: &[Plan],
    webhook: &Webhook<'_>,
    watcher: &Watcher<'_>,
) -> Result<BillingEvent, BillingError> {
    let body = strict_json::parse(webhook.body)
        .map_err(|error| BillingError::NotJson(error.to_string()))?;
    let api = api_of(billing.provider);
    let events = events_of(billing.provider);
    let body = Document { fields: api.fields, watcher }.root(events.event, &body);
    match ping(billing, webhook, &body)? {
        Some(ping) => Ok(ping),
        None => (events.read)(Delivery { billing, plans, webhook, body: &body }),
    }
}

fn ping(
    billing: &Billing,
    webhook: &Webhook<'_>,
    body: &Object<'_>,
) -> Result<Option<BillingEvent>, BillingError> {
    let ping = &events_of(billing.provider).ping;
    if body.text(ping.kind) != Some(PING) {
        return Ok(None);
    }
    let id = match ping.id {
        Some(path) => body.needed_text(path)?,
        None => standard::signature::id(webhook)?,
    };
    let occurred_at = body.time(ping.time).ok().flatten().unwrap_or_default();
    Ok(Some(BillingEvent::new(billing.provider, id, PING.to_owned(), occurred_at)))
}
