// Quotas in the real runtime: exact under load, exact across a killed runtime, exact when several
// Workers share the ledger. How periods are cut is held against a calendar by the native tests;
// here the runtime's clock is moved over the edges of a few.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { issuerVar, makeIssuer, startOrigin, ADMIN_TOKEN } from "./harness.mjs";
import { startControlledGate, startDirectGate, until } from "./fixtures/runtime.mjs";
import { countAnswers, flood } from "./fixtures/load.mjs";

const LIMIT = 1_000;
const REQUESTS = 5_000;
const CLIENTS = 64;

let issuer, origin;

before(async () => {
  issuer = await makeIssuer();
  origin = await startOrigin((_, response) => response.end("ok"));
});

after(() => origin?.stop());

test("of 5,000 requests by 64 clients exactly 1,000 pass, and the rest costs the ledger little", async () => {
  const gate = await startControlledGate({ origin, vars: vars({ quotas: [monthly(LIMIT)] }) });
  try {
    const ask = await caller(gate);
    const seen = origin.requests.length;
    const answers = await flood(() => ask("/api/x"), REQUESTS, CLIENTS);
    assert.deepEqual(countAnswers(answers), { "200": LIMIT, "402 quota-exhausted": REQUESTS - LIMIT });
    assert.equal(origin.requests.length - seen, LIMIT);

    const { calls } = await gate.control();
    assert.ok(calls <= LIMIT + 4 * CLIENTS, `${calls} calls for ${LIMIT} units`);
    const refused = await flood(() => ask("/api/x"), REQUESTS, CLIENTS);
    assert.deepEqual(countAnswers(refused), { "402 quota-exhausted": REQUESTS });
    const more = (await gate.control()).calls - calls;
    assert.ok(more <= 4 * CLIENTS, `${more} calls for ${REQUESTS} refused requests`);
  } finally {
    await gate.stop();
  }
});

test("several Workers that share the ledger sell exactly the limit", async () => {
  const names = ["second", "third"];
  const shared = vars({ quotas: [monthly(LIMIT)] });
  const gate = await startDirectGate({ origin, vars: shared, beside: names.map((name) => ({ name, vars: shared })) });
  try {
    const asks = [await caller(gate)];
    for (const name of names) asks.push(await caller(await gate.another(name)));
    let turn = 0;
    const answers = await flood(() => asks[(turn += 1) % asks.length]("/api/x"), 3_000, CLIENTS);
    assert.deepEqual(countAnswers(answers), { "200": LIMIT, "402 quota-exhausted": 2_000 });
    for (const ask of asks) assert.equal((await ask("/api/x")).status, 402);
  } finally {
    await gate.stop();
  }
});

test("every account has a count of its own", async () => {
  const gate = await startDirectGate({ origin, vars: vars({ quotas: [monthly(20)] }) });
  try {
    const asks = [];
    for (const sub of ["a", "b", "A", "a/b", "ü", "-/a"]) asks.push(await caller(gate, { sub }));
    const answers = await Promise.all(asks.map((ask) => flood(() => ask("/api/x"), 30, 8)));
    for (const one of answers) assert.deepEqual(countAnswers(one), { "200": 20, "402 quota-exhausted": 10 });
  } finally {
    await gate.stop();
  }
});

test("a request may cost more than one unit, and one that never fits is told so", async () => {
  const gate = await startDirectGate({ origin, vars: vars({ quotas: [monthly(10)] }) });
  try {
    const ask = await caller(gate);
    const impossible = await ask("/huge/x");
    assert.equal(impossible.headers.get("tollgate-cause"), "cost-exceeds-quota");
    assert.equal(impossible.headers.get("retry-after"), null);
    assert.deepEqual(await leftAfter(ask, "/large/x", 3), [6, 2, "quota-exhausted"]);
    assert.deepEqual(await leftAfter(ask, "/api/x", 3), [1, 0, "quota-exhausted"]);
  } finally {
    await gate.stop();
  }
});

test("of two quotas on a meter the tighter one decides, and both are told", async () => {
  const quotas = [{ meter: "api", limit: 20, per: "minute" }, { meter: "api", limit: 50, per: "day" }];
  const gate = await startControlledGate({ origin, vars: vars({ quotas }) });
  try {
    const noon = Date.parse("2027-03-01T12:00:00Z");
    const ask = await caller(gate, { exp: noon / 1_000 + 86_400 });
    const minute = async (number, count) => {
      await gate.control({ clock: noon + number * 60_000 });
      return countAnswers(await flood(() => ask("/api/x"), count, 8));
    };
    assert.deepEqual(await minute(0, 30), { "200": 20, "402 quota-exhausted": 10 });
    const refused = await ask("/api/x");
    const retryAfter = Number(refused.headers.get("retry-after"));
    assert.ok(retryAfter > 0 && retryAfter <= 60, "the minute is in the way, not the day");
    assert.match(refused.headers.get("ratelimit"), /^"api\/minute";r=0;t=\d+, "api\/day";r=30;t=\d+$/);

    assert.deepEqual(await minute(1, 19), { "200": 19 });
    const last = await ask("/api/x");
    assert.match(last.headers.get("ratelimit"), /^"api\/minute";r=0;t=\d+, "api\/day";r=10;t=\d+$/);
    assert.equal(last.headers.get("ratelimit-policy"), '"api/minute";q=20;w=60, "api/day";q=50;w=86400');

    assert.deepEqual(await minute(2, 30), { "200": 10, "402 quota-exhausted": 20 });
    const done = await ask("/api/x");
    assert.match(done.headers.get("ratelimit"), /^"api\/minute";r=10;t=\d+, "api\/day";r=0;t=\d+$/);
    assert.ok(Number(done.headers.get("retry-after")) > 11 * 3_600, "only tomorrow helps");
  } finally {
    await gate.stop();
  }
});

test("counts start again when their period does", async () => {
  const periods = { minute: "2027-03-01T12:01:00Z", hour: "2027-03-01T13:00:00Z", day: "2027-03-02T00:00:00Z", month: "2028-03-01T00:00:00Z" };
  const plans = Object.keys(periods).map((per) => ({ id: per, quotas: [{ meter: "api", limit: 3, per }] }));
  const gate = await startControlledGate({ origin, vars: vars({ plans }) });
  try {
    for (const [plan, edge] of Object.entries(periods)) {
      const start = Date.parse(edge);
      const ask = await caller(gate, { sub: plan, plan, exp: start / 1_000 + 600 });
      await gate.control({ clock: start - 10_000 });
      assert.deepEqual(await leftAfter(ask, "/api/x", 4), [2, 1, 0, "quota-exhausted"], plan);
      const refused = await ask("/api/x");
      const wait = Number(refused.headers.get("retry-after"));
      assert.ok(wait > 0 && wait <= 10, `${plan}: ${wait} s until ${edge}`);
      await gate.control({ clock: start });
      assert.deepEqual(await leftAfter(ask, "/api/x", 4), [2, 1, 0, "quota-exhausted"], plan);
    }
  } finally {
    await gate.stop();
  }
});

test("a plan that the operator changes counts within seconds", async () => {
  const plans = [
    { id: "small", quotas: [monthly(3)] },
    { id: "large", quotas: [monthly(9)] },
  ];
  const account = vars({ plans });
  account.ISSUERS = [issuerVar(issuer, { subscription: "account" })];
  const gate = await startDirectGate({ origin, vars: account });
  try {
    const ask = await caller(gate, { plan: "large" });
    assert.equal((await ask("/api/x")).headers.get("tollgate-cause"), "no-subscription");
    await putPlan(gate, "small");
    // A refusal is remembered for a few seconds, so that a flood of them costs nothing.
    await until(async () => (await ask("/api/x")).status === 200, "the new subscription counts");
    assert.deepEqual(await leftAfter(ask, "/api/x", 1), [1]);
    await putPlan(gate, "large");
    await until(async () => (await leftAfter(ask, "/api/x", 1))[0] > 1, "the larger plan counts");
    await putPlan(gate, "small");
    // A lease that is out may still be spent; a record holds for up to ten seconds.
    await until(async () => (await ask("/api/x")).status === 402, "the smaller plan counts");
    await putPlan(gate, "large");
    await until(async () => (await ask("/api/x")).status === 200, "the larger plan counts");
    const left = await leftAfter(ask, "/api/x", 8);
    assert.equal(left.at(-1), "quota-exhausted");
    assert.ok(left.filter(Number.isInteger).every((one, index) => one === left[0] - index), `${left}`);
  } finally {
    await gate.stop();
  }
});

function monthly(limit) {
  return { meter: "api", limit, per: "month" };
}

function vars({ quotas, plans = [{ id: "pro", quotas }] }) {
  return {
    ROUTES: [
      { match: "/api/**", meter: "api" },
      { match: "/large/**", meter: "api", cost: 4 },
      { match: "/huge/**", meter: "api", cost: 11 },
      { match: "/**", open: true },
    ],
    PLANS: plans,
    ISSUERS: [issuerVar(issuer)],
    ADMIN_TOKEN,
    LOG: "faults",
    DEADLINES: { ledger_ms: 30_000 },
  };
}

/** A function that asks `gate` in the name of one account. */
async function caller(gate, claims = {}) {
  const token = await issuer.mint({ plan: "pro", ...claims });
  const headers = { authorization: `Bearer ${token}` };
  return async (path) => {
    const answer = await gate.fetch(path, { headers });
    await answer.arrayBuffer();
    return answer;
  };
}

/** What each of `count` requests leaves, or why it was refused. */
async function leftAfter(ask, path, count) {
  const left = [];
  for (let index = 0; index < count; index += 1) {
    const answer = await ask(path);
    const remaining = answer.headers.get("ratelimit")?.match(/r=(\d+)/)?.[1];
    left.push(answer.headers.get("tollgate-cause") ?? Number(remaining));
  }
  return left;
}

async function putPlan(gate, plan) {
  const answer = await gate.fetch("/_tollgate/admin/accounts/-/alice", {
    method: "PUT",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    body: JSON.stringify({ plan, status: "active" }),
  });
  assert.equal(answer.status, 200, await answer.text());
}
