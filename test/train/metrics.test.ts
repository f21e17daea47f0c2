// Metrics of a batch.
import { describe, expect, test } from "vitest";
import { manualSeed, memory, randn, tensor, zeros } from "../../src/index.js";
import { accuracy, confusionMatrix } from "../../src/train/index.js";

describe("accuracy", () => {
  test("the share of rows whose largest output is the target's class", () => {
    const output = tensor([
      [1, 5, 2],
      [9, 0, 0],
      [0, 1, 2],
      [3, 2, 1],
    ]);
    for (const dtype of ["i32", "f32"] as const) {
      expect(accuracy(output, tensor([1, 0, 2, 0], { dtype }))).toBe(1);
      expect(accuracy(output, tensor([1, 1, 2, 2], { dtype }))).toBe(0.5);
      expect(accuracy(output, tensor([0, 1, 0, 1], { dtype }))).toBe(0);
    }
  });

  test("ties count for the first class, NaN for itself, as argmax has it", () => {
    expect(
      accuracy(
        tensor([
          [2, 2],
          [Number.NaN, 9],
        ]),
        tensor([0, 0]),
      ),
    ).toBe(1);
  });

  test("further axes are rows", () => {
    const output = randn([2, 3, 4]);
    const target = output.argmax(1);
    expect(target.shape).toEqual([2, 4]);
    expect(accuracy(output, target)).toBe(1);
  });

  test("records nothing and holds nothing, also of outputs that require gradients", () => {
    manualSeed(0);
    const w = tensor(
      [
        [1, 0],
        [0, 1],
      ],
      { requiresGrad: true },
    );
    const output = randn([5, 2]).matmul(w);
    const target = zeros([5]);
    const { bytes, tensors } = memory();
    for (let i = 0; i < 10; i++) accuracy(output, target);
    expect(memory()).toMatchObject({ bytes, tensors });
    output.sum().backward();
  });

  test("says which shapes do not fit", () => {
    expect(() => accuracy(zeros([4, 3]), zeros([4, 3]))).toThrow(
      "accuracy: target must be [4] for an output of [4,3]: got [4,3].",
    );
    expect(() => accuracy(zeros([4, 3]), zeros([3]))).toThrow(/target must be \[4\]/);
    expect(() => accuracy(zeros([4]), zeros([4]))).toThrow(RangeError);
    expect(() => accuracy([[1]] as never, zeros([1]))).toThrow(/accuracy: output must be a tensor/);
    expect(() => accuracy(zeros([1, 2]), [1] as never)).toThrow(/accuracy: target must be a tensor/);
  });
});

describe("confusionMatrix", () => {
  const wanted = [
    [1, 1, 0],
    [0, 2, 0],
    [1, 0, 0],
  ];
  const [predicted, target] = [
    [0, 1, 1, 1, 0],
    [0, 0, 1, 1, 2],
  ];

  test("a row a true class, a column a predicted one", () => {
    expect(confusionMatrix(predicted, target, 3)).toEqual(wanted);
    expect(confusionMatrix(Int32Array.from(predicted), Float32Array.from(target), 3)).toEqual(wanted);
    expect(confusionMatrix([], [], 2)).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test("of tensors", () => {
    expect(confusionMatrix(tensor(predicted), tensor(target, { dtype: "i32" }), 3)).toEqual(wanted);
    expect(
      confusionMatrix(
        tensor([
          [0, 9],
          [9, 0],
        ]).argmax(1),
        tensor([1, 1]),
        2,
      ),
    ).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(() => confusionMatrix(zeros([2, 3]), zeros([2]), 3)).toThrow(/predicted must have one axis: got \[2,3\]/);
  });

  test("rows are arrays of their own", () => {
    const m = confusionMatrix([0], [0], 2);
    expect(m[0]).not.toBe(m[1]);
  });

  test.each([
    [[[0, 1], [0], 2], /lengths differ: 2 predictions, 1 targets/],
    [[[0], [2], 2], /target\[0\] must be from 0 to 1: got 2/],
    [[[-1], [0], 2], /predicted\[0\] must be from 0 to 1: got -1/],
    [[[0.5], [0], 2], /predicted\[0\] must be an integer: got 0.5/],
    [[[0], [0], 0], /classes must be/],
    [[[0], [0], undefined], /classes must be an integer: got undefined/],
    [[5, [0], 2], /predicted must be a tensor or an array of classes: got 5/],
    [[[0], null, 2], /target must be a tensor or an array of classes: got null/],
  ])("%j", (args, message) => {
    expect(() => (confusionMatrix as (...a: unknown[]) => unknown)(...args)).toThrow(message);
  });
});
