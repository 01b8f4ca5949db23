//! Lemon Squeezy's events and objects, which are JSON:API.
//!
//! Source: <https://docs.lemonsqueezy.com/help/webhooks/event-types> and
//! <https://docs.lemonsqueezy.com/api/subscriptions/the-subscription-object>.

use serde_json::Value;

use super::json::{
    at, credits_at, id_at, is_at, name_account, needed_id, needed_text, needed_time, plans_of,
    text_at, time_at,
};
use super::{BillingEvent, News, Provider};
use crate::account::{Status, Subscription};
use crate::config::{Billing, Plan};

/// Reads an event. Events have no id of their own; what happened to which object, and when, is one,
/// the same when it is sent again.
pub(super) fn read(
    billing: &Billing,
    plans: &[Plan],
    body: &Value,
) -> Result<BillingEvent, String> {
    let kind = needed_text(body, "meta.event_name")?;
    let object = needed_id(body, "data.id")?;
    let occurred_at = needed_time(body, "data.attributes.updated_at")?;
    let family = text_at(body, "data.type").unwrap_or_default();
    let mut event = BillingEvent {
        provider: Provider::LemonSqueezy,
        id: format!("{kind}:{object}:{}", occurred_at.rfc3339_exact()),
        occurred_at,
        customer: id_at(body, "data.attributes.customer_id"),
        ..BillingEvent::default()
    };
    name_account(&mut event, billing, body, "meta.custom_data")?;
    match (family, kind.as_str()) {
        ("subscriptions", _) => {
            event.customer = Some(needed_id(body, "data.attributes.customer_id")?);
            let data = at(body, "data").unwrap_or(&Value::Null);
            let (id, state) = subscription(plans, data)?;
            event.news.push(News::Subscription { id, state: Box::new(state) });
        }
        (
            "subscription-invoices",
            "subscription_payment_success" | "subscription_payment_recovered",
        ) => {
            let subscription = needed_id(body, "data.attributes.subscription_id")?;
            event.news.push(News::Paid { subscription, until: None });
        }
        ("subscription-invoices", "subscription_payment_failed") => {
            let subscription = Some(needed_id(body, "data.attributes.subscription_id")?);
            event.news.push(News::PaymentFailed { subscription, reason: None });
        }
        ("orders", "order_created") if is_paid(body) => {
            if let Some(units) = credits_at(body, "meta.custom_data")? {
                event.news.push(News::Credits { id: format!("order_{object}"), units });
            }
        }
        ("customers", _) => event.customer = Some(object),
        _ => {}
    }
    event.kind = kind;
    Ok(event)
}

fn is_paid(body: &Value) -> bool {
    text_at(body, "data.attributes.status") == Some("paid")
}

/// A subscription's id and what it is. A word that is unknown denies, as at Stripe.
///
/// One that is cancelled runs to its end. One that is paused in the mode `free` goes on, which is
/// what that mode is for.
pub(super) fn subscription(
    plans: &[Plan],
    object: &Value,
) -> Result<(String, Subscription), String> {
    let id = needed_id(object, "id")?;
    let nothing = Value::Null;
    let attributes = at(object, "attributes").unwrap_or(&nothing);
    let word = needed_text(object, "attributes.status")?;
    let status = match word.as_str() {
        "on_trial" => Status::Trialing,
        "active" | "cancelled" => Status::Active,
        "paused" if text_at(attributes, "pause.mode") == Some("free") => Status::Active,
        "past_due" => Status::PastDue,
        "unpaid" => Status::Unpaid,
        "expired" => Status::Ended,
        _ => Status::Paused,
    };
    let ids = ["variant_id", "product_id"].map(|path| id_at(attributes, path));
    let names: Vec<&str> = ids.iter().flatten().map(String::as_str).collect();
    let (plan, add_ons) = plans_of(plans, &[names]);
    let is_ending =
        status == Status::Ended || word == "cancelled" || is_at(attributes, "cancelled");
    let renews_at = time_at(attributes, "renews_at")?;
    let ends_at = time_at(attributes, "ends_at")?.filter(|_| is_ending);
    // One that is cancelled and does not say when it ends, ends with what was paid for.
    let ends_at = ends_at.or_else(|| renews_at.filter(|_| word == "cancelled"));
    let state = Subscription {
        plan,
        add_ons,
        status,
        cycle_anchor: time_at(attributes, "created_at")?,
        current_period_ends_at: renews_at,
        trial_ends_at: time_at(attributes, "trial_ends_at")?,
        ends_at,
        ..Subscription::default()
    };
    Ok((id, state))
}
