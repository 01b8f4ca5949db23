// Every secret is changed for another while requests come in, release by release as in
// docs/operations.md: `old`, `old new`, `new old`, `new`. Two neighbouring releases serve at once,
// as in a gradual deployment, and between the pairs the runtime is stopped and started over the
// same objects.

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { Webhook } from "standardwebhooks";
import { leftOf, newReader } from "./fixtures/readers.mjs";
import { startDirectGate, until } from "./fixtures/runtime.mjs";
import { AUDIENCE, ISSUER, startOrigin } from "./harness.mjs";

const base64url = (bytes) => Buffer.from(bytes).toString("base64url");
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const seconds = () => Math.floor(Date.now() / 1000);
/** How often each client asks in each pair of releases, at least. */
const TURNS = 12;
/** The releases of each pair, and the value of outside signers (issuer, providers, operators). */
const PAIRS = [
  { releases: [["old"], ["old", "new"]], outside: "old" },
  { releases: [["old", "new"], ["new", "old"]], outside: "new" },
  { releases: [["new", "old"], ["new"]], outside: "new" },
];

let folder, gates, origin, receiver, values;
/** The results of each client: a list of failures, and how often it asked. */
const seen = {};
const assertions = { right: 0, wrong: [] };
const announced = new Set();
const announcedWrongly = [];
const events = [];
let publicKeys;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "tollgate-rotation-"));
  values = { old: await freshValues("old"), new: await freshValues("new") };
  origin = await startOrigin(async (request, response) => {
    await judgeAssertion(request.headers["tollgate-assertion"]);
    response.end("ok");
  });
  receiver = await startOrigin(receive);
  for (const pair of PAIRS) await serve(pair);
});
after(async () => {
  await origin?.stop();
  await receiver?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function freshValues(name) {
  const { privateKey } = await generateKeyPair("Ed25519", { extractable: true });
  const text = () => base64url(randomBytes(32));
  return {
    ADMIN_TOKEN: text(),
    anna: text(),
    ASSERTION_KEY: JSON.stringify({ ...(await exportJWK(privateKey)), kid: name }, null, 1),
    GATE_SECRET: text(),
    ALLOWANCE_KEY: text(),
    NOTIFY_SECRET: `whsec_${randomBytes(32).toString("base64")}`,
    STRIPE_WEBHOOK_SECRET: `whsec_${text()}`,
    PADDLE_WEBHOOK_SECRET: `pdl_ntfset_${text()}`,
    LEMONSQUEEZY_WEBHOOK_SECRET: text(),
    STANDARD_WEBHOOK_SECRET: `whsec_${randomBytes(32).toString("base64")}`,
    STRIPE_API_KEY: `sk_test_${text()}`,
    issuer: randomBytes(32),
  };
}

const SECRETS = [
  "ADMIN_TOKEN", "ASSERTION_KEY", "GATE_SECRET", "ALLOWANCE_KEY", "NOTIFY_SECRET", "STRIPE_WEBHOOK_SECRET",
  "PADDLE_WEBHOOK_SECRET", "LEMONSQUEEZY_WEBHOOK_SECRET", "STANDARD_WEBHOOK_SECRET", "STRIPE_API_KEY",
];

/** The variables of a release whose secrets have these values. */
function vars(names) {
  const all = (name) => names.map((value) => values[value][name]).join(" ");
  const keys = names.map((name) => ({ kty: "oct", k: base64url(values[name].issuer), kid: name }));
  return {
    ROUTES: [
      { match: "/free/**", free: "50 per month" },
      { match: "/metered/**", meter: "api" },
      { match: "/paid/**", requires: ["premium"] },
      { match: "/**" },
    ],
    PLANS: [{ id: "pro", entitlements: ["premium"], quotas: [{ meter: "api", limit: 2, per: "month" }] }],
    METERS: [{ id: "api", notify_at: [50] }],
    ISSUERS: [{
      iss: ISSUER, audience: [AUDIENCE], keys_secret: "TOKEN_KEYS",
      claims: { account: "sub", plan: "plan" },
    }],
    TOKEN_KEYS: JSON.stringify({ keys }),
    BILLING: ["stripe", "paddle", "lemonsqueezy", "standard"].map((provider) => ({ provider })),
    NOTIFY_URL: `${receiver.url}/hook`,
    ADMIN_TOKENS: JSON.stringify([{ name: "anna", role: "support", token: all("anna") }]),
    ...Object.fromEntries(SECRETS.map((name) => [name, all(name)])),
    LOG: "off",
  };
}

/** Two releases at once, and all clients until each has asked often enough. */
async function serve({ releases: [one, other], outside }) {
  const beside = [{ name: "next", vars: vars(other) }];
  const gate = await startDirectGate({ origin, vars: vars(one), persist: folder, beside });
  gates = [{ ...gate, names: one }, { ...(await gate.another("next")), names: other }];
  receiver.knows = outside;
  const health = await Promise.all(gates.map((gate) => gate.fetch("/_tollgate/health")));
  for (const answer of health) assert.equal(answer.status, 200, await answer.text());
  await (await admin(gates[0], values[outside].ADMIN_TOKEN, "PUT", "accounts/-/alice", { plan: "pro", status: "active" })).arrayBuffer();
  // An origin that has just fetched the keys, from the release that is about to go.
  publicKeys = createLocalJWKSet(await (await gates[0].fetch("/_tollgate/jwks.json")).json());
  try {
    await Promise.all(CLIENTS.map(([name, make]) => run(name, make, outside)));
    await until(() => events.every(({ account }) => account.done), "every webhook is applied");
    await until(() => announced.size === accounts.length, "every threshold is announced");
  } finally {
    await gate.stop();
  }
}

async function run(name, client, outside) {
  seen[name] ??= { wrong: [], turns: 0 };
  for (let turn = 0; turn < TURNS; turn += 1) {
    const wrong = await client({ gate: gates[turn % 2], other: gates[(turn + 1) % 2], value: values[outside], outside, turn });
    seen[name].turns += 1;
    if (wrong) seen[name].wrong.push(`${outside}, turn ${turn}: ${wrong}`);
    await pause(1);
  }
}

const CLIENTS = [
  ["the issuer's keys", async ({ gate, outside }) => expect(await gate.fetch("/paid/x", { headers: bearer(await token(outside)) }))],
  ["ADMIN_TOKEN", async ({ gate, value }) => expect(await admin(gate, value.ADMIN_TOKEN, "GET", "accounts/-/alice"))],
  ["ADMIN_TOKENS", async ({ gate, value }) => expect(await admin(gate, value.anna, "GET", "accounts/-/alice"))],
  ["ALLOWANCE_KEY", readFreely],
  ["GATE_SECRET", useKey],
  ["webhooks", sendWebhooks],
  ["NOTIFY_SECRET", reachThreshold],
];

async function expect(answer, status = 200) {
  const text = await answer.text();
  return answer.status === status ? null : `${answer.status} ${text}`;
}

function token(outside, claims = {}) {
  return new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: "alice", plan: "pro", iat: seconds(), exp: seconds() + 600, ...claims })
    .setProtectedHeader({ alg: "HS256", kid: outside })
    .sign(values[outside].issuer);
}

function admin(gate, operator, method, path, body) {
  return gate.fetch(`/_tollgate/admin/${path}`, { method, headers: bearer(operator), body: body && JSON.stringify(body) });
}

/**
 * One reader for all of it: a new page in each turn, at one release, and pages from before at both, as
 * long as the value stands there under which they were seen.
 */
let reader;
const pages = [];
async function readFreely({ gate, other }) {
  reader ??= newReader(null);
  pages.push(gate.names[0]);
  const wrong = [];
  const [last, half] = [pages.length, Math.ceil(pages.length / 2)];
  for (const [via, page] of [[gate, last], [other, last], [gate, 1], [other, half]]) {
    if (page !== last && !via.names.includes(pages[page - 1])) continue;
    const answer = await reader.ask(`/free/${page}`, { via });
    await answer.arrayBuffer();
    const left = leftOf(answer);
    if (answer.status !== 200 || left !== 50 - last) wrong.push(`page ${page} of ${last}: ${answer.status}, ${left} left`);
  }
  return wrong.join("; ");
}

/** Customers' keys: each works for as long as the value that it was made under is configured. */
const keys = [];
async function useKey({ gate, other, value, outside, turn }) {
  if (keys.length === 0 || keys.at(-1).under !== outside) {
    // By the release that signs with it first.
    const maker = [gate, other].find(({ names }) => names[0] === outside);
    await (await admin(maker, value.ADMIN_TOKEN, "PUT", "accounts/-/robot", { plan: "pro", status: "active" })).arrayBuffer();
    const made = await admin(maker, value.ADMIN_TOKEN, "POST", "accounts/-/robot/keys", {});
    if (made.status !== 201) return `${made.status} ${await made.text()}`;
    keys.push({ under: outside, text: (await made.json()).secret });
  }
  const usable = keys.filter(({ under }) => gate.names.includes(under));
  return expect(await gate.fetch("/paid/robot", { headers: bearer(usable[turn % usable.length].text) }));
}

/** An event of each provider, signed with the secret that it has now. */
async function sendWebhooks({ gate, value, turn, outside }) {
  const now = new Date();
  const id = `msg_${outside}_${gates[0].port}_${turn}`;
  const account = { name: `web-${events.length}`, done: false };
  events.push({ id, account });
  const own = JSON.stringify({ type: "tollgate.subscription", timestamp: now.toISOString(), data: { account: account.name, id: "s1", plan: "pro", status: "active" } });
  const signature = new Webhook(value.STANDARD_WEBHOOK_SECRET).sign(id, now, own);
  const ping = (kind) => JSON.stringify({ ...kind, id, event_id: id, data: { id } });
  const at = seconds();
  const hmac = (secret, text) => createHmac("sha256", secret).update(text).digest("hex");
  const [stripe, paddle, lemon] = [{ type: "tollgate.ping" }, { event_type: "tollgate.ping" }, { meta: { event_name: "tollgate.ping" } }].map(ping);
  const sent = [
    ["standard", own, { "webhook-id": id, "webhook-timestamp": `${Math.floor(now / 1000)}`, "webhook-signature": signature }],
    ["stripe", stripe, { "stripe-signature": `t=${at},v1=${hmac(value.STRIPE_WEBHOOK_SECRET, `${at}.${stripe}`)}` }],
    ["paddle", paddle, { "paddle-signature": `ts=${at};h1=${hmac(value.PADDLE_WEBHOOK_SECRET, `${at}:${paddle}`)}` }],
    ["lemonsqueezy", lemon, { "x-signature": hmac(value.LEMONSQUEEZY_WEBHOOK_SECRET, lemon) }],
  ];
  const wrong = [];
  for (const [provider, body, headers] of sent) {
    const said = await expect(await gate.fetch(`/_tollgate/webhooks/${provider}`, { method: "POST", body, headers }));
    if (said) wrong.push(`${provider}: ${said}`);
  }
  const record = async () => (await admin(gate, value.ADMIN_TOKEN, "GET", `accounts/-/${account.name}`)).json();
  await until(async () => (account.done = (await record()).subscriptions?.[0]?.status === "active"), `${account.name} is told`);
  return wrong.join("; ");
}

/** A new account each time, which reaches half of its quota with one request. */
const accounts = [];
async function reachThreshold({ gate, outside, turn }) {
  if (turn % 4 !== 0) return null;
  const sub = `meter-${accounts.length}`;
  accounts.push(sub);
  return expect(await gate.fetch("/metered/x", { headers: bearer(await token(outside, { sub })) }));
}

/** The operator's own endpoint: it knows one secret at a time. */
function receive(request, response) {
  let body = "";
  request.setEncoding("utf8").on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    try {
      const { data } = new Webhook(values[receiver.knows].NOTIFY_SECRET).verify(body, request.headers);
      announced.add(data.account);
      response.writeHead(204).end();
    } catch (error) {
      announcedWrongly.push(`${receiver.knows}: ${error.message}`);
      response.writeHead(400).end();
    }
  });
}

/** Checks the gate's assertion with the keys that the origin has. */
async function judgeAssertion(assertion) {
  try {
    await jwtVerify(assertion ?? "", publicKeys);
    assertions.right += 1;
  } catch (error) {
    assertions.wrong.push(error.message);
  }
}

for (const [name] of CLIENTS) {
  test(`${name}: changed for another, and nobody noticed`, () => {
    assert.equal(seen[name].wrong.join("\n"), "");
    assert.equal(seen[name].turns, TURNS * PAIRS.length);
  });
}

test("NOTIFY_SECRET: a receiver that knows one value takes every message", () => {
  assert.equal(announcedWrongly.join("\n"), "");
  assert.equal(announced.size, accounts.length);
});

test("ASSERTION_KEY: an origin with the keys of the release that goes takes every assertion", () => {
  assert.equal(assertions.wrong.join("\n"), "");
  assert.ok(assertions.right > 100, `${assertions.right}`);
});

test("ALLOWANCE_KEY: the count is that of the pages, no more and no less", () => {
  assert.equal(pages.length, TURNS * PAIRS.length);
});
