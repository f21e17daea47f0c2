// How reductions read their arguments and walk their axes.
import { checkOptions } from "../error.js";
import { checkAxes, numelOf, reducedShape, type Shape } from "../shape.js";
import { allocate, type DType, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { splitOptions } from "./launch.js";
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

export interface Reduction {
  readonly axes: number[];
  readonly keepdim: boolean;
  /** Shape of the result. */
  readonly shape: readonly number[];
  /** Shape with the reduced axes kept as 1: what broadcasts back to x. */
  readonly kept: readonly number[];
  /** Number of elements that go into one of the result. */
  readonly count: number;
}

/** Reads `(x, dim?, options?)`; `known` names options of the op's own. */
export function reduction<O extends ReduceOptions>(
  op: string,
  x: Tensor,
  dim: unknown,
  options: O | undefined,
  known: readonly string[] = [],
): Reduction & { readonly options: O } {
  const split = splitOptions(dim, options);
  checkOptions(op, split.options, ["dim", "keepdim", ...known]);
  const axes = checkAxes(op, split.dim as number | readonly number[] | undefined, x.ndim);
  const keepdim = split.options.keepdim ?? false;
  const kept = reducedShape(x.shape, axes, true);
  const count = axes.reduce((n, axis) => n * x.shape[axis]!, 1);
  return {
    axes,
    keepdim,
    kept,
    count,
    shape: keepdim ? kept : reducedShape(x.shape, axes, false),
    options: split.options,
  };
}

export type ReduceKernel = (x: Tensor, y: Tensor, outer: number, n: number, inner: number, last: boolean) => void;

/**
 * Reduces runs of neighbouring axes one after another, the last first: each is [outer, n, inner] -> [outer, inner]. The
 * order of the sums depends on the shape alone. `empty` is written where there is nothing to reduce and the kernel
 * would leave the result untouched.
 */
export function reduceAxes(
  op: string,
  x: Tensor,
  axes: readonly number[],
  shape: Shape,
  kernel: ReduceKernel,
  dtype: DType = "f32",
  empty?: number,
): Tensor {
  let from = x;
  let end = axes.length;
  const sizes = x.shape.slice();
  const run = (to: Tensor, outer: number, n: number, inner: number, last: boolean) => {
    if (n === 0 && empty !== undefined) fillWith(to, empty);
    else kernel(from, to, outer, n, inner, last);
  };
  if (axes.length === 0) {
    ptr(x);
    const y = allocate(shape, dtype, op);
    run(y, 1, 1, x.numel, true);
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
    const y = allocate(start === 0 ? shape : sizes.slice(), dtype, op);
    run(y, outer, n, inner, start === 0);
    if (from !== x) from.release(`within ${op}()`);
    from = y;
    end = start;
  }
  return from;
}

/** gy brought back to the shape of x: the gradient of a sum. */
export function spread(gy: Tensor, kept: readonly number[], shape: Shape): Tensor {
  return expand(reshape(gy, kept), shape);
}
