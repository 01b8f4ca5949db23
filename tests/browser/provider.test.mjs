// The pretend provider's pages in Chromium: narrow and wide, light and dark, by keyboard, and
// without script, of which they have none.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { startProvider } from "../../www/demo/provider/provider.mjs";
import { startChromium } from "./fixtures/chromium.mjs";
import { assertFits, assertReadable } from "./fixtures/look.mjs";

const LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft <b>";
const PRICES = [
  { id: "price_pro", lookup_key: "pro", product: "prod_pro", name: "Pro", amount: 900 },
  { id: "price_long", lookup_key: "long", product: "prod_long", name: LONG_NAME, amount: 123_456_789_00 },
];

let browser, provider, erin;

before(async () => {
  provider = await startProvider({ prices: PRICES, apiKey: "sk_test_pretend", webhook: { url: "http://127.0.0.1:9/", secret: "whsec_pretend" } });
  browser = await startChromium();
  const { life } = provider;
  erin = life.createCustomer({ name: "Erin", email: "erin@example.test" });
  life.subscribe(erin, { price: "price_pro" });
  const long = life.createCustomer({ name: LONG_NAME });
  const subscription = life.subscribe(long, { price: "price_long" });
  life.expireCard(long);
  life.endPeriod(subscription);
  await provider.deliveries.settled();
});
after(async () => {
  await browser?.stop();
  await provider?.stop();
});

afterEach(() => browser.closePages());

async function open(url, options) {
  const { page } = await browser.open(url, options);
  return page;
}

const sold = (price) => ({ line_items: [{ price, quantity: "1" }], success_url: `${provider.url}/`, cancel_url: `${provider.url}/` });
const PAGES = {
  "the operator's page": () => `${provider.url}/`,
  "the checkout": () => provider.life.openCheckout(sold("price_pro")).url,
  "the checkout of something long and dear": () => provider.life.openCheckout(sold("price_long")).url,
  "the portal": () => provider.life.openPortal({ customer: erin.id, return_url: `${provider.url}/` }).url,
  "the portal of somebody who owes": () => provider.life.openPortal({ customer: [...provider.store.customers.keys()][1] }).url,
  "a page that is not there": () => `${provider.url}/nowhere`,
};

describe("looks well", () => {
  for (const [name, url] of Object.entries(PAGES)) {
    for (const scheme of ["light", "dark"]) {
      for (const width of [320, 1280]) {
        test(`${name}, ${scheme}, ${width} px`, async () => {
          const page = await open(url(), { width, scheme });
          for (const summary of await page.locator("summary").all()) await summary.click();
          await assertFits(page);
          await assertReadable(page, scheme);
          await assertNamed(page);
        });
      }
    }
  }
});

/** Whatever can be operated has a name; each button's is its own, or its section's. */
async function assertNamed(page) {
  const { nameless, headings, small } = await page.evaluate(() => {
    const controls = [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a")];
    const nameOf = (element) => element.getAttribute("aria-label") ?? (element.labels?.[0] ?? element).textContent.trim();
    const isLabelled = (element) => !element.matches("input, select, textarea") || element.labels.length > 0;
    const buttons = [...document.querySelectorAll("button, select, a.button")];
    return {
      nameless: controls.filter((element) => !isLabelled(element) || nameOf(element) === "").map((element) => element.outerHTML),
      headings: document.querySelectorAll("h1").length,
      small: buttons.filter((element) => element.getBoundingClientRect().height < 24).map((element) => element.outerHTML),
    };
  });
  assert.deepEqual({ nameless, headings, small }, { nameless: [], headings: 1, small: [] });
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
}

test("nothing of a name becomes part of the page", async () => {
  const page = await open(`${provider.url}/`);
  assert.equal(await page.locator("main b").count(), 0);
});

test("by keyboard, and without script: a checkout is paid, and its portal used", async () => {
  const checkout = provider.life.openCheckout({ ...sold("price_pro"), customer: erin.id });
  const page = await open(checkout.url, { script: false });
  // Tab to the cards, down to the one without money, on to the button.
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.match(await page.getByRole("alert").textContent(), /declined/);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.equal(page.url(), `${provider.url}/`);
  assert.equal(checkout.status, "complete");

  await page.goto(provider.life.openPortal({ customer: erin.id, return_url: `${provider.url}/` }).url);
  await page.getByRole("button", { name: /Use a new card/ }).press("Enter");
  assert.match(await page.getByRole("status").textContent(), /new card/);
  await page.getByRole("link", { name: "Back to the site" }).press("Enter");
  await page.waitForURL(`${provider.url}/`);
});

test("the operator's buttons do what they say, and show where the focus is", async () => {
  const page = await open(`${provider.url}/`);
  const section = page.getByRole("region", { name: "Erin" });
  await section.getByLabel("Code of a decline").selectOption("insufficient_funds");
  await section.getByRole("button", { name: "The renewal is declined" }).click();
  await page.waitForURL(`${provider.url}/?done`);
  assert.match(await page.getByRole("status").textContent(), /Done/);
  assert.equal(provider.store.subscriptionsOf(erin.id).at(-1).status, "past_due");
  await page.getByRole("region", { name: "Erin" }).getByRole("button", { name: "Pay with a card that works" }).click();
  await page.waitForURL(`${provider.url}/?done`);
  await page.waitForFunction(() => document.body.textContent.includes("invoice.paid"));
  assert.equal(provider.store.subscriptionsOf(erin.id).at(-1).status, "active");
  await page.getByRole("button", { name: "Begin an outage" }).click();
  await page.getByRole("button", { name: "End the outage" }).click();
  await page.getByRole("button", { name: "Begin an outage" }).waitFor();
  await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineWidth);
  assert.equal(outline, "3px");
});

test("forms of other sites are refused", async () => {
  const response = await fetch(`${provider.url}/operator`, { method: "POST", headers: { "sec-fetch-site": "cross-site" }, body: new URLSearchParams({ do: "outage_on" }) });
  assert.equal(response.status, 403);
  assert.equal(provider.store.chargesFail, false);
});
