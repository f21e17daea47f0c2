// Reductions over any axes.
import { checkOptions, rangeError, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { aroundAxis, checkAxes, checkAxis, numelOf, reducedShape, type Shape } from "../shape.js";
import { composed, record, unrecorded } from "../tape/index.js";
import { allocate, ptr, type Tensor, viewOf } from "../tensor/index.js";
import { gatherAlong, scatterAlong } from "./along.js";
import { div, mul } from "./elementwise.js";
import { checkFloat, checkNotEmpty, splitOptions } from "./launch.js";
import { expand, reshape } from "./layout.js";

/** Options of reductions. */
export interface ReduceOptions {
  /** The axis or axes to reduce; default all. */
  readonly dim?: number | readonly number[];
  /** Keep reduced axes with size 1; default false. */
  readonly keepdim?: boolean;
}

/** `dim` in place of options. */
export type Dim = number | readonly number[] | ReduceOptions | undefined;

interface Reduction {
  readonly axes: number[];
  readonly keepdim: boolean;
  /** Shape of the result. */
  readonly shape: readonly number[];
  /** Shape with the reduced axes kept as 1: what broadcasts back to x. */
  readonly kept: readonly number[];
}

/** Reads `(x, dim?, options?)`. */
function reduction(op: string, x: Tensor, dim: Dim, options: ReduceOptions | undefined): Reduction {
  const split = splitOptions(dim, options);
  checkOptions(op, split.options, ["dim", "keepdim"]);
  const axes = checkAxes(op, split.dim as number | readonly number[] | undefined, x.ndim);
  const keepdim = split.options.keepdim ?? false;
  const kept = reducedShape(x.shape, axes, true);
  return { axes, keepdim, kept, shape: keepdim ? kept : reducedShape(x.shape, axes, false) };
}

type ReduceKernel = (x: Tensor, y: Tensor, outer: number, n: number, inner: number, last: boolean) => void;

/**
 * Reduces runs of neighbouring axes one after another, the last first: each is [outer, n, inner] -> [outer, inner]. The
 * order of the sums depends on the shape alone.
 */
function reduceAxes(op: string, x: Tensor, axes: readonly number[], shape: Shape, kernel: ReduceKernel): Tensor {
  let from = x;
  let end = axes.length;
  const sizes = x.shape.slice();
  if (axes.length === 0) {
    ptr(x);
    const y = allocate(shape, "f32", op);
    kernel(x, y, 1, 1, x.numel, true);
    return y;
  }
  while (end > 0) {
    let start = end - 1;
    while (start > 0 && axes[start - 1] === axes[start]! - 1) start--;
    const first = axes[start]!;
    const last = axes[end - 1]!;
    const outer = numelOf(sizes.slice(0, first));
    const n = numelOf(sizes.slice(first, last + 1));
    const inner = numelOf(sizes.slice(last + 1));
    for (let a = first; a <= last; a++) sizes[a] = 1;
    ptr(from);
    const y = allocate(start === 0 ? shape : sizes.slice(), "f32", op);
    kernel(from, y, outer, n, inner, start === 0);
    if (from !== x) from.release(`within ${op}()`);
    from = y;
    end = start;
  }
  return from;
}

/** gy brought back to the shape of x: the gradient of a sum. */
function spread(gy: Tensor, kept: readonly number[], shape: Shape): Tensor {
  return expand(reshape(gy, kept), shape);
}

/**
 * Sum over axes; 0 for no elements. Partial sums of several lanes are combined in float64.
 *
 * @param dim the axis or axes, default all; or the options.
 * @throws RangeError for an axis out of range. PyTorch: `torch.sum`.
 * @example
 * import { sum, tensor } from "gradine";
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(sum(x).item(), sum(x, 0).toArray(), sum(x, { dim: 1, keepdim: true }).shape); // 10 [4, 6] [2, 1]
 */
export function sum(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  checkFloat("sum", "x", x);
  const { axes, shape, kept } = reduction("sum", x, dim, options);
  const y = reduceAxes("sum", x, axes, shape, (from, to, outer, n, inner) =>
    kernels.sum(ptr(from), ptr(to), outer, n, inner, 1),
  );
  return record("sum", y, [[x, (gy) => spread(gy, kept, x.shape)]]);
}

/** Mean over axes; NaN for no elements. PyTorch: `torch.mean`. */
export function mean(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  checkFloat("mean", "x", x);
  const { axes, shape, kept } = reduction("mean", x, dim, options);
  const scale = 1 / axes.reduce((n, axis) => n * x.shape[axis]!, 1);
  const y = reduceAxes("mean", x, axes, shape, (from, to, outer, n, inner, last) =>
    kernels.sum(ptr(from), ptr(to), outer, n, inner, last ? scale : 1),
  );
  return record("mean", y, [[x, (gy) => spread(mul(gy, scale), kept, x.shape)]]);
}

function extreme(op: "amax" | "amin", x: Tensor, dim: Dim, options: ReduceOptions | undefined): Tensor {
  checkFloat(op, "x", x);
  const { axes, shape, kept } = reduction(op, x, dim, options);
  for (const axis of axes) checkNotEmpty(op, x.shape[axis]!, `axis ${axis} of ${show(x.shape)}`);
  const kernel = kernels[op];
  const y = reduceAxes(op, x, axes, shape, (from, to, outer, n, inner) => kernel(ptr(from), ptr(to), outer, n, inner));
  return record(op, y, [[x, (gy) => mul(spread(gy, kept, x.shape), ties(x, y, kept, axes))]], [x, y]);
}

/** For each element 1/(number of elements equal to the extreme) where it is the extreme, else 0: piecewise constant. */
function ties(x: Tensor, y: Tensor, kept: readonly number[], axes: readonly number[]): Tensor {
  const px = ptr(x);
  const spreadY = spread(viewOf(y, y.shape, "ties"), kept, x.shape);
  const mask = allocate(x.shape, "f32", "ties");
  kernels.equalMask(px, ptr(spreadY), ptr(mask), x.numel);
  const count = sum(mask, { dim: axes, keepdim: true });
  return div(mask, count);
}

/** Largest element over axes; equal ones share the gradient; NaN wins. PyTorch: `torch.amax`. */
export function amax(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  return extreme("amax", x, dim, options);
}

/** Smallest element over axes; equal ones share the gradient; NaN wins. PyTorch: `torch.amin`. */
export function amin(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  return extreme("amin", x, dim, options);
}

/** Values along an axis and where they stood. */
export interface ValuesAndIndices {
  readonly values: Tensor;
  /** Positions along the axis; i32. */
  readonly indices: Tensor;
}

function argExtreme(op: "argmax" | "argmin", x: Tensor, dim: unknown, options: ReduceOptions | undefined): Tensor {
  checkFloat(op, "x", x);
  const split = splitOptions(dim, options);
  checkOptions(op, split.options, ["dim", "keepdim"]);
  const whole = split.dim === undefined;
  const axis = whole ? -1 : checkAxis(op, split.dim, x.ndim);
  checkNotEmpty(op, whole ? x.numel : (x.shape[axis] ?? 1), `x ${show(x.shape)}`);
  const [outer, n, inner] = whole ? [1, x.numel, 1] : aroundAxis(x.shape, axis);
  const axes = whole ? x.shape.map((_, i) => i) : x.ndim === 0 ? [] : [axis];
  const from = ptr(x);
  const y = allocate(reducedShape(x.shape, axes, split.options.keepdim ?? false), "i32", op);
  kernels[op](from, ptr(y), outer, n, inner);
  return unrecorded(op, y, [x]);
}

/** Position of the largest element along an axis (default: in the flattened tensor); the first among equals, a NaN before all. i32. PyTorch: `torch.argmax`. */
export function argmax(
  x: Tensor,
  dim?: number | { readonly dim?: number; readonly keepdim?: boolean },
  options?: { readonly keepdim?: boolean },
): Tensor {
  return argExtreme("argmax", x, dim, options);
}

/** Position of the smallest element along an axis; see argmax. PyTorch: `torch.argmin`. */
export function argmin(
  x: Tensor,
  dim?: number | { readonly dim?: number; readonly keepdim?: boolean },
  options?: { readonly keepdim?: boolean },
): Tensor {
  return argExtreme("argmin", x, dim, options);
}

function extremeAlong(op: "max" | "min", x: Tensor, dim: number, keepdim: boolean): ValuesAndIndices {
  const axis = checkAxis(op, dim, x.ndim);
  const indices = argExtreme(op === "max" ? "argmax" : "argmin", x, axis, { keepdim: true });
  const kept = indices.shape;
  const shape = keepdim ? kept : reducedShape(x.shape, [axis], false);
  const values = gatherAlong(x, axis, indices, shape, op);
  record(op, values, [[x, (gy) => scatterAlong(reshape(gy, kept), axis, indices, x.shape)]], [indices]);
  return { values, indices: keepdim ? indices : reshape(indices, shape) };
}

/**
 * Largest element of all (equal ones share the gradient), or along an axis, with its position (which takes the
 * gradient). NaN wins. PyTorch: `torch.max`.
 */
export function max(x: Tensor): Tensor;
export function max(
  x: Tensor,
  dim: number | { readonly dim: number; readonly keepdim?: boolean },
  options?: { readonly keepdim?: boolean },
): ValuesAndIndices;
export function max(x: Tensor, dim?: unknown, options?: { readonly keepdim?: boolean }): Tensor | ValuesAndIndices {
  return maxOrMin("max", x, dim, options);
}

/** Smallest element of all, or along an axis with its position; see max. PyTorch: `torch.min`. */
export function min(x: Tensor): Tensor;
export function min(
  x: Tensor,
  dim: number | { readonly dim: number; readonly keepdim?: boolean },
  options?: { readonly keepdim?: boolean },
): ValuesAndIndices;
export function min(x: Tensor, dim?: unknown, options?: { readonly keepdim?: boolean }): Tensor | ValuesAndIndices {
  return maxOrMin("min", x, dim, options);
}

function maxOrMin(
  op: "max" | "min",
  x: Tensor,
  dim: unknown,
  options: { readonly keepdim?: boolean } | undefined,
): Tensor | ValuesAndIndices {
  checkFloat(op, "x", x);
  const split = splitOptions(dim, options);
  checkOptions(op, split.options, ["dim", "keepdim"]);
  if (split.dim === undefined) return op === "max" ? amax(x) : amin(x);
  const { dim: axis } = split;
  if (typeof axis !== "number")
    throw rangeError(op, `takes one axis: got ${String(axis)}`, `Use a${op}() for several.`);
  return composed(op, [x], () => extremeAlong(op, x, axis, split.options.keepdim ?? false));
}
