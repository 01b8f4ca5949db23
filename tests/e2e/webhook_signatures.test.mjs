// Webhooks of Paddle, Lemon Squeezy, Polar and of a system of the operator's own, in the built gate:
// what the providers' own libraries sign or accept reaches the record, and anything else is refused.

import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign as signWith } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { Paddle } from "@paddle/paddle-node-sdk";
import { validateEvent } from "@polar-sh/sdk/webhooks";
import { Webhook } from "standardwebhooks";
import { GATE_SECRET, referenceTo } from "./fixtures/references.mjs";
import { startDirectGate, until } from "./fixtures/runtime.mjs";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startOrigin } from "./harness.mjs";

const PADDLE_SECRET = "pdl_ntfset_of_the_tests";
const LEMON_SECRET = "a_secret_of_the_tests";
const POLAR_SECRET = "polar_whs_of_the_tests";
const OWN_SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes, ok").toString("base64")}`;
const ED = generateKeyPairSync("ed25519");
const ED_PUBLIC = `whpk_${ED.publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64")}`;

const hmac = (secret, text, encoding) => createHmac("sha256", secret).update(text).digest(encoding);
const seconds = () => Math.floor(Date.now() / 1000);
const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString();

let origin, gate, number = 0, account;

before(async () => {
  origin = await startOrigin((_, response) => response.end("ok"));
  const issuer = await makeIssuer();
  gate = await startDirectGate({
    origin,
    vars: {
      ROUTES: [{ match: "/**", open: true }],
      PLANS: [{ id: "pro", prices: ["pri_pro", "21", "prod_pro"], entitlements: ["premium"] }],
      ISSUERS: [issuerVar(issuer, { subscription: "account" })],
      BILLING: ["paddle", "lemonsqueezy", "standard"].map((provider) => ({ provider })),
      PADDLE_WEBHOOK_SECRET: PADDLE_SECRET,
      LEMONSQUEEZY_WEBHOOK_SECRET: `an_older_one ${LEMON_SECRET}`,
      STANDARD_WEBHOOK_SECRET: `${POLAR_SECRET} ${OWN_SECRET} ${ED_PUBLIC}`,
      ADMIN_TOKEN,
      GATE_SECRET,
      LOG: "off",
    },
  });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

beforeEach(() => {
  number += 1;
  account = `account${number}`;
});

async function send(provider, body, headers) {
  const answer = await gate.fetch(`/_tollgate/webhooks/${provider}`, { method: "POST", body, headers });
  return [answer.status, await answer.text()];
}

/** Sends it with its signature, then with another body, and looks for it in the record. */
async function assertTaken(provider, body, headers) {
  const [refused, why] = await send(provider, body.replace("active", "trialing"), headers);
  assert.equal(refused, 400, why);
  const [status, said] = await send(provider, body, headers);
  assert.equal(status, 200, said);
  const operator = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };
  const found = async () => {
    const answer = await gate.fetch(`/_tollgate/admin/accounts/-/${account}`, operator);
    return answer.ok ? (await answer.json()).subscriptions?.[0] : undefined;
  };
  await until(async () => (await found())?.status === "active", `${provider}'s subscription is in the record`);
  const { plan, provider: told } = await found();
  assert.deepEqual([plan, told], ["pro", provider]);
}

function standard(type, data, id = `msg_${number}`) {
  const now = new Date();
  return { id, now, body: JSON.stringify({ type, timestamp: now.toISOString(), data }) };
}

const fields = ({ id, now }, signature, prefix = "webhook") => ({
  [`${prefix}-id`]: id,
  [`${prefix}-timestamp`]: `${Math.floor(now / 1000)}`,
  [`${prefix}-signature`]: signature,
});

const own = () => standard("tollgate.subscription", { account, id: "s1", plan: "pro", status: "active" });

describe("a webhook", () => {
  test("of Paddle, as its SDK accepts it", async () => {
    const data = {
      id: `sub_${number}`, status: "active", customer_id: `ctm_${number}`, custom_data: { tollgate_account: referenceTo(account) },
      current_billing_period: { starts_at: inDays(-1), ends_at: inDays(29) },
      items: [{ status: "active", quantity: 1, price: { id: "pri_pro", product_id: "pro_1" } }],
    };
    const body = JSON.stringify({ event_id: `evt_${number}`, event_type: "subscription.updated", occurred_at: inDays(0), data });
    const ts = seconds();
    const signature = `ts=${ts};h1=${hmac(PADDLE_SECRET, `${ts}:${body}`, "hex")}`;
    assert.equal(await new Paddle("key").webhooks.isSignatureValid(body, PADDLE_SECRET, signature), true);
    await assertTaken("paddle", body, { "paddle-signature": signature });
  });

  test("of Lemon Squeezy", async () => {
    const attributes = { customer_id: number, variant_id: 21, status: "active", renews_at: inDays(29), updated_at: inDays(0) };
    const meta = { event_name: "subscription_updated", custom_data: { tollgate_account: referenceTo(account) } };
    const body = JSON.stringify({ meta, data: { type: "subscriptions", id: `${number}`, attributes } });
    await assertTaken("lemonsqueezy", body, { "x-signature": hmac(LEMON_SECRET, body, "hex"), "x-event-name": "subscription_updated" });
  });

  test("of Polar, as its SDK accepts it", async () => {
    const data = {
      id: `sub_${number}`, status: "active", customer_id: `cus_${number}`, product_id: "prod_pro",
      metadata: { tollgate_account: referenceTo(account) },
      current_period_end: inDays(29), customer: { id: `cus_${number}`, external_id: "somebody-else", metadata: {} },
    };
    const message = standard("subscription.active", data);
    const signed = `${message.id}.${Math.floor(message.now / 1000)}.${message.body}`;
    const headers = fields(message, `v1,${hmac(POLAR_SECRET, signed, "base64")}`);
    // The SDK goes on to read the whole object, of which this is a part: no matter here.
    const judge = (secret) => () => validateEvent(message.body, headers, secret);
    assert.throws(judge("polar_whs_another"), { name: "Error", message: /signature/ });
    assert.throws(judge(POLAR_SECRET), (error) => !/signature/.test(error.message));
    await assertTaken("standard", message.body, headers);
  });

  test("of an own system, signed by the library for it", async () => {
    const message = own();
    const signature = new Webhook(OWN_SECRET).sign(message.id, message.now, message.body);
    await assertTaken("standard", message.body, fields(message, signature));
  });

  test("of an own system, under Svix's names and with a private key", async () => {
    const message = own();
    const signed = `${message.id}.${Math.floor(message.now / 1000)}.${message.body}`;
    const signature = signWith(null, Buffer.from(signed), ED.privateKey).toString("base64");
    await assertTaken("standard", message.body, fields(message, `v1a,${signature}`, "svix"));
  });
});

test("what is signed with another secret, too old or not at all is refused, and why is said", async () => {
  const message = own();
  const { body } = message;
  const other = new Webhook("whsec_QW5vdGhlciBzZWNyZXQgb2YgMjQgYnl0ZXM=").sign(message.id, message.now, body);
  assert.equal((await send("standard", body, fields(message, other)))[0], 400);
  const old = { ...message, now: new Date(Date.now() - 600_000) };
  const signature = new Webhook(OWN_SECRET).sign(old.id, old.now, body);
  const [status, why] = await send("standard", body, fields(old, signature));
  assert.equal(status, 400);
  assert.match(why, /signed 6\d\d seconds ago, expected at most 300/);
  const [, missing] = await send("standard", body, {});
  assert.match(missing, /webhook-id is missing/);
  const [, malformed] = await send("paddle", body, { "paddle-signature": "ts=now" });
  assert.match(malformed, /paddle-signature is not ts=/);
});
