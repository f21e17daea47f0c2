// What fit does to gradients before a step: noise; and optimizers that evaluate the loss themselves.
import { describe, expect, test } from "vitest";
import { DataLoader, TensorDataset } from "../../src/data/index.js";
import { manualSeed, rand, randn, type Tensor } from "../../src/index.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/io/index.js";
import { Linear, Module, MSELoss } from "../../src/nn/index.js";
import { LBFGS, SGD } from "../../src/optim/index.js";
import { Checkpoint, type FitOptions, fit, type TrainingCheckpoint } from "../../src/train/index.js";

/** A net that draws random numbers in each step, and counts its forward passes. */
class Net extends Module {
  hidden = new Linear(4, 6);
  out = new Linear(6, 1);
  passes = 0;
  readonly masks: string[] = [];
  private readonly noisy: boolean;
  constructor(noisy: boolean) {
    super();
    this.noisy = noisy;
  }
  forward(x: Tensor): Tensor {
    this.passes++;
    const h = this.hidden.forward(x).tanh();
    if (!this.training || !this.noisy) return this.out.forward(h);
    const mask = rand(h.shape).mul(2);
    this.masks.push(mask.toTypedArray().join());
    return this.out.forward(h.mul(mask));
  }
}

const weights = (model: Module) => Object.values(model.stateDict()).map((x) => x.toArray());

function setUp(noisy = true) {
  manualSeed(3);
  const x = randn([48, 4]);
  const loader = new DataLoader(new TensorDataset(x, x.square().sum(1, { keepdim: true })), {
    batchSize: 16,
    shuffle: true,
  });
  return { model: new Net(noisy), loader };
}
const quiet = { loss: new MSELoss(), epochs: 3, progress: false } as const;

/** Trains, and again from the checkpoint of every epoch: the same weights each time. */
async function resumes(make: (model: Module) => FitOptions) {
  const files = new Map<string, Uint8Array>();
  const save = (name: string, { tensors, metadata }: TrainingCheckpoint) =>
    void files.set(name, encodeSafetensors(tensors, metadata));
  const whole = setUp();
  await fit(whole.model, whole.loader, { ...make(whole.model), callbacks: [new Checkpoint({ save })] });
  expect(files.size).toBe(3);
  for (const bytes of files.values()) {
    const rest = setUp();
    const resume = decodeSafetensors(bytes);
    await fit(rest.model, rest.loader, { ...make(rest.model), callbacks: [new Checkpoint({ save() {} })], resume });
    expect(weights(rest.model)).toEqual(weights(whole.model));
  }
  return whole.model;
}

describe("gradient noise", () => {
  const noisy = (gradNoise?: FitOptions["gradNoise"]) => (model: Module) => ({
    ...quiet,
    optimizer: new SGD(model.parameters(), { lr: 0.05 }),
    ...(gradNoise && { gradNoise }),
  });

  test("resumes to the bit, differs from none, and from other noise", async () => {
    const runs = [];
    for (const noise of [undefined, { eta: 0.01 }, { eta: 0.02 }]) runs.push(weights(await resumes(noisy(noise))));
    expect(runs[1]).not.toEqual(runs[0]);
    expect(runs[2]).not.toEqual(runs[1]);
  });

  test("has the variance eta/(1 + t)^gamma", async () => {
    const values = (model: Linear) => model.weight.toTypedArray() as Float32Array;
    // Where the loss does not depend on the weights, a step is −lr · noise.
    const model = new Linear(100, 100, { bias: false });
    const changes: number[] = [];
    let before = values(model);
    await fit(model, [[randn([1, 100]), randn([1, 100])]], {
      loss: (output) => output.mul(0).sum(),
      optimizer: new SGD(model.parameters(), { lr: 1 }),
      epochs: 8,
      gradNoise: { eta: 0.04, gamma: 2 },
      clip: 0, // noise comes after it
      callbacks: [
        {
          onBatch() {
            const now = values(model);
            changes.push(now.reduce((sum, w, i) => sum + (w - before[i]!) ** 2, 0) / now.length);
            before = now;
          },
        },
      ],
      progress: false,
    });
    expect(changes.length).toBe(8);
    for (const [t, variance] of changes.entries()) {
      expect(variance * (1 + t) ** 2).toBeGreaterThan(0.04 * 0.94);
      expect(variance * (1 + t) ** 2).toBeLessThan(0.04 * 1.06);
    }
  });

  test("refuses what it cannot use", async () => {
    const { model, loader } = setUp();
    const run = (gradNoise: object) => fit(model, loader, noisy(gradNoise)(model));
    await expect(run({ eta: -1 })).rejects.toThrow("fit: gradNoise.eta must be from 0");
    await expect(run({ etta: 1 })).rejects.toThrow('unknown option "etta"');
  });
});

describe("an optimizer that takes a closure", () => {
  const lbfgs = (model: Module): FitOptions => ({
    ...quiet,
    optimizer: new LBFGS(model.parameters(), { maxIter: 5, lineSearchFn: "strongWolfe" }),
  });

  test("is the loop one would write", async () => {
    const byFit = setUp(false);
    await fit(byFit.model, byFit.loader, lbfgs(byFit.model));
    const byHand = setUp(false);
    const optimizer = new LBFGS(byHand.model.parameters(), { maxIter: 5, lineSearchFn: "strongWolfe" });
    for (let epoch = 0; epoch < 3; epoch++)
      for (const [x, y] of byHand.loader)
        optimizer.step(() => {
          optimizer.zeroGrad();
          const loss = quiet.loss.forward(byHand.model.forward(x!), y!);
          loss.backward();
          return loss;
        });
    expect(weights(byFit.model)).toEqual(weights(byHand.model));
    expect(byFit.model.passes).toBe(byHand.model.passes);
  });

  test("gets the same random numbers in every evaluation of a batch, and resumes to the bit", async () => {
    const { model, loader } = setUp();
    const passes: number[] = [];
    const { history } = await fit(model, loader, {
      ...lbfgs(model),
      epochs: 12,
      callbacks: [{ onBatch: () => void passes.push(model.passes) }],
    });
    expect(passes[0]).toBeGreaterThan(3);
    for (const [i, end] of passes.entries()) expect(new Set(model.masks.slice(passes[i - 1] ?? 0, end)).size).toBe(1);
    expect(new Set(model.masks).size).toBe(passes.length);
    expect(history.at(-1)!.training.loss).toBeLessThan(history[0]!.training.loss! / 2);
    await resumes(lbfgs);
  });

  test("a loss that is not finite ends as diverged, without a step", async () => {
    const { model, loader } = setUp();
    const before = weights(model);
    const { kind } = await fit(model, loader, { ...lbfgs(model), loss: (o, y) => o.sub(y).sum().mul(Number.NaN) });
    expect(kind).toBe("diverged");
    expect(weights(model)).toEqual(before);
  });

  test.each<[Partial<FitOptions>, string]>([
    [{ accumulate: 2 }, "accumulate"],
    [{ clip: 1, gradNoise: {} }, "clip, gradNoise"],
  ])("refuses %j", async (options, names) => {
    const { model, loader } = setUp();
    await expect(fit(model, loader, { ...lbfgs(model), ...options })).rejects.toThrow(
      `fit: an optimizer that takes a closure has no use for ${names}.`,
    );
  });
});
