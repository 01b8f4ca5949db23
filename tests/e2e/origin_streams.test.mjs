// Bodies stream, both ways: nothing is kept in memory, nobody waits for the end, and the other side
// notices a departure. Sizes are chosen so that a gate that buffers fails.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as send } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { residentBytes, startDirectGate, until } from "./fixtures/runtime.mjs";
import { issuerVar, makeIssuer, startOrigin } from "./harness.mjs";

const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, "x");
const FILE_BYTES = 200 * MIB;
const UPLOAD_BYTES = 160 * MIB;
/** What may lie in the kernel's buffers of two connections, which grow; far below what is sent. */
const IN_FLIGHT_BYTES = 80 * MIB;
const MEMORY_GROWTH_BYTES = 80 * MIB;
const ORIGIN_DEADLINE_MS = 600;

let gate, origin, headers;
const handlers = {};

before(async () => {
  const issuer = await makeIssuer();
  origin = await startOrigin((request, response) => {
    handlers[new URL(request.url, "http://a").pathname.split("/").at(-1)](request, response);
  });
  gate = await startDirectGate({
    origin,
    vars: {
      ROUTES: [{ match: "/paid/**", meter: "api" }, { match: "/**", open: true }],
      PLANS: [{ id: "pro", quotas: [{ meter: "api", limit: 1_000, per: "month" }] }],
      ISSUERS: [issuerVar(issuer)],
      DEADLINES: { origin_ms: ORIGIN_DEADLINE_MS },
    },
  });
  headers = { authorization: `Bearer ${await issuer.mint({ plan: "pro" })}` };
});

after(async () => {
  await gate?.stop();
  await origin?.stop();
});

for (const place of ["/open", "/paid"]) {
  test(`${place}: events arrive one by one, for longer than the origin's deadline`, async () => {
    let next;
    handlers.events = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
      next = (text) => response.write(`data: ${text}\n\n`);
      next("hello");
    };
    const response = await gate.fetch(`${place}/events`, { headers });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.equal(response.headers.get("cache-control"), "no-cache");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await reader.read()).value, "data: hello\n\n");
    for (const event of ["1", "2", "3"]) {
      await pause(ORIGIN_DEADLINE_MS / 2);
      // The origin sends the next part only after the last one has arrived.
      next(event);
      assert.equal((await reader.read()).value, `data: ${event}\n\n`);
    }
    await reader.cancel();
  });

  test(`${place}: a large file flows as fast as it is read, without being kept`, async () => {
    let sent = 0;
    handlers.file = (_, response) => {
      response.writeHead(200, { "content-length": FILE_BYTES });
      const more = () => {
        while (sent < FILE_BYTES) {
          sent += CHUNK.length;
          if (!response.write(CHUNK)) return response.once("drain", more);
        }
        response.end();
      };
      more();
    };
    const before = residentBytes(gate.pid);
    const [response] = await once(send(gate.url + `${place}/file`, { headers }).end(), "response");
    assert.equal(response.headers["content-length"], String(FILE_BYTES));
    await once(response, "readable");
    await untilStill(() => sent);
    assert.ok(sent < IN_FLIGHT_BYTES, `nobody has read yet, and the origin could send ${sent} bytes`);

    let [received, largest, ahead] = [0, 0, 0];
    for await (const chunk of response) {
      received += chunk.length;
      ahead = Math.max(ahead, sent - received);
      if (received % (16 * MIB) < chunk.length) largest = Math.max(largest, residentBytes(gate.pid));
    }
    assert.equal(received, FILE_BYTES);
    assert.ok(ahead < IN_FLIGHT_BYTES, `the origin was ${ahead} bytes ahead`);
    assert.ok(largest - before < MEMORY_GROWTH_BYTES, `the runtime grew by ${largest - before} bytes`);
  });

  test(`${place}: a large chunked upload is seen as it is sent`, async () => {
    let received = 0;
    handlers.upload = async (request, response) => {
      response.writeHead(200).flushHeaders();
      for await (const chunk of request) received += chunk.length;
      response.end(JSON.stringify({ received, encoding: request.headers["transfer-encoding"] }));
    };
    const before = residentBytes(gate.pid);
    const request = send(gate.url + `${place}/upload`, { method: "POST", headers });
    const answered = once(request, "response");
    let [sent, largest] = [0, 0];
    while (sent < UPLOAD_BYTES) {
      sent += CHUNK.length;
      if (!request.write(CHUNK)) await once(request, "drain");
      if (sent % (16 * MIB) === 0) {
        await until(() => received === sent, "the origin sees what was sent so far");
        largest = Math.max(largest, residentBytes(gate.pid));
      }
    }
    request.end();
    const [response] = await answered;
    const expected = { received: UPLOAD_BYTES, encoding: "chunked" };
    assert.deepEqual(JSON.parse(await textOf(response)), expected);
    assert.ok(largest - before < MEMORY_GROWTH_BYTES, `the runtime grew by ${largest - before} bytes`);
  });

  test(`${place}: an upload that nobody reads is held back`, async () => {
    handlers.unread = (request, response) => {
      request.pause();
      response.writeHead(200).flushHeaders();
    };
    const request = send(gate.url + `${place}/unread`, { method: "POST", headers });
    request.on("error", () => {});
    await once(request.flushHeaders() ?? request, "response");
    let sent = 0;
    const more = () => {
      while (sent < UPLOAD_BYTES) {
        sent += CHUNK.length;
        if (!request.write(CHUNK)) return request.once("drain", more);
      }
    };
    more();
    await untilStill(() => sent);
    assert.ok(sent < IN_FLIGHT_BYTES, `nobody reads, and the client could send ${sent} bytes`);
    request.destroy();
  });

  test(`${place}: an upload may take longer than the origin's deadline`, async () => {
    handlers.slow = async (request, response) => {
      let received = 0;
      for await (const chunk of request) received += chunk.length;
      response.end(`${request.headers["content-length"]} ${received}`);
    };
    const bytes = 4 * CHUNK.length;
    for (const length of [undefined, String(bytes)]) {
      const framing = length ? { "content-length": length } : {};
      const request = send(gate.url + `${place}/slow`, { method: "POST", headers: { ...headers, ...framing } });
      const answered = once(request, "response");
      for (let part = 0; part < 4; part += 1) {
        request.write(CHUNK);
        await pause(ORIGIN_DEADLINE_MS / 2);
      }
      request.end();
      const [response] = await answered;
      assert.deepEqual([response.statusCode, await textOf(response)], [200, `${length} ${bytes}`]);
    }
  });

  test(`${place}: an origin that hears all of an upload and says nothing is given up`, async () => {
    handlers.silent = (request) => request.resume();
    const body = Buffer.alloc(4 * CHUNK.length);
    const response = await gate.fetch(`${place}/silent`, { method: "POST", headers, body });
    assert.deepEqual([response.status, (await response.json()).cause], [502, "origin-unavailable"]);
  });

  test(`${place}: an answer before the end of an upload outlives the deadline`, async () => {
    handlers.early = async (request, response) => {
      response.writeHead(200).flushHeaders();
      for await (const chunk of request) response.write(String(chunk.length));
      await pause(ORIGIN_DEADLINE_MS * 2);
      response.end(" end");
    };
    const request = send(gate.url + `${place}/early`, { method: "POST", headers });
    request.write("part");
    const [response] = await once(request, "response");
    request.end();
    assert.equal(await textOf(response), "4 end");
  });

  test(`${place}: a client that asks first, and is not told to go on, gets its answer`, async () => {
    // The runtime answers no `Expect: 100-continue`, so clients go on after a while (RFC 9110
    // §10.1.1); and it can't read an origin's 100, so the origin must not be asked for one.
    handlers.asked = async (request, response) => {
      response.end(`${request.headers.expect} ${await textOf(request)}`);
    };
    const asking = { ...headers, expect: "100-continue", "content-length": 4 };
    const request = send(gate.url + `${place}/asked`, { method: "PUT", headers: asking });
    const answered = once(request, "response");
    request.flushHeaders();
    await pause(100);
    request.end("body");
    const [response] = await answered;
    assert.equal(await textOf(response), "undefined body");
  });

  test(`${place}: a client that leaves is missed at the origin`, async () => {
    let left;
    handlers.endless = (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(CHUNK), 10);
      left = once(response, "close").finally(() => clearInterval(timer));
    };
    const request = send(gate.url + `${place}/endless`, { headers }).end();
    request.on("error", () => {});
    const [response] = await once(request, "response");
    response.on("error", () => {});
    await once(response, "readable");
    request.destroy();
    await left;
  });

  test(`${place}: half an upload is never passed off as a whole one`, async () => {
    for (const framing of [{}, { "content-length": 20 }, { "content-length": 1_000_000 }]) {
      let end;
      handlers.half = (request) => {
        end = new Promise((resolve) => {
          request.on("end", () => resolve("ended")).on("error", (error) => resolve(error.code)).resume();
        });
      };
      const request = send(gate.url + `${place}/half`, { method: "POST", headers: { ...headers, ...framing } });
      request.on("error", () => {});
      request.write("half of");
      await until(() => end !== undefined, "the origin sees the request");
      const begun = performance.now();
      request.destroy();
      assert.equal(await end, "ECONNRESET");
      assert.ok(performance.now() - begun < ORIGIN_DEADLINE_MS / 2, "at once, not by the deadline");
    }
  });

  test(`${place}: a body that breaks off at the origin is not passed off as a whole one`, async () => {
    // Of known length, that is: the runtime ends a broken chunked body like a whole one.
    handlers.broken = (_, response) => {
      response.writeHead(200, { "content-length": 1_000_000 });
      response.write("the first part");
      setTimeout(() => response.socket.resetAndDestroy(), 50);
    };
    const response = await gate.fetch(`${place}/broken`, { headers });
    assert.equal(response.status, 200);
    await assert.rejects(response.text(), TypeError);
  });
}

async function textOf(stream) {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}

/** Waits until a count has stopped rising. */
async function untilStill(count) {
  let last;
  while (last !== (last = count())) await pause(200);
}
