// Rows of einsum, the vector products and the decompositions.
import { bmm, dot, eigh, einsum, matmul, outer, qr, scope, svd, type Tensor } from "../../src/index.js";
import * as ref from "../reference.js";
import type { Ref, Row } from "./case.js";

/** Einsum by its definition: every combination of the letters' values. `...` is written out as digits by the row. */
function summed(equation: string, ...operands: readonly Ref[]): Ref {
  const [inputs, output] = equation.split("->") as [string, string];
  const terms = inputs.split(",").map((term) => [...term]);
  const sizes = new Map<string, number>();
  for (const [i, term] of terms.entries()) {
    for (const [axis, letter] of term.entries()) {
      if ((sizes.get(letter) ?? 1) === 1) sizes.set(letter, operands[i]!.shape[axis]!);
    }
  }
  const letters = [...sizes.keys()];
  const shape = [...output].map((letter) => sizes.get(letter)!);
  const data = new Float64Array(ref.count(shape));
  const all = letters.map((letter) => sizes.get(letter)!);
  ref.forEachIndex(all, (index) => {
    const chosen = (letter: string) => index[letters.indexOf(letter)]!;
    let product = 1;
    for (const [i, term] of terms.entries()) {
      const { shape: own } = operands[i]!;
      product *= ref.at(
        operands[i]!,
        term.map((letter, axis) => (own[axis] === 1 ? 0 : chosen(letter))),
      );
    }
    data[ref.position(shape, [...output].map(chosen))]! += product;
  });
  return { shape, data };
}

const summation = (equation: string, written: string, ...shapes: readonly (readonly number[])[]): Row => ({
  op: "einsum",
  name: equation,
  inputs: shapes.map((shape) => ({ shape })),
  run: (...xs) => einsum(equation, ...xs),
  reference: (...xs) => summed(written, ...xs),
});

const same = (equation: string, ...shapes: readonly (readonly number[])[]): Row =>
  summation(equation, equation, ...shapes);

/** Decompositions are compared as what they multiply to, and by the orthonormality of their factors. */
const decomposed = (op: "qr" | "svd" | "eigh", shape: readonly [number, number], name = ""): Row => {
  const k = Math.min(...shape);
  const gram = (x: Tensor) => matmul(x.transpose(0, 1), x);
  const symmetric = (x: Ref) => ref.add(x, ref.transpose(x, 0, 1));
  return {
    op,
    name: `${name}${shape.join("x")}`,
    inputs: [{ shape, constant: true }],
    gradient: "none",
    reason: "decomposed on the host",
    tolerance: 2e-5,
    run: (x) =>
      scope(() => {
        if (op === "qr") {
          const { q, r } = qr(x!);
          return [matmul(q, r), gram(q), r];
        }
        if (op === "eigh") {
          const { values, vectors } = eigh(x!.add(x!.transpose(0, 1)));
          return [matmul(vectors.mul(values), vectors.transpose(0, 1)), gram(vectors)];
        }
        const { u, s, vh } = svd(x!);
        return [matmul(u.mul(s), vh), gram(u), gram(vh.transpose(0, 1))];
      }),
    reference: (x) => {
      const identity = ref.generate([k, k], ([i, j]) => (i === j ? 1 : 0));
      if (op === "eigh") return [symmetric(x!), identity];
      if (op === "svd") return [x!, identity, identity];
      return [x!, identity, triangular(x!)];
    },
  };
};

/** R of x by Gram-Schmidt, with the signs of Householder's: r_ii opposite to the sign of what it reflects. */
function triangular(x: Ref): Ref {
  const [rows, columns] = x.shape as [number, number];
  const k = Math.min(rows, columns);
  const a = Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => x.data[i * columns + j]!));
  const r = Array.from({ length: k }, () => new Array<number>(columns).fill(0));
  for (let j = 0; j < k; j++) {
    const below = a.slice(j).map((row) => row[j]!);
    if (below.length > 1) {
      const norm = Math.hypot(...below);
      const v = below.slice();
      v[0]! += v[0]! >= 0 ? norm : -norm;
      const vv = v.reduce((n, value) => n + value * value, 0);
      for (let c = 0; c < columns; c++) {
        const dotted = v.reduce((n, value, i) => n + value * a[j + i]![c]!, 0);
        for (const [i, value] of v.entries()) a[j + i]![c]! -= (2 * value * dotted) / vv;
      }
    }
    for (let c = j; c < columns; c++) r[j]![c] = a[j]![c]!;
  }
  return ref.make([k, columns], r.flat());
}

export const rows: readonly Row[] = [
  same("ij,jk->ik", [3, 4], [4, 5]),
  summation("ij,jk", "ij,jk->ik", [3, 4], [4, 2]),
  same("bij,bjk->bik", [2, 3, 4], [2, 4, 3]),
  same("bhqd,bhkd->bhqk", [2, 2, 3, 4], [2, 2, 5, 4]),
  same("ij,kj->ik", [3, 4], [5, 4]),
  same("i,j->ij", [3], [4]),
  same("i,i->", [5], [5]),
  same("ij->ji", [3, 4]),
  same("ij->j", [3, 4]),
  same("ii->", [4, 4]),
  same("ii->i", [4, 4]),
  same("iji->j", [3, 2, 3]),
  same("ij,ij->ij", [3, 4], [3, 4]),
  same("ij,jk,kl->il", [2, 3], [3, 4], [4, 2]),
  same("i,ij,j->", [3], [3, 4], [4]),
  same("ijk,il->kl", [3, 2, 4], [3, 5]),
  same("ij,jk->ik", [1, 4], [4, 1]),
  same("ij,ij->i", [1, 4], [3, 4]),
  summation("...ij,...jk->...ik", "01ij,01jk->01ik", [2, 2, 3, 4], [2, 2, 4, 3]),
  summation("...i,i->...", "0i,i->0", [3, 4], [4]),
  summation("i...->...", "i01->01", [3, 2, 2]),
  same("ij,jk->ik", [0, 4], [4, 5]),
  same("ij,jk->ik", [3, 0], [0, 5]),
  ...[1, 4, 17].map(
    (n): Row => ({
      op: "dot",
      inputs: [{ shape: [n] }, { shape: [n] }],
      run: (a, b) => dot(a!, b!),
      reference: (a, b) => ref.sum(ref.mul(a!, b!)),
    }),
  ),
  {
    op: "outer",
    inputs: [{ shape: [3] }, { shape: [5] }],
    run: (a, b) => outer(a!, b!),
    reference: (a, b) => ref.mul(ref.reshape(a!, [3, 1]), b!),
  },
  {
    op: "bmm",
    inputs: [{ shape: [2, 3, 4] }, { shape: [2, 4, 5] }],
    run: (a, b) => bmm(a!, b!),
    reference: (a, b) => ref.matmul(a!, b!),
  },
  decomposed("qr", [4, 4]),
  decomposed("qr", [6, 3]),
  decomposed("qr", [3, 6]),
  decomposed("qr", [1, 1]),
  decomposed("svd", [4, 4]),
  decomposed("svd", [7, 3]),
  decomposed("svd", [3, 7]),
  decomposed("eigh", [5, 5]),
  decomposed("eigh", [1, 1]),
];
