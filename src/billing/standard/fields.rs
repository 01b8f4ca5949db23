//! The fields of Standard Webhooks' events that are read, each with its author.

use crate::billing::author::{Author, Field};

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
