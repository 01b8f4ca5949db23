//! The fields of Lemon Squeezy's objects that are read, each with its author.

use crate::billing::author::{Author, Field};

/// The author of each field. A buyer's browser sends custom data along: a parameter of the
/// checkout's link sets it (<https://docs.lemonsqueezy.com/help/checkout/passing-custom-data>).
pub(super) const FIELDS: &[Field] = {
    use Author::{Payer, Provider};
    &[
        ("webhook.meta.event_name", Provider),
        ("webhook.meta.test_mode", Provider),
        ("webhook.meta.custom_data.*", Payer),
        ("webhook.data.id", Provider),
        ("webhook.data.type", Provider),
        ("webhook.data.attributes.updated_at", Provider),
        ("webhook.data.attributes.created_at", Provider),
        ("webhook.data.attributes.customer_id", Provider),
        ("webhook.data.attributes.store_id", Provider),
        ("webhook.data.attributes.test_mode", Provider),
        ("subscription.id", Provider),
        ("subscription.attributes.customer_id", Provider),
        ("subscription.attributes.store_id", Provider),
        ("subscription.attributes.test_mode", Provider),
        ("subscription.attributes.status", Provider),
        ("subscription.attributes.pause.mode", Provider),
        ("subscription.attributes.variant_id", Provider),
        ("subscription.attributes.product_id", Provider),
        ("subscription.attributes.cancelled", Provider),
        ("subscription.attributes.renews_at", Provider),
        ("subscription.attributes.ends_at", Provider),
        ("subscription.attributes.created_at", Provider),
        ("subscription.attributes.trial_ends_at", Provider),
        ("invoice.attributes.subscription_id", Provider),
        ("invoice.attributes.total", Provider),
        ("order.attributes.status", Provider),
        ("order.attributes.total", Provider),
        ("order.attributes.first_order_item.variant_id", Provider),
        ("order.attributes.first_order_item.product_id", Provider),
        ("order.attributes.first_order_item.quantity", Provider),
        ("included.type", Provider),
        ("answer.data.attributes.urls.customer_portal", Provider),
        ("answer.data.attributes.url", Provider),
    ]
};
