// Rows of scaled dot-product attention: block edges (64 queries, 128 keys), masks in every broadcast form, dropout.
import { Generator, scaledDotProductAttention } from "../../src/index.js";
import { words } from "../philox.js";
import { at, broadcastTo, generate, map, matmul, softmax, transpose, zip } from "../reference.js";
import type { Input, Ref, Row } from "./case.js";

const op = "scaledDotProductAttention";

/** The formula, with the whole matrix of weights; `takesPart` and `drop` are functions of a weight's multi-index. */
function attention(
  q: Ref,
  k: Ref,
  v: Ref,
  options: {
    scale?: number;
    bias?: Ref | undefined;
    takesPart?: (index: readonly number[]) => boolean;
    drop?: (index: readonly number[], shape: readonly number[]) => number;
  } = {},
): Ref {
  const scale = options.scale ?? 1 / Math.sqrt(q.shape[q.shape.length - 1]!);
  let s = map(matmul(q, transpose(k, -1, -2)), (value) => value * scale);
  if (options.bias) s = zip(s, options.bias, (a, b) => a + b);
  const scores = generate(s.shape, (index) => (options.takesPart?.(index) === false ? -Infinity : at(s, index)));
  let w = softmax(scores, -1);
  // A row without keys is 0/0.
  w = map(w, (value) => (Number.isNaN(value) ? 0 : value));
  if (options.drop) w = generate(w.shape, (index) => at(w, index) * options.drop!(index, w.shape));
  return matmul(w, v);
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
  reference: (a, b, c) => attention(a!, b!, c!, { scale: 0.4, takesPart: (i) => i[i.length - 1]! <= i[i.length - 2]! }),
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
    const wide = broadcastTo(mask!, [...batch, L, S]);
    return attention(q!, k!, v!, { takesPart: (index) => at(wide, index) !== 0 });
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
      drop: (index, shape) => {
        const row = index.slice(0, -1).reduce((flat, i, axis) => flat * shape[axis]! + i, 0);
        const word = drawn[row * stride + index[index.length - 1]!]!;
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
    reference: (q, k, v, mask) => attention(q!, k!, v!, { takesPart: (index) => at(mask!, index) !== 0 }),
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
