// Where Durable Objects are: JURISDICTION is part of each object's id. The local runtime has no
// jurisdictions, so the calls of the platform are watched with a pretend namespace.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { askObject } from "../../src/edge/glue/objects.js";
import { issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const DEADLINE_MS = 1_000;

/** A namespace that notes its calls. Its objects answer with `reply`. */
function namespace(reply, calls = [], home = "") {
  return {
    calls,
    jurisdiction(name) {
      calls.push(`jurisdiction ${name}`);
      return namespace(reply, calls, `${name}:`);
    },
    idFromName: (name) => `id of ${home}${name}`,
    get(id) {
      calls.push(`get ${id}`);
      return {
        async answer(message) {
          calls.push(`answer ${message}`);
          return reply(message);
        },
      };
    },
  };
}

describe("an object is asked", () => {
  test("in the jurisdiction, which is part of its id", async () => {
    for (const jurisdiction of ["eu", "us"]) {
      const all = namespace((message) => `reply to ${message}`);
      const reply = await askObject(all, jurisdiction, "acme/alice", "hello", DEADLINE_MS);
      assert.equal(reply, "reply to hello");
      const id = `get id of ${jurisdiction}:acme/alice`;
      assert.deepEqual(all.calls, [`jurisdiction ${jurisdiction}`, id, "answer hello"]);
    }
  });

  test("wherever it is, without one", async () => {
    const all = namespace(() => "reply");
    assert.equal(await askObject(all, "", "acme/alice", "hello", DEADLINE_MS), "reply");
    assert.deepEqual(all.calls, ["get id of acme/alice", "answer hello"]);
  });

  test("never elsewhere, where the platform refuses", async () => {
    const refuse = () => {
      throw new Error("not here");
    };
    const all = { ...namespace(() => "reply"), jurisdiction: refuse };
    const asked = askObject(all, "eu", "acme/alice", "hello", DEADLINE_MS);
    await assert.rejects(asked, { message: 'JURISDICTION "eu" is refused here: not here' });
    assert.deepEqual(all.calls, []);
  });

  test("and its fault is thrown here, with its reason", async () => {
    const failing = namespace(() => new Error("the database failed"));
    const asked = askObject(failing, "", "acme/alice", "hello", DEADLINE_MS);
    await assert.rejects(asked, { message: "the database failed" });
  });

  test("for as long as the deadline says", async () => {
    const slow = namespace(() => new Promise((resolve) => setTimeout(resolve, DEADLINE_MS)));
    await assert.rejects(askObject(slow, "", "acme/alice", "hello", 20), { message: "no answer within 20 ms" });
  });
});

describe("in the local runtime", () => {
  let issuer;
  let origin;
  before(async () => {
    [issuer, origin] = [await makeIssuer(), await startOrigin()];
  });
  after(() => origin?.stop());

  const use = async (JURISDICTION, then) => {
    const vars = {
      JURISDICTION,
      ROUTES: [{ match: "/**", meter: "api" }],
      PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: 5, per: "month" }] }],
      ISSUERS: [issuerVar(issuer)],
    };
    const gate = await startGate({ origin, vars });
    try {
      assert.equal((await gate.fetch("/_tollgate/health")).status, 200);
      const headers = { authorization: `Bearer ${await issuer.mint({ plan: "pro" })}` };
      const response = await gate.fetch("/a", { headers });
      await response.body?.cancel();
      await then(response, gate.log());
    } finally {
      await gate.stop();
    }
  };

  test("objects are found without a jurisdiction", () =>
    use("none", (response) => assert.equal(response.status, 200)));

  test("a jurisdiction is refused, and the log says so", () =>
    use("eu", (response, log) => {
      assert.deepEqual([response.status, response.headers.get("tollgate-cause")], [503, "checker-unavailable"]);
      assert.match(log, /JURISDICTION \\?"eu\\?" is refused here: Jurisdiction restrictions are not implemented/);
    }));
});
