// A comparison's sides, each in a runtime of its own, so that what one leaves behind for the
// runtime to tidy up is never counted as another's.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startOpenLoop } from "./open_loop.mjs";
import { cpuTimeUs, startRuntime } from "./runtime.mjs";
import { alone } from "./targets.mjs";

/** Starts runtimes for `targets` (`{ name, service, … }`), hands them to `use`, and ends them. */
export async function withSides(scene, folder, targets, use) {
  const sides = [];
  try {
    for (const target of targets) {
      const runtime = await startRuntime(join(scene.folder, folder, target.name), target.services ?? alone(scene, target.service));
      sides.push({ ...target, runtime, port: runtime.ports[target.service] });
    }
    return await use(sides);
  } catch (error) {
    for (const { name, runtime } of sides) console.error(`${name}: the runtime wrote: ${runtime.complaints()}`);
    throw error;
  } finally {
    for (const { runtime } of sides) await runtime.stop();
    // Thousands of accounts' databases, in memory.
    rmSync(join(scene.folder, folder), { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Starts a generator for the sides, hands it to `use`, and ends it. */
export async function withOpenLoop(sides, use) {
  const generator = startOpenLoop(sides.map(({ port, path, headers, tokensFile, status }) => ({ port, path, headers, tokensFile, status })));
  try {
    return await use(generator);
  } finally {
    generator.stop();
  }
}

/** A window of open-loop load: for each side its CPU time and the generator's report. */
export async function measureWindow(sides, generator, seconds) {
  const before = sides.map(({ runtime }) => cpuTimeUs(runtime.pid));
  await pause(seconds * 1_000);
  const after = sides.map(({ runtime }) => cpuTimeUs(runtime.pid));
  const reports = await generator.mark();
  return reports.map((report, index) => {
    const { name } = sides[index];
    checkReport(name, report);
    return { name, cpu_us: after[index] - before[index], ...report };
  });
}

/** Holds a report of the generator against what must be so. */
export function checkReport(name, report) {
  if (report.requests === 0 || report.failed > 0 || report.wrong > 0) {
    throw new Error(`${name} did not answer as it should, or the machine is too busy: ${JSON.stringify(report)}`);
  }
}
