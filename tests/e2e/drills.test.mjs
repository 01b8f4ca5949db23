// Drills: the gate's own parts break, one at a time, while other requests are under way.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startOrigin } from "./harness.mjs";
import { startControlledGate, until } from "./fixtures/runtime.mjs";

/** Within this time a request that a panic left behind has its answer; the rest is the machine's. */
const RESCUE_MS = 2_000;
const LEDGER_DEADLINE_MS = 500;
/** How long the gate doesn't ask a ledger that failed once: `RETRY_MS` in `src/quota/holder/message.rs`, and half as much for jitter. */
const CIRCUIT_MS = 3_000;
/** What an instance of the module holds for the few requests of a test: with a panic it is lost, and stays charged. */
const HELD_AHEAD = 8;
const PANIC = "/_tollgate/drill/panic";

let issuer, origin, headers;
/** Responses to `/held` that wait for `release`; requests wait there while `holds`. */
let held = [];
let holds = false;

before(async () => {
  issuer = await makeIssuer();
  headers = { authorization: `Bearer ${await issuer.mint({ plan: "pro" })}` };
  origin = await startOrigin((request, response) => {
    if (holds && request.url.endsWith("/held")) held.push(response);
    else response.end("from the origin");
  });
});

after(() => {
  release();
  return origin?.stop();
});

for (const policy of ["deny", "pass"]) {
  test(`${policy}: after a panic every request has an answer, and the gate goes on`, async () => {
    await withGate({ build: "build-drills", ON_MISCONFIGURED: policy }, async (gate) => {
      const ask = asker(gate);
      assert.equal((await ask("/paid/x")).status, 200);
      const seen = origin.requests.length;

      holds = true;
      const open = ask("/open/held");
      const paid = ask("/paid/held");
      const posted = ask("/paid/held", { method: "POST", body: "once" });
      await until(() => origin.requests.length === seen + 3, "three wait for the origin");
      await gate.control({ ledger: "lags" });
      const counted = ask("/paid/x");
      const admin = ask("/_tollgate/admin/accounts/-/alice", { headers: operator });
      await until(async () => (await gate.control()).inFlight === 2, "two wait for the ledger");
      const panicking = ask(PANIC);
      holds = false;
      await until(() => gate.log().includes("a drill"), "the panic");
      await gate.control({ ledger: "works" });
      assert.deepEqual(await outcome(ask("/paid/x")), [200], "a counted request in the new instance, at once");

      assert.deepEqual(await outcome(panicking), [503, "misconfigured"]);
      assert.deepEqual(await outcome(ask("/open/x")), [200]);
      assert.deepEqual(await outcome(posted), [503, "misconfigured"], "never sent twice");
      assert.deepEqual(await outcome(admin), [503, "misconfigured"]);
      const rescued = policy === "pass" ? [200, "degraded: panicked"] : [503, "misconfigured"];
      assert.deepEqual(await outcome(paid), rescued);
      assert.deepEqual(await outcome(counted), rescued);
      release();
      assert.deepEqual(await outcome(open), [200], "it needed the gate no more");
      for (const answer of [panicking, counted, admin, posted]) {
        assert.ok((await answer).took < RESCUE_MS, `${(await answer).took} ms`);
      }
      const posts = origin.requests.slice(seen).filter(({ method }) => method === "POST");
      assert.equal(posts.length, 1);
      assert.ok(!origin.requests.some(({ url }) => url === PANIC), "the gate's own paths stay its own");
      await assertCounted(ask, { atLeast: 4, atMost: 5 + HELD_AHEAD });
    });
  });
}

test("after a panic nobody needs another request to come by to be answered", async () => {
  await withGate({ build: "build-drills" }, async (gate) => {
    const ask = asker(gate);
    const seen = origin.requests.length;
    holds = true;
    const waiting = Array.from({ length: 5 }, () => ask("/paid/held"));
    await until(() => origin.requests.length === seen + 5, "all wait for the origin");
    for (const answering of [ask(PANIC), ...waiting]) {
      assert.deepEqual(await outcome(answering), [503, "misconfigured"]);
      assert.ok((await answering).took < RESCUE_MS);
    }
    release();
    await assertCounted(ask, { atLeast: 5, atMost: 5 + HELD_AHEAD });
  });
});

test("panic after panic, with requests beside each", async () => {
  await withGate({ build: "build-drills" }, async (gate) => {
    const ask = asker(gate);
    for (let round = 1; round <= 5; round += 1) {
      const [panicked, ...others] = await Promise.all([ask(PANIC), ask("/open/x"), ask("/paid/x"), ask("/paid/x")]);
      assert.deepEqual(await outcome(panicked), [503, "misconfigured"]);
      assert.ok(panicked.took < RESCUE_MS);
      for (const other of others) assert.ok([200, 503].includes(other.status), `${other.status}`);
      assert.deepEqual(await outcome(ask("/paid/x")), [200], "the next one is served");
    }
    await assertCounted(ask, { atLeast: 5, atMost: 15 });
    const oddities = gate.log().match(/previous WASM instance|code had hung|assertion failed|cross-request/gi);
    assert.equal(oddities, null);
  });
});

for (const mode of ["hangs", "throws", "fails", "babbles"]) {
  test(`a ledger that ${mode}: 503 soon, then at once, then the ledger again`, async () => {
    await withGate({}, async (gate) => {
      const ask = asker(gate);
      await gate.control({ ledger: mode });
      const [first, open, passed] = await Promise.all([ask("/paid/x"), ask("/open/x"), ask("/lenient/x")]);
      assert.deepEqual(await outcome(first), [503, "checker-unavailable"]);
      assert.ok(first.took < LEDGER_DEADLINE_MS * 3, `${first.took} ms`);
      const retryAfter = Number(first.headers.get("retry-after"));
      assert.ok(retryAfter >= 1 && retryAfter * 1_000 <= CIRCUIT_MS, `Retry-After: ${retryAfter}`);
      assert.equal(first.headers.get("cache-control"), "no-store");
      assert.deepEqual(await outcome(open), [200]);
      assert.deepEqual(await outcome(passed), [200, "degraded: checker-unavailable"]);
      assert.equal(origin.requests.at(-1).headers["tollgate-degraded"], "checker-unavailable");

      const { calls } = await gate.control();
      for (let index = 0; index < 20; index += 1) {
        const later = await ask("/paid/x");
        assert.deepEqual(await outcome(later), [503, "checker-unavailable"]);
        assert.ok(later.took < LEDGER_DEADLINE_MS, "nobody waits for the deadline again");
      }
      assert.equal((await gate.control()).calls, calls, "a broken ledger is left alone");

      await gate.control({ ledger: "works" });
      await until(async () => (await ask("/paid/x")).status === 200, "it is asked again", { deadlineMs: CIRCUIT_MS * 5 });
      await assertCounted(ask, { atLeast: 1, atMost: 3 });
    });
  });
}

test("a ledger that hangs for one account lets the others through", async () => {
  await withGate({}, async (gate) => {
    const ask = asker(gate);
    await gate.control({ ledger: "hangs" });
    assert.deepEqual(await outcome(ask("/paid/x")), [503, "checker-unavailable"]);
    await gate.control({ ledger: "works" });
    const other = { authorization: `Bearer ${await issuer.mint({ sub: "bob", plan: "pro" })}` };
    assert.deepEqual(await outcome(ask("/paid/x", { headers: other })), [200]);
    assert.deepEqual(await outcome(ask("/paid/x")), [503, "checker-unavailable"]);
  });
});

test("a ledger within its deadline is waited for, and each request counted once", async () => {
  await withGate({ DEADLINES: { ledger_ms: 5_000 } }, async (gate) => {
    const ask = asker(gate);
    await gate.control({ ledger: "lags" });
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask("/paid/x")));
    for (const answer of answers) assert.deepEqual(await outcome(answer), [200]);
    await assertCounted(ask, { atLeast: 10, atMost: 10 });
  });
});

test("what a late ledger granted to a refused request costs at most that request's units", async () => {
  await withGate({ DEADLINES: { ledger_ms: 100 } }, async (gate) => {
    const ask = asker(gate);
    await gate.control({ ledger: "lags" });
    assert.deepEqual(await outcome(ask("/paid/x")), [503, "checker-unavailable"]);
    await pause(600);
    await gate.control({ ledger: "works" });
    await until(async () => (await ask("/paid/x")).status === 200, "it is asked again", { deadlineMs: CIRCUIT_MS * 5 });
    await assertCounted(ask, { atLeast: 1, atMost: 2 });
  });
});

test("an issuer whose keys can't be had is alone in that", async () => {
  const lost = await makeIssuer({ iss: "https://lost.example.test" });
  const { keys: _, ...withoutKeys } = issuerVar(lost);
  const ISSUERS = [issuerVar(issuer), { ...withoutKeys, jwks_url: `${origin.url}/held` }];
  holds = true;
  await withGate({ ISSUERS, DEADLINES: { jwks_ms: 300 } }, async (gate) => {
    const ask = asker(gate);
    const lostHeaders = { authorization: `Bearer ${await lost.mint({ plan: "pro" })}` };
    const [refused, served] = await Promise.all([ask("/paid/x", { headers: lostHeaders }), ask("/paid/x")]);
    assert.equal(refused.status, 503);
    assert.ok(refused.took < 3_000, `${refused.took} ms`);
    assert.deepEqual(await outcome(served), [200]);
    assert.ok(served.took < refused.took, "it did not wait for the other's keys");
    release();
  });
});

/** Answers all that is held, and from now on at once. */
function release() {
  holds = false;
  for (const response of held.splice(0)) response.end("from the origin");
}

const operator = { authorization: `Bearer ${ADMIN_TOKEN}` };

async function withGate({ build, ...vars }, work) {
  const gate = await startControlledGate({
    origin,
    build,
    vars: {
      ROUTES: [
        { match: "/paid/**", meter: "api" },
        { match: "/lenient/**", meter: "other", on_outage: "pass" },
        { match: "/**", open: true },
      ],
      PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: 1_000, per: "month" }, { meter: "other", limit: 9, per: "day" }] }],
      ISSUERS: [issuerVar(issuer)],
      DEADLINES: { ledger_ms: build ? 10_000 : LEDGER_DEADLINE_MS },
      ADMIN_TOKEN,
      ...vars,
    },
  });
  try {
    await work(gate);
  } finally {
    await gate.stop();
  }
}

/** A function that asks `gate` as alice, and says how long it took until all of the answer was there. */
function asker(gate) {
  return async (path, init = {}) => {
    const begun = performance.now();
    const answer = await gate.fetch(path, { headers, ...init });
    await answer.arrayBuffer();
    return { status: answer.status, headers: answer.headers, took: performance.now() - begun };
  };
}

/** Status, and the cause or what was not checked. */
async function outcome(answering) {
  const answer = await answering;
  const degraded = answer.headers.get("tollgate-degraded");
  const why = answer.headers.get("tollgate-cause") ?? (degraded && `degraded: ${degraded}`);
  return why ? [answer.status, why] : [answer.status];
}

/** Asks once more, and holds what was used before against what may have been. */
async function assertCounted(ask, { atLeast, atMost }) {
  const answer = await ask("/paid/x");
  assert.equal(answer.status, 200);
  const used = 1_000 - Number(answer.headers.get("ratelimit").match(/"api\/month";r=(\d+)/)[1]) - 1;
  assert.ok(used >= atLeast && used <= atMost, `${used} units are counted, not ${atLeast} to ${atMost}`);
}
