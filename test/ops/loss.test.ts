// Losses: what they refuse, and values at the edges.
import { describe, expect, test } from "vitest";
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  cosineEmbeddingLoss,
  crossEntropy,
  ctcLoss,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  huberLoss,
  klDiv,
  l1Loss,
  memory,
  multiMarginLoss,
  nllLoss,
  ones,
  poissonNllLoss,
  scope,
  sigmoidFocalLoss,
  smoothL1Loss,
  type Tensor,
  tensor,
  tripletMarginLoss,
  zeros,
} from "../../src/index.js";

const labels = (...values: number[]) => tensor(values, { dtype: "i32" });

test("a label that is no class is refused by name and position, and leaves nothing behind", () => {
  scope(() => {
    const x = zeros([3, 4], { requiresGrad: true });
    const [high, negative, fraction, nan] = [
      labels(0, 4, 1),
      labels(0, 1, -1),
      tensor([0, 1.5, 2]),
      tensor([NaN, 0, 0]),
    ];
    const weight = ones([4]);
    const before = memory();
    for (const target of [high, negative, fraction, nan]) {
      for (const call of [
        () => crossEntropy(x, target),
        () => crossEntropy(x, target, { weight }),
        () => crossEntropy(x, target, { labelSmoothing: 0.1 }),
        () => nllLoss(x, target),
        () => multiMarginLoss(x, target),
      ]) {
        expect(call).toThrow(RangeError);
      }
    }
    expect(() => nllLoss(x, high)).toThrow(/nllLoss: target 4 is no class of 4 \(element 1 of target \[3\]\)/);
    const after = memory();
    expect([after.tensors, after.bytes]).toEqual([before.tensors, before.bytes]);
  });
});

test("shapes, dtypes and options that are refused", () => {
  scope(() => {
    const [x, t] = [zeros([3, 4]), zeros([3, 5])];
    const pairs: [string, (a: Tensor, b: Tensor, options?: object) => Tensor][] = [
      ["l1Loss", l1Loss],
      ["smoothL1Loss", smoothL1Loss],
      ["huberLoss", huberLoss],
      ["poissonNllLoss", poissonNllLoss],
      ["binaryCrossEntropy", binaryCrossEntropy],
      ["binaryCrossEntropyWithLogits", binaryCrossEntropyWithLogits],
      ["sigmoidFocalLoss", sigmoidFocalLoss],
      ["hingeEmbeddingLoss", hingeEmbeddingLoss],
      ["klDiv", klDiv],
    ];
    for (const [name, loss] of pairs) {
      expect(() => loss(x, t), name).toThrow(
        new RegExp(`^${name}: target must be \\[3,4\\] as the input: got \\[3,5\\]`),
      );
      expect(() => loss(x.to("bool"), x), name).toThrow(TypeError);
      expect(() => loss(x, x, { reduction: "average" }), name).toThrow(/reduction must be/);
      expect(() => loss(x, x, { size: 1 }), name).toThrow(/unknown option "size"/);
    }
    expect(() => crossEntropy(x, labels(0, 1))).toThrow(/target must be \[3\] for an input of \[3,4\]: got \[2\]/);
    expect(() => crossEntropy(x, labels(0, 1, 2), ones([3]))).toThrow(/weight must be \[4\]/);
    expect(() => crossEntropy(x, labels(0, 1, 2), { labelSmoothing: 1.2 })).toThrow(/labelSmoothing/);
    expect(() => crossEntropy(x, x, { ignoreIndex: 1 })).toThrow(/probabilities have no class to ignore/);
    expect(() => nllLoss(x, x)).toThrow(RangeError);
    expect(() => multiMarginLoss(x, labels(0, 1, 2), { p: 3 })).toThrow(/p must be from 1 to 2/);
    expect(() => multiMarginLoss(zeros([1, 2, 3]), zeros([1, 3]))).toThrow(/\[batch, classes\]/);
    expect(() => huberLoss(x, x, { delta: 0 })).toThrow(/delta must be above 0/);
    expect(() => smoothL1Loss(x, x, { beta: -1 })).toThrow(/beta/);
    expect(() => gaussianNllLoss(x, x, ones([4]))).toThrow(
      /variance must be \[3,1\] for an input of \[3,4\]: got \[4\]/,
    );
    expect(() => gaussianNllLoss(x, x, zeros([3, 1]).sub(1))).toThrow(/a variance is negative: -1 \(element 0/);
    expect(() => binaryCrossEntropy(tensor([0.5, 1.5]), zeros([2]))).toThrow(/input 1.5 is no probability \(element 1/);
    expect(() => binaryCrossEntropyWithLogits(x, x, { posWeight: ones([3]) })).toThrow(/do not broadcast/);
    expect(() => klDiv(x, x, { reduction: "batch" } as object)).toThrow(/"batchmean"/);
    expect(() => cosineEmbeddingLoss(x, x, labels(1))).toThrow(/target \[1\]/);
    expect(() => tripletMarginLoss(x, x, zeros([4]))).toThrow(/same axes/);
  });
});

test("what ctcLoss refuses", () => {
  scope(() => {
    const x = zeros([4, 2, 3]);
    const targets = tensor(
      [
        [1, 2],
        [2, 1],
      ],
      { dtype: "i32" },
    );
    const [four, two] = [
      [4, 4],
      [2, 2],
    ];
    expect(() => ctcLoss(zeros([3]), targets, four, two)).toThrow(/\[T, batch, classes\]/);
    expect(() => ctcLoss(x, targets, [5, 4], two)).toThrow(/inputLengths\[0\] must be from 1 to 4: got 5/);
    expect(() => ctcLoss(x, targets, four, [2, 3])).toThrow(/targetLengths\[1\]/);
    expect(() => ctcLoss(x, targets, [4], two)).toThrow(/2 lengths, one an item: got 1/);
    expect(() => ctcLoss(x, labels(1, 2, 1), four, two)).toThrow(/nor 4 labels/);
    expect(() => ctcLoss(x, targets, four, two, { blank: 1 })).toThrow(/1 is no label .* \(element 0 of targets\)/);
    expect(() => ctcLoss(x, targets.add(1), four, two)).toThrow(/3 is no label/);
    expect(() => ctcLoss(x, targets, four, two, { blank: 3 })).toThrow(/blank must be from 0 to 2: got 3/);
    expect(ctcLoss(x.sub(1), targets, [1, 1], two).item()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("edges", () => {
  test("the lectures' multi-class SVM is not divided by the classes", () => {
    scope(() => {
      const scores = tensor([
        [3.2, 5.1, -1.7],
        [1.3, 4.9, 2.0],
        [2.2, 2.5, -3.1],
      ]); // CS231n's example
      const loss = multiMarginLoss(scores, labels(0, 1, 2), { divideByClasses: false, reduction: "none" });
      const got = loss.toTypedArray();
      [2.9, 0, 12.9].forEach((want, i) => expect(got[i]).toBeCloseTo(want, 5));
    });
  });

  test("an infinite logarithm of another class does not spoil a row", () => {
    scope(() => {
      expect(nllLoss(tensor([[-Infinity, 0]]), labels(1)).item()).toBe(0);
      expect(multiMarginLoss(tensor([[-Infinity, 0]]), labels(1)).item()).toBe(0);
    });
  });

  test("the mean of no rows is NaN, the sum 0", () => {
    scope(() => {
      const x = zeros([2, 3]);
      for (const loss of [nllLoss, crossEntropy]) {
        expect(loss(x, labels(-100, -100), { weight: ones([3]) }).item()).toBeNaN();
        expect(loss(x, labels(-100, -100), { weight: ones([3]), reduction: "sum" }).item()).toBe(0);
      }
    });
  });

  test("a probability of 0 or 1 has PyTorch's gradient", () => {
    scope(() => {
      const x = tensor([0, 1, 0, 1], { requiresGrad: true });
      binaryCrossEntropy(x, tensor([0, 1, 1, 0]), { reduction: "sum" }).backward();
      expect([...x.grad!.toTypedArray()]).toEqual([0, 0, -1e12, 1e12].map(Math.fround));
    });
  });

  test("a NaN stays a NaN", () => {
    scope(() => {
      const bad = tensor([Number.NaN, 1]);
      const pairs = [
        l1Loss,
        smoothL1Loss,
        huberLoss,
        poissonNllLoss,
        binaryCrossEntropyWithLogits,
        klDiv,
        binaryCrossEntropy,
      ];
      for (const loss of pairs) {
        expect(loss(bad, ones([2])).item(), loss.name).toBeNaN();
        expect(loss(ones([2]), bad).item(), loss.name).toBeNaN();
      }
      expect(sigmoidFocalLoss(bad, ones([2]), { reduction: "sum" }).item()).toBeNaN();
      expect(multiMarginLoss(tensor([[Number.NaN, 1, 2]]), labels(1)).item()).toBeNaN();
      expect(crossEntropy(tensor([[Number.NaN, 1]]), labels(1), { labelSmoothing: 0.1 }).item()).toBeNaN();
    });
  });
});
