// Running sums and products, the reductions made of them, and histograms, against float64, between canaries.
import { beforeEach, describe, expect, test } from "vitest";
import { block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

beforeEach(reset);

const lengths = [...Array(18).keys(), 100];

/** What each operation makes of a total and the next value. */
const steps: readonly ((total: number, v: number) => number)[] = [
  (t, v) => t + v,
  (t, v) => t * v,
  (t, v) => (t + v) | 0,
  (t, v) => Math.imul(t, v),
  Math.max,
  Math.min,
];
const starts = [0, 1, 0, 1, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

describe("scan", () => {
  test.each(lengths)("rows and columns of %i, forward and reverse, whole and last", (n) => {
    const next = random(n);
    for (let what = 0; what < 6; what++) {
      for (const inner of [1, 3]) {
        for (const [reverse, last] of [
          [0, 0],
          [1, 0],
          [0, 1],
        ] as const) {
          const float = what < 2;
          const size = 2 * n * inner;
          const data = Array.from({ length: size }, () => (float ? Math.fround(next()) : Math.floor(next(-2e9, 2e9))));
          const count = last ? 2 * inner : size;
          const to = block(count * 4, 4);
          kernels.scan(float ? floats(data) : ints(data), to, 2, n, inner, what, reverse, last);
          check();
          if (n === 0) continue;
          const got = (float ? readFloats : readInts)(to, count);
          for (let o = 0; o < 2; o++) {
            for (let i = 0; i < inner; i++) {
              let total = starts[what]!;
              for (let k = 0; k < n; k++) {
                const j = reverse ? n - 1 - k : k;
                total = steps[what]!(total, data[(o * n + j) * inner + i]!);
                if (!last) expect(got[(o * n + j) * inner + i]).toBe(float ? Math.fround(total) : total);
              }
              if (last) expect(got[o * inner + i]).toBe(float ? Math.fround(total) : total);
            }
          }
        }
      }
    }
  });

  test("a NaN stays, and nothing before it is touched", () => {
    const to = block(16);
    kernels.scan(floats([1, Number.NaN, 3, 4]), to, 1, 4, 1, 0, 0, 0);
    expect([...readFloats(to, 4)]).toEqual([1, Number.NaN, Number.NaN, Number.NaN]);
  });
});

describe("firstEqual", () => {
  test.each([1, 2, 5, 17])("of %i", (n) => {
    const next = random(n);
    const data = Array.from({ length: 2 * n * 3 }, () => Math.floor(next(-3, 3)));
    const wanted = Array.from({ length: 6 }, () => Math.floor(next(-3, 3)));
    const to = block(24);
    kernels.firstEqual(ints(data), ints(wanted), to, 2, n, 3);
    check();
    wanted.forEach((v, j) => {
      const row = Array.from({ length: n }, (_, k) => data[(Math.floor(j / 3) * n + k) * 3 + (j % 3)]!);
      expect(readInts(to, 6)[j]).toBe(row.includes(v) ? row.indexOf(v) : n);
    });
  });
});

describe("histogram", () => {
  const counted = (data: readonly number[], bins: number, low: number, high: number): [number, number[]] => {
    const to = block(bins * 4);
    const status = kernels.histogram(floats(data), to, data.length, bins, low, high);
    check();
    return [status, [...readFloats(to, bins)]];
  };

  test("counts what lies in the range, its upper end in the last bin", () => {
    expect(counted([-1, 0, 0.5, 1, 1.5, 2, 2.5, Number.NaN], 2, 0, 2)).toEqual([0, [2, 3]]);
  });

  test("takes the range of the data", () => {
    expect(counted([4, 1, 2, 3], 3, 0, 0)).toEqual([0, [1, 1, 2]]);
    expect(counted([2, 2, 2], 2, 0, 0)).toEqual([0, [0, 3]]);
    expect(counted([], 2, 0, 0)).toEqual([0, [0, 0]]);
  });

  test("answers 1 where the data's range is not finite", () => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const data of [[odd], [1, odd, 2], [odd, 1], [1, odd]]) expect(counted(data, 2, 0, 0)[0]).toBe(1);
    }
  });
});
