// Webhooks of a payment provider, signed by Stripe's own SDK: received once they are on disk, and in
// in the account's record a moment later, through kills of the runtime and ledgers that fail.
// Events that got lost on the way are asked for.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import Stripe from "stripe";
import { GATE_SECRET, referenceTo } from "./fixtures/references.mjs";
import { runtimesOfThisProcess, startControlledGate, startDirectGate, until } from "./fixtures/runtime.mjs";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startOrigin } from "./harness.mjs";

const SECRET = "whsec_of_the_tests";
const API_KEY = "sk_test_of_the_tests";
const HOOK = "/_tollgate/webhooks/stripe";
const DAY_S = 86_400;
const nowS = () => Math.floor(Date.now() / 1000);

let origin, issuer, api, gate, persist, events;

before(async () => {
  origin = await startOrigin((_, response) => response.end("ok"));
  issuer = await makeIssuer();
});
after(() => origin?.stop());

beforeEach(async () => {
  events = 0;
  persist = mkdtempSync(join(tmpdir(), "tollgate-"));
  api = await startApi();
});
afterEach(async () => {
  await gate?.stop();
  gate = undefined;
  await api.stop();
  rmSync(persist, { recursive: true });
});

/** The part of Stripe's API that is asked. `answers` are bodies, or statuses, by path. */
async function startApi() {
  const calls = [];
  const answers = new Map();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://stripe");
    calls.push(`${request.method} ${request.url}`);
    assert.equal(request.headers.authorization, `Bearer ${API_KEY}`);
    const answer = answers.get(pathname) ?? { data: [], has_more: false };
    const status = typeof answer === "number" ? answer : 200;
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, calls, answers, stop };
}

function vars(more = {}) {
  return {
    ROUTES: [{ match: "/articles/**", requires: ["premium"] }, { match: "/**", open: true }],
    PLANS: [{ id: "pro", entitlements: ["premium"], prices: ["price_pro"], grace_days: 3 }],
    ISSUERS: [issuerVar(issuer, { subscription: "account" })],
    BILLING: [{ provider: "stripe", api_url: api.url }],
    STRIPE_WEBHOOK_SECRET: SECRET,
    STRIPE_API_KEY: API_KEY,
    ADMIN_TOKEN,
    GATE_SECRET,
    LOG: "off",
    ...more,
  };
}

async function start({ vars: more, ...options } = {}) {
  gate = await startDirectGate({ origin, persist, vars: vars(more), ...options });
}

function event(type, object, extra = {}) {
  events += 1;
  return { id: `evt_${events}`, object: "event", type, created: nowS(), data: { object }, ...extra };
}

function subscription({ customer = "cus_1", account = "alice", status = "active" } = {}) {
  const item = { current_period_end: nowS() + 30 * DAY_S, price: { id: "price_pro", product: "prod_pro" } };
  return {
    id: `sub_of_${customer}`,
    object: "subscription",
    customer,
    status,
    metadata: account ? { tollgate_account: account } : {},
    billing_cycle_anchor: nowS() - DAY_S,
    created: nowS() - DAY_S,
    items: { object: "list", data: [{ id: "si_1", quantity: 1, ...item }] },
  };
}

function send(event, { secret = SECRET, timestamp = nowS(), headers = {}, ...init } = {}) {
  const body = typeof event === "string" ? event : JSON.stringify(event);
  const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
  return gate.fetch(HOOK, { method: "POST", body, headers: { "stripe-signature": signature, ...headers }, ...init });
}

const operator = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };

async function record(account = "-/alice") {
  const answer = await gate.fetch(`/_tollgate/admin/accounts/${account}`, operator);
  return answer.status === 404 ? undefined : answer.json();
}

const isActive = async (account) => (await record(account))?.subscriptions?.[0]?.status === "active";

describe("a webhook", () => {
  test("reaches the record of its account within moments", async () => {
    await start();
    const took = [];
    for (let number = 1; number <= 10; number += 1) {
      const account = `alice${number}`;
      const sentAt = performance.now();
      const answer = await send(event("customer.subscription.created", subscription({ customer: `cus_${number}`, account })));
      assert.deepEqual([answer.status, await answer.json()], [200, { received: true }]);
      const receivedAt = performance.now();
      await until(() => isActive(`-/${account}`), "the subscription is in the record");
      took.push([receivedAt - sentAt, performance.now() - receivedAt]);
    }
    const middle = (at) => took.map((times) => times[at]).sort((a, b) => a - b)[5].toFixed(0);
    console.log(`webhook to 200: ${middle(0)} ms; from there to the record: at most ${middle(1)} ms (medians of 10)`);
    const { items } = await (await gate.fetch("/_tollgate/admin/accounts/-/alice1/audit", operator)).json();
    assert.deepEqual(items.map(({ actor, action }) => [actor, action]), [["stripe", "billing-event"]]);
    const token = await issuer.mint({ sub: "alice1" });
    const page = await gate.fetch("/articles/1", { headers: { authorization: `Bearer ${token}` } });
    assert.equal(page.status, 200, "who has paid is let in");
  });

  test("is taken once, however often it comes", async () => {
    await start();
    const created = event("customer.subscription.created", subscription());
    assert.deepEqual(await (await send(created)).json(), { received: true });
    for (let time = 0; time < 3; time += 1) {
      const again = await send(created);
      assert.deepEqual([again.status, await again.json()], [200, { received: true, repeated: true }]);
    }
    assert.equal((await send(event("product.created", { id: "prod_1", object: "product" }))).status, 200, "of no use, and no error");
  });

  test("of nobody who has the secret is refused, and it is said why", async () => {
    await start();
    const created = event("customer.subscription.created", subscription());
    const refusals = [
      [await send(created, { secret: "whsec_another" }), /STRIPE_WEBHOOK_SECRET/],
      [await send(created, { timestamp: nowS() - 900 }), /signed 90\d seconds ago/],
      [await send(created, { timestamp: nowS() + 900 }), /ahead of our clock/],
      [await send(created, { headers: { "stripe-signature": "v1=00" } }), /stripe-signature/],
      [await gate.fetch(HOOK, { method: "POST", body: "{}" }), /stripe-signature is missing/],
    ];
    for (const [answer, detail] of refusals) {
      assert.equal(answer.status, 400);
      assert.equal(answer.headers.get("content-type"), "application/problem+json");
      assert.match((await answer.json()).detail, detail);
    }
    assert.equal(await record(), undefined);
    assert.equal((await send(created)).status, 200, "the genuine one is no repetition");
  });

  test("that can't be one has its own answers", async () => {
    await start();
    const status = async (path, init) => (await gate.fetch(path, init)).status;
    assert.equal(await status(HOOK), 405);
    assert.equal(await status("/_tollgate/webhooks/paddle", { method: "POST", body: "{}" }), 404);
    assert.equal(await status("/_tollgate/webhooks/", { method: "POST", body: "{}" }), 404);
    assert.equal((await send("x".repeat(512 * 1024 + 1))).status, 413);
    const unreadable = await send("{\"id\":\"evt_broken\",\"type\":\"customer.subscription.created\"}");
    assert.deepEqual([unreadable.status, await unreadable.json()], [200, { received: true }], "again would not help");
  });

  test("of a dispute finds who has paid", async () => {
    await start();
    await send(event("customer.subscription.created", subscription()));
    await until(() => isActive(), "the subscription is in the record");
    const dispute = event("charge.dispute.created", { id: "dp_1", object: "dispute", charge: "ch_1", status: "needs_response" });
    api.answers.set("/v1/charges/ch_1", 500);
    assert.equal((await send(dispute)).status, 503, "to be sent again");
    api.answers.set("/v1/charges/ch_1", { id: "ch_1", object: "charge", customer: "cus_1" });
    assert.deepEqual(await (await send(dispute)).json(), { received: true });
    await until(async () => (await record()).disputes?.[0]?.is_open, "the dispute is in the record");
    api.answers.set("/v1/charges/ch_2", 403);
    const another = event("charge.dispute.created", { id: "dp_2", object: "dispute", charge: "ch_2", status: "needs_response" });
    assert.equal((await send(another)).status, 200, "again would not help");
    const { items } = await (await gate.fetch("/_tollgate/admin/events?state=failed", operator)).json();
    assert.deepEqual(items.map(({ id, type }) => [id, type]), [[another.id, another.type]]);
    assert.match(items[0].reason, /403/);
  });

  test("is not acknowledged where it could not be kept", async () => {
    gate = await startControlledGate({ origin, persist, vars: vars() });
    const created = event("customer.subscription.created", subscription());
    for (const ledger of ["fails", "throws", "hangs"]) {
      await gate.control({ ledger });
      const answer = await send(created);
      assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "10"], ledger);
    }
    await gate.control({ ledger: "works" });
    assert.equal((await send(created)).status, 200);
    await until(() => isActive(), "the subscription is in the record");
  });
});

describe("an event that was received", () => {
  test("survives that the runtime is killed before its account has it", async () => {
    gate = await startControlledGate({ origin, persist, vars: vars() });
    await gate.control({ ledger: "accounts-fail" });
    const accounts = Array.from({ length: 8 }, (_, index) => `alice${index}`);
    for (const account of accounts) {
      const created = event("customer.subscription.created", subscription({ customer: `cus_${account}`, account }));
      assert.equal((await send(created)).status, 200);
    }
    gate.kill();
    await until(() => !runtimesOfThisProcess().includes(gate.pid), "the runtime is gone");
    await gate.stop();
    gate = await startControlledGate({ origin, persist, vars: vars() });
    for (const account of accounts) await until(() => isActive(`-/${account}`), `${account} has the event`);
  });

  test("is delivered as soon as its ledger answers again", async () => {
    gate = await startControlledGate({ origin, persist, vars: vars() });
    await gate.control({ ledger: "accounts-fail" });
    await send(event("customer.subscription.created", subscription()));
    await until(async () => (await gate.control()).calls >= 3, "it was tried again");
    await gate.control({ ledger: "works" });
    await until(() => isActive(), "the subscription is in the record");
  });

  test("waits until it is known whose customer it is about", async () => {
    await start();
    await send(event("customer.subscription.created", subscription({ account: null })));
    await send(event("checkout.session.completed", {
      id: "cs_1", object: "checkout.session", mode: "subscription", customer: "cus_1", client_reference_id: referenceTo("alice"),
      subscription: "sub_of_cus_1", payment_status: "paid", metadata: {},
    }));
    await until(() => isActive(), "the subscription is in the record");
  });
});

describe("whose customer it is", () => {
  test("is asked of the provider, where no event says so", async () => {
    await start();
    api.answers.set("/v1/customers/cus_1", { id: "cus_1", object: "customer", metadata: { tollgate_account: "alice" } });
    api.answers.set("/v1/subscriptions", { object: "list", data: [subscription({ account: null })], has_more: false });
    await send(event("invoice.paid", {
      id: "in_1", object: "invoice", customer: "cus_1", parent: { subscription_details: { subscription: "sub_of_cus_1" } }, lines: { data: [] },
    }));
    await until(() => isActive(), "the subscription is in the record");
  });
});

describe("a provider that is down", () => {
  const failed = (customer, decline_code) => event("payment_intent.payment_failed", {
    id: `pi_${customer}`, object: "payment_intent", customer, last_payment_error: { type: "card_error", code: "card_declined", decline_code },
  });
  const paid = (customer) => event("invoice.paid", {
    id: `in_${customer}`, object: "invoice", customer, amount_paid: 900,
    parent: { subscription_details: { subscription: `sub_of_${customer}`, metadata: { tollgate_account: `payer${customer.slice(4)}` } } }, lines: { data: [] },
  });
  const outage = async () => (await gate.fetch("/_tollgate/admin/outage", operator)).json();

  test("is told from customers whose banks decline, and ends when charges succeed", async () => {
    await start({ vars: { STRIPE_API_KEY: "" } });
    // A customer only counts after an earlier payment.
    for (let customer = 1; customer <= 5; customer += 1) {
      const account = `payer${customer}`;
      await send(event("customer.subscription.created", subscription({ customer: `cus_${customer}`, account })));
      await send({ ...paid(`cus_${customer}`), created: nowS() - DAY_S });
    }
    for (let customer = 1; customer <= 9; customer += 1) await send(failed(`stranger_${customer}`, "try_again_later"));
    for (let customer = 1; customer <= 5; customer += 1) {
      await send(failed(`poor_${customer}`, "insufficient_funds"));
      if (customer < 5) await send(failed(`cus_${customer}`, "try_again_later"));
    }
    const before = await outage();
    assert.deepEqual([before.detected, before.failing_customers], [false, 4]);
    await send(failed("cus_5", "try_again_later"));
    // A verdict holds for a moment.
    await until(async () => (await outage()).detected, "five customers are an outage");
    for (let customer = 1; customer <= 3; customer += 1) await send(paid(`cus_${customer}`));
    await until(async () => !(await outage()).detected, "the outage is over");
  });
});

describe("every few minutes", () => {
  const scheduled = async () => (await gate.miniflare.getWorker("gate")).scheduled({ cron: "*/5 * * * *" });

  test("webhooks that did not arrive are fetched", async () => {
    await start();
    const missed = event("customer.subscription.created", subscription());
    api.answers.set("/v1/events", { object: "list", data: [missed], has_more: false });
    await scheduled();
    await until(() => isActive(), "the subscription is in the record");
    assert.match(api.calls[0], /delivery_success=false/);
    assert.deepEqual(await (await send(missed)).json(), { received: true, repeated: true });
  });

  test("an account of which two things were said at once is read again", async () => {
    await start();
    const at = { created: nowS() };
    for (const status of ["paused", "active"]) await send(event("customer.subscription.updated", subscription({ status }), at));
    await until(async () => (await record())?.subscriptions?.[0]?.told.is_in_doubt, "the record is in doubt");
    api.answers.set("/v1/customers/cus_1", { id: "cus_1", object: "customer", metadata: {} });
    api.answers.set("/v1/subscriptions", { object: "list", data: [subscription({ status: "active" })], has_more: false });
    await until(async () => {
      await scheduled();
      return (await isActive()) && !(await record()).subscriptions[0].told.is_in_doubt;
    }, "it is what the provider says now");
  });

  test("nothing is asked without BILLING or a key", async () => {
    await start({ vars: { STRIPE_API_KEY: "" } });
    await scheduled();
    await gate.stop();
    await start({ vars: { BILLING: [] } });
    await scheduled();
    assert.deepEqual(api.calls, []);
  });

  test("a provider that is down is left alone soon", async () => {
    await start();
    api.answers.set("/v1/events", 500);
    await scheduled();
    assert.ok(api.calls.length <= 3, `${api.calls.length} calls`);
  });
});
