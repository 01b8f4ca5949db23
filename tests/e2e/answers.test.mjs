// Every situation of the design's table that needs no account, in the real runtime: status, cause,
// remedies, header fields and the format that the caller prefers.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BROWSER, PLANS, ask, askRaw, assertDenied, byToken, gate, logged, origin, settings, until, useGazette } from "./fixtures/gazette.mjs";
import { startGate, startOrigin } from "./harness.mjs";

/** What a 402 says to search engines: data, and no script. */
const PAYWALL_MARKUP = /<script type="application\/ld\+json">\{[^<]*"isAccessibleForFree":false\}<\/script>/;

useGazette();

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
    const near = 'quota-near-limit;quota="soft/day";percent=95';
    assert.deepEqual(notices, [null, near, 'soft-quota-passed;quota="soft/day"', 'soft-quota-passed;quota="soft/day"']);
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
        assert.match(answer.text, PAYWALL_MARKUP);
        assert.doesNotMatch(answer.text.replace(PAYWALL_MARKUP, ""), /<script/i);
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
      assert.doesNotMatch(answer.text.replace(PAYWALL_MARKUP, ""), accept === BROWSER ? /<script|'onload='|token-in-query/ : /<script|token-in-query/);
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
