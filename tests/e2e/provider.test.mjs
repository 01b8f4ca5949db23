// The pretend provider, checked by what its original publishes: Stripe's SDK asks its API, verifies
// its webhooks, and declares the fields of its objects.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import Stripe from "stripe";
import { API_VERSION } from "../../www/demo/provider/shapes.mjs";
import { monthAfter } from "../../www/demo/provider/life.mjs";
import { startProvider } from "../../www/demo/provider/provider.mjs";
import { ROOT } from "./harness.mjs";

const API_KEY = "sk_test_pretend";
const SECRET = "whsec_pretend";
const STARTS_AT = 1_790_000_000;
const DAY_S = 86_400;
const PRICES = [
  { id: "price_pro", lookup_key: "pro_monthly", product: "prod_pro", name: "Pro", amount: 900, features: ["premium"] },
  { id: "price_team", lookup_key: "team_monthly", product: "prod_team", name: "Team", amount: 4_900, features: Array.from({ length: 25 }, (_, index) => `feature_${index}`) },
];

let receiver, received, status, provider, stripe;

before(async () => {
  receiver = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ body: Buffer.concat(chunks), signature: request.headers["stripe-signature"] });
    response.writeHead(status).end();
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
});
after(() => {
  receiver.closeAllConnections();
  receiver.close();
});

afterEach(() => provider?.stop());
beforeEach(async () => {
  received = [];
  status = 200;
  const url = `http://127.0.0.1:${receiver.address().port}/webhooks/stripe`;
  provider = await startProvider({ prices: PRICES, apiKey: API_KEY, webhook: { url, secret: SECRET }, startsAt: STARTS_AT });
  const { hostname, port } = new URL(provider.url);
  stripe = new Stripe(API_KEY, { host: hostname, port, protocol: "http", maxNetworkRetries: 0, telemetry: false });
});

const types = () => provider.store.events.map(({ type }) => type);

function subscribed(price = "price_pro") {
  const customer = provider.life.createCustomer({ email: "erin@example.test", name: "Erin" });
  return { customer, subscription: provider.life.subscribe(customer, { price, metadata: { tollgate_account: "erin" } }) };
}

describe("its objects", () => {
  test("are those of the version that the SDK speaks", () => {
    assert.equal(stripe.getApiField("version"), API_VERSION);
  });

  test("have every field that the SDK declares, and no other", () => {
    const { customer, subscription } = subscribed();
    provider.life.decline(customer, "insufficient_funds");
    provider.life.endPeriod(subscription);
    provider.life.fixCard(customer);
    const dispute = provider.life.openDispute(customer);
    const checkout = provider.life.openCheckout({ line_items: [{ price: "price_pro", quantity: "1" }], success_url: "http://127.0.0.1/" });
    const portal = provider.life.openPortal({ customer: customer.id, return_url: "http://127.0.0.1/" });
    const { store } = provider;
    const [invoice] = store.invoices.values();
    const [event] = store.events;
    const summary = store.events.find(({ type }) => type.startsWith("entitlements.")).data.object;
    const attached = store.events.find(({ type }) => type === "payment_method.attached").data.object;
    const objects = [
      [customer, "Customers", "Customer"],
      [[...store.prices.values()][0], "Prices", "Price"],
      [subscription, "Subscriptions", "Subscription"],
      [subscription.items.data[0], "SubscriptionItems", "SubscriptionItem"],
      [subscription.items.data[0].plan, "Plans", "Plan"],
      [invoice, "Invoices", "Invoice"],
      [invoice.lines.data[0], "InvoiceLineItems", "InvoiceLineItem"],
      [[...store.intents.values()][0], "PaymentIntents", "PaymentIntent"],
      [[...store.charges.values()][0], "Charges", "Charge"],
      [attached, "PaymentMethods", "PaymentMethod"],
      [dispute, "Disputes", "Dispute"],
      [checkout, "Checkout/Sessions", "Session"],
      [portal, "BillingPortal/Sessions", "Session"],
      [summary, "Entitlements/ActiveEntitlementSummaries", "ActiveEntitlementSummary"],
      [summary.entitlements.data[0], "Entitlements/ActiveEntitlements", "ActiveEntitlement"],
      [event, "Events", "EventBase"],
    ];
    for (const [object, file, name] of objects) {
      const { required, optional } = declared(file, name);
      const fields = Object.keys(object);
      assert.ok(required.length > 2, name);
      assert.deepEqual(required.filter((field) => !fields.includes(field)), [], `${name} lacks`);
      assert.deepEqual(fields.filter((field) => !required.includes(field) && !optional.includes(field)), [], `${name} has too much`);
    }
  });

  test("have events of types that the SDK knows", () => {
    const { customer, subscription } = subscribed();
    const { life } = provider;
    life.pause(subscription);
    life.resume(subscription);
    life.decline(customer, "authentication_required");
    life.endPeriod(subscription);
    life.giveUp(subscription);
    life.fixCard(customer);
    life.closeDispute(life.openDispute(customer), true);
    life.refund(customer);
    life.trialWillEnd(subscription);
    life.completeCheckout(life.openCheckout({ line_items: [{ price: "price_pro", quantity: "1" }], success_url: "http://127.0.0.1/" }).id);
    life.deleteCustomer(customer);
    const source = declarations("Events");
    const known = new Set([...source.matchAll(/type: '([\w.]+)';/g)].map(([, type]) => type));
    assert.ok(known.size > 100);
    assert.deepEqual([...new Set(types())].filter((type) => !known.has(type)), []);
    assert.ok(new Set(types()).size > 25, "the story has many kinds of events");
  });
});

/** The fields of an interface in the SDK's declarations. */
function declared(file, name) {
  const text = declarations(file).replace(/\/\*\*.*?\*\/\s*/gs, "");
  const start = text.indexOf(`export interface ${name} {`);
  const body = text.slice(start, text.indexOf("\n}", start));
  const fields = [...body.matchAll(/^ {4}(\w+)(\??):/gm)].concat([...body.matchAll(/^(?:export interface \w+ \{)\s*(\w+)(\??):/gm)]);
  return {
    required: fields.filter(([, , mark]) => mark === "").map(([, field]) => field),
    optional: fields.filter(([, , mark]) => mark === "?").map(([, field]) => field),
  };
}

const declarations = (file) => readFileSync(`${ROOT}/node_modules/stripe/esm/resources/${file}.d.ts`, "utf8");

describe("its API", () => {
  test("serves what the gate asks for, to the SDK", async () => {
    const customer = await stripe.customers.create({ email: "ann@example.test", metadata: { tollgate_account: "ann" } });
    assert.equal((await stripe.customers.retrieve(customer.id)).metadata.tollgate_account, "ann");
    const { data: prices } = await stripe.prices.list({ lookup_keys: ["team_monthly"] });
    assert.deepEqual(prices.map(({ id }) => id), ["price_team"]);
    const checkout = await stripe.checkout.sessions.create({
      mode: "subscription",
      line_items: [{ price: "price_team", quantity: 1 }],
      customer: customer.id,
      metadata: { tollgate_account: "ann" },
      subscription_data: { metadata: { tollgate_account: "ann" } },
      success_url: "http://127.0.0.1/thanks?session={CHECKOUT_SESSION_ID}",
      cancel_url: "http://127.0.0.1/",
    });
    assert.equal(checkout.url, `${provider.url}/checkout/${checkout.id}`);
    const paid = await fetch(checkout.url, { method: "POST", body: new URLSearchParams({ do: "pay", card: "" }), redirect: "manual" });
    assert.deepEqual([paid.status, paid.headers.get("location")], [303, `http://127.0.0.1/thanks?session=${checkout.id}`]);
    const { data: subscriptions } = await stripe.subscriptions.list({ customer: customer.id, status: "all", limit: 100 });
    assert.deepEqual(subscriptions.map(({ status, metadata }) => [status, metadata.tollgate_account]), [["active", "ann"]]);
    const portal = await stripe.billingPortal.sessions.create({ customer: customer.id, return_url: "http://127.0.0.1/back" });
    assert.match(await (await fetch(portal.url)).text(), /href="http:\/\/127\.0\.0\.1\/back"/);
  });

  test("pages its lists", async () => {
    const { customer } = subscribed("price_team");
    const first = await stripe.entitlements.activeEntitlements.list({ customer: customer.id });
    assert.deepEqual([first.data.length, first.has_more], [10, true]);
    const all = await stripe.entitlements.activeEntitlements.list({ customer: customer.id, limit: 10 }).autoPagingToArray({ limit: 100 });
    assert.deepEqual(all.map(({ lookup_key }) => lookup_key), PRICES[1].features);
    const summary = provider.store.events.find(({ type }) => type.startsWith("entitlements.")).data.object;
    assert.deepEqual([summary.entitlements.data.length, summary.entitlements.has_more], [10, true]);
  });

  test("refuses as Stripe does", async () => {
    const refused = async (promise) => {
      const error = await promise.then(() => assert.fail("was not refused"), (error) => error);
      return [error.type, error.code, error.param].filter(Boolean).join(" ");
    };
    const shop = { mode: "subscription", line_items: [{ price: "price_pro", quantity: 1 }], success_url: "http://127.0.0.1/" };
    assert.equal(await refused(stripe.customers.retrieve("cus_nobody")), "StripeInvalidRequestError resource_missing id");
    assert.equal(await refused(stripe.subscriptions.list({ customer: "cus_nobody" })), "StripeInvalidRequestError resource_missing customer");
    assert.equal(await refused(stripe.billingPortal.sessions.create({ customer: "cus_nobody" })), "StripeInvalidRequestError resource_missing customer");
    assert.equal(await refused(stripe.checkout.sessions.create({ ...shop, success_url: "javascript:alert(1)" })), "StripeInvalidRequestError url_invalid success_url");
    assert.equal(await refused(stripe.checkout.sessions.create({ ...shop, colour: "red" })), "StripeInvalidRequestError parameter_unknown colour");
    assert.equal(await refused(stripe.checkout.sessions.create({ mode: "subscription" })), "StripeInvalidRequestError parameter_missing line_items");
    assert.equal(await refused(stripe.customers.list({ limit: 101 })), "StripeInvalidRequestError parameter_invalid_integer limit");
    const { hostname, port } = new URL(provider.url);
    const stranger = new Stripe("sk_test_other", { host: hostname, port, protocol: "http", maxNetworkRetries: 0 });
    assert.equal(await refused(stranger.customers.list()), "StripeAuthenticationError");
  });

  test("answers the same key the same way, and refuses it for another request", async () => {
    const create = (email) => stripe.customers.create({ email }, { idempotencyKey: "one" });
    const [first, second] = [await create("a@example.test"), await create("a@example.test")];
    assert.equal(first.id, second.id);
    await assert.rejects(create("b@example.test"), { type: "StripeIdempotencyError" });
  });

  test("refuses broken forms", async () => {
    const post = async (body, type = "application/x-www-form-urlencoded") => {
      const response = await fetch(`${provider.url}/v1/customers`, { method: "POST", headers: { authorization: `Bearer ${API_KEY}`, "content-type": type }, body });
      return response.status;
    };
    assert.equal(await post("email=a%40b&metadata[x]=1"), 200);
    for (const body of ["email=a&email=b", "email=%zz", "email", "=a", "email=ä", "metadata=x", "metadata[a][b]=x", "email="]) assert.equal(await post(body), 400, body);
    assert.equal(await post("{}", "application/json"), 400);
  });

  test("goes wrong when it is told to", async () => {
    const ask = () => stripe.customers.list();
    for (const [mode, type] of [["fails", "StripeAPIError"], ["overloaded", "StripeAPIError"], ["rate_limited", "StripeRateLimitError"], ["unauthorized", "StripeAuthenticationError"], ["malformed", "StripeAPIError"], ["page", "StripeAPIError"], ["down", "StripeConnectionError"]]) {
      provider.faults.set(mode);
      await assert.rejects(ask(), { type }, mode);
      provider.faults.set("works");
      await ask();
    }
    provider.faults.set("hangs", { times: 1 });
    await assert.rejects(stripe.customers.list({}, { timeout: 100 }), { type: "StripeConnectionError" });
  });
});

describe("its webhooks", () => {
  test("pass the SDK's check, bytes and all", async () => {
    subscribed();
    await provider.deliveries.settled();
    assert.equal(received.length, provider.store.events.length);
    for (const [index, { body, signature }] of received.entries()) {
      assert.equal(Stripe.webhooks.constructEvent(body, signature, SECRET).id, provider.store.events[index].id);
    }
    assert.throws(() => Stripe.webhooks.constructEvent(received[0].body, received[0].signature, "whsec_other"), /No signatures found/);
  });

  test("that are not taken stay listed, and can be sent again", async () => {
    status = 503;
    subscribed();
    await provider.deliveries.settled();
    const listed = () => stripe.events.list({ delivery_success: false, limit: 100 }).autoPagingToArray({ limit: 1_000 });
    assert.equal((await listed()).length, provider.store.events.length);
    status = 200;
    for (const event of provider.deliveries.untaken()) await provider.deliveries.send(event);
    assert.deepEqual([await listed(), provider.deliveries.untaken()], [[], []]);
  });

  test("can be held back and told in another order, with what they said at the time", async () => {
    provider.deliveries.hold();
    const { customer, subscription } = subscribed();
    provider.clock.advance(31 * DAY_S);
    provider.life.decline(customer, "fraudulent");
    provider.life.endPeriod(subscription);
    provider.life.fixCard(customer);
    await provider.deliveries.settled();
    assert.equal(received.length, 0);
    await provider.deliveries.release((events) => events.toReversed());
    const told = received.map(({ body }) => JSON.parse(body)).filter(({ type }) => type === "customer.subscription.updated");
    assert.deepEqual(told.map(({ data }) => data.object.status), ["active", "past_due", "active", "active"]);
    assert.deepEqual(told.map(({ created }) => created - STARTS_AT), [31 * DAY_S, 31 * DAY_S, 31 * DAY_S - 3_600, 0], "a renewal begins an hour before it is charged");
  });
});

describe("its subscriptions", () => {
  test("renew on the day they began, or the month's last", () => {
    const days = ["2027-01-31", "2028-01-31", "2027-12-31", "2027-03-15"].map((day) => new Date(monthAfter(Date.parse(`${day}T12:00:00Z`) / 1_000) * 1_000).toISOString().slice(0, 10));
    assert.deepEqual(days, ["2027-02-28", "2028-02-29", "2028-01-31", "2027-04-15"]);
  });

  test("fail for the reason the card has, are forgiven when it is paid, and end when they were cancelled", () => {
    const { customer, subscription } = subscribed();
    provider.clock.advance(31 * DAY_S);
    provider.life.expireCard(customer);
    provider.life.endPeriod(subscription);
    const failed = provider.store.events.findLast(({ type }) => type === "payment_intent.payment_failed").data.object;
    assert.deepEqual([subscription.status, failed.last_payment_error.code], ["past_due", "expired_card"]);
    provider.life.giveUp(subscription);
    assert.equal(subscription.status, "unpaid");
    assert.equal(provider.life.fixCard(customer), true);
    assert.equal(subscription.status, "active");
    provider.life.cancelAtPeriodEnd(subscription);
    assert.equal(subscription.status, "active");
    provider.life.endPeriod(subscription);
    assert.deepEqual([subscription.status, types().includes("customer.subscription.deleted")], ["canceled", true]);
    assert.deepEqual(provider.life.entitlementsOf(customer.id), []);
  });

  test("bought with a card that fails are bought with the next one", async () => {
    const session = provider.life.openCheckout({ line_items: [{ price: "price_pro", quantity: "1" }], success_url: "http://127.0.0.1/", subscription_data: { metadata: { tollgate_account: "ann" } } });
    assert.equal(provider.life.completeCheckout(session.id, { failure: "insufficient_funds" }), false);
    assert.equal(session.status, "open");
    assert.equal(provider.life.completeCheckout(session.id), true);
    assert.deepEqual([...provider.store.subscriptions.values()].map(({ status, metadata }) => [status, metadata.tollgate_account]), [["active", "ann"]]);
    assert.equal(session.status, "complete");
  });

  test("are nobody's fault while the provider is down", async () => {
    const { subscription } = subscribed();
    provider.outage(true);
    provider.life.endPeriod(subscription);
    assert.equal(subscription.status, "past_due");
    assert.equal((await fetch(`${provider.url}/v1/customers`)).status, 503);
    provider.outage(false);
    assert.equal(provider.life.retry(subscription.customer), true);
    assert.equal(subscription.status, "active");
  });
});
