// The operator's command line against a real gate: what it sends is taken, and what it explains is what
// the gate answers.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import { stringify } from "smol-toml";
import { startProvider } from "../../www/demo/provider/provider.mjs";
import { ADMIN_TOKEN, AUDIENCE, GATE_SECRET, ROOT, durableObjects, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const byRecord = await makeIssuer({ iss: "https://accounts.example.test", kid: "accounts" });
const byToken = await makeIssuer({ kid: "tokens" });
const folder = mkdtempSync(join(tmpdir(), "tollgate-command-"));
const config = join(folder, "wrangler.toml");
const SECRETS = { ADMIN_TOKEN, GATE_SECRET, STRIPE_WEBHOOK_SECRET: "whsec_of_a_test" };
let program, origin, gate;

/** Runs the program; resolves to its exit code and outputs. */
async function tollgate(args, { input = "", env = {} } = {}) {
  const given = { PATH: process.env.PATH, TOLLGATE_URL: gate?.url, TOLLGATE_ADMIN_TOKEN: ADMIN_TOKEN, ...env };
  const child = spawn(program, args, { cwd: folder, env: given });
  // It may end without reading.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on("close", resolve)),
  ]);
  return { code, stdout, stderr, said: stdout + stderr };
}

/** The same, which has to end with this code, in JSON. */
async function json(args, code = 0, options = {}) {
  const run = await tollgate([...args, "--json"], options);
  assert.equal(run.code, code, run.said);
  return JSON.parse(run.stdout);
}

before(async () => {
  program = await built();
  origin = await startOrigin();
  const vars = {
    ORIGIN: origin.url,
    BILLING: [{ provider: "stripe", test: true }],
    BRAND: { name: "Example", account_url: "https://www.example.com/account", plans_url: "https://www.example.com/plans" },
    ROUTES: [
      { match: "/articles/**", requires: ["premium"], anonymous: "offer" },
      { match: "/v1/**", meter: "api", cost: 2 },
      { match: "/**", open: true },
    ],
    PLANS: [
      { id: "free", quotas: [{ meter: "api", limit: 1, per: "month" }], on_sale: false },
      { id: "pro", name: "Pro", entitlements: ["premium"], quotas: [{ meter: "api", limit: 100, per: "month" }], prices: ["price_1"] },
    ],
    ISSUERS: [issuerVar(byRecord, { subscription: "account", claims: { account: "sub" } }), issuerVar(byToken)],
  };
  const bindings = Object.entries(durableObjects()).map(([name, { className }]) => ({ name, class_name: className }));
  writeFileSync(config, stringify({ durable_objects: { bindings }, vars }));
  writeFileSync(join(folder, ".dev.vars"), Object.entries(SECRETS).map(([name, value]) => `${name}="${value}"\n`).join(""));
  gate = await startGate({ vars: { ...vars, ...SECRETS } });
});

after(async () => {
  await gate?.stop();
  await origin?.stop();
  rmSync(folder, { recursive: true });
});

/** Waits for something that the gate does by itself. */
async function until(isSo) {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Builds the program, and says where it is. */
async function built() {
  const args = ["build", "--features", "cli", "--bin", "tollgate", "--message-format", "json"];
  const cargo = spawn("cargo", args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const [lines, errors] = await Promise.all([text(cargo.stdout), text(cargo.stderr)]);
  const messages = lines.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const found = messages.find((message) => message.target?.name === "tollgate" && message.executable);
  assert.ok(found, errors);
  return found.executable;
}

describe("tokens", () => {
  test("made by the command line are taken by the gate, for every kind of key", async () => {
    for (const alg of ["ed25519", "es256", "hs256"]) {
      const made = await json(["keygen", "--alg", alg]);
      const keys = alg === "hs256" ? { keys: undefined, keys_secret: "TOKEN_KEYS" } : { keys: made.jwks };
      const issuer = { iss: "https://made.example.test", audience: [AUDIENCE], claims: { account: "sub", plan: "plan" }, ...keys };
      const vars = { ORIGIN: origin.url, ROUTES: [{ match: "/**" }], ISSUERS: [issuer], TOKEN_KEYS: JSON.stringify(made.jwks) };
      const own = await startGate({ vars });
      try {
        const mint = ["mint", "--key", "-", "--iss", issuer.iss, "--aud", AUDIENCE, "--account", "acme"];
        const { token } = await json(mint, 0, { input: JSON.stringify(made.private) });
        const answer = await own.fetch("/x", { headers: { authorization: `Bearer ${token}` } });
        assert.equal(answer.status, 200, alg);
        assert.equal((await answer.json()).headers["tollgate-account"], "acme");
      } finally {
        await own.stop();
      }
    }
  });

  test("are refused by inspect for the gate's own reason", async () => {
    const nowS = Math.floor(Date.now() / 1000);
    for (const [claims, header, word] of [
      [{}, {}, null],
      [{ aud: "https://other.example" }, {}, "wrong-audience"],
      [{ exp: nowS - 600 }, {}, "expired"],
      [{ iat: nowS + 600 }, {}, "not-yet-valid"],
      [{ iss: "https://nobody.example" }, {}, "unknown-issuer"],
      [{}, { kid: "another" }, "unknown-key"],
      [{}, { typ: "dpop+jwt" }, "wrong-type"],
    ]) {
      const token = await byToken.mint(claims, header);
      const { verdict } = await json(["inspect", "--config", config, token], word === null ? 0 : 1);
      assert.equal(verdict.refused, word);
      const answer = await gate.fetch("/v1/x", { headers: { authorization: `Bearer ${token}`, accept: "application/json" } });
      const challenge = answer.headers.get("www-authenticate") ?? "";
      if (word === null) assert.notEqual(answer.status, 401);
      else assert.equal(answer.status, 401, challenge);
    }
  });
});

describe("an explanation", () => {
  const dayMs = 86_400_000;
  const ago = (days) => new Date(Date.now() - days * dayMs).toISOString();
  const pro = { plan: "pro", status: "active" };
  const cases = [
    ["nobody, at what is for sale", "GET /articles/1"],
    ["nobody, at what is metered", "POST /v1/x"],
    ["nobody, at what is open", "GET /about"],
    ["a path with two meanings", "GET /articles%2f1"],
    ["a token that is none", "GET /articles/1", { token: "nonsense" }],
    ["a customer", "GET /articles/1", { record: pro }],
    ["a customer who counts", "GET /v1/x", { record: pro }],
    ["a stranger", "GET /articles/1", { record: null }],
    ["a plan without it", "GET /articles/1", { record: { plan: "free", status: "active" } }],
    ["a request larger than the quota", "GET /v1/x", { record: { plan: "free", status: "active" } }],
    ["a failed charge in its grace", "GET /articles/1", { record: { plan: "pro", status: "past_due", payment_failed_at: ago(1) } }],
    ["a failed charge after it", "GET /articles/1", { record: { plan: "pro", status: "past_due", payment_failed_at: ago(9), payment_failure: "insufficient_funds" } }],
    ["an expired card", "GET /articles/1", { record: { plan: "pro", status: "unpaid", payment_failed_at: ago(9), payment_failure: "card_expired" } }],
    ["a paused subscription", "GET /articles/1", { record: { plan: "pro", status: "paused" } }],
    ["an ended one", "GET /articles/1", { record: { plan: "pro", status: "ended", ends_at: ago(2) } }],
    ["a suspended account", "GET /articles/1", { record: { ...pro, suspended: true } }],
    ["a revoked token", "GET /articles/1", { record: { ...pro, tokens_revoked_before: new Date(Date.now() + dayMs).toISOString() } }],
    ["a plan that nobody defined", "GET /articles/1", { claims: { plan: "gold" }, by: byToken }],
    ["what a token says", "GET /articles/1", { claims: { plan: "pro" }, by: byToken }],
    ["entitlements of a token", "GET /articles/1", { claims: { entitlements: ["premium"] }, by: byToken }],
  ];

  for (const [index, [name, asks, { token, record, claims = {}, by = byRecord } = {}]] of cases.entries()) {
    test(`of ${name} is what the gate answers`, async () => {
      const [method, path] = asks.split(" ");
      const account = `explained-${index}`;
      const args = ["explain", `${method} ${gate.url}${path}`, "--config", config, "--header", "Accept: application/json"];
      const headers = { accept: "application/json" };
      if (token !== undefined || record !== undefined || by === byToken) {
        const sent = token ?? (await by.mint({ sub: account, ...claims }));
        writeFileSync(join(folder, "token"), sent);
        args.push("--token", "token");
        headers.authorization = `Bearer ${sent}`;
      }
      if (record) {
        writeFileSync(join(folder, "record.json"), JSON.stringify(record));
        args.push("--account", "record.json");
        await json(["account", "set", account, "--from", "record.json"]);
      }
      const answer = await gate.fetch(path, { method, headers });
      const body = await answer.json();
      const passes = answer.status === 200;
      const told = await json(args, passes ? 0 : 1);
      assert.equal(told.decision.pass, passes, JSON.stringify(body));
      if (passes) {
        for (const field of ["tollgate-account", "tollgate-plan", "tollgate-entitlements"]) {
          const said = Object.entries(told.origin.headers).find(([other]) => other.toLowerCase() === field);
          assert.equal(said?.[1], body.headers[field], field);
        }
        for (const [field, value] of Object.entries(told.response_headers)) {
          if (field !== "RateLimit") assert.equal(answer.headers.get(field), value, field);
        }
        return;
      }
      assert.equal(told.answer.status, answer.status);
      assert.equal(told.decision.cause, answer.headers.get("tollgate-cause"));
      const same = ({ support_id, ...rest }) => rest;
      assert.deepEqual(same(JSON.parse(told.answer.body)), same(body));
    });
  }
});

describe("over the admin API", () => {
  test("an account is set, shown and changed", async () => {
    await json(["account", "set", "alice", "--plan", "pro", "--status", "active"]);
    const changed = await json(["account", "set", "alice", "--limit", "api/month=7", "--entitlement", "beta"]);
    assert.deepEqual([changed.plan, changed.limits, changed.entitlements], ["pro", { "api/month": 7 }, ["beta"]]);
    await json(["account", "set", "alice", "--clear", "limits"]);
    const shown = await json(["account", "show", "alice"]);
    assert.deepEqual([shown.plan, shown.status, shown.limits], ["pro", "active", undefined]);
    const usage = await json(["account", "usage", "alice"]);
    assert.equal(usage.quotas[0].limit, 100);
    assert.match((await tollgate(["account", "show", "nobody"])).stderr, /no such account/i);
    const refused = await json(["account", "set", "alice", "--plan", "gold"], 1);
    assert.match(refused.error, /PLANS has no plan "gold"/);
    const closed = await json(["account", "show", "alice"], 1, { env: { TOLLGATE_ADMIN_TOKEN: "not-the-operators-token" } });
    assert.equal(closed.status, 401);
  });
});

describe("over the admin API, what support does", () => {
  before(() => json(["account", "set", "acme", "--plan", "pro", "--status", "active"]));

  test("credits are added once, and listed", async () => {
    const add = ["account", "credits", "add", "acme", "invoice-17", "500"];
    await json(add);
    assert.equal((await json(add)).id, "invoice-17", "again, and nothing happens");
    const { items } = await json(["account", "credits", "list", "acme"]);
    assert.deepEqual(items.map((pack) => [pack.id, pack.units, pack.left]), [["invoice-17", 500, 500]]);
    const other = await json(["account", "credits", "add", "acme", "invoice-17", "7"], 1);
    assert.equal(other.status, 409);
  });

  test("keys are made, rotated, listed and revoked", async () => {
    const made = await json(["account", "keys", "create", "acme", "--name", "ci", "--scope", "read"]);
    assert.match(made.secret, /^tg_\w{8}_[\w-]{54}$/);
    const next = await json(["account", "keys", "rotate", "acme", made.id, "--overlap", "1h"]);
    assert.notEqual(next.secret, made.secret);
    await json(["account", "keys", "revoke", "acme", next.id]);
    const listed = await tollgate(["account", "keys", "list", "acme", "--json"]);
    const { items } = JSON.parse(listed.stdout);
    assert.deepEqual(items.map((key) => [key.id, key.name]), [[made.id, "ci"], [next.id, "ci"]]);
    assert.ok(items[0].expires_at && items[1].revoked_at, listed.stdout);
    assert.ok(![made, next].some((key) => listed.said.includes(key.secret)), "no secret is shown again");
    const unknown = await json(["account", "keys", "revoke", "acme", "nokey"], 1);
    assert.equal(unknown.status, 404);
  });

  test("tokens are revoked by age and by name", async () => {
    const cut = "2026-01-01T00:00:00Z";
    assert.equal((await json(["account", "revoke-tokens", "acme", "--issued-before", cut])).tokens_revoked_before, cut);
    assert.deepEqual((await json(["account", "revoke-tokens", "acme", "--id", "t1"])).revoked_tokens, ["t1"]);
    await json(["account", "revoke-tokens", "acme", "--issued-before", "now"]);
    const token = await byRecord.mint({ sub: "acme", iat: Math.floor(Date.now() / 1000) - 5 });
    const answer = await gate.fetch("/articles/1", { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.headers.get("tollgate-cause"), "credential-revoked");
  });

  test("subscriptions and the audit trail are read", async () => {
    const { items: [own] } = await json(["account", "subscriptions", "acme"]);
    assert.deepEqual([own.plan, own.standing.access], ["pro", true]);
    const { items } = await json(["account", "audit", "acme", "--limit", "4"]);
    assert.equal(items.length, 4);
    assert.ok(items.every((entry) => entry.actor === "admin"), JSON.stringify(items));
    const table = await tollgate(["account", "audit", "acme"]);
    assert.match(table.stdout, /^at +actor +action +detail\n/);
  });

  test("a write under the same key is done once", async () => {
    const make = ["account", "keys", "create", "acme", "--idempotency-key", "make-one"];
    const first = await json(make);
    const again = await json(make);
    assert.deepEqual([again.id, again.secret], [first.id, null]);
    const other = await json([...make, "--name", "other"], 1);
    assert.equal(other.status, 422);
  });
});

describe("over the admin API, what a payment provider told", () => {
  let provider, erin, dora;

  before(async () => {
    const webhook = { url: `${gate.url}/_tollgate/webhooks/stripe`, secret: SECRETS.STRIPE_WEBHOOK_SECRET };
    const prices = [{ id: "price_1", lookup_key: "pro_monthly", product: "prod_pro", name: "Pro", amount: 900, features: [] }];
    provider = await startProvider({ prices, apiKey: "sk_test_pretend", webhook });
    erin = provider.life.createCustomer({ email: "erin@example.test", name: "Erin" });
    provider.life.subscribe(erin, { price: "price_1", metadata: { tollgate_account: "erin" } });
    dora = provider.life.createCustomer({ email: "dora@example.test", name: "Dora" });
    provider.life.subscribe(dora, { price: "price_1", metadata: {} });
    await provider.deliveries.settled();
  });
  after(() => provider?.stop());

  test("is listed, shown and sent on again", async () => {
    const { items } = await json(["events", "list", "--provider", "stripe"]);
    assert.ok(items.length > 4, JSON.stringify(items));
    const id = items.find((event) => event.customer === erin.id && event.state === "applied").id;
    const shown = await json(["events", "show", "stripe", id]);
    assert.deepEqual([shown.id, shown.account], [id, "-/erin"]);
    await json(["events", "retry", "stripe", id]);
    const { items: [subscription] } = await json(["account", "subscriptions", "erin"]);
    assert.deepEqual([subscription.provider, subscription.standing.access], ["stripe", true]);
  });

  test("waits for a customer whose account nobody knows, until it is linked", async () => {
    const waiting = () => json(["events", "list", "--state", "waiting"]);
    assert.ok((await waiting()).items.some((event) => event.customer === dora.id));
    await json(["customer", "show", "stripe", dora.id], 1);
    assert.equal((await json(["customer", "link", "stripe", dora.id, "dora"])).account, "-/dora");
    assert.equal((await json(["customer", "show", "stripe", dora.id])).account, "-/dora");
    await until(async () => (await waiting()).items.length === 0);
    assert.equal((await json(["account", "show", "dora"])).subscriptions.length, 1);
  });

  test("can be explained from the record that is shown, for an API key too", async () => {
    const { id, secret } = await json(["account", "keys", "create", "erin"]);
    writeFileSync(join(folder, "key"), secret);
    const input = JSON.stringify(await json(["account", "show", "erin"]));
    const explain = ["explain", "/articles/1", "--config", config, "--account", "-", "--as", "-/erin"];
    for (const more of [[], ["--token", "key"]]) {
      const told = await json([...explain, ...more], 0, { input });
      assert.equal(told.origin.headers["Tollgate-Account"], "erin", more.join());
    }
    const answer = await gate.fetch("/articles/1", { headers: { authorization: `Bearer ${secret}` } });
    assert.equal(answer.status, 200);
    await json(["account", "keys", "revoke", "erin", id]);
    const revoked = JSON.stringify(await json(["account", "show", "erin"]));
    const told = await json([...explain, "--token", "key"], 1, { input: revoked });
    assert.equal(told.decision.cause, "credential-revoked");
  });

  test("is in the list of accounts", async () => {
    const { items } = await json(["account", "list", "--status", "active", "--plan", "pro"]);
    const names = items.map(({ account }) => account);
    assert.ok(["-/erin", "-/dora"].every((name) => names.includes(name)), names.join());
    const table = await tollgate(["account", "list", "--prefix", "-/er"]);
    assert.match(table.stdout, /^account +plan +status.*\n-\/erin +pro +active/);
    assert.equal((await json(["outage"])).detected, false);
  });
});

describe("a check of the gate", () => {
  const check = (code) =>
    json(["check", config, "--gate", gate.url, "--admin-token-env", "TOLLGATE_ADMIN_TOKEN"], code);
  const of = ({ findings }, name) => findings.filter((finding) => finding.check === name).map(({ kind }) => kind);

  test("finds it healthy, running this file, and with the same webhook secret", async () => {
    const told = await check();
    const found = ["health", "webhook stripe", "events"].map((name) => of(told, name));
    assert.deepEqual(found, [["ok"], ["ok"], ["ok"]], JSON.stringify(told));
  });

  test("finds a secret that the gate doesn't have", async () => {
    const file = join(folder, ".dev.vars");
    const kept = readFileSync(file, "utf8");
    writeFileSync(file, kept.replace(SECRETS.STRIPE_WEBHOOK_SECRET, "whsec_of_another"));
    const told = await check(1);
    writeFileSync(file, kept);
    assert.deepEqual(of(told, "webhook stripe"), ["mistake"]);
  });

  test("compares its plans with what a payment provider sells", async () => {
    const prices = [
      { id: "price_1", lookup_key: "pro_monthly", product: "prod_pro", name: "Pro", amount: 900, features: [] },
      { id: "price_2", lookup_key: "gold_monthly", product: "prod_gold", name: "Gold", amount: 4_900, features: [] },
    ];
    const STRIPE_API_KEY = "sk_test_pretend";
    const provider = await startProvider({ prices, apiKey: STRIPE_API_KEY, webhook: { secret: SECRETS.STRIPE_WEBHOOK_SECRET } });
    const file = join(folder, "selling.toml");
    writeFileSync(file, readFileSync(config, "utf8").replace('provider = "stripe"', `provider = "stripe"\napi_url = "${provider.url}"`));
    const env = { STRIPE_API_KEY };
    try {
      const told = await json(["check", file, "--gate", gate.url], 0, { env });
      const said = told.findings.filter(({ check }) => check === "prices stripe");
      assert.deepEqual(said.map(({ kind }) => kind), ["warning"]);
      assert.match(said[0].detail, /^price_2 \(Gold\) is on sale, and no plan/);
    } finally {
      await provider.stop();
    }
  });
});
