//! Paddle's subscriptions.

use crate::account::{Status, Subscription};
use crate::billing::error::BillingError;
use crate::billing::object::{Object, SaleFields, plans_of};
use crate::plan::Plan;

pub(super) const SALE: SaleFields = SaleFields { account: "custom_data", created: "created_at" };

/// A subscription's id and what it is. Paddle makes one when the first payment is done: there is no
/// unfinished one. A word that is unknown denies, as at Stripe.
pub(super) fn subscription(
    plans: &[Plan],
    object: &Object<'_>,
) -> Result<(String, Subscription), BillingError> {
    let id = object.needed_id("id")?;
    let status = object.subscription_status()?;
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
