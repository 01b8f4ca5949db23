// Measures what the gate costs, beside Workers that do less and beside a hand-written gate.
//
//   node tests/bench/run.mjs [--seconds N] [--rounds N] [--connections N] [--only a,b] [--json FILE]
//                            [--against NAME=CHECKOUT]… [--cold N]
//
// All Workers live in one `workerd` process. Each round loads each of them once, in a rotated order,
// and takes the CPU time of that process (/proc, hence Linux). Ratios are taken within a round, so
// that a machine that is busy with something else disturbs them least. docs/performance.md explains the figures.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { measureColdStarts } from "./cold.mjs";
import { generatorName, load } from "./load.mjs";
import { coldTable, ratioTable, summarise } from "./report.mjs";
import { cpuTimeUs, startRuntime } from "./runtime.mjs";
import { coldServices, prepare } from "./targets.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WARM_UP_S = 1;
// The rotation of the order in each round.
const STRIDE = 5;

const options = readOptions();
// In memory where that is possible: a slow disk would be measured instead of the Workers.
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "tollgate-bench-"));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => end(new Error(signal)));
let runtime;
try {
  await main();
} catch (error) {
  await end(error);
}
await end();

async function main() {
  const scene = await prepare(folder, options.gates);
  const targets = chosen(scene.targets, options.only);
  const about = describe();
  console.log(`${about.cpu}, ${about.cpus} CPUs, load average ${about.load_average}; ${about.runtime}; load by ${about.generator}`);
  console.log(`${options.rounds} rounds of ${options.seconds} s each, ${options.connections} connections`);
  console.log(`WASM: ${about.wasm_bytes} bytes, ${about.wasm_gzip_bytes} gzip`);

  runtime = await startRuntime(join(folder, "all"), scene.services);
  for (const target of targets) await warmUp(target);
  const rounds = [];
  for (let round = 0; round < options.rounds; round += 1) {
    rounds.push(await measureRound(targets, round));
    process.stderr.write(`round ${round + 1} of ${options.rounds}\n`);
  }
  const complaints = runtime.complaints();
  if (complaints) console.error(`the runtime wrote: ${complaints}`);
  await runtime.stop();
  runtime = undefined;

  const results = summarise(targets, rounds);
  console.log(`\n${ratioTable(results)}`);
  console.log("Ratios of CPU time: all rounds together / median of the rounds / best round of both.");
  const cold = options.cold > 0 ? await coldStarts(scene) : [];
  if (options.json) {
    writeFileSync(options.json, `${JSON.stringify({ about, results, cold, rounds }, null, 2)}\n`);
  }
}

/** Makes sure that a target answers as it should, and gets it hot. */
async function warmUp(target) {
  const token = target.tokensFile && readFileSync(target.tokensFile, "latin1").split("\n");
  for (let requests = 0; requests < (target.warmUp ?? 1); requests += 1) {
    const bearer = token && { authorization: `Bearer ${token[requests % token.length]}` };
    const response = await fetch(urlOf(target), { headers: { ...target.headers, ...bearer }, redirect: "manual" });
    await response.text();
    target.seen = response.status;
  }
  if (target.seen !== target.status) {
    throw new Error(`${target.name} answers ${target.seen} instead of ${target.status}`);
  }
  await measure(target, WARM_UP_S);
}

async function measureRound(targets, round) {
  const results = {};
  const first = (round * STRIDE) % targets.length;
  const order = [...targets.slice(first), ...targets.slice(0, first)];
  for (const target of round % 2 === 0 ? order : order.reverse()) {
    results[target.name] = await measure(target, options.seconds);
  }
  return results;
}

/** Loads a target. A slice in which the runtime only tidied up counts towards the one after it. */
async function measure(target, seconds, attempts = 3, before = cpuTimeUs(runtime.pid)) {
  const report = await load({
    generator: options.generator,
    url: urlOf(target),
    headers: target.headers,
    tokensFile: target.tokensFile,
    offset: target.offset ?? 0,
    seconds,
    connections: options.connections,
  });
  const cpu = cpuTimeUs(runtime.pid) - before;
  target.offset = (target.offset ?? 0) + report.requests;
  const refused = target.status >= 400 ? report.requests : 0;
  if (report.requests === 0 && attempts > 1) {
    process.stderr.write(`${target.name}: no answer within ${seconds} s (the runtime used ${cpu} µs of CPU), again\n`);
    return measure(target, seconds, attempts - 1, before);
  }
  if (report.requests === 0 || report.failed > 0 || report.refused !== refused) {
    throw new Error(`${target.name} did not answer ${target.status} every time: ${JSON.stringify(report)}`);
  }
  return {
    requests: report.requests,
    cpu_us: cpu / report.requests,
    requests_per_s: (report.requests * 1e6) / report.duration_us,
    p50_us: report.p50_us,
    p99_us: report.p99_us,
  };
}

async function coldStarts(scene) {
  const starts = await measureColdStarts(join(folder, "cold"), coldServices(scene, Object.keys(options.gates)[0]), options.cold);
  console.log(`\n${coldTable(starts)}`);
  return starts;
}

function urlOf(target) {
  return `http://127.0.0.1:${runtime.ports[target.service]}${target.path}`;
}

/** The targets named, and those they are compared with. */
function chosen(targets, only) {
  if (!only) return targets;
  const named = targets.filter((target) => only.some((name) => target.name === name || target.name.endsWith(`-${name}`)));
  if (named.length === 0) throw new Error(`--only names none of ${targets.map((target) => target.name).join(", ")}`);
  const wanted = new Set(named.flatMap((target) => [target.name, target.bare, target.js]));
  return targets.filter((target) => wanted.has(target.name));
}

function describe() {
  const wasm = readFileSync(join(ROOT, "build/index_bg.wasm"));
  const { version } = JSON.parse(readFileSync(join(ROOT, "node_modules/workerd/package.json"), "utf8"));
  return {
    cpu: cpus()[0]?.model ?? "unknown CPU",
    cpus: cpus().length,
    load_average: Number(readFileSync("/proc/loadavg", "latin1").split(" ")[0]),
    runtime: `workerd ${version}`,
    generator: options.generator,
    seconds: options.seconds,
    connections: options.connections,
    wasm_bytes: wasm.byteLength,
    wasm_gzip_bytes: gzipSync(wasm, { level: 9 }).byteLength,
  };
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      against: { type: "string", multiple: true, default: [] },
      cold: { type: "string", default: "7" },
      connections: { type: "string", default: "16" },
      json: { type: "string" },
      only: { type: "string" },
      rounds: { type: "string", default: "7" },
      seconds: { type: "string", default: "2" },
    },
  });
  const whole = (name, least) => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < least) throw new Error(`--${name} must be a whole number from ${least} on`);
    return number;
  };
  const others = values.against.map((text) => [text.split("=", 1)[0], text.slice(text.indexOf("=") + 1)]);
  return {
    cold: whole("cold", 0),
    connections: whole("connections", 1),
    gates: { tollgate: ROOT, ...Object.fromEntries(others) },
    generator: generatorName(),
    json: values.json,
    only: values.only?.split(","),
    rounds: whole("rounds", 1),
    seconds: whole("seconds", 1),
  };
}

async function end(error) {
  const complaints = runtime?.complaints();
  await runtime?.stop();
  rmSync(folder, { recursive: true, force: true });
  if (error) console.error(error);
  if (error && complaints) console.error(`the runtime wrote: ${complaints}`);
  process.exit(error ? 1 : 0);
}
