// Normalizations: running statistics, what is refused, and figures that are easy to get wrong.
import { describe, expect, test } from "vitest";
import {
  batchNorm,
  checkpoint,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  norm,
  normalize,
  ones,
  randn,
  rmsNorm,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";

const close = (x: Tensor, want: readonly number[], tolerance = 1e-6): void => {
  const got = x.toTypedArray();
  expect(got.length).toBe(want.length);
  want.forEach((v, i) => expect(Math.abs(got[i]! - v)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(v))));
};

describe("running statistics", () => {
  test("move towards the batch's mean and unbiased variance", () => {
    scope(() => {
      const x = tensor([
        [1, 10],
        [3, 30],
        [8, 20],
      ]);
      const [mean, variance] = [tensor([1, 2]), tensor([3, 4])];
      batchNorm(x, mean, variance, { training: true, momentum: 0.25 });
      close(mean, [0.75 + 1, 1.5 + 5]);
      close(variance, [0.75 * 3 + 0.25 * 13, 0.75 * 4 + 0.25 * 100]);
    });
  });

  test("of instances are the mean over the batch", () => {
    scope(() => {
      const x = tensor([[[1, 3]], [[10, 20]]]); // means 2, 15; unbiased variances 2, 50
      const [runningMean, runningVar] = [zeros([1]), ones([1])];
      instanceNorm(x, { runningMean, runningVar });
      close(runningMean, [0.1 * 8.5]);
      close(runningVar, [0.9 + 0.1 * 26]);
    });
  });

  test("stay as they are in inference, on an empty batch and in a checkpoint's second run", () => {
    scope(() => {
      const [mean, variance] = [zeros([2]), ones([2])];
      batchNorm(randn([5, 2]), mean, variance);
      batchNorm(zeros([0, 2]), mean, variance, { training: true });
      close(mean, [0, 0]);
      close(variance, [1, 1]);
      const x = tensor(
        [
          [1, 2],
          [3, 6],
        ],
        { requiresGrad: true },
      );
      const y = checkpoint((t: Tensor) => batchNorm(t, mean, variance, { training: true }), [x]) as Tensor;
      const after = mean.toArray();
      close(mean, [0.2, 0.4]);
      sum(y).backward();
      expect(mean.toArray()).toEqual(after);
    });
  });

  test("nothing changes when a call throws", () => {
    scope(() => {
      const [mean, variance] = [zeros([2]), ones([2])];
      const weight = ones([2]);
      weight.dispose();
      expect(() => batchNorm(randn([3, 2]), mean, variance, { weight, training: true })).toThrow(/released/);
      expect(() => batchNorm(randn([1, 2]), mean, variance, { training: true })).toThrow(RangeError);
      expect(mean.toArray()).toEqual([0, 0]);
      expect(variance.toArray()).toEqual([1, 1]);
    });
  });
});

describe("what is refused", () => {
  test("one value per channel in training says why", () => {
    scope(() => {
      const why = /one value per channel in training: x is \[1,3\]\. A single value is its own mean/;
      expect(() => batchNorm(zeros([1, 3]), null, null, { training: true })).toThrow(why);
      expect(() => batchNorm(zeros([1, 3, 1, 1]), null, null, { training: true })).toThrow(RangeError);
      expect(batchNorm(zeros([1, 3]), zeros([3]), ones([3])).shape).toEqual([1, 3]);
      expect(() => instanceNorm(zeros([4, 3, 1]))).toThrow(/one value per channel/);
    });
  });

  test("shapes, dtypes, options", () => {
    scope(() => {
      const x = zeros([2, 6]);
      expect(() => batchNorm(x, null, null)).toThrow(/needed unless training/);
      expect(() => batchNorm(x, zeros([5]), ones([6]))).toThrow(/runningMean must be \[6\]: got \[5\]/);
      expect(() => batchNorm(zeros([6]), null, null, { training: true })).toThrow(/\[batch, channels/);
      expect(() => batchNorm(x, null, null, { training: true, momentum: 2 })).toThrow(/momentum/);
      expect(() => batchNorm(x, null, null, { trainign: true } as object)).toThrow(/unknown option "trainign"/);
      expect(() => batchNorm(x, null, null, 3 as never)).toThrow(TypeError);
      expect(() => layerNorm(x, 5)).toThrow(/x must end in normalizedShape \[5\]: got \[2,6\]/);
      expect(() => layerNorm(x, [])).toThrow(RangeError);
      expect(() => layerNorm(x, 6, ones([5]))).toThrow(/weight must be \[6\]/);
      expect(() => layerNorm(x, 6, null, ones([5]))).toThrow(/bias must be \[6\]/);
      expect(() => layerNorm(x, 6, { eps: -1 })).toThrow(/eps/);
      expect(() => rmsNorm(x, 6, { bias: ones([6]) } as object)).toThrow(/unknown option "bias"/);
      expect(() => groupNorm(x, 4)).toThrow(/numGroups 4 does not divide 6 channels/);
      expect(() => groupNorm(x, 0)).toThrow(RangeError);
      expect(() => layerNorm(x.to("i32"), 6)).toThrow(TypeError);
      expect(() => localResponseNorm(x, 2)).toThrow(/\[batch, channels, length, …\]/);
      expect(() => norm(zeros([0]), { p: Number.POSITIVE_INFINITY })).toThrow(/empty/);
      expect(() => norm(x, { p: Number.NaN })).toThrow(/NaN/);
      expect(() => normalize(x, { dim: 2 })).toThrow(/out of range/);
    });
  });
});

describe("figures", () => {
  test("a mean far from 0 keeps the digits of the variance", () => {
    scope(() => {
      // 4096 + {0, 1}: every number is exact in f32, and so is what is left.
      const data = Float32Array.from({ length: 4000 }, (_, i) => 4096 + (i % 2));
      const want = Array.from(data, (v) => (v === 4096 ? -1 : 1));
      for (const shape of [
        [1, 2, 2000],
        [20, 2, 100],
        [4000, 1],
      ]) {
        close(batchNorm(tensor(data, { shape }), null, null, { training: true, eps: 0 }), want);
      }
      close(layerNorm(tensor(data), 4000, { eps: 0 }), want);
    });
  });

  test("the gradient of a norm is 0 at 0, also the second time", () => {
    scope(() => {
      for (const p of [0.5, 1, 2, 3]) {
        const x = zeros([3], { requiresGrad: true });
        norm(x, { p }).backward();
        expect(x.grad!.toArray(), `p ${p}`).toEqual([0, 0, 0]);
      }
    });
  });
});
