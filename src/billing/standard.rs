//! Senders by Standard Webhooks: Polar, and systems of the operator's own.
//!
//! Of an own system are the types `tollgate.subscription`, `tollgate.payment_failed`,
//! `tollgate.paid`, `tollgate.entitlements`, `tollgate.credits` and `tollgate.dispute`. Their data
//! has the names of the account's record; `docs/billing.md` shows each.

mod fields;
mod own;
mod polar;
pub(super) mod signature;

use super::api::request::Media;
use super::error::BillingError;
use super::event::BillingEvent;
use super::signature::Scheme;
use super::spec::{
    Catalogue, Delivery, NextPage, Ping, ProviderApi, ProviderEvents, ProviderSpec, ReferenceNeed,
    Rereading, Secret, take_nothing,
};
use crate::account::Provider;
use crate::time::Timestamp;

pub(super) static STANDARD: ProviderSpec = ProviderSpec {
    provider: Provider::Standard,
    name: "Polar, or a system of your own",
    api_url: "https://api.polar.sh",
    webhook_secret: Secret {
        name: "STANDARD_WEBHOOK_SECRET",
        meaning: "what Polar, or a system of your own, signs webhooks with",
    },
    api_key: Secret { name: "STANDARD_API_KEY", meaning: "opens Polar's API" },
    test_keys: &[],
    picks_customer_by_address: true,
    reference: ReferenceNeed::WithKey,
    payment_link: Some("https://buy.polar.sh/"),
    has_stores: false,
    dispute_needs_key: false,
    scheme: Scheme::Standard,
};

pub(super) static STANDARD_API: ProviderApi = ProviderApi {
    fields: fields::FIELDS,
    media: &Media::JSON,
    portal: polar::portal,
    portal_url: "customer_portal_url",
    checkout: polar::checkout,
    checkout_url: "url",
    price: None,
};

pub(super) static STANDARD_EVENTS: ProviderEvents = ProviderEvents {
    headers: signature::HEADERS,
    ping: Ping {
        kind: "type",
        id: None,
        time: "timestamp",
        body: r#"{"type":"$type","timestamp":"$time","data":{"id":"$id"}}"#,
    },
    catalogue: Catalogue {
        path: "/v1/products/?is_archived=false&limit=100&page=1",
        items: "items",
        next: NextPage::Number("/pagination/max_page"),
        names: &["/id", "/prices/*/id"],
        labels: &["/name"],
        unsold: ("/is_recurring", "false"),
        archived: &[],
    },
    event: "event",
    read,
    missed: None,
    completing: None,
    rereading: Rereading {
        customer: ("/v1/customers/", ""),
        subscriptions: Some((("/v1/subscriptions/?limit=100&customer_id=", ""), "items")),
        entitlements: None,
        has_pages: false,
        payer: "customer_id",
        take_customer: take_nothing,
        subscription: |billing, plans, object, event| {
            object.name_account_of(&polar::SALE, event, billing)?;
            polar::subscription(plans, object)
        },
    },
};

/// Reads an event. Its id is the one that it was sent under.
fn read(delivery: Delivery<'_>) -> Result<BillingEvent, BillingError> {
    let Delivery { billing, plans, webhook, body } = delivery;
    let kind = body.needed_text("type")?;
    let told_at = body.time("timestamp")?;
    let sent_at = signature::sent_at_s(webhook).map(Timestamp::from_seconds);
    let at = told_at.or(sent_at).unwrap_or_default();
    let mut event = BillingEvent::new(Provider::Standard, signature::id(webhook)?, kind, at);
    let Some(data) = body.a("own", "data") else { return Ok(event) };
    let kind = event.kind.clone();
    match kind.strip_prefix("tollgate.") {
        Some(own) => own::read(&mut event, plans, own, &data)?,
        None => polar::read(&mut event, billing, plans, &data.as_a("object"))?,
    }
    if !event.news.is_empty() {
        // Each delivery has a send time of its own, so an event with news must carry `timestamp`.
        body.needed_time("timestamp")?;
    }
    Ok(event)
}
