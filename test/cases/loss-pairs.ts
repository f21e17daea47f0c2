// Rows of the losses of numbers, probabilities and distances: each formula as its textbook has it.
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  cosineEmbeddingLoss,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  huberLoss,
  klDiv,
  l1Loss,
  poissonNllLoss,
  type Reduction,
  sigmoidFocalLoss,
  smoothL1Loss,
  type Tensor,
  tripletMarginLoss,
} from "../../src/index.js";
import * as ref from "../reference.js";
import type { Input, Row } from "./case.js";

type Reduce = Reduction | "batchmean";
const reduced = (losses: ref.Ref, reduction: Reduce): ref.Ref => {
  if (reduction === "none") return losses;
  const total = ref.total(losses.data);
  if (reduction === "batchmean") return ref.scalar(total / losses.shape[0]!);
  return ref.scalar(reduction === "mean" ? total / losses.data.length : total);
};

/** A loss element by element, with each reduction: `of` gets an element of every input. */
function pointwise(
  op: string,
  name: string,
  inputs: readonly Input[],
  call: (options: { reduction?: Reduction }, ...inputs: Tensor[]) => Tensor,
  of: (...values: number[]) => number,
  natural: Reduction = "mean",
): Row[] {
  return [undefined, "sum" as const, "none" as const, "mean" as const].map((reduction) => ({
    op,
    name: [name, reduction].filter((part) => part).join(", "),
    inputs,
    run: (...tensors) => call(reduction === undefined ? {} : { reduction }, ...tensors),
    reference: (...refs) => reduced(ref.zipAll(refs, of), reduction ?? natural),
  }));
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const shape = [4, 5];
const apart: Input = { shape, low: -3, high: 0 };
const target: Input = { shape, low: 0.6, high: 4, distinct: true, margin: 0.01 };
const probability: Input = { shape, low: 0.2, high: 0.8 };
const logits: Input = { shape, low: -4, high: 4 };

/** Pairs whose distance is far from a kink at 0 and at `kink`. */
const differences = (kink: number): Input[] => [
  { shape: [12], values: [0.3, -0.2, 3, 1, -2, 0.9, 0.1, -0.7, 5, 2.6, 1.1, -1] },
  { shape: [12], values: [0.2, 0.4, 0.1, -2, -1.7, 3, 0.2 + kink / 3, -4, 5.3 + kink, 2.5, 1.4, 7] },
];

const regression: Row[] = [
  ...pointwise(
    "l1Loss",
    "",
    [apart, target],
    (o, x, t) => l1Loss(x!, t!, o),
    (x, t) => Math.abs(x - t),
  ),
  ...[undefined, 0.5].flatMap((beta) =>
    pointwise(
      "smoothL1Loss",
      beta === undefined ? "" : `beta ${beta}`,
      differences(beta ?? 1),
      (o, x, t) => smoothL1Loss(x!, t!, beta === undefined ? o : { ...o, beta }),
      (x, t) => {
        const [d, b] = [Math.abs(x - t), beta ?? 1];
        return d < b ? (0.5 * d * d) / b : d - 0.5 * b;
      },
    ),
  ),
  ...pointwise(
    "smoothL1Loss",
    "beta 0",
    [apart, target],
    (o, x, t) => smoothL1Loss(x!, t!, { ...o, beta: 0 }),
    (x, t) => Math.abs(x - t),
  ),
  ...[undefined, 2].flatMap((delta) =>
    pointwise(
      "huberLoss",
      delta === undefined ? "" : `delta ${delta}`,
      differences(delta ?? 1),
      (o, x, t) => huberLoss(x!, t!, delta === undefined ? o : { ...o, delta }),
      (x, t) => {
        const [e, d] = [Math.abs(x - t), delta ?? 1];
        return e <= d ? 0.5 * e * e : d * (e - 0.5 * d);
      },
    ),
  ),
  ...pointwise(
    "poissonNllLoss",
    "",
    [logits, target],
    (o, x, t) => poissonNllLoss(x!, t!, o),
    (x, t) => Math.exp(x) - t * x,
  ),
  ...pointwise(
    "poissonNllLoss",
    "rates, full",
    [
      { shape, low: 0.2, high: 4 },
      { shape, low: 0, high: 5, avoid: [1] },
    ],
    (o, x, t) => poissonNllLoss(x!, t!, { ...o, logInput: false, full: true, eps: 1e-3 }),
    (x, t) => x - t * Math.log(x + 1e-3) + (t > 1 ? t * Math.log(t) - t + 0.5 * Math.log(2 * Math.PI * t) : 0),
  ),
  ...pointwise(
    "poissonNllLoss",
    "no events, full",
    [logits, { shape, values: new Array<number>(20).fill(0), constant: true }],
    (o, x, t) => poissonNllLoss(x!, t!, { ...o, full: true }),
    (x) => Math.exp(x),
  ),
  ...[shape, [4, 1]].flatMap((size) =>
    pointwise(
      "gaussianNllLoss",
      size === shape ? "" : "one variance a row",
      [apart, target, { shape: size, low: 0.3, high: 2 }],
      (o, x, t, v) => gaussianNllLoss(x!, t!, v!, o),
      (x, t, v) => 0.5 * (Math.log(v) + (x - t) ** 2 / v),
    ),
  ),
  {
    op: "gaussianNllLoss",
    name: "variances without the last axis, full",
    inputs: [apart, target, { shape: [4], low: 0.3, high: 2 }],
    run: (x, t, v) => gaussianNllLoss(x!, t!, v!, { full: true }),
    reference: (x, t, v) =>
      reduced(
        ref.zipAll(
          [x!, t!, ref.reshape(v!, [4, 1])],
          (p, q, w) => 0.5 * (Math.log(2 * Math.PI * w) + (p - q) ** 2 / w),
        ),
        "mean",
      ),
  },
];

const logLoss = (p: number, t: number): number => -(t * Math.log(p) + (1 - t) * Math.log(1 - p));
const yesNo: Row[] = [
  ...pointwise(
    "binaryCrossEntropy",
    "",
    [probability, { ...probability, low: 0, high: 1 }],
    (o, x, t) => binaryCrossEntropy(x!, t!, o),
    logLoss,
  ),
  ...pointwise(
    "binaryCrossEntropy",
    "weight",
    [probability, probability, { shape: [5] }],
    (o, x, t, w) => binaryCrossEntropy(x!, t!, w!, o),
    (x, t, w) => w * logLoss(x, t),
  ),
  {
    op: "binaryCrossEntropy",
    name: "sure and wrong",
    inputs: [
      { shape: [4], values: [0, 1, 0, 1] },
      { shape: [4], values: [0, 1, 1, 0] },
    ],
    run: (x, t) => binaryCrossEntropy(x!, t!, { reduction: "none" }),
    reference: () => ref.make([4], [0, 0, 100, 100]),
    gradient: "none",
    reason: "bounds of the logarithm; elsewhere checked",
  },
  ...pointwise(
    "binaryCrossEntropyWithLogits",
    "",
    [logits, { shape, low: 0, high: 1 }],
    (o, x, t) => binaryCrossEntropyWithLogits(x!, t!, o),
    (x, t) => logLoss(sigmoid(x), t),
  ),
  ...pointwise(
    "binaryCrossEntropyWithLogits",
    "weight, posWeight",
    [logits, { shape, low: 0, high: 1 }, { shape: [4, 1] }, { shape: [5], low: 0.2, high: 3 }],
    (o, x, t, w, posWeight) => binaryCrossEntropyWithLogits(x!, t!, w!, { ...o, posWeight: posWeight! }),
    (x, t, w, p) => -w * (p * t * Math.log(sigmoid(x)) + (1 - t) * Math.log(1 - sigmoid(x))),
  ),
  {
    op: "binaryCrossEntropyWithLogits",
    name: "large logits",
    inputs: [
      { shape: [4], values: [1000, -1000, 90, -90] },
      { shape: [4], values: [0, 1, 1, 0], constant: true },
    ],
    run: (x, t) => binaryCrossEntropyWithLogits(x!, t!, { reduction: "none" }),
    reference: (x, t) =>
      // log(1 + e^−v) for target 1, log(1 + e^v) for 0
      ref.zip(x!, t!, (v, y) => Math.max(0, y === 1 ? -v : v) + Math.log1p(Math.exp(-Math.abs(v)))),
    gradient: "none",
    reason: "the reference overflows in between; elsewhere checked",
  },
  ...[
    [undefined, undefined],
    [0.6, 1.5],
    [-1, 0],
  ].flatMap(([alpha, gamma]) =>
    pointwise(
      "sigmoidFocalLoss",
      alpha === undefined ? "" : `alpha ${alpha}, gamma ${gamma}`,
      [logits, { shape, low: 0, high: 1 }],
      (o, x, t) => sigmoidFocalLoss(x!, t!, alpha === undefined ? o : { ...o, alpha, gamma: gamma! }),
      (x, t) => {
        const p = sigmoid(x);
        const right = p * t + (1 - p) * (1 - t);
        const a = alpha ?? 0.25;
        return (a >= 0 ? a * t + (1 - a) * (1 - t) : 1) * (1 - right) ** (gamma ?? 2) * logLoss(p, t);
      },
      "none",
    ),
  ),
  ...(["f32", "i32"] as const).flatMap((dtype) =>
    pointwise(
      "hingeEmbeddingLoss",
      `target ${dtype}`,
      [
        { shape: [6], avoid: [0.7] },
        { shape: [6], dtype, values: [1, -1, -1, 1, -1, 0], constant: true },
      ],
      (o, x, t) => hingeEmbeddingLoss(x!, t!, { ...o, margin: 0.7 }),
      (x, t) => (t !== -1 ? x : 0) + (t !== 1 ? Math.max(0, 0.7 - x) : 0),
    ),
  ),
  ...pointwise(
    "klDiv",
    "",
    [apart, probability],
    (o, x, t) => klDiv(x!, t!, o),
    (x, t) => t * (Math.log(t) - x),
  ),
  ...pointwise(
    "klDiv",
    "logTarget",
    [apart, apart],
    (o, x, t) => klDiv(x!, t!, { ...o, logTarget: true }),
    (x, t) => Math.exp(t) * (t - x),
  ),
  {
    op: "klDiv",
    name: "batchmean, target 0",
    inputs: [
      { shape: [2, 3], low: -3, high: 0 },
      { shape: [2, 3], values: [0, 0.25, 0.75, 0, 0, 1], constant: true },
    ],
    run: (x, t) => klDiv(x!, t!, { reduction: "batchmean" }),
    reference: (x, t) =>
      reduced(
        ref.zip(x!, t!, (v, p) => (p === 0 ? 0 : p * (Math.log(p) - v))),
        "batchmean",
      ),
  },
];

const vectors = (x: ref.Ref, f: (run: Float64Array, row: number) => number): ref.Ref => {
  const n = x.shape[x.shape.length - 1]!;
  return ref.make(x.shape.slice(0, -1), (i) => f(x.data.subarray(i * n, (i + 1) * n), i));
};
const size = (v: ArrayLike<number>, p: number): number =>
  p === Number.POSITIVE_INFINITY
    ? Math.max(...Array.from(v, Math.abs))
    : ref.total(Array.from(v, (e) => Math.abs(e) ** p)) ** (1 / p);

const cosine = (x: Float64Array, y: Float64Array): number =>
  ref.total(x.map((v, i) => v * y[i]!)) / (size(x, 2) * size(y, 2));
const cosineRow = (
  lead: readonly number[],
  targets: readonly number[],
  reduction: Reduction,
  margin?: number,
): Row => ({
  op: "cosineEmbeddingLoss",
  name: `${reduction}${margin === undefined ? "" : `, margin ${margin}`}`,
  inputs: [{ shape: [...lead, 4] }, { shape: [...lead, 4] }, { shape: lead, dtype: "i32", values: targets }],
  run: (x, y, t) => cosineEmbeddingLoss(x!, y!, t!, margin === undefined ? { reduction } : { reduction, margin }),
  reference: (x, y, t) =>
    reduced(
      vectors(x!, (v, i) => {
        const c = cosine(v, y!.data.subarray(4 * i, 4 * i + 4));
        if (t!.data[i] === 1) return 1 - c;
        return t!.data[i] === -1 ? Math.max(0, c - (margin ?? 0)) : 0;
      }),
      reduction,
    ),
});

interface Triplet {
  readonly p?: number;
  readonly margin?: number;
  readonly swap?: boolean;
  readonly reduction?: Reduction;
}
const tripletRow = (shape: readonly number[], options: Triplet): Row => ({
  op: "tripletMarginLoss",
  name: JSON.stringify(options),
  inputs: [
    { shape, low: 0, high: 1 },
    { shape, low: 1.2, high: 2 },
    { shape, low: -3, high: -0.2 },
  ],
  run: (a, b, c) => tripletMarginLoss(a!, b!, c!, options),
  reference: (a, b, c) => {
    const distance = (x: ref.Ref, y: ref.Ref) =>
      vectors(
        ref.zip(x, y, (p, q) => p - q + 1e-6),
        (v) => size(v, options.p ?? 2),
      );
    let far = distance(a!, c!);
    if (options.swap) far = ref.zip(far, distance(b!, c!), Math.min);
    const losses = ref.zip(distance(a!, b!), far, (near, f) => Math.max(0, near - f + (options.margin ?? 1)));
    return reduced(losses, options.reduction ?? "mean");
  },
});

const distances: Row[] = [
  cosineRow([5], [1, -1, 1, -1, -1], "mean"),
  cosineRow([5], [1, -1, 1, -1, 0], "none", -0.9),
  cosineRow([5], [-1, -1, 1, -1, 1], "sum", 0.1),
  cosineRow([], [1], "mean"),
  tripletRow([4, 5], { margin: 4 }),
  tripletRow([4, 5], { margin: 5, p: 1, reduction: "none" }),
  tripletRow([4, 5], { margin: 3, p: 3.5, reduction: "sum" }),
  tripletRow([2, 3, 4], { margin: 6, swap: true }),
  tripletRow([6], { margin: 4 }),
];

export const rows: readonly Row[] = [...regression, ...yesNo, ...distances];
