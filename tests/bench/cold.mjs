// Cold starts: from the start of a new runtime process to the first 402 it gives.

import { join } from "node:path";
import { cpuTimeUs, startRuntime } from "./runtime.mjs";
import { alone } from "./targets.mjs";

/**
 * Starts a constant answer, the hand-written gate and the gate `times` times, in turn. Returns for
 * each `{ name, wall_ms, first_answer_ms, cpu_ms }`, all starts of each.
 */
export async function measureColdStarts(scene, times) {
  const names = ["static-offer", "js-token", scene.gate];
  const starts = names.map((name) => ({ name, wall_ms: [], first_answer_ms: [], cpu_ms: [] }));
  for (let round = 0; round < times; round += 1) {
    for (const start of round % 2 === 0 ? starts : [...starts].reverse()) {
      const one = await startOnce(join(scene.folder, "cold", `${start.name}-${round}`), start.name, alone(scene, start.name));
      for (const [figure, value] of Object.entries(one)) start[figure].push(value);
    }
  }
  return starts;
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
