// Webhooks, signed by foreign code: the providers' own SDKs sign, or agree with signatures made by
// hand, and the gate takes the same bytes. All others are refused, and no webhook
// that was taken is lost.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Environment, Paddle } from "@paddle/paddle-node-sdk";
import { validateEvent } from "@polar-sh/sdk/webhooks";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { lemonSqueezyBody, paddleBody, polarBody } from "./fixtures/provider_bodies.mjs";
import { runtimesOfThisProcess, startControlledGate, until as untilTrue } from "./fixtures/runtime.mjs";
import { PLANS, SECRET, startShop } from "./fixtures/shop.mjs";
import { lemonSqueezyHeaders, paddleHeaders, polarHeaders, seconds, standardHeaders, stripeHeaders } from "./fixtures/signing.mjs";

const OLD_SECRET = "whsec_the_one_before";
const PADDLE_SECRET = "pdl_ntfset_01pretend_secret";
const LEMON_SECRET = "lemon-signing-secret";
const STANDARD_SECRET = `whsec_${Buffer.from("a key of at least twenty-four bytes").toString("base64")}`;
const POLAR_SECRET = "polar_whs_as_it_is_shown";
const [PRO, TEAM] = PLANS;

let shop;

before(async () => {
  shop = await startShop({
    vars: {
      PLANS: [{ ...PRO, prices: [...PRO.prices, "pri_pro", "4711", "prod_polar_pro"] }, TEAM],
      STRIPE_WEBHOOK_SECRET: `${SECRET} ${OLD_SECRET}`,
      PADDLE_WEBHOOK_SECRET: PADDLE_SECRET,
      LEMONSQUEEZY_WEBHOOK_SECRET: LEMON_SECRET,
      STANDARD_WEBHOOK_SECRET: `${STANDARD_SECRET} ${POLAR_SECRET}`,
    },
    billing: ["paddle", "lemonsqueezy", "standard"],
  });
});
after(() => shop?.stop());

/** Sends a webhook, and reads the answer. */
async function send(provider, body, headers, via = shop) {
  const init = { method: "POST", headers: { "content-type": "application/json", ...headers }, body };
  const { status, json, headers: fields, text } = await via.ask(`/_tollgate/webhooks/${provider}`, null, init);
  return { status, json, text, type: fields.get("content-type") };
}

let made = 0;
/** An event of Stripe's about a subscription of `account`; each has an id of its own. */
function stripeEvent(account, { type = "customer.subscription.updated", customer = `cus_${account}`, created = seconds(), ...more } = {}) {
  made += 1;
  const period = { current_period_start: created - 86_400, current_period_end: created + 29 * 86_400 };
  const items = { object: "list", data: [{ id: "si_1", object: "subscription_item", ...period, price: { id: "price_pro", object: "price", lookup_key: null, product: "prod_pro" } }] };
  const metadata = account === null ? {} : { tollgate_account: account };
  const object = { id: `sub_${customer}`, object: "subscription", customer, status: "active", created: created - 86_400, billing_cycle_anchor: created - 86_400, cancel_at_period_end: false, cancel_at: null, canceled_at: null, ended_at: null, trial_end: null, items, metadata, ...more };
  return { id: `evt_own_${made}`, object: "event", api_version: null, created, data: { object }, livemode: false, pending_webhooks: 1, request: null, type };
}

const sendStripe = (event, { secret = SECRET, at, body = JSON.stringify(event) } = {}) => send("stripe", body, stripeHeaders(body, secret, { at }));
const isActive = (account) => shop.until(() => shop.record(account), (record) => record?.subscriptions?.some(({ status, plan }) => status === "active" && plan === "pro"), `${account} is subscribed`);

describe("what the providers' own code signs, or takes for signed, the gate takes", () => {
  test("Stripe", async () => {
    const body = JSON.stringify(stripeEvent("stella"), null, 2);
    const headers = stripeHeaders(body, SECRET);
    assert.equal(Stripe.webhooks.constructEvent(body, headers["stripe-signature"], SECRET).type, "customer.subscription.updated");
    assert.deepEqual(await send("stripe", body, headers).then(({ status, json }) => [status, json]), [200, { received: true }]);
    await isActive("stella");
    await shop.answered("stella", 200);
  });

  test("Paddle", async () => {
    const body = JSON.stringify(paddleBody());
    const headers = paddleHeaders(body, PADDLE_SECRET);
    const paddle = new Paddle("pdl_sdbx_apikey_pretend", { environment: Environment.sandbox });
    assert.equal((await paddle.webhooks.unmarshal(body, PADDLE_SECRET, headers["paddle-signature"])).data.customData.tollgate_account, JSON.parse(body).data.custom_data.tollgate_account);
    assert.equal((await send("paddle", body, headers)).status, 200);
    await isActive("paula");
    await shop.answered("paula", 200);
  });

  test("Lemon Squeezy, whose SDK verifies nothing", async () => {
    const body = JSON.stringify(lemonSqueezyBody());
    assert.equal((await send("lemonsqueezy", body, lemonSqueezyHeaders(body, LEMON_SECRET))).status, 200);
    await isActive("lea");
    await shop.answered("lea", 200);
  });

  test("Polar", async () => {
    const body = JSON.stringify(polarBody());
    const headers = polarHeaders(body, POLAR_SECRET, { id: "msg_polar" });
    assert.equal(validateEvent(body, headers, POLAR_SECRET).data.customer.externalId, "pola");
    assert.equal((await send("standard", body, headers)).status, 200);
    await isActive("pola");
    await shop.answered("pola", 200);
  });

  test("Standard Webhooks", async () => {
    const body = JSON.stringify(polarBody({ account: "stan", customer_id: "8f3c7a2e-5a60-4a8e-9b3c-00000000000a", id: "8f3c7a2e-5a60-4a8e-9b3c-00000000000b" }));
    const at = new Date();
    const signature = new Webhook(STANDARD_SECRET).sign("msg_stan", at, body);
    const headers = { "webhook-id": "msg_stan", "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)), "webhook-signature": signature };
    assert.deepEqual(standardHeaders(body, STANDARD_SECRET, { id: "msg_stan", at: Number(headers["webhook-timestamp"]) }), headers, "what we sign by hand is what the library signs");
    assert.equal((await send("standard", body, headers)).status, 200);
    await isActive("stan");
  });
});

describe("what is refused, and says why", () => {
  const refused = async (answer, pattern, status = 400) => {
    const { status: found, type, json, text } = await answer;
    assert.equal(found, status, text);
    assert.match(type, /^application\/problem\+json/);
    assert.match(`${json.title} ${json.detail}`, pattern);
  };

  test("another secret, and a body that was changed", async () => {
    await refused(sendStripe(stripeEvent("mallory"), { secret: "whsec_somebody_elses" }), /signature/i);
    const body = JSON.stringify(stripeEvent("mallory"));
    await refused(send("stripe", body.replace("mallory", "mallorX"), stripeHeaders(body, SECRET)), /signature/i);
    await refused(send("stripe", `${body} `, stripeHeaders(body, SECRET)), /signature/i);
    const paddle = JSON.stringify(paddleBody({ id: "evt_mallory", account: "mallory" }));
    await refused(send("paddle", paddle, paddleHeaders(paddle, "pdl_other_secret")), /signature/i);
    const lemon = JSON.stringify(lemonSqueezyBody({ account: "mallory" }));
    await refused(send("lemonsqueezy", lemon, lemonSqueezyHeaders(lemon, "other-secret")), /signature/i);
    const polar = JSON.stringify(polarBody({ account: "mallory" }));
    await refused(send("standard", polar, polarHeaders(polar, "polar_whs_other")), /signature/i);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal((await shop.record("mallory"))?.subscriptions?.length ?? 0, 0);
  });

  test("no signature, or one that is none", async () => {
    const body = JSON.stringify(stripeEvent("mallory"));
    for (const headers of [{}, { "stripe-signature": "" }, { "stripe-signature": "t=1" }, { "stripe-signature": `v1=${"0".repeat(64)}` }, { "stripe-signature": "nonsense" }, { "stripe-signature": stripeHeaders(body, SECRET)["stripe-signature"].replace("v1=", "v0=") }]) {
      await refused(send("stripe", body, headers), /sign/i);
    }
  });

  const [OLD, FUTURE] = [/signed \d+ seconds ago/, /future|ahead|from now/];

  test("old timestamps, and those of the future", async () => {
    const event = stripeEvent("mallory");
    await refused(sendStripe(event, { at: seconds() - 400 }), OLD);
    await refused(sendStripe(event, { at: seconds() + 400 }), FUTURE);
    const body = JSON.stringify(polarBody({ account: "mallory" }));
    for (const [at, says] of [[seconds() - 400, OLD], [seconds() + 400, FUTURE]]) {
      assert.throws(() => validateEvent(body, polarHeaders(body, POLAR_SECRET, { at }), POLAR_SECRET));
      await refused(send("standard", body, polarHeaders(body, POLAR_SECRET, { at })), says);
    }
    const paddle = JSON.stringify(paddleBody({ account: "mallory" }));
    await refused(send("paddle", paddle, paddleHeaders(paddle, PADDLE_SECRET, { at: seconds() - 4_000 })), OLD);
  });

  test("what is no event: refused, or kept for the operator to see, and never applied", async () => {
    for (const [index, body] of ["null", "[]", "{}", '{"id":"evt_1"}', '{"id":1,"type":2}', "not json", '{"id":"evt_1","id":"evt_2","type":"x"}', `{"id":"evt_bare","type":"invoice.paid","created":${seconds()},"data":{"object":{}}}`].entries()) {
      const { status, text } = await send("stripe", body, stripeHeaders(body, SECRET));
      assert.ok([200, 400].includes(status), `${index}: ${status} ${text}`);
    }
    await refused(send("stripe", "", { "stripe-signature": `t=${seconds()},v1=${"0".repeat(64)}` }), /./);
    for (const { state, reason } of await shop.events("&state=failed")) assert.ok(state === "failed" && reason, "and it says why");
    const applied = (await shop.events("&state=applied")).map(({ id }) => id);
    for (const id of ["evt_1", "evt_2", "evt_bare"]) assert.ok(!applied.includes(id), id);
  });

  test("too much at once", async () => {
    const body = JSON.stringify({ ...stripeEvent("mallory"), padding: "x".repeat(600 * 1_024) });
    await refused(send("stripe", body, stripeHeaders(body, SECRET)), /./, 413);
  });

  test("other methods, and providers that nobody configured", async () => {
    assert.equal((await shop.ask("/_tollgate/webhooks/stripe")).status, 405);
    assert.equal((await shop.ask("/_tollgate/webhooks/paypal", null, { method: "POST", body: "{}" })).status, 404);
    const bare = await startShop({ vars: { BILLING: undefined, STRIPE_WEBHOOK_SECRET: undefined, STRIPE_API_KEY: undefined } });
    try {
      const body = JSON.stringify(stripeEvent("mallory"));
      assert.equal((await send("stripe", body, stripeHeaders(body, SECRET), bare)).status, 404);
    } finally {
      await bare.stop();
    }
  });
});

describe("what is taken", () => {
  test("may be signed with the secret before, while it is changed", async () => {
    assert.equal((await sendStripe(stripeEvent("rita"), { secret: OLD_SECRET })).status, 200);
    const body = JSON.stringify(stripeEvent("rita"));
    const [first, second] = ["whsec_gone", SECRET].map((secret) => stripeHeaders(body, secret)["stripe-signature"]);
    assert.equal((await send("stripe", body, { "stripe-signature": `${first},${second.split(",")[1]}` })).status, 200, "several signatures, one of which is good");
    await isActive("rita");
  });

  test("a second time, changes nothing", async () => {
    const event = stripeEvent("dora");
    const credits = (account) => shop.record(account);
    for (let time = 0; time < 3; time += 1) assert.equal((await sendStripe(event)).json.received, true);
    await isActive("dora");
    const before = await credits("dora");
    assert.equal((await sendStripe(event)).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(await credits("dora"), before);
    const listed = (await shop.events()).filter(({ id }) => id === event.id);
    assert.equal(listed.length, 1, "it is listed once");
  });

  test("and is of a type that nobody knows, is listed as ignored", async () => {
    const event = { ...stripeEvent(null, { type: "tea.kettle.boiled" }), data: { object: { id: "kettle_1", object: "kettle" } } };
    assert.equal((await sendStripe(event)).status, 200);
    const entry = await shop.until(async () => (await shop.events("&state=ignored")).find(({ id }) => id === event.id), Boolean, "the event is listed");
    assert.deepEqual([entry.provider, entry.type, entry.state], ["stripe", "tea.kettle.boiled", "ignored"]);
    const whole = await shop.operate("GET", `events/stripe/${event.id}`);
    assert.equal((typeof whole.body === "string" ? JSON.parse(whole.body) : whole.body).type, "tea.kettle.boiled");
  });

  test("about a customer whom nobody knows, waits until it is said who that is", async () => {
    const event = stripeEvent(null, { customer: "cus_wanda" });
    assert.equal((await sendStripe(event)).status, 200);
    const waiting = () => shop.events("&state=waiting");
    await shop.until(waiting, (events) => events.some(({ id, customer }) => id === event.id && customer === "cus_wanda"), "the event waits");
    await shop.operate("PUT", "customers/stripe/cus_wanda", { account: "-/wanda" });
    await isActive("wanda");
    await shop.answered("wanda", 200);
    assert.ok(!(await waiting()).some(({ id }) => id === event.id));
    assert.deepEqual((await shop.operate("GET", "customers/stripe/cus_wanda")).account, "-/wanda");
  });

  test("about such a customer, waits for another event that says it", async () => {
    const early = stripeEvent(null, { customer: "cus_walter" });
    await sendStripe(early);
    const { object } = stripeEvent("walter").data;
    const named = { ...stripeEvent("walter", { type: "customer.updated" }), data: { object: { id: "cus_walter", object: "customer", metadata: object.metadata, email: null, created: seconds() } } };
    assert.equal((await sendStripe(named)).status, 200);
    await isActive("walter");
  });
});

describe("a runtime that is killed", () => {
  test("between the receipt and the application loses nothing", async () => {
    const persist = mkdtempSync(join(tmpdir(), "tollgate-"));
    const killed = await startShop({ start: startControlledGate, persist });
    try {
      const accounts = Array.from({ length: 12 }, (_, index) => `kim${index}`);
      for (const account of accounts) {
        const [event, unknown] = [stripeEvent(account), stripeEvent(null, { customer: `cus_later_${account}` })];
        for (const one of [event, unknown]) {
          const body = JSON.stringify(one);
          assert.equal((await send("stripe", body, stripeHeaders(body, SECRET), killed)).status, 200);
        }
        if (account.endsWith("3") || account.endsWith("7")) await restart(killed);
      }
      await restart(killed);
      for (const account of accounts) {
        await killed.until(() => killed.record(account), (record) => record?.subscriptions?.[0]?.status === "active", `${account} is subscribed`);
      }
      const waiting = await killed.until(() => killed.events("&state=waiting"), (events) => events.length === accounts.length, "every event without an account waits");
      assert.deepEqual(new Set(waiting.map(({ customer }) => customer)), new Set(accounts.map((account) => `cus_later_${account}`)));
    } finally {
      await killed.stop();
      rmSync(persist, { recursive: true });
    }
  });
});

async function restart(one) {
  const { pid } = one.gate;
  process.kill(pid, "SIGKILL");
  await untilTrue(() => !runtimesOfThisProcess().includes(pid), "the runtime is gone");
  await one.gate.stop();
  await one.open();
}
