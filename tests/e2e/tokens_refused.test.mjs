// Tokens that have to be refused, each with a flaw of its own, in the real runtime.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { SignJWT } from "jose";
import { AUDIENCE, ISSUER, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const encoder = new TextEncoder();
const nowS = () => Math.floor(Date.now() / 1000);
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

const PLANS = [{ id: "free" }, { id: "pro" }];
const GATED = [{ match: "/open/**", open: true }, { match: "/**" }];

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
