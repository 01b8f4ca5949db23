//! Stripe's events and objects, as the API versions from 2020-08-27 to 2026-10-28 write them.
//!
//! Source: the types of `stripe` 23.1.0, and <https://docs.stripe.com/api/events/types>.

mod fields;

pub(super) use fields::FIELDS;

use super::credits::Position;
use super::object::{Object, SaleFields, plans_of};
use super::{BillingEvent, News, decline};
use crate::account::{Provider, Status, Subscription};
use crate::billing::Billing;
use crate::cause::PaymentFailure;
use crate::plan::Plan;

pub(super) const SALE: SaleFields = SaleFields { account: "metadata", created: "created" };

/// Reads an event. Those of the second API (`v2.core.event`) carry no object and have no news.
pub(super) fn read(
    billing: &Billing,
    plans: &[Plan],
    body: &Object<'_>,
) -> Result<BillingEvent, String> {
    let mut event = BillingEvent {
        provider: Provider::Stripe,
        id: body.needed_id("id")?,
        kind: body.needed_text("type")?,
        occurred_at: body.needed_time("created")?,
        ignored: out_of_place(billing, body),
        ..BillingEvent::default()
    };
    let Some(object) = body.a("object", "data.object") else { return Ok(event) };
    event.customer = object.id("customer");
    let kind = event.kind.clone();
    let (family, action) = kind.rsplit_once('.').unwrap_or_default();
    let at = event.occurred_at;
    match family {
        "customer.subscription" => {
            let object = object.as_a("subscription");
            event.customer = Some(object.needed_id("customer")?);
            object.name_account_of(&SALE, &mut event, billing)?;
            let (id, state) = subscription(plans, &object)?;
            event.subscription = Some(id.clone());
            event.news.push(News::Subscription { id, state: Box::new(state) });
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

/// A subscription's id and what it is.
///
/// While `pause_collection` is set a subscription stays active: all three of its behaviours are for
/// serving without being paid (<https://docs.stripe.com/billing/subscriptions/pause-payment>), so
/// it changes nothing here. Who wants to stop serving has the status `paused`, or suspends the
/// account.
pub(super) fn subscription(
    plans: &[Plan],
    object: &Object<'_>,
) -> Result<(String, Subscription), String> {
    let id = object.needed_id("id")?;
    let status = status(&object.needed_text("status")?);
    let items = object.list("items.data");
    let (plan, add_ons) = plans_of(plans, &item_names(&items));
    // Older versions say it of the subscription, newer ones of each item.
    let mut current_period_ends_at = object.time("current_period_end")?;
    for item in &items {
        current_period_ends_at = current_period_ends_at.max(item.time("current_period_end")?);
    }
    let ends_at = if status == Status::Ended {
        object.time("ended_at")?.or(object.time("canceled_at")?)
    } else if object.is("cancel_at_period_end") {
        object.time("cancel_at")?.or(current_period_ends_at)
    } else {
        object.time("cancel_at")?
    };
    let state = Subscription {
        plan,
        add_ons,
        status,
        cycle_anchor: object.time("billing_cycle_anchor")?,
        current_period_ends_at,
        trial_ends_at: object.time("trial_end")?,
        ends_at,
        ..Subscription::default()
    };
    Ok((id, state))
}

/// The names of entitlements.
pub(super) fn lookup_keys(entitlements: &[Object<'_>]) -> Vec<String> {
    let names = entitlements.iter().filter_map(|one| one.text("lookup_key"));
    names.map(str::to_owned).collect()
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

/// One line of a checkout session, as a position of the order.
pub(super) fn position(line: &Object<'_>) -> Position {
    let price = line.a("price", "price");
    Position {
        names: price.map(|price| price_names(&price)).unwrap_or_default(),
        quantity: line.whole("quantity"),
        is_free: line.is_zero("amount_total"),
    }
}

/// A payment link as a position of the order: it stands for the items that it sells.
pub(super) fn link_position(session: &Object<'_>) -> Position {
    Position {
        names: session.id("payment_link").into_iter().collect(),
        quantity: None,
        is_free: session.is_zero("amount_total"),
    }
}

/// Whether a session was paid for, so that its items are the buyer's.
pub(super) fn is_paid_session(kind: &str, session: &Object<'_>) -> bool {
    let is_done =
        matches!(kind, "checkout.session.completed" | "checkout.session.async_payment_succeeded");
    is_done && session.text("payment_status") == Some("paid")
}

/// Why an event is none of this gate's.
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
fn item_names<'a>(items: &[Object<'a>]) -> Vec<Vec<&'a str>> {
    let bought = items.iter().filter(|item| !item.is_zero("quantity"));
    let names = bought.map(|item| {
        // Versions before prices had plans.
        let price = item.a("price", "price").or_else(|| item.a("price", "plan"));
        price.map(|price| names_of(&price)).unwrap_or_default()
    });
    names.collect()
}

/// A price's own names, then those of its product.
fn names_of<'a>(price: &Object<'a>) -> Vec<&'a str> {
    let own = ["id", "lookup_key"].into_iter().filter_map(|path| price.text(path));
    let product = price.text("product").or_else(|| price.a("price", "product")?.text("id"));
    price.itself().into_iter().chain(own).chain(product).collect()
}

fn price_names(price: &Object<'_>) -> Vec<String> {
    names_of(price).into_iter().map(str::to_owned).collect()
}

fn invoice(
    event: &mut BillingEvent,
    billing: &Billing,
    action: &str,
    object: &Object<'_>,
) -> Result<(), String> {
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

/// Whether a line is what a subscription costs, and not an extra on the same invoice.
fn is_for_period(line: &Object<'_>) -> bool {
    let kind = line.text("parent.type").or_else(|| line.text("type"));
    matches!(kind, Some("subscription_item_details" | "subscription"))
}

/// Why, where the invoice says it: most tell only in `payment_intent.payment_failed`.
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
fn error_reason(error: &Object<'_>) -> Option<PaymentFailure> {
    let either = |one, other| error.text(one).or_else(|| error.text(other));
    decline::reason(
        either("decline_code", "outcome.reason"),
        either("code", "failure_code"),
        either("advice_code", "outcome.advice_code"),
    )
}

/// The seller's metadata counts before the reference in a buyer's link. The sold items stand in the
/// session's lines, which are no part of the event: see [`super::api::Completion`].
fn checkout(
    event: &mut BillingEvent,
    billing: &Billing,
    object: &Object<'_>,
    action: &str,
) -> Result<(), String> {
    let opened_at = object.time(SALE.created)?.unwrap_or(event.occurred_at);
    event.customer = object.id("customer");
    object.name_account(event, billing, SALE.account, opened_at)?;
    object.name_account_by(event, billing, "client_reference_id", opened_at)?;
    if action == "expired" {
        return Ok(());
    }
    event.subscription = object.id("subscription");
    event.is_payment = is_paid_session(&event.kind, object) && !object.is_zero("amount_total");
    Ok(())
}

/// A dispute names its charge and no customer. Where the charge isn't part of it, the event has
/// neither customer nor account, and [`super::api::Completion`] asks.
fn dispute(event: &mut BillingEvent, billing: &Billing, object: &Object<'_>) -> Result<(), String> {
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
