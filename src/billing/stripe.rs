//! Stripe's events and objects, as the API versions from 2020-08-27 to 2026-10-28 write them.
//!
//! Source: the types of `stripe` 23.1.0, and <https://docs.stripe.com/api/events/types>.

use serde_json::Value;

use super::decline;
use super::json::{
    at, credits_at, id_at, is_at, is_nothing_at, list_at, missing, name_account, needed_id,
    needed_text, needed_time, plans_of, text_at, time_at,
};
use super::{BillingEvent, News, Provider};
use crate::account::{PaymentFailure, Status, Subscription};
use crate::config::{Billing, Plan};

/// Reads an event. Those of the second API (`v2.core.event`) carry no object and have no news.
pub(super) fn read(
    billing: &Billing,
    plans: &[Plan],
    body: &Value,
) -> Result<BillingEvent, String> {
    let mut event = BillingEvent {
        provider: Provider::Stripe,
        id: needed_id(body, "id")?,
        kind: needed_text(body, "type")?,
        occurred_at: needed_time(body, "created")?,
        ..BillingEvent::default()
    };
    let Some(object) = at(body, "data.object") else { return Ok(event) };
    event.customer = id_at(object, "customer");
    name_account(&mut event, billing, object, "metadata")?;
    let kind = event.kind.clone();
    let (family, action) = kind.rsplit_once('.').unwrap_or_default();
    match family {
        "customer.subscription" => {
            event.customer = Some(needed_id(object, "customer")?);
            let (id, state) = subscription(plans, object)?;
            event.news.push(News::Subscription { id, state: Box::new(state) });
        }
        "invoice" => invoice(&mut event, billing, action, object)?,
        "checkout.session" => checkout(&mut event, object, action)?,
        "entitlements.active_entitlement_summary" => {
            event.customer = Some(needed_id(object, "customer")?);
            let is_complete = !is_at(object, "entitlements.has_more");
            event.news.push(News::Entitlements {
                names: lookup_keys(list_at(object, "entitlements.data")),
                is_complete,
            });
        }
        "customer" => {
            event.customer = Some(needed_id(object, "id")?);
            if action == "deleted" {
                event.news.push(News::CustomerDeleted);
            }
        }
        "payment_intent" if action == "payment_failed" => {
            let reason = at(object, "last_payment_error").and_then(error_reason);
            event.news.push(News::PaymentFailed { subscription: None, reason });
        }
        "charge.dispute" if matches!(action, "created" | "closed" | "updated") => {
            dispute(&mut event, billing, object)?;
        }
        _ => {}
    }
    Ok(event)
}

/// A subscription's id and what it is.
///
/// While `pause_collection` is set a subscription stays active: all three of its behaviours are for
/// serving without being paid (<https://docs.stripe.com/billing/subscriptions/pause-payment>), so
/// it changes nothing here. Who wants to stop serving has the status `paused`, or suspends the
/// account.
pub(super) fn subscription(
    plans: &[Plan],
    object: &Value,
) -> Result<(String, Subscription), String> {
    let id = needed_id(object, "id")?;
    let status = status(&needed_text(object, "status")?);
    let items = list_at(object, "items.data");
    let (plan, add_ons) = plans_of(plans, &item_names(items));
    // Older versions say it of the subscription, newer ones of each item.
    let mut current_period_ends_at = time_at(object, "current_period_end")?;
    for item in items {
        current_period_ends_at = current_period_ends_at.max(time_at(item, "current_period_end")?);
    }
    let ends_at = if status == Status::Ended {
        time_at(object, "ended_at")?.or(time_at(object, "canceled_at")?)
    } else if is_at(object, "cancel_at_period_end") {
        time_at(object, "cancel_at")?.or(current_period_ends_at)
    } else {
        time_at(object, "cancel_at")?
    };
    let state = Subscription {
        plan,
        add_ons,
        status,
        cycle_anchor: time_at(object, "billing_cycle_anchor")?,
        current_period_ends_at,
        trial_ends_at: time_at(object, "trial_end")?,
        ends_at,
        ..Subscription::default()
    };
    Ok((id, state))
}

/// The names of entitlements.
pub(super) fn lookup_keys(entitlements: &[Value]) -> Vec<String> {
    let names = entitlements.iter().filter_map(|one| text_at(one, "lookup_key"));
    names.map(str::to_owned).collect()
}

/// The customer of a charge, from the charge itself.
pub(super) fn payer(charge: &Value) -> Option<String> {
    id_at(charge, "customer")
}

/// A word that is unknown denies, as one that a later version of the API may bring: paused, since
/// that leads to the provider's own page, where the truth stands; it claims no failed payment and
/// sells nothing a second time.
fn status(word: &str) -> Status {
    match word {
        "trialing" => Status::Trialing,
        "active" => Status::Active,
        "incomplete" => Status::Incomplete,
        "past_due" => Status::PastDue,
        "unpaid" => Status::Unpaid,
        "canceled" | "incomplete_expired" => Status::Ended,
        _ => Status::Paused,
    }
}

/// What each item is called, in the order in which names are looked for. An item of which nobody
/// has any gives nothing.
fn item_names(items: &[Value]) -> Vec<Vec<&str>> {
    let bought = items.iter().filter(|item| !is_nothing_at(item, "quantity"));
    let names = bought.map(|item| {
        // Versions before prices had plans.
        let price = at(item, "price").or_else(|| at(item, "plan")).unwrap_or(&Value::Null);
        let names = ["id", "lookup_key", "product", "product.id"];
        let names = names.iter().filter_map(|path| text_at(price, path));
        price.as_str().into_iter().chain(names).collect()
    });
    names.collect()
}

fn invoice(
    event: &mut BillingEvent,
    billing: &Billing,
    action: &str,
    object: &Value,
) -> Result<(), String> {
    for path in ["parent.subscription_details.metadata", "subscription_details.metadata"] {
        name_account(event, billing, object, path)?;
    }
    let id = id_at(object, "parent.subscription_details.subscription")
        .or_else(|| id_at(object, "subscription"));
    // An invoice beside any subscription opens nothing.
    let Some(subscription) = id else { return Ok(()) };
    match action {
        "paid" | "payment_succeeded" => {
            let mut until = None;
            for line in list_at(object, "lines.data").iter().filter(|line| is_for_period(line)) {
                until = until.max(time_at(line, "period.end")?);
            }
            event.news.push(News::Paid { subscription, until });
        }
        "payment_failed" => {
            let reason = invoice_reason(object);
            let subscription = Some(subscription);
            event.news.push(News::PaymentFailed { subscription, reason });
        }
        "payment_action_required" => {
            let reason = Some(PaymentFailure::AuthenticationRequired);
            let subscription = Some(subscription);
            event.news.push(News::PaymentFailed { subscription, reason });
        }
        _ => return Ok(()),
    }
    event.customer = Some(needed_id(object, "customer")?);
    Ok(())
}

/// Whether a line is what a subscription costs, and not an extra on the same invoice.
fn is_for_period(line: &Value) -> bool {
    let kind = text_at(line, "parent.type").or_else(|| text_at(line, "type"));
    matches!(kind, Some("subscription_item_details" | "subscription"))
}

/// Why, where the invoice says it: most tell only in `payment_intent.payment_failed`.
fn invoice_reason(invoice: &Value) -> Option<PaymentFailure> {
    let error = ["payment_intent.last_payment_error", "charge"];
    let paid_by = list_at(invoice, "payments.data").iter().rev();
    let mut newer = paid_by.filter_map(|one| at(one, "payment.payment_intent.last_payment_error"));
    let older = error.iter().filter_map(|path| at(invoice, path));
    let reason = newer.find_map(error_reason).or_else(|| older.into_iter().find_map(error_reason));
    // An invoice that could not be made is no decline, so that only what is known counts.
    let codes = ["last_finalization_error.decline_code", "last_finalization_error.code"];
    reason.or_else(|| codes.iter().find_map(|path| decline::known(text_at(invoice, path)?)))
}

/// The reason in an error of the API, or in a charge that failed.
fn error_reason(error: &Value) -> Option<PaymentFailure> {
    let either = |one, other| text_at(error, one).or_else(|| text_at(error, other));
    decline::reason(
        either("decline_code", "outcome.reason"),
        either("code", "failure_code"),
        either("advice_code", "outcome.advice_code"),
    )
}

/// Who pays under an own name may be changed by the payer where that stands in a link, so that the
/// metadata counts before `client_reference_id`.
fn checkout(event: &mut BillingEvent, object: &Value, action: &str) -> Result<(), String> {
    if event.account.is_none() {
        let name = text_at(object, "client_reference_id");
        event.account = name.and_then(super::json::account_named);
    }
    let is_done = matches!(action, "completed" | "async_payment_succeeded");
    let is_paid = text_at(object, "payment_status") == Some("paid");
    if is_done
        && is_paid
        && let Some(units) = credits_at(object, "metadata")?
    {
        let id = needed_id(object, "id")?;
        event.news.push(News::Credits { id, units });
    }
    Ok(())
}

/// A dispute names its charge and no customer. Where the charge isn't part of it, the event has
/// neither customer nor account, and [`super::api::payer`] asks.
fn dispute(event: &mut BillingEvent, billing: &Billing, object: &Value) -> Result<(), String> {
    for path in ["charge", "payment_intent"] {
        let inner = at(object, path).filter(|inner| inner.is_object());
        let Some(inner) = inner else { continue };
        event.customer = event.customer.take().or_else(|| payer(inner));
        name_account(event, billing, inner, "metadata")?;
    }
    let id = needed_id(object, "id")?;
    let word = text_at(object, "status").ok_or_else(|| missing("status", "a text"))?;
    let is_over = matches!(word, "won" | "lost" | "warning_closed" | "prevented");
    event.news.push(News::Dispute { id, is_open: !is_over });
    Ok(())
}
