// Missed news are caught up: webhooks that never came, events that wait for a customer's account,
// lists that were too long for a webhook. And a provider that is down is nobody's fault.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { DAY_S, nowS, PLANS, startShop } from "./fixtures/shop.mjs";

let shop, life;

const begin = async (options = {}) => {
  shop = await startShop({ startsAt: nowS() - 20 * DAY_S, ...options });
  life = shop.provider.life;
};

/** What the Worker's cron trigger does. */
async function tick() {
  const worker = await shop.gate.miniflare.getWorker("gate");
  const { outcome } = await worker.scheduled({ cron: "*/5 * * * *", scheduledTime: new Date() });
  assert.equal(outcome, "ok");
}

const statusOf = async (account) => (await shop.record(account))?.subscriptions?.at(-1)?.status ?? null;
const isNow = (account, status) => shop.until(() => statusOf(account), (found) => found === status, `${account} is ${status}`);

describe("webhooks that were missed", () => {
  beforeEach(() => begin());
  afterEach(() => shop?.stop());

  test("are fetched by the scheduled run", async () => {
    const { subscription } = shop.subscriber("mia");
    await isNow("mia", "active");
    shop.provider.deliveries.hold();
    shop.provider.clock.moveTo(nowS() - DAY_S);
    life.cancelNow(subscription);
    await shop.provider.deliveries.settled();
    shop.provider.deliveries.lose();
    assert.equal(await statusOf("mia"), "active");
    await tick();
    await isNow("mia", "ended");
    await shop.answered("mia", 402, "subscription-expired");
  });

  test("are fetched for customers of whom nothing was heard yet", async () => {
    shop.provider.deliveries.hold();
    shop.subscriber("new");
    shop.provider.deliveries.lose();
    await tick();
    await isNow("new", "active");
    await shop.answered("new", 200);
  });

  test("are fetched beyond the first page", async () => {
    shop.provider.deliveries.hold();
    const names = Array.from({ length: 12 }, (_, index) => `many${index}`);
    for (const name of names) shop.subscriber(name);
    assert.ok(shop.provider.store.events.length > 100);
    shop.provider.deliveries.lose();
    for (let run = 0; run < 3; run += 1) await tick();
    for (const name of names) await isNow(name, "active");
  });

  test("cost nothing where there are none, and a provider that is away fails no run", async () => {
    shop.subscriber("mia");
    await isNow("mia", "active");
    // Events of one second leave a doubt, for which she is read again after some seconds.
    const read = async () => (await tick(), shop.record("mia"));
    const before = await shop.until(read, ({ subscriptions }) => !subscriptions[0].told.is_in_doubt, "nothing is in doubt");
    await tick();
    for (const mode of ["fails", "down", "malformed", "wrong", "page"]) {
      shop.provider.faults.set(mode);
      await tick();
    }
    shop.provider.faults.set("works");
    assert.deepEqual(await shop.record("mia"), before);
  });
});

describe("an account that is read again", () => {
  beforeEach(() => begin());
  afterEach(() => shop?.stop());

  test("is what the provider says it is", async () => {
    const { subscription } = shop.subscriber("rosa");
    await isNow("rosa", "active");
    shop.provider.deliveries.hold();
    shop.provider.clock.moveTo(nowS() - DAY_S);
    life.cancelNow(subscription);
    shop.provider.deliveries.lose();
    const { read, record } = await shop.operate("POST", "accounts/-/rosa/reread", {});
    assert.ok(read >= 1);
    assert.equal(record.subscriptions[0].status, "ended");
    assert.ok(shop.provider.requests.some(({ path, search }) => path === "/v1/subscriptions" && /status=all/.test(search)));
    await shop.answered("rosa", 402, "subscription-expired");
  });

  test("stays what it is while the provider is away, and the operator is told", async () => {
    shop.subscriber("rosa");
    await isNow("rosa", "active");
    const before = await shop.record("rosa");
    for (const mode of ["fails", "malformed", "down", "page"]) {
      shop.provider.faults.set(mode);
      const { status, json } = await shop.ask("/_tollgate/admin/accounts/-/rosa/reread", null, { method: "POST", headers: { authorization: "Bearer an-admin-token-for-tests" } });
      assert.ok([502, 503, 504].includes(status), `${mode}: ${status}`);
      assert.ok(json.title, mode);
    }
    assert.deepEqual(await shop.record("rosa"), before);
    assert.equal((await shop.ask("/articles/one", "rosa")).status, 200);
  });
});

describe("more entitlements than a webhook holds", () => {
  after(() => shop?.stop());

  test("are asked for, page by page", async () => {
    await begin({ vars: { PLANS } });
    const { customer } = shop.subscriber("enya");
    await isNow("enya", "active");
    shop.provider.clock.moveTo(nowS() - DAY_S);
    const keys = [...Array.from({ length: 240 }, (_, index) => `feature_${String(index).padStart(3, "0")}`), "exports"];
    life.grant(customer, keys);
    const record = await shop.until(
      async () => {
        const found = await shop.record("enya");
        if ((found?.customers?.[0]?.entitlements?.length ?? 0) < keys.length) await tick();
        return found;
      },
      (found) => (found?.customers?.[0]?.entitlements?.length ?? 0) >= keys.length,
      "all are known",
    );
    assert.ok(record.customers[0].entitlements.includes("exports"));
    await shop.answered("enya", 200, null, "/api/export");
    shop.provider.clock.moveTo(nowS());
    life.grant(customer, []);
    await shop.answered("enya", 403, "not-for-sale", "/api/export");
  });
});

describe("a provider that is down for everybody", () => {
  const READERS = Array.from({ length: 30 }, (_, index) => `reader${index}`);

  before(() => begin());
  after(() => shop?.stop());

  test("is seen by the failures of many customers, and nobody's grace ends", async () => {
    const all = READERS.map((name) => shop.subscriber(name));
    await shop.provider.deliveries.settled();
    for (const name of READERS) await isNow(name, "active");
    // A subscriber with an own failed card days ago, and a grace that is over.
    const late = shop.subscriber("late");
    shop.provider.clock.moveTo(nowS() - 4 * DAY_S);
    life.decline(late.customer, "insufficient_funds");
    life.endPeriod(late.subscription);
    await shop.answered("late", 402, "payment-failed");
    const quiet = await shop.operate("GET", "outage");
    assert.deepEqual([quiet.declared, quiet.detected], [false, false]);
    shop.provider.clock.moveTo(nowS() - 60);
    shop.provider.outage(true);
    for (const { subscription } of all.slice(0, 25)) life.endPeriod(subscription);
    await shop.provider.deliveries.settled();
    const seen = await shop.until(() => shop.operate("GET", "outage"), ({ detected }) => detected, "the outage is seen");
    assert.ok(seen.failing_customers >= 20, JSON.stringify(seen));
    assert.ok(seen.since);
    for (const name of READERS) assert.equal((await shop.ask("/articles/one", name)).status, 200, name);
    const answer = await shop.answered("late", 200);
    assert.match(answer.headers.get("tollgate-notice"), /^provider-outage/);
  });

  test("is over when charges work again", async () => {
    shop.provider.clock.moveTo(nowS());
    shop.provider.outage(false);
    for (const name of READERS.slice(0, 25)) {
      const [customer] = [...shop.provider.store.customers.values()].filter((one) => one.name === name);
      life.retry(customer);
    }
    await shop.provider.deliveries.settled();
    for (const name of READERS.slice(0, 25)) await isNow(name, "active");
    await shop.until(() => shop.operate("GET", "outage"), ({ detected }) => !detected, "the outage is over");
    const noticed = async () => (await shop.ask("/articles/one", READERS[0])).headers.get("tollgate-notice");
    await shop.until(noticed, (notice) => notice === null, "the notice is gone");
    await shop.answered("late", 402, "payment-failed");
  });

  test("one customer's card is no outage", async () => {
    const { customer, subscription } = shop.subscriber("solo");
    await isNow("solo", "active");
    life.decline(customer, "issuer_not_available");
    life.endPeriod(subscription);
    await isNow("solo", "past_due");
    assert.equal((await shop.operate("GET", "outage")).detected, false);
  });
});
