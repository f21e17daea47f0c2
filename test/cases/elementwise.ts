// Rows of elementwise arithmetic with broadcasting, and of unary functions.
import { add, div, exp, log, mul, neg, sqrt, square, sub, type Tensor } from "../../src/index.js";
import { map, zip } from "../reference.js";
import type { Input, Row } from "./case.js";

/** The ways in which two shapes meet: each has a loop or a stride of its own in broadcast.ts or the kernel. */
export const patterns: readonly (readonly [name: string, a: readonly number[], b: readonly number[]])[] = [
  ["same shape", [3, 5], [3, 5]],
  ["row", [4, 7], [7]],
  ["column", [4, 7], [4, 1]],
  ["column on the left", [4, 1], [4, 7]],
  ["outer", [5, 1], [1, 6]],
  ["scalar tensor", [2, 3], []],
  ["scalar tensor on the left", [], [2, 3]],
  ["one element", [3, 4], [1, 1]],
  ["inner axes", [2, 1, 3, 1], [1, 4, 1, 5]],
  ["five axes", [2, 1, 2, 1, 3], [2, 2, 1, 2, 1]],
  ["six axes", [2, 1, 2, 1, 2, 1], [1, 2, 1, 2, 1, 2]],
  ["more axes on the right", [3], [2, 2, 3]],
  ["empty", [0, 3], [3]],
  ["empty and stretched", [2, 1], [2, 0]],
];

export interface Binary {
  readonly op: string;
  readonly call: (a: Tensor | number, b: Tensor | number) => Tensor;
  readonly of: (a: number, b: number) => number;
  /** What the operands must be, beside their shapes; `left` also of a number's partner. */
  readonly left?: Partial<Input>;
  readonly right?: Partial<Input>;
  /** As in Row; 0 by default. */
  readonly tolerance?: number;
  readonly gradient?: "none";
  readonly reason?: string;
}

const binaries: readonly Binary[] = [
  { op: "add", call: add, of: (a, b) => a + b },
  { op: "sub", call: sub, of: (a, b) => a - b },
  { op: "mul", call: mul, of: (a, b) => a * b },
  { op: "div", call: div, of: (a, b) => a / b, right: { avoid: [0], margin: 0.4 } },
];

/** Rows of a binary op: the patterns, a lazily transposed operand, numbers on either side, both operands the same. */
export const binaryRows = ({ op, call, of, left, right, ...rest }: Binary, shapes = patterns): Row[] => [
  ...shapes.map(
    ([name, a, b], i): Row => ({
      op,
      name,
      inputs: [
        { shape: a, ...left },
        { shape: b, ...right },
      ],
      run: (p, q) => call(p!, q!),
      reference: (p, q) => zip(p!, q!, of),
      tolerance: 0,
      elementwise: i === 0,
      ...rest,
    }),
  ),
  {
    op,
    inputs: [
      { shape: [3, 5], transposed: true, ...left },
      { shape: [5], ...right },
    ],
    run: (a, b) => call(a!, b!),
    reference: (a, b) => zip(a!, b!, of),
    tolerance: 0,
    ...rest,
  },
  {
    op,
    name: "number on the right",
    inputs: [{ shape: [2, 5], ...left }],
    run: (x) => call(x!, 1.7),
    reference: (x) => map(x!, (v) => of(v, Math.fround(1.7))),
    tolerance: 0,
    elementwise: true,
    ...rest,
  },
  {
    op,
    name: "number on the left",
    inputs: [{ shape: [2, 5], ...right }],
    run: (x) => call(1.7, x!),
    reference: (x) => map(x!, (v) => of(Math.fround(1.7), v)),
    tolerance: 0,
    elementwise: true,
    ...rest,
  },
  {
    op,
    name: "with itself",
    inputs: [{ shape: [7], ...left, ...right }],
    run: (x) => call(x!, x!),
    reference: (x) => zip(x!, x!, of),
    tolerance: 0,
    ...rest,
  },
];

/** A binary op on i32 and bool: each pair of types, and numbers. `exact` is the op on integers. */
export const integerRows = (op: string, call: Binary["call"], of: Binary["of"], input: Partial<Input> = {}): Row[] =>
  (
    [
      ["i32", "i32"],
      ["bool", "i32"],
      ["i32", "bool"],
    ] as const
  ).map(
    ([p, q]): Row => ({
      op,
      name: `${p} and ${q}`,
      inputs: [
        { shape: [3, 1, 5], dtype: p, ...(p === "i32" ? { low: -9, high: 9, ...input } : {}) },
        { shape: [4, 5], dtype: q, ...(q === "i32" ? { low: -9, high: 9, ...input } : {}) },
      ],
      run: (a, b) => call(a!, b!),
      reference: (a, b) => zip(a!, b!, (x, y) => of(x, y) + 0), // integers have no -0
      tolerance: 0,
      gradient: "none",
    }),
  );

/** A row of a unary op. */
export const unary = (
  op: string,
  call: (x: Tensor) => Tensor,
  of: (x: number) => number,
  input: Partial<Input> = {},
  tolerance?: number,
): Row => ({
  op,
  inputs: [{ shape: [3, 7], ...input }],
  run: (x) => call(x!),
  reference: (x) => map(x!, of),
  elementwise: true,
  ...(tolerance === undefined ? {} : { tolerance }),
});

export const rows: readonly Row[] = [
  ...binaries.flatMap((binary) => binaryRows(binary)),
  ...integerRows("add", add, (a, b) => a + b),
  // PyTorch subtracts no bool.
  ...integerRows("sub", sub, (a, b) => a - b).filter(({ name }) => name === "i32 and i32"),
  ...integerRows("mul", mul, (a, b) => a * b),
  ...integerRows("div", div, (a, b) => a / b, { low: 1 }),
  {
    op: "add",
    name: "alpha",
    inputs: [{ shape: [3, 4] }, { shape: [4] }],
    run: (a, b) => add(a!, b!, { alpha: -2.5 }),
    reference: (a, b) => zip(a!, b!, (p, q) => p - 2.5 * q),
  },
  {
    op: "sub",
    name: "alpha",
    inputs: [{ shape: [3, 1] }, { shape: [4] }],
    run: (a, b) => sub(a!, b!, { alpha: 0.5 }),
    reference: (a, b) => zip(a!, b!, (p, q) => p - 0.5 * q),
  },
  {
    op: "add",
    name: "bool",
    inputs: [
      { shape: [9], dtype: "bool" },
      { shape: [9], dtype: "bool" },
    ],
    run: (a, b) => add(a!, b!),
    reference: (a, b) => zip(a!, b!, (p, q) => Number(p + q > 0)),
    gradient: "none",
  },
  {
    op: "mul",
    name: "bool",
    inputs: [
      { shape: [9], dtype: "bool" },
      { shape: [9], dtype: "bool" },
    ],
    run: (a, b) => mul(a!, b!),
    reference: (a, b) => zip(a!, b!, (p, q) => p * q),
    gradient: "none",
  },
  {
    op: "mul",
    name: "f32 and bool",
    inputs: [{ shape: [3, 5] }, { shape: [5], dtype: "bool" }],
    run: (a, b) => mul(a!, b!),
    reference: (a, b) => zip(a!, b!, (p, q) => p * q),
  },
  {
    op: "div",
    name: "f32 and i32",
    inputs: [{ shape: [3, 5] }, { shape: [5], dtype: "i32", low: 1, high: 7 }],
    run: (a, b) => div(a!, b!),
    reference: (a, b) => zip(a!, b!, (p, q) => p / q),
  },
  {
    op: "sub",
    name: "i32 and f32",
    inputs: [{ shape: [3, 5], dtype: "i32", low: -5, high: 7 }, { shape: [5] }],
    run: (a, b) => sub(a!, b!),
    reference: (a, b) => zip(a!, b!, (p, q) => p - q),
  },
  unary("neg", neg, (x) => -x, {}, 0),
  unary("exp", exp, Math.exp),
  unary("log", log, Math.log, { low: 0.2, high: 4 }),
  unary("sqrt", sqrt, Math.sqrt, { low: 0.2, high: 4 }, 0),
  unary("square", square, (x) => x * x, {}, 0),
];
