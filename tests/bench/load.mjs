// Sends requests as fast as they are answered, over connections that stay open: by `wrk` where it
// is installed, else by a generator in a process of its own. Both report
// `{ requests, duration_us, refused, failed, p50_us, p99_us }`; `refused` counts statuses of 400 and more.

import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SELF = fileURLToPath(import.meta.url);
const LUA = fileURLToPath(new URL("load.lua", import.meta.url));
const run = promisify(execFile);

/** The generator that will be used. */
export function generatorName() {
  const found = spawnSync("wrk", ["-v"], { encoding: "utf8" });
  return found.error ? "node" : (/^wrk \S+/.exec(found.stdout)?.[0] ?? "wrk");
}

/** Loads `url` for whole seconds. `tokensFile` has a token a line, taken in turn from line `offset`. */
export async function load({ generator, url, headers, tokensFile, offset = 0, seconds, connections }) {
  const env = { ...process.env };
  if (tokensFile) Object.assign(env, { BENCH_TOKENS: tokensFile, BENCH_OFFSET: String(offset) });
  const [file, args] =
    generator === "node"
      ? [process.execPath, [SELF, String(connections), String(seconds), url, JSON.stringify(headers)]]
      : wrk(url, headers, seconds, connections);
  const { stdout } = await run(file, args, { env });
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

function wrk(url, headers, seconds, connections) {
  const flags = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  return ["wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, ...flags, "-s", LUA, url]];
}

if (argv[1] === SELF) {
  const [connections, seconds, url, headers] = argv.slice(2);
  const report = await generate(Number(connections), Number(seconds), new URL(url), JSON.parse(headers));
  console.log(JSON.stringify(report));
}

async function generate(connections, seconds, url, headers) {
  const tokens = process.env.BENCH_TOKENS ? readFileSync(process.env.BENCH_TOKENS, "latin1").trim().split("\n") : [];
  let at = Number(process.env.BENCH_OFFSET ?? 0);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies = [];
  const counts = { refused: 0, failed: 0 };
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  const one = () =>
    new Promise((resolve) => {
      const sentAt = performance.now();
      const token = tokens.length === 0 ? {} : { authorization: `Bearer ${tokens[at++ % tokens.length]}` };
      const { hostname, port, pathname } = url;
      const sent = request({ hostname, port, path: pathname, agent, headers: { ...headers, ...token } }, (response) => {
        if (response.statusCode >= 400) counts.refused += 1;
        response.resume().once("end", () => {
          latencies.push(performance.now() - sentAt);
          resolve();
        });
      });
      sent.once("error", () => {
        counts.failed += 1;
        resolve();
      });
      sent.end();
    });
  const connection = async () => {
    while (performance.now() < endsAt) await one();
  };
  await Promise.all(Array.from({ length: connections }, connection));
  agent.destroy();
  const sorted = latencies.sort((a, b) => a - b);
  const percentile = (share) => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 1_000);
  const duration_us = Math.round((performance.now() - startedAt) * 1_000);
  return { requests: sorted.length, duration_us, ...counts, p50_us: percentile(0.5), p99_us: percentile(0.99) };
}
