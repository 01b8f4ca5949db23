// The gate's own endpoints: health, key set, problem types and the operator's accounts. They are
// never gated and never forwarded, however their path is spelled.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, describe, test } from "node:test";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const admin = bearer(ADMIN_TOKEN);
const BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8";

const CAUSES = {
  "account-suspended": 403, "allowance-exhausted": 402, "bad-request": 400, "card-expired": 402,
  "checker-unavailable": 503, "cost-exceeds-quota": 402, "credential-revoked": 401, "credits-exhausted": 402,
  "invalid-token": 401, "misconfigured": 503, "no-subscription": 402, "not-for-sale": 403,
  "origin-unavailable": 502, "payment-failed": 402, "payment-incomplete": 402, "payment-required": 402,
  "plan-lacks-entitlement": 402, "quota-exhausted": 402, "rate-limited": 429, "sign-in-required": 401,
  "subscription-expired": 402, "subscription-paused": 402, "trial-ended": 402,
};

let origin, gate, issuer;

before(async () => {
  origin = await startOrigin();
  issuer = await makeIssuer();
  gate = await startGate({ origin, vars: vars() });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

function vars(more = {}) {
  return {
    ROUTES: [{ match: "/open/**", open: true }, { match: "/**" }],
    PLANS: [{ id: "free", quotas: [{ meter: "api", limit: 3, per: "month" }] }, { id: "pro" }],
    ISSUERS: [issuerVar(issuer, { subscription: "account" })],
    BRAND: { name: "Gazette", plans_url: "https://gazette.example.test/plans" },
    ADMIN_TOKEN,
    ...more,
  };
}

async function ask(path, init = {}, via = gate) {
  const response = await via.fetch(path, init);
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, text, json: isJson && text ? JSON.parse(text) : null };
}

/** A request whose target goes out exactly as it is spelled. */
function askRaw(target, headers = {}, method = "GET", via = gate) {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port: via.port, path: target, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk)).on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    request.on("error", reject).end();
  });
}

describe("health", () => {
  test("says ok, with warnings, to anybody, and may not be kept", async () => {
    const { status, headers, json } = await ask("/_tollgate/health");
    assert.equal(status, 200);
    assert.equal(json.status, "ok");
    assert.ok(Array.isArray(json.warnings));
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("content-type"), "application/json");
  });

  test("HEAD works, other methods don't", async () => {
    const head = await ask("/_tollgate/health", { method: "HEAD" });
    assert.deepEqual([head.status, head.text], [200, ""]);
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const { status, headers } = await ask("/_tollgate/health", { method });
      assert.equal(status, 405, method);
      assert.equal(headers.get("allow"), "GET, HEAD");
    }
  });
});

describe("problem types", () => {
  for (const [cause, status] of Object.entries(CAUSES)) {
    test(`${cause} is explained`, async () => {
      const { status: found, headers, json } = await ask(`/_tollgate/problems/${cause}`, { headers: { accept: "application/json" } });
      assert.equal(found, 200);
      assert.match(headers.get("content-type"), /json/);
      assert.equal(json.cause, cause);
      assert.equal(json.status, status);
      assert.equal(json.type, `${gate.url}/_tollgate/problems/${cause}`);
      for (const member of ["title", "meaning", "caller", "operator"]) assert.ok(json[member].length > 10, member);

      const page = await ask(`/_tollgate/problems/${cause}`, { headers: { accept: BROWSER } });
      assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
      assert.equal(page.text.match(/<h1/g).length, 1);
      assert.doesNotMatch(page.text, /<script/i);
      assert.match(page.headers.get("content-security-policy"), /default-src 'none'/);
      assert.match(page.text, new RegExp(cause));

      const plain = await ask(`/_tollgate/problems/${cause}`, { headers: { accept: "text/plain" } });
      assert.match(plain.text, /What you can do: /);
      const head = await ask(`/_tollgate/problems/${cause}`, { method: "HEAD" });
      assert.deepEqual([head.status, head.text], [200, ""]);
    });
  }

  test("what doesn't exist is 404", async () => {
    for (const word of ["", "nope", "Payment-Required", "payment-required/", "payment-required/x", "__proto__"]) {
      assert.equal((await ask(`/_tollgate/problems/${word}`)).status, 404, word);
    }
  });

  test("a denial's type leads here", async () => {
    const denied = await ask("/a");
    assert.equal(denied.status, 401);
    const explained = await fetch(denied.json.type, { headers: { accept: "application/json" } });
    assert.equal((await explained.json()).cause, denied.json.cause);
  });
});

describe("the operator's accounts", () => {
  const at = "/_tollgate/admin/accounts/-/alice";
  const put = (path, body, headers = admin) =>
    ask(path, { method: "PUT", headers: { ...headers, "content-type": "application/json" }, body: typeof body === "string" ? body : JSON.stringify(body) });

  test("nobody gets in without the token, and learns nothing", async () => {
    const wrong = [{}, bearer("wrong"), bearer(`${ADMIN_TOKEN}x`), bearer(ADMIN_TOKEN.slice(0, -1)), bearer(""), bearer(ADMIN_TOKEN.toUpperCase()),
      { authorization: ADMIN_TOKEN }, { authorization: `Basic ${Buffer.from(`admin:${ADMIN_TOKEN}`).toString("base64")}` },
      { cookie: `tollgate=${ADMIN_TOKEN}` }, { "x-admin-token": ADMIN_TOKEN }, bearer(await issuer.mint())];
    for (const headers of wrong) {
      for (const [path, method] of [[at, "GET"], [at, "PUT"], [`${at}/audit`, "GET"], ["/_tollgate/admin", "GET"], ["/_tollgate/admin/nope", "GET"]]) {
        const answer = await ask(path, { method, headers, ...(method === "PUT" ? { body: "{}" } : {}) });
        assert.equal(answer.status, 401, `${method} ${path} ${JSON.stringify(headers)}`);
        assert.match(answer.headers.get("www-authenticate"), /^Bearer realm=/);
        assert.equal(answer.headers.get("cache-control"), "no-store");
        assert.doesNotMatch(answer.text, new RegExp(ADMIN_TOKEN, "i"));
      }
    }
    assert.equal((await ask(at, { headers: admin })).status, 404, "nothing was written");
  });

  test("the token is refused in the query", async () => {
    for (const name of ["token", "access_token", "admin_token", "ADMIN_TOKEN", "authorization"]) {
      assert.equal((await ask(`${at}?${name}=${ADMIN_TOKEN}`)).status, 401, name);
    }
  });

  test("without ADMIN_TOKEN they are closed", async () => {
    const { ADMIN_TOKEN: _, ...rest } = vars();
    const closed = await startGate({ origin, vars: rest });
    try {
      for (const headers of [{}, admin, bearer("undefined"), bearer("")]) {
        const { status, text } = await ask(at, { headers }, closed);
        assert.equal(status, 404);
        assert.match(text, /ADMIN_TOKEN/);
      }
    } finally {
      await closed.stop();
    }
  });

  test("a record is put, read, and its history kept", async () => {
    const path = "/_tollgate/admin/accounts/-/history";
    assert.equal((await ask(path, { headers: admin })).status, 404);
    const record = { plan: "pro", status: "active", cycle_anchor: "2026-01-31T15:00:00Z", entitlements: ["beta"], limits: { "api/month": 7 } };
    const written = await put(path, record);
    assert.equal(written.status, 200, written.text);
    const read = await ask(path, { headers: admin });
    assert.equal(read.status, 200);
    assert.equal(read.headers.get("cache-control"), "no-store");
    assert.deepEqual(read.json, written.json);
    for (const [name, value] of Object.entries(record)) assert.deepEqual(read.json[name], value, name);
    assert.deepEqual((await put(path, read.json)).json, read.json, "what was read can be put back");

    await put(path, { ...record, status: "paused" });
    const { status, json } = await ask(`${path}/audit`, { headers: admin });
    assert.equal(status, 200);
    assert.ok(json.items.length >= 2);
    assert.equal(json.items[0].detail.status, "paused");
    assert.equal(json.items[0].actor, "admin");
    assert.doesNotMatch(JSON.stringify(json), new RegExp(ADMIN_TOKEN));

    const head = await ask(path, { method: "HEAD", headers: admin });
    assert.deepEqual([head.status, head.text], [200, ""]);
    const headAudit = await ask(`${path}/audit`, { method: "HEAD", headers: admin });
    assert.deepEqual([headAudit.status, headAudit.text], [200, ""]);
  });

  test("times may be written with any offset, and are the same instant", async () => {
    const { status, json, text } = await put("/_tollgate/admin/accounts/-/times", { status: "active", plan: "pro", ends_at: "2030-06-01T02:30:00.5+02:30" });
    assert.equal(status, 200, text);
    assert.equal(Date.parse(json.ends_at), Date.parse("2030-06-01T00:00:00.5Z"));
  });

  test("tenants and accounts with odd names are kept apart", async () => {
    const names = ["-/a%2Fb", "a/b", "t/x", "-/x", "-/t%2Fx", "-/%C3%BC", "t%2Fu/v", "t/u%2Fv", "-/100%25"];
    for (const [index, name] of names.entries()) {
      const { status, text } = await put(`/_tollgate/admin/accounts/${name}`, { plan: "pro", status: "active", limits: { "api/month": index + 1 } });
      assert.equal(status, 200, `${name} ${text}`);
    }
    for (const [index, name] of names.entries()) {
      assert.deepEqual((await ask(`/_tollgate/admin/accounts/${name}`, { headers: admin })).json.limits, { "api/month": index + 1 }, name);
    }
    const passed = await ask("/a", { headers: bearer(await issuer.mint({ sub: "a/b" })) });
    assert.equal(passed.status, 200, "the same account as a token names it");
  });

  const mistakes = [
    ["nothing", "", /JSON/],
    ["no JSON", "plan=pro", /JSON/],
    ["JSON cut short", '{"plan":"pro"', /JSON/],
    ["two values", "{} {}", /JSON/],
    ["a list", "[]", /record/i],
    ["a list of values", '["pro", "active"]', /record/i],
    ["a number", "7", /record/i],
    ["null", "null", /record/i],
    ["a member twice", '{"plan":"pro","plan":"free"}', /plan/],
    ["an unknown field", { plann: "pro" }, /plann/],
    ["another plan than there is", { plan: "platinum", status: "active" }, /platinum.*free, pro/],
    ["an unknown status", { status: "canceled" }, /canceled/],
    ["a time that is none", { status: "active", ends_at: "tomorrow" }, /ends_at.*tomorrow/],
    ["a time as a number", { status: "active", trial_ends_at: 1796083200 }, /trial_ends_at.*1796083200/],
    ["a day that does not exist", { status: "active", ends_at: "2026-02-30T00:00:00Z" }, /ends_at.*2026-02-30/],
    ["a negative limit", { limits: { "api/month": -1 } }, /-1/],
    ["half a limit", { limits: { "api/month": 1.5 } }, /1\.5/],
    ["a limit as a string", { limits: { "api/month": "7" } }, /"7"|string/],
    ["credits, which are packs of their own", { credits: 7 }, /credits/],
    ["an unknown payment failure", { status: "unpaid", payment_failure: "stolen_card" }, /stolen_card/],
    ["entitlements that are no list", { entitlements: "beta" }, /beta|entitlements/],
    ["suspended as a string", { suspended: "yes" }, /yes/],
    ["JSON nested deep", `{"entitlements":${"[".repeat(500)}${"]".repeat(500)}}`, /nested/],
    ["NUL", "{\u0000}", /JSON/],
  ];
  for (const [name, body, said] of mistakes) {
    test(`a body that is ${name} is refused by name, and changes nothing`, async () => {
      const path = `/_tollgate/admin/accounts/-/${encodeURIComponent(`untouched by ${name}`)}`;
      const { status, text, json } = await put(path, body);
      assert.equal(status, 400, text);
      assert.match(json.detail, said);
      assert.equal((await ask(path, { headers: admin })).status, 404);
    });
  }

  test("a body that is too large is refused, as fast as it comes", async () => {
    const { status, json } = await put("/_tollgate/admin/accounts/-/untouched", { entitlements: Array.from({ length: 20_000 }, (_, n) => `right-${n}`) });
    assert.equal(status, 413);
    assert.match(json.detail, /65536/);
    assert.equal((await ask("/_tollgate/admin/accounts/-/untouched", { headers: admin })).status, 404);
  });

  test("paths that name no account are 404, other methods 405", async () => {
    for (const rest of ["", "/", "/accounts/", "/accounts/-", "/accounts/-/", "/accounts//a", "/accounts/-/a/b", "/accounts/-/a/audit/x", "/accounts/-/a/", "/keys", "/events/stripe", "/outage/"]) {
      assert.equal((await ask(`/_tollgate/admin${rest}`, { headers: admin })).status, 404, rest);
    }
    for (const method of ["POST", "DELETE", "PATCH"]) {
      const { status, headers } = await ask(at, { method, headers: admin });
      assert.equal(status, 405);
      assert.equal(headers.get("allow"), "GET, HEAD, PUT");
      const audit = await ask(`${at}/audit`, { method: method === "POST" ? "PUT" : method, headers: admin, ...(method === "POST" ? { body: "{}" } : {}) });
      assert.equal(audit.status, 405);
      assert.equal(audit.headers.get("allow"), "GET, HEAD");
    }
  });

  test("the token never shows up in the log", () => assert.equal(gate.log().includes(ADMIN_TOKEN), false));
});

describe("the prefix", () => {
  test("what isn't there is 404, in the caller's format", async () => {
    for (const path of ["/_tollgate", "/_tollgate/", "/_tollgate/nope", "/_tollgate/health/", "/_tollgate/healthy", "/_tollgate/Health", "/_tollgate/webhooks/stripe", "/_tollgate/drill/panic", "/_tollgate/problems"]) {
      const { status, headers } = await ask(path, { headers: { accept: BROWSER } });
      assert.equal(status, 404, path);
      assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
      assert.equal(headers.get("cache-control"), "no-store");
    }
  });

  const spellings = [
    "/_TOLLGATE/health", "/_Tollgate/admin", "//_tollgate/health", "///_tollgate//health", "/./_tollgate/health", "/open/../_tollgate/health",
    "/open/..%2f_tollgate/health", "/open/%2e%2e/_tollgate/health", "/open/..;/_tollgate/health", "/%5ftollgate/health", "/%5Ftollgate/health", "/_tollgat%65/admin/accounts/-/a",
    "/_tollgate%2fhealth", "/_tollgate%2Fadmin%2Faccounts", "/_tollgate;x=1/health", "/_tollgate\\health", "/\\_tollgate/health", "/open/..\\_tollgate/health",
    "/%255ftollgate/health", "/%2f_tollgate/health", "/_tollgate/../_tollgate/health", "/_tollgate/..%2fopen/x",
    "/_tollgate/%zz", "/%5ftollgate/%", "/_tollgate/%00", "/_tollgate%00/health", "/_tollgate/health%0d%0ax:y", "/_tollgate%09/health", "/_tollgate./health", "/_tollgate%20/health",
    "/_tollgate?health", "/_tollgate#health", "/_tollgate/health?/../../open/x",
  ];
  for (const mode of ["a good configuration", "an invalid configuration and ON_MISCONFIGURED = pass"]) {
    test(`no spelling of it reaches the origin, with ${mode}`, async () => {
      const broken = { ON_MISCONFIGURED: "pass", LOG: "chatty" };
      const via = mode.startsWith("a good") ? gate : await startGate({ origin, vars: vars(broken) });
      try {
        for (const target of spellings) {
          const before = origin.requests.length;
          const { status } = await askRaw(target, {}, "GET", via);
          const forwarded = origin.requests.slice(before).map(({ url }) => url);
          // A path that a server could only read as another name may pass, or be refused as such.
          const isOther = ["/_tollgate./health", "/_tollgate%20/health", "/_tollgate%09/health"].includes(target);
          if (!isOther) assert.deepEqual(forwarded, [], `${target} (${status})`);
          assert.ok(status < 500 || mode.startsWith("an invalid"), `${target}: ${status}`);
        }
      } finally {
        if (via !== gate) await via.stop();
      }
    });
  }

  test("another prefix moves everything, and the old path is the origin's", async () => {
    for (const PREFIX of ["/gate", "/internal/gate/"]) {
      const moved = await startGate({ origin, vars: vars({ PREFIX, ROUTES: [{ match: "/a" }, { match: "/**", open: true }] }) });
      try {
        const prefix = PREFIX.replace(/\/$/, "");
        assert.equal((await ask(`${prefix}/health`, {}, moved)).status, 200);
        const denied = await ask("/a", {}, moved);
        assert.equal(denied.json.type, `${moved.url}${prefix}/problems/sign-in-required`);
        assert.equal((await fetch(denied.json.type)).status, 200);
        assert.equal((await ask("/_tollgate/health", {}, moved)).json.url, "/_tollgate/health");
      } finally {
        await moved.stop();
      }
    }
  });
});
