// The pages in Chromium: denials and explanations, narrow and wide, light and dark, with and
// without script, by keyboard; and their secrecy towards a page elsewhere.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startGate, startOrigin } from "../e2e/harness.mjs";
import { startChromium } from "./fixtures/chromium.mjs";
import { assertFits, assertReadable } from "./fixtures/look.mjs";

const BRAND_COLOR = "#7a1f5c";
const BRAND_RGB = "rgb(122, 31, 92)";
const LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunte";

const WIDTHS = [320, 1280];
const SCHEMES = ["light", "dark"];

let browser, origin, gate, broken, longNamed, elsewhere, issuer, byAccount;

before(async () => {
  origin = await startOrigin(answerLikeAnApi);
  elsewhere = await startOrigin((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>elsewhere</title>"));
  issuer = await makeIssuer();
  byAccount = await makeIssuer({ iss: "https://account.example.test" });
  [gate, broken, longNamed] = await Promise.all([
    startGate({ origin, vars: vars() }),
    startGate({ origin, vars: vars({ LOG: "chatty" }) }),
    startGate({ origin, vars: vars({ BRAND: { ...vars().BRAND, name: LONG_NAME } }) }),
  ]);
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  for (const one of [gate, broken, longNamed, origin, elsewhere]) await one?.stop();
});

afterEach(() => browser.closePages());

function vars(more = {}) {
  const shop = "https://gazette.example.test";
  return {
    ROUTES: [
      { match: "/offer/**", anonymous: "offer", requires: ["premium"] },
      { match: "/premium/**", requires: ["premium"] },
      { match: "/internal/**", requires: ["internal"] },
      { match: "/api/**", meter: "api" },
      { match: "/**" },
    ],
    PLANS: [
      { id: "free", name: "Free", quotas: [{ meter: "api", limit: 2, per: "month" }] },
      { id: "pro", name: "Pro", price: "€20 a month", entitlements: ["premium"], buy_url: `${shop}/buy/pro` },
      { id: "team", name: "Team with a rather long name", price: "€1,200 a year, billed in advance, plus taxes", entitlements: ["premium"], buy_url: `${shop}/buy/team` },
    ],
    ISSUERS: [issuerVar(issuer), issuerVar(byAccount, { subscription: "account" })],
    BRAND: {
      name: "Gazette & Söhne", color: BRAND_COLOR, sign_in_url: `${shop}/login`, plans_url: `${shop}/plans`,
      account_url: `${shop}/account`, support_url: "mailto:help@gazette.example.test",
    },
    ADMIN_TOKEN,
    ...more,
  };
}

/** Answers preflights as an API does that is meant for browsers, and everything else with a page. */
function answerLikeAnApi(request, response) {
  response.setHeader("access-control-allow-origin", request.headers.origin ?? "*");
  response.setHeader("access-control-allow-headers", "authorization");
  response.setHeader("access-control-allow-methods", "GET, PUT");
  response.setHeader("content-type", "text/html");
  response.end("<!doctype html><html lang=en><title>the origin</title><h1>What was paid for</h1>");
}

async function putAccount(account, record) {
  const response = await fetch(`${gate.url}/_tollgate/admin/accounts/-/${account}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    body: JSON.stringify(record),
  });
  assert.equal(response.status, 200, await response.text());
}

/** A token of the account with this record. */
async function tokenOf(account, record) {
  await putAccount(account, record);
  return byAccount.mint({ sub: account });
}

/** The messages beyond the one by which Chromium notes that a page came with an error status. */
const complaints = (watch) => watch.messages.filter((text) => !/^error: Failed to load resource: the server responded with a status of [45]\d\d/.test(text));

// Name, status, what the page must say, the request.
const pages = [
  ["payment-required", 402, /Get Pro/, () => ({ url: `${gate.url}/offer/a` })],
  ["plan-lacks-entitlement", 402, /premium/, async () => ({ url: `${gate.url}/premium/a`, token: await issuer.mint({ plan: "free" }) })],
  ["payment-failed", 402, /Update payment method/, async () => ({ url: `${gate.url}/a`, token: await tokenOf("failed", { plan: "pro", status: "past_due", payment_failed_at: "2026-01-01T00:00:00Z" }) })],
  ["card-expired", 402, /card/i, async () => ({ url: `${gate.url}/a`, token: await tokenOf("card", { plan: "pro", status: "unpaid", payment_failure: "card_expired" }) })],
  ["quota-exhausted", 402, /2 of 2 used/, async () => ({ url: `${gate.url}/api/a`, token: await usedUp() })],
  ["sign-in-required", 401, /Sign in/, () => ({ url: `${gate.url}/a` })],
  ["not-for-sale", 403, /internal/, async () => ({ url: `${gate.url}/internal/a`, token: await issuer.mint({ plan: "pro" }) })],
  ["misconfigured", 503, /on our side/, () => ({ url: `${broken.url}/a` })],
  ["bad-request", 400, /can.t be read/, () => ({ url: `${gate.url}/%00` })],
  ["a long address and a long name", 402, /Get Pro/, () => ({ url: `${longNamed.url}/offer/${"x".repeat(900)}/%22%3E%3Cscript%3Ewindow.pwned=1%3C/script%3E` })],
  ["the explanation of a cause", 200, /quota-exhausted/, () => ({ url: `${gate.url}/_tollgate/problems/quota-exhausted` })],
  ["an endpoint that isn't there", 404, /no such endpoint/, () => ({ url: `${gate.url}/_tollgate/nope` })],
];

async function usedUp() {
  const token = await issuer.mint({ sub: `reader-${Math.random()}`, plan: "free" });
  for (let turn = 0; turn < 2; turn += 1) await fetch(`${gate.url}/api/a`, { headers: { authorization: `Bearer ${token}` } });
  return token;
}

for (const [name, status, says, where] of pages) {
  describe(`the page: ${name}`, () => {
    for (const width of WIDTHS) {
      for (const scheme of SCHEMES) {
        test(`${width} px, ${scheme}`, async () => {
          const { url, token } = await where();
          const view = await browser.open(url, { width, scheme, token });
          const { page, response, watch } = view;
          assert.equal(response.status(), status);
          assert.match(await page.innerText("body"), says);
          await assertFits(page);
          await assertReadable(page, scheme);

          assert.equal(await page.locator("h1").count(), 1);
          assert.equal(await page.locator("main").count(), 1);
          assert.ok((await page.title()).length > 5);
          assert.equal(await page.getAttribute("html", "lang"), "en");
          assert.equal(await page.evaluate("window.pwned"), undefined);
          const primary = page.locator(".primary");
          assert.ok((await primary.count()) <= 1, "one main thing to do");
          // The broken gate goes by the default looks.
          if ((await primary.count()) && name !== "misconfigured") {
            assert.equal(await primary.evaluate((element) => getComputedStyle(element).backgroundColor), BRAND_RGB, "the policy lets the brand's style in");
          }

          assert.deepEqual(complaints(watch), []);
          const foreign = watch.requests.filter((request) => new URL(request).origin !== new URL(url).origin);
          assert.deepEqual(foreign, [], "nothing is loaded from elsewhere");
        });
      }
    }

    test("by keyboard alone", async () => {
      const { url, token } = await where();
      const view = await browser.open(url, { token });
      const { page } = view;
      const links = await page.locator("a[href]").evaluateAll((all) => all.map((link) => link.textContent.trim()));
      const reached = [];
      for (let turn = 0; turn < links.length; turn += 1) {
        await page.keyboard.press("Tab");
        reached.push(await page.evaluate(() => {
          const { textContent } = document.activeElement;
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
          return { text: textContent.trim(), isSeen: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2 };
        }));
      }
      assert.deepEqual(reached.map(({ text }) => text), links, "each link once, in the order they are read");
      for (const { text, isSeen } of reached) assert.ok(isSeen, `the focus is seen on ${text}`);
    });

    test("without script it is the same", async () => {
      const { url, token } = await where();
      const view = await browser.open(url, { token, script: false });
      assert.equal(view.response.status(), status);
      assert.match(await view.page.innerText("body"), says);
      assert.equal(await view.page.locator("h1:visible").count(), 1);
      const blocks = await view.page.locator("script").evaluateAll((all) => all.map(({ type, textContent }) => [type, JSON.parse(textContent).isAccessibleForFree]));
      assert.deepEqual(blocks, status === 402 ? [["application/ld+json", false]] : [], "data for search engines, and nothing that runs");
    });
  });
}

test("the buttons lead where the operator says", async () => {
  const view = await browser.open(`${gate.url}/offer/a`);
  const links = await view.page.locator("a.button").evaluateAll((all) => all.map((link) => [link.textContent.trim().replaceAll(/\s+/g, " "), link.getAttribute("href")]));
  const found = Object.fromEntries(links);
  assert.equal(links[0][1], "https://gazette.example.test/buy/pro", "what opens the door comes first");
  assert.ok(Object.values(found).includes("https://gazette.example.test/login"), JSON.stringify(links));
  assert.ok(Object.values(found).includes("mailto:help@gazette.example.test"), JSON.stringify(links));
});

test("the code on the page leads to its explanation", async () => {
  const view = await browser.open(`${gate.url}/offer/a`);
  await view.page.click('a[href$="/problems/payment-required"]');
  assert.equal(view.page.url(), `${gate.url}/_tollgate/problems/payment-required`);
  assert.equal(await view.page.locator("h1").count(), 1);
});

test("whoever pays gets in by trying again", async () => {
  const token = await tokenOf("payer", { plan: "pro", status: "past_due", payment_failed_at: "2026-01-01T00:00:00Z" });
  const view = await browser.open(`${gate.url}/a`, { token });
  const { page } = view;
  assert.match(await page.innerText("h1"), /payment did not go through/);
  await putAccount("payer", { plan: "pro", status: "active" });
  for (let turn = 0; turn < 20 && (await page.innerText("h1")) !== "What was paid for"; turn += 1) {
    await page.waitForTimeout(300);
    await page.click("text=Try again");
    await page.waitForLoadState();
  }
  assert.equal(await page.innerText("h1"), "What was paid for");
});

describe("a page elsewhere", () => {
  /** Fetches in the page, and says what a script there can read. */
  const read = (page, url, init = {}) =>
    page.evaluate(async ([address, options]) => {
      try {
        const response = await fetch(address, options);
        const body = await response.text();
        return { status: response.status, headers: Object.fromEntries(response.headers), body };
      } catch (error) {
        return { error: String(error) };
      }
    }, [url, init]);

  test("reads status, problem and header fields of a denial", async () => {
    const view = await browser.open(elsewhere.url);
    const { status, headers, body, error } = await read(view.page, `${gate.url}/offer/a`);
    assert.equal(error, undefined);
    assert.equal(status, 402);
    assert.equal(headers["tollgate-cause"], "payment-required");
    assert.match(headers.link, /problems\/payment-required/);
    const problem = JSON.parse(body);
    assert.equal(problem.cause, "payment-required");
    assert.equal(problem.remedies[0].href, "https://gazette.example.test/buy/pro");
  });

  test("the same with a token of its own, after a preflight that the gate lets through", async () => {
    const view = await browser.open(elsewhere.url);
    const headers = { authorization: `Bearer ${await usedUp()}` };
    const denied = await read(view.page, `${gate.url}/api/a`, { headers });
    assert.equal(denied.status, 402, denied.error);
    assert.equal(denied.headers["tollgate-cause"], "quota-exhausted");
    assert.ok(Number(denied.headers["retry-after"]) > 0);
    assert.match(denied.headers.ratelimit, /^"api\/month";r=0/);
    const put = await read(view.page, `${gate.url}/a`, { method: "PUT", headers: { authorization: "Bearer x" }, body: "x" });
    assert.equal(put.status, 401, put.error);
    assert.match(put.headers["www-authenticate"], /error="invalid_token"/);
  });

  test("with cookies: of the same site it reads, of another it doesn't", async () => {
    const token = await issuer.mint({ plan: "free" });
    const same = await browser.open(elsewhere.url);
    await same.context.addCookies([{ name: "tollgate", value: token, url: gate.url }]);
    const near = await read(same.page, `${gate.url}/premium/a`, { credentials: "include" });
    assert.equal(near.status, 402, near.error);
    assert.equal(near.headers["tollgate-cause"], "plan-lacks-entitlement");

    const other = await browser.open(elsewhere.url);
    const foreignGate = gate.url.replace("127.0.0.1", "localhost");
    const far = await read(other.page, `${foreignGate}/premium/a`, { credentials: "include" });
    assert.match(far.error ?? `readable: ${far.status}`, /Failed to fetch/, "a visitor's standing is no other site's business");
  });

  test("an outage of the gate is readable too", async () => {
    const view = await browser.open(elsewhere.url);
    const { status, body, error } = await read(view.page, `${broken.url}/a`);
    assert.equal(status, 503, error);
    assert.equal(JSON.parse(body).cause, "misconfigured");
  });
});
