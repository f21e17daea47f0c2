// Rows of shape and order: views, strided copies, joining, stretching.
import {
  broadcastTo,
  cat,
  clone,
  expand,
  flatten,
  flip,
  movedim,
  permute,
  reshape,
  type SliceRange,
  slice,
  squeeze,
  swapaxes,
  type Tensor,
  transpose,
  unflatten,
  unsqueeze,
} from "../../src/index.js";
import * as ref from "../reference.js";
import type { Input, Row } from "./case.js";

/** A row of one input, exact; its shape alone says what is special unless a name does. */
function row(
  op: string,
  shape: readonly number[] | Input,
  run: (x: Tensor) => Tensor,
  reference: (x: ref.Ref) => ref.Ref,
  name?: string,
): Row {
  const input: Input = "shape" in shape ? shape : { shape };
  return {
    op,
    ...(name === undefined ? {} : { name }),
    inputs: [input],
    run: (x) => run(x!),
    reference: (x) => reference(x!),
    tolerance: 0,
    ...(input.dtype === undefined ? {} : { gradient: "none" }),
  };
}

const reshaped = (from: readonly number[] | Input, to: readonly number[], want: readonly number[] = to): Row =>
  row(
    "reshape",
    from,
    (x) => reshape(x, to),
    (x) => ref.reshape(x, want),
    `to [${to}]`,
  );

const permuted = (shape: readonly number[] | Input, order: readonly number[]): Row =>
  row(
    "permute",
    shape,
    (x) => permute(x, order),
    (x) => ref.permute(x, order),
    `(${order})`,
  );

const swapped = (shape: readonly number[] | Input, a: number, b: number): Row =>
  row(
    "transpose",
    shape,
    (x) => transpose(x, a, b),
    (x) => ref.transpose(x, a, b),
    `(${a}, ${b})`,
  );

/** Positions that Python's start:end:step picks of n, found by walking. */
export function positions(range: SliceRange | undefined, n: number): number[] {
  const [start, end, step = 1] = range ?? [];
  const from = (p: number) => (p < 0 ? p + n : p);
  const picked: number[] = [];
  if (step > 0) {
    const last = end === null || end === undefined ? n : from(end);
    for (let i = Math.max(0, from(start ?? 0)); i < Math.min(n, last); i += step) picked.push(i);
  } else {
    const last = end === null || end === undefined ? -1 : from(end);
    for (let i = Math.min(n - 1, from(start ?? n - 1)); i > Math.max(-1, last); i += step) picked.push(i);
  }
  return picked;
}

const sliced = (shape: readonly number[] | Input, ranges: readonly SliceRange[]): Row =>
  row(
    "slice",
    shape,
    (x) => slice(x, ranges),
    (x) => x.shape.reduce((y, n, axis) => ref.take(y, axis, positions(ranges[axis], n)), x),
    JSON.stringify(ranges),
  );

const expanded = (shape: readonly number[] | Input, to: readonly number[], want: readonly number[] = to): Row =>
  row(
    "expand",
    shape,
    (x) => expand(x, to),
    (x) => ref.broadcastTo(x, want),
    `to [${to}]`,
  );

const flipped = (shape: readonly number[] | Input, dims: number | readonly number[]): Row =>
  row(
    "flip",
    shape,
    (x) => flip(x, dims),
    (x) => {
      const axes = Array.isArray(dims) && dims.length === 0 ? [] : ref.axesOf(dims, x.shape.length);
      return ref.generate(x.shape, (index) =>
        ref.at(
          x,
          index.map((i, axis) => (axes.includes(axis) ? x.shape[axis]! - 1 - i : i)),
        ),
      );
    },
    `along ${dims}`,
  );

const unflattened = (shape: readonly number[] | Input, dim: number, sizes: readonly number[], want = sizes): Row =>
  row(
    "unflatten",
    shape,
    (x) => unflatten(x, dim, sizes),
    (x) => {
      const axis = ref.axisOf(dim, x.shape.length);
      return ref.reshape(x, [...x.shape.slice(0, axis), ...want, ...x.shape.slice(axis + 1)]);
    },
    `axis ${dim} to [${sizes}]`,
  );

/** The order that results is written out: which axis of x stands where. */
const moved = (
  shape: readonly number[] | Input,
  source: number | readonly number[],
  destination: number | readonly number[],
  order: readonly number[],
): Row =>
  row(
    "movedim",
    shape,
    (x) => movedim(x, source, destination),
    (x) => ref.permute(x, order),
    `(${source}) to (${destination})`,
  );

const joined = (inputs: readonly (readonly number[])[], dim: number, dtype?: "i32" | "bool"): Row => ({
  op: "cat",
  name: `along ${dim}${dtype === undefined ? "" : ` ${dtype}`}`,
  inputs: inputs.map((shape) => ({ shape, ...(dtype === undefined ? {} : { dtype }) })),
  run: (...xs) => (dim === 0 ? cat(xs) : cat(xs, dim)),
  reference: (...xs) => ref.cat(xs, dim),
  tolerance: 0,
  ...(dtype === undefined ? {} : { gradient: "none" }),
});

const labels: Input = { shape: [2, 3, 4], dtype: "i32", low: -50, high: 50 };
const flags: Input = { shape: [2, 3, 4], dtype: "bool" };
/** A tensor whose last two axes lie swapped in memory. */
const lazy: Input = { shape: [2, 3, 4], transposed: true };

export const rows: readonly Row[] = [
  ...[[3, 5], [], [0, 2], [17]].map((shape) => row("clone", shape, clone, (x) => x)),
  row("clone", labels, clone, (x) => x, "i32"),
  row("clone", lazy, clone, (x) => x),

  reshaped([2, 6], [3, 4]),
  reshaped([2, 6], [-1], [12]),
  reshaped([2, 3, 4], [4, -1, 2], [4, 3, 2]),
  reshaped([1], []),
  reshaped([], [1, 1]),
  reshaped([0, 4], [2, 0]),
  reshaped(labels, [24]),
  reshaped(flags, [6, 4]),
  reshaped(lazy, [6, 4]),

  row(
    "flatten",
    [2, 3, 4],
    (x) => flatten(x),
    (x) => ref.reshape(x, [24]),
  ),
  row(
    "flatten",
    [2, 3, 4],
    (x) => flatten(x, 1),
    (x) => ref.reshape(x, [2, 12]),
    "from 1",
  ),
  row(
    "flatten",
    [2, 3, 4, 2],
    (x) => flatten(x, -3, -2),
    (x) => ref.reshape(x, [2, 12, 2]),
    "from -3 to -2",
  ),
  row(
    "flatten",
    [],
    (x) => flatten(x),
    (x) => ref.reshape(x, [1]),
  ),
  row(
    "flatten",
    labels,
    (x) => flatten(x, 0, 1),
    (x) => ref.reshape(x, [6, 4]),
    "i32",
  ),

  row(
    "squeeze",
    [1, 3, 1, 2],
    (x) => squeeze(x),
    (x) => ref.reshape(x, [3, 2]),
  ),
  row(
    "squeeze",
    [1, 3, 1, 2],
    (x) => squeeze(x, -2),
    (x) => ref.reshape(x, [1, 3, 2]),
    "-2",
  ),
  row(
    "squeeze",
    [1, 3],
    (x) => squeeze(x, 1),
    (x) => x,
    "an axis that is not 1",
  ),
  row(
    "squeeze",
    [1, 1],
    (x) => squeeze(x),
    (x) => ref.reshape(x, []),
  ),
  row(
    "unsqueeze",
    [2, 3],
    (x) => unsqueeze(x, 0),
    (x) => ref.reshape(x, [1, 2, 3]),
    "0",
  ),
  row(
    "unsqueeze",
    [2, 3],
    (x) => unsqueeze(x, -1),
    (x) => ref.reshape(x, [2, 3, 1]),
    "-1",
  ),
  row(
    "unsqueeze",
    [2, 3],
    (x) => unsqueeze(x, -2),
    (x) => ref.reshape(x, [2, 1, 3]),
    "-2",
  ),
  row(
    "unsqueeze",
    [],
    (x) => unsqueeze(x, 0),
    (x) => ref.reshape(x, [1]),
    "a number",
  ),

  swapped([3, 5], 0, 1),
  swapped([2, 3, 4], -1, -2),
  swapped([2, 3, 4], 0, 2),
  swapped([2, 3, 4], 1, 0),
  swapped([2, 3, 4], 1, 1),
  swapped([1, 7], 0, 1),
  swapped([0, 3], 0, 1),
  swapped(labels, 1, 2),
  swapped(flags, 0, 1),
  swapped(lazy, -1, -2),
  swapped(lazy, 0, 1),

  permuted([3, 5], [1, 0]),
  permuted([2, 3, 4], [2, 0, 1]),
  permuted([2, 3, 4], [0, -1, 1]),
  permuted([2, 3, 4], [0, 1, 2]),
  permuted([2, 3, 2, 4], [3, 1, 0, 2]),
  permuted([2, 2, 3, 2, 2], [4, 2, 0, 3, 1]),
  permuted([2, 1, 2, 2, 1, 3], [5, 3, 1, 0, 2, 4]),
  permuted([17, 9], [1, 0]),
  permuted([], []),
  permuted([0, 2, 3], [2, 1, 0]),
  permuted(labels, [2, 1, 0]),
  permuted(flags, [1, 2, 0]),

  sliced([6, 3], [[1, 4]]),
  sliced([6, 3], [[-2]]),
  sliced([6, 3], [null, [1]]),
  sliced(
    [6, 5],
    [
      [4, 0, -2],
      [null, null, 2],
    ],
  ),
  sliced([7], [[null, null, -1]]),
  sliced([7], [[-100, 100, 3]]),
  sliced([7], [[5, 2]]),
  sliced([4, 3, 5], [null, null, [1, -1]]),
  sliced([4, 3, 5], [[0, 4, 3], null, [4, null, -4]]),
  sliced([2, 3, 2, 3, 2], [null, [1], null, [0, 3, 2], [1]]),
  sliced([3, 4], []),
  sliced([2, 3], [null, [null, null, -1]]),
  sliced([1, 4], [[0, 1, 2]]),
  sliced([0, 4], [null, [1, 3]]),
  sliced(labels, [null, [1], [0, 4, 3]]),
  sliced(flags, [[1]]),
  sliced(lazy, [[1], [0, 2]]),
  sliced({ shape: [3, 4], transposed: true }, [[1, 3]]),
  permuted(lazy, [2, 0, 1]),
  expanded({ shape: [3, 1], transposed: true }, [3, 4]),

  joined([[2, 3]], 0),
  joined(
    [
      [2, 3],
      [1, 3],
      [4, 3],
    ],
    0,
  ),
  joined(
    [
      [2, 3],
      [2, 1],
    ],
    1,
  ),
  joined(
    [
      [2, 1, 3],
      [2, 4, 3],
    ],
    -2,
  ),
  joined([[3], [0], [2]], 0),
  joined(
    [
      [2, 3, 2],
      [2, 3, 5],
    ],
    -1,
  ),
  joined(
    [
      [2, 3],
      [1, 3],
    ],
    0,
    "i32",
  ),
  joined(
    [
      [2, 3],
      [2, 2],
    ],
    1,
    "bool",
  ),
  row(
    "cat",
    [2, 3],
    (x) => cat([x, x], { dim: 1 }),
    (x) => ref.cat([x, x], 1),
    "a tensor twice",
  ),
  {
    ...joined(
      [
        [2, 3],
        [2, 3],
      ],
      0,
    ),
    inputs: [
      { shape: [2, 3], transposed: true },
      { shape: [2, 3], transposed: true },
    ],
  },

  expanded([3, 1], [3, 4]),
  expanded([1, 3], [2, 5, 3]),
  expanded([3, 1], [2, -1, 4], [2, 3, 4]),
  expanded([], [2, 3]),
  expanded([3], [3]),
  expanded([1, 2, 1, 2, 1], [2, 2, 3, 2, 2]),
  expanded([1, 2], [0, 2]),
  expanded({ ...labels, shape: [2, 1] }, [2, 3]),
  expanded({ ...flags, shape: [1, 3] }, [4, 3]),

  flipped([5], 0),
  flipped([3, 4], [0, 1]),
  flipped([3, 4], -1),
  flipped([2, 3, 4], [2, 0]),
  flipped([3, 4], []),
  flipped([0, 3], 1),
  flipped([], 0),
  flipped(labels, 1),
  flipped(flags, [0, 2]),
  flipped(lazy, 1),

  unflattened([2, 12], 1, [3, 4]),
  unflattened([12, 2], 0, [2, -1, 3], [2, 2, 3]),
  unflattened([4], -1, [4]),
  unflattened({ ...labels, shape: [6, 2] }, 0, [2, 3]),

  moved([2, 3, 4], 0, 2, [1, 2, 0]),
  moved([2, 3, 4], -1, 0, [2, 0, 1]),
  moved([2, 3, 4, 5], [0, 1], [3, 0], [1, 2, 3, 0]),
  moved([2, 3], 1, 1, [0, 1]),
  moved([], 0, 0, []),
  moved(labels, [2, 0], [0, 1], [2, 0, 1]),

  row(
    "swapaxes",
    [2, 3, 4],
    (x) => swapaxes(x, 0, -1),
    (x) => ref.transpose(x, 0, 2),
  ),
  row(
    "swapaxes",
    flags,
    (x) => swapaxes(x, 1, 2),
    (x) => ref.transpose(x, 1, 2),
  ),
  row(
    "broadcastTo",
    [3, 1],
    (x) => broadcastTo(x, [2, 3, 4]),
    (x) => ref.broadcastTo(x, [2, 3, 4]),
  ),
  row(
    "broadcastTo",
    labels,
    (x) => broadcastTo(x, [2, 2, 3, 4]),
    (x) => ref.broadcastTo(x, [2, 2, 3, 4]),
  ),
];
