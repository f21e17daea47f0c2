// Functions of each element and normalizations of rows: memory and polynomials, no products.
import { elementwise, rowwise } from "../data.mjs";
import { elements } from "../reference.mjs";

export const name = "elementwise";
export const title = "Elementwise functions and normalizations of rows";
export const candidates = ["gradine", "gradine fast", "gradine composed", "tfjs-wasm", "torch"];

const million = [1024, 1024];
const others = candidates.filter((peer) => peer !== "gradine composed");
const versusTfjs = (op, floor, aim, of) => ({ name: `${op} vs tfjs-wasm`, of, versus: "tfjs-wasm", floor, aim });

export const rows = [
  { label: "exp 1M", spec: elementwise("exp", million), goals: [versusTfjs("exp 1M", 5, 7)] },
  { label: "tanh 1M", spec: elementwise("tanh", million), goals: [versusTfjs("tanh 1M", 12, 18)] },
  { label: "sigmoid 1M", spec: elementwise("sigmoid", million), goals: [] },
  { label: "relu 1M", spec: elementwise("relu", million), goals: [versusTfjs("relu 1M", 0.85, 1)] },
  { label: "add 1M", spec: elementwise("add", million, 2), goals: [versusTfjs("add 1M", 0.85, 1)] },
  {
    label: "softmax 256x1000",
    spec: rowwise("softmax", 256, 1000),
    goals: [
      versusTfjs("softmax 256x1000, strict,", 0.72, 1),
      versusTfjs("softmax 256x1000, fast,", 1.05, 1.2, "gradine fast"),
    ],
  },
  {
    label: "layerNorm 256x1024",
    spec: rowwise("layerNorm", 256, 1024),
    candidates,
    // tfjs has no kernel of it: there it is a composition of moments, sub, rsqrt, mul and add.
    goals: [
      { name: "layerNorm 256x1024 vs its composition", versus: "gradine composed", floor: 3, aim: 5 },
      versusTfjs("layerNorm 256x1024, composed there,", 3, 5),
    ],
  },
].map((row) => ({ candidates: others, ...row, expected: () => elements(row.spec), tolerance: 1e-4 }));
