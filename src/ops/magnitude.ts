// Norms of vectors, and what divides by them.

import {
  checkInteger,
  checkNumber,
  checkOptions,
  describe,
  rangeError,
  readOptions,
  show,
  typeError,
} from "../error.js";
import { kernels } from "../kernels/index.js";
import { broadcastShapes, checkAxes, checkAxis, resized, stridesOf } from "../shape.js";
import { composed, record } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { pow } from "./arithmetic.js";
import { unary } from "./broadcast.js";
import { add, div, mul, square } from "./elementwise.js";
import { checkFloat, checkNotEmpty, splitOptions } from "./launch.js";
import { type ReduceOptions, sum } from "./reduce.js";
import { clamp } from "./unary.js";
import { vectorNorm } from "./vector-norm.js";
import { putWindow, sliceAxis } from "./window.js";

/** Options of `norm`. */
export interface VectorNormOptions extends ReduceOptions {
  /** Order of the norm; default 2. Infinity and −Infinity too. */
  readonly p?: number;
}

/** Options of `normalize`. */
export interface NormalizeOptions {
  /** Order of the norm; default 2. */
  readonly p?: number;
  /** The axis; default 1. */
  readonly dim?: number;
  /** Lower bound of the norm; default 1e-12. */
  readonly eps?: number;
}

/** Options of `cosineSimilarity`. */
export interface CosineOptions {
  /** The axis of the vectors; default 1. */
  readonly dim?: number;
  /** Lower bound of each vector's norm; default 1e-8. */
  readonly eps?: number;
}

/** Options of `localResponseNorm`. */
export interface LocalResponseOptions {
  /** Default 1e-4. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 1. */
  readonly k?: number;
}

/** An order of a norm: any number but NaN. */
function checkOrder(op: string, p: unknown = 2): number {
  if (typeof p !== "number") throw typeError(op, `p must be a number: got ${describe(p)}`);
  if (Number.isNaN(p)) throw rangeError(op, "p is NaN");
  return p;
}

/**
 * The p-norm over axes, (Σ|x|ᵖ)^(1/p); the largest |x| for p = ∞, the smallest for −∞, the number of elements that are
 * not 0 for p = 0. Its derivative at 0 is 0.
 *
 * @param dim the axis or axes, default all; or the options `dim`, `p`, `keepdim`.
 * @throws RangeError for ±∞ over no elements. PyTorch: `torch.norm`, `torch.linalg.vector_norm`.
 * @example
 * import { norm, tensor } from "gradine";
 * console.log(norm(tensor([3, -4])).item(), norm(tensor([3, -4]), { p: 1 }).item()); // 5 7
 */
export function norm(
  x: Tensor,
  dim?: number | readonly number[] | VectorNormOptions,
  options?: VectorNormOptions,
): Tensor {
  checkFloat("norm", "x", x);
  const split = splitOptions<VectorNormOptions>(dim, options);
  checkOptions("norm", split.options, ["dim", "p", "keepdim"]);
  const axes = checkAxes("norm", split.dim as number | readonly number[] | undefined, x.ndim);
  const p = checkOrder("norm", split.options.p);
  if (p === Number.POSITIVE_INFINITY || p === Number.NEGATIVE_INFINITY) {
    for (const axis of axes) checkNotEmpty("norm", x.shape[axis]!, `axis ${axis} of ${show(x.shape)}`);
  }
  return composed("norm", [x], () => vectorNorm(x, p, { dim: axes, keepdim: split.options.keepdim ?? false }));
}

/**
 * x / max(‖x‖_p, eps) along an axis. `[…]` -> the same shape.
 *
 * @param options `p`, `dim`, `eps`. PyTorch: `torch.nn.functional.normalize`.
 * @example
 * import { normalize, tensor } from "gradine";
 * console.log(normalize(tensor([[3, 4]])).toArray()[0].map((v) => v.toFixed(1))); // ["0.6", "0.8"]
 */
export function normalize(x: Tensor, options: NormalizeOptions = {}): Tensor {
  checkFloat("normalize", "x", x);
  checkOptions("normalize", options, ["p", "dim", "eps"]);
  const p = checkOrder("normalize", options.p);
  const eps = checkNumber("normalize", "eps", options.eps ?? 1e-12, 0);
  const axis = checkAxis("normalize", options.dim ?? 1, x.ndim);
  return composed("normalize", [x], () => div(x, clamp(vectorNorm(x, p, { dim: axis, keepdim: true }), { min: eps })));
}

/**
 * x1·x2 / (max(‖x1‖, eps)·max(‖x2‖, eps)) along an axis; the other axes broadcast.
 *
 * @param options `dim` (also by position), `eps`. PyTorch: `torch.nn.functional.cosine_similarity`.
 */
export function cosineSimilarity(
  x1: Tensor,
  x2: Tensor,
  dim?: number | CosineOptions,
  options?: CosineOptions,
): Tensor {
  const op = "cosineSimilarity";
  checkFloat(op, "x1", x1);
  checkFloat(op, "x2", x2);
  const split = splitOptions<CosineOptions>(dim, options);
  checkOptions(op, split.options, ["dim", "eps"]);
  const eps = checkNumber(op, "eps", split.options.eps ?? 1e-8, 0);
  const shape = broadcastShapes(op, x1.shape, x2.shape);
  // Counted from the end, the axis is the same in an operand with fewer axes.
  const axis = checkAxis(op, split.dim ?? 1, shape.length) - shape.length;
  for (const x of [x1, x2]) {
    if (x.ndim < -axis)
      throw rangeError(op, `shapes ${show(x1.shape)} and ${show(x2.shape)} do not share axis ${axis}`);
  }
  return composed(op, [x1, x2], () => {
    const unit = (x: Tensor) => div(x, bounded(op, vectorNorm(x, 2, { dim: axis, keepdim: true }), eps));
    return sum(mul(unit(x1), unit(x2)), axis);
  });
}

/**
 * max(x, low). Its derivative is x / max(x, low) and not 0 below the bound: so PyTorch has it, whose norm divides by the
 * bounded value in its gradient.
 */
function bounded(op: string, x: Tensor, low: number): Tensor {
  const y = unary(op, kernels.clamp, x, low, Number.POSITIVE_INFINITY);
  return record(op, y, [[x, (gy) => mul(gy, div(x, y))]], [x, y]);
}

/**
 * x / (k + alpha·mean of x² over `size` neighbouring channels)^beta, with zeros beyond the first and last channel
 * (Krizhevsky, Sutskever, Hinton 2012). `[batch, channels, …]` -> the same shape.
 *
 * @param size how many channels: size/2 before (rounded down), the rest from the channel on.
 * @param options `alpha`, `beta`, `k`. PyTorch: `torch.nn.functional.local_response_norm`.
 */
export function localResponseNorm(x: Tensor, size: number, options: LocalResponseOptions = {}): Tensor {
  const op = "localResponseNorm";
  checkFloat(op, "x", x);
  checkInteger(op, "size", size, 1);
  const { alpha, beta, k } = readOptions(op, options, { alpha: [1e-4], beta: [0.75], k: [1] });
  if (x.ndim < 3) throw rangeError(op, `x must be [batch, channels, length, …]: got ${show(x.shape)} (x)`);
  return composed(op, [x], () => {
    const channels = x.shape[1]!;
    const shape = resized(x.shape, 1, channels + size - 1);
    const strides = stridesOf(shape);
    // Zeros around the channels: half of the others before, the odd one behind.
    const window = { start: Math.floor(size / 2) * strides[1]!, shape: x.shape, strides };
    const padded = putWindow(op, square(x), shape, window);
    let total = sliceAxis(padded, 1, 0, channels);
    for (let i = 1; i < size; i++) total = add(total, sliceAxis(padded, 1, i, i + channels));
    const scale = add(mul(total, alpha / size), k);
    return div(x, pow(scale, beta));
  });
}
