// Rows of the reductions: axes in every form, lengths around the lanes, ties excluded (PyTorch's goldens have them).
import {
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  type Dim,
  max,
  mean,
  min,
  prod,
  type ReduceOptions,
  sum,
  type Tensor,
  type ValuesAndIndices,
} from "../../src/index.js";
import * as ref from "../reference.js";
import type { Input, Row } from "./case.js";

/** A reduction over any axes, as the property tests draw them too. */
export interface Reduction {
  readonly op: string;
  readonly call: (x: Tensor, dim?: Dim, options?: ReduceOptions) => Tensor;
  readonly fold: (values: Float64Array) => number;
  readonly input?: Partial<Input>;
  /** Whether it has a value for no elements. */
  readonly ofNothing: boolean;
}

const product = (values: Float64Array): number => values.reduce((total, v) => total * v, 1);

export const reductions: readonly Reduction[] = [
  { op: "sum", call: sum, fold: ref.total, ofNothing: true },
  { op: "mean", call: mean, fold: ref.average, ofNothing: true },
  { op: "prod", call: prod, fold: product, ofNothing: true },
  { op: "amax", call: amax, fold: (v) => Math.max(...v), input: { distinct: true, margin: 0.01 }, ofNothing: false },
  { op: "amin", call: amin, fold: (v) => Math.min(...v), input: { distinct: true, margin: 0.01 }, ofNothing: false },
];

type Axes = number | readonly number[] | undefined;
const spell = (dim: Axes): string => (dim === undefined ? "all" : `along ${dim}`);

/** The mean of nothing is NaN. */
const withoutMean = (row: Row): Row =>
  row.op === "mean" ? { ...row, gradient: "none", reason: "the mean of nothing is NaN" } : row;

function reductionRows({ op, call, fold, input = {}, ofNothing }: Reduction): Row[] {
  const row = (shape: readonly number[], dim: Axes, keepdim = false, asOptions = false, transposed = false): Row => ({
    op,
    name: `${spell(dim)}${keepdim ? ", kept" : ""}`,
    inputs: [{ shape, ...input, transposed }],
    run: (x) => {
      if (asOptions) return call(x!, dim === undefined ? { keepdim } : { dim, keepdim });
      return keepdim ? call(x!, dim, { keepdim }) : call(x!, dim);
    },
    reference: (x) => ref.reduce(x!, dim, keepdim, fold),
  });
  return [
    row([3, 5], undefined),
    row([3, 5], undefined, true, true),
    row([3, 5], []),
    row([3, 5], [], true, true),
    row([3, 5], 0),
    row([3, 5], 1),
    row([3, 5], -2, true),
    row([2, 3, 4], 1, true, true),
    row([2, 3, 4], [0, 2]),
    row([2, 3, 4], [-1, 0], true),
    row([2, 3, 4], [1, 2]),
    row([2, 3, 4], [0, 1], true, true),
    row([2, 3, 2, 3, 2], [1, 3]),
    row([2, 3, 2, 3, 2], [0, 2, 4]),
    row([2, 3, 4], 1, false, false, true),
    row([4, 1, 3], 1),
    row([1], 0),
    row([], undefined),
    row([], 0),
    ...Array.from({ length: 17 }, (_, i) => row([i + 1], 0)),
    ...[1, 3, 4, 5, 8, 17].map((inner) => row([5, inner], 0)),
    row([3, 67], -1),
    row([67, 3], 0),
    row([0, 3], 1),
    row([3, 0], 0),
    ...(ofNothing ? [row([0], undefined), row([3, 0], 1), row([0, 2], 0, true)].map(withoutMean) : []),
  ];
}

/** Position of the first extreme value. */
const first = (values: Float64Array, better: (a: number, b: number) => boolean): number =>
  values.reduce((best, value, i) => (better(value, values[best]!) ? i : best), 0);
const larger = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b));
const smaller = (a: number, b: number): boolean => a < b || (Number.isNaN(a) && !Number.isNaN(b));

const ties = { shape: [2, 6], values: [1, 3, 3, -2, 3, -2, 0, 0, -1, 0, -1, -1] };
const nans = { shape: [2, 5], values: [1, Number.NaN, 3, Number.NaN, -2, 0, 5, -1, Number.NaN, 9] };

function positionRows(op: "argmax" | "argmin"): Row[] {
  const call = op === "argmax" ? argmax : argmin;
  const better = op === "argmax" ? larger : smaller;
  const row = (input: Input, dim: number | undefined, keepdim = false, name = ""): Row => ({
    op,
    name: `${name} ${spell(dim)}${keepdim ? ", kept" : ""}`.trim(),
    inputs: [input],
    run: (x) => call(x!, { ...(dim === undefined ? {} : { dim }), keepdim }),
    reference: (x) => ref.reduce(x!, dim, keepdim, (v) => first(v, better)),
    tolerance: 0,
    gradient: "none",
    reason: "positions are integers",
  });
  return [
    row({ shape: [3, 5] }, undefined),
    row({ shape: [3, 5] }, undefined, true),
    row({ shape: [3, 5] }, 0),
    row({ shape: [3, 5] }, -1, true),
    row({ shape: [2, 4, 3] }, 1),
    row({ shape: [] }, undefined),
    row({ shape: [3, 1] }, 1),
    row({ shape: [0, 3] }, 1),
    ...Array.from({ length: 17 }, (_, i) => row({ shape: [i + 1] }, 0)),
    row(ties, 1, false, "ties"),
    row(ties, undefined, false, "ties"),
    row(nans, 1, false, "NaN"),
    row(nans, 0, false, "NaN"),
  ];
}

function extremeRows(op: "max" | "min"): Row[] {
  const call = op === "max" ? max : min;
  const better = op === "max" ? larger : smaller;
  const distinct = { distinct: true, margin: 0.01 };
  const along = (input: Input, dim: number, keepdim = false, more: Partial<Row> = {}): Row => ({
    op,
    name: `along ${dim}${keepdim ? ", kept" : ""}`,
    inputs: [input],
    run: (x) => {
      const { values, indices } = keepdim ? call(x!, { dim, keepdim }) : call(x!, dim);
      return [values, indices];
    },
    reference: (x) => {
      const indices = ref.reduce(x!, dim, keepdim, (v) => first(v, better));
      return [ref.reduce(x!, dim, keepdim, (v) => v[first(v, better)]!), indices];
    },
    tolerance: 0,
    ...more,
  });
  return [
    {
      op,
      inputs: [{ shape: [3, 5], ...distinct }],
      run: (x) => call(x!),
      reference: (x) => ref.reduce(x!, undefined, false, (v) => v[first(v, better)]!),
      tolerance: 0,
    },
    along({ shape: [3, 5], ...distinct }, 0),
    along({ shape: [3, 5], ...distinct }, -1, true),
    along({ shape: [2, 4, 3], ...distinct }, 1),
    along({ shape: [7], ...distinct }, 0),
    along({ shape: [3, 1], ...distinct }, 1),
    along({ shape: [0, 3] }, 1),
    along(ties, 1, false, { gradient: "none", reason: "ties have no derivative" }),
    along(nans, 1, false, { gradient: "none", reason: "NaN has no derivative" }),
  ];
}

/** What a NaN does to an extreme: it wins. */
const nanRow = (op: "amax" | "amin", call: typeof amax): Row => ({
  op,
  name: "NaN wins",
  inputs: [nans],
  run: (x) => call(x!, 1),
  reference: (x) => ref.reduce(x!, 1, false, () => Number.NaN),
  gradient: "none",
  reason: "NaN has no derivative",
});

/** A million times 0.1: f32 additions one after the other would be off in the third digit. */
const million: Row = {
  op: "mean",
  name: "of a million",
  inputs: [{ shape: [1000, 1000], values: new Array(1e6).fill(Math.fround(0.1)) }],
  run: (x) => mean(x!),
  reference: () => ref.scalar(Math.fround(0.1)),
  tolerance: 1e-7,
  gradient: "none",
  reason: "too large for differences",
};

/** The values alone; nobody would free the positions. */
const valuesOf = ({ values, indices }: ValuesAndIndices): Tensor => {
  indices.dispose();
  return values;
};

/** Rows of integers; sums and products are i32 and wrap around. */
const integerRows = (dtype: "i32" | "bool"): Row[] => {
  const x: Input = { shape: [3, 5, 2], dtype, ...(dtype === "i32" ? { low: -9, high: 9 } : {}) };
  const row = (op: string, call: Reduction["call"], fold: Reduction["fold"], dim: Axes, keepdim = false): Row => ({
    op,
    name: `${dtype} ${spell(dim)}`,
    inputs: [x],
    run: (x) => call(x!, dim, { keepdim }),
    reference: (x) => ref.reduce(x!, dim, keepdim, fold),
    tolerance: 0,
    gradient: "none",
  });
  const wrapped = (values: Float64Array): number => values.reduce((total, v) => Math.imul(total, v), 1);
  const ops: [string, Reduction["call"], Reduction["fold"]][] = [
    ["sum", sum, ref.total],
    ["prod", prod, wrapped],
    ["amax", amax, (v) => Math.max(...v)],
    ["amin", amin, (v) => Math.min(...v)],
    ["max", (x, dim) => (dim === undefined ? max(x) : valuesOf(max(x, dim as number))), (v) => Math.max(...v)],
    ["min", (x, dim) => (dim === undefined ? min(x) : valuesOf(min(x, dim as number))), (v) => Math.min(...v)],
    ["argmax", (x, dim, options) => argmax(x, dim as number, options as object), (v) => first(v, larger)],
    ["argmin", (x, dim, options) => argmin(x, dim as number, options as object), (v) => first(v, smaller)],
  ];
  return ops.flatMap(([op, call, fold]) => [
    row(op, call, fold, undefined),
    row(op, call, fold, 1),
    ...(op.startsWith("max") || op.startsWith("min") ? [] : [row(op, call, fold, 2, true)]),
    ...(op.includes("max") || op.includes("min") ? [] : [row(op, call, fold, [0, 2], true)]),
  ]);
};

const truthRows = (op: "all" | "any"): Row[] => {
  const call = op === "all" ? all : any;
  const row = (x: Input, dim: Axes, keepdim = false): Row => ({
    op,
    name: `${x.dtype ?? "f32"} ${spell(dim)}`,
    inputs: [x],
    run: (x) => (dim === undefined ? call(x!, { keepdim }) : call(x!, dim, { keepdim })),
    reference: (x) =>
      ref.reduce(x!, dim, keepdim, (v) => Number(op === "all" ? v.every((p) => p !== 0) : v.some((p) => p !== 0))),
    tolerance: 0,
    gradient: "none",
    reason: "a bool has no derivative",
  });
  const mixed: Input = { shape: [3, 4], values: [0, -0, 0, 0, 0, Number.NaN, 0, 1e-40, 1, 2, 3, 4] };
  return [
    row(mixed, undefined),
    row(mixed, 0),
    row(mixed, 1, true),
    row({ shape: [3, 4, 2], dtype: "bool" }, [0, 2]),
    row({ shape: [3, 4, 2], dtype: "i32", low: -1, high: 2 }, -2, true),
    row({ shape: [0] }, undefined),
    row({ shape: [2, 0], dtype: "bool" }, 1),
    row({ shape: [] }, undefined),
  ];
};

/** One zero, several, none in a row: the gradient is the product of the others. */
const zeros: Input = { shape: [3, 5], values: [2, 0, 3, -1, 0.5, 0, 4, 0, 1, 2, 1.5, 2, -2, 1, 3] };
const productOfZeros = (dim: Axes): Row => ({
  op: "prod",
  name: `with zeros ${spell(dim)}`,
  inputs: [zeros],
  run: (x) => prod(x!, dim),
  reference: (x) => ref.reduce(x!, dim, false, product),
});

export const rows: readonly Row[] = [
  ...reductions.flatMap(reductionRows),
  ...positionRows("argmax"),
  ...positionRows("argmin"),
  ...extremeRows("max"),
  ...extremeRows("min"),
  nanRow("amax", amax),
  nanRow("amin", amin),
  million,
  ...integerRows("i32"),
  ...integerRows("bool"),
  ...truthRows("all"),
  ...truthRows("any"),
  productOfZeros(undefined),
  productOfZeros(0),
  productOfZeros(1),
];
