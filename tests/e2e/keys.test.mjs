// Key sets at a URL: fetched once, rotated, bounded, and what happens while their server is ill.
// An outage of it is never shown as the caller's fault.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { describe, test } from "node:test";
import { ISSUER, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Far more than a hang costs, and far less than a test that hangs. */
const PATIENCE_MS = 8_000;

/** A server of key sets whose behaviour `server.answer` says, request by request. */
async function startKeyServer(...issuers) {
  const send = (_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys: issuers.map((issuer) => issuer.jwk) }));
  };
  const server = { answer: send, send, issuers };
  const http = await startOrigin((request, response) => server.answer(request, response));
  return Object.assign(server, { url: `${http.url}/jwks.json`, requests: http.requests, stop: http.stop, server: http.server });
}

/** Runs `then` with a gate whose one issuer's keys are at `url`. */
async function withGate(issuer, url, then, { vars = {}, routes = [{ match: "/open", open: true }, { match: "/**" }] } = {}) {
  const origin = await startOrigin();
  const { keys, ...rest } = issuerVar(issuer, { jwks_url: url });
  const all = { ROUTES: routes, ISSUERS: [rest], DEADLINES: { jwks_ms: 700 }, ...vars };
  const gate = await startGate({ origin, vars: all });
  try {
    return await then(gate, origin);
  } finally {
    await gate.stop();
    await origin.stop();
  }
}

async function answered(gate, token, path = "/a") {
  const startedAt = performance.now();
  const response = await gate.fetch(path, bearer(token));
  await response.text();
  const { status, headers } = response;
  return { status, headers, cause: headers.get("tollgate-cause"), tookMs: performance.now() - startedAt };
}

describe("a healthy key server", () => {
  test("many first requests at once fetch the set once, and later ones not at all", async () => {
    const issuer = await makeIssuer();
    const keys = await startKeyServer(issuer);
    // Slow enough that all of them arrive while the first fetch is under way.
    keys.answer = (request, response) => setTimeout(() => keys.send(request, response), 200);
    try {
      await withGate(issuer, keys.url, async (gate) => {
        await gate.fetch("/open");
        const tokens = await Promise.all(Array.from({ length: 64 }, (_, at) => issuer.mint({ sub: `a${at}` })));
        const all = await Promise.all(tokens.map((token) => answered(gate, token)));
        assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]));
        assert.equal(keys.requests.length, 1);
        for (const token of tokens.slice(0, 8)) assert.equal((await answered(gate, token)).status, 200);
        assert.equal((await answered(gate, await issuer.mint({ sub: "new" }))).status, 200);
        assert.equal(keys.requests.length, 1);
        assert.equal(keys.requests[0].headers.authorization, undefined);
      });
    } finally {
      await keys.stop();
    }
  });

  test("a rotated key is fetched for the first token that names it; the old one goes", async () => {
    const [old, young] = [await makeIssuer({ kid: "2025" }), await makeIssuer({ kid: "2026" })];
    const keys = await startKeyServer(old);
    try {
      await withGate(old, keys.url, async (gate) => {
        const oldToken = await old.mint();
        assert.equal((await answered(gate, oldToken)).status, 200);
        keys.issuers.splice(0, 1, young);
        assert.equal((await answered(gate, oldToken)).status, 200, "the cached set still has it");
        assert.equal(keys.requests.length, 1);

        const many = await Promise.all(Array.from({ length: 32 }, (_, at) => young.mint({ sub: `y${at}` })));
        const all = await Promise.all(many.map((token) => answered(gate, token)));
        assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]));
        assert.equal(keys.requests.length, 2, "one fetch for all of them");
        const gone = await answered(gate, oldToken);
        assert.equal(gone.status, 401, "a token remembered from a removed key is checked again");
      });
    } finally {
      await keys.stop();
    }
  });

  test("made-up key ids cause a few fetches, not one each", async () => {
    const issuer = await makeIssuer();
    const keys = await startKeyServer(issuer);
    try {
      await withGate(issuer, keys.url, async (gate) => {
        const good = await issuer.mint();
        assert.equal((await answered(gate, good)).status, 200);
        for (let round = 0; round < 8; round += 1) {
          const tokens = await Promise.all(Array.from({ length: 25 }, (_, at) => issuer.mint({}, { kid: `made-up-${round}-${at}` })));
          const all = await Promise.all(tokens.map((token) => answered(gate, token)));
          assert.deepEqual(new Set(all.map(({ cause }) => cause)), new Set(["invalid-token"]));
        }
        assert.ok(keys.requests.length <= 4, `${keys.requests.length} fetches for 200 made-up key ids`);
        assert.ok(keys.requests.length >= 2, "and at least one, for a rotation looks the same");
        assert.equal((await answered(gate, good)).status, 200);
        assert.equal((await answered(gate, await issuer.mint({ sub: "bob" }))).status, 200);
      });
    } finally {
      await keys.stop();
    }
  });

  test("tokens that are refused anyway fetch nothing", async () => {
    const issuer = await makeIssuer();
    const keys = await startKeyServer(issuer);
    try {
      await withGate(issuer, keys.url, async (gate) => {
        for (const token of ["x", "a.b.c", await issuer.mint({ aud: "x" }), await issuer.mint({ iss: "https://evil.example.test" }), await issuer.mint({ exp: 1 })]) {
          assert.equal((await answered(gate, token)).cause, "invalid-token");
        }
        assert.equal(keys.requests.length, 0);
      });
    } finally {
      await keys.stop();
    }
  });

  test("keys that the gate can't use are passed over, not held against the others", async () => {
    const issuer = await makeIssuer();
    const keys = await startKeyServer({ jwk: { kty: "EC", crv: "secp256k1", kid: "k", x: "AA", y: "AA" } }, { jwk: { kty: "quantum" } }, issuer);
    try {
      await withGate(issuer, keys.url, async (gate) => {
        assert.equal((await answered(gate, await issuer.mint())).status, 200);
      });
    } finally {
      await keys.stop();
    }
  });
});

describe("a key server that is ill from the start", () => {
  const hang = () => {};
  const illnesses = {
    "answers 500": (_, response) => response.writeHead(500).end("{}"),
    "answers 404 with a set": (_, response) => response.writeHead(404).end('{"keys":[]}'),
    "hangs before its headers": hang,
    "hangs in its body": (_, response) => response.writeHead(200).write('{"keys":['),
    "cuts the connection": (request) => request.socket.destroy(),
    "cuts the body short": (_, response) => {
      response.writeHead(200, { "content-length": "4096" }).write('{"keys":[');
      setTimeout(() => response.destroy(), 20);
    },
    "sends garbage": (_, response) => response.end("<html>maintenance</html>"),
    "sends bytes that are no UTF-8": (_, response) => response.end(Buffer.from([0xff, 0xfe, 0x00, 0x80])),
    "sends nothing": (_, response) => response.end(),
    "sends no keys": (_, response) => response.end('{"keys":[]}'),
    "sends a list": (_, response) => response.end("[]"),
    "sends a set with a member twice": (_, response) => response.end('{"keys":[],"keys":[]}'),
    "sends 100 KB": (_, response) => response.end(JSON.stringify({ keys: [], filler: "x".repeat(100_000) })),
    "sends without end": (_, response) => {
      response.writeHead(200);
      const more = () => !response.destroyed && response.write("x".repeat(65_536), () => setTimeout(more, 1));
      more();
    },
    "drips": (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => (response.destroyed ? clearInterval(timer) : response.write(" ")), 50);
    },
  };

  for (const [name, answer] of Object.entries(illnesses)) {
    test(`it ${name}: 503, soon, and never 401 or 402`, async () => {
      const issuer = await makeIssuer();
      const keys = await startKeyServer(issuer);
      keys.answer = answer;
      try {
        const routes = [{ match: "/open", open: true }, { match: "/offer", anonymous: "offer", on_outage: "pass" }, { match: "/**" }];
        await withGate(issuer, keys.url, async (gate, origin) => {
          const token = await issuer.mint();
          for (const path of ["/a", "/offer", "/a"]) {
            const { status, cause, headers, tookMs } = await answered(gate, token, path);
            assert.equal(status, 503, `${path}: ${cause}`);
            assert.equal(cause, "checker-unavailable");
            assert.ok(Number(headers.get("retry-after")) >= 1);
            assert.equal(headers.get("cache-control"), "no-store");
            assert.ok(tookMs < PATIENCE_MS, `${tookMs} ms`);
          }
          assert.equal(origin.requests.length, 0, "an unchecked token passes nowhere");
          assert.ok(keys.requests.length <= 2, `${keys.requests.length} fetches`);
          assert.equal((await gate.fetch("/open")).status, 200);
          assert.equal((await gate.fetch("/_tollgate/health")).status, 200);
          assert.doesNotMatch(gate.log(), /panic|Critical/);
        }, { routes });
      } finally {
        await keys.stop();
      }
    });
  }

  test("it redirects: the other host is never asked", async () => {
    const issuer = await makeIssuer();
    const keys = await startKeyServer(issuer);
    const elsewhere = await startKeyServer(issuer);
    keys.answer = (_, response) => response.writeHead(302, { location: elsewhere.url }).end();
    try {
      await withGate(issuer, keys.url, async (gate) => {
        assert.equal((await answered(gate, await issuer.mint())).cause, "checker-unavailable");
        assert.equal(elsewhere.requests.length, 0);
      });
    } finally {
      await keys.stop();
      await elsewhere.stop();
    }
  });

  test("nobody listens: many requests at once are all told, soon, at the cost of a few fetches", async () => {
    const issuer = await makeIssuer();
    const keys = await startKeyServer(issuer);
    await keys.stop();
    await withGate(issuer, keys.url, async (gate) => {
      const tokens = await Promise.all(Array.from({ length: 32 }, (_, at) => issuer.mint({ sub: `a${at}` })));
      const all = await Promise.all(tokens.map((token) => answered(gate, token)));
      assert.deepEqual(new Set(all.map(({ cause }) => cause)), new Set(["checker-unavailable"]));
      assert.ok(all.every(({ tookMs }) => tookMs < PATIENCE_MS));
    });
  });

  test("a hang is not a hang for whoever comes second, and recovery is noticed", async () => {
    const issuer = await makeIssuer();
    const keys = await startKeyServer(issuer);
    keys.answer = hang;
    try {
      await withGate(issuer, keys.url, async (gate) => {
        const token = await issuer.mint();
        const all = await Promise.all(Array.from({ length: 16 }, () => answered(gate, token)));
        assert.deepEqual(new Set(all.map(({ cause }) => cause)), new Set(["checker-unavailable"]));
        const again = await answered(gate, token);
        assert.equal(again.cause, "checker-unavailable");
        assert.ok(again.tookMs < 500, `known to be down, and yet ${again.tookMs} ms`);
        keys.answer = keys.send;
        const back = await until(() => answered(gate, token), ({ status }) => status === 200);
        assert.equal(back.status, 200);
      });
    } finally {
      await keys.stop();
    }
  });

  test("a key server slower than two seconds, but within its deadline, is waited for by all", async () => {
    const issuer = await makeIssuer();
    const keys = await startKeyServer(issuer);
    keys.answer = (request, response) => setTimeout(() => keys.send(request, response), 2_600);
    try {
      await withGate(issuer, keys.url, async (gate) => {
        await gate.fetch("/open");
        const tokens = await Promise.all(Array.from({ length: 8 }, (_, at) => issuer.mint({ sub: `a${at}` })));
        const all = await Promise.all(tokens.map((token) => answered(gate, token)));
        assert.deepEqual(all.map(({ cause }) => cause), tokens.map(() => null));
      }, { vars: { DEADLINES: { jwks_ms: 6_000 } } });
    } finally {
      await keys.stop();
    }
  });

  test("a first caller who hangs up does not leave the others without keys", async () => {
    const issuer = await makeIssuer();
    const keys = await startKeyServer(issuer);
    keys.answer = (request, response) => setTimeout(() => keys.send(request, response), 400);
    try {
      await withGate(issuer, keys.url, async (gate) => {
        await gate.fetch("/open");
        const token = await issuer.mint();
        const impatient = httpRequest(`${gate.url}/a`, bearer(token));
        impatient.on("error", () => {});
        impatient.end();
        await until(() => keys.requests.length, (count) => count === 1, 10);
        impatient.destroy();
        const all = await Promise.all(Array.from({ length: 8 }, () => answered(gate, token)));
        assert.deepEqual(all.map(({ cause }) => cause), all.map(() => null));
      }, { vars: { DEADLINES: { jwks_ms: 3_000 } } });
    } finally {
      await keys.stop();
    }
  });
});

describe("a key server that falls ill later", () => {
  test("the last good set is kept: known keys go on working", async () => {
    const issuer = await makeIssuer();
    const keys = await startKeyServer(issuer);
    await withGate(issuer, keys.url, async (gate) => {
      assert.equal((await answered(gate, await issuer.mint())).status, 200);
      await keys.stop();
      // Each unknown key makes the gate ask again, and fail.
      for (let at = 0; at < 5; at += 1) await answered(gate, await issuer.mint({}, { kid: `made-up-${at}` }));
      for (const sub of ["alice", "bob", "carol"]) {
        assert.equal((await answered(gate, await issuer.mint({ sub }))).status, 200);
      }
    });
  });

  for (const [name, answer] of Object.entries({
    "an empty set": (_, response) => response.end('{"keys":[]}'),
    "an error": (_, response) => response.writeHead(500).end(),
    "garbage": (_, response) => response.end("gone fishing"),
  })) {
    test(`${name} in place of the set doesn't replace it`, async () => {
      const issuer = await makeIssuer();
      const keys = await startKeyServer(issuer);
      try {
        await withGate(issuer, keys.url, async (gate) => {
          assert.equal((await answered(gate, await issuer.mint())).status, 200);
          keys.answer = answer;
          await answered(gate, await issuer.mint({}, { kid: "made-up" }));
          assert.equal(keys.requests.length, 2);
          assert.equal((await answered(gate, await issuer.mint({ sub: "bob" }))).status, 200);
        });
      } finally {
        await keys.stop();
      }
    });
  }

  test("a key that could not be fetched is our outage, not the caller's bad token", async () => {
    const [old, young] = [await makeIssuer({ kid: "2025" }), await makeIssuer({ kid: "2026" })];
    const keys = await startKeyServer(old);
    try {
      await withGate(old, keys.url, async (gate) => {
        assert.equal((await answered(gate, await old.mint())).status, 200);
        // The issuer has rotated, and its server is down at that very moment.
        keys.answer = (_, response) => response.writeHead(503).end();
        const { status, cause, headers } = await answered(gate, await young.mint());
        assert.equal(status, 503, cause);
        assert.equal(cause, "checker-unavailable");
        assert.ok(Number(headers.get("retry-after")) >= 1);
      });
    } finally {
      await keys.stop();
    }
  });
});

test("a key server beyond the loopback has to speak https", async () => {
  const issuer = await makeIssuer();
  for (const url of ["http://keys.example.test/jwks.json", "http://127.0.0.1.example.test/", "http://localhost@evil.example.test/", "ftp://localhost/", "file:///etc/passwd"]) {
    await withGate(issuer, url, async (gate) => {
      const health = await gate.fetch("/_tollgate/health");
      assert.equal(health.status, 503, url);
      const { mistakes } = await health.json();
      assert.ok(mistakes.some(({ variable, field }) => variable === "ISSUERS" && field === "[0].jwks_url"), JSON.stringify(mistakes));
    });
  }
  assert.equal(issuer.iss, ISSUER);
});

/** Asks until the answer is good, for as long as patience lasts. */
async function until(ask, isGood, everyMs = 250) {
  const endsAt = performance.now() + 2 * PATIENCE_MS;
  for (;;) {
    const found = await ask();
    if (isGood(found) || performance.now() > endsAt) return found;
    await pause(everyMs);
  }
}

test("a key that is no point of its curve is the operator's mistake, not the caller's", async () => {
  const issuer = await makeIssuer({ alg: "ES256" });
  const coordinate = Buffer.alloc(32, 7).toString("base64url");
  const off = { ...issuer, jwk: { ...issuer.jwk, x: coordinate, y: coordinate } };
  const gate = await startGate({ vars: { ORIGIN: "http://127.0.0.1:9", ROUTES: [{ match: "/**" }], ISSUERS: [issuerVar(off)] } });
  try {
    const answer = await gate.fetch("/", { headers: { authorization: `Bearer ${await issuer.mint()}` } });
    assert.deepEqual([answer.status, (await answer.json()).cause], [503, "misconfigured"]);
    const { mistakes } = await (await gate.fetch("/_tollgate/health")).json();
    assert.ok(mistakes.some(({ field, found }) => field.startsWith("[0].keys") && /not on P-256/.test(found)), JSON.stringify(mistakes));
  } finally {
    await gate.stop();
  }
});
