// To the origin and back: a passed request arrives as it was sent, and a response as it was given.
//
// Changes by the runtime itself are written down here as they were seen, so that a new version of
// it can't change anything else unnoticed:
// - to the origin: `Host` names the origin, `CF-Worker` is added, several `Cookie` lines become one;
// - in paths, `.` and `..` segments are resolved and what RFC 3986 doesn't allow is encoded; `'` in
//   a query becomes `%27`;
// - from the origin: trailers are dropped, and an early 103 is taken for the response (workerd on its
//   own; what Cloudflare's network does with it can't be tested here);
// - methods that its parser doesn't know, such as `get`, are answered with 501 before the gate runs.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, beforeEach, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { WebSocket, WebSocketServer } from "ws";
import { startRawOrigin } from "./fixtures/raw_origin.mjs";
import { exchange, startDirectGate } from "./fixtures/runtime.mjs";
import { issuerVar, makeIssuer, startOrigin } from "./harness.mjs";

let gate, origin, rawOrigin, token;

const TEXT = "What is compressed stays compressed. ".repeat(50);
const GZIP = gzipSync(TEXT);
const BROTLI = brotliCompressSync(TEXT);

before(async () => {
  const issuer = await makeIssuer();
  origin = await startOrigin(respond);
  attachWebSockets(origin.server);
  rawOrigin = await startRawOrigin();
  gate = await startDirectGate({
    origin,
    vars: {
      ROUTES: [
        { match: "/paid/**", meter: "api" },
        { match: "/bare/paid/**", meter: "api", origin: rawOrigin.url },
        { match: "/bare/stripped", forward_credential: false, origin: rawOrigin.url },
        { match: "/bare/**", open: true, origin: rawOrigin.url },
        { match: "/**", open: true },
      ],
      PLANS: [
        {
          id: "pro",
          entitlements: ["premium"],
          quotas: [
            { meter: "api", limit: 1_000, per: "month" },
            { meter: "api", limit: 1, per: "day", enforcement: "soft" },
          ],
        },
      ],
      ISSUERS: [issuerVar(issuer)],
    },
  });
  token = await issuer.mint({ plan: "pro" });
});

after(async () => {
  await gate?.stop();
  await origin?.stop();
  await rawOrigin?.stop();
});

beforeEach(() => {
  rawOrigin.heads.length = 0;
  rawOrigin.answer = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
});

test("an open request arrives byte for byte, but for what the runtime owns", async () => {
  const headers = ["X-WeIrD-Case: Value", "X-Two: 1", "X-Two: 2", "X-Bytes: caf\xe9 \xc3\xbc", "X-Empty: "];
  const cookies = ["Cookie: a=1", "Cookie: b=2"];
  await bare("POST", "/bare/a%20b?x=1", [...headers, ...cookies, "Content-Length: 5"], "h\xe9l\0o");
  const expected = [
    "POST /bare/a%20b?x=1 HTTP/1.1",
    "Content-Length: 5",
    `Host: ${new URL(rawOrigin.url).host}`,
    "CF-Worker: gate.example.com",
    "Cookie: a=1, b=2",
    ...headers,
    "",
    "h\xe9l\0o",
  ];
  assert.deepEqual(rawOrigin.heads.map(sorted), [sorted(expected.join("\r\n"))]);
});

test("paths and queries arrive unchanged", async () => {
  for (const target of [
    "/bare/",
    "/bare/a?",
    "/bare/a??b=?",
    "/bare/a%20b/%C3%BC/%ff",
    "/bare/a+b",
    "/bare/~a!$&'()*,=:@-._",
    "/bare/a/",
    "/bare/a?x=1&x=2&&y&z=%20+%2B%26;w=/?:@!$()*,",
    "/bare/a?x=%",
    "/bare/a?%zz=%C3",
    "/bare/a?url=https://other.test/a/../b",
  ]) {
    assert.equal(await targetSeen(target), target);
  }
});

test("paths that servers read as one route alone are passed as they are", async () => {
  assert.equal(await targetSeen("/bare/a;v=1/b"), "/bare/a;v=1/b");
  assert.equal(await targetSeen("/bare/a//b"), "/bare/a//b");
});

test("the runtime resolves dots and encodes what no URL may hold", async () => {
  assert.equal(await targetSeen("/x/../bare/./a"), "/bare/a");
  assert.equal(await targetSeen("/bare/\"<>`{}^"), "/bare/%22%3C%3E%60%7B%7D%5E");
  assert.equal(await targetSeen("/bare/\xc3\xbc"), "/bare/%C3%BC");
  assert.equal(await targetSeen("/bare/?q='\""), "/bare/?q=%27%22");
});

test("methods stay themselves", async () => {
  for (const method of ["GET", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "PURGE", "QUERY", "TRACE"]) {
    await bare(method, "/bare/x");
    assert.equal(rawOrigin.heads.pop()?.split(" ")[0], method);
  }
  for (const method of ["get", "Propfind", "M-SEARCH", "FOO"]) {
    const answer = await bare(method, "/bare/x");
    assert.match(answer, /^HTTP\/1\.1 501 Not Implemented\r\n/, `${method} is unknown to the runtime`);
    assert.deepEqual(rawOrigin.heads, []);
  }
});

test("what only the gate may say is taken off what comes from outside", async () => {
  const forged = ["Account", "Assertion", "Degraded", "Entitlements", "Plan", "Tenant"];
  await bare("GET", "/bare/x", forged.map((name) => `tollgate-${name}: forged`));
  assert.doesNotMatch(rawOrigin.heads[0], /forged|tollgate/i);

  await bare("GET", "/bare/paid/x", [`Authorization: Bearer ${token}`, "Tollgate-Account: forged"]);
  const lines = rawOrigin.heads[1].split("\r\n");
  assert.deepEqual(lines.filter((line) => /^tollgate/i.test(line)).sort(), [
    "Tollgate-Account: alice",
    "Tollgate-Entitlements: premium",
    "Tollgate-Plan: pro",
  ]);
  assert.ok(lines.includes(`Authorization: Bearer ${token}`));
});

test("a credential that is not to be forwarded is cut out of its cookies", async () => {
  await bare("GET", "/bare/stripped", [`Cookie: a=1; tollgate=${token}; b="2; x"`]);
  assert.match(rawOrigin.heads[0], /\r\nCookie: a=1; b="2; x"\r\n/);
  await bare("GET", "/bare/stripped", [`Cookie: tollgate=${token}`]);
  assert.doesNotMatch(rawOrigin.heads[1], /cookie/i);
  await bare("GET", "/bare/stripped", [`Authorization: Bearer ${token}`, "Cookie: a=1"]);
  assert.doesNotMatch(rawOrigin.heads[2], /authorization/i);
  assert.match(rawOrigin.heads[2], /\r\nCookie: a=1\r\n/);
});

test("a response arrives byte for byte, with several cookies and its reason phrase", async () => {
  rawOrigin.answer = [
    "HTTP/1.1 299 Strange But True",
    "Content-Length: 4",
    "X-OdD: 1",
    "Set-Cookie: a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
    "Set-Cookie: b=2; Path=/",
    "Cache-Control: public, max-age=60",
    "",
    "\0\xffok",
  ].join("\r\n");
  assert.equal(sorted(await bare("GET", "/bare/x")), sorted(rawOrigin.answer));

  const passed = await bare("GET", "/bare/paid/x", [`Authorization: Bearer ${token}`]);
  const added = sorted(passed).split("\r\n").filter((line) => !rawOrigin.answer.includes(line));
  assert.equal(added.length, 3, "only what the gate adds");
  assert.match(added[0], /^RateLimit-Policy: "api\/month";q=1000;w=\d+, "api\/day";q=1;w=86400$/);
  assert.match(added[1], /^RateLimit: "api\/month";r=99\d;t=\d+, "api\/day";r=0;t=\d+$/);
  assert.equal(added[2], 'Tollgate-Notice: soft-quota-passed;quota="api/day"');
  assert.ok(passed.startsWith("HTTP/1.1 299 Strange But True\r\n"));
});

test("trailers end at the runtime, the response itself does not", async () => {
  rawOrigin.answer =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n";
  const answer = await bare("GET", "/bare/x");
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer, /\r\n\r\n2\r\nok\r\n0\r\n\r\n$/);
});

for (const place of ["/open", "/paid"]) {
  const ask = (path, init = {}) =>
    gate.fetch(place + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

  test(`${place}: conditional requests, ranges and HEAD`, async () => {
    const whole = await ask("/file");
    assert.equal(whole.headers.get("etag"), '"v1"');
    assert.equal(await whole.text(), "0123456789");
    const unchanged = await ask("/file", { headers: { "if-none-match": '"v1"' } });
    assert.deepEqual([unchanged.status, unchanged.headers.get("etag")], [304, '"v1"']);
    const part = await ask("/file", { headers: { range: "bytes=2-5" } });
    assert.deepEqual([part.status, part.headers.get("content-range"), await part.text()], [206, "bytes 2-5/10", "2345"]);
    const head = await ask("/file", { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "10", ""]);
  });

  test(`${place}: compressed bytes are not touched`, async () => {
    for (const [encoding, bytes] of [["gzip", GZIP], ["br", BROTLI]]) {
      const answer = await exchange(
        gate.port,
        `GET ${place}/${encoding} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\n` +
          `Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
      );
      assert.match(answer, new RegExp(`\r\nContent-Encoding: ${encoding}\r\n`, "i"));
      assert.match(answer, new RegExp(`\r\nContent-Length: ${bytes.length}\r\n`, "i"));
      assert.ok(answer.endsWith(`\r\n\r\n${bytes.toString("latin1")}`), encoding);
    }
  });

  test(`${place}: redirects are the caller's to follow`, async () => {
    const answer = await ask("/redirect");
    assert.deepEqual([answer.status, answer.headers.get("location")], [302, "https://other.test/next"]);
  });

  test(`${place}: every status passes`, async () => {
    for (const status of [201, 400, 401, 402, 403, 404, 418, 429, 451, 500, 503]) {
      const answer = await ask(`/status/${status}`);
      assert.equal(answer.status, status);
      assert.equal(await answer.text(), `the origin's ${status}`);
      assert.equal(answer.headers.get("tollgate-cause"), null);
    }
  });

  test(`${place}: a WebSocket talks both ways, and closes both ways`, async () => {
    const url = `${gate.url.replace("http", "ws")}${place}/socket`;
    const socket = new WebSocket(url, ["chat", "other"], { headers: { authorization: `Bearer ${token}` } });
    await once(socket, "open");
    assert.equal(socket.protocol, "chat");
    for (const message of [Buffer.from("text ü"), Buffer.from([0, 255, 1]), Buffer.alloc(300_000, 7)]) {
      const echoed = once(socket, "message");
      socket.send(message, { binary: message[0] !== 116 });
      const [data, isBinary] = await echoed;
      assert.deepEqual([data.equals(message), isBinary], [true, message[0] !== 116]);
    }
    const closed = once(socket, "close");
    socket.send("close with 4001");
    const [code, reason] = await closed;
    assert.deepEqual([code, reason.toString()], [4001, "as you wish"]);

    const other = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    const [atOrigin] = await once(origin.sockets, "connection");
    await once(other, "open");
    other.close(4002, "bye");
    const [codeSeen, reasonSeen] = await once(atOrigin, "close");
    assert.deepEqual([codeSeen, reasonSeen.toString()], [4002, "bye"]);
  });
}

test("a WebSocket without a credential is refused before it reaches the origin", async () => {
  const seen = origin.requests.length;
  const socket = new WebSocket(`${gate.url.replace("http", "ws")}/paid/socket`);
  const [, response] = await once(socket, "unexpected-response");
  assert.deepEqual([response.statusCode, response.headers["tollgate-cause"]], [401, "sign-in-required"]);
  socket.on("error", () => {});
  socket.terminate();
  assert.equal(origin.requests.length, seen);
});

/** Sends a request that is written out, to the raw origin behind the gate. */
function bare(method, target, headers = [], body = "") {
  const lines = [`${method} ${target} HTTP/1.1`, "Host: shop.example.test", ...headers, "Connection: close"];
  return exchange(gate.port, `${lines.join("\r\n")}\r\n\r\n${body}`);
}

async function targetSeen(target) {
  await bare("GET", target);
  return rawOrigin.heads.pop()?.split(" ")[1];
}

/** A message with its header lines in alphabetical order: the runtime has an order of its own. */
function sorted(message) {
  const [head, body] = message.split("\r\n\r\n");
  const [first, ...lines] = head.split("\r\n");
  return [first, ...lines.sort(), "", body].join("\r\n");
}

function respond(request, response) {
  const [, , name, detail] = request.url.split("/");
  if (name === "status") {
    response.writeHead(Number(detail)).end(`the origin's ${detail}`);
  } else if (name === "redirect") {
    response.writeHead(302, { location: "https://other.test/next" }).end();
  } else if (name === "gzip" || name === "br") {
    const bytes = name === "br" ? BROTLI : GZIP;
    response.writeHead(200, { "content-type": "text/plain", "content-encoding": name, "content-length": bytes.length });
    response.end(bytes);
  } else {
    serveFile(request, response);
  }
}

function serveFile(request, response) {
  const file = "0123456789";
  response.setHeader("etag", '"v1"');
  const range = request.headers.range?.match(/^bytes=(\d+)-(\d+)$/);
  if (request.headers["if-none-match"] === '"v1"') {
    response.writeHead(304).end();
  } else if (range) {
    const [from, to] = [Number(range[1]), Number(range[2])];
    response.writeHead(206, { "content-range": `bytes ${from}-${to}/${file.length}` });
    response.end(file.slice(from, to + 1));
  } else {
    response.writeHead(200, { "content-length": file.length });
    response.end(request.method === "HEAD" ? "" : file);
  }
}

function attachWebSockets(server) {
  const handleProtocols = (protocols) => [...protocols][0];
  origin.sockets = new WebSocketServer({ server, handleProtocols });
  origin.sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => {
      if (data.toString() === "close with 4001") socket.close(4001, "as you wish");
      else socket.send(data, { binary: isBinary });
    });
  });
}
