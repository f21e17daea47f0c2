// Attention by blocks of 64 queries and 128 keys, and dropout's words, against float64 on the debug build.
import { beforeEach, describe, expect, test } from "vitest";
import { nullPtr } from "../../src/memory/heap.js";
import { words } from "../philox.js";
import { block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

beforeEach(reset);

/** batch, L, S, E, V. */
type Sizes = readonly [number, number, number, number, number];
const sizes: Sizes[] = [
  [1, 1, 1, 1, 1],
  [2, 3, 5, 4, 3],
  [1, 0, 3, 2, 2],
  [1, 3, 0, 2, 2],
  [0, 3, 3, 2, 2],
];
for (const L of [63, 64, 65]) sizes.push([1, L, 20, 5, 7]);
for (const S of [127, 128, 129, 257]) sizes.push([2, 3, S, 8, 9]);
for (let d = 1; d <= 9; d++) sizes.push([1, 7, 17, d, 10 - d]);

describe("attention", () => {
  test.each(sizes)("[%i × %i queries, %i keys, %i, %i]", (batch, L, S, E, V) => {
    for (const causal of [false, true]) {
      reset();
      const next = random(L + S + E);
      const numbers = (n: number) => Float32Array.from({ length: n }, () => next(-1, 1));
      const [q, k, v, g] = [
        numbers(batch * L * E),
        numbers(batch * S * E),
        numbers(batch * S * V),
        numbers(batch * L * V),
      ];
      const [pq, pk, pv, pg] = [floats(q), floats(k), floats(v), floats(g)];
      const [y, lse] = [block(g.length * 4, 4), block(batch * L * 4, 4)];
      const work = block(kernels.attentionScratch(E, V));
      const numbersOf = [batch, L, S, E, V, 0, 1, 1, 0, causal ? 1 : 0, 0.7, 0] as const;
      kernels.attention(pq, pk, pv, nullPtr, y, lse, nullPtr, nullPtr, work, ...numbersOf);
      check();
      const [gq, gk, gv] = [block(q.length * 4, 8), block(k.length * 4, 8), block(v.length * 4, 8)];
      kernels.attentionGrad(pg, pq, pk, pv, nullPtr, y, lse, nullPtr, gq, gk, gv, work, ...numbersOf);
      check();

      const [wy, wq, wk, wv] = [g, q, k, v].map((x) => new Float64Array(x.length)) as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      for (let row = 0; row < batch * L; row++) {
        const b = Math.floor(row / L);
        const keys = causal ? Math.min(S, (row % L) + 1) : S;
        const dot = (a: ArrayLike<number>, i: number, c: ArrayLike<number>, j: number, n: number) => {
          let s = 0;
          for (let e = 0; e < n; e++) s += a[i * n + e]! * c[j * n + e]!;
          return s;
        };
        const w = Array.from({ length: keys }, (_, j) => Math.exp(0.7 * dot(q, row, k, b * S + j, E)));
        const total = w.reduce((s, e) => s + e, 0);
        const gw = w.map((_, j) => dot(g, row, v, b * S + j, V));
        const mean = w.reduce((s, e, j) => s + (e / total) * gw[j]!, 0);
        w.forEach((e, j) => {
          const p = e / total;
          const gs = 0.7 * p * (gw[j]! - mean);
          const key = b * S + j;
          for (let d = 0; d < V; d++) {
            wy[row * V + d]! += p * v[key * V + d]!;
            wv[key * V + d]! += p * g[row * V + d]!;
          }
          for (let d = 0; d < E; d++) {
            wq[row * E + d]! += gs * k[key * E + d]!;
            wk[key * E + d]! += gs * q[row * E + d]!;
          }
        });
      }
      for (const [at, want] of [
        [y, wy],
        [gq, wq],
        [gk, wk],
        [gv, wv],
      ] as const) {
        readFloats(at, want.length).forEach((value, i) => expect(Math.abs(value - want[i]!)).toBeLessThanOrEqual(2e-6));
      }
    }
  });
});

describe("dropout", () => {
  const seeded = (seed: number) => ints([seed, 0, 0, 0, 0, 0, 0, 0]);

  test.each([...Array(18).keys(), 2047, 2048, 2049, 5000])("%i elements", (n) => {
    const x = Float32Array.from({ length: n }, (_, i) => i + 1);
    const drawn = words(5, n);
    const [state, saved, from, y] = [seeded(5), block(64), floats(x), block(n * 4, 4)];
    const want = x.map((v, i) => (drawn[i]! >>> 8 >= 0.25 * 16777216 ? v * 2 + 0.5 : -3));
    kernels.dropout(state, saved, from, y, n, 0.25, 2, 0.5, -3);
    check();
    expect(readFloats(y, n)).toEqual(want);
    // The state has moved on by the blocks used; the words are drawn again from what was saved.
    expect(readInts(state, 3)).toEqual(new Int32Array([5, 0, Math.ceil(n / 4)]));
    for (let again = 0; again < 2; again++) kernels.dropout(nullPtr, saved, from, y, n, 0.25, 2, 0.5, -3);
    check();
    expect(readFloats(y, n)).toEqual(want);
  });

  test("NaN and infinities do not vanish", () => {
    const y = block(12);
    kernels.dropout(seeded(1), block(64), floats([Number.NaN, Number.POSITIVE_INFINITY, 1]), y, 3, 1, 0, 0, 0);
    expect([...readFloats(y, 3)]).toEqual([Number.NaN, Number.NaN, 0]);
  });
});
