// Leases in the real runtime: what they save, what comes back, and what the origin has a say in.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { issuerVar, makeIssuer, startOrigin } from "./harness.mjs";
import { startControlledGate, startDirectGate, until } from "./fixtures/runtime.mjs";
import { countAnswers, flood } from "./fixtures/load.mjs";

/** After this long without a request an isolate gives back what it holds: `QUIET_MS`. */
const QUIET_MS = 5_000;

let gate, issuer, origin;
const handlers = {
  ok: (_, response) => response.end("ok"),
  broken: (_, response) => response.writeHead(500).end(),
  unchanged: (_, response) => response.writeHead(304).end(),
  cached: (_, response) => response.writeHead(200, { "cf-cache-status": "HIT" }).end("ok"),
  missed: (_, response) => response.writeHead(200, { "cf-cache-status": "MISS" }).end("ok"),
  slow: (_, response) => setTimeout(() => response.end("ok"), 300),
};

before(async () => {
  issuer = await makeIssuer();
  origin = await startOrigin((request, response) => {
    const url = new URL(request.url, "http://origin");
    if (url.searchParams.has("cost")) response.setHeader("tollgate-cost", url.searchParams.get("cost"));
    handlers[url.pathname.split("/").at(-1)](request, response);
  });
});

after(() => origin?.stop());

afterEach(async () => {
  await gate?.stop();
  gate = undefined;
});

test("a busy account's requests make no call of their own", async () => {
  gate = await startControlledGate({ origin, vars: vars([{ meter: "api", limit: 1_000_000, per: "month" }]) });
  const ask = await caller(gate);
  await flood(() => ask("/api/ok"), 500, 16);
  const before = (await gate.control()).calls;
  const answers = await flood(() => ask("/api/ok"), 3_000, 16);
  assert.deepEqual(countAnswers(answers), { 200: 3_000 });
  const calls = (await gate.control()).calls - before;
  console.log(`3,000 requests of a busy account: ${calls} calls to its ledger`);
  assert.ok(calls <= 15, `${calls} calls`);
});

test("a crowd that comes at once to a cold isolate waits for few calls", async () => {
  gate = await startControlledGate({ origin, vars: vars([{ meter: "api", limit: 1_000, per: "month" }]) });
  const ask = await caller(gate);
  await gate.control({ ledger: "lags" });
  const answers = await Promise.all(Array.from({ length: 64 }, () => ask("/api/ok")));
  assert.deepEqual(countAnswers(answers), { 200: 64 });
  const { calls } = await gate.control();
  assert.ok(calls <= 6, `${calls} calls for 64 requests`);
});

test("a slow account costs one call a request, and nothing comes back late", async () => {
  gate = await startControlledGate({ origin, vars: vars([{ meter: "api", limit: 1_000, per: "month" }]) });
  const ask = await caller(gate);
  const start = Date.now();
  for (let turn = 0; turn < 10; turn += 1) {
    await gate.control({ clock: start + turn * 60_000 });
    assert.equal((await ask("/api/ok")).status, 200);
  }
  assert.equal((await gate.control()).calls, 10);
});

test("what an isolate holds and doesn't use goes to the others", async () => {
  const shared = vars([{ meter: "api", limit: 100, per: "month" }]);
  gate = await startDirectGate({ origin, vars: shared, beside: [{ name: "second", vars: shared }] });
  const first = await caller(gate);
  const second = await caller(await gate.another("second"));
  assert.deepEqual(countAnswers(await flood(() => first("/api/ok"), 30, 8)), { 200: 30 });
  const early = countAnswers(await flood(() => second("/api/ok"), 100, 8));
  assert.ok(early[200] <= 70 && early[200] > 30, JSON.stringify(early));
  await pause(QUIET_MS + 500);
  // A refusal holds for three seconds.
  let passed = early[200];
  await until(async () => {
    while ((await second("/api/ok")).status === 200) passed += 1;
    return passed >= 70;
  }, "the rest came back");
  assert.equal(passed, 70, "all of it, and no more");
});

test("what the origin fails comes back without a call, and can be spent again", async () => {
  gate = await startControlledGate({ origin, vars: vars([{ meter: "api", limit: 20, per: "month" }]) });
  const ask = await caller(gate);
  for (let turn = 0; turn < 50; turn += 1) assert.equal((await ask("/api/broken")).status, 500);
  assert.deepEqual(countAnswers(await flood(() => ask("/api/ok"), 30, 4)), { 200: 20, "402 quota-exhausted": 10 });
});

test("the origin says what a request really cost", async () => {
  gate = await startControlledGate({ origin, vars: vars([{ meter: "tokens", limit: 1_000, per: "month" }]) });
  const ask = await caller(gate);
  const left = async (path) => {
    const answer = await ask(path);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get("tollgate-cost"), null, "that is between origin and gate");
    return Number(/"tokens\/month";r=(\d+)/.exec(answer.headers.get("ratelimit"))[1]);
  };
  // Each reserves 400; what the last one left is known when the next one comes.
  assert.equal(await left("/chat/ok?cost=30"), 600);
  assert.equal(await left("/chat/ok?cost=0"), 570);
  assert.equal(await left("/chat/ok?cost=tokens%3D70"), 570);
  assert.equal(await left("/chat/ok"), 500, "without a word the worst case stands");
  assert.equal(await left("/chat/ok?cost=100"), 100);
  assert.equal((await ask("/chat/ok")).status, 200);
  assert.equal((await ask("/chat/ok")).headers.get("tollgate-cause"), "quota-exhausted");
});

test("an origin that says nonsense about the cost is reported, and the reserved units stand", async () => {
  gate = await startDirectGate({ origin, vars: vars([{ meter: "tokens", limit: 1_200, per: "month" }]) });
  const ask = await caller(gate);
  for (const cost of ["-1", "many", "500"]) assert.equal((await ask(`/chat/ok?cost=${cost}`)).status, 200);
  assert.equal((await ask("/chat/ok")).headers.get("tollgate-cause"), "quota-exhausted");
  await until(() => gate.log().includes("500 units of"), "the log tells");
  assert.match(gate.log(), /expected a whole number for the meter \\"tokens\\", found \\"many\\"/);
});

test("HEAD, 304 and cache hits cost nothing where the route says so", async () => {
  gate = await startControlledGate({ origin, vars: vars([{ meter: "api", limit: 3, per: "month" }]) });
  const ask = await caller(gate);
  for (const path of ["/light/unchanged", "/light/cached"]) {
    for (let turn = 0; turn < 5; turn += 1) assert.ok((await ask(path)).status < 400, path);
  }
  assert.equal((await ask("/light/missed")).status, 200);
  assert.deepEqual(countAnswers(await flood(() => ask("/api/ok"), 4, 1)), { 200: 2, "402 quota-exhausted": 2 });
  assert.equal((await ask("/light/ok", { method: "HEAD" })).status, 200, "passes also where nothing is left");
  assert.equal((await ask("/light/ok")).status, 402);
});

test("several meters are charged together or not at all", async () => {
  const quotas = [{ meter: "api", limit: 10, per: "month" }, { meter: "tokens", limit: 1_000, per: "day" }];
  gate = await startControlledGate({ origin, vars: vars(quotas) });
  const ask = await caller(gate);
  const answers = await flood(() => ask("/both/ok"), 6, 1);
  assert.deepEqual(countAnswers(answers), { 200: 3, "402 quota-exhausted": 3 });
  assert.match(answers[0].headers.get("ratelimit"), /"api\/month";r=9;t=\d+, "tokens\/day";r=700;t=\d+/);
  assert.equal((await answers[5].json()).quota.name, "tokens/day");
  await pause(QUIET_MS + 500);
  assert.deepEqual(countAnswers(await flood(() => ask("/api/ok"), 9, 1)), { 200: 7, "402 quota-exhausted": 2 });
});

test("a member has a count of its own inside the account's", async () => {
  const quotas = [{ meter: "api", limit: 8, per: "month" }, { meter: "api", limit: 3, per: "month", each: "member" }];
  const shared = vars(quotas);
  shared.ISSUERS = [issuerVar(issuer, { claims: { account: "org", plan: "plan" } })];
  gate = await startControlledGate({ origin, vars: shared });
  const counts = [];
  for (const sub of ["ann", "bob", "cyd"]) {
    const ask = await caller(gate, { org: "acme", sub });
    counts.push(countAnswers(await flood(() => ask("/api/ok"), 5, 1))[200]);
  }
  assert.deepEqual(counts, [3, 3, 2], "nobody has more than three, all together no more than eight");
});

test("while the ledger is out of reach what is held is spent, and after it the route decides", async () => {
  const meter = { limit: 1_000_000, per: "month", meter: "api" };
  gate = await startControlledGate({ origin, vars: { ...vars([meter]), DEADLINES: { ledger_ms: 200 } } });
  const ask = await caller(gate);
  await flood(() => ask("/api/ok"), 300, 8);
  await gate.control({ ledger: "hangs" });
  const held = countAnswers(await flood(() => ask("/api/ok"), 100, 8));
  assert.deepEqual(held, { 200: 100 });
  const clock = Date.now() + 60_000;
  await gate.control({ clock });
  const refused = await ask("/api/ok");
  assert.equal(refused.headers.get("tollgate-cause"), "checker-unavailable");
  const degraded = await ask("/mild/ok");
  assert.deepEqual([degraded.status, degraded.headers.get("tollgate-degraded")], [200, "checker-unavailable"]);
  await gate.control({ ledger: "works", clock: clock + 30_000 });
  await until(async () => (await ask("/api/ok")).status === 200, "it is asked again");
});

test("a caller that hangs up while its units are on the way leaves nobody waiting", async () => {
  gate = await startControlledGate({ origin, vars: vars([{ meter: "api", limit: 100, per: "month" }]) });
  const ask = await caller(gate);
  await gate.control({ ledger: "lags" });
  const abort = new AbortController();
  const gone = ask("/api/ok", { signal: abort.signal }).catch((error) => error.name);
  await until(async () => (await gate.control()).inFlight === 1, "the ledger is being asked");
  abort.abort();
  assert.equal(await gone, "AbortError");
  const begun = performance.now();
  assert.deepEqual(countAnswers(await flood(() => ask("/api/ok"), 8, 8)), { 200: 8 });
  assert.ok(performance.now() - begun < 5_000, "nobody waited for the one who is gone");
});

function vars(quotas) {
  return {
    ROUTES: [
      { match: "/api/**", meter: "api" },
      { match: "/mild/**", meter: "api", on_outage: "pass" },
      { match: "/light/**", meter: "api", uncounted: ["HEAD", "304", "cache-hit"] },
      { match: "/chat/**", meter: "tokens", cost: 400, settle: true },
      { match: "/both/**", costs: { api: 1, tokens: 300 } },
      { match: "/**", open: true },
    ],
    PLANS: [{ id: "pro", quotas }],
    ISSUERS: [issuerVar(issuer)],
    LOG: "faults",
    DEADLINES: { ledger_ms: 10_000 },
  };
}

/** A function that asks `gate` in the name of one account. */
async function caller(gate, claims = {}) {
  const token = await issuer.mint({ plan: "pro", exp: Math.floor(Date.now() / 1_000) + 7_200, ...claims });
  const headers = { authorization: `Bearer ${token}` };
  return async (path, init = {}) => {
    const answer = await gate.fetch(path, { headers, ...init });
    const body = await answer.text();
    answer.json = async () => JSON.parse(body);
    return answer;
  };
}
