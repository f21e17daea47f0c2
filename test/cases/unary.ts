// Rows of unary functions.
import * as gradine from "../../src/index.js";
import { clamp, round } from "../../src/index.js";
import { map, zipAll } from "../reference.js";
import type { Input, Row } from "./case.js";
import { unary } from "./elementwise.js";
import { erf, roundEven } from "./special.js";

const integers = { avoid: [-2, -1, 0, 1, 2] };
const positive = { low: 0.2, high: 4 };

/** -1, 0 or 1, with no negative zero. */
const signOf = (v: number): number => (v === 0 ? 0 : Math.sign(v));

/** A function that keeps i32, of i32. */
const integral = (
  op: "abs" | "sign" | "neg" | "square" | "floor" | "ceil" | "round",
  of: (v: number) => number,
): Row => ({
  op,
  name: "i32",
  inputs: [{ shape: [3, 5], dtype: "i32", low: -9, high: 9 }],
  run: (x) => gradine[op](x!),
  reference: (x) => map(x!, (v) => of(v) + 0),
  tolerance: 0,
  gradient: "none",
});

/** A function of f32 that takes i32 and bool. */
const promoting = (
  op: "exp" | "sqrt" | "sin" | "reciprocal",
  of: (v: number) => number,
  dtype: "i32" | "bool",
): Row => ({
  op,
  name: dtype,
  inputs: [{ shape: [3, 5], dtype, ...(dtype === "i32" ? { low: 1, high: 9 } : {}) }],
  run: (x) => gradine[op](x!),
  reference: (x) => map(x!, of),
  gradient: "none",
});

const within = (v: number, low: number, high: number): number => (v > high ? high : v < low ? low : v);
const bounds: readonly Input[] = [
  { shape: [3, 4], avoid: [-1, -0.625, -0.5, -0.375, 0.625, 1, 1.25] },
  { shape: [4], values: [-0.5, -1, -0.625, 1] }, // 1 is above two of the upper bounds
  { shape: [3, 1], values: [0.625, 1.25, -0.375] },
];

export const rows: readonly Row[] = [
  unary("abs", gradine.abs, Math.abs, { avoid: [0] }, 0),
  unary("sign", gradine.sign, signOf, { avoid: [0] }, 0),
  unary("floor", gradine.floor, Math.floor, integers, 0),
  unary("ceil", gradine.ceil, Math.ceil, integers, 0),
  unary("round", round, roundEven, { avoid: [-1.5, -0.5, 0.5, 1.5] }, 0),
  unary("reciprocal", gradine.reciprocal, (v) => 1 / v, { avoid: [0], margin: 0.3 }, 0),
  unary("rsqrt", gradine.rsqrt, (v) => 1 / Math.sqrt(v), positive, 1e-6),
  unary("expm1", gradine.expm1, Math.expm1, {}, 1e-6),
  unary("log1p", gradine.log1p, Math.log1p, { low: -0.8, high: 4 }, 1e-6),
  unary("sin", gradine.sin, Math.sin, { low: -7, high: 7 }, 1e-6),
  unary("cos", gradine.cos, Math.cos, { low: -7, high: 7 }, 1e-6),
  unary("atan", gradine.atan, Math.atan, { low: -4, high: 4 }, 1e-6),
  unary("erf", gradine.erf, erf, { low: -3, high: 3 }, 1e-6),
  {
    op: "round",
    name: "halves go to even",
    inputs: [{ shape: [8], values: [0.5, 1.5, 2.5, -0.5, -1.5, 8388607.5, 4194303.5, -2.5], constant: true }],
    run: (x) => round(x!),
    reference: (x) => map(x!, roundEven),
    tolerance: 0,
    gradient: "none",
  },
  integral("neg", (v) => -v),
  integral("abs", Math.abs),
  integral("sign", Math.sign),
  integral("square", (v) => v * v),
  integral("floor", (v) => v),
  integral("ceil", (v) => v),
  integral("round", (v) => v),
  promoting("exp", Math.exp, "i32"),
  promoting("exp", Math.exp, "bool"),
  promoting("sqrt", Math.sqrt, "i32"),
  promoting("sin", Math.sin, "i32"),
  promoting("reciprocal", (v) => 1 / v, "i32"),
  {
    op: "square",
    name: "bool",
    inputs: [{ shape: [5], dtype: "bool" }],
    run: (x) => gradine.square(x!),
    reference: (x) => map(x!, (v) => v * v),
    gradient: "none",
  },
  unary(
    "clamp",
    (x) => clamp(x, -0.5, 1),
    (v) => within(v, -0.5, 1),
    { avoid: [-0.5, 1] },
    0,
  ),
  unary(
    "clamp",
    (x) => clamp(x, { min: 0.5 }),
    (v) => within(v, 0.5, Infinity),
    { avoid: [0.5] },
    0,
  ),
  unary(
    "clamp",
    (x) => clamp(x, undefined, 0.5),
    (v) => within(v, -Infinity, 0.5),
    { avoid: [0.5] },
    0,
  ),
  {
    op: "clamp",
    name: "by tensors",
    inputs: bounds,
    run: (x, low, high) => clamp(x!, low!, high!),
    reference: (x, low, high) => zipAll([x!, low!, high!], (v, p, q) => Math.min(Math.max(v!, p!), q!)),
    tolerance: 0,
  },
  {
    op: "clamp",
    name: "min a tensor",
    inputs: bounds.slice(0, 2),
    run: (x, low) => clamp(x!, { min: low! }),
    reference: (x, low) => zipAll([x!, low!], (v, p) => Math.max(v!, p!)),
    tolerance: 0,
  },
  {
    op: "clamp",
    name: "max a tensor, min a number",
    inputs: [bounds[0]!, bounds[2]!],
    run: (x, high) => clamp(x!, -1, high!),
    reference: (x, high) => zipAll([x!, high!], (v, q) => Math.min(Math.max(v!, -1), q!)),
    tolerance: 0,
  },
  {
    op: "clamp",
    name: "i32",
    inputs: [{ shape: [9], dtype: "i32", low: -9, high: 9 }],
    run: (x) => clamp(x!, -3, 4),
    reference: (x) => map(x!, (v) => within(v, -3, 4)),
    tolerance: 0,
    gradient: "none",
  },
  {
    op: "clamp",
    name: "i32 by a fraction",
    inputs: [{ shape: [9], dtype: "i32", low: -9, high: 9 }],
    run: (x) => clamp(x!, { max: 2.5 }),
    reference: (x) => map(x!, (v) => within(v, -Infinity, 2.5)),
    tolerance: 0,
    gradient: "none",
  },
];
