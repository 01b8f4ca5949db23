// From measurements to tables.

/** The median; of an even number, the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Per target: the spread of each figure, and the ratios of CPU time to what it is compared with.
 *
 * The runtime destroys what requests leave behind in batches, long after them, so that a round can
 * be spared the cost or bear another's. `overall` is that of all rounds together: nothing is lost there.
 */
export function summarise(targets, rounds) {
  return targets.map((target) => {
    const of = (figure) => spread(rounds.map((round) => round[target.name][figure]));
    const ratio = (base) =>
      base && {
        ...spread(rounds.map((round) => round[target.name].cpu_us / round[base].cpu_us)),
        overall: overall(rounds, target.name) / overall(rounds, base),
        of_minima: of("cpu_us").min / Math.min(...rounds.map((round) => round[base].cpu_us)),
      };
    return {
      name: target.name,
      about: target.about,
      cpu_us: { ...of("cpu_us"), overall: overall(rounds, target.name) },
      requests_per_s: of("requests_per_s"),
      p50_us: of("p50_us"),
      p99_us: of("p99_us"),
      bare: target.bare && { name: target.bare, ratio: ratio(target.bare) },
      js: target.js && { name: target.js, ratio: ratio(target.js) },
    };
  });
}

/** The table of CPU times and throughput. */
export function ratioTable(results) {
  const head = ["target", "CPU µs/request", "median (min–max)", "requests/s", "p99 ms", "× bare JS", "× JS gate", "what it is"];
  const rows = results.map(({ name, about, cpu_us, requests_per_s, p99_us, bare, js }) => [
    name,
    cpu_us.overall.toFixed(0),
    `${cpu_us.median.toFixed(0)} (${cpu_us.min.toFixed(0)}–${cpu_us.max.toFixed(0)})`,
    requests_per_s.median.toFixed(0),
    (p99_us.median / 1_000).toFixed(1),
    ratioCell(bare),
    ratioCell(js),
    about,
  ]);
  return table(head, rows);
}

/** The table of cold starts. */
export function coldTable(starts) {
  const head = ["cold start", "spawn to first answer, ms (min–max)", "listening to first answer, ms", "CPU ms"];
  const cell = ({ median, min, max }) => `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`;
  const rows = starts.map(({ name, wall_ms, first_answer_ms, cpu_ms }) => [name, cell(wall_ms), cell(first_answer_ms), cell(cpu_ms)]);
  return table(head, rows);
}

function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

// Of all rounds together, the median of the rounds, and that of the best rounds of both.
function ratioCell(compared) {
  if (!compared) return "";
  const { overall, median, of_minima } = compared.ratio;
  return `${overall.toFixed(2)} / ${median.toFixed(2)} / ${of_minima.toFixed(2)} ${compared.name}`;
}

function overall(rounds, name) {
  const of = rounds.map((round) => round[name]);
  const cpu = of.reduce((sum, { cpu_us, requests }) => sum + cpu_us * requests, 0);
  return cpu / of.reduce((sum, { requests }) => sum + requests, 0);
}

function table(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
