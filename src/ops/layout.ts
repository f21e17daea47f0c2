// Shape and order of elements: views that share memory, and copies by strides.
import { describe, rangeError, show, typeError } from "../error.js";
import {
  checkAxes,
  checkAxis,
  checkShape,
  numelOf,
  otherAxes,
  resized,
  type Shape,
  type SliceRange,
  sliceWindow,
  stridesOf,
} from "../shape.js";
import { record } from "../tape/index.js";
import { allocate, checkTensor, ptr, type Tensor, transposedView, viewOf } from "../tensor/index.js";
import { copyOf } from "./along.js";
import { sumTo } from "./broadcast.js";
import { axesInOrder, axisOf, checkAlike, checkHasAxes, checkTensors } from "./checks.js";
import { copyStrided, sliceAxis, stridedCopy, takeWindow } from "./window.js";

/** A copy with memory of its own. PyTorch: `torch.clone`. */
export function clone(x: Tensor): Tensor {
  checkTensor("clone", "x", x);
  return record("clone", copyOf(x, "clone"), [[x, (gy) => gy]]);
}

/**
 * The same values in another shape, sharing the memory. One size may be −1: it is what remains.
 *
 * @throws RangeError when the sizes do not multiply to the number of elements. PyTorch: `torch.reshape`.
 * @example
 * import { arange, reshape } from "gradine";
 * console.log(reshape(arange(6), [2, -1]).shape); // [2, 3]
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensor("reshape", "x", x);
  const to = openShape("reshape", shape, x.numel, `x ${show(x.shape)}`);
  return record("reshape", viewOf(x, to, "reshape"), [[x, (gy) => reshape(gy, x.shape)]]);
}

/** A shape for n elements in which one size may be open: −1. */
function openShape(op: string, shape: Shape, n: number, what: string): number[] {
  if (!Array.isArray(shape)) throw typeError(op, `a shape must be an array of sizes: got ${describe(shape)}`);
  const open = shape.indexOf(-1);
  const to = checkShape(op, open < 0 ? shape : shape.filter((_, i) => i !== open));
  const known = numelOf(to);
  if (open >= 0) to.splice(open, 0, known === 0 ? 0 : n / known);
  if (numelOf(to) !== n || to.some((size) => !Number.isInteger(size))) {
    throw rangeError(op, `${n} elements do not fill shape ${show(shape)}: ${what}`);
  }
  return to;
}

/** Merges the axes from `startDim` to `endDim` into one: `[a, b, c] -> [a, b·c]` for startDim 1. PyTorch: `torch.flatten`. */
export function flatten(x: Tensor, startDim = 0, endDim = -1): Tensor {
  checkTensor("flatten", "x", x);
  if (x.ndim === 0) return reshape(x, [1]);
  const from = checkAxis("flatten", startDim, x.ndim, "startDim");
  const to = checkAxis("flatten", endDim, x.ndim, "endDim");
  if (from > to)
    throw rangeError("flatten", `startDim ${startDim} comes after endDim ${endDim}: x is ${show(x.shape)}`);
  return reshape(x, [...x.shape.slice(0, from), numelOf(x.shape.slice(from, to + 1)), ...x.shape.slice(to + 1)]);
}

/**
 * Splits one axis into several: `[…, a·b, …] -> […, a, b, …]` for sizes `[a, b]`; one size may be −1.
 * PyTorch: `torch.unflatten`.
 */
export function unflatten(x: Tensor, dim: number, sizes: Shape): Tensor {
  checkTensor("unflatten", "x", x);
  checkHasAxes("unflatten", x);
  const axis = checkAxis("unflatten", dim, x.ndim);
  const to = openShape("unflatten", sizes, x.shape[axis]!, `axis ${axis} of ${show(x.shape)}`);
  return reshape(x, [...x.shape.slice(0, axis), ...to, ...x.shape.slice(axis + 1)]);
}

/** Drops axes of size 1: the one given, or all. PyTorch: `torch.squeeze`. */
export function squeeze(x: Tensor, dim?: number): Tensor {
  checkTensor("squeeze", "x", x);
  const axis = dim === undefined ? -1 : checkAxis("squeeze", dim, x.ndim);
  return reshape(
    x,
    x.shape.filter((size, i) => size !== 1 || (axis >= 0 && i !== axis)),
  );
}

/** Inserts an axis of size 1 before `dim`. PyTorch: `torch.unsqueeze`. */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  checkTensor("unsqueeze", "x", x);
  const axis = checkAxis("unsqueeze", dim, x.ndim + 1);
  return reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
}

/**
 * Swaps two axes. The last two cost nothing where a matrix product reads them: `x.matmul(w.transpose(0, 1))`.
 * PyTorch: `torch.transpose`.
 */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  checkTensor("transpose", "x", x);
  const a = checkAxis("transpose", dim0, x.ndim, "dim0");
  const b = checkAxis("transpose", dim1, x.ndim, "dim1");
  if (a !== b && Math.min(a, b) === x.ndim - 2 && Math.max(a, b) === x.ndim - 1) {
    return record("transpose", transposedView(x, "transpose"), [[x, (gy) => transpose(gy, -1, -2)]]);
  }
  const order = x.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  return permute(x, order);
}

/** Axes in another order: axis i of the result is axis `dims[i]` of x. PyTorch: `torch.permute`. */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  checkTensor("permute", "x", x);
  if (!Array.isArray(dims) || dims.length !== x.ndim) {
    throw rangeError("permute", `takes one axis for each of the ${x.ndim} axes: got ${describe(dims)}`);
  }
  const order = axesInOrder("permute", dims, x.ndim);
  const strides = stridesOf(x.shape);
  const y = stridedCopy(
    "permute",
    x,
    0,
    order.map((axis) => strides[axis]!),
    order.map((axis) => x.shape[axis]!),
  );
  const inverse = order.map((_, i) => order.indexOf(i));
  return record("permute", y, [[x, (gy) => permute(gy, inverse)]]);
}

/** Moves axes to other places; the rest keep their order. `source` and `destination` are one axis or as many. PyTorch: `torch.movedim`. */
export function movedim(
  x: Tensor,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  checkTensor("movedim", "x", x);
  const read = (dims: number | readonly number[], name: string) =>
    axesInOrder("movedim", typeof dims === "number" ? [dims] : dims, x.ndim, name);
  const from = read(source, "source");
  const to = read(destination, "destination");
  if (from.length !== to.length) {
    throw rangeError("movedim", `source ${describe(source)} and destination ${describe(destination)} differ in length`);
  }
  if (x.ndim === 0) return x;
  const rest = otherAxes(x.ndim, from);
  return permute(
    x,
    x.shape.map((_, i) => (to.includes(i) ? from[to.indexOf(i)]! : rest.shift()!)),
  );
}

/** Swaps two axes: another name of transpose. PyTorch: `torch.swapaxes`. */
export function swapaxes(x: Tensor, axis0: number, axis1: number): Tensor {
  return transpose(x, axis0, axis1);
}

/** Reverses the order along axes. PyTorch: `torch.flip`. */
export function flip(x: Tensor, dims: number | readonly number[]): Tensor {
  checkTensor("flip", "x", x);
  const axes = Array.isArray(dims) && dims.length === 0 ? [] : checkAxes("flip", dims, x.ndim);
  const window = sliceWindow(
    "flip",
    x.shape,
    x.shape.map((_, i) => (axes.includes(i) ? [null, null, -1] : null)),
  );
  return takeWindow("flip", x, window);
}

/**
 * A part of each axis: `[start, end, step]`, negative positions count from the end, missing ones are the whole axis.
 * A part of the leading axis alone shares the memory; others are copies.
 *
 * @param ranges one range an axis, from the first; fewer leave the rest whole. A step may be negative.
 * PyTorch: `x[start:end:step, …]`.
 * @example
 * import { arange, slice } from "gradine";
 * console.log(slice(arange(10), [[2, -2, 3]]).toArray()); // [2, 5]
 */
export function slice(x: Tensor, ranges: readonly SliceRange[]): Tensor {
  checkTensor("slice", "x", x);
  return takeWindow("slice", x, sliceWindow("slice", x.shape, ranges));
}

/**
 * Tensors one after another along an axis.
 *
 * @param dim axis, default 0. The other axes must agree.
 * @throws RangeError for shapes that do not fit; TypeError for mixed dtypes. PyTorch: `torch.cat`.
 * @example
 * import { cat, ones, zeros } from "gradine";
 * console.log(cat([zeros([2, 3]), ones([2, 1])], { dim: 1 }).shape); // [2, 4]
 */
export function cat(tensors: readonly Tensor[], dim: number | { readonly dim?: number } = 0): Tensor {
  checkTensors("cat", tensors);
  const first = tensors[0]!;
  const axis = axisOf("cat", dim, first.ndim, 0);
  checkHasAxes("cat", first);
  checkAlike("cat", tensors, axis);
  let total = 0;
  for (const x of tensors) {
    ptr(x);
    total += x.shape[axis]!;
  }
  const shape = resized(first.shape, axis, total);
  const y = allocate(shape, first.dtype, "cat");
  const strides = stridesOf(shape);
  const partials: [Tensor, (gy: Tensor) => Tensor][] = [];
  let at = 0;
  for (const x of tensors) {
    const start = at;
    at += x.shape[axis]!;
    copyStrided(x, 0, stridesOf(x.shape), y, start * strides[axis]!, strides, x.shape);
    partials.push([x, (gy) => sliceAxis(gy, axis, start, start + x.shape[axis]!)]);
  }
  return record("cat", y, partials);
}

/** Stretches axes of size 1 to `shape`, as a copy; −1 keeps a size. PyTorch: `torch.expand`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  checkTensor("expand", "x", x);
  const extra = shape.length - x.ndim;
  const to = shape.map((size, i) => (size === -1 && i >= extra ? x.shape[i - extra]! : size));
  checkShape("expand", to);
  const strides = stridesOf(x.shape);
  const walk = to.map((size, i) => {
    const own = i < extra ? 1 : x.shape[i - extra]!;
    if (own !== 1 && own !== size) {
      throw rangeError("expand", `x ${show(x.shape)} does not stretch to ${show(shape)} (axis ${i})`);
    }
    return i < extra || own === 1 ? 0 : strides[i - extra]!;
  });
  if (extra < 0) throw rangeError("expand", `x ${show(x.shape)} does not stretch to ${show(shape)}`);
  return record("expand", stridedCopy("expand", x, 0, walk, to), [[x, (gy) => sumTo(gy, x.shape)]]);
}

/** Stretches axes of size 1 to `shape`, as a copy; new axes come first. PyTorch: `torch.broadcast_to`. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return expand(x, shape);
}
