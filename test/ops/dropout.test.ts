// Dropout: masks between steps, runs and walks; attention's dropout and masks; what both refuse.
import { describe, expect, test } from "vitest";
import {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  Generator,
  grad,
  manualSeed,
  mean,
  memory,
  ones,
  randn,
  scaledDotProductAttention,
  scope,
  sum,
  type Tensor,
  tensor,
  variance,
  zeros,
} from "../../src/index.js";

const values = (x: Tensor) => [...x.toTypedArray()];

describe("masks", () => {
  test("are new at each step, and the same between runs of one seed", () => {
    scope(() => {
      const run = (seed: number) => {
        manualSeed(seed);
        return [dropout(ones([64])), dropout(ones([64])), dropout2d(ones([8, 8, 1, 1]))].map(values);
      };
      const [first, again, other] = [run(1), run(1), run(2)];
      expect(again).toEqual(first);
      expect(first[0]).not.toEqual(first[1]);
      expect(other[0]).not.toEqual(first[0]);
    });
    manualSeed(0);
  });

  test("are the forward pass's own in the gradient, however much was drawn since", () => {
    scope(() => {
      const x = ones([1000], { requiresGrad: true });
      const y = dropout(x, { p: 0.3, generator: new Generator(4) });
      dropout(ones([100]));
      const [g] = grad(sum(y), x) as [Tensor];
      expect(values(g)).toEqual(values(y));
    });
  });

  test("keep the mean; alphaDropout keeps mean and variance of normal numbers", () => {
    scope(() => {
      const n = 200_000;
      expect(Math.abs(mean(dropout(ones([n]), 0.4)).item() - 1)).toBeLessThan(0.01);
      const y = alphaDropout(randn([n]), 0.2);
      expect(Math.abs(mean(y).item())).toBeLessThan(0.02);
      expect(Math.abs(variance(y).item() - 1)).toBeLessThan(0.03);
      expect(new Set(values(dropout(ones([n]), 0.4))).size).toBe(2);
    });
  });

  test("drop whole channels", () => {
    scope(() => {
      for (const y of [
        dropout1d(ones([20, 5, 6])),
        dropout2d(ones([20, 5, 2, 3])),
        dropout3d(ones([20, 5, 1, 2, 3])),
      ]) {
        const channels = sum(y.reshape([100, 6]), 1);
        expect([...new Set(values(channels))].sort((a, b) => a - b)).toEqual([0, 12]);
      }
    });
  });

  test("p = 1 drops all, p = 0 and inference nothing; NaN does not vanish", () => {
    scope(() => {
      const x = tensor([1, Number.NaN, 3]);
      expect(values(dropout(x, 1))).toEqual([0, Number.NaN, 0]);
      expect(values(alphaDropout(tensor([1, 2]), { p: 1 }))).toEqual([0, 0]);
      expect(dropout(x, 0)).toBe(x);
      expect(dropout2d(zeros([1, 1, 1, 1]), { training: false }).shape).toEqual([1, 1, 1, 1]);
    });
  });
});

test("refusals of dropout", () => {
  scope(() => {
    const x = ones([2, 3]);
    expect(() => dropout(x, 1.5)).toThrow(/dropout: p must be from 0 to 1: got 1.5/);
    expect(() => dropout(x, { p: "half" } as never)).toThrow(TypeError);
    expect(() => dropout(x, { q: 1 } as never)).toThrow(/unknown option "q"/);
    expect(() => dropout(x, { generator: 3 } as never)).toThrow(/generator must be a Generator/);
    expect(() => dropout(x.to("i32"))).toThrow(TypeError);
    expect(() => dropout2d(x)).toThrow(/x must be \[batch, channels, height, width\]: got \[2,3\]/);
    expect(() => dropout3d(x)).toThrow(RangeError);
    expect(() => dropout1d(ones([2]))).toThrow(RangeError);
  });
});

describe("attention", () => {
  test("takes memory that is linear in the sequence", () => {
    const used = (length: number): number => {
      let bytes = 0;
      scope(() => {
        const [q, k, v] = [0, 1, 2].map(() => zeros([1, length, 8], { requiresGrad: true })) as [
          Tensor,
          Tensor,
          Tensor,
        ];
        scaledDotProductAttention(q, k, v, { isCausal: true }); // scratch of lasting size
        const before = memory().bytes;
        const y = scaledDotProductAttention(q, k, v, { isCausal: true });
        sum(y).backward();
        bytes = memory().bytes - before;
      });
      return bytes;
    };
    expect(used(2048)).toBeLessThan(5 * used(512));
  });

  test("a query that no key takes part in gives 0, and takes no gradient", () => {
    scope(() => {
      const [q, k, v] = [0, 1, 2].map(() => randn([2, 4], { requiresGrad: true })) as [Tensor, Tensor, Tensor];
      const none = tensor([
        [false, false],
        [true, true],
      ]);
      for (const mask of [
        none,
        tensor([
          [-Infinity, -Infinity],
          [0, 0],
        ]),
      ]) {
        const y = scaledDotProductAttention(q, k, v, mask);
        expect(values(y).slice(0, 4)).toEqual([0, 0, 0, 0]);
        const [gq] = grad(sum(y.mul(y)), q) as [Tensor];
        expect(values(gq).slice(0, 4)).toEqual([0, 0, 0, 0]);
        expect(
          values(gq)
            .slice(4)
            .every((g) => Number.isFinite(g) && g !== 0),
        ).toBe(true);
      }
    });
  });

  test("a NaN stays in its query, or spreads from its key", () => {
    scope(() => {
      const [k, v] = [randn([3, 2]), randn([3, 2])];
      const y = scaledDotProductAttention(
        tensor([
          [1, Number.NaN],
          [1, 2],
        ]),
        k,
        v,
      );
      expect(values(y).map(Number.isNaN)).toEqual([true, true, false, false]);
      const all = scaledDotProductAttention(
        randn([2, 2]),
        tensor([
          [1, 1],
          [Number.NaN, 0],
          [2, 2],
        ]),
        v,
      );
      expect(values(all).every(Number.isNaN)).toBe(true);
    });
  });

  test("draws a new mask at each call, the same between runs of one seed", () => {
    scope(() => {
      const [q, k, v] = [randn([6, 4]), randn([9, 4]), randn([9, 4])];
      const draw = (generator: Generator) => values(scaledDotProductAttention(q, k, v, { dropoutP: 0.5, generator }));
      const [a, b] = [new Generator(3), new Generator(3)];
      const first = draw(a);
      expect(draw(b)).toEqual(first);
      expect(draw(a)).not.toEqual(first);
      expect(values(scaledDotProductAttention(q, k, v, { dropoutP: 1 })).every((y) => y === 0)).toBe(true);
    });
  });

  test("refuses what does not fit", () => {
    scope(() => {
      const [q, k, v] = [zeros([2, 3, 4]), zeros([2, 5, 4]), zeros([2, 5, 6])];
      const mask = ones([3, 5]);
      expect(() => scaledDotProductAttention(q, zeros([2, 5, 3]), v)).toThrow(/key \[2,5,3\]/);
      expect(() => scaledDotProductAttention(q, k, zeros([2, 4, 6]))).toThrow(RangeError);
      expect(() => scaledDotProductAttention(q, k, zeros([3, 5, 6]))).toThrow(/do not broadcast/);
      expect(() => scaledDotProductAttention(zeros([4]), k, v)).toThrow(RangeError);
      expect(() => scaledDotProductAttention(q, k, v, ones([3, 4]))).toThrow(/\[3,4\]/);
      expect(() => scaledDotProductAttention(q, k, v, ones([7, 2, 3, 5]))).toThrow(/does not broadcast to the scores/);
      expect(() => scaledDotProductAttention(q, k, v, mask.to("i32"))).toThrow(/bool or f32/);
      expect(() => scaledDotProductAttention(q, k, v, mask, { isCausal: true })).toThrow(/exclude each other/);
      expect(() => scaledDotProductAttention(q, k, v, { dropoutP: -1 })).toThrow(/dropoutP/);
      expect(() => scaledDotProductAttention(q, k, v, { dropout: 0.1 } as object)).toThrow(/unknown option "dropout"/);
    });
  });
});
