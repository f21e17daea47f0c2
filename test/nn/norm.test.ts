// Batch normalization by its two algorithms, folded away, and its errors; both rules of dropout.
import { describe, expect, test } from "vitest";
import { checkpoint, manualSeed, noGrad, randn, type Tensor, zeros } from "../../src/index.js";
import * as nn from "../../src/nn/index.js";

const { BatchNorm1d, BatchNorm2d, Linear, ReLU, Sequential } = nn;
const values = (t: Tensor) => [...t.toTypedArray()];
const expectClose = (got: Tensor, want: Tensor, tolerance = 1e-5) => {
  expect(got.shape).toEqual(want.shape);
  const reference = want.toTypedArray();
  got.toTypedArray().forEach((value, i) => {
    expect(Math.abs(value - reference[i]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(reference[i]!)));
  });
};

describe("running statistics", () => {
  test("a moving average with the unbiased variance", () => {
    manualSeed(1);
    const norm = new BatchNorm1d(3, { momentum: 0.3 });
    const x = randn([8, 3]).mul(2).add(5);
    norm.forward(x);
    expectClose(norm.runningMean!, x.mean(0).mul(0.3));
    expectClose(norm.runningVar!, x.var(0).mul(0.3).add(0.7));
    expect(norm.numBatchesTracked!.item()).toBe(1);
    norm.eval().forward(x);
    expect(norm.numBatchesTracked!.item()).toBe(1);
  });

  test("exact averages over a pass: momentum null, and recalibrateBatchNorm", () => {
    manualSeed(2);
    const batches = Array.from({ length: 5 }, () => randn([6, 4]).mul(3).add(1));
    const model = new Sequential(
      new Linear(4, 3),
      new BatchNorm1d(3),
      new ReLU(),
      new nn.Dropout(0.5),
      new Linear(3, 3),
      new BatchNorm1d(3),
    );
    const norm = model.layers[1] as nn.BatchNorm1d;
    for (const batch of batches) model.forward(batch); // moving averages, which lag
    const linear = model.layers[0]!;
    const outputs = batches.map((batch) => linear.forward(batch));
    const average = (fn: (y: Tensor) => Tensor) =>
      outputs
        .map(fn)
        .reduce((a, b) => a.add(b))
        .div(5);
    model.train();
    nn.recalibrateBatchNorm(
      model,
      batches.map((batch) => [batch, zeros([6])] as const),
    );
    expectClose(
      norm.runningMean!,
      average((y) => y.mean(0)),
    );
    expectClose(
      norm.runningVar!,
      average((y) => y.var(0)),
    );
    expect(norm.momentum).toBe(0.1);
    expect(norm.numBatchesTracked!.item()).toBe(5);
    expect(model.modules().every((m) => m.training)).toBe(true);
    const fresh = new BatchNorm1d(3, { momentum: null });
    for (const y of outputs) fresh.forward(y);
    expectClose(fresh.runningMean!, norm.runningMean!);
    expectClose(fresh.runningVar!, norm.runningVar!);
    expect(() => nn.recalibrateBatchNorm(model, [])).toThrow(/got no batches/);
  });

  test("one value per channel in training is an error that says why, and changes nothing", () => {
    const norm = new BatchNorm2d(3);
    expect(() => new Sequential(norm).forward(randn([1, 3, 1, 1]))).toThrow(
      /^0 \(BatchNorm2d\): batchNorm:.*one value|variance/,
    );
    expect(norm.numBatchesTracked!.item()).toBe(0);
    expect(values(norm.runningVar!)).toEqual([1, 1, 1]);
    expect(norm.eval().forward(randn([1, 3, 1, 1])).shape).toEqual([1, 3, 1, 1]);
  });

  test("checkpointed, a batch counts once", () => {
    const norm = new BatchNorm1d(2);
    const x = randn([4, 2], { requiresGrad: true });
    checkpoint((t) => norm.forward(t).square(), [x])
      .sum()
      .backward();
    expect(norm.numBatchesTracked!.item()).toBe(1);
    const plain = new BatchNorm1d(2);
    plain.forward(x);
    expect(values(plain.runningMean!)).toEqual(values(norm.runningMean!));
  });

  test("wrong ranks and groups are refused with all values", () => {
    expect(() => new BatchNorm2d(3).forward(randn([2, 3]))).toThrow(
      /takes \[batch, channels, height, width\]: got \[2,3\] \(x\)/,
    );
    expect(() => new BatchNorm1d(3).forward(randn([2, 3, 1, 1]))).toThrow(/BatchNorm1d: takes \[batch, features\] or/);
    expect(() => new nn.GroupNorm(3, 4)).toThrow(/GroupNorm: numGroups 3 does not divide numChannels 4/);
    expect(() => new nn.Conv2d(4, 6, 3, { groups: 3 })).toThrow(/groups is 3, inChannels 4, outChannels 6/);
    expect(() => new nn.MultiheadAttention(10, 3)).toThrow(/numHeads must divide embedDim: embedDim is 10, numHeads 3/);
    expect(() => new nn.LayerNorm(4).forward(randn([2, 3]))).toThrow(
      /layerNorm: x must end in normalizedShape \[4\]: got \[2,3\]/,
    );
    expect(() => new BatchNorm2d(3, { epsilon: 1 } as never)).toThrow(/BatchNorm2d: unknown option "epsilon"/);
    expect(() => new nn.Dropout(1.5)).toThrow(/Dropout: p must be from 0 to 1: got 1.5/);
  });
});

describe("fuse", () => {
  /** Statistics and scales as of a trained net. */
  const used = <M extends nn.Module>(model: M): M => {
    for (const [name, t] of [...model.namedParameters(), ...model.namedBuffers()]) {
      if (/running_var|weight$/.test(name) && t.ndim === 1) noGrad(() => void t.copy(randn(t.shape).abs().add(0.5)));
      else if (/running_mean|bias/.test(name)) noGrad(() => void t.copy(randn(t.shape)));
    }
    return model;
  };

  test("folds into linear layers and convolutions of all kinds; outputs equal within 1e-5", () => {
    manualSeed(3);
    const images = randn([2, 4, 6, 6]);
    for (const [model, x] of [
      [new Sequential(new nn.Conv2d(4, 6, 3, { bias: false, groups: 2 }), new BatchNorm2d(6), new ReLU()), images],
      [new Sequential(new nn.ConvTranspose2d(4, 3, 2), new BatchNorm2d(3, { affine: false })), images],
      [new Sequential(new Linear(5, 7), new BatchNorm1d(7)), randn([3, 5])],
      [new Sequential(new nn.Conv1d(3, 4, 2), new BatchNorm1d(4)), randn([2, 3, 5])],
      [new Sequential(new nn.Residual(new Sequential(new nn.Conv2d(4, 4, 1), new BatchNorm2d(4), new ReLU()))), images],
    ] as [nn.Sequential, Tensor][]) {
      used(model).eval();
      const fused = nn.fuse(model);
      expect(fused.modules().some((m) => m.name.startsWith("BatchNorm"))).toBe(false);
      expect(fused.modules().filter((m) => m.name === "Identity").length).toBe(1);
      expectClose(fused.forward(x), model.forward(x));
      expect(model.modules().some((m) => m.name.startsWith("BatchNorm"))).toBe(true);
    }
  });

  test("by names where the forward is the model's own", () => {
    class Net extends nn.Module {
      conv = new nn.Conv2d(2, 3, 3);
      bn = new BatchNorm2d(3);
      forward(x: Tensor) {
        return this.bn.forward(this.conv.forward(x)).relu();
      }
    }
    const net = used(new Net()).eval();
    const x = randn([2, 2, 5, 5]);
    const fused = nn.fuse(net, [["conv", "bn"]]);
    expect(fused.bn.name).toBe("Identity");
    expectClose(fused.forward(x), net.forward(x));
    expect(() => nn.fuse(net, [["bn", "conv"]])).toThrow(
      /bn must be a linear or convolution layer and conv a batch normalization/,
    );
    const untracked = new Sequential(new Linear(2, 2), new BatchNorm1d(2, { trackRunningStats: false }));
    expect(() => nn.fuse(untracked)).toThrow(/keeps no running statistics/);
  });
});

describe("dropout's two rules", () => {
  test("inverted: scaled in training; weight scaling: in evaluation. Both keep the mean", () => {
    manualSeed(4);
    const x = randn([20000]).abs().add(1);
    const mean = x.mean().item();
    const inverted = new nn.Dropout(0.3);
    const scaling = new nn.Dropout({ p: 0.3, rule: "weightScaling" });
    const [a, b] = [inverted.forward(x), scaling.forward(x)];
    expect(a.mean().item() / mean).toBeCloseTo(1, 1);
    expect(b.mean().item() / mean).toBeCloseTo(0.7, 1);
    b.toTypedArray().forEach((value, i) => {
      if (value !== 0) expect(value).toBe(x.view()[i]);
    });
    expect(inverted.eval().forward(x)).toBe(x);
    expectClose(scaling.eval().forward(x), x.mul(0.7), 1e-6);
    const input = randn([50], { requiresGrad: true });
    const y = scaling.train().forward(input);
    y.sum().backward();
    expect(values(input.grad!)).toEqual(values(y).map((value) => (value === 0 ? 0 : 1)));
    expect(() => new nn.Dropout({ rule: "none" as never })).toThrow(/rule must be "inverted" or "weightScaling"/);
  });
});
