// Reductions over the middle axis of [outer, n, inner], against float64.
import { beforeEach, describe, expect, test } from "vitest";
import { block, check, floats, kernels, random, readFloats, readInts, reset } from "./harness.js";

beforeEach(reset);

const rowLengths = [...Array(18).keys(), 31, 32, 33, 47, 63, 64, 65, 1023, 1024, 1025, 1056, 2500];
const columnShapes: [number, number, number][] = [];
for (const inner of [2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 19, 20, 33]) {
  for (const n of [0, 1, 2, 3, 4, 5, 31, 32, 33, 128, 131]) columnShapes.push([inner === 5 ? 3 : 1, n, inner]);
}
const shapes: [number, number, number][] = [
  ...rowLengths.map((n): [number, number, number] => [3, n, 1]),
  ...columnShapes,
];

/** Calls visit(values of one lane of the axis, its place in y) for all lanes. */
function lanes(
  x: ArrayLike<number>,
  [outer, n, inner]: [number, number, number],
  visit: (v: number[], at: number) => void,
) {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      visit(
        Array.from({ length: n }, (_, k) => x[(o * n + k) * inner + i] as number),
        o * inner + i,
      );
    }
  }
}

function values(count: number, seed: number, special: number[] = []): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: count }, () => {
    const pick = Math.floor(next(0, 12));
    return special[pick] ?? Math.round(next(-40, 40)) / 8;
  });
}

describe("sum", () => {
  test.each(shapes)("[%i, %i, %i] is the float64 sum within 1e-7 of the sum of magnitudes", (...shape) => {
    const [outer, n, inner] = shape;
    const next = random(n * 100 + inner);
    const x = Float32Array.from({ length: outer * n * inner }, () => next());
    const from = floats(x);
    const to = block(outer * inner * 4, 4);
    kernels.sum(from, to, outer, n, inner, 0.5);
    check();
    const y = readFloats(to, outer * inner);
    lanes(x, shape, (v, at) => {
      const expected = v.reduce((a, b) => a + b, 0) / 2;
      const scale = v.reduce((a, b) => a + Math.abs(b), 0) / 2;
      expect(Math.abs((y[at] as number) - expected)).toBeLessThanOrEqual(1.5e-7 * scale);
    });
  });

  test.each([
    [1e6, 1],
    [333_334, 3],
    [125_000, 8],
    [62_500, 16],
  ])("mean of %i x %i elements of 0.1 is 0.1 within 1e-6", (n, inner) => {
    const to = block(inner * 4);
    kernels.sum(floats(new Float32Array(n * inner).fill(0.1)), to, 1, n, inner, 1 / n);
    check();
    for (const mean of readFloats(to, inner)) expect(Math.abs(mean / 0.1 - 1)).toBeLessThan(1e-6);
  });

  test("a million random elements: 1e-7 of the sum", () => {
    const next = random(5);
    const x = Float32Array.from({ length: 1_000_003 }, () => next(0, 1));
    const to = block(4);
    kernels.sum(floats(x), to, 1, x.length, 1, 1);
    const expected = x.reduce((a, b) => a + b, 0);
    expect(Math.abs((readFloats(to, 1)[0] as number) / expected - 1)).toBeLessThan(2e-7);
  });

  test.each([
    [40, 1],
    [40, 6],
    [40, 2],
  ])("NaN, infinities and denormals, n = %i, inner = %i", (n, inner) => {
    for (let k = 0; k < n; k++) {
      for (const [bad, expected] of [
        [Number.NaN, Number.NaN],
        [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
        [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
        [1e-40, 1e-40],
      ] as const) {
        reset();
        const x = new Float32Array(n * inner);
        x[k * inner + inner - 1] = bad;
        const to = block(inner * 4);
        kernels.sum(floats(x), to, 1, n, inner, 1);
        const y = readFloats(to, inner);
        expect(y[inner - 1]).toBe(Math.fround(expected));
        if (inner > 1) expect(y[0]).toBe(0);
      }
    }
  });

  test("the sum of a column does not depend on how many columns there are", () => {
    const n = 300;
    const next = random(9);
    const column = Float32Array.from({ length: n }, () => next());
    const results = [5, 6, 7, 15].map((inner) => {
      reset();
      const x = new Float32Array(n * inner);
      for (let k = 0; k < n; k++) for (let i = 0; i < inner; i++) x[k * inner + i] = column[k] as number;
      const to = block(inner * 4);
      kernels.sum(floats(x), to, 1, n, inner, 1);
      const y = readFloats(to, inner);
      expect(new Set(y).size).toBe(1);
      return y[0];
    });
    expect(new Set(results).size).toBe(1);
  });
});

const extremes = { amax: 1, amin: -1, argmax: 1, argmin: -1 } as const;
describe.each(Object.keys(extremes) as (keyof typeof extremes)[])("%s", (name) => {
  const index = name.startsWith("arg");
  test.each(shapes.filter(([, n]) => n > 0))("[%i, %i, %i] with ties, NaN and infinities", (...shape) => {
    const [outer, n, inner] = shape;
    const specials = [[], [Number.NaN], [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], [1e-40, 0]];
    for (const [s, special] of specials.entries()) {
      reset();
      const x = values(outer * n * inner, n * 50 + inner + s, special);
      const to = block(outer * inner * 4);
      kernels[name](floats(x), to, outer, n, inner);
      check();
      const y = index ? readInts(to, outer * inner) : readFloats(to, outer * inner);
      lanes(x, shape, (v, at) => {
        let best = v.findIndex(Number.isNaN);
        if (best < 0) {
          best = 0;
          for (const [k, e] of v.entries())
            if ((e - (v[best] as number)) * extremes[name] > 0 && e !== v[best]) best = k;
        }
        // -0 and 0 are one value for an extreme.
        expect((y[at] as number) + 0).toBe(index ? best : (v[best] as number) + 0);
      });
    }
  });

  test("one NaN anywhere in a row counts, and a later one does not", () => {
    for (let k = 0; k < 40; k++) {
      reset();
      const x = Float32Array.from({ length: 40 }, (_, i) => (i === k || i === 39 ? Number.NaN : i));
      const to = block(4);
      kernels[name](floats(x), to, 1, 40, 1);
      if (index) expect(readInts(to, 1)[0]).toBe(k);
      else expect(readFloats(to, 1)[0]).toBeNaN();
    }
  });
});
