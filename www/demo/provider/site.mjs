// The pretend provider's pages: checkout and portal for customers, and the operator's page.

import { checkoutPage, messagePage, operatorPage, portalPage } from "./pages.mjs";

const SECURITY = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  "content-type": "text/html; charset=utf-8",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
const OVER = ["canceled", "incomplete_expired"];

/** Answers a request for a page, or a form sent from one. */
export async function answerSite(provider, request, url, body, response) {
  const [, place, id] = url.pathname.split("/");
  const form = new URLSearchParams(request.method === "POST" ? body : "");
  // Only our own pages have forms for us.
  if (request.method === "POST" && request.headers["sec-fetch-site"] === "cross-site") return show(response, 403, messagePage("No", "This form is not from here."));
  const here = { provider, request, url, form, response };
  if (place === "checkout" && provider.store.checkouts.has(id)) return checkout(here, id);
  if (place === "portal" && provider.store.portals.has(id)) return portal(here, id);
  if (url.pathname === "/" && request.method === "GET") return show(response, 200, operatorPage(operatorView(provider, url)));
  if (url.pathname === "/operator" && request.method === "POST") return operate(here);
  return show(response, 404, messagePage("Not found", "There is no such page."));
}

function checkout({ provider, request, form, response }, id) {
  const { session, params } = provider.store.checkouts.get(id);
  const price = provider.store.prices.get(params.line_items[0].price);
  if (request.method !== "POST" || session.status === "complete") return show(response, 200, checkoutPage({ session, price }));
  const isPaid = provider.life.completeCheckout(id, { failure: form.get("card") || null });
  if (!isPaid) return show(response, 402, checkoutPage({ session, price, isRefused: true }));
  return redirect(response, session.success_url.replace("{CHECKOUT_SESSION_ID}", id));
}

function portal({ provider, request, url, form, response }, id) {
  const { store, life } = provider;
  const session = store.portals.get(id);
  const customer = store.customers.get(session.customer);
  if (request.method === "POST") {
    const subscription = store.subscriptionsOf(customer.id).find((one) => one.id === form.get("subscription"));
    const act = form.get("do");
    if (act === "new_card") life.fixCard(customer);
    if (act === "cancel" && subscription) life.cancelAtPeriodEnd(subscription);
    if (act === "keep" && subscription) life.cancelAtPeriodEnd(subscription, false);
    return redirect(response, `/portal/${id}?done=${encodeURIComponent(act)}`);
  }
  const view = { session, customer, card: store.cards.get(customer.id), subscriptions: store.subscriptionsOf(customer.id), openInvoices: store.openInvoicesOf(customer.id) };
  return show(response, 200, portalPage({ ...view, told: DONE[url.searchParams.get("done")] ?? null }));
}

const DONE = { new_card: "The new card is in use.", cancel: "Cancelled. Access stays until the period ends.", keep: "The subscription goes on." };

function operatorView(provider, url) {
  const { store, deliveries } = provider;
  const customers = [...store.customers.values()].filter(({ deleted }) => !deleted);
  return {
    customers: customers.map((customer) => ({ customer, card: store.cards.get(customer.id), subscription: currentOf(store, customer) })),
    events: deliveries.log(),
    isOut: store.chargesFail,
    told: url.searchParams.has("done") ? "Done. The events are below." : null,
  };
}

const currentOf = (store, customer) => store.subscriptionsOf(customer.id).at(-1) ?? null;

/** What the operator's buttons do with a customer, its subscription and the form. */
const DEEDS = {
  pay: ({ life, customer }) => life.pay(customer),
  expire: ({ life, customer, subscription }) => life.expireCard(customer) && life.endPeriod(subscription),
  decline: ({ life, customer, subscription, form }) => life.decline(customer, form.get("code")) && life.endPeriod(subscription),
  retry: ({ life, customer }) => life.retry(customer),
  give_up: ({ life, subscription }) => life.giveUp(subscription),
  end_period: ({ life, subscription }) => life.endPeriod(subscription),
  cancel_at_period_end: ({ life, subscription }) => life.cancelAtPeriodEnd(subscription),
  cancel: ({ life, subscription }) => life.cancelNow(subscription),
  pause: ({ life, subscription }) => life.pause(subscription),
  resume: ({ life, subscription }) => life.resume(subscription),
  dispute: ({ life, customer }) => life.openDispute(customer),
  refund: ({ life, customer }) => life.refund(customer),
  subscribe({ life, store, customer, subscription }) {
    if (store.cards.get(customer.id)?.failure) life.newCard(customer);
    life.subscribe(customer, { price: subscription.items.data[0].price.id, metadata: subscription.metadata });
  },
};

/** What they do with everybody at once. */
const DEEDS_OF_ALL = {
  outage_on: ({ provider }) => provider.outage(true),
  outage_off: ({ provider }) => provider.outage(false),
  renew_all({ life, store }) {
    const renewed = [...store.subscriptions.values()].filter(({ status }) => ["active", "trialing"].includes(status));
    for (const subscription of renewed) life.endPeriod(subscription);
  },
  retry_all({ life, store }) {
    for (const { id } of store.customers.values()) life.retry(id);
  },
};

async function operate({ provider, form, response }) {
  const { store, life, deliveries } = provider;
  const act = form.get("do");
  const isMeant = ({ id, metadata }) => id === form.get("customer") || (form.has("account") && metadata?.tollgate_account === form.get("account"));
  const customer = [...store.customers.values()].findLast(isMeant);
  const subscription = customer ? currentOf(store, customer) : null;
  const entry = act === "send_last" ? deliveries.log().at(-1) : deliveries.of(form.get("event"));
  if (Object.hasOwn(DEEDS_OF_ALL, act ?? "")) DEEDS_OF_ALL[act]({ provider, life, store });
  else if ((act === "send" || act === "send_last") && entry) await deliveries.send(entry.event);
  else if (Object.hasOwn(DEEDS, act ?? "") && subscription && mayHappen(act, subscription)) DEEDS[act]({ life, store, customer, subscription, form });
  else return show(response, 422, messagePage("That can't happen now", "The subscription is in no state for it."));
  // What was done is told before the page is shown, so that it shows what became of it.
  await deliveries.settled();
  return redirect(response, "/?done");
}

function mayHappen(act, { status }) {
  if (act === "subscribe") return OVER.includes(status);
  if (act === "resume") return status === "paused";
  if (["pay", "retry", "dispute", "refund"].includes(act)) return true;
  return !OVER.includes(status);
}

function show(response, status, body) {
  response.writeHead(status, { ...SECURITY, "content-length": Buffer.byteLength(body) }).end(body);
}

function redirect(response, location) {
  response.writeHead(303, { location, "cache-control": "no-store" }).end();
}
