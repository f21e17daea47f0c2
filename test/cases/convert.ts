// Rows of the conversion between element types.
import { to } from "../../src/index.js";
import { map } from "../reference.js";
import type { Input, Row } from "./case.js";

const integers: Input = { shape: [2, 9], dtype: "i32", low: -100, high: 100 };
const fractions = [1.9, -1.9, 0.5, -0.5, 0, -0, 7, -7, 2147483520, -2147483648, 1e-40, 16777217];
const bools: Input = { shape: [17], dtype: "bool" };
const none = { gradient: "none", tolerance: 0 } as const;

export const rows: readonly Row[] = [
  {
    op: "to",
    name: "f32 to i32, towards zero",
    inputs: [{ shape: [fractions.length], values: fractions.map(Math.fround) }],
    run: (x) => to(x!, "i32"),
    reference: (x) => map(x!, (v) => Math.trunc(v) + 0),
    ...none,
  },
  {
    op: "to",
    name: "f32 to bool",
    inputs: [{ shape: [7], values: [0, -0, 1, -0.25, Number.NaN, Number.POSITIVE_INFINITY, 2 ** -149] }],
    run: (x) => to(x!, "bool"),
    reference: (x) => map(x!, (v) => (v === 0 ? 0 : 1)),
    ...none,
  },
  { op: "to", name: "i32 to f32", inputs: [integers], run: (x) => to(x!, "f32"), reference: (x) => x!, ...none },
  {
    op: "to",
    name: "i32 to f32, rounded",
    inputs: [{ shape: [4], dtype: "i32", values: [16777217, 16777219, 2147483647, -2147483648] }],
    run: (x) => to(x!, "f32"),
    reference: (x) => map(x!, Math.fround),
    ...none,
  },
  {
    op: "to",
    name: "i32 to bool",
    inputs: [{ ...integers, low: -1, high: 2 }],
    run: (x) => to(x!, "bool"),
    reference: (x) => map(x!, (v) => Number(v !== 0)),
    ...none,
  },
  { op: "to", name: "bool to f32", inputs: [bools], run: (x) => to(x!, "f32"), reference: (x) => x!, ...none },
  { op: "to", name: "bool to i32", inputs: [bools], run: (x) => to(x!, "i32"), reference: (x) => x!, ...none },
  {
    op: "to",
    name: "its own type: the tensor itself",
    inputs: [{ shape: [2, 3] }],
    run: (x) => to(x!, "f32"),
    reference: (x) => x!,
    tolerance: 0,
  },
  { op: "to", name: "empty", inputs: [{ shape: [0, 3] }], run: (x) => to(x!, "i32"), reference: (x) => x!, ...none },
];
