// node run.mjs [name ...] [--quick] [--write]: runs the benches of cases/, all or the named ones, and prints Markdown.
//
// --write puts each table into RESULTS.md, replacing its older self; --quick takes three short samples, to see that all works.
// A candidate is compared with the case's reference first: what computes something else is reported and not timed.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machine, measure, median, table } from "./harness.mjs";

import { measurePeak } from "./peak.mjs";

import { closeAll, open } from "./peers.mjs";

const BASELINE = "gradine";
const RESULTS = new URL("RESULTS.md", import.meta.url);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const HEADER = `# Gradine beside its peers

One thread each, every library in a process of its own, samples taken in turn; medians. \`×\` is the time of that library
divided by Gradine's (median of the ratios within a round): above 1, Gradine is faster. Every library starts from the same
weights and data, and its results are compared with a float64 reference before it is timed. \`node run.mjs --write\` makes this page.
`;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, write: { type: "boolean", default: false } },
});
const benches = await load(positionals);
for (const bench of benches) {
  const section = await runBench(bench);
  console.log(`${section}\n`);
  if (flags.write) writeSection(section);
}
closeAll();

async function load(names) {
  const files = readdirSync(new URL("cases/", import.meta.url)).filter((file) => file.endsWith(".mjs"));
  const all = await Promise.all(files.map((file) => import(`./cases/${file}`)));
  const unknown = names.filter((name) => !all.some((bench) => bench.name === name));
  if (unknown.length)
    throw new RangeError(
      `run: no bench of this name: ${unknown.join(", ")}. There are: ${all.map((bench) => bench.name).join(", ")}`,
    );
  return names.length ? all.filter((bench) => names.includes(bench.name)) : all;
}

async function runBench({ title, candidates: columns, rows }) {
  const versions = new Map();
  const notes = new Map();
  const peaks = [];
  const lines = [];
  const load = loadavg()[0].toFixed(1);
  for (const row of rows) {
    // Measured anew beside each row: on a shared machine the clock moves within a bench.
    if (row.flop) peaks.push(await measurePeak());
    const timings = await timeRow(row, row.candidates ?? columns, versions, notes);
    lines.push([row.label, ...columns.map((name) => cell(timings, name, row.flop, peaks.at(-1)))]);
    const figures = timings.map(({ name, ms }) => `${name} ${ms.toPrecision(3)} ms`);
    process.stderr.write(`${row.label}: ${figures.join(", ")}\n`);
  }
  const unit = peaks.length
    ? `GFLOP/s, and % of what one wasm thread reached in registers just before (median ${median(peaks).toFixed(1)})`
    : "µs per step";
  return [
    `## ${title}`,
    `${unit}; ± is half the interquartile range.`,
    table(["", ...columns], lines),
    `${machine()}; ${[...new Set(versions.values())].join(", ")}. Load average at the start ${load}; ${new Date().toISOString().slice(0, 10)}.`,
    ...[...notes].map(([note, labels]) => `- ${note}${labels.length < rows.length ? ` (${labels.join(", ")})` : ""}`),
  ].join("\n\n");
}

async function timeRow({ label, spec, expected, tolerance }, names, versions, notes) {
  const ready = [];
  const note = (text) => notes.set(text, [...(notes.get(text) ?? []), label]);
  for (const name of names) {
    try {
      const candidate = await open(name, spec);
      versions.set(name, candidate.version);
      const values = await candidate.check();
      if (values) compare(values, expected(values.length), tolerance);
      else note(`${name}: its arithmetic differs by design, nothing compared`);
      ready.push(candidate);
    } catch (error) {
      note(`${name}: not timed: ${error.message.replaceAll(ROOT, "")}`);
    }
  }
  return measure(ready, { baseline: BASELINE, ...(flags.quick && { samples: 3, minMs: 5, warmMs: 20 }) });
}

/** Throws unless all values lie within the tolerance, relative to the expected ones (to 1, below that). */
function compare(values, expected, tolerance) {
  values.forEach((value, i) => {
    const error = Math.abs(value - expected[i]) / Math.max(1, Math.abs(expected[i]));
    // Written so that NaN fails.
    if (!(error <= tolerance))
      throw new Error(`wrong result: ${value} where ${expected[i]} is expected (value ${i} of ${values.length})`);
  });
}

/** One candidate's figure: time or speed, its spread, and the ratio to the baseline, or the share of the peak for the baseline itself. */
function cell(timings, name, flop, peak) {
  const timing = timings.find((one) => one.name === name);
  if (!timing) return "-";
  const { ms, spread, ratio } = timing;
  const figure = flop ? (flop / ms / 1e6).toFixed(1) : digits(1000 * ms);
  const relative =
    timings.some((one) => one.name === BASELINE) && name !== BASELINE ? ` ${ratio.toFixed(ratio < 10 ? 2 : 0)}×` : "";
  const share = flop && name === BASELINE ? ` (${((100 * flop) / ms / 1e6 / peak).toFixed(0)} %)` : "";
  return `${figure} ±${(100 * spread).toFixed(0)} %${share}${relative}`;
}

function digits(value) {
  return value < 100 ? value.toPrecision(3) : value.toFixed(0);
}

/** Sections of RESULTS.md begin with "## "; one of the same title is replaced, a new one comes last. */
function writeSection(section) {
  const old = existsSync(RESULTS)
    ? readFileSync(RESULTS, "utf8")
        .split(/\n(?=## )/)
        .slice(1)
    : [];
  const title = (text) => text.split("\n", 1)[0];
  const at = old.findIndex((text) => title(text) === title(section));
  if (at < 0) old.push(section);
  else old[at] = section;
  writeFileSync(RESULTS, `${[HEADER.trim(), ...old.map((text) => text.trim())].join("\n\n")}\n`);
}
