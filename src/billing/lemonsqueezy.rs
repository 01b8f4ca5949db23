//! Lemon Squeezy's events and objects, which are JSON:API.
//!
//! Source: <https://docs.lemonsqueezy.com/help/webhooks/event-types> and
//! <https://docs.lemonsqueezy.com/api/subscriptions/the-subscription-object>.

use super::author::{Author, Field};
use super::credits::{Position, units_of};
use super::object::{Object, SaleFields, plans_of};
use super::{BillingEvent, News};
use crate::account::{Provider, Status, Subscription};
use crate::billing::Billing;
use crate::plan::Plan;

/// The author of each field. A buyer's browser sends custom data along: a parameter of the
/// checkout's link sets it (<https://docs.lemonsqueezy.com/help/checkout/passing-custom-data>).
pub(super) const FIELDS: &[Field] = {
    use Author::{Payer, Provider};
    &[
        ("webhook.meta.event_name", Provider),
        ("webhook.meta.test_mode", Provider),
        ("webhook.meta.custom_data.*", Payer),
        ("webhook.data.id", Provider),
        ("webhook.data.type", Provider),
        ("webhook.data.attributes.updated_at", Provider),
        ("webhook.data.attributes.created_at", Provider),
        ("webhook.data.attributes.customer_id", Provider),
        ("webhook.data.attributes.store_id", Provider),
        ("webhook.data.attributes.test_mode", Provider),
        ("subscription.id", Provider),
        ("subscription.attributes.customer_id", Provider),
        ("subscription.attributes.store_id", Provider),
        ("subscription.attributes.test_mode", Provider),
        ("subscription.attributes.status", Provider),
        ("subscription.attributes.pause.mode", Provider),
        ("subscription.attributes.variant_id", Provider),
        ("subscription.attributes.product_id", Provider),
        ("subscription.attributes.cancelled", Provider),
        ("subscription.attributes.renews_at", Provider),
        ("subscription.attributes.ends_at", Provider),
        ("subscription.attributes.created_at", Provider),
        ("subscription.attributes.trial_ends_at", Provider),
        ("invoice.attributes.subscription_id", Provider),
        ("invoice.attributes.total", Provider),
        ("order.attributes.status", Provider),
        ("order.attributes.total", Provider),
        ("order.attributes.first_order_item.variant_id", Provider),
        ("order.attributes.first_order_item.product_id", Provider),
        ("order.attributes.first_order_item.quantity", Provider),
        ("included.type", Provider),
        ("answer.data.attributes.urls.customer_portal", Provider),
        ("answer.data.attributes.url", Provider),
    ]
};

const SALE: SaleFields =
    SaleFields { account: "meta.custom_data", created: "data.attributes.created_at" };

/// Reads an event. Events have no id of their own; what happened to which object, and when, is one,
/// the same when it is sent again.
pub(super) fn read(
    billing: &Billing,
    plans: &[Plan],
    body: &Object<'_>,
) -> Result<BillingEvent, String> {
    let kind = body.needed_text("meta.event_name")?;
    let object = body.needed_id("data.id")?;
    let occurred_at = body.needed_time("data.attributes.updated_at")?;
    let family = body.text("data.type").unwrap_or_default();
    let mut event = BillingEvent {
        provider: Provider::LemonSqueezy,
        id: format!("{kind}:{object}:{}", occurred_at.rfc3339_exact()),
        occurred_at,
        customer: body.id("data.attributes.customer_id"),
        ignored: out_of_place(billing, body),
        ..BillingEvent::default()
    };
    body.name_account_of(&SALE, &mut event, billing)?;
    match (family, kind.as_str()) {
        ("subscriptions", _) => {
            event.customer = Some(body.needed_id("data.attributes.customer_id")?);
            let data = body.a("subscription", "data");
            let data = data.ok_or_else(|| body.missing("data", "an object"))?;
            let (id, state) = subscription(plans, &data)?;
            event.subscription = Some(id.clone());
            event.news.push(News::Subscription { id, state: Box::new(state) });
        }
        ("subscription-invoices", action) => invoice(&mut event, action, body)?,
        ("orders", "order_created") => order(&mut event, billing, &object, body),
        ("customers", _) => event.customer = Some(object),
        _ => {}
    }
    event.kind = kind;
    Ok(event)
}

/// The reason to ignore a message of another store, or of test mode.
pub(super) fn elsewhere(billing: &Billing, store: Option<&str>, is_test: bool) -> Option<String> {
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

fn invoice(event: &mut BillingEvent, action: &str, body: &Object<'_>) -> Result<(), String> {
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
pub(super) fn subscription(
    plans: &[Plan],
    object: &Object<'_>,
) -> Result<(String, Subscription), String> {
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
