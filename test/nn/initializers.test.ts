// Initializers beyond plain distributions, rules for whole models, and the layers' default initialization.
import { describe, expect, test } from "vitest";
import {
  conv1d,
  conv2d,
  Generator,
  manualSeed,
  matmul,
  noGrad,
  randn,
  scope,
  type Tensor,
  zeros,
} from "../../src/index.js";
import * as nn from "../../src/nn/index.js";

const { init, Linear, ReLU, Sequential, Tanh } = nn;
const values = (t: Tensor) => [...t.toTypedArray()];

describe("initializers", () => {
  test("eye, also of matrices that are not square", () => {
    expect(init.eye(zeros([2, 3])).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(init.eye(zeros([3, 2])).toArray()).toEqual([
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
    expect(() => init.eye(zeros([2, 2, 2]))).toThrow(/init.eye: needs a tensor of two axes: got \[2,2,2\]/);
  });

  test("dirac convolutions give their input, in groups too", () => {
    const x = randn([2, 4, 5, 5]);
    expect(values(conv2d(x, init.dirac(zeros([4, 4, 3, 3])), { padding: 1 }))).toEqual(values(x));
    expect(values(conv2d(x, init.dirac(zeros([4, 2, 3, 3]), { groups: 2 }), { padding: 1, groups: 2 }))).toEqual(
      values(x),
    );
    const y = randn([1, 3, 7]);
    expect(values(conv1d(y, init.dirac(zeros([3, 3, 5])), { padding: 2 }))).toEqual(values(y));
    expect(() => init.dirac(zeros([3, 3, 3]), { groups: 2 })).toThrow(/groups 2 does not divide 3/);
    expect(() => init.dirac(zeros([3, 3]))).toThrow(/3 to 5 axes/);
  });

  test("truncatedNormal stays within its bounds and has the distribution's moments", () => {
    manualSeed(1);
    const x = init.truncatedNormal(zeros([400, 250]));
    const all = x.toTypedArray();
    expect(Math.max(...all.slice(0, 5e4))).toBeLessThanOrEqual(2);
    expect(all.every((value) => value >= -2 && value <= 2)).toBe(true);
    expect(x.mean().item()).toBeCloseTo(0, 2);
    expect(x.std().item()).toBeCloseTo(0.8796, 2); // of a normal distribution cut at ±2
    const y = init.truncatedNormal(zeros([1000]), { mean: 3, std: 0.5, a: 3.5, b: 10 });
    expect(y.min().item()).toBeGreaterThanOrEqual(3.5);
    expect(y.mean().item()).toBeCloseTo(3 + 0.5 * 1.5251, 1); // φ(1)/(1 − Φ(1))
    expect(() => init.truncatedNormal(zeros([2]), { a: 9, b: 10 })).toThrow(/almost no normal number lies in/);
  });

  test("orthogonal: rows or columns of length `gain` at right angles, kernels as one axis", () => {
    manualSeed(2);
    for (const [shape, gain] of [
      [[5, 5], 1],
      [[3, 7], 2],
      [[7, 3], 0.5],
      [[6, 2, 3, 1], 1],
    ] as const) {
      const w = init.orthogonal(zeros(shape), { gain });
      const m = w.reshape([shape[0], -1]);
      const [a, b] = m.shape[0]! <= m.shape[1]! ? [m, m.transpose(0, 1)] : [m.transpose(0, 1), m];
      const product = matmul(a, b);
      product.toTypedArray().forEach((value, i) => {
        const n = product.shape[0]!;
        expect(value).toBeCloseTo(i % (n + 1) === 0 ? gain * gain : 0, 5);
      });
    }
    // The distribution is uniform: the first entry of many is as often negative as positive.
    const signs = Array.from({ length: 200 }, () => (init.orthogonal(zeros([3, 3])).view()[0]! > 0 ? 1 : 0));
    expect(Math.abs(signs.reduce<number>((a, b) => a + b, 0) - 100)).toBeLessThan(35);
  });

  test("sparse: as many zeros in each column as asked for, at random", () => {
    manualSeed(3);
    const w = init.sparse(zeros([10, 40]), 0.35, { std: 0.5 });
    const all = w.toTypedArray();
    const rows = new Set<string>();
    for (let j = 0; j < 40; j++) {
      const column = Array.from({ length: 10 }, (_, i) => all[i * 40 + j]!);
      expect(column.filter((value) => value === 0).length).toBe(4); // ⌈0.35 · 10⌉, as in PyTorch
      rows.add(column.map((value) => Number(value === 0)).join(""));
    }
    expect(rows.size).toBeGreaterThan(20);
  });

  test("randomWalk: the gradient's length neither dies nor explodes over 100 layers", () => {
    manualSeed(4);
    const growth = (rule: (w: Tensor) => unknown, relu: boolean) =>
      scope(() =>
        noGrad(() => {
          let x = randn([1, 100]);
          const start = x.square().sum().item();
          for (let i = 0; i < 100; i++) {
            const w = zeros([100, 100]);
            rule(w);
            x = matmul(x, w);
            if (relu) x = x.relu();
          }
          return Math.log(x.square().sum().item() / start) / 100;
        }),
      );
    const average = (fn: () => number) => Array.from({ length: 6 }, fn).reduce((a, b) => a + b) / 6;
    expect(Math.abs(average(() => growth((w) => init.randomWalk(w, { nonlinearity: "linear" }), false)))).toBeLessThan(
      0.01,
    );
    expect(Math.abs(average(() => growth(init.randomWalk, true)))).toBeLessThan(0.02);
    expect(
      init
        .randomWalk(zeros([500, 500]), { nonlinearity: "linear" })
        .std()
        .item(),
    ).toBeCloseTo(1.001 / Math.sqrt(500), 3);
    expect(() => init.randomWalk(zeros([2, 2]), { nonlinearity: "tanh" as never })).toThrow(/"relu" or "linear"/);
  });

  test("one seed, one result: every random initializer takes a generator", () => {
    for (const rule of [
      init.truncatedNormal,
      init.orthogonal,
      init.randomWalk,
      (w: Tensor, o: object) => init.sparse(w, 0.5, o),
    ]) {
      const run = () => values(rule(zeros([6, 5]), { generator: new Generator(9) }));
      expect(run()).toEqual(run());
    }
  });
});

describe("rules for models", () => {
  const net = () =>
    new Sequential(new nn.Conv2d(1, 4, 3), new nn.BatchNorm2d(4), new ReLU(), new nn.Flatten(), new Linear(16, 3));

  test("initialize: weights by the rule, biases 0, normalizations untouched", () => {
    const model = net();
    nn.initialize(model, (w) => init.constant(w, 0.5));
    const state = model.stateDict();
    expect(values(state["0.weight"]!).every((v) => v === 0.5)).toBe(true);
    expect(values(state["4.bias"]!)).toEqual([0, 0, 0]);
    expect(values(state["1.weight"]!)).toEqual([1, 1, 1, 1]);
    const kept = values(state["0.weight"]!);
    nn.initialize(model, { Linear: init.ones }, { bias: null });
    expect(values(state["4.weight"]!).every((v) => v === 1)).toBe(true);
    expect(values(state["0.weight"]!)).toEqual(kept);
    expect(() => nn.initialize(model, { Conv1d: init.ones })).toThrow(
      /the model has no Conv1d: it has Sequential, Conv2d/,
    );
  });

  test("lsuv: every layer's output has variance 1", () => {
    manualSeed(5);
    const model = new Sequential(...Array.from({ length: 12 }, () => new Sequential(new Linear(40, 40), new Tanh())));
    const x = randn([200, 40]).mul(3);
    nn.lsuv(model, x);
    const spreads: number[] = [];
    for (const block of model) {
      (block as nn.Sequential).layers[0]!.registerForwardHook(
        (_, __, y) => void spreads.push((y as Tensor).var().item()),
      );
    }
    model.forward(x);
    expect(spreads.every((v) => Math.abs(v - 1) <= 0.011)).toBe(true);
    expect(model.training).toBe(true);
    expect(() => nn.lsuv(new Sequential(new ReLU()) as never, x)).toThrow(/no linear or convolution layer/);
  });

  test("dataDependent: channels of mean 0 and variance 1, then layers that change at one rate", () => {
    manualSeed(6);
    const x = randn([16, 2, 6, 6]).mul(5).add(1);
    const model = () =>
      new Sequential(
        new nn.Conv2d(2, 5, 3),
        new ReLU(),
        new nn.Conv2d(5, 4, 3),
        new ReLU(),
        new nn.Flatten(),
        new Linear(16, 3),
      );
    const within = nn.dataDependent(model(), x, { iterations: 0 });
    const outputs: Tensor[] = [];
    for (const i of [0, 2])
      within.layers[i]!.registerForwardHook((_, __, y) => void outputs.push((y as Tensor).detach()));
    within.forward(x);
    for (const y of outputs) {
      for (const m of values(y.mean([0, 2, 3]))) expect(m).toBeCloseTo(0, 4);
      for (const v of values(y.var([0, 2, 3]))) expect(v).toBeCloseTo(1, 3);
    }
    /** Ratio of the largest and least ‖∂l/∂W‖ / ‖W‖, over a few random projections l of the outputs of single items. */
    const unevenness = (m: nn.Sequential) => {
      const weights = m.parameters().filter((p) => p.ndim > 1);
      const totals = weights.map(() => 0);
      for (let i = 0; i < 16; i++) {
        m.zeroGrad();
        const y = m.forward(x.slice([[i, i + 1]]));
        y.mul(randn(y.shape)).sum().backward();
        weights.forEach((w, k) => {
          totals[k]! += w.grad!.square().sum().item() / w.square().sum().item();
        });
      }
      return Math.sqrt(Math.max(...totals) / Math.min(...totals));
    };
    const even = nn.dataDependent(model(), x, { iterations: 20 });
    expect(unevenness(even)).toBeLessThan(1.6);
    expect(unevenness(within)).toBeGreaterThan(unevenness(even));
  });
});

describe("default initialization is PyTorch's, over 1e5 draws or so", () => {
  /** Uniform in ±bound: its mean, standard deviation and both ends. */
  function expectUniform(w: Tensor, bound: number): void {
    const all = w.toTypedArray();
    const n = all.length;
    expect(Math.abs(w.mean().item())).toBeLessThan((5 * bound) / Math.sqrt(3 * n));
    expect(Math.abs(w.std().item() / (bound / Math.sqrt(3)) - 1)).toBeLessThan(4 / Math.sqrt(n));
    const [low, high] = [w.min().item(), w.max().item()];
    expect(high).toBeLessThanOrEqual(bound);
    expect(-low).toBeLessThanOrEqual(bound * (1 + 1e-6));
    expect(Math.min(high, -low) / bound).toBeGreaterThan(1 - 30 / n);
  }
  type Weighted = nn.Module & { weight: Tensor; bias: Tensor };
  manualSeed(11);
  test.each([
    ["Linear", () => new Linear(300, 400), 1 / Math.sqrt(300)],
    ["Bilinear", () => new nn.Bilinear(50, 40, 50), 1 / Math.sqrt(50)],
    ["Conv1d", () => new nn.Conv1d(100, 200, 5), 1 / Math.sqrt(500)],
    ["Conv2d", () => new nn.Conv2d(64, 200, 3, { groups: 2 }), 1 / Math.sqrt(32 * 9)],
    ["Conv3d", () => new nn.Conv3d(16, 200, 3), 1 / Math.sqrt(16 * 27)],
    ["ConvTranspose1d", () => new nn.ConvTranspose1d(100, 200, 5), 1 / Math.sqrt(200 * 5)],
    ["ConvTranspose2d", () => new nn.ConvTranspose2d(64, 200, 3, { groups: 2 }), 1 / Math.sqrt(100 * 9)],
    ["GRU", () => new nn.GRU(200, 128), 1 / Math.sqrt(128)],
  ] as const)("%s: uniform in ±1/√n", (_, make, bound) => {
    for (const p of (make() as nn.Module).parameters()) expectUniform(p, bound);
  });

  test("MultiheadAttention: Xavier uniform over the three projections together; biases 0", () => {
    const layer = new nn.MultiheadAttention(200, 4);
    expectUniform(layer.inProjWeight!, Math.sqrt(6 / (200 + 600)));
    expectUniform(layer.outProj.weight, 1 / Math.sqrt(200));
    expect(values(layer.inProjBias!).every((v) => v === 0)).toBe(true);
    expect(values(layer.outProj.bias!).every((v) => v === 0)).toBe(true);
    expectUniform(new nn.MultiheadAttention(300, 4, { kdim: 100 }).kProjWeight!, Math.sqrt(6 / 400));
  });

  test("Embedding: standard normal, the padding row 0", () => {
    const layer = new nn.Embedding(1000, 100, { paddingIdx: -1 });
    expect(layer.weight.mean().item()).toBeCloseTo(0, 1);
    expect(
      layer.weight
        .slice([[0, 999]])
        .std()
        .item(),
    ).toBeCloseTo(1, 2);
    expect(values(layer.weight.slice([[999, 1000]])).every((v) => v === 0)).toBe(true);
  });

  test("normalizations: ones, zeros; statistics 0 and 1; PReLU 0.25", () => {
    const layer = new nn.BatchNorm2d(3);
    expect(Object.entries(layer.stateDict()).map(([name, t]) => [name, values(t)])).toEqual([
      ["weight", [1, 1, 1]],
      ["bias", [0, 0, 0]],
      ["running_mean", [0, 0, 0]],
      ["running_var", [1, 1, 1]],
      ["num_batches_tracked", [0]],
    ]);
    expect(values((new nn.LayerNorm([2]) as unknown as Weighted).weight)).toEqual([1, 1]);
    expect(values(new nn.PReLU().weight)).toEqual([0.25]);
  });
});
