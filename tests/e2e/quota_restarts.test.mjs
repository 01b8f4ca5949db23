// The runtime is killed outright, again and again; what was counted stays counted.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { countedUnits as countedUnitsIn, databasesOf } from "./fixtures/databases.mjs";
import { countAnswers, flood } from "./fixtures/load.mjs";
import { runtimesOfThisProcess, startControlledGate, until } from "./fixtures/runtime.mjs";
import { issuerVar, makeIssuer, startOrigin } from "./harness.mjs";

const LIMIT = 1_000;
const CLIENTS = 64;
/** Longer than a lease lives and the ledger waits for news of it; still in the same month. */
const FORGOTTEN_MS = 120_000;

let gate, headers, issuer, origin, persist, reached;

before(async () => {
  issuer = await makeIssuer();
  headers = { authorization: `Bearer ${await issuer.mint({ plan: "pro" })}` };
  origin = await startOrigin((_, response) => {
    reached += 1;
    response.end("ok");
  });
});

after(() => origin?.stop());

beforeEach(() => {
  persist = mkdtempSync(join(tmpdir(), "tollgate-"));
  reached = 0;
});

afterEach(async () => {
  await stop();
  rmSync(persist, { recursive: true });
});

test("after a kill the exhausted quota is still exhausted, and the count still the same", async () => {
  await start();
  const answers = await flood(ask, 1_300, CLIENTS);
  assert.deepEqual(countAnswers(answers), { "200": LIMIT, "402 quota-exhausted": 300 });
  await killRuntime();
  assert.equal(countedUnits(), LIMIT);
  await start();
  assert.deepEqual(countAnswers(await flood(ask, 300, CLIENTS)), { "402 quota-exhausted": 300 });
  assert.equal(reached, LIMIT);
});

test("kills in the middle of the load never let a unit be sold twice", async () => {
  const kills = 4;
  for (let kill = 1; kill <= kills; kill += 1) {
    await start();
    const reachedBefore = reached;
    let hasEnded = false;
    const load = flood(ask, LIMIT, CLIENTS).finally(() => (hasEnded = true));
    await until(() => reached >= reachedBefore + 60 || hasEnded, "enough requests are through for the next kill");
    await killRuntime();
    const counts = countAnswers(await load);
    assert.ok(Object.keys(counts).some((what) => what.startsWith("TypeError")), "requests were cut off");
    assert.ok(countedUnits() >= reached, `${countedUnits()} counted, ${reached} reached the origin`);
  }
  await start();
  await flood(ask, LIMIT + 200, CLIENTS);
  assert.equal((await ask()).status, 402);
  await stop();
  console.log(`quota ${LIMIT}, ${CLIENTS} clients, ${kills} kills: ${reached} requests passed, strict`);
  assert.equal(countedUnits(), LIMIT);
  assert.ok(reached <= LIMIT, `${reached} of ${LIMIT} passed`);
  // With each kill goes what the isolate held, at most a quarter of the rest, and what was asked for.
  const atLeast = LIMIT * 0.75 ** kills - kills * CLIENTS;
  assert.ok(reached >= atLeast, `${reached} of ${LIMIT} passed, expected ${atLeast}`);
});

test("where the meter is lenient, what a killed isolate held comes back", async () => {
  await start({ METERS: [{ id: "api", lost: "lenient" }] });
  await flood(ask, 200, CLIENTS);
  await killRuntime();
  const lost = countedUnits() - reached;
  assert.ok(lost > 0, "the isolate held something");
  await start({ METERS: [{ id: "api", lost: "lenient" }] });
  await gate.control({ clock: Date.now() + FORGOTTEN_MS });
  assert.equal((await ask()).status, 200);
  await flood(ask, LIMIT * 2, CLIENTS);
  // The error is bounded by the spending since the last message of a lost isolate.
  console.log(`lenient: ${reached} passed with a quota of ${LIMIT}, ${lost} units were lost with an isolate`);
  assert.ok(reached >= LIMIT && reached <= LIMIT + 200, `${reached} of ${LIMIT} passed`);
});

async function start(more = {}) {
  gate = await startControlledGate({
    origin,
    persist,
    vars: {
      ROUTES: [{ match: "/api/**", meter: "api" }, { match: "/**", open: true }],
      PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: LIMIT, per: "month" }] }],
      ISSUERS: [issuerVar(issuer)],
      LOG: "faults",
      DEADLINES: { ledger_ms: 30_000 },
      ...more,
    },
  });
}

async function ask() {
  const answer = await gate.fetch("/api/x", { headers });
  await answer.arrayBuffer();
  return answer;
}

async function killRuntime() {
  gate.kill();
  await until(() => !runtimesOfThisProcess().includes(gate.pid), "the runtime is gone");
  await stop();
}

async function stop() {
  await gate?.stop();
  gate = undefined;
}

/** What stands in the ledger's database while no runtime has it open. */
function countedUnits() {
  const files = databasesOf(persist, "Ledger");
  assert.equal(files.length, 1, "one account");
  return countedUnitsIn(files[0]);
}
