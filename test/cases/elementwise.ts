// Rows of elementwise arithmetic with broadcasting, and of unary functions.
import { add, div, exp, log, mul, neg, sqrt, square, sub, type Tensor } from "../../src/index.js";
import { map, zip } from "../reference.js";
import type { Input, Row } from "./case.js";

/** The ways in which two shapes meet: each has a loop or a stride of its own in broadcast.ts or the kernel. */
const patterns: readonly (readonly [name: string, a: readonly number[], b: readonly number[]])[] = [
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

interface Binary {
  readonly op: string;
  readonly call: (a: Tensor | number, b: Tensor | number) => Tensor;
  readonly of: (a: number, b: number) => number;
  /** What the right operand must be, beside its shape. */
  readonly right?: Partial<Input>;
}

const binaries: readonly Binary[] = [
  { op: "add", call: add, of: (a, b) => a + b },
  { op: "sub", call: sub, of: (a, b) => a - b },
  { op: "mul", call: mul, of: (a, b) => a * b },
  { op: "div", call: div, of: (a, b) => a / b, right: { avoid: [0], margin: 0.4 } },
];

const binaryRows = ({ op, call, of, right }: Binary): Row[] => [
  ...patterns.map(
    ([name, a, b], i): Row => ({
      op,
      name,
      inputs: [{ shape: a }, { shape: b, ...right }],
      run: (p, q) => call(p!, q!),
      reference: (p, q) => zip(p!, q!, of),
      tolerance: 0,
      elementwise: i === 0,
    }),
  ),
  {
    op,
    inputs: [
      { shape: [3, 5], transposed: true },
      { shape: [5], ...right },
    ],
    run: (a, b) => call(a!, b!),
    reference: (a, b) => zip(a!, b!, of),
    tolerance: 0,
  },
  {
    op,
    name: "number on the right",
    inputs: [{ shape: [2, 5] }],
    run: (x) => call(x!, 1.7),
    reference: (x) => map(x!, (v) => of(v, Math.fround(1.7))),
    tolerance: 0,
    elementwise: true,
  },
  {
    op,
    name: "number on the left",
    inputs: [{ shape: [2, 5], ...right }],
    run: (x) => call(1.7, x!),
    reference: (x) => map(x!, (v) => of(Math.fround(1.7), v)),
    tolerance: 0,
    elementwise: true,
  },
  {
    op,
    name: "with itself",
    inputs: [{ shape: [7], ...right }],
    run: (x) => call(x!, x!),
    reference: (x) => zip(x!, x!, of),
    tolerance: 0,
  },
];

const unary = (
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
  ...binaries.flatMap(binaryRows),
  unary("neg", neg, (x) => -x, {}, 0),
  unary("exp", exp, Math.exp),
  unary("log", log, Math.log, { low: 0.2, high: 4 }),
  unary("sqrt", sqrt, Math.sqrt, { low: 0.2, high: 4 }, 0),
  unary("square", square, (x) => x * x, {}, 0),
];
