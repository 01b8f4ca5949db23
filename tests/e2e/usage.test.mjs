// The standing of a caller's own account: by the same credential and checks as a request that wants
// to pass, as JSON, page and text; and the cost of that for the ledger.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { startControlledGate } from "./fixtures/runtime.mjs";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const USAGE = "/_tollgate/usage";
const BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8";
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const admin = bearer(ADMIN_TOKEN);

let origin, issuer, byAccount, gate;

before(async () => {
  origin = await startOrigin();
  issuer = await makeIssuer();
  byAccount = await makeIssuer({ iss: "https://account.example.test" });
  gate = await startGate({ origin, vars: vars() });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

function vars(more = {}) {
  const claims = { account: "org", plan: "plan", entitlements: "entitlements" };
  return {
    ROUTES: [{ match: "/tokens/**", meter: "tokens", cost: 30 }, { match: "/**", meter: "api" }],
    PLANS: [
      {
        id: "free",
        name: "Free",
        price: "€0",
        on_sale: false,
        quotas: [
          { meter: "api", limit: 10, per: "month" },
          { meter: "api", limit: 4, per: "day", each: "member" },
          { meter: "tokens", limit: 50, per: "day", enforcement: "soft" },
        ],
      },
      { id: "pro", name: "Pro", price: "€20", buy_url: "https://shop.example.test/pro", quotas: [{ meter: "api", limit: 1000, per: "month" }] },
      { id: "open", name: "Open" },
    ],
    METERS: [{ id: "api", name: "API calls" }],
    ISSUERS: [issuerVar(issuer, { claims }), issuerVar(byAccount, { claims, subscription: "account" })],
    CREDENTIALS: ["bearer", "cookie:tollgate", "header:x-api-key", "query:token"],
    BRAND: { name: "Gazette", plans_url: "https://shop.example.test/plans", account_url: "https://shop.example.test/account", sign_in_url: "https://shop.example.test/login" },
    ADMIN_TOKEN,
    ...more,
  };
}

let accounts = 0;
/** An account that nobody else uses. */
const someone = () => `org-${(accounts += 1)}`;
const mint = (org, claims = {}) => issuer.mint({ org, plan: "free", ...claims });

async function ask(path, init = {}, via = gate) {
  const response = await via.fetch(path, init);
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, text, json: isJson && text ? JSON.parse(text) : null };
}

async function use(token, count, path = "/a", via = gate) {
  for (let turn = 0; turn < count; turn += 1) assert.equal((await ask(path, { headers: bearer(token) }, via)).status, 200);
}

async function put(org, record, via = gate) {
  const { status, text } = await ask(`/_tollgate/admin/accounts/-/${org}`, { method: "PUT", headers: admin, body: JSON.stringify(record) }, via);
  assert.equal(status, 200, text);
}

async function addCredits(org, pack) {
  const { status, text } = await ask(`/_tollgate/admin/accounts/-/${org}/credits`, { method: "POST", headers: admin, body: JSON.stringify(pack) });
  assert.equal(status, 200, text);
}

describe("what is told", () => {
  test("every quota of the plan, to the unit, also before the first request", async () => {
    const token = await mint(someone());
    const fresh = (await ask(USAGE, { headers: bearer(token) })).json;
    assert.deepEqual(fresh.quotas.map(({ used }) => used), [0, 0, 0]);
    const other = await mint(someone());
    await use(other, 3);
    await use(other, 2, "/tokens/a");
    const { status, headers, json } = await ask(USAGE, { headers: bearer(other) });
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "application/json");
    assert.deepEqual(json.plan, { id: "free", name: "Free", price: "€0" });
    const found = json.quotas.map(({ name, meter, meter_name: shown, limit, used, left, window_s: length, enforcement }) => [name, meter, shown, limit, used, left, length, enforcement]);
    assert.deepEqual(found.map((row) => row.filter((_, index) => index !== 6)), [
      ["api/month", "api", "API calls", 10, 3, 7, "hard"],
      ["api/day/member", "api", "API calls", 4, 3, 1, "hard"],
      ["tokens/day", "tokens", "tokens", 50, 60, 0, "soft"],
    ]);
    for (const { resets_at: resetsAt, window_s: length } of json.quotas) {
      const away = (Date.parse(resetsAt) - Date.now()) / 1000;
      assert.ok(away > -5 && away <= length, `${resetsAt} of ${length} s`);
    }
    assert.deepEqual(json.notices, [{ notice: "soft-quota-passed", quota: "tokens/day" }]);
    assert.deepEqual([json.credits, json.credits_left], [[], 0]);
    assert.match(headers.get("ratelimit"), /^"api\/month";r=7;t=\d+, "api\/day\/member";r=1;t=\d+, "tokens\/day";r=0;t=\d+$/);
    assert.match(headers.get("ratelimit-policy"), /"api\/month";q=10;w=\d+/);
    assert.equal(headers.get("tollgate-notice"), 'soft-quota-passed;quota="tokens/day"');
  });

  test("a page for a browser, text for a terminal, and nothing for HEAD", async () => {
    const token = await mint(someone());
    await use(token, 1);
    const page = await ask(USAGE, { headers: { ...bearer(token), accept: BROWSER } });
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(page.headers.get("content-security-policy"), /^default-src 'none'/);
    assert.match(page.text, /<h1>Free<\/h1>/);
    assert.match(page.text, /API calls per month<\/span> <strong>1 of 10 used/);
    assert.doesNotMatch(page.text, /<script/i);
    const plain = await ask(USAGE, { headers: { ...bearer(token), accept: "text/plain" } });
    assert.match(plain.text, /^Free\n\nAPI calls per month: 1 of 10 used\. 9 left\. Starts again on \d+ \w+ \d{4}, 00:00 UTC\.\n/);
    const head = await ask(USAGE, { method: "HEAD", headers: bearer(token) });
    assert.deepEqual([head.status, head.text], [200, ""]);
    assert.match(head.headers.get("ratelimit"), /"api\/month";r=9/);
    for (const { headers } of [page, plain, head]) {
      assert.equal(headers.get("cache-control"), "no-store");
      for (const name of ["Authorization", "Cookie", "x-api-key", "Accept"]) assert.match(headers.get("vary"), new RegExp(name));
    }
  });

  test("members share the account's quotas and see their own", async () => {
    const org = someone();
    const [ann, bob] = [await mint(org, { sub: "ann" }), await mint(org, { sub: "bob" })];
    await use(ann, 3);
    await use(bob, 1);
    const used = async (token) => (await ask(USAGE, { headers: bearer(token) })).json.quotas.slice(0, 2).map((quota) => quota.used);
    // Units held for one member are debited for all of them until they are spent or go back.
    const [ofAnn, ofBob] = [await used(ann), await used(bob)];
    assert.deepEqual([ofAnn[1], ofBob[1]], [3, 1]);
    for (const [account] of [ofAnn, ofBob]) assert.ok(account >= 4 && account <= 10, `${account}`);
    await pause(6_500);
    assert.deepEqual([await used(ann), await used(bob)], [[4, 3], [4, 1]]);
  });

  test("credits, and that they pay for what comes beyond", async () => {
    const org = someone();
    const token = await mint(org);
    await addCredits(org, { id: "a", units: 5, expires_at: "2099-01-01T00:00:00Z" });
    await addCredits(org, { id: "b", units: 7 });
    const { json } = await ask(USAGE, { headers: bearer(token) });
    assert.deepEqual(json.credits, [{ left: 5, expires_at: "2099-01-01T00:00:00Z" }, { left: 7, expires_at: null }]);
    assert.equal(json.credits_left, 12);
    await use(token, 6);
    await pause(6_500);
    const spent = (await ask(USAGE, { headers: bearer(token) })).json;
    assert.deepEqual(spent.quotas.map(({ used }) => used), [4, 4, 0]);
    assert.equal(spent.credits_left, 10);
    assert.equal(spent.cause, undefined, "nothing is refused yet");
    const plain = await ask(USAGE, { headers: { ...bearer(token), accept: "text/plain" } });
    assert.match(plain.text, /4 of 4 used\. Used up: further requests are paid with your credits\./);
    assert.match(plain.text, /Credits: 10 units in all\.\nCredits: 3 units until 1 January 2099, 00:00 UTC\.\n/);
  });

  test("credits that an isolate holds are not what is left of a quota", async () => {
    const org = someone();
    const token = await mint(org);
    await addCredits(org, { id: "a", units: 100 });
    await use(token, 4);
    for (let turn = 0; turn < 8; turn += 1) {
      const { status, headers } = await ask("/a", { headers: bearer(token) });
      assert.equal(status, 200);
      assert.match(headers.get("ratelimit"), /"api\/day\/member";r=0/, `after ${turn + 4}`);
    }
  });

  test("what is in the way and what helps", async () => {
    const token = await mint(someone());
    await use(token, 4);
    assert.equal((await ask("/a", { headers: bearer(token) })).status, 402);
    const { status, headers, json } = await ask(USAGE, { headers: bearer(token) });
    assert.equal(status, 200);
    assert.equal(json.cause, "quota-exhausted");
    assert.deepEqual(json.remedies[0], { action: "choose-plan", href: "https://shop.example.test/pro", plan: { id: "pro", name: "Pro", price: "€20" } });
    assert.equal(headers.get("tollgate-cause"), null, "this request was not denied");
    const page = await ask(USAGE, { headers: { ...bearer(token), accept: BROWSER } });
    assert.match(page.text, /class="button primary" href="https:\/\/shop\.example\.test\/pro"/);
  });

  test("a subscription that fails, and one that is over", async () => {
    const org = someone();
    const token = await byAccount.mint({ org });
    const none = (await ask(USAGE, { headers: bearer(token) })).json;
    assert.deepEqual([none.plan, none.status, none.cause, none.quotas], [null, "none", "no-subscription", []]);
    const failing = someone();
    await put(failing, { plan: "free", status: "past_due" });
    const grace = (await ask(USAGE, { headers: bearer(await byAccount.mint({ org: failing })) })).json;
    assert.deepEqual([grace.status, grace.cause, grace.notices[0].notice], ["past_due", undefined, "payment-grace"]);
    assert.ok(Date.parse(grace.notices[0].until) > Date.now());
    const over = someone();
    await put(over, { plan: "free", status: "unpaid", payment_failure: "card_expired" });
    const denied = (await ask(USAGE, { headers: bearer(await byAccount.mint({ org: over })) })).json;
    assert.deepEqual([denied.status, denied.cause, denied.remedies[0].action], ["unpaid", "card-expired", "update-payment"]);
    assert.equal(denied.quotas.length, 3);
  });

  test("limits of the account's own", async () => {
    const org = someone();
    await put(org, { limits: { "api/month": 25 } });
    const { json } = await ask(USAGE, { headers: bearer(await mint(org)) });
    assert.deepEqual([json.quotas[0].limit, json.quotas[0].left], [25, 25]);
  });

  test("a plan without limits, and no plan", async () => {
    const open = await ask(USAGE, { headers: { ...bearer(await mint(someone(), { plan: "open" })), accept: "text/plain" } });
    assert.match(open.text, /^Open\n\nYour plan has no limits/);
    const none = await ask(USAGE, { headers: { ...bearer(await mint(someone(), { plan: undefined })), accept: "text/plain" } });
    assert.match(none.text, /^No plan\n\nYour account has no plan/);
  });
});

describe("who is told", () => {
  test("nobody without a credential", async () => {
    const { status, headers, json } = await ask(USAGE);
    assert.equal(status, 401);
    assert.equal(json.cause, "sign-in-required");
    assert.match(headers.get("www-authenticate"), /^Bearer realm=/);
    const page = await ask(USAGE, { headers: { accept: BROWSER } });
    assert.equal(page.status, 401);
    assert.match(page.text, /href="https:\/\/shop\.example\.test\/login"/);
  });

  test("nobody with a bad one", async () => {
    const stranger = await makeIssuer();
    for (const token of ["x", ADMIN_TOKEN, await stranger.mint({ org: "a" }), await mint("a", { exp: 1 }), await mint("a", { aud: "https://other.example" })]) {
      const { status, json, headers } = await ask(USAGE, { headers: bearer(token) });
      assert.equal(status, 401);
      assert.equal(json.cause, "invalid-token");
      assert.match(headers.get("www-authenticate"), /error="invalid_token"/);
    }
  });

  test("whoever is let in otherwise, wherever the token stands", async () => {
    const token = await mint(someone());
    for (const [path, headers] of [[USAGE, { cookie: `tollgate=${token}` }], [USAGE, { "x-api-key": token }], [`${USAGE}?token=${token}`, {}]]) {
      const { status, json } = await ask(path, { headers });
      assert.equal(status, 200);
      assert.equal(json.plan.id, "free");
    }
  });

  test("not who is suspended or revoked", async () => {
    const suspended = someone();
    await put(suspended, { suspended: true });
    const revoked = someone();
    await put(revoked, { revoked_tokens: ["t-1"] });
    for (const [org, status, cause] of [[suspended, 403, "account-suspended"], [revoked, 401, "credential-revoked"]]) {
      const token = await mint(org, { jti: "t-1" });
      for (let turn = 0; turn < 2; turn += 1) {
        const answer = await ask(USAGE, { headers: bearer(token) });
        assert.deepEqual([answer.status, answer.json.cause], [status, cause]);
      }
    }
    assert.equal((await ask(USAGE, { headers: bearer(await mint(revoked, { jti: "t-2" })) })).status, 200);
  });

  test("a plan that nobody defined is our mistake", async () => {
    const { status, json } = await ask(USAGE, { headers: bearer(await mint(someone(), { plan: "gold" })) });
    assert.deepEqual([status, json.cause], [503, "misconfigured"]);
  });
});

describe("the endpoint", () => {
  test("takes no other method, and no other spelling", async () => {
    const headers = bearer(await mint(someone()));
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const answer = await ask(USAGE, { method, headers });
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers.get("allow"), "GET, HEAD");
    }
    const before = origin.requests.length;
    for (const path of [`${USAGE}/`, `${USAGE}/x`, "/_tollgate/Usage", "//_tollgate/usage", "/_TOLLGATE/usage", "/a/..%2f_tollgate/usage"]) {
      const { status } = await ask(path, { headers });
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    }
    assert.equal(origin.requests.length, before);
  });

  test("pages elsewhere may read it with a token of their own", async () => {
    const token = await mint(someone());
    const from = { origin: "https://app.example.test" };
    const preflight = await ask(USAGE, { method: "OPTIONS", headers: { ...from, "access-control-request-method": "GET", "access-control-request-headers": "authorization" } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
    assert.match(preflight.headers.get("access-control-allow-headers"), /Authorization.*x-api-key/);
    assert.match(preflight.headers.get("access-control-allow-methods"), /GET/);
    const { headers } = await ask(USAGE, { headers: { ...bearer(token), ...from } });
    assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.match(headers.get("access-control-expose-headers"), /RateLimit/);
    assert.equal(headers.get("access-control-allow-credentials"), null, "no other site reads what a cookie opens");
    const near = await ask(USAGE, { headers: { ...bearer(token), ...from, "sec-fetch-site": "same-site" } });
    assert.equal(near.headers.get("access-control-allow-origin"), from.origin);
    assert.equal(near.headers.get("access-control-allow-credentials"), "true");
  });

  test("is closed while the configuration is invalid, whatever passes then", async () => {
    const broken = await startGate({ origin, vars: vars({ LOG: "chatty", ON_MISCONFIGURED: "pass" }) });
    try {
      const before = origin.requests.length;
      const { status, json } = await ask(USAGE, { headers: bearer(await mint("a")) }, broken);
      assert.deepEqual([status, json.cause], [503, "misconfigured"]);
      assert.equal(origin.requests.length, before);
    } finally {
      await broken.stop();
    }
  });

  test("moves with PREFIX", async () => {
    const moved = await startGate({ origin, vars: vars({ PREFIX: "/.gate", ROUTES: [{ match: "/**", open: true }] }) });
    try {
      const headers = bearer(await mint(someone()));
      assert.equal((await ask("/.gate/usage", { headers }, moved)).json.plan.id, "free");
      assert.equal((await ask(USAGE, { headers }, moved)).json.url, USAGE, "the origin's");
    } finally {
      await moved.stop();
    }
  });

  test("says nothing of callers in the log", async () => {
    const token = await mint("a-secret-account", { plan: "gold" });
    await ask(`${USAGE}?token=${token}`);
    assert.equal(gate.log().includes(token), false);
    assert.equal(gate.log().includes("a-secret-account"), false);
  });
});

describe("the ledger", () => {
  let controlled;
  before(async () => {
    controlled = await startControlledGate({ origin, vars: vars({ DEADLINES: { ledger_ms: 300 } }) });
  });
  after(() => controlled?.stop());

  test("is asked once in two seconds, however often a page is loaded", async () => {
    const headers = bearer(await mint(someone()));
    const { calls } = await controlled.control();
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(USAGE, { headers }, controlled)));
    for (const { status } of answers) assert.equal(status, 200);
    assert.equal((await controlled.control()).calls - calls, 1);
    await pause(2_100);
    await ask(USAGE, { headers }, controlled);
    assert.equal((await controlled.control()).calls - calls, 2);
  });

  for (const ledger of ["hangs", "fails", "throws", "babbles"]) {
    test(`that ${ledger} is nobody's fault, and is not asked again at once`, async () => {
      const headers = bearer(await mint(someone()));
      await controlled.control({ ledger });
      try {
        const { calls } = await controlled.control();
        for (let turn = 0; turn < 3; turn += 1) {
          const { status, headers: told, json } = await ask(USAGE, { headers }, controlled);
          assert.deepEqual([status, json.cause, json.retryable], [503, "checker-unavailable", true]);
          assert.ok(Number(told.get("retry-after")) >= 1);
        }
        assert.equal((await controlled.control()).calls - calls, 1);
      } finally {
        await controlled.control({ ledger: "works" });
      }
      await pause(2_100);
      assert.equal((await ask(USAGE, { headers }, controlled)).status, 200);
    });
  }
});
