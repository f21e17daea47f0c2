// Softmax, log-softmax and their gradients over the middle axis of [outer, n, inner], against float64.
import { beforeEach, describe, expect, test } from "vitest";
import { block, check, floats, kernels, random, readFloats, reset } from "./harness.js";

beforeEach(reset);

type Shape = [number, number, number];
const shapes: Shape[] = [];
for (const n of [...Array(18).keys(), 63, 64, 65, 1023, 1024, 1025, 2500]) shapes.push([n < 20 ? 3 : 1, n, 1]);
for (const inner of [2, 3, 4, 5, 6, 8, 17]) for (const n of [0, 1, 2, 5, 33]) shapes.push([2, n, inner]);

/** y[lane] = f(x[lane], ...) along the axis, for as many operands as there are. */
function alongAxis(operands: ArrayLike<number>[], [outer, n, inner]: Shape, f: (...lanes: number[][]) => number[]) {
  const y = new Float64Array(outer * n * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (k: number) => (o * n + k) * inner + i;
      const lanes = operands.map((x) => Array.from({ length: n }, (_, k) => x[at(k)] as number));
      for (const [k, v] of f(...lanes).entries()) y[at(k)] = v;
    }
  }
  return y;
}

const logSoftmax = (x: number[]) => {
  const m = Math.max(...x);
  const s = Math.log(x.reduce((a, v) => a + Math.exp(v - m), 0));
  return x.map((v) => v - m - s);
};
const softmax = (x: number[]) => logSoftmax(x).map(Math.exp);
const total = (x: number[]) => x.reduce((a, v) => a + v, 0);

function run(name: "softmax" | "logSoftmax", x: Float32Array, shape: Shape) {
  const y = block(x.length * 4, 4);
  kernels[name](floats(x), y, ...shape);
  check();
  return readFloats(y, x.length);
}

describe("softmax, logSoftmax", () => {
  test.each(shapes)("[%i, %i, %i] against float64", (...shape) => {
    const next = random(shape[1] * 20 + shape[2]);
    for (const spread of [1, 30, 200]) {
      reset();
      const x = Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => next(-spread, spread));
      const p = alongAxis([x], shape, softmax);
      for (const [i, v] of run("softmax", x, shape).entries()) {
        // A few ulp, and the roundings of x - max, which is about -ln p, and of its product with log2(e); what would be
        // denormal is 0.
        const expected = p[i] as number;
        const relative = 4e-7 - 1.4e-7 * Math.log(Math.max(expected, 1e-38));
        expect(Math.abs(v - expected)).toBeLessThanOrEqual(relative * expected + 1.8e-38);
      }
      const l = alongAxis([x], shape, logSoftmax);
      for (const [i, v] of run("logSoftmax", x, shape).entries()) {
        expect(Math.abs(v - (l[i] as number))).toBeLessThanOrEqual(3e-7 * Math.max(1, Math.abs(l[i] as number)));
      }
    }
  });

  test.each([
    [1, 4],
    [1, 7],
    [3, 5],
    [5, 6],
  ])("special values stay in their lane (inner = %i, n = %i)", (inner, n) => {
    const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
    for (let k = 0; k < n; k++) {
      for (let lane = 0; lane < inner; lane++) {
        for (const [bad, wantP, wantL] of [
          [nan, nan, nan],
          [inf, nan, nan],
          [-inf, 0, -inf],
          [-1e30, 0, Math.fround(-1e30)],
        ] as const) {
          reset();
          const x = new Float32Array(n * inner).fill(1);
          x[k * inner + lane] = bad;
          const p = run("softmax", x, [1, n, inner]);
          const l = run("logSoftmax", x, [1, n, inner]);
          for (let i = 0; i < x.length; i++) {
            const here = i % inner === lane;
            const count = here && !Number.isNaN(wantP) ? n - 1 : n;
            const rest = here && Number.isNaN(wantP);
            if (i === k * inner + lane) {
              expect(p[i]).toBe(wantP);
              expect(l[i]).toBe(wantL);
            } else if (rest) {
              expect(p[i]).toBeNaN();
              expect(l[i]).toBeNaN();
            } else expect(Math.abs((p[i] as number) - 1 / count)).toBeLessThan(1e-7);
          }
        }
      }
    }
  });

  test("a row of -Infinity alone is NaN, one of huge equal numbers uniform", () => {
    for (const inner of [1, 2, 4]) {
      reset();
      expect(run("softmax", new Float32Array(9 * inner).fill(-Infinity), [1, 9, inner]).every(Number.isNaN)).toBe(true);
      expect(run("logSoftmax", new Float32Array(9 * inner).fill(-Infinity), [1, 9, inner]).every(Number.isNaN)).toBe(
        true,
      );
      for (const v of run("softmax", new Float32Array(8 * inner).fill(3e38), [1, 8, inner])) expect(v).toBe(0.125);
    }
  });

  test("a column has the bits it has among others, and rows among rows", () => {
    const next = random(4);
    const x = Float32Array.from({ length: 3 * 21 }, () => next(-5, 5));
    const all = run("softmax", x, [3, 21, 1]);
    for (let o = 0; o < 3; o++) {
      expect(run("softmax", x.slice(o * 21, o * 21 + 21), [1, 21, 1])).toEqual(all.slice(o * 21, o * 21 + 21));
    }
  });
});

describe("gradients", () => {
  test.each(shapes)("[%i, %i, %i] against float64", (...shape) => {
    const next = random(shape[1] * 7 + shape[2]);
    const count = shape[0] * shape[1] * shape[2];
    const x = Float32Array.from({ length: count }, () => next(-4, 4));
    const gy = Float32Array.from({ length: count }, () => next());
    for (const name of ["softmax", "logSoftmax"] as const) {
      reset();
      const y = run(name, x, shape);
      const gx = block(count * 4);
      kernels[`${name}Grad`](floats(gy), floats(y), gx, ...shape);
      check();
      const expected = alongAxis([gy, y], shape, (g, v) => {
        if (name === "logSoftmax") return v.map((e, k) => (g[k] as number) - Math.exp(e) * total(g));
        const dot = total(v.map((e, k) => e * (g[k] as number)));
        return v.map((e, k) => e * ((g[k] as number) - dot));
      });
      for (const [i, v] of readFloats(gx, count).entries())
        expect(Math.abs(v - (expected[i] as number))).toBeLessThan(1e-6);
    }
  });

  test("NaN in gy reaches its own lane only", () => {
    for (const inner of [1, 3, 6]) {
      for (const name of ["softmax", "logSoftmax"] as const) {
        reset();
        const n = 5;
        const y = run(name, new Float32Array(n * inner), [1, n, inner]);
        const gy = new Float32Array(n * inner);
        gy[inner * 2] = Number.NaN;
        const gx = block(n * inner * 4);
        kernels[`${name}Grad`](floats(gy), floats(y), gx, 1, n, inner);
        for (const [i, v] of readFloats(gx, n * inner).entries()) expect(Number.isNaN(v)).toBe(i % inner === 0);
      }
    }
  });
});
