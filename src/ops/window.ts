// Windows: a part of a contiguous tensor walked by strides (slices, flips, diagonals). Reading one and putting one
// into zeros are each other's gradient, as long as no element is walked twice.
import { kernels } from "../kernels/index.js";
import { offset } from "../memory/index.js";
import { numelOf, type Shape, sameShape, sliceWindow, stridesOf } from "../shape.js";
import { record } from "../tape/index.js";
import { allocate, fillWith, ptr, type Tensor, viewOf } from "../tensor/index.js";
import { inLoops } from "./launch.js";

/** First element, sizes, and distance of neighbours along each axis, in elements. */
export interface Window {
  readonly start: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** Copies `dims` elements by strides, or adds them; `from` and `to` are offsets in elements. */
export function copyStrided(
  x: Tensor,
  from: number,
  xs: readonly number[],
  y: Tensor,
  to: number,
  ys: readonly number[],
  dims: readonly number[],
  kernel = kernels.copyStrided,
): void {
  const px = offset(ptr(x), 4 * from);
  const py = offset(ptr(y), 4 * to);
  inLoops(4, [...dims], [[...xs], [...ys]], ([d0, d1, d2, d3], [s, t], [ox, oy]) =>
    kernel(
      offset(px, 4 * ox!),
      offset(py, 4 * oy!),
      d0!,
      d1!,
      d2!,
      d3!,
      s![0]!,
      s![1]!,
      s![2]!,
      s![3]!,
      t![0]!,
      t![1]!,
      t![2]!,
      t![3]!,
    ),
  );
}

/** The elements that `strides` walk from `start` on, in a tensor of their own; not recorded. */
export function stridedCopy(op: string, x: Tensor, start: number, strides: readonly number[], shape: Shape): Tensor {
  ptr(x); // a released tensor throws before anything is made
  const y = allocate(shape, x.dtype, op);
  copyStrided(x, start, strides, y, 0, stridesOf(shape), shape);
  return y;
}

/** Elements `start` to `end` of an axis: `slice` of one axis. */
export function sliceAxis(x: Tensor, axis: number, start: number, end: number): Tensor {
  const ranges = [...new Array<null>(axis).fill(null), [start, end] as const];
  return takeWindow("slice", x, sliceWindow("slice", x.shape, ranges));
}

/** The window's elements; a part of the leading axis alone shares the memory. */
export function takeWindow(op: string, x: Tensor, window: Window): Tensor {
  const { start, shape, strides } = window;
  const own = stridesOf(x.shape);
  const shares =
    shape.length === x.ndim && sameShape(shape.slice(1), x.shape.slice(1)) && strides.every((s, i) => s === own[i]);
  const y = shares ? viewOf(x, shape, op, numelOf(shape) === 0 ? 0 : start) : stridedCopy(op, x, start, strides, shape);
  return record(op, y, [[x, (gy) => putWindow(op, gy, x.shape, window)]]);
}

/** Zeros (or another value) of `shape` with x in the window. */
export function putWindow(op: string, x: Tensor, shape: Shape, window: Window, around = 0): Tensor {
  ptr(x);
  const y = allocate(shape, x.dtype, op);
  fillWith(y, around);
  copyStrided(x, 0, stridesOf(x.shape), y, window.start, window.strides, x.shape);
  return record(op, y, [[x, (gy) => takeWindow(op, gy, window)]]);
}
