// Credits and usage for the operator: packs are added, never replaced, and adding is safe while
// they are being spent.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const admin = bearer(ADMIN_TOKEN);

let origin, issuer, gate;

before(async () => {
  origin = await startOrigin((_, response) => response.end("ok"));
  issuer = await makeIssuer();
  gate = await startGate({
    origin,
    vars: {
      ROUTES: [{ match: "/**", meter: "api" }],
      PLANS: [
        { id: "free", name: "Free", quotas: [{ meter: "api", limit: 5, per: "month" }, { meter: "api", limit: 3, per: "day", each: "member" }] },
        { id: "credits", quotas: [{ meter: "api", limit: 0, per: "month" }] },
        { id: "some", quotas: [{ meter: "api", limit: 20, per: "month" }] },
      ],
      METERS: [{ id: "api", name: "API calls" }],
      ISSUERS: [issuerVar(issuer)],
      ADMIN_TOKEN,
      LOG: "faults",
    },
  });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

async function ask(path, init = {}) {
  const response = await gate.fetch(path, init);
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, text, json: isJson && text ? JSON.parse(text) : null };
}

const at = (account, part) => `/_tollgate/admin/accounts/-/${account}/${part}`;
const add = (account, pack, headers = admin) =>
  ask(at(account, "credits"), { method: "POST", headers, body: typeof pack === "string" ? pack : JSON.stringify(pack) });
const packs = async (account) => (await ask(at(account, "credits"), { headers: admin })).json.items;

describe("a pack of credits", () => {
  test("is added, listed and in the audit trail", async () => {
    assert.deepEqual(await packs("adds"), []);
    const begun = Date.now();
    const { status, headers, json } = await add("adds", { id: "invoice-17", units: 500, expires_at: "2099-01-01T01:00:00+01:00" });
    assert.equal(status, 200);
    assert.equal(headers.get("cache-control"), "no-store");
    const { added_at: addedAt, ...rest } = json;
    assert.deepEqual(rest, { id: "invoice-17", units: 500, left: 500, expires_at: "2099-01-01T00:00:00Z" });
    assert.ok(Date.parse(addedAt) >= begun - 1_000 && Date.parse(addedAt) <= Date.now() + 1_000, addedAt);
    const second = await add("adds", { units: 1, id: "gift: 🎁" });
    assert.equal(second.json.expires_at, null);
    assert.deepEqual(await packs("adds"), [json, second.json], "what expires first comes first");
    const { items } = (await ask(at("adds", "audit"), { headers: admin })).json;
    assert.deepEqual(items.map(({ action, actor }) => [action, actor]), [["add-credits", "admin"], ["add-credits", "admin"]]);
    assert.deepEqual([items[1].detail.id, items[1].detail.units], ["invoice-17", 500]);
    const head = await ask(at("adds", "credits"), { method: "HEAD", headers: admin });
    assert.deepEqual([head.status, head.text], [200, ""]);
  });

  test("comes once, however often it is sent", async () => {
    const pack = { id: "twice", units: 10 };
    const answers = await Promise.all(Array.from({ length: 10 }, () => add("twice", pack)));
    for (const { status, json } of answers) assert.deepEqual([status, json], [200, answers[0].json]);
    assert.equal((await packs("twice")).length, 1);
    assert.equal((await ask(at("twice", "audit"), { headers: admin })).json.items.length, 1);
  });

  test("is never changed by another of its id", async () => {
    await add("fixed", { id: "a", units: 10 });
    for (const other of [{ id: "a", units: 11 }, { id: "a", units: 10, expires_at: "2099-01-01T00:00:00Z" }]) {
      const { status, json } = await add("fixed", other);
      assert.equal(status, 409);
      assert.match(json.detail, /"units":10/);
    }
    assert.deepEqual((await packs("fixed")).map(({ units }) => units), [10]);
  });

  test("is spent when the quota is, what expires first before the rest", async () => {
    const headers = bearer(await issuer.mint({ sub: "spends", plan: "some" }));
    await add("spends", { id: "later", units: 10 });
    await add("spends", { id: "sooner", units: 4, expires_at: "2099-01-01T00:00:00Z" });
    for (let turn = 0; turn < 34; turn += 1) assert.equal((await ask("/a", { headers })).status, 200, `${turn}`);
    const { status, json } = await ask("/a", { headers });
    assert.deepEqual([status, json.cause], [402, "credits-exhausted"]);
    assert.deepEqual((await packs("spends")).map(({ id, left }) => [id, left]), [["sooner", 0], ["later", 0]]);
    await add("spends", { id: "more", units: 1 });
    await pause(3_100);
    assert.equal((await ask("/a", { headers })).status, 200, "who has paid is back within seconds");
  });

  test("that has expired buys nothing", async () => {
    const headers = bearer(await issuer.mint({ sub: "late", plan: "credits" }));
    await add("late", { id: "short", units: 100, expires_at: new Date(Date.now() + 1_500).toISOString() });
    assert.equal((await ask("/a", { headers })).status, 200);
    await pause(5_000);
    assert.equal((await ask("/a", { headers })).status, 402);
    assert.equal((await packs("late"))[0].units, 100, "it is still listed");
    const { json } = await ask(at("late", "usage?plan=credits"), { headers: admin });
    assert.deepEqual([json.credits, json.credits_left], [[], 0]);
  });

  test("may be added while others are being spent: each unit is sold once", async () => {
    const headers = bearer(await issuer.mint({ sub: "busy", plan: "credits" }));
    await add("busy", { id: "0", units: 50 });
    const adding = (async () => {
      for (let number = 1; number <= 10; number += 1) {
        await add("busy", { id: `${number}`, units: 20 });
        await pause(20);
      }
    })();
    let passed = 0;
    const client = async (requests) => {
      for (let turn = 0; turn < requests; turn += 1) {
        const { status } = await ask("/a", { headers });
        passed += status === 200;
      }
    };
    await Promise.all([adding, ...Array.from({ length: 16 }, () => client(20))]);
    // A refusal is remembered for 3 seconds, and what an isolate didn't spend goes back after 5.
    await pause(6_500);
    await client(60);
    assert.equal(passed, 250);
    assert.equal((await packs("busy")).reduce((sum, { left }) => sum + left, 0), 0);
  });

  const mistakes = [
    ["nothing", "", /JSON/],
    ["no JSON", "id=a", /JSON/],
    ["a list", '["a", 5]', /object/],
    ["a field twice", '{"id":"a","units":5,"units":6}', /units/],
    ["an unknown field", { id: "a", units: 5, left: 5 }, /left/],
    ["no id", { units: 5 }, /id:/],
    ["a long id", { id: "x".repeat(201), units: 5 }, /200/],
    ["no units", { id: "a" }, /units:.*9007199254740991/],
    ["no unit at all", { id: "a", units: 0 }, /found 0/],
    ["a negative number", { id: "a", units: -1 }, /found -1/],
    ["half a unit", { id: "a", units: 0.5 }, /found 0\.5/],
    ["too many", '{"id":"a","units":9007199254740992}', /9007199254740992/],
    ["a text of units", { id: "a", units: "5" }, /"5"/],
    ["a past end", { id: "a", units: 5, expires_at: "2020-01-01T00:00:00Z" }, /expires_at.*2020/],
    ["an end that is no time", { id: "a", units: 5, expires_at: "soon" }, /expires_at.*soon/],
    ["an end as a number", { id: "a", units: 5, expires_at: 4102444800 }, /expires_at.*4102444800/],
  ];
  for (const [name, body, said] of mistakes) {
    test(`with ${name} is refused by name`, async () => {
      const { status, json, text } = await add("mistaken", body);
      assert.equal(status, 400, text);
      assert.match(json.detail, said);
      assert.deepEqual(await packs("mistaken"), []);
    });
  }

  test("is the operator's business alone", async () => {
    for (const headers of [{}, bearer("wrong"), bearer(await issuer.mint({ sub: "thief", plan: "free" }))]) {
      assert.equal((await add("thief", { id: "a", units: 5 }, headers)).status, 401);
      for (const part of ["credits", "usage"]) assert.equal((await ask(at("thief", part), { headers })).status, 401);
    }
    assert.deepEqual(await packs("thief"), []);
  });

  test("is added by POST and by nothing else", async () => {
    for (const method of ["PUT", "PATCH", "DELETE"]) {
      const { status, headers } = await ask(at("a", "credits"), { method, headers: admin, body: "{}" });
      assert.equal(status, 405);
      assert.equal(headers.get("allow"), "GET, HEAD, POST");
    }
    assert.equal((await ask(`${at("a", "credits")}/b`, { headers: admin })).status, 404);
  });
});

describe("usage for the operator", () => {
  test("is what the account sees, of the plan and member that are asked for", async () => {
    const token = await issuer.mint({ sub: "ann+1@x", plan: "free" });
    for (let turn = 0; turn < 2; turn += 1) await ask("/a", { headers: bearer(token) });
    const account = encodeURIComponent("ann+1@x");
    const whole = (await ask(at(account, "usage?plan=free"), { headers: admin })).json;
    assert.deepEqual(whole.plan, { id: "free", name: "Free" });
    assert.deepEqual(whole.quotas.map(({ name }) => name), ["api/month"]);
    const query = new URLSearchParams({ plan: "free", member: "ann+1@x" });
    const ofMember = (await ask(at(account, `usage?${query}`), { headers: admin })).json;
    assert.deepEqual(ofMember.quotas.map(({ name }) => name), ["api/month", "api/day/member"]);
    assert.ok(ofMember.quotas.every(({ used, meter_name: meter }) => used >= 2 && meter === "API calls"));
    assert.equal(ofMember.status, undefined, "there is no record, and the token says the plan");
    const head = await ask(at(account, "usage"), { method: "HEAD", headers: admin });
    assert.deepEqual([head.status, head.text], [200, ""]);
  });

  test("goes by the record where no plan is named", async () => {
    const put = await ask("/_tollgate/admin/accounts/-/by-record", { method: "PUT", headers: admin, body: JSON.stringify({ plan: "free", status: "paused", limits: { "api/month": 9 } }) });
    assert.equal(put.status, 200);
    const { json } = await ask(at("by-record", "usage"), { headers: admin });
    assert.deepEqual([json.plan.id, json.status, json.cause, json.quotas[0].limit], ["free", "paused", "subscription-paused", 9]);
    const nobody = (await ask(at("nobody", "usage"), { headers: admin })).json;
    assert.deepEqual([nobody.plan, nobody.status, nobody.quotas], [null, "none", []]);
  });

  test("says what is wrong with the question", async () => {
    for (const [query, said] of [["plan=gold", /gold.*free, credits, some/], ["plans=free", /plan= or member=/], ["member=", /member=/], ["member=%zz", /member=/]]) {
      const { status, json } = await ask(at("a", `usage?${query}`), { headers: admin });
      assert.equal(status, 400, query);
      assert.match(json.detail, said);
    }
    for (const method of ["POST", "PUT", "DELETE"]) {
      const { status, headers } = await ask(at("a", "usage"), { method, headers: admin, body: "{}" });
      assert.deepEqual([status, headers.get("allow")], [405, "GET, HEAD"]);
    }
  });
});
