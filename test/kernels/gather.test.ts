// Picking and writing by index, between canaries; wrong indices are answered with their position, and nothing is written.
import { beforeEach, describe, expect, test } from "vitest";
import { block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

beforeEach(reset);

const [outer, n, m, inner] = [2, 3, 5, 4];
const next = random(1);
const table = Array.from({ length: outer * n * inner }, () => Math.fround(next()));
const source = Array.from({ length: outer * m * inner }, () => Math.fround(next()));
const each = Array.from({ length: outer * m * inner }, () => Math.floor(next(0, n)));
const rows = [2, 0, 1, 2, 2];

/** [o, j, i] of a flat position in [outer, count, inner]. */
const split = (at: number, count: number) =>
  [Math.floor(at / (count * inner)), Math.floor(at / inner) % count, at % inner] as const;
const place = (o: number, k: number, i: number) => (o * n + k) * inner + i;

describe("elements", () => {
  test("gather", () => {
    const to = block(source.length * 4, 4);
    expect(kernels.gather(floats(table), ints(each), to, outer, n, m, inner)).toBe(-1);
    check();
    each.forEach((k, at) => {
      const [o, , i] = split(at, m);
      expect(readFloats(to, source.length)[at]).toBe(table[place(o, k, i)]);
    });
  });

  test.each([
    ["copies", 0],
    ["adds", 1],
  ])("scatter %s in the order of the index", (_, what) => {
    const to = floats(table);
    expect(kernels.scatter(floats(source), ints(each), to, outer, n, m, inner, what)).toBe(-1);
    check();
    const want = Float32Array.from(table);
    each.forEach((k, at) => {
      const [o, , i] = split(at, m);
      want[place(o, k, i)] = source[at]! + (what === 1 ? want[place(o, k, i)]! : 0);
    });
    expect(readFloats(to, table.length)).toEqual(want);
  });

  test("scatter adds i32", () => {
    const to = ints([1, 2147483647, 3]);
    kernels.scatter(ints([5, 1, 2]), ints([0, 1, 0]), to, 1, 3, 3, 1, 2);
    expect([...readInts(to, 3)]).toEqual([8, -2147483648, 3]);
  });
});

describe("rows", () => {
  test("indexSelect, indexCopy, indexAdd", () => {
    const picked = block(source.length * 4);
    expect(kernels.indexSelect(floats(table), ints(rows), picked, outer, n, m, inner)).toBe(-1);
    const copied = floats(table);
    expect(kernels.indexCopy(floats(source), ints(rows), copied, outer, n, m, inner)).toBe(-1);
    const added = floats(table);
    expect(kernels.indexAdd(floats(source), ints(rows), added, outer, n, m, inner)).toBe(-1);
    check();
    const [copy, sum] = [Float32Array.from(table), Float32Array.from(table)];
    source.forEach((v, at) => {
      const [o, j, i] = split(at, m);
      expect(readFloats(picked, source.length)[at]).toBe(table[place(o, rows[j]!, i)]);
      copy[place(o, rows[j]!, i)] = v;
      sum[place(o, rows[j]!, i)]! += v;
    });
    expect(readFloats(copied, table.length)).toEqual(copy);
    expect(readFloats(added, table.length)).toEqual(sum);
  });
});

describe("a wrong index", () => {
  test.each([-1, 3, 2147483647, -2147483648])("%i is answered with its position, and nothing is written", (wrong) => {
    const bad = rows.with(3, wrong);
    const wide = each.with(7, wrong);
    const to = floats(table);
    expect(kernels.indexCopy(floats(source), ints(bad), to, outer, n, m, inner)).toBe(3);
    expect(kernels.indexAdd(floats(source), ints(bad), to, outer, n, m, inner)).toBe(3);
    expect(kernels.scatter(floats(source), ints(wide), to, outer, n, m, inner, 0)).toBe(7);
    expect(kernels.scatter(floats(source), ints(wide), to, outer, n, m, inner, 1)).toBe(7);
    check();
    expect([...readFloats(to, table.length)]).toEqual(table);
    expect(kernels.gather(to, ints(wide), block(source.length * 4), outer, n, m, inner)).toBe(7);
    expect(kernels.indexSelect(to, ints(bad), block(source.length * 4), outer, n, m, inner)).toBe(3);
    check();
  });
});

describe("resolveIndex", () => {
  const resolved = (index: readonly number[], size: number, flags: number, start: readonly number[] = []) => {
    const to = start.length > 0 ? ints(start) : block(index.length * 4);
    const from = flags & 1 ? floats(index) : ints(index);
    const bad = kernels.resolveIndex(from, to, index.length, size, flags);
    check();
    return bad >= 0 ? bad : [...readInts(to, index.length)];
  };

  test("takes integer-valued f32, and refuses others", () => {
    expect(resolved([0, 2, -0, 1], 3, 1)).toEqual([0, 2, 0, 1]);
    for (const odd of [1.5, Number.NaN, Number.POSITIVE_INFINITY, -1, 3, 1e20, -1e20, 2 ** 31, 2 ** -149]) {
      expect(resolved([0, odd], 3, 1)).toBe(1);
    }
  });

  test("counts negative ones from the end where allowed", () => {
    expect(resolved([-1, -3, 2], 3, 2)).toEqual([2, 0, 2]);
    expect(resolved([-1, 0], 3, 0)).toBe(0);
    expect(resolved([0, -4], 3, 2)).toBe(1);
    expect(resolved([0, -2147483648], 3, 2)).toBe(1);
    expect(resolved([-2, 1], 3, 3)).toEqual([1, 1]);
  });

  test("joins the indices of two axes to flat positions", () => {
    expect(resolved([1, 0, -1], 4, 6, [0, 1, 2])).toEqual([1, 4, 11]);
  });
});
