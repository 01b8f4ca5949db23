// Tokens in the real runtime: minted by `jose`, checked by the gate, and what the origin is told
// about who sent them.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { Agent, get } from "node:http";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, exportJWK, generateKeyPair, generateSecret, jwtVerify, SignJWT } from "jose";
import { AUDIENCE, ISSUER, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const encoder = new TextEncoder();
const nowS = () => Math.floor(Date.now() / 1000);
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

const PLANS = [
  { id: "free", entitlements: ["basic"] },
  { id: "pro", name: "Pro", entitlements: ["export", "basic"], buy_url: "https://shop.example.test/pro" },
];
const GATED = [{ match: "/open/**", open: true }, { match: "/**" }];

describe("algorithms and carriers", () => {
  const algorithms = ["Ed25519", "EdDSA", "ES256", "RS256", "PS256", "HS256"];
  const issuers = new Map();
  let origin, gate;

  before(async () => {
    origin = await startOrigin();
    const vars = { ROUTES: GATED, PLANS, CREDENTIALS: ["bearer", "cookie:session", "header:X-Access-Token", "query:access_token"], ISSUERS: [] };
    for (const alg of algorithms) {
      const iss = `${ISSUER}/${alg}`;
      if (alg === "HS256") {
        const issuer = await makeSecretIssuer(iss);
        issuers.set(alg, issuer);
        vars.SHARED_KEYS = JSON.stringify({ keys: [issuer.jwk] });
        const { keys, ...rest } = issuerVar(issuer);
        vars.ISSUERS.push({ ...rest, keys_secret: "SHARED_KEYS" });
      } else {
        issuers.set(alg, await makeIssuer({ alg, iss }));
        vars.ISSUERS.push(issuerVar(issuers.get(alg)));
      }
    }
    gate = await startGate({ origin, vars });
  });
  after(async () => {
    await gate?.stop();
    await origin?.stop();
  });

  const carriers = {
    bearer: (token) => ["/a", bearer(token)],
    cookie: (token) => ["/a", { headers: { cookie: `x=1; session=${token}; y=2` } }],
    header: (token) => ["/a", { headers: { "x-access-token": token } }],
    query: (token) => [`/a?x=1&access_token=${token}&y=2`, {}],
  };

  for (const alg of algorithms) {
    for (const [carrier, request] of Object.entries(carriers)) {
      test(`${alg} by ${carrier}`, async () => {
        const token = await issuers.get(alg).mint({ sub: `a-${alg}`, plan: "pro", entitlements: ["beta"] });
        const [path, init] = request(token);
        const response = await gate.fetch(path, init);
        assert.equal(response.status, 200);
        const seen = await response.json();
        assert.equal(seen.url, path);
        assert.equal(seen.headers["tollgate-account"], `a-${alg}`);
        assert.equal(seen.headers["tollgate-plan"], "pro");
        assert.equal(seen.headers["tollgate-entitlements"], "basic beta export");
        assert.equal(seen.headers["tollgate-tenant"], undefined);
        assert.equal(seen.headers["tollgate-assertion"], undefined);
      });
    }
  }

  test("a token without kid finds its key, and the scheme's case does not matter", async () => {
    for (const alg of algorithms) {
      const token = await issuers.get(alg).mint({}, { kid: undefined, typ: undefined });
      const response = await gate.fetch("/a", { headers: { authorization: `bEARER ${token}` } });
      assert.equal(response.status, 200, alg);
    }
  });

  test("one issuer's key does not sign for another", async () => {
    for (const alg of algorithms) {
      const other = algorithms[(algorithms.indexOf(alg) + 1) % algorithms.length];
      const token = await issuers.get(alg).mint({ iss: `${ISSUER}/${other}` });
      const response = await gate.fetch("/a", bearer(token));
      assert.equal(response.status, 401, `${alg} for ${other}`);
    }
  });
});

describe("what the origin is told", () => {
  let origin, gate, issuer;
  const spoofed = {
    "Tollgate-Account": "root",
    "tollgate-plan": "enterprise",
    "TOLLGATE-ENTITLEMENTS": "everything",
    "Tollgate-Tenant": "victim",
    "Tollgate-Assertion": "a.b.c",
    "Tollgate-Degraded": "panicked",
  };

  before(async () => {
    origin = await startOrigin();
    issuer = await makeIssuer();
    gate = await startGate({
      origin,
      vars: {
        ROUTES: [
          { match: "/open/**", open: true },
          { match: "/kept/**" },
          { match: "/**", forward_credential: false },
        ],
        PLANS,
        CREDENTIALS: ["bearer", "cookie:session", "header:X-Access-Token", "query:access_token"],
        ISSUERS: [issuerVar(issuer, { claims: { account: ["org", "id"], tenant: "tid", plan: "plan", entitlements: "scope" } })],
      },
    });
  });
  after(async () => {
    await gate?.stop();
    await origin?.stop();
  });

  const mint = (claims) => issuer.mint({ org: { id: "acme" }, tid: "north", plan: "free", scope: "write read", ...claims });
  const seenAt = async (path, init) => {
    const response = await gate.fetch(path, init);
    assert.equal(response.status, 200);
    return response.json();
  };

  test("account, plan, entitlements and tenant, from where they stand in the claims", async () => {
    const { headers } = await seenAt("/kept/a", bearer(await mint()));
    assert.equal(headers["tollgate-account"], "acme");
    assert.equal(headers["tollgate-tenant"], "north");
    assert.equal(headers["tollgate-plan"], "free");
    assert.equal(headers["tollgate-entitlements"], "basic read write");
    assert.ok(headers.authorization.startsWith("Bearer "), "the credential is forwarded by default");
  });

  test("names that no header can hold arrive percent-encoded", async () => {
    const { headers } = await seenAt("/a", bearer(await mint({ org: { id: "Zoë & Co/100%" }, tid: "größe" })));
    assert.equal(decodeURIComponent(headers["tollgate-account"]), "Zoë & Co/100%");
    assert.equal(decodeURIComponent(headers["tollgate-tenant"]), "größe");
  });

  test("headers that only the gate may set are replaced or removed", async () => {
    const { headers, rawHeaders } = await seenAt("/kept/a", { headers: { ...bearer(await mint()).headers, ...spoofed } });
    assert.equal(headers["tollgate-account"], "acme");
    assert.equal(headers["tollgate-tenant"], "north");
    const ours = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()).filter((name) => name.startsWith("tollgate-"));
    assert.deepEqual(ours.sort(), ["tollgate-account", "tollgate-entitlements", "tollgate-plan", "tollgate-tenant"]);
  });

  test("they are removed on open routes and preflights too", async () => {
    const preflight = { origin: "https://app.example.test", "access-control-request-method": "PUT" };
    for (const [path, init] of [["/open/a", { headers: spoofed }], ["/a", { method: "OPTIONS", headers: { ...spoofed, ...preflight } }]]) {
      await (await gate.fetch(path, init)).text();
      const { headers } = origin.requests.at(-1);
      assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith("tollgate")), [], path);
    }
  });

  // CGI, WSGI, Rack and PHP turn both spellings into HTTP_TOLLGATE_ACCOUNT.
  test("spellings with an underscore, which many origins read as the same header, are removed", async () => {
    const headers = Object.fromEntries(Object.entries(spoofed).map(([name, value]) => [name.replace("-", "_"), value]));
    const seen = await seenAt("/open/a", { headers });
    assert.deepEqual(Object.keys(seen.headers).filter((name) => name.startsWith("tollgate")), []);
  });

  test("forward_credential = false takes the token out, wherever it stood, and nothing else", async () => {
    const token = await mint();
    const others = { "x-other": "1" };
    const byBearer = await seenAt("/a?x=1", { headers: { ...bearer(token).headers, ...others } });
    assert.equal(byBearer.headers.authorization, undefined);
    const byCookie = await seenAt("/a?x=1", { headers: { cookie: `x=1; session=${token}; y=2`, ...others } });
    assert.equal(byCookie.headers.cookie, "x=1; y=2");
    const byCookieAlone = await seenAt("/a?x=1", { headers: { cookie: `session="${token}"`, ...others } });
    assert.equal(byCookieAlone.headers.cookie, undefined);
    const byHeader = await seenAt("/a?x=1", { headers: { "x-access-token": token, ...others } });
    assert.equal(byHeader.headers["x-access-token"], undefined);
    const byQuery = await seenAt(`/a?x=1&access_token=${token}&y=%20`, { headers: others });
    assert.equal(byQuery.url, "/a?x=1&y=%20");
    const byQueryAlone = await seenAt(`/a?access_token=${token}`, { headers: others });
    assert.equal(byQueryAlone.url, "/a");
    for (const seen of [byBearer, byCookie, byCookieAlone, byHeader, byQuery, byQueryAlone]) {
      assert.equal(JSON.stringify(seen).includes(token), false);
      assert.equal(seen.headers["x-other"], "1");
      assert.equal(seen.headers["tollgate-account"], "acme");
    }
  });

  test("forward_credential = false takes out every configured carrier that holds a token", async () => {
    const token = await mint();
    const seen = await seenAt(`/a?access_token=${token}`, {
      headers: { ...bearer(token).headers, cookie: `session=${token}`, "x-access-token": token },
    });
    assert.equal(JSON.stringify(seen).includes(token), false);
  });

  test("a required tenant that is missing, or the word for none, is refused", async () => {
    for (const tid of [undefined, "-", "", 1.5, ["north"]]) {
      const response = await gate.fetch("/a", bearer(await mint({ tid })));
      assert.equal(response.headers.get("tollgate-cause"), "invalid-token", JSON.stringify(tid));
    }
  });
});

describe("assertions", () => {
  for (const [alg, name] of [["Ed25519", "Ed25519"], ["ES256", "P-256"]]) {
    test(`an ${name} ASSERTION_KEY signs what jose verifies by jwks.json`, async () => {
      const origin = await startOrigin();
      const issuer = await makeIssuer();
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      const key = { ...(await exportJWK(privateKey)), kid: "gate-1" };
      const vars = { ROUTES: GATED, PLANS, ISSUERS: [issuerVar(issuer)], ASSERTION_KEY: JSON.stringify(key) };
      const gate = await startGate({ origin, vars, bindings: { scriptPath: "tests/e2e/fixtures/counting_entry.mjs" } });
      try {
        const published = await (await gate.fetch("/_tollgate/jwks.json")).json();
        assert.equal(published.keys.length, 1);
        assert.equal("d" in published.keys[0], false);
        assert.equal(JSON.stringify(published).includes(key.d), false);
        assert.equal(published.keys[0].alg, alg);

        const jwks = createRemoteJWKSet(new URL("/_tollgate/jwks.json", gate.url));
        const rules = { issuer: gate.url, audience: new URL(origin.url).host, maxTokenAge: 60, requiredClaims: ["sub", "exp", "iat"] };
        const names = ["alice", "bob", "carol", "dave"];
        const tokens = await Promise.all(names.map((sub) => issuer.mint({ sub, plan: "pro", entitlements: ["beta"] })));
        // Many at once, so that a mix-up of callers would show.
        const asked = Array.from({ length: 64 }, (_, at) => at % names.length);
        await Promise.all(asked.map(async (at) => {
          const seen = await (await gate.fetch("/a", bearer(tokens[at]))).json();
          const { payload, protectedHeader } = await jwtVerify(seen.headers["tollgate-assertion"], jwks, rules);
          assert.equal(protectedHeader.kid, "gate-1");
          assert.equal(protectedHeader.alg, alg);
          assert.equal(payload.sub, names[at]);
          assert.equal(payload.plan, "pro");
          assert.deepEqual(payload.entitlements, ["basic", "beta", "export"]);
          assert.ok(payload.exp - payload.iat <= 60 && payload.exp - nowS() <= 60 && payload.exp > nowS());
        }));
        const { sign } = await (await gate.fetch("/count")).json();
        assert.ok(sign >= names.length && sign < asked.length, `${sign} signatures for ${asked.length} requests`);

        const open = await (await gate.fetch("/open/a", { headers: { "tollgate-assertion": "forged" } })).json();
        assert.equal(open.headers["tollgate-assertion"], undefined, "nobody is asserted on an open route");
      } finally {
        await gate.stop();
        await origin.stop();
      }
    });
  }

  test("no key, no assertion: the set is empty", async () => {
    const gate = await startGate({ vars: { ORIGIN: "http://127.0.0.1:1", ROUTES: [{ match: "/**", open: true }] } });
    try {
      assert.deepEqual(await (await gate.fetch("/_tollgate/jwks.json")).json(), { keys: [] });
    } finally {
      await gate.stop();
    }
  });
});

describe("refused tokens", () => {
  let origin, gate, issuer, rsa, attacker, jku;

  before(async () => {
    origin = await startOrigin();
    issuer = await makeIssuer();
    rsa = await makeIssuer({ alg: "RS256", iss: `${ISSUER}/rsa`, kid: "rsa" });
    attacker = await makeIssuer({ kid: "mine" });
    jku = await startOrigin((_, response) => response.end(JSON.stringify({ keys: [attacker.jwk] })));
    const ISSUERS = [issuerVar(issuer, { max_lifetime_s: 3600 }), issuerVar(rsa)];
    gate = await startGate({ origin, vars: { ROUTES: GATED, PLANS, ISSUERS } });
  });
  after(async () => {
    await gate?.stop();
    await origin?.stop();
    await jku?.stop();
  });

  const goodClaims = () => ({ iss: ISSUER, aud: AUDIENCE, sub: "alice", iat: nowS(), exp: nowS() + 600 });

  const cases = {
    expired: () => issuer.mint({ iat: nowS() - 900, exp: nowS() - 120 }),
    "not valid yet": () => issuer.mint({ nbf: nowS() + 300 }),
    "issued in the future": () => issuer.mint({ iat: nowS() + 300, exp: nowS() + 900 }),
    "valid for longer than allowed": () => issuer.mint({ exp: nowS() + 7200 }),
    "for another audience": () => issuer.mint({ aud: "https://other.example.test" }),
    "for several other audiences": () => issuer.mint({ aud: ["a", `${AUDIENCE}/`] }),
    "without audience": () => issuer.mint({ aud: undefined }),
    "by another issuer": () => issuer.mint({ iss: "https://evil.example.test" }),
    "by an issuer that only looks alike": () => issuer.mint({ iss: `${ISSUER}/` }),
    "without issuer": () => issuer.mint({ iss: undefined }),
    "without exp": () => issuer.mint({ exp: undefined }),
    "without account": () => issuer.mint({ sub: undefined }),
    "with an empty account": () => issuer.mint({ sub: "" }),
    "with a line break in the account": () => issuer.mint({ sub: "a\r\ntollgate-plan: pro" }),
    "with a list for a plan": () => issuer.mint({ plan: ["pro"] }),
    "with exp as a string": () => forge({ alg: "Ed25519", kid: issuer.kid }, { ...goodClaims(), exp: `${nowS() + 600}` }, issuer.privateKey),
    "with exp beyond all numbers": () => forge({ alg: "Ed25519", kid: issuer.kid }, { ...goodClaims(), exp: 1e300 }, issuer.privateKey),
    "with audience twice": async () =>
      signRaw(JSON.stringify({ alg: "Ed25519", kid: issuer.kid }), JSON.stringify(goodClaims()).replace("{", '{"aud":"x",'), issuer.privateKey),
    "of another type": () => issuer.mint({}, { typ: "dpop+jwt" }),
    "with crit": () => forge({ alg: "Ed25519", kid: issuer.kid, crit: ["exp"], exp: 1 }, goodClaims(), issuer.privateKey),
    "with b64": () => forge({ alg: "Ed25519", kid: issuer.kid, b64: true }, goodClaims(), issuer.privateKey),
    "by an unknown key": () => attacker.mint({}, { kid: "nobody" }),
    "by another key under a known kid": () => attacker.mint({}, { kid: issuer.kid }),
    "with its own key in the header": () => attacker.mint({}, { kid: undefined, jwk: publicOf(attacker.jwk) }),
    "with the address of its own key": () => attacker.mint({}, { kid: undefined, jku: jku.url, x5u: jku.url }),
    "with a key id that looks like a path": () => attacker.mint({}, { kid: "../../dev/null" }),
    "alg none": () => `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(goodClaims()))}.`,
    "alg NONE with a signature": () => `${base64url('{"alg":"NONE"}')}.${base64url(JSON.stringify(goodClaims()))}.AAAA`,
    "alg none under a known kid": () => `${base64url(`{"alg":"none","kid":"${issuer.kid}"}`)}.${base64url(JSON.stringify(goodClaims()))}.${"A".repeat(86)}`,
    "an HMAC with the public key's bytes": () => hmac(Buffer.from(issuer.jwk.x, "base64url")),
    "an HMAC with the public JWK": () => hmac(encoder.encode(JSON.stringify(issuer.jwk))),
    "an HMAC with the RSA modulus": () => hmac(Buffer.from(rsa.jwk.n, "base64url"), rsa),
    "RS256's key under PS256": async () => {
      const pss = await makeIssuer({ alg: "PS256", iss: rsa.iss, kid: rsa.kid });
      return pss.mint();
    },
    "an alg changed after signing": async () => {
      const [, claims, signature] = (await issuer.mint()).split(".");
      return `${base64url(JSON.stringify({ alg: "ES256", kid: issuer.kid }))}.${claims}.${signature}`;
    },
    "claims changed after signing": async () => {
      const [header, , signature] = (await issuer.mint()).split(".");
      return `${header}.${base64url(JSON.stringify({ ...goodClaims(), plan: "pro" }))}.${signature}`;
    },
    "a signature with one bit flipped": async () => {
      const [header, claims, signature] = (await issuer.mint()).split(".");
      const bytes = Buffer.from(signature, "base64url");
      bytes[10] ^= 1;
      return `${header}.${claims}.${base64url(bytes)}`;
    },
    "a signature cut short": async () => (await issuer.mint()).slice(0, -8),
    "no signature": async () => `${(await issuer.mint()).split(".").slice(0, 2).join(".")}.`,
    "only two parts": async () => (await issuer.mint()).split(".").slice(0, 2).join("."),
    "five parts": () => "a.b.c.d.e",
    "standard base64": async () => (await issuer.mint()).replaceAll(".", "=."),
    "a JSON serialisation": () => JSON.stringify({ payload: "e30", signatures: [] }),
    "9 KB": () => issuer.mint({ filler: "x".repeat(7000) }),
    "only dots": () => "..",
    "more dots": () => ".".repeat(2000),
    "JSON that is no object": () => `${base64url("[]")}.${base64url("null")}.AAAA`,
    "JSON nested deep": () => `${base64url("[".repeat(3000))}.e30.AAAA`,
    "bytes that are no UTF-8": () => `${base64url([0xff, 0xfe])}.${base64url([0xc0, 0x80])}.AAAA`,
    "one letter": () => "x",
    "two tokens": async () => `${await issuer.mint()} ${await issuer.mint()}`,
    "two tokens with a comma": async () => `${await issuer.mint()}, Bearer ${await issuer.mint()}`,
    "letters beyond ASCII": () => "ä.ö.ü",
  };

  for (const [name, make] of Object.entries(cases)) {
    test(name, async () => {
      const token = await make();
      const before = origin.requests.length;
      const response = await gate.fetch("/a", { headers: { ...bearer(token).headers, accept: "application/json" } });
      const text = await response.text();
      assert.equal(response.status, 401, text);
      assert.equal(response.headers.get("tollgate-cause"), "invalid-token");
      const challenge = response.headers.get("www-authenticate");
      assert.match(challenge, /^Bearer realm="[^"]+", error="invalid_token", error_description="[^"\\]+\."$/);
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.equal(response.headers.get("retry-after"), null);
      const problem = JSON.parse(text);
      assert.equal(problem.cause, "invalid-token");
      assert.equal(problem.status, 401);
      assert.equal(problem.remedies[0].action, "sign-in");
      assert.equal(text.includes(token), false, "the token is not repeated");
      assert.equal(origin.requests.length, before, "nothing reaches the origin");
    });
  }

  test("nothing was fetched from an address in a header", () => assert.equal(jku.requests.length, 0));

  test("no token is a request to sign in, without an error code (RFC 6750 §3.1)", async () => {
    for (const authorization of ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer\tx", "Digest a=b"]) {
      const response = await gate.fetch("/a", { headers: authorization === "" ? {} : { authorization } });
      assert.equal(response.status, 401, authorization);
      assert.equal(response.headers.get("tollgate-cause"), "sign-in-required", authorization);
      assert.match(response.headers.get("www-authenticate"), /^Bearer realm="[^"]+"$/);
    }
  });

  test("clocks may disagree by a minute, and a refusal is not held against the next token", async () => {
    for (const claims of [{ exp: nowS() - 30 }, { nbf: nowS() + 30 }, { aud: ["x", AUDIENCE] }, {}]) {
      const response = await gate.fetch("/a", bearer(await issuer.mint(claims)));
      assert.equal(response.status, 200, JSON.stringify(claims));
    }
    const typed = await gate.fetch("/a", bearer(await issuer.mint({}, { typ: "application/at+JWT" })));
    assert.equal(typed.status, 200);
  });

  test("the log names why, and holds no token", async () => {
    const token = await issuer.mint({ aud: "elsewhere" });
    const { support_id } = await (await gate.fetch(`/a?access=${token}`, bearer(token))).json();
    const line = await logLine(gate, support_id);
    assert.equal(line.token_error, "wrong-audience");
    assert.equal(gate.log().includes(token), false);
    assert.equal(gate.log().includes(token.split(".")[2]), false);
  });

  /** A token as `header` and `claims` say, whether or not that makes sense. */
  function forge(header, claims, key) {
    return signRaw(JSON.stringify(header), JSON.stringify(claims), key);
  }

  async function signRaw(header, claims, key) {
    const signed = `${base64url(header)}.${base64url(claims)}`;
    const signature = await webcrypto.subtle.sign("Ed25519", key, encoder.encode(signed));
    return `${signed}.${base64url(signature)}`;
  }

  async function hmac(secret, as = issuer) {
    const key = await webcrypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return new SignJWT({ ...goodClaims(), iss: as.iss }).setProtectedHeader({ alg: "HS256", kid: as.kid }).sign(key);
  }
});

describe("the cost of a token", () => {
  test("10,000 requests with one token, 64 at a time, cause one verification", async () => {
    const origin = await startOrigin((_, response) => response.end("ok"));
    const issuer = await makeIssuer();
    const vars = { ROUTES: GATED, PLANS, ISSUERS: [issuerVar(issuer)] };
    const gate = await startGate({ origin, vars, bindings: { scriptPath: "tests/e2e/fixtures/counting_entry.mjs" } });
    const agent = new Agent({ keepAlive: true, maxSockets: 64 });
    try {
      const token = await issuer.mint();
      assert.deepEqual(decodeJwt(token).aud, AUDIENCE);
      const statuses = new Map();
      let left = 10_000;
      const worker = async () => {
        while (left > 0) {
          left -= 1;
          const status = await statusOf(`${gate.url}/a`, agent, token);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: 64 }, worker));
      assert.deepEqual([...statuses], [[200, 10_000]]);
      assert.equal(origin.requests.length, 10_000);
      const counts = await (await gate.fetch("/count")).json();
      assert.equal(counts.verify, 1, JSON.stringify(counts));
      assert.equal(counts.importKey, 1);

      // The counter counts: another token costs one more, and so does a forged one.
      await statusOf(`${gate.url}/a`, agent, await issuer.mint({ sub: "bob" }));
      const forged = `${token.slice(0, -20)}${"A".repeat(19)}w`;
      assert.equal(await statusOf(`${gate.url}/a`, agent, forged), 401);
      assert.equal((await (await gate.fetch("/count")).json()).verify, 3);
    } finally {
      agent.destroy();
      await gate.stop();
      await origin.stop();
    }
  });
});

function statusOf(url, agent, token) {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode)).on("error", reject);
    });
    request.on("error", reject);
  });
}

async function makeSecretIssuer(iss) {
  const secret = await generateSecret("HS256", { extractable: true });
  const kid = "shared";
  const jwk = { ...(await exportJWK(secret)), kid, alg: "HS256" };
  const mint = (claims = {}, header = {}) => {
    const all = { iss, aud: AUDIENCE, sub: "alice", iat: nowS(), exp: nowS() + 600, ...claims };
    const protectedHeader = JSON.parse(JSON.stringify({ alg: "HS256", kid, typ: "JWT", ...header }));
    return new SignJWT(all).setProtectedHeader(protectedHeader).sign(secret);
  };
  return { iss, kid, jwk, mint };
}

function publicOf({ d, ...rest }) {
  return rest;
}

/** The log line with this support id, as soon as it is written. */
async function logLine(gate, supportId) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const line = gate.log().split("\n").find((text) => text.includes(`"${supportId}"`));
    if (line) return JSON.parse(line);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no log line for ${supportId}:\n${gate.log()}`);
}
