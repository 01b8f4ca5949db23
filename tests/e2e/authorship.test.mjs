// Trust follows authorship: a buyer's data in a checkout moves nobody's money, through the built
// Worker and with the signatures that the providers make.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { GATE_SECRET, reference, referenceTo } from "./fixtures/references.mjs";
import { PLANS, SECRET, startShop } from "./fixtures/shop.mjs";
import { lemonSqueezyHeaders, paddleHeaders, polarHeaders, seconds, stripeHeaders } from "./fixtures/signing.mjs";
import { lemonSqueezyBody, paddleBody, polarBody } from "./fixtures/provider_bodies.mjs";
import { ROOT } from "./harness.mjs";

const PADDLE_SECRET = "pdl_ntfset_01pretend_secret";
const LEMON_SECRET = "lemon-signing-secret";
const POLAR_SECRET = "polar_whs_as_it_is_shown";
const MOST = "9007199254740991";
const [PRO, TEAM] = PLANS;
const ROUTES = [
  { match: "/articles/**", requires: ["premium"] },
  { match: "/calls/**", meter: "api", cost: 1 },
  { match: "/**", open: true },
];

let shop, portals, number = 0;

before(async () => {
  portals = await startPortals();
  const api = { api_url: portals.url };
  shop = await startShop({
    vars: {
      ROUTES,
      PLANS: [
        { ...PRO, prices: [...PRO.prices, "pri_pro", "4711", "prod_polar_pro"], quotas: [{ meter: "api", limit: 1000, per: "month" }] },
        { id: "small", name: "Small", price: "€1", entitlements: ["premium"], prices: ["price_small", "pri_small", "4712", "prod_polar_small"], quotas: [{ meter: "api", limit: 5, per: "month" }] },
        TEAM,
      ],
      BILLING: [
        { provider: "paddle", ...api, on_dispute: "suspend", credits: [{ price: "pri_units", units: 500, max_quantity: 3 }] },
        { provider: "lemonsqueezy", ...api, store: "12345", credits: [{ price: "91", units: 500 }] },
        { provider: "standard", ...api, credits: [{ price: "prod_units", units: 500 }] },
        { provider: "stripe", ...api, on_dispute: "suspend" },
      ],
      PADDLE_WEBHOOK_SECRET: PADDLE_SECRET,
      PADDLE_API_KEY: "pdl_live_key_of_the_tests",
      LEMONSQUEEZY_WEBHOOK_SECRET: LEMON_SECRET,
      LEMONSQUEEZY_API_KEY: "lemon-key-of-the-tests",
      STANDARD_WEBHOOK_SECRET: POLAR_SECRET,
      STANDARD_API_KEY: "polar_oat_of_the_tests",
    },
  });
});
after(async () => {
  await shop?.stop();
  await portals?.stop();
});

let victim, mallory, customer;
beforeEach(() => {
  number += 1;
  [victim, mallory, customer] = [`victim${number}`, `mallory${number}`, `${7000 + number}`];
});

/** The providers' APIs, as far as a portal is asked for. `calls` shows whose portal was made. */
async function startPortals() {
  const calls = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      calls.push(`${request.method} ${request.url}`);
      const url = `http://127.0.0.1:${server.address().port}/portal`;
      const links = { data: { urls: { general: { overview: url } }, attributes: { urls: { customer_portal: url } } }, customer_portal_url: url, url };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(links));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, calls, stop };
}

async function post(provider, body, headers) {
  const init = { method: "POST", headers: { "content-type": "application/json", ...headers }, body };
  const answer = await shop.ask(`/_tollgate/webhooks/${provider}`, null, init);
  assert.equal(answer.status, 200, answer.text);
}

const sent = { paddle: 0 };
const later = () => new Date(Date.now() + (sent.paddle += 1)).toISOString();

/** Each provider's events about `account`'s subscription and payment, under one customer. */
const PROVIDERS = {
  paddle: {
    key: () => `ctm_${customer}`,
    async send(kind, account, { id, custom, ...more } = {}) {
      const data = {
        subscribed: { type: "subscription.updated", id: id ?? `sub_of_${account}`, ...more },
        paid: { type: "transaction.completed", id: `txn_${account}_${later()}`, subscription_id: id ?? `sub_of_${account}`, details: { totals: { grand_total: "900" } }, ...more },
        failed: { type: "transaction.payment_failed", id: `txn_${account}_f`, payments: [{ error_code: "fraud", created_at: later() }], ...more },
      }[kind];
      const { type, id: object, ...fields } = data;
      const custom_data = custom ?? (account === null ? null : { tollgate_account: referenceTo(account) });
      const body = JSON.stringify(paddleBody({ type, account: "nobody", ...fields, customer_id: this.key(), custom_data, occurredAt: later() }));
      const whole = JSON.parse(body);
      whole.event_id = `evt_${number}_${sent.paddle}`;
      whole.data.id = object;
      const text = JSON.stringify(whole);
      await post("paddle", text, paddleHeaders(text, PADDLE_SECRET));
    },
  },
  lemonsqueezy: {
    key: () => customer,
    async send(kind, account, { id, custom, ...more } = {}) {
      const subscription = id ?? `${account ?? "x"}`.replace(/\D/g, "").padStart(3, account?.startsWith("v") ? "1" : "2");
      const types = { subscribed: ["subscription_updated", "subscriptions"], paid: ["subscription_payment_success", "subscription-invoices"], failed: ["subscription_payment_failed", "subscription-invoices"] };
      const [type, family] = types[kind];
      const body = lemonSqueezyBody({ type, account: "nobody", customer_id: Number(this.key()), subscription_id: Number(subscription), total: 900, updated_at: later(), ...more });
      body.meta.custom_data = custom ?? (account === null ? undefined : { tollgate_account: referenceTo(account) });
      Object.assign(body.data, { type: family, id: family === "subscriptions" ? subscription : `9${subscription}${sent.paddle}` });
      const text = JSON.stringify(body);
      await post("lemonsqueezy", text, lemonSqueezyHeaders(text, LEMON_SECRET));
    },
  },
  standard: {
    key: () => `8f3c7a2e-0000-4000-8000-00000000${customer}`,
    async send(kind, account, { id, custom, ...more } = {}) {
      const subscription = id ?? `sub_of_${account}`;
      const metadata = custom ?? (account === null ? {} : { tollgate_account: referenceTo(account) });
      const at = later();
      const whole = kind === "subscribed"
        ? polarBody({ account: null, id: subscription, customer_id: this.key(), metadata, timestamp: at, ...more })
        : { type: "order.paid", timestamp: at, data: { id: `ord_${account}_${at}`, customer_id: this.key(), subscription_id: subscription, product_id: "prod_polar_pro", total_amount: kind === "paid" ? 900 : 0, created_at: at, metadata, ...more } };
      const text = JSON.stringify(whole);
      await post("standard", text, polarHeaders(text, POLAR_SECRET, { id: `msg_${number}_${sent.paddle}` }));
    },
  },
};

/** Whether the account is led to a portal of this customer, and how many portals were made. */
async function portal(account) {
  const before = portals.calls.length;
  const answer = await shop.ask("/_tollgate/billing/portal?return=/", account, { headers: { accept: "application/json" } });
  const made = portals.calls.slice(before).filter((call) => /portal-sessions$|customer-sessions\/$|^GET \/v1\/customers\/\d+$/.test(call));
  return { to: answer.json?.url, made };
}

const subscriptions = async (account) => (await shop.record(account))?.subscriptions ?? [];
const isActive = (account, count = 1) => shop.until(() => subscriptions(account), (all) => all.filter((one) => one.status === "active").length === count, `${account} has ${count}`);
const settled = () => shop.until(() => shop.events("&state=received"), (events) => events.length === 0, "everything is delivered");

for (const [provider, of] of Object.entries(PROVIDERS)) {
  describe(`at ${provider}`, () => {
    test("a victim's portal opens for nobody who types the victim's address", async () => {
      await of.send("subscribed", victim);
      await of.send("paid", victim);
      await isActive(victim);
      assert.equal((await portal(victim)).made.length, 1, "the victim's own");
      await of.send("failed", mallory);
      await settled();
      for (const account of [mallory, victim]) {
        const { to, made } = await portal(account);
        assert.deepEqual([to, made], ["https://shop.example.test/account", []], account);
      }
      await isActive(victim);
      const { items } = await shop.operate("GET", "conflicts?limit=100");
      const found = items.find(({ customer: id }) => id === of.key());
      assert.deepEqual(found.named.map(({ account }) => account), [`-/${victim}`, `-/${mallory}`]);
      const trail = (await shop.operate("GET", `accounts/-/${victim}/audit`)).items;
      assert.ok(trail.some(({ action, actor }) => action === "customer-conflict" && actor === provider));
      // An operator decides, and no event undoes that.
      await shop.operate("PUT", `customers/${provider}/${of.key()}`, { account: victim });
      await of.send("paid", mallory);
      await of.send("failed", mallory);
      await settled();
      assert.equal((await portal(mallory)).to, "https://shop.example.test/account");
      assert.equal((await portal(victim)).to, `${portals.url}/portal`);
      for (const account of [victim, mallory]) {
        const { items: entries } = await shop.operate("GET", `accounts/-/${account}/audit`);
        assert.ok(entries.some(({ action, actor }) => action === "link-customer" && actor === "admin"), account);
      }
    });

    test("a name, a number or a stranger's reference in custom data grants and moves nothing", async () => {
      await of.send("subscribed", victim);
      await of.send("paid", victim);
      await isActive(victim);
      const before = await shop.record(victim);
      const hostile = [victim, `-/${victim}`, { id: victim }, 7, reference("another secret of at least 32 bytes", `-/${victim}`, Date.now() + 9e7)];
      for (const [index, name] of hostile.entries()) {
        const custom = { tollgate_account: name, tollgate_credits: MOST };
        customer = `9${number}${index}00`;
        await of.send("subscribed", mallory, { id: `66${number}${index}`, custom });
        await of.send("paid", mallory, { id: `66${number}${index}`, custom });
      }
      await settled();
      assert.deepEqual(await shop.record(victim), before);
      assert.equal((await shop.operate("GET", `accounts/-/${victim}/credits`)).items.length, 0);
      const waiting = (await shop.events("&state=waiting")).filter((event) => event.provider === provider);
      assert.ok(waiting.some(({ reason }) => /can be written by the payer, and is not signed/.test(reason)), JSON.stringify(waiting[0]));
    });

    test("a stranger's smaller plan, failed charge and dispute under the victim's address take nothing away", async () => {
      await of.send("subscribed", victim);
      await of.send("paid", victim);
      await isActive(victim);
      const small = { paddle: { items: [{ status: "active", quantity: 1, price: { id: "pri_small" } }] }, lemonsqueezy: { variant_id: 4712, product_id: 1 }, standard: { product_id: "prod_polar_small" } }[provider];
      await of.send("subscribed", null, { id: `1${number}`, ...small });
      await isActive(victim, 2);
      const policy = await shop.until(() => shop.ask("/calls/one", victim), ({ status }) => status === 200, "the call passes");
      assert.match(policy.headers.get("ratelimit-policy"), /q=1000/);
      await of.send("subscribed", null, { id: `1${number}`, ...small, status: "past_due" });
      await settled();
      const served = await shop.ask("/articles/one", victim);
      assert.deepEqual([served.status, served.headers.get("tollgate-notice")], [200, null]);
    });
  });
}

describe("units come from prices", () => {
  const credits = async (account) => (await shop.operate("GET", `accounts/-/${account}/credits`)).items.map(({ units }) => units);

  test("of Paddle, whatever the custom data says", async () => {
    const items = (quantity) => [{ quantity, price: { id: "pri_units", product_id: "pro_9" } }];
    const custom = { tollgate_account: referenceTo(mallory), tollgate_credits: MOST };
    await PROVIDERS.paddle.send("subscribed", mallory);
    await PROVIDERS.paddle.send("paid", mallory, { custom });
    await isActive(mallory);
    await settled();
    assert.deepEqual(await credits(mallory), [], "nothing of the table was bought");
    await PROVIDERS.paddle.send("paid", mallory, { custom, items: items(2), subscription_id: null });
    await PROVIDERS.paddle.send("paid", mallory, { custom, items: items(9_000_000), subscription_id: null });
    await PROVIDERS.paddle.send("paid", mallory, { custom, items: items(1), subscription_id: null, details: { totals: { grand_total: "0" } } });
    await settled();
    assert.deepEqual((await credits(mallory)).sort(), [1000, 1500], "as many as one order may, and none for nothing");
  });

  test("of Lemon Squeezy, also of an order of 0 cents", async () => {
    const order = async (id, attributes) => {
      const body = lemonSqueezyBody({ type: "order_created", customer_id: Number(customer), status: "paid", total: 900, updated_at: later(), ...attributes });
      body.meta.custom_data = { tollgate_account: referenceTo(mallory), tollgate_credits: MOST };
      Object.assign(body.data, { type: "orders", id });
      const text = JSON.stringify(body);
      await post("lemonsqueezy", text, lemonSqueezyHeaders(text, LEMON_SECRET));
    };
    const units = { first_order_item: { variant_id: 91, product_id: 9, quantity: 1 } };
    await order(`1${number}`, { total: 0, ...units });
    await order(`2${number}`, { first_order_item: { variant_id: 92, product_id: 9, quantity: 1 } });
    await order(`3${number}`, units);
    await settled();
    await shop.until(() => credits(mallory), (all) => all.length > 0, "what was paid for is there");
    assert.deepEqual(await credits(mallory), [500]);
  });
});

describe("other modes, stores and accounts", () => {
  test("are listed with the reason, and open nothing", async () => {
    const event = (more) => ({ id: `evt_mode_${(sent.paddle += 1)}`, object: "event", type: "customer.subscription.updated", created: seconds(), livemode: true,
      data: { object: { id: `sub_${sent.paddle}`, object: "subscription", customer: `cus_${mallory}`, status: "active", metadata: { tollgate_account: mallory }, items: { data: [{ price: { id: "price_pro" } }] } } }, ...more });
    const ids = [];
    for (const more of [{ livemode: false }, { account: "acct_x" }]) {
      const one = event(more);
      ids.push(one.id);
      const body = JSON.stringify(one);
      await post("stripe", body, stripeHeaders(body, SECRET));
    }
    for (const more of [{ store_id: 999 }, { test_mode: true }]) await PROVIDERS.lemonsqueezy.send("subscribed", mallory, more);
    await settled();
    assert.equal(await shop.record(mallory), null);
    const ignored = await shop.events("&state=ignored");
    const reasons = ignored.map(({ reason }) => reason).join("\n");
    for (const said of [/test mode: `test = true` in BILLING/, /connected account acct_x/, /of the store 999, and BILLING's is 12345/]) assert.match(reasons, said);
  });
});

describe("a reference", () => {
  test("is the same from Node, from Python and from the command line's gate", async () => {
    const guide = readFileSync(join(ROOT, "docs/billing.md"), "utf8");
    const [, python] = /```python\n(import base64[\s\S]*?)```/.exec(guide);
    const account = "acme/ålice%2F";
    const expiresAt = 1_800_000_000_000;
    const script = `${python}\nprint(reference(${JSON.stringify(GATE_SECRET)}, ${JSON.stringify(account)}, ${expiresAt / 1000}))`;
    const made = execFileSync("python3", ["-c", script], { encoding: "utf8" }).trim();
    assert.equal(made, reference(GATE_SECRET, account, expiresAt));
  });

  test("stands in a payment link, and its payment finds the account", async () => {
    const linked = await startShop({ vars: { STRIPE_API_KEY: undefined, PLANS: [{ ...PRO, buy_url: "https://buy.stripe.com/abc?client_reference_id={reference}" }] } });
    try {
      const answer = await linked.ask("/articles/one", "lina", { headers: { accept: "application/json" } });
      assert.equal(answer.status, 402);
      const { href } = answer.json.remedies.find(({ href }) => href?.startsWith("https://buy.stripe.com/"));
      const client_reference_id = new URL(href).searchParams.get("client_reference_id");
      assert.match(client_reference_id, /^tgr_[\w-]{1,196}$/);
      assert.doesNotMatch(href, /lina/);
      const send = async (type, object) => {
        const body = JSON.stringify({ id: `evt_link_${type}`, object: "event", type, created: seconds(), livemode: true, data: { object } });
        const init = { method: "POST", headers: stripeHeaders(body, SECRET), body };
        assert.equal((await linked.ask("/_tollgate/webhooks/stripe", null, init)).status, 200);
      };
      const base = { object: "subscription", id: "sub_link", customer: "cus_link", status: "active", metadata: {}, items: { data: [{ price: { id: "price_pro" } }] } };
      await send("customer.subscription.created", base);
      await send("checkout.session.completed", { id: "cs_link", object: "checkout.session", mode: "subscription", created: seconds(), customer: "cus_link", subscription: "sub_link", client_reference_id, payment_status: "paid", amount_total: 900, metadata: {} });
      await linked.answered("lina", 200);
    } finally {
      await linked.stop();
    }
  });
});

test("a support operator gives nobody's customer away", async () => {
  const tokens = JSON.stringify([{ name: "sam", role: "support", token: "a-support-token-of-the-tests" }]);
  const small = await startShop({ vars: { ADMIN_TOKENS: tokens } });
  try {
    const as = async (token, body) => {
      const init = { method: "PUT", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(body) };
      return small.ask("/_tollgate/admin/customers/stripe/cus_rich", null, init);
    };
    assert.equal((await as("a-support-token-of-the-tests", { account: "rich" })).status, 200, "nobody had it");
    const refused = await as("a-support-token-of-the-tests", { account: "friend" });
    assert.deepEqual([refused.status, /takes the role admin/.test(refused.json.detail)], [403, true]);
    assert.equal((await small.operate("PUT", "customers/stripe/cus_rich", { account: "friend" })).account, "-/friend");
    for (const [account, actors] of [["rich", ["admin", "sam"]], ["friend", ["admin"]]]) {
      const { items } = await small.operate("GET", `accounts/-/${account}/audit`);
      assert.deepEqual(items.filter(({ action }) => action === "link-customer").map(({ actor }) => actor), actors, account);
    }
  } finally {
    await small.stop();
  }
});
