// Times candidates in turn, sample by sample, so that a slow moment of the machine falls on all of them alike.
//
// A candidate is { name, run(repetitions) -> milliseconds, or a promise of them }. It reads its own clock, right around
// the work: what it costs to reach a candidate in another process is therefore not part of its time.
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

/** @typedef {{ name: string, run: (repetitions: number) => number | Promise<number> }} Candidate */
/** @typedef {{ name: string, ms: number, spread: number, ratio: number, samples: number }} Timing */

/**
 * Medians per repetition, and each candidate's ratio to the baseline (above 1: slower than the baseline).
 * The ratio is the median of the ratios within a round rather than the ratio of the medians: the two samples of a round
 * lie milliseconds apart, so drift (clock speed, neighbours) cancels.
 * @param {Candidate[]} candidates
 * @param {{ baseline?: string, samples?: number, minMs?: number, warmMs?: number }} [options]
 * @returns {Promise<Timing[]>}
 */
export async function measure(candidates, { baseline, samples = 11, minMs = 20, warmMs = 500 } = {}) {
  const plans = [];
  for (const candidate of candidates) plans.push(await calibrate(candidate, minMs, warmMs));
  for (let round = 0; round < samples; round++) {
    for (let i = 0; i < plans.length; i++) {
      // Rotating the order keeps a candidate from always inheriting the same neighbour's caches.
      const plan = plans[(i + round) % plans.length];
      plan.times.push((await plan.candidate.run(plan.repetitions)) / plan.repetitions);
    }
  }
  const base = plans.find((plan) => plan.candidate.name === baseline) ?? plans[0];
  return plans.map(({ candidate, times }) => {
    const ms = median(times);
    return {
      name: candidate.name,
      ms,
      // Half the interquartile range, relative to the median.
      spread: (quantile(times, 0.75) - quantile(times, 0.25)) / 2 / ms,
      ratio: median(times.map((time, round) => time / base.times[round])),
      samples: times.length,
    };
  });
}

/**
 * Warms a candidate up and finds how many repetitions make a sample of at least minMs. Engines compile in tiers and jax-js
 * one function at a time, so warm means: no sample of the last warmMs was 2 % faster than the best before.
 */
async function calibrate(candidate, minMs, warmMs) {
  let repetitions = 1;
  let best = Infinity;
  for (let calm = 0; calm < warmMs; ) {
    const ms = await candidate.run(repetitions);
    calm = ms / repetitions < 0.98 * best ? 0 : calm + ms;
    best = Math.min(best, ms / repetitions);
    // At most eightfold at once: the first calls say little about the warm ones.
    repetitions = Math.max(1, Math.ceil(Math.min(8 * repetitions, minMs / best)));
  }
  return { candidate, repetitions, times: [] };
}

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
    `| ${row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i ? `${"-".repeat(width - 1)}:` : "-".repeat(width))).join(" | ")} |`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}

/** What the figures depend on beside the code: processor, memory, engine. */
export function machine() {
  const [cpu] = cpus();
  // Virtual machines often hide the model behind a bare brand; family and model number still tell the generation.
  let generation = "";
  try {
    const info = readFileSync("/proc/cpuinfo", "utf8");
    const field = (name) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(info)?.[1];
    generation = ` (family ${field("cpu family")}, model ${field("model")})`;
  } catch {
    // Not Linux: the brand has to do.
  }
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpu.model.trim()}${generation}, ${cpus().length} CPUs, ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node} (V8 ${process.versions.v8})`;
}
