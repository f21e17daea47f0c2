// Clipping, constraints, noise and penalties: against formulas written out in float64.
import { describe, expect, test } from "vitest";
import {
  addGradNoise,
  centralizeGrad,
  clipGradAdaptive,
  clipGradNorm,
  clipGradValue,
  elasticNet,
  l1Penalty,
  l2Penalty,
  maxNorm,
  unitNorm,
} from "../../src/optim/index.js";
import { Generator, gradcheck, memory, type Tensor, tensor, traceKernels } from "./support.js";

/** Numbers of both signs that differ from each other. */
const numbers = (n: number, seed = 1) => Array.from({ length: n }, (_, i) => Math.fround(Math.sin(i * 1.7 + seed) * 2));

/** A parameter with this gradient. */
function withGrad(values: number[], gradient: number[], shape: number[]): Tensor {
  const w = tensor(values, { shape, requiresGrad: true });
  w.grad = tensor(gradient, { shape });
  return w;
}
const close = (got: ArrayLike<number>, want: readonly number[], eps = 1e-6) => {
  expect(got.length).toBe(want.length);
  for (const [i, w] of want.entries())
    expect(Math.abs(got[i]! - w)).toBeLessThanOrEqual(eps * Math.max(1, Math.abs(w)));
};
const norm = (values: readonly number[], order: number) =>
  order === Infinity
    ? Math.max(...values.map(Math.abs))
    : values.reduce((sum, v) => sum + Math.abs(v) ** order, 0) ** (1 / order);

describe("clipGradNorm", () => {
  test.each([2, 1, 3, 0.5, Infinity])("of order %d, lengths 0 to 17", (order) => {
    for (let n = 0; n <= 17; n++) {
      const [a, b] = [numbers(n), numbers(5, 9)];
      const params = [withGrad(numbers(n, 3), a, [n]), withGrad(numbers(5, 4), b, [5])];
      const want = norm([...a, ...b], order);
      expect(clipGradNorm(params, 0.5, { normType: order }).item()).toBeCloseTo(want, 4);
      const factor = Math.min(1, 0.5 / (want + 1e-6));
      close(
        params[0]!.grad!.toTypedArray(),
        a.map((v) => v * factor),
      );
      close(
        params[1]!.grad!.toTypedArray(),
        b.map((v) => v * factor),
      );
      close(params[0]!.toTypedArray(), numbers(n, 3), 0);
    }
  });

  test("leaves a small norm alone, to the bit, and passes over parameters without gradients", () => {
    const w = withGrad([1, 2], [0.3, -0.4], [2]);
    expect(clipGradNorm([w, tensor([1], { requiresGrad: true })], 1).item()).toBeCloseTo(0.5, 6);
    expect([...w.grad!.toTypedArray()]).toEqual([Math.fround(0.3), Math.fround(-0.4)]);
    expect(clipGradNorm([], 1).item()).toBe(0);
  });

  test("not finite: as PyTorch", () => {
    const nan = withGrad([1, 2], [Number.NaN, 1], [2]);
    expect(clipGradNorm(nan, 1).item()).toBeNaN();
    expect([...nan.grad!.toTypedArray()]).toEqual([Number.NaN, Number.NaN]);
    const infinite = withGrad([1, 2], [Infinity, 1], [2]);
    expect(clipGradNorm(infinite, 1).item()).toBe(Infinity);
    expect([...infinite.grad!.toTypedArray()]).toEqual([Number.NaN, 0]);
    const kept = withGrad([1, 2], [Number.NaN, 1], [2]);
    expect(() => clipGradNorm(kept, 1, { errorIfNonfinite: true })).toThrow("clipGradNorm: the norm is NaN");
    expect(kept.grad!.toTypedArray()[1]).toBe(1);
    expect(() => clipGradNorm(kept, -1)).toThrow("clipGradNorm: maxNorm must be from 0");
  });

  test("two steps issue the same calls: no value is read to decide", () => {
    const calls = [10, 0.01].map((size) => {
      const w = withGrad([1, 2], [size, size], [2]);
      return traceKernels(() => void clipGradNorm(w, 1)).map(([name, , count, , ...rest]) => [name, count, ...rest]);
    });
    expect(calls[0]).toEqual(calls[1]);
  });
});

test("a bare loop does not gather norms", () => {
  const w = tensor([1, 2], { requiresGrad: true });
  const step = () => {
    w.grad = null;
    w.square()
      .sum()
      .add(elasticNet(w, { l1: 1, l2: 1 }))
      .backward();
    return clipGradNorm(w, 1).item();
  };
  for (let i = 0; i < 10; i++) step();
  const before = memory().tensors;
  for (let i = 0; i < 50; i++) step();
  expect(memory().tensors).toBeLessThanOrEqual(before + 2);
});

test("clipGradValue", () => {
  for (let n = 0; n <= 17; n++) {
    const g = numbers(n);
    const w = withGrad(g, g, [n]);
    clipGradValue(w, 0.7);
    close(
      w.grad!.toTypedArray(),
      g.map((v) => Math.min(0.7, Math.max(-0.7, v))),
    );
  }
  const w = withGrad([1, 2, 3], [Number.NaN, Infinity, -Infinity], [3]);
  clipGradValue([w], 2);
  expect([...w.grad!.toTypedArray()]).toEqual([Number.NaN, 2, -2]);
});

describe("by rows", () => {
  const rows = 3;
  test.each([1, 3, 4, 5, 9])("width %d", (width) => {
    const p = numbers(rows * width);
    const g = numbers(rows * width, 5).map((v) => Math.fround(v * 3));
    const part = (x: number[], r: number) => x.slice(r * width, (r + 1) * width);
    const byRow = (x: number[], f: (row: number[], r: number) => number[]) =>
      Array.from({ length: rows }, (_, r) => f(part(x, r), r)).flat();

    const central = withGrad(p, g, [rows, width]);
    centralizeGrad(central);
    close(
      central.grad!.toTypedArray(),
      byRow(g, (row) => row.map((v) => v - row.reduce((a, b) => a + b) / width)),
    );
    const adaptive = withGrad(p, g, [rows, width]);
    clipGradAdaptive(adaptive, { clipping: 0.2, eps: 0.5 });
    close(
      adaptive.grad!.toTypedArray(),
      byRow(g, (row, r) => {
        const factor = Math.min(1, (0.2 * Math.max(norm(part(p, r), 2), 0.5)) / norm(row, 2));
        return row.map((v) => v * factor);
      }),
    );
    const bounded = tensor(p, { shape: [rows, width], requiresGrad: true });
    maxNorm([bounded], 1.5);
    close(
      bounded.toTypedArray(),
      byRow(p, (row) => row.map((v) => v * Math.min(1, 1.5 / norm(row, 2)))),
    );
    const unit = tensor(p, { shape: [rows, width], requiresGrad: true });
    unitNorm(unit);
    close(
      unit.toTypedArray(),
      byRow(p, (row) => row.map((v) => v / norm(row, 2))),
    );
  });

  test("vectors are one row; centralization leaves them alone", () => {
    const w = withGrad([3, 4], [1, 3], [2]);
    centralizeGrad(w);
    expect(w.grad!.toArray()).toEqual([1, 3]);
    maxNorm(w, 1);
    close(w.toTypedArray(), [0.6, 0.8]);
    const zero = tensor([0, 0], { requiresGrad: true });
    unitNorm(zero);
    expect(zero.toArray()).toEqual([0, 0]);
  });
});

test("gradient noise: its variance falls with the step, its generator repeats", () => {
  const n = 20000;
  const draw = (step: number) => {
    const w = withGrad(Array(n).fill(0), Array(n).fill(1), [n]);
    addGradNoise([w], { eta: 0.04, gamma: 1, step, generator: new Generator(3) });
    return [...w.grad!.toTypedArray()].map((v) => v - 1);
  };
  const variance = (x: number[]) => x.reduce((sum, v) => sum + v * v, 0) / n;
  expect(variance(draw(0))).toBeCloseTo(0.04, 2);
  expect(variance(draw(3)) / variance(draw(0))).toBeCloseTo(0.25, 4);
});

test("penalties and their gradients", () => {
  const [a, b] = [tensor([1, -2, 0], { requiresGrad: true }), tensor([[3], [-4]], { requiresGrad: true })];
  expect(l1Penalty([a, b], 0.5).item()).toBe(5);
  expect(l2Penalty([a, b], 0.5).item()).toBe(15);
  expect(elasticNet([a, b], { l1: 1, l2: 2 }).item()).toBe(70);
  elasticNet([a, b], { l1: 1, l2: 2 }).backward();
  expect([a.grad!.toArray(), b.grad!.toArray()]).toEqual([
    [5, -9, 0],
    [[13], [-17]],
  ]);
  gradcheck((x) => elasticNet([x!], { l1: 0.3, l2: 0.2 }), [tensor([0.5, -1.5, 2], { requiresGrad: true })]);
  expect(() => l1Penalty([], 1)).toThrow("l1Penalty: got no parameters");
});
