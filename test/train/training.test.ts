// The training loop: events, endings, callbacks, and resuming to the bit.
import { describe, expect, test } from "vitest";
import { DataLoader, TensorDataset } from "../../src/data/index.js";
import { manualSeed, memory, rand, randn, type Tensor, tensor } from "../../src/index.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/io/index.js";
import { Linear, Module, MSELoss } from "../../src/nn/index.js";
import { Adam, OneCycleLR, ReduceLROnPlateau, RMSprop, SGD, StepLR } from "../../src/optim/index.js";
import {
  accuracy,
  type Callback,
  Checkpoint,
  CSVLogger,
  EarlyStopping,
  F1,
  type FitOptions,
  type FitResult,
  fit,
  JSONLLogger,
  LearningRateLogger,
  MAE,
  type Pair,
  ProgressBar,
  TerminateOnNaN,
  type TrainEvent,
  type TrainingCheckpoint,
  train,
} from "../../src/train/index.js";

/** A net that draws random numbers in each step: a mask over its hidden values while it trains. */
class Net extends Module {
  hidden = new Linear(4, 8);
  out = new Linear(8, 2);
  forward(x: Tensor): Tensor {
    const h = this.hidden.forward(x).tanh();
    return this.out.forward(this.training ? h.mul(rand(h.shape).mul(2)) : h);
  }
}

function setUp(samples = 26, seed = 1) {
  manualSeed(seed);
  const x = randn([samples, 4]);
  const y = x
    .slice([null, [0, 2]])
    .mul(2)
    .add(0.5);
  const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 8, shuffle: true });
  const validation = new DataLoader(new TensorDataset(randn([10, 4]), randn([10, 2])), { batchSize: 4, shuffle: true });
  return { model: new Net(), loader, validation };
}
const weights = (model: Module) => Object.values(model.stateDict()).map((x) => x.toArray());
const quiet = { loss: new MSELoss(), progress: false } as const;
/** A history without its durations. */
const timeless = ({ history }: FitResult) => history.map(({ seconds: _, ...rest }) => rest);
const toBytes = ({ tensors, metadata }: TrainingCheckpoint) => encodeSafetensors(tensors, metadata);

describe("resume", () => {
  const build = (files: Map<string, Uint8Array>, resume?: TrainingCheckpoint) => {
    const { model, loader, validation } = setUp();
    const optimizer = new Adam(model.parameters(), { lr: 0.01, amsgrad: true });
    const save = (name: string, checkpoint: TrainingCheckpoint) => void files.set(name, toBytes(checkpoint));
    const options: FitOptions = {
      ...quiet,
      optimizer,
      epochs: 3,
      validation,
      schedule: new OneCycleLR(optimizer, { maxLr: 0.02, totalSteps: 30 }),
      scheduleEvery: "step",
      metrics: { mae: new MAE() },
      accumulate: 2,
      clip: 1,
      callbacks: [new EarlyStopping({ patience: 5 }), new Checkpoint({ save, unit: "step" }), new LearningRateLogger()],
      ...(resume && { resume }),
    };
    return { model, options, run: (more: Partial<FitOptions> = {}) => fit(model, loader, { ...options, ...more }) };
  };

  test("after every step, to the bit: weights, history, callbacks", async () => {
    const files = new Map<string, Uint8Array>();
    const whole = build(files);
    const result = await whole.run();
    expect(files.size).toBe(6); // four batches an epoch, two for a step
    for (const [, bytes] of files) {
      const rest = build(new Map(), decodeSafetensors(bytes));
      const again = await rest.run();
      expect(timeless(again)).toEqual(timeless(result));
      expect(again.best).toEqual(result.best);
      expect(weights(rest.model)).toEqual(weights(whole.model));
      expect((rest.options.callbacks![2] as LearningRateLogger).rates).toEqual(
        (whole.options.callbacks![2] as LearningRateLogger).rates,
      );
    }
  });

  test("in the middle of gathered gradients, after an abort", async () => {
    const whole = build(new Map());
    const result = await whole.run();
    const controller = new AbortController();
    const files = new Map<string, Uint8Array>();
    const part = build(files);
    const abort: Callback = {
      onBatch({ epoch, batch }) {
        if (epoch === 2 && batch === 3) controller.abort();
      },
    };
    const aborted = await part.run({ callbacks: [...part.options.callbacks!, abort], signal: controller.signal });
    expect(aborted.kind).toBe("aborted");
    expect(aborted.history.length).toBe(1);
    const rest = build(new Map(), decodeSafetensors(files.get("aborted")!));
    const resumed = await rest.run();
    expect(resumed.kind).toBe("completed");
    expect(weights(rest.model)).toEqual(weights(whole.model));
    expect(timeless(resumed).at(-1)!.training).toEqual(timeless(result).at(-1)!.training);
  });

  test("refuses what is no checkpoint", async () => {
    const { model, loader } = setUp();
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const run = (resume: unknown) => fit(model, loader, { ...quiet, optimizer, resume: resume as TrainingCheckpoint });
    await expect(run({ tensors: {}, metadata: {} })).rejects.toThrow("fit: resume takes a training's checkpoint");
  });
});

describe("endings", () => {
  test("divergence is said, and the step that showed it is not taken", async () => {
    const { model, loader } = setUp();
    const optimizer = new SGD(model.parameters(), { lr: 1e6 });
    const result = await fit(model, loader, { ...quiet, optimizer, epochs: 50 });
    expect(result.kind).toBe("diverged");
    expect(result.reason).toMatch(/^the loss was (NaN|Infinity) in batch \d+ of epoch \d+$/);
    for (const value of weights(model).flat(3)) expect(Number.isFinite(value)).toBe(true);
  });

  test("TerminateOnNaN looks at the weights", async () => {
    const { model, loader } = setUp();
    const optimizer = { zeroGrad() {}, step: () => void model.out.bias!.view().set([Number.NaN]) };
    const result = await fit(model, loader, { ...quiet, optimizer, callbacks: [new TerminateOnNaN()] });
    expect([result.kind, result.reason]).toEqual(["diverged", "out.bias was not finite after step 1"]);
  });

  test("EarlyStopping stops, and restores the best epoch", async () => {
    const { model, loader } = setUp();
    let epoch = 0;
    const seen: unknown[] = [];
    const values = [5, 3, 4, 2, 3, 3, 1.95, 7];
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    const note: Callback = { onEpoch: () => void seen.push(weights(model)) };
    const result = await fit(model, loader, {
      ...quiet,
      optimizer,
      epochs: 20,
      validation: [[randn([2, 4]), randn([2, 2])]],
      metrics: { planned: () => (model.training ? 0 : values[epoch++]!) },
      callbacks: [note, new EarlyStopping({ monitor: "planned", patience: 3, minDelta: 0.1 })],
      monitor: "planned",
    });
    expect(result.kind).toBe("stopped");
    expect(result.reason).toBe("planned has not improved on 2 for 3 epochs");
    expect(result.history.length).toBe(7);
    expect(result.best).toEqual({ epoch: 7, value: 1.95 });
    expect(weights(model)).toEqual(seen[3]);
    expect(weights(model)).not.toEqual(seen[6]);
  });

  test("abort leaves a usable model", async () => {
    const { model, loader } = setUp();
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 40);
    const result = await fit(model, loader, { ...quiet, optimizer, epochs: 1e6, signal: controller.signal });
    expect(result.kind).toBe("aborted");
    expect(model.training).toBe(false);
    expect(
      Number.isFinite(
        model
          .forward(randn([1, 4]))
          .sum()
          .item(),
      ),
    ).toBe(true);
  });

  test("Ctrl-C aborts, and a checkpoint is saved", async () => {
    const { model, loader } = setUp();
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    const saved: string[] = [];
    const listeners = process.listenerCount("SIGINT");
    setTimeout(() => process.emit("SIGINT"), 20);
    const callbacks = [new Checkpoint({ save: (name) => void saved.push(name), every: 0 })];
    const result = await fit(model, loader, { ...quiet, optimizer, epochs: 1e6, callbacks });
    expect([result.kind, saved]).toEqual(["aborted", ["aborted"]]);
    expect(process.listenerCount("SIGINT")).toBe(listeners);
  });
});

describe("train", () => {
  test("tells every event, the end last", async () => {
    const { model, loader, validation } = setUp();
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    const types: string[] = [];
    let last: TrainEvent | undefined;
    for await (const event of train(model, loader, { loss: new MSELoss(), optimizer, epochs: 2, validation })) {
      types.push(event.type);
      last = event;
    }
    const epoch = ["batch", "batch", "batch", "batch", "validation", "epoch"];
    expect(types).toEqual([...epoch, ...epoch, "end"]);
    expect(last).toMatchObject({ type: "end", kind: "completed" });
  });

  test("to break off ends it", async () => {
    const { model, loader } = setUp();
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    const listeners = process.listenerCount("SIGINT");
    for await (const event of train(model, loader, { loss: new MSELoss(), optimizer, epochs: 1e6 }))
      if (event.type === "batch" && event.batch === 3) break;
    expect(model.training).toBe(false);
    expect(process.listenerCount("SIGINT")).toBe(listeners);
  });

  test("two at once give the bits of two in turn", async () => {
    const run = async (together: boolean) => {
      const a = setUp(26, 3);
      const trainOne = (model: Module, loader: Iterable<Pair>) =>
        fit(model, loader, { ...quiet, optimizer: new RMSprop(model.parameters()), epochs: 5 });
      const b = {
        model: new Net(),
        loader: new DataLoader((a.loader as DataLoader<Pair>).dataset, { batchSize: 5, shuffle: true }),
      };
      const first = trainOne(a.model, a.loader);
      if (!together) await first;
      const second = trainOne(b.model, b.loader);
      await Promise.all([first, second]);
      return [weights(a.model), weights(b.model)];
    };
    expect(await run(true)).toEqual(await run(false));
  });
});

test("accumulated gradients are those of the whole batch", async () => {
  const run = async (batchSize: number, accumulate: number) => {
    manualSeed(5);
    const model = new Linear(4, 2);
    const x = randn([24, 4]);
    const data = new TensorDataset(x, x.slice([null, [0, 2]]));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    await fit(model, new DataLoader(data, { batchSize }), { ...quiet, optimizer, accumulate, epochs: 3 });
    return weights(model).flat(3) as number[];
  };
  const whole = await run(12, 1);
  for (const [i, w] of (await run(4, 3)).entries()) expect(w).toBeCloseTo(whole[i]!, 5);
  expect(await run(4, 1)).not.toEqual(whole);
});

test("the last step of an epoch may have fewer batches, whether the loader tells its length or not", async () => {
  const run = async (
    loader: (data: TensorDataset<readonly [Tensor, Tensor]>) => Iterable<Pair>,
    accumulate: number,
  ) => {
    manualSeed(5);
    const model = new Linear(4, 2);
    const x = randn([24, 4]);
    const data = new TensorDataset(x, x.slice([null, [0, 2]]));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    await fit(model, loader(data), { ...quiet, optimizer, accumulate, epochs: 2 });
    return weights(model).flat(3) as number[];
  };
  const part = (data: TensorDataset<readonly [Tensor, Tensor]>, from: number, to: number) =>
    data.batch(Int32Array.from({ length: to - from }, (_, i) => from + i));
  const want = await run((data) => [part(data, 0, 16), part(data, 16, 24)], 1);
  const told = await run((data) => new DataLoader(data, { batchSize: 4 }), 4);
  for (const [i, w] of told.entries()) expect(w).toBeCloseTo(want[i]!, 5);
  // Without a length its gradients count as a share of a whole step's, but are not lost.
  const untold = await run(
    (data) => ({
      *[Symbol.iterator]() {
        for (let i = 0; i < 24; i += 4) yield part(data, i, i + 4);
      },
    }),
    4,
  );
  expect(untold).not.toEqual(told);
  const half = await run((data) => [part(data, 0, 16)], 1);
  for (const [i, w] of untold.entries()) expect(Math.abs(w - half[i]!)).toBeGreaterThan(1e-6);
});

test("schedules step by epoch or by step; ReduceLROnPlateau gets the monitored value", async () => {
  const run = async (options: (optimizer: SGD) => Partial<FitOptions>) => {
    const { model, loader } = setUp();
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const { history } = await fit(model, loader, { ...quiet, optimizer, epochs: 4, ...options(optimizer) });
    return [...history.map((epoch) => epoch.lr!), optimizer.paramGroups[0]!.lr];
  };
  const half = { stepSize: 1, gamma: 0.5 };
  expect(await run((o) => ({ schedule: new StepLR(o, half) }))).toEqual([0.1, 0.05, 0.025, 0.0125, 0.00625]);
  const eachStep = await run((o) => ({ schedule: new StepLR(o, half), scheduleEvery: "step" }));
  expect(eachStep[0]).toBe(0.1 / 8); // in the fourth step
  const flat = await run((o) => ({
    schedule: new ReduceLROnPlateau(o, { patience: 1, factor: 0.5 }),
    metrics: { flat: () => 1 },
    monitor: "flat",
  }));
  expect(flat).toEqual([0.1, 0.1, 0.1, 0.05, 0.05]);
});

test("checkpoints: every n, the last k, the best", async () => {
  const { model, loader } = setUp();
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  const files = new Set<string>();
  const log: string[] = [];
  let value = 0;
  const result = await fit(model, loader, {
    ...quiet,
    optimizer,
    epochs: 7,
    metrics: { score: () => [1, 1, 1, 1, 3, 3, 3, 3, 2, 2, 2, 2][value++] ?? 0 },
    callbacks: [
      new Checkpoint({
        save: async (name) => {
          await null;
          files.add(name);
          log.push(name);
        },
        remove: (name) => files.delete(name),
        every: 2,
        last: 2,
        best: true,
        monitor: "score",
      }),
    ],
  });
  expect(log).toEqual(["best", "best", "epoch-2", "epoch-4", "epoch-6"]);
  expect([...files].sort()).toEqual(["best", "epoch-4", "epoch-6"]);
  expect(result.kind).toBe("completed");
});

test("loggers and the progress line in a pipe", async () => {
  const { model, loader, validation } = setUp();
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  let [csv, jsonl, text] = ["", "", ""];
  await fit(model, loader, {
    ...quiet,
    optimizer,
    epochs: 2,
    validation,
    callbacks: [
      new CSVLogger((line) => (csv += line)),
      new JSONLLogger((line) => (jsonl += line)),
      new ProgressBar({ write: (part) => (text += part) }),
    ],
  });
  const lines = csv.trim().split("\n");
  expect(lines[0]).toBe("epoch,loss,validation.loss,lr,seconds");
  expect(lines.length).toBe(3);
  expect(lines[1]!.split(",").length).toBe(5);
  expect(
    jsonl
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { epoch: number }).epoch),
  ).toEqual([1, 2]);
  expect(text).toMatch(/^epoch 1\/2 {2}loss \d\.\d{4} {2}\| {2}validation loss \d\.\d{4} {2}[\d.]+s\nepoch 2\/2 .*\n$/);
});

test("memory is constant over 100 epochs", async () => {
  const { model, loader, validation } = setUp();
  const optimizer = new Adam(model.parameters());
  const bytes: number[] = [];
  await fit(model, loader, {
    ...quiet,
    optimizer,
    epochs: 100,
    validation,
    clip: { norm: 1, value: 1, adaptive: 0.1 },
    metrics: { mae: new MAE() },
    callbacks: [{ onEpoch: () => void bytes.push(memory().bytes) }, new EarlyStopping({ patience: 200 })],
  });
  expect(bytes.length).toBe(100);
  // Less where the engine collects meanwhile what earlier tests left behind.
  for (let i = 3; i < 100; i++) expect(bytes[i]).toBeLessThanOrEqual(bytes[i - 1]!);
});

test("transform, and metrics of both kinds, exact over unequal batches", async () => {
  manualSeed(0);
  const x = randn([10, 3]);
  const labels = tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], { dtype: "i32" });
  const model = new Linear(3, 3);
  const data = new TensorDataset(x, labels);
  const evaluate = async (batchSize: number) => {
    const { history } = await fit(model, new DataLoader(data, { batchSize }), {
      loss: (output) => output.sum().mul(0),
      optimizer: new SGD(model.parameters(), { lr: 1e-30 }),
      metrics: { accuracy, f1: new F1() },
      transform: ([a, b]) => [a.mul(2), b],
      progress: false,
    });
    return history[0]!.training;
  };
  const whole = await evaluate(10);
  const parts = await evaluate(4);
  expect(parts.accuracy).toBeCloseTo(whole.accuracy!, 12);
  expect(parts.f1).toBe(whole.f1);
});

describe("errors", () => {
  const { model, loader } = setUp();
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  test.each<[string, Partial<FitOptions>, string]>([
    [
      "a metric that throws",
      {
        metrics: {
          odd: () => {
            throw new Error("no");
          },
        },
      },
      "fit: metric odd failed: no",
    ],
    ["no metric", { metrics: { odd: 1 as never } }, "fit: metric odd must be a function or have update(): got 1"],
    ["no schedule", { schedule: 1 as never }, "fit: schedule must have step(): got 1"],
    ["accumulate", { accumulate: 0 }, "fit: accumulate must be from 1"],
    ["clip", { clip: -1 }, "fit: clip.norm must be from 0"],
    ["scheduleEvery", { scheduleEvery: "batch" as never }, 'fit: scheduleEvery must be "epoch" or "step": got "batch"'],
    ["callbacks", { callbacks: [1 as never] }, "fit: callbacks must be objects: got 1 (callback 0)"],
    ["options", { scheduler: 1 } as never, 'fit: unknown option "scheduler"'],
    ["optimizer", { optimizer: {} as never }, "fit: optimizer must have step() and zeroGrad()"],
  ])("%s", async (_, options, message) => {
    await expect(fit(model, loader, { ...quiet, optimizer, ...options })).rejects.toThrow(message);
  });

  test("an empty loader", async () => {
    await expect(fit(model, [], { ...quiet, optimizer })).rejects.toThrow("fit: the loader gave no batches");
  });
});
