// The page about one's own account, in Chromium: narrow and wide, light and dark, with and without
// script, by keyboard; and what a page elsewhere may read of it.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startGate, startOrigin } from "../e2e/harness.mjs";
import { startChromium } from "./fixtures/chromium.mjs";
import { assertFits, assertReadable } from "./fixtures/look.mjs";

const BRAND_RGB = "rgb(122, 31, 92)";
const LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
const USAGE = "/_tollgate/usage";
const SHOP = "https://gazette.example.test";

let browser, origin, elsewhere, gate, issuer, byAccount;

before(async () => {
  origin = await startOrigin();
  elsewhere = await startOrigin((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>elsewhere</title>"));
  issuer = await makeIssuer();
  byAccount = await makeIssuer({ iss: "https://account.example.test" });
  gate = await startGate({ origin, vars: vars() });
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  for (const one of [gate, origin, elsewhere]) await one?.stop();
});

afterEach(() => browser.closePages());

function vars() {
  return {
    ROUTES: [{ match: "/tokens/**", meter: "tokens", cost: 120 }, { match: "/**", meter: "api" }],
    PLANS: [
      {
        id: "pro",
        name: "Pro <script>window.pwned=1</script>",
        price: "€20 a month",
        on_sale: false,
        quotas: [
          { meter: "api", limit: 9000, per: "month" },
          { meter: "api", limit: 4, per: "day", each: "member" },
          { meter: "tokens", limit: 100, per: "day", enforcement: "soft" },
        ],
      },
      { id: "team", name: "Team", price: "€1,200 a year, billed in advance, plus taxes", buy_url: `${SHOP}/buy/team`, quotas: [{ meter: "api", limit: 90000, per: "month" }] },
      { id: "long", name: LONG_NAME, on_sale: false, quotas: [{ meter: "api", limit: 9_007_199_254_740_991, per: "month" }, { meter: LONG_NAME, limit: 3, per: "cycle" }] },
      { id: "open", name: "Open", on_sale: false },
    ],
    METERS: [{ id: "api", name: "API calls" }],
    ISSUERS: [issuerVar(issuer), issuerVar(byAccount, { subscription: "account" })],
    BRAND: { name: "Gazette & Söhne", color: "#7a1f5c", sign_in_url: `${SHOP}/login`, plans_url: `${SHOP}/plans`, account_url: `${SHOP}/account`, support_url: "mailto:help@gazette.example.test" },
    ADMIN_TOKEN,
  };
}

async function operate(method, path, body) {
  const response = await fetch(`${gate.url}/_tollgate/admin/accounts/-/${path}`, { method, headers: { authorization: `Bearer ${ADMIN_TOKEN}` }, body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.text());
}

let people = 0;
/** Somebody who has sent these requests. */
async function somebody({ plan = "pro", paths = [], packs = [], record } = {}) {
  const sub = `reader-${(people += 1)}`;
  if (record) await operate("PUT", sub, record);
  for (const pack of packs) await operate("POST", `${sub}/credits`, pack);
  const token = record ? await byAccount.mint({ sub }) : await issuer.mint({ sub, plan });
  for (const path of paths) await fetch(gate.url + path, { headers: { authorization: `Bearer ${token}` } });
  return token;
}

const times = (count, path) => Array.from({ length: count }, () => path);

// Name, whose page, what it must say, how many bars it has, whether there is one thing to do first.
const pages = [
  ["somebody with room", () => somebody({ paths: ["/a"] }), /1 of 9,000 used[\s\S]*8,999 left\. Starts again on \d+ \w+ \d{4}, 00:00 UTC\./, 3, false],
  ["a limit that is reached", () => somebody({ paths: times(4, "/a") }), /limit is reached[\s\S]*4 of 4 used\s*Used up: further requests are refused/, 3, true],
  ["a soft limit that is passed", () => somebody({ paths: times(2, "/tokens/a") }), /240 of 100 used\s*140 beyond the limit, which is counted and not refused/, 3, false],
  ["credits behind a limit", () => somebody({ paths: times(4, "/a"), packs: [{ id: "a", units: 1200, expires_at: "2099-01-01T00:00:00Z" }, { id: "b", units: 34 }] }), /paid with your credits[\s\S]*1,234 units in all\s*1,200 units until 1 January 2099, 00:00 UTC\s*34 units without an end/, 3, false],
  ["a payment that failed, in its grace", () => somebody({ record: { plan: "pro", status: "past_due" } }), /payment did not go through\. Your access goes on until/, 3, false],
  ["a card that has expired", () => somebody({ record: { plan: "pro", status: "unpaid", payment_failure: "card_expired" } }), /Your card has expired[\s\S]*Update payment method/, 3, true],
  ["no subscription", () => somebody({ record: { status: "none" } }), /No plan[\s\S]*needs a subscription[\s\S]*Get Team/, 0, true],
  ["a plan without limits", () => somebody({ plan: "open" }), /no limits/, 0, false],
  ["names and numbers that are long", () => somebody({ plan: "long" }), /0 of 9,007,199,254,740,991 used/, 2, false],
];

for (const [name, who, says, bars, hasPrimary] of pages) {
  describe(`the page of ${name}`, () => {
    for (const width of [320, 1280]) {
      for (const scheme of ["light", "dark"]) {
        test(`${width} px, ${scheme}`, async () => {
          const url = gate.url + USAGE;
          const { page, response, watch } = await browser.open(url, { width, scheme, token: await who() });
          assert.equal(response.status(), 200);
          assert.match(await page.innerText("body"), says);
          await assertFits(page);
          await assertReadable(page, scheme);

          for (const landmark of ["main", "header", "footer", "h1"]) assert.equal(await page.locator(landmark).count(), 1, landmark);
          assert.equal(await page.title(), "Your usage – Gazette & Söhne");
          assert.equal(await page.getAttribute("html", "lang"), "en");
          assert.equal(await page.evaluate("window.pwned"), undefined);
          assert.equal(await page.locator("script, [style]").count(), 0);
          await assertHeadingsInOrder(page);
          await assertBarsAreNamed(page, bars);
          const primary = page.locator(".primary");
          assert.equal(await primary.count(), hasPrimary ? 1 : 0);
          if (hasPrimary) assert.equal(await primary.evaluate((element) => getComputedStyle(element).backgroundColor), BRAND_RGB);
          assert.deepEqual(watch.messages, []);
          assert.deepEqual(watch.requests.filter((request) => new URL(request).origin !== gate.url), [], "nothing is loaded from elsewhere");
        });
      }
    }

    test("by keyboard alone, and without script", async () => {
      const { page } = await browser.open(gate.url + USAGE, { token: await who(), script: false });
      const links = await page.locator("a[href]").allInnerTexts();
      assert.ok(links.length >= 4, `${links}`);
      assert.equal(new Set(links).size, links.length, "each place once");
      for (const link of links) {
        await page.keyboard.press("Tab");
        const focused = page.locator("a:focus-visible");
        assert.equal(await focused.innerText(), link, "in the order they are read");
        const outline = await focused.evaluate((element) => getComputedStyle(element).outline);
        assert.match(outline, /solid.*[3-9]px/, `the focus is seen on ${link}`);
      }
    });
  });
}

test("a bar is as long as what is used", async () => {
  const { page } = await browser.open(gate.url + USAGE, { token: await somebody({ paths: times(3, "/a") }) });
  const positions = await page.locator("progress").evaluateAll((all) => all.map((bar) => bar.position));
  assert.deepEqual(positions.map((position) => Math.round(position * 10_000) / 10_000), [0.0003, 0.75, 0]);
});

test("a full bar has another colour, and says so in words too", async () => {
  const { page } = await browser.open(gate.url + USAGE, { token: await somebody({ paths: times(4, "/a") }) });
  const colors = await page.locator("progress").evaluateAll((all) => all.map((bar) => getComputedStyle(bar).color));
  assert.equal(colors[0], BRAND_RGB);
  assert.notEqual(colors[1], BRAND_RGB);
  assert.match(await page.locator("li.full").innerText(), /Used up/);
});

test("the links lead where the operator says, and the page can be loaded again", async () => {
  const token = await somebody({ paths: ["/a"] });
  const { page } = await browser.open(gate.url + USAGE, { token });
  const hrefs = await page.locator("main a").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  assert.deepEqual(hrefs, [`${SHOP}/plans`, `${SHOP}/account`, "mailto:help@gazette.example.test"]);
  await fetch(`${gate.url}/a`, { headers: { authorization: `Bearer ${token}` } });
  for (let turn = 0; turn < 10 && !/2 of 9,000 used/.test(await page.innerText("main")); turn += 1) {
    await page.waitForTimeout(400);
    await page.click("text=Load again");
    await page.waitForLoadState();
  }
  assert.match(await page.innerText("main"), /2 of 9,000 used/);
  assert.equal(page.url(), gate.url + USAGE);
});

test("without a cookie the page asks to sign in", async () => {
  const { page, response } = await browser.open(gate.url + USAGE);
  assert.equal(response.status(), 401);
  assert.equal(await page.getAttribute("a.primary", "href"), `${SHOP}/login`);
});

describe("a page elsewhere", () => {
  const read = (page, url, init = {}) =>
    page.evaluate(async ([address, options]) => {
      try {
        const response = await fetch(address, options);
        return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.json() };
      } catch (error) {
        return { error: String(error) };
      }
    }, [url, init]);

  test("reads it with a token of its own, after a preflight", async () => {
    const { page } = await browser.open(elsewhere.url);
    const headers = { authorization: `Bearer ${await somebody({ paths: ["/a"] })}` };
    const { status, headers: told, body, error } = await read(page, gate.url + USAGE, { headers });
    assert.equal(status, 200, error);
    assert.equal(body.quotas[0].used, 1);
    assert.match(told.ratelimit, /^"api\/month";r=8999/);
  });

  test("with a visitor's cookie: of the same site it reads, of another it doesn't", async () => {
    const token = await somebody();
    const same = await browser.open(elsewhere.url);
    await same.context.addCookies([{ name: "tollgate", value: token, url: gate.url }]);
    const near = await read(same.page, gate.url + USAGE, { credentials: "include" });
    assert.equal(near.status, 200, near.error);
    const other = await browser.open(elsewhere.url);
    const far = await read(other.page, gate.url.replace("127.0.0.1", "localhost") + USAGE, { credentials: "include" });
    assert.match(far.error ?? `readable: ${far.status}`, /Failed to fetch/, "whose plan that is is no other site's business");
  });

  test("can't show it in a frame", async () => {
    const { page } = await browser.open(elsewhere.url);
    const shown = await page.evaluate(async (url) => {
      const frame = document.createElement("iframe");
      frame.src = url;
      const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
      document.body.append(frame);
      await loaded;
      return frame.contentDocument === null;
    }, gate.url + USAGE);
    const [, framed] = page.frames();
    assert.ok(shown);
    assert.equal(await framed.locator("main").count(), 0);
  });
});

/** No level of heading is left out on the way down. */
async function assertHeadingsInOrder(page) {
  const levels = await page.locator("h1, h2, h3, h4").evaluateAll((all) => all.map((heading) => Number(heading.tagName[1])));
  assert.equal(levels[0], 1);
  for (const [index, level] of levels.entries()) assert.ok(index === 0 || level <= levels[index - 1] + 1, `${levels}`);
}

/** Each bar has a name of its own and a value, for those who can't see it. */
async function assertBarsAreNamed(page, count) {
  const found = await page.locator("progress").evaluateAll((all) => all.map((bar) => ({
    name: document.getElementById(bar.getAttribute("aria-labelledby"))?.textContent ?? "",
    text: bar.textContent,
    isWithin: bar.value <= bar.max && bar.max > 0,
  })));
  assert.equal(found.length, count);
  for (const { name, text, isWithin } of found) assert.ok(name.length > 3 && / used$/.test(text) && isWithin, `${name}: ${text}`);
  assert.equal(new Set(found.map(({ name }) => name)).size, count);
}
