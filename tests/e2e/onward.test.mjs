// The parts of a request that go on to the origin, or don't: headers in the gate's name, headers
// that replace method or address, preflights, upgrades, and answers that the platform may keep.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { startRawOrigin } from "./fixtures/raw_origin.mjs";
import { exchange, startDirectGate } from "./fixtures/runtime.mjs";
import { COMPATIBILITY_DATE, issuerVar, makeIssuer } from "./harness.mjs";

const CORS = ["Origin: https://elsewhere.test", "Access-Control-Request-Method: GET"];
const FORGED = [
  "Tollgate-Account", "Tollgate.Account", "Tollgate~Entitlements", "tollgate_cost", "TOLLGATE-CAUSE",
  "Tollgate!Plan", "Tollgate#Tenant", "Tollgate|Notice", "tollGate^Member", "Tollgate*-Degraded",
  "Tollgate-Assertion", "Tollgate-Subject",
];
const OVERRIDES = [
  "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-Method", "X-Original-URL",
  "X-Rewrite-URL", "X_HTTP_Method_Override", "x.rewrite~url", "X-ORIGINAL_URI",
];
const ASSERTION_KEY = JSON.stringify({ kty: "oct", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" });

let gate, origin, issuer, token;

before(async () => {
  [origin, issuer] = [await startRawOrigin(), await makeIssuer()];
  gate = await startDirectGate({
    origin,
    vars: {
      ROUTES: [
        { match: "/kept/**", open: true, forward_overrides: true },
        { match: "/open/fresh/**", open: true, cache: false },
        { match: "/open/**", open: true },
        { match: "/read/**", free: "3 per month" },
        { match: "/paid/cached/**", meter: "api", cache: true },
        { match: "/paid/**", meter: "api", uncounted: ["HEAD"], on_outage: "pass" },
        { match: "GET /articles/*" },
        { match: "/articles/**", open: true },
        { match: "/site/**", origin: "service:SITE" },
        { match: "/**" },
      ],
      PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: 1_000, per: "month" }] }],
      ISSUERS: [issuerVar(issuer)],
      ALLOWANCE_KEY: "a-secret-of-thirty-two-bytes-at-least",
      ASSERTION_KEY,
    },
    bindings: {
      serviceBindings: { SITE: (request) => new Response(JSON.stringify(Object.fromEntries(request.headers))) },
    },
  });
  token = await issuer.mint({ plan: "pro" });
});

after(async () => {
  await gate?.stop();
  await origin?.stop();
});

beforeEach(() => {
  origin.heads.length = 0;
  origin.answer = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
});

describe("headers in the gate's name", () => {
  const forged = FORGED.map((name) => `${name}: forged`);

  for (const [what, method, target, headers] of [
    ["an open route", "GET", "/open/x", () => []],
    ["a gated one", "GET", "/other", () => [bearer()]],
    ["a metered one", "POST", "/paid/x", () => [bearer()]],
    ["a free page", "GET", "/read/one", () => []],
    ["a preflight", "OPTIONS", "/paid/x", () => CORS],
    ["a route that keeps overrides", "GET", "/kept/x", () => []],
  ]) {
    test(`end at the gate: ${what}`, async () => {
      await ask(method, target, [...forged, ...headers()]);
      assert.equal(origin.heads.length, 1);
      assert.doesNotMatch(origin.heads[0], /forged/);
    });
  }

  test("end at a gate that is broken", async (t) => {
    const broken = await startDirectGate({ origin, vars: { ROUTES: "nonsense", ON_MISCONFIGURED: "pass" } });
    t.after(() => broken.stop());
    await ask("GET", "/x", [...forged, ...OVERRIDES.map((name) => `${name}: replaced`)], "", broken);
    assert.match(origin.heads[0], /\r\nTollgate-Degraded: misconfigured\r\n/);
    assert.doesNotMatch(origin.heads[0], /forged|replaced/);
  });

  test("end at a gate whose ledger is gone", async (t) => {
    const vars = {
      ROUTES: [{ match: "/paid/**", meter: "api", on_outage: "pass" }, { match: "/**", open: true }],
      PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: 5, per: "month" }] }],
      ISSUERS: [issuerVar(issuer)],
      DEADLINES: { ledger_ms: 1 },
    };
    const script = `import { DurableObject } from "cloudflare:workers";
      export class Ledger extends DurableObject { answer() { throw new Error("gone"); } }
      export default { fetch() {} };`;
    const elsewhere = { LEDGER: { className: "Ledger", scriptName: "gone", useSQLite: true } };
    const gone = { name: "gone", modules: true, script, compatibilityDate: COMPATIBILITY_DATE, durableObjects: { OWN: { className: "Ledger", useSQLite: true } } };
    const degraded = await startDirectGate({ origin, vars, bindings: { durableObjects: elsewhere }, beside: [gone] });
    t.after(() => degraded.stop());
    await ask("GET", "/paid/x", [...forged, bearer()], "", degraded);
    assert.match(origin.heads[0], /\r\nTollgate-Degraded: checker-unavailable\r\n/);
    assert.doesNotMatch(origin.heads[0], /forged/);
  });

  test("are removed whatever else was asked before, in any number", async () => {
    // More names than the gate remembers.
    for (let round = 0; round < 12; round += 1) {
      const made = Array.from({ length: 60 }, (_, index) => `X-Made-Up-${round}-${index}: kept`);
      await ask("GET", "/open/x", [...made, ...forged]);
      const head = origin.heads.pop();
      assert.equal(head.match(/: kept/g).length, 60);
      assert.doesNotMatch(head, /forged/);
    }
  });
});

describe("headers that replace method or address", () => {
  const replacing = OVERRIDES.map((name) => `${name}: GET`);

  test("end at the gate", async () => {
    for (const [method, target] of [["POST", "/articles/1"], ["GET", "/open/x"], ["OPTIONS", "/open/x"]]) {
      await ask(method, target, replacing);
      const head = origin.heads.pop();
      assert.ok(head.startsWith(`${method} ${target} `), head);
      assert.doesNotMatch(head, /: GET\r\n/);
    }
    await ask("GET", "/other", [...replacing, bearer()]);
    assert.doesNotMatch(origin.heads[0], /: GET\r\n/);
  });

  test("go on where the route says so", async () => {
    await ask("POST", "/kept/x", replacing);
    assert.equal(origin.heads[0].match(/: GET\r\n/g).length, OVERRIDES.length);
  });
});

describe("a preflight", () => {
  const carried = [
    ...CORS, "Access-Control-Request-Headers: x-a", "X-HTTP-Method-Override: DELETE", "Cookie: a=1; __Host-tollgate-free=x",
    "Authorization: Bearer x", "Content-Type: application/json", "User-Agent: curl", "X-Api-Key: y",
  ];

  for (const framing of ["Content-Length: 9", "Transfer-Encoding: chunked"]) {
    test(`takes along what it asks with, and no body: ${framing}`, async () => {
      const body = framing.startsWith("C") ? '{"a":"b"}' : '9\r\n{"a":"b"}\r\n0\r\n\r\n';
      for (const target of ["/paid/x?a=1", "/read/x", "/other"]) {
        await ask("OPTIONS", target, [...carried, framing], body);
        const [head, sent] = origin.heads.pop().split("\r\n\r\n");
        const [first, ...lines] = head.split("\r\n");
        assert.equal(first, `OPTIONS ${target} HTTP/1.1`);
        const names = lines.map((line) => line.split(":")[0].toLowerCase()).filter((name) => name !== "content-length");
        assert.deepEqual(names.sort(), [
          "access-control-request-headers", "access-control-request-method", "cf-worker", "host", "origin",
        ]);
        assert.equal(sent, "");
      }
    });
  }
});

describe("an upgrade to a WebSocket", () => {
  const upgrade = ["Upgrade: WebSocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"];

  test("is refused for anything but GET", async () => {
    for (const [method, headers] of [["HEAD", []], ["POST", []], ["OPTIONS", []], ["OPTIONS", CORS]]) {
      for (const target of ["/open/x", "/paid/x"]) {
        const answer = await ask(method, target, [...upgrade, ...headers, bearer()]);
        assert.match(answer, /^HTTP\/1\.1 400 /, `${method} ${target}`);
        assert.match(answer, /\r\nTollgate-Cause: bad-request\r\n/i);
      }
    }
    assert.deepEqual(origin.heads, []);
  });

  test("reaches the origin by GET, and other protocols are no matter", async () => {
    await ask("GET", "/paid/x", [...upgrade, bearer()]);
    await ask("HEAD", "/paid/x", ["Upgrade: h2c", bearer()]);
    assert.deepEqual(origin.heads.map((head) => head.split(" ")[0]), ["GET", "HEAD"]);
  });
});

describe("what the platform keeps", () => {
  const asksAnew = () => /\r\nCache-Control: no-cache\r\n/.test(origin.heads.at(-1));

  test("is nothing of a gated route, unless it says so", async () => {
    for (const [method, target, expected] of [
      ["GET", "/paid/a.pdf", true],
      ["HEAD", "/paid/a.js", true],
      ["GET", "/read/one", true],
      ["GET", "/other", true],
      ["GET", "/open/fresh/x", true],
      ["GET", "/open/x", false],
      ["GET", "/paid/cached/x", false],
      // The platform keeps only answers to GET and HEAD.
      ["POST", "/paid/x", false],
      ["DELETE", "/other", false],
    ]) {
      await ask(method, target, [...(target.startsWith("/read") ? [] : [bearer()])]);
      assert.equal(asksAnew(), expected, `${method} ${target}`);
    }
  });

  test("leaves the caller's own wishes as they are", async () => {
    await ask("GET", "/paid/x", [bearer(), "Cache-Control: max-age=60", "Range: bytes=0-1", 'If-None-Match: "a"']);
    assert.match(origin.heads[0], /\r\nCache-Control: max-age=60\r\n/);
    assert.match(origin.heads[0], /\r\nRange: bytes=0-1\r\n/);
    assert.match(origin.heads[0], /\r\nIf-None-Match: "a"\r\n/);
  });

  test("is asked about with a body too, and never of a service", async () => {
    await ask("GET", "/paid/x", [bearer(), "Content-Length: 5"], "hello");
    assert.ok(asksAnew() && origin.heads[0].endsWith("hello"));
    const answer = await gate.fetch("/site/x", { headers: { authorization: `Bearer ${token}` } });
    assert.equal((await answer.json())["cache-control"], undefined);
  });
});

describe("the gate's own endpoints", () => {
  test("never reach the origin, whatever is free", async () => {
    for (const name of ["status", "refresh", "usage", "billing/portal", "billing/checkout"]) {
      for (const method of ["GET", "HEAD", "POST"]) {
        for (const path of ["/read/one", "/open/x", "/paid/x", "/other"]) {
          for (const headers of [[], [bearer()], ["Authorization: Bearer nonsense"]]) {
            const query = `return=${encodeURIComponent(path)}&plan=pro`;
            const answer = await ask(method, `/_tollgate/${name}?${query}`, [...headers, "Content-Length: 0"]);
            assert.doesNotMatch(answer, /set-cookie/i, `${method} ${name} ${path}`);
          }
        }
      }
    }
    assert.deepEqual(origin.heads, []);
  });
});

test("an assertion is that of the caller, however alike two are", async () => {
  const seen = [];
  for (const entitlements of [["premium", "root"], ["premium root"], ["premium"], ["premium,root"]]) {
    const other = await issuer.mint({ plan: "pro", entitlements });
    const answer = await ask("GET", "/other", [`Authorization: Bearer ${other}`]);
    assert.match(answer, /^HTTP\/1\.1 204 /);
    const [, payload] = origin.heads.pop().match(/\r\nTollgate-Assertion: [^.]+\.([^.]+)\./);
    seen.push(JSON.parse(Buffer.from(payload, "base64url")).entitlements);
    assert.deepEqual(seen.at(-1), entitlements);
  }
});

function bearer() {
  return `Authorization: Bearer ${token}`;
}

/** Sends a request that is written out. */
function ask(method, target, headers = [], body = "", to = gate) {
  const lines = [`${method} ${target} HTTP/1.1`, "Host: shop.example.test", ...headers];
  const isUpgrade = headers.some((line) => line.startsWith("Upgrade"));
  lines.push(`Connection: ${isUpgrade ? "Upgrade" : "close"}`);
  return exchange(to.port, `${lines.join("\r\n")}\r\n\r\n${body}`);
}
