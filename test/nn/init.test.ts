// Initializers: mean and deviation over 1e5 draws against the formulas, fans, seeds, errors.
import { describe, expect, test } from "vitest";
import { Generator, manualSeed, ones, type Tensor, zeros } from "../../src/index.js";
import { init, Linear, Parameter } from "../../src/nn/index.js";

const n = 100_000;

function moments(x: Tensor): { mean: number; std: number; kurtosis: number; low: number; high: number } {
  const values = [...x.toTypedArray()];
  const mean = values.reduce((s, v) => s + v, 0) / values.length;
  const central = (k: number) => values.reduce((s, v) => s + (v - mean) ** k, 0) / values.length;
  const std = Math.sqrt(central(2));
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return { mean, std, kurtosis: central(4) / std ** 4, low, high };
}

/** Within five standard errors; the shape of the distribution by its fourth moment (3 normal, 9/5 uniform) and its ends. */
function expectNormal(x: Tensor, mean: number, std: number): void {
  const got = moments(x);
  expect(Math.abs(got.mean - mean)).toBeLessThan((5 * std) / Math.sqrt(n));
  expect(Math.abs(got.std / std - 1)).toBeLessThan(5 / Math.sqrt(2 * n));
  expect(Math.abs(got.kurtosis - 3)).toBeLessThan(5 * Math.sqrt(24 / n));
  expect(got.high).toBeGreaterThan(mean + 3.5 * std);
}

function expectUniform(x: Tensor, low: number, high: number): void {
  const std = (high - low) / Math.sqrt(12);
  const got = moments(x);
  expect(Math.abs(got.mean - (low + high) / 2)).toBeLessThan((5 * std) / Math.sqrt(n));
  expect(Math.abs(got.std / std - 1)).toBeLessThan((5 * 0.45) / Math.sqrt(n));
  expect(Math.abs(got.kurtosis - 1.8)).toBeLessThan(0.02);
  const width = high - low;
  expect(got.low).toBeGreaterThanOrEqual(Math.fround(low));
  expect(got.low).toBeLessThan(low + (20 * width) / n);
  expect(got.high).toBeLessThanOrEqual(Math.fround(high));
  expect(got.high).toBeGreaterThan(high - (20 * width) / n);
}

/** A weight of 1e5 numbers whose fans differ: fan-in 250, fan-out 400. */
const weight = () => zeros([400, 250]);
/** Convolution weight `[out, in, height, width]`: fan-in 8·5·5 = 200, fan-out 500·5·5 = 12500. */
const filters = () => zeros([500, 8, 5, 5]);
const bound = (variance: number) => Math.sqrt(3 * variance);

type Case = readonly [name: string, run: (x: Tensor) => Tensor, variance: number];
const normals: readonly Case[] = [
  ["Xavier: 2/(n_in + n_out)", (x) => init.xavierNormal(x), 2 / 650],
  ["Xavier with gain 5/3", (x) => init.xavierNormal(x, { gain: 5 / 3 }), ((25 / 9) * 2) / 650],
  ["He: 2/n_in", (x) => init.kaimingNormal(x), 2 / 250],
  ["He for relu", (x) => init.kaimingNormal(x, { nonlinearity: "relu" }), 2 / 250],
  ["He, fanOut: 2/n_out", (x) => init.kaimingNormal(x, { mode: "fanOut" }), 2 / 400],
  ["He for leakyRelu, a = 1/2", (x) => init.kaimingNormal(x, { a: 0.5 }), 2 / 1.25 / 250],
  ["He for tanh", (x) => init.kaimingNormal(x, { nonlinearity: "tanh" }), 25 / 9 / 250],
  ["LeCun: 1/n_in", (x) => init.lecunNormal(x), 1 / 250],
];
const uniforms: readonly Case[] = [
  ["Xavier: ±√(6/(n_in + n_out))", (x) => init.xavierUniform(x), 2 / 650],
  ["Xavier with gain 2", (x) => init.xavierUniform(x, { gain: 2 }), 8 / 650],
  ["He: ±√(6/n_in)", (x) => init.kaimingUniform(x), 2 / 250],
  ["He, fanOut", (x) => init.kaimingUniform(x, { mode: "fanOut", nonlinearity: "relu" }), 2 / 400],
  ["He with a = √5, as PyTorch's Linear: ±1/√n_in", (x) => init.kaimingUniform(x, { a: Math.sqrt(5) }), 1 / 750],
  ["LeCun: ±√(3/n_in)", (x) => init.lecunUniform(x), 1 / 250],
];

describe("distributions over 1e5 draws", () => {
  test.each(normals)("normal, %s", (_, run, variance) => {
    manualSeed(11);
    const x = weight();
    expect(run(x)).toBe(x);
    expectNormal(x, 0, Math.sqrt(variance));
  });

  test.each(uniforms)("uniform, %s", (_, run, variance) => {
    manualSeed(12);
    const x = weight();
    expect(run(x)).toBe(x);
    expectUniform(x, -bound(variance), bound(variance));
  });

  test("a kernel's size counts in both fans", () => {
    manualSeed(13);
    expectNormal(init.kaimingNormal(filters()), 0, Math.sqrt(2 / 200));
    expectNormal(init.kaimingNormal(filters(), { mode: "fanOut" }), 0, Math.sqrt(2 / 12500));
    expectUniform(init.xavierUniform(filters()), -bound(2 / 12700), bound(2 / 12700));
    expectNormal(init.lecunNormal(filters()), 0, Math.sqrt(1 / 200));
  });

  test("normal and uniform, with and without their options", () => {
    manualSeed(14);
    expectNormal(init.normal(zeros([n])), 0, 1);
    expectNormal(init.normal(zeros([n]), { mean: -3, std: 0.02 }), -3, 0.02);
    expectUniform(init.uniform(zeros([n])), 0, 1);
    expectUniform(init.uniform(zeros([n]), { low: -0.25, high: 0.75 }), -0.25, 0.75);
    expect(init.normal(zeros([4]), { mean: 2, std: 0 }).toArray()).toEqual([2, 2, 2, 2]);
  });
});

test("zeros, ones, constant, in place", () => {
  const x = init.normal(zeros([2, 2]));
  expect(init.ones(x)).toBe(x);
  expect(x.toArray()).toEqual([
    [1, 1],
    [1, 1],
  ]);
  expect(init.constant(x, -0.5).toArray()).toEqual([
    [-0.5, -0.5],
    [-0.5, -0.5],
  ]);
  expect(init.zeros(x).toArray()).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(() => init.constant(x, "1" as never)).toThrow(/must be a number: got "1"/);
});

test("the gains of PyTorch's table", () => {
  const gains = (["linear", "sigmoid", "tanh", "relu", "leakyRelu", "selu"] as const).map((name) =>
    init.calculateGain(name),
  );
  const torch = [1, 1, 1.6666666666666667, Math.SQRT2, 1.4141428569978354, 0.75];
  for (const [i, gain] of gains.entries()) expect(gain).toBeCloseTo(torch[i]!, 12);
  expect(init.calculateGain("leakyRelu", 0.2)).toBeCloseTo(1.3867504905630728, 12);
  expect(() => init.calculateGain("softsign" as never)).toThrow(/unknown nonlinearity "softsign"/);
});

describe("seeds", () => {
  const draws: [string, (x: Tensor, options?: { generator?: Generator }) => Tensor][] = [
    ["normal", init.normal],
    ["uniform", init.uniform],
    ["xavierNormal", init.xavierNormal],
    ["xavierUniform", init.xavierUniform],
    ["kaimingNormal", init.kaimingNormal],
    ["kaimingUniform", init.kaimingUniform],
    ["lecunNormal", init.lecunNormal],
    ["lecunUniform", init.lecunUniform],
  ];
  test.each(draws)("%s: same seed, same values; the next draw differs; a generator of one's own", (_, draw) => {
    const once = () => draw(zeros([5, 7])).toArray();
    manualSeed(5);
    const first = once();
    const second = once();
    manualSeed(5);
    expect(once()).toEqual(first);
    expect(second).not.toEqual(first);
    manualSeed(6);
    expect(once()).not.toEqual(first);
    const own = () => draw(zeros([5, 7]), { generator: new Generator(9) }).toArray();
    const mine = own();
    manualSeed(5);
    expect(own()).toEqual(mine);
    expect(once()).toEqual(first); // the default generator was left alone
  });
});

test("works on a model's parameters, which stay leaves", () => {
  const model = new Linear(3, 4);
  init.kaimingNormal(model.weight);
  init.zeros(model.bias!);
  expect(model.bias!.toArray()).toEqual([0, 0, 0, 0]);
  expect([model.weight.requiresGrad, model.bias!.requiresGrad]).toEqual([true, true]);
  model
    .forward(ones([1, 3]))
    .sum()
    .backward();
  expect(model.weight.grad).not.toBeNull();
});

test("a weight that an unfinished graph saved is written in place: backward refuses", () => {
  const w = new Parameter(ones([2, 2]));
  const loss = w.mul(w).sum();
  init.normal(w);
  expect(() => loss.backward()).toThrow(/in place/);
});

describe("errors", () => {
  const fanned = [
    "xavierNormal",
    "xavierUniform",
    "kaimingNormal",
    "kaimingUniform",
    "lecunNormal",
    "lecunUniform",
  ] as const;
  test.each(fanned)("%s needs fans", (name) => {
    for (const shape of [[], [5]]) {
      const message = `init.${name}: needs a tensor of two axes or more: got [${shape}]. Biases take zeros() or uniform().`;
      expect(() => init[name](zeros(shape))).toThrow(new RangeError(message));
    }
    expect(() => init[name](undefined as never)).toThrow(TypeError);
    expect(() => init[name](undefined as never)).toThrow(`init.${name}: x must be a tensor: got undefined`);
    expect(() => init[name](zeros([2, 2], { dtype: "i32" }))).toThrow(/must be f32.*i32/);
    expect(() => init[name](zeros([2, 2]), { seed: 1 } as never)).toThrow(`init.${name}: unknown option "seed"`);
    expect(init[name](zeros([0, 3])).shape).toEqual([0, 3]);
  });

  test("options out of range", () => {
    const x = zeros([2, 2]);
    expect(() => init.normal(x, { std: -1 })).toThrow(/init.normal: std must be from 0.*got -1/);
    expect(() => init.normal(x, { mean: Number.NaN })).toThrow(/init.normal: mean must be finite: got NaN/);
    expect(() => init.uniform(x, { low: 1, high: 0 })).toThrow(/init.uniform: high must be from 1.*got 0/);
    expect(() => init.uniform(x, 0.1 as never)).toThrow(/init.uniform: options must be an object: got 0.1/);
    expect(() => init.kaimingNormal(x, { mode: "fan_in" as never })).toThrow(
      /mode must be "fanIn" or "fanOut": got "fan_in"/,
    );
    expect(() => init.kaimingNormal(x, { nonlinearity: "gelu" as never })).toThrow(/unknown nonlinearity "gelu"/);
    expect(() => init.xavierNormal(x, { gain: Number.NaN })).toThrow(/gain must be finite: got NaN/);
    expect(x.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});
