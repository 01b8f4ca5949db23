// How the pretend provider's events reach the gate: signed by Stripe's own SDK, one after the
// other, sent again where they were not taken. A test may hold them back, and shuffle or double them.

import Stripe from "stripe";

const ANSWER_WITHIN_MS = 20_000;

/**
 * `endpoint` is `{ url, secret }`: where to send, and what with; `url` may be set later.
 * `retryAfterMs` are the waits before an event that was not taken is sent again by itself.
 * `trace` is called with a line for each attempt.
 */
export function makeDeliveries({ endpoint, retryAfterMs = [], trace = () => {} }) {
  const log = new Map();
  const timers = new Set();
  let queue = Promise.resolve();
  let held = null;

  function enter(event) {
    const entry = { event, state: "pending", attempts: [] };
    log.set(event.id, entry);
    if (held !== null || endpoint.url === null) {
      entry.state = "held";
      (held ??= []).push(event);
      return;
    }
    later(event);
  }

  function later(event) {
    queue = queue.then(() => send(event));
  }

  /** Sends an event now, whether it has been taken before or not; resolves to the attempt. */
  async function send(event, { secret = endpoint.secret, signedAt = Math.floor(Date.now() / 1_000) } = {}) {
    const entry = log.get(event.id) ?? { event, state: "pending", attempts: [] };
    log.set(event.id, entry);
    const payload = JSON.stringify(event, null, 2);
    const header = Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: signedAt });
    const attempt = { at: Date.now(), ...(await post(payload, header)) };
    entry.attempts.push(attempt);
    trace(`${new Date(attempt.at).toISOString()} webhook ${event.type} ${event.id} → ${attempt.status} ${attempt.answer.replace(/\s+/g, " ").trim()}`);
    const isTaken = attempt.status >= 200 && attempt.status < 300;
    if (isTaken) event.pending_webhooks = 0;
    if (entry.state !== "delivered") entry.state = isTaken ? "delivered" : "failed";
    if (!isTaken) tryAgain(event, entry.attempts.length);
    return attempt;
  }

  async function post(body, signature) {
    const startedAt = performance.now();
    const headers = { "content-type": "application/json; charset=utf-8", "stripe-signature": signature, "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)" };
    try {
      const response = await fetch(endpoint.url, { method: "POST", headers, body, redirect: "manual", signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      const answer = await response.text();
      return { status: response.status, answer, ms: performance.now() - startedAt };
    } catch (error) {
      return { status: 0, answer: String(error.cause ?? error), ms: performance.now() - startedAt };
    }
  }

  function tryAgain(event, tried) {
    const wait = retryAfterMs[tried - 1];
    if (wait === undefined) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      later(event);
    }, wait);
    timers.add(timer.unref());
  }

  return {
    endpoint,
    enter,
    send,
    /** What became of each event: `{ event, state, attempts: [{ at, status, answer, ms }] }`, oldest first. */
    log: () => [...log.values()],
    of: (id) => log.get(id) ?? null,
    /** Events that the gate has not taken. */
    untaken: () => [...log.values()].filter(({ state }) => state !== "delivered").map(({ event }) => event),
    /** From now on nothing is sent. */
    hold() {
      held ??= [];
    },
    /** Sends what was held back, in the order that `arrange(events)` gives, and whatever comes from now on. */
    async release(arrange = (events) => events) {
      const events = arrange(held ?? []);
      held = null;
      for (const event of events) later(event);
      await queue;
    },
    /** Drops what was held back, as if the gate had been away for all of the provider's retries. */
    lose() {
      for (const { id } of held ?? []) log.get(id).state = "failed";
      held = null;
    },
    /** Until everything that has happened is told. */
    async settled() {
      for (let seen; seen !== queue; ) {
        seen = queue;
        await seen;
      }
    },
    stop() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
