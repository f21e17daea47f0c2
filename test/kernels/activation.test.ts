// Activations and their gradients; exp, tanh and sigmoid themselves are swept in math.test.ts.
import { describe, expect, test } from "vitest";
import { block, check, floats, kernels, random, readFloats, reset } from "./harness.js";

test("relu: lengths 0 to 37, unaligned, in place; NaN stays, negatives give 0", () => {
  const next = random(1);
  for (let n = 0; n <= 37; n++) {
    const xv = Float32Array.from({ length: n }, () => next(-2, 2));
    for (const [i, v] of [NaN, Infinity, -Infinity, 1e-45, -1e-45].entries()) if (n > 20) xv[i * 7] = v;
    const wanted = [...xv].map((v) => (v > 0 || Number.isNaN(v) ? v : 0));
    reset();
    const x = floats(xv);
    const y = block(n * 4, (n % 4) * 4);
    kernels.relu(x, y, n);
    expect([...readFloats(y, n)]).toEqual(wanted);
    kernels.relu(x, x, n);
    expect([...readFloats(x, n)]).toEqual(wanted);
    check();
  }
});

const f = Math.fround;
const gradients = {
  reluGrad: (gy: number, y: number) => (y <= 0 ? 0 : gy),
  sigmoidGrad: (gy: number, y: number) => f(gy * f(y * f(1 - y))),
  tanhGrad: (gy: number, y: number) => f(gy * f(1 - f(y * y))),
};

describe.each(Object.keys(gradients) as (keyof typeof gradients)[])("%s", (name) => {
  test("lengths 0 to 37, unaligned, into gy, into y", () => {
    const next = random(2);
    for (let n = 0; n <= 37; n++) {
      const gv = Float32Array.from({ length: n }, () => next(-2, 2));
      const yv = Float32Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 0 : next(-1, 1)));
      const wanted = [...gv].map((g, i) => gradients[name](g, yv[i] as number));
      reset();
      const gy = floats(gv);
      const y = floats(yv);
      const gx = block(n * 4, (n % 4) * 4);
      kernels[name](gy, y, gx, n);
      expect([...readFloats(gx, n)]).toEqual(wanted);
      const gy2 = floats(gv);
      kernels[name](gy2, y, gy2, n);
      expect([...readFloats(gy2, n)]).toEqual(wanted);
      kernels[name](gy, y, y, n);
      expect([...readFloats(y, n)]).toEqual(wanted);
      check();
    }
  });

  test("special values", () => {
    const special = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-45];
    const gv = special.flatMap((g) => special.map(() => g));
    const yv = special.flatMap(() => special);
    reset();
    const gx = block(gv.length * 4);
    kernels[name](floats(gv), floats(yv), gx, gv.length);
    const got = readFloats(gx, gv.length);
    for (const [i, g] of gv.entries())
      expect(got[i], `gy ${g}, y ${yv[i]}`).toBe(gradients[name](f(g), f(yv[i] as number)));
    check();
  });
});

test("reluGrad passes gy where y is NaN and stops it at 0, as PyTorch's threshold_backward", () => {
  reset();
  const gx = block(16);
  kernels.reluGrad(floats([3, 3, 3, NaN]), floats([NaN, 0, -0, 0]), gx, 4);
  expect([...readFloats(gx, 4)]).toEqual([3, 0, 0, 0]);
});
