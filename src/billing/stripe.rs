//! Stripe: events and objects as the API versions from 2020-08-27 to 2026-10-28 write them.
//!
//! Source: the types of `stripe` 23.1.0, and <https://docs.stripe.com/api/events/types>.

mod api;
mod completion;
mod fields;
mod payments;
mod subscription;

use self::completion::{COMPLETING, checkout};
use self::payments::{dispute, error_reason, invoice};
use self::subscription::{SALE, lookup_keys, subscription};
use super::error::BillingError;
use super::event::{BillingEvent, News};
use super::object::Object;
use super::settings::Billing;
use super::signature::{Scheme, Timed};
use super::spec::{
    Catalogue, Delivery, Entitlements, NextPage, Ping, ProviderApi, ProviderEvents, ProviderSpec,
    ReferenceNeed, Rereading, Secret,
};
use crate::account::Provider;

/// A customer is made for each checkout, and only the seller's server writes metadata.
pub(super) static STRIPE: ProviderSpec = ProviderSpec {
    provider: Provider::Stripe,
    name: "Stripe",
    api_url: "https://api.stripe.com",
    webhook_secret: Secret {
        name: "STRIPE_WEBHOOK_SECRET",
        meaning: "what Stripe signs its webhooks with",
    },
    api_key: Secret {
        name: "STRIPE_API_KEY",
        meaning: "opens Stripe's API: portal, checkout, reading again",
    },
    test_keys: &["sk_test_", "rk_test_"],
    picks_customer_by_address: false,
    reference: ReferenceNeed::Never,
    payment_link: Some("https://buy.stripe.com/"),
    has_stores: false,
    dispute_needs_key: true,
    // As `stripe.webhooks.constructEvent` of stripe 23.1.0 reads it: other schemes are ignored.
    scheme: Scheme::Timed(Timed {
        header: "stripe-signature",
        expected: "t=<seconds>,v1=<64 hexadecimal digits>",
        between: ',',
        time: "t",
        signature: "v1",
        joint: '.',
    }),
};

pub(super) static STRIPE_API: ProviderApi = ProviderApi {
    fields: fields::FIELDS,
    media: &api::MEDIA,
    portal: api::portal,
    portal_url: "url",
    checkout: api::checkout,
    checkout_url: "url",
    price: Some(api::price_of),
};

pub(super) static STRIPE_EVENTS: ProviderEvents = ProviderEvents {
    headers: &["stripe-signature"],
    ping: Ping {
        kind: "type",
        id: Some("id"),
        time: "created",
        body: concat!(
            r#"{"id":"$id","object":"event","type":"$type","created":$seconds,"livemode":false,"#,
            r#""data":{"object":{"id":"$id","object":"tollgate_ping"}}}"#
        ),
    },
    catalogue: Catalogue {
        path: "/v1/prices?active=true&limit=100",
        items: "data",
        next: NextPage::LastId,
        names: &["/id", "/product", "/lookup_key"],
        labels: &["/nickname", "/lookup_key"],
        unsold: ("/type", "\"one_time\""),
        archived: &[("price_", "/v1/prices/"), ("prod_", "/v1/products/")],
    },
    event: "event",
    read,
    missed: Some("/v1/events?delivery_success=false&limit=100"),
    completing: Some(COMPLETING),
    rereading: Rereading {
        customer: ("/v1/customers/", ""),
        subscriptions: Some((("/v1/subscriptions?status=all&limit=100&customer=", ""), "data")),
        entitlements: Some(Entitlements {
            path: ("/v1/entitlements/active_entitlements?limit=100&customer=", ""),
            items: "data",
            names: lookup_keys,
        }),
        has_pages: true,
        payer: "customer",
        take_customer,
        subscription: |billing, plans, object, event| {
            object.name_account_of(&SALE, event, billing)?;
            subscription(plans, object)
        },
    },
};

/// Reads an event. Those of the second API (`v2.core.event`) carry no object and have no news.
fn read(delivery: Delivery<'_>) -> Result<BillingEvent, BillingError> {
    let Delivery { billing, plans, body, .. } = delivery;
    let (id, kind) = (body.needed_id("id")?, body.needed_text("type")?);
    let at = body.needed_time("created")?;
    let mut event = BillingEvent::new(Provider::Stripe, id, kind, at);
    event.ignored = out_of_place(billing, body);
    let Some(object) = body.a("object", "data.object") else { return Ok(event) };
    event.customer = object.id("customer");
    let kind = event.kind.clone();
    let (family, action) = kind.rsplit_once('.').unwrap_or_default();
    match family {
        "customer.subscription" => {
            let object = object.as_a("subscription");
            event.customer = Some(object.needed_id("customer")?);
            object.name_account_of(&SALE, &mut event, billing)?;
            event.add_subscription(subscription(plans, &object)?);
        }
        "invoice" => invoice(&mut event, billing, action, &object.as_a("invoice"))?,
        "checkout.session" => checkout(&mut event, billing, &object.as_a("session"), action)?,
        "entitlements.active_entitlement_summary" => {
            let object = object.as_a("entitlements");
            event.customer = Some(object.needed_id("customer")?);
            let is_complete = !object.is("entitlements.has_more");
            let names = lookup_keys(&object.list_of("entitlement", "entitlements.data"));
            event.news.push(News::Entitlements { names, is_complete });
        }
        "customer" => {
            let object = object.as_a("customer");
            event.customer = Some(object.needed_id("id")?);
            object.name_account(&mut event, billing, "metadata", at)?;
            event.names_customer = event.account.is_some();
            if action == "deleted" {
                event.news.push(News::CustomerDeleted);
            }
        }
        "payment_intent" if action == "payment_failed" => {
            let intent = object.as_a("intent");
            event.customer = intent.id("customer");
            intent.name_account(&mut event, billing, "metadata", at)?;
            let reason = object.a("error", "last_payment_error").and_then(|it| error_reason(&it));
            event.news.push(News::PaymentFailed { subscription: None, reason });
        }
        "charge.dispute" if matches!(action, "created" | "closed" | "updated") => {
            dispute(&mut event, billing, &object.as_a("dispute"))?;
        }
        _ => {}
    }
    Ok(event)
}

fn take_customer<'a>(
    billing: &Billing,
    customer: &Object<'a>,
    event: &mut BillingEvent,
) -> Result<Vec<Object<'a>>, BillingError> {
    if customer.is("deleted") {
        event.news.push(News::CustomerDeleted);
    }
    let at = event.occurred_at;
    customer.name_account(event, billing, "metadata", at)?;
    event.names_customer = event.account.is_some();
    Ok(Vec::new())
}

/// The reason to ignore an event of another mode or account.
fn out_of_place(billing: &Billing, body: &Object<'_>) -> Option<String> {
    if body.flag("livemode") == Some(false) && !billing.test {
        return Some("test mode: `test = true` in BILLING would let it count".to_owned());
    }
    match (body.text("account"), billing.store.as_deref()) {
        (Some(account), None) => {
            Some(format!("of the connected account {account}, and BILLING names no store"))
        }
        (found, Some(store)) if store.starts_with("acct_") && found != Some(store) => {
            let found = found.unwrap_or("the platform's own");
            Some(format!("of the account {found}, and BILLING's store is {store}"))
        }
        (Some(account), Some(store)) if account != store => {
            Some(format!("of the connected account {account}, and BILLING's store is {store}"))
        }
        _ => None,
    }
}
