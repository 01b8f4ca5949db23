// What the pretend provider remembers: objects by id, a clock that can be moved, and the events
// that it has made, each with the state that its object had then.

import { API_VERSION, price } from "./shapes.mjs";

/**
 * A clock in whole seconds. It goes with the machine's, or stands at `startsAt` until it is moved.
 */
export function makeClock(startsAt = null) {
  let ahead_s = 0;
  const now = () => (startsAt ?? Math.floor(Date.now() / 1_000)) + ahead_s;
  return {
    now,
    advance(seconds) {
      ahead_s += seconds;
    },
    moveTo(time) {
      ahead_s += time - now();
    },
  };
}

/** An empty store that sells `prices`: `{ id, lookup_key, product, name, amount, features, … }`. */
export function makeStore({ clock, prices, tell }) {
  let made = 0;
  const store = {
    clock,
    prices: new Map(prices.map((one) => [one.id, price({ ...one, nickname: one.name, created: clock.now() })])),
    features: new Map(prices.map(({ id, features = [] }) => [id, features])),
    customers: new Map(),
    cards: new Map(),
    subscriptions: new Map(),
    invoices: new Map(),
    intents: new Map(),
    charges: new Map(),
    disputes: new Map(),
    checkouts: new Map(),
    portals: new Map(),
    events: [],
    /** What was given to a customer beyond the prices: lookup keys of features. */
    extraFeatures: new Map(),
    /** Whether every charge fails, whatever the card. */
    chargesFail: false,
    /** What happens to a subscription when the retries are used up: `unpaid` or `canceled`. */
    afterRetries: "unpaid",
    /** An id of Stripe's form; the same story gets the same ids. */
    id(prefix) {
      made += 1;
      return `${prefix}_pretend${String(made).padStart(6, "0")}`;
    },
    /** Makes an event of the object as it is now, and has it sent. */
    emit(type, object, previous_attributes, request = null) {
      const data = { object: structuredClone(object), ...(previous_attributes ? { previous_attributes } : {}) };
      const event = {
        id: store.id("evt"),
        object: "event",
        api_version: API_VERSION,
        created: clock.now(),
        data,
        livemode: false,
        pending_webhooks: 1,
        request: { id: request, idempotency_key: null },
        type,
      };
      store.events.push(event);
      tell(event);
      return event;
    },
    /** Changes fields of an object and emits `type` with what they were before. */
    change(type, object, fields) {
      const before = Object.fromEntries(Object.keys(fields).map((name) => [name, structuredClone(object[name])]));
      Object.assign(object, fields);
      return store.emit(type, object, before);
    },
    subscriptionsOf: (customer) => [...store.subscriptions.values()].filter((one) => one.customer === customer),
    openInvoicesOf: (customer) => [...store.invoices.values()].filter((one) => one.customer === customer && one.status === "open"),
  };
  return store;
}
