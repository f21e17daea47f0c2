// Weighted sums along axes, by tables on the host: interpolation, averages over windows of any kind. Linear in x, and the
// transpose is of the same kind, so that gradients of any order are at hand.
import { extra } from "../kernels/index.js";
import { heap, word } from "../memory/index.js";
import { aroundAxis } from "../shape.js";
import { goesWith, record } from "../tape/index.js";
import { allocate, ptr, type Tensor } from "../tensor/index.js";

/** What each of the m results along an axis of n is made of: up to `taps` elements of x with weights. */
export interface Taps {
  readonly axis: number;
  readonly n: number;
  readonly m: number;
  readonly taps: number;
  /** `[m, taps]`, terms of weight 0 are left out. */
  readonly index: Tensor;
  readonly weight: Tensor;
}

/** A table from a function that lists the terms of result j. */
export function tapsOf(
  axis: number,
  n: number,
  m: number,
  terms: (j: number) => readonly (readonly [index: number, weight: number])[],
): Taps {
  const lists = Array.from({ length: m }, (_, j) => terms(j));
  const taps = lists.reduce((most, list) => Math.max(most, list.length), 1);
  const index = allocate([m, taps], "i32", "resample");
  const weight = allocate([m, taps], "f32", "resample");
  const indices = heap.i32.fill(0, word(ptr(index)), word(ptr(index)) + m * taps);
  const weights = heap.f32.fill(0, word(ptr(weight)), word(ptr(weight)) + m * taps);
  lists.forEach((list, j) => {
    list.forEach(([i, w], t) => {
      indices[word(ptr(index)) + j * taps + t] = i;
      weights[word(ptr(weight)) + j * taps + t] = w;
    });
  });
  return { axis, n, m, taps, index, weight };
}

/** y of x, one axis after another, or with `adjoint` x of y. The tables live as long as the result can be differentiated. */
export function resample(name: string, x: Tensor, tables: readonly Taps[]): Tensor {
  const y = walk(name, x, tables, false);
  for (const { index, weight } of tables) {
    goesWith(y, index);
    goesWith(y, weight);
  }
  return y;
}

function walk(name: string, x: Tensor, tables: readonly Taps[], adjoint: boolean): Tensor {
  let from = x;
  for (const { axis, n, m, taps, index, weight } of adjoint ? [...tables].reverse() : tables) {
    const source = ptr(from);
    const shape = from.shape.slice();
    shape[axis] = adjoint ? n : m;
    const [outer, , inner] = aroundAxis(shape, axis);
    const to = allocate(shape, "f32", name);
    extra().resample(source, ptr(index), ptr(weight), ptr(to), outer, n, m, inner, taps, Number(adjoint));
    if (from !== x) from.release(`within ${name}()`);
    from = to;
  }
  return record(name, from, [[x, (gy) => walk(`${name}'s gradient`, gy, tables, !adjoint)]]);
}
