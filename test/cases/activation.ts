// Rows of the activation functions.
import { relu, sigmoid, tanh } from "../../src/index.js";
import { map } from "../reference.js";
import type { Row } from "./case.js";

export const rows: readonly Row[] = [
  {
    op: "relu",
    inputs: [{ shape: [3, 5], avoid: [0] }],
    run: (x) => relu(x!),
    // What is not below 0 comes out as it is: NaN and -0 too, as in PyTorch.
    reference: (x) => map(x!, (v) => (v < 0 ? 0 : v)),
    tolerance: 0,
    elementwise: true,
  },
  {
    op: "sigmoid",
    inputs: [{ shape: [3, 5], low: -5, high: 5 }],
    run: (x) => sigmoid(x!),
    reference: (x) => map(x!, (v) => 1 / (1 + Math.exp(-v))),
    elementwise: true,
  },
  {
    op: "tanh",
    inputs: [{ shape: [3, 5], low: -5, high: 5 }],
    run: (x) => tanh(x!),
    reference: (x) => map(x!, Math.tanh),
    elementwise: true,
  },
];
