// Links to the provider's pages: how many one caller can have made, for all kinds together.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { startShop } from "./fixtures/shop.mjs";

const PORTAL = "/_tollgate/billing/portal";
const CHECKOUT = "/_tollgate/billing/checkout";
const JSON_ONLY = { headers: { accept: "application/json" } };
const MOST = 5;

let shop, without;

before(async () => {
  const brandless = {
    BRAND: { name: "Gazette" },
    PLANS: [{ id: "pro", name: "Pro", entitlements: ["premium"], prices: ["price_pro"] }],
  };
  [shop, without] = [await startShop(), await startShop({ vars: brandless })];
});
after(async () => {
  await shop?.stop();
  await without?.stop();
});
afterEach(() => shop.provider.faults.set("works"));

/** How many sessions a provider made since; every call of its API counts, also one that failed. */
const made = (one, from) => one.provider.requests.slice(from).filter(({ path }) => /\/sessions$/.test(path)).length;
const count = (one) => one.provider.requests.length;

async function customer(one, name) {
  one.subscriber(name);
  await one.answered(name, 200);
}

describe("one caller", () => {
  test("gets the same link for a minute", async () => {
    await customer(shop, "same");
    const from = count(shop);
    const urls = new Set();
    for (let number = 0; number < 60; number += 1) {
      for (const path of [`${PORTAL}?return=/articles/one`, `${CHECKOUT}?plan=team&return=/team/one`]) {
        const answer = await shop.ask(path, "same", JSON_ONLY);
        assert.equal(answer.status, 200, answer.text);
        urls.add(answer.json.url);
      }
    }
    assert.deepEqual([made(shop, from), urls.size], [2, 2]);
  });

  for (const [name, path] of [["portal", `${PORTAL}?`], ["checkout", `${CHECKOUT}?plan=team&`]]) {
    test(`has a few sessions made, wherever it wants to come back to: ${name}`, async () => {
      const who = `many-${name}`;
      await customer(shop, who);
      const from = count(shop);
      const urls = [];
      for (let number = 0; number < 60; number += 1) {
        const answer = await shop.ask(`${path}return=/x${number}`, who, JSON_ONLY);
        assert.equal(answer.status, 200, answer.text);
        urls.push(answer.json.url);
      }
      assert.equal(made(shop, from), MOST);
      assert.ok(urls.slice(0, MOST).every((url) => url.startsWith(shop.provider.url)), urls[0]);
      assert.ok(urls.slice(MOST).every((url) => url.startsWith("https://shop.example.test/")), urls.at(-1));
    });
  }

  test("has a few made by 60 requests at once", async () => {
    await customer(shop, "crowd");
    const from = count(shop);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, number) => shop.ask(`${PORTAL}?return=/x${number % 2}`, "crowd", JSON_ONLY)));
    assert.ok(answers.every(({ status }) => status === 200));
    assert.ok(made(shop, from) <= MOST, `${made(shop, from)}`);
  });

  test("has none made by HEAD", async () => {
    await customer(shop, "head");
    const from = count(shop);
    for (let number = 0; number < 60; number += 1) {
      const path = number % 2 ? `${PORTAL}?return=/x${number}` : `${CHECKOUT}?plan=pro&return=/x${number}`;
      const answer = await shop.ask(path, "head", { method: "HEAD" });
      assert.ok([200, 303].includes(answer.status), `${answer.status}`);
      assert.match(answer.headers.get("cache-control"), /no-store/);
    }
    assert.equal(count(shop), from);
    assert.equal((await shop.ask(PORTAL, "head", JSON_ONLY)).status, 200, "nothing was used up");
    assert.equal(made(shop, from), 1);
  });

  test("takes nothing from another", async () => {
    await customer(shop, "greedy");
    await customer(shop, "modest");
    for (let number = 0; number < 20; number += 1) await shop.ask(`${PORTAL}?return=/x${number}`, "greedy", JSON_ONLY);
    const [mine, theirs] = [await shop.ask(`${PORTAL}?return=/x0`, "modest", JSON_ONLY), await shop.ask(`${PORTAL}?return=/x0`, "greedy", JSON_ONLY)];
    assert.ok(mine.json.url.startsWith(`${shop.provider.url}/portal/`), mine.json.url);
    assert.notEqual(mine.json.url, theirs.json.url, "and is never given its link");
  });

  test("spares a provider that fails", async () => {
    await customer(shop, "failing");
    shop.provider.faults.set("fails");
    const from = count(shop);
    for (let number = 0; number < 20; number += 1) await shop.ask(PORTAL, "failing", JSON_ONLY);
    assert.equal(made(shop, from), MOST);
  });
});

describe("without a page of the shop's own", () => {
  test("too many are told when to come back", async () => {
    await customer(without, "anna");
    for (let number = 0; number < MOST; number += 1) assert.equal((await without.ask(`${PORTAL}?return=/x${number}`, "anna", JSON_ONLY)).status, 200);
    const refused = await without.ask(`${PORTAL}?return=/x-more`, "anna", JSON_ONLY);
    assert.equal(refused.status, 429);
    const after = Number(refused.headers.get("retry-after"));
    assert.ok(after >= 1 && after <= 60, `${after}`);
    assert.match(refused.json.detail, /Nothing is wrong with your account/);
    assert.match(refused.headers.get("cache-control"), /no-store/);
    assert.equal((await without.ask(`${PORTAL}?return=/x0`, "anna", JSON_ONLY)).status, 200, "what was made is still there");
  });

  test("HEAD is told nothing", async () => {
    await customer(without, "ben");
    const from = count(without);
    const answer = await without.ask(PORTAL, "ben", { method: "HEAD" });
    assert.deepEqual([answer.status, answer.headers.get("location")], [204, null]);
    assert.equal(count(without), from);
    const nobody = await without.ask(PORTAL, null, { method: "HEAD" });
    assert.equal(nobody.status, 401);
    const unknown = await without.ask(`${CHECKOUT}?plan=gold`, "ben", { method: "HEAD" });
    assert.equal(unknown.status, 404);
  });
});
