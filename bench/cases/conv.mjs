// Single convolutions, forward. ONNX Runtime's 3x3 has its input and output copied (about 3 MB); its depthwise ones are
// eight in a graph.
import { conv2d } from "../data.mjs";
import { elements } from "../reference.mjs";

export const name = "conv";
export const title = "Convolution, forward";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "ort-web", "torch", "ort-node"];

export const rows = [
  {
    label: "3x3, 32 to 64 filters, 32x32, batch 8",
    spec: conv2d({ batch: 8, channels: 32, filters: 64, size: 32 }),
    flop: 2 * 8 * 32 * 64 * 9 * 32 ** 2,
    goals: [{ name: "conv 3x3 vs tfjs-wasm", versus: "tfjs-wasm", floor: 1.1, aim: 1.25 }],
  },
  {
    label: "depthwise 3x3, 64 filters, 56x56",
    spec: conv2d({ batch: 1, channels: 64, filters: 64, size: 56, groups: 64 }),
    flop: 2 * 64 * 9 * 56 ** 2,
    goals: [{ name: "depthwise conv 3x3 vs tfjs-wasm", versus: "tfjs-wasm", floor: 2, aim: 2.6 }],
  },
].map((row) => ({ ...row, expected: () => elements(row.spec), tolerance: 1e-4 }));
