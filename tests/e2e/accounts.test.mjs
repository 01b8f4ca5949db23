// Decisions by an account's record, in the real runtime, and the time until a change of it counts.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ask, assertDenied, bearer, byAccount, byBoth, gate, origin, putAccount, settings, until, useGazette } from "./fixtures/gazette.mjs";
import { ADMIN_TOKEN, startGate } from "./harness.mjs";

const DAY_MS = 86_400_000;
const at = (offsetMs) => new Date(Date.now() + offsetMs).toISOString();
const nowS = () => Math.floor(Date.now() / 1000);

useGazette();

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
    await putAccount("prepaid", { plan: "pro", status: "active" });
    const credits = "/_tollgate/admin/accounts/-/prepaid/credits";
    const pack = { method: "POST", headers: bearer(ADMIN_TOKEN), body: JSON.stringify({ id: "invoice-1", units: 2 }) };
    for (let turn = 0; turn < 2; turn += 1) assert.ok((await gate.fetch(credits, pack)).ok, "the same pack again adds nothing");
    const token = await mint("prepaid");
    const statuses = [];
    for (let turn = 0; turn < 8; turn += 1) statuses.push((await ask("/api/a", { token })).status);
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 200, 402], "5 of the plan, 2 of credit");
    const answer = await ask("/api/a", { token });
    assertDenied(answer, 402, "credits-exhausted", ["buy-credits", "wait", "contact-support"]);
    const { items } = await (await gate.fetch(credits, { headers: bearer(ADMIN_TOKEN) })).json();
    assert.deepEqual(items.map(({ id, units, left }) => [id, units, left]), [["invoice-1", 2, 0]]);
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
