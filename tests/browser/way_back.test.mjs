// Coming back after paying, in Chromium: the refusal with its button, and the page that waits for
// access and looks again by itself; narrow and wide, light and dark, with and without script.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { startShop } from "../e2e/fixtures/shop.mjs";
import { startChromium } from "./fixtures/chromium.mjs";
import { assertFits, assertReadable } from "./fixtures/look.mjs";

const ARTICLE = "/articles/one";
const FAILED = { plan: "pro", status: "past_due", payment_failed_at: "2026-01-01T00:00:00Z", payment_failure: "insufficient_funds" };

let browser, shop;

before(async () => {
  shop = await startShop();
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await shop?.stop();
});

afterEach(() => browser.closePages());

let people = 0;
/** Somebody whose payment failed, in front of a page. */
async function open(path, options) {
  const account = `reader-${(people += 1)}`;
  await shop.operate("PUT", `accounts/-/${account}`, FAILED);
  const token = await shop.issuer.mint({ sub: account });
  const { page } = await browser.open(shop.gate.url + path, { ...options, token });
  return { page, pays: () => shop.operate("PUT", `accounts/-/${account}`, { plan: "pro", status: "active" }) };
}

const button = (page) => page.getByRole("button", { name: "I have paid" });
const isThere = (page) => page.waitForURL((url) => url.pathname === ARTICLE);

describe("looks well", () => {
  for (const [name, path] of [["the refusal", ARTICLE], ["the page that waits", `/_tollgate/status?return=${ARTICLE}`], ["the page that has waited long", `/_tollgate/status?return=${ARTICLE}&attempt=99`]]) {
    for (const scheme of ["light", "dark"]) {
      for (const width of [320, 1280]) {
        test(`${name}, ${scheme}, ${width} px`, async () => {
          const { page } = await open(path, { width, scheme });
          await button(page).waitFor();
          await assertFits(page);
          await assertReadable(page, scheme);
          assert.equal(await page.locator("h1").count(), 1);
          assert.ok((await button(page).boundingBox()).height >= 24);
        });
      }
    }
  }
});

for (const script of [true, false]) {
  test(`the button brings who has paid to the page, ${script ? "with" : "without"} script`, async () => {
    const { page, pays } = await open(ARTICLE, { script });
    await pays();
    await button(page).focus();
    await page.keyboard.press("Enter");
    // The refusal had the same address: it is the origin's answer that counts.
    await page.getByText('"url":"/articles/one"').waitFor();
  });

  test(`who has not paid yet waits on a page that looks again by itself, ${script ? "with" : "without"} script`, async () => {
    const { page, pays } = await open(ARTICLE, { script });
    await button(page).click();
    await page.getByRole("heading", { name: "Not yet" }).waitFor();
    await pays();
    await isThere(page);
  });
}

test("the page that waits says why, and leads to the provider too", async () => {
  const { page } = await open(`/_tollgate/status?return=${ARTICLE}`);
  assert.match(await page.textContent("main"), /payment/i);
  const links = await page.getByRole("link").evaluateAll((all) => all.map((link) => link.pathname));
  assert.ok(links.includes("/_tollgate/billing/portal"), links.join(" "));
  assert.ok(links.includes(ARTICLE));
});
