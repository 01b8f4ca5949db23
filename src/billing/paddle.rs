//! Paddle Billing's events and objects.
//!
//! Source: the types of `@paddle/paddle-node-sdk` 3.10.0, and
//! <https://developer.paddle.com/webhooks/overview>.

use super::author::{Author, Field};
use super::credits::{Position, units_of};
use super::object::{Object, SaleFields, plans_of};
use super::{BillingEvent, News, decline};
use crate::account::{Provider, Status, Subscription};
use crate::billing::Billing;
use crate::cause::PaymentFailure;
use crate::plan::Plan;

/// The author of each field. `Paddle.Checkout.open` sends custom data from a buyer's browser, and
/// Paddle copies it from a transaction to its subscription
/// (<https://developer.paddle.com/build/transactions/custom-data>).
pub(super) const FIELDS: &[Field] = {
    use Author::{Payer, Provider};
    &[
        ("event.event_id", Provider),
        ("event.event_type", Provider),
        ("event.occurred_at", Provider),
        ("object.customer_id", Provider),
        ("subscription.id", Provider),
        ("subscription.customer_id", Provider),
        ("subscription.status", Provider),
        ("subscription.created_at", Provider),
        ("subscription.items[].status", Provider),
        ("subscription.items[].quantity", Provider),
        ("subscription.items[].price.id", Provider),
        ("subscription.items[].price.product_id", Provider),
        ("subscription.items[].product.id", Provider),
        ("subscription.items[].trial_dates.ends_at", Provider),
        ("subscription.current_billing_period.ends_at", Provider),
        ("subscription.scheduled_change.action", Provider),
        ("subscription.scheduled_change.effective_at", Provider),
        ("subscription.canceled_at", Provider),
        ("subscription.first_billed_at", Provider),
        ("subscription.started_at", Provider),
        ("subscription.next_billed_at", Provider),
        ("subscription.custom_data.*", Payer),
        ("transaction.id", Provider),
        ("transaction.created_at", Provider),
        ("transaction.origin", Provider),
        ("transaction.subscription_id", Provider),
        ("transaction.billing_period.ends_at", Provider),
        ("transaction.details.totals.grand_total", Provider),
        ("transaction.items[].quantity", Provider),
        ("transaction.items[].price.id", Provider),
        ("transaction.items[].price.product_id", Provider),
        ("transaction.payments[].error_code", Provider),
        ("transaction.payments[].created_at", Provider),
        ("transaction.custom_data.*", Payer),
        ("customer.id", Provider),
        ("customer.custom_data.*", Payer),
        ("adjustment.action", Provider),
        ("adjustment.customer_id", Provider),
        ("adjustment.subscription_id", Provider),
        ("adjustment.transaction_id", Provider),
        ("answer.data.urls.general.overview", Provider),
        ("answer.data.checkout.url", Provider),
    ]
};

pub(super) const SALE: SaleFields = SaleFields { account: "custom_data", created: "created_at" };

/// Reads an event. Paddle's sandbox is another account, with secrets and keys of its own: its
/// events carry no mark of it.
pub(super) fn read(
    billing: &Billing,
    plans: &[Plan],
    body: &Object<'_>,
) -> Result<BillingEvent, String> {
    let mut event = BillingEvent {
        provider: Provider::Paddle,
        id: body.needed_id("event_id")?,
        kind: body.needed_text("event_type")?,
        occurred_at: body.needed_time("occurred_at")?,
        ..BillingEvent::default()
    };
    let Some(data) = body.a("object", "data") else { return Ok(event) };
    event.customer = data.id("customer_id");
    let kind = event.kind.clone();
    match kind.split_once('.').unwrap_or_default() {
        ("subscription", _) => {
            let data = data.as_a("subscription");
            event.customer = Some(data.needed_id("customer_id")?);
            data.name_account_of(&SALE, &mut event, billing)?;
            let (id, state) = subscription(plans, &data)?;
            event.subscription = Some(id.clone());
            event.news.push(News::Subscription { id, state: Box::new(state) });
        }
        ("transaction", action) => {
            transaction(&mut event, billing, action, &data.as_a("transaction"))?;
        }
        ("customer", _) => {
            let data = data.as_a("customer");
            event.customer = Some(data.needed_id("id")?);
            let at = event.occurred_at;
            data.name_account(&mut event, billing, "custom_data", at)?;
        }
        ("adjustment", _) => adjustment(&mut event, &data.as_a("adjustment"))?,
        _ => {}
    }
    Ok(event)
}

fn transaction(
    event: &mut BillingEvent,
    billing: &Billing,
    action: &str,
    data: &Object<'_>,
) -> Result<(), String> {
    data.name_account_of(&SALE, event, billing)?;
    event.subscription = data.id("subscription_id");
    match action {
        // It becomes `completed` when its money is counted, a moment after it was `paid`.
        "completed" => {
            let is_free = data.is_zero("details.totals.grand_total");
            event.is_payment = !is_free;
            let id = data.id("id");
            if let Some(subscription) = renewed(data) {
                let until = data.time("billing_period.ends_at")?;
                let payments = id.clone().into_iter().collect();
                event.news.push(News::Paid { subscription, until, payments });
            }
            let order: Vec<_> =
                data.list("items").iter().map(|one| position(one, is_free)).collect();
            if let Some(units) = units_of(&billing.credits, &order) {
                let id = data.needed_id("id")?;
                event.news.push(News::Credits { payment: Some(id.clone()), id, units });
            }
        }
        "payment_failed" => {
            let subscription = renewed(data);
            event.news.push(News::PaymentFailed { subscription, reason: reason(data) });
        }
        _ => {}
    }
    Ok(())
}

fn position(item: &Object<'_>, is_free: bool) -> Position {
    let names = ["price.id", "price.product_id"].iter().filter_map(|path| item.id(path));
    Position { names: names.collect(), quantity: item.whole("quantity"), is_free }
}

/// A subscription's id and what it is. Paddle makes one when the first payment is done: there is no
/// unfinished one. A word that is unknown denies, as at Stripe.
pub(super) fn subscription(
    plans: &[Plan],
    object: &Object<'_>,
) -> Result<(String, Subscription), String> {
    let id = object.needed_id("id")?;
    let status = match object.needed_text("status")?.as_str() {
        "trialing" => Status::Trialing,
        "active" => Status::Active,
        "past_due" => Status::PastDue,
        "canceled" => Status::Ended,
        _ => Status::Paused,
    };
    let items = object.list("items");
    let bought = items
        .iter()
        .filter(|item| item.text("status") != Some("inactive") && !item.is_zero("quantity"));
    let names: Vec<Vec<&str>> = bought
        .map(|item| {
            let paths = ["price.id", "price.product_id", "product.id"];
            paths.iter().filter_map(|path| item.text(path)).collect()
        })
        .collect();
    let (plan, add_ons) = plans_of(plans, &names);
    let period_ends_at = object.time("current_billing_period.ends_at")?;
    let mut trial_ends_at = None;
    for item in &items {
        trial_ends_at = trial_ends_at.max(item.time("trial_dates.ends_at")?);
    }
    if status == Status::Trialing {
        trial_ends_at = trial_ends_at.or(period_ends_at);
    }
    // A pause that is to come changes nothing before the subscription is paused.
    let ends_at = match object.text("scheduled_change.action") {
        _ if status == Status::Ended => object.time("canceled_at")?,
        Some("cancel") => object.time("scheduled_change.effective_at")?,
        _ => None,
    };
    let state = Subscription {
        plan,
        add_ons,
        status,
        cycle_anchor: object.time("first_billed_at")?.or(object.time("started_at")?),
        // Paused ones have no period.
        current_period_ends_at: period_ends_at.or(object.time("next_billed_at")?),
        trial_ends_at,
        ends_at,
        ..Subscription::default()
    };
    Ok((id, state))
}

/// The subscription that a transaction is to pay for. What it costs on top, and what only changes
/// it or its payment method, neither makes good what it owes nor puts it behind.
fn renewed(transaction: &Object<'_>) -> Option<String> {
    let beside =
        ["subscription_charge", "subscription_payment_method_change", "subscription_update"];
    let origin = transaction.text("origin");
    let is_beside = origin.is_some_and(|origin| beside.contains(&origin));
    transaction.id("subscription_id").filter(|_| !is_beside)
}

/// Why, by the newest attempt to pay.
fn reason(transaction: &Object<'_>) -> Option<PaymentFailure> {
    let attempts = transaction.list("payments");
    let failed = attempts.iter().filter(|attempt| attempt.text("error_code").is_some());
    let newest = failed.max_by_key(|attempt| attempt.time("created_at").ok().flatten())?;
    decline::reason(None, newest.text("error_code"), None)
}

/// A chargeback is a dispute of the transaction it is about, until it is taken back.
fn adjustment(event: &mut BillingEvent, data: &Object<'_>) -> Result<(), String> {
    let is_open = match data.text("action") {
        Some("chargeback" | "chargeback_warning") => true,
        Some("chargeback_reverse" | "chargeback_warning_reverse") => false,
        _ => return Ok(()),
    };
    event.customer = Some(data.needed_id("customer_id")?);
    let id = data.needed_id("transaction_id")?;
    event.subscription = data.id("subscription_id");
    let subscription = event.subscription.clone();
    event.news.push(News::Dispute { payments: vec![id.clone()], id, is_open, subscription });
    Ok(())
}
