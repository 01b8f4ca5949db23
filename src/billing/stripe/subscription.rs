//! Stripe's subscriptions: their life, their items and their entitlements.

use crate::account::Subscription;
use crate::billing::error::BillingError;
use crate::billing::object::{EndFields, Object, SaleFields, plans_of};
use crate::plan::Plan;

const END: EndFields = EndFields { ended: ["ended_at", "canceled_at"], planned: "cancel_at" };
pub(super) const SALE: SaleFields = SaleFields { account: "metadata", created: "created" };

/// A subscription's id and what it is.
///
/// While `pause_collection` is set a subscription stays active: all three of its behaviours are for
/// serving without being paid (<https://docs.stripe.com/billing/subscriptions/pause-payment>), so
/// it changes nothing here. To stop serving there is the status `paused`, or the suspension of the
/// account.
pub(super) fn subscription(
    plans: &[Plan],
    object: &Object<'_>,
) -> Result<(String, Subscription), BillingError> {
    let id = object.needed_id("id")?;
    let status = object.subscription_status()?;
    let items = object.list("items.data");
    let (plan, add_ons) = plans_of(plans, &item_names(&items));
    // Older versions say it of the subscription, newer ones of each item.
    let mut current_period_ends_at = object.time("current_period_end")?;
    for item in &items {
        current_period_ends_at = current_period_ends_at.max(item.time("current_period_end")?);
    }
    let ends_at = END.read(object, status, current_period_ends_at)?;
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

/// The names of each item, in the order in which they are looked for. An item without names gives
/// nothing.
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
pub(super) fn names_of<'a>(price: &Object<'a>) -> Vec<&'a str> {
    let own = ["id", "lookup_key"].into_iter().filter_map(|path| price.text(path));
    let product = price.text("product").or_else(|| price.a("price", "product")?.text("id"));
    price.itself().into_iter().chain(own).chain(product).collect()
}
