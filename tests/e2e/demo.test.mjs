// The demo site behind its gate, as `npm start` shows it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { exportJWK, importJWK } from "jose";
import { readGate } from "../../www/demo/gate.mjs";
import { startOrigin } from "../../www/demo/origin.mjs";
import { OPINIONS } from "../../www/demo/pages.mjs";
import { mint } from "../../www/demo/readers.mjs";
import { openShop, startShop } from "../../www/demo/selling.mjs";
import { until } from "./fixtures/gazette.mjs";
import { leftOf, newReader } from "./fixtures/readers.mjs";
import { makeIssuer, ROOT, startGate } from "./harness.mjs";

const [API_KEY, SECRET] = ["sk_test_demo", "whsec_demo_signing_secret"];
const ARTICLE = "/articles/the-last-mile";

let gate, loginKey, origin, provider;

before(async () => {
  const [login, signer] = [await makeIssuer({ kid: "login" }), await makeIssuer({ kid: "gate" })];
  loginKey = { kid: login.kid, privateKey: login.privateKey, publicKey: await importJWK(login.jwk) };
  origin = await startOrigin({ port: 0, loginKey, assertionJwk: signer.jwk, setRecord: () => {} });
  provider = await startShop({ port: 0, apiKey: API_KEY, webhookSecret: SECRET });
  const options = { gateUrl: "http://127.0.0.1:8787", originPort: origin.address().port, providerUrl: provider.url, loginJwk: login.jwk };
  const vars = {
    ...readGate(ROOT, options).vars,
    ALLOWANCE_KEY: "a-secret-of-thirty-two-bytes-at-least",
    STRIPE_API_KEY: API_KEY,
    STRIPE_WEBHOOK_SECRET: SECRET,
    ASSERTION_KEY: JSON.stringify({ ...(await exportJWK(signer.privateKey)), kid: signer.kid }),
  };
  gate = await startGate({ vars });
  await openShop(provider, gate.url);
});

after(async () => {
  await gate?.stop();
  await provider?.stop();
  origin?.closeAllConnections();
  origin?.close();
});

test("three opinions are free, the fourth is for sale, and who has paid reads on", async () => {
  const reader = newReader(gate);
  const slugs = Object.keys(OPINIONS);
  for (const [index, slug] of slugs.slice(0, 3).entries()) {
    const response = await reader.ask(`/opinion/${slug}`);
    assert.deepEqual([response.status, leftOf(response)], [200, 2 - index]);
    assert.match(await response.text(), /let you read this for free/);
  }
  const refused = await reader.ask(`/opinion/${slugs[3]}`);
  assert.equal(refused.headers.get("tollgate-cause"), "allowance-exhausted");
  const alice = { headers: { authorization: `Bearer ${await mint(loginKey, "alice")}` } };
  assert.match(await (await reader.ask(`/opinion/${slugs[3]}`, alice)).text(), /You are alice on plan pro/);
});

test("erin's life is at the provider: its buttons decide what she is answered", async () => {
  const headers = { authorization: `Bearer ${await mint(loginKey, "erin")}` };
  const press = async (deed, more = {}) => {
    const response = await fetch(`${provider.url}/operator`, { method: "POST", body: new URLSearchParams({ account: "erin", do: deed, ...more }), redirect: "manual" });
    assert.equal(response.status, 303, `${deed}: ${await response.text()}`);
  };
  const answered = async (status, cause) => {
    const response = await until(() => gate.fetch(ARTICLE, { headers }), (one) => one.status === status && one.headers.get("tollgate-cause") === cause);
    assert.deepEqual([response.status, response.headers.get("tollgate-cause")], [status, cause]);
    return response;
  };
  await answered(200, null);
  await press("expire");
  const warned = await until(() => gate.fetch(ARTICLE, { headers }), (one) => one.headers.has("tollgate-notice"));
  assert.match(warned.headers.get("tollgate-notice"), /^payment-grace/);
  await press("give_up");
  await answered(402, "card-expired");
  const portal = await gate.fetch(`/_tollgate/billing/portal?return=${ARTICLE}`, { headers: { ...headers, accept: "text/html" } });
  assert.ok(portal.headers.get("location").startsWith(`${provider.url}/portal/`));
  await fetch(portal.headers.get("location"), { method: "POST", body: new URLSearchParams({ do: "new_card" }) });
  await answered(200, null);
  await press("cancel_at_period_end");
  await press("end_period");
  await answered(402, "subscription-expired");
  await press("subscribe");
  await answered(200, null);
  await press("send_last");
  await answered(200, null);
});

test("the operator's page shows what the gate answered to each event", async () => {
  const page = await (await fetch(provider.url)).text();
  assert.match(page, /customer\.subscription\.created<\/strong>/);
  assert.doesNotMatch(page, /failed: the gate answered/);
});

test("the origin serves nobody who went around the gate", async () => {
  const address = `http://127.0.0.1:${origin.address().port}`;
  for (const path of ["/opinion/on-doors", "/articles/the-last-mile", "/api/headlines"]) {
    assert.equal((await fetch(address + path)).status, 403, path);
  }
});
