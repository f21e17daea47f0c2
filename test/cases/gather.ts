// Rows of picking by index.
import { indexSelect } from "../../src/index.js";
import { take } from "../reference.js";
import type { Input, Row } from "./case.js";

const row = (name: string, x: Input, dim: number, positions: readonly number[], gradient?: "none"): Row => ({
  op: "indexSelect",
  name,
  inputs: [x, { shape: [positions.length], dtype: "i32", values: positions }],
  run: (x, index) => indexSelect(x!, dim, index!),
  reference: (x, index) => take(x!, dim, [...index!.data]),
  tolerance: 0,
  ...(gradient === undefined ? {} : { gradient }),
});

export const rows: readonly Row[] = [
  row("rows", { shape: [5, 3] }, 0, [4, 0, 0, 2]),
  row("last axis", { shape: [3, 5] }, -1, [1, 1, 4]),
  row("middle axis", { shape: [2, 4, 3] }, 1, [3, 3, 3, 0, 1]),
  row("long rows", { shape: [3, 33] }, 0, [2, 0, 2]),
  row("vector", { shape: [9] }, 0, [8, 0, 4, 4]),
  row("one element of an axis of one", { shape: [2, 1, 3] }, 1, [0]),
  row("no index", { shape: [4, 3] }, 0, []),
  row("empty rows", { shape: [4, 0] }, 0, [1, 2]),
  row("i32", { shape: [5, 3], dtype: "i32", low: -9, high: 9 }, 0, [1, 4], "none"),
  row("bool", { shape: [2, 5], dtype: "bool" }, 1, [4, 1, 0], "none"),
];
