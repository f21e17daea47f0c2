// Cross entropy and mean squared error with their gradients, against float64.
import { beforeEach, describe, expect, test } from "vitest";
import type { Ptr } from "../../src/kernels/ptr.js";
import { block, check, floats, ints, kernels, random, readFloats, reset } from "./harness.js";

beforeEach(reset);

const ignore = -100;
function crossEntropy(x: ArrayLike<number>, target: number[], classes: number, isFloat = 0, ignoreIndex = ignore) {
  const rows = target.length;
  const losses = block(rows * 4);
  const lse = block(rows * 4);
  const to = isFloat ? floats(target) : ints(target);
  const result = kernels.crossEntropy(floats(x), to, isFloat, losses, lse, rows, classes, ignoreIndex);
  check();
  return { result, losses: readFloats(losses, rows), lse: readFloats(lse, rows), lsePtr: lse, target: to };
}

describe("crossEntropy", () => {
  test.each([1, 2, 3, 4, 5, 7, 8, 10, 13, 16, 17, 65, 1000, 1025])("%i classes against float64", (classes) => {
    const rows = 6;
    for (const [seed, spread] of [1, 20, 300].entries()) {
      const next = random(seed + classes);
      const x = Float32Array.from({ length: rows * classes }, () => next(-spread, spread));
      const target = Array.from({ length: rows }, (_, i) => (i === 3 ? ignore : Math.floor(next(0, classes))));
      for (const isFloat of [0, 1]) {
        reset();
        const got = crossEntropy(x, target, classes, isFloat);
        expect(got.result).toBe(-1);
        const g = Float32Array.from({ length: rows }, () => next());
        const gx = block(x.length * 4);
        const gx1 = block(x.length * 4);
        const from = floats(x);
        kernels.crossEntropyGrad(
          from,
          got.target,
          isFloat,
          got.lsePtr,
          floats(g),
          1,
          floats([0.5]),
          gx,
          rows,
          classes,
          ignore,
        );
        kernels.crossEntropyGrad(
          from,
          got.target,
          isFloat,
          got.lsePtr,
          floats([3]),
          0,
          floats([0.5]),
          gx1,
          rows,
          classes,
          ignore,
        );
        check();
        for (let i = 0; i < rows; i++) {
          const row = Array.from(x.slice(i * classes, i * classes + classes));
          const m = Math.max(...row);
          const lse = m + Math.log(row.reduce((a, v) => a + Math.exp(v - m), 0));
          const t = target[i] as number;
          expect(Math.abs((got.lse[i] as number) - lse)).toBeLessThanOrEqual(3e-7 * Math.max(1, Math.abs(lse)));
          const loss = t === ignore ? 0 : lse - (row[t] as number);
          expect(Math.abs((got.losses[i] as number) - loss)).toBeLessThanOrEqual(3e-7 * Math.max(1, loss));
          // lse is rounded to f32: that is the relative error of the probabilities.
          const tolerance = 4e-7 + Math.abs(lse) * 6e-8;
          for (let c = 0; c < classes; c++) {
            const p = t === ignore ? 0 : Math.exp((row[c] as number) - lse) - (c === t ? 1 : 0);
            const at = i * classes + c;
            expect(Math.abs((readFloats(gx, x.length)[at] as number) - p * (g[i] as number) * 0.5)).toBeLessThan(
              tolerance,
            );
            expect(Math.abs((readFloats(gx1, x.length)[at] as number) - p * 1.5)).toBeLessThan(3 * tolerance);
          }
        }
      }
    }
  });

  test.each([
    [0, [0, 1, 3, -1], 2],
    [0, [0, 2, -1, 3], 2],
    [0, [-2147483648, 0, 0, 0], 0],
    [1, [0, 1.5, 0, 0], 1],
    [1, [0, 0, 0, Number.NaN], 3],
    [1, [0, 0, -0.5, 3], 2],
    [1, [0, 1e20, 0, 0], 1],
    [1, [Number.POSITIVE_INFINITY, 0, 0, 0], 0],
    [1, [3, 0, 0, 0], 0],
  ])("float %i targets %j: row %i is reported and nothing written", (isFloat, target, row) => {
    const losses = floats([9, 9, 9, 9]);
    const lse = floats([9, 9, 9, 9]);
    const to = isFloat ? floats(target) : ints(target);
    expect(kernels.crossEntropy(floats(new Float32Array(12)), to, isFloat, losses, lse, 4, 3, ignore)).toBe(row);
    expect([...readFloats(losses, 4), ...readFloats(lse, 4)]).toEqual(Array(8).fill(9));
  });

  test("an ignored row may hold anything; ignoreIndex may be a class", () => {
    const x = [1, Number.NaN, 2, 0, 0, 0];
    const got = crossEntropy(x, [1, 2], 3, 0, 1);
    expect(got.result).toBe(-1);
    expect(got.losses[0]).toBe(0);
    expect(got.losses[1]).toBeCloseTo(Math.log(3), 6);
    const gx = block(24);
    kernels.crossEntropyGrad(floats(x), got.target, 0, got.lsePtr, floats([1]), 0, 0 as unknown as Ptr, gx, 2, 3, 1);
    expect([...readFloats(gx, 3)]).toEqual([0, 0, 0]);
  });

  test("NaN, infinities, and no rows or classes", () => {
    const { POSITIVE_INFINITY: inf } = Number;
    const got = crossEntropy([0, Number.NaN, 0, inf, -inf, 0, -inf, -inf, 0, -inf], [0, 0, 0, 0, 1], 2);
    expect(got.losses[0]).toBeNaN();
    expect(got.losses[1]).toBeNaN();
    expect(got.losses[2]).toBe(inf);
    expect(got.losses[3]).toBeNaN();
    expect(got.losses[4]).toBe(inf);
    expect(crossEntropy([], [], 5).result).toBe(-1);
    expect(crossEntropy([], [0], 0).result).toBe(0);
    expect(crossEntropy([], [ignore], 0).losses[0]).toBe(0);
  });
});

describe("mse", () => {
  test.each([...Array(18).keys(), 31, 32, 33, 1023, 1024, 1025, 3000])("n = %i against float64", (n) => {
    const next = random(n);
    const a = Float32Array.from({ length: n }, () => next());
    const b = Float32Array.from({ length: n }, () => next());
    const [pa, pb, y, ga] = [floats(a), floats(b), block(4), block(n * 4, 8)];
    kernels.mse(pa, pb, y, n, 0.25);
    kernels.mseGrad(pa, pb, floats([3]), 0.25, ga, n);
    check();
    const d = Array.from(a, (v, i) => v - (b[i] as number));
    const expected = d.reduce((s, v) => s + v * v, 0) / 4;
    expect(Math.abs((readFloats(y, 1)[0] as number) - expected)).toBeLessThanOrEqual(2e-7 * expected);
    for (const [i, v] of readFloats(ga, n).entries()) expect(Math.abs(v - 1.5 * (d[i] as number))).toBeLessThan(3e-7);
  });

  test("a million equal differences, and NaN", () => {
    const a = new Float32Array(1e6).fill(0.1);
    const y = block(4);
    const zero = floats(new Float32Array(1e6));
    kernels.mse(floats(a), zero, y, 1e6, 1e-6);
    expect(Math.abs((readFloats(y, 1)[0] as number) / 0.01 - 1)).toBeLessThan(1e-6);
    for (const k of [0, 33, 70]) {
      reset();
      const b = new Float32Array(71);
      b[k] = Number.NaN;
      const out = block(4);
      kernels.mse(floats(new Float32Array(71)), floats(b), out, 71, 1);
      expect(readFloats(out, 1)[0]).toBeNaN();
    }
  });
});
