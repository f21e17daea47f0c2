// Rows of the losses of classes, and of the mean squared error.
import {
  type CrossEntropyOptions,
  crossEntropy,
  type MultiMarginOptions,
  mseLoss,
  multiMarginLoss,
  nllLoss,
  type Reduction,
} from "../../src/index.js";
import * as ref from "../reference.js";
import type { Input, Row } from "./case.js";

const reduced = (losses: ref.Ref, reduction: Reduction, counted = losses.data.length): ref.Ref =>
  reduction === "none" ? losses : ref.scalar(ref.total(losses.data) / (reduction === "mean" ? counted : 1));

const mse = (shape: readonly number[], reduction?: Reduction): Row => ({
  op: "mseLoss",
  name: reduction ?? "",
  inputs: [{ shape }, { shape }],
  run: (x, target) => (reduction === undefined ? mseLoss(x!, target!) : mseLoss(x!, target!, { reduction })),
  reference: (x, target) =>
    reduced(
      ref.zip(x!, target!, (a, b) => (a - b) ** 2),
      reduction ?? "mean",
    ),
});

/** Textbook form: each row's −log of its class's share, from probabilities; rows to be ignored count for nothing. */
function crossEntropyReference(
  x: ref.Ref,
  target: ref.Ref,
  options: CrossEntropyOptions,
  weight?: ref.Ref,
  shares = ref.logSoftmax(x, x.shape.length === 1 ? 0 : 1),
): ref.Ref {
  const axis = x.shape.length === 1 ? 0 : 1;
  const classes = x.shape[axis]!;
  const ignored = options.ignoreIndex ?? -100;
  const smoothing = options.labelSmoothing ?? 0;
  const weightOf = (label: number) => weight?.data[label] ?? 1;
  let counted = 0;
  const losses = ref.generate(target.shape, (index) => {
    const label = ref.at(target, index);
    if (label === ignored) return 0;
    counted += weightOf(label);
    const loss = (c: number) => -weightOf(c) * ref.at(shares, [...index.slice(0, axis), c, ...index.slice(axis)]);
    let even = 0;
    if (smoothing > 0) for (let c = 0; c < classes; c++) even += loss(c) / classes;
    return (1 - smoothing) * loss(label) + smoothing * even;
  });
  return reduced(losses, options.reduction ?? "mean", counted);
}

/** nllLoss and crossEntropy with weights of the classes, label smoothing. */
const weighted = (
  op: "nllLoss" | "crossEntropy",
  name: string,
  shape: readonly number[],
  options: CrossEntropyOptions = {},
  target: Partial<Input> = {},
  withWeight = true,
): Row => {
  const axis = shape.length === 1 ? 0 : 1;
  const labels: Input = {
    shape: shape.filter((_, i) => i !== axis),
    dtype: "i32",
    high: shape[axis]!,
    ...target,
  };
  const call = (op === "nllLoss" ? nllLoss : crossEntropy) as typeof crossEntropy;
  return {
    op,
    name,
    inputs: [{ shape }, labels, ...(withWeight ? [{ shape: [shape[axis]!], low: 0.2, high: 2 }] : [])],
    run: (x, t, w) => (w ? call(x!, t!, w, options) : call(x!, t!, options)),
    reference: (x, t, w) =>
      op === "nllLoss" ? crossEntropyReference(x!, t!, options, w, x!) : crossEntropyReference(x!, t!, options, w),
  };
};

/** Probabilities as targets. */
const soft = (name: string, shape: readonly number[], options: CrossEntropyOptions, withWeight: boolean): Row => {
  const axis = shape.length === 1 ? 0 : 1;
  return {
    op: "crossEntropy",
    name: `probabilities, ${name}`,
    inputs: [
      { shape },
      { shape, low: 0, high: 1 },
      ...(withWeight ? [{ shape: [shape[axis]!], low: 0.2, high: 2 }] : []),
    ],
    run: (x, t, weight) => crossEntropy(x!, t!, weight ? { ...options, weight } : options),
    reference: (x, t, weight) => {
      const smoothing = options.labelSmoothing ?? 0;
      const shares = ref.logSoftmax(x!, axis);
      const terms = ref.generate(shape, (index) => {
        const target = (1 - smoothing) * ref.at(t!, index) + smoothing / shape[axis]!;
        return -target * ref.at(shares, index) * (weight?.data[index[axis]!] ?? 1);
      });
      return reduced(ref.sum(terms, axis), options.reduction ?? "mean");
    },
  };
};

const margins = (
  name: string,
  shape: readonly number[],
  options: MultiMarginOptions = {},
  withWeight = false,
  target: Partial<Input> = {},
): Row => {
  const classes = shape[shape.length - 1]!;
  return {
    op: "multiMarginLoss",
    name,
    inputs: [
      { shape, distinct: true, low: -4, high: 4.03, margin: 0.02 },
      { shape: shape.slice(0, -1), dtype: "i32", high: classes, ...target },
      ...(withWeight ? [{ shape: [classes], low: 0.2, high: 2 }] : []),
    ],
    run: (x, t, weight) => multiMarginLoss(x!, t!, weight ? { ...options, weight } : options),
    reference: (x, t, weight) => {
      const losses = ref.make(shape.slice(0, -1), (i) => {
        const label = t!.data[i]!;
        let loss = 0;
        for (let c = 0; c < classes; c++) {
          const excess = (options.margin ?? 1) - x!.data[i * classes + label]! + x!.data[i * classes + c]!;
          if (c !== label && excess > 0) loss += excess ** (options.p ?? 1);
        }
        return (loss * (weight?.data[label] ?? 1)) / (options.divideByClasses === false ? 1 : classes);
      });
      return reduced(losses, options.reduction ?? "mean");
    },
  };
};

function ce(
  name: string,
  x: Input | readonly number[],
  target: Partial<Input> = {},
  options: CrossEntropyOptions = {},
  more: Partial<Row> = {},
): Row {
  const input: Input = "shape" in x ? x : { shape: x };
  const axis = input.shape.length === 1 ? 0 : 1;
  const labels: Input = {
    shape: input.shape.filter((_, i) => i !== axis),
    dtype: "i32",
    high: input.shape[axis]!,
    ...target,
  };
  return {
    op: "crossEntropy",
    name,
    inputs: [input, labels],
    run: (x, target) => crossEntropy(x!, target!, options),
    reference: (x, target) => crossEntropyReference(x!, target!, options),
    ...more,
  };
}

export const rows: readonly Row[] = [
  mse([3, 5]),
  mse([3, 5], "mean"),
  mse([3, 5], "sum"),
  mse([3, 5], "none"),
  mse([], "sum"),
  mse([17]),
  mse([0, 3], "sum"),

  ce("", [6, 5]),
  ce("sum", [6, 5], {}, { reduction: "sum" }),
  ce("none", [6, 5], {}, { reduction: "none" }),
  ...[1, 2, 3, 4, 7, 8, 9, 17, 33].map((classes) => ce(`${classes} classes`, [3, classes])),
  ce("labels as f32", [4, 3], { dtype: "f32", values: [0, 2, 1, 2], constant: true }),
  ce("ignored rows", [5, 4], { values: [0, -100, 3, -100, 1] }),
  ce("ignored rows, sum", [4, 3], { values: [1, 1, 0, 2] }, { ignoreIndex: 1, reduction: "sum" }),
  ce("ignored rows, none", [4, 3], { values: [1, 2, 0, 2] }, { ignoreIndex: 2, reduction: "none" }),
  ce(
    "ignored rows, labels as f32",
    [3, 3],
    { dtype: "f32", values: [0, 255, 1], constant: true },
    { ignoreIndex: 255 },
  ),
  ce(
    "all rows ignored: NaN",
    [2, 3],
    { values: [-100, -100] },
    {},
    { gradient: "none", reason: "the mean of none is NaN" },
  ),
  ce("one row without a batch", [4], { values: [2] }),
  ce("one row without a batch, none", [4], { values: [1] }, { reduction: "none" }),
  ce("an axis after the classes", [2, 3, 5]),
  ce("two axes after the classes, none", [2, 3, 2, 4], {}, { reduction: "none" }),
  ce("two axes after the classes, ignored", [2, 3, 1, 2], { values: [0, 9, 2, 9] }, { ignoreIndex: 9 }),
  ce("no rows, sum", [0, 3], {}, { reduction: "sum" }),
  weighted("crossEntropy", "weight", [6, 4]),
  weighted("crossEntropy", "weight, sum", [6, 4], { reduction: "sum" }),
  weighted("crossEntropy", "weight, none, an axis after", [3, 4, 2], { reduction: "none" }),
  weighted("crossEntropy", "weight, ignored rows", [4, 3], { ignoreIndex: 1 }, { values: [0, 1, 2, 1] }),
  weighted("crossEntropy", "label smoothing", [5, 4], { labelSmoothing: 0.2 }, {}, false),
  weighted("crossEntropy", "label smoothing, sum", [2, 4, 3], { labelSmoothing: 1, reduction: "sum" }, {}, false),
  weighted("crossEntropy", "label smoothing, none", [4], { labelSmoothing: 0.3, reduction: "none" }, {}, false),
  weighted(
    "crossEntropy",
    "label smoothing, ignored rows",
    [4, 3],
    { labelSmoothing: 0.1 },
    { values: [-100, 1, 2, -100] },
    false,
  ),
  ...(["mean", "sum", "none"] as const).map((reduction) =>
    weighted(
      "crossEntropy",
      `label smoothing, weight, ignored rows, ${reduction}`,
      [4, 3],
      { labelSmoothing: 0.1, ignoreIndex: 0, reduction },
      { values: [0, 1, 2, 0] },
    ),
  ),
  soft("", [5, 3], {}, false),
  soft("sum", [5, 3], { reduction: "sum" }, true),
  soft("none, axes after the classes", [2, 3, 2, 2], { reduction: "none" }, true),
  soft("label smoothing", [4, 3, 2], { labelSmoothing: 0.3 }, true),
  soft("one row", [4], { labelSmoothing: 0.3 }, false),
  weighted("nllLoss", "", [6, 4], {}, {}, false),
  weighted("nllLoss", "weight", [6, 4]),
  weighted("nllLoss", "weight, sum", [2, 4, 3], { reduction: "sum" }),
  weighted("nllLoss", "weight, none", [2, 4, 3], { reduction: "none" }),
  weighted("nllLoss", "one row", [5]),
  weighted(
    "nllLoss",
    "labels as f32, ignored",
    [3, 3],
    { ignoreIndex: 7 },
    {
      dtype: "f32",
      values: [7, 2, 0],
      constant: true,
    },
  ),
  margins("", [4, 5]),
  margins("weight, sum", [4, 5], { reduction: "sum", margin: 2.5 }, true),
  margins("squares, none", [4, 5], { p: 2, reduction: "none" }, true),
  margins("not divided by the classes", [4, 5], { divideByClasses: false }),
  margins("one row", [6], { p: 2 }),
  margins("labels as f32", [3, 4], {}, false, { dtype: "f32", values: [3, 0, 1], constant: true }),

  ce("large logits", { shape: [4, 3], low: -1e3, high: 1e3 }, {}, { reduction: "sum" }, { eps: 1e-2 }),
];
