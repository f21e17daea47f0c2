// Activations along an axis, and what draws or marks classes: softmin, glu, maxout, Gumbel softmax, one-hot rows, coin tosses.
import { checkInteger, checkOptions, describe, rangeError, readOptions, show, typeError } from "../error.js";
import { kernels, type Ptr } from "../kernels/index.js";
import { offset } from "../memory/index.js";
import { checkAxis } from "../shape.js";
import { composed, record, unrecorded } from "../tape/index.js";
import {
  allocate,
  arange,
  checkDType,
  type DType,
  defaultGenerator,
  Generator,
  ptr,
  type Tensor,
} from "../tensor/index.js";
import { sigmoid } from "./activation.js";
import { binary, zerosOf } from "./broadcast.js";
import { axisOf, checkNumeric } from "./checks.js";
import { checkClass } from "./classes.js";
import { code } from "./codes.js";
import { eq } from "./compare.js";
import { to } from "./convert.js";
import { div, log, mul, neg, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { reshape } from "./layout.js";
import { argmax, max } from "./reduce.js";
import { softmax } from "./softmax.js";
import { sliceAxis } from "./window.js";

/** Softmax of −x along an axis. PyTorch: `F.softmin`. */
export function softmin(x: Tensor, dim: number | { readonly dim: number }): Tensor {
  checkFloat("softmin", "x", x);
  return composed("softmin", [x], () => softmax(neg(x), dim));
}

/** An axis, default the last, that `pieces` divides. */
function dividedAxis(op: string, x: Tensor, dim: unknown, pieces: number): number {
  const axis = axisOf(op, dim, x.ndim, -1);
  if (x.ndim > 0 && x.shape[axis]! % pieces === 0) return axis;
  throw rangeError(op, `the axis must hold a multiple of ${pieces}: axis ${axis} of ${show(x.shape)} (dim)`);
}

/**
 * a · sigmoid(b), where a and b are the halves of x along an axis: `[…, 2n] -> […, n]`.
 *
 * @param dim the axis, default the last. @throws RangeError for an axis of odd size. PyTorch: `F.glu`.
 */
export function glu(x: Tensor, dim?: number | { readonly dim?: number }): Tensor {
  checkFloat("glu", "x", x);
  const axis = dividedAxis("glu", x, dim, 2);
  const size = x.shape[axis]!;
  return composed("glu", [x], () => mul(sliceAxis(x, axis, 0, size / 2), sigmoid(sliceAxis(x, axis, size / 2, size))));
}

/**
 * The largest of each group of `pieces` neighbours along an axis: `[…, n · pieces] -> […, n]` (Goodfellow et al. 2013). The
 * first among equals takes the gradient.
 *
 * @param dim the axis, default the last. @throws RangeError when its size is no multiple of `pieces`.
 */
export function maxout(x: Tensor, pieces: number, dim?: number | { readonly dim?: number }): Tensor {
  checkFloat("maxout", "x", x);
  checkInteger("maxout", "pieces", pieces, 1);
  const axis = dividedAxis("maxout", x, dim, pieces);
  const shape = x.shape.flatMap((n, i) => (i === axis ? [n / pieces, pieces] : [n]));
  return composed("maxout", [x], () => max(reshape(x, shape), axis + 1).values);
}

function generatorOf(op: string, generator: unknown = defaultGenerator): Generator {
  if (generator instanceof Generator) return generator;
  throw typeError(op, `generator must be a Generator: got ${describe(generator)}`);
}

/** Options of `gumbelSoftmax`. */
export interface GumbelSoftmaxOptions {
  /** Temperature; default 1. */
  readonly tau?: number;
  /** Give one-hot rows, whose gradient is that of the soft ones; default false. */
  readonly hard?: boolean;
  /** The axis of the classes; default the last. */
  readonly dim?: number;
  /** Where the noise is drawn from; default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/**
 * A differentiable draw of classes: softmax((logits + g) / tau) with Gumbel noise g = −log(−log u), u uniform (Jang et al.
 * 2017). PyTorch: `F.gumbel_softmax`.
 *
 * @throws RangeError for a temperature that is not positive.
 */
export function gumbelSoftmax(logits: Tensor, options: GumbelSoftmaxOptions = {}): Tensor {
  checkFloat("gumbelSoftmax", "logits", logits);
  const table = { tau: [1, Number.MIN_VALUE], hard: [false], dim: [-1], generator: [] } as const;
  const { tau, hard: isHard, dim, generator: given } = readOptions("gumbelSoftmax", options, table);
  const axis = checkAxis("gumbelSoftmax", dim, logits.ndim);
  const generator = generatorOf("gumbelSoftmax", given);
  ptr(logits);
  return composed("gumbelSoftmax", [logits], () => {
    const u = allocate(logits.shape, "f32", "gumbelSoftmax");
    // From 2^-25 to 1 - 2^-24: both logarithms are finite.
    kernels.uniform(generator.ptr, ptr(u), u.numel, 1 / 33554432, 1);
    const soft = softmax(div(sub(logits, log(neg(log(u)))), tau), axis);
    if (!isHard) return soft;
    const classes = logits.shape[axis] ?? 1;
    const numbers = reshape(
      arange(classes),
      logits.shape.map((_, i) => (i === axis ? classes : 1)),
    );
    const hard = to(eq(argmax(soft, { dim: axis, keepdim: true }), numbers), "f32");
    return record("gumbelSoftmax", hard, [[soft, (gy) => gy]]);
  });
}

/** Throws unless n numbers are within [0, 1]. */
function checkUnit(x: Ptr, n: number): void {
  const bounds = allocate([2], "f32", "bernoulli");
  kernels.amin(x, ptr(bounds), 1, n, 1);
  kernels.amax(x, offset(ptr(bounds), 4), 1, n, 1);
  const [low, high] = bounds.toTypedArray() as ArrayLike<number> as readonly [number, number];
  bounds.release("within bernoulli()");
  if (!(low >= 0 && high <= 1))
    throw rangeError("bernoulli", `probabilities lie from 0 to 1: got ${low} to ${high} (p)`);
}

/** Options of `bernoulli`. */
export interface BernoulliOptions {
  /** Where the numbers are drawn from; default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/**
 * Draws 1 with the probability given by each element, else 0; f32, of the shape of `p`. The gradient is 0.
 *
 * @param p probabilities. @throws RangeError for one outside 0 to 1, or NaN. PyTorch: `torch.bernoulli`.
 */
export function bernoulli(p: Tensor, options: BernoulliOptions = {}): Tensor {
  checkFloat("bernoulli", "p", p);
  checkOptions("bernoulli", options, ["generator"]);
  const generator = generatorOf("bernoulli", options.generator);
  const from = ptr(p);
  if (p.numel > 0) checkUnit(from, p.numel);
  const u = allocate(p.shape, "f32", "bernoulli");
  kernels.uniform(generator.ptr, ptr(u), u.numel, 0, 1);
  const y = binary("bernoulli", code.lt, u, p);
  kernels.intToFloat(ptr(y), ptr(y), y.numel);
  u.release("within bernoulli()");
  return record("bernoulli", y, [[p, (gy) => zerosOf("bernoulli", gy)]]);
}

/** Options of `oneHot`. */
export interface OneHotOptions {
  /** Element type; default "i32". */
  readonly dtype?: DType;
}

/**
 * A row of `numClasses` for each class number, 1 at the class and 0 elsewhere: `[…] -> […, numClasses]`.
 *
 * @param x class numbers, i32 or integer-valued f32.
 * @param numClasses must be given: the shape of a result does not depend on values here.
 * @param options `dtype`, default "i32" as in PyTorch; "f32" for what is computed with.
 * @throws RangeError for a number that is no class, with its position. PyTorch: `F.one_hot`.
 * @example
 * import { oneHot, tensor } from "gradine";
 * console.log(oneHot(tensor([0, 2]), 3).toArray()); // [[1, 0, 0], [0, 0, 1]]
 */
export function oneHot(x: Tensor, numClasses: number, options: OneHotOptions = {}): Tensor {
  checkNumeric("oneHot", "x", x);
  checkInteger("oneHot", "numClasses", numClasses, 1, 2147483647);
  checkOptions("oneHot", options, ["dtype"]);
  const dtype = checkDType("oneHot", options.dtype ?? "i32");
  const from = ptr(x);
  const y = allocate([...x.shape, numClasses], dtype, "oneHot");
  const one = dtype === "f32" ? 0x3f800000 : 1;
  const bad = kernels.oneHot(from, x.dtype === "f32" ? 1 : 0, ptr(y), x.numel, numClasses, one);
  if (bad >= 0) y.release("within oneHot()");
  checkClass("oneHot", bad, x, numClasses, "x");
  return unrecorded("oneHot", y, [x]);
}
