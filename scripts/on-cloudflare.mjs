// Checks of a deployed gate that nothing but Cloudflare's own network can answer. See
// docs/on-cloudflare.md for the needs and the expected output of each.
//
//   node scripts/on-cloudflare.mjs headers URL            an origin, or an open route of the gate, that echoes
//   node scripts/on-cloudflare.mjs cache GATE ORIGIN TOKEN  the same gated file by both ways
//   node scripts/on-cloudflare.mjs cold URL [SECONDS]     the first request after a pause, and those after it
//   node scripts/on-cloudflare.mjs count URL TOKEN [N]    N requests at once on a route with a hard quota

import { request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { argv, exit } from "node:process";
import { setTimeout as pause } from "node:timers/promises";

/** Every sign that a header's name may hold (RFC 9110 §5.6.2). */
const SIGNS = [..."!#$%&'*+-.^_`|~"];

const CHECKS = { headers, cache, cold, count };

const [name, ...args] = argv.slice(2);
if (!Object.hasOwn(CHECKS, name ?? "") || args.length === 0) {
  console.error(`usage: node scripts/on-cloudflare.mjs ${Object.keys(CHECKS).join("|")} …`);
  exit(2);
}
exit((await CHECKS[name](...args)) ? 0 : 1);

/** Lists the spellings of a name of the gate's that arrive at an echo of headers. */
async function headers(url) {
  const arrived = [];
  for (const sign of SIGNS) {
    const answer = await ask(url, { [`tollgate${sign}account`]: "forged" });
    if (answer.body.includes("forged")) arrived.push(sign);
  }
  console.log(`${arrived.length} of ${SIGNS.length} spellings arrive: ${arrived.join(" ")}`);
  return arrived.length === 0;
}

/** Whether anybody can get a file from the origin after the gate fetched it for a caller. */
async function cache(gate, origin, token) {
  for (const round of [1, 2]) {
    const answer = await ask(gate, { authorization: `Bearer ${token}` });
    console.log(`gate ${round}: ${answer.status}, cf-cache-status ${answer.headers["cf-cache-status"] ?? "none"}`);
  }
  const direct = await ask(origin);
  const status = direct.headers["cf-cache-status"] ?? "none";
  console.log(`origin, without a token: ${direct.status}, cf-cache-status ${status}`);
  return direct.status >= 400 && status !== "HIT";
}

/** How long the first request takes after a pause, beside those that follow it. */
async function cold(url, seconds = "0") {
  await pause(Number(seconds) * 1_000);
  const times = [];
  let last;
  for (let round = 0; round < 6; round += 1) {
    const begun = performance.now();
    last = await ask(url);
    times.push(Math.round(performance.now() - begun));
  }
  const placed = last.headers["cf-placement"] ?? "none";
  console.log(`first ${times[0]} ms, then ${times.slice(1).join(", ")} ms; cf-placement ${placed}`);
  return last.status < 500;
}

/** How many of so many requests pass that are sent at once. */
async function count(url, token, number = "50") {
  const asked = Array.from({ length: Number(number) }, () => ask(url, { authorization: `Bearer ${token}` }));
  const statuses = {};
  for (const { status } of await Promise.all(asked)) statuses[status] = (statuses[status] ?? 0) + 1;
  console.log(`of ${number}: ${Object.entries(statuses).map(([status, times]) => `${times} × ${status}`).join(", ")}`);
  return true;
}

/** A request of its own connection, whose headers go out as they are spelled. */
function ask(url, headers = {}) {
  const send = url.startsWith("https:") ? overHttps : overHttp;
  return new Promise((resolve, reject) => {
    const sent = send(url, { headers, agent: false, timeout: 30_000 }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk)).on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString("latin1");
        resolve({ status: response.statusCode, headers: response.headers, body });
      });
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer from ${url}`)));
    sent.on("error", reject);
    sent.end();
  });
}
