// Reached thresholds are announced to the operator's webhook, signed as Standard Webhooks writes it
// (and checked by another implementation of that), once per threshold and period, through failures
// of the receiver and kills of the runtime.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { runtimesOfThisProcess, startDirectGate, until } from "./fixtures/runtime.mjs";
import { ADMIN_TOKEN, issuerVar, makeIssuer, startGate, startOrigin } from "./harness.mjs";

const SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const OLD_SECRET = `whsec_${Buffer.alloc(64, 7).toString("base64")}`;
const bearer = (token) => ({ authorization: `Bearer ${token}` });
/** How long to watch for something that must not come. */
const QUIET_MS = 700;

let origin, issuer, receiver;

before(async () => {
  origin = await startOrigin((_, response) => response.end("ok"));
  issuer = await makeIssuer();
});
after(() => origin?.stop());

beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.stop());

/** An operator's webhook. `answers` are given in turn, then 204: a status, or "hang". */
async function startReceiver() {
  const calls = [];
  const answers = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const answer = answers.shift() ?? 204;
      calls.push({ at: Date.now(), method: request.method, url: request.url, headers: request.headers, body, answer });
      if (answer === "hang") return;
      if (answer >= 300 && answer < 400) response.setHeader("location", "/elsewhere");
      response.writeHead(answer).end();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  const url = `http://127.0.0.1:${server.address().port}/hook?for=tollgate`;
  const events = () => calls.map(({ body }) => JSON.parse(body));
  const told = () => events().map(({ data }) => `${data.account} ${data.quota} ${data.percent}`);
  return { url, calls, answers, events, told, stop };
}

function vars(more = {}) {
  return {
    ROUTES: [{ match: "/tokens/**", meter: "tokens", cost: 1 }, { match: "/**", meter: "api" }],
    PLANS: [{
      id: "pro",
      quotas: [
        { meter: "api", limit: 10, per: "month" },
        { meter: "tokens", limit: 4, per: "month", each: "member", enforcement: "soft" },
        { meter: "tokens", limit: 1000, per: "month" },
      ],
    }],
    METERS: [{ id: "api", notify_at: [50, 100] }],
    ISSUERS: [issuerVar(issuer, { claims: { account: "org", tenant: "tenant", plan: "plan" } })],
    NOTIFY_URL: receiver.url,
    NOTIFY_SECRET: SECRET,
    ADMIN_TOKEN,
    LOG: "off",
    ...more,
  };
}

async function withGate(more, work, start = startGate, options = {}) {
  const gate = await start({ origin, vars: vars(more), ...options });
  try {
    return await work(gate);
  } finally {
    await gate.stop();
  }
}

const mint = (org, claims = {}) => issuer.mint({ org, tenant: "acme", plan: "pro", ...claims });

async function use(gate, token, count, path = "/a") {
  const statuses = [];
  for (let turn = 0; turn < count; turn += 1) {
    const response = await gate.fetch(path, { headers: bearer(token) });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}

const arrived = (count, deadlineMs) => until(() => receiver.calls.length >= count, `${count} messages`, { deadlineMs });

describe("a threshold", () => {
  test("is announced once, signed, with what it is about", async () => {
    await withGate({}, async (gate) => {
      await use(gate, await mint("alice"), 12);
      await arrived(2);
      await pause(QUIET_MS);
      assert.deepEqual(receiver.told(), ["acme/alice api/month 50", "acme/alice api/month 100"]);
      for (const { method, url, headers, body } of receiver.calls) {
        assert.deepEqual([method, url, headers["content-type"]], ["POST", "/hook?for=tollgate", "application/json"]);
        assert.ok(new Webhook(SECRET).verify(body, headers), "the reference implementation accepts it");
        assert.throws(() => new Webhook(SECRET).verify(`${body} `, headers));
        assert.throws(() => new Webhook(OLD_SECRET).verify(body, headers));
        assert.throws(() => new Webhook(SECRET).verify(body, { ...headers, "webhook-id": "other" }));
        const { type, timestamp, data } = JSON.parse(body);
        assert.equal(type, "quota.threshold_reached");
        assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 30_000, timestamp);
        assert.deepEqual([data.meter, data.limit, data.member], ["api", 10, undefined]);
        assert.ok(data.used * 100 >= data.percent * data.limit && data.used <= data.limit, body);
        assert.ok(Date.parse(data.resets_at) > Date.now());
      }
      const ids = receiver.calls.map(({ headers }) => headers["webhook-id"]);
      assert.equal(new Set(ids).size, 2, "each has a name of its own");
    });
  });

  test("is announced for each account and member", async () => {
    await withGate({}, async (gate) => {
      for (const claims of [{ sub: "ann" }, { sub: "bob" }]) await use(gate, await mint("team", claims), 5, "/tokens/a");
      await use(gate, await issuer.mint({ org: "a/b", tenant: "t", plan: "pro", sub: "carl" }), 5);
      await until(() => receiver.told().some((text) => text.startsWith("t/")), "the last account");
      await pause(QUIET_MS);
      const members = receiver.events().filter(({ data }) => data.member).map(({ data }) => `${data.member} ${data.quota} ${data.percent}`);
      // The defaults are 80 and 95 percent; 4 of 4 is beyond both.
      assert.deepEqual([...new Set(members)].length, members.length, `once each: ${members}`);
      for (const member of ["ann", "bob"]) assert.ok(members.includes(`${member} tokens/month/member 95`), `${members}`);
      const other = receiver.events().filter(({ data }) => data.account.startsWith("t/"));
      assert.deepEqual(other.map(({ data }) => [data.account, data.percent]), [["t/a%2Fb", 50]]);
      const byObject = receiver.calls.map(({ headers }) => headers["webhook-id"]);
      assert.equal(new Set(byObject).size, byObject.length);
    });
  });

  test("is announced by the request that reaches it, which doesn't wait", async () => {
    receiver.answers.push("hang", "hang");
    await withGate({}, async (gate) => {
      const begun = performance.now();
      const statuses = await use(gate, await mint("slow"), 12);
      assert.ok(performance.now() - begun < 5_000, "no caller waits for the receiver");
      assert.deepEqual(statuses, [...Array(10).fill(200), 402, 402]);
      await arrived(1);
      const usage = await gate.fetch("/_tollgate/usage", { headers: bearer(await mint("slow")) });
      assert.equal((await usage.json()).quotas[0].used, 10, "nor does the ledger");
    });
  });

  test("is not announced without NOTIFY_URL", async () => {
    await withGate({ NOTIFY_URL: undefined }, async (gate) => {
      await use(gate, await mint("quiet"), 12);
      await pause(QUIET_MS);
      assert.deepEqual(receiver.calls, []);
    });
  });

  test("may be announced to a receiver that knows another secret, while they change", async () => {
    await withGate({ NOTIFY_SECRET: `${SECRET} ${OLD_SECRET}` }, async (gate) => {
      await use(gate, await mint("rotates"), 5);
      await arrived(1);
      const [{ body, headers }] = receiver.calls;
      assert.match(headers["webhook-signature"], /^v1,\S{44} v1,\S{44}$/);
      for (const secret of [SECRET, OLD_SECRET]) assert.ok(new Webhook(secret).verify(body, headers));
    });
  });
});

describe("a receiver that fails", () => {
  for (const answer of [500, 302, 404]) {
    test(`with ${answer} is asked again after 5 seconds, under the same name`, async () => {
      receiver.answers.push(answer);
      await withGate({}, async (gate) => {
        await use(gate, await mint(`fails-${answer}`), 5);
        await arrived(2, 10_000);
        const [first, second] = receiver.calls;
        const waitedMs = second.at - first.at;
        assert.ok(waitedMs >= 4_900 && waitedMs <= 8_000, `${waitedMs} ms`);
        assert.equal(second.url, "/hook?for=tollgate", "no redirect is followed");
        assert.equal(second.headers["webhook-id"], first.headers["webhook-id"]);
        assert.equal(second.body, first.body);
        assert.ok(second.headers["webhook-timestamp"] > first.headers["webhook-timestamp"]);
        assert.ok(new Webhook(SECRET).verify(second.body, second.headers));
        await pause(QUIET_MS);
        assert.equal(receiver.calls.length, 2, "once it is taken, that was all");
        assert.match(gate.log(), new RegExp(`"what":"announcement","reason":"attempt 1 of 8 for [0-9a-f]+-1: status ${answer}"`));
        assert.equal(gate.log().includes("fails-"), false, "accounts are not logged");
      });
    });
  }

  test("that is gone (410) is left alone", async () => {
    receiver.answers.push(410);
    await withGate({}, async (gate) => {
      await use(gate, await mint("gone"), 5);
      await arrived(1);
      await pause(7_000);
      assert.equal(receiver.calls.length, 1);
      assert.match(gate.log(), /given up, attempt 1 of 8 for [0-9a-f]+-1: status 410/);
    });
  });

  test("doesn't hold up what comes later", async () => {
    receiver.answers.push(500);
    await withGate({}, async (gate) => {
      const token = await mint("both");
      await use(gate, token, 5);
      await arrived(1);
      await use(gate, token, 5);
      await arrived(2, 4_000);
      assert.deepEqual(receiver.told().slice(0, 2), ["acme/both api/month 50", "acme/both api/month 100"]);
      await arrived(3, 10_000);
      assert.deepEqual(receiver.told()[2], "acme/both api/month 50");
    });
  });
});

describe("a runtime that is killed", () => {
  let persist;
  beforeEach(() => {
    persist = mkdtempSync(join(tmpdir(), "tollgate-"));
  });
  afterEach(() => rmSync(persist, { recursive: true }));

  /** Reaches both thresholds, of which the second is not taken, and kills the runtime. */
  async function reachAndKill(token) {
    receiver.answers.push(204, 500);
    const gate = await startDirectGate({ origin, persist, vars: vars() });
    try {
      await use(gate, token, 10);
      await arrived(2);
      gate.kill();
      await until(() => !runtimesOfThisProcess().includes(gate.pid), "the runtime is gone");
    } finally {
      await gate.stop();
    }
    return receiver.calls;
  }

  test("sends after its restart what was not taken, and nothing twice that was", async () => {
    const token = await mint("killed");
    const [taken, refused] = await reachAndKill(token);
    await withGate({}, async (gate) => {
      // No request: the alarm alone wakes the object.
      await arrived(3, 12_000);
      await pause(QUIET_MS);
      assert.equal(receiver.calls.length, 3);
      assert.equal(receiver.calls[2].headers["webhook-id"], refused.headers["webhook-id"]);
      assert.notEqual(receiver.calls[2].headers["webhook-id"], taken.headers["webhook-id"]);
      assert.ok(new Webhook(SECRET).verify(receiver.calls[2].body, receiver.calls[2].headers));
      await use(gate, token, 2);
      await pause(QUIET_MS);
      assert.equal(receiver.calls.length, 3, "each threshold once in its period, whatever happened");
    }, startDirectGate, { persist });
  });

  test("sends it with the next request where the alarm got lost", async () => {
    const token = await mint("lost");
    await reachAndKill(token);
    // The place of the local runtime's alarms.
    for (const name of readdirSync(join(persist, "gate-Ledger"))) {
      if (name.startsWith("metadata.sqlite")) rmSync(join(persist, "gate-Ledger", name));
    }
    await withGate({}, async (gate) => {
      await pause(7_000);
      assert.equal(receiver.calls.length, 2, "nothing wakes it");
      await use(gate, token, 1);
      await arrived(3);
      assert.deepEqual(receiver.told()[2], "acme/lost api/month 100");
    }, startDirectGate, { persist });
  });
});

describe("a mistake in the configuration", () => {
  const mistakes = [
    ["a URL without TLS", { NOTIFY_URL: "http://billing.example.com/hook" }, "NOTIFY_URL", /https/],
    ["a URL that is none", { NOTIFY_URL: "billing" }, "NOTIFY_URL", /https/],
    ["no secret", { NOTIFY_SECRET: undefined }, "NOTIFY_SECRET", /signed/],
    ["a short secret", { NOTIFY_SECRET: "whsec_c2hvcnQ=" }, "NOTIFY_SECRET", /32 bytes/],
    ["a secret that is no base64", { NOTIFY_SECRET: `whsec_${"?".repeat(40)}` }, "NOTIFY_SECRET", /base64/],
    ["one good secret of two", { NOTIFY_SECRET: `${SECRET} whsec_c2hvcnQ=` }, "NOTIFY_SECRET", /32 bytes/],
    ["a threshold that falls", { METERS: [{ id: "api", notify_at: [95, 80] }] }, "METERS", /rise/],
  ];
  for (const [name, more, variable, said] of mistakes) {
    test(`${name} is said by health, without the value`, async () => {
      await withGate(more, async (gate) => {
        const response = await gate.fetch("/_tollgate/health");
        const text = await response.text();
        assert.equal(response.status, 503);
        const found = JSON.parse(text).mistakes.find((mistake) => mistake.variable === variable);
        assert.match(found.expected, said);
        if (more.NOTIFY_SECRET) assert.equal(text.includes(more.NOTIFY_SECRET), false);
      });
    });
  }
});
