// What the methods are for, shown: means over 5 seeds, with effects larger than their standard errors.
import { describe, expect, test } from "vitest";
import { DataLoader, Subset, TensorDataset } from "../../src/data/index.js";
import { Generator, manualSeed, noGrad, rand, randn, steps, type Tensor, tensor } from "../../src/index.js";
import { CrossEntropyLoss, Dropout, Linear, type Module, Parameter, ReLU, Sequential } from "../../src/nn/index.js";
import { Adam, clipGradNorm, SGD } from "../../src/optim/index.js";
import { accuracy, bagging, EarlyStopping, type FitOptions, fit, type Pair } from "../../src/train/index.js";

const seeds = [1, 2, 3, 4, 5];
const mean = (x: readonly number[]) => x.reduce((a, b) => a + b, 0) / x.length;

/** Mean of the differences in units of its standard error. */
function effect(smaller: readonly number[], larger: readonly number[]): number {
  const d = smaller.map((v, i) => larger[i]! - v);
  const spread = Math.sqrt(mean(d.map((v) => (v - mean(d)) ** 2)) / (d.length - 1));
  return mean(d) / spread;
}

describe("an overfitting net on digits, of whose training labels a fifth are wrong", async () => {
  const path = "../../examples/data/digits.js";
  const { loadDigits } = (await import(path)) as { loadDigits(): { pixels: Uint8Array; labels: Uint8Array } };
  const { pixels, labels } = loadDigits();
  const trained = 250;
  const held = 600;

  interface Errors {
    training: number;
    validation: number;
  }
  const error = (model: Module, [x, y]: Pair) => 1 - noGrad(() => accuracy(model.eval().forward(x), y));

  async function run(
    seed: number,
    { dropout = 0, ...change }: { dropout?: number; bags?: number; l2?: number } & Partial<FitOptions>,
  ): Promise<Errors> {
    manualSeed(seed);
    const random = new Generator(seed, { name: "labels" });
    const flips = rand([trained, 2], { generator: random }).toTypedArray();
    const first = 225 * (seed - 1);
    const x = tensor(
      Float32Array.from(pixels.subarray(first * 64, (first + trained + held) * 64), (v) => v / 8 - 1),
      {
        shape: [trained + held, 64],
      },
    );
    const y = tensor(
      Int32Array.from(labels.subarray(first, first + trained + held), (label, i) =>
        i < trained && flips[2 * i]! < 0.2 ? Math.floor(flips[2 * i + 1]! * 10) : label,
      ),
    );
    const data = new TensorDataset(x, y);
    const indices = Int32Array.from({ length: trained + held }, (_, i) => i);
    const train = new Subset<Pair>(data, indices.subarray(0, trained));
    const rest = new Subset<Pair>(data, indices.subarray(trained));
    const validation = rest.batch(indices.subarray(0, held));
    const { bags = 0, l2 = 0, ...options } = change;
    const make = () => new Sequential(new Linear(64, 100), new ReLU(), new Dropout(dropout), new Linear(100, 10));
    const settings = (model: Module): FitOptions => ({
      loss: new CrossEntropyLoss(),
      optimizer: new Adam(model.parameters(), { lr: 0.003, weightDecay: l2 }),
      epochs: 60,
      progress: false,
      validation: [validation],
      ...options,
    });
    let model: Module = make();
    if (bags > 0) {
      ({ model } = await bagging(make, train, { k: bags, seed, fit: settings, average: "probabilities" }));
    } else await fit(model, new DataLoader(train, { batchSize: 32, shuffle: true }), settings(model));
    return { training: error(model, train.batch(indices.subarray(0, trained))), validation: error(model, validation) };
  }
  const all = async (change: Parameters<typeof run>[1] | (() => Parameters<typeof run>[1])): Promise<Errors[]> => {
    const results: Errors[] = [];
    for (const seed of seeds) results.push(await run(seed, typeof change === "function" ? change() : change));
    return results;
  };
  const plain = all({});

  /** Moves each picture by up to a pixel, each way. */
  const shift = ([x, y]: Pair): Pair => {
    const moves = rand([2]).toTypedArray();
    const [dx, dy] = [Math.floor(moves[0]! * 3) - 1, Math.floor(moves[1]! * 3) - 1];
    const values = x.toTypedArray();
    const moved = new Float32Array(values.length).fill(-1);
    for (let i = 0; i < values.length; i++) {
      const [row, column] = [((i >> 3) & 7) + dy, (i & 7) + dx];
      if (row >= 0 && row < 8 && column >= 0 && column < 8) moved[(i & ~63) + 8 * row + column] = values[i]!;
    }
    return [tensor(moved, { shape: x.shape }), y];
  };

  test.each<[string, Parameters<typeof run>[1] | (() => Parameters<typeof run>[1])]>([
    ["dropout", { dropout: 0.5 }],
    ["L2", { l2: 0.01 }],
    ["augmentation", { transform: shift }],
    ["early stopping", () => ({ callbacks: [new EarlyStopping({ patience: 8 })] })],
    ["bagging of 5", { bags: 5 }],
  ])("%s lowers the validation error and raises the training error", async (name, change) => {
    const [before, after] = [await plain, await all(change)];
    const of = (list: Errors[], part: keyof Errors) => list.map((one) => one[part]);
    const validation = effect(of(after, "validation"), of(before, "validation"));
    const training = effect(of(before, "training"), of(after, "training"));
    if (process.env.SHOW_ERRORS)
      console.log(
        name,
        `validation ${mean(of(before, "validation")).toFixed(3)} -> ${mean(of(after, "validation")).toFixed(3)} (${validation.toFixed(1)} SE)`,
        `training ${mean(of(before, "training")).toFixed(3)} -> ${mean(of(after, "training")).toFixed(3)} (${training.toFixed(1)} SE)`,
      );
    expect(validation).toBeGreaterThan(1);
    expect(training).toBeGreaterThan(1);
  });
});

test("momentum and Adam reach a target in fewer steps than SGD", () => {
  // A valley of condition 100, from 5 starts; each optimizer with the best of its rates.
  const scale = tensor([1, 3, 10, 30, 100]);
  const stepsTo = (seed: number, make: (w: Tensor, lr: number) => SGD | Adam) =>
    Math.min(
      ...[0.003, 0.01, 0.02, 0.1, 0.3].map((lr) => {
        const w = randn([5], { generator: new Generator(seed), requiresGrad: true });
        const optimizer = make(w, lr);
        for (let step = 1; step <= 1500; step++) {
          optimizer.zeroGrad();
          const loss = w.square().mul(scale).sum().div(2);
          loss.backward();
          if (loss.item() < 1e-4) return step;
          if (!Number.isFinite(loss.item())) return Infinity;
          optimizer.step();
        }
        return Infinity;
      }),
    );
  const sgd = seeds.map((seed) => stepsTo(seed, (w, lr) => new SGD([w], { lr })));
  const momentum = seeds.map((seed) => stepsTo(seed, (w, lr) => new SGD([w], { lr, momentum: 0.9 })));
  const adam = seeds.map((seed) => stepsTo(seed, (w, lr) => new Adam([w], { lr })));
  if (process.env.SHOW_ERRORS) console.log("steps", mean(sgd), mean(momentum), mean(adam));
  expect(effect(momentum, sgd)).toBeGreaterThan(2);
  expect(effect(adam, sgd)).toBeGreaterThan(2);
});

test("clipping saves an exploding recurrent net", () => {
  // A net that must add up a sequence; its recurrent weight is above 1 at first, so gradients grow with its length.
  const run = (seed: number, clip: boolean) => {
    const generator = new Generator(seed);
    const w = new Parameter(tensor([1.3]));
    const u = new Parameter(tensor([1.3]));
    const optimizer = new SGD([w, u], { lr: 0.02 });
    let last = Infinity;
    for (const _ of steps(200)) {
      const x = randn([20, 16], { generator });
      let h = tensor(new Float32Array(16));
      for (let t = 0; t < 20; t++)
        h = h.mul(w).add(
          x
            .slice([[t, t + 1]])
            .reshape([16])
            .mul(u),
        );
      optimizer.zeroGrad();
      const loss = h.sub(x.sum(0)).square().mean();
      loss.backward();
      if (clip) clipGradNorm([w, u], 1);
      last = loss.item();
      if (!Number.isFinite(last)) return Infinity;
      optimizer.step();
    }
    return last;
  };
  for (const seed of seeds) {
    expect(run(seed, false)).toBe(Infinity);
    expect(run(seed, true)).toBeLessThan(5); // the sum's variance is 20
  }
});
