// Origins that fail, and what the caller and the caller's units see of it. Origins that are no
// server at all, but a service binding, and routes with an origin of their own.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import { freePort } from "./fixtures/ports.mjs";
import { startDirectGate, until } from "./fixtures/runtime.mjs";
import { unitsUsed } from "./fixtures/units.mjs";
import { COMPATIBILITY_DATE, issuerVar, makeIssuer, startOrigin } from "./harness.mjs";

const ORIGIN_DEADLINE_MS = 700;
const LIMIT = 100;
/** Workers beside the gate. */
const SITE = `export default {
  async fetch(request) {
    const { method, url } = request;
    const account = request.headers.get("tollgate-account");
    const body = await request.text();
    return Response.json({ method, url, account, body }, { status: 203, headers: { "x-site": "1" } });
  },
};`;
const BROKEN_SITE = `export default { fetch() { throw new Error("the service is broken"); } };`;

let gate, issuer, origin, other, closedPort, rude;
const handlers = {
  hang: () => {},
  late: (_, response) => setTimeout(() => response.end("too late"), ORIGIN_DEADLINE_MS * 2),
  reset: (request) => request.socket.resetAndDestroy(),
  500: (_, response) => response.writeHead(500).end("broken"),
  404: (_, response) => response.writeHead(404).end("nothing here"),
  200: (_, response) => response.end("fine"),
};

before(async () => {
  issuer = await makeIssuer();
  origin = await startOrigin((request, response) => handlers[request.url.split("/").at(-1)](request, response));
  other = await startOrigin();
  closedPort = await freePort();
  rude = createServer((socket) => socket.on("error", () => {}).end("SSH-2.0-not-http\r\n"));
  rude.listen(0, "127.0.0.1");
  await once(rude, "listening");
  const dead = `http://127.0.0.1:${closedPort}`;
  gate = await startDirectGate({
    origin,
    vars: {
      ROUTES: [
        { match: "/dead/open", open: true, origin: dead },
        { match: "/dead/paid", meter: "api", origin: dead },
        { match: "/dead/kept", meter: "api", refund: false, origin: dead },
        { match: "/rude", open: true, origin: `http://127.0.0.1:${rude.address().port}` },
        { match: "/other/**", meter: "api", origin: other.url },
        { match: "/site/**", meter: "api", origin: "service:SITE" },
        { match: "/function/**", open: true, origin: "service:FUNCTION" },
        { match: "/broken", meter: "api", origin: "service:BROKEN" },
        { match: "/kept/**", meter: "api", refund: false },
        { match: "/paid/**", meter: "api", cost: 3 },
        { match: "/**", open: true },
      ],
      PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: LIMIT, per: "month" }] }],
      ISSUERS: [issuerVar(issuer)],
      DEADLINES: { origin_ms: ORIGIN_DEADLINE_MS },
    },
    bindings: {
      serviceBindings: {
        SITE: "site",
        FUNCTION: (request) => new Response(`function: ${new URL(request.url).pathname}`),
        BROKEN: "broken",
      },
    },
    beside: [
      { name: "site", modules: true, script: SITE, compatibilityDate: COMPATIBILITY_DATE },
      { name: "broken", modules: true, script: BROKEN_SITE, compatibilityDate: COMPATIBILITY_DATE },
    ],
  });
});

after(async () => {
  await gate?.stop();
  await origin?.stop();
  await other?.stop();
  rude?.close();
});

test("an origin that can't be reached, or speaks no HTTP, is a 502 with its cause", async () => {
  for (const path of ["/dead/open", "/rude", "/open/reset"]) {
    const answer = await gate.fetch(path);
    assert.equal(answer.status, 502, path);
    assert.equal(answer.headers.get("tollgate-cause"), "origin-unavailable");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    const problem = await answer.json();
    assert.deepEqual([problem.cause, problem.retryable], ["origin-unavailable", true]);
    assert.ok(!JSON.stringify(problem).includes(closedPort), "the caller is not told where the origin is");
    // The id for support must be found again in the operator's log.
    const line = new RegExp(`"cause":"origin-unavailable".*"support_id":"${problem.support_id}"`);
    await until(() => line.test(gate.log()), `${path} is logged`);
  }
});

test("an origin that doesn't answer is given up within the deadline, for one caller alone", async () => {
  const begun = performance.now();
  const hanging = ["/open/hang", "/open/late", "/open/hang"].map((path) => gate.fetch(path));
  const fine = await gate.fetch("/open/200");
  assert.deepEqual([fine.status, await fine.text()], [200, "fine"]);
  assert.ok(performance.now() - begun < ORIGIN_DEADLINE_MS, "the others did not wait");
  for (const answer of await Promise.all(hanging)) {
    assert.deepEqual([answer.status, (await answer.json()).cause], [502, "origin-unavailable"]);
  }
  const took = performance.now() - begun;
  assert.ok(took >= ORIGIN_DEADLINE_MS - 10 && took < ORIGIN_DEADLINE_MS * 4, `${took} ms`);
});

test("units go back when the origin fails, and stay where it answers", async () => {
  const caller = await newCaller();
  for (const [path, status] of [
    ["/dead/paid", 502],
    ["/paid/reset", 502],
    ["/paid/hang", 502],
    ["/paid/500", 500],
    ["/broken", 502],
  ]) {
    const answer = await caller(path);
    assert.equal(answer.status, status, path);
    await answer.text();
    await until(async () => (await caller.used()) === 0, `the units of ${path} are back`);
  }
  assert.equal((await caller("/paid/404")).status, 404);
  assert.equal(await caller.used(), 3, "a 404 is an answer");
  assert.equal((await caller("/paid/200")).status, 200);
  assert.equal(await caller.used(), 6);
});

test("who breaks an upload off pays for it, and the origin is not blamed", async () => {
  const caller = await newCaller();
  const socket = connect(Number(new URL(gate.url).port), "127.0.0.1").on("error", () => {});
  const head = `POST /paid/hang HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${caller.token}\r\n`;
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
  await until(async () => (await caller.used()) === 3, "the units are spent");
  socket.write("no chunk at all\r\n");
  await until(() => /"cause":"bad-request".*broke off/.test(gate.log()), "the break is noticed");
  socket.destroy();
  assert.equal(await caller.used(), 3);
  assert.doesNotMatch(gate.log(), /origin-unavailable.*broke off/);
});

test("units stay spent where the route says so", async () => {
  const caller = await newCaller();
  for (const [index, path] of ["/dead/kept", "/kept/reset", "/kept/500"].entries()) {
    assert.ok((await caller(path)).status >= 500);
    assert.equal(await caller.used(), index + 1);
  }
});

test("what the origin says about its own failure passes unchanged", async () => {
  const caller = await newCaller();
  const answer = await caller("/paid/500");
  assert.equal(answer.headers.get("tollgate-cause"), null);
  assert.match(answer.headers.get("ratelimit"), /"api\/month";r=97;/);
  assert.equal(await answer.text(), "broken");
});

test("a denied request never reaches an origin", async () => {
  const seen = origin.requests.length + other.requests.length;
  for (const path of ["/paid/200", "/other/x", "/site/x"]) {
    assert.equal((await gate.fetch(path, { method: "POST", body: "x" })).status, 401);
  }
  assert.equal(origin.requests.length + other.requests.length, seen);
});

test("a route goes to its own origin", async () => {
  const caller = await newCaller();
  const answer = await caller("/other/a?b=1", { method: "POST", body: "hello" });
  const seen = await answer.json();
  assert.deepEqual([seen.method, seen.url, seen.body], ["POST", "/other/a?b=1", "hello"]);
  assert.equal(seen.headers.host, new URL(other.url).host);
  assert.equal(await caller.used(), 1);
});

test("a service binding is an origin like any other", async () => {
  const caller = await newCaller();
  const answer = await caller("/site/a%20b?c=1", { method: "PUT", body: "hello", headers: { "tollgate-account": "eve" } });
  assert.equal(answer.status, 203);
  assert.equal(answer.headers.get("x-site"), "1");
  assert.match(answer.headers.get("ratelimit"), /"api\/month";r=99;/);
  const { method, url, account, body } = await answer.json();
  assert.deepEqual([method, url, body], ["PUT", `${gate.url}/site/a%20b?c=1`, "hello"]);
  assert.equal(account, caller.account);

  const called = await gate.fetch("/function/x");
  assert.equal(await called.text(), "function: /function/x");
});

let callers = 0;

/** A function that asks in the name of an account of its own. */
async function newCaller() {
  const account = `caller-${(callers += 1)}`;
  const token = await issuer.mint({ sub: account, plan: "pro" });
  const ask = (path, init = {}) =>
    gate.fetch(path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  return Object.assign(ask, { account, token, used: unitsUsed(ask, "/other/count", LIMIT) });
}
