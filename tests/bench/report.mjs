// From measurements to Markdown tables, as docs/performance.md has them.

import { aimsOf, isMet, sidesRatio } from "./aims.mjs";
import { dollarsOf } from "./cost.mjs";
import { costOf, median, medianInterval, spread } from "./statistics.mjs";
import { QUOTAS, SCENARIOS } from "./steady.mjs";

/** Fewer say nothing about an aim. */
const LEAST_PAIRS = 20;

/** Every table that there are results for, each under its title. */
export function tables(results) {
  const { about } = results;
  const sections = [
    ["Aims", results.about && aimsTable(aimsOf(results))],
    ["Every target, as fast as it answers", results.rounds && roundsTable(results.rounds)],
    ["Accounts in their steady state", accountsTable(results, "steady")],
    ["The ramp: accounts that nobody has asked for before", accountsTable(results, "ramp")],
    ["Latency", results.latency && latencyTable(results.latency)],
    ["Cost of an account's object", results.cost && costTable(results.cost)],
    ["One ledger object", results.ledger && ledgerTable(results.ledger)],
    ["Memory of an isolate", results.memory && memoryTable(results.memory)],
    ["Cold starts", results.cold && coldTable(results.cold)],
  ];
  const present = sections.filter(([, text]) => text);
  const head = `${about.cpu}, ${about.cpus} CPUs, load average ${about.load_average}; ${about.runtime}; load by ${about.generator}\n${about.settings}\nWASM: ${about.wasm.join(", ")}`;
  return [head, ...present.map(([title, text]) => `### ${title}\n\n${text}`)].join("\n\n");
}

function aimsTable(aims) {
  if (aims.length === 0) return undefined;
  const rows = aims.map((aim) => {
    const { limit, ratio, low, high, dollars, pairs } = aim;
    const verdict = pairs < LEAST_PAIRS ? "too few pairs to say" : isMet(aim) ? "met" : "**not met**";
    if (dollars !== undefined) return [aim.aim, `$${limit.toFixed(2)}`, `$${dollars.toFixed(3)}`, "counted", verdict];
    return [aim.aim, `< ${limit.toFixed(2)}`, `${ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`, `${pairs} pairs`, verdict];
  });
  return table(["aim", "limit", "measured (95 % interval)", "by", ""], rows);
}

// The runtime destroys what requests leave behind in batches, long after them, so that a round can
// be spared the cost or bear another's. All rounds together come first: nothing is lost there.
function roundsTable({ targets, rounds }) {
  const head = ["target", "CPU µs/request", "median (min–max)", "requests/s", "× bare JS", "× headers alone", "× JS gate", "× JS gate that remembers", "what it is"];
  const slices = (name) => rounds.map((round) => ({ cpu_us: round[name].cpu_us * round[name].requests, requests: round[name].requests }));
  const rows = targets.map(({ name, about, ...bases }) => {
    const cpu = spread(rounds.map((round) => round[name].cpu_us));
    const ratio = (base) => {
      if (base === undefined) return "";
      const overall = costOf(slices(name)) / costOf(slices(base));
      const each = median(rounds.map((round) => round[name].cpu_us / round[base].cpu_us));
      return `${overall.toFixed(2)} / ${each.toFixed(2)} ${base}`;
    };
    return [
      name,
      costOf(slices(name)).toFixed(0),
      `${cpu.median.toFixed(0)} (${cpu.min.toFixed(0)}–${cpu.max.toFixed(0)})`,
      median(rounds.map((round) => round[name].requests_per_s)).toFixed(0),
      ...[bases.bare, bases.headersOnly, bases.js, bases.cached].map(ratio),
      about,
    ];
  });
  return `${table(head, rows)}\n\nRatios of CPU time: all rounds together / median of the rounds.`;
}

function accountsTable(results, kind) {
  const head = ["accounts on each side", "quotas", "Worker", "CPU µs/request (95 % of windows)", "× js-metered (95 % interval)", "× js-cached (95 % interval)", "p50 ms", "p99 ms", "answered"];
  const rows = SCENARIOS.flatMap(({ name, about, accounts }) => {
    const windows = results[`${kind}-${name}`];
    if (!windows) return [];
    return Object.keys(windows[0]).map((side) => {
      const [worker, plan] = side.split("/");
      const of = (figure) => windows.map((window) => window[side][figure]);
      const each = medianInterval(windows.map((window) => window[side].cpu_us / window[side].requests));
      const ratio = (base) => (worker === base ? "" : interval(sidesRatio(windows, side, `${base}/${plan}`)));
      return [
        `${accounts}, ${about}`,
        QUOTAS[plan],
        worker,
        `${costOf(windows.map((window) => window[side])).toFixed(0)} (${each.low.toFixed(0)}–${each.high.toFixed(0)})`,
        ratio("js-metered"),
        ratio("js-cached"),
        ms(median(of("p50_us"))),
        ms(median(of("p99_us"))),
        share(of("requests"), of("dropped")),
      ];
    });
  });
  return rows.length > 0 && table(head, rows);
}

function latencyTable({ rate_per_s, rounds }) {
  const rows = Object.keys(rounds[0]).map((name) => {
    const of = (figure) => rounds.map((round) => round[name][figure]);
    const added = (figure) => {
      if (name === "pass-through") return "";
      const { median, low, high } = medianInterval(rounds.map((round) => round[name][figure] - round["pass-through"][figure]));
      return `${ms(median)} (${ms(low)}–${ms(high)})`;
    };
    return [name, ms(median(of("p50_us"))), ms(median(of("p99_us"))), added("p50_us"), added("p99_us")];
  });
  const head = ["Worker", "p50 ms", "p99 ms", "added p50 ms (95 % interval)", "added p99 ms (95 % interval)"];
  return `One busy account at ${rate_per_s} requests a second, 30 % of the gate's capacity.\n\n${table(head, rows)}`;
}

function costTable(rows) {
  const head = ["account", "quotas", "requests", "calls per 1,000 requests", "rows written per call", "rows read per call", "dollars per million requests", "a counter per request"];
  const of = (row) => [
    row.about,
    row.quotas,
    String(row.requests),
    ((row.calls * 1_000) / row.requests).toFixed(1),
    (row.rows_written / row.calls).toFixed(2),
    (row.rows_read / row.calls).toFixed(2),
    `$${dollarsOf(row).toFixed(3)}`,
    `$${dollarsOf({ requests: 1, calls: 1, rows_written: 1, rows_read: 1 }).toFixed(2)}`,
  ];
  return table(head, rows.map(of));
}

function ledgerTable(results) {
  const rows = results.map(({ isolates, slices }) => {
    const sum = (figure) => slices.reduce((total, slice) => total + slice[figure], 0);
    const perCall = (figure) => (sum(figure) / sum("requests")).toFixed(2);
    const each = medianInterval(slices.map(({ cpu_us, requests }) => 1e6 / (cpu_us / requests)));
    const calls = 1e6 / costOf(slices);
    return [String(isolates), String(sum("requests")), costOf(slices).toFixed(0), `${calls.toFixed(0)} (${each.low.toFixed(0)}–${each.high.toFixed(0)})`, perCall("rows_written"), perCall("rows_read")];
  });
  return table(["isolates of the account", "calls measured", "CPU µs per call", "calls a second (of slices)", "rows written per call", "rows read per call"], rows);
}

function memoryTable(results) {
  const names = [...new Set(results.map(({ name }) => name))];
  const of = (name, figure) => median(results.filter((result) => result.name === name).map((result) => result[figure] / 2 ** 20));
  const rows = names.map((name) => {
    const more = (figure) => (name === names[0] ? "" : (of(name, figure) - of(names[0], figure)).toFixed(1));
    return [name, of(name, "first").toFixed(1), more("first"), of(name, "last").toFixed(1), more("last")];
  });
  const { requests } = results[0];
  return table(["Worker", "MB after one request", "more than the bare one", `MB after ${requests}`, "more than the bare one"], rows);
}

function coldTable(starts) {
  const cell = (values) => {
    const { median, min, max } = spread(values);
    return `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`;
  };
  const rows = starts.map(({ name, wall_ms, first_answer_ms, cpu_ms }) => [name, cell(wall_ms), cell(first_answer_ms), cell(cpu_ms)]);
  return table(["cold start", "spawn to first answer, ms (min–max)", "listening to first answer, ms", "CPU ms"], rows);
}

function interval({ ratio, low, high }) {
  return `${ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

// The requests that were sent, as a share of those that were due.
function share(requests, dropped) {
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  return `${((sum(requests) * 100) / (sum(requests) + sum(dropped))).toFixed(1)} %`;
}

function ms(us) {
  return (us / 1_000).toFixed(2);
}

function table(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
