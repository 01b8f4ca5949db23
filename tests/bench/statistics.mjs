// Medians, and ratios with their 95 % intervals.

/** The median; of an even number, the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median and the ends. */
export function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** The value below which this share of the sorted values lies. */
export function percentile(sorted, share) {
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}

/**
 * The ratio of two costs per request over pairs `{ ours, base }`, each side `{ cpu_us, requests }`
 * with the CPU time of the whole slice: `{ ratio, low, high, pairs }`.
 *
 * All pairs together make the ratio, since the runtime tidies up in batches: a single slice is
 * spared that cost or bears another's. Its 95 % interval is Student's, of the logarithm, with the
 * error that the jackknife finds by leaving each pair out in turn.
 */
export function pairedRatio(pairs) {
  const logRatio = (some) => Math.log(costOf(some.map(({ ours }) => ours)) / costOf(some.map(({ base }) => base)));
  return { ...exponentials(jackknife(pairs, logRatio)), pairs: pairs.length };
}

/** The median of values and its 95 % interval, from the order of the values alone. */
export function medianInterval(values) {
  const sorted = [...values].sort((a, b) => a - b);
  // The ranks between which it lies, as far from both ends (normal approximation).
  const reach = (NORMAL_95 * Math.sqrt(sorted.length)) / 2;
  const low = Math.max(0, Math.floor(sorted.length / 2 - reach));
  const high = sorted.length - 1 - low;
  return { median: median(sorted), low: sorted[low], high: sorted[high] };
}

/** The ratio of the means of paired values `{ ours, base }`, as `pairedRatio`. */
export function ratioOfMeans(pairs) {
  const weighed = pairs.map(({ ours, base }) => ({
    ours: { cpu_us: ours, requests: 1 },
    base: { cpu_us: base, requests: 1 },
  }));
  return pairedRatio(weighed);
}

/** CPU time per request, in microseconds, of several slices. */
export function costOf(slices) {
  const sum = (figure) => slices.reduce((total, slice) => total + slice[figure], 0);
  return sum("cpu_us") / sum("requests");
}

function jackknife(pairs, estimate) {
  const count = pairs.length;
  const whole = estimate(pairs);
  if (count < 2) return { whole, reach: Infinity };
  const without = pairs.map((_, left) => estimate(pairs.filter((_, at) => at !== left)));
  const mean = without.reduce((sum, value) => sum + value, 0) / count;
  const squares = without.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { whole, reach: student95(count - 1) * Math.sqrt((squares * (count - 1)) / count) };
}

function exponentials({ whole, reach }) {
  return { ratio: Math.exp(whole), low: Math.exp(whole - reach), high: Math.exp(whole + reach) };
}

const NORMAL_95 = 1.959964;

// The two-sided 95 % point of Student's distribution: exact for one and two degrees of freedom,
// else by its expansion (Abramowitz and Stegun, 26.7.5), right to 1 % from three on.
function student95(degrees) {
  if (degrees < 3) return [12.706, 4.303][degrees - 1];
  const z = NORMAL_95;
  const terms = [z, (z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96, (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384];
  return terms.reduce((sum, term, power) => sum + term / degrees ** power, 0);
}
