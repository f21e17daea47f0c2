// Reductions over any axes: sum, mean, prod, extremes and where they stand, any, all.
import { checkOptions, describe, show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { aroundAxis, checkAxis, reducedShape, type Shape } from "../shape.js";
import { composed, record, unrecorded } from "../tape/index.js";
import { allocate, checkTensor, type DType, ptr, type Tensor } from "../tensor/index.js";
import { gatherAlong, scatterAlong } from "./along.js";
import { type Dim, type ReduceOptions, reduceAxes, reduction, spread } from "./axes.js";
import { to } from "./convert.js";
import { mul } from "./elementwise.js";
import { checkFloat, checkNotEmpty, splitOptions } from "./launch.js";
import { cat, permute, reshape, slice } from "./layout.js";
import { ties, type ValuesAndIndices } from "./ties.js";

export type { Dim, ReduceOptions } from "./axes.js";
export type { ValuesAndIndices } from "./ties.js";

/** What the scan kernel computes; see assembly/scan.ts. */
const scanOps = { product: 1, intSum: 2, intProduct: 3, intMax: 4, intMin: 5 } as const;

/** Reduces i32 or bool, or multiplies f32; `empty` is the result of no elements. */
function scanAxes(
  op: string,
  x: Tensor,
  axes: readonly number[],
  shape: Shape,
  what: keyof typeof scanOps,
  dtype: DType,
  empty: number,
): Tensor {
  return reduceAxes(
    op,
    x,
    axes,
    shape,
    (from, y, outer, n, inner) => kernels.scan(ptr(from), ptr(y), outer, n, inner, scanOps[what], 0, 1),
    dtype,
    empty,
  );
}

/**
 * Sum over axes; 0 for no elements. f32: partial sums of several lanes are combined in float64. The sum of i32 or bool
 * is i32 and wraps around (PyTorch: int64).
 *
 * @param dim the axis or axes, default all; or the options.
 * @throws RangeError for an axis out of range. PyTorch: `torch.sum`.
 * @example
 * import { sum, tensor } from "gradine";
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(sum(x).item(), sum(x, 0).toArray(), sum(x, { dim: 1, keepdim: true }).shape); // 10 [4, 6] [2, 1]
 */
export function sum(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  checkTensor("sum", "x", x);
  const { axes, shape, kept } = reduction("sum", x, dim, options);
  if (x.dtype !== "f32") return unrecorded("sum", scanAxes("sum", x, axes, shape, "intSum", "i32", 0), [x]);
  const y = reduceAxes("sum", x, axes, shape, (from, to, outer, n, inner) =>
    kernels.sum(ptr(from), ptr(to), outer, n, inner, 1),
  );
  return record("sum", y, [[x, (gy) => spread(gy, kept, x.shape)]]);
}

/** Mean over axes; NaN for no elements. f32 only: integers throw. PyTorch: `torch.mean`. */
export function mean(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  checkFloat("mean", "x", x);
  const { axes, shape, kept, count } = reduction("mean", x, dim, options);
  const scale = 1 / count;
  const y = reduceAxes("mean", x, axes, shape, (from, to, outer, n, inner, last) =>
    kernels.sum(ptr(from), ptr(to), outer, n, inner, last ? scale : 1),
  );
  return record("mean", y, [[x, (gy) => spread(mul(gy, scale), kept, x.shape)]]);
}

/**
 * Product over axes; 1 for no elements. The gradient is right where elements are 0. The product of i32 or bool is i32
 * and wraps around. PyTorch: `torch.prod`.
 */
export function prod(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  checkTensor("prod", "x", x);
  const { axes, shape } = reduction("prod", x, dim, options);
  if (x.dtype !== "f32") return unrecorded("prod", scanAxes("prod", x, axes, shape, "intProduct", "i32", 1), [x]);
  const y = scanAxes("prod", x, axes, shape, "product", "f32", 1);
  return record("prod", y, [[x, (gy) => prodGrad(gy, x, axes)]], [x]);
}

/** Reduced axes go to the front and become one: then a part of them is a view. */
function prodGrad(gy: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  if (x.numel === 0) return mul(x, 0);
  if (x.numel === gy.numel) return reshape(gy, x.shape);
  const order = [...axes, ...x.shape.map((_, i) => i).filter((i) => !axes.includes(i))];
  const shape = order.map((axis) => x.shape[axis]!);
  const factors = reshape(permute(x, order), [x.numel / gy.numel, gy.numel]);
  const gradient = reshape(otherFactors(factors, reshape(gy, [1, gy.numel])), shape);
  return permute(
    gradient,
    order.map((_, i) => order.indexOf(i)),
  );
}

/**
 * g times the product of all other factors, for each: [n, m], [1, m] -> [n, m]. No division, so that zeros are nothing
 * special: factors are multiplied in pairs, and so on with the n/2 products; then the way back down.
 */
function otherFactors(factors: Tensor, g: Tensor): Tensor {
  const n = factors.shape[0]!;
  if (n === 1) return g;
  const half = n >> 1;
  const left = slice(factors, [[0, half]]);
  const right = slice(factors, [[half, 2 * half]]);
  if (n === 2) return cat([mul(g, right), mul(g, left)]);
  const odd = n > 2 * half;
  const products = mul(left, right);
  const gradient = otherFactors(odd ? cat([products, slice(factors, [[2 * half, n]])]) : products, g);
  const pairs = odd ? slice(gradient, [[0, half]]) : gradient;
  const parts = [mul(pairs, right), mul(pairs, left)];
  return cat(odd ? [...parts, slice(gradient, [[half, half + 1]])] : parts);
}

function extreme(op: "amax" | "amin", x: Tensor, dim: Dim, options: ReduceOptions | undefined): Tensor {
  checkTensor(op, "x", x);
  const { axes, shape, kept } = reduction(op, x, dim, options);
  for (const axis of axes) checkNotEmpty(op, x.shape[axis]!, `axis ${axis} of ${show(x.shape)}`);
  if (x.dtype !== "f32") {
    return unrecorded(op, scanAxes(op, x, axes, shape, op === "amax" ? "intMax" : "intMin", x.dtype, 0), [x]);
  }
  const kernel = kernels[op];
  const y = reduceAxes(op, x, axes, shape, (from, to, outer, n, inner) => kernel(ptr(from), ptr(to), outer, n, inner));
  return record(op, y, [[x, (gy) => mul(spread(gy, kept, x.shape), ties(x, y, kept, axes))]], [x, y]);
}

/** Largest element over axes; equal ones share the gradient; NaN wins. PyTorch: `torch.amax`. */
export function amax(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  return extreme("amax", x, dim, options);
}

/** Smallest element over axes; equal ones share the gradient; NaN wins. PyTorch: `torch.amin`. */
export function amin(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  return extreme("amin", x, dim, options);
}

function argExtreme(op: "argmax" | "argmin", x: Tensor, dim: unknown, options: ReduceOptions | undefined): Tensor {
  checkTensor(op, "x", x);
  const split = splitOptions(dim, options);
  checkOptions(op, split.options, ["dim", "keepdim"]);
  const whole = split.dim === undefined;
  const axis = whole ? -1 : checkAxis(op, split.dim, x.ndim);
  checkNotEmpty(op, whole ? x.numel : (x.shape[axis] ?? 1), `x ${show(x.shape)}`);
  const [outer, n, inner] = whole ? [1, x.numel, 1] : aroundAxis(x.shape, axis);
  const axes = whole ? x.shape.map((_, i) => i) : x.ndim === 0 ? [] : [axis];
  const shape = reducedShape(x.shape, axes, split.options.keepdim ?? false);
  const from = ptr(x);
  if (x.dtype === "f32") {
    const y = allocate(shape, "i32", op);
    kernels[op](from, ptr(y), outer, n, inner);
    return unrecorded(op, y, [x]);
  }
  const value = scanAxes(op, x, axes, shape, op === "argmax" ? "intMax" : "intMin", x.dtype, 0);
  const y = allocate(shape, "i32", op);
  kernels.firstEqual(from, ptr(value), ptr(y), outer, n, inner);
  value.release(`within ${op}()`);
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
  checkTensor(op, "x", x);
  const split = splitOptions(dim, options);
  checkOptions(op, split.options, ["dim", "keepdim"]);
  if (split.dim === undefined) return op === "max" ? amax(x) : amin(x);
  const { dim: axis } = split;
  if (typeof axis !== "number")
    throw typeError(op, `takes one axis: got ${describe(axis)}`, `Use a${op}() for several.`);
  return composed(op, [x], () => extremeAlong(op, x, axis, split.options.keepdim ?? false));
}

function truth(op: "all" | "any", x: Tensor, dim: Dim, options: ReduceOptions | undefined): Tensor {
  checkTensor(op, "x", x);
  const { axes, shape } = reduction(op, x, dim, options);
  const bool = to(x, "bool");
  const y = scanAxes(op, bool, axes, shape, op === "all" ? "intMin" : "intMax", "bool", Number(op === "all"));
  if (bool !== x) bool.release(`within ${op}()`);
  return unrecorded(op, y, [x]);
}

/** Whether all elements are not 0 (NaN is not 0), over axes; true for no elements. bool. PyTorch: `torch.all`. */
export function all(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  return truth("all", x, dim, options);
}

/** Whether an element is not 0 (NaN is not 0), over axes; false for no elements. bool. PyTorch: `torch.any`. */
export function any(x: Tensor, dim?: Dim, options?: ReduceOptions): Tensor {
  return truth("any", x, dim, options);
}
