// Pure arithmetic on shapes: no tensor, no memory.
import { describe, rangeError, show, typeError } from "./error.js";

export type Shape = readonly number[];

/** Number of elements. */
export function numelOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i]!;
  return n;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A shape given by a caller: an array of non-negative integers, copied. */
export function checkShape(op: string, shape: unknown): number[] {
  if (typeof shape === "number") return checkShape(op, [shape]);
  if (!Array.isArray(shape)) throw typeError(op, `a shape must be an array of sizes: got ${describe(shape)}`);
  for (let i = 0; i < shape.length; i++) {
    if (!Number.isInteger(shape[i]) || shape[i] < 0) {
      throw rangeError(op, `sizes must be non-negative integers: got ${describe(shape[i])} (axis ${i})`);
    }
  }
  return shape.slice();
}

/** `axis` in 0..rank-1, counted from the end when negative. */
export function checkAxis(op: string, axis: unknown, rank: number, name = "dim"): number {
  const range = Math.max(rank, 1);
  if (!Number.isInteger(axis)) throw typeError(op, `${name} must be an integer: got ${describe(axis)}`);
  const a = axis as number;
  if (a < -range || a >= range) {
    throw rangeError(op, `${name} ${a} is out of range for ${rank} axes (${-range} to ${range - 1})`);
  }
  return a < 0 ? a + range : a;
}

/** One axis, several, or none (all of them; an empty list too, as in PyTorch), as sorted distinct axes. */
export function checkAxes(op: string, dim: number | readonly number[] | undefined, rank: number): number[] {
  if (dim === undefined || (Array.isArray(dim) && dim.length === 0)) return otherAxes(rank, []);
  const list = (typeof dim === "number" ? [dim] : [...dim]).map((axis) => checkAxis(op, axis, rank));
  list.sort((a, b) => a - b);
  for (let i = 1; i < list.length; i++) {
    if (list[i] === list[i - 1]) throw rangeError(op, `axis ${list[i]} appears twice: dim is ${describe(dim)}`);
  }
  return rank === 0 ? [] : list;
}

/** The axes of a rank but these. */
export const otherAxes = (rank: number, but: readonly number[]): number[] =>
  Array.from({ length: rank }, (_, i) => i).filter((i) => !but.includes(i));

/** The shape with another size of one axis. */
export const resized = (shape: Shape, axis: number, size: number): number[] =>
  shape.map((n, i) => (i === axis ? size : n));

/** Shape of `x` after a reduction over sorted `axes`. */
export function reducedShape(shape: Shape, axes: readonly number[], keepdim: boolean): number[] {
  const out: number[] = [];
  for (let i = 0; i < shape.length; i++) {
    if (!axes.includes(i)) out.push(shape[i]!);
    else if (keepdim) out.push(1);
  }
  return out;
}

/** The shape that both broadcast to (aligned at the last axis; 1 stretches). */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const p = i <= a.length ? a[a.length - i]! : 1;
    const q = i <= b.length ? b[b.length - i]! : 1;
    if (p !== q && p !== 1 && q !== 1) {
      throw rangeError(
        op,
        `shapes do not broadcast: a is ${show(a)}, b is ${show(b)} (a.shape[${a.length - i}] = ${p}, b.shape[${b.length - i}] = ${q})`,
        "Axes align at the end and must be equal or 1.",
      );
    }
    out[rank - i] = p === 1 ? q : p;
  }
  return out;
}

/** Element strides of a contiguous tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** Strides of contiguous `shape` read as if broadcast to `to`: 0 along stretched axes. */
export function broadcastStrides(shape: Shape, to: Shape): number[] {
  const strides = new Array<number>(to.length).fill(0);
  let step = 1;
  for (let i = shape.length - 1, j = to.length - 1; i >= 0; i--, j--) {
    if (shape[i] !== 1) strides[j] = step;
    step *= shape[i]!;
  }
  return strides;
}

/**
 * Merges neighbouring axes that all operands walk as one (outer stride = inner stride · inner size) and drops axes of
 * size 1, so that kernels with a fixed loop depth serve any rank. `dims` and every row of `strides` shrink in place.
 */
export function mergeAxes(dims: number[], strides: readonly number[][]): void {
  let last = -1; // the axis that the current one may merge into
  for (let i = 0; i < dims.length; i++) {
    const size = dims[i]!;
    if (size === 1) continue;
    if (last >= 0 && strides.every((s) => s[last] === s[i]! * size)) {
      dims[last]! *= size;
      for (const s of strides) s[last] = s[i]!;
    } else {
      last++;
      dims[last] = size;
      for (const s of strides) s[last] = s[i]!;
    }
  }
  dims.length = last + 1;
  for (const s of strides) s.length = last + 1;
}

/** Start, end (exclusive) and step of one axis; null or missing parts are the whole axis. */
export type SliceRange = readonly [start?: number | null, end?: number | null, step?: number] | null;

/** First element, shape and element strides of a window on a contiguous tensor. */
export function sliceWindow(
  op: string,
  shape: Shape,
  ranges: readonly SliceRange[],
): { start: number; shape: number[]; strides: number[] } {
  if (!Array.isArray(ranges) || ranges.length > shape.length) {
    throw rangeError(op, `takes up to ${shape.length} ranges, one an axis: got ${describe(ranges)} for ${show(shape)}`);
  }
  const strides = stridesOf(shape);
  const out = shape.slice();
  let first = 0;
  for (let axis = 0; axis < ranges.length; axis++) {
    const range = ranges[axis];
    if (range === null || range === undefined) continue;
    if (!Array.isArray(range))
      throw typeError(op, `a range is [start, end, step]: got ${describe(range)} (axis ${axis})`);
    const [start, end, step = 1] = range;
    for (const part of [start ?? 0, end ?? 0, step]) {
      if (!Number.isInteger(part)) throw typeError(op, `a range holds integers: got ${describe(range)} (axis ${axis})`);
    }
    if (step === 0) throw rangeError(op, `step must not be 0: got ${describe(range)} (axis ${axis})`);
    const size = shape[axis]!;
    // Python's rules: positions clamp to the axis; a negative step runs from the end.
    const low = step > 0 ? 0 : -1;
    const high = step > 0 ? size : size - 1;
    const clamp = (position: number) => Math.min(Math.max(position < 0 ? position + size : position, low), high);
    const from = start === null || start === undefined ? (step > 0 ? 0 : size - 1) : clamp(start);
    const to = end === null || end === undefined ? (step > 0 ? size : -1) : clamp(end);
    const count = Math.max(0, Math.ceil((to - from) / step));
    if (count > 0) first += from * strides[axis]!;
    out[axis] = count;
    strides[axis]! *= step;
  }
  return { start: first, shape: out, strides };
}

/** [outer, n, inner] around one axis. */
export function aroundAxis(shape: Shape, axis: number): [outer: number, n: number, inner: number] {
  return [numelOf(shape.slice(0, axis)), shape[axis] ?? 1, numelOf(shape.slice(axis + 1))];
}
