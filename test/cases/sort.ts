// Rows of sorted order: sort, argsort, topk, median, unique, searchsorted. Lengths around the change of algorithm (64).
import {
  argsort,
  median,
  type SearchOptions,
  type SortOptions,
  searchsorted,
  sort,
  type TopkOptions,
  topk,
  type UniqueOptions,
  unique,
} from "../../src/index.js";
import * as ref from "../reference.js";
import { exact } from "./build.js";
import type { Input, Row } from "./case.js";

const distinct = (shape: readonly number[]): Input => ({ shape, distinct: true, margin: 0.01, low: -9, high: 9 });

/** NaN is the largest number. */
const rank = (v: number): number => (Number.isNaN(v) ? Number.POSITIVE_INFINITY : v);
const compare = (a: number, b: number): number => {
  if (Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;
  return rank(a) === rank(b) ? 0 : rank(a) - rank(b);
};

/** Positions of a run in order; stable. */
const orderOf = (run: Float64Array, descending: boolean): number[] =>
  [...run.keys()].sort((i, j) => (descending ? compare(run[j]!, run[i]!) : compare(run[i]!, run[j]!)) || i - j);

/** Values and positions that `pick` takes of the order of each run. */
const ordered = (
  x: ref.Ref,
  dim: number,
  pick: (order: number[], run: Float64Array) => number[],
  descending = false,
) => [
  ref.along(x, dim, (run) => pick(orderOf(run, descending), run).map((i) => run[i]!)),
  ref.along(x, dim, (run) => pick(orderOf(run, descending), run)),
];

const none = (reason: string): Partial<Row> => ({ gradient: "none", reason });

const sorts = (x: Input, options: SortOptions = {}, more: Partial<Row> = {}): Row[] => {
  const { dim = -1, descending = false } = options;
  const name = JSON.stringify(options);
  const want = (x: ref.Ref) => ordered(x, dim, (order) => order, descending);
  return [
    exact(
      "sort",
      name,
      [x],
      (x) => {
        const { values, indices } = sort(x!, options);
        return [values, indices];
      },
      (x) => want(x!),
      more,
    ),
    exact(
      "argsort",
      name,
      [x],
      (x) => (descending ? argsort(x!, options) : argsort(x!, dim)),
      (x) => want(x!)[1]!,
      none("positions are integers"),
    ),
  ];
};

const tops = (x: Input, k: number, options: TopkOptions = {}, more: Partial<Row> = {}): Row => {
  const { dim = -1, largest = true } = options;
  return exact(
    "topk",
    `${k} ${JSON.stringify(options)}`,
    [x],
    (x) => {
      const { values, indices } = largest ? topk(x!, k, dim) : topk(x!, k, options);
      return [values, indices];
    },
    (x) => ordered(x!, dim, (order) => order.slice(0, k), largest),
    more,
  );
};

/** The position of the lower median; of the first NaN if there is one. */
const middle = (order: number[], run: Float64Array): number[] => {
  const nan = order.filter((i) => Number.isNaN(run[i]!));
  return [nan.length > 0 ? nan[nan.length - 1]! : order[(order.length - 1) >> 1]!];
};

const medians = (x: Input, dim?: number, keepdim = false, more: Partial<Row> = {}): Row =>
  exact(
    "median",
    dim === undefined ? "of all" : `along ${dim}${keepdim ? ", kept" : ""}`,
    [x],
    (x) => {
      if (dim === undefined) return median(x!);
      const { values, indices } = keepdim ? median(x!, dim, { keepdim }) : median(x!, { dim });
      return [values, indices];
    },
    (x) => {
      if (dim === undefined)
        return ref.reduce(x!, undefined, false, (run) => run[middle(orderOf(run, false), run)[0]!]!);
      const results = ordered(x!, dim, middle);
      if (keepdim) return results;
      const shape = x!.shape.filter((_, i) => i !== ref.axisOf(dim, x!.shape.length));
      return results.map((y) => ref.reshape(y, shape));
    },
    more,
  );

/** Distinct items in order, which each item is, and how often each comes; `key` makes an item comparable. */
function distinctOf<T>(
  items: readonly T[],
  before: (a: T, b: T) => number,
): { first: T[]; inverse: number[]; counts: number[] } {
  const first: T[] = [];
  for (const item of [...items].sort(before)) {
    if (first.length === 0 || before(first[first.length - 1]!, item) !== 0) first.push(item);
  }
  const inverse = items.map((item) => first.findIndex((other) => before(other, item) === 0));
  return { first, inverse, counts: first.map((_, u) => inverse.filter((i) => i === u).length) };
}

const uniques = (x: Input, options: UniqueOptions = {}): Row =>
  exact(
    "unique",
    JSON.stringify(options),
    [x],
    (x) => unique(x!, options),
    (x) => {
      const flat = options.dim === undefined;
      const axis = flat ? 0 : ref.axisOf(options.dim!, x!.shape.length);
      const slices = Array.from({ length: flat ? x!.data.length : x!.shape[axis]! }, (_, i) =>
        flat ? [x!.data[i]!] : [...ref.take(x!, axis, [i]).data],
      );
      const before = (a: number[], b: number[]): number =>
        a.map((v, i) => v - b[i]!).find((difference) => difference !== 0) ?? 0;
      const { first, inverse, counts } = distinctOf(slices, before);
      const values = flat
        ? ref.make([first.length], first.flat())
        : ref.take(
            x!,
            axis,
            first.map((slice) => slices.findIndex((other) => before(other, slice) === 0)),
          );
      const results = [values];
      if (options.returnInverse) results.push(ref.make(flat ? x!.shape : [inverse.length], inverse));
      if (options.returnCounts) results.push(ref.make([counts.length], counts));
      return results;
    },
    none("which values there are has no derivative"),
  );

const searches = (sorted: Input, values: Input, options: SearchOptions = {}): Row =>
  exact(
    "searchsorted",
    JSON.stringify(options),
    [sorted, values],
    (s, v) => searchsorted(s!, v!, options),
    (s, v) => {
      const n = s!.shape[s!.shape.length - 1]!;
      const m = v!.shape[v!.shape.length - 1] ?? 1;
      const right = options.right ?? options.side === "right";
      return ref.make(v!.shape, (i) => {
        const row = s!.shape.length === 1 ? 0 : Math.floor(i / m);
        const run = [...s!.data.slice(row * n, row * n + n)];
        const v0 = v!.data[i]!;
        const at = run.findIndex((other) => (right ? other > v0 : other >= v0));
        return at < 0 ? n : at;
      });
    },
    none("positions are integers"),
  );

const ties: Input = { shape: [2, 6], values: [1, 3, 1, -2, 3, 1, 0, 0, -1, 0, -1, -1] };
const odd: Input = {
  shape: [2, 7],
  values: [
    1,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    0,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    -3,
    2 ** -149,
    0,
    -(2 ** -149),
    5,
    -5,
    3.4e38,
    -3.4e38,
  ].map(Math.fround),
};
/** −0 and 0 are equal: their order stays. */
const zeros: Input = { shape: [6], values: [0, -0, 1, -0, -1, 0] };
const noTies = none("ties have no derivative");
const steps = (shape: readonly number[]): Input => ({
  shape,
  values: Array.from({ length: ref.count(shape) }, (_, i) => i % 5),
});
const rising = (shape: readonly number[], step = 1): Input => ({
  shape,
  values: Array.from({ length: ref.count(shape) }, (_, i) => Math.floor((i % shape[shape.length - 1]!) / 2) * step),
});

export const rows: readonly Row[] = [
  ...Array.from({ length: 18 }, (_, n) => sorts(distinct([n]), { dim: 0, descending: n % 2 === 1 })).flat(),
  ...[63, 64, 65, 66, 300].flatMap((n) => [...sorts(distinct([2, n])), ...sorts(distinct([n]), { descending: true })]),
  ...sorts(distinct([3, 5]), { dim: 0 }),
  ...sorts(distinct([2, 4, 3]), { dim: 1, descending: true }),
  ...sorts(distinct([]), { dim: 0 }),
  ...sorts(distinct([3, 1]), { stable: true }),
  ...sorts({ shape: [0, 3] }),
  ...sorts({ ...distinct([3, 4]), transposed: true }),
  ...[false, true].flatMap((descending) => [
    ...sorts(ties, { descending }, noTies),
    ...sorts(odd, { descending }, noTies),
    ...sorts(zeros, { descending }, noTies),
    ...sorts(steps([2, 90]), { descending }, noTies),
    ...sorts({ shape: [3, 9], dtype: "i32", low: -5, high: 5 }, { descending }),
    ...sorts({ shape: [200], dtype: "i32", low: -8e6, high: 8e6 }, { descending }),
    ...sorts({ shape: [7], dtype: "bool" }, { descending }),
  ]),
  tops(distinct([5]), 2),
  tops(distinct([3, 7]), 3, { largest: false }),
  tops(distinct([4, 3, 2]), 2, { dim: 1, sorted: false }),
  tops(distinct([3, 4]), 0),
  tops(distinct([4, 3]), 4, { dim: 0, largest: false }),
  tops(distinct([2, 150]), 64),
  tops(distinct([2, 150]), 65),
  tops(distinct([1, 70]), 70, { largest: false }),
  tops(ties, 3, {}, noTies),
  tops(odd, 4, {}, noTies),
  tops(odd, 4, { largest: false }, noTies),
  tops({ shape: [3, 8], dtype: "i32", low: -9, high: 9 }, 5),
  medians(distinct([3, 5])),
  medians(distinct([6])),
  medians(distinct([])),
  medians(distinct([1])),
  medians(distinct([3, 4]), 1),
  medians(distinct([5, 3]), 0, true),
  medians(distinct([2, 3, 2]), -2),
  medians(distinct([2, 101]), 1),
  medians(odd, undefined, false, noTies),
  medians(odd, 1, false, noTies),
  medians({ shape: [3, 6], dtype: "i32", low: -9, high: 9 }, 1),
  medians({ shape: [0, 3] }, 1),
  uniques(ties, { returnInverse: true, returnCounts: true }),
  uniques({ shape: [5], values: [3, 1, 3, 2, 1] }),
  uniques({ shape: [3, 40], dtype: "i32", low: -4, high: 4 }, { returnInverse: true }),
  uniques({ shape: [4], dtype: "bool" }, { returnCounts: true, sorted: true }),
  uniques({ shape: [0] }, { returnInverse: true, returnCounts: true }),
  uniques({ shape: [] }),
  uniques({ shape: [6, 2], dtype: "i32", low: 0, high: 2 }, { dim: 0, returnInverse: true, returnCounts: true }),
  uniques({ shape: [2, 5, 1], values: [1, 0, 1, 1, 0, 2, 2, 2, 0, 2] }, { dim: -2, returnInverse: true }),
  ...[{}, { right: true }, { side: "left" }, { side: "right" }].flatMap((options) => [
    searches(rising([7]), { shape: [2, 4], low: -1, high: 5 }, options as SearchOptions),
    searches(rising([2, 6]), { shape: [2, 3], values: [0, 1, 2, -1, 5, 0.5] }, options as SearchOptions),
  ]),
  searches(rising([5]), { shape: [3], values: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] }),
  searches({ shape: [0] }, { shape: [2] }),
  searches({ ...rising([9]), dtype: "i32" }, { shape: [6], dtype: "i32", low: -2, high: 6 }),
];
