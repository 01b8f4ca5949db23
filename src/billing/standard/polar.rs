//! Polar's events and objects. Source: the types of `@polar-sh/sdk` 0.49.0.

use serde_json::Value;

use crate::account::{Status, Subscription};
use crate::billing::json::{
    account_named, at, credits_at, id_at, is_at, list_at, name_account, needed_id, needed_text,
    plans_of, text_at, time_at,
};
use crate::billing::{BillingEvent, News};
use crate::config::{Billing, Plan};

/// Adds what an event of Polar says.
pub(super) fn read(
    event: &mut BillingEvent,
    billing: &Billing,
    plans: &[Plan],
    data: &Value,
) -> Result<(), String> {
    event.customer = id_at(data, "customer_id");
    name_account(event, billing, data, "metadata")?;
    let kind = event.kind.clone();
    match kind.split_once('.').unwrap_or_default() {
        ("subscription", _) => {
            event.customer = Some(needed_id(data, "customer_id")?);
            name_payer(event, billing, data, "customer")?;
            let (id, state) = subscription(plans, data)?;
            event.news.push(News::Subscription { id, state: Box::new(state) });
        }
        ("order", "paid") => {
            name_payer(event, billing, data, "customer")?;
            if let Some(subscription) = id_at(data, "subscription_id") {
                event.news.push(News::Paid { subscription, until: None });
            }
            if let Some(units) = credits_at(data, "metadata")? {
                event.news.push(News::Credits { id: needed_id(data, "id")?, units });
            }
        }
        ("customer", action @ ("created" | "updated" | "deleted" | "state_changed")) => {
            event.customer = Some(needed_id(data, "id")?);
            let name = text_at(data, "external_id").and_then(account_named);
            event.account = event.account.take().or(name);
            match action {
                "deleted" => event.news.push(News::CustomerDeleted),
                "state_changed" => event.news.push(entitlements(data)),
                _ => {}
            }
        }
        _ => {}
    }
    Ok(())
}

/// A subscription's id and what it is. A word that is unknown denies, as at Stripe.
pub(in crate::billing) fn subscription(
    plans: &[Plan],
    object: &Value,
) -> Result<(String, Subscription), String> {
    let id = needed_id(object, "id")?;
    let status = match needed_text(object, "status")?.as_str() {
        "trialing" => Status::Trialing,
        "active" => Status::Active,
        "incomplete" => Status::Incomplete,
        "past_due" => Status::PastDue,
        "unpaid" => Status::Unpaid,
        "canceled" | "incomplete_expired" => Status::Ended,
        _ => Status::Paused,
    };
    let mut names: Vec<&str> = text_at(object, "product_id").into_iter().collect();
    names.extend(list_at(object, "prices").iter().filter_map(|price| text_at(price, "id")));
    let (plan, add_ons) = plans_of(plans, &[names]);
    let period_ends_at = time_at(object, "current_period_end")?;
    let ends_at = if status == Status::Ended {
        time_at(object, "ended_at")?.or(time_at(object, "ends_at")?)
    } else if is_at(object, "cancel_at_period_end") {
        time_at(object, "ends_at")?.or(period_ends_at)
    } else {
        time_at(object, "ends_at")?
    };
    let state = Subscription {
        plan,
        add_ons,
        status,
        cycle_anchor: time_at(object, "started_at")?,
        current_period_ends_at: period_ends_at,
        trial_ends_at: time_at(object, "trial_end")?,
        ends_at,
        ..Subscription::default()
    };
    Ok((id, state))
}

/// The account by the customer's own metadata, or else by its external id.
fn name_payer(
    event: &mut BillingEvent,
    billing: &Billing,
    data: &Value,
    path: &str,
) -> Result<(), String> {
    let Some(customer) = at(data, path) else { return Ok(()) };
    name_account(event, billing, customer, "metadata")?;
    if event.account.is_none() {
        event.account = text_at(customer, "external_id").and_then(account_named);
    }
    Ok(())
}

/// Benefits that say in their metadata which entitlement they are: `{"entitlement": "export"}`.
fn entitlements(data: &Value) -> News {
    let granted = list_at(data, "granted_benefits").iter();
    let names = granted.filter_map(|benefit| text_at(benefit, "benefit_metadata.entitlement"));
    News::Entitlements { names: names.map(str::to_owned).collect(), is_complete: true }
}
