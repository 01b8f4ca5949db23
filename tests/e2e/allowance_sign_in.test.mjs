// Readers of free pages who sign in: what they used counts for the account, once, and the cookie is
// taken away.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startOrigin } from "./harness.mjs";
import { COOKIE, freeCookies, leftOf, newReader } from "./fixtures/readers.mjs";
import { startControlledGate, startDirectGate } from "./fixtures/runtime.mjs";

const ROUTES = [
  { match: "/articles/**", free: "5 per month", meter: "articles" },
  { match: "/recipes/**", free: "3 per day" },
  { match: "/**" },
];
const PLANS = [
  { id: "small", quotas: [{ meter: "articles", limit: 5, per: "month" }] },
  { id: "large", quotas: [{ meter: "articles", limit: 1_000, per: "month" }] },
];
const CLEARED = `${COOKIE}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax`;

let gate, issuer, origin, vars;

before(async () => {
  issuer = await makeIssuer();
  origin = await startOrigin((_, response) => {
    response.writeHead(200, { "set-cookie": "session=1; Path=/" }).end("ok");
  });
  vars = {
    ROUTES,
    PLANS,
    ISSUERS: [issuerVar(issuer, { claims: { account: "sub", plan: "plan" } })],
    ALLOWANCE_KEY: "a-secret-of-thirty-two-bytes-at-least",
    ADMIN_TOKEN,
  };
});

after(() => origin?.stop());

afterEach(async () => {
  await gate?.stop();
  gate = undefined;
});

test("three pages before signing in leave two of five", async () => {
  gate = await startDirectGate({ origin, vars });
  const reader = newReader(gate);
  const alice = await signedIn("alice", "small");
  for (let article = 1; article <= 3; article += 1) await reader.left(`/articles/${article}`);
  const first = await reader.ask("/articles/4", alice);
  assert.deepEqual([first.status, leftOf(first, "articles/month")], [200, 1]);
  assert.deepEqual(freeCookies(first), [CLEARED]);
  assert.deepEqual(first.headers.getSetCookie(), ["session=1; Path=/", CLEARED], "the origin's own stay");
  assert.equal(reader.cookie, null);
  const second = await reader.ask("/articles/5", alice);
  assert.deepEqual([second.status, leftOf(second, "articles/month"), freeCookies(second)], [200, 0, []]);
  const third = await reader.ask("/articles/6", alice);
  assert.equal(third.headers.get("tollgate-cause"), "quota-exhausted");
});

test("what is sent again is counted again only as far as it has grown, at any isolate", async () => {
  gate = await startDirectGate({ origin, vars, beside: [{ name: "second", vars }] });
  const second = await gate.another("second");
  const alice = await signedIn("alice", "large");
  const reader = newReader(gate);
  for (let article = 1; article <= 2; article += 1) await reader.left(`/articles/${article}`);
  const early = reader.cookie;
  await reader.left("/articles/3");
  const late = reader.cookie;
  const used = async (cookie, via) => {
    const response = await newReader(via, { cookie }).ask("/articles/9", alice);
    assert.deepEqual([response.status, freeCookies(response)], [200, [CLEARED]]);
    return 1_000 - leftOf(response, "articles/month");
  };
  assert.equal(await used(early, gate), 2 + 1);
  assert.equal(await used(early, gate), 2 + 2);
  assert.equal(await used(early, second), 2 + 3);
  assert.equal(await used(late, second), 3 + 4);
  assert.equal(await used(late, gate), 3 + 5);
  assert.equal(await used(early, gate), 3 + 6);
});

test("a quota is filled by it and never overfilled", async () => {
  gate = await startDirectGate({ origin, vars });
  const alice = await signedIn("alice", "small");
  const reader = newReader(gate);
  for (let article = 1; article <= 5; article += 1) await reader.left(`/articles/${article}`);
  for (let turn = 0; turn < 2; turn += 1) {
    const refused = await reader.ask("/articles/6", alice);
    const { cause, quota } = await refused.json();
    assert.deepEqual([cause, quota.used, quota.limit], ["quota-exhausted", 5, 5]);
  }
  const usage = await (await gate.fetch("/_tollgate/usage", alice)).json();
  assert.equal(usage.quotas[0].used, 5);
});

test("ten requests at once count it once", async () => {
  gate = await startControlledGate({ origin, vars });
  const alice = await signedIn("alice", "large");
  const reader = newReader(gate);
  for (let article = 1; article <= 4; article += 1) await reader.left(`/articles/${article}`);
  const { cookie } = reader;
  const readers = Array.from({ length: 10 }, () => newReader(gate, { cookie }));
  const answers = await Promise.all(readers.map((one) => one.ask("/articles/7", alice)));
  for (const answer of answers) assert.deepEqual([answer.status, freeCookies(answer)], [200, [CLEARED]]);
  const after = await newReader(gate).ask("/articles/7", alice);
  assert.equal(leftOf(after, "articles/month"), 1_000 - 4 - 11);
});

test("what no meter counts stays with the reader, and a route without a meter asks nobody", async () => {
  gate = await startControlledGate({ origin, vars });
  const alice = await signedIn("alice", "large");
  const reader = newReader(gate);
  assert.equal(leftOf(await reader.ask("/recipes/1"), "pages/day"), 2);
  const { calls } = await gate.control();
  for (const path of ["/recipes/2", "/else"]) assert.deepEqual(freeCookies(await reader.ask(path, alice)), []);
  assert.equal((await gate.control()).calls, calls);
  await reader.left("/articles/1");
  const merged = await reader.ask("/articles/2", alice);
  assert.equal(leftOf(merged, "articles/month"), 998);
  assert.ok(reader.cookie !== null, "it still knows of the recipe");
  assert.equal(leftOf(await reader.ask("/recipes/2"), "pages/day"), 1);
});

test("while the ledger is out of reach nothing is taken away, and nobody is kept out for it", async () => {
  gate = await startControlledGate({ origin, vars: { ...vars, DEADLINES: { ledger_ms: 200 } } });
  const alice = await signedIn("alice", "large");
  for (let turn = 0; turn < 200; turn += 1) await gate.fetch("/articles/1", alice);
  const reader = newReader(gate);
  for (let article = 1; article <= 3; article += 1) await reader.left(`/articles/${article}`);
  await gate.control({ ledger: "hangs" });
  for (let turn = 0; turn < 2; turn += 1) {
    const held = await reader.ask("/articles/4", alice);
    assert.deepEqual([held.status, held.headers.get("tollgate-degraded"), freeCookies(held)], [200, null, []]);
  }
  await gate.control({ ledger: "works", clock: Date.now() + 4_000 });
  const merged = await reader.ask("/articles/4", alice);
  assert.deepEqual(freeCookies(merged), [CLEARED]);
  assert.equal(leftOf(merged, "articles/month"), 1_000 - 200 - 3 - 3);
});

/** What makes a request one of a caller's. */
async function signedIn(account, plan) {
  return { headers: { authorization: `Bearer ${await issuer.mint({ sub: account, plan })}` } };
}
