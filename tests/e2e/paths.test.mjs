// Any spelling of a path: without a token nobody gets the protected file out of a real server.
//
// Every spelling goes byte by byte to the server itself and through the gate in front of it. The first
// shows that the spellings are worth something, the second is the rule.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { issuerVar, makeIssuer, startGate } from "./harness.mjs";
import { startApacheOrigin } from "./origins/apache_origin.mjs";
import { startLighttpdOrigin } from "./origins/lighttpd_origin.mjs";
import { startNginxOrigin } from "./origins/nginx_origin.mjs";
import { NODE_HABITS, startNodeOrigin } from "./origins/node_origin.mjs";
import { startPhpOrigin } from "./origins/php_origin.mjs";
import { startPythonOrigin } from "./origins/python_origin.mjs";
import { SPELLINGS } from "./origins/spellings.mjs";
import { OPEN, SECRET, sendRaw } from "./origins/tree.mjs";
import { startUwsgiOrigin } from "./origins/uwsgi_origin.mjs";

const ORIGINS = [
  ...NODE_HABITS.map((habit) => ({ name: `Node (${habit})`, start: () => startNodeOrigin({ habit }) })),
  { name: "nginx", start: () => startNginxOrigin() },
  { name: "nginx without merge_slashes", start: () => startNginxOrigin({ mergeSlashes: false }) },
  { name: "Python http.server", start: () => startPythonOrigin() },
  { name: "lighttpd", start: () => startLighttpdOrigin() },
  { name: "Apache", start: () => startApacheOrigin() },
  { name: "PHP behind nginx", start: () => startPhpOrigin() },
  { name: "uWSGI", start: () => startUwsgiOrigin() },
];

// The routes before the origin: what is protected, and what stands open around it.
const SITES = {
  "a protected folder": [route("/premium/**", "premium"), route("/**")],
  "a protected folder beside an open one": [route("/open/**"), route("/premium/**", "premium"), route("/**")],
  "everything but one open folder": [route("/open/**"), route("/**", "premium")],
};

for (const { name, start } of ORIGINS) {
  describe(name, () => {
    let origin = null;
    let issuer;
    before(async () => {
      [origin, issuer] = [await start(), await makeIssuer()];
    });
    after(() => origin?.stop());

    test("serves the secret under several spellings when nothing stands before it", async (t) => {
      if (origin === null) return t.skip(`${name} is not installed: NOT RUN`);
      const served = await spellingsThatServe(origin.port);
      t.diagnostic(`${served.length} of ${SPELLINGS.length} spellings: ${served.join("  ")}`);
      assert.ok(served.length >= 8, "the origin or the spellings are broken");
    });

    for (const [site, routes] of Object.entries(SITES)) {
      test(`never serves it through the gate without a token: ${site}`, async (t) => {
        if (origin === null) return t.skip(`${name} is not installed: NOT RUN`);
        const gate = await startGate({ vars: variables(routes, issuer), origin });
        t.after(() => gate.stop());
        await assertGateWorks(gate, issuer);
        assert.deepEqual(await spellingsThatServe(gate.port), []);
      });
    }

    test("never serves it through the gate without a token, whatever the method", async (t) => {
      if (origin === null) return t.skip(`${name} is not installed: NOT RUN`);
      const gate = await startGate({ vars: variables(SITES["a protected folder"], issuer), origin });
      t.after(() => gate.stop());
      assert.deepEqual(await methodsThatServe(gate.port), []);
    });
  });
}

/** Without this, a gate that refuses everything would pass. */
async function assertGateWorks(gate, issuer) {
  const open = await sendRaw(gate.port, "/open/page.txt");
  assert.equal(open.status, 200, open.body);
  assert.match(open.body, new RegExp(OPEN));
  const refused = await sendRaw(gate.port, "/premium/secret.txt");
  assert.ok([401, 402].includes(refused.status), refused.body);
  const token = await issuer.mint({ entitlements: ["premium"] });
  const paid = await fetch(`${gate.url}/premium/secret.txt`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(paid.status, 200);
  assert.match(await paid.text(), new RegExp(SECRET));
}

async function spellingsThatServe(port) {
  const served = [];
  for (const spelling of SPELLINGS) {
    const answer = await sendRaw(port, spelling);
    if (answer.body.includes(SECRET)) served.push(spelling);
  }
  return served;
}

/** Origins that don't look at the method serve a file to all of them, to a preflight too. */
async function methodsThatServe(port) {
  const served = [];
  const headers = { origin: "https://elsewhere.test", "access-control-request-method": "GET" };
  for (const method of ["GET", "POST", "PUT", "OPTIONS", "PROPFIND", "PURGE", "QUERY"]) {
    const answer = await sendRaw(port, "/premium/secret.txt", { method, headers });
    if (answer.body.includes(SECRET)) served.push(method);
  }
  return served;
}

function route(match, entitlement) {
  return entitlement ? { match, requires: [entitlement] } : { match, open: true };
}

function variables(routes, issuer) {
  return { ROUTES: routes, ISSUERS: [issuerVar(issuer)], PLANS: [{ id: "pro", entitlements: ["premium"] }] };
}
