// Tests of the guide: the short one of `npm start` and the whole one of the demo's front page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { exportJWK, generateKeyPair } from "jose";
import { guide } from "../../scripts/guide.mjs";
import { startOrigin } from "../../www/demo/origin.mjs";
import { startProvider } from "../../www/demo/provider/provider.mjs";
import { READERS } from "../../www/demo/readers.mjs";
import { allSteps, firstSteps } from "../../www/demo/steps.mjs";

/** npm's own lines, and those of a build from nothing. */
const LINES_BEFORE = 6;
const MOST_LINES = 25;
const ADDRESSES = { gateUrl: "http://127.0.0.1:8787", providerUrl: "http://127.0.0.1:8789", folder: ".wrangler/demo" };
const LOGS = { gate: ".wrangler/demo/gate.log", provider: ".wrangler/demo/provider.log" };

let origin;
const originUrl = () => `http://127.0.0.1:${origin.address().port}`;

before(async () => {
  const { publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const page = (url) => ({ steps: allSteps({ ...ADDRESSES, originUrl: url }), providerUrl: ADDRESSES.providerUrl });
  const keys = { loginKey: null, assertionJwk: await exportJWK(publicKey) };
  origin = await startOrigin({ port: 0, ...keys, setRecord: () => {}, guide: page });
});

after(() => origin?.close());

test("all that npm start prints fits on a screen, and names both logs", () => {
  const text = guide({ ...ADDRESSES, originUrl: originUrl(), logs: LOGS });
  assert.ok(LINES_BEFORE + text.split("\n").length <= MOST_LINES, text);
  for (const named of [ADDRESSES.gateUrl, ADDRESSES.providerUrl, LOGS.gate, LOGS.provider]) {
    assert.ok(text.includes(named), named);
  }
  for (const { command } of firstSteps({ ...ADDRESSES, originUrl: originUrl() })) assert.ok(text.includes(command), command);
});

test("the front page has a line for each kind of answer, and everybody to sign in as", async () => {
  const page = await (await fetch(originUrl())).text();
  const steps = allSteps({ ...ADDRESSES, originUrl: originUrl() });
  for (const status of [200, 206, 303, 401, 402, 403]) assert.ok(steps.some(({ what }) => what.startsWith(status)), status);
  const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  for (const { what, command } of steps) {
    assert.ok(page.includes(escaped(what)), what);
    assert.ok(page.includes(escaped(command)), command);
  }
  for (const name of Object.keys(READERS)) assert.ok(page.includes(`href="/login?as=${name}&amp;`), name);
  assert.ok(page.includes(`href="${ADDRESSES.providerUrl}"`));
});

test("the provider tells its traffic, calls and webhooks, a line each", async (t) => {
  const lines = [];
  const prices = [{ id: "price_pro", lookup_key: "pro", product: "prod_pro", name: "Pro", amount: 900, features: [] }];
  const webhook = { secret: "whsec_start_test_secret", url: "http://127.0.0.1:1/" };
  const provider = await startProvider({ prices, apiKey: "sk_test_start", webhook, trace: (line) => lines.push(line) });
  t.after(() => provider.stop());
  provider.life.createCustomer({ name: "Erin", email: "erin@daily-edge.example" });
  await provider.deliveries.settled();
  await (await fetch(`${provider.url}/v1/customers`, { headers: { authorization: "Bearer sk_test_start" } })).text();
  assert.match(lines[0], /^\S+Z webhook customer\.created evt_\w+ → 0 /);
  assert.match(lines[1], /^\S+Z call GET \/v1\/customers → \d{3}$/);
});
