// node run.mjs [name ...] [--quick] [--write]: runs the benches of cases/, all or the named ones, and prints Markdown.
//
// --write keeps the results: in results.json, and from it in RESULTS.md. --quick takes three short samples, to see that all
// works. A candidate is compared with the reference first: what computes something else is reported and not timed.
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { goalsOf } from "./goals.mjs";
import { measure, median } from "./harness.mjs";
import { build, machine } from "./machine.mjs";
import { peakCandidate } from "./peak.mjs";
import { closeAll, open } from "./peers.mjs";
import { page, section, summary } from "./report.mjs";
import { keep, load } from "./results.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** In the order of the results. */
const CASES = [
  ...["matmul", "matmul-transposed", "train-tiny", "train-mlp", "cnn", "conv", "sequence", "inference"],
  ...["elementwise", "threads", "cold-start", "chromium"],
];
const QUICK = { samples: 3, minMs: 5, warmMs: 20 };

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, write: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !CASES.includes(name));
if (unknown.length)
  throw new RangeError(`run: no bench of this name: ${unknown.join(", ")}. There are: ${CASES.join(", ")}`);
if (flags.quick && flags.write) throw new RangeError("run: --quick measures too little to be kept with --write");

let peak;
const results = flags.write ? load() : { cases: {} };
for (const name of CASES.filter((one) => !positionals.length || positionals.includes(one))) {
  const result = await runBench(await import(`./cases/${name}.mjs`));
  console.log(`${result.section}\n`);
  keep(results, name, result);
  if (flags.write) page(results, CASES);
}
console.log(summary(results, CASES));

async function runBench(bench) {
  const notes = new Map();
  const versions = new Set();
  const rows = [];
  const busy = loadavg()[0].toFixed(1);
  for (const row of bench.rows) {
    const note = (text) => notes.set(text, [...(notes.get(text) ?? []), row.label]);
    const timings = await timeRow(row, row.candidates ?? bench.candidates, bench.less, { versions, note });
    rows.push({ ...row, timings });
    const figures = timings.map(({ name, ms }) => `${name} ${ms.toPrecision(3)} ms`);
    process.stderr.write(`${row.label}: ${figures.join(", ")}\n`);
  }
  await closeAll();
  const about = {
    machine: machine(),
    versions: [...versions],
    load: busy,
    date: new Date().toISOString().slice(0, 10),
  };
  return {
    build: build(),
    goals: goalsOf(rows, bench.candidates[0]),
    section: section(bench, rows, { ...about, notes }),
  };
}

/** The timings of the candidates whose results are right. */
async function timeRow(row, names, less, { versions, note }) {
  const ready = [];
  const leftOut = ({ name }, { message }) =>
    note(`${name}: not timed: ${message.split("\n", 1)[0].replaceAll(ROOT, "")}`);
  for (const name of names) {
    try {
      const candidate = await open(name, row.spec);
      ready.push({ ...candidate, values: await candidate.check() });
      if (candidate.version) versions.add(candidate.version);
    } catch (error) {
      leftOut({ name }, error);
    }
  }
  const compared = ready.filter(({ name, values }) => values && name !== less);
  const expected = await reference(row, compared, note);
  const right = ready.filter((candidate) => {
    const { name, values } = candidate;
    if (!values) note(`${name}: its arithmetic differs by design, nothing compared`);
    const wrong = compared.includes(candidate) && difference(values, expected, row.tolerance);
    if (wrong) note(`${name}: not timed: ${wrong}`);
    return !wrong;
  });
  // The machine's own peak is one more candidate: on a shared machine the clock moves within a bench.
  if (row.flop) peak ??= await peakCandidate();
  const yardstick = row.flop ? [peak] : [];
  const candidates = [...right.map((candidate) => ({ ...candidate, flop: row.flop })), ...yardstick];
  return measure(candidates, { less, failed: leftOut, ...(flags.quick && QUICK) });
}

/** What must come out: by the case's float64 loops, else by PyTorch in float64, else what the candidates agree on. */
async function reference({ expected, spec }, compared, note) {
  if (expected) return expected();
  try {
    return await (await open("torch float64", spec)).check();
  } catch (error) {
    note(`no reference (${error.message}): results compared with the median of all`);
    return compared[0]?.values.map((_, i) => median(compared.map(({ values }) => values[i])));
  }
}

/** Says what is wrong unless all values lie within the tolerance, relative to the expected ones (to 1, below that). */
function difference(values, expected, tolerance) {
  if (values.length !== expected.length) return `${values.length} values where ${expected.length} are expected`;
  // Written so that NaN is found.
  const at = values.findIndex(
    (value, i) => !(Math.abs(value - expected[i]) <= tolerance * Math.max(1, Math.abs(expected[i]))),
  );
  return at < 0
    ? undefined
    : `wrong result: ${values[at]} where ${expected[at]} is expected (value ${at} of ${values.length})`;
}
