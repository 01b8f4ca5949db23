// The objects of the pretend provider, in the shapes that Stripe publishes for one version of its
// API. tests/e2e/provider.test.mjs compares their fields with those that Stripe's SDK declares.

/** The version whose shapes these are: the newest that the `stripe` package here knows. */
export const API_VERSION = "2026-10-28.endive";

const base = (object, id, created) => ({ id, object, created, livemode: false });

export function customer({ id, created, email = null, name = null, metadata = {} }) {
  return {
    ...base("customer", id, created),
    address: null,
    balance: 0,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email,
    invoice_prefix: id.slice(-8).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    metadata,
    name,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: "none",
    test_clock: null,
  };
}

export function price({ id, created, lookup_key = null, product, nickname = null, amount, currency = "eur", interval = "month" }) {
  return {
    ...base("price", id, created),
    active: true,
    billing_scheme: "per_unit",
    currency,
    custom_unit_amount: null,
    lookup_key,
    metadata: {},
    nickname,
    product,
    recurring: { interval, interval_count: 1, meter: null, trial_period_days: null, usage_type: "licensed" },
    tax_behavior: "unspecified",
    tiers_mode: null,
    transform_quantity: null,
    type: "recurring",
    unit_amount: amount,
    unit_amount_decimal: String(amount),
  };
}

/** What `items.data[].plan` still says beside the price. */
function plan(price) {
  const { id, active, billing_scheme, created, currency, livemode, metadata, nickname, product } = price;
  const { interval, interval_count } = price.recurring;
  const amounts = { amount: price.unit_amount, amount_decimal: price.unit_amount_decimal };
  const rest = { meter: null, tiers_mode: null, transform_usage: null, trial_period_days: null, usage_type: "licensed" };
  return { id, object: "plan", active, ...amounts, billing_scheme, created, currency, interval, interval_count, livemode, metadata, nickname, product, ...rest };
}

export function subscription({ id, itemId, created, customer, price, period, trialEnd = null, metadata = {} }) {
  const item = {
    id: itemId,
    object: "subscription_item",
    billing_thresholds: null,
    created,
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: [],
    metadata: {},
    plan: plan(price),
    price,
    quantity: 1,
    subscription: id,
    tax_rates: [],
  };
  return {
    ...base("subscription", id, created),
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: trialEnd ?? period.start,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: "included" }, type: "flexible" },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: "charge_automatically",
    currency: price.currency,
    customer,
    customer_account: null,
    days_until_due: null,
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    ended_at: null,
    invoice_settings: { account_tax_ids: null, custom_fields: null, description: null, footer: null, issuer: { type: "self" } },
    items: list([item], `/v1/subscription_items?subscription=${id}`),
    latest_invoice: null,
    managed_payments: null,
    metadata,
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: { payment_method_options: null, payment_method_types: null, save_default_payment_method: "off" },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: created,
    status: trialEnd === null ? "incomplete" : "trialing",
    test_clock: null,
    transfer_data: null,
    trial_end: trialEnd,
    trial_settings: { end_behavior: { missing_payment_method: "create_invoice" } },
    trial_start: trialEnd === null ? null : created,
  };
}

export function invoice({ id, lineId, created, subscription, price, period, reason, number, customer }) {
  const amount = price.unit_amount;
  const of = { invoice_item: null, proration: false, proration_details: null, subscription: subscription.id, subscription_item: subscription.items.data[0].id };
  const line = {
    id: lineId,
    object: "line_item",
    amount,
    currency: price.currency,
    description: `1 × ${price.nickname ?? price.id}`,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: id,
    livemode: false,
    metadata: subscription.metadata,
    parent: { invoice_item_details: null, subscription_item_details: of, type: "subscription_item_details" },
    period: { ...period },
    pretax_credit_amounts: [],
    pricing: { price_details: { price: price.id, product: price.product }, type: "price_details", unit_amount_decimal: price.unit_amount_decimal },
    quantity: 1,
    quantity_decimal: "1",
    subscription: subscription.id,
    subtotal: amount,
    taxes: [],
  };
  return {
    ...base("invoice", id, created),
    ...NO_SUCH_PART_OF_AN_INVOICE,
    amount_due: amount,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: amount,
    amount_shipping: 0,
    attempt_count: 0,
    attempted: false,
    auto_advance: true,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    billing_reason: reason,
    collection_method: "charge_automatically",
    currency: price.currency,
    customer: customer.id,
    customer_email: customer.email,
    customer_name: customer.name,
    customer_tax_exempt: "none",
    customer_tax_ids: [],
    default_tax_rates: [],
    discounts: [],
    effective_at: created,
    issuer: { type: "self" },
    lines: list([line], `/v1/invoices/${id}/lines`),
    metadata: {},
    number,
    parent: { quote_details: null, subscription_details: { metadata: subscription.metadata, subscription: subscription.id }, type: "subscription_details" },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: created,
    period_start: created,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    starting_balance: 0,
    status: "open",
    status_transitions: { finalized_at: created, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: amount,
    subtotal_excluding_tax: amount,
    total: amount,
    total_discount_amounts: [],
    total_excluding_tax: amount,
    total_pretax_credit_amounts: [],
    total_taxes: [],
  };
}

const NO_SUCH_PART_OF_AN_INVOICE = nulls(
  "account_country account_name account_tax_ids application automatically_finalizes_at custom_fields customer_account customer_address customer_phone customer_shipping default_payment_method default_source description due_date ending_balance footer from_invoice hosted_invoice_url invoice_pdf last_finalization_error latest_revision next_payment_attempt on_behalf_of receipt_number rendering shipping_cost shipping_details statement_descriptor test_clock webhooks_delivered_at",
);

/** The fields of an object that are null here. */
export function nulls(names) {
  return Object.fromEntries(names.split(" ").map((name) => [name, null]));
}

/** A page of a list. */
export function list(data, url, has_more = false) {
  return { object: "list", data, has_more, url };
}
