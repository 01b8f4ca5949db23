// Hundreds of bent tokens, by keys that are new in each run: none passes. With the right ones between
// them, so that a gate that refuses everything fails too.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bentTokens, freshIssuer, privateKeys } from "./fixtures/bent_tokens.mjs";
import { issuerVar, startGate, startOrigin } from "./harness.mjs";

const ALGORITHMS = ["Ed25519", "ES256", "RS256", "PS256", "HS256"];
const AT_ONCE = 16;

let gate, issuers, origin, twin;

before(async () => {
  issuers = Object.fromEntries(ALGORITHMS.map((alg) => [alg, freshIssuer(alg)]));
  twin = freshIssuer("Ed25519", { iss: "https://twin.example.test", kid: issuers.Ed25519.kid });
  origin = await startOrigin();
  const { HS256: shared, ...others } = issuers;
  const { keys: _, ...secret } = issuerVar(shared, { keys_secret: "SHARED_KEYS" });
  const ISSUERS = [...Object.values(others).map((issuer) => issuerVar(issuer)), issuerVar(twin), secret];
  const vars = { ROUTES: [{ match: "/**" }], ISSUERS, SHARED_KEYS: JSON.stringify({ keys: [shared.jwk] }), LOG: "off" };
  gate = await startGate({ origin, vars });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

async function ask(token) {
  const response = await gate.fetch("/a", { headers: { authorization: `Bearer ${token}`, accept: "application/json" } });
  await response.text();
  return `${response.status} ${response.headers.get("tollgate-cause") ?? "passed"}`;
}

async function assertRightOnesPass() {
  for (const issuer of [...Object.values(issuers), twin]) {
    for (const header of [{}, { kid: undefined }]) assert.equal(await ask(issuer.mint({}, header)), "200 passed", issuer.alg);
  }
  assert.equal(await ask(issuers.Ed25519.mint({}, { alg: "EdDSA" })), "200 passed");
}

test("right tokens of every algorithm pass, before the bent ones and behind them", async () => {
  await assertRightOnesPass();
  const bent = bentTokens(issuers, twin);
  assert.ok(bent.length >= 400, `${bent.length} tokens`);
  const before = origin.requests.length;
  const wrong = [];
  for (let at = 0; at < bent.length; at += AT_ONCE) {
    const some = bent.slice(at, at + AT_ONCE);
    const answers = await Promise.all(some.map(({ token }) => ask(token)));
    answers.forEach((answer, index) => answer === "401 invalid-token" || wrong.push({ answer, ...some[index] }));
  }
  const told = wrong.map(({ answer, name, token }) => `${answer}: ${name}\n  ${token.slice(0, 2000)}`);
  assert.equal(wrong.length, 0, `${told.join("\n")}\nThe keys: ${privateKeys({ ...issuers, twin })}`);
  assert.equal(origin.requests.length, before, "nothing reached the origin");
  await assertRightOnesPass();
  console.log(`${bent.length} bent tokens, all refused`);
});
