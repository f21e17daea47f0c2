// Times candidates in turn, sample by sample, so that a slow moment of the machine falls on all of them alike.
//
// A candidate is { name, run(repetitions) -> milliseconds, or a promise of them }. It reads its own clock, right around
// the work: what it costs to reach a candidate in another process is therefore not part of its time.

/** @typedef {{ name: string, flop?: number, run: (repetitions: number) => number | Promise<number> }} Candidate */
/** @typedef {{ name: string, flop?: number, ms: number, spread: number, times: number[] }} Timing */

/**
 * Medians per repetition; `times` holds one figure of each round. With `less`, the name of a candidate that does nothing,
 * its time in the round is taken off the others', and it is left out. A candidate that fails is left out too, and
 * `failed(candidate, error)` is told; without it the failure is the bench's.
 * @param {Candidate[]} candidates
 * @param {{ samples?: number, minMs?: number, warmMs?: number, less?: string, failed?: (candidate: Candidate, error: Error) => void }} [options]
 * @returns {Promise<Timing[]>}
 */
export async function measure(candidates, { samples = 11, minMs = 20, warmMs = 500, less, failed = rethrow } = {}) {
  let plans = [];
  const attempt = async (plan, work) => {
    try {
      await work();
    } catch (error) {
      plans = plans.filter((one) => one !== plan);
      failed(plan.candidate, error);
    }
  };
  for (const candidate of candidates) {
    const plan = { candidate, repetitions: 1, times: [] };
    plans.push(plan);
    await attempt(plan, () => calibrate(plan, minMs, warmMs));
  }
  for (let round = 0; round < samples; round++) {
    // Rotating the order keeps a candidate from always inheriting the same neighbour's caches.
    const from = round % plans.length;
    for (const plan of [...plans.slice(from), ...plans.slice(0, from)]) {
      await attempt(plan, async () => {
        plan.times.push((await plan.candidate.run(plan.repetitions)) / plan.repetitions);
      });
    }
  }
  const idle = plans.find(({ candidate }) => candidate.name === less);
  return plans
    .filter((plan) => plan !== idle)
    .map(({ candidate: { name, flop }, times: gross }) => {
      const times = idle ? gross.map((time, round) => time - idle.times[round]) : gross;
      const ms = median(times);
      // Half the interquartile range, relative to the median.
      const spread = (quantile(times, 0.75) - quantile(times, 0.25)) / 2 / ms;
      return { name, flop, ms, spread, times };
    });
}

/**
 * How many times as long `other` takes as `one`: above 1, `one` is faster. The median of the ratios within a round rather
 * than the ratio of the medians: the two samples of a round lie milliseconds apart, so drift (clock speed, neighbours)
 * cancels.
 * @param {Timing} other
 * @param {Timing} one
 */
export const ratio = (other, one) => median(other.times.map((time, round) => time / one.times[round]));

/**
 * Warms a candidate up and finds how many repetitions make a sample of at least minMs. Engines compile in tiers and jax-js
 * one function at a time, so warm means: no sample of the last warmMs was 2 % faster than the best before.
 */
async function calibrate(plan, minMs, warmMs) {
  let best = Infinity;
  for (let calm = 0; calm < warmMs; ) {
    // Not below a browser clock's tick, or a first sample of 0 would ask for repetitions without end.
    const ms = Math.max(await plan.candidate.run(plan.repetitions), 0.005);
    calm = ms / plan.repetitions < 0.98 * best ? 0 : calm + ms;
    best = Math.min(best, ms / plan.repetitions);
    // At most eightfold at once: the first calls say little about the warm ones.
    plan.repetitions = Math.max(1, Math.ceil(Math.min(8 * plan.repetitions, minMs / best)));
  }
}

const rethrow = (_, error) => {
  throw error;
};

export const median = (values) => quantile(values, 0.5);

/** The q-quantile, linear between the two nearest values. */
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at));
}

/** A Markdown table whose columns line up in a terminal too; all columns but the first are set to the right. */
export function table(header, rows) {
  const widths = header.map((_, i) => Math.max(3, ...[header, ...rows].map((row) => row[i].length)));
  const line = (row) =>
    `| ${row.map((text, i) => (i ? text.padStart(widths[i]) : text.padEnd(widths[i]))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i ? `${"-".repeat(width - 1)}:` : "-".repeat(width))).join(" | ")} |`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}
