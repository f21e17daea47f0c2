// Ensembles, bagging, snapshots, cross-validation, searches, transfer, diagnosis.
import { describe, expect, test } from "vitest";
import { DataLoader, TensorDataset } from "../../src/data/index.js";
import { Generator, manualSeed, noGrad, rand, randn, type Tensor, tensor } from "../../src/index.js";
import { CrossEntropyLoss, Linear, Module, MSELoss, ReLU, Sequential, Tanh } from "../../src/nn/index.js";
import { Adam, SGD } from "../../src/optim/index.js";
import {
  bagging,
  crossValidate,
  diagnoseFit,
  ensemble,
  extractFeatures,
  type FitOptions,
  findLearningRate,
  fit,
  freeze,
  gridSearch,
  groupsByDepth,
  LoraLinear,
  lora,
  mergeLora,
  randomSearch,
  Snapshots,
} from "../../src/train/index.js";

const generator = () => new Generator(11);
const weights = (model: Module) => Object.values(model.stateDict()).map((x) => x.toArray());

describe("ensemble", () => {
  test("averages outputs or probabilities", () => {
    const models = [new Linear(2, 3), new Linear(2, 3)];
    const x = randn([4, 2]);
    const [a, b] = models.map((model) => model.forward(x)) as [Tensor, Tensor];
    expect(ensemble(models).forward(x).toArray()).toEqual(a.add(b).div(2).toArray());
    const mean = a.softmax(1).add(b.softmax(1)).div(2);
    expect(ensemble(models, { average: "probabilities" }).forward(x).toArray()).toEqual(mean.toArray());
    expect(ensemble(models).parameters().length).toBe(4);
    expect(() => ensemble([])).toThrow("ensemble: got no models");
  });

  test("k nets with uncorrelated errors have a k-th of their squared error", () => {
    // Nets whose outputs are the truth and an error of their own each.
    class Noisy extends Module {
      readonly seed: number;
      constructor(seed: number) {
        super();
        this.seed = seed;
      }
      forward(x: Tensor): Tensor {
        return x.add(randn(x.shape, { generator: new Generator(this.seed) }));
      }
    }
    const x = randn([20000, 1], { generator: generator() });
    const error = (model: Module) => model.forward(x).sub(x).square().mean().item();
    const k = 8;
    const models = Array.from({ length: k }, (_, i) => new Noisy(100 + i));
    const each = models.reduce((sum, model) => sum + error(model), 0) / k;
    expect((error(ensemble(models)) * k) / each).toBeGreaterThan(0.95);
    expect((error(ensemble(models)) * k) / each).toBeLessThan(1.05);
  });
});

/** Noisy lines to learn. */
function regression(n = 60) {
  const x = randn([n, 3], { generator: generator() });
  const noise = randn([n, 1], { generator: new Generator(12) }).mul(0.1);
  return new TensorDataset(x, x.sum(1, { keepdim: true }).add(noise));
}
const options = (model: Module): FitOptions => ({
  loss: new MSELoss(),
  optimizer: new SGD(model.parameters(), { lr: 0.1 }),
  epochs: 15,
  progress: false,
});

describe("bagging", () => {
  const run = (k: number, seed = 0) =>
    bagging(() => new Linear(3, 1), regression(), { k, seed, fit: options, batchSize: 16 });

  test("members differ, depend on the seed, not on the others", async () => {
    manualSeed(1);
    const three = await run(3);
    manualSeed(2);
    rand([5]);
    const two = await run(2);
    const other = await run(2, 1);
    expect(three.results.map(({ kind }) => kind)).toEqual(["completed", "completed", "completed"]);
    expect(weights(two.model.models[0]!)).toEqual(weights(three.model.models[0]!));
    expect(weights(two.model.models[1]!)).toEqual(weights(three.model.models[1]!));
    expect(weights(two.model.models[0]!)).not.toEqual(weights(two.model.models[1]!));
    expect(weights(other.model.models[0]!)).not.toEqual(weights(two.model.models[0]!));
  });

  test("leaves the global seed as it was", async () => {
    manualSeed(7);
    const want = [rand([2]).toArray(), new Linear(2, 2).weight.toArray()];
    manualSeed(7);
    const first = rand([2]).toArray();
    await run(1);
    expect([first, new Linear(2, 2).weight.toArray()]).toEqual(want);
  });

  test("an abort ends it, as it ends a cross-validation", async () => {
    const aborted = (model: Module) => ({ ...options(model), signal: AbortSignal.abort() });
    const { results } = await bagging(() => new Linear(3, 1), regression(), { k: 3, fit: aborted });
    expect(results.map(({ kind }) => kind)).toEqual(["aborted"]);
    expect((await crossValidate(() => new Linear(3, 1), regression(), { fit: aborted })).results.length).toBe(1);
  });

  test("the out-of-bag error is that of the samples not drawn", async () => {
    const { outOfBagError } = await run(6);
    expect(outOfBagError).toBeGreaterThan(0.005);
    expect(outOfBagError).toBeLessThan(0.03); // the noise is 0.01
    const own = await bagging(() => new Linear(3, 1), regression(), {
      k: 2,
      fit: options,
      error: (output) => output.shape[0]!,
    });
    // Two draws leave 60·(1 − e^−2) ≈ 52 samples out of one or both at least once.
    expect(own.outOfBagError).toBeGreaterThan(25);
    expect(own.outOfBagError).toBeLessThan(50);
  });
});

test("snapshots of the cycles of a training", async () => {
  const make = () => new Linear(3, 1);
  const model = make();
  const snapshots = new Snapshots({ every: 2 });
  const loader = new DataLoader(regression(), { batchSize: 20 });
  await fit(model, loader, { ...options(model), epochs: 6, callbacks: [snapshots] });
  const models = snapshots.models(make);
  expect(models.length).toBe(3);
  expect(weights(models[2]!)).toEqual(weights(model));
  expect(weights(models[0]!)).not.toEqual(weights(model));
  expect(ensemble(models).forward(randn([2, 3])).shape).toEqual([2, 1]);
});

test("crossValidate: a value a fold", async () => {
  const run = () => crossValidate(() => new Linear(3, 1), regression(), { k: 4, fit: options, batchSize: 16 });
  const { values, mean, std, results } = await run();
  expect(values.length).toBe(4);
  expect(mean).toBeCloseTo(values.reduce((a, b) => a + b) / 4, 12);
  expect(std).toBeGreaterThan(0);
  expect(mean).toBeLessThan(0.05);
  expect(results[0]!.history.length).toBe(15);
  expect((await run()).values).toEqual(values);
});

describe("searches", () => {
  test("a grid, the best first, as a table", async () => {
    const order: number[] = [];
    const result = await gridSearch({ lr: [0.1, 0.01], layers: ["deep", "flat"] }, ({ lr, layers }, trial) => {
      order.push(trial);
      return layers === "deep" ? Number.NaN : lr;
    });
    expect(order).toEqual([0, 1, 2, 3]);
    expect(result.best).toEqual({ options: { lr: 0.01, layers: "flat" }, value: 0.01 });
    expect(String(result).split("\n").slice(0, 2)).toEqual(["  lr  layers  value", "0.01    flat   0.01"]);
    const highest = await gridSearch({ a: [1, 3, 2] }, ({ a }) => a, { mode: "max" });
    expect(highest.best!.value).toBe(3);
    expect((await gridSearch({ a: [1] }, () => Number.NaN)).best).toBeNull();
  });

  test("random draws: ranges, logarithms, integers, the same for the same seed", async () => {
    const space = {
      lr: { low: 1e-4, high: 1, log: true },
      width: { low: 1, high: 3, integer: true },
      kind: ["a", "b"],
    };
    const run = (seed: number) => randomSearch(space, ({ lr }) => lr, { n: 300, seed });
    const { trials } = await run(1);
    const rates = trials.map((trial) => trial.options.lr as number);
    expect(rates.filter((lr) => lr < 0.01).length).toBeGreaterThan(110);
    expect(rates.filter((lr) => lr < 0.01).length).toBeLessThan(190);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-4);
    expect(new Set(trials.map((trial) => trial.options.width))).toEqual(new Set([1, 2, 3]));
    expect(new Set(trials.map((trial) => trial.options.kind))).toEqual(new Set(["a", "b"]));
    expect((await run(1)).trials).toEqual(trials);
    expect((await run(2)).trials).not.toEqual(trials);
    await expect(async () => randomSearch({ a: { low: 2, high: 1 } }, () => 0)).rejects.toThrow("a must be a range");
  });
});

test("findLearningRate finds where the loss falls, and leaves model and optimizer as they were", () => {
  manualSeed(3);
  const data = regression();
  const model = new Sequential(new Linear(3, 8), new Tanh(), new Linear(8, 1));
  const optimizer = new Adam(model.parameters(), { lr: 0.0123 });
  const before = weights(model);
  const loader = new DataLoader(data, { batchSize: 20, shuffle: true });
  const { rates, losses, suggestion } = findLearningRate(model, loader, { loss: new MSELoss(), optimizer, low: 1e-5 });
  expect(weights(model)).toEqual(before);
  expect(optimizer.paramGroups[0]!.lr).toBe(0.0123);
  expect(optimizer.state.size).toBe(0);
  expect(rates.length).toBe(losses.length);
  expect(rates[0]).toBe(1e-5);
  expect(suggestion).toBeGreaterThan(1e-3);
  expect(suggestion).toBeLessThan(1);
});

describe("transfer", () => {
  const make = () => new Sequential(new Linear(3, 6), new Tanh(), new Linear(6, 6), new ReLU(), new Linear(6, 2));

  test("freeze by name, expression, function, and back", () => {
    const model = make();
    expect(freeze(model, "0")).toEqual(["0.weight", "0.bias"]);
    expect(freeze(model, /bias$/)).toEqual(["0.bias", "2.bias", "4.bias"]);
    expect(model.parameters().filter((p) => p.requiresGrad).length).toBe(2);
    freeze(model, () => true, { on: true });
    expect(model.parameters().every((p) => p.requiresGrad)).toBe(true);
    expect(() => freeze(model, "body")).toThrow("freeze: no parameter matches body");
  });

  test("groups by depth: smaller rates further from the head, frozen ones left out", () => {
    const model = make();
    const groups = groupsByDepth(model, { lr: 1, decay: 0.5 });
    expect(groups.map(({ params, lr }) => [params.length, lr])).toEqual([
      [2, 0.25],
      [2, 0.5],
      [2, 1],
    ]);
    freeze(model, "0");
    expect(groupsByDepth(model, { lr: 1, decay: 0.5 }).map(({ lr }) => lr)).toEqual([0.5, 1]);
    expect(() => new Adam(groups)).not.toThrow();
  });

  test("features are what the body gives, computed once", () => {
    const body = new Linear(3, 4);
    const data = regression(10);
    const features = extractFeatures(body, data, { batchSize: 4 });
    expect(features.tensors[0].toArray()).toEqual(noGrad(() => body.forward(data.tensors[0]!)).toArray());
    expect(features.tensors[1].toArray()).toEqual(data.tensors[1]!.toArray());
  });

  test("lora trains adapters only, and merges to the same outputs", async () => {
    manualSeed(5);
    const model = make();
    const x = randn([32, 3]);
    const before = model.forward(x).toArray();
    const base = weights(model);
    expect(lora(model, { rank: 2, targets: (name) => name !== "4" })).toEqual(["0", "2"]);
    expect(model.layers[0]).toBeInstanceOf(LoraLinear);
    expect(model.forward(x).toArray()).toEqual(before);
    const trained = model.parameters().filter((p) => p.requiresGrad);
    expect(trained.map((p) => p.shape)).toEqual([
      [2, 3],
      [6, 2],
      [2, 6],
      [6, 2],
    ]);
    const target = tensor(
      Array.from({ length: 32 }, (_, i) => i % 2),
      { dtype: "i32" },
    );
    const optimizer = new Adam(trained, { lr: 0.05 });
    const loss = new CrossEntropyLoss();
    const { history } = await fit(model, [[x, target]], { loss, optimizer, epochs: 30, progress: false });
    expect(history.at(-1)!.training.loss).toBeLessThan(history[0]!.training.loss! * 0.95);
    const after = model.forward(x).toTypedArray();
    expect(mergeLora(model)).toEqual(["0", "2"]);
    expect(model.layers[0]).toBeInstanceOf(Linear);
    for (const [i, v] of model.forward(x).toTypedArray().entries()) expect(v).toBeCloseTo(after[i]!, 4);
    expect(weights(model)[4]).toEqual(base[4]); // the head had none
    expect(weights(model)[0]).not.toEqual(base[0]);
    expect(() => lora(new Sequential(new ReLU()))).toThrow("lora: no linear layer within a Sequential matches");
  });
});

describe("diagnoseFit", () => {
  test("the lecture's case: human 1 %, training 5 %, validation 8 %: bias first", () => {
    const { bias, variance, findings, text } = diagnoseFit({ training: 0.05, validation: 0.08 }, { target: 0.01 });
    expect([bias.toFixed(2), variance.toFixed(2)]).toEqual(["0.04", "0.03"]);
    expect(findings.map(({ kind }) => kind)).toEqual(["high bias", "high variance"]);
    expect(text).toMatch(/^First: high bias \(4\.0 points\)\. Try a bigger network/);
    expect(text).toMatch(/\nThen: high variance \(3\.0 points\)\. Try more data/);
  });

  test.each([
    [{ training: 0.01, validation: 0.11 }, ["high variance"]],
    [{ training: 0.15, validation: 0.16 }, ["high bias"]],
    [{ training: 0.01, trainingDev: 0.015, validation: 0.1 }, ["train/validation mismatch"]],
    [{ training: 0.01, validation: 0.02, test: 0.08 }, ["test overfit"]],
    [{ training: 0.005, validation: 0.006 }, []],
  ])("%j", (errors, kinds) => {
    const tolerance = kinds.length === 0 ? { tolerance: 0.01 } : { target: 0.005, tolerance: 0.01 };
    expect(diagnoseFit(errors, tolerance).findings.map(({ kind }) => kind)).toEqual(kinds);
  });

  test("of a history", () => {
    const history = [
      { epoch: 1, seconds: 1, training: { loss: 1, accuracy: 0.99 }, validation: { loss: 2, accuracy: 0.8 } },
    ];
    const { bias, variance } = diagnoseFit(history);
    expect([bias.toFixed(2), variance.toFixed(2)]).toEqual(["0.01", "0.19"]);
    expect(diagnoseFit(history, { monitor: "loss", target: 0.5 }).variance).toBe(1);
    expect(() => diagnoseFit([])).toThrow("diagnoseFit: the history has no validation");
    expect(() => diagnoseFit({ training: Number.NaN, validation: 1 })).toThrow("training must be finite");
  });
});
