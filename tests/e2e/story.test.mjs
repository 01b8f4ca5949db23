// The whole story of a customer, in the real runtime and with a provider that behaves as Stripe:
// subscribe, use, the card fails, grace, 402, portal, back within seconds, cancel, over, subscribe
// again. And the same in any order, and twice. SEED=<number> repeats one order.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DAY_S, nowS, startShop } from "./fixtures/shop.mjs";

const ARTICLE = "/articles/one";
const BACK_WITHIN_MS = 5_000;
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : [1, 2, 3, Math.floor(Math.random() * 2 ** 31)];

describe("a customer's story", () => {
  let shop, life;

  before(async () => {
    shop = await startShop({ startsAt: nowS() - 20 * DAY_S });
    life = shop.provider.life;
  });
  after(() => shop?.stop());

  /** Opens the page that the gate sends to, as a browser does. */
  async function follow(path, account) {
    const answer = await shop.ask(path, account, { headers: { accept: "text/html" } });
    assert.equal(answer.status, 303, answer.text);
    return answer.headers.get("location");
  }

  const press = (url, fields) => fetch(url, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });

  /** Milliseconds from `act` until the account's requests pass. */
  async function timeUntilBack(account, act) {
    const begun = performance.now();
    await act();
    await shop.until(() => shop.ask(ARTICLE, account), ({ status }) => status === 200, `${account} is back`, { everyMs: 20 });
    return performance.now() - begun;
  }

  async function buy(account) {
    const page = await follow(`/_tollgate/billing/checkout?plan=pro&return=${ARTICLE}`, account);
    assert.ok(page.startsWith(`${shop.provider.url}/checkout/`), page);
    let paid;
    const ms = await timeUntilBack(account, async () => (paid = await press(page, { do: "pay", card: "" })));
    const back = new URL(paid.headers.get("location"));
    assert.deepEqual([back.origin, back.pathname, back.searchParams.get("return")], [shop.gate.url, "/_tollgate/status", ARTICLE]);
    const there = await shop.ask(back.pathname + back.search, account, { headers: { accept: "text/html" } });
    assert.deepEqual([there.status, there.headers.get("location")], [303, ARTICLE], "the status page sends whoever has access where they wanted to go");
    return ms;
  }

  const subscriptions = async (account) => (await shop.record(account)).subscriptions;
  const last = async (account) => (await subscriptions(account)).at(-1);
  const theSubscription = () => [...shop.provider.store.subscriptions.values()].findLast(({ metadata }) => /^tgr_/.test(metadata.tollgate_account));

  test("subscribe, by the gate's checkout", async () => {
    const refused = await shop.ask(ARTICLE, "erin");
    assert.deepEqual([refused.status, refused.cause], [402, "no-subscription"]);
    const ms = await buy("erin");
    console.log(`from the press on "Pay" to the first article: ${ms.toFixed(0)} ms`);
    assert.ok(ms < BACK_WITHIN_MS, `${ms} ms`);
    const subscription = await last("erin");
    assert.deepEqual([subscription.provider, subscription.plan, subscription.status], ["stripe", "pro", "active"]);
    assert.equal(subscription.id, theSubscription().id);
    const asked = shop.provider.requests.filter(({ path }) => path === "/v1/checkout/sessions");
    assert.equal(asked.length, 1);
    assert.ok(asked[0].headers["idempotency-key"], "a second press on the same link makes no second session");
  });

  test("renew, and read on", async () => {
    shop.provider.clock.moveTo(nowS() - 15 * DAY_S);
    life.endPeriod(theSubscription());
    await shop.provider.deliveries.settled();
    const until = new Date(theSubscription().items.data[0].current_period_end * 1_000).toISOString();
    await shop.until(() => last("erin"), ({ current_period_ends_at }) => Date.parse(current_period_ends_at) === Date.parse(until), "the new period is known");
    assert.equal((await shop.ask(ARTICLE, "erin")).status, 200);
  });

  test("the card expires: a renewal fails, the grace is over, and the 402 says what to do", async () => {
    shop.provider.clock.moveTo(nowS() - 4 * DAY_S);
    life.expireCard(theSubscription().customer);
    life.endPeriod(theSubscription());
    const refused = await shop.answered("erin", 402, "card-expired");
    assert.match(refused.json.detail, /expired/i);
    const [remedy] = refused.json.remedies;
    assert.equal(remedy.action, "update-payment");
    assert.equal(new URL(remedy.href, shop.gate.url).pathname, "/_tollgate/billing/portal");
    const { status, payment_failure, payment_failed_at } = await last("erin");
    assert.deepEqual([status, payment_failure], ["past_due", "card_expired"]);
    assert.equal(Date.parse(payment_failed_at) / 1_000, shop.provider.clock.now(), "the grace began when the provider says that the charge failed");
  });

  test("the portal, a new card, and back within seconds", async () => {
    shop.provider.clock.moveTo(nowS() - 60);
    const page = await follow(`/_tollgate/billing/portal?return=${ARTICLE}`, "erin");
    assert.ok(page.startsWith(`${shop.provider.url}/portal/`), page);
    assert.match(await (await fetch(page)).text(), new RegExp(`href="${shop.gate.url}/_tollgate/status\\?return=`));
    const ms = await timeUntilBack("erin", () => press(page, { do: "new_card" }));
    console.log(`from the press on "Use a new card and pay" to the article: ${ms.toFixed(0)} ms`);
    assert.ok(ms < BACK_WITHIN_MS, `${ms} ms`);
    assert.equal((await last("erin")).status, "active");
  });

  test("cancel: access until the period ends, and then a 402 that offers the plan", async () => {
    shop.provider.clock.moveTo(nowS() - 40);
    life.cancelAtPeriodEnd(theSubscription());
    await shop.until(() => last("erin"), ({ ends_at }) => ends_at !== undefined, "the end is known");
    assert.equal((await shop.ask(ARTICLE, "erin")).status, 200);
    shop.provider.clock.moveTo(nowS() - 20);
    life.endPeriod(theSubscription());
    const refused = await shop.answered("erin", 402, "subscription-expired");
    assert.ok(refused.json.remedies.some(({ action, href }) => action === "choose-plan" && href.includes("/_tollgate/billing/checkout?plan=pro")), JSON.stringify(refused.json.remedies));
    assert.equal((await last("erin")).status, "ended");
  });

  test("subscribe again, as the same customer", async () => {
    shop.provider.clock.moveTo(nowS());
    const ms = await buy("erin");
    console.log(`from the press on "Pay" to the article, the second time: ${ms.toFixed(0)} ms`);
    assert.ok(ms < BACK_WITHIN_MS, `${ms} ms`);
    const all = await subscriptions("erin");
    assert.deepEqual(all.map(({ status }) => status).sort(), ["active", "ended"]);
    assert.equal(new Set(all.map(({ customer }) => customer)).size, 1, "the provider has one customer for one account");
  });

  let payers = 0;
  for (const { code, failure, says } of [
    { code: "insufficient_funds", failure: "insufficient_funds", says: /funds|cover|another card/i },
    { code: "authentication_required", failure: "authentication_required", says: /confirm|bank/i },
    { code: "incorrect_cvc", failure: "card_data", says: /card|details|number|code/i },
    { code: "do_not_honor", failure: "declined", says: /bank|another card|declined/i },
    { code: "stolen_card", failure: "declined", says: /bank|another card|declined/i },
    { code: "fraudulent", failure: "declined", says: /bank|another card|declined/i },
    { code: "issuer_not_available", failure: "try_later", says: /once more|later/i },
    { code: "invalid_account", failure: "merchant", says: /support|our|not your/i },
  ]) {
    test(`a charge that fails with ${code} is a notice in the grace, and after it a payment-failed that says what helps`, async () => {
      for (const [days, status] of [[1, 200], [4, 402]]) {
        const account = `payer-${(payers += 1)}`;
        shop.provider.clock.moveTo(nowS() - (32 + days) * DAY_S);
        const { customer, subscription } = shop.subscriber(account);
        shop.provider.clock.moveTo(nowS() - days * DAY_S);
        life.decline(customer, code);
        life.endPeriod(subscription);
        const record = await shop.until(() => shop.record(account), (found) => found?.subscriptions?.[0]?.payment_failure === failure, `${account} fails by ${failure}`);
        assert.equal(record.subscriptions[0].status, "past_due");
        const answer = await shop.answered(account, status, status === 402 ? "payment-failed" : null);
        if (status === 200) assert.match(answer.headers.get("tollgate-notice"), /^payment-grace;until="?2/);
        else assert.match(`${answer.json.detail} ${answer.json.advice ?? ""} ${answer.json.remedies.map(({ text }) => text ?? "").join(" ")}`, says);
        assert.doesNotMatch(answer.text + JSON.stringify(record), /stolen|fraud/i, "what a payer must not learn is nowhere");
      }
    });
  }

  test("what the provider gave up on is refused at once; a pause is a pause; a trial ends", async () => {
    shop.provider.clock.moveTo(nowS() - 20 * DAY_S);
    const [unpaid, paused, trial] = ["gus", "pia", "tim"].map((account) => shop.subscriber(account, account === "tim" ? { trialDays: 14 } : {}));
    for (const account of ["gus", "pia"]) await shop.answered(account, 200);
    shop.provider.clock.moveTo(nowS() - 60);
    life.decline(unpaid.customer, "do_not_honor");
    life.endPeriod(unpaid.subscription);
    life.giveUp(unpaid.subscription);
    life.pause(paused.subscription);
    await shop.answered("gus", 402, "payment-failed");
    await shop.answered("pia", 402, "subscription-paused");
    await shop.answered("tim", 402, "trial-ended");
    shop.provider.clock.moveTo(nowS());
    life.resume(paused.subscription);
    life.endPeriod(trial.subscription);
    await shop.answered("pia", 200);
    await shop.answered("tim", 200);
  });

  test("two subscriptions: the one that fails takes nothing from the one that is paid", async () => {
    shop.provider.clock.moveTo(nowS() - 39 * DAY_S);
    const { customer, subscription: first } = shop.subscriber("zoe");
    shop.provider.clock.moveTo(nowS() - 20 * DAY_S);
    life.subscribe(customer, { price: "price_team", metadata: { tollgate_account: "zoe" } });
    shop.provider.clock.moveTo(nowS() - 7 * DAY_S);
    life.decline(customer, "do_not_honor");
    life.endPeriod(first);
    await shop.until(() => shop.record("zoe"), (found) => found?.subscriptions?.some(({ status }) => status === "past_due"), "one fails");
    const standing = (await shop.operate("GET", "accounts/-/zoe/subscriptions")).items;
    assert.deepEqual(Object.fromEntries(standing.map(({ plan, standing: { access } }) => [plan, access])), { team: true, pro: false });
    assert.equal((await shop.ask("/team/one", "zoe")).status, 200);
    assert.equal((await shop.ask(ARTICLE, "zoe")).status, 200);
  });
});

describe("the same story, told in any order and twice, ends the same", () => {
  let shop, inOrder, events;
  const ACCOUNT = "noor";

  /** The provider's side of the whole story, without the gate. */
  function live({ provider, subscriber }) {
    const { life, clock } = provider;
    const at = (days) => clock.moveTo(nowAtStart - days * DAY_S);
    at(100);
    const { customer, subscription } = subscriber(ACCOUNT);
    at(69);
    life.endPeriod(subscription);
    at(38);
    life.expireCard(customer);
    life.endPeriod(subscription);
    at(35);
    life.retry(customer);
    at(34);
    life.fixCard(customer);
    at(19);
    life.cancelAtPeriodEnd(subscription);
    at(8);
    life.endPeriod(subscription);
    at(7);
    const again = life.subscribe(customer, { price: "price_team", metadata: { tollgate_account: ACCOUNT } });
    at(2);
    life.decline(customer, "insufficient_funds");
    life.endPeriod(again);
    return provider.store.events;
  }
  const nowAtStart = nowS();

  /** Plays it all to a new gate, told as `arrange` says; returns the record at the end. */
  async function tell(arrange) {
    // Without an API key the gate has nothing but its webhooks.
    shop = await startShop({ startsAt: nowAtStart - 101 * DAY_S, vars: { STRIPE_API_KEY: undefined } });
    try {
      shop.provider.deliveries.hold();
      events = live(shop);
      const order = arrange(events);
      await shop.provider.deliveries.release(() => order);
      for (const event of order) assert.equal(shop.provider.deliveries.of(event.id).attempts.at(-1).status, 200);
      return await settled();
    } finally {
      await shop.stop();
    }
  }

  /** The record, as soon as it has been the same for a while. */
  async function settled() {
    let before = null;
    let same = 0;
    return shop.until(async () => {
      const { updated_at, ...now } = (await shop.record(ACCOUNT)) ?? {};
      same = JSON.stringify(now) === before ? same + 1 : 0;
      before = JSON.stringify(now);
      return { same, now };
    }, ({ same: times }) => times >= 8, "the record comes to rest").then(({ now }) => now);
  }

  test("in order", async () => {
    inOrder = await tell((all) => [...all]);
    const states = inOrder.subscriptions.map(({ plan, status, payment_failure }) => [plan, status, payment_failure ?? null]);
    assert.deepEqual(states, [["pro", "ended", null], ["team", "past_due", "insufficient_funds"]]);
  });

  for (const [name, arrange] of [["backwards", (all) => all.toReversed()], ...SEEDS.map((seed) => [`shuffled and doubled, SEED=${seed}`, (all) => shuffled([...all, ...all], seed)])]) {
    test(name, async () => {
      assert.deepEqual(await tell(arrange), inOrder);
    });
  }
});

/** A Fisher-Yates shuffle that a seed decides (mulberry32). */
function shuffled(all, seed) {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let index = all.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [all[index], all[other]] = [all[other], all[index]];
  }
  return all;
}
