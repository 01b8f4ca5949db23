// Accounts in their steady state, and how they get there: requests at fixed times, whether or not
// the ones before them are answered.
//
// All sides of a comparison run at the same time, under the same requests: a pause in the load
// would let leases lapse, and each side alone would take hours. Two cores can't take 300 accounts
// at seven a second on seven sides (14,700 requests a second), so that there 50 accounts ask each
// side, 350 in all: how a gate does depends on the rate of an account, not on their number.

import { setTimeout as pause } from "node:timers/promises";
import { measureWindow, withOpenLoop, withSides } from "./sides.mjs";
import { COUNTED_PATH, JSON_HEADERS, writeTokens } from "./targets.mjs";

/** How often each account asks, the accounts of each side, and the length of a window. */
export const SCENARIOS = [
  { name: "7-per-s", about: "7 requests a second each", accounts: 50, every_ms: 1_000 / 7, windows: 1 },
  { name: "1-per-s", about: "one a second", accounts: 300, every_ms: 1_000, windows: 1 },
  { name: "1-per-min", about: "one a minute", accounts: 5_000, every_ms: 60_000, windows: 2 },
];

/** The quotas that a request is counted in, by the plan that has them. */
export const QUOTAS = { pro: "1 quota", trio: "3 quotas" };

/** Accounts join over the first quarter of the warm-up. */
const JOIN_MS = 250;

/** Measures accounts that have been asking for `options.warmUp` seconds. */
export async function measureSteady(scene, scenario, options) {
  const { every_ms, windows } = scenario;
  const accounts = accountsOf(scenario, options);
  return onSides(scene, `steady-${scenario.name}`, accounts, async (sides, generator) => {
    generator.run({ offset: 0, accounts, every_ms, join_ms: options.warmUp * JOIN_MS });
    await pause(options.warmUp * 1_000);
    await generator.mark();
    return measureWindows(options.pairs, () => measureWindow(sides, generator, options.window * windows));
  });
}

/** Measures the first `options.ramp` seconds of accounts that nobody has asked for before. */
export async function measureRamp(scene, scenario, options) {
  const { every_ms } = scenario;
  const accounts = accountsOf(scenario, options);
  const each = Math.ceil(Math.min(accounts, (options.ramp * 1_000 * accounts) / every_ms + 1));
  return onSides(scene, `ramp-${scenario.name}`, each * (options.pairs + 1), async (sides, generator) => {
    let offset = 0;
    const begin = async () => {
      generator.run({ offset, accounts, every_ms });
      offset += each;
      return measureWindow(sides, generator, options.ramp);
    };
    // The first accounts meet a runtime that is cold itself.
    await begin();
    return measureWindows(options.pairs, begin);
  });
}

/** How many accounts ask, on a machine that may be too busy for all. */
export function accountsOf({ accounts }, { accountsPercent }) {
  return Math.ceil((accounts * accountsPercent) / 100);
}

async function onSides(scene, name, accounts, use) {
  const targets = Object.keys(QUOTAS).flatMap((plan) => {
    const tokensFile = writeTokens(scene, name, plan, accounts);
    const common = { path: COUNTED_PATH, headers: JSON_HEADERS, status: 200, tokensFile };
    // The floor does the same whatever is counted.
    const floor = plan === "pro" ? ["js-headers"] : [];
    const services = [...Object.keys(scene.gates), "js-metered", "js-cached", ...floor];
    return services.map((service) => ({ name: `${service}/${plan}`, service, ...common }));
  });
  return withSides(scene, name, targets, (sides) => withOpenLoop(sides, (generator) => use(sides, generator)));
}

// Windows as `{ side: { cpu_us, requests, … } }`.
async function measureWindows(count, measure) {
  const windows = [];
  for (let done = 0; done < count; done += 1) {
    const sides = await measure();
    windows.push(Object.fromEntries(sides.map(({ name, ...figures }) => [name, figures])));
  }
  return windows;
}
