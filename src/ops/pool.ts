// Pooling: the largest element or the average of windows.
import { checkInteger, checkOptions, rangeError } from "../error.js";
import type { Tensor } from "../tensor/index.js";
import { adaptiveAxes, adaptiveVisits, averageAlong, evenAverage, pickLargest, poolAxes, visits } from "./pooling.js";
import { mean } from "./reduce.js";
import type { PerAxis } from "./spatial.js";

/** Options of `maxPool1d`, `maxPool2d`. */
export interface MaxPoolOptions {
  /** Distance between windows; default the kernel's size. */
  readonly stride?: PerAxis;
  /** Border on both sides of each axis, which never wins; at most half the kernel; default 0. */
  readonly padding?: PerAxis;
  /** Distance between the elements of a window; default 1. */
  readonly dilation?: PerAxis;
  /** Also take windows that reach beyond the border, as long as they begin before it; default false. */
  readonly ceilMode?: boolean;
  /** Give `[values, indices]`; indices are positions in the plane of the channel, i32; default false. */
  readonly returnIndices?: boolean;
}

/** Options of `avgPool1d`, `avgPool2d`. */
export interface AvgPoolOptions {
  /** Distance between windows; default the kernel's size. */
  readonly stride?: PerAxis;
  /** Zeros on both sides of each axis; at most half the kernel; default 0. */
  readonly padding?: PerAxis;
  /** Also take windows that reach beyond the border, as long as they begin before it; default false. */
  readonly ceilMode?: boolean;
  /** Count the zeros of the border in the average; default true. */
  readonly countIncludePad?: boolean;
  /** `avgPool2d` only: divide by this instead of the number of elements. */
  readonly divisorOverride?: number;
}

function maxPool(op: string, n: number, x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions) {
  checkOptions(op, options, ["stride", "padding", "dilation", "ceilMode", "returnIndices"]);
  return pickLargest(op, x, poolAxes(op, x, n, kernelSize, options), visits, options.returnIndices ?? false);
}

/**
 * The largest element of each window: `[batch, channels, length] -> [batch, channels, length']`. NaN wins; of equal
 * elements the first gets the gradient. PyTorch: `torch.nn.functional.max_pool1d`.
 *
 * @param x may have no batch axis.
 * @returns the values, or `[values, indices]`.
 * @throws RangeError when no window fits.
 */
export function maxPool1d(
  x: Tensor,
  kernelSize: PerAxis,
  options: MaxPoolOptions & { readonly returnIndices: true },
): [Tensor, Tensor];
export function maxPool1d(x: Tensor, kernelSize: PerAxis, options?: MaxPoolOptions): Tensor;
export function maxPool1d(x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions = {}): Tensor | [Tensor, Tensor] {
  return maxPool("maxPool1d", 1, x, kernelSize, options);
}

/**
 * The largest element of each window: `[batch, channels, height, width] -> [batch, channels, height', width']`, with
 * size' = ⌊(size + 2 padding − dilation (kernel − 1) − 1) / stride⌋ + 1. NaN wins; of equal elements the first gets the
 * gradient. PyTorch: `torch.nn.functional.max_pool2d`.
 *
 * @param x may have no batch axis.
 * @returns the values, or `[values, indices]`.
 * @throws RangeError when no window fits.
 * @example
 * import { maxPool2d, tensor } from "gradine";
 * console.log(maxPool2d(tensor([[[1, 2, 5], [4, 3, 6]]]), 2, { stride: 1 }).toArray()); // [[[4, 6]]]
 */
export function maxPool2d(
  x: Tensor,
  kernelSize: PerAxis,
  options: MaxPoolOptions & { readonly returnIndices: true },
): [Tensor, Tensor];
export function maxPool2d(x: Tensor, kernelSize: PerAxis, options?: MaxPoolOptions): Tensor;
export function maxPool2d(x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions = {}): Tensor | [Tensor, Tensor] {
  return maxPool("maxPool2d", 2, x, kernelSize, options);
}

function avgPool(op: string, n: number, x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions): Tensor {
  const { countIncludePad = true, divisorOverride, ceilMode, stride, padding } = options;
  const own = n === 2 ? ["divisorOverride"] : [];
  checkOptions(op, options, ["stride", "padding", "ceilMode", "countIncludePad", ...own]);
  if (divisorOverride !== undefined && checkInteger(op, "divisorOverride", divisorOverride) === 0) {
    throw rangeError(op, "divisorOverride must not be 0");
  }
  const axes = poolAxes(op, x, n, kernelSize, { stride, padding, ceilMode });
  // Elements that a window counts, of the border or not; beyond the border never.
  const counts = axes.map((a) =>
    Array.from({ length: a.out }, (_, j) =>
      countIncludePad
        ? Math.min(j * a.stride - a.padding + a.kernel, a.size + a.padding) - (j * a.stride - a.padding)
        : visits(a, j).length,
    ),
  );
  if (divisorOverride !== undefined) return evenAverage(op, x, axes, divisorOverride);
  if (counts.every((list, i) => list.every((count) => count === axes[i]!.kernel))) {
    return evenAverage(
      op,
      x,
      axes,
      axes.reduce((size, a) => size * a.kernel, 1),
    );
  }
  return averageAlong(op, x, axes, visits, counts);
}

/**
 * The average of each window: `[batch, channels, length] -> [batch, channels, length']`.
 * PyTorch: `torch.nn.functional.avg_pool1d`.
 *
 * @param x may have no batch axis.
 * @throws RangeError when no window fits.
 */
export function avgPool1d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = {}): Tensor {
  return avgPool("avgPool1d", 1, x, kernelSize, options);
}

/**
 * The average of each window: `[batch, channels, height, width] -> [batch, channels, height', width']`.
 * PyTorch: `torch.nn.functional.avg_pool2d`.
 *
 * @param x may have no batch axis.
 * @throws RangeError when no window fits.
 * @example
 * import { avgPool2d, tensor } from "gradine";
 * console.log(avgPool2d(tensor([[[1, 2], [3, 6]]]), 2).toArray()); // [[[3]]]
 */
export function avgPool2d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = {}): Tensor {
  return avgPool("avgPool2d", 2, x, kernelSize, options);
}

/** An output size for all axes, or one an axis; null keeps an axis as it is. */
export type OutputSize = number | null | readonly (number | null | undefined)[];

function adaptiveAvgPool(op: string, n: number, x: Tensor, outputSize: OutputSize): Tensor {
  const axes = adaptiveAxes(op, x, n, outputSize);
  if (axes.every((a) => a.out === 1)) return mean(x, { dim: axes.map((_, i) => i - n), keepdim: true });
  if (axes.every((a) => Number.isInteger(a.kernel))) {
    return evenAverage(
      op,
      x,
      axes,
      axes.reduce((size, a) => size * a.kernel, 1),
    );
  }
  const counts = axes.map((a) => Array.from({ length: a.out }, (_, j) => adaptiveVisits(a, j).length));
  return averageAlong(op, x, axes, adaptiveVisits, counts);
}

function adaptiveMaxPool(op: string, n: number, x: Tensor, outputSize: OutputSize, options: AdaptiveMaxPoolOptions) {
  checkOptions(op, options, ["returnIndices"]);
  return pickLargest(op, x, adaptiveAxes(op, x, n, outputSize), adaptiveVisits, options.returnIndices ?? false);
}

/**
 * Averages of `outputSize` windows that cover the axis: `[batch, channels, length] -> [batch, channels, outputSize]`.
 * PyTorch: `torch.nn.functional.adaptive_avg_pool1d`.
 *
 * @param outputSize windows; null keeps the length.
 * @throws RangeError for a bad size.
 */
export function adaptiveAvgPool1d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveAvgPool("adaptiveAvgPool1d", 1, x, outputSize);
}

/**
 * Averages of windows that cover each axis: `[batch, channels, height, width] -> [batch, channels, …outputSize]`; window j
 * goes from ⌊j · size / out⌋ to ⌈(j + 1) · size / out⌉. 1 is the average of a whole plane.
 * PyTorch: `torch.nn.functional.adaptive_avg_pool2d`.
 *
 * @param outputSize one size or two; null keeps an axis.
 * @throws RangeError for a bad size.
 * @example
 * import { adaptiveAvgPool2d, tensor } from "gradine";
 * console.log(adaptiveAvgPool2d(tensor([[[0, 1, 2], [3, 4, 5]]]), 1).toArray()); // [[[2.5]]]
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveAvgPool("adaptiveAvgPool2d", 2, x, outputSize);
}

/** Options of `adaptiveMaxPool1d`, `adaptiveMaxPool2d`. */
export interface AdaptiveMaxPoolOptions {
  /** Give `[values, indices]`; default false. */
  readonly returnIndices?: boolean;
}

/**
 * The largest of `outputSize` windows that cover the axis. PyTorch: `torch.nn.functional.adaptive_max_pool1d`.
 *
 * @param outputSize windows; null keeps the length.
 * @returns the values, or `[values, indices]`.
 * @throws RangeError for a bad size.
 */
export function adaptiveMaxPool1d(
  x: Tensor,
  outputSize: OutputSize,
  options: AdaptiveMaxPoolOptions & { readonly returnIndices: true },
): [Tensor, Tensor];
export function adaptiveMaxPool1d(x: Tensor, outputSize: OutputSize, options?: AdaptiveMaxPoolOptions): Tensor;
export function adaptiveMaxPool1d(
  x: Tensor,
  outputSize: OutputSize,
  options: AdaptiveMaxPoolOptions = {},
): Tensor | [Tensor, Tensor] {
  return adaptiveMaxPool("adaptiveMaxPool1d", 1, x, outputSize, options);
}

/**
 * The largest elements of windows that cover each axis, as `adaptiveAvgPool2d` divides them.
 * PyTorch: `torch.nn.functional.adaptive_max_pool2d`.
 *
 * @param outputSize one size or two; null keeps an axis.
 * @returns the values, or `[values, indices]`.
 * @throws RangeError for a bad size.
 */
export function adaptiveMaxPool2d(
  x: Tensor,
  outputSize: OutputSize,
  options: AdaptiveMaxPoolOptions & { readonly returnIndices: true },
): [Tensor, Tensor];
export function adaptiveMaxPool2d(x: Tensor, outputSize: OutputSize, options?: AdaptiveMaxPoolOptions): Tensor;
export function adaptiveMaxPool2d(
  x: Tensor,
  outputSize: OutputSize,
  options: AdaptiveMaxPoolOptions = {},
): Tensor | [Tensor, Tensor] {
  return adaptiveMaxPool("adaptiveMaxPool2d", 2, x, outputSize, options);
}
