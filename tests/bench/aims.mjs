// The aims for what the gate costs, and whether a run meets them. An aim for a ratio is met when
// the upper end of its 95 % interval is below it.

import { dollarsOf } from "./cost.mjs";
import { pairedRatio, ratioOfMeans } from "./statistics.mjs";
import { QUOTAS } from "./steady.mjs";

/**
 * The aims of a run, as far as they were measured: `{ aim, limit, ratio, low, high, pairs }`, or
 * `{ aim, limit, dollars }`.
 */
export function aimsOf(results) {
  const { gate } = results.about;
  const accounts = (kind, name, about, limits) =>
    Object.entries(QUOTAS).flatMap(([plan, quotas]) =>
      Object.entries(limits).map(([base, limit]) => ({
        aim: `${about}, ${quotas}, beside ${base}`,
        limit,
        ...sidesRatio(results[`${kind}-${name}`], `${gate}/${plan}`, `${base}/${plan}`),
      })),
    );
  const pair = (name, about, limit) => ({ aim: about, limit, ...(results[`pairs-${name}`] && pairedRatio(results[`pairs-${name}`])) });
  const cost = (group, about, limit) => {
    const counted = results.cost?.find((row) => row.group === group && row.quotas === "one");
    return { aim: `a million requests of an account with ${about}`, limit, dollars: counted && dollarsOf(counted) };
  };
  const aims = [
    ...accounts("steady", "7-per-s", "accounts at 7 requests a second", { "js-metered": 0.45, "js-cached": 0.7 }),
    ...accounts("steady", "1-per-s", "accounts at one a second", { "js-metered": 0.7, "js-cached": 1.0 }),
    ...accounts("steady", "1-per-min", "accounts at one a minute", { "js-metered": 0.9 }),
    ...accounts("ramp", "7-per-s", "the first seconds at 7 a second", { "js-metered": 0.9 }),
    ...accounts("ramp", "1-per-s", "the first seconds at one a second", { "js-metered": 0.9 }),
    ...accounts("ramp", "1-per-min", "the first seconds at one a minute", { "js-metered": 0.9 }),
    pair("hot", "one busy account, beside js-headers", 1.25),
    pair("new", "a new token each time, beside the hand-written gate (js-new)", 1.0),
    { aim: "first 402 of a cold runtime, beside a constant answer's", limit: 1.4, ...coldRatio(results.cold, gate) },
    cost("minute", "one a minute", 1.15),
    cost("five", "one in five seconds", 0.6),
    cost("second", "one a second", 0.25),
  ];
  return aims.filter(({ ratio, dollars }) => ratio !== undefined || dollars !== undefined);
}

/** Whether an aim is met. */
export function isMet({ limit, high, dollars }) {
  return dollars === undefined ? high < limit : dollars <= limit;
}

/** The ratio of two sides over the windows that both were measured in. */
export function sidesRatio(windows, ours, base) {
  return windows && pairedRatio(windows.map((window) => ({ ours: window[ours], base: window[base] })));
}

function coldRatio(starts, gate) {
  const times = (name) => starts?.find((start) => start.name === name)?.wall_ms;
  const ours = times(gate);
  const base = times("static-offer");
  return ours && base && ratioOfMeans(ours.map((ms, index) => ({ ours: ms, base: base[index] })));
}
