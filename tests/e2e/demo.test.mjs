// The demo site behind its gate, as `npm start` shows it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { exportJWK, importJWK } from "jose";
import { readGate } from "../../www/demo/gate.mjs";
import { startOrigin } from "../../www/demo/origin.mjs";
import { OPINIONS } from "../../www/demo/pages.mjs";
import { mint } from "../../www/demo/readers.mjs";
import { leftOf, newReader } from "./fixtures/readers.mjs";
import { makeIssuer, ROOT, startGate } from "./harness.mjs";

let gate, loginKey, origin;

before(async () => {
  const [login, signer] = [await makeIssuer({ kid: "login" }), await makeIssuer({ kid: "gate" })];
  loginKey = { kid: login.kid, privateKey: login.privateKey, publicKey: await importJWK(login.jwk) };
  origin = await startOrigin({ port: 0, loginKey, assertionJwk: signer.jwk, setRecord: () => {} });
  const options = { gateUrl: "http://127.0.0.1:8787", originPort: origin.address().port, loginJwk: login.jwk };
  const vars = {
    ...readGate(ROOT, options).vars,
    ALLOWANCE_KEY: "a secret of thirty-two bytes at least",
    ASSERTION_KEY: JSON.stringify({ ...(await exportJWK(signer.privateKey)), kid: signer.kid }),
  };
  gate = await startGate({ vars });
});

after(async () => {
  await gate?.stop();
  origin?.closeAllConnections();
  origin?.close();
});

test("three opinions are free, the fourth is for sale, and who has paid reads on", async () => {
  const reader = newReader(gate);
  const slugs = Object.keys(OPINIONS);
  for (const [index, slug] of slugs.slice(0, 3).entries()) {
    const response = await reader.ask(`/opinion/${slug}`);
    assert.deepEqual([response.status, leftOf(response)], [200, 2 - index]);
    assert.match(await response.text(), /let you read this for free/);
  }
  const refused = await reader.ask(`/opinion/${slugs[3]}`);
  assert.equal(refused.headers.get("tollgate-cause"), "allowance-exhausted");
  const alice = { headers: { authorization: `Bearer ${await mint(loginKey, "alice")}` } };
  assert.match(await (await reader.ask(`/opinion/${slugs[3]}`, alice)).text(), /You are alice on plan pro/);
});

test("the origin serves nobody who went around the gate", async () => {
  const address = `http://127.0.0.1:${origin.address().port}`;
  for (const path of ["/opinion/on-doors", "/articles/the-last-mile", "/api/headlines"]) {
    assert.equal((await fetch(address + path)).status, 403, path);
  }
});
