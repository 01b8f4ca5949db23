//! Lemon Squeezy: its messages are JSON:API.
//!
//! Source: <https://docs.lemonsqueezy.com/help/webhooks/event-types>,
//! <https://docs.lemonsqueezy.com/api/subscriptions/the-subscription-object> and
//! <https://docs.lemonsqueezy.com/api>.

mod fields;

use serde_json::json;

use super::api::request::{ApiRequest, Media, Sale, encoded, named};
use super::credits::{Position, units_of};
use super::error::BillingError;
use super::event::{BillingEvent, News};
use super::object::{Object, SaleFields, plans_of};
use super::settings::Billing;
use super::signature::Scheme;
use super::spec::{
    Catalogue, Delivery, NextPage, Ping, ProviderApi, ProviderEvents, ProviderSpec, ReferenceNeed,
    Rereading, Secret,
};
use crate::account::{Provider, Status, Subscription};
use crate::plan::Plan;

pub(super) static LEMON_SQUEEZY: ProviderSpec = ProviderSpec {
    provider: Provider::LemonSqueezy,
    name: "Lemon Squeezy",
    api_url: "https://api.lemonsqueezy.com",
    webhook_secret: Secret {
        name: "LEMONSQUEEZY_WEBHOOK_SECRET",
        meaning: "what Lemon Squeezy signs its webhooks with",
    },
    api_key: Secret { name: "LEMONSQUEEZY_API_KEY", meaning: "opens Lemon Squeezy's API" },
    test_keys: &[],
    picks_customer_by_address: true,
    reference: ReferenceNeed::Always,
    payment_link: None,
    has_stores: true,
    dispute_needs_key: false,
    scheme: Scheme::Body { header: "x-signature" },
};

pub(super) static LEMON_SQUEEZY_API: ProviderApi = ProviderApi {
    fields: fields::FIELDS,
    media: &MEDIA,
    portal,
    portal_url: "data.attributes.urls.customer_portal",
    checkout,
    checkout_url: "data.attributes.url",
    price: None,
};

pub(super) static LEMON_SQUEEZY_EVENTS: ProviderEvents = ProviderEvents {
    headers: &["x-signature"],
    ping: Ping {
        kind: "meta.event_name",
        id: Some("data.id"),
        time: "data.attributes.updated_at",
        body: concat!(
            r#"{"meta":{"event_name":"$type","webhook_id":"$id"},"data":{"#,
            r#""type":"tollgate-pings","id":"$id","attributes":{"updated_at":"$time"}}}"#
        ),
    },
    catalogue: Catalogue {
        path: "/v1/variants?page[size]=100",
        items: "data",
        next: NextPage::Url { more: None, url: "/links/next" },
        names: &["/id", "/attributes/product_id"],
        labels: &["/attributes/name"],
        unsold: ("/attributes/status", "\"draft\""),
        archived: &[],
    },
    event: "webhook",
    read,
    missed: None,
    completing: None,
    rereading: Rereading {
        // Subscriptions can't be asked for by customer, but come with one.
        customer: ("/v1/customers/", "?include=subscriptions"),
        subscriptions: None,
        entitlements: None,
        has_pages: false,
        payer: "attributes.customer_id",
        take_customer: |_, customer, _| Ok(included(customer)),
        subscription: |billing, plans, object, event| {
            let store = object.id("attributes.store_id");
            let is_test = object.is("attributes.test_mode");
            event.ignored = elsewhere(billing, store.as_deref(), is_test);
            subscription(plans, object)
        },
    },
};

const MEDIA: Media =
    Media { headers: &[], accept: "application/vnd.api+json", sent: "application/vnd.api+json" };
const SALE: SaleFields =
    SaleFields { account: "meta.custom_data", created: "data.attributes.created_at" };

/// Reads an event. Events have no id of their own; what happened to which object, and when, is one,
/// the same when it is sent again.
fn read(delivery: Delivery<'_>) -> Result<BillingEvent, BillingError> {
    let Delivery { billing, plans, body, .. } = delivery;
    let kind = body.needed_text("meta.event_name")?;
    let object = body.needed_id("data.id")?;
    let occurred_at = body.needed_time("data.attributes.updated_at")?;
    let family = body.text("data.type").unwrap_or_default();
    let id = format!("{kind}:{object}:{}", occurred_at.rfc3339_exact());
    let mut event = BillingEvent::new(Provider::LemonSqueezy, id, kind.clone(), occurred_at);
    event.customer = body.id("data.attributes.customer_id");
    event.ignored = out_of_place(billing, body);
    body.name_account_of(&SALE, &mut event, billing)?;
    match (family, kind.as_str()) {
        ("subscriptions", _) => {
            event.customer = Some(body.needed_id("data.attributes.customer_id")?);
            let data = body.a("subscription", "data");
            let data = data.ok_or_else(|| body.missing("data", "an object"))?;
            event.add_subscription(subscription(plans, &data)?);
        }
        ("subscription-invoices", action) => invoice(&mut event, action, body)?,
        ("orders", "order_created") => order(&mut event, billing, &object, body),
        ("customers", _) => event.customer = Some(object),
        _ => {}
    }
    Ok(event)
}

/// The reason to ignore a message of another store, or of test mode.
fn elsewhere(billing: &Billing, store: Option<&str>, is_test: bool) -> Option<String> {
    if is_test && !billing.test {
        return Some("test mode: `test = true` in BILLING would let it count".to_owned());
    }
    match (store, billing.store.as_deref()) {
        (Some(found), Some(store)) if found != store => {
            Some(format!("of the store {found}, and BILLING's is {store}"))
        }
        _ => None,
    }
}

fn out_of_place(billing: &Billing, body: &Object<'_>) -> Option<String> {
    let store = body.id("data.attributes.store_id");
    let is_test = body.is("meta.test_mode") || body.is("data.attributes.test_mode");
    elsewhere(billing, store.as_deref(), is_test)
}

fn invoice(event: &mut BillingEvent, action: &str, body: &Object<'_>) -> Result<(), BillingError> {
    let Some(data) = body.a("invoice", "data") else { return Ok(()) };
    let id = || data.needed_id("attributes.subscription_id");
    match action {
        "subscription_payment_success" | "subscription_payment_recovered" => {
            let subscription = id()?;
            event.subscription = Some(subscription.clone());
            event.is_payment = !data.is_zero("attributes.total");
            event.news.push(News::Paid { subscription, until: None, payments: Vec::new() });
        }
        "subscription_payment_failed" => {
            let subscription = Some(id()?);
            event.subscription.clone_from(&subscription);
            event.news.push(News::PaymentFailed { subscription, reason: None });
        }
        _ => {}
    }
    Ok(())
}

fn order(event: &mut BillingEvent, billing: &Billing, id: &str, body: &Object<'_>) {
    let Some(data) = body.a("order", "data") else { return };
    if data.text("attributes.status") != Some("paid") {
        return;
    }
    let is_free = data.is_zero("attributes.total");
    event.is_payment = !is_free;
    let item = |name: &str| ["attributes.first_order_item.", name].concat();
    let names = ["variant_id", "product_id"].iter().filter_map(|name| data.id(&item(name)));
    let position =
        Position { names: names.collect(), quantity: data.whole(&item("quantity")), is_free };
    if let Some(units) = units_of(&billing.credits, &[position]) {
        let payment = Some(id.to_owned());
        event.news.push(News::Credits { id: format!("order_{id}"), units, payment });
    }
}

/// A subscription's id and what it is. A word that is unknown denies, as at Stripe.
///
/// One that is cancelled runs to its end. One that is paused in the mode `free` goes on, which is
/// what that mode is for.
fn subscription(
    plans: &[Plan],
    object: &Object<'_>,
) -> Result<(String, Subscription), BillingError> {
    let id = object.needed_id("id")?;
    let word = object.needed_text("attributes.status")?;
    let attributes = object.part("attributes");
    let attributes = attributes.ok_or_else(|| object.missing("attributes", "an object"))?;
    let status = match word.as_str() {
        "on_trial" => Status::Trialing,
        "active" | "cancelled" => Status::Active,
        "paused" if attributes.text("pause.mode") == Some("free") => Status::Active,
        "past_due" => Status::PastDue,
        "unpaid" => Status::Unpaid,
        "expired" => Status::Ended,
        _ => Status::Paused,
    };
    let ids = ["variant_id", "product_id"].map(|path| attributes.id(path));
    let names: Vec<&str> = ids.iter().flatten().map(String::as_str).collect();
    let (plan, add_ons) = plans_of(plans, &[names]);
    let is_ending = status == Status::Ended || word == "cancelled" || attributes.is("cancelled");
    let renews_at = attributes.time("renews_at")?;
    let ends_at = attributes.time("ends_at")?.filter(|_| is_ending);
    // One that is cancelled and does not say when it ends, ends with what was paid for.
    let ends_at = ends_at.or_else(|| renews_at.filter(|_| word == "cancelled"));
    let state = Subscription {
        plan,
        add_ons,
        status,
        cycle_anchor: attributes.time("created_at")?,
        current_period_ends_at: renews_at,
        trial_ends_at: attributes.time("trial_ends_at")?,
        ends_at,
        ..Subscription::default()
    };
    Ok((id, state))
}

/// The subscriptions that came with a customer.
fn included<'a>(customer: &Object<'a>) -> Vec<Object<'a>> {
    let all = customer.list_of("included", "included");
    let is_one = |one: &&Object<'_>| one.text("type") == Some("subscriptions");
    all.iter().filter(is_one).map(|one| one.as_a("subscription")).collect()
}

/// A customer has one link, which is good for a day.
fn portal(billing: &Billing, customer: &str, _: &str) -> Option<ApiRequest> {
    MEDIA.get(billing, &["/v1/customers/", &encoded(customer)])
}

fn checkout(billing: &Billing, sale: &Sale<'_>) -> Result<ApiRequest, BillingError> {
    let no_store = BillingError::NoStore { provider: LEMON_SQUEEZY.name };
    let store = billing.store.as_deref().ok_or(no_store)?;
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
    MEDIA.post(billing, &["/v1/checkouts"], body.to_string()).ok_or(BillingError::NoKey)
}
