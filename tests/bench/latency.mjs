// The time that the gate adds to a request, where the runtime is busy for a third of its time.

import { setTimeout as pause } from "node:timers/promises";
import { load } from "./load.mjs";
import { checkReport, withOpenLoop, withSides } from "./sides.mjs";

/** The part of the gate's capacity that is asked of every Worker. */
const SHARE = 0.3;
const SETTLE_MS = 300;

/**
 * Measures one busy account through each Worker in turn, at the same rate: `{ rate_per_s, rounds
 * }`, a round as `{ target: { p50_us, p99_us, … } }`.
 */
export async function measureLatency(scene, options) {
  const names = ["pass-through", "js-headers", "js-cached-hot", `${scene.gate}-hot`];
  const hot = scene.targets.find(({ name }) => name === "js-headers");
  const targets = names.map((name) => {
    const { service } = scene.targets.find((target) => target.name === name);
    return { ...hot, name, service };
  });
  return withSides(scene, "latency", targets, async (sides) => {
    for (const side of sides) await capacity(side, options);
    // Once more, now that its code is compiled.
    const rate_per_s = Math.round((await capacity(sides.at(-1), options)) * SHARE);
    const rounds = await withOpenLoop(sides, (generator) => measureRounds(sides, generator, rate_per_s, options));
    return { rate_per_s, rounds };
  });
}

async function capacity({ port, path, headers }, { generator, seconds, connections }) {
  const url = `http://127.0.0.1:${port}${path}`;
  const { requests, duration_us } = await load({ generator, url, headers, seconds, connections });
  return (requests * 1e6) / duration_us;
}

async function measureRounds(sides, generator, rate_per_s, options) {
  const rounds = [];
  for (let round = 0; round < options.pairs; round += 1) {
    const results = {};
    for (let turn = 0; turn < sides.length; turn += 1) {
      const index = (round + turn) % sides.length;
      generator.run({ offset: 0, accounts: rate_per_s, every_ms: 1_000, only: [index] });
      await pause(SETTLE_MS);
      await generator.mark([index]);
      await pause(options.seconds * 1_000);
      const [report] = await generator.mark([index]);
      checkReport(sides[index].name, report);
      results[sides[index].name] = report;
    }
    rounds.push(results);
  }
  generator.pause();
  return rounds;
}
