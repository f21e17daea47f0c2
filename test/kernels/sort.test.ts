// Sorting, distinct values and searching against JavaScript's own sort, between canaries.
import { beforeEach, describe, expect, test } from "vitest";
import { block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

beforeEach(reset);

const FLOAT = 1;
const DESCENDING = 2;
const MEDIAN = 4;

/** A NaN is larger than everything; -0 equals 0. */
const compare = (a: number, b: number): number => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a === b ? 0 : a < b ? -1 : 1;
};
const orderOf = (values: readonly number[], descending: boolean): number[] =>
  [...values.keys()].sort((i, j) => (descending ? -1 : 1) * compare(values[i]!, values[j]!) || i - j);

const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 2 ** -149, -(2 ** -149), 1, 1];

/** Values with many ties, and now and then a special one. */
function values(n: number, seed: number, integers: boolean): number[] {
  const next = random(seed);
  return Array.from({ length: n }, () => {
    if (integers) return next() < 0.1 ? (next() < 0 ? -2147483648 : 2147483647) : Math.floor(next(-20, 20));
    return next(0, 1) < 0.2
      ? special[Math.floor(next(0, special.length))]!
      : Math.fround(Math.round(next(-9, 9) * 4) / 3);
  });
}

const lengths = [...Array(18).keys(), 63, 64, 65, 66, 255, 256, 257, 1000];

/** Sorts [outer, n, inner] by the kernel, and checks every row against `orderOf`. */
function run(outer: number, n: number, inner: number, k: number, flags: number, seed: number): void {
  const float = (flags & FLOAT) !== 0;
  const data = values(outer * n * inner, seed, !float);
  const x = float ? floats(data) : ints(data);
  const to = block(outer * k * inner * 4, 4);
  const at = block(outer * k * inner * 4);
  const scratch = block(kernels.sortScratch(n));
  kernels.sort(x, to, at, scratch, outer, n, inner, k, flags);
  check();
  const got = float ? readFloats(to, outer * k * inner) : readInts(to, outer * k * inner);
  const places = readInts(at, outer * k * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const row = Array.from({ length: n }, (_, j) => data[(o * n + j) * inner + i]!);
      const order = orderOf(row, (flags & DESCENDING) !== 0);
      const nan = float && row.some(Number.isNaN);
      const want = flags & MEDIAN ? [order[nan ? n - 1 : (n - 1) >> 1]!] : order.slice(0, k);
      const strided = Array.from({ length: k }, (_, j) => (o * k + j) * inner + i);
      expect(strided.map((j) => places[j])).toEqual(want);
      expect(strided.map((j) => got[j])).toEqual(want.map((j) => row[j]));
    }
  }
}

describe("sort", () => {
  test.each(lengths)("rows of %i, up and down, f32 and i32, whole and in part", (n) => {
    for (const flags of [FLOAT, 0, FLOAT | DESCENDING, DESCENDING]) {
      for (const k of new Set([0, 1, 2, 63, 64, 65, n].filter((k) => k <= n))) run(2, n, 1, k, flags, n + k);
    }
  });

  test.each([3, 17, 65, 130])("columns of %i", (n) => {
    for (const flags of [FLOAT, DESCENDING]) run(3, n, 5, n - 1, flags, n);
  });

  test.each(lengths.slice(1))("the lower median of %i", (n) => {
    for (const flags of [FLOAT, 0]) for (let seed = 0; seed < 4; seed++) run(2, n, 2, 1, flags | MEDIAN, n + seed);
  });

  test("either result may be left out", () => {
    const nothing = 0 as never;
    const x = floats([3, 1, 2]);
    const to = block(12);
    kernels.sort(x, to, nothing, block(kernels.sortScratch(3)), 1, 3, 1, 3, FLOAT);
    expect([...readFloats(to, 3)]).toEqual([1, 2, 3]);
    kernels.sort(x, nothing, to, block(kernels.sortScratch(3)), 1, 3, 1, 3, FLOAT);
    expect([...readInts(to, 3)]).toEqual([1, 2, 0]);
    check();
  });
});

describe("distinct", () => {
  test.each(lengths)("of %i elements", (n) => {
    for (const float of [0, 1]) {
      const data = values(n, n, !float);
      const sorted = block(n * 4);
      const order = block(n * 4);
      kernels.sort(float ? floats(data) : ints(data), sorted, order, block(kernels.sortScratch(n)), 1, n, 1, n, float);
      const [to, inverse, counts] = [block(n * 4), block(n * 4), block(n * 4)];
      const found = kernels.distinct(sorted, order, to, inverse, counts, n, float);
      check();
      const first = (float ? readFloats : readInts)(to, found);
      const which = readInts(inverse, n);
      // Each element is the distinct value it is said to be (a NaN is a value of its own), and the counts add up.
      data.forEach((v, i) => void expect(first[which[i]!]! === v || Number.isNaN(v)).toBe(true));
      const tally = new Int32Array(found);
      for (const u of which) tally[u]!++;
      expect([...readInts(counts, found)]).toEqual([...tally]);
      const numbers = new Set(data.filter((v) => !Number.isNaN(v)).map((v) => v + 0));
      expect(found).toBe(numbers.size + data.filter(Number.isNaN).length);
    }
  });
});

describe("searchSorted", () => {
  test.each(lengths)("rows of %i", (n) => {
    for (const float of [0, 1]) {
      for (const right of [0, 1]) {
        for (const shared of [0, 1]) {
          const rows = shared ? 1 : 3;
          const data = Array.from({ length: rows }, (_, r) =>
            values(n, n + r, !float)
              .filter((v) => !Number.isNaN(v))
              .sort((a, b) => a - b),
          );
          const length = Math.min(...data.map((row) => row.length));
          const sorted = data.flatMap((row) => row.slice(0, length));
          const wanted = values(3 * 7, n + 99, !float);
          const to = block(wanted.length * 4);
          const put = float ? floats : ints;
          kernels.searchSorted(put(sorted), put(wanted), to, 3, length, 7, right, float, shared);
          check();
          const got = readInts(to, wanted.length);
          wanted.forEach((v, i) => {
            const row = sorted.slice(shared ? 0 : Math.floor(i / 7) * length).slice(0, length);
            const at = row.findIndex((other) => (right ? other > v : other >= v));
            expect(got[i]).toBe(at < 0 ? length : at);
          });
        }
      }
    }
  });
});
