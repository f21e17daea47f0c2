// The learned optimizer: its gradients through the steps, that it learns, that it goes on from a saved state.
import { describe, expect, test } from "vitest";
import { DataLoader, TensorDataset } from "../../src/data/index.js";
import { Generator, grad, manualSeed, memory, noGrad, randn, scope, steps, tensor } from "../../src/index.js";
import { functionalCall, Linear, MSELoss, Sequential, Tanh } from "../../src/nn/index.js";
import { LearnedOptimizer, LearnedRule, type MetaTask, metaTrain, SGD } from "../../src/optim/index.js";
import { type Place, unrolled } from "../../src/optim/meta-train.js";
import { Checkpoint, fit, type TrainingCheckpoint } from "../../src/train/index.js";

/** ‖W·x − y‖² of `count` random problems of `size` unknowns, summed. */
function quadratics(seed: number, count: number, size: number): MetaTask {
  const generator = new Generator(seed);
  const w = randn([count, size, size], { generator });
  const y = randn([count, size, 1], { generator });
  const start = { x: randn([count, size, 1], { generator }) };
  generator.dispose();
  return { start, loss: ({ x }) => w.matmul(x!).sub(y).square().sum() };
}

function begin({ start, loss }: MetaTask, rule: LearnedRule): Place {
  const params = Object.fromEntries(
    Object.entries(start).map(([name, x]) => [name, tensor(x, { requiresGrad: true })]),
  );
  return { params, states: Object.values(start).map((x) => rule.start(x.numel)), value: loss(params) };
}

describe("unrolled", () => {
  test("gradients through five steps, also of the tasks' gradients, equal finite differences", () => {
    manualSeed(2);
    const rule = new LearnedRule({ hidden: 3, scale: 0.1 });
    const x = randn([6, 2]);
    const y = randn([6, 1]);
    const model = new Sequential(new Linear(2, 2), new Tanh(), new Linear(2, 1));
    const task: MetaTask = {
      start: Object.fromEntries([...model.namedParameters()].map(([name, p]) => [name, p.detach()])),
      loss: (params) => functionalCall(model, params, x).sub(y).square().mean(),
    };
    const total = () => unrolled(rule, task.loss, begin(task, rule), 5, true).total;
    const gradients = grad(total(), rule.parameters());
    for (const [k, parameter] of rule.parameters().entries()) {
      const direction = randn(parameter.shape, { generator: new Generator(k) });
      const eps = 2 ** -7;
      const at = (sign: number) => {
        noGrad(() => parameter.copy(parameter.add(direction.mul(sign * eps))));
        const value = total().item();
        noGrad(() => parameter.copy(parameter.sub(direction.mul(sign * eps))));
        return value;
      };
      const wanted = (at(1) - at(-1)) / (2 * eps);
      expect(gradients[k]!.mul(direction).sum().item()).toBeCloseTo(wanted, 2.5);
      expect(Math.abs(wanted)).toBeGreaterThan(1e-4);
    }
    // Of the first order: the tasks' gradients are taken as given, and the result is another.
    const first = grad(unrolled(rule, task.loss, begin(task, rule), 5, false).total, rule.parameters());
    expect(first[0]!.toArray()).not.toEqual(gradients[0]!.toArray());
  });

  test("is what the optimizer does", () => {
    manualSeed(3);
    const rule = new LearnedRule();
    const task = quadratics(1, 2, 3);
    const far = unrolled(rule, task.loss, begin(task, rule), 6, false).params.x!.toArray();
    const x = tensor(task.start.x!, { requiresGrad: true });
    const optimizer = new LearnedOptimizer([x], { rule });
    for (const _ of steps(6)) {
      optimizer.zeroGrad();
      task.loss({ x }).backward();
      optimizer.step();
    }
    expect(x.toArray()).toEqual(far);
    expect(rule.parameters().every(({ grad }) => grad === null)).toBe(true);
  });
});

test("beats tuned SGD on unseen tasks of its family, over five seeds", () => {
  const [size, count, problems] = [5, 30, 32];
  const x = tensor(new Float32Array(problems * size), { shape: [problems, size, 1], requiresGrad: true });
  /** The mean loss of the problems of a seed after `count` steps. */
  const after = (seed: number, optimizer: { zeroGrad(): void; step(): void }) =>
    scope(() => {
      const { start, loss } = quadratics(seed, problems, size);
      noGrad(() => x.copy(start.x!));
      for (const _ of steps(count)) {
        optimizer.zeroGrad();
        loss({ x }).backward();
        optimizer.step();
      }
      return noGrad(() => loss({ x })).item() / problems;
    });
  const sgd = new SGD([x]);
  const byRate = (seed: number, lr: number) => {
    sgd.paramGroups[0]!.lr = lr;
    return after(seed, sgd);
  };
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  // The best of a grid of rates, by tasks of the family.
  const rates = [0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05];
  const scores = rates.map((lr) => mean([1, 2, 3, 4].map((task) => byRate(task, lr))));
  const lr = rates[scores.indexOf(Math.min(...scores.filter(Number.isFinite)))]!;
  expect([rates[0], rates.at(-1)]).not.toContain(lr); // the grid is wide enough
  const pairs = [1, 2, 3, 4, 5].map((seed) => {
    manualSeed(seed);
    const rule = new LearnedRule({ hidden: 12 });
    const task = (episode: number) => quadratics(1000 * seed + episode, 16, size);
    const options = { episodes: 40, steps: count, unroll: 10, lr: 0.01 };
    const before = memory().tensors;
    expect(metaTrain(rule, task, options).length).toBe(options.episodes);
    expect(memory().tensors - before).toBeLessThan(100);
    return [after(500 + seed, new LearnedOptimizer([x], { rule })), byRate(500 + seed, lr)] as const;
  });
  const gains = pairs.map(([learned, sgd]) => sgd - learned);
  const spread = Math.sqrt(mean(gains.map((gain) => (gain - mean(gains)) ** 2)) / (gains.length - 1));
  expect(mean(gains)).toBeGreaterThan(2 * spread);
  expect(mean(pairs.map(([learned]) => learned))).toBeLessThan(0.8 * mean(pairs.map(([, sgd]) => sgd)));
});

describe("LearnedOptimizer", () => {
  test("goes on from its state dict with the same bits, within fit too", async () => {
    const files: TrainingCheckpoint[] = [];
    const run = async (resume?: TrainingCheckpoint) => {
      manualSeed(4);
      const rule = new LearnedRule({ hidden: 4 });
      const model = new Sequential(new Linear(3, 4), new Tanh(), new Linear(4, 1));
      const x = randn([20, 3]);
      const loader = new DataLoader(new TensorDataset(x, x.sum(1, { keepdim: true })), { batchSize: 10 });
      const copied = ({ tensors, metadata }: TrainingCheckpoint): TrainingCheckpoint => ({
        tensors: Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, tensor(x)])),
        metadata: JSON.parse(JSON.stringify(metadata)),
      });
      await fit(model, loader, {
        loss: new MSELoss(),
        optimizer: new LearnedOptimizer(model.parameters(), { rule, lr: 0.5 }),
        epochs: 4,
        progress: false,
        callbacks: [new Checkpoint({ save: (_, checkpoint) => void (resume ?? files.push(copied(checkpoint))) })],
        ...(resume && { resume }),
      });
      return Object.values(model.stateDict()).map((p) => p.toArray());
    };
    const whole = await run();
    expect(files.length).toBe(4);
    expect(await run(files[1])).toEqual(whole);
  });

  test("refuses what it cannot use", () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const rule = new LearnedRule({ hidden: 4 });
    expect(() => new LearnedOptimizer([w])).toThrow("LearnedOptimizer: rule must be a LearnedRule: got undefined");
    expect(() => new LearnedOptimizer([w], { rule, lr: -1 })).toThrow("LearnedOptimizer: lr must be from 0");
    expect(() => new LearnedRule({ hidden: 0 })).toThrow("LearnedRule: hidden must be from 1");
    const optimizer = new LearnedOptimizer([w], { rule });
    w.sum().backward();
    optimizer.step();
    const other = new LearnedOptimizer([w], { rule: new LearnedRule({ hidden: 5 }) });
    expect(() => other.loadStateDict(optimizer.stateDict())).toThrow(
      "h of parameter 0 must be an f32 tensor of [2,5]: got f32 [2,4]",
    );
    const task = (): MetaTask => ({ start: { w: tensor([1]) }, loss: ({ w }) => w!.mul(Number.NaN).sum() });
    expect(() => metaTrain(rule, task)).toThrow("metaTrain: the loss was NaN in episode 0");
  });
});
