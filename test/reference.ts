// What references are written with: float64 arrays with shapes, in plain JavaScript that shares nothing with src/.
// Slow and obvious on purpose: every helper is a loop over multi-indices.
import type { Ref } from "./cases/case.js";

export type { Ref };

/** Number of elements of a shape. */
export const count = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

/** An array from flat values, or from a function of the flat position. */
export function make(shape: readonly number[], values: ArrayLike<number> | ((i: number) => number)): Ref {
  const data = new Float64Array(count(shape));
  for (let i = 0; i < data.length; i++) data[i] = typeof values === "function" ? values(i) : values[i]!;
  return { shape: [...shape], data };
}

export const scalar = (value: number): Ref => make([], [value]);
export const fullOf = (shape: readonly number[], value: number): Ref => make(shape, () => value);

/** Calls `visit` with each multi-index of a shape in row-major order. The index array is reused. */
export function forEachIndex(shape: readonly number[], visit: (index: readonly number[], flat: number) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const n = count(shape);
  for (let flat = 0; flat < n; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** An array from a function of the multi-index. */
export function generate(shape: readonly number[], at: (index: readonly number[]) => number): Ref {
  const y = make(shape, () => 0);
  forEachIndex(shape, (index, flat) => {
    y.data[flat] = at(index);
  });
  return y;
}

/** Flat position of a multi-index. */
export function position(shape: readonly number[], index: readonly number[]): number {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) flat = flat * shape[axis]! + index[axis]!;
  return flat;
}

/** The element at a multi-index; outside of the array `outside` (padding), by default an error. */
export function at(x: Ref, index: readonly number[], outside?: number): number {
  const inside = index.length === x.shape.length && index.every((i, axis) => i >= 0 && i < x.shape[axis]!);
  if (inside) return x.data[position(x.shape, index)]!;
  if (outside === undefined) throw new Error(`reference: [${index}] is outside of [${x.shape}]`);
  return outside;
}

/** f of each element. */
export const map = (x: Ref, f: (value: number) => number): Ref => make(x.shape, (i) => f(x.data[i]!));

/** `axis` counted from the front. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Axes counted from the front and sorted; undefined is all of them, an empty list too. */
export function axesOf(dim: number | readonly number[] | undefined, rank: number): number[] {
  if (rank === 0) return []; // a number has the one axis 0, of one element
  if (dim === undefined || (typeof dim !== "number" && dim.length === 0)) {
    return Array.from({ length: rank }, (_, i) => i);
  }
  return (typeof dim === "number" ? [dim] : [...dim]).map((axis) => axisOf(axis, rank)).sort((a, b) => a - b);
}

/** The shape all broadcast to. */
export function broadcastShape(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    let size = 1;
    for (const shape of shapes) {
      const own = shape[i - rank + shape.length] ?? 1;
      if (own !== 1) {
        if (size !== 1 && size !== own) throw new Error(`reference: [${shapes.join("] and [")}] do not broadcast`);
        size = own;
      }
    }
    return size;
  });
}

/** x read as an array of `shape`. */
export function broadcastTo(x: Ref, shape: readonly number[]): Ref {
  const extra = shape.length - x.shape.length;
  return generate(shape, (index) =>
    at(
      x,
      x.shape.map((size, axis) => (size === 1 ? 0 : index[axis + extra]!)),
    ),
  );
}

/** f of corresponding elements, broadcast. */
export function zip(a: Ref, b: Ref, f: (a: number, b: number) => number): Ref {
  return zipAll([a, b], f as (...values: number[]) => number);
}

/** f of corresponding elements of any number of arrays, broadcast. */
export function zipAll(xs: readonly Ref[], f: (...values: number[]) => number): Ref {
  const shape = broadcastShape(...xs.map((x) => x.shape));
  const wide = xs.map((x) => broadcastTo(x, shape));
  return make(shape, (i) => f(...wide.map((x) => x.data[i]!)));
}

export const add = (a: Ref, b: Ref): Ref => zip(a, b, (p, q) => p + q);
export const sub = (a: Ref, b: Ref): Ref => zip(a, b, (p, q) => p - q);
export const mul = (a: Ref, b: Ref): Ref => zip(a, b, (p, q) => p * q);
export const div = (a: Ref, b: Ref): Ref => zip(a, b, (p, q) => p / q);

/** Reduces over axes: `fold` gets the values along them, in row-major order. */
export function reduce(
  x: Ref,
  dim: number | readonly number[] | undefined,
  keepdim: boolean,
  fold: (values: Float64Array) => number,
): Ref {
  const axes = axesOf(dim, x.shape.length);
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const runs = make(kept, () => 0);
  const length = axes.reduce((n, axis) => n * x.shape[axis]!, 1);
  const values = Array.from({ length: runs.data.length }, () => new Float64Array(length));
  const filled = new Array<number>(runs.data.length).fill(0);
  forEachIndex(x.shape, (index, flat) => {
    const run = position(
      kept,
      index.map((i, axis) => (kept[axis] === 1 ? 0 : i)),
    );
    values[run]![filled[run]!++] = x.data[flat]!;
  });
  const shape = keepdim ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
  return make(shape, (i) => fold(values[i]!));
}

export const total = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, v) => sum + v, 0);
export const average = (values: ArrayLike<number>): number => total(values) / values.length;
export const sum = (x: Ref, dim?: number | readonly number[], keepdim = false): Ref => reduce(x, dim, keepdim, total);
export const mean = (x: Ref, dim?: number | readonly number[], keepdim = false): Ref =>
  reduce(x, dim, keepdim, average);

/** Each run along an axis becomes another run (softmax, cumsum, sort, ...), of any one length. */
export function along(x: Ref, dim: number, f: (run: Float64Array) => ArrayLike<number>): Ref {
  if (x.shape.length === 0) return make([], f(x.data));
  const axis = axisOf(dim, x.shape.length);
  const others = x.shape.map((size, i) => (i === axis ? 1 : size));
  let y: Ref | undefined;
  forEachIndex(others, (index) => {
    const where = (j: number) => index.map((i, a) => (a === axis ? j : i));
    const run = f(Float64Array.from({ length: x.shape[axis]! }, (_, j) => at(x, where(j))));
    y ??= make(
      x.shape.map((size, a) => (a === axis ? run.length : size)),
      () => 0,
    );
    for (let j = 0; j < run.length; j++) y.data[position(y.shape, where(j))] = run[j]!;
  });
  return (
    y ??
    make(
      x.shape.map((size, a) => (a === axis ? f(new Float64Array(size)).length : size)),
      () => 0,
    )
  );
}

export function softmax(x: Ref, dim: number): Ref {
  return along(x, dim, (run) => {
    const top = Math.max(...run);
    const powers = run.map((v) => Math.exp(v - top));
    return powers.map((v) => v / total(powers));
  });
}

export function logSoftmax(x: Ref, dim: number): Ref {
  return along(x, dim, (run) => {
    const top = Math.max(...run);
    const rest = Math.log(total(run.map((v) => Math.exp(v - top))));
    return run.map((v) => v - top - rest);
  });
}

export function reshape(x: Ref, shape: readonly number[]): Ref {
  if (count(shape) !== x.data.length) throw new Error(`reference: [${x.shape}] does not fill [${shape}]`);
  return make(shape, x.data);
}

/** Axis i of the result is axis order[i] of x. */
export function permute(x: Ref, order: readonly number[]): Ref {
  const axes = order.map((axis) => axisOf(axis, x.shape.length));
  return generate(
    axes.map((axis) => x.shape[axis]!),
    (index) =>
      at(
        x,
        axes.map((_, axis) => index[axes.indexOf(axis)]!),
      ),
  );
}

export function transpose(x: Ref, dim0: number, dim1: number): Ref {
  const [a, b] = [axisOf(dim0, x.shape.length), axisOf(dim1, x.shape.length)];
  return permute(
    x,
    x.shape.map((_, i) => (i === a ? b : i === b ? a : i)),
  );
}

/** One after another along an axis. */
export function cat(xs: readonly Ref[], dim: number): Ref {
  const axis = axisOf(dim, xs[0]!.shape.length);
  const shape = xs[0]!.shape.map((size, a) => (a === axis ? xs.reduce((n, x) => n + x.shape[axis]!, 0) : size));
  return generate(shape, (index) => {
    let j = index[axis]!;
    for (const x of xs) {
      if (j < x.shape[axis]!)
        return at(
          x,
          index.map((i, a) => (a === axis ? j : i)),
        );
      j -= x.shape[axis]!;
    }
    throw new Error("reference: cat ran past the end");
  });
}

/** Positions j of an axis, in any order and number (indexSelect, slices, flips). */
export function take(x: Ref, dim: number, positions: readonly number[]): Ref {
  const axis = axisOf(dim, x.shape.length);
  return generate(
    x.shape.map((size, a) => (a === axis ? positions.length : size)),
    (index) =>
      at(
        x,
        index.map((i, a) => (a === axis ? positions[i]! : i)),
      ),
  );
}

/** torch.gather: y[…, j, …] = x[…, index[…, j, …], …] along an axis. */
export function gather(x: Ref, dim: number, index: Ref): Ref {
  const axis = axisOf(dim, x.shape.length);
  return generate(index.shape, (i) =>
    at(
      x,
      i.map((p, a) => (a === axis ? at(index, i) : p)),
    ),
  );
}

/** torch.matmul: the last two axes are matrices, the others broadcast; a vector is a row on the left, a column on the right. */
export function matmul(a: Ref, b: Ref): Ref {
  if (a.shape.length === 1) {
    const y = matmul(reshape(a, [1, ...a.shape]), b);
    return reshape(y, b.shape.length === 1 ? [] : [...y.shape.slice(0, -2), y.shape[y.shape.length - 1]!]);
  }
  if (b.shape.length === 1) {
    const y = matmul(a, reshape(b, [...b.shape, 1]));
    return reshape(y, y.shape.slice(0, -1));
  }
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape[b.shape.length - 1]!;
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const wideA = broadcastTo(a, [...batch, m, k]);
  const wideB = broadcastTo(b, [...batch, k, n]);
  const y = make([...batch, m, n], () => 0);
  for (let p = 0; p < count(batch); p++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let q = 0; q < k; q++) sum += wideA.data[(p * m + i) * k + q]! * wideB.data[(p * k + q) * n + j]!;
        y.data[(p * m + i) * n + j] = sum;
      }
    }
  }
  return y;
}
