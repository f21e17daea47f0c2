// Rows of softmax and its logarithm.
import { logSoftmax, softmax, type Tensor } from "../../src/index.js";
import * as ref from "../reference.js";
import type { Input, Row } from "./case.js";

function rowsOf(op: string, call: typeof softmax, reference: typeof ref.softmax): Row[] {
  const row = (input: Input | readonly number[], dim: number, name = `along ${dim}`, more: Partial<Row> = {}): Row => ({
    op,
    name,
    inputs: ["shape" in input ? input : { shape: input }],
    run: (x) => call(x!, dim),
    reference: (x) => reference(x!, dim),
    ...more,
  });
  return [
    row([3, 5], -1),
    row([3, 5], 0),
    row([2, 3, 4], 1),
    row([2, 2, 3, 2], -2),
    row({ shape: [4, 3], transposed: true }, 1),
    row([4, 1], 1),
    row([1, 4], 0),
    row([0, 3], 1),
    row([3, 0], 1),
    row([], 0),
    { ...row([2, 3], 1, "dim as an option"), run: (x) => call(x!, { dim: 1 }) },
    ...Array.from({ length: 17 }, (_, i) => row([2, i + 1], 1)),
    ...[1, 4, 5, 8, 17].map((inner) => row([3, inner], 0)),
    row([3, 67], 1),
    row({ shape: [3, 6], low: -100, high: 100 }, 1, "large values", { eps: 1e-2 }),
    row({ shape: [1, 4], values: [1e30, -1e30, 1e30, 0] }, 1, "huge values", {
      gradient: "none",
      reason: "differences of huge numbers vanish",
    }),
    row({ shape: [3], values: [Number.NEGATIVE_INFINITY, 0, 1] }, 0, "−∞", {
      gradient: "none",
      reason: "no differences at infinity",
    }),
  ];
}

export const rows: readonly Row[] = [
  ...rowsOf("softmax", softmax, ref.softmax),
  ...rowsOf("logSoftmax", logSoftmax as (x: Tensor, dim: Parameters<typeof softmax>[1]) => Tensor, ref.logSoftmax),
];
