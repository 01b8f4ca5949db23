// Every situation of the design's table that can be reached from outside, in the real runtime:
// status, cause, remedies, header fields and the format that the caller prefers.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, describe, test } from "node:test";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const DAY_MS = 86_400_000;
const at = (offsetMs) => new Date(Date.now() + offsetMs).toISOString();
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const nowS = () => Math.floor(Date.now() / 1000);

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const BRAND = {
  name: "Gazette",
  sign_in_url: "https://gazette.example.test/login",
  plans_url: "https://gazette.example.test/plans",
  account_url: "https://gazette.example.test/account",
  support_url: "mailto:help@gazette.example.test",
};
const PLANS = [
  { id: "free", entitlements: ["basic"], quotas: [{ meter: "api", limit: 3, per: "month" }, { meter: "bulk", limit: 10, per: "day" }] },
  { id: "pro", name: "Pro", price: "€20 a month", entitlements: ["basic", "premium"], buy_url: "https://gazette.example.test/buy/pro", grace_days: 3,
    quotas: [{ meter: "api", limit: 5, per: "month" }, { meter: "soft", limit: 2, per: "day", enforcement: "soft" }] },
  { id: "staff", entitlements: ["basic", "premium", "internal"], on_sale: false },
];
const ROUTES = [
  { match: "/open/**", open: true },
  { match: "/offer/**", anonymous: "offer", requires: ["premium"] },
  { match: "/premium/**", requires: ["premium"] },
  { match: "/internal/**", requires: ["internal"] },
  { match: "/api/**", meter: "api" },
  { match: "/soft/**", meter: "soft" },
  { match: "/bulk/huge", meter: "bulk", cost: 11 },
  { match: "/bulk/large", meter: "bulk", cost: 6 },
  { match: "/bulk/small", meter: "bulk", cost: 4 },
  { match: "/burst/**", burst: "BURST" },
  { match: "/**" },
];

let origin, gate, byToken, byAccount, byBoth;

before(async () => {
  origin = await startOrigin();
  [byToken, byAccount, byBoth] = await Promise.all([
    makeIssuer(),
    makeIssuer({ iss: "https://account.example.test" }),
    makeIssuer({ iss: "https://both.example.test" }),
  ]);
  gate = await startGate({ origin, ...settings() });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

function settings(vars = {}) {
  return {
    vars: {
      ROUTES,
      PLANS,
      BRAND,
      ISSUERS: [
        issuerVar(byToken),
        issuerVar(byAccount, { subscription: "account" }),
        issuerVar(byBoth, { subscription: "both" }),
      ],
      ADMIN_TOKEN,
      ...vars,
    },
    bindings: { ratelimits: { BURST: { namespace_id: "1", simple: { limit: 3, period: 60 } } } },
  };
}

/** Asks as a program does, and reads the problem if it is one. */
async function ask(path, { token, via = gate, headers = {}, ...init } = {}) {
  const all = { ...(token ? bearer(token) : {}), ...headers };
  const response = await via.fetch(path, { headers: all, ...init });
  const text = await response.text();
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  return { response, status: response.status, headers: response.headers, text, problem: isProblem && text ? JSON.parse(text) : null };
}

/** The same past `fetch`, which sets `Sec-Fetch-*` itself: header fields go as they are given. */
function askRaw(path, { method = "GET", headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(gate.url + path, { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk)).on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode, headers: new Headers(response.headers), text }));
    });
    request.on("error", reject).end();
  });
}

const actions = ({ problem }) => problem.remedies.map(({ action }) => action);

/** What every denial has, whatever its cause. */
function assertDenied(answer, status, cause, expected) {
  assert.equal(answer.headers.get("tollgate-cause"), cause, answer.text);
  assert.equal(answer.status, status);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const vary = answer.headers.get("vary").toLowerCase().split(/, */);
  for (const name of ["accept", "authorization", "cookie", "origin"]) assert.ok(vary.includes(name), `Vary: ${vary}`);
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  const { problem } = answer;
  assert.equal(problem.type, `${gateUrl(answer)}/_tollgate/problems/${cause}`);
  assert.equal(answer.headers.get("link"), `<${problem.type}>; rel="help"`);
  assert.equal(problem.status, status);
  assert.equal(problem.cause, cause);
  assert.ok(problem.title && problem.detail && problem.support_id);
  assert.deepEqual(actions(answer), expected);
  const waits = actions(answer).includes("wait");
  assert.equal(answer.headers.has("retry-after"), waits, "Retry-After is there where waiting helps, and only there");
  if (waits) assert.ok(Number(answer.headers.get("retry-after")) >= 1);
  if (waits) assert.equal(problem.retryable, true);
  assert.equal(answer.headers.has("www-authenticate"), status === 401);
}

const gateUrl = ({ response }) => new URL(response.url).origin;

async function putAccount(account, record, via = gate) {
  const response = await via.fetch(`/_tollgate/admin/accounts/-/${account}`, {
    method: "PUT",
    headers: { ...bearer(ADMIN_TOKEN), "content-type": "application/json" },
    body: JSON.stringify(record),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

describe("without a token", () => {
  test("an open route passes", async () => {
    const { status, headers, text } = await ask("/open/x?y=1");
    assert.equal(status, 200);
    assert.equal(headers.get("tollgate-cause"), null);
    assert.equal(JSON.parse(text).url, "/open/x?y=1");
  });

  test("a protected route asks to sign in", async () => {
    assertDenied(await ask("/a"), 401, "sign-in-required", ["sign-in", "contact-support"]);
  });

  test("an offered route shows what to buy: what opens it, and is on sale", async () => {
    const answer = await ask("/offer/a");
    assertDenied(answer, 402, "payment-required", ["choose-plan", "sign-in", "contact-support"]);
    const [offer] = answer.problem.remedies;
    assert.equal(offer.href, "https://gazette.example.test/buy/pro");
    assert.deepEqual(offer.plan, { id: "pro", name: "Pro", price: "€20 a month" });
    assert.equal(answer.problem.retryable, false);
  });

  test("a CORS preflight is never gated", async () => {
    for (const path of ["/a", "/offer/a", "/api/a"]) {
      const headers = { origin: "https://app.example.test", "access-control-request-method": "POST", "access-control-request-headers": "authorization" };
      const { status, text } = await ask(path, { method: "OPTIONS", headers });
      assert.equal(status, 200);
      assert.equal(origin.requests.at(-1).method, "OPTIONS");
      assert.equal(text, "", "what the origin answers to OPTIONS may be the resource itself");
    }
  });

  test("an OPTIONS that is no preflight is gated like the rest", async () => {
    for (const headers of [{}, { origin: "https://app.example.test" }, { "access-control-request-method": "POST" }]) {
      assert.equal((await ask("/a", { method: "OPTIONS", headers })).status, 401);
    }
  });
});

describe("by the token alone", () => {
  test("a plan that lacks the entitlement, while another on sale has it", async () => {
    const answer = await ask("/premium/a", { token: await byToken.mint({ plan: "free" }) });
    assertDenied(answer, 402, "plan-lacks-entitlement", ["choose-plan", "contact-support"]);
    assert.equal(answer.problem.remedies[0].plan.id, "pro");
    assert.match(answer.problem.detail, /premium/);
  });

  test("nothing on sale has it", async () => {
    const answer = await ask("/internal/a", { token: await byToken.mint({ plan: "pro" }) });
    assertDenied(answer, 403, "not-for-sale", ["contact-support"]);
  });

  test("who has it passes: by plan, by claim, by a plan that is no longer sold", async () => {
    for (const [path, claims] of [["/premium/a", { plan: "pro" }], ["/internal/a", { entitlements: ["internal"] }], ["/internal/a", { plan: "staff" }]]) {
      assert.equal((await ask(path, { token: await byToken.mint(claims) })).status, 200);
    }
  });

  test("a plan that nobody defined is the operator's mistake", async () => {
    for (const path of ["/a", "/premium/a", "/api/a"]) {
      const answer = await ask(path, { token: await byToken.mint({ plan: "platinum" }) });
      assertDenied(answer, 503, "misconfigured", ["contact-support"]);
      assert.doesNotMatch(answer.text, /platinum/, "the caller is spared the details");
    }
    assert.match(await logged(gate, /"cause":"misconfigured"/), /platinum/);
  });

  test("without a plan, a metered route needs a subscription", async () => {
    const answer = await ask("/api/a", { token: await byToken.mint({ sub: "planless" }) });
    assertDenied(answer, 402, "no-subscription", ["choose-plan", "choose-plan", "contact-support"]);
  });

  test("a hard quota passes exactly its limit, counts down, and then says when it starts again", async () => {
    const token = await byToken.mint({ sub: "metered", plan: "free" });
    for (const left of [2, 1, 0]) {
      const { status, headers } = await ask("/api/a", { token });
      assert.equal(status, 200);
      assert.match(headers.get("ratelimit"), new RegExp(`^"api/month";r=${left};t=\\d+$`));
      assert.match(headers.get("ratelimit-policy"), /^"api\/month";q=3;w=\d+$/);
    }
    const answer = await ask("/api/a", { token });
    assertDenied(answer, 402, "quota-exhausted", ["choose-plan", "wait", "contact-support"]);
    assert.equal(answer.problem.remedies[0].plan.id, "pro", "the caller's own plan is no way out");
    const { name, limit, used, resets_at } = answer.problem.quota;
    assert.deepEqual([name, limit, used], ["api/month", 3, 3]);
    const waitS = Number(answer.headers.get("retry-after"));
    assert.ok(Math.abs((Date.parse(resets_at) - Date.now()) / 1000 - waitS) < 5);
    assert.deepEqual(answer.problem["violated-policies"], ["api/month"]);
  });

  test("fifty at once don't pass more than the limit", async () => {
    const token = await byToken.mint({ sub: "crowd", plan: "pro" });
    const all = await Promise.all(Array.from({ length: 50 }, () => ask("/api/a", { token })));
    assert.equal(all.filter(({ status }) => status === 200).length, 5);
    assert.equal(all.filter(({ status }) => status === 402).length, 45);
  });

  test("a soft quota passes on, with a notice", async () => {
    const token = await byToken.mint({ sub: "softie", plan: "pro" });
    const notices = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const { status, headers } = await ask("/soft/a", { token });
      assert.equal(status, 200);
      notices.push(headers.get("tollgate-notice"));
    }
    assert.deepEqual(notices, [null, null, 'soft-quota-passed;quota="soft/day"', 'soft-quota-passed;quota="soft/day"']);
  });

  test("a request that costs more than the quota ever allows: waiting does not help", async () => {
    const token = await byToken.mint({ sub: "greedy", plan: "free" });
    const answer = await ask("/bulk/huge", { token });
    assertDenied(answer, 402, "cost-exceeds-quota", ["reduce-cost", "choose-plan", "contact-support"]);
    assert.equal(answer.headers.get("retry-after"), null);
    assert.equal(answer.problem.retryable, false);
    assert.equal((await ask("/bulk/large", { token })).status, 200, "a smaller one passes");
    const second = await ask("/bulk/large", { token });
    assertDenied(second, 402, "quota-exhausted", ["choose-plan", "wait", "contact-support"]);
    assert.equal((await ask("/bulk/small", { token })).status, 200, "what is left can still be spent");
  });

  test("units go back when the origin fails", async () => {
    const failing = await startOrigin((_, response) => response.writeHead(500).end("broken"));
    const sick = await startGate({ origin: failing, ...settings() });
    try {
      const token = await byToken.mint({ sub: "unlucky", plan: "free" });
      for (let turn = 0; turn < 8; turn += 1) {
        // The units go back after the response.
        await until(() => ask("/api/a", { token, via: sick }), ({ status }) => status === 500);
      }
      await failing.stop();
      for (let turn = 0; turn < 8; turn += 1) {
        await until(() => ask("/api/a", { token, via: sick }), ({ status }) => status === 502);
      }
    } finally {
      await sick.stop();
    }
  });

  test("an origin that can't be reached is named as such, with the way to support", async () => {
    const failing = await startOrigin();
    const sick = await startGate({ origin: failing, ...settings() });
    await failing.stop();
    try {
      const token = await byToken.mint({ sub: "unlucky", plan: "free" });
      for (const path of ["/open/a", "/a", "/api/a"]) {
        const answer = await ask(path, { token, via: sick });
        assert.equal(answer.status, 502);
        assert.equal(answer.problem.retryable, true);
        assert.doesNotMatch(answer.text, /127\.0\.0\.1:\d+.*refused/i);
        assertDenied(answer, 502, "origin-unavailable", ["contact-support"]);
      }
    } finally {
      await sick.stop();
    }
  });

  test("a burst is told to slow down, and only the one who is bursting", async () => {
    const token = await byToken.mint({ sub: "hasty" });
    const all = await Promise.all(Array.from({ length: 8 }, () => ask("/burst/a", { token })));
    assert.equal(all.filter(({ status }) => status === 200).length, 3);
    const refused = all.filter(({ status }) => status !== 200);
    for (const answer of refused) assertDenied(answer, 429, "rate-limited", ["wait", "contact-support"]);
    assert.equal((await ask("/burst/a", { token: await byToken.mint({ sub: "calm" }) })).status, 200);
    assert.equal((await ask("/a", { token })).status, 200, "another route is not limited");
  });
});

describe("by the account's record", () => {
  const mint = (sub, claims = {}) => byAccount.mint({ sub, ...claims });

  test("nobody has heard of the account", async () => {
    assertDenied(await ask("/a", { token: await mint("stranger") }), 402, "no-subscription", ["choose-plan", "choose-plan", "contact-support"]);
  });

  const states = [
    ["active", { plan: "pro", status: "active" }, 200],
    ["trialing", { plan: "pro", status: "trialing", trial_ends_at: at(DAY_MS) }, 200],
    ["past due, in its grace", { plan: "pro", status: "past_due", payment_failed_at: at(-DAY_MS) }, 200, /^payment-grace;until="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"$/],
    ["cancelled, with time left", { plan: "pro", status: "active", ends_at: at(DAY_MS) }, 200, /^subscription-ending;at="/],
    ["past due by the provider's outage", { plan: "pro", status: "past_due", payment_failed_at: at(-30 * DAY_MS), payment_failure: "provider_outage" }, 200, /^provider-outage$/],
    ["renewal news a little late", { plan: "pro", status: "active", current_period_ends_at: at(-DAY_MS) }, 200],
    ["past due, its grace over", { plan: "pro", status: "past_due", payment_failed_at: at(-4 * DAY_MS) }, 402, "payment-failed", ["update-payment", "contact-support"]],
    ["unpaid", { plan: "pro", status: "unpaid", payment_failed_at: at(-DAY_MS), payment_failure: "declined" }, 402, "payment-failed", ["update-payment", "contact-support"]],
    ["unpaid for an expired card", { plan: "pro", status: "unpaid", payment_failed_at: at(-DAY_MS), payment_failure: "card_expired" }, 402, "card-expired", ["update-payment", "contact-support"]],
    ["paused", { plan: "pro", status: "paused" }, 402, "subscription-paused", ["resume-subscription", "contact-support"]],
    ["incomplete", { plan: "pro", status: "incomplete" }, 402, "payment-incomplete", ["finish-payment", "contact-support"]],
    ["after its trial", { plan: "pro", status: "trialing", trial_ends_at: at(-1000) }, 402, "trial-ended", ["choose-plan", "choose-plan", "contact-support"]],
    ["ended", { plan: "pro", status: "ended", ends_at: at(-DAY_MS) }, 402, "subscription-expired", ["choose-plan", "choose-plan", "contact-support"]],
    ["cancelled, its time over", { plan: "pro", status: "active", ends_at: at(-1000) }, 402, "subscription-expired", ["choose-plan", "choose-plan", "contact-support"]],
    ["not renewed for long", { plan: "pro", status: "active", current_period_ends_at: at(-30 * DAY_MS) }, 402, "subscription-expired", ["choose-plan", "choose-plan", "contact-support"]],
    ["suspended, though paid for", { plan: "pro", status: "active", suspended: true }, 403, "account-suspended", ["contact-support"]],
    ["without a subscription", { status: "none" }, 402, "no-subscription", ["choose-plan", "choose-plan", "contact-support"]],
  ];

  for (const [name, record, status, cause, remedies] of states) {
    test(`an account that is ${name}`, async () => {
      const account = `state-${name.replaceAll(/\W+/g, "-")}`;
      await putAccount(account, record);
      const answer = await ask("/a", { token: await mint(account, { plan: "staff" }) });
      if (status === 200) {
        assert.equal(answer.status, 200, answer.text);
        const notice = answer.headers.get("tollgate-notice");
        if (cause) assert.match(notice ?? "", cause);
        else assert.equal(notice, null);
        assert.equal(JSON.parse(answer.text).headers["tollgate-plan"], "pro", "the record's plan counts, not the token's");
      } else {
        assertDenied(answer, status, cause, remedies);
        assert.doesNotMatch(answer.text, new RegExp(account), "the body names no account");
      }
    });
  }

  test("a declared provider outage keeps whoever is being retried in, and says so", async () => {
    const calm = await startGate({ origin, ...settings({ PROVIDER_OUTAGE: true }) });
    try {
      await putAccount("late", { plan: "pro", status: "past_due", payment_failed_at: at(-30 * DAY_MS) }, calm);
      const late = await ask("/a", { token: await mint("late"), via: calm });
      assert.equal(late.status, 200);
      assert.equal(late.headers.get("tollgate-notice"), "provider-outage");
      await putAccount("given-up", { plan: "pro", status: "ended" }, calm);
      assert.equal((await ask("/a", { token: await mint("given-up"), via: calm })).status, 402);
    } finally {
      await calm.stop();
    }
  });

  test("a revoked token is refused, another of the same account is not", async () => {
    await putAccount("leaky", { plan: "pro", status: "active", revoked_tokens: ["stolen"] });
    const stolen = await ask("/a", { token: await mint("leaky", { jti: "stolen" }) });
    assertDenied(stolen, 401, "credential-revoked", ["sign-in", "contact-support"]);
    assert.match(stolen.headers.get("www-authenticate"), /error="invalid_token"/);
    assert.equal((await ask("/a", { token: await mint("leaky", { jti: "other" }) })).status, 200);
    assert.equal((await ask("/a", { token: await mint("leaky") })).status, 200);
  });

  test("tokens from before a cut are refused, and those that don't say when they are from", async () => {
    await putAccount("cut", { plan: "pro", status: "active", tokens_revoked_before: at(-60_000) });
    for (const claims of [{ iat: nowS() - 300 }, { iat: undefined }]) {
      assert.equal((await ask("/a", { token: await mint("cut", claims) })).headers.get("tollgate-cause"), "credential-revoked");
    }
    assert.equal((await ask("/a", { token: await mint("cut") })).status, 200);
  });

  test("credits are used after the quota, and when they are gone that is what is said", async () => {
    await putAccount("prepaid", { plan: "pro", status: "active", credits: 2 });
    const token = await mint("prepaid");
    const statuses = [];
    for (let turn = 0; turn < 8; turn += 1) statuses.push((await ask("/api/a", { token })).status);
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 200, 402], "5 of the plan, 2 of credit");
    const answer = await ask("/api/a", { token });
    assertDenied(answer, 402, "credits-exhausted", ["buy-credits", "wait", "contact-support"]);
    const record = await (await gate.fetch("/_tollgate/admin/accounts/-/prepaid", { headers: bearer(ADMIN_TOKEN) })).json();
    assert.equal(record.credits ?? 0, 0);
  });

  test("entitlements of the record count beside the plan's, and both beside the token's", async () => {
    await putAccount("special", { plan: "free", status: "active", entitlements: ["internal"] });
    const answer = await ask("/internal/a", { token: await mint("special", { entitlements: ["premium"] }) });
    assert.equal(JSON.parse(answer.text).headers["tollgate-entitlements"], "basic internal");
    assert.equal((await ask("/premium/a", { token: await mint("special", { entitlements: ["premium"] }) })).status, 402);
    const both = await ask("/internal/a", { token: await byBoth.mint({ sub: "special", entitlements: ["premium"] }) });
    assert.equal(JSON.parse(both.text).headers["tollgate-entitlements"], "basic internal premium");
  });

  for (const [name, before, path] of [
    ["whose subscription ended", { plan: "pro", status: "ended" }, "/a"],
    ["whose card expired", { plan: "pro", status: "unpaid", payment_failure: "card_expired" }, "/a"],
    ["whose plan lacked something", { plan: "free", status: "active" }, "/premium/a"],
    ["whose plan was used up", { plan: "free", status: "active" }, "/api/a"],
  ]) {
    test(`a customer ${name} is in within 5 seconds of paying`, async () => {
      const account = `payer-${path.slice(1, 3)}-${before.status}-${before.plan}`.replace("/", "");
      await putAccount(account, before);
      const token = await mint(account);
      const denied = await until(() => ask(path, { token }), ({ status }) => status === 402, { everyMs: 0 });
      assert.equal(denied.status, 402);
      await putAccount(account, { plan: "pro", status: "active" });
      const paidAt = performance.now();
      const back = await until(() => ask(path, { token }), ({ status }) => status === 200);
      assert.equal(back.status, 200);
      const tookMs = performance.now() - paidAt;
      assert.ok(tookMs < 5_000, `${Math.round(tookMs)} ms`);
    });
  }
});

describe("in the caller's own format", () => {
  const formats = [
    ["a browser", { accept: BROWSER }, "text/html; charset=utf-8"],
    ["a browser that navigates with */*", { accept: "*/*", "sec-fetch-mode": "navigate" }, "text/html; charset=utf-8"],
    ["curl", { accept: "*/*" }, "application/problem+json"],
    ["a JSON client", { accept: "application/json" }, "application/problem+json"],
    ["a problem client", { accept: "application/problem+json, text/html;q=0.5" }, "application/problem+json"],
    ["a terminal", { accept: "text/plain" }, "text/plain; charset=utf-8"],
    ["a language model", { accept: "text/markdown, text/plain;q=0.9" }, "text/plain; charset=utf-8"],
    ["somebody who accepts nothing we have", { accept: "image/png" }, "application/problem+json"],
    ["somebody whose Accept is noise", { accept: ";;;q=/,*" }, "application/problem+json"],
  ];

  for (const [who, headers, type] of formats) {
    test(`${who} gets ${type}`, async () => {
      const answer = await askRaw("/offer/a", { headers });
      assert.equal(answer.status, 402);
      assert.equal(answer.headers.get("content-type"), type);
      assert.equal(answer.headers.get("tollgate-cause"), "payment-required");
      assert.equal(answer.headers.get("cache-control"), "no-store");
      if (type.startsWith("text/html")) {
        assert.match(answer.text, /^<!doctype html>/i);
        assert.match(answer.text, /<html lang="en"/);
        assert.match(answer.text, /https:\/\/gazette\.example\.test\/buy\/pro/);
        const policy = answer.headers.get("content-security-policy");
        assert.match(policy, /default-src 'none'/);
        assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/);
        assert.doesNotMatch(answer.text, /<script/i);
      }
      if (type.startsWith("text/plain")) {
        assert.match(answer.text, /Cause: payment-required/);
        assert.match(answer.text, /https:\/\/gazette\.example\.test\/buy\/pro/);
      }

      const head = await askRaw("/offer/a", { method: "HEAD", headers });
      assert.equal(head.status, 402);
      assert.equal(head.text, "");
      const fields = (answer) => [...answer.headers].filter(([name]) => !["date", "content-length", "transfer-encoding", "connection", "keep-alive"].includes(name));
      assert.deepEqual(fields(head), fields(answer), "HEAD has the same header fields");
    });
  }

  test("nothing of the request is on the page unescaped, and the query never is", async () => {
    const path = "/offer/%22%3E%3Cscript%3Ealert(1)%3C/script%3E/'onload='x?secret=token-in-query";
    for (const accept of [BROWSER, "application/json", "text/plain"]) {
      const answer = await ask(path, { headers: { accept } });
      assert.equal(answer.status, 402);
      assert.doesNotMatch(answer.text, accept === BROWSER ? /<script|'onload='|token-in-query/ : /<script|token-in-query/);
      assert.doesNotMatch(JSON.stringify([...answer.headers]), /token-in-query/);
    }
  });
});

describe("across origins", () => {
  const from = "https://app.example.test";

  test("a script elsewhere may read the status, the body and the header fields that matter", async () => {
    const { headers } = await ask("/offer/a", { headers: { origin: from } });
    assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.equal(headers.get("access-control-allow-credentials"), null);
    const exposed = headers.get("access-control-expose-headers").toLowerCase().split(/, */);
    for (const name of ["link", "retry-after", "tollgate-cause", "www-authenticate", "ratelimit"]) assert.ok(exposed.includes(name), name);
  });

  test("a page of the same site may read it with cookies; the browser says which page that is", async () => {
    for (const site of ["same-origin", "same-site"]) {
      const { headers } = await askRaw("/offer/a", { headers: { origin: from, "sec-fetch-site": site } });
      assert.equal(headers.get("access-control-allow-origin"), from);
      assert.equal(headers.get("access-control-allow-credentials"), "true");
    }
    for (const [origin, site] of [[from, "cross-site"], [from, "none"], ["null", "same-origin"], ["https://a b\"", "same-site"]]) {
      const { headers } = await askRaw("/offer/a", { headers: { origin, "sec-fetch-site": site } });
      assert.equal(headers.get("access-control-allow-origin"), "*", `${origin} ${site}`);
      assert.equal(headers.get("access-control-allow-credentials"), null);
    }
  });

  test("without Origin there is nothing to say", async () => {
    const { headers } = await ask("/offer/a");
    assert.equal(headers.get("access-control-allow-origin"), null);
  });

  test("the answer to a token that can't be read is readable too", async () => {
    const { status, headers } = await ask("/a", { token: "x", headers: { origin: from } });
    assert.equal(status, 401);
    assert.equal(headers.get("access-control-allow-origin"), "*");
  });
});

describe("when the ledger can't be reached", () => {
  test("the route says: pass, marked, or 503", async () => {
    const routes = [{ match: "/pass/**", meter: "api", on_outage: "pass" }, { match: "/deny/**", meter: "api", on_outage: "deny" }, { match: "/**", meter: "api" }];
    const plans = [{ ...PLANS[0], on_outage: "pass" }, PLANS[1], PLANS[2]];
    const without = await startGate({
      origin,
      ...settings({ ROUTES: routes, PLANS: plans }),
      // A binding that is there and answers nothing sensible.
      bindings: { scriptPath: "tests/e2e/fixtures/broken_ledger_entry.mjs" },
    });
    try {
      const [free, pro] = [await byToken.mint({ plan: "free" }), await byToken.mint({ plan: "pro" })];
      for (const [path, token, passes] of [["/pass/a", pro, true], ["/deny/a", free, false], ["/a", free, true], ["/a", pro, false]]) {
        const answer = await ask(path, { token, via: without });
        if (passes) {
          assert.equal(answer.status, 200, answer.text);
          assert.equal(answer.headers.get("tollgate-degraded"), "checker-unavailable");
          const seen = JSON.parse(answer.text).headers;
          assert.equal(seen["tollgate-degraded"], "checker-unavailable");
          assert.equal(seen["tollgate-account"], "alice");
        } else {
          assertDenied(answer, 503, "checker-unavailable", ["wait", "contact-support"]);
        }
      }
    } finally {
      await without.stop();
    }
  });
});

/** Asks until the answer is good, for at most 10 seconds. */
async function until(question, isGood, { everyMs = 200 } = {}) {
  const endsAt = performance.now() + 10_000;
  for (;;) {
    const found = await question();
    if (isGood(found) || performance.now() > endsAt) return found;
    await pause(everyMs);
  }
}

async function logged(which, pattern) {
  return until(() => which.log().split("\n").find((line) => pattern.test(line)) ?? "", (line) => line !== "", { everyMs: 50 });
}
