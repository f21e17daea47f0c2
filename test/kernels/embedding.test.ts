// Bags of rows, and one-hot rows of labels, on the debug build.
import { beforeEach, expect, test } from "vitest";
import { nullPtr } from "../../src/memory/heap.js";
import { block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

beforeEach(reset);

test("bagIds names each element's bag", () => {
  const cases: [offsets: number[], n: number, closed: number, want: number[]][] = [
    [[0], 3, 0, [0, 0, 0]],
    [[0, 0, 2, 2], 5, 0, [1, 1, 3, 3, 3]],
    [[0, 1, 4], 4, 1, [0, 1, 1, 1]],
    [[0, 3], 3, 0, [0, 0, 0]],
    [[0], 0, 1, []],
    [[], 0, 0, []],
  ];
  for (const [offsets, n, closed, want] of cases) {
    reset();
    const ids = block(n * 4);
    expect(kernels.bagIds(ints(offsets), ids, n, offsets.length - closed, closed)).toBe(-1);
    check();
    expect([...readInts(ids, n)]).toEqual(want);
  }
  const bad: [offsets: number[], closed: number, at: number][] = [
    [[1, 2], 0, 0],
    [[0, 2, 1], 0, 2],
    [[0, 4], 0, 1],
    [[0, -1], 0, 1],
    [[0, 1, 2], 1, 2],
  ];
  for (const [offsets, closed, at] of bad) {
    reset();
    const ids = ints([9, 9, 9]);
    expect(kernels.bagIds(ints(offsets), ids, 3, offsets.length - closed, closed)).toBe(at);
    check();
    expect([...readInts(ids, 3)], "nothing is written").toEqual([9, 9, 9]);
  }
});

test("bagMax: the first of the largest, NaN before all, nothing of empty bags and skipped rows", () => {
  const next = random(2);
  for (const size of [1, 2, 3, 4, 5, 17]) {
    reset();
    const ids = [0, 0, 2, 2, 2];
    const x = Float32Array.from({ length: 5 * size }, () => Math.round(next(-3, 3)));
    x[2 * size] = Number.NaN;
    const skip = [0, 0, 0, 1, 0];
    const [y, where] = [block(3 * size * 4, 4), block(3 * size * 4, 4)];
    kernels.bagMax(floats(x), ints(ids), ints(skip), y, where, 5, 3, size);
    check();
    const [got, at] = [readFloats(y, 3 * size), readInts(where, 3 * size)];
    for (let e = 0; e < size; e++) {
      for (let b = 0; b < 3; b++) {
        const rows = [0, 1, 2, 3, 4].filter((j) => ids[j] === b && skip[j] === 0);
        const value = (j: number) => x[j * size + e]!;
        const best = rows.reduce(
          (a, j) => (a < 0 || value(j) > value(a) || (Number.isNaN(value(j)) && !Number.isNaN(value(a))) ? j : a),
          -1,
        );
        expect(at[b * size + e]).toBe(best);
        expect(got[b * size + e]).toBe(best < 0 ? 0 : value(best));
      }
    }
  }
  reset();
  kernels.bagMax(block(0), block(0), nullPtr, block(0), block(0), 0, 0, 3);
  check();
});

test("oneHotRows checks all labels first", () => {
  for (const isFloat of [0, 1]) {
    reset();
    const labels = (values: number[]) => (isFloat ? floats(values) : ints(values));
    const y = block(3 * 3 * 4);
    expect(kernels.oneHotRows(labels([2, -100, 0]), isFloat, y, 3, 3, -100)).toBe(-1);
    check();
    const want = [0, 0, 1, 0, 0, 0, 1, 0, 0];
    expect([...readInts(y, 9)]).toEqual(want);
    expect(kernels.oneHotRows(labels([0, 3, 0]), isFloat, y, 3, 3, -100)).toBe(1);
    check();
    expect([...readInts(y, 9)]).toEqual(want);
  }
});
