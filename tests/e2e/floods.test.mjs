// The cost of a flood: memory of an isolate, and CPU time of its runtime.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { cpuTimeUs } from "../bench/runtime.mjs";
import { residentBytes, startDirectGate } from "./fixtures/runtime.mjs";
import { ADMIN_TOKEN, GATE_SECRET, issuerVar, makeIssuer } from "./harness.mjs";

const MB = 1024 * 1024;
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const ASSERTION_KEY = JSON.stringify({ kty: "oct", k: randomBytes(32).toString("base64url") });

let origin, issuer, gate;

before(async () => {
  // Node refuses header fields of more than 16 KB otherwise.
  const server = createServer({ maxHeaderSize: MB }, (_, response) => response.end("ok"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.closeAllConnections() ?? server.close() };
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

const OPERATORS = Array.from({ length: 20 }, (_, number) => ({ name: `operator-${number}`, role: "read", token: `token-of-operator-${number}` }));
const start = async (more = {}, bindings = {}) => {
  await gate?.stop();
  issuer = await makeIssuer();
  gate = await startDirectGate({
    origin,
    bindings,
    vars: { ROUTES: [{ match: "/open/**", open: true }, { match: "/**" }], PLANS: [], ISSUERS: [issuerVar(issuer)], ADMIN_TOKEN, ADMIN_TOKENS: JSON.stringify(OPERATORS), GATE_SECRET, LOG: "off", ...more },
  });
};

async function ask(path, headers, status) {
  const response = await gate.fetch(path, { headers });
  await response.arrayBuffer();
  assert.equal(response.status, status, path);
}

/** CPU time of one request, in milliseconds, the mean of many. */
async function cpuMs(times, request) {
  for (let number = 0; number < 20; number += 1) await request(number);
  const before = cpuTimeUs(gate.pid);
  for (let number = 0; number < times; number += 1) await request(number);
  return (cpuTimeUs(gate.pid) - before) / times / 1_000;
}

describe("an isolate's memory", () => {
  const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const short = (number) => LETTERS[Math.floor(number / 52) % 52] + LETTERS[number % 52];
  for (const [kind, count, entitlement] of [["1,500 short", 1_500, short], ["250 long", 250, (number) => `entitlement-${number}-xxxx`]]) {
    test(`is bounded where every token of 8 KB has ${kind} entitlements`, async () => {
      await start({ ASSERTION_KEY }, { scriptPath: "tests/e2e/fixtures/memory_entry.mjs" });
      const entitlements = Array.from({ length: count }, (_, number) => entitlement(number)).join(" ");
      const token = (number) => issuer.mint({ sub: `user-${number}`, entitlements });
      assert.ok((await token(0)).length > 6_000 && (await token(0)).length <= 8_192, `${(await token(0)).length}`);
      // Warm up, so that the memory for serving such requests at all is not counted.
      for (let number = 0; number < 150; number += 1) await ask("/a", bearer(await token(number % 3)), 200);
      const from = residentBytes(gate.pid);
      for (let number = 0; number < 1_500; number += 1) await ask("/a", bearer(await token(number)), 200);
      const grown = residentBytes(gate.pid) - from;
      const held = Number(await (await gate.fetch("/memory")).text());
      console.log(`# ${kind}: the modules have ${Math.round(held / MB)} MB after 1,500 tokens, the runtime ${Math.round(grown / MB)} MB more`);
      assert.ok(held > 8 * MB && held < 64 * MB, `${Math.round(held / MB)} MB`);
      assert.ok(grown < 130 * MB, `${Math.round(grown / MB)} MB`);
      await ask("/a", bearer(await token(1_499)), 200);
    });
  }
});

describe("the CPU time of one request", () => {
  before(() => start());

  test("an operator's token of 100 KB costs what its bytes cost on any path", async () => {
    const long = bearer("x".repeat(100 * 1024));
    const plain = await cpuMs(100, () => ask("/open/a", long, 200));
    const guessed = await cpuMs(100, () => ask("/_tollgate/admin/accounts", long, 401));
    console.log(`# 100 KB of Authorization: ${plain.toFixed(2)} ms at an open route, ${guessed.toFixed(2)} ms at the operators' endpoints of 21 operators`);
    assert.ok(guessed < plain + 2, `${guessed} ms, ${plain} ms`);
    await ask("/_tollgate/admin/accounts", bearer("x".repeat(513)), 401);
    await ask("/_tollgate/admin/accounts", bearer(OPERATORS.at(-1).token), 200);
  });

  test("100 KB of a credential cost what their bytes cost, and so does a made-up key", async () => {
    const plain = await cpuMs(100, () => ask("/open/a", { cookie: "x".repeat(100 * 1024) }, 200));
    const key = () => `tg_aaaaaaaa_${randomBytes(40).toString("base64url").slice(0, 54)}`;
    for (const [name, headers] of [["token", () => bearer("x".repeat(100 * 1024))], ["long key", () => bearer(`tg_${"x".repeat(100 * 1024)}`)], ["made-up key", () => bearer(key())]]) {
      const cost = await cpuMs(100, () => ask("/a", headers(), 401));
      console.log(`# ${name}: ${cost.toFixed(2)} ms, of which ${plain.toFixed(2)} ms are those of 100 KB at an open route`);
      assert.ok(cost < plain + 2, `${name}: ${cost} ms, ${plain} ms`);
    }
  });

  test("a path with many readings takes less than 2 ms more than a plain one", async () => {
    const plain = await cpuMs(200, () => ask(`/open/${"a".repeat(700)}`, {}, 200));
    const filler = "aaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const pieces = ["%252f", "%2e%2e", ";a=b", "%255c", "//", "%3f", "%2523", "%20.", "::$D", "%ef%bc%8f", "%c0%af"];
    for (const times of [1, 2, 3, 20]) {
      const path = `/${pieces.map((piece) => piece + filler).join("/").repeat(times)}`.slice(0, 8_000).replace(/%[^/]?$/, "");
      const cost = await cpuMs(200, async () => {
        const response = await gate.fetch(path);
        await response.arrayBuffer();
        assert.ok(response.status >= 400, `${response.status}`);
      });
      console.log(`# a path of ${path.length} bytes: ${cost.toFixed(2)} ms, a plain one ${plain.toFixed(2)} ms`);
      assert.ok(cost < plain + 2, `${path.length} bytes: ${cost} ms, ${plain} ms`);
    }
  });
});
