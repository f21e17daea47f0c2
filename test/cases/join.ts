// Rows of joining and taking apart: stack, split, chunk, unbind, narrow, repeat, tile, meshgrid, roll.
import { chunk, meshgrid, narrow, repeat, roll, split, stack, tile, unbind } from "../../src/index.js";
import * as ref from "../reference.js";
import { exact, kinds } from "./build.js";
import type { Input, Row } from "./case.js";

type Shape = readonly number[];

/** Positions start … start + length − 1 of an axis. */
const span = (x: ref.Ref, dim: number, start: number, length: number): ref.Ref =>
  ref.take(
    x,
    dim,
    Array.from({ length }, (_, i) => start + i),
  );

/** Pieces of these lengths along an axis. */
function pieces(x: ref.Ref, dim: number, lengths: readonly number[]): ref.Ref[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return span(x, dim, at - length, length);
  });
}

const without = (shape: Shape, axis: number): number[] => shape.filter((_, i) => i !== axis);

const stacked = (n: number, x: Input, dim: number): Row =>
  exact(
    "stack",
    `${n} along ${dim}`,
    new Array<Input>(n).fill(x),
    (...xs) => (dim === 0 ? stack(xs) : stack(xs, { dim })),
    (...xs) => {
      const axis = ref.axisOf(dim, x.shape.length + 1);
      return ref.generate([...x.shape.slice(0, axis), n, ...x.shape.slice(axis)], (index) =>
        ref.at(xs[index[axis]!]!, without(index, axis)),
      );
    },
  );

const cut = (x: Shape | Input, sizes: number | Shape, dim: number, lengths: Shape): Row =>
  exact(
    "split",
    `by ${sizes} along ${dim}`,
    [x],
    (x) => (dim === 0 ? split(x!, sizes) : split(x!, sizes, dim)),
    (x) => pieces(x!, dim, lengths),
  );

const chunked = (x: Shape, chunks: number, dim: number, lengths: Shape): Row =>
  exact(
    "chunk",
    `${chunks} along ${dim}`,
    [x],
    (x) => chunk(x!, chunks, { dim }),
    (x) => pieces(x!, dim, lengths),
  );

const unbound = (x: Input, dim: number): Row =>
  exact(
    "unbind",
    `along ${dim}`,
    [x],
    (x) => unbind(x!, dim),
    (x) => {
      const axis = ref.axisOf(dim, x!.shape.length);
      return Array.from({ length: x!.shape[axis]! }, (_, i) =>
        ref.reshape(span(x!, axis, i, 1), without(x!.shape, axis)),
      );
    },
  );

const narrowed = (x: Shape | Input, dim: number, start: number, length: number, from = start): Row =>
  exact(
    "narrow",
    `${length} from ${start} along ${dim}`,
    [x],
    (x) => narrow(x!, dim, start, length),
    (x) => span(x!, dim, from, length),
  );

/** Every element i of an axis of n · times is element i mod n. */
function repeated(x: ref.Ref, times: Shape): ref.Ref {
  const shape = [...new Array<number>(times.length - x.shape.length).fill(1), ...x.shape];
  const wide = ref.reshape(x, shape);
  return ref.generate(
    shape.map((n, i) => n * times[i]!),
    (index) =>
      ref.at(
        wide,
        index.map((p, i) => p % shape[i]!),
      ),
  );
}

const repeats = (x: Shape | Input, times: Shape): Row =>
  exact(
    "repeat",
    `[${times}]`,
    [x],
    (x) => repeat(x!, times),
    (x) => repeated(x!, times),
    { tolerance: 1e-6 },
  );

const tiles = (x: Shape, times: Shape): Row =>
  exact(
    "tile",
    `[${times}]`,
    [x],
    (x) => tile(x!, times),
    (x) => repeated(x!, [...new Array<number>(Math.max(0, x!.shape.length - times.length)).fill(1), ...times]),
  );

const grids = (lengths: readonly Input[], indexing: "ij" | "xy"): Row =>
  exact(
    "meshgrid",
    indexing,
    lengths,
    (...xs) => (indexing === "ij" ? meshgrid(xs) : meshgrid(xs, { indexing })),
    (...xs) => {
      const sizes = xs.map((x) => x.data.length);
      return xs.map((x, axis) => {
        const grid = ref.generate(sizes, (index) => x.data[index[axis]!]!);
        return indexing === "xy" && xs.length > 1 ? ref.transpose(grid, 0, 1) : grid;
      });
    },
  );

const mod = (i: number, n: number): number => ((i % n) + n) % n;

const rolled = (x: Shape | Input, shifts: number | Shape, dims?: number | Shape): Row =>
  exact(
    "roll",
    `${shifts} along ${dims ?? "all"}`,
    [x],
    (x) => roll(x!, shifts, dims),
    (x) => {
      const by = [shifts].flat() as number[];
      if (dims === undefined) return ref.make(x!.shape, (i) => x!.data[mod(i - by[0]!, x!.data.length)]!);
      const axes = ([dims].flat() as number[]).map((dim) => ref.axisOf(dim, x!.shape.length));
      return ref.generate(x!.shape, (index) =>
        ref.at(
          x!,
          index.map((i, axis) =>
            mod(
              axes.reduce((p, a, k) => (a === axis ? p - by[k]! : p), i),
              x!.shape[axis]!,
            ),
          ),
        ),
      );
    },
  );

export const rows: readonly Row[] = [
  ...kinds([2, 3]).map((x) => stacked(3, x, 0)),
  stacked(2, { shape: [2, 3] }, -1),
  stacked(2, { shape: [2, 3] }, 1),
  stacked(3, { shape: [] }, 0),
  stacked(2, { shape: [0, 3] }, 1),
  stacked(2, { shape: [2, 3], transposed: true }, 0),
  cut([7, 2], 3, 0, [3, 3, 1]),
  cut([2, 6], 2, -1, [2, 2, 2]),
  cut([2, 6], 9, 1, [6]),
  cut([2, 6, 3], [1, 3, 2], 1, [1, 3, 2]),
  cut([5], [0, 5], 0, [0, 5]),
  cut([0, 2], 2, 0, [0]),
  cut({ shape: [4, 3], transposed: true }, 2, 0, [2, 2]),
  ...kinds([6, 2]).map((x) => cut(x, 4, 0, [4, 2])),
  chunked([7], 3, 0, [3, 3, 1]),
  chunked([2, 6], 4, 1, [2, 2, 2]),
  chunked([5, 2], 5, 0, [1, 1, 1, 1, 1]),
  chunked([2, 0], 2, 1, [0, 0]),
  ...kinds([3, 4]).map((x) => unbound(x, 0)),
  unbound({ shape: [2, 3, 4] }, -1),
  unbound({ shape: [2, 3, 4] }, 1),
  unbound({ shape: [4] }, 0),
  narrowed([5, 3], 0, 1, 3),
  narrowed([2, 5, 3], 1, -3, 2, 2),
  narrowed([4], 0, 4, 0),
  narrowed({ shape: [3, 5], transposed: true }, 1, 2, 3),
  repeats([2, 3], [2, 2]),
  repeats([3], [2, 1, 3]),
  repeats([], [3]),
  repeats([2, 3], [1, 0]),
  repeats([1, 2, 1, 2, 1], [2, 1, 3, 2, 1]),
  ...kinds([2, 2]).map((x) => repeats(x, [1, 3])),
  tiles([2, 3], [2]),
  tiles([2, 3], [2, 1]),
  tiles([3], [2, 2]),
  grids([{ shape: [3] }, { shape: [2] }], "ij"),
  grids([{ shape: [3] }, { shape: [2] }, { shape: [4] }], "xy"),
  grids([{ shape: [3] }], "xy"),
  grids(
    [
      { shape: [2], dtype: "i32", low: 0, high: 9 },
      { shape: [3], dtype: "bool" },
    ],
    "ij",
  ),
  ...kinds([5]).map((x) => rolled(x, 2, 0)),
  rolled([3, 4], -1, 1),
  rolled([3, 4], [2, -7], [0, -1]),
  rolled([2, 3, 2], 5),
  rolled([3, 4], [1, 1], [0, 0]),
  rolled([3, 4], 0, 0),
  rolled([0, 4], 3, 0),
  rolled({ shape: [3, 4], transposed: true }, 1, 0),
];
