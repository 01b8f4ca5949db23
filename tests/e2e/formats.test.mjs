// The databases of earlier releases: this one starts on each, and finds everything as it was.
//
// `tests/formats/<release>/*.sql` hold a database of each class, and `clients.json` the texts that
// clients kept. docs/formats.md says when new ones are due. `TOLLGATE_WRITE_FORMATS=<folder>` before
// `node --test tests/e2e/formats.test.mjs` writes them.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { databasesOf, dump, restore, rowsOf, schemaOf, withDatabase } from "./fixtures/databases.mjs";
import { newReader } from "./fixtures/readers.mjs";
import { startControlledGate, until } from "./fixtures/runtime.mjs";
import { fieldsOf, unitsOf, value, values } from "./fixtures/wire.mjs";
import { ADMIN_TOKEN, GATE_SECRET, issuerVar, makeIssuer, ROOT, startOrigin } from "./harness.mjs";

const FORMATS = join(ROOT, "tests/formats");
const RELEASES = readdirSync(FORMATS).filter((name) => /^\d+$/.test(name));
const CLASSES = { Ledger: "ledger", Inbox: "inbox", KeyDirectory: "key_directory", ReaderRegistry: "reader_registry" };
const WRITTEN_TO = process.env.TOLLGATE_WRITE_FORMATS;
/** The time in the databases. Counts belong to it, so the gate's clock is set to it. */
const AT = Date.parse("2026-11-28T12:00:00Z");
const DAY_MS = 86_400_000;
const WEBHOOK_SECRET = `whsec_${Buffer.from("a webhook secret of the formats!").toString("base64")}`;
/** Isolates beside the first: with so many, holders have rows apart from the live row. */
const OTHERS = WRITTEN_TO ? ["second", "third", "fourth", "fifth", "sixth"] : [];
const ALICE = "accounts/acme/alice";

let gate, issuer, origin, persist;

before(async () => {
  issuer = await makeIssuer();
  origin = await startOrigin();
});
after(() => origin?.stop());

beforeEach(() => (persist = mkdtempSync(join(tmpdir(), "tollgate-"))));
afterEach(async () => {
  await stop();
  rmSync(persist, { recursive: true });
});

test("the newest databases are of the schema that migrations make from nothing", async () => {
  await start({ beside: OTHERS.map((name) => ({ name, vars: vars() })) });
  const clients = await fill();
  await stop();
  for (const [className, name] of Object.entries(CLASSES)) {
    const [file, ...more] = databasesOf(persist, className);
    assert.deepEqual(more, [], className);
    if (WRITTEN_TO) {
      mkdirSync(join(FORMATS, WRITTEN_TO), { recursive: true });
      writeFileSync(join(FORMATS, WRITTEN_TO, `${name}.sql`), dump(file));
    }
    const newest = restore(mkdtempSync(join(persist, "newest-")), join(FORMATS, RELEASES.at(-1), `${name}.sql`));
    assert.deepEqual(
      withDatabase(newest, schemaOf),
      withDatabase(file, schemaOf),
      `${className}: where docs/formats.md allows the change, write new files`,
    );
  }
  if (WRITTEN_TO) writeFileSync(join(FORMATS, WRITTEN_TO, "clients.json"), `${JSON.stringify(clients, null, 2)}\n`);
});

for (const release of RELEASES) {
  test(`the databases of release ${release} are read, and brought to today's schema`, async () => {
    const files = restoreAll(release);
    const holders = withDatabase(files.Ledger, (database) => database.prepare("SELECT count(*) AS n FROM holder").get().n);
    assert.ok(holders > 0, "some holders have rows of their own");
    const units = withDatabase(files.Ledger, liveUnits);
    const { key, old_cookie: oldCookie } = JSON.parse(readFileSync(join(FORMATS, release, "clients.json"), "utf8"));
    await start();
    await gate.control({ clock: AT + 1_000 });

    const record = (await admin("GET", ALICE)).json;
    assert.deepEqual([record.plan, record.status, record.entitlements], ["pro", "active", ["export"]]);
    assert.deepEqual(record.limits, { "api/month": 600 });
    assert.deepEqual(record.subscriptions.map(({ id, plan, status }) => [id, plan, status]), [["s1", "pro", "trialing"]]);
    assert.deepEqual(record.revoked_tokens, ["jti_1"]);
    const usage = (await admin("GET", `${ALICE}/usage?plan=pro&member=ann`)).json;
    const used = Object.fromEntries(usage.quotas.map(({ name, used, limit }) => [name, [used, limit]]));
    assert.deepEqual(used, { "api/month": [units[""], 600], "api/month/member": [units.ann, 300] });
    assert.ok(units[""] >= 8 && units.ann >= 8, JSON.stringify(units));
    const packs = (await admin("GET", `${ALICE}/credits`)).json.items;
    assert.deepEqual(packs.map(({ id, units }) => [id, units]).sort(), [["pack_1", 30], ["standard:bought_1", 40]]);
    const keys = (await admin("GET", `${ALICE}/keys`)).json.items;
    assert.deepEqual(keys.map(({ name, member }) => [name, member]), [["build server", "ann"]]);
    const trail = (await admin("GET", `${ALICE}/audit`)).json.items.map(({ action }) => action);
    for (const action of ["put-account", "add-credits", "add-key", "revoke-token"]) assert.ok(trail.includes(action), `${action} in ${trail}`);
    const events = (await admin("GET", "events")).json.items.filter(({ id }) => id.startsWith("msg_"));
    const states = Object.fromEntries(events.map(({ id, state }) => [id, state]));
    assert.deepEqual(states, { msg_1: "applied", msg_2: "applied", msg_3: "waiting", msg_4: "applied" });
    const linked = (await admin("GET", "customers/standard/cus_1")).json;
    assert.equal(linked.account, "acme/alice");
    const accounts = (await admin("GET", "accounts")).json.items;
    assert.deepEqual(accounts.map(({ account, status }) => [account, status]), [["acme/alice", "active"]]);
    const again = await putAccount();
    assert.equal(again.headers.get("idempotency-replayed"), "true", "a write from before is known");

    assert.equal((await use(key)).status, 200, "the API key opens");
    assert.ok(await isFoundOut(oldCookie), "a reader's old cookie is known");
    await stop();

    const fresh = schemasOfNew();
    for (const [className, file] of Object.entries(files)) {
      assert.deepEqual(withDatabase(file, schemaOf), fresh[className], className);
    }
  });
}

test("a migration that fails half-way loses nothing, and the next start completes it", async () => {
  const { Ledger: ledger } = restoreAll(RELEASES.at(-1));
  const [schema, rows] = withDatabase(ledger, (database) => [schemaOf(database), rowsOf(database)]);
  // In the way of the second half of the drill's migration: `src/edge/schema/ledger_2_drill.sql`.
  withDatabase(ledger, (database) => database.exec("CREATE TABLE drill (id INTEGER PRIMARY KEY)"));
  await start({ build: "build-drills" });
  await gate.control({ clock: AT + 1_000 });
  for (let time = 0; time < 2; time += 1) assert.equal((await admin("GET", ALICE)).status, 503);
  gate.kill();
  await stop();
  withDatabase(ledger, (database) => database.exec("DROP TABLE drill"));
  withDatabase(ledger, (database) => {
    assert.deepEqual(schemaOf(database), schema);
    assert.deepEqual(rowsOf(database), rows);
  });

  await start({ build: "build-drills" });
  await gate.control({ clock: AT + 1_000 });
  assert.equal((await admin("GET", ALICE)).json.plan, "pro");
  await stop();
  withDatabase(ledger, (database) => {
    assert.equal(database.prepare("SELECT version FROM schema_version").get().version, 2);
    assert.equal(database.prepare("SELECT count(drill) AS written FROM live").get().written, 0);
    const added = (row) => row.replace(/(INSERT INTO (?:live|holder) \([^)]*), drill\)(.*), NULL\);$/, "$1)$2);");
    const isKept = (row) => !row.startsWith("INSERT INTO schema_version");
    assert.deepEqual(rowsOf(database).map(added).filter(isKept), rows.filter(isKept));
  });
});

test("the bytes of every message are Protocol Buffers", () => {
  for (const release of RELEASES) {
    const lines = readFileSync(join(FORMATS, release, "values.txt"), "utf8").trimEnd().split("\n");
    const messages = new Map(lines.map((line) => line.split(": ")).map(([name, hex]) => [name, Buffer.from(hex, "hex")]));
    assert.ok(messages.size > 80);
    for (const [name, bytes] of messages) assert.ok(fieldsOf(bytes).every(([number]) => number === 1), name);
    assert.equal(unitsOf(messages.get("LiveRow")), 131);
    const own = value(value(messages.get("AccountRecord"), 1), 1);
    assert.equal(value(own, 1).toString(), "pro");
    assert.deepEqual(values(own, 2).map(String), ["seats", "gpu"]);
  }
});

/** Makes an account with all there is to it, a few events and a reader. */
async function fill() {
  // The count of the month before last leaves the live row.
  await gate.control({ clock: AT - 61 * DAY_MS });
  assert.equal((await putAccount()).status, 200);
  const made = await admin("POST", `${ALICE}/keys`, { name: "build server", member: "ann" });
  const key = made.json.secret;
  for (const days of [61, 31]) {
    await gate.control({ clock: AT - days * DAY_MS });
    assert.equal((await use(key)).status, 200);
  }
  await gate.control({ clock: AT });
  assert.equal((await putAccount()).status, 200);
  await admin("POST", `${ALICE}/credits`, { id: "pack_1", units: 30 });
  await admin("POST", `${ALICE}/revocations`, { token_id: "jti_1" });
  for (let time = 0; time < 3; time += 1) assert.equal((await use(key)).status, 200);
  for (const name of OTHERS) assert.equal((await use(key, await gate.another(name))).status, 200);

  await admin("PUT", "customers/standard/cus_1", { account: "acme/alice" });
  await send("msg_1", "subscription", { customer: "cus_1", id: "s1", plan: "pro", status: "trialing" });
  await send("msg_2", "credits", { account: "acme/alice", id: "bought_1", units: 40 });
  await send("msg_4", "paid", { customer: "cus_1", subscription: "s1", until: "2026-12-28T12:00:00Z" });
  await send("msg_3", "subscription", { customer: "cus_unknown", id: "s2", plan: "pro", status: "active" });
  const states = async () => (await admin("GET", "events")).json.items.map(({ state }) => state);
  await until(async () => !(await states()).includes("received"), "the events are delivered");

  const reader = newReader(gate);
  await reader.left("/articles/1");
  const oldCookie = reader.cookie;
  for (let article = 2; article <= 5; article += 1) await reader.left(`/articles/${article}`);
  await until(() => databasesOf(persist, "ReaderRegistry").length > 0, "the reader is reported");
  await until(async () => (await gate.control()).inFlight === 0, "the report is answered");
  await pause(2_500);
  return { key, old_cookie: oldCookie };
}

function putAccount() {
  const body = { plan: "pro", status: "active", entitlements: ["export"], limits: { "api/month": 600 } };
  return admin("PUT", ALICE, body, { "idempotency-key": "once" });
}

async function send(id, type, data) {
  const now = new Date(AT);
  const body = JSON.stringify({ type: `tollgate.${type}`, timestamp: now.toISOString(), data });
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(AT / 1_000),
    "webhook-signature": new Webhook(WEBHOOK_SECRET).sign(id, now, body),
  };
  const { status } = await gate.fetch("/_tollgate/webhooks/standard", { method: "POST", body, headers });
  assert.equal(status, 200, id);
}

async function admin(method, path, body, more = {}) {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...(body ? { "content-type": "application/json" } : {}), ...more };
  const response = await gate.fetch(`/_tollgate/admin/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text.startsWith("{") ? JSON.parse(text) : null };
}

async function use(key, at = gate) {
  const response = await at.fetch("/api/x", { headers: { authorization: `Bearer ${key}` } });
  await response.arrayBuffer();
  return response;
}

/** Whether a reader who comes with an old cookie is found out, after a view or two. */
async function isFoundOut(cookie) {
  for (const article of [7, 8, 9]) {
    const response = await newReader(gate, { cookie }).ask(`/articles/${article}`);
    if (response.status === 402) return true;
    await pause(2_500);
  }
  return false;
}

async function start(options = {}) {
  gate = await startControlledGate({ origin, persist, vars: vars(), ...options });
}

function vars() {
  return {
    ROUTES: [{ match: "/api/**", meter: "api" }, { match: "/articles/**", free: "5 per month" }, { match: "/**", open: true }],
    PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: 100, per: "month" }, { meter: "api", limit: 300, per: "month", each: "member" }] }],
    ISSUERS: [issuerVar(issuer)],
    BILLING: [{ provider: "standard" }],
    STANDARD_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ALLOWANCE_KEY: "a-secret-of-thirty-two-bytes-at-least",
    ADMIN_TOKEN,
    GATE_SECRET,
    LOG: "faults",
  };
}

async function stop() {
  await gate?.stop();
  gate = undefined;
}

/** Makes the databases of a release. Returns their files by class. */
function restoreAll(release) {
  return mapClasses((name) => restore(persist, join(FORMATS, release, `${name}.sql`)));
}

/** The schemas of today's databases: those of the newest files, by the first of these tests. */
function schemasOfNew() {
  const folder = mkdtempSync(join(persist, "newest-"));
  return mapClasses((name) => withDatabase(restore(folder, join(FORMATS, RELEASES.at(-1), `${name}.sql`)), schemaOf));
}

const mapClasses = (work) => Object.fromEntries(Object.entries(CLASSES).map(([className, name]) => [className, work(name)]));

/** Units in the live rows, by member. */
function liveUnits(database) {
  const rows = database.prepare("SELECT member, value FROM live").all();
  return Object.fromEntries(rows.map((row) => [row.member, unitsNow(row.value)]));
}

/** Units in the newest window of a live row. */
function unitsNow(liveRow) {
  const counters = values(value(liveRow, 1), 1);
  const newest = counters.reduce((one, other) => (value(other, 3) > value(one, 3) ? other : one));
  return Number(value(value(newest, 4), 1));
}
