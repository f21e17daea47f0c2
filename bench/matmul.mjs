// node bench/matmul.mjs [shapes]: GFLOP/s of the matrix products, their share of this machine's peak, and nanoseconds
// per call of the small ones. Shapes are MxKxN, say 64x784x128; without any, a fixed list. KERNELS=path.wasm times
// another build. The peak loop and the candidates alternate; medians of 11.
import { readFile } from "node:fs/promises";
import { median, peakProbe, time } from "./peak.mjs";

const repeats = 11;
const file = process.env.KERNELS ?? new URL("../src/kernels/generated/strict.wasm", import.meta.url);
const memory = new WebAssembly.Memory({ initial: 1024, maximum: 65536 });
const { instance } = await WebAssembly.instantiate(await readFile(file), { env: { memory } });
const { matmul, matmulScratch, heapBase } = instance.exports;
const heap = (heapBase() + 63) & ~63;
new Float32Array(memory.buffer, heap, (memory.buffer.byteLength - heap) / 4).forEach((_, i, all) => {
  all[i] = ((i * 2654435761) >>> 0) / 2 ** 32 - 0.5;
});

/** One product; `layout` is NN, NT, TN or TT, with + for a bias. */
function candidate(m, k, n, layout) {
  const [aT, bT] = [layout[0] === "T" ? 1 : 0, layout[1] === "T" ? 1 : 0];
  const a = heap;
  const b = a + ((m * k * 4 + 63) & ~63) + 64;
  const y = b + ((k * n * 4 + 63) & ~63) + 64;
  const bias = y + ((m * n * 4 + 63) & ~63) + 64;
  const scratch = bias + ((n * 4 + 63) & ~63) + 64;
  if (scratch + matmulScratch(m, n, k, aT, bT) > memory.buffer.byteLength) throw new Error("memory too small");
  const biasArg = layout.endsWith("+") ? bias : 0;
  const calls = Math.max(1, Math.round(2e7 / (2 * m * n * k + 2000)));
  const run = () => {
    for (let i = 0; i < calls; i++) matmul(a, b, y, biasArg, scratch, 1, m, n, k, 0, 0, aT, bT, 0);
  };
  return { name: `${m}x${k}x${n} ${layout}`, flops: 2 * m * n * k, calls, run, times: [] };
}

const cube = (s) => [s, s, s];
const big = [
  ...[64, 128, 256, 512, 1024, 100, 127].map(cube),
  [128, 784, 128],
  [64, 784, 128],
  [128, 128, 10],
  [1, 256, 256],
];
const tiny = [
  [32, 2, 16, "NT+"],
  [32, 16, 16, "NT+"],
  [32, 16, 1, "NT+"], // 2-16-16-1 forward, batch 32
  [32, 1, 16, "NN"],
  [32, 16, 16, "NN"], // gradients of the inputs
  [1, 32, 16, "TN"],
  [16, 32, 16, "TN"],
  [16, 32, 2, "TN"], // gradients of the weights
  ...["NN", "NT", "TN", "TT"].flatMap((layout) => [
    [8, 8, 8, layout],
    [16, 16, 16, layout],
    [32, 32, 32, layout],
  ]),
];
const asked = process.argv.slice(2).map((shape) => shape.split("x").map(Number));
const each = (shapes, layouts) => shapes.flatMap((shape) => layouts.map((layout) => candidate(...shape, layout)));
const list =
  asked.length > 0
    ? each(asked, ["NN", "NT", "TN", "TT"])
    : [
        ...each(big, ["NN", "NT", "TN"]),
        ...each([cube(128), cube(1024)], ["TT"]),
        ...each(
          [
            [1, 1024, 1024],
            [1, 2048, 2048],
            [2, 256, 256],
          ],
          ["NN", "NT"],
        ),
        ...tiny.map((shape) => candidate(...shape)),
      ];

const probe = await peakProbe();
const peaks = [];
for (const { run } of list) for (let i = 0; i < 3; i++) run(); // tier up
for (let repeat = 0; repeat < repeats; repeat++) {
  for (const c of list) {
    peaks.push(probe());
    c.times.push(time(c.run));
  }
}
const peak = median(peaks);
console.log(`peak ${peak.toFixed(1)} GFLOP/s (Node ${process.versions.node})`);
for (const { name, flops, calls, times } of list) {
  const ms = median(times) / calls;
  const rate = flops / ms / 1e6;
  const columns = [name.padEnd(20), rate.toFixed(1).padStart(6), `${((100 * rate) / peak).toFixed(0)} %`.padStart(6)];
  console.log(...columns, ms < 0.01 ? `${(ms * 1e6).toFixed(0)} ns`.padStart(9) : "");
}
