// Two Workers as fast as they answer, in turn: pairs of slices.

import { load } from "./load.mjs";
import { cpuTimeUs } from "./runtime.mjs";
import { withSides } from "./sides.mjs";

/** What is compared with what, by the names of targets; the first gate's without its name. */
export const PAIRS = [
  ["hot", "js-headers"],
  ["new", "js-new"],
];

/** Measures pairs `{ ours, base }`, each `{ cpu_us, requests }`. */
export async function measurePairs(scene, [ours, base], options) {
  const targets = [`${scene.gate}-${ours}`, base].map((name) => scene.targets.find((target) => target.name === name));
  return withSides(scene, `pairs-${ours}`, targets, async (sides) => {
    for (const side of sides) await slice(side, options);
    const pairs = [];
    let before = cpuOf(sides);
    for (let pair = 0; pair < options.pairs; pair += 1) {
      const requests = {};
      const order = pair % 2 === 0 ? sides : [...sides].reverse();
      for (const side of order) requests[side.name] = await slice(side, options);
      // From pair to pair: what a side tidies up while the other one is loaded is its own.
      const after = cpuOf(sides);
      const [ours, base] = sides.map(({ name }) => ({ cpu_us: after[name] - before[name], requests: requests[name] }));
      pairs.push({ ours, base });
      before = after;
    }
    return pairs;
  });
}

async function slice(side, { generator, seconds, connections }) {
  const { name, port, path, headers, tokensFile, status } = side;
  const url = `http://127.0.0.1:${port}${path}`;
  const offset = side.offset ?? 0;
  const report = await load({ generator, url, headers, tokensFile, offset, seconds, connections });
  side.offset = offset + report.requests;
  const refused = status >= 400 ? report.requests : 0;
  if (report.requests === 0 || report.failed > 0 || report.refused !== refused) {
    throw new Error(`${name} did not answer ${status} every time: ${JSON.stringify(report)}`);
  }
  return report.requests;
}

function cpuOf(sides) {
  return Object.fromEntries(sides.map(({ name, runtime }) => [name, cpuTimeUs(runtime.pid)]));
}
