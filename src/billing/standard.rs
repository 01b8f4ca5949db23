//! Events by Standard Webhooks: Polar's, and those of a system of the operator's own.
//!
//! Of an own system are the types `tollgate.subscription`, `tollgate.payment_failed`,
//! `tollgate.paid`, `tollgate.entitlements`, `tollgate.credits` and `tollgate.dispute`. Their data
//! has the names of the account's record; `docs/billing.md` shows each.

mod polar;

use super::author::{Author, Field};
use super::object::{Object, account_named, missing, plans_of};
use super::webhook::{Webhook, standard_id, standard_seconds};
use super::{BillingEvent, News};
use crate::account::{Provider, Status, Subscription};
use crate::billing::Billing;
use crate::cause::PaymentFailure;
use crate::plan::Plan;
use crate::store::MAX_UNITS;
use crate::time::Timestamp;

pub(super) use polar::{SALE, subscription as polar_subscription};

/// The author of each field. A system of the operator's own is the seller's server. At Polar, the
/// address that a buyer types picks the customer and with it that customer's metadata and external
/// id, and parameters of a checkout's link become metadata
/// (<https://docs.polar.sh/features/checkout/links>).
pub(super) const FIELDS: &[Field] = {
    use Author::{Payer, Provider, Seller};
    &[
        ("event.type", Provider),
        ("event.timestamp", Provider),
        ("own.account", Seller),
        ("own.customer", Seller),
        ("own.subscription", Seller),
        ("own.id", Seller),
        ("own.until", Seller),
        ("own.names", Seller),
        ("own.units", Seller),
        ("own.is_open", Seller),
        ("own.status", Seller),
        ("own.plan", Seller),
        ("own.add_ons", Seller),
        ("own.cycle_anchor", Seller),
        ("own.current_period_ends_at", Seller),
        ("own.trial_ends_at", Seller),
        ("own.ends_at", Seller),
        ("own.payment_failure", Seller),
        ("object.customer_id", Provider),
        ("subscription.id", Provider),
        ("subscription.customer_id", Provider),
        ("subscription.status", Provider),
        ("subscription.created_at", Provider),
        ("subscription.product_id", Provider),
        ("subscription.prices[].id", Provider),
        ("subscription.current_period_end", Provider),
        ("subscription.ended_at", Provider),
        ("subscription.ends_at", Provider),
        ("subscription.cancel_at_period_end", Provider),
        ("subscription.started_at", Provider),
        ("subscription.trial_end", Provider),
        ("subscription.product.organization_id", Provider),
        ("subscription.metadata.*", Payer),
        ("order.id", Provider),
        ("order.created_at", Provider),
        ("order.product_id", Provider),
        ("order.subscription_id", Provider),
        ("order.total_amount", Provider),
        ("order.items[].product_price_id", Provider),
        ("order.product.organization_id", Provider),
        ("order.metadata.*", Payer),
        ("customer.id", Provider),
        ("customer.organization_id", Provider),
        ("benefit.benefit_metadata.entitlement", Seller),
        ("answer.customer_portal_url", Provider),
        ("answer.url", Provider),
    ]
};

/// Reads an event. Its id is the one that it was sent under.
pub(super) fn read(
    billing: &Billing,
    plans: &[Plan],
    webhook: &Webhook<'_>,
    body: &Object<'_>,
) -> Result<BillingEvent, String> {
    let kind = body.needed_text("type")?;
    let told_at = body.time("timestamp")?;
    let sent_at = standard_seconds(webhook).map(Timestamp::from_seconds);
    let mut event = BillingEvent {
        provider: Provider::Standard,
        id: standard_id(webhook)?,
        kind,
        occurred_at: told_at.or(sent_at).unwrap_or_default(),
        ..BillingEvent::default()
    };
    let Some(data) = body.a("own", "data") else { return Ok(event) };
    let kind = event.kind.clone();
    match kind.strip_prefix("tollgate.") {
        Some(own) => read_own(&mut event, plans, own, &data)?,
        None => polar::read(&mut event, billing, plans, &data.as_a("object"))?,
    }
    if !event.news.is_empty() {
        // The time of sending is another one when it is sent again.
        body.needed_time("timestamp")?;
    }
    Ok(event)
}

fn read_own(
    event: &mut BillingEvent,
    plans: &[Plan],
    kind: &str,
    data: &Object<'_>,
) -> Result<(), String> {
    event.customer = data.id("customer");
    if data.has("account") {
        let name = data.text("account").and_then(account_named);
        let name = name.ok_or_else(|| data.missing("account", "an account such as acme/alice"))?;
        event.account = Some(name);
        event.names_customer = true;
    }
    let subscription = data.id("subscription");
    event.subscription.clone_from(&subscription);
    let news = match kind {
        "subscription" => {
            let id = data.needed_id("id")?;
            event.subscription = Some(id.clone());
            News::Subscription { id, state: Box::new(own_subscription(plans, data)?) }
        }
        "payment_failed" => News::PaymentFailed { subscription, reason: own_reason(data)? },
        "paid" => {
            let subscription = data.needed_id("subscription")?;
            event.is_payment = true;
            News::Paid { subscription, until: data.time("until")?, payments: Vec::new() }
        }
        "entitlements" => News::Entitlements { names: names(data, "names")?, is_complete: true },
        "credits" => {
            let id = data.needed_id("id")?;
            let units = data.whole("units").filter(|units| (1..=MAX_UNITS).contains(units));
            let units = units.ok_or_else(|| data.missing("units", "a number of units"))?;
            News::Credits { payment: Some(id.clone()), id, units }
        }
        "dispute" => {
            let (id, is_open) = (data.needed_id("id")?, data.is("is_open"));
            News::Dispute { id, is_open, subscription, payments: Vec::new() }
        }
        "customer_deleted" => News::CustomerDeleted,
        _ => return Ok(()),
    };
    let is_whose = event.customer.is_some() || event.account.is_some();
    if !is_whose {
        return Err(missing("own.account or own.customer", "a text"));
    }
    // Its own server names the account each time, so that nothing has to be remembered.
    if event.account.is_some() {
        event.subscription = None;
    }
    // These are kept with the customer: an account without one is its own.
    if event.customer.is_none() {
        event.customer.clone_from(&event.account);
    }
    event.news.push(news);
    Ok(())
}

/// The fields of the record. Their words are checked: an own system can be told what is wrong.
fn own_subscription(plans: &[Plan], data: &Object<'_>) -> Result<Subscription, String> {
    let word = data.needed_text("status")?;
    let status = Status::from_word(&word);
    let status = status.ok_or_else(|| data.missing("status", "a status of the record"))?;
    let add_ons = names(data, "add_ons")?;
    let items = data.text("plan").into_iter().chain(add_ons.iter().map(String::as_str));
    let items: Vec<Vec<&str>> = items.map(|name| vec![name]).collect();
    // What is called the plan is it, whatever limits what.
    let known = |names: &[Vec<&str>]| plans_of(plans, names);
    let (plan, add_ons) = match items.split_first() {
        Some((plan, add_ons)) if data.has("plan") => {
            let (first, rest) = known(add_ons);
            let add_ons = first.into_iter().chain(rest).collect();
            (known(std::slice::from_ref(plan)).0, add_ons)
        }
        _ => known(&items),
    };
    Ok(Subscription {
        plan,
        add_ons,
        status,
        cycle_anchor: data.time("cycle_anchor")?,
        current_period_ends_at: data.time("current_period_ends_at")?,
        trial_ends_at: data.time("trial_ends_at")?,
        ends_at: data.time("ends_at")?,
        payment_failure: own_reason(data)?,
        ..Subscription::default()
    })
}

fn own_reason(data: &Object<'_>) -> Result<Option<PaymentFailure>, String> {
    if !data.has("payment_failure") {
        return Ok(None);
    }
    let known = data.text("payment_failure").and_then(PaymentFailure::from_word);
    known.map(Some).ok_or_else(|| data.missing("payment_failure", "a word of the record"))
}

fn names(data: &Object<'_>, path: &str) -> Result<Vec<String>, String> {
    data.texts(path).ok_or_else(|| data.missing(path, "a list of texts"))
}
