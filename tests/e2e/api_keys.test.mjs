// API keys through the real runtime: made, used, rotated and revoked, with the time until each
// counts.

import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ADMIN_TOKEN, GATE_SECRET, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const SUPPORT = "ben-helps-customers";

let origin, issuer, gate, folder;

/** The key with this id and secret, as a gate with this secret makes it. */
function keyOf(gateSecret, id, secret = randomBytes(32).toString("base64url")) {
  const mac = (key, text) => createHmac("sha256", key).update(text).digest();
  const root = createHash("sha256").update(gateSecret).digest();
  const text = `tg_${id}_${secret}`;
  const tag = mac(mac(root, "tollgate API keys: checksum, version 1"), text);
  return text + tag.subarray(0, 8).toString("base64url");
}

const vars = () => ({
  ROUTES: [
    { match: "/export/**", requires: ["export"] },
    { match: "/reports/**", requires: ["reports"] },
    { match: "/metered/**", meter: "api" },
    { match: "/**" },
  ],
  PLANS: [
    { id: "pro", entitlements: ["export", "reports"], quotas: [{ meter: "api", limit: 1_000, per: "month" }] },
    { id: "team", quotas: [{ meter: "api", limit: 100, per: "month" }, { meter: "api", limit: 2, per: "month", each: "member" }] },
  ],
  ISSUERS: [issuerVar(issuer)],
  CREDENTIALS: ["bearer", "header:x-api-key"],
  ADMIN_TOKEN,
  GATE_SECRET,
  ADMIN_TOKENS: JSON.stringify([{ name: "ben", role: "support", token: SUPPORT }]),
});

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "tollgate-keys-"));
  origin = await startOrigin();
  issuer = await makeIssuer();
  gate = await startGate({ origin, vars: vars(), persist: folder });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function admin(method, path, body, { headers = {}, token = ADMIN_TOKEN } = {}) {
  const response = await gate.fetch(`/_tollgate/admin/accounts/${path}`, {
    method,
    headers: { ...bearer(token), ...(body ? { "content-type": "application/json" } : {}), ...headers },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text ? JSON.parse(text) : null };
}

async function use(key, path = "/a", headers = bearer(key)) {
  const response = await gate.fetch(path, { headers });
  const text = await response.text();
  return { status: response.status, cause: response.headers.get("tollgate-cause"), headers: response.headers, json: text.startsWith("{") ? JSON.parse(text) : null };
}

async function customer(name, plan = "pro") {
  const { status } = await admin("PUT", name, { plan, status: "active" });
  assert.equal(status, 200);
}

async function newKey(name, body = {}, init) {
  const made = await admin("POST", `${name}/keys`, body, init);
  assert.equal(made.status, 201, made.text);
  return made.json;
}

const list = async (name) => (await admin("GET", `${name}/keys`)).json.items;

/** Until the key is answered so; how long that took. */
async function until(key, status) {
  const begun = performance.now();
  for (;;) {
    const answer = await use(key);
    const tookMs = performance.now() - begun;
    if (answer.status === status) return { answer, tookMs };
    assert.ok(tookMs < 30_000, `still ${answer.status} after ${tookMs} ms`);
    await pause(100);
  }
}

describe("an API key", () => {
  test("opens what its account has paid for, in each place for credentials", async () => {
    await customer("acme/alice");
    const key = await newKey("acme/alice", { name: "build server" }, { token: SUPPORT });
    assert.match(key.secret, /^tg_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{54}$/);
    assert.deepEqual([key.prefix, key.name], [`tg_${key.id}`, "build server"]);
    assert.ok(key.secret.startsWith(`${key.prefix}_`));
    assert.equal(key.secret, keyOf(GATE_SECRET, key.id, key.secret.slice(12, 55)), "its checksum is the gate's");
    const { status, json } = await use(key.secret, "/export/a");
    assert.equal(status, 200);
    assert.deepEqual(["tollgate-account", "tollgate-tenant", "tollgate-plan", "tollgate-entitlements"].map((name) => json.headers[name]), ["alice", "acme", "pro", "export reports"]);
    assert.equal((await use(key.secret, "/metered/a", { "x-api-key": key.secret })).status, 200);
    const usage = await use(key.secret, "/_tollgate/usage");
    assert.equal(usage.json.quotas[0].used, 1);
  });

  test("is nowhere to be found again: not in records, lists, the trail, the log or the database", async () => {
    await customer("-/secret");
    const { secret, id } = await newKey("-/secret");
    for (const path of ["-/secret", "-/secret/keys", "-/secret/audit"]) {
      const { text } = await admin("GET", path);
      assert.ok(text.includes(id), path);
      assert.equal(text.includes(secret.slice(12)), false, path);
    }
    assert.equal(gate.log().includes(secret.slice(12)), false);
    const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
    assert.ok(files.length > 2);
    for (const path of files) assert.equal(readFileSync(path).includes(secret.slice(12)), false, path);
  });

  test("may be narrowed: what its scopes leave out no payment opens", async () => {
    await customer("-/narrow");
    const { secret } = await newKey("-/narrow", { scopes: ["export"] });
    const passed = await use(secret, "/export/a");
    assert.deepEqual([passed.status, passed.json.headers["tollgate-entitlements"]], [200, "export"]);
    const refused = await use(secret, "/reports/a");
    assert.deepEqual([refused.status, refused.cause], [403, "not-for-sale"]);
  });

  test("counts for its member", async () => {
    await customer("-/team", "team");
    const [ann, bob] = [await newKey("-/team", { member: "ann" }), await newKey("-/team", { member: "bob" })];
    const statuses = [];
    for (const key of [ann, ann, ann, bob]) statuses.push((await use(key.secret, "/metered/a")).status);
    assert.deepEqual(statuses, [200, 200, 402, 200]);
    const again = await admin("POST", `-/team/keys/${ann.id}/rotate`, { overlap_s: 60 });
    assert.equal((await use(again.json.secret, "/metered/a")).status, 402, "so does the one in its place");
  });

  test("needs an account, and a paid one to pass", async () => {
    assert.equal((await admin("POST", "-/nobody/keys", {})).status, 404);
    await admin("PUT", "-/unpaid", { plan: "pro", status: "paused" });
    const { secret } = await newKey("-/unpaid");
    const { status, cause } = await use(secret);
    assert.deepEqual([status, cause], [402, "subscription-paused"]);
  });

  test("that is made up, cut short or hostile is 401, and never a fault", async () => {
    const { secret } = await newKey("acme/alice");
    const wrong = [`${secret.slice(0, -1)}${secret.endsWith("A") ? "E" : "A"}`, secret.slice(0, 55), `${secret}A`, secret.slice(0, -1), "tg_", "tg_aaaaaaaa_", `tg_${"a".repeat(9_000)}`, secret.replace("tg_", "TG_"), "tg_'; DROP TABLE api_key; --", `tg_aaaaaaaa_${"%00".repeat(14)}x`];
    for (const key of wrong) {
      const { status, cause, headers } = await use(key);
      assert.deepEqual([status, cause], [401, "invalid-token"], key);
      assert.match(headers.get("www-authenticate"), /error="invalid_token"/);
    }
    assert.equal((await use(secret)).status, 200);
  });

  test("is no way to be an operator, and an operator's token is none", async () => {
    const { secret } = await newKey("acme/alice");
    assert.equal((await admin("GET", "acme/alice", undefined, { token: secret })).status, 401);
    assert.equal((await use(SUPPORT)).status, 401);
  });
});

describe("the life of a key", () => {
  test("rotation: both work for the overlap, then the new one alone", async () => {
    await customer("-/rotates");
    const old = await newKey("-/rotates", { name: "ci", scopes: ["export"] });
    assert.equal((await use(old.secret)).status, 200);
    const { status, json: made } = await admin("POST", `-/rotates/keys/${old.id}/rotate`, { overlap_s: 3 });
    assert.equal(status, 201);
    assert.deepEqual([made.replaces, made.name, made.scopes], [old.id, "ci", ["export"]]);
    const [listed] = await list("-/rotates");
    assert.ok(Math.abs(Date.parse(listed.expires_at) - Date.now() - 3_000) < 2_000, listed.expires_at);
    const { answer } = await until(made.secret, 200);
    assert.equal(answer.status, 200, "a new key is heard of within the same time as a revocation");
    const ended = await until(old.secret, 401);
    assert.equal(ended.answer.cause, "credential-revoked");
    assert.equal((await use(made.secret)).status, 200);
    const again = await admin("POST", `-/rotates/keys/${old.id}/rotate`, { overlap_s: 3 });
    assert.equal(again.status, 409, "what is over is not rotated");
  });

  test("revocation is heard of within 20 seconds by whoever asks all the time", async () => {
    await customer("-/revoked");
    const { id, secret } = await newKey("-/revoked");
    await until(secret, 200);
    assert.equal((await admin("DELETE", `-/revoked/keys/${id}`)).status, 204);
    const { answer, tookMs } = await until(secret, 401);
    assert.equal(answer.cause, "credential-revoked");
    assert.ok(tookMs < 20_000, `${Math.round(tookMs)} ms`);
    console.log(`# a revoked key was refused after ${Math.round(tookMs)} ms`);
    assert.equal((await admin("DELETE", `-/revoked/keys/${id}`)).status, 204, "twice is once");
    const trail = (await admin("GET", "-/revoked/audit")).json.items.map(({ action }) => action);
    assert.deepEqual(trail, ["revoke-key", "add-key", "put-account"]);
  });

  test("an end of its own is kept to the second", async () => {
    await customer("-/ends");
    const { secret } = await newKey("-/ends", { expires_at: new Date(Date.now() + 2_000).toISOString() });
    assert.equal((await use(secret)).status, 200);
    await pause(2_100);
    assert.deepEqual([(await use(secret)).cause], ["credential-revoked"]);
  });

  test("survives the runtime being started again", async () => {
    await customer("-/survivor");
    const { secret } = await newKey("-/survivor");
    await gate.stop();
    gate = await startGate({ origin, vars: vars(), persist: folder });
    assert.equal((await use(secret)).status, 200);
  });

  test("many with one Idempotency-Key are one, and its secret is shown to one", async () => {
    await customer("-/once");
    const headers = { "idempotency-key": "the same" };
    const made = await Promise.all(Array.from({ length: 12 }, () => admin("POST", "-/once/keys", { name: "x" }, { headers })));
    assert.deepEqual(new Set(made.map(({ status, json }) => `${status} ${json.id}`)).size, 1);
    const [first, ...more] = made.filter(({ json }) => json.secret !== null);
    assert.equal(more.length, 0);
    const replay = made.find(({ json }) => json.secret === null);
    assert.match(replay.json.note, /kept nowhere/);
    assert.equal(replay.headers.get("idempotency-replayed"), "true");
    assert.equal((await list("-/once")).length, 1);
    assert.equal((await use(first.json.secret)).status, 200);
  });

  test("mistakes are named", async () => {
    await customer("-/mistakes");
    for (const [body, said] of [[{ scopes: [] }, /scopes/], [{ expires_at: "2020-01-01T00:00:00Z" }, /expires_at.*2020/], [{ secret: "mine" }, /unknown field/], [{ name: "" }, /name/]]) {
      const { status, json } = await admin("POST", "-/mistakes/keys", body);
      assert.equal(status, 400);
      assert.match(json.detail, said);
    }
    assert.equal((await admin("DELETE", "-/mistakes/keys/nothere1")).status, 404);
    assert.equal((await admin("POST", "-/mistakes/keys/nothere1/rotate", { overlap_s: 0 })).status, 404);
    assert.equal((await admin("POST", "-/mistakes/keys/nothere1/rotate", {})).status, 400);
    assert.deepEqual(await list("-/mistakes"), []);
  });
});

test("while the directory fails, a key is listed and opens nothing, and nobody is taken for somebody else", async () => {
  const broken = await startGate({ origin, vars: vars(), bindings: { scriptPath: "tests/e2e/fixtures/broken_directory_entry.mjs" } });
  const ask = async (method, path, body) => {
    const headers = { ...bearer(ADMIN_TOKEN), "idempotency-key": `${method} ${path}` };
    const response = await broken.fetch(`/_tollgate/admin/accounts/-/half${path}`, { method, headers, body: body && JSON.stringify(body) });
    return { status: response.status, json: await response.json() };
  };
  try {
    await ask("PUT", "", { plan: "pro", status: "active" });
    const made = await ask("POST", "/keys", { name: "half" });
    assert.equal(made.status, 503);
    assert.match(made.json.detail, /listed and opens nothing/);
    assert.equal(JSON.stringify(made.json).includes("tg_"), false);
    const { items } = (await ask("GET", "/keys")).json;
    assert.deepEqual(items.map(({ name }) => name), ["half"]);
    const again = await ask("POST", "/keys", { name: "half" });
    assert.deepEqual([again.status, again.json.id, again.json.secret], [201, items[0].id, null]);
    const used = await broken.fetch("/a", { headers: bearer(keyOf(GATE_SECRET, "aaaaaaaa")) });
    assert.deepEqual([used.status, used.headers.get("tollgate-cause")], [503, "checker-unavailable"]);
    assert.ok(Number(used.headers.get("retry-after")) >= 1);
    await used.body?.cancel();
    const token = await broken.fetch("/a", { headers: bearer(await issuer.mint({ plan: "pro" })) });
    assert.equal(token.status, 200, "tokens need no directory");
    await token.body?.cancel();
  } finally {
    await broken.stop();
  }
});

test("without objects there are no keys", async () => {
  const bare = await startGate({ origin, vars: { ROUTES: [{ match: "/**" }], ISSUERS: [issuerVar(issuer)], PLANS: [], GATE_SECRET }, bindings: { durableObjects: {} } });
  try {
    for (const key of [keyOf(GATE_SECRET, "aaaaaaaa"), keyOf("another-gate", "aaaaaaaa")]) {
      const response = await bare.fetch("/a", { headers: bearer(key) });
      assert.equal(response.status, 401);
      await response.body?.cancel();
    }
  } finally {
    await bare.stop();
  }
});

describe("made-up keys", () => {
  let counted;
  const calls = async () => (await counted.fetch("/count")).json();
  before(async () => {
    counted = await startGate({ origin, vars: vars(), bindings: { scriptPath: "tests/e2e/fixtures/counting_entry.mjs" } });
  });
  after(() => counted?.stop());

  test("500 of them, of every form and by every way in, ask no object", async () => {
    const id = (number) => `made${String(number).padStart(4, "0")}`;
    const forms = [
      (number) => `tg_${id(number)}_${randomBytes(32).toString("base64url")}`,
      (number) => `tg_${id(number)}_${randomBytes(40).toString("base64url")}`,
      (number) => keyOf("the-secret-of-another-gate-0123456789", id(number)),
      (number) => `tg_${id(number)}_${"a".repeat(54)}`,
    ];
    const before = (await calls()).objects;
    for (let number = 0; number < 500; number += 1) {
      const key = forms[number % forms.length](number);
      const [path, headers] = number % 2 ? ["/a", bearer(key)] : ["/_tollgate/usage", { "x-api-key": key }];
      const response = await counted.fetch(path, { headers });
      assert.deepEqual([response.status, response.headers.get("tollgate-cause")], [401, "invalid-token"], key);
      await response.body?.cancel();
    }
    const { objects } = await calls();
    assert.equal(objects - before, 0);
    const known = await counted.fetch("/a", { headers: bearer(keyOf(GATE_SECRET, "aaaaaaaa")) });
    assert.equal(known.status, 401);
    await known.body?.cancel();
    assert.equal((await calls()).objects - before, 1, "what the gate could have made is looked for");
  });
});

describe("the gate's secret", () => {
  const NEW = "the-new-value-of-the-gates-secret-0123456789";
  const restart = async (secret) => {
    await gate.stop();
    gate = await startGate({ origin, vars: { ...vars(), GATE_SECRET: secret }, persist: folder });
  };
  after(() => restart(GATE_SECRET));

  test("is rotated without killing a key, as long as the old value stays", async () => {
    await customer("-/rotated");
    const old = await newKey("-/rotated");
    await restart(`${NEW} ${GATE_SECRET}`);
    const made = await newKey("-/rotated");
    assert.equal(made.secret, keyOf(NEW, made.id, made.secret.slice(12, 55)), "the first value signs");
    for (const { secret } of [old, made]) assert.equal((await use(secret)).status, 200);
    await restart(NEW);
    assert.deepEqual([(await use(old.secret)).cause, (await use(made.secret)).status], ["invalid-token", 200]);
    assert.match(gate.log(), /no value of GATE_SECRET made this API key/);
  });

  test("is needed to make a key, and to use one", async () => {
    await restart(GATE_SECRET);
    await customer("-/secretless");
    const { id, secret } = await newKey("-/secretless");
    await restart("");
    const [made, rotated] = [await admin("POST", "-/secretless/keys", {}), await admin("POST", `-/secretless/keys/${id}/rotate`, { overlap_s: 0 })];
    for (const refused of [made, rotated]) {
      assert.equal(refused.status, 409);
      assert.match(refused.json.detail, /GATE_SECRET is set/);
    }
    assert.equal((await list("-/secretless")).length, 1, "nothing was listed");
    assert.equal((await use(secret)).cause, "invalid-token");
    const { warnings } = await (await gate.fetch("/_tollgate/health")).json();
    assert.ok(warnings.some(({ variable, found }) => variable === "GATE_SECRET" && /API keys/.test(found)), JSON.stringify(warnings));
  });
});
