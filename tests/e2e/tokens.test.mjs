// Tokens in the real runtime: minted by `jose`, checked by the gate, and turned into the origin's
// facts about their senders.

import assert from "node:assert/strict";
import { Agent, get } from "node:http";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeJwt, exportJWK, generateKeyPair, generateSecret, jwtVerify, SignJWT } from "jose";
import { AUDIENCE, ISSUER, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const nowS = () => Math.floor(Date.now() / 1000);
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

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
