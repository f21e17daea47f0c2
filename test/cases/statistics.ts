// Rows of variance, standard deviation and log-sum-exp.
import { logsumexp, std, type VarianceOptions, variance, varMean } from "../../src/index.js";
import * as ref from "../reference.js";
import { exact } from "./build.js";
import type { Input, Row } from "./case.js";

type Shape = readonly number[];
type Axes = number | readonly number[] | undefined;

const varianceOf = (values: Float64Array, correction: number): number =>
  ref.total(values.map((v) => (v - ref.average(values)) ** 2)) / Math.max(0, values.length - correction);

const close: Partial<Row> = { tolerance: 2e-6 };

const spreads = (x: Shape | Input, dim: Axes, options: VarianceOptions = {}, more: Partial<Row> = {}): Row[] => {
  const { keepdim = false, unbiased = true } = options;
  const correction = options.correction ?? (unbiased ? 1 : 0);
  const name = `along ${dim ?? "all"} ${JSON.stringify(options)}`;
  const one = (op: typeof variance, f: (v: number) => number): Row =>
    exact(
      op.name,
      name,
      [x],
      (x) => (dim === undefined ? op(x!, options) : op(x!, dim, options)),
      (x) => ref.reduce(x!, dim, keepdim, (values) => f(varianceOf(values, correction))),
      { ...close, ...more },
    );
  return [
    one(variance, (v) => v),
    one(std, Math.sqrt),
    exact(
      "varMean",
      name,
      [x],
      (x) => varMean(x!, dim === undefined ? options : { ...options, dim }),
      (x) => [
        ref.reduce(x!, dim, keepdim, (values) => varianceOf(values, correction)),
        ref.reduce(x!, dim, keepdim, ref.average),
      ],
      { ...close, ...more },
    ),
  ];
};

const logSums = (x: Shape | Input, dim: number | readonly number[], keepdim = false, more: Partial<Row> = {}): Row =>
  exact(
    "logsumexp",
    `along ${dim}${keepdim ? ", kept" : ""}`,
    [x],
    (x) => (keepdim ? logsumexp(x!, { dim, keepdim }) : logsumexp(x!, dim)),
    (x) =>
      ref.reduce(x!, dim, keepdim, (values) => {
        const top = Math.max(...values);
        if (!Number.isFinite(top)) return top; // −∞ for nothing, ∞, NaN
        return top + Math.log(ref.total(values.map((v) => Math.exp(v - top))));
      }),
    { ...close, ...more },
  );

const none = (reason: string): Partial<Row> => ({ gradient: "none", reason });

/** Values around a large mean: the one-pass formula loses all of their variance. */
const far: Input = { shape: [1000], values: Array.from({ length: 1000 }, (_, i) => 10000 + (i % 7) / 8) };

export const rows: readonly Row[] = [
  ...spreads([3, 5], undefined),
  ...spreads([3, 5], 0),
  ...spreads([3, 5], -1, { keepdim: true, unbiased: false }),
  ...spreads([2, 3, 4], [0, 2], { correction: 0 }),
  ...spreads([2, 3, 4], [1, 2], { correction: 2, keepdim: true }),
  ...spreads([2, 5], 1, { correction: 1.5 }),
  ...spreads({ shape: [3, 4], transposed: true }, 1),
  ...Array.from({ length: 6 }, (_, i) => spreads([i + 2], 0)).flat(),
  ...spreads([3, 33], 1),
  ...spreads([1], 0, {}, none("too few elements: NaN")),
  ...spreads([2], 0, { correction: 3 }, none("too few elements: Infinity")),
  ...spreads([0], 0, {}, none("of nothing: NaN")),
  ...spreads([0, 3], 1),
  ...spreads(far, undefined, {}, none("too flat for differences")),
  logSums([3, 5], 1),
  logSums([3, 5], 0, true),
  logSums([2, 3, 4], [0, 2]),
  logSums([2, 3, 4], [-1, 1], true),
  logSums([], 0),
  logSums([5, 1], 1),
  logSums([0, 3], 1),
  logSums([3, 0], 1, false, none("of nothing: −∞")),
  logSums({ shape: [3, 4], transposed: true }, 1),
  logSums({ shape: [2, 3], values: [200, 201, 199, -200, -201, -205] }, 1),
  ...Array.from({ length: 9 }, (_, i) => logSums([2, i + 1], 1)),
  logSums(
    {
      shape: [5, 2],
      values: [
        ...[Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1, Number.NaN, 1],
        ...[Number.NEGATIVE_INFINITY, 3, 1e38, -1e38],
      ],
    },
    1,
    false,
    none("infinities have no derivative"),
  ),
];
