// The way back in: from a 402 to the provider's page and back, for people and for programs; with a
// provider that is slow, wrong or away; and never to a place that somebody else chose.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { API_KEY, nowS, startShop } from "./fixtures/shop.mjs";

const PORTAL = "/_tollgate/billing/portal";
const CHECKOUT = "/_tollgate/billing/checkout";
const PAGE = { headers: { accept: "text/html" } };
const JSON_ONLY = { headers: { accept: "application/json" } };

let shop, bare;

before(async () => {
  [shop, bare] = [await startShop(), await startShop({ vars: { STRIPE_API_KEY: undefined } })];
  for (const one of [shop, bare]) {
    one.subscriber("anna");
    await one.answered("anna", 200);
  }
});
after(async () => {
  await shop?.stop();
  await bare?.stop();
});
beforeEach(() => shop.provider.faults.set("works"));

async function subscriber(name) {
  shop.subscriber(name);
  await shop.answered(name, 200);
  return name;
}

const asked = (path) => shop.provider.requests.filter((request) => request.path === path);

describe("the portal", () => {
  test("sends people there, and tells programs the address", async () => {
    const page = await shop.ask(`${PORTAL}?return=/articles/one`, "anna", PAGE);
    assert.equal(page.status, 303);
    assert.match(page.headers.get("location"), new RegExp(`^${shop.provider.url}/portal/bps_`));
    assert.match(page.headers.get("cache-control"), /no-store/);
    const program = await shop.ask(`${PORTAL}?return=/articles/one`, "anna", JSON_ONLY);
    assert.equal(program.status, 200);
    assert.match(program.json.url, new RegExp(`^${shop.provider.url}/portal/bps_`));
  });

  test("asks the provider for this customer, and to send it back to where it was", async () => {
    await shop.ask(`${PORTAL}?return=/articles/one?page=2`, "anna", PAGE);
    const { headers, body } = asked("/v1/billing_portal/sessions").at(-1);
    const form = new URLSearchParams(body);
    const [customer] = shop.provider.store.customers.keys();
    assert.equal(form.get("customer"), customer);
    const back = new URL(form.get("return_url"));
    assert.deepEqual([back.origin, back.pathname, back.searchParams.get("return")], [shop.gate.url, "/_tollgate/status", "/articles/one?page=2"]);
    assert.equal(headers.authorization, `Bearer ${API_KEY}`);
    assert.ok(headers["stripe-version"]);
  });

  test("is for whoever is signed in", async () => {
    const nobody = await shop.ask(PORTAL);
    assert.deepEqual([nobody.status, nobody.cause], [401, "sign-in-required"]);
    assert.equal((await shop.ask(PORTAL, null, { headers: { authorization: "Bearer nonsense" } })).status, 401);
  });

  test("of somebody without a customer is the shop", async () => {
    const answer = await shop.ask(PORTAL, "newcomer", PAGE);
    assert.equal(answer.status, 303);
    assert.match(answer.headers.get("location"), /^https:\/\/shop\.example\.test\/|\/_tollgate\/billing\/checkout/);
  });
});

describe("the checkout", () => {
  test("sells the plan that was asked for to this account", async () => {
    const answer = await shop.ask(`${CHECKOUT}?plan=team&return=/team/one`, "ben", JSON_ONLY);
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.json.url, new RegExp(`^${shop.provider.url}/checkout/cs_`));
    const form = new URLSearchParams(asked("/v1/checkout/sessions").at(-1).body);
    assert.equal(form.get("line_items[0][price]"), "price_team");
    assert.equal(form.get("line_items[0][quantity]"), "1");
    assert.equal(form.get("mode"), "subscription");
    for (const name of ["metadata[tollgate_account]", "subscription_data[metadata][tollgate_account]"]) assert.match(form.get(name) ?? "", /^tgr_[\w-]{30,196}$/, name);
    for (const name of ["success_url", "cancel_url"]) assert.equal(new URL(form.get(name)).origin, shop.gate.url, name);
  });

  test("sells a second plan to the customer that there is, and makes no other", async () => {
    await shop.ask(`${CHECKOUT}?plan=team`, "anna", JSON_ONLY);
    const form = new URLSearchParams(asked("/v1/checkout/sessions").at(-1).body);
    assert.equal(form.get("customer"), [...shop.provider.store.customers.keys()][0]);
  });

  test("a second click is the same sale; after the first purchase it is another", async () => {
    const path = `${CHECKOUT}?plan=pro&return=/articles/${"long-".repeat(60)}`;
    const click = async () => (await shop.ask(path, "zoë", JSON_ONLY)).json.url;
    const first = await click();
    assert.ok(first.startsWith(`${shop.provider.url}/checkout/`), first);
    assert.equal(await click(), first);
    await fetch(first, { method: "POST", body: new URLSearchParams({ do: "pay", card: "" }), redirect: "manual" });
    await shop.provider.deliveries.settled();
    await shop.until(() => shop.record(encodeURIComponent("zoë")), (record) => record?.subscriptions?.[0]?.status === "active", "the purchase is known");
    // A read holds for a moment.
    const second = await shop.until(click, (url) => url !== first, "another sale");
    assert.ok(second.startsWith(`${shop.provider.url}/checkout/`), second);
    const sale = new URLSearchParams(asked("/v1/checkout/sessions").at(-1).body);
    assert.equal(sale.get("customer"), (await shop.record(encodeURIComponent("zoë"))).customers[0].id, "of the customer that there is now");
  });

  test("sells nothing that is no plan", async () => {
    for (const plan of ["gold", "", "price_pro", "__proto__"]) {
      const answer = await shop.ask(`${CHECKOUT}?plan=${plan}`, "ben", JSON_ONLY);
      assert.ok([400, 404, 422].includes(answer.status), `${plan}: ${answer.status} ${answer.text}`);
    }
  });

  test("is for whoever is signed in", async () => {
    assert.equal((await shop.ask(`${CHECKOUT}?plan=pro`)).status, 401);
  });
});

describe("nobody is sent where somebody else wants", () => {
  const ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/%09/evil.example/",
    "/\t/evil.example",
    "/%5cevil.example/",
    "javascript:alert(1)",
    "https:evil.example",
    "evil.example",
    "/@evil.example\r\nset-cookie: a=b",
    " //evil.example",
    "/.//evil.example",
    "/a/..//evil.example",
    "http://127.0.0.1@evil.example/",
  ];

  for (const wanted of ELSEWHERE) {
    test(`return=${JSON.stringify(wanted)}`, async () => {
      const query = `return=${encodeURIComponent(wanted)}`;
      const before = shop.provider.requests.length;
      const answers = [
        await shop.ask(`${PORTAL}?${query}`, "anna", JSON_ONLY),
        await shop.ask(`${CHECKOUT}?plan=pro&${query}`, "anna", JSON_ONLY),
        await shop.ask(`/_tollgate/status?${query}`, "anna", PAGE),
        await shop.ask(`/_tollgate/status?${query}`, "nobody-yet", PAGE),
        await shop.ask(`/_tollgate/refresh?${query}`, "anna", { method: "POST", ...PAGE }),
      ];
      for (const { body } of shop.provider.requests.slice(before)) {
        const form = new URLSearchParams(body);
        for (const name of ["return_url", "success_url", "cancel_url"]) if (form.has(name)) staysHere(form.get(name));
      }
      for (const { status, headers, text } of answers) {
        assert.ok([200, 303, 400].includes(status), `${status} ${text}`);
        if (status === 303) staysHere(new URL(headers.get("location"), `${shop.gate.url}/_tollgate/status`).href);
        assert.equal(headers.get("set-cookie"), null);
        assert.doesNotMatch(text, /(href|action|url)=["']?(https?:)?[\\/]*evil/i);
      }
    });
  }

  /** An address, and the place that it will send to in the end, are of this site. */
  function staysHere(address) {
    const url = new URL(address);
    assert.equal(url.origin, shop.gate.url, address);
    const next = url.searchParams.get("return");
    if (next !== null) {
      assert.equal(new URL(next, shop.gate.url).origin, shop.gate.url, address);
      assert.match(next, /^\/(?![\\/])/, address);
    }
  }

  test("an address of the provider's that is none of a page is not followed", async () => {
    shop.provider.faults.set("hostile");
    const answer = await shop.ask(PORTAL, "anna", PAGE);
    assert.doesNotMatch(`${answer.headers.get("location")} ${answer.text}`, /javascript:/);
  });
});

describe("a provider in trouble", () => {
  const configured = (answer) => {
    // There still is a way: the configured address, or a plain word about the trouble.
    if (answer.status === 303) return assert.match(answer.headers.get("location"), /^https:\/\/shop\.example\.test\//);
    assert.ok([502, 503, 504].includes(answer.status), `${answer.status} ${answer.text}`);
    assert.equal(answer.headers.get("tollgate-cause") === "payment-failed", false, "it is not the caller's fault");
  };

  for (const mode of ["fails", "overloaded", "rate_limited", "unauthorized", "malformed", "page", "wrong", "down", "huge"]) {
    test(`that is ${mode}: people still get somewhere, and the gate stays well`, async () => {
      // Each its own caller: a few links a minute are made for one.
      const who = await subscriber(`trouble-${mode}`);
      shop.provider.faults.set(mode);
      configured(await shop.ask(PORTAL, who, PAGE));
      configured(await shop.ask(`${CHECKOUT}?plan=pro`, who, PAGE));
      assert.equal((await shop.ask("/articles/one", who)).status, 200, "requests do not depend on the provider");
      shop.provider.faults.set("works");
      const after = await shop.ask(PORTAL, who, PAGE);
      assert.match(after.headers.get("location") ?? "", new RegExp(`^${shop.provider.url}/portal/`), "and it is used again as soon as it is well");
    });
  }

  test("that hangs is not waited for without end", async () => {
    const who = await subscriber("trouble-hangs");
    shop.provider.faults.set("hangs");
    const begun = performance.now();
    configured(await shop.ask(PORTAL, who, PAGE));
    assert.ok(performance.now() - begun < 30_000);
  });

  test("that is slow is waited for", async () => {
    const who = await subscriber("trouble-slow");
    shop.provider.faults.set("slow", { ms: 500 });
    const answer = await shop.ask(PORTAL, who, PAGE);
    assert.match(answer.headers.get("location"), new RegExp(`^${shop.provider.url}/portal/`));
  });
});

describe("without an API key", () => {
  test("the configured addresses are the way", async () => {
    const portal = await bare.ask(PORTAL, "anna", PAGE);
    assert.deepEqual([portal.status, portal.headers.get("location")], [303, "https://shop.example.test/account"]);
    const pro = await bare.ask(`${CHECKOUT}?plan=pro`, "ben", JSON_ONLY);
    assert.deepEqual([pro.status, pro.json.url], [200, "https://shop.example.test/buy/pro"]);
    const team = await bare.ask(`${CHECKOUT}?plan=team`, "ben", JSON_ONLY);
    assert.deepEqual([team.status, team.json.url], [200, "https://shop.example.test/plans"]);
    assert.equal(bare.provider.requests.length, 0, "and nobody is asked");
  });
});

describe("is access back?", () => {
  const STATUS = "/_tollgate/status?return=/articles/one";

  test("programs read why not, and when to ask again", async () => {
    const none = await shop.ask(STATUS, "nina", JSON_ONLY);
    assert.equal(none.json.access, false, none.text);
    assert.equal(none.json.cause, "no-subscription");
    assert.ok(Number.isInteger(none.json.retry_after_s) && none.json.retry_after_s > 0);
    const yes = await shop.ask(STATUS, "anna", JSON_ONLY);
    assert.deepEqual([yes.status, yes.json.access, yes.json.cause ?? null], [200, true, null]);
    for (const answer of [none, yes]) assert.match(answer.headers.get("cache-control"), /no-store/);
  });

  test("people see a page that looks again by itself, and has a button", async () => {
    const { status, text } = await shop.ask(STATUS, "nina", PAGE);
    assert.equal(status, 200);
    assert.match(text, /<meta http-equiv="?refresh"? content="\d+/);
    assert.match(text, /<form[^>]*method="?post"?[^>]*action="[^"]*\/_tollgate\/refresh/i);
    assert.match(text, /I have paid/);
  });

  test("with access, people are back where they were", async () => {
    const { status, headers } = await shop.ask(STATUS, "anna", PAGE);
    assert.deepEqual([status, headers.get("location")], [303, "/articles/one"]);
  });

  test("a webhook is enough, and the button is quicker than what is remembered", async () => {
    assert.equal((await shop.ask("/articles/one", "olga")).status, 402);
    shop.subscriber("olga");
    await shop.provider.deliveries.settled();
    await shop.until(() => shop.record("olga"), (record) => record?.subscriptions?.[0]?.status === "active", "the ledger knows");
    const pressed = await shop.ask("/_tollgate/refresh?return=/articles/one", "olga", { method: "POST", ...PAGE });
    assert.deepEqual([pressed.status, pressed.headers.get("location")], [303, "/articles/one"]);
    assert.equal((await shop.ask("/articles/one", "olga")).status, 200);
  });

  test("pressing the button in vain leads to the page that looks by itself", async () => {
    const pressed = await shop.ask("/_tollgate/refresh?return=/articles/one", "nobody-yet", { method: "POST", ...PAGE });
    const place = "/_tollgate/status?return=/articles/one&attempt=0";
    assert.deepEqual([pressed.status, pressed.headers.get("location")], [303, place]);
  });

  test("the button asks for nothing on behalf of others", async () => {
    assert.equal((await shop.ask("/_tollgate/refresh", "anna")).status, 405, "a link or an image can't press it");
    assert.equal((await shop.ask("/_tollgate/refresh?return=/articles/one", null, { method: "POST" })).status, 401);
  });

  test("is asked about a path, and that path's own answer counts", async () => {
    const team = await shop.ask("/_tollgate/status?return=/team/one", "anna", JSON_ONLY);
    assert.deepEqual([team.json.access, team.json.cause], [false, "plan-lacks-entitlement"]);
  });

  test("a card that fails is told with its cause", async () => {
    shop.provider.clock.moveTo(nowS() - 40 * 86_400);
    const { customer, subscription } = shop.subscriber("vera");
    shop.provider.clock.moveTo(nowS() - 5 * 86_400);
    shop.provider.life.decline(customer, "insufficient_funds");
    shop.provider.life.endPeriod(subscription);
    await shop.answered("vera", 402, "payment-failed");
    const { json } = await shop.ask(STATUS, "vera", JSON_ONLY);
    assert.deepEqual([json.access, json.cause], [false, "payment-failed"]);
  });
});
