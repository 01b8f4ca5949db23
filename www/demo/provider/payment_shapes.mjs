// The shapes of what happens to money, and of the pages where it is asked for. See shapes.mjs.

import { list, nulls } from "./shapes.mjs";

const base = (object, id, created) => ({ id, object, created, livemode: false });

export function paymentIntent({ id, created, invoice, customer }) {
  return {
    ...base("payment_intent", id, created),
    ...nulls("allowed_payment_method_types application application_fee_amount automatic_payment_methods canceled_at cancellation_reason customer_account excluded_payment_method_types last_payment_error latest_charge managed_payments next_action on_behalf_of payment_method payment_method_configuration_details payment_record processing receipt_email review shipping source statement_descriptor statement_descriptor_suffix transfer_data transfer_group"),
    amount: invoice.amount_due,
    amount_capturable: 0,
    amount_received: 0,
    capture_method: "automatic",
    client_secret: `${id}_secret_pretend`,
    confirmation_method: "automatic",
    currency: invoice.currency,
    customer,
    description: invoice.billing_reason === "subscription_create" ? "Subscription creation" : "Subscription update",
    metadata: {},
    payment_details: { customer_reference: customer, order_reference: invoice.id },
    payment_method_options: {},
    payment_method_types: ["card"],
    setup_future_usage: "off_session",
    status: "requires_payment_method",
  };
}

export function charge({ id, created, intent, card, failure = null }) {
  const paid = failure === null;
  const outcome = paid
    ? { network_status: "approved_by_network", reason: null, seller_message: "Payment complete.", type: "authorized" }
    : { network_status: "declined_by_network", reason: failure.decline_code ?? failure.code, seller_message: "The bank did not approve the charge.", type: "issuer_declined" };
  return {
    ...base("charge", id, created),
    ...nulls("application application_fee application_fee_amount balance_transaction calculated_statement_descriptor description failure_balance_transaction on_behalf_of receipt_email receipt_number receipt_url review shipping source source_transfer statement_descriptor statement_descriptor_suffix transfer_data transfer_group"),
    amount: intent.amount,
    amount_captured: paid ? intent.amount : 0,
    amount_refunded: 0,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    captured: paid,
    currency: intent.currency,
    customer: intent.customer,
    disputed: false,
    failure_code: failure?.code ?? null,
    failure_message: failure?.message ?? null,
    fraud_details: {},
    metadata: {},
    outcome: { advice_code: failure?.advice_code ?? null, network_advice_code: null, network_decline_code: null, risk_level: "normal", ...outcome },
    paid,
    payment_intent: intent.id,
    payment_method: card.id,
    payment_method_details: { card: { brand: card.brand, exp_month: card.exp_month, exp_year: card.exp_year, last4: card.last4 }, type: "card" },
    refunded: false,
    status: paid ? "succeeded" : "failed",
  };
}

export function paymentMethod({ id, created, customer, card }) {
  const { brand, last4, exp_month, exp_year } = card;
  return {
    ...base("payment_method", id, created),
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    card: { brand, last4, exp_month, exp_year, country: "DE", funding: "credit" },
    customer,
    customer_account: null,
    metadata: {},
    type: "card",
  };
}

export function dispute({ id, created, charge, status }) {
  return {
    ...base("dispute", id, created),
    amount: charge.amount,
    balance_transactions: [],
    charge: charge.id,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: {},
    evidence_details: { due_by: created + 7 * 86_400, enhanced_eligibility: {}, has_evidence: false, past_due: false, submission_count: 0, submission_method: "manual" },
    intended_submission_method: null,
    is_charge_refundable: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason: "fraudulent",
    status,
  };
}

export function checkoutSession({ id, created, url, params, customer }) {
  return {
    ...base("checkout.session", id, created),
    ...nulls("adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types billing_address_collection client_secret collected_information consent consent_collection currency_conversion customer_account discounts integration_identifier invoice invoice_creation locale managed_payments origin_context payment_intent payment_link payment_method_configuration_details payment_method_options permissions recovered_from saved_payment_method_options setup_intent shipping_address_collection shipping_cost submit_type subscription wallet_options"),
    amount_subtotal: null,
    amount_total: null,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    currency: null,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer: customer?.id ?? null,
    customer_creation: customer ? null : "always",
    customer_details: null,
    customer_email: customer ? null : (params.customer_email ?? null),
    expires_at: created + 86_400,
    metadata: params.metadata ?? {},
    mode: "subscription",
    payment_method_collection: "always",
    payment_method_types: ["card"],
    payment_status: "unpaid",
    shipping_options: [],
    status: "open",
    success_url: params.success_url ?? null,
    total_details: null,
    ui_mode: "hosted",
    url,
  };
}

export function portalSession({ id, created, url, customer, return_url = null }) {
  return {
    ...base("billing_portal.session", id, created),
    ...nulls("customer_account flow locale on_behalf_of"),
    configuration: "bpc_pretend",
    customer,
    return_url,
    url,
  };
}

/** How many entitlements a summary holds; the rest has to be asked for. */
const SUMMARY_HOLDS = 10;

export function entitlementSummary({ customer, entitlements }) {
  const some = entitlements.slice(0, SUMMARY_HOLDS);
  const rest = list(some, `/v1/customer/${customer}/entitlements`, entitlements.length > SUMMARY_HOLDS);
  return { object: "entitlements.active_entitlement_summary", customer, entitlements: rest, livemode: false };
}

export function activeEntitlement({ id, feature, lookup_key }) {
  return { id, object: "entitlements.active_entitlement", feature, livemode: false, lookup_key };
}
