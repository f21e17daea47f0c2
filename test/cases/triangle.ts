// Rows of triangles and diagonals.
import { type DiagonalOptions, diag, diagonal, tril, triu } from "../../src/index.js";
import * as ref from "../reference.js";
import { exact, kinds } from "./build.js";
import type { Input, Row } from "./case.js";

type Shape = readonly number[];

const triangles = (x: Shape | Input, k: number): Row[] =>
  [tril, triu].map((op) =>
    exact(
      op.name,
      `${k}`,
      [x],
      (x) => (k === 0 ? op(x!) : k > 0 ? op(x!, { diagonal: k }) : op(x!, k)),
      (x) =>
        ref.generate(x!.shape, (index) => {
          const [i, j] = index.slice(-2) as [number, number];
          return (op === tril ? j - i <= k : j - i >= k) ? ref.at(x!, index) : 0;
        }),
    ),
  );

const special: Input = {
  shape: [2, 3],
  values: [Number.NaN, Number.POSITIVE_INFINITY, Number.NaN, -0, 1, Number.NEGATIVE_INFINITY],
};

const embedded = (x: Shape | Input, k: number): Row =>
  exact(
    "diag",
    `of a vector, ${k}`,
    [x],
    (x) => diag(x!, k),
    (x) => {
      const n = x!.data.length + Math.abs(k);
      return ref.generate([n, n], ([i, j]) => (j! - i! === k ? x!.data[Math.min(i!, j!)]! : 0));
    },
  );

/** The diagonal of axes a and b as the last axis. */
function diagonalOf(x: ref.Ref, k: number, a: number, b: number): ref.Ref {
  const [rows, columns] = [x.shape[a]!, x.shape[b]!];
  let n = 0;
  while (n + Math.max(0, -k) < rows && n + Math.max(0, k) < columns) n++;
  const rest = x.shape.map((_, i) => i).filter((i) => i !== a && i !== b);
  return ref.generate([...rest.map((i) => x.shape[i]!), n], (index) => {
    const at = new Array<number>(x.shape.length);
    rest.forEach((axis, i) => {
      at[axis] = index[i]!;
    });
    at[a] = index[rest.length]! + Math.max(0, -k);
    at[b] = index[rest.length]! + Math.max(0, k);
    return ref.at(x, at);
  });
}

const taken = (x: Shape | Input, k: number): Row =>
  exact(
    "diag",
    `of a matrix, ${k}`,
    [x],
    (x) => diag(x!, { diagonal: k }),
    (x) => diagonalOf(x!, k, 0, 1),
  );

const diagonals = (x: Shape | Input, options: DiagonalOptions): Row =>
  exact(
    "diagonal",
    JSON.stringify(options),
    [x],
    (x) => diagonal(x!, options),
    (x) => {
      const { offset = 0, dim1 = 0, dim2 = 1 } = options;
      const rank = x!.shape.length;
      return diagonalOf(x!, offset, ref.axisOf(dim1, rank), ref.axisOf(dim2, rank));
    },
  );

export const rows: readonly Row[] = [
  ...kinds([3, 4]).flatMap((x) => triangles(x, 0)),
  ...[-5, -2, 1, 3, 9].flatMap((k) => triangles([4, 3], k)),
  ...[-2147483648, 2147483647].flatMap((k) => triangles([2, 3], k)),
  ...triangles([2, 3, 3], 1),
  ...triangles([0, 3], 0),
  ...triangles([3, 0], 0),
  ...triangles([1, 1], 0),
  ...triangles({ shape: [3, 4], transposed: true }, -1),
  ...triangles(special, 0).map((row): Row => ({ ...row, gradient: "none", reason: "special values" })),
  ...[0, 2, -1].flatMap((k) => [embedded([3], k), taken([3, 4], k), taken([4, 2], k)]),
  embedded([0], 1),
  taken([2, 3], 7),
  ...kinds([3]).map((x) => embedded(x, 1)),
  diagonals([3, 4], {}),
  diagonals([2, 3, 4], { offset: 1, dim1: 1, dim2: 2 }),
  diagonals([2, 3, 4], { offset: -1, dim1: -1, dim2: 0 }),
  diagonals([3, 2, 3, 2], { dim1: 0, dim2: 2 }),
  diagonals([2, 2], { offset: -3 }),
  diagonals({ shape: [3, 4], transposed: true }, { offset: 1 }),
];
