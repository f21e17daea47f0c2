// node bench/peak.mjs: what one thread's multiply and add pipes can do, the denominator of "percent of peak". The loop
// computes in registers alone and is compiled with asc in this process.
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

// Six chains of products and six of sums, independent of one another, so that nothing but the pipes limits the loop
// (a product that two sums share would be computed once, a constant one moved out; 14 values are as many as V8 keeps in
// registers, and it keeps them best when they come from memory). Multiplying by 1 and adding 1 (up to 2^24) meets
// neither infinities nor denormals.
const chains = [0, 1, 2, 3, 4, 5];
const source = `
export function fill(): void {
  for (let i = 0; i < 64; ++i) store<f32>(<usize>i << 2, 1);
}
export function loop(trips: i32): f32 {
  const c = v128.load(0), d = v128.load(16);
  ${chains.map((i) => `let s${i} = v128.load(${32 * i + 32}), t${i} = v128.load(${32 * i + 48});`).join("\n  ")}
  for (let i = 0; i < trips; ++i) {
    ${chains.map((i) => `s${i} = f32x4.add(s${i}, d); t${i} = f32x4.mul(t${i}, c);`).join("\n    ")}
  }
  let all = s0;
  ${chains.map((i) => `all = f32x4.add(f32x4.add(all, s${i}), t${i});`).join("\n  ")}
  return f32x4.extract_lane(all, 0);
}`;
const trips = 1e6;
const flops = trips * chains.length * 2 * 4;

async function buildLoop() {
  let wasm;
  const { error, stderr } = await asc.main(
    [
      "peak.ts",
      "-O3",
      "--runtime",
      "stub",
      "--noAssert",
      "--initialMemory",
      "1",
      "--enable",
      "simd",
      "--outFile",
      "peak.wasm",
    ],
    {
      readFile: (name) => (name === "peak.ts" ? source : null),
      writeFile: (_name, bytes) => {
        wasm = bytes;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(stderr.toString());
  const { fill, loop } = (await WebAssembly.instantiate(wasm)).instance.exports;
  fill();
  return loop;
}

/** Milliseconds that one call of `run` takes. */
export function time(run) {
  const start = performance.now();
  run();
  return performance.now() - start;
}

export const median = (values) => values.toSorted((p, q) => p - q)[values.length >> 1];

/** A function that runs the loop once (about 1 ms) and gives GFLOP/s, to alternate with candidates. */
export async function peakProbe() {
  const loop = await buildLoop();
  for (let i = 0; i < 10; i++) loop(trips); // tier up
  return () => flops / time(() => loop(trips)) / 1e6;
}

/** Its name as a candidate. */
export const PEAK = "peak";

/** The loop as a candidate of the harness, to be timed between the others. */
export async function peakCandidate() {
  const loop = await buildLoop();
  const run = (repetitions) =>
    time(() => {
      for (let i = 0; i < repetitions; i++) loop(trips);
    });
  return { name: PEAK, flop: flops, run };
}

/** GFLOP/s of multiply and add in registers on one thread: the median of `repeats` runs. */
export async function measurePeak(repeats = 21) {
  const probe = await peakProbe();
  return median(Array.from({ length: repeats }, probe));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`${(await measurePeak()).toFixed(1)} GFLOP/s`);
