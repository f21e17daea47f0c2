// Positions and triangles, between canaries.
import { beforeEach, describe, expect, test } from "vitest";
import { block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

beforeEach(reset);

const lengths = [...Array(18).keys(), 67];

describe("nonzero", () => {
  test.each(lengths)("of %i, counted and listed", (n) => {
    const next = random(n);
    const data = Array.from({ length: n }, () => [0, -0, Number.NaN, 2 ** -149, 3][Math.floor(next(0, 5))]!);
    const want = data.flatMap((v, i) => (v === 0 ? [] : [i]));
    const x = floats(data);
    expect(kernels.nonzero(x, 0 as never, n, 0x7fffffff)).toBe(want.length);
    const to = block(want.length * 4);
    expect(kernels.nonzero(x, to, n, 0x7fffffff)).toBe(want.length);
    check();
    expect([...readInts(to, want.length)]).toEqual(want);
  });

  test("every bit of an i32 counts", () => {
    expect(kernels.nonzero(ints([0, -2147483648, 1]), 0 as never, 3, -1)).toBe(2);
  });
});

describe("unravel", () => {
  test("gives the coordinates of flat positions", () => {
    const to = block(3 * 3 * 4);
    kernels.unravel(ints([0, 23, 17]), ints([2, 3, 4]), to, 3, 3);
    check();
    expect([...readInts(to, 9)]).toEqual([0, 0, 0, 1, 2, 3, 1, 1, 1]);
  });
});

describe("triangle", () => {
  test.each([
    [1, 1],
    [3, 5],
    [5, 3],
    [4, 17],
    [0, 3],
    [3, 0],
  ])("%i x %i, every diagonal", (rows, columns) => {
    const n = 2 * rows * columns;
    const data = Array.from({ length: n }, (_, i) => i + 1);
    for (let diagonal = -rows - 1; diagonal <= columns + 1; diagonal++) {
      for (const upper of [0, 1]) {
        const to = block(n * 4, 4);
        kernels.triangle(floats(data), to, 2, rows, columns, diagonal, upper);
        check();
        const want = data.map((v, at) => {
          const [i, j] = [Math.floor(at / columns) % rows, at % columns];
          return (upper ? j - i >= diagonal : j - i <= diagonal) ? v : 0;
        });
        expect([...readFloats(to, n)]).toEqual(want);
      }
    }
  });
});
