// The broad picture: every target in turn, as fast as it answers, all in one runtime process.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "./load.mjs";
import { cpuTimeUs, startRuntime } from "./runtime.mjs";

const WARM_UP_S = 1;
// The rotation of the order in each round.
const STRIDE = 5;

/** Measures `options.rounds` rounds of the targets: `{ target: { cpu_us, … } }` each. */
export async function measureRounds(scene, targets, options) {
  const runtime = await startRuntime(join(scene.folder, "all"), scene.services);
  try {
    for (const target of targets) await warmUp(runtime, target, options);
    const rounds = [];
    for (let round = 0; round < options.rounds; round += 1) {
      rounds.push(await measureRound(runtime, targets, round, options));
      process.stderr.write(`round ${round + 1} of ${options.rounds}\n`);
    }
    return rounds;
  } finally {
    const complaints = runtime.complaints();
    if (complaints) console.error(`the runtime wrote: ${complaints}`);
    await runtime.stop();
  }
}

/** The targets named, and those they are compared with. */
export function chosen(targets, only) {
  const named = targets.filter((target) => only.some((name) => target.name === name || target.name.endsWith(`-${name}`)));
  const wanted = new Set(named.flatMap(({ name, bare, headersOnly, js, cached }) => [name, bare, headersOnly, js, cached]));
  return targets.filter((target) => wanted.has(target.name));
}

/** Makes sure that a target answers as it should, and gets it hot. */
async function warmUp(runtime, target, options) {
  const token = target.tokensFile && readFileSync(target.tokensFile, "latin1").split("\n");
  for (let requests = 0; requests < (target.warmUp ?? 1); requests += 1) {
    const bearer = token && { authorization: `Bearer ${token[requests % token.length]}` };
    const response = await fetch(urlOf(runtime, target), { headers: { ...target.headers, ...bearer }, redirect: "manual" });
    await response.text();
    target.seen = response.status;
  }
  if (target.seen !== target.status) {
    throw new Error(`${target.name} answers ${target.seen} instead of ${target.status}`);
  }
  await measure(runtime, target, { ...options, seconds: WARM_UP_S });
}

async function measureRound(runtime, targets, round, options) {
  const results = {};
  const first = (round * STRIDE) % targets.length;
  const order = [...targets.slice(first), ...targets.slice(0, first)];
  for (const target of round % 2 === 0 ? order : order.reverse()) {
    results[target.name] = await measure(runtime, target, options);
  }
  return results;
}

/** Loads a target. A slice in which the runtime only tidied up counts towards the one after it. */
async function measure(runtime, target, options, attempts = 3, before = cpuTimeUs(runtime.pid)) {
  const { generator, seconds, connections } = options;
  const { headers, tokensFile } = target;
  const offset = target.offset ?? 0;
  const report = await load({ generator, url: urlOf(runtime, target), headers, tokensFile, offset, seconds, connections });
  const cpu = cpuTimeUs(runtime.pid) - before;
  target.offset = offset + report.requests;
  const refused = target.status >= 400 ? report.requests : 0;
  if (report.requests === 0 && attempts > 1) {
    process.stderr.write(`${target.name}: no answer within ${seconds} s (the runtime used ${cpu.toFixed(0)} µs of CPU), again\n`);
    return measure(runtime, target, options, attempts - 1, before);
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

function urlOf(runtime, target) {
  return `http://127.0.0.1:${runtime.ports[target.service]}${target.path}`;
}
