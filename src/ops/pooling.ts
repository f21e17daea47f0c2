// What pooling is made of: its axes, the largest elements of windows and where they were, averages.
import { checkInteger, describe, rangeError, show, typeError } from "../error.js";
import { extra, kernels } from "../kernels/index.js";
import { heap, nullPtr, offset, word } from "../memory/index.js";
import { numelOf, type Shape } from "../shape.js";
import { goesWith, record, unrecorded, willRecord } from "../tape/index.js";
import { allocate, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { convolve } from "./convolve.js";
import { checkFloat } from "./launch.js";
import { resample, tapsOf } from "./resample.js";
import { checkSpatial, checkWindows, type PerAxis, perAxis, threeAxes } from "./spatial.js";

/** One axis of a pooling. */
export interface PoolAxis {
  readonly size: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/** Options that say where windows lie. */
export interface Windows {
  readonly stride?: PerAxis | undefined;
  readonly padding?: PerAxis | undefined;
  readonly dilation?: PerAxis | undefined;
  readonly ceilMode?: boolean | undefined;
}

/** Sizes of results as PyTorch's pooling counts them: with ceilMode a last window counts if it begins before the border's end. */
export function poolAxes(op: string, x: Tensor, n: number, kernelSize: PerAxis, options: Windows): PoolAxis[] {
  checkFloat(op, "x", x);
  checkSpatial(op, x, n);
  const kernels = perAxis(op, "kernelSize", kernelSize, n, 1);
  const strides = perAxis(op, "stride", options.stride ?? kernels, n, 1);
  const paddings = perAxis(op, "padding", options.padding ?? 0, n, 0);
  const dilations = perAxis(op, "dilation", options.dilation ?? 1, n, 1);
  const axes = kernels.map((kernel, i) => {
    const [stride, padding, dilation] = [strides[i]!, paddings[i]!, dilations[i]!];
    if (2 * padding > kernel) {
      throw rangeError(
        op,
        `padding must be at most half the kernel: padding ${show(paddings)}, kernel ${show(kernels)}`,
      );
    }
    const size = x.shape[x.ndim - n + i]!;
    const room = size + 2 * padding - dilation * (kernel - 1) - 1;
    let out = Math.floor((room + (options.ceilMode ? stride - 1 : 0)) / stride) + 1;
    if (options.ceilMode && (out - 1) * stride >= size + padding) out--;
    return { size, out, kernel, stride, padding, dilation };
  });
  checkWindows(
    op,
    axes.map((a) => a.size),
    axes.map((a) => a.out),
    () => `kernel ${show(kernels)}, padding ${show(paddings)}, dilation ${show(dilations)}`,
  );
  return axes;
}

/** The positions that window j of an axis visits. */
export function visits({ size, kernel, stride, padding, dilation }: PoolAxis, j: number): number[] {
  const places: number[] = [];
  for (let k = 0; k < kernel; k++) {
    const place = j * stride - padding + k * dilation;
    if (place >= 0 && place < size) places.push(place);
  }
  return places;
}

/** Whether the kernel for 2 x 2 windows, 2 apart, serves: all inside x, and a vector of them in a row. */
const inPairs = (axes: readonly PoolAxis[]): boolean =>
  axes.length === 2 &&
  axes[1]!.out >= 4 &&
  axes.every((a) => a.kernel === 2 && a.stride === 2 && a.padding === 0 && a.dilation === 1 && 2 * a.out <= a.size);

/** The kernel's number for y[index] += x. */
const ADD = 1;

/** The gradient: gy at the indices, zeros elsewhere; its own gradient picks at the indices. */
function spread(name: string, gy: Tensor, indices: Tensor, shape: Shape, axes: readonly PoolAxis[]): Tensor {
  const g = ptr(gy);
  const at = ptr(indices);
  const gx = allocate(shape, "f32", name);
  const plane = axes.reduce((size, a) => size * a.size, 1);
  const picked = axes.reduce((size, a) => size * a.out, 1);
  const planes = gx.numel / plane;
  if (inPairs(axes)) {
    const [h, w] = [axes[0]!, axes[1]!];
    extra().maxPoolPairsGrad(g, at, ptr(gx), planes, h.size, w.size, h.out, w.out);
  } else {
    fillWith(gx, 0);
    kernels.scatter(g, at, ptr(gx), planes, plane, picked, 1, ADD);
  }
  return record(
    name,
    gx,
    [
      [
        gy,
        (ggx) => {
          const from = ptr(ggx);
          const index = ptr(indices);
          const ggy = allocate(gy.shape, "f32", name);
          kernels.gather(from, index, ptr(ggy), planes, plane, picked, 1);
          return record(name, ggy, [[ggx, (g3) => spread(name, g3, indices, shape, axes)]], [indices]);
        },
      ],
    ],
    [indices],
  );
}

/** The largest elements at the places that `places` lists for each axis and window. */
export function pickLargest(
  op: string,
  x: Tensor,
  axes: readonly PoolAxis[],
  places: (axis: PoolAxis, j: number) => readonly number[],
  returnIndices: boolean,
): Tensor | [Tensor, Tensor] {
  const shape = [...x.shape.slice(0, x.ndim - axes.length), ...axes.map((a) => a.out)];
  const planes = numelOf(x.shape.slice(0, x.ndim - axes.length));
  const from = ptr(x);
  const y = allocate(shape, "f32", op);
  const indices = returnIndices || willRecord(x) ? allocate(shape, "i32", op) : null;
  const at = indices === null ? nullPtr : ptr(indices);
  const w = axes[axes.length - 1]!;
  const height = axes.length === 1 ? 1 : axes[0]!.size;
  if (inPairs(axes)) extra().maxPoolPairs(from, ptr(y), at, planes, height, w.size, axes[0]!.out, w.out);
  else {
    const rows = axes.length === 1 ? [[0]] : Array.from({ length: axes[0]!.out }, (_, j) => places(axes[0]!, j));
    const columns = Array.from({ length: w.out }, (_, j) => places(w, j));
    const longest = (lists: readonly (readonly number[])[]) => lists.reduce((n, list) => Math.max(n, list.length), 1);
    const [kh, kw] = [longest(rows), longest(columns)];
    const wide = (w.out + 3) & ~3;
    // Short windows repeat their last place, which changes no comparison.
    const last = <T>(list: readonly T[], i: number): T => list[Math.min(i, list.length - 1)]!;
    const table = allocate([rows.length * kh + kw * wide], "i32", op);
    const start = word(ptr(table));
    rows.forEach((list, j) => {
      for (let k = 0; k < kh; k++) heap.i32[start + j * kh + k] = last(list, k);
    });
    const second = start + rows.length * kh;
    for (let k = 0; k < kw; k++)
      for (let j = 0; j < wide; j++) heap.i32[second + k * wide + j] = last(last(columns, j), k);
    const tables = ptr(table);
    extra().maxPool(
      from,
      ptr(y),
      at,
      tables,
      offset(tables, 4 * rows.length * kh),
      planes,
      height,
      w.size,
      rows.length,
      w.out,
      kh,
      kw,
    );
    table.release(`within ${op}()`);
  }
  const saved = indices === null ? [] : [indices];
  const shapeOfX = x.shape;
  const result = record(op, y, [[x, (gy) => spread(`${op}'s gradient`, gy, indices!, shapeOfX, axes)]], saved);
  if (indices === null) return result;
  if (returnIndices) return [result, unrecorded(op, indices, [x])];
  goesWith(result, indices);
  return result;
}

/** Averages of windows with one divisor: a convolution of each plane with a constant window. */
export function evenAverage(op: string, x: Tensor, axes: readonly PoolAxis[], divisor: number): Tensor {
  const n = axes.length;
  const leading = x.shape.slice(0, x.ndim - n);
  const kernel = axes.map((a) => a.kernel);
  ptr(x);
  const weight = allocate([1, 1, ...kernel], "f32", op);
  fillWith(weight, 1 / divisor);
  const y = convolve(op, x, weight, null, {
    batch: numelOf(leading),
    groups: 1,
    channels: 1,
    filters: 1,
    input: threeAxes(
      axes.map((a) => a.size),
      1,
    ),
    output: threeAxes(
      axes.map((a) => a.out),
      1,
    ),
    kernel: threeAxes(kernel, 1),
    stride: threeAxes(
      axes.map((a) => a.stride),
      1,
    ),
    padding: threeAxes(
      axes.map((a) => a.padding),
      0,
    ),
    dilation: [1, 1, 1],
    x: x.shape,
    weight: weight.shape,
    y: [...leading, ...axes.map((a) => a.out)],
  });
  goesWith(y, weight);
  return y;
}

/** Averages of any windows: the divisor of a window is a product over the axes, and so is the average. */
export function averageAlong(
  op: string,
  x: Tensor,
  axes: readonly PoolAxis[],
  places: (axis: PoolAxis, j: number) => readonly number[],
  counts: readonly (readonly number[])[],
): Tensor {
  const first = x.ndim - axes.length;
  ptr(x);
  // The last axis first: it makes the rows shorter that the others add up.
  const tables = axes.map((a, i) =>
    tapsOf(first + i, a.size, a.out, (j) => places(a, j).map((place) => [place, 1 / counts[i]![j]!])),
  );
  return resample(op, x, tables.reverse());
}

/** Sizes of an adaptive result; null keeps an axis. Windows are regular where the sizes divide. */
export function adaptiveAxes(op: string, x: Tensor, n: number, outputSize: unknown): PoolAxis[] {
  checkFloat(op, "x", x);
  checkSpatial(op, x, n);
  const list = Array.isArray(outputSize) ? outputSize : new Array<unknown>(n).fill(outputSize);
  if (list.length !== n) throw rangeError(op, `outputSize must have ${n} sizes: got ${describe(outputSize)}`);
  return list.map((value: unknown, i) => {
    const size = x.shape[x.ndim - n + i]!;
    const keeps = value === null || (value === undefined && list === outputSize);
    if (!keeps && typeof value !== "number") {
      throw typeError(op, `outputSize must be integers or null: got ${describe(value)}`);
    }
    const out = keeps ? size : checkInteger(op, "outputSize", value, 1);
    const kernel = size / out;
    return { size, out, kernel, stride: kernel, padding: 0, dilation: 1 };
  });
}

/** Window j of an adaptive axis: from ⌊j · size / out⌋ to ⌈(j + 1) · size / out⌉. */
export function adaptiveVisits({ size, out }: { readonly size: number; readonly out: number }, j: number): number[] {
  const places: number[] = [];
  for (let place = Math.floor((j * size) / out); place < Math.ceil(((j + 1) * size) / out); place++) places.push(place);
  return places;
}
