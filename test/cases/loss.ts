// Rows of the losses.
import { type CrossEntropyOptions, crossEntropy, mseLoss, type Reduction } from "../../src/index.js";
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
function crossEntropyReference(x: ref.Ref, target: ref.Ref, options: CrossEntropyOptions): ref.Ref {
  const axis = x.shape.length === 1 ? 0 : 1;
  const ignored = options.ignoreIndex ?? -100;
  const shares = ref.logSoftmax(x, axis);
  let counted = 0;
  const losses = ref.generate(target.shape, (index) => {
    const label = ref.at(target, index);
    if (label === ignored) return 0;
    counted++;
    return -ref.at(shares, [...index.slice(0, axis), label, ...index.slice(axis)]);
  });
  return reduced(losses, options.reduction ?? "mean", counted);
}

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
  ce("large logits", { shape: [4, 3], low: -1e3, high: 1e3 }, {}, { reduction: "sum" }, { eps: 1e-2 }),
];
