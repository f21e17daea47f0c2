// Markdown: a section for each case, the summary of all goals, and the page of both, RESULTS.md.
import { writeFileSync } from "node:fs";
import { bound, figure, shareOfPeak, verdict } from "./goals.mjs";
import { median, ratio, table } from "./harness.mjs";
import { PEAK } from "./peak.mjs";
import { FILE } from "./results.mjs";

const PAGE = new URL("RESULTS.md", import.meta.url);
const INTRODUCTION = `# Gradine beside its peers

One thread each unless a column says more, every library in a process of its own, samples taken in turn; medians. \`×\` is
the time of that library divided by Gradine's (median of the ratios within a round): above 1, Gradine is faster. Every
library starts from the same weights and data, and its results are compared with a reference in float64 before it is timed.
\`node run.mjs --write\` makes this page.`;
const SUMMARY = `## What is to be reached, and what is

Floors must hold, aims are where it should go. The best of up to three runs of one build; where a goal has several rows, the
worst of them.`;

/** A case's table with what belongs to it. `rows` are the case's with their timings. */
export function section({ title, candidates, less }, rows, { machine, versions, load, date, notes }) {
  const columns = candidates.filter((name) => name !== less);
  const peaks = rows.flatMap(({ timings }) => timings.filter(({ name }) => name === PEAK).map(speed));
  const unit = peaks.length
    ? `Products and convolutions in GFLOP/s, in brackets the share of what one wasm thread reaches in registers, timed with them (median ${median(peaks).toFixed(1)}); else time of a repetition`
    : "Time of a repetition";
  return [
    `## ${title}`,
    `${unit}; ± is half the interquartile range.`,
    table(
      ["", ...columns],
      rows.map((row) => [row.label, ...columns.map((name) => cell(row, name, columns[0]))]),
    ),
    `${machine}; ${versions.join(", ")}. Load average at the start ${load}; ${date}.`,
    ...[...notes].map(([note, labels]) => `- ${note}${labels.length < rows.length ? ` (${labels.join("; ")})` : ""}`),
  ].join("\n\n");
}

/** One candidate's figure: time or speed, its spread, and the ratio to the baseline, or the share of the peak for Gradine. */
function cell({ timings }, name, baseline) {
  const timing = timings.find((one) => one.name === name);
  if (!timing) return "-";
  const base = timings.find((one) => one.name === baseline);
  return [
    timing.flop ? speed(timing).toFixed(1) : duration(timing.ms),
    `±${(100 * timing.spread).toFixed(0)} %`,
    timing.flop && name.startsWith("gradine") ? `(${figure("share", shareOfPeak(timings, timing))})` : "",
    base && base !== timing ? figure("ratio", ratio(timing, base)) : "",
  ]
    .filter(Boolean)
    .join(" ");
}

/** GFLOP/s. */
const speed = ({ flop, ms }) => flop / ms / 1e6;

const duration = (ms) =>
  ms < 1 ? `${(1000 * ms).toPrecision(3)} µs` : `${ms < 1000 ? ms.toPrecision(3) : ms.toFixed(0)} ms`;

/** All goals of the results' cases. */
export function summary({ cases }, order) {
  const goals = order.flatMap((name) => cases[name]?.goals ?? []);
  const lines = goals.map((goal) => [
    goal.name,
    `${figure(goal.unit, goal.value)}${goal.where && goal.value !== undefined ? ` (${goal.where})` : ""}`,
    bound(goal.unit, goal.floor),
    bound(goal.unit, goal.aim),
    verdict(goal),
    String(goal.runs.length),
  ]);
  return `${SUMMARY}\n\n${table(["", "measured", "floor", "aim", "reached", "runs"], lines)}`;
}

/** Writes the results and the page. */
export function page(results, order) {
  writeFileSync(FILE, `${JSON.stringify(results, null, 1)}\n`);
  const sections = order.flatMap((name) => results.cases[name]?.section ?? []);
  writeFileSync(PAGE, `${[INTRODUCTION, summary(results, order), ...sections].join("\n\n")}\n`);
}
