// What happens to money at the pretend provider: cards, and the charging of invoices.

import { paymentError } from "./declines.mjs";
import { charge, dispute, paymentIntent, paymentMethod } from "./payment_shapes.mjs";
import { invoice } from "./shapes.mjs";

const DAY_S = 86_400;
const RETRY_EVERY_S = 3 * DAY_S;
const RETRIES = 4;

/** The code that every charge fails with while the provider itself is in trouble. */
export const OUTAGE_CODE = "processing_error";

export function makeCharges(store) {
  const { clock, emit, change, id } = store;

  /** Gives a customer a new card that works, or fails with `failure`. */
  function newCard(customer, { failure = null } = {}) {
    const year = new Date(clock.now() * 1_000).getUTCFullYear();
    const card = { id: id("pm"), brand: "visa", last4: failure ? "0341" : "4242", exp_month: 12, exp_year: year + 3, failure };
    store.cards.set(customer.id, card);
    emit("payment_method.attached", paymentMethod({ id: card.id, created: clock.now(), customer: customer.id, card }));
    change("customer.updated", customer, { invoice_settings: { ...customer.invoice_settings, default_payment_method: card.id } });
    return card;
  }

  /** From now on the customer's card fails with this code; none says that it works. */
  function setFailure(customer, code) {
    const card = store.cards.get(customer.id) ?? newCard(customer);
    card.failure = code;
    if (code === "expired_card") Object.assign(card, lastMonth(clock.now()));
    return card;
  }

  function makeInvoice(subscription, { reason, period, finalizedAt = clock.now() }) {
    const customer = store.customers.get(subscription.customer);
    const number = `${customer.invoice_prefix}-${String(customer.next_invoice_sequence).padStart(4, "0")}`;
    customer.next_invoice_sequence += 1;
    const [{ price }] = subscription.items.data;
    const made = invoice({ id: id("in"), lineId: id("il"), created: clock.now(), subscription, price, period, reason, number, customer });
    store.invoices.set(made.id, made);
    subscription.latest_invoice = made.id;
    emit("invoice.created", { ...made, status: "draft" });
    clock.moveTo(finalizedAt);
    made.status_transitions.finalized_at = made.effective_at = finalizedAt;
    emit("invoice.finalized", made);
    return made;
  }

  /** Tries to charge an open invoice; true where it is paid now. */
  function attempt(made) {
    const customer = store.customers.get(made.customer);
    const card = store.cards.get(customer.id) ?? newCard(customer);
    const intent = intentOf(made, customer);
    const failure = store.chargesFail ? OUTAGE_CODE : card.failure;
    made.attempt_count += 1;
    made.attempted = true;
    return failure === null ? succeed(made, intent, card) : fail(made, intent, card, failure);
  }

  function intentOf(made, customer) {
    const known = [...store.intents.values()].find(({ payment_details }) => payment_details.order_reference === made.id);
    if (known) return known;
    const intent = paymentIntent({ id: id("pi"), created: clock.now(), invoice: made, customer: customer.id });
    store.intents.set(intent.id, intent);
    emit("payment_intent.created", intent);
    return intent;
  }

  function succeed(made, intent, card) {
    const one = charge({ id: id("ch"), created: clock.now(), intent, card });
    store.charges.set(one.id, one);
    Object.assign(intent, { status: "succeeded", amount_received: intent.amount, latest_charge: one.id, payment_method: card.id, last_payment_error: null, next_action: null });
    emit("charge.succeeded", one);
    emit("payment_intent.succeeded", intent);
    const paid = { status: "paid", amount_paid: made.amount_due, amount_remaining: 0, next_payment_attempt: null, auto_advance: false };
    Object.assign(made, paid, { status_transitions: { ...made.status_transitions, paid_at: clock.now() } });
    emit("invoice.paid", made);
    emit("invoice.payment_succeeded", made);
    return true;
  }

  function fail(made, intent, card, failure) {
    const chargeId = id("ch");
    const method = paymentMethod({ id: card.id, created: clock.now(), customer: made.customer, card });
    const error = paymentError(failure, { charge: chargeId, paymentMethod: method });
    const one = charge({ id: chargeId, created: clock.now(), intent, card, failure: error });
    store.charges.set(one.id, one);
    const needsCustomer = failure === "authentication_required";
    Object.assign(intent, { status: needsCustomer ? "requires_action" : "requires_payment_method", latest_charge: one.id, payment_method: null, last_payment_error: error });
    emit("charge.failed", one);
    emit("payment_intent.payment_failed", intent);
    const isLast = made.billing_reason === "subscription_create" || made.attempt_count > RETRIES;
    made.next_payment_attempt = isLast ? null : clock.now() + RETRY_EVERY_S;
    emit("invoice.payment_failed", made);
    if (needsCustomer) emit("invoice.payment_action_required", made);
    return false;
  }

  /** The bank takes the last charge back, or the dispute about it ends. */
  function openDispute(customer) {
    const last = [...store.charges.values()].findLast((one) => one.customer === customer.id && one.paid && !one.disputed);
    if (!last) return null;
    last.disputed = true;
    const made = dispute({ id: id("dp"), created: clock.now(), charge: last, status: "needs_response" });
    store.disputes.set(made.id, made);
    emit("charge.dispute.created", made);
    return made;
  }

  function closeDispute(made, isWon) {
    change("charge.dispute.closed", made, { status: isWon ? "won" : "lost" });
  }

  function refund(customer) {
    const last = [...store.charges.values()].findLast((one) => one.customer === customer.id && one.paid && !one.refunded);
    if (last) change("charge.refunded", last, { amount_refunded: last.amount, refunded: true });
    return last ?? null;
  }

  return { newCard, setFailure, makeInvoice, attempt, openDispute, closeDispute, refund };
}

function lastMonth(now) {
  const date = new Date(now * 1_000);
  date.setUTCDate(0);
  return { exp_month: date.getUTCMonth() + 1, exp_year: date.getUTCFullYear() };
}
