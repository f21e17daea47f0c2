// Linear: its start, its formula, its options.
import { describe, expect, test } from "vitest";
import { manualSeed, noGrad, ones, tensor, zeros } from "../../src/index.js";
import { Linear } from "../../src/nn/index.js";

describe("Linear", () => {
  test("starts uniform in ±1/√in: bounds, mean, deviation over 1e5 draws", () => {
    manualSeed(3);
    const inFeatures = 100;
    const bound = 1 / Math.sqrt(inFeatures);
    const { weight, bias } = new Linear(inFeatures, 1000);
    expect(weight.shape).toEqual([1000, 100]);
    expect(bias!.shape).toEqual([1000]);
    const values = [...weight.toTypedArray()];
    const mean = values.reduce((s, v) => s + v, 0) / values.length;
    const std = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length);
    // Five standard errors: of the mean σ/√n, of the deviation of a uniform distribution about 0.45 σ/√n.
    const sigma = bound / Math.sqrt(3);
    expect(Math.abs(mean)).toBeLessThan((5 * sigma) / Math.sqrt(1e5));
    expect(Math.abs(std / sigma - 1)).toBeLessThan((5 * 0.45) / Math.sqrt(1e5));
    for (const drawn of [values, [...bias!.toTypedArray()]]) {
      // Both ends are reached: the chance that all n draws stay 20 / n short of one is e⁻¹⁰; the seed is fixed.
      const [low, high] = [drawn.reduce((a, b) => Math.min(a, b)), drawn.reduce((a, b) => Math.max(a, b))];
      expect(low).toBeGreaterThanOrEqual(-Math.fround(bound));
      expect(high).toBeLessThanOrEqual(Math.fround(bound));
      expect(low).toBeLessThan(-bound * (1 - 20 / drawn.length));
      expect(high).toBeGreaterThan(bound * (1 - 20 / drawn.length));
    }
  });

  test("same seed, same weights; y = x Wᵀ + b over the last axis", () => {
    manualSeed(1);
    const a = new Linear(3, 2);
    manualSeed(1);
    const b = new Linear(3, 2);
    expect(b.weight.toArray()).toEqual(a.weight.toArray());
    noGrad(() => {
      a.weight.copy(
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
      );
      a.bias!.copy(tensor([10, 20]));
    });
    expect(a.forward(tensor([1, 0, -1])).toArray()).toEqual([8, 18]);
    expect(a.forward(ones([2, 4, 3])).shape).toEqual([2, 4, 2]);
    expect(new Linear(3, 2, { bias: false }).forward(zeros([1, 3])).toArray()).toEqual([[0, 0]]);
  });

  test("refuses sizes and options that are none", () => {
    expect(() => new Linear(2.5, 1)).toThrow(/Linear: inFeatures must be an integer: got 2.5/);
    expect(() => new Linear(2, -1)).toThrow(/Linear: outFeatures must be .*-1/);
    expect(() => new Linear(2, 1, { biass: false } as never)).toThrow(/Linear: unknown option "biass"/);
    expect(() => new Linear(2, 1, false as never)).toThrow(/Linear: options must be an object: got false/);
  });
});
