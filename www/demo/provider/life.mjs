// What can happen to a customer of the pretend provider. Each action emits the events that Stripe
// would, in its order; the second they share is the clock's.

import { activeEntitlement, checkoutSession, entitlementSummary, portalSession } from "./payment_shapes.mjs";
import { makeCharges } from "./charges.mjs";
import { customer as customerShape, subscription as subscriptionShape } from "./shapes.mjs";

/** A renewal's invoice is a draft for an hour before it is charged. */
const DRAFT_FOR_S = 3_600;
const ENTITLED = ["active", "trialing", "past_due"];
const OVER = ["canceled", "incomplete_expired"];

/** The actions. They take objects of the store or their ids. */
export function makeLife(store, { url }) {
  const { clock, emit, change, id } = store;
  const charges = makeCharges(store);
  const customerOf = (one) => (typeof one === "string" ? store.customers.get(one) : one);
  const subscriptionOf = (one) => (typeof one === "string" ? store.subscriptions.get(one) : one);

  function createCustomer(fields = {}) {
    const made = customerShape({ id: id("cus"), created: clock.now(), ...fields });
    store.customers.set(made.id, made);
    emit("customer.created", made);
    return made;
  }

  function deleteCustomer(one) {
    const customer = customerOf(one);
    for (const subscription of store.subscriptionsOf(customer.id)) cancelNow(subscription);
    emit("customer.deleted", customer);
    store.customers.set(customer.id, { id: customer.id, object: "customer", deleted: true });
  }

  /** Begins a subscription and charges for it: `active`, `trialing`, or `incomplete` where the card fails. */
  function subscribe(one, { price, metadata = {}, trialDays = null }) {
    const customer = customerOf(one);
    if (!store.cards.has(customer.id)) charges.newCard(customer);
    const start = clock.now();
    const trialEnd = trialDays === null ? null : start + trialDays * 86_400;
    const period = { start, end: trialEnd ?? monthAfter(start) };
    const subscription = subscriptionShape({ id: id("sub"), itemId: id("si"), created: start, customer: customer.id, price: store.prices.get(price), period, trialEnd, metadata });
    store.subscriptions.set(subscription.id, subscription);
    emit("customer.subscription.created", subscription);
    if (trialEnd !== null) tellEntitlements(customer.id);
    else settle(subscription, charges.makeInvoice(subscription, { reason: "subscription_create", period }));
    return subscription;
  }

  /** Tries to charge an invoice, and lets the subscription follow. */
  function settle(subscription, invoice) {
    if (charges.attempt(invoice)) {
      if (subscription.status !== "active") setStatus(subscription, "active");
    } else if (subscription.status === "active") {
      setStatus(subscription, "past_due");
    }
  }

  function setStatus(subscription, status, more = {}) {
    change(status === "canceled" ? "customer.subscription.deleted" : "customer.subscription.updated", subscription, { status, ...more });
    tellEntitlements(subscription.customer);
  }

  /** The period ends: now if its end has not come. What was cancelled is over; the rest is charged. */
  function endPeriod(one) {
    const subscription = subscriptionOf(one);
    const [item] = subscription.items.data;
    const start = Math.min(item.current_period_end, clock.now());
    item.current_period_end = start;
    if (subscription.cancel_at_period_end) return endIt(subscription, start);
    const chargedAt = clock.now();
    clock.moveTo(Math.max(chargedAt - DRAFT_FOR_S, lastToldOf(subscription)));
    const period = { start, end: monthAfter(start) };
    const before = { items: structuredClone(subscription.items) };
    Object.assign(item, { current_period_start: period.start, current_period_end: period.end });
    const wasTrial = subscription.status === "trialing";
    if (wasTrial) Object.assign(subscription, { trial_end: start, status: "active" });
    emit("customer.subscription.updated", subscription, wasTrial ? { ...before, status: "trialing" } : before);
    return settle(subscription, charges.makeInvoice(subscription, { reason: "subscription_cycle", period, finalizedAt: chargedAt }));
  }

  const lastToldOf = ({ id }) => store.events.findLast(({ data }) => data.object.id === id).created;

  function trialWillEnd(one) {
    emit("customer.subscription.trial_will_end", subscriptionOf(one));
  }

  /** Tries the open invoices again; true where nothing is open any more. */
  function retry(one) {
    const customer = customerOf(one);
    for (const invoice of store.openInvoicesOf(customer.id)) {
      settle(subscriptionOf(invoice.parent.subscription_details.subscription), invoice);
    }
    return store.openInvoicesOf(customer.id).length === 0;
  }

  /** A card that works, and the open invoices paid with it. */
  function fixCard(one) {
    charges.newCard(customerOf(one));
    return retry(one);
  }

  /** The retries are used up. */
  function giveUp(one) {
    const subscription = subscriptionOf(one);
    if (store.afterRetries === "canceled") return endIt(subscription, clock.now(), "payment_failed");
    return setStatus(subscription, "unpaid");
  }

  function cancelNow(one) {
    const subscription = subscriptionOf(one);
    if (!OVER.includes(subscription.status)) endIt(subscription, clock.now());
  }

  function endIt(subscription, at, reason = "cancellation_requested") {
    const details = { ...subscription.cancellation_details, reason };
    const open = store.openInvoicesOf(subscription.customer).filter(({ parent }) => parent.subscription_details.subscription === subscription.id);
    setStatus(subscription, "canceled", { canceled_at: subscription.canceled_at ?? at, ended_at: at, cancellation_details: details });
    for (const invoice of open) {
      const status_transitions = { ...invoice.status_transitions, voided_at: clock.now() };
      change("invoice.voided", invoice, { status: "void", status_transitions, next_payment_attempt: null });
    }
  }

  function cancelAtPeriodEnd(one, isWanted = true) {
    const subscription = subscriptionOf(one);
    const end = subscription.items.data[0].current_period_end;
    const fields = { cancel_at_period_end: isWanted, cancel_at: isWanted ? end : null, canceled_at: isWanted ? clock.now() : null };
    change("customer.subscription.updated", subscription, fields);
  }

  function pause(one) {
    change("customer.subscription.paused", subscriptionOf(one), { status: "paused" });
    tellEntitlements(subscriptionOf(one).customer);
  }

  function resume(one) {
    change("customer.subscription.resumed", subscriptionOf(one), { status: "active" });
    tellEntitlements(subscriptionOf(one).customer);
  }

  /** What a customer may use: the features of what is paid for, and those given beside them. */
  function entitlementsOf(customer) {
    const paid = store.subscriptionsOf(customer).filter(({ status }) => ENTITLED.includes(status));
    const features = paid.flatMap(({ items }) => store.features.get(items.data[0].price.id) ?? []);
    const all = [...new Set([...features, ...(store.extraFeatures.get(customer) ?? [])])];
    return all.map((key) => activeEntitlement({ id: `ent_${customer.slice(4)}_${key}`, feature: `feat_${key}`, lookup_key: key }));
  }

  function tellEntitlements(customer) {
    const entitlements = entitlementsOf(customer);
    const known = JSON.stringify(entitlements);
    if (told.get(customer) === known) return;
    told.set(customer, known);
    emit("entitlements.active_entitlement_summary.updated", entitlementSummary({ customer, entitlements }));
  }
  const told = new Map();

  /** Gives features beside the paid ones, and tells. */
  function grant(one, keys) {
    store.extraFeatures.set(customerOf(one).id, keys);
    tellEntitlements(customerOf(one).id);
  }

  function openCheckout(params) {
    const session = id("cs_test");
    const customer = params.customer ? store.customers.get(params.customer) : null;
    const made = checkoutSession({ id: session, created: clock.now(), url: `${url()}/checkout/${session}`, params, customer });
    store.checkouts.set(session, { session: made, params });
    return made;
  }

  /** The customer presses "Pay"; true where the card paid. */
  function completeCheckout(sessionId, { failure = null } = {}) {
    const checkout = store.checkouts.get(sessionId);
    const { session, params } = checkout;
    const [{ price }] = params.line_items;
    const customer = customerOf(session.customer ?? createCustomer({ email: params.customer_email ?? "reader@example.test", name: "A reader" }));
    session.customer = customer.id;
    charges.newCard(customer, { failure });
    const subscription = checkout.begun ?? subscribeBy(customer, price, params);
    if (checkout.begun) retry(customer);
    checkout.begun = subscription;
    if (subscription.status === "incomplete") return false;
    const amount = store.prices.get(price).unit_amount;
    const paid = { status: "complete", payment_status: "paid", subscription: subscription.id, invoice: subscription.latest_invoice };
    Object.assign(session, paid, { amount_subtotal: amount, amount_total: amount, currency: store.prices.get(price).currency });
    session.customer_details = { address: null, business_name: null, email: customer.email, individual_name: null, name: customer.name, phone: null, tax_exempt: "none", tax_ids: [] };
    emit("checkout.session.completed", session);
    return true;
  }

  function subscribeBy(customer, price, { subscription_data: { metadata = {}, trial_period_days } = {} }) {
    return subscribe(customer, { price, metadata, trialDays: trial_period_days === undefined ? null : Number(trial_period_days) });
  }

  function openPortal({ customer, return_url }) {
    const session = id("bps");
    const made = portalSession({ id: session, created: clock.now(), url: `${url()}/portal/${session}`, customer, return_url });
    store.portals.set(session, made);
    return made;
  }

  const expireCard = (one) => charges.setFailure(customerOf(one), "expired_card");
  const decline = (one, code) => charges.setFailure(customerOf(one), code);
  const cards = { expireCard, decline, newCard: (one, options) => charges.newCard(customerOf(one), options) };
  const money = { openDispute: (one) => charges.openDispute(customerOf(one)), closeDispute: charges.closeDispute, refund: (one) => charges.refund(customerOf(one)) };
  const sessions = { openCheckout, completeCheckout, openPortal };
  const ends = { endPeriod, trialWillEnd, giveUp, cancelNow, cancelAtPeriodEnd, pause, resume };
  return { createCustomer, deleteCustomer, subscribe, pay: fixCard, fixCard, retry, grant, entitlementsOf, ...cards, ...money, ...sessions, ...ends };
}

/** The same day and time a month later, or the month's last day where it has no such day. */
export function monthAfter(time) {
  const date = new Date(time * 1_000);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + 1);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return Math.floor(date.getTime() / 1_000);
}
