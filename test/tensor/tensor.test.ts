import { describe, expect, it } from "vitest";
import {
  arange,
  cat,
  crossEntropy,
  empty,
  full,
  Generator,
  init,
  manualSeed,
  matmul,
  max,
  mean,
  memory,
  ones,
  rand,
  randint,
  randn,
  randperm,
  relu,
  scope,
  seed,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";

describe("creation", () => {
  it("takes numbers, booleans, nested arrays, typed arrays, iterables, tensors", () => {
    expect(tensor(3).shape).toEqual([]);
    expect(tensor([[1, 2, 3]]).shape).toEqual([1, 3]);
    expect(tensor([true, false]).dtype).toBe("bool");
    expect(tensor([true, false]).toArray()).toEqual([true, false]);
    expect(tensor(new Uint8Array([1, 255])).toArray()).toEqual([1, 255]);
    expect(tensor(new Uint8Array([1])).dtype).toBe("i32");
    expect(tensor(new Float64Array([0.1])).item()).toBe(Math.fround(0.1));
    expect(tensor(new Set([1, 2])).toArray()).toEqual([1, 2]);
    expect(tensor([[]]).shape).toEqual([1, 0]);
    expect(tensor(tensor([1, 2], { dtype: "i32" })).dtype).toBe("i32");
    expect(tensor([1, 2, 3, 4], { shape: [2, 2] }).shape).toEqual([2, 2]);
  });

  it("refuses what is no tensor, and says why", () => {
    expect(() => tensor([[1, 2], [3]])).toThrow(/ragged: expected 2 items on axis 1, got 1 items/);
    expect(() => tensor(["a"] as never)).toThrow(/numbers or booleans: got "a" \(element 0\)/);
    expect(() => tensor([1, 2], { shape: [3] })).toThrow(/2 values do not fill shape \[3\] \(3 elements\)/);
    expect(() => tensor([1], { dtyp: "f32" } as never)).toThrow(/unknown option "dtyp". Known options: shape, dtype/);
    expect(() => tensor([1], { dtype: "f64" as never })).toThrow(/unknown dtype "f64"/);
    expect(() => tensor([2 ** 31], { dtype: "i32" })).toThrow(/2147483648 does not fit an i32/);
    expect(() => zeros([2, -1])).toThrow(/non-negative integers: got -1 \(axis 1\)/);
    expect(() => ones([1], { dtype: "i32", requiresGrad: true })).toThrow(/only f32 tensors can require gradients/);
    expect(() => tensor(1n as never)).toThrow(/cannot take 1/);
  });

  it("constants and ranges", () => {
    expect(full([2], 7).toArray()).toEqual([7, 7]);
    expect(full([1], true).dtype).toBe("bool");
    expect(empty([3]).numel).toBe(3);
    expect(arange(4).toArray()).toEqual([0, 1, 2, 3]);
    expect(arange(1, 2, 0.25).toArray()).toEqual([1, 1.25, 1.5, 1.75]);
    expect(arange(3, 0, -1).toArray()).toEqual([3, 2, 1]);
    expect(() => arange(0, 3, -1)).toThrow(/step -1 does not lead from 0 to 3/);
  });

  it("a released tensor's memory is used again, an empty one needs none", () => {
    expect(zeros([0, 3]).toArray()).toEqual([]);
    expect(sum(zeros([0])).item()).toBe(0);
    expect(mean(zeros([0])).item()).toBeNaN();
    expect(cat([zeros([0, 2]), ones([1, 2])]).toArray()).toEqual([[1, 1]]);
  });
});

describe("random numbers", () => {
  it("are those of the seed", () => {
    manualSeed(5);
    const a = [rand([5]), randn([5]), randint(0, 10, [5]), randperm(5)].map((t) => t.toArray());
    manualSeed(5);
    const b = [rand([5]), randn([5]), randint(0, 10, [5]), randperm(5)].map((t) => t.toArray());
    expect(b).toEqual(a);
    manualSeed(6);
    expect(rand([5]).toArray()).not.toEqual(a[0]);
    expect(typeof seed()).toBe("number");
    manualSeed(0);
  });

  it("streams are independent, and go on from a saved state", () => {
    const a = new Generator(1, { name: "a" });
    const b = new Generator(1, { name: "b" });
    expect(randn([4], { generator: a }).toArray()).not.toEqual(randn([4], { generator: b }).toArray());
    const state = a.getState();
    const next = randn([4], { generator: a }).toArray();
    a.setState(state);
    expect(randn([4], { generator: a }).toArray()).toEqual(next);
    expect(() => new Generator(-1)).toThrow(/seed must be from 0/);
  });
});

describe("printing is PyTorch's", () => {
  it.each([
    ["integers in f32", tensor([1, 2, 3]), "tensor([1., 2., 3.])"],
    ["a fraction", tensor([1, 2.5]), "tensor([1.0000, 2.5000])"],
    ["a scalar", tensor(2.71875), "tensor(2.7188)"],
    ["i32", tensor([1, 20], { dtype: "i32" }), "tensor([ 1, 20], dtype=i32)"],
    ["bool", tensor([true, false]), "tensor([ true, false])"],
    ["wide range", tensor([1e-5, 1]), "tensor([1.0000e-05, 1.0000e+00])"],
    ["special values", tensor([Number.NaN, Infinity, -1.5]), "tensor([    nan,     inf, -1.5000])"],
    [
      "a matrix",
      tensor([
        [1, -2],
        [3, 4],
      ]),
      "tensor([[ 1., -2.],\n        [ 3.,  4.]])",
    ],
    ["three axes", tensor([[[1]], [[2]]]), "tensor([[[1.]],\n\n        [[2.]]])"],
    ["none", tensor([]), "tensor([])"],
    ["none, of a shape", zeros([2, 0]), "tensor([], size=[2,0])"],
    ["a parameter", tensor([1], { requiresGrad: true }), "tensor([1.], requiresGrad=true)"],
  ])("%s", (_, x, text) => {
    expect(String(x)).toBe(text);
  });

  it("summarises large tensors and names the op", () => {
    expect(String(arange(2000))).toBe("tensor([   0,    1,    2, ..., 1997, 1998, 1999], dtype=i32)");
    expect(String(tensor([1], { requiresGrad: true }).mul(2))).toBe("tensor([2.], gradFn=mul)");
  });
});

describe("values", () => {
  it("view is live, toTypedArray a copy", () => {
    const x = tensor([1, 2]);
    const copy = x.toTypedArray();
    x.view()[0] = 9;
    expect(copy[0]).toBe(1);
    expect(x.toArray()).toEqual([9, 2]);
    expect(() => x.item()).toThrow(/the tensor has 2 elements: shape is \[2\]/);
  });

  it("the mean of a million times 0.1 is 0.1", () => {
    for (const shape of [[1_000_000], [125_000, 8], [333_334, 3]]) {
      const [y, ...columns] = scope(() => {
        const x = full(shape, 0.1);
        return [mean(x).item(), ...mean(x, 0).toTypedArray()];
      });
      for (const value of [y!, ...columns]) expect(Math.abs(value - Math.fround(0.1)) / 0.1).toBeLessThan(1e-6);
    }
  });

  it("NaN goes through as in PyTorch", () => {
    const x = tensor([
      [1, Number.NaN, 3],
      [4, 5, 6],
    ]);
    expect(relu(x).toArray()).toEqual([
      [1, Number.NaN, 3],
      [4, 5, 6],
    ]);
    expect(max(x).item()).toBeNaN();
    expect(max(x, 1).values.toArray()).toEqual([Number.NaN, 6]);
    expect(max(x, 1).indices.toArray()).toEqual([1, 2]);
    expect(x.argmax().item()).toBe(1);
    const rows = softmax(x, 1).toArray() as number[][];
    expect(rows[0]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(rows[1]!.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  });
});

describe("errors leave everything usable", () => {
  const logits = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);

  it("a class that is none", () => {
    const { tensors, bytes } = memory();
    const bad = tensor([0, 9], { dtype: "i32" });
    expect(() => crossEntropy(logits, bad)).toThrow(
      /crossEntropy: target 9 is no class of 3 \(element 1 of target \[2\]\). Targets are integers from 0 to 2/,
    );
    expect(() => crossEntropy(logits, tensor([0, 1.5]))).toThrow(/target 1.5 is no class/);
    expect(() => crossEntropy(logits, tensor([Number.NaN, 1]))).toThrow(/target NaN is no class/);
    bad.dispose();
    expect(crossEntropy(logits, tensor([0, 1])).item()).toBeGreaterThan(0);
    expect(memory().tensors - tensors).toBeLessThan(8);
    expect(memory().bytes - bytes).toBeLessThan(1024);
  });

  it("shapes, options, kinds", () => {
    expect(() => matmul(tensor([[1, 2, 3]]), tensor([[1, 2]]))).toThrow(
      /matmul: inner dimensions differ: a is \[1,3\], b is \[1,2\] \(a.shape\[1\] = 3, b.shape\[0\] = 1\)/,
    );
    expect(() => tensor([1, 2]).add(tensor([1, 2, 3]))).toThrow(/add: shapes do not broadcast: a is \[2\], b is \[3\]/);
    expect(() => sum(logits, { dims: 1 } as never)).toThrow(/sum: unknown option "dims". Known options: dim, keepdim/);
    expect(() => sum(logits, 2)).toThrow(/sum: dim 2 is out of range for 2 axes \(-2 to 1\)/);
    expect(() => relu([1] as never)).toThrow(/relu: x must be a tensor: got object/);
    expect(() => relu(tensor([true]))).toThrow(/relu: .*bool/);
    expect(() =>
      slice(logits, [
        [0, 1],
        [0, 1],
        [0, 1],
      ]),
    ).toThrow(/takes up to 2 ranges/);
  });

  it("too large for 4 GiB, or for a limit", () => {
    zeros([64, 1024]).dispose();
    const before = memory();
    expect(() => zeros([1 << 16, 1 << 16])).toThrow(/zeros of \[65536,65536\]: out of memory: 17.2 GB asked for/);
    expect(() => zeros([1 << 30, 2, 4])).toThrow(/out of memory/);
    init({ maxBytes: memory().heapBytes + (1 << 20) });
    const held: Tensor[] = [];
    expect(() => {
      for (;;) held.push(randn([64, 1024]));
    }).toThrow(/randn of \[64,1024\]: out of memory.*Biggest owners: randn \[64,1024\]/);
    expect(held[0]!.sum().add(1).numel).toBe(1); // small ones still fit
    for (const x of held) x.dispose();
    init({ maxBytes: 4294967296 });
    expect(zeros([64, 1024]).numel).toBe(65536);
    expect(memory().tensors - before.tensors).toBeLessThan(8);
    expect(() => init({ maxBytes: 1 })).toThrow(/below the \d+ bytes already in use/);
  });
});
