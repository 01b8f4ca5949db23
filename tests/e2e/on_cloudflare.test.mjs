// The script of docs/on-cloudflare.md, against a gate on this machine: it runs, and finds the
// faults.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { issuerVar, makeIssuer, ROOT, startGate, startOrigin } from "./harness.mjs";

let gate, origin, token;

before(async () => {
  origin = await startOrigin((request, response) => {
    const isRefused = request.url === "/other/a.pdf" && request.headers["tollgate-account"] === undefined;
    response.writeHead(isRefused ? 401 : 200, request.url === "/hit" ? { "cf-cache-status": "HIT" } : {});
    response.end(JSON.stringify(request.headers));
  });
  const issuer = await makeIssuer();
  gate = await startGate({
    origin,
    vars: {
      ROUTES: [{ match: "/open", open: true }, { match: "/api", meter: "api" }, { match: "/**" }],
      PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: 10, per: "month" }] }],
      ISSUERS: [issuerVar(issuer)],
    },
  });
  token = await issuer.mint({ plan: "pro" });
});

after(async () => {
  await gate?.stop();
  await origin?.stop();
});

for (const [what, code, told, args] of [
  ["spellings that arrive", 1, /^15 of 15 spellings arrive/, () => ["headers", origin.url]],
  ["spellings that the gate takes off", 0, /^0 of 15 spellings arrive/, () => ["headers", `${gate.url}/open`]],
  ["an origin that refuses", 0, /origin, without a token: 401/, () => ["cache", `${gate.url}/other/a.pdf`, `${origin.url}/other/a.pdf`, token]],
  ["an origin that doesn't", 1, /origin, without a token: 200/, () => ["cache", `${gate.url}/other/b.pdf`, `${origin.url}/other/b.pdf`, token]],
  ["a cache that has it", 1, /cf-cache-status HIT/, () => ["cache", `${gate.url}/other/a.pdf`, `${origin.url}/hit`, token]],
  ["the first request and others", 0, /^first \d+ ms, then (\d+, ){4}\d+ ms/, () => ["cold", `${gate.url}/open`]],
  ["a hard quota", 0, /^of 30: 10 × 200, 20 × 402/, () => ["count", `${gate.url}/api`, token, "30"]],
  ["nothing that it knows", 2, /^usage: /, () => ["else"]],
]) {
  test(`the checks on Cloudflare tell ${what}`, async () => {
    const script = join(ROOT, "scripts/on-cloudflare.mjs");
    const found = await new Promise((resolve) => {
      execFile(process.execPath, [script, ...args()], (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, text: stdout + stderr });
      });
    });
    assert.equal(found.code, code, found.text);
    assert.match(found.text, told);
  });
}
