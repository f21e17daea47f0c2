// Matrix products through the public API. NT and TN are what a linear layer's forward and backward pass use.
import { matmul } from "../data.mjs";
import { elements } from "../reference.mjs";

export const name = "matmul";
export const title = "Matrix product, m x k by k x n (NT: a bT, TN: aT b)";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "ort-web", "jax-js", "torch", "ort-node"];

const sides = (n) => [n, n, n];
const shapes = {
  NN: [...[16, 32, 64, 128, 256, 512, 1024].map(sides), [128, 784, 128]],
  NT: [...[256, 512, 1024].map(sides), [128, 784, 128]],
  TN: [...[256, 512, 1024].map(sides), [128, 784, 128]],
};

export const rows = Object.entries(shapes).flatMap(([layout, list]) => list.map((shape) => row(layout, ...shape)));

function row(layout, m, k, n) {
  const spec = matmul(m, k, n, layout);
  const cube = m === k && k === n;
  // 5 s for a single product: its loop over a transposed left operand misses every cache.
  const endless = layout === "TN" && m === 1024 ? ["tfjs-wasm"] : [];
  // ONNX has no transposed operand (its MatMul takes none).
  const impossible = layout === "NN" ? [] : ["ort-web", "ort-node"];
  const left = candidates.filter((peer) => !endless.includes(peer) && !impossible.includes(peer));
  return {
    label: `${cube ? m : `${m}x${k}x${n}`} ${layout}`,
    spec,
    flop: 2 * m * k * n,
    candidates: left,
    expected: () => elements(spec),
    tolerance: 1e-4,
    goals: [
      ...(cube && m >= 256 ? ofPeak(layout) : []),
      ...ofPeers(layout, m).filter(({ versus }) => left.includes(versus)),
    ],
  };
}

function ofPeak(layout) {
  const name = `matmul ${layout} 256 to 1024, of the peak`;
  return [
    { name: `${name}, strict`, unit: "share", floor: 0.85, aim: 0.92 },
    { name: `${name}, fast`, of: "gradine fast", unit: "share", floor: 0.92, aim: 0.97 },
  ];
}

function ofPeers(layout, m) {
  if (m < 64) return [{ name: "matmul 16, 32 vs tfjs-wasm", versus: "tfjs-wasm", floor: 4, aim: 8 }];
  if (layout !== "NN") return [{ name: `matmul ${layout} vs tfjs-wasm`, versus: "tfjs-wasm", floor: 10, aim: 14 }];
  return [
    { name: "matmul NN 64 to 1024, 128x784x128 vs tfjs-wasm", versus: "tfjs-wasm", floor: 1.2, aim: 1.3 },
    { name: "matmul NN 64 to 1024, 128x784x128 vs ort-web", versus: "ort-web", floor: 1.35, aim: 1.5 },
  ];
}
