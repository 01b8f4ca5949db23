// A gradual deployment and its way back: isolates and objects of two releases serve the same
// accounts at once. The build with drills stands for the later release. Each of its messages and
// stored values has a field more, the reasons of failed charges have a word more, and two classes'
// databases a migration more, whose column it writes.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { countedUnits, databasesOf, withDatabase } from "./fixtures/databases.mjs";
import { countAnswers, flood } from "./fixtures/load.mjs";
import { startDirectGate, until } from "./fixtures/runtime.mjs";
import { value } from "./fixtures/wire.mjs";
import { ADMIN_TOKEN, GATE_SECRET, issuerVar, makeIssuer, startOrigin } from "./harness.mjs";

const BUILDS = { earlier: "build", later: "build-drills" };
/** The release of the objects: forwards, and back again. Isolates of both ask them each time. */
const PHASES = ["earlier", "later", "earlier"];
const LIMIT = 900;
const CLIENTS = 8;
/** Requests of each isolate in each phase, for the account whose unused units all come back. */
const COUNTED = 100;
/** Pause between two requests of a client that goes on while the objects change. */
const BUSY_PAUSE_MS = 120;
/**
 * Units that go with an isolate that is stopped: at most what it took ahead for a few seconds of its
 * demand, and the requests that were cut off.
 */
const LOST_WITH_ISOLATE = 100;
const WEBHOOK_SECRET = `whsec_${Buffer.from("a webhook secret of the rollout!").toString("base64")}`;

let issuer, origin, persist, vars;

before(async () => {
  issuer = await makeIssuer();
  origin = await startOrigin((_, response) => response.end("ok"));
  persist = mkdtempSync(join(tmpdir(), "tollgate-"));
  vars = {
    ROUTES: [{ match: "/api/**", meter: "api" }, { match: "/**", open: true }],
    PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: LIMIT, per: "month" }] }],
    ISSUERS: [issuerVar(issuer)],
    BILLING: [{ provider: "standard" }],
    STANDARD_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ADMIN_TOKEN,
    GATE_SECRET,
    LOG: "off",
  };
});
after(async () => {
  await origin?.stop();
  rmSync(persist, { recursive: true });
});

test("two releases serve the same accounts at once, forwards and back, and count as one", async () => {
  const [calm, busy] = await Promise.all(["calm", "busy"].map((sub) => issuer.mint({ sub, plan: "pro" })));
  const load = startLoad(busy);
  const billed = new Map();
  const keys = [];
  let counted = 0;
  for (const [phase, objects] of PHASES.entries()) {
    const { gate, isolates } = await start(objects);
    load.isolates = isolates;
    await untilReady(isolates);

    assert.deepEqual(await floodBoth(isolates, calm, COUNTED), { 200: 2 * COUNTED });
    counted += 2 * COUNTED;
    for (const isolate of isolates) {
      billed.set(`${isolate.release}-${phase}`, await bill(isolate, `${isolate.release}-${phase}`, objects));
      keys.push(await newKey(isolate));
    }
    for (const isolate of isolates) {
      await readBilled(isolate, billed, objects);
      for (const key of keys) assert.equal((await isolate.use(key)).status, 200, "a key made at either isolate");
    }
    if (phase === PHASES.length - 1) {
      await load.stop();
      assert.equal(counted + (await drain(isolates, calm, LIMIT - counted)), LIMIT, "exactly the quota has passed");
      load.passed += await drain(isolates, busy, LIMIT - load.passed);
    } else {
      await until(async () => (await usedBy(isolates[0], "calm")) === counted, `${counted} units are counted, and none is out`);
    }
    load.isolates = [];
    await gate.stop();
  }

  const lost = LIMIT - load.passed;
  console.log(`busy: ${load.passed} of ${LIMIT} passed, ${lost} lost with 4 isolates that were stopped; cut off: ${load.cutOff}`);
  assert.deepEqual(load.refused, {}, "nothing is refused while units are left");
  assert.ok(lost >= 0, `${-lost} units were sold twice`);
  assert.ok(lost <= 4 * LOST_WITH_ISOLATE, `${lost} units were lost`);
  const ledgers = databasesOf(persist, "Ledger");
  assert.equal(ledgers.map(countedUnits).filter((units) => units === LIMIT).length, 2, "both quotas are used up to the unit");
  assert.ok(ledgers.some((file) => withDatabase(file, hasLaterField)), "a record of the later release was read by the earlier one");
  const drills = [...ledgers, ...databasesOf(persist, "Inbox")].map((file) => withDatabase(file, versionAndDrills));
  assert.ok(drills.filter(({ version, written }) => version === 2 && written > 0).length >= 3, "the later release wrote its columns");
});

/** Starts the objects of one release, with an isolate of that and one of the other. */
async function start(objects) {
  const other = objects === "earlier" ? "later" : "earlier";
  const beside = [{ name: "other", vars, build: BUILDS[other] }];
  const gate = await startDirectGate({ origin, persist, vars, build: BUILDS[objects], beside });
  const isolates = [isolate(gate, objects), isolate(await gate.another("other"), other)];
  return { gate, isolates };
}

function isolate(at, release) {
  const use = async (credential) => {
    const response = await at.fetch("/api/x", { headers: { authorization: `Bearer ${credential}` } });
    await response.arrayBuffer();
    return response;
  };
  const admin = async (method, path, body) => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...(body ? { "content-type": "application/json" } : {}) };
    const response = await at.fetch(`/_tollgate/admin/${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  return { release, use, admin, fetch: at.fetch };
}

/** Clients that use an account all the time, at whichever isolates there are. */
function startLoad(token) {
  const load = { isolates: [], passed: 0, cutOff: 0, refused: {} };
  let isOver = false;
  const client = async (place) => {
    while (!isOver) {
      const answer = await load.isolates[place]?.use(token).catch(() => ({ status: 0 }));
      if (answer?.status === 200) load.passed += 1;
      else if (answer?.status === 0) load.cutOff += 1;
      else if (answer) load.refused[answer.status] = (load.refused[answer.status] ?? 0) + 1;
      await pause(BUSY_PAUSE_MS);
    }
  };
  const clients = Promise.all([0, 1, 0, 1].map(client));
  load.stop = () => {
    isOver = true;
    return clients;
  };
  return load;
}

/** How often both isolates together gave which answer. */
async function floodBoth(isolates, token, requests) {
  const floods = isolates.map(({ use }) => flood(() => use(token), requests, CLIENTS));
  return countAnswers((await Promise.all(floods)).flat());
}

/** Uses up what may be left of an account's quota, twice over. Returns how many requests passed. */
async function drain(isolates, token, rest) {
  const counts = await floodBoth(isolates, token, rest);
  assert.deepEqual(Object.keys(counts), ["200", "402 quota-exhausted"]);
  return counts[200];
}

/**
 * Sends an isolate an event about an account; the later one with a word that only it knows. Returns
 * the word that the objects keep.
 */
async function bill({ release, fetch }, account, objects) {
  const word = release === "later" ? "drill" : "card_expired";
  const data = { account, id: "s1", plan: "pro", status: "past_due", payment_failure: word };
  const [id, now] = [`msg_${account}`, new Date()];
  const body = JSON.stringify({ type: "tollgate.subscription", timestamp: now.toISOString(), data });
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now / 1_000)),
    "webhook-signature": new Webhook(WEBHOOK_SECRET).sign(id, now, body),
  };
  const { status } = await fetch("/_tollgate/webhooks/standard", { method: "POST", body, headers });
  assert.equal(status, 200, id);
  return understood(word, objects);
}

/** Every event is applied once, and each account's record has its word as the isolate knows it. */
async function readBilled({ release, admin }, billed, objects) {
  const states = async () => Object.fromEntries((await admin("GET", "events?limit=100")).items.map(({ id, state }) => [id, state]));
  const applied = Object.fromEntries([...billed.keys()].map((account) => [`msg_${account}`, "applied"]));
  const isSame = (found) => Object.keys(applied).every((id) => found[id] === "applied");
  await until(async () => isSame(await states()), "every event is applied");
  assert.deepEqual(await states(), applied);
  for (const [account, word] of billed) {
    const { subscriptions } = await admin("GET", `accounts/-/${account}`);
    const expected = understood(understood(word, objects), release);
    assert.deepEqual(subscriptions.map((one) => one.payment_failure), [expected], `${account} at the ${release} isolate`);
  }
}

const understood = (word, release) => (word === "drill" && release === "earlier" ? "declined" : word);

async function newKey({ admin }) {
  await admin("PUT", "accounts/-/owner", { plan: "pro", status: "active" });
  return (await admin("POST", "accounts/-/owner/keys", {})).secret;
}

async function usedBy({ admin }, account) {
  return (await admin("GET", `accounts/-/${account}/usage?plan=pro`)).quotas[0].used;
}

/** The first call of the objects waits until their module is compiled. */
async function untilReady(isolates) {
  for (const { admin } of isolates) await until(() => admin("GET", "events").then(() => true, () => false), "the objects answer");
}

/** Whether the account's record was written by the later release (`end_message` in `src/wire.rs`). */
function hasLaterField(database) {
  const record = database.prepare("SELECT value FROM account").get();
  return record !== undefined && value(value(record.value, 1), 1_000) !== undefined;
}

function versionAndDrills(database) {
  const { version } = database.prepare("SELECT version FROM schema_version").get();
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE name IN ('live', 'event')").all();
  const written = ({ name }) => database.prepare(`SELECT count(drill) AS n FROM ${name}`).get().n;
  return { version, written: version === 2 ? tables.map(written).reduce((sum, one) => sum + one, 0) : 0 };
}
