// A pretend payment provider: a server on this machine that behaves as Stripe does, as far as the
// gate can see. It serves the API, hosts checkout and portal, and sends signed webhooks. Nothing is
// charged, and nothing leaves the machine.

import { createServer } from "node:http";
import { makeApi } from "./api.mjs";
import { makeDeliveries } from "./deliveries.mjs";
import { goWrong, makeFaults } from "./faults.mjs";
import { makeLife } from "./life.mjs";
import { answerSite } from "./site.mjs";
import { makeClock, makeStore } from "./store.mjs";

const MOST_BODY_BYTES = 1_048_576;

/**
 * Starts it on a loopback port.
 *
 * `prices` are what it sells, `apiKey` opens its API, `webhook` is `{ url, secret }` of the gate's
 * endpoint (`url` may be null, and set later in `deliveries.endpoint`), `startsAt` stops the clock
 * there (unix seconds), and `retryAfterMs` are the waits before a webhook is sent again by itself.
 * `trace` is called with a line for each call of its API and each webhook.
 */
export async function startProvider({ port = 0, prices, apiKey, webhook, startsAt = null, retryAfterMs = [], trace = () => {} }) {
  const endpoint = { url: null, ...webhook };
  const deliveries = makeDeliveries({ endpoint, retryAfterMs, trace });
  const clock = makeClock(startsAt);
  const store = makeStore({ clock, prices, tell: deliveries.enter });
  const faults = makeFaults();
  const requests = [];
  const server = createServer();
  await new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  const life = makeLife(store, { url: () => url });
  const provider = { url, store, clock, life, deliveries, faults, requests, outage: (isOn) => setOutage(store, faults, isOn) };
  const answerApi = makeApi({ store, life, apiKey });
  server.on("request", (request, response) => {
    answer({ provider, answerApi, trace }, request, response).catch((error) => {
      console.error("provider:", error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  });
  provider.stop = async () => {
    deliveries.stop();
    await deliveries.settled();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return provider;
}

async function answer({ provider, answerApi, trace }, request, response) {
  const url = new URL(request.url, provider.url);
  const body = await readBody(request);
  if (body === null) return response.writeHead(413).end();
  if (!url.pathname.startsWith("/v1/")) return answerSite(provider, request, url, body, response);
  const { method, headers } = request;
  response.on("close", () => trace(`${new Date().toISOString()} call ${method} ${request.url} → ${response.statusCode}`));
  provider.requests.push({ method, path: url.pathname, search: url.search, headers, body });
  if (!(await goWrong(provider.faults.next(url.pathname), response))) return;
  const { status, headers: fields, value } = answerApi(request, url, body);
  response.writeHead(status, { ...fields, "content-type": "application/json" }).end(JSON.stringify(value, null, 2));
}

async function readBody(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MOST_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The provider itself is in trouble: its API does not answer, and every charge fails. */
function setOutage(store, faults, isOn) {
  store.chargesFail = isOn;
  faults.set(isOn ? "overloaded" : "works");
}
