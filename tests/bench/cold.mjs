// Cold starts: from the start of a new runtime process to the first 402 it gives.

import { join } from "node:path";
import { median } from "./report.mjs";
import { cpuTimeUs, startRuntime } from "./runtime.mjs";

/** Starts each of `subjects` (`{ name, services }`) `times` times, in turn. */
export async function measureColdStarts(folder, subjects, times) {
  const starts = subjects.map(({ name }) => ({ name, wall_ms: [], first_answer_ms: [], cpu_ms: [] }));
  for (let round = 0; round < times; round += 1) {
    for (const [index, { name, services }] of subjects.entries()) {
      const one = await startOnce(join(folder, `${name}-${round}`), name, services);
      for (const [figure, value] of Object.entries(one)) starts[index][figure].push(value);
    }
  }
  return starts.map((start) => {
    const figures = Object.entries(start).filter(([, values]) => Array.isArray(values));
    const medians = figures.map(([figure, values]) => [figure, { median: median(values), min: Math.min(...values), max: Math.max(...values) }]);
    return { name: start.name, ...Object.fromEntries(medians) };
  });
}

async function startOnce(folder, name, services) {
  const runtime = await startRuntime(folder, services);
  try {
    const listeningAt = performance.now();
    // A 402 where there is one to be had without a token, else the 401 of the hand-written gate.
    const response = await fetch(`http://127.0.0.1:${runtime.ports[name]}/articles/1`, { headers: { accept: "application/json" } });
    await response.text();
    const answeredAt = performance.now();
    if (response.status !== 402 && response.status !== 401) throw new Error(`${name} answered ${response.status}`);
    return {
      wall_ms: answeredAt - runtime.startedAt,
      first_answer_ms: answeredAt - listeningAt,
      cpu_ms: cpuTimeUs(runtime.pid) / 1_000,
    };
  } finally {
    await runtime.stop();
  }
}
