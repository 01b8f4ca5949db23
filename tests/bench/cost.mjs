// The bill of Cloudflare for the objects of accounts: calls of them and rows, counted in the real
// runtime under real time, and no CPU time.

import { setTimeout as pause } from "node:timers/promises";
import { checkReport, withOpenLoop, withSides } from "./sides.mjs";
import { countingService, ORIGIN } from "./services.mjs";
import { accountsOf } from "./steady.mjs";
import { COUNTED_PATH, JSON_HEADERS, writeTokens } from "./targets.mjs";

/** How often each account asks. */
export const RATES = [
  { group: "minute", about: "one request a minute", accounts: 1_200, every_ms: 60_000 },
  { group: "five", about: "one in five seconds", accounts: 300, every_ms: 5_000 },
  { group: "second", about: "one a second", accounts: 200, every_ms: 1_000 },
  { group: "busy", about: "20 a second", accounts: 10, every_ms: 50 },
];
const PLANS = { one: "pro", three: "trio" };

/** Cloudflare's prices of a million, Workers Paid: requests to an object, rows written, rows read. */
const DOLLARS = { calls: 0.15, rows_written: 1.0, rows_read: 0.001 };

/** Dollars for a million requests. */
export function dollarsOf({ requests, ...counts }) {
  return Object.entries(DOLLARS).reduce((sum, [figure, dollars]) => sum + (counts[figure] * dollars) / requests, 0);
}

/**
 * Counts for `options.costSeconds`, after `options.warmUp`: `{ group, about, quotas, requests,
 * calls, rows_written, rows_read }` for each rate and plan.
 */
export async function measureCost(scene, options) {
  const services = [ORIGIN, countingService(scene, "counting", scene.gates[scene.gate])];
  const target = { name: "counting", service: "counting", services, path: COUNTED_PATH, headers: JSON_HEADERS, status: 200 };
  return withSides(scene, "cost", [target], async ([side]) => {
    const kinds = RATES.flatMap((rate) => {
      const accounts = accountsOf(rate, options);
      return Object.entries(PLANS).map(([quotas, plan]) => ({ ...rate, accounts, quotas, plan, name: rate.group + quotas }));
    });
    const measure = async (generators) => {
      for (const [index, { accounts, every_ms }] of kinds.entries()) generators[index].run({ offset: 0, accounts, every_ms, join_ms: options.warmUp * 250 });
      await pause(options.warmUp * 1_000);
      await marks(kinds, generators);
      const before = await countsOf(side);
      await pause(options.costSeconds * 1_000);
      const after = await countsOf(side);
      const reports = await marks(kinds, generators);
      return kinds.map(({ name, group, about, quotas }, index) => {
        checkReport(name, reports[index]);
        if (!(after[name]?.calls > 0)) throw new Error(`no call of an object was counted: ${JSON.stringify(after)}`);
        const counts = Object.keys(DOLLARS).map((figure) => [figure, after[name][figure] - before[name][figure]]);
        return { group, about, quotas, requests: reports[index].requests, ...Object.fromEntries(counts) };
      });
    };
    // A generator has one rate.
    const nested = kinds.reduceRight(
      (next, { name, plan, accounts }) => (generators) => {
        const tokensFile = writeTokens(scene, name, plan, accounts);
        return withOpenLoop([{ ...side, tokensFile }], (generator) => next([...generators, generator]));
      },
      measure,
    );
    return nested([]);
  });
}

function marks(kinds, generators) {
  return Promise.all(kinds.map(async (_, index) => (await generators[index].mark())[0]));
}

async function countsOf({ port }) {
  return (await fetch(`http://127.0.0.1:${port}/counts`)).json();
}
