// Pooling and resampling kernels between canaries, widths around a vector.
import { beforeEach, describe, expect, test } from "vitest";
import { block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

const none = 0 as unknown as ReturnType<typeof block>;
beforeEach(reset);

/** Values with ties, and special ones among them. */
function values(n: number, seed: number, special: boolean): number[] {
  const next = random(seed);
  const rare = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 2 ** -149];
  return Array.from({ length: n }, () =>
    special && next(0, 1) < 0.3 ? rare[Math.floor(next(0, rare.length))]! : Math.round(next(-4, 4)) / 2,
  );
}

interface Best {
  value: number;
  index: number;
}

/** PyTorch's loop: a value replaces the best so far if it is greater, or NaN. */
function best(plane: readonly number[], places: readonly number[]): Best {
  let found: Best = { value: Number.NEGATIVE_INFINITY, index: places[0]! };
  for (const index of places) {
    const value = plane[index]!;
    if (value > found.value || Number.isNaN(value)) found = { value, index };
  }
  return found;
}

describe("windows of 2 x 2", () => {
  test.each([8, 9, 10, 11, 14, 15, 16, 17, 24, 35])("width %i", (width) => {
    for (const height of [2, 5]) {
      for (const special of [false, true]) {
        reset();
        const planes = 3;
        const x = values(planes * height * width, width, special);
        const [h, w] = [height >> 1, width >> 1];
        const n = planes * h * w;
        const [y, indices, alone] = [block(4 * n), block(4 * n), block(4 * n)];
        const from = floats(x);
        kernels.maxPoolPairs(from, y, indices, planes, height, width, h, w);
        kernels.maxPoolPairs(from, alone, none, planes, height, width, h, w);
        const gy = values(n, width + 1, false);
        const gx = block(4 * x.length);
        kernels.maxPoolPairsGrad(floats(gy), indices, gx, planes, height, width, h, w);
        check();
        const wanted = new Float32Array(x.length);
        const found = Array.from({ length: n }, (_, i) => {
          const plane = Math.floor(i / (h * w));
          const at = 2 * Math.floor((i % (h * w)) / w) * width + 2 * (i % w);
          const b = best(x.slice(plane * height * width, (plane + 1) * height * width), [
            at,
            at + 1,
            at + width,
            at + width + 1,
          ]);
          wanted[plane * height * width + b.index]! += gy[i]!;
          return b;
        });
        expect([...readFloats(y, n)]).toEqual(found.map((b) => b.value));
        expect([...readFloats(alone, n)]).toEqual(found.map((b) => b.value));
        expect([...readInts(indices, n)]).toEqual(found.map((b) => b.index));
        expect(readFloats(gx, x.length).map((v) => v + 0)).toEqual(wanted.map((v) => v + 0));
      }
    }
  });
});

describe("windows by tables", () => {
  test.each(Array.from({ length: 18 }, (_, i) => i))("%i in a row", (width) => {
    const [height, inner] = [4, width + 2];
    for (const special of [false, true]) {
      reset();
      const x = values(2 * height * inner, width, special);
      // Windows of 2 rows by 3 columns, 1 apart.
      const [h, wide] = [height - 1, (width + 3) & ~3];
      const rows = Array.from({ length: h }, (_, j) => [j, j + 1]).flat();
      const columns = [0, 1, 2].flatMap((k) => Array.from({ length: wide }, (_, j) => Math.min(j, width - 1) + k));
      const n = 2 * h * width;
      const [y, indices] = [block(4 * n), block(4 * n)];
      kernels.maxPool(floats(x), y, indices, ints(rows), ints(columns), 2, height, inner, h, width, 2, 3);
      check();
      const found = Array.from({ length: n }, (_, i) => {
        const plane = Math.floor(i / (h * width));
        const at = Math.floor((i % (h * width)) / width) * inner + (i % width);
        return best(
          x.slice(plane * height * inner, (plane + 1) * height * inner),
          [0, 1].flatMap((r) => [0, 1, 2].map((c) => at + r * inner + c)),
        );
      });
      expect([...readFloats(y, n)]).toEqual(found.map((b) => b.value));
      expect([...readInts(indices, n)]).toEqual(found.map((b) => b.index));
    }
  });
});

describe("weighted sums along an axis", () => {
  test.each(Array.from({ length: 18 }, (_, i) => i))("%i neighbours", (inner) => {
    const [outer, n, m, taps] = [2, 5, 4, 3];
    const next = random(inner);
    const index = Array.from({ length: m * taps }, () => Math.floor(next(0, n)));
    const weight = index.map((_, i) => (i % 5 === 4 ? 0 : Math.fround(next())));
    const x = Array.from({ length: outer * n * inner }, () => Math.fround(next()));
    const gy = Array.from({ length: outer * m * inner }, () => Math.fround(next()));
    const y = new Float64Array(gy.length);
    const gx = new Float64Array(x.length);
    for (let o = 0; o < outer; o++)
      for (let j = 0; j < m; j++)
        for (let t = 0; t < taps; t++)
          for (let i = 0; i < inner; i++) {
            const [far, near] = [(o * n + index[j * taps + t]!) * inner + i, (o * m + j) * inner + i];
            y[near]! += weight[j * taps + t]! * x[far]!;
            gx[far]! += weight[j * taps + t]! * gy[near]!;
          }
    const [to, back, at, by] = [block(4 * y.length), block(4 * gx.length), ints(index), floats(weight)];
    kernels.resample(floats(x), at, by, to, outer, n, m, inner, taps, 0);
    kernels.resample(floats(gy), at, by, back, outer, n, m, inner, taps, 1);
    check();
    readFloats(to, y.length).forEach((v, i) => expect(v).toBeCloseTo(y[i]!, 5));
    readFloats(back, gx.length).forEach((v, i) => expect(v).toBeCloseTo(gx[i]!, 5));
  });
});
