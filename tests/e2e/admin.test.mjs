// The operators' API: roles, pages, and writes that are sent again, at once, or in the middle of a
// crash.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startDirectGate } from "./fixtures/runtime.mjs";
import { ADMIN_TOKEN, GATE_SECRET, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const TOKENS = { admin: ADMIN_TOKEN, anna: "anna-may-only-look-on", ben: "ben-helps-customers", cleo: "cleo-may-do-it-all" };
const OPERATORS = [
  { name: "anna", role: "read", token: TOKENS.anna },
  { name: "ben", role: "support", token: TOKENS.ben },
  { name: "cleo", role: "admin", token: TOKENS.cleo },
];

let origin, issuer, gate;

const vars = (more = {}) => ({
  ROUTES: [{ match: "/**", meter: "api" }],
  PLANS: [
    { id: "pro", name: "Pro", grace_days: 3, prices: ["price_pro"], quotas: [{ meter: "api", limit: 1_000, per: "month" }] },
    { id: "free", quotas: [{ meter: "api", limit: 1, per: "month" }] },
  ],
  ISSUERS: [issuerVar(issuer, { subscription: "account" })],
  ADMIN_TOKEN,
  ADMIN_TOKENS: JSON.stringify(OPERATORS),
  GATE_SECRET,
  LOG: "faults",
  ...more,
});

before(async () => {
  origin = await startOrigin((_, response) => response.end("ok"));
  issuer = await makeIssuer();
  gate = await startGate({ origin, vars: vars() });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

async function ask(method, path, { as = "admin", body, headers = {}, via = gate } = {}) {
  const type = body === undefined ? {} : { "content-type": "application/json" };
  const response = await via.fetch(`/_tollgate/admin/${path}`, {
    method,
    headers: { ...(as ? bearer(TOKENS[as]) : {}), ...type, ...headers },
    body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const json = text === "" ? null : JSON.parse(text);
  if (response.status >= 400 && method !== "HEAD") assertProblem(response, json);
  return { status: response.status, headers: response.headers, text, json };
}

/** RFC 9457, in one shape. */
function assertProblem({ status, headers, url }, json) {
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.equal(headers.get("cache-control"), "no-store");
  assert.deepEqual(Object.keys(json), ["type", "title", "status", "detail", "instance"]);
  assert.equal(json.status, status);
  assert.equal(json.instance, new URL(url).pathname.slice(0, MAX_INSTANCE));
  assert.ok(json.title && json.detail);
}

/** A path may be long; what is made of it is not. */
const MAX_INSTANCE = 1_024;

const once = (key) => ({ "idempotency-key": key });
const account = (name, part = "") => `accounts/-/${name}${part && `/${part}`}`;
const pro = { plan: "pro", status: "active" };
const audit = async (name) => (await ask("GET", account(name, "audit?limit=100"))).json.items;

describe("roles", () => {
  const operations = [
    ["GET", account("roles"), undefined, "read"],
    ["GET", account("roles", "audit"), undefined, "read"],
    ["GET", account("roles", "credits"), undefined, "read"],
    ["GET", account("roles", "keys"), undefined, "read"],
    ["GET", account("roles", "subscriptions"), undefined, "read"],
    ["GET", account("roles", "usage"), undefined, "read"],
    ["POST", account("roles", "credits"), { id: "r", units: 1 }, "support"],
    ["POST", account("roles", "keys"), {}, "support"],
    ["POST", account("roles", "revocations"), { token_id: "t" }, "support"],
    ["PUT", account("roles"), pro, "admin"],
  ];
  const may = { read: ["anna", "ben", "cleo", "admin"], support: ["ben", "cleo", "admin"], admin: ["cleo", "admin"] };

  test("each may do what those before it may, and no more", async () => {
    await ask("PUT", account("roles"), { body: pro });
    for (const [method, path, body, role] of operations) {
      for (const as of Object.keys(TOKENS)) {
        const { status, json } = await ask(method, path, { as, body });
        const said = `${as}: ${method} ${path} is ${status}`;
        if (may[role].includes(as)) {
          assert.ok(status < 300, said);
        } else {
          assert.equal(status, 403, said);
          assert.match(json.detail, new RegExp(`takes the role ${role}`));
        }
      }
    }
  });

  test("the trail names who it was", async () => {
    await ask("PUT", account("trail"), { as: "cleo", body: pro });
    await ask("POST", account("trail", "credits"), { as: "ben", body: { id: "a", units: 1 } });
    const items = await audit("trail");
    assert.deepEqual(items.map(({ actor, action }) => [actor, action]), [["ben", "add-credits"], ["cleo", "put-account"]]);
    assert.ok(items.every(({ at }) => Math.abs(Date.parse(at) - Date.now()) < 60_000), items[0].at);
  });

  test("no token opens anything but in its header, and nearly right ones nothing", async () => {
    for (const token of ["", "x", TOKENS.ben.slice(1), `${TOKENS.ben}x`, TOKENS.ben.toUpperCase(), `${TOKENS.ben}${TOKENS.anna}`]) {
      const { status } = await ask("GET", account("roles"), { as: null, headers: bearer(token) });
      assert.equal(status, 401, token);
    }
    for (const { token } of OPERATORS) assert.equal(gate.log().includes(token), false);
  });
});

describe("what is asked for wrongly", () => {
  const cases = [
    ["a parameter that is not known", "GET", account("a", "audit?page=2"), undefined, 400, /limit= or cursor=/],
    ["one where none is known", "GET", account("a", "?x=1").replace("/?", "?"), undefined, 400, /expected none/],
    ["one twice", "GET", account("a", "audit?limit=1&limit=1"), undefined, 400, /once/],
    ["a limit of nothing", "GET", account("a", "audit?limit=0"), undefined, 400, /1 to 100/],
    ["a limit too high", "GET", account("a", "credits?limit=101"), undefined, 400, /1 to 100/],
    ["a limit in words", "GET", account("a", "audit?limit=ten"), undefined, 400, /1 to 100/],
    ["a cursor that is none", "GET", account("a", "audit?cursor=%20"), undefined, 400, /next_cursor/],
    ["another list's cursor", "GET", account("a", "audit?cursor=eA"), undefined, 400, /next_cursor/],
    ["another cursor of credits", "GET", account("a", "credits?cursor=eA"), undefined, 400, /next_cursor/],
    ["a body that is no JSON", "POST", account("a", "revocations"), "x", 400, /JSON/],
    ["a body that is a list", "POST", account("a", "revocations"), [], 400, /object/],
    ["both ways to revoke", "POST", account("a", "revocations"), { token_id: "a", issued_before: "2026-01-01T00:00:00Z" }, 400, /either/],
    ["neither", "POST", account("a", "revocations"), {}, 400, /either/],
    ["a time to come", "POST", account("a", "revocations"), { issued_before: "2999-01-01T00:00:00Z" }, 400, /2999/],
    ["an unknown field", "POST", account("a", "revocations"), { token: "a" }, 400, /token_id or issued_before/],
    ["an add-on nobody sells", "PUT", account("a"), { ...pro, add_ons: ["gold"] }, 400, /gold.*pro, free/],
    ["a price in the place of a plan", "PUT", account("a"), { plan: "price_pro", status: "active" }, 400, /price_pro.*pro, free/],
    ["an account that nobody knows", "GET", account("nobody"), undefined, 404, /no such account/],
    ["subscriptions of nobody", "GET", account("nobody", "subscriptions"), undefined, 404, /no such account/],
  ];
  for (const [name, method, path, body, status, said] of cases) {
    test(name, async () => {
      const answer = await ask(method, path, { body });
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.json.detail, said);
    });
  }

  test("a body of another kind is 415, and what clients say of any text is not", async () => {
    for (const [type, status] of [["application/xml", 415], ["multipart/form-data; boundary=x", 415], ["application/json; charset=utf-8", 200], ["APPLICATION/JSON", 200], ["application/x-www-form-urlencoded", 200], ["text/plain", 200]]) {
      const answer = await ask("PUT", account("kinds"), { headers: { "content-type": type }, body: pro });
      assert.equal(answer.status, status, type);
    }
  });

  test("odd paths are refused, and never a fault", async () => {
    const segments = ["%00", "%zz", "..", "%2e%2e", "a%2Fb", "%F0%9F%98%80", "a".repeat(4_000), "-", "~", "%5c", ";", "%25", "a%0ab", "\u00e9", "%c0%ae"];
    for (const one of segments) {
      for (const path of [`accounts/${one}/a`, `accounts/-/${one}`, `accounts/-/a/keys/${one}`, `accounts/-/${one}/audit`, `events/${one}/x`, `customers/stripe/${one}`]) {
        const { status } = await ask("GET", path);
        assert.ok([200, 400, 404, 405].includes(status), `${path}: ${status}`);
      }
    }
  });

  test("a page asked for by a browser is a problem all the same", async () => {
    const { status, headers } = await ask("GET", account("nobody"), { headers: { accept: "text/html" } });
    assert.deepEqual([status, headers.get("content-type")], [404, "application/problem+json"]);
  });
});

describe("pages", () => {
  test("of the audit trail and of credits hold everything once, also while more comes", async () => {
    for (let number = 0; number < 7; number += 1) await ask("POST", account("pages", "credits"), { body: { id: `p${number}`, units: 1 } });
    for (const [part, name] of [["audit", ({ detail }) => detail.id], ["credits", ({ id }) => id]]) {
      const seen = [];
      let query = "limit=2";
      for (let page = 0; page < 4; page += 1) {
        const { json } = await ask("GET", account("pages", `${part}?${query}`));
        assert.ok(json.items.length <= 2);
        seen.push(...json.items.map(name));
        if (page === 0) await ask("POST", account("pages", "credits"), { body: { id: `more-${part}`, units: 1, expires_at: "2099-01-01T00:00:00Z" } });
        if (page < 3 && part === "audit") assert.notEqual(json.next_cursor, null);
        if (json.next_cursor === null) break;
        query = `limit=2&cursor=${encodeURIComponent(json.next_cursor)}`;
      }
      const expected = Array.from({ length: 7 }, (_, number) => `p${number}`);
      assert.deepEqual(seen.filter((id) => id.startsWith("p")).sort(), expected, part);
      assert.equal(new Set(seen).size, seen.length);
    }
    const { json } = await ask("GET", account("pages", "audit"));
    assert.deepEqual([json.items.length, json.next_cursor], [9, null]);
  });
});

describe("the record", () => {
  test("PUT keeps what is not the operator's, whatever it says of it", async () => {
    await ask("PUT", account("kept"), { body: pro });
    const made = await ask("POST", account("kept", "keys"), { body: { name: "mine" } });
    assert.equal(made.status, 201);
    const { json: before } = await ask("GET", account("kept"));
    const foreign = {
      ...pro, entitlements: ["beta"], keys: [{ id: "forged00", created_at: "2026-01-01T00:00:00Z" }],
      subscriptions: [{ provider: "stripe", id: "sub_forged", plan: "pro", status: "active" }],
      customers: [{ provider: "stripe", id: "cus_forged" }], disputes: [{ provider: "stripe", id: "dp", at: "2026-01-01T00:00:00Z", is_open: true }],
    };
    const { status, json } = await ask("PUT", account("kept"), { body: foreign });
    assert.equal(status, 200);
    assert.deepEqual(json, { ...before, entitlements: ["beta"] });
    assert.deepEqual((await ask("GET", account("kept"))).json, json);
  });

  test("subscriptions are judged each for itself", async () => {
    await ask("PUT", account("judged"), { body: { plan: "pro", status: "past_due", payment_failed_at: "2020-01-01T00:00:00Z" } });
    const { json } = await ask("GET", account("judged", "subscriptions"));
    assert.deepEqual(json, {
      items: [{ plan: "pro", status: "past_due", payment_failed_at: "2020-01-01T00:00:00Z", standing: { access: false, cause: "payment-failed" } }],
      next_cursor: null,
    });
    await ask("PUT", account("judged"), { body: pro });
    assert.deepEqual((await ask("GET", account("judged", "subscriptions"))).json.items[0].standing, { access: true, cause: null });
  });

  test("two writes at once are two writes, one after the other", async () => {
    const writes = Array.from({ length: 12 }, (_, number) => ask("PUT", account("busy"), { body: { ...pro, limits: { "api/month": number } } }));
    for (const { status } of await Promise.all(writes)) assert.equal(status, 200);
    const items = await audit("busy");
    assert.equal(items.length, 12);
    assert.deepEqual((await ask("GET", account("busy"))).json, items[0].detail, "the last one counts, whole");
  });

  test("revocations add up, by id and by time", async () => {
    assert.equal((await ask("POST", account("revoked", "revocations"), { body: { token_id: "a" } })).status, 200, "a record is made where there is none");
    await ask("POST", account("revoked", "revocations"), { body: { token_id: "a" } });
    await ask("POST", account("revoked", "revocations"), { body: { token_id: "b" } });
    await ask("POST", account("revoked", "revocations"), { body: { issued_before: "2026-05-01T00:00:00Z" } });
    const { json } = await ask("POST", account("revoked", "revocations"), { body: { issued_before: "2026-04-01T00:00:00Z" } });
    assert.deepEqual(json, { status: "none", tokens_revoked_before: "2026-05-01T00:00:00Z", revoked_tokens: ["a", "b"] });
    const full = { ...pro, revoked_tokens: Array.from({ length: 1_000 }, (_, number) => `t${number}`) };
    await ask("PUT", account("revoked"), { body: full });
    const refused = await ask("POST", account("revoked", "revocations"), { body: { token_id: "one-more" } });
    assert.equal(refused.status, 409);
    assert.match(refused.json.detail, /issued_before/);
    assert.equal((await ask("POST", account("revoked", "revocations"), { body: { token_id: "t7" } })).status, 200, "what is there is revoked already");
  });
});

describe("what the inbox knows", () => {
  test("accounts are listed as they stand after each write, page by page", async () => {
    for (const [name, record] of [["a", pro], ["b", { plan: "free", status: "ended" }], ["c", { ...pro, suspended: true }]]) await ask("PUT", `accounts/listed/${name}`, { body: record });
    const all = await ask("GET", "accounts?prefix=listed%2F");
    assert.deepEqual(all.json.items.map(({ account: name, plan, status, cause }) => [name, plan, status, cause]), [
      ["listed/a", "pro", "active", null], ["listed/b", "free", "ended", "subscription-expired"], ["listed/c", "pro", "active", "account-suspended"],
    ]);
    assert.ok(all.json.items.every(({ updated_at: at }) => Math.abs(Date.parse(at) - Date.now()) < 60_000));
    const names = async (query) => (await ask("GET", `accounts?prefix=listed%2F&${query}`)).json.items.map(({ account: name }) => name);
    assert.deepEqual(await names("status=ended"), ["listed/b"]);
    assert.deepEqual(await names("plan=pro"), ["listed/a", "listed/c"]);
    const first = await ask("GET", "accounts?prefix=listed%2F&limit=2");
    const rest = await ask("GET", `accounts?prefix=listed%2F&limit=2&cursor=${first.json.next_cursor}`);
    assert.deepEqual([first.json.items.length, rest.json.items.map(({ account: name }) => name), rest.json.next_cursor], [2, ["listed/c"], null]);
    await ask("PUT", "accounts/listed/b", { body: pro });
    assert.deepEqual(await names("status=ended"), []);
    assert.equal((await ask("GET", "accounts?status=canceled")).status, 400);
  });

  test("the list ends as the record does, however many write at once", async () => {
    const names = Array.from({ length: 4 }, (_, number) => `race/a${number}`);
    const writes = names.flatMap((name) => Array.from({ length: 8 }, (_, turn) => ask("PUT", `accounts/${name}`, { body: { ...pro, suspended: turn % 2 === 0 } })));
    await Promise.all(writes);
    const { items } = (await ask("GET", "accounts?prefix=race%2F")).json;
    assert.equal(items.length, names.length);
    for (const { account: name, cause } of items) {
      const { suspended } = (await ask("GET", `accounts/${name}`)).json;
      assert.equal(cause, suspended ? "account-suspended" : null, name);
    }
  });

  test("a customer is the account that an operator says", async () => {
    const path = "customers/stripe/cus_1";
    assert.equal((await ask("GET", path)).status, 404);
    assert.equal((await ask("PUT", path, { as: "anna", body: { account: "alice" } })).status, 403);
    const put = await ask("PUT", path, { as: "ben", body: { account: "alice" } });
    assert.equal(put.status, 200);
    const { json } = await ask("GET", path, { as: "anna" });
    assert.deepEqual([json.provider, json.customer, json.account, json.actor], ["stripe", "cus_1", "-/alice", "ben"]);
    assert.equal(put.json.account, "-/alice");
    assert.equal(put.json.released, 0);
    for (const body of [{}, { account: "" }, { account: "a/b/c" }, { account: "/a" }, { account: 7 }, { account: "a", x: 1 }]) {
      assert.equal((await ask("PUT", path, { body })).status, 400, JSON.stringify(body));
    }
    assert.equal((await ask("GET", "customers/visa/cus_1")).status, 404);
  });

  test("events and outages are told, and nothing is there yet", async () => {
    assert.deepEqual((await ask("GET", "events")).json, { items: [], next_cursor: null });
    assert.deepEqual((await ask("GET", "events?state=waiting&provider=stripe&limit=1")).json.items, []);
    for (const query of ["state=lost", "provider=visa", "type=x"]) assert.equal((await ask("GET", `events?${query}`)).status, 400, query);
    assert.equal((await ask("GET", "events/stripe/evt_1")).status, 404);
    assert.equal((await ask("POST", "events/stripe/evt_1/retry")).status, 404);
    assert.equal((await ask("POST", "events/stripe/evt_1/retry", { body: { force: true } })).status, 400);
    const { json } = await ask("GET", "outage");
    assert.deepEqual([json.declared, json.detected, json.since, json.failing_customers], [false, false, null, 0]);
  });

  test("an account without customers is read again at once; one that nobody knows is 404", async () => {
    await ask("PUT", account("reread"), { body: pro });
    assert.deepEqual((await ask("POST", account("reread", "reread"), { as: "ben" })).json, { read: 0, record: pro });
    assert.equal((await ask("POST", account("nobody", "reread"))).status, 404);
    await ask("PUT", "customers/paddle/ctm_1", { body: { account: "reread" } });
    const { status, json } = await ask("POST", account("reread", "reread"));
    assert.equal(status, 502);
    assert.match(json.detail, /key for the API of paddle/);
  });
});

describe("Idempotency-Key", () => {
  test("the same from many clients at once has one effect, and one answer", async () => {
    const send = () => ask("POST", account("once", "credits"), { headers: once("one"), body: { id: "a", units: 5 } });
    const answers = await Promise.all(Array.from({ length: 16 }, send));
    for (const { status, json } of answers) assert.deepEqual([status, json], [200, answers[0].json]);
    assert.equal(answers.filter(({ headers }) => headers.get("idempotency-replayed") === "true").length, 15);
    assert.equal((await audit("once")).length, 1);
  });

  test("a PUT that comes again does not undo what came between", async () => {
    const first = { headers: once("put"), body: pro };
    const { json } = await ask("PUT", account("between"), first);
    await ask("PUT", account("between"), { body: { ...pro, suspended: true } });
    const again = await ask("PUT", account("between"), first);
    assert.deepEqual([again.status, again.json, again.headers.get("idempotency-replayed")], [200, json, "true"]);
    assert.equal((await ask("GET", account("between"))).json.suspended, true);
    assert.equal((await audit("between")).length, 2);
  });

  test("with another request it is refused: another body, path, method or operator", async () => {
    const body = { id: "a", units: 5 };
    const headers = once("other");
    await ask("POST", account("other", "credits"), { headers, body });
    const others = [
      ["POST", account("other", "credits"), { headers, body: { id: "a", units: 6 } }],
      ["POST", account("other", "revocations"), { headers, body: { token_id: "a" } }],
      ["PUT", account("other"), { headers, body: pro }],
      ["POST", account("other", "credits"), { headers, body, as: "ben" }],
    ];
    for (const [method, path, init] of others) {
      const { status, json } = await ask(method, path, init);
      assert.equal(status, 422, `${method} ${path}`);
      assert.match(json.detail, /another request/);
    }
    assert.equal((await ask("POST", account("elsewhere", "credits"), { headers, body })).status, 200, "another account knows nothing of it");
  });

  test("what was refused stays refused; what could not be read was never taken", async () => {
    await ask("POST", account("refused", "credits"), { body: { id: "a", units: 5 } });
    const conflict = { headers: once("c"), body: { id: "a", units: 6 } };
    const [first, again] = [await ask("POST", account("refused", "credits"), conflict), await ask("POST", account("refused", "credits"), conflict)];
    assert.deepEqual([first.status, again.status, again.json], [409, 409, first.json]);
    assert.equal((await ask("POST", account("refused", "credits"), { headers: once("d"), body: {} })).status, 400);
    assert.equal((await ask("POST", account("refused", "credits"), { headers: once("d"), body: { id: "d", units: 1 } })).status, 200);
  });

  test("is 1 to 255 printable characters", async () => {
    for (const [key, status] of [["x".repeat(255), 200], ["a b~!", 200], ["x".repeat(256), 400], ["\u00e9", 400]]) {
      const { status: found } = await ask("PUT", account("named"), { headers: once(key), body: pro });
      assert.equal(found, status, key);
    }
    assert.equal((await ask("GET", account("named"), { headers: once("x".repeat(999)) })).status, 200, "reads have no use for it");
  });

  test("outlives the runtime being killed between two tries", async () => {
    const persist = mkdtempSync(join(tmpdir(), "tollgate-admin-"));
    const write = (via, number) => ask("POST", account("killed", "credits"), { via, headers: once(`k${number}`), body: { id: `a${number}`, units: 1 } });
    try {
      let via = await startDirectGate({ origin, vars: vars(), persist });
      const sent = Array.from({ length: 30 }, (_, number) => write(via, number).catch(() => null));
      await sent[3];
      via.kill();
      await Promise.all(sent);
      await via.stop();
      via = await startGate({ origin, vars: vars(), persist });
      for (let number = 0; number < 30; number += 1) assert.equal((await write(via, number)).status, 200);
      const items = (await ask("GET", account("killed", "audit?limit=100"), { via })).json.items;
      assert.deepEqual(items.map(({ detail }) => detail.id).sort(), Array.from({ length: 30 }, (_, number) => `a${number}`).sort(), "each once");
      await via.stop();
    } finally {
      rmSync(persist, { recursive: true, force: true });
    }
  });
});
