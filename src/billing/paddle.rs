//! Paddle Billing.
//!
//! Source: the types of `@paddle/paddle-node-sdk` 3.10.0,
//! <https://developer.paddle.com/webhooks/overview>, and
//! <https://developer.paddle.com/api-reference>.

mod fields;
mod payments;
mod subscription;

use serde_json::json;

use self::payments::{adjustment, transaction};
use self::subscription::{SALE, subscription};
use super::api::request::{ApiRequest, Media, Sale, encoded, named, put};
use super::error::BillingError;
use super::event::BillingEvent;
use super::settings::Billing;
use super::signature::{Scheme, Timed};
use super::spec::{
    Catalogue, Delivery, NextPage, Ping, ProviderApi, ProviderEvents, ProviderSpec, ReferenceNeed,
    Rereading, Secret, take_nothing,
};
use crate::account::Provider;

pub(super) static PADDLE: ProviderSpec = ProviderSpec {
    provider: Provider::Paddle,
    name: "Paddle",
    api_url: "https://api.paddle.com",
    webhook_secret: Secret {
        name: "PADDLE_WEBHOOK_SECRET",
        meaning: "what Paddle signs its webhooks with",
    },
    api_key: Secret { name: "PADDLE_API_KEY", meaning: "opens Paddle's API" },
    test_keys: &["pdl_sdbx_"],
    picks_customer_by_address: true,
    reference: ReferenceNeed::Always,
    payment_link: Some("https://buy.paddle.com/"),
    has_stores: false,
    dispute_needs_key: false,
    // As `@paddle/paddle-node-sdk` 3.10.0 reads it, which looks at the last `h1` only.
    scheme: Scheme::Timed(Timed {
        header: "paddle-signature",
        expected: "ts=<seconds>;h1=<64 hexadecimal digits>",
        between: ';',
        time: "ts",
        signature: "h1",
        joint: ':',
    }),
};

pub(super) static PADDLE_API: ProviderApi = ProviderApi {
    fields: fields::FIELDS,
    media: &MEDIA,
    portal,
    portal_url: "data.urls.general.overview",
    checkout,
    checkout_url: "data.checkout.url",
    price: None,
};

pub(super) static PADDLE_EVENTS: ProviderEvents = ProviderEvents {
    headers: &["paddle-signature"],
    ping: Ping {
        kind: "event_type",
        id: Some("event_id"),
        time: "occurred_at",
        body: concat!(
            r#"{"event_id":"$id","event_type":"$type","occurred_at":"$time","#,
            r#""notification_id":"$id","data":{"id":"$id"}}"#
        ),
    },
    catalogue: Catalogue {
        path: "/prices?status=active&per_page=200",
        items: "data",
        next: NextPage::Url {
            more: Some("/meta/pagination/has_more"),
            url: "/meta/pagination/next",
        },
        names: &["/id", "/product_id"],
        labels: &["/name", "/description"],
        unsold: ("/billing_cycle", "null"),
        archived: &[],
    },
    event: "event",
    read,
    missed: None,
    completing: None,
    rereading: Rereading {
        customer: ("/customers/", ""),
        subscriptions: Some((("/subscriptions?per_page=100&customer_id=", ""), "data")),
        entitlements: None,
        has_pages: false,
        payer: "customer_id",
        take_customer: take_nothing,
        subscription: |billing, plans, object, event| {
            object.name_account_of(&SALE, event, billing)?;
            subscription(plans, object)
        },
    },
};

const MEDIA: Media = Media { headers: &[("paddle-version", "1")], ..Media::JSON };

/// Reads an event. Paddle's sandbox is another account, with secrets and keys of its own: its
/// events carry no mark of it.
fn read(delivery: Delivery<'_>) -> Result<BillingEvent, BillingError> {
    let Delivery { billing, plans, body, .. } = delivery;
    let (id, kind) = (body.needed_id("event_id")?, body.needed_text("event_type")?);
    let at = body.needed_time("occurred_at")?;
    let mut event = BillingEvent::new(Provider::Paddle, id, kind, at);
    let Some(data) = body.a("object", "data") else { return Ok(event) };
    event.customer = data.id("customer_id");
    let kind = event.kind.clone();
    match kind.split_once('.').unwrap_or_default() {
        ("subscription", _) => {
            let data = data.as_a("subscription");
            event.customer = Some(data.needed_id("customer_id")?);
            data.name_account_of(&SALE, &mut event, billing)?;
            event.add_subscription(subscription(plans, &data)?);
        }
        ("transaction", action) => {
            transaction(&mut event, billing, action, &data.as_a("transaction"))?;
        }
        ("customer", _) => {
            let data = data.as_a("customer");
            event.customer = Some(data.needed_id("id")?);
            data.name_account(&mut event, billing, "custom_data", at)?;
        }
        ("adjustment", _) => adjustment(&mut event, &data.as_a("adjustment"))?,
        _ => {}
    }
    Ok(event)
}

fn portal(billing: &Billing, customer: &str, _: &str) -> Option<ApiRequest> {
    let path = ["/customers/", &encoded(customer), "/portal-sessions"];
    MEDIA.post(billing, &path, "{}".to_owned())
}

/// Paddle's checkout comes back to the page that its own settings name.
fn checkout(billing: &Billing, sale: &Sale<'_>) -> Result<ApiRequest, BillingError> {
    let mut body = json!({
        "items": [{ "price_id": sale.price, "quantity": 1 }],
        "custom_data": named(billing, sale),
    });
    put(&mut body, "customer_id", sale.customer);
    MEDIA.post(billing, &["/transactions"], body.to_string()).ok_or(BillingError::NoKey)
}
