// Configurations with mistakes, in the real runtime: every mistake is named at once, nobody is
// asked to pay for one, and no secret leaks.

import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { exportJWK, generateKeyPair, generateSecret } from "jose";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8";
const [issuer, other, secret] = await Promise.all([makeIssuer(), makeIssuer({ kid: "other" }), generateSecret("HS256", { extractable: true }).then(exportJWK)]);
const privateJwk = await exportJWK(issuer.privateKey);
const { keys: _, ...keyless } = issuerVar(issuer);

/** A configuration without a mistake, to be changed by the cases. */
const good = () => ({
  ROUTES: [{ match: "/open/**", open: true }, { match: "/api/**", meter: "api" }, { match: "/**", requires: ["premium"] }],
  PLANS: [{ id: "pro", entitlements: ["premium"], quotas: [{ meter: "api", limit: 10, per: "month" }], buy_url: "https://shop.example.test/" }],
  ISSUERS: [issuerVar(issuer)],
  ADMIN_TOKEN,
});
const route = (more) => ({ ROUTES: [{ match: "/x", ...more }, { match: "/**" }] });
const plan = (more) => ({ PLANS: [{ id: "pro", ...more }] });
const quota = (more) => plan({ quotas: [{ meter: "api", limit: 10, per: "month", ...more }] });
const issuerWith = (more) => ({ ISSUERS: [{ ...keyless, keys: { keys: [issuer.jwk] }, ...more }] });
const billedBy = (provider, secret) => ({ BILLING: [{ provider }], [`${provider.toUpperCase()}_WEBHOOK_SECRET`]: secret });
const pair = generateKeyPairSync("ed25519");
const publicPem = pair.publicKey.export({ format: "pem", type: "spki" });
const publicSpki = pair.publicKey.export({ format: "der", type: "spki" }).toString("base64");
const point = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
const long = { kty: "oct", k: randomBytes(32).toString("base64url"), kid: "shared" };
/** Of `jws_rsa_roca_key` in Wycheproof: its factors can be computed. */
const ROCA =
  "AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_HhFw16HGaTDUHqPrId7fe4r11CqRw09yBFuW79V8sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mwZM9wREPXoDPgOoIWl6q_MPsp7n0zs3Z5ZaiQWOOzl1S9OhwAfSiiOwz6efnXEaxuTEtPd7BjSx7NaFka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_wSyHQg_c_qHRtKUsNSGCT7OZg0hzm2KphtjnayKJvC64vAbROBR4Ubg6Bxg9IQVZ-QYyE";
const keyedBy = (more) => ({ ISSUERS: [{ ...keyless, ...more }] });

// The mistake; the changed variables; variable and field; the value named in the sentence.
const cases = [
  ["no ORIGIN", { ORIGIN: undefined }, "ORIGIN", "", /nothing/],
  ["an ORIGIN without scheme", { ORIGIN: "origin.example.com" }, "ORIGIN", "", /origin\.example\.com/],
  ["an ORIGIN with a path", { ORIGIN: "https://origin.example.com/app" }, "ORIGIN", "", /app/],
  ["an ORIGIN of another scheme", { ORIGIN: "ftp://origin.example.com" }, "ORIGIN", "", /ftp/],
  ["an ORIGIN that is a number", { ORIGIN: 8080 }, "ORIGIN", "", /8080/],
  ["an ORIGIN that is an unbound service", { ORIGIN: "service:SITE" }, "ORIGIN", "", /SITE/],
  ["no ROUTES", { ROUTES: undefined }, "ROUTES", "", /nothing/],
  ["empty ROUTES", { ROUTES: [] }, "ROUTES", "", /unmatched/],
  ["ROUTES that are a table", { ROUTES: { match: "/**" } }, "ROUTES", "", /match/],
  ["ROUTES that are no JSON", { ROUTES: "[{match:'/**'}]" }, "ROUTES", "", /JSON/],
  ["a route that is a string", { ROUTES: ["/x", { match: "/**", open: true }] }, "ROUTES", "[0]", /x/],
  ["a route without match", route({ match: undefined }), "ROUTES", "[0].match", /nothing/],
  ["a route with an empty match", route({ match: "" }), "ROUTES", "[0].match", /""/],
  ["a pattern that is none", route({ match: "articles" }), "ROUTES", "[0].match", /articles/],
  ["a field spelled wrongly", route({ require: ["premium"] }), "ROUTES", "[0]", /"require"/],
  ["a field nobody knows", route({ banana: 1 }), "ROUTES", "[0]", /"banana"/],
  ["open beside requires", route({ open: true, requires: ["premium"] }), "ROUTES", "[0].open", /open = true/],
  ["open that is a string", route({ open: "yes" }), "ROUTES", "[0].open", /"yes"/],
  ["requires with a space", route({ requires: ["premium plus"] }), "ROUTES", "[0].requires", /premium plus/],
  ["two meters", route({ meter: ["a", "b"] }), "ROUTES", "[0].meter", /"a"/],
  ["a cost of nothing", route({ meter: "api", cost: 0 }), "ROUTES", "[0].cost", /0/],
  ["a negative cost", route({ meter: "api", cost: -1 }), "ROUTES", "[0].cost", /-1/],
  ["a cost without meter", route({ cost: 5 }), "ROUTES", "[0].meter", /cost = 5/],
  ["an unknown word for anonymous", route({ anonymous: "maybe" }), "ROUTES", "[0].anonymous", /maybe/],
  ["an unknown word for on_outage", route({ on_outage: "panic" }), "ROUTES", "[0].on_outage", /panic/],
  ["a burst without binding", route({ burst: "BURST" }), "ROUTES", "[0].burst", /BURST/],
  ["a route's origin that is none", route({ origin: "elsewhere" }), "ROUTES", "[0].origin", /elsewhere/],
  ["no last route", { ROUTES: [{ match: "/x" }] }, "ROUTES", "", /unmatched/],
  ["a last route for one method", { ROUTES: [{ match: "GET /**" }] }, "ROUTES", "", /unmatched/],
  ["a plan without id", { PLANS: [{ name: "Pro" }] }, "PLANS", "[0].id", /nothing/],
  ["a plan twice", { PLANS: [{ id: "pro" }, { id: "pro" }] }, "PLANS", "[1].id", /second/],
  ["a plan's field spelled wrongly", plan({ entitlement: ["x"] }), "PLANS", "[0]", /"entitlement"/],
  ["a link that runs script", plan({ buy_url: "javascript:alert(1)" }), "PLANS", "[0].buy_url", /javascript/],
  ["a link over http", plan({ buy_url: "http://shop.example.test/" }), "PLANS", "[0].buy_url", /http:/],
  ["a grace beyond a year", plan({ grace_days: 400 }), "PLANS", "[0].grace_days", /400/],
  ["a quota without limit", quota({ limit: undefined }), "PLANS", "[0].quotas[0]", /limit/],
  ["a negative limit", quota({ limit: -5 }), "PLANS", "[0].quotas[0].limit", /-5/],
  ["half a limit", quota({ limit: 1.5 }), "PLANS", "[0].quotas[0].limit", /1\.5/],
  ["an unknown period", quota({ per: "year" }), "PLANS", "[0].quotas[0].per", /year/],
  ["an unknown enforcement", quota({ enforcement: "firm" }), "PLANS", "[0].quotas[0].enforcement", /firm/],
  ["an offset that is none", quota({ utc_offset: "2" }), "PLANS", "[0].quotas[0].utc_offset", /"2"/],
  ["a quota twice", plan({ quotas: [{ meter: "a", limit: 1, per: "day" }, { meter: "a", limit: 2, per: "day" }] }), "PLANS", "[0].quotas", /twice/],
  ["no ISSUERS for gated routes", { ISSUERS: undefined }, "ISSUERS", "", /nobody/],
  ["an issuer without iss", issuerWith({ iss: undefined }), "ISSUERS", "[0].iss", /nothing/],
  ["an issuer without audience", issuerWith({ audience: undefined }), "ISSUERS", "[0].audience", /nothing/],
  ["an issuer without keys", keyedBy({}), "ISSUERS", "[0].keys", /without keys/],
  ["keys in two places", keyedBy({ keys: { keys: [issuer.jwk] }, jwks_url: "https://a.example.test/" }), "ISSUERS", "[0].keys", /more than one/],
  ["a key set over http", keyedBy({ jwks_url: "http://keys.example.test/" }), "ISSUERS", "[0].jwks_url", /http:/],
  ["a private key in a public place", keyedBy({ keys: { keys: [privateJwk] } }), "ISSUERS", "[0].keys.keys[0].d", /private/],
  ["a shared secret in a public place", keyedBy({ keys: { keys: [secret] } }), "ISSUERS", "[0].keys.keys[0].kty", /secret/],
  ["an empty key set", keyedBy({ keys: { keys: [] } }), "ISSUERS", "[0].keys.keys", /0/],
  ["a key id twice", keyedBy({ keys: { keys: [issuer.jwk, { ...other.jwk, kid: issuer.kid }] } }), "ISSUERS", "[0].keys.keys[1].kid", /same/],
  ["a key for another algorithm", keyedBy({ keys: { keys: [{ ...issuer.jwk, alg: "ES256" }] } }), "ISSUERS", "[0].keys.keys[0].alg", /ES256/],
  ["a key for encryption", keyedBy({ keys: { keys: [{ ...issuer.jwk, use: "enc" }] } }), "ISSUERS", "[0].keys.keys[0].use", /"enc"/],
  ["the name of a secret that is not there", keyedBy({ keys_secret: "TOKEN_KEYS" }), "ISSUERS", "[0].keys_secret", /TOKEN_KEYS/],
  ["a secret that is no key set", { ...keyedBy({ keys_secret: "TOKEN_KEYS" }), TOKEN_KEYS: "hush-hush-hush" }, "ISSUERS", "[0].keys_secret", /./],
  ["a shared secret that is short", { ...keyedBy({ keys_secret: "TOKEN_KEYS" }), TOKEN_KEYS: JSON.stringify({ keys: [{ kty: "oct", k: "aHVzaC1odXNo" }] }) }, "ISSUERS", "[0].keys_secret.keys[0].k", /9 bytes/],
  ["an issuer twice", { ISSUERS: [issuerVar(issuer), issuerVar(other)] }, "ISSUERS", "[1].iss", /second/],
  ["too much leeway", issuerWith({ leeway_s: 301 }), "ISSUERS", "[0].leeway_s", /301/],
  ["a claim path that is none", issuerWith({ claims: { account: 7 } }), "ISSUERS", "[0].claims.account", /7/],
  ["a claim nobody reads", issuerWith({ claims: { user: "sub" } }), "ISSUERS", "[0].claims", /"user"/],
  ["an unknown subscription source", issuerWith({ subscription: "stripe" }), "ISSUERS", "[0].subscription", /stripe/],
  ["a colour that nobody can read", { BRAND: { color: "#ffee00" } }, "BRAND", ".color", /contrast/],
  ["a colour by name", { BRAND: { color: "tomato" } }, "BRAND", ".color", /tomato/],
  ["a brand's field spelled wrongly", { BRAND: { colour: "#000000" } }, "BRAND", "", /"colour"/],
  ["a support link that runs script", { BRAND: { support_url: "javascript:alert(1)" } }, "BRAND", ".support_url", /javascript/],
  ["a name that is a novel", { BRAND: { name: "x".repeat(61) } }, "BRAND", ".name", /./],
  ["CREDENTIALS that are a string", { CREDENTIALS: '"bearer"' }, "CREDENTIALS", "", /bearer/],
  ["empty CREDENTIALS", { CREDENTIALS: [] }, "CREDENTIALS", "", /empty/],
  ["an unknown kind of credential", { CREDENTIALS: ["bearer", "basic"] }, "CREDENTIALS", "[1]", /basic/],
  ["a cookie without a name", { CREDENTIALS: ["cookie:"] }, "CREDENTIALS", "[0]", /cookie:/],
  ["a header that can't be one", { CREDENTIALS: ["header:X Token"] }, "CREDENTIALS", "[0]", /X Token/],
  ["a PREFIX without slash", { PREFIX: "gate" }, "PREFIX", "", /gate/],
  ["a PREFIX that is everything", { PREFIX: "/" }, "PREFIX", "", /"\/"/],
  ["a PREFIX with a query", { PREFIX: "/gate?x" }, "PREFIX", "", /gate/],
  ["an unknown word for ON_MISCONFIGURED", { ON_MISCONFIGURED: "open" }, "ON_MISCONFIGURED", "", /open/],
  ["a PROVIDER_OUTAGE that is a word", { PROVIDER_OUTAGE: "yes" }, "PROVIDER_OUTAGE", "", /yes/],
  ["a deadline of nothing", { DEADLINES: { ledger_ms: 0 } }, "DEADLINES", ".ledger_ms", /0/],
  ["a deadline nobody knows", { DEADLINES: { ledger_s: 1 } }, "DEADLINES", "", /ledger_s/],
  ["an unknown LOG", { LOG: "chatty" }, "LOG", "", /chatty/],
  ["an ADMIN_TOKEN that can be guessed", { ADMIN_TOKEN: "hush-hush" }, "ADMIN_TOKEN", "", /9 bytes/],
  ["an ADMIN_TOKEN that is a number", { ADMIN_TOKEN: 1234567890123456 }, "ADMIN_TOKEN", "", /./],
  ["an ASSERTION_KEY that is no JSON", { ASSERTION_KEY: "hush-hush-hush" }, "ASSERTION_KEY", "", /JSON/],
  ["an ASSERTION_KEY that is public", { ASSERTION_KEY: JSON.stringify(issuer.jwk) }, "ASSERTION_KEY", "", /public/],
  ["an ASSERTION_KEY on a plain variable, as a table", { ASSERTION_KEY: privateJwk }, "ASSERTION_KEY", "", /./],
  ["an ASSERTION_KEY twice under one kid", { ASSERTION_KEY: `${JSON.stringify(privateJwk)} ${JSON.stringify(privateJwk)}` }, "ASSERTION_KEY", "", /same kid/],
  ["an ALLOWANCE_KEY that everybody has", { ALLOWANCE_KEY: publicPem }, "ALLOWANCE_KEY", "", /PEM/],
  ["a webhook secret of nothing", billedBy("standard", "whsec_"), "STANDARD_WEBHOOK_SECRET", "", /can't be read/],
  ["a webhook secret that is no base64", billedBy("standard", "whsec_hush!hush!hush!"), "STANDARD_WEBHOOK_SECRET", "", /can't be read/],
  ["a public key of webhooks as SPKI", billedBy("standard", `whpk_${publicSpki}`), "STANDARD_WEBHOOK_SECRET", "", /DER/],
  ["a public key of webhooks under which anybody signs", billedBy("standard", `whpk_AQ${"A".repeat(41)}=`), "STANDARD_WEBHOOK_SECRET", "", /can't be read/],
  ["a public key where Stripe's secret belongs", billedBy("stripe", "whpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), "STRIPE_WEBHOOK_SECRET", "", /public key/],
  ["an API key where Stripe's secret belongs", billedBy("stripe", "sk_live_hush-hush-hush-hush"), "STRIPE_WEBHOOK_SECRET", "", /API key of Stripe/],
  ["a secret where Stripe's API key belongs", { ...billedBy("stripe", "whsec_hush-hush-hush"), STRIPE_API_KEY: "whsec_hush-hush-hush" }, "STRIPE_API_KEY", "", /webhook secret/],
  ["Stripe's publishable key", { ...billedBy("stripe", "whsec_hush-hush-hush"), STRIPE_API_KEY: "pk_live_hush-hush-hush" }, "STRIPE_API_KEY", "", /publishable/],
  ["a point off its curve", keyedBy({ keys: { keys: [{ ...point, y: point.x }] } }), "ISSUERS", "[0].keys.keys[0].y", /not on P-256/],
  ["a point of small order", keyedBy({ keys: { keys: [{ kty: "OKP", crv: "Ed25519", x: `AQ${"A".repeat(41)}` }] } }), "ISSUERS", "[0].keys.keys[0].x", /small order/],
  ["an RSA key with the ROCA weakness", keyedBy({ keys: { keys: [{ kty: "RSA", e: "AQAB", n: ROCA }] } }), "ISSUERS", "[0].keys.keys[0].n", /ROCA/],
  ["secrets among public keys", { ...keyedBy({ keys_secret: "TOKEN_KEYS" }), TOKEN_KEYS: JSON.stringify({ keys: [long, issuer.jwk] }) }, "ISSUERS", "[0].keys_secret.keys", /shared secrets/],
  ["no LEDGER for meters", { LEDGER: undefined }, "LEDGER", "", /Durable Object/],
];

let origin;
before(async () => {
  origin = await startOrigin();
});
after(() => origin?.stop());

/** A gate with `change` made to the good configuration. `LEDGER: undefined` takes its binding away. */
async function withGate(change, then) {
  const { LEDGER, ...rest } = change;
  const vars = { ORIGIN: origin.url, ...good(), ...rest };
  const bindings = "LEDGER" in change ? { durableObjects: {} } : {};
  const gate = await startGate({ vars, bindings });
  try {
    return await then(gate);
  } finally {
    await gate.stop();
  }
}

/** Everything a caller or a log could see. */
async function everythingSaid(gate) {
  const texts = [];
  for (const path of ["/_tollgate/health", "/_tollgate/jwks.json", "/_tollgate/admin/accounts/-/a", "/_tollgate/problems/misconfigured", "/open/a", "/a"]) {
    for (const accept of [BROWSER, "application/json", "text/plain"]) {
      const response = await gate.fetch(path, { headers: { accept } });
      texts.push(JSON.stringify([...response.headers]), await response.text());
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  return `${texts.join("\n")}\n${gate.log()}`;
}

test("the good configuration is good", () =>
  withGate({}, async (gate) => {
    const response = await gate.fetch("/_tollgate/health");
    assert.equal(response.status, 200, await response.text());
    assert.equal((await gate.fetch("/open/a")).status, 200);
  }));

describe("one mistake", { concurrency: 4 }, () => {
  for (const [name, change, variable, field, found] of cases) {
    test(name, () =>
      withGate(change, async (gate) => {
        const health = await gate.fetch("/_tollgate/health");
        const { status, mistakes } = await health.json();
        assert.equal(health.status, 503, "health is ill");
        assert.equal(status, "misconfigured");
        const mistake = mistakes.find((one) => one.variable === variable && one.field === field && found.test(one.found));
        assert.ok(mistake, JSON.stringify(mistakes));
        assert.ok(mistake.expected.length > 0, "what would be right is said");
        assert.equal(health.headers.get("cache-control"), "no-store");

        const before = origin.requests.length;
        for (const path of ["/a", "/open/a", "/api/a"]) {
          const answer = await gate.fetch(path, { headers: { authorization: "Bearer x" } });
          const problem = await answer.json();
          assert.equal(answer.status, 503);
          assert.equal(answer.headers.get("tollgate-cause"), "misconfigured");
          assert.equal(problem.cause, "misconfigured");
          assert.doesNotMatch(JSON.stringify(problem), new RegExp(`${variable}\\b`), "callers are spared the details");
        }
        assert.equal(origin.requests.length, before);
      }));
  }
});

test("several mistakes are all named at once", () => {
  const change = {
    ORIGIN: "nowhere",
    ROUTES: [{ match: "articles" }, { match: "/b", cost: 3, opne: true }],
    PLANS: [{ id: "a", buy_url: "javascript:0" }, { id: "a", quotas: [{ meter: "m", limit: -1, per: "year" }] }],
    ISSUERS: [{ iss: "x" }],
    BRAND: { color: "red", nmae: "x" },
    CREDENTIALS: ["basic"],
    PREFIX: "gate",
    ON_MISCONFIGURED: "maybe",
    PROVIDER_OUTAGE: 3,
    DEADLINES: { origin_ms: "soon" },
    LOG: 1,
    ADMIN_TOKEN: "short",
    ASSERTION_KEY: "{}",
  };
  return withGate(change, async (gate) => {
    const { mistakes } = await (await gate.fetch("/_tollgate/health")).json();
    const named = new Set(mistakes.map(({ variable }) => variable));
    for (const variable of Object.keys(change)) assert.ok(named.has(variable), `${variable} is not named`);
    const fields = mistakes.map(({ variable, field }) => variable + field);
    for (const field of ["ROUTES[0].match", "ROUTES[1].meter", "ROUTES[1]", "PLANS[0].buy_url", "PLANS[1].id", "PLANS[1].quotas[0].limit",
      "PLANS[1].quotas[0].per", "ISSUERS[0].audience", "ISSUERS[0].keys", "BRAND.color", "BRAND", "DEADLINES.origin_ms"]) {
      assert.ok(fields.includes(field), `${field} is not among ${fields.join(", ")}`);
    }
    const typo = mistakes.find(({ found }) => found.includes('"opne"'));
    assert.match(typo.expected, /"open"/, "and what was meant is suggested");
  });
});

describe("no secret is told", { concurrency: 4 }, () => {
  const hush = "aHVzaC1odXNoLWh1c2gtaHVzaC1odXNoLWh1c2gtaHVzaA";
  const leaks = [
    ["an ADMIN_TOKEN that is short", { ADMIN_TOKEN: "hush-hush-1" }, "hush-hush-1"],
    ["a good ADMIN_TOKEN beside a mistake", { LOG: "chatty" }, ADMIN_TOKEN],
    ["an ASSERTION_KEY that is no JSON", { ASSERTION_KEY: hush }, hush],
    ["an ASSERTION_KEY of another kind", { ASSERTION_KEY: JSON.stringify({ kty: "EC", crv: "P-521", d: hush }) }, hush],
    ["an ASSERTION_KEY as a table", { ASSERTION_KEY: { kty: "oct", k: hush } }, hush],
    ["a private key among the public ones", keyedBy({ keys: { keys: [{ ...privateJwk, kid: "leaked" }] } }), privateJwk.d],
    ["a shared secret among the public ones", keyedBy({ keys: { keys: [{ kty: "oct", k: hush }] } }), hush],
    ["a private key where a set is expected", keyedBy({ keys: [{ kty: "oct", k: hush }] }), hush],
    ["a secret set that is cut short", { ...keyedBy({ keys_secret: "TOKEN_KEYS" }), TOKEN_KEYS: `{"keys":[{"kty":"oct","k":"${hush}"` }, hush],
    ["a secret set with an unusable key", { ...keyedBy({ keys_secret: "TOKEN_KEYS" }), TOKEN_KEYS: JSON.stringify({ keys: [{ kty: "oct", k: hush, use: "enc" }] }) }, hush],
    ["a secret in the place of its name", keyedBy({ keys_secret: JSON.stringify({ kty: "oct", k: hush }) }), hush],
    ["a secret table in the place of its name", keyedBy({ keys_secret: { kty: "oct", k: hush } }), hush],
    ["a password in ORIGIN", { ORIGIN: `https://gate:${hush}@origin.example.test` }, hush],
    ["a password in jwks_url", keyedBy({ jwks_url: `https://gate:${hush}@keys.example.test/` }), hush],
  ];
  for (const [name, change, told] of leaks) {
    test(name, () =>
      withGate(change, async (gate) => {
        assert.equal((await gate.fetch("/_tollgate/health")).status, 503);
        const said = await everythingSaid(gate);
        assert.match(said, /"event":"(fault|denied)"/, "the log was looked at");
        assert.equal(said.includes(told), false, `it says ${told}: ${said.split("\n").find((line) => line.includes(told))}`);
      }));
  }
});

describe("while it is broken", () => {
  test("deny: everybody gets 503 in their own format, and nothing reaches the origin", () =>
    withGate({ LOG: "chatty" }, async (gate) => {
      const before = origin.requests.length;
      const good = await issuer.mint({ plan: "pro" });
      for (const [accept, type] of [[BROWSER, "text/html; charset=utf-8"], ["*/*", "application/problem+json"], ["text/plain", "text/plain; charset=utf-8"]]) {
        for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]) {
          const response = await gate.fetch("/a", { method, headers: { accept, authorization: `Bearer ${good}` } });
          const text = await response.text();
          assert.equal(response.status, 503, method);
          assert.equal(response.headers.get("content-type"), type);
          assert.equal(response.headers.get("cache-control"), "no-store");
          assert.equal(response.headers.get("tollgate-cause"), "misconfigured");
          if (method === "HEAD") assert.equal(text, "");
          else assert.match(text, /on our side/);
        }
      }
      assert.equal(origin.requests.length, before);
      assert.equal((await gate.fetch("/_tollgate/admin/accounts/-/a", { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).status, 503);
    }));

  test("pass: everything reaches the origin, marked, and without a made-up identity", () =>
    withGate({ LOG: "chatty", ON_MISCONFIGURED: "pass" }, async (gate) => {
      const spoofed = { "tollgate-account": "root", "tollgate-plan": "enterprise", "tollgate-assertion": "a.b.c", "tollgate-degraded": "no" };
      for (const [path, method] of [["/a?x=1", "GET"], ["/open/a", "HEAD"], ["/api/a", "POST"]]) {
        const response = await gate.fetch(path, { method, headers: spoofed, ...(method === "POST" ? { body: "hello" } : {}) });
        const text = await response.text();
        assert.equal(response.status, 200);
        assert.equal(response.headers.get("tollgate-degraded"), "misconfigured");
        assert.equal(response.headers.get("tollgate-cause"), null);
        const { headers, url } = origin.requests.at(-1);
        assert.equal(url, path);
        assert.deepEqual(Object.entries(headers).filter(([header]) => header.startsWith("tollgate")), [["tollgate-degraded", "misconfigured"]]);
        if (method === "POST") assert.equal(JSON.parse(text).body, "hello");
      }
      assert.equal((await gate.fetch("/_tollgate/health")).status, 503, "and yet health says so");
    }));

  test("pass, but with the ORIGIN itself broken: 503", () =>
    withGate({ ORIGIN: "nowhere", ON_MISCONFIGURED: "pass" }, async (gate) => {
      const response = await gate.fetch("/a");
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("tollgate-cause"), "misconfigured");
    }));

  test("the operator's own PREFIX and choice still count, whatever else is wrong", () =>
    withGate({ PREFIX: "/gate", ON_MISCONFIGURED: "pass", ROUTES: "nonsense" }, async (gate) => {
      assert.equal((await gate.fetch("/gate/health")).status, 503);
      assert.equal((await gate.fetch("/_tollgate/health")).headers.get("tollgate-degraded"), "misconfigured");
    }));
});

describe("what is allowed", () => {
  test("tables may be strings of JSON, as the dashboard writes them", () => {
    const { ROUTES, PLANS, ISSUERS } = good();
    const change = { ROUTES: JSON.stringify(ROUTES), PLANS: JSON.stringify(PLANS), ISSUERS: JSON.stringify(ISSUERS), BRAND: '{"name":"x"}', PROVIDER_OUTAGE: "false" };
    return withGate(change, async (gate) => {
      const response = await gate.fetch("/_tollgate/health");
      assert.equal(response.status, 200, await response.text());
    });
  });

  test("what is probably not meant is a warning, and works", () => {
    const change = {
      ROUTES: [{ match: "/**", requires: ["gold"] }, { match: "/never/**" }, { match: "/m", meter: "unlimited" }, { match: "/**" }],
      PLANS: [{ id: "pro", entitlements: ["premium"] }],
    };
    return withGate(change, async (gate) => {
      const response = await gate.fetch("/_tollgate/health");
      assert.equal(response.status, 200);
      const { warnings } = await response.json();
      const fields = warnings.map(({ variable, field }) => variable + field);
      for (const field of ["ROUTES[1].match", "ROUTES[0].requires", "ROUTES[2].meter", "PLANS[0].buy_url"]) assert.ok(fields.includes(field), `${field}: ${fields}`);
    });
  });

  test("the public half of ASSERTION_KEY is published, and nothing else of it", async () => {
    const { privateKey } = await generateKeyPair("Ed25519", { extractable: true });
    const key = await exportJWK(privateKey);
    await withGate({ ASSERTION_KEY: JSON.stringify(key) }, async (gate) => {
      const said = await everythingSaid(gate);
      assert.match(said, new RegExp(key.x));
      assert.equal(said.includes(key.d), false);
    });
    await withGate({ ASSERTION_KEY: JSON.stringify(secret) }, async (gate) => {
      assert.deepEqual(await (await gate.fetch("/_tollgate/jwks.json")).json(), { keys: [] });
      assert.equal((await everythingSaid(gate)).includes(secret.k), false, "a shared secret is not published at all");
    });
  });
});
