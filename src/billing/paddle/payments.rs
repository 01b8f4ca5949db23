//! Paddle's transactions and adjustments.

use super::subscription::SALE;
use crate::billing::credits::{Position, units_of};
use crate::billing::decline;
use crate::billing::error::BillingError;
use crate::billing::event::{BillingEvent, News};
use crate::billing::object::Object;
use crate::billing::settings::Billing;
use crate::cause::PaymentFailure;

pub(super) fn transaction(
    event: &mut BillingEvent,
    billing: &Billing,
    action: &str,
    data: &Object<'_>,
) -> Result<(), BillingError> {
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

/// The subscription that a transaction is to pay for. Extra charges, and mere changes of it or its
/// payment method, neither make good a debt nor put it behind.
fn renewed(transaction: &Object<'_>) -> Option<String> {
    let beside =
        ["subscription_charge", "subscription_payment_method_change", "subscription_update"];
    let origin = transaction.text("origin");
    let is_beside = origin.is_some_and(|origin| beside.contains(&origin));
    transaction.id("subscription_id").filter(|_| !is_beside)
}

/// The reason, by the newest attempt to pay.
fn reason(transaction: &Object<'_>) -> Option<PaymentFailure> {
    let attempts = transaction.list("payments");
    let failed = attempts.iter().filter(|attempt| attempt.text("error_code").is_some());
    let newest = failed.max_by_key(|attempt| attempt.time("created_at").ok().flatten())?;
    decline::reason(None, newest.text("error_code"), None)
}

/// A chargeback is a dispute of the transaction it is about, until it is taken back.
pub(super) fn adjustment(event: &mut BillingEvent, data: &Object<'_>) -> Result<(), BillingError> {
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
