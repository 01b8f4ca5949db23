//! The fields of Paddle's objects that are read, each with its author.

use crate::billing::author::{Author, Field};

/// The author of each field. `Paddle.Checkout.open` sends custom data from a buyer's browser, and
/// Paddle copies it from a transaction to its subscription
/// (<https://developer.paddle.com/build/transactions/custom-data>).
pub(super) const FIELDS: &[Field] = {
    use Author::{Payer, Provider};
    &[
        ("event.event_id", Provider),
        ("event.event_type", Provider),
        ("event.occurred_at", Provider),
        ("object.customer_id", Provider),
        ("subscription.id", Provider),
        ("subscription.customer_id", Provider),
        ("subscription.status", Provider),
        ("subscription.created_at", Provider),
        ("subscription.items[].status", Provider),
        ("subscription.items[].quantity", Provider),
        ("subscription.items[].price.id", Provider),
        ("subscription.items[].price.product_id", Provider),
        ("subscription.items[].product.id", Provider),
        ("subscription.items[].trial_dates.ends_at", Provider),
        ("subscription.current_billing_period.ends_at", Provider),
        ("subscription.scheduled_change.action", Provider),
        ("subscription.scheduled_change.effective_at", Provider),
        ("subscription.canceled_at", Provider),
        ("subscription.first_billed_at", Provider),
        ("subscription.started_at", Provider),
        ("subscription.next_billed_at", Provider),
        ("subscription.custom_data.*", Payer),
        ("transaction.id", Provider),
        ("transaction.created_at", Provider),
        ("transaction.origin", Provider),
        ("transaction.subscription_id", Provider),
        ("transaction.billing_period.ends_at", Provider),
        ("transaction.details.totals.grand_total", Provider),
        ("transaction.items[].quantity", Provider),
        ("transaction.items[].price.id", Provider),
        ("transaction.items[].price.product_id", Provider),
        ("transaction.payments[].error_code", Provider),
        ("transaction.payments[].created_at", Provider),
        ("transaction.custom_data.*", Payer),
        ("customer.id", Provider),
        ("customer.custom_data.*", Payer),
        ("adjustment.action", Provider),
        ("adjustment.customer_id", Provider),
        ("adjustment.subscription_id", Provider),
        ("adjustment.transaction_id", Provider),
        ("answer.data.urls.general.overview", Provider),
        ("answer.data.checkout.url", Provider),
    ]
};
