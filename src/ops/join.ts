// Joining and taking apart: stack, split and their kin, repetition, grids, rolling.
import { checkInteger, checkOptions, describe, rangeError, readOptions, show } from "../error.js";
import { checkAxis, checkShape, type Shape } from "../shape.js";
import { composed } from "../tape/index.js";
import { checkTensor, type Tensor } from "../tensor/index.js";
import { axisOf, checkAlike, checkHasAxes, checkTensors } from "./checks.js";
import { splitOptions } from "./launch.js";
import { cat, expand, permute, reshape, unsqueeze } from "./layout.js";
import { sliceAxis } from "./window.js";

/** The axis, in place of options. */
type AxisOption = number | { readonly dim?: number };

/**
 * Tensors of one shape side by side along a new axis: n × `[…]` -> `[…, n, …]`.
 *
 * @param dim place of the new axis, default 0. PyTorch: `torch.stack`.
 * @example
 * import { stack, tensor } from "gradine";
 * console.log(stack([tensor([1, 2]), tensor([3, 4])], 1).toArray()); // [[1, 3], [2, 4]]
 */
export function stack(tensors: readonly Tensor[], dim?: AxisOption): Tensor {
  checkTensors("stack", tensors);
  const axis = axisOf("stack", dim, tensors[0]!.ndim + 1, 0);
  checkAlike("stack", tensors);
  return composed("stack", tensors, () =>
    cat(
      tensors.map((x) => unsqueeze(x, axis)),
      axis,
    ),
  );
}

/** `length` elements of an axis from `start`; negative counts from the end. PyTorch: `torch.narrow`. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  checkHasAxes("narrow", x);
  const axis = checkAxis("narrow", dim, x.ndim);
  const n = x.shape[axis]!;
  checkInteger("narrow", "start", start, -n, n);
  const from = start < 0 ? start + n : start;
  checkInteger("narrow", "length", length, 0, n - from);
  return sliceAxis(x, axis, from, from + length);
}

/**
 * x cut along an axis: into pieces of one size (the last may be smaller), or of the sizes given.
 *
 * @param sizes a size, or an array of sizes that add up to the axis. PyTorch: `torch.split`.
 */
export function split(x: Tensor, sizes: number | readonly number[], dim?: AxisOption): Tensor[] {
  checkHasAxes("split", x);
  const axis = axisOf("split", dim, x.ndim, 0);
  const n = x.shape[axis]!;
  let lengths: number[];
  if (Array.isArray(sizes)) {
    lengths = checkShape("split", sizes);
    const total = lengths.reduce((a, b) => a + b, 0);
    if (total !== n)
      throw rangeError("split", `sizes ${describe(sizes)} add up to ${total}, not to ${n} (axis ${axis})`);
  } else {
    const size = checkInteger("split", "size", sizes, n === 0 ? 0 : 1);
    const count = Math.max(1, Math.ceil(n / size) || 0);
    lengths = Array.from({ length: count }, (_, i) => Math.min(size, n - i * size));
  }
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return sliceAxis(x, axis, at - length, at);
  });
}

/** x cut along an axis into at most `chunks` pieces of one size (the last may be smaller). PyTorch: `torch.chunk`. */
export function chunk(x: Tensor, chunks: number, dim?: AxisOption): Tensor[] {
  checkHasAxes("chunk", x);
  const axis = axisOf("chunk", dim, x.ndim, 0);
  checkInteger("chunk", "chunks", chunks, 1);
  const n = x.shape[axis]!;
  return split(x, n === 0 ? new Array<number>(chunks).fill(0) : Math.ceil(n / chunks), axis);
}

/** The slices along an axis, without it: `[…, n, …] -> n × […]`. PyTorch: `torch.unbind`. */
export function unbind(x: Tensor, dim?: AxisOption): Tensor[] {
  checkHasAxes("unbind", x);
  const axis = axisOf("unbind", dim, x.ndim, 0);
  const shape = x.shape.filter((_, i) => i !== axis);
  return composed("unbind", [x], () =>
    Array.from({ length: x.shape[axis]! }, (_, i) => reshape(sliceAxis(x, axis, i, i + 1), shape)),
  );
}

/**
 * x repeated along each axis: `[a, b] -> [a·s0, b·s1]` for sizes `[s0, s1]`; more sizes than axes add axes in front.
 * PyTorch: `Tensor.repeat`.
 */
export function repeat(x: Tensor, sizes: Shape): Tensor {
  checkTensor("repeat", "x", x);
  const times = checkShape("repeat", sizes);
  if (times.length < x.ndim) {
    throw rangeError("repeat", `takes a number for each axis: got ${show(times)} for x ${show(x.shape)}`);
  }
  return repeated("repeat", x, times);
}

/** As repeat, where fewer sizes than axes are for the last ones. PyTorch: `torch.tile`. */
export function tile(x: Tensor, sizes: Shape): Tensor {
  checkTensor("tile", "x", x);
  const times = checkShape("tile", sizes);
  while (times.length < x.ndim) times.unshift(1);
  return repeated("tile", x, times);
}

/** Each axis n becomes [s, n], of which s is stretched from 1. */
function repeated(op: string, x: Tensor, times: readonly number[]): Tensor {
  const shape = [...new Array<number>(times.length - x.ndim).fill(1), ...x.shape];
  return composed(op, [x], () =>
    reshape(
      expand(
        reshape(
          x,
          shape.flatMap((n) => [1, n]),
        ),
        shape.flatMap((n, i) => [times[i]!, n]),
      ),
      shape.map((n, i) => n * times[i]!),
    ),
  );
}

/**
 * Coordinates of a grid: for vectors of lengths a, b, … as many tensors `[a, b, …]`, of which number i varies along
 * axis i alone.
 *
 * @param options `indexing`: "ij" (default), or "xy": the first two axes swapped, as for plots. PyTorch: `torch.meshgrid`.
 */
export function meshgrid(tensors: readonly Tensor[], options: { readonly indexing?: "ij" | "xy" } = {}): Tensor[] {
  checkTensors("meshgrid", tensors);
  const { indexing } = readOptions("meshgrid", options, { indexing: ["ij", "xy"] });
  tensors.forEach((x, i) => {
    if (x.ndim > 1) throw rangeError("meshgrid", `takes vectors: tensor ${i} is ${show(x.shape)}`);
  });
  const shape = tensors.map((x) => x.numel);
  const swap = indexing === "xy" && shape.length > 1;
  const order = shape.map((_, i) => (swap && i < 2 ? 1 - i : i));
  return composed("meshgrid", tensors, () =>
    tensors.map((x, i) => {
      const sizes = shape.map((n, j) => (i === j ? n : 1));
      const grid = expand(reshape(x, sizes), shape);
      return swap ? permute(grid, order) : grid;
    }),
  );
}

/**
 * Elements moved along axes; what leaves at one end comes in at the other: y[i] = x[(i − shift) mod n].
 *
 * @param shifts one number, or one for each axis of `dims`.
 * @param dims axes; without them x is rolled as if it were flat. PyTorch: `torch.roll`.
 */
export function roll(
  x: Tensor,
  shifts: number | readonly number[],
  dims?: number | readonly number[] | { readonly dims?: number | readonly number[] },
): Tensor {
  checkTensor("roll", "x", x);
  const options = splitOptions<{ dims?: number | readonly number[] }>(dims, undefined).options;
  checkOptions("roll", options, ["dims"]);
  const given = typeof dims === "object" && !Array.isArray(dims) ? options.dims : (dims as number | readonly number[]);
  const by = (typeof shifts === "number" ? [shifts] : [...shifts]).map((s, i) =>
    checkInteger("roll", `shifts[${i}]`, s),
  );
  if (given === undefined) {
    if (by.length !== 1) throw rangeError("roll", `takes one shift without dims: got ${describe(shifts)}`);
    return composed("roll", [x], () => reshape(rollAxis(reshape(x, [x.numel]), 0, by[0]!), x.shape));
  }
  const axes = (typeof given === "number" ? [given] : [...given]).map((dim) => checkAxis("roll", dim, x.ndim));
  if (axes.length !== by.length) {
    throw rangeError("roll", `shifts ${describe(shifts)} and dims ${describe(given)} differ in length`);
  }
  return composed("roll", [x], () => {
    const y = axes.reduce((rolled, axis, i) => (x.ndim === 0 ? rolled : rollAxis(rolled, axis, by[i]!)), x);
    return y === x ? reshape(x, x.shape) : y;
  });
}

function rollAxis(x: Tensor, axis: number, shift: number): Tensor {
  const n = x.shape[axis]!;
  const by = n === 0 ? 0 : ((shift % n) + n) % n;
  if (by === 0) return x;
  return cat([sliceAxis(x, axis, n - by, n), sliceAxis(x, axis, 0, n - by)], axis);
}
