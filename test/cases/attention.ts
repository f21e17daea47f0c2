// Rows of scaled dot-product attention: block edges (64 queries, 128 keys), masks in every broadcast form, dropout.
import { Generator, scaledDotProductAttention } from "../../src/index.js";
import { words } from "../philox.js";
import { broadcastShape, broadcastTo, count, make } from "../reference.js";
import type { Input, Ref, Row } from "./case.js";

const op = "scaledDotProductAttention";

interface Options {
  readonly scale?: number;
  readonly bias?: Ref | undefined;
  /** Whether key j takes part for query i of an item of the batch. */
  readonly takesPart?: (item: number, i: number, j: number) => boolean;
  /** Factor of a weight. */
  readonly drop?: (item: number, i: number, j: number) => number;
}

/** The formula, query by query. In flat loops: rows that span blocks are evaluated many times. */
function attention(query: Ref, key: Ref, value: Ref, { scale, bias, takesPart, drop }: Options = {}): Ref {
  const [L, E] = query.shape.slice(-2) as [number, number];
  const [S, V] = value.shape.slice(-2) as [number, number];
  const batch = broadcastShape(...[query, key, value].map((x) => x.shape.slice(0, -2)));
  const [q, k, v] = [query, key, value].map((x) => broadcastTo(x, [...batch, ...x.shape.slice(-2)]).data) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const by = scale ?? 1 / Math.sqrt(E);
  const added = bias && broadcastTo(bias, [...batch, L, S]).data;
  const y = make([...batch, L, V], () => 0);
  const w = new Float64Array(S);
  for (let item = 0; item < count(batch); item++) {
    for (let i = 0; i < L; i++) {
      const row = item * L + i;
      let top = -Infinity;
      for (let j = 0; j < S; j++) {
        let s = 0;
        for (let e = 0; e < E; e++) s += q[row * E + e]! * k[(item * S + j) * E + e]!;
        w[j] = takesPart?.(item, i, j) === false ? -Infinity : s * by + (added ? added[row * S + j]! : 0);
        top = Math.max(top, w[j]!);
      }
      if (top === -Infinity) continue; // no key takes part
      let total = 0;
      for (let j = 0; j < S; j++) total += w[j] = Math.exp(w[j]! - top);
      for (let j = 0; j < S; j++) {
        const weight = (w[j]! / total) * (drop?.(item, i, j) ?? 1);
        for (let d = 0; d < V; d++) y.data[row * V + d]! += weight * v[(item * S + j) * V + d]!;
      }
    }
  }
  return y;
}

const plain = (name: string, q: readonly number[], k: readonly number[], v: readonly number[]): Row => ({
  op,
  name,
  inputs: [{ shape: q }, { shape: k }, { shape: v }],
  run: (a, b, c) => scaledDotProductAttention(a!, b!, c!),
  reference: (a, b, c) => attention(a!, b!, c!),
});
const causal = (q: readonly number[], k: readonly number[], v: readonly number[]): Row => ({
  op,
  name: "causal",
  inputs: [{ shape: q }, { shape: k }, { shape: v }],
  run: (a, b, c) => scaledDotProductAttention(a!, b!, c!, { isCausal: true, scale: 0.4 }),
  reference: (a, b, c) => attention(a!, b!, c!, { scale: 0.4, takesPart: (_, i, j) => j <= i }),
});

const batch = [2, 3];
const [L, S] = [5, 7];
const operands: readonly Input[] = [
  { shape: [...batch, L, 4] },
  { shape: [...batch, S, 4] },
  { shape: [...batch, S, 3] },
];
const masks: readonly (readonly number[])[] = [
  ...[[L, S], [S], [2, 1, 1, S], [1, 3, L, S], [2, 1, L, S], [2, 3, L, S], [2, 3, L, 1], [3, 1, S], []],
];
const boolRow = (shape: readonly number[]): Row => ({
  op,
  name: "bool mask",
  inputs: [...operands, { shape, dtype: "bool" }],
  run: (q, k, v, mask) => scaledDotProductAttention(q!, k!, v!, mask!),
  reference: (q, k, v, mask) => {
    const wide = broadcastTo(mask!, [...batch, L, S]).data;
    return attention(q!, k!, v!, { takesPart: (item, i, j) => wide[(item * L + i) * S + j] !== 0 });
  },
});
const floatRow = (shape: readonly number[], constant: boolean): Row => ({
  op,
  name: constant ? "float mask" : "float mask with a gradient",
  inputs: [...operands, { shape, constant }],
  run: (q, k, v, mask) => scaledDotProductAttention(q!, k!, v!, { attnMask: mask! }),
  reference: (q, k, v, mask) => attention(q!, k!, v!, { bias: mask }),
});

const seed = 3;
const p = 0.3;
const dropping = (q: readonly number[], k: readonly number[], v: readonly number[]): Row => ({
  op,
  name: "dropout",
  inputs: [{ shape: q }, { shape: k }, { shape: v }],
  run: (a, b, c) => {
    const generator = new Generator(seed);
    try {
      return scaledDotProductAttention(a!, b!, c!, { dropoutP: p, generator });
    } finally {
      generator.dispose();
    }
  },
  reference: (a, b, c) => {
    // Rows of words begin at multiples of four.
    const stride = Math.ceil(k[k.length - 2]! / 4) * 4;
    const rows = q.slice(0, -1).reduce((n, size) => n * size, 1);
    const drawn = words(seed, rows * stride);
    return attention(a!, b!, c!, {
      drop: (item, i, j) => {
        const word = drawn[(item * q[q.length - 2]! + i) * stride + j]!;
        return word >>> 8 >= Math.ceil(Math.fround(p) * 16777216) ? 1 / (1 - p) : 0;
      },
    });
  },
});

export const rows: readonly Row[] = [
  plain("one head", [5, 4], [7, 4], [7, 3]),
  plain("one query", [2, 1, 8], [2, 9, 8], [2, 9, 8]),
  plain("one key", [2, 3, 4], [2, 1, 4], [2, 1, 5]),
  plain("one feature", [3, 1], [4, 1], [4, 1]),
  plain("blocks", [66, 2], [131, 2], [131, 1]),
  plain("broadcast batch", [2, 1, 4, 3], [3, 5, 3], [1, 5, 2]),
  plain("no queries", [2, 0, 4], [2, 3, 4], [2, 3, 4]),
  plain("no keys", [2, 3, 4], [2, 0, 4], [2, 0, 4]),
  causal([2, 6, 4], [2, 6, 4], [2, 6, 4]),
  causal([9, 4], [5, 4], [5, 4]),
  causal([4, 4], [9, 4], [9, 4]),
  causal([130, 2], [130, 2], [130, 1]),
  ...masks.map(boolRow),
  ...masks.map((shape) => floatRow(shape, true)),
  ...[
    [L, S],
    [2, 1, 1, S],
    [3, L, 1],
  ].map((shape) => floatRow(shape, false)),
  {
    op,
    name: "a row without keys",
    inputs: [
      { shape: [3, 4] },
      { shape: [2, 4] },
      { shape: [2, 4] },
      { shape: [3, 2], dtype: "bool", values: [1, 0, 0, 0, 1, 1] },
    ],
    run: (q, k, v, mask) => scaledDotProductAttention(q!, k!, v!, mask!),
    reference: (q, k, v, mask) => attention(q!, k!, v!, { takesPart: (_, i, j) => mask!.data[2 * i + j] !== 0 }),
  },
  {
    op,
    name: "large scores",
    inputs: [{ shape: [4, 3] }, { shape: [140, 3] }, { shape: [140, 2] }],
    run: (q, k, v) => scaledDotProductAttention(q!, k!, v!, null, { scale: 30 }),
    reference: (q, k, v) => attention(q!, k!, v!, { scale: 30 }),
    gradient: "none",
    reason: "differences of such steep functions say nothing; other rows check the gradient",
    tolerance: 1e-3, // scores of 100 are rounded to 1e-5
  },
  dropping([5, 4], [7, 4], [7, 3]),
  dropping([2, 2, 3, 4], [2, 2, 6, 4], [2, 2, 6, 3]),
  dropping([66, 1], [131, 1], [131, 2]),
];
