// Rows of what makes tensors from tensors: one-hot rows and coin tosses. Other creation functions: test/ops/creation.test.ts.
import { bernoulli, Generator, oneHot } from "../../src/index.js";
import { generate, map } from "../reference.js";
import type { Row } from "./case.js";

// One for all calls: its state stays in memory.
const generator = new Generator(1);

const hot = (name: string, shape: readonly number[], values: readonly number[], dtype: "i32" | "f32"): Row => ({
  op: "oneHot",
  name,
  inputs: [{ shape, values, dtype, constant: true }],
  run: (x) => oneHot(x!, 4, dtype === "f32" ? { dtype: "f32" } : {}),
  reference: (x) =>
    generate([...x!.shape, 4], (index) => {
      const flat = index.slice(0, -1).reduce((at, i, axis) => at * x!.shape[axis]! + i, 0);
      return Number(x!.data[flat] === index[index.length - 1]);
    }),
  tolerance: 0,
  gradient: "none",
});

export const rows: readonly Row[] = [
  hot("i32", [5], [0, 3, 1, 1, 2], "i32"),
  hot("integer-valued f32", [2, 3], [3, 0, 2, 1, 0, 3], "f32"),
  hot("of a scalar", [], [2], "i32"),
  hot("empty", [0, 2], [], "i32"),
  {
    op: "bernoulli",
    name: "certain",
    inputs: [{ shape: [2, 5], values: [0, 1, 1, 0, 1, 0, 0, 1, 1, 0] }],
    run: (p) => bernoulli(p!, { generator }),
    reference: (p) => map(p!, (v) => v),
    tolerance: 0,
    gradient: "none",
    reason: "piecewise constant: its gradient is 0, in test/ops/creation.test.ts",
  },
];
