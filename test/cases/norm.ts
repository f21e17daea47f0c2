// Rows of the normalizations: shapes whose channels are runs, or neighbours in memory, with and without affine parts.
import {
  batchNorm,
  cosineSimilarity,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  norm,
  normalize,
  rmsNorm,
} from "../../src/index.js";
import {
  at,
  average,
  broadcastShape,
  broadcastTo,
  count,
  forEachIndex,
  generate,
  make,
  map,
  position,
  reduce,
  reshape,
  sum,
  total,
  zip,
  zipAll,
} from "../reference.js";
import type { Input, Ref, Row } from "./case.js";

/**
 * (x − mean)/√(var + eps) over groups: `groupOf` names the group of an element by its multi-index. Given statistics
 * take the place of the group's own.
 */
function normalized(
  x: Ref,
  groupOf: (index: readonly number[]) => number,
  eps: number,
  given?: { mean: Ref; variance: Ref },
  centered = true,
): Ref {
  const groups = new Map<number, number[]>();
  const group: number[] = [];
  forEachIndex(x.shape, (index, flat) => {
    const g = groupOf(index);
    group.push(g);
    groups.set(g, [...(groups.get(g) ?? []), x.data[flat]!]);
  });
  const means = new Map<number, number>();
  const variances = new Map<number, number>();
  for (const [g, values] of groups) {
    const mean = given ? given.mean.data[g]! : centered ? average(values) : 0;
    means.set(g, mean);
    variances.set(g, given ? given.variance.data[g]! : average(values.map((v) => (v - mean) ** 2)));
  }
  return make(x.shape, (i) => (x.data[i]! - means.get(group[i]!)!) / Math.sqrt(variances.get(group[i]!)! + eps));
}

/** y·weight + bias, one number a channel (axis 1). */
const scaled = (y: Ref, weight?: Ref, bias?: Ref): Ref => {
  const perChannel = (x: Ref) => reshape(x, [1, count(x.shape), ...y.shape.slice(2).map(() => 1)]);
  let out = y;
  if (weight) out = zip(out, perChannel(weight), (a, b) => a * b);
  if (bias) out = zip(out, perChannel(bias), (a, b) => a + b);
  return out;
};

const channel = (index: readonly number[]): number => index[1]!;
const affine = (c: number): Input[] => [{ shape: [c], low: 0.5, high: 1.5 }, { shape: [c] }];
const running = (c: number): Input[] => [
  { shape: [c], constant: true },
  { shape: [c], low: 0.5, high: 2, constant: true },
];
/** Gradients of normalized values are small differences of large terms. */
const gradientTolerance = 3e-4;

const batchShapes: readonly (readonly number[])[] = [
  ...[
    [5, 3],
    [4, 9],
    [70, 6],
    [3, 2, 1],
    [2, 3, 4],
    [2, 4, 7],
    [3, 2, 3, 5],
    [2, 1, 18],
    [1, 2, 6],
    [2, 2, 2, 2, 3],
  ],
];

const batchRows: Row[] = batchShapes.flatMap((shape): Row[] => [
  {
    op: "batchNorm",
    name: "training",
    inputs: [{ shape }, ...affine(shape[1]!)],
    run: (x, weight, bias) => batchNorm(x!, null, null, { weight: weight!, bias: bias!, training: true }),
    reference: (x, weight, bias) => scaled(normalized(x!, channel, 1e-5), weight, bias),
    gradientTolerance,
  },
  {
    op: "batchNorm",
    name: "inference",
    inputs: [{ shape }, ...running(shape[1]!), ...affine(shape[1]!)],
    run: (x, mean, variance, weight, bias) => batchNorm(x!, mean!, variance!, weight!, bias!, { eps: 1e-3 }),
    reference: (x, mean, variance, weight, bias) =>
      scaled(normalized(x!, channel, 1e-3, { mean: mean!, variance: variance! }), weight, bias),
  },
]);

const ungiven: readonly Row[] = [
  {
    op: "batchNorm",
    name: "training, no weight",
    inputs: [{ shape: [4, 5] }, { shape: [5] }],
    run: (x, bias) => batchNorm(x!, null, null, { bias: bias!, training: true, eps: 0.1 }),
    reference: (x, bias) => scaled(normalized(x!, channel, 0.1), undefined, bias),
  },
  {
    op: "batchNorm",
    name: "training, runs, no bias",
    inputs: [{ shape: [4, 2, 5] }, { shape: [2] }],
    run: (x, weight) => batchNorm(x!, null, null, weight!, null, { training: true }),
    reference: (x, weight) => scaled(normalized(x!, channel, 1e-5), weight),
    gradientTolerance,
  },
  {
    op: "batchNorm",
    name: "training, far from 0",
    inputs: [{ shape: [8, 3, 9], low: 999, high: 1001 }],
    run: (x) => batchNorm(x!, null, null, { training: true }),
    reference: (x) => normalized(x!, channel, 1e-5),
    tolerance: 2e-4, // x itself is rounded to 6e-5
    gradientTolerance: 3e-3,
  },
  {
    op: "batchNorm",
    name: "empty",
    inputs: [{ shape: [0, 3, 2] }, ...affine(3)],
    run: (x, weight, bias) => batchNorm(x!, null, null, weight!, bias!, { training: true }),
    reference: (x) => x!,
  },
];

const layerShapes: readonly (readonly [shape: readonly number[], last: readonly number[]])[] = [
  ...([
    [[3, 5], [5]],
    [[2, 3, 4], [4]],
    [
      [2, 3, 4],
      [3, 4],
    ],
    [[3, 17], [17]],
    [[40, 6], [6]],
    [[7], [7]],
  ] as const),
  ...([
    [[2, 33], [33]],
    [[0, 4], [4]],
    [[3, 1], [1]],
  ] as const),
];
/** Groups are the rows of the last axes. */
const rowsOf = (shape: readonly number[], last: readonly number[]) => (index: readonly number[]) =>
  position(shape.slice(0, -last.length), index.slice(0, -last.length));

const layerRows: Row[] = layerShapes.flatMap(([shape, last]): Row[] => [
  {
    op: "layerNorm",
    inputs: [{ shape }, { shape: last, low: 0.5, high: 1.5 }, { shape: last }],
    run: (x, weight, bias) => layerNorm(x!, last, weight!, bias!),
    reference: (x, weight, bias) =>
      zipAll([normalized(x!, rowsOf(shape, last), 1e-5), weight!, bias!], (y, w, b) => y * w + b),
    gradientTolerance,
  },
  {
    op: "layerNorm",
    name: "no weight",
    inputs: [{ shape }],
    run: (x) => layerNorm(x!, last.length === 1 ? last[0]! : last, { eps: 0.2 }),
    reference: (x) => normalized(x!, rowsOf(shape, last), 0.2),
  },
  {
    op: "rmsNorm",
    inputs: [{ shape }, { shape: last, low: 0.5, high: 1.5 }],
    run: (x, weight) => rmsNorm(x!, last, weight!, { eps: 1e-3 }),
    reference: (x, weight) =>
      zip(normalized(x!, rowsOf(shape, last), 1e-3, undefined, false), weight!, (y, w) => y * w),
    gradientTolerance,
  },
]);

const groupShapes: readonly (readonly [shape: readonly number[], groups: number])[] = [
  ...([
    [[2, 4, 5], 2],
    [[3, 6], 2],
    [[2, 6, 2, 3], 3],
    [[1, 5, 17], 1],
    [[2, 3, 4], 3],
    [[9, 8], 1],
  ] as const),
  ...([
    [[0, 4, 2], 2],
    [[2, 12], 3],
  ] as const),
];
const groupRows: Row[] = groupShapes.flatMap(([shape, groups]): Row[] => {
  const groupOf = (index: readonly number[]) => index[0]! * groups + Math.floor((index[1]! * groups) / shape[1]!);
  return [
    {
      op: "groupNorm",
      inputs: [{ shape }, ...affine(shape[1]!)],
      run: (x, weight, bias) => groupNorm(x!, groups, weight!, bias!),
      reference: (x, weight, bias) => scaled(normalized(x!, groupOf, 1e-5), weight, bias),
      gradientTolerance,
    },
    {
      op: "groupNorm",
      name: "no weight",
      inputs: [{ shape }, { shape: [shape[1]!] }],
      run: (x, bias) => groupNorm(x!, groups, { bias: bias!, eps: 0.1 }),
      reference: (x, bias) => scaled(normalized(x!, groupOf, 0.1), undefined, bias),
    },
  ];
});

const instanceOf = (shape: readonly number[]) => (index: readonly number[]) => position(shape, index.slice(0, 2));
const instanceRows: Row[] = [
  [2, 3, 5],
  [3, 2, 2, 4],
  [1, 4, 18],
].flatMap((shape): Row[] => [
  {
    op: "instanceNorm",
    inputs: [{ shape }, ...affine(shape[1]!)],
    run: (x, weight, bias) => instanceNorm(x!, { weight: weight!, bias: bias! }),
    reference: (x, weight, bias) => scaled(normalized(x!, instanceOf(shape.slice(0, 2)), 1e-5), weight, bias),
    gradientTolerance,
  },
  {
    op: "instanceNorm",
    name: "given statistics",
    inputs: [{ shape }, ...running(shape[1]!)],
    run: (x, mean, variance) => instanceNorm(x!, { runningMean: mean!, runningVar: variance!, useInputStats: false }),
    reference: (x, mean, variance) => normalized(x!, channel, 1e-5, { mean: mean!, variance: variance! }),
  },
]);

/** (Σ|x|ᵖ)^(1/p), with its limits for p = ±∞ and 0. */
const size = (values: ArrayLike<number>, p: number): number => {
  const sizes = Array.from(values, Math.abs);
  if (p === Number.POSITIVE_INFINITY) return Math.max(...sizes);
  if (p === Number.NEGATIVE_INFINITY) return Math.min(...sizes);
  return p === 0 ? sizes.filter((v) => v !== 0).length : total(sizes.map((v) => v ** p)) ** (1 / p);
};
const orders = [undefined, 1, 2, 3, 0.5, 2.5, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const away: Partial<Input> = { avoid: [0], margin: 0.2 };
const magnitudeRows: Row[] = [
  ...orders.flatMap((p): Row[] => [
    {
      op: "norm",
      name: `p ${p}`,
      inputs: [{ shape: [3, 4, 2], distinct: true, low: 0.2, high: 2, margin: 0.01 }],
      run: (x) => norm(x!, p === undefined ? {} : { p }),
      reference: (x) => reduce(x!, undefined, false, (v) => size(v, p ?? 2)),
    },
    {
      op: "norm",
      name: `p ${p}, axes`,
      inputs: [{ shape: [3, 4, 2], ...away }],
      run: (x) => norm(x!, [0, -1], p === undefined ? { keepdim: true } : { p, keepdim: true }),
      reference: (x) => reduce(x!, [0, 2], true, (v) => size(v, p ?? 2)),
    },
  ]),
  {
    op: "norm",
    name: "p 0",
    inputs: [{ shape: [2, 3], values: [0, 1, -2, 0, 0, 3] }],
    run: (x) => norm(x!, { p: 0, dim: 1 }),
    reference: (x) => reduce(x!, 1, false, (v) => size(v, 0)),
    gradient: "none",
  },
  {
    op: "norm",
    name: "no elements",
    inputs: [{ shape: [2, 0] }],
    run: (x) => norm(x!, 1),
    reference: () => make([2], [0, 0]),
  },
  ...[undefined, 1, 3, Number.POSITIVE_INFINITY].map(
    (p): Row => ({
      op: "normalize",
      name: `p ${p}`,
      inputs: [{ shape: [3, 4, 2], ...away }],
      run: (x) => normalize(x!, p === undefined ? {} : { p }),
      reference: (x) =>
        zip(
          x!,
          reduce(x!, 1, true, (v) => size(v, p ?? 2)),
          (a, b) => a / b,
        ),
    }),
  ),
  {
    op: "normalize",
    name: "shorter than eps",
    inputs: [{ shape: [2, 3], low: -0.1, high: 0.1 }],
    run: (x) => normalize(x!, { dim: -1, eps: 0.5 }),
    reference: (x) => map(x!, (v) => v / 0.5),
  },
  {
    op: "normalize",
    name: "zero",
    inputs: [{ shape: [1, 3], values: [0, 0, 0] }],
    run: (x) => normalize(x!, { eps: 0.5 }),
    reference: (x) => map(x!, (v) => v / 0.5),
  },
  ...(
    [
      [[3, 4], [3, 4], 1],
      [[3, 4], [4], -1],
      [[2, 1, 3], [5, 3], -1],
      [[2, 3, 4], [2, 3, 4], 0],
    ] as const
  ).map(
    ([a, b, dim]): Row => ({
      op: "cosineSimilarity",
      name: `dim ${dim}`,
      inputs: [
        { shape: a, ...away },
        { shape: b, ...away },
      ],
      run: (x, y) => (dim === 1 ? cosineSimilarity(x!, y!) : cosineSimilarity(x!, y!, dim)),
      reference: (x, y) => {
        const products = sum(
          zip(x!, y!, (p, q) => p * q),
          dim,
        );
        const sizes = zip(
          reduce(broadcastTo(x!, broadcastShape(a, b)), dim, false, (v) => size(v, 2)),
          reduce(broadcastTo(y!, broadcastShape(a, b)), dim, false, (v) => size(v, 2)),
          (p, q) => p * q,
        );
        return zip(products, sizes, (p, q) => p / q);
      },
    }),
  ),
  ...(
    [
      [2, 5, 3],
      [1, 4, 2, 2],
      [2, 1, 3],
    ] as const
  ).flatMap((shape) =>
    [1, 2, 3, 5].map(
      (channels): Row => ({
        op: "localResponseNorm",
        name: `size ${channels}`,
        inputs: [{ shape }],
        run: (x) => localResponseNorm(x!, channels, { alpha: 0.5, beta: 0.6, k: 1.5 }),
        reference: (x) =>
          generate(shape, (index) => {
            let squares = 0;
            for (let i = 0; i < channels; i++) {
              const c = index[1]! - Math.floor(channels / 2) + i;
              squares += at(x!, [index[0]!, c, ...index.slice(2)], 0) ** 2;
            }
            return at(x!, index) / (1.5 + (0.5 * squares) / channels) ** 0.6;
          }),
      }),
    ),
  ),
];

export const rows: readonly Row[] = [
  ...batchRows,
  ...ungiven,
  ...layerRows,
  ...groupRows,
  ...instanceRows,
  ...magnitudeRows,
];
