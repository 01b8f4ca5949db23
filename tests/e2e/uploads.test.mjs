// A caller that breaks an upload off, or lets it stall, pays for the work that the origin may have
// begun: at any size, by any method, in any framing. A caller that has sent all of it pays for no
// failure of the origin.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "./fixtures/ports.mjs";
import { startDirectGate, until } from "./fixtures/runtime.mjs";
import { unitsUsed } from "./fixtures/units.mjs";
import { issuerVar, makeIssuer, startOrigin } from "./harness.mjs";

const ORIGIN_DEADLINE_MS = 1_500;
const LIMIT = 100;
/** Longer than a body may take before its failure is the caller's (`PATIENCE_MS`). */
const STALL_MS = 1_300;

let gate, origin, issuer;
/** The origin's state for each path: whether it began, and how much of the body it got. */
const heard = new Map();
const answers = {
  work: async (request, response) => response.end(`${await bytesOf(request)}`),
  hang: (request) => request.resume(),
  reset: (request) => setTimeout(() => request.socket.resetAndDestroy(), STALL_MS),
  fail: (_, response) => setTimeout(() => response.writeHead(504).end(), STALL_MS),
  overloaded: (_, response) => response.writeHead(503).end("come back later"),
};

before(async () => {
  issuer = await makeIssuer();
  origin = await startOrigin((request, response) => {
    heard.set(request.url, { bytes: 0 });
    request.on("data", (chunk) => (heard.get(request.url).bytes += chunk.length)).on("error", () => {});
    answers[request.url.split("/")[2]](request, response);
  });
  gate = await startDirectGate({
    origin,
    vars: {
      ROUTES: [
        { match: "/dead/**", meter: "api", origin: `http://127.0.0.1:${await freePort()}` },
        { match: "/paid/**", meter: "api" },
        { match: "/**", open: true },
      ],
      PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: LIMIT, per: "month" }] }],
      ISSUERS: [issuerVar(issuer)],
      DEADLINES: { origin_ms: ORIGIN_DEADLINE_MS },
    },
  });
});

after(async () => {
  await gate?.stop();
  await origin?.stop();
});

/** Bodies: method, framing, and the part of each that is sent before the caller stops. */
const BODIES = {
  "small, all but a byte": ["POST", "Content-Length: 1000", "x".repeat(999)],
  "small, half of it": ["PUT", "Content-Length: 2", "x"],
  "larger than one read": ["POST", "Content-Length: 20000", "x".repeat(19_999)],
  "as large as small ones were": ["PATCH", "Content-Length: 65536", "x".repeat(65_535)],
  "large": ["POST", "Content-Length: 1000000", "x".repeat(200_000)],
  "chunked": ["POST", "Transfer-Encoding: chunked", "5\r\nhello\r\n"],
  "by GET": ["GET", "Content-Length: 1000", "x".repeat(999)],
  "by GET, chunked": ["GET", "Transfer-Encoding: chunked", "5\r\nhello\r\n"],
  "by DELETE": ["DELETE", "Content-Length: 1000", "x".repeat(999)],
};

for (const [what, [method, framing, sent]] of Object.entries(BODIES)) {
  test(`a body that breaks off is paid for: ${what}`, async () => {
    const caller = await newCaller();
    for (const round of [1, 2, 3]) {
      const path = `/paid/work/${caller.account}/${round}`;
      const socket = await caller.begins(method, path, framing, sent);
      await until(() => heard.has(path), "the origin has begun");
      socket.destroy();
      await pause(100);
    }
    assert.equal(await caller.used(), 3);
    assert.doesNotMatch(gate.log(), /origin-unavailable/);
  });

  test(`a body that stalls is paid for: ${what}`, async () => {
    const caller = await newCaller();
    const path = `/paid/work/${caller.account}`;
    const socket = await caller.begins(method, path, framing, sent);
    await until(() => heard.has(path), "the origin has begun");
    await pause(ORIGIN_DEADLINE_MS + 300);
    socket.destroy();
    await pause(100);
    assert.equal(await caller.used(), 1);
    // A GET with a body of unknown length: it may or may not have come whole.
    if (what !== "by GET, chunked") assert.doesNotMatch(gate.log(), /origin-unavailable/);
    gate.logs.length = 0;
  });
}

test("an origin that loses patience with a stalled body is no reason for a refund", async () => {
  const stall = async (answer, method, length) => {
    const caller = await newCaller();
    const path = `/paid/${answer}/${caller.account}`;
    const socket = await caller.begins(method, path, `Content-Length: ${length}`, "x".repeat(length - 1));
    await until(() => heard.has(path), "the origin has begun");
    await pause(STALL_MS + 300);
    socket.destroy();
    await pause(100);
    assert.equal(await caller.used(), 1, `${answer} ${method} ${length}`);
  };
  const bodies = [["POST", 1_000], ["POST", 20_000], ["GET", 1_000]];
  await Promise.all(["reset", "fail"].flatMap((answer) => bodies.map((body) => stall(answer, ...body))));
});

test("an origin that fails at once fails on its own, however much is still to come", async () => {
  for (const place of ["/paid/overloaded", "/dead/x"]) {
    const caller = await newCaller();
    for (const length of [1_000, 20_000, 1_000_000]) {
      const socket = await caller.begins("POST", `${place}/${caller.account}`, `Content-Length: ${length}`, "x".repeat(length - 1));
      const [answer] = await once(socket, "data");
      assert.match(answer.toString(), /^HTTP\/1\.1 50[23] /, `${place} ${length}`);
      socket.destroy();
      await until(async () => (await caller.used()) === 0, `${place} ${length}: the unit is back`);
    }
  }
});

test("who has sent all of it pays for no failure of the origin", async () => {
  const fail = async (path, method, bytes) => {
    const caller = await newCaller();
    const target = `${path}/${caller.account}`;
    const socket = await caller.begins(method, target, `Content-Length: ${bytes}`, "x".repeat(bytes));
    const [answer] = await once(socket, "data");
    assert.match(answer.toString(), /^HTTP\/1\.1 50[24] /, `${target} ${method} ${bytes}`);
    socket.destroy();
    await until(async () => (await caller.used()) === 0, `${target} ${method} ${bytes}: the unit is back`);
  };
  const bodies = [["POST", 0], ["POST", 5], ["PUT", 4_096], ["POST", 4_097], ["POST", 65_536], ["POST", 300_000], ["GET", 5]];
  const paths = ["/dead/x", "/paid/hang", "/paid/fail"];
  await Promise.all(paths.flatMap((path) => bodies.map((body) => fail(path, ...body))));
});

test("a body arrives whole in as many pieces as it comes", async () => {
  const caller = await newCaller();
  for (const [method, length, pieces] of [
    ["POST", 10, [1, 2, 7]],
    ["POST", 4_096, [4_000, 96]],
    ["POST", 20_000, [3, 19_997]],
    ["GET", 10, [4, 6]],
    ["POST", 0, []],
  ]) {
    const path = `/paid/work/${caller.account}/${length}`;
    const socket = await caller.begins(method, path, `Content-Length: ${length}`, "");
    for (const piece of pieces) {
      socket.write("x".repeat(piece));
      await pause(40);
    }
    let text = "";
    socket.on("data", (chunk) => (text += chunk));
    await until(() => text.endsWith(`\r\n\r\n${length}`), `${method} ${length}`, { deadlineMs: 5_000 });
    socket.destroy();
    assert.equal(heard.get(path).bytes, length);
  }
  assert.equal(await caller.used(), 5);
});

let callers = 0;

/** A function that asks in the name of an account of its own. */
async function newCaller() {
  const account = `sender-${(callers += 1)}`;
  const token = await issuer.mint({ sub: account, plan: "pro" });
  const authorization = `Bearer ${token}`;
  const ask = (path, init = {}) => gate.fetch(path, { ...init, headers: { authorization } });
  /** Sends the head of a request and a part of its body. */
  const begins = async (method, path, framing, part) => {
    const socket = connect(gate.port, "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: gate\r\nAuthorization: ${authorization}\r\n${framing}\r\n\r\n${part}`);
    return socket;
  };
  return Object.assign(ask, { account, begins, used: unitsUsed(ask, "/paid/work/count", LIMIT) });
}

async function bytesOf(request) {
  let bytes = 0;
  try {
    for await (const chunk of request) bytes += chunk.length;
  } catch {
    return -1;
  }
  return bytes;
}
