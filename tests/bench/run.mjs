// Measures what the gate costs, beside Workers that do less and beside a gate written by hand. Its
// parts, which docs/performance.md explains:
//
//   rounds                        every target in turn, as fast as it answers
//   pairs-hot, pairs-new          two Workers in turn, for the aims
//   steady-…, ramp-…              accounts at a fixed pace: 7-per-s, 1-per-s, 1-per-min
//   latency, cost, ledger, memory, cold
//
//   node tests/bench/run.mjs [--only PART|TARGET,…] [--json FILE [--resume]] [--against NAME=CHECKOUT]…
//     [--rounds N] [--seconds N] [--connections N] [--pairs N] [--window S] [--warm-up S] [--ramp S]
//     [--accounts PERCENT] [--cost-seconds S] [--cold N]
//
// Results are written to FILE after each part; with --resume those that FILE has aren't measured
// again. --accounts has fewer accounts ask at their pace, on a machine that is busy. CPU time is
// that of the runtime's processes (/proc, hence Linux).

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { measureColdStarts } from "./cold.mjs";
import { measureCost } from "./cost.mjs";
import { measureLatency } from "./latency.mjs";
import { measureLedger } from "./ledger.mjs";
import { generatorName } from "./load.mjs";
import { measureMemory } from "./memory.mjs";
import { measurePairs, PAIRS } from "./pairs.mjs";
import { tables } from "./report.mjs";
import { chosen, measureRounds } from "./rounds.mjs";
import { killRuntimes } from "./runtime.mjs";
import { ROOT } from "./services.mjs";
import { measureRamp, measureSteady, SCENARIOS } from "./steady.mjs";
import { prepare } from "./targets.mjs";

const options = readOptions();
// In memory where that is possible: a slow disk would be measured instead of the Workers.
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "tollgate-bench-"));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => end(new Error(signal)));
try {
  await main();
} catch (error) {
  end(error);
}
end();

async function main() {
  const scene = await prepare(folder, options.gates);
  const parts = chosenParts(scene, options.only);
  const results = options.resume && existsSync(options.json) ? JSON.parse(readFileSync(options.json, "utf8")) : {};
  results.about ??= describe(scene);
  const failed = [];
  for (const [name, measure] of Object.entries(parts)) {
    if (results[name]) continue;
    const startedAt = performance.now();
    try {
      results[name] = await measure();
    } catch (error) {
      // The other parts don't depend on it, and --resume measures it again.
      console.error(error);
      failed.push(name);
      continue;
    }
    process.stderr.write(`${name}: ${((performance.now() - startedAt) / 1_000).toFixed(0)} s\n`);
    if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  }
  console.log(tables(results));
  if (failed.length > 0) throw new Error(`not measured: ${failed.join(", ")}`);
}

/** The parts to measure, by name: all, or those named; names of targets make rounds of these. */
function chosenParts(scene, only) {
  const parts = partsOf(scene, scene.targets);
  if (!only) return parts;
  const targets = chosen(scene.targets, only);
  const known = [...Object.keys(parts), ...scene.targets.map(({ name }) => name)];
  const unknown = only.filter((name) => parts[name] === undefined && chosen(scene.targets, [name]).length === 0);
  if (unknown.length > 0) throw new Error(`--only: ${unknown.join(", ")} is none of ${known.join(", ")}`);
  const some = partsOf(scene, targets.length > 0 ? targets : scene.targets);
  const isWanted = (name) => only.includes(name) || (name === "rounds" && targets.length > 0);
  return Object.fromEntries(Object.entries(some).filter(([name]) => isWanted(name)));
}

function partsOf(scene, targets) {
  const rounds = async () => ({ targets, rounds: await measureRounds(scene, targets, options) });
  const each = (kind, measure) => SCENARIOS.map((scenario) => [`${kind}-${scenario.name}`, () => measure(scene, scenario, options)]);
  return {
    rounds,
    ...Object.fromEntries(PAIRS.map((pair) => [`pairs-${pair[0]}`, () => measurePairs(scene, pair, options)])),
    ...Object.fromEntries([...each("steady", measureSteady), ...each("ramp", measureRamp)]),
    latency: () => measureLatency(scene, options),
    cost: () => measureCost(scene, options),
    ledger: () => measureLedger(scene, options),
    memory: () => measureMemory(scene),
    ...(options.cold > 0 && { cold: () => measureColdStarts(scene, options.cold) }),
  };
}

function describe({ gate }) {
  const { version } = JSON.parse(readFileSync(join(ROOT, "node_modules/workerd/package.json"), "utf8"));
  const { accountsPercent, rounds, seconds, connections, pairs, window, warmUp, ramp, costSeconds } = options;
  return {
    gate,
    at: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? "unknown CPU",
    cpus: cpus().length,
    load_average: Number(readFileSync("/proc/loadavg", "latin1").split(" ")[0]),
    runtime: `workerd ${version}`,
    generator: options.generator,
    settings:
      `${rounds} rounds of ${seconds} s with ${connections} connections; ${pairs} pairs, windows of ${window} s after ${warmUp} s; ` +
      `ramps of ${ramp} s; ${accountsPercent} % of the accounts; calls and rows counted for ${costSeconds} s`,
    wasm: modulesBuilt(),
  };
}

// The size of each WebAssembly module, but for copies that keep the names of functions.
function modulesBuilt() {
  const files = readdirSync(join(ROOT, "build"), { recursive: true }).filter((file) => file.endsWith("_bg.wasm"));
  return files.sort().map((file) => {
    const bytes = readFileSync(join(ROOT, "build", file));
    return `${file} ${bytes.byteLength} bytes, ${gzipSync(bytes, { level: 9 }).byteLength} gzip`;
  });
}

function readOptions() {
  const text = (fallback) => ({ type: "string", default: fallback });
  const { values } = parseArgs({
    options: {
      accounts: text("100"),
      against: { type: "string", multiple: true, default: [] },
      cold: text("20"),
      connections: text("16"),
      "cost-seconds": text("180"),
      json: { type: "string" },
      only: { type: "string" },
      pairs: text("20"),
      ramp: text("10"),
      resume: { type: "boolean", default: false },
      rounds: text("7"),
      seconds: text("2"),
      "warm-up": text("60"),
      window: text("3"),
    },
  });
  const whole = (name, least) => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < least) throw new Error(`--${name} must be a whole number from ${least} on`);
    return number;
  };
  if (values.resume && !values.json) throw new Error("--resume needs --json");
  const others = values.against.map((text) => [text.split("=", 1)[0], text.slice(text.indexOf("=") + 1)]);
  return {
    accountsPercent: whole("accounts", 1),
    cold: whole("cold", 0),
    connections: whole("connections", 1),
    costSeconds: whole("cost-seconds", 1),
    gates: { tollgate: ROOT, ...Object.fromEntries(others) },
    generator: generatorName(),
    json: values.json,
    only: values.only?.split(","),
    pairs: whole("pairs", 1),
    ramp: whole("ramp", 1),
    resume: values.resume,
    rounds: whole("rounds", 1),
    seconds: whole("seconds", 1),
    warmUp: whole("warm-up", 0),
    window: whole("window", 1),
  };
}

function end(error) {
  killRuntimes();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  if (error) console.error(error);
  process.exit(error ? 1 : 0);
}
