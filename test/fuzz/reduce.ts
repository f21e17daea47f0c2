// Steps that reduce or normalize along axes, and losses.
import {
  amax,
  amin,
  crossEntropy,
  logSoftmax,
  max,
  mean,
  mseLoss,
  softmax,
  sum,
  type Tensor,
} from "../../src/index.js";
import * as ref from "../reference.js";
import type { StepGenerator } from "./draw.js";

type Call = (x: Tensor, options: { dim?: number[]; keepdim: boolean }) => Tensor;

/** Over one, several or all axes; `takes` refuses values along them (ties). */
function reduction(
  name: string,
  call: Call,
  fold: (values: Float64Array) => number,
  takes: (values: Float64Array) => boolean = () => true,
): StepGenerator {
  return (d, x) => {
    const rank = x.value.shape.length;
    const dim = rank === 0 || d.chance(0.2) ? undefined : d.axes(rank);
    const keepdim = d.chance(0.4);
    if (ref.reduce(x.value, dim, false, (values) => Number(takes(values))).data.includes(0)) return null;
    const options = dim === undefined ? { keepdim } : { dim, keepdim };
    return {
      text: `${name}($0, ${JSON.stringify(options)})`,
      operands: [{ node: x.node }],
      run: (x) => call(x!, options),
      reference: (x) => ref.reduce(x!, dim, keepdim, fold),
    };
  };
}

/** The largest stands clear of the next. */
const clearMax = (values: Float64Array): boolean => {
  const [first, second] = [...values].sort((a, b) => b - a);
  return second === undefined || first! - second > 0.02;
};
const clearMin = (values: Float64Array): boolean => clearMax(values.map((v) => -v));

const largestAlong: StepGenerator = (d, x) => {
  const rank = x.value.shape.length;
  if (rank === 0) return null;
  const dim = d.axis(rank);
  if (ref.reduce(x.value, dim, false, (values) => Number(clearMax(values))).data.includes(0)) return null;
  return {
    text: `max($0, ${dim}).values`,
    operands: [{ node: x.node }],
    run: (x) => max(x!, dim).values,
    reference: (x) => ref.reduce(x!, dim, false, (values) => Math.max(...values)),
  };
};

function alongAxis(name: string, call: typeof softmax, reference: typeof ref.softmax): StepGenerator {
  return (d, x) => {
    if (x.value.shape.length === 0) return null;
    const dim = d.axis(x.value.shape.length);
    return {
      text: `${name}($0, ${dim})`,
      operands: [{ node: x.node }],
      run: (x) => call(x!, dim),
      reference: (x) => reference(x!, dim),
    };
  };
}

const reductions = ["mean", "sum", "none"] as const;
const reduced = (losses: ref.Ref, how: (typeof reductions)[number]): ref.Ref =>
  how === "none" ? losses : how === "sum" ? ref.sum(losses) : ref.mean(losses);

const squaredError: StepGenerator = (d, x) => {
  const reduction = d.pick(reductions);
  return {
    text: `mseLoss($0, $1, { reduction: "${reduction}" })`,
    operands: [{ node: x.node }, d.like(x.value.shape)],
    run: (x, target) => mseLoss(x!, target!, { reduction }),
    reference: (x, target) =>
      reduced(
        ref.zip(x!, target!, (a, b) => (a - b) ** 2),
        reduction,
      ),
  };
};

const classError: StepGenerator = (d, x) => {
  const { shape } = x.value;
  if (shape.length === 0) return null;
  const axis = shape.length === 1 ? 0 : 1;
  const target = d.indices(
    shape.filter((_, i) => i !== axis),
    shape[axis]!,
  );
  const reduction = d.pick(reductions);
  return {
    text: `crossEntropy($0, [${[...target.leaf.data]}], { reduction: "${reduction}" })`,
    operands: [{ node: x.node }, target],
    run: (x, target) => crossEntropy(x!, target!, { reduction }),
    reference: (x, target) => {
      const shares = ref.logSoftmax(x!, axis);
      const losses = ref.generate(
        target!.shape,
        (i) => -ref.at(shares, [...i.slice(0, axis), ref.at(target!, i), ...i.slice(axis)]),
      );
      return reduced(losses, reduction);
    },
  };
};

export const generators: readonly StepGenerator[] = [
  reduction("sum", sum, ref.total),
  reduction("mean", mean, ref.average),
  reduction("amax", amax, (values) => Math.max(...values), clearMax),
  reduction("amin", amin, (values) => Math.min(...values), clearMin),
  largestAlong,
  alongAxis("softmax", softmax, ref.softmax),
  alongAxis("logSoftmax", logSoftmax, ref.logSoftmax),
  squaredError,
  classError,
];
