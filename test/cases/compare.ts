// Rows of comparisons, logic and choice.
import * as gradine from "../../src/index.js";
import { type Tensor, where } from "../../src/index.js";
import { map, zip, zipAll } from "../reference.js";
import type { Row } from "./case.js";
import { binaryRows, integerRows, patterns } from "./elementwise.js";

const truth = (of: (a: number, b: number) => boolean) => (a: number, b: number) => Number(of(a, b));
const comparisons = {
  eq: truth((a, b) => a === b),
  ne: truth((a, b) => a !== b),
  lt: truth((a, b) => a < b),
  le: truth((a, b) => a <= b),
  gt: truth((a, b) => a > b),
  ge: truth((a, b) => a >= b),
  logicalAnd: truth((a, b) => a !== 0 && b !== 0),
  logicalOr: truth((a, b) => a !== 0 || b !== 0),
  logicalXor: truth((a, b) => (a !== 0) !== (b !== 0)),
} as const;

const some = patterns.filter(([name]) =>
  ["same shape", "row", "column on the left", "scalar tensor", "inner axes", "six axes", "empty"].includes(name),
);
const reason = "the result is bool";

const tests = {
  logicalNot: (v: number) => Number(v === 0),
  isNaN: (v: number) => Number(Number.isNaN(v)),
  isFinite: (v: number) => Number(Number.isFinite(v)),
} as const;

/** Few values, so that some are equal. */
const few = [0, 1, -1, 2, 0, 0.5, 1, 1];

export const rows: readonly Row[] = [
  ...Object.entries(comparisons).flatMap(([op, of]) => {
    const call = gradine[op as keyof typeof comparisons];
    return [
      ...binaryRows({ op, call, of, gradient: "none", reason }, some),
      ...integerRows(op, call, of, { low: -2, high: 2 }),
      {
        op,
        name: "equal values",
        inputs: [
          { shape: [8], values: few },
          { shape: [8], values: [...few].reverse(), dtype: "f32" as const },
        ],
        run: (a: Tensor, b: Tensor) => call(a, b),
        reference: (a, b) => zip(a!, b!, of),
        tolerance: 0,
        gradient: "none",
        reason,
      } as Row,
      {
        op,
        name: "bool",
        inputs: [
          { shape: [8], dtype: "bool" },
          { shape: [8], dtype: "bool" },
        ],
        run: (a: Tensor, b: Tensor) => call(a, b),
        reference: (a, b) => zip(a!, b!, of),
        tolerance: 0,
        gradient: "none",
      } as Row,
    ];
  }),
  ...Object.entries(tests).flatMap(([op, of]) =>
    (["f32", "i32", "bool"] as const).map(
      (dtype): Row => ({
        op,
        name: dtype,
        inputs: [{ shape: [3, 5], dtype, ...(dtype === "bool" ? {} : { low: -2, high: 2 }) }],
        run: (x) => gradine[op as keyof typeof tests](x!),
        reference: (x) => map(x!, of),
        tolerance: 0,
        gradient: "none",
        reason,
        elementwise: dtype === "f32",
      }),
    ),
  ),
  ...(
    [
      [
        [3, 5],
        [3, 5],
        [3, 5],
      ],
      [[3, 1], [5], [3, 5]],
      [[5], [3, 1], []],
      [
        [2, 1, 3, 1, 2],
        [1, 2, 1, 2, 1],
        [2, 2, 3, 2, 2],
      ],
      [[0, 3], [1, 3], [3]],
      [[], [2], [2]],
    ] as const
  ).map(
    ([c, a, b]): Row => ({
      op: "where",
      inputs: [{ shape: c, dtype: "bool" }, { shape: a }, { shape: b }],
      run: (condition, x, y) => where(condition!, x!, y!),
      reference: (condition, x, y) => zipAll([condition!, x!, y!], (p, q, r) => (p ? q! : r!)),
      tolerance: 0,
    }),
  ),
  {
    op: "where",
    name: "numbers",
    inputs: [{ shape: [4, 3], dtype: "bool" }],
    run: (condition) => where(condition!, 1.5, -2),
    reference: (condition) => map(condition!, (p) => (p ? 1.5 : -2)),
    gradient: "none",
  },
  {
    op: "where",
    name: "a number beside a tensor, and NaN that is not chosen",
    inputs: [
      { shape: [2, 3], dtype: "bool", values: [1, 1, 0, 0, 1, 0] },
      { shape: [2, 3], values: [1, Number.NaN, 3, Number.POSITIVE_INFINITY, -2, 0.5], constant: true },
    ],
    run: (condition, x) => where(condition!, 0, x!),
    reference: (condition, x) => zip(condition!, x!, (p, v) => (p ? 0 : v)),
    gradient: "none",
  },
  {
    op: "where",
    name: "i32 and f32",
    inputs: [{ shape: [2, 3], dtype: "bool" }, { shape: [3], dtype: "i32", low: -5, high: 5 }, { shape: [2, 1] }],
    run: (condition, x, y) => where(condition!, x!, y!),
    reference: (condition, x, y) => zipAll([condition!, x!, y!], (p, q, r) => (p ? q! : r!)),
  },
  {
    op: "where",
    name: "i32, as a method",
    inputs: [
      { shape: [2, 3], dtype: "bool" },
      { shape: [3], dtype: "i32", low: -5, high: 5 },
    ],
    run: (condition, x) => x!.where(condition!, 7),
    reference: (condition, x) => zip(condition!, x!, (p, q) => (p ? q : 7)),
    gradient: "none",
  },
];
