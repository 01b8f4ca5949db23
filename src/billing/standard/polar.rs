//! Polar's events, objects and API. Its paths end in a slash.
//!
//! Source: the types of `@polar-sh/sdk` 0.49.0.

use serde_json::json;

use crate::account::Subscription;
use crate::billing::api::request::{ApiRequest, Media, Sale, named, put};
use crate::billing::credits::{Position, units_of};
use crate::billing::error::BillingError;
use crate::billing::event::{BillingEvent, News};
use crate::billing::object::{EndFields, Object, SaleFields, plans_of};
use crate::billing::settings::Billing;
use crate::plan::Plan;

const END: EndFields = EndFields { ended: ["ended_at", "ends_at"], planned: "ends_at" };
pub(super) const SALE: SaleFields = SaleFields { account: "metadata", created: "created_at" };

/// Adds the news of an event of Polar.
pub(super) fn read(
    event: &mut BillingEvent,
    billing: &Billing,
    plans: &[Plan],
    data: &Object<'_>,
) -> Result<(), BillingError> {
    event.customer = data.id("customer_id");
    let kind = event.kind.clone();
    match kind.split_once('.').unwrap_or_default() {
        ("subscription", _) => {
            let data = data.as_a("subscription");
            event.customer = Some(data.needed_id("customer_id")?);
            event.ignored = elsewhere(billing, data.id("product.organization_id"));
            data.name_account_of(&SALE, event, billing)?;
            event.add_subscription(subscription(plans, &data)?);
        }
        ("order", "paid") => order(event, billing, &data.as_a("order"))?,
        ("customer", action @ ("created" | "updated" | "deleted" | "state_changed")) => {
            let data = data.as_a("customer");
            event.customer = Some(data.needed_id("id")?);
            event.ignored = elsewhere(billing, data.id("organization_id"));
            match action {
                "deleted" => event.news.push(News::CustomerDeleted),
                "state_changed" => event.news.push(entitlements(&data)),
                _ => {}
            }
        }
        _ => {}
    }
    Ok(())
}

/// A subscription's id and what it is. A word that is unknown denies, as at Stripe.
pub(super) fn subscription(
    plans: &[Plan],
    object: &Object<'_>,
) -> Result<(String, Subscription), BillingError> {
    let id = object.needed_id("id")?;
    let status = object.subscription_status()?;
    let prices = object.list("prices");
    let mut names: Vec<&str> = object.text("product_id").into_iter().collect();
    names.extend(prices.iter().filter_map(|price| price.text("id")));
    let (plan, add_ons) = plans_of(plans, &[names]);
    let period_ends_at = object.time("current_period_end")?;
    let ends_at = END.read(object, status, period_ends_at)?;
    let state = Subscription {
        plan,
        add_ons,
        status,
        cycle_anchor: object.time("started_at")?,
        current_period_ends_at: period_ends_at,
        trial_ends_at: object.time("trial_end")?,
        ends_at,
        ..Subscription::default()
    };
    Ok((id, state))
}

fn order(
    event: &mut BillingEvent,
    billing: &Billing,
    data: &Object<'_>,
) -> Result<(), BillingError> {
    event.ignored = elsewhere(billing, data.id("product.organization_id"));
    data.name_account_of(&SALE, event, billing)?;
    let is_free = data.is_zero("total_amount");
    event.is_payment = !is_free;
    if let Some(subscription) = data.id("subscription_id") {
        event.subscription = Some(subscription.clone());
        event.news.push(News::Paid { subscription, until: None, payments: Vec::new() });
    }
    let items = data.list("items");
    let prices = items.iter().filter_map(|item| item.id("product_price_id"));
    let names = data.id("product_id").into_iter().chain(prices).collect();
    let position = Position { names, quantity: None, is_free };
    if let Some(units) = units_of(&billing.credits, &[position]) {
        let id = data.needed_id("id")?;
        event.news.push(News::Credits { payment: Some(id.clone()), id, units });
    }
    Ok(())
}

/// The reason to ignore a message of another organisation.
fn elsewhere(billing: &Billing, organisation: Option<String>) -> Option<String> {
    let (found, store) = (organisation?, billing.store.as_deref()?);
    (found != store).then(|| format!("of the organisation {found}, and BILLING's store is {store}"))
}

/// Benefits that say in their metadata which entitlement they are: `{"entitlement": "export"}`.
fn entitlements(data: &Object<'_>) -> News {
    let granted = data.list_of("benefit", "granted_benefits");
    let names = granted.iter().filter_map(|one| one.text("benefit_metadata.entitlement"));
    News::Entitlements { names: names.map(str::to_owned).collect(), is_complete: true }
}

pub(super) fn portal(billing: &Billing, customer: &str, return_url: &str) -> Option<ApiRequest> {
    let body = json!({ "customer_id": customer, "return_url": return_url });
    Media::JSON.post(billing, &["/v1/customer-sessions/"], body.to_string())
}

pub(super) fn checkout(billing: &Billing, sale: &Sale<'_>) -> Result<ApiRequest, BillingError> {
    let mut body = json!({
        "products": [sale.price],
        "success_url": sale.return_url,
        "return_url": sale.cancel_url,
        "metadata": named(billing, sale),
    });
    put(&mut body, "customer_id", sale.customer);
    Media::JSON.post(billing, &["/v1/checkouts/"], body.to_string()).ok_or(BillingError::NoKey)
}
