//! Stripe's invoices, failed charges and disputes.

use crate::billing::decline;
use crate::billing::error::BillingError;
use crate::billing::event::{BillingEvent, News};
use crate::billing::object::Object;
use crate::billing::settings::Billing;
use crate::cause::PaymentFailure;

pub(super) fn invoice(
    event: &mut BillingEvent,
    billing: &Billing,
    action: &str,
    object: &Object<'_>,
) -> Result<(), BillingError> {
    let details = "parent.subscription_details";
    let at = event.occurred_at;
    let paths = ["metadata", &[details, ".metadata"].concat(), "subscription_details.metadata"];
    for path in paths {
        object.name_account(event, billing, path, at)?;
    }
    let id = object.id(&[details, ".subscription"].concat()).or_else(|| object.id("subscription"));
    // An invoice beside any subscription opens nothing.
    let Some(subscription) = id else { return Ok(()) };
    match action {
        "paid" | "payment_succeeded" => {
            let mut until = None;
            for line in object.list("lines.data").iter().filter(|line| is_for_period(line)) {
                until = until.max(line.time("period.end")?);
            }
            event.is_payment = !object.is_zero("amount_paid");
            let payments = payments_of(object);
            event.news.push(News::Paid { subscription: subscription.clone(), until, payments });
        }
        "payment_failed" => {
            let reason = invoice_reason(object);
            let subscription = Some(subscription.clone());
            event.news.push(News::PaymentFailed { subscription, reason });
        }
        "payment_action_required" => {
            let reason = Some(PaymentFailure::AuthenticationRequired);
            let subscription = Some(subscription.clone());
            event.news.push(News::PaymentFailed { subscription, reason });
        }
        _ => return Ok(()),
    }
    event.subscription = Some(subscription);
    event.customer = Some(object.needed_id("customer")?);
    Ok(())
}

/// The ids by which a dispute may name the payment of an invoice.
fn payments_of(invoice: &Object<'_>) -> Vec<String> {
    let newer = invoice.list("payments.data");
    let newer = newer.iter().flat_map(|one| {
        ["payment.charge", "payment.payment_intent"].into_iter().filter_map(|path| one.id(path))
    });
    let older = ["charge", "payment_intent"].into_iter().filter_map(|path| invoice.id(path));
    older.chain(newer).collect()
}

/// Whether a line is the price of a subscription, and not an extra on the same invoice.
fn is_for_period(line: &Object<'_>) -> bool {
    let kind = line.text("parent.type").or_else(|| line.text("type"));
    matches!(kind, Some("subscription_item_details" | "subscription"))
}

/// The reason, where the invoice holds one: most are only in `payment_intent.payment_failed`.
fn invoice_reason(invoice: &Object<'_>) -> Option<PaymentFailure> {
    let path = "payment.payment_intent.last_payment_error";
    let payments = invoice.list("payments.data");
    let mut newer = payments.iter().rev().filter_map(|one| one.a("error", path));
    let older = ["payment_intent.last_payment_error", "charge"];
    let mut older = older.iter().filter_map(|path| invoice.a("error", path));
    let reason =
        newer.find_map(|it| error_reason(&it)).or_else(|| older.find_map(|it| error_reason(&it)));
    // An invoice that could not be made is no decline, so that only what is known counts.
    let codes = ["last_finalization_error.decline_code", "last_finalization_error.code"];
    reason.or_else(|| codes.iter().find_map(|path| decline::known(invoice.text(path)?)))
}

/// The reason in an error of the API, or in a charge that failed.
pub(super) fn error_reason(error: &Object<'_>) -> Option<PaymentFailure> {
    let either = |one, other| error.text(one).or_else(|| error.text(other));
    decline::reason(
        either("decline_code", "outcome.reason"),
        either("code", "failure_code"),
        either("advice_code", "outcome.advice_code"),
    )
}

/// A dispute names its charge and no customer. Where the charge isn't part of it, the event has
/// neither customer nor account, and `completion.rs` asks.
pub(super) fn dispute(
    event: &mut BillingEvent,
    billing: &Billing,
    object: &Object<'_>,
) -> Result<(), BillingError> {
    let at = event.occurred_at;
    object.name_account(event, billing, "metadata", at)?;
    let mut payments: Vec<String> =
        ["charge", "payment_intent"].into_iter().filter_map(|path| object.id(path)).collect();
    for path in ["charge", "payment_intent"] {
        let Some(inner) = object.a("charge", path).filter(|_| object.has_object(path)) else {
            continue;
        };
        event.customer = event.customer.take().or_else(|| payer(&inner));
        inner.name_account(event, billing, "metadata", at)?;
        payments.extend(inner.id("payment_intent"));
    }
    payments.dedup();
    let id = object.needed_id("id")?;
    let word = object.text("status").ok_or_else(|| object.missing("status", "a text"))?;
    let is_open = !matches!(word, "won" | "lost" | "warning_closed" | "prevented");
    event.news.push(News::Dispute { id, is_open, subscription: None, payments });
    Ok(())
}

/// The customer of a charge, from the charge itself.
pub(super) fn payer(charge: &Object<'_>) -> Option<String> {
    charge.id("customer")
}

/// The subscription that a payment was for, from the invoice that it paid.
pub(super) fn paid_subscription(payment: &Object<'_>) -> Option<String> {
    let newer = payment.id("invoice.parent.subscription_details.subscription");
    newer.or_else(|| payment.id("invoice.subscription"))
}
