// The origins of docs/examples serve what came through the gate, and nothing else.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { exportJWK } from "jose";
import { freePort } from "./fixtures/ports.mjs";
import { issuerVar, makeIssuer, ROOT, startGate } from "./harness.mjs";

const PYTHON = spawnSync("python3", ["-c", "import cryptography"]).status === 0;

for (const [program, file, skip] of [
  [process.execPath, "origin.mjs", false],
  ["python3", "origin.py", PYTHON ? false : "needs python3 with the package cryptography"],
]) {
  describe(file, { skip }, () => {
    let gate, origin, originUrl, token;

    before(async () => {
      const [gatePort, port] = [await freePort(), await freePort()];
      originUrl = `http://127.0.0.1:${port}`;
      const [issuer, signer] = [await makeIssuer(), await makeIssuer({ kid: "gate" })];
      const vars = {
        ORIGIN: originUrl,
        ISSUERS: [issuerVar(issuer)],
        ROUTES: [{ match: "/**" }],
        ASSERTION_KEY: JSON.stringify({ ...(await exportJWK(signer.privateKey)), kid: signer.kid }),
      };
      gate = await startGate({ vars, port: gatePort });
      token = await issuer.mint({ sub: "alice", entitlements: ["premium"] });
      const env = { ...process.env, GATE: gate.url, AUDIENCE: `127.0.0.1:${port}`, PORT: String(port) };
      origin = spawn(program, [join(ROOT, "docs/examples", file)], { env, stdio: "inherit" });
      await answers(originUrl);
    });

    after(async () => {
      origin?.kill();
      await gate?.stop();
    });

    test("whoever comes through the gate is known", async () => {
      const response = await gate.fetch("/x", { headers: { authorization: `Bearer ${token}` } });
      const body = await response.json();
      assert.equal(response.status, 200);
      assert.equal(body.account ?? body.sub, "alice");
      assert.deepEqual(body.entitlements, ["premium"]);
    });

    test("whoever goes around it is refused, whatever is claimed", async () => {
      const forged = { "tollgate-account": "alice", "tollgate-assertion": token };
      for (const headers of [{}, forged, { "tollgate-assertion": "a.b.c" }]) {
        assert.equal((await fetch(`${originUrl}/x`, { headers })).status, 403);
      }
    });
  });
}

async function answers(url) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      return await (await fetch(url)).arrayBuffer();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
