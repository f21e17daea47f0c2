// Rows of the matrix products: sizes around the tiles, broadcasting, vectors, operands that lie transposed.
import { linear, matmul } from "../../src/index.js";
import * as ref from "../reference.js";
import type { Row } from "./case.js";

const product = (a: readonly number[], b: readonly number[], name = ""): Row => ({
  op: "matmul",
  name,
  inputs: [{ shape: a }, { shape: b }],
  run: (x, y) => matmul(x!, y!),
  reference: (x, y) => ref.matmul(x!, y!),
});

/** As product; the operands may lie transposed in memory. */
const transposed = (a: readonly number[], b: readonly number[], left: boolean, right: boolean): Row => ({
  ...product(a, b),
  inputs: [
    { shape: a, transposed: left },
    { shape: b, transposed: right },
  ],
});

const affine = (x: readonly number[], out: number, bias: boolean, lazyWeight = false): Row => {
  const features = x[x.length - 1]!;
  return {
    op: "linear",
    name: bias ? "" : "without bias",
    inputs: [{ shape: x }, { shape: [out, features], transposed: lazyWeight }, ...(bias ? [{ shape: [out] }] : [])],
    run: (x, w, b) => linear(x!, w!, b),
    reference: (x, w, b) => {
      const y = ref.matmul(x!, ref.transpose(w!, 0, 1));
      return b === undefined ? y : ref.add(y, b);
    },
  };
};

/** Around the kernels' tiles: fewer rows or columns than one, whole ones, one more. */
const sizes: readonly (readonly [m: number, k: number, n: number])[] = [
  [1, 1, 1],
  [1, 5, 1],
  [1, 7, 9],
  [2, 3, 4],
  [3, 4, 5],
  [4, 4, 4],
  [4, 8, 8],
  [5, 9, 7],
  [7, 16, 8],
  [8, 1, 17],
  [9, 17, 1],
  [13, 3, 33],
  [16, 32, 16],
  [17, 31, 15],
  [33, 20, 34],
  [64, 65, 48],
];

export const rows: readonly Row[] = [
  ...sizes.map(([m, k, n]) => product([m, k], [k, n])),
  ...sizes.map(([m, k, n]) => transposed([m, k], [k, n], true, false)),
  ...sizes.map(([m, k, n]) => transposed([m, k], [k, n], false, true)),
  transposed([3, 4], [4, 5], true, true),
  transposed([9, 17], [17, 7], true, true),
  transposed([2, 3, 4], [2, 4, 5], true, false),
  transposed([2, 3, 4], [2, 4, 5], false, true),
  transposed([2, 3, 4], [4, 5], true, false),
  transposed([2, 3, 4], [4, 5], false, true),
  transposed([3, 4], [2, 4, 5], true, true),
  transposed([2, 1, 3, 4], [3, 4, 2], true, true),
  transposed([3, 4], [4], true, false),

  product([5], [5], "vector by vector"),
  product([5], [5, 4], "vector by matrix"),
  product([4, 5], [5], "matrix by vector"),
  product([2, 3, 5], [5], "batch by vector"),
  product([5], [2, 5, 3], "vector by batch"),
  product([3], [2, 2, 3, 4], "vector by batch of two axes"),
  product([2, 3, 4], [2, 4, 5], "batch"),
  product([2, 3, 4], [4, 5], "batch by one matrix"),
  product([3, 4], [2, 4, 5], "one matrix by batch"),
  product([2, 1, 3, 4], [3, 4, 2], "batch axes broadcast"),
  product([2, 1, 3, 4], [1, 3, 4, 2], "batch axes broadcast both ways"),
  product([1, 2, 1, 2, 3], [2, 1, 2, 3, 2], "three batch axes, each way"),
  product([2, 2, 3, 4], [4, 5], "two batch axes by one matrix"),
  product([0, 3], [3, 4], "no rows"),
  product([2, 3], [3, 0], "no columns"),
  product([2, 0], [0, 3], "no terms: zeros"),
  product([0, 2, 3], [3, 4], "no batch"),
  product([0], [0], "empty vectors"),

  affine([4, 3], 5, true),
  affine([4, 3], 5, false),
  affine([3], 4, true),
  affine([3], 4, false),
  affine([2, 4, 3], 5, true),
  affine([2, 2, 2, 3], 1, false),
  affine([1, 17], 9, true),
  affine([9, 8], 17, true),
  affine([4, 3], 5, true, true),
  affine([17, 9], 8, false, true),
  affine([0, 3], 2, true),
  affine([3, 0], 2, true),
];
