// Convolutions and pooling beside their rows: what is refused and with which words, batches and their items, determinism.
import { describe, expect, test } from "vitest";
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  avgPool2d,
  conv1d,
  conv2d,
  conv3d,
  convTranspose2d,
  fold,
  grad,
  interpolate,
  maxPool1d,
  maxPool2d,
  memory,
  ones,
  scope,
  type Tensor,
  tensor,
  unfold,
  zeros,
} from "../../src/index.js";
import { randomFrom } from "../rows.js";

function random(shape: readonly number[], seed: number): Tensor {
  const next = randomFrom(seed);
  return tensor(
    Float32Array.from({ length: shape.reduce((n, s) => n * s, 1) }, () => 2 * next() - 1),
    { shape },
  );
}

describe("refused, with all values", () => {
  const x = () => zeros([2, 4, 5, 6]);
  const w = () => zeros([8, 4, 3, 3]);
  test.each<[string, () => unknown, typeof RangeError | typeof TypeError, string]>([
    [
      "channels",
      () => conv2d(x(), zeros([8, 3, 3, 3])),
      RangeError,
      "conv2d: channels do not fit: x is [2,4,5,6] with 4 channels, weight [8,3,3,3], groups 1",
    ],
    ["groups", () => conv2d(x(), zeros([7, 2, 3, 3]), { groups: 2 }), RangeError, "weight [7,2,3,3], groups 2"],
    [
      "window",
      () => conv2d(x(), zeros([8, 4, 7, 3])),
      RangeError,
      "the window is larger than the input: input [5,6], kernel [7,3], padding [0,0], dilation [1,1], stride [1,1], output [-1,4]",
    ],
    [
      "axes of x",
      () => conv2d(zeros([4, 5]), w()),
      RangeError,
      "x must be [batch, channels, height, width] or [channels, height, width]: got [4,5] (x)",
    ],
    [
      "axes of the weight",
      () => conv1d(zeros([1, 4, 5]), w()),
      RangeError,
      "weight must have 3 axes, none empty: got [8,4,3,3]",
    ],
    [
      "empty image",
      () => conv2d(zeros([2, 4, 0, 6]), w()),
      RangeError,
      "only the batch may be empty: x is [2,4,0,6] (axis 2)",
    ],
    ["bias", () => conv2d(x(), w(), zeros([7])), RangeError, "conv2d: bias must be [8]: got [7] (bias)"],
    ["dtype", () => conv2d(x().to("i32"), w()), TypeError, "conv2d: x must be f32: got i32"],
    ["option", () => conv2d(x(), w(), { strides: 2 } as object), TypeError, 'conv2d: unknown option "strides"'],
    [
      "bias of another kind",
      () => conv2d(x(), w(), 3 as never),
      TypeError,
      "conv2d: bias must be a tensor: got number",
    ],
    ["stride", () => conv2d(x(), w(), { stride: 0 }), RangeError, "conv2d: stride must be from 1"],
    [
      "stride a fraction",
      () => conv2d(x(), w(), { stride: [1, 1.5] }),
      TypeError,
      "conv2d: stride[1] must be an integer: got 1.5",
    ],
    [
      "stride for other axes",
      () => conv2d(x(), w(), { stride: [1, 1, 1] }),
      RangeError,
      "stride must have one number for each of 2 axes: got [1,1,1]",
    ],
    [
      "padding",
      () => conv2d(x(), w(), { padding: "half" as "same" }),
      RangeError,
      'padding must be a number, an array, "same" or "valid": got "half"',
    ],
    [
      "same with stride",
      () => conv2d(x(), w(), { padding: "same", stride: 2 }),
      RangeError,
      'padding "same" needs stride 1: got stride [2,2]',
    ],
    [
      "transposed channels",
      () => convTranspose2d(x(), w()),
      RangeError,
      "convTranspose2d: channels do not fit: x is [2,4,5,6] with 4 channels, weight [8,4,3,3]",
    ],
    [
      "outputPadding",
      () => convTranspose2d(x(), zeros([4, 2, 3, 3]), { outputPadding: 1 }),
      RangeError,
      "outputPadding must be less than stride or dilation: got [1,1], stride [1,1], dilation [1,1]",
    ],
    [
      "nothing left",
      () => convTranspose2d(zeros([1, 1, 1, 1]), zeros([1, 1, 2, 2]), { padding: 1 }),
      RangeError,
      "nothing is left of the result",
    ],
    ["three axes", () => conv3d(x(), w()), RangeError, "weight must have 5 axes"],
    [
      "pool padding",
      () => maxPool2d(x(), 3, { padding: 2 }),
      RangeError,
      "padding must be at most half the kernel: padding [2,2], kernel [3,3]",
    ],
    [
      "pool window",
      () => avgPool2d(x(), 6),
      RangeError,
      "avgPool2d: the window is larger than the input: input [5,6], kernel [6,6]",
    ],
    ["pool kernel", () => maxPool1d(zeros([1, 1, 4]), 0), RangeError, "maxPool1d: kernelSize must be from 1"],
    ["pool axes", () => maxPool2d(zeros([3, 4]), 2), RangeError, "got [3,4] (x)"],
    ["divisor", () => avgPool2d(x(), 2, { divisorOverride: 0 }), RangeError, "divisorOverride must not be 0"],
    ["adaptive size", () => adaptiveAvgPool2d(x(), [2]), RangeError, "outputSize must have 2 sizes: got [2]"],
    [
      "adaptive kind",
      () => adaptiveMaxPool1d(zeros([1, 1, 4]), "2" as never),
      TypeError,
      'outputSize must be integers or null: got "2"',
    ],
    ["unfold", () => unfold(x(), 7), RangeError, "unfold: the window is larger than the input"],
    [
      "fold rows",
      () => fold(zeros([1, 7, 4]), [3, 3], 2),
      RangeError,
      "x must be [1,8,4] for images of [3,3] and a kernel [2,2]: got [1,7,4]",
    ],
    [
      "fold windows",
      () => fold(zeros([1, 8, 5]), [3, 3], 2),
      RangeError,
      "x must be [1,8,4] for images of [3,3] and a kernel [2,2]: got [1,8,5]",
    ],
    ["interpolate without size", () => interpolate(x(), {}), TypeError, "takes either size or scaleFactor"],
    [
      "interpolate mode",
      () => interpolate(x(), { size: 4, mode: "linear" }),
      RangeError,
      "mode linear is for 1 axes: x is [2,4,5,6], with 2",
    ],
    [
      "interpolate corners",
      () => interpolate(x(), { size: 4, alignCorners: true }),
      RangeError,
      "alignCorners is for linear and cubic modes",
    ],
  ])("%s", (_, call, kind, message) => {
    scope(() => {
      const before = memory().tensors;
      expect(call).toThrow(kind);
      expect(call).toThrow(message);
      expect(memory().tensors - before, "tensors left but the arguments").toBeLessThanOrEqual(6);
    });
  });
});

describe("a batch of one has the bits of that item in a batch", () => {
  const item = (x: Tensor, n: number) => x.slice([[n, n + 1]]);
  const same = (batch: Tensor, one: Tensor, n: number) =>
    expect(item(batch, n).toTypedArray()).toEqual(one.toTypedArray());

  test.each<[string, readonly number[], (x: Tensor) => Tensor]>([
    ["convolution", [3, 5, 9, 11], (x) => conv2d(x, random([7, 5, 3, 3], 2), random([7], 3), { padding: 1 })],
    ["few results", [9, 5, 3, 3], (x) => conv2d(x, random([7, 5, 3, 3], 2), { stride: 2 })],
    ["depthwise", [3, 5, 9, 11], (x) => conv2d(x, random([5, 1, 3, 3], 2), { groups: 5, stride: 2 })],
    ["one axis", [3, 5, 40], (x) => conv1d(x, random([6, 5, 3], 2))],
    ["transposed", [3, 5, 6, 7], (x) => convTranspose2d(x, random([5, 4, 3, 3], 2), { stride: 2 })],
    ["pooling", [3, 2, 8, 9], (x) => maxPool2d(avgPool2d(x, 3, { padding: 1, stride: 1 }), 2)],
  ])("%s, and its gradient", (_, shape, f) => {
    scope(() => {
      const x = random(shape, 1);
      x.requiresGrad = true;
      const y = f(x);
      const v = random(y.shape, 4);
      const [gx] = grad(y, x, { gradOutputs: v });
      for (let n = 0; n < shape[0]!; n++) {
        const one = item(x, n).detach();
        one.requiresGrad = true;
        const yOne = f(one);
        same(y, yOne, n);
        const [gOne] = grad(yOne, one, { gradOutputs: item(v, n) });
        same(gx!, gOne!, n);
      }
    });
  });
});

describe("an infinity reaches what is made of it, and nothing else", () => {
  test("gradient of a depthwise weight", () => {
    scope(() => {
      // Only the taps of the window's last column ever meet the last column of x; rows of 3 results end in its middle.
      const x = tensor(
        Float32Array.from({ length: 25 }, (_, i) => (i % 5 === 4 ? Number.POSITIVE_INFINITY : i)),
        { shape: [1, 1, 5, 5] },
      );
      const w = random([1, 1, 3, 3], 1);
      w.requiresGrad = true;
      const [gw] = grad(conv2d(x, w), w, { gradOutputs: ones([1, 1, 3, 3]) });
      expect([...gw!.toTypedArray()].map(Number.isFinite)).toEqual([1, 2, 3].flatMap(() => [true, true, false]));
    });
  });

  test("averages of uneven windows", () => {
    scope(() => {
      const x = tensor([[Number.POSITIVE_INFINITY, 1, 2, 3, 4]]);
      expect(adaptiveAvgPool1d(x, 3).toArray()).toEqual([[Number.POSITIVE_INFINITY, 2, 3.5]]);
    });
  });
});

test("bias and options in every place that the signature allows", () => {
  scope(() => {
    const [x, w, b] = [random([1, 2, 5, 5], 1), random([3, 2, 3, 3], 2), random([3], 3)];
    expect(conv2d(x, w, b, { stride: 2 }).shape).toEqual([1, 3, 2, 2]);
    const alone = conv2d(x, w, { stride: 2 }).toTypedArray();
    for (const none of [null, undefined]) expect(conv2d(x, w, none, { stride: 2 }).toTypedArray()).toEqual(alone);
    const [values, indices] = maxPool2d(x, 2, { returnIndices: true });
    expect([values.shape, indices.dtype]).toEqual([[1, 2, 2, 2], "i32"]);
  });
});

test("a transposed weight is laid out first", () => {
  scope(() => {
    const w = random([3, 2, 3, 3], 2);
    const lazy = w.transpose(2, 3);
    const x = random([1, 2, 6, 6], 1);
    expect(conv2d(x, lazy).toTypedArray()).toEqual(conv2d(x, lazy.clone()).toTypedArray());
  });
});

test("training loops without a scope use constant memory", () => {
  const w = random([4, 2, 3, 3], 2);
  w.requiresGrad = true;
  const x = random([2, 2, 9, 9], 1);
  const live: number[] = [];
  for (let step = 0; step < 6; step++) {
    const h = maxPool2d(conv2d(x, w, { padding: 1 }), 2, { padding: 1, ceilMode: true });
    const y = interpolate(avgPool2d(h, 2, { stride: 1, padding: 1, countIncludePad: false }), { size: 3 });
    adaptiveAvgPool2d(unfold(y, 2).reshape([2, 16, 2, 2]), 1)
      .sum()
      .backward();
    w.grad = null;
    live.push(memory().bytes);
  }
  expect(new Set(live.slice(2)).size, `${live}`).toBe(1);
  ones([1]).add(1); // an op that is not on the consumed graph
});

describe("a weight that is used again", () => {
  const x = ones([1, 1, 4, 4]);
  const w = ones([1, 1, 2, 2]);

  test("takes every call's own sizes and options", () => {
    for (const [options, size] of [
      [{ padding: 1 }, 5],
      [{ stride: 2 }, 2],
      [{ dilation: 2 }, 2],
      [{ padding: "same" }, 4],
    ] as const) {
      expect(conv2d(x, w).shape).toEqual([1, 1, 3, 3]);
      expect(conv2d(x, w, options).shape).toEqual([1, 1, size, size]);
    }
    expect(conv2d(x, w).shape).toEqual([1, 1, 3, 3]);
    expect(conv2d(ones([2, 1, 3, 5]), w).shape).toEqual([2, 1, 2, 4]);
    expect(conv2d(ones([1, 3, 5]), w).shape).toEqual([1, 2, 4]);
    const stride = [1, 1];
    expect(conv2d(x, w, { stride }).shape).toEqual([1, 1, 3, 3]);
    stride[0] = 2;
    expect(conv2d(x, w, { stride }).shape).toEqual([1, 1, 2, 3]);
  });

  test("is checked as at first", () => {
    conv2d(x, w);
    expect(() => conv2d(x, w, { strides: 2 } as never)).toThrow('unknown option "strides"');
    expect(() => conv2d(x, w, { groups: 2 })).toThrow("channels do not fit");
    expect(() => conv2d(ones([1, 2, 4, 4]), w)).toThrow("channels do not fit");
    expect(() => conv2d(x, w, ones([2]))).toThrow("bias must be [1]");
    expect(() => conv2d(ones([1, 1, 1, 1]), w)).toThrow(
      "the window is larger than the input: input [1,1], kernel [2,2]",
    );
  });
});
