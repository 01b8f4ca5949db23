// However a header is spelled: to no server behind the gate does it read as one of the gate's own.
//
// Each server hands its variables out. Every spelling goes to the server itself and through the
// gate in front of it: the first shows that the spellings are worth something, the second is the
// test.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { issuerVar, makeIssuer, startGate } from "./harness.mjs";
import { startApacheOrigin } from "./origins/apache_origin.mjs";
import { startLighttpdOrigin } from "./origins/lighttpd_origin.mjs";
import { startPhpOrigin } from "./origins/php_origin.mjs";
import { sendRaw } from "./origins/tree.mjs";
import { startUwsgiOrigin } from "./origins/uwsgi_origin.mjs";

// `believes` is the number of spellings of a name that each takes for that name.
const ORIGINS = [
  { name: "lighttpd with mod_cgi", start: startLighttpdOrigin, believes: 15 },
  { name: "Apache with mod_cgi", start: startApacheOrigin, believes: 1 },
  { name: "PHP behind nginx", start: startPhpOrigin, believes: 3 },
  { name: "uWSGI", start: startUwsgiOrigin, believes: 2 },
];

/** Every sign that a header's name may hold (RFC 9110 §5.6.2). */
const SIGNS = [..."!#$%&'*+-.^_`|~"];
const NAMES = ["Account", "Assertion", "Degraded", "Entitlements", "Plan", "Tenant", "Cost", "Cause", "Member"];
const OVERRIDES = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"];

for (const { name, start, believes } of ORIGINS) {
  describe(name, () => {
    let origin = null;
    let [gate, token] = [];
    before(async () => {
      origin = await start();
      if (origin === null) return;
      const issuer = await makeIssuer();
      gate = await startGate({
        origin,
        vars: {
          ROUTES: [
            { match: "/premium/**", requires: ["premium"] },
            { match: "/open/**", open: true },
            { match: "/**" },
          ],
          PLANS: [{ id: "pro", entitlements: ["premium"] }],
          ISSUERS: [issuerVar(issuer)],
        },
      });
      token = await issuer.mint({ plan: "pro" });
    });
    after(async () => {
      await gate?.stop();
      await origin?.stop();
    });

    const skipped = (t) => origin === null && (t.skip(`${name} is not installed: NOT RUN`), true);
    const variables = async (port, path, headers) => {
      const { status, body } = await sendRaw(port, `${path}/${origin.echo}`, { headers });
      assert.equal(status, 200, body);
      return new Map(body.split("\n").map((line) => line.split(/=(.*)/s)));
    };
    const forgedIn = (found) => [...found].filter(([name, value]) => /tollgate/i.test(name) && /forged/.test(value));

    test("takes other spellings for the name, when nothing stands before it", async (t) => {
      if (skipped(t)) return;
      let taken = 0;
      for (const sign of SIGNS) {
        const found = await variables(origin.port, "/open", { [`Tollgate${sign}Account`]: "forged" });
        if (found.get("HTTP_TOLLGATE_ACCOUNT") === "forged") taken += 1;
      }
      t.diagnostic(`${taken} of ${SIGNS.length} spellings`);
      assert.ok(taken >= believes, `${taken}`);
    });

    test("hears from the gate alone who the caller is", async (t) => {
      if (skipped(t)) return;
      for (const sign of SIGNS) {
        const forged = Object.fromEntries(NAMES.map((name) => [`tOLLgate${sign}${name}`, "forged"]));
        const open = await variables(gate.port, "/open", forged);
        assert.deepEqual([...open.keys()].filter((name) => /tollgate/i.test(name)), [], sign);
        const gated = await variables(gate.port, "/premium", { ...forged, authorization: `Bearer ${token}` });
        assert.deepEqual(forgedIn(gated), [], sign);
        const told = ["ACCOUNT", "PLAN", "ENTITLEMENTS"].map((name) => gated.get(`HTTP_TOLLGATE_${name}`));
        assert.deepEqual(told, ["alice", "pro", "premium"], sign);
      }
    });

    test("is not told another method or address than the gate judged", async (t) => {
      if (skipped(t)) return;
      for (const sign of SIGNS) {
        const headers = Object.fromEntries(OVERRIDES.map((name) => [name.replaceAll("-", sign), "forged"]));
        const found = await variables(gate.port, "/open", headers);
        assert.deepEqual([...found].filter(([, value]) => /forged/.test(value)), [], sign);
      }
    });
  });
}
