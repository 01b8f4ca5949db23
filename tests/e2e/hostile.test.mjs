// Malformed and odd requests by raw socket. The gate answers every one with a clear 4xx, never
// fails, never lets anybody in by mistake, and is there afterwards.
//
// The fuzzer prints its seed; `SEED=… node --test tests/e2e/hostile.test.mjs` replays it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { posix } from "node:path";
import { after, before, describe, test } from "node:test";
import { issuerVar, makeIssuer, startGate } from "./harness.mjs";

const REQUESTS = 4_000;
const AT_ONCE = 16;
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const HOST = "Host: gate.example.test\r\nConnection: close\r\n";

let origin, gate, issuer, token;

before(async () => {
  origin = await startLenientOrigin();
  issuer = await makeIssuer();
  token = await issuer.mint();
  gate = await startGate({
    origin,
    vars: {
      ROUTES: [{ match: "/open/**", open: true }, { match: "/offer/**", anonymous: "offer" }, { match: "/**" }],
      PLANS: [{ id: "pro", entitlements: ["premium"] }],
      ISSUERS: [issuerVar(issuer)],
      CREDENTIALS: ["bearer", "cookie:session", "header:X-Token", "query:t"],
      DEADLINES: { origin_ms: 3000 },
    },
    bindings: { scriptPath: "tests/e2e/fixtures/marking_entry.mjs" },
  });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

/** An origin that reads whatever a gate may send on, and says what it got. */
async function startLenientOrigin() {
  const requests = [];
  const server = createServer({ insecureHTTPParser: true, maxHeaderSize: 1 << 20 }, (request, response) => {
    const seen = { method: request.method, url: request.url, headers: request.headers, rawHeaders: request.rawHeaders, body: "" };
    requests.push(seen);
    request.setEncoding("latin1").on("data", (chunk) => (seen.body += chunk)).on("error", () => {});
    request.on("end", () => response.end(JSON.stringify({ method: seen.method, url: seen.url, body: seen.body })));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${server.address().port}`, requests, stop };
}

/** Sends bytes as they are, and takes the answer apart. */
function send(bytes) {
  return new Promise((resolve) => {
    const socket = connect(gate.port, "127.0.0.1");
    const chunks = [];
    const isHead = bytes.startsWith("HEAD ");
    const soFar = () => parse(Buffer.concat(chunks).toString("latin1"));
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      // Some refusals leave the connection open.
      const { headers, body, isWhole } = soFar();
      const isEnded = body.endsWith("0\r\n\r\n") || body.length >= Number(headers["content-length"]);
      if (isWhole && (isHead || isEnded)) socket.destroy();
    });
    socket.on("close", () => resolve(soFar())).on("error", () => {});
    socket.setTimeout(1_000, () => socket.destroy());
    socket.write(Buffer.from(bytes, "latin1"));
  });
}

function parse(text) {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0);
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
  return { status, headers, body: rest.join("\r\n\r\n"), isWhole: rest.length > 0, byGate: "x-marked" in headers, threw: headers["x-marked"] === "threw", cause: headers["tollgate-cause"] };
}

const get = (target, headers = "", method = "GET") => `${method} ${target} HTTP/1.1\r\n${HOST}${headers}\r\n`;

async function assertAlive() {
  const { status } = await send(get("/_tollgate/health"));
  assert.equal(status, 200, "health answers");
  const passed = await send(get("/a", `Authorization: Bearer ${token}\r\n`));
  assert.equal(passed.status, 200, "a good token passes");
  assert.doesNotMatch(gate.log(), /panic|Critical|RuntimeError|unreachable|RefCell|already borrowed/);
}

describe("what the gate itself has to refuse", () => {
  const long = (bytes) => "a".repeat(bytes);
  const many = (count, make) => Array.from({ length: count }, (_, at) => make(at)).join("");
  const cases = {
    "a percent sign alone": [get("/a/%"), 400],
    "a percent sign and no digits": [get("/a/%zz"), 400],
    "a wide escape": [get("/a/%u0041"), 400],
    "an escaped NUL": [get("/open/%00"), 400],
    "an escaped line break": [get("/open/a%0d%0aX:y"), 400],
    "a control character in the path": [get("/open/\x01b"), 400],
    "a path of 20 KB": [get(`/open/${long(20_000)}`), 400],
    "a path of 60 KB": [get(`/open/${long(60_000)}`), 400],
    "a path with a thousand readings": [get(`/open/${many(200, () => "%2e%2e%2f;a\\")}`), 400],
    "a path that leaves the open part": [get("/open/..%2fa"), 400, 401],
    "the same, encoded twice": [get("/open/%252e%252e%252fa"), 400, 401],
    "the same by backslash": [get("/open/..\\a"), 400, 401],
    "the same by a parameter": [get("/open/..;/a"), 400, 401],
    "a query of 60 KB": [get(`/a?${long(60_000)}`), 401],
    "a query of bad escapes": [get("/a?%zz=%&t=%00"), 401],
    "two tokens in the query": [get("/a?t=x&t=y"), 401],
    "no slash before the query": [get("//a?x"), 401],
    "Authorization twice": [get("/a", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 401],
    "a good Authorization beside a bad one": [() => get("/a", `Authorization: Bearer ${token}\r\nAuthorization: Bearer b\r\n`), 401],
    "Authorization of 50 KB": [get("/a", `Authorization: Bearer ${long(50_000)}\r\n`), 401],
    "Authorization of bytes beyond ASCII": [get("/a", "Authorization: Bearer \xff\xfe\x80\r\n"), 401],
    "Authorization of control characters": [get("/a", "Authorization: Bearer \x01\x02\x7f\r\n"), 401],
    "Authorization of dots": [get("/a", `Authorization: Bearer ${".".repeat(20_000)}\r\n`), 401],
    "Authorization without token": [get("/a", "Authorization: Bearer\r\n"), 401],
    "Authorization of nothing": [get("/a", "Authorization:\r\n"), 401],
    "two thousand cookies": [get("/a", `Cookie: ${many(2_000, (at) => `c${at}=v; `)}\r\n`), 401],
    "two thousand of the same cookie": [get("/a", `Cookie: ${many(2_000, () => "session=x; ")}\r\n`), 401],
    "a hundred Cookie lines": [get("/a", many(100, (at) => `Cookie: session=${at}\r\n`)), 401],
    "a cookie of semicolons": [get("/a", `Cookie: ${";".repeat(30_000)}\r\n`), 401],
    "a cookie of quotes": [get("/a", 'Cookie: session="; session=""; session=\\"\r\n'), 401],
    "a thousand header fields": [get("/a", many(1_000, (at) => `X-${at}: v\r\n`)), 401],
    "one header field of 50 KB": [get("/a", `X-Token: ${long(50_000)}\r\n`), 401],
    "an Accept of 50 KB": [get("/offer/a", `Accept: ${many(5_000, () => "text/a;q=1,")}\r\n`), 402],
    "an Accept of commas": [get("/offer/a", `Accept: ${",".repeat(50_000)}\r\n`), 402],
    "an Accept of quotes": [get("/offer/a", 'Accept: text/html;q="1,*/*;q=",";q=9e99,\\\r\n'), 402],
    "an Accept of noise": [get("/offer/a", "Accept: \xff/\xfe;q=\x01;;==, */, /*, q\r\n"), 402],
    "an Accept of numbers": [get("/offer/a", "Accept: text/html;q=-1, text/plain;q=1e9, */*;q=NaN, a/b;q=0.0000000000000000000001\r\n"), 402],
    "an Origin of noise": [get("/offer/a", 'Origin: "><script>\xff\r\n'), 402],
    "an Origin of 30 KB": [get("/offer/a", `Origin: https://${long(30_000)}\r\nSec-Fetch-Site: same-origin\r\n`), 402],
    "Sec-Fetch of noise": [get("/offer/a", "Sec-Fetch-Mode: navigate, navigate\r\nSec-Fetch-Site: \xff\r\n"), 402],
    "a host of 3 KB": [`GET /a HTTP/1.1\r\nHost: ${long(3_000)}\r\nConnection: close\r\n\r\n`, 401],
    "a host of dots": ["GET /a HTTP/1.1\r\nHost: a..b.\r\nConnection: close\r\n\r\n", 401],
    "a host by number": ["GET /a HTTP/1.1\r\nHost: 0x7f.1\r\nConnection: close\r\n\r\n", 401],
    "a host of IPv6": ["GET /a HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n", 401],
    "PROPFIND": [get("/a", "", "PROPFIND"), 401],
    "TRACE": [get("/a", "", "TRACE"), 401],
    "PURGE": [get("/a", "", "PURGE"), 401],
    "an upgrade": ["GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", 401],
    "a chunk size that is none": [`${get("/a", "Transfer-Encoding: chunked\r\n", "POST")}zz\r\n`, 401],
    "a body shorter than it says": [`${get("/a", "Content-Length: 9999\r\n", "POST")}abc`, 401],
    "two lengths of a body": [`${get("/a", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "POST")}0\r\n\r\n`, 401],
    "an admin body that never comes": [get("/_tollgate/admin/accounts/-/a", "Content-Length: 9999\r\n", "PUT"), 404],
  };
  for (const [name, [bytes, ...statuses]] of Object.entries(cases)) {
    test(name, async () => {
      const before = origin.requests.length;
      const answer = await send(typeof bytes === "function" ? bytes() : bytes);
      assert.ok(statuses.includes(answer.status), `${answer.status} ${answer.cause} ${answer.body.slice(0, 300)}`);
      assert.ok(answer.byGate, "the gate answered");
      assert.equal(answer.headers["cache-control"], "no-store");
      assert.ok(answer.body.length < 16_384, "an answer is not made large by its request");
      assert.equal(origin.requests.length, before, "nothing reached the origin");
    });
  }

  test("the gate is there afterwards", assertAlive);
});

describe("what no Worker gets to see, or only some runtimes let through", () => {
  const line = (first, headers = HOST) => `${first}\r\n${headers}\r\n`;
  const host = (value) => line("GET /a HTTP/1.1", `Host: ${value}\r\nConnection: close\r\n`);
  const cases = {
    "an unknown method": line("FOO /a HTTP/1.1"), "a method in lower case": line("get /a HTTP/1.1"), CONNECT: line("CONNECT a:80 HTTP/1.1"),
    "an absolute target": line("GET http://other.example.test/open/a HTTP/1.1"), "an absolute target inside the prefix": line("GET http://x/_tollgate/health HTTP/1.1"),
    "an asterisk": line("OPTIONS * HTTP/1.1"), "a target without slash": line("GET a HTTP/1.1"), "only a query": line("GET ?x HTTP/1.1"),
    "no host": line("GET /a HTTP/1.1", "Connection: close\r\n"), "two hosts": line("GET /a HTTP/1.1", "Host: a\r\nHost: b\r\nConnection: close\r\n"), "an empty host": host(""),
    "a host with user and password": host("u:p@a"), "a host with a path": host("a/open"), "a host with a fragment": host("a#"), "a host with a query": host("a?"),
    "a host with a space": host("a b"), "a host with markup": host('a"><script>'), "a host with a port beyond all": host("a:99999"), "a host beyond ASCII": host("\xfc.example"), "a host with an escape": host("%00"), "a host with a backslash": host("a\\b"),
    "HTTP/0.9": "GET /a\r\n\r\n", "HTTP/1.0": line("GET /a HTTP/1.0", ""), "HTTP/9.9": line("GET /a HTTP/9.9"), "no version": line("GET /a"),
    "a NUL in the path": line("GET /a\0b HTTP/1.1"), "a space in the path": line("GET /a b HTTP/1.1"), "bytes beyond ASCII in the path": line("GET /\xff\xfe HTTP/1.1"),
    "a NUL in a header": get("/a", "X: a\0b\r\n"), "a header without colon": get("/a", "X\r\n"), "a header with a space before its colon": get("/a", "X-Token : y\r\n"), "a folded header": get("/a", "X: a\r\n b\r\n"), "a header with a lone CR": get("/a", "X: a\rY: b\r\n"), "a nameless header": get("/a", ": x\r\n"),
    "header fields of 200 KB": get("/a", `X: ${"a".repeat(200_000)}\r\n`), "a path of 200 KB": get(`/${"a".repeat(200_000)}`),
    "Content-Length twice": `${get("/a", "Content-Length: 3\r\nContent-Length: 4\r\n", "POST")}abc`, "a negative Content-Length": get("/a", "Content-Length: -3\r\n", "POST"), "a Content-Length beyond all": get("/a", "Content-Length: 99999999999999999999\r\n", "POST"),
    "an unknown Transfer-Encoding": get("/a", "Transfer-Encoding: gzip\r\n", "POST"), "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "nothing": "", "line breaks": "\r\n\r\n\r\n", "HTTP/2's preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "half a request": "GET /a HTTP/1.1\r\nHos",
  };
  for (const [name, bytes] of Object.entries(cases)) {
    test(name, async () => {
      const before = origin.requests.length;
      const { status, byGate, threw, body } = await send(bytes);
      assert.equal(threw, false, body);
      assert.ok(!byGate || (status >= 200 && status < 500), `${status} ${body.slice(0, 300)}`);
      assert.equal(origin.requests.length, before, "nothing reached the origin");
    });
  }

  test("the gate is there afterwards", assertAlive);
});

describe("what is odd, and right", () => {
  test("a GET with a body goes to the origin with it, as search clients send it", async () => {
    const answer = await send(`${get("/open/_search", "Content-Length: 13\r\nContent-Type: application/json\r\n")}{"query":"x"}`);
    assert.equal(answer.status, 200, answer.body.slice(0, 300));
    assert.deepEqual(JSON.parse(answer.body), { method: "GET", url: "/open/_search", body: '{"query":"x"}' });
  });

  test("Expect: 100-continue, which curl sends with a large body", async () => {
    const answer = await send(`${get("/open/a", "Expect: 100-continue\r\nContent-Length: 3\r\n", "POST")}abc`);
    assert.equal(answer.status, 200, answer.body.slice(0, 300));
    assert.equal(JSON.parse(answer.body).body, "abc");
  });

  test("header values beyond ASCII and many cookies reach the origin as they were sent", async () => {
    const cookies = Array.from({ length: 200 }, (_, at) => `c${at}=v${at}`).join("; ");
    const answer = await send(get("/open/a?%zz=%&x=\xe4", `X-Name: Zo\xc3\xab\r\nCookie: ${cookies}\r\n`));
    assert.equal(answer.status, 200, answer.body.slice(0, 300));
    const { headers } = origin.requests.at(-1);
    assert.equal(headers.cookie, cookies);
    assert.equal(headers["x-name"], "Zo\xc3\xab");
  });
});

test(`${REQUESTS} random requests, seed ${SEED}`, async (t) => {
  t.diagnostic(`SEED=${SEED}`);
  const random = mulberry32(SEED);
  const requests = Array.from({ length: REQUESTS }, () => makeRequest(random));
  const before = origin.requests.length;
  const counts = new Map();
  let next = 0;
  const work = async () => {
    while (next < requests.length) {
      const at = next;
      next += 1;
      const answer = await send(requests[at]);
      const shown = () => `SEED=${SEED}, request ${at}: ${JSON.stringify(requests[at].slice(0, 600))}\n→ ${answer.status} ${answer.cause} ${answer.body.slice(0, 300)}`;
      assert.equal(answer.threw, false, shown());
      if (answer.byGate) assert.ok(answer.status >= 200 && answer.status < 500, shown());
      const key = answer.byGate ? (answer.cause ?? answer.status) : "runtime";
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  t.diagnostic(JSON.stringify(Object.fromEntries(counts)));

  const passed = origin.requests.slice(before);
  for (const { method, url, headers, rawHeaders } of passed) {
    const account = headers["tollgate-account"];
    const isPreflight = method === "OPTIONS" && headers.origin && headers["access-control-request-method"];
    assert.ok(account === undefined || account === "alice", `SEED=${SEED}: ${url} as ${account}`);
    if (account === undefined && !isPreflight) assert.ok(isOpen(url), `SEED=${SEED}: ${url} passed without a token`);
    const ours = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()).filter((name) => name.startsWith("tollgate-"));
    assert.deepEqual(ours, account === undefined ? [] : ["tollgate-account"], `SEED=${SEED}: ${url}`);
    assert.ok(!everyReading(url).some((path) => /^\/+_tollgate(\/|$)/i.test(path)), `SEED=${SEED}: ${url} is the gate's own`);
  }
  for (const kind of ["invalid-token", "sign-in-required", "bad-request", "payment-required", 200]) {
    assert.ok((counts.get(kind) ?? 0) > 20, `SEED=${SEED}: only ${counts.get(kind)} of ${kind}; the fuzzer is too tame`);
  }
  await assertAlive();
});

/** Whether a path stays in the open part in every reading that a simple server may make of it. */
function isOpen(url) {
  return everyReading(url).every((path) => /^\/open(\/|$)/.test(path));
}

function everyReading(url) {
  const readings = [url.split("?")[0]];
  for (let turn = 0; turn < 4; turn += 1) {
    const path = readings.at(-1);
    readings.push(path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))));
  }
  const plain = readings.flatMap((path) => [path, path.replaceAll("\\", "/")]);
  return plain.flatMap((path) => [path, path.replaceAll(/;[^/]*/g, "")]).map((path) => posix.normalize(path));
}

/** One request: mostly well-formed, with one or several things wrong in it. */
function makeRequest(random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const chance = (share) => random() < share;
  const noise = (most) => String.fromCharCode(...Array.from({ length: Math.floor(random() * most) }, () => Math.floor(random() * 256)));
  const flip = (text) => {
    const at = Math.floor(random() * text.length);
    return text.slice(0, at) + String.fromCharCode(33 + Math.floor(random() * 94)) + text.slice(at + 1);
  };
  const segment = () => pick(["open", "open", "open", "offer", "a", "..", ".", "", "%2e%2e", "%2e", "..;x=1", "%2f", "%5c", "\\", "_tollgate", "_TOLLGATE", "%5ftollgate", "health", "admin", "OPEN", "%6fpen", "%25%32%65", "%c0%ae", "%zz", "%", "a;b", "~", "%20", "\xe4", "😀".slice(0, 1), noise(6)]);
  const target = () => {
    const path = `/${pick(["", "", "", "open/", "open/", "offer/"])}${Array.from({ length: Math.floor(random() * 4) }, segment).join(pick(["/", "/", "/", "//", "%2f", "\\"]))}`;
    return chance(0.3) ? `${path}?${pick(["t=x", `t=${token}`, `t=${flip(token)}`, "t=", "x=1&t=..", noise(20)])}` : path;
  };
  const credential = () => pick([token, token, flip(token), flip(token), token.slice(0, -3), `${token}.x`, "x", "a.b.c", "..", noise(40), "", "9".repeat(Math.floor(random() * 9_000))]);
  const header = () => pick([
    () => `Authorization: Bearer ${credential()}`, () => `Authorization: ${noise(30)}`, () => `authorization: bearer  ${credential()}`,
    () => `Cookie: a=1; session=${credential()}; b=2`, () => `Cookie: ${noise(60)}`, () => `X-Token: ${credential()}`,
    () => `Accept: ${pick(["text/html", "*/*", "application/json;q=0.1, text/plain", noise(40), ",;q=".repeat(300)])}`,
    () => `Origin: ${pick(["https://a.example.test", "null", noise(20)])}`, () => `Sec-Fetch-Mode: ${pick(["navigate", "cors", noise(5)])}`, () => `Sec-Fetch-Site: ${pick(["same-origin", "cross-site", noise(5)])}`,
    () => `Access-Control-Request-Method: ${pick(["PUT", noise(5)])}`, () => `${pick(["Tollgate-Account", "TOLLGATE-PLAN", "tollgate-degraded", "Tollgate-Assertion", "tollgate-entitlements", "Tollgate-Tenant"])}: root`,
    () => `X-${Math.floor(random() * 99)}: ${noise(30)}`, () => `${noise(10)}: ${noise(10)}`, () => `Accept-Encoding: ${noise(10)}`, () => `Range: bytes=${noise(6)}`, () => `If-None-Match: ${noise(9)}`,
  ])();
  // A line break inside would end the field; that is a case of its own above.
  const clean = (text) => (chance(0.97) ? text.replaceAll(/[\r\n\0]/g, "_") : text);
  const method = pick(["GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE", chance(0.1) ? noise(5) : "GET"]);
  const body = ["POST", "PUT", "PATCH"].includes(method) ? noise(50) : "";
  const lines = [`${method} ${clean(target()).replaceAll(" ", "+")} HTTP/1.1`, "Host: gate.example.test", "Connection: close"];
  if (body !== "") lines.push(`Content-Length: ${body.length}`);
  for (let count = Math.floor(random() * 5); count > 0; count -= 1) lines.push(clean(header()));
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** A small generator of numbers below 1, the same for the same seed. */
function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
