//! Paddle Billing's events and objects.
//!
//! Source: the types of `@paddle/paddle-node-sdk` 3.10.0, and
//! <https://developer.paddle.com/webhooks/overview>.

use serde_json::Value;

use super::json::{
    at, credits_at, id_at, is_nothing_at, list_at, name_account, needed_id, needed_text,
    needed_time, plans_of, text_at, time_at,
};
use super::{BillingEvent, News, Provider, decline};
use crate::account::{PaymentFailure, Status, Subscription};
use crate::config::{Billing, Plan};

/// Reads an event.
pub(super) fn read(
    billing: &Billing,
    plans: &[Plan],
    body: &Value,
) -> Result<BillingEvent, String> {
    let mut event = BillingEvent {
        provider: Provider::Paddle,
        id: needed_id(body, "event_id")?,
        kind: needed_text(body, "event_type")?,
        occurred_at: needed_time(body, "occurred_at")?,
        ..BillingEvent::default()
    };
    let Some(data) = at(body, "data") else { return Ok(event) };
    event.customer = id_at(data, "customer_id");
    name_account(&mut event, billing, data, "custom_data")?;
    let kind = event.kind.clone();
    match kind.split_once('.').unwrap_or_default() {
        ("subscription", _) => {
            event.customer = Some(needed_id(data, "customer_id")?);
            let (id, state) = subscription(plans, data)?;
            event.news.push(News::Subscription { id, state: Box::new(state) });
        }
        // It becomes `completed` when its money is counted, a moment after it was `paid`.
        ("transaction", "completed") => {
            if let Some(subscription) = renewed(data) {
                let until = time_at(data, "billing_period.ends_at")?;
                event.news.push(News::Paid { subscription, until });
            }
            if let Some(units) = credits_at(data, "custom_data")? {
                event.news.push(News::Credits { id: needed_id(data, "id")?, units });
            }
        }
        ("transaction", "payment_failed") => {
            let subscription = renewed(data);
            event.news.push(News::PaymentFailed { subscription, reason: reason(data) });
        }
        ("customer", _) => event.customer = Some(needed_id(data, "id")?),
        ("adjustment", _) => adjustment(&mut event, data)?,
        _ => {}
    }
    Ok(event)
}

/// A subscription's id and what it is. Paddle makes one when the first payment is done: there is no
/// unfinished one. A word that is unknown denies, as at Stripe.
pub(super) fn subscription(
    plans: &[Plan],
    object: &Value,
) -> Result<(String, Subscription), String> {
    let id = needed_id(object, "id")?;
    let status = match needed_text(object, "status")?.as_str() {
        "trialing" => Status::Trialing,
        "active" => Status::Active,
        "past_due" => Status::PastDue,
        "canceled" => Status::Ended,
        _ => Status::Paused,
    };
    let items = list_at(object, "items");
    let bought = items.iter().filter(|item| {
        text_at(item, "status") != Some("inactive") && !is_nothing_at(item, "quantity")
    });
    let names: Vec<Vec<&str>> = bought
        .map(|item| {
            let paths = ["price.id", "price.product_id", "product.id"];
            paths.iter().filter_map(|path| text_at(item, path)).collect()
        })
        .collect();
    let (plan, add_ons) = plans_of(plans, &names);
    let period_ends_at = time_at(object, "current_billing_period.ends_at")?;
    let mut trial_ends_at = None;
    for item in items {
        trial_ends_at = trial_ends_at.max(time_at(item, "trial_dates.ends_at")?);
    }
    if status == Status::Trialing {
        trial_ends_at = trial_ends_at.or(period_ends_at);
    }
    // A pause that is to come changes nothing before the subscription is paused.
    let ends_at = match text_at(object, "scheduled_change.action") {
        _ if status == Status::Ended => time_at(object, "canceled_at")?,
        Some("cancel") => time_at(object, "scheduled_change.effective_at")?,
        _ => None,
    };
    let state = Subscription {
        plan,
        add_ons,
        status,
        cycle_anchor: time_at(object, "first_billed_at")?.or(time_at(object, "started_at")?),
        // Paused ones have no period.
        current_period_ends_at: period_ends_at.or(time_at(object, "next_billed_at")?),
        trial_ends_at,
        ends_at,
        ..Subscription::default()
    };
    Ok((id, state))
}

/// The subscription that a transaction is to pay for. What it costs on top, and what only changes
/// it or its payment method, neither makes good what it owes nor puts it behind.
fn renewed(transaction: &Value) -> Option<String> {
    let beside =
        ["subscription_charge", "subscription_payment_method_change", "subscription_update"];
    let origin = text_at(transaction, "origin");
    let is_beside = origin.is_some_and(|origin| beside.contains(&origin));
    id_at(transaction, "subscription_id").filter(|_| !is_beside)
}

/// Why, by the newest attempt to pay.
fn reason(transaction: &Value) -> Option<PaymentFailure> {
    let attempts = list_at(transaction, "payments").iter();
    let failed = attempts.filter(|attempt| text_at(attempt, "error_code").is_some());
    let newest = failed.max_by_key(|attempt| time_at(attempt, "created_at").ok().flatten())?;
    decline::reason(None, text_at(newest, "error_code"), None)
}

/// A chargeback is a dispute of the transaction it is about, until it is taken back.
fn adjustment(event: &mut BillingEvent, data: &Value) -> Result<(), String> {
    let is_open = match text_at(data, "action") {
        Some("chargeback" | "chargeback_warning") => true,
        Some("chargeback_reverse" | "chargeback_warning_reverse") => false,
        _ => return Ok(()),
    };
    event.customer = Some(needed_id(data, "customer_id")?);
    let id = needed_id(data, "transaction_id")?;
    event.news.push(News::Dispute { id, is_open });
    Ok(())
}
