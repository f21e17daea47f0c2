// fit: learning, history, modes, exact means, ends of every kind, memory.
import { describe, expect, test, vi } from "vitest";
import { DataLoader, TensorDataset } from "../../src/data/index.js";
import { manualSeed, memory, randn, type Tensor, tensor, zeros } from "../../src/index.js";
import { CrossEntropyLoss, Linear, Module, MSELoss, ReLU, Sequential } from "../../src/nn/index.js";
import { Adam, SGD } from "../../src/optim/index.js";
import { accuracy, fit, type Pair } from "../../src/train/index.js";

const quiet = { progress: false } as const;

/** y = x·[1, 2, 3]ᵀ + 0.5 */
function plane(n: number): TensorDataset<readonly [Tensor, Tensor]> {
  const x = randn([n, 3]);
  return new TensorDataset(
    x,
    x
      .mul(tensor([1, 2, 3]))
      .sum(1, { keepdim: true })
      .add(0.5),
  );
}

/** Counts modes at each forward. */
class Spy extends Module {
  fc = new Linear(1, 1);
  readonly modes: boolean[] = [];
  forward(x: Tensor): Tensor {
    this.modes.push(this.training);
    return this.fc.forward(x);
  }
}
const ones = (n: number) => new TensorDataset(tensor(new Float32Array(n).fill(1), { shape: [n, 1] }), zeros([n, 1]));
const sgd = (model: Module, lr = 0.125) => new SGD(model.parameters(), { lr });

test("learns, and tells how", async () => {
  manualSeed(0);
  const model = new Linear(3, 1);
  const loader = new DataLoader(plane(64), { batchSize: 16, shuffle: true });
  const result = await fit(model, loader, { loss: new MSELoss(), optimizer: sgd(model), epochs: 30, ...quiet });
  expect(result.kind).toBe("completed");
  expect(result.history.map((h) => h.epoch)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  const losses = result.history.map((h) => h.training.loss!);
  expect(losses[0]).toBeGreaterThan(1);
  expect(losses.at(-1)).toBeLessThan(1e-6);
  expect(result.history.every((h) => h.seconds >= 0 && h.validation === undefined)).toBe(true);
  for (const [i, w] of [1, 2, 3].entries()) expect(model.weight.toTypedArray()[i]).toBeCloseTo(w, 3);
  expect(model.bias!.item()).toBeCloseTo(0.5, 3);
});

test("is the loop one would write", async () => {
  const run = async (byHand: boolean) => {
    manualSeed(4);
    const model = new Sequential(new Linear(3, 8), new ReLU(), new Linear(8, 1));
    const loader = new DataLoader(plane(40), { batchSize: 16, shuffle: true });
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const loss = new MSELoss();
    if (!byHand) await fit(model, loader, { loss, optimizer, epochs: 3, ...quiet });
    else
      for (let epoch = 0; epoch < 3; epoch++)
        for (const [x, y] of loader) {
          optimizer.zeroGrad();
          loss.forward(model.forward(x), y).backward();
          optimizer.step();
        }
    return model.parameters().map((p) => p.toArray());
  };
  expect(await run(false)).toEqual(await run(true));
});

test("losses may be functions; zero epochs do nothing", async () => {
  const model = new Linear(1, 1);
  const before = model.weight.item();
  const options = { loss: (o: Tensor, t: Tensor) => o.sub(t).square().mean(), optimizer: sgd(model), ...quiet };
  expect(await fit(model, new DataLoader(ones(4)), { ...options, epochs: 0 })).toEqual({
    kind: "completed",
    history: [],
    best: null,
  });
  expect(model.weight.item()).toBe(before);
  await fit(model, new DataLoader(ones(4)), options);
  expect(model.weight.item()).not.toBe(before);
});

test("means over the samples are exact, also when batches differ in size", async () => {
  const model = new Linear(1, 1);
  model.loadStateDict({ weight: tensor([[1]]), bias: tensor([0]) });
  // Outputs 0..6, target 0: the mean of squares over all samples is 13, over the batches' means 15.66.
  const data = new TensorDataset(tensor([0, 1, 2, 3, 4, 5, 6], { shape: [7, 1] }), zeros([7, 1]));
  const metrics = {
    asNumber: (o: Tensor) => o.mean().item(),
    asTensor: (o: Tensor) => o.mean(),
    count: (o: Tensor) => o.shape[0]!,
  };
  const frozen = { zeroGrad() {}, step() {} };
  const result = await fit(model, new DataLoader(data, { batchSize: 3 }), {
    loss: new MSELoss(),
    optimizer: frozen,
    validation: new DataLoader(data, { batchSize: 5 }),
    metrics,
    ...quiet,
  });
  expect(result.history[0]!.training.loss).toBeCloseTo(13, 5);
  expect(result.history[0]!.training).toMatchObject({ asNumber: 3, asTensor: 3, count: (9 + 9 + 1) / 7 });
  expect(result.history[0]!.validation!.loss).toBeCloseTo(13, 5);
  expect(result.history[0]!.validation).toMatchObject({ asNumber: 3, asTensor: 3, count: (25 + 4) / 7 });
});

test("trains in training mode, validates in evaluation mode without recording, ends in evaluation mode", async () => {
  const model = new Spy();
  const recorded: boolean[] = [];
  const before = model.fc.weight.item();
  const { history } = await fit(model, new DataLoader(ones(4), { batchSize: 2 }), {
    loss: (o, t) => {
      recorded.push(o.requiresGrad);
      return o.sub(t).square().mean();
    },
    optimizer: sgd(model),
    validation: new DataLoader(ones(3), { batchSize: 2 }),
    epochs: 2,
    ...quiet,
  });
  const epoch = [true, true, false, false];
  expect(model.modes).toEqual([...epoch, ...epoch]);
  expect(recorded).toEqual([...epoch, ...epoch]);
  expect(model.training).toBe(false);
  expect(model.fc.weight.item()).not.toBe(before);
  // Validated after the epoch's last step: better than the epoch's mean, which is over steps.
  expect(history[0]!.validation!.loss!).toBeLessThan(history[0]!.training.loss!);
});

test("validation changes nothing: no gradient, no step, no random number of the training", async () => {
  const run = async (validation: boolean) => {
    manualSeed(5);
    const model = new Linear(3, 1);
    const data = plane(20);
    const loader = new DataLoader(data, { batchSize: 4, shuffle: true });
    const options = { loss: new MSELoss(), optimizer: sgd(model), epochs: 3, ...quiet };
    await fit(model, loader, validation ? { ...options, validation: new DataLoader(data, { batchSize: 7 }) } : options);
    return [model.weight.toArray(), model.bias!.toArray()];
  };
  expect(await run(true)).toEqual(await run(false));
});

describe("loaders", () => {
  test("any iterable of pairs: arrays, and what makes batches as it goes", async () => {
    const model = new Linear(1, 1);
    const [x, y] = [tensor([[1], [2]]), tensor([[2], [4]])];
    const options = { loss: new MSELoss(), optimizer: sgd(model, 0.05), epochs: 200, ...quiet };
    await fit(model, [[x, y]], options);
    expect(x.toArray()).toEqual([[1], [2]]); // the caller's, not freed
    const noisy: Iterable<Pair> = {
      *[Symbol.iterator]() {
        for (const [a, b] of new DataLoader(new TensorDataset(x, y), { batchSize: 2 })) yield [a.mul(1), b];
      },
    };
    const { history } = await fit(model, noisy, options);
    expect(history.length).toBe(200);
    expect(model.forward(tensor([[3]])).item()).toBeCloseTo(6, 0);
  });

  test("an empty one is an error, in training and in validation", async () => {
    const model = new Spy();
    const options = { loss: new MSELoss(), optimizer: sgd(model), ...quiet };
    const empty = new DataLoader(ones(2), { batchSize: 4, dropLast: true });
    await expect(fit(model, empty, options)).rejects.toThrow(/fit: the loader gave no batches.*dropLast/);
    await expect(fit(model, [], options)).rejects.toThrow(RangeError);
    const full = new DataLoader(ones(2));
    await expect(fit(model, full, { ...options, validation: empty })).rejects.toThrow(
      /fit: the validation gave no batches/,
    );
    // A generator object can be walked once: its second epoch is empty.
    const once = (function* (): Generator<Pair> {
      yield [tensor([[1]]), tensor([[0]])];
    })();
    await expect(fit(model, once, { ...options, epochs: 2 })).rejects.toThrow(/gave no batches/);
    expect(model.training).toBe(false);
  });
});

describe("aborted", () => {
  test("after the batch under way: the epochs that were finished are in the history", async () => {
    const model = new Spy();
    const controller = new AbortController();
    let steps = 0;
    const optimizer = {
      zeroGrad: () => model.zeroGrad(),
      step: () => {
        if (++steps === 5) controller.abort();
      },
    };
    const loader = new DataLoader(ones(6), { batchSize: 2 });
    const result = await fit(model, loader, {
      loss: new MSELoss(),
      optimizer,
      epochs: 10,
      signal: controller.signal,
      ...quiet,
    });
    expect(result.kind).toBe("aborted");
    expect(result.history.map((h) => h.epoch)).toEqual([1]);
    expect(steps).toBe(5);
    expect(model.training).toBe(false);
    // The same model can be trained again.
    expect((await fit(model, loader, { loss: new MSELoss(), optimizer: sgd(model), ...quiet })).kind).toBe("completed");
  });

  test("before it begins, and from a timer while it runs", async () => {
    const model = new Spy();
    const options = { loss: new MSELoss(), optimizer: sgd(model), ...quiet };
    const loader = new DataLoader(ones(6), { batchSize: 2 });
    expect(await fit(model, loader, { ...options, signal: AbortSignal.abort() })).toEqual({
      kind: "aborted",
      history: [],
      best: null,
    });
    expect(model.modes).toEqual([]);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    const result = await fit(model, loader, { ...options, epochs: 1e9, signal: controller.signal });
    expect(result.kind).toBe("aborted");
  });

  test("during the validation", async () => {
    const model = new Spy();
    const controller = new AbortController();
    const batches = 50;
    let visited = 0;
    const result = await fit(model, new DataLoader(ones(1)), {
      loss: (o, t) => {
        if (!model.training && ++visited === 2) controller.abort();
        return o.sub(t).square().mean();
      },
      optimizer: sgd(model),
      validation: new DataLoader(ones(batches)),
      signal: controller.signal,
      ...quiet,
    });
    expect(result).toEqual({ kind: "aborted", history: [], best: null });
    expect(visited).toBe(2);
  });
});

describe("what throws", () => {
  test("leaves the model usable and the memory constant", async () => {
    manualSeed(6);
    const model = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2));
    const optimizer = new Adam(model.parameters());
    const data = new TensorDataset(randn([12, 3]), tensor(new Int32Array(12).map((_, i) => i % 2)));
    const loader = new DataLoader(data, { batchSize: 4, shuffle: true });
    const good = { loss: new CrossEntropyLoss(), optimizer, metrics: { accuracy }, ...quiet };
    await fit(model, loader, good);
    model.zeroGrad();
    const before = memory();
    const kinds: [object, RegExp][] = [
      [
        {
          loss: () => {
            throw new Error("mine");
          },
        },
        /^mine$/,
      ],
      [{ loss: (o: Tensor) => o }, /fit: the loss must be one number: got shape \[4,2\]/],
      [{ loss: (o: Tensor) => o.detach().sum() }, /requires no gradient/],
      [{ metrics: { broken: (o: Tensor) => o } }, /item/],
      [
        {
          metrics: {
            broken: () => {
              throw new Error("metric");
            },
          },
        },
        /fit: metric broken failed: metric/,
      ],
      [
        {
          optimizer: {
            zeroGrad() {},
            step() {
              throw new Error("step");
            },
          },
        },
        /^step$/,
      ],
      [{ validation: [[zeros([1, 9]), zeros([1])]] }, /0 \(Linear\): linear/],
      [{ validation: [zeros([1, 3])] }, /fit: a batch is \[input, target\]/],
    ];
    for (const [change, message] of kinds) {
      await expect(fit(model, loader, { ...good, ...change } as never), String(message)).rejects.toThrow(message);
      expect(model.training).toBe(false);
    }
    model.zeroGrad();
    // Only the tensors that `kinds` itself holds are more.
    expect(memory().tensors - before.tensors).toBe(3);
    const { history } = await fit(model, loader, { ...good, epochs: 2 });
    expect(history.length).toBe(2);
    model.zeroGrad();
    expect(memory().tensors - before.tensors).toBe(3);
  });

  test("a learning rate that became NaN", async () => {
    const model = new Spy();
    const optimizer = sgd(model);
    const before = model.fc.weight.item();
    optimizer.paramGroups[0]!.lr = Number.NaN;
    await expect(fit(model, new DataLoader(ones(2)), { loss: new MSELoss(), optimizer, ...quiet })).rejects.toThrow(
      /lr must be/,
    );
    expect(model.fc.weight.item()).toBe(before);
  });

  test("arguments are checked before anything runs", async () => {
    const model = new Spy();
    const good = { loss: new MSELoss(), optimizer: sgd(model), ...quiet };
    const loader = new DataLoader(ones(2));
    const attempts: [unknown[], RegExp][] = [
      [[model, loader, { ...good, epoch: 3 }], /fit: unknown option "epoch".*epochs/],
      [[model, loader, { ...good, epochs: 1.5 }], /epochs must be an integer: got 1.5/],
      [[model, loader, { ...good, epochs: -1 }], /epochs must be/],
      [[model, loader, { ...good, loss: "mse" }], /loss must be a function or have forward\(\): got "mse"/],
      [
        [model, loader, { ...good, optimizer: undefined }],
        /optimizer must have step\(\) and zeroGrad\(\): got undefined/,
      ],
      [
        [model, loader, { ...good, metrics: { accuracy: 3 } }],
        /metric accuracy must be a function or have update\(\): got 3/,
      ],
      [[model, loader, { ...good, metrics: { loss: accuracy } }], /metric .*loss/],
      [[model, loader], /fit: options must be an object: got undefined/],
      [[(x: Tensor) => x, loader, good], /fit: .*model.*got function/],
      [[model, 5, good], /fit: .*loader.*got 5/],
      [[model, loader, { ...good, validation: ones(2) }], /fit: .*validation.*got a TensorDataset/],
    ];
    for (const [args, message] of attempts)
      await expect((fit as (...a: unknown[]) => Promise<unknown>)(...args), String(message)).rejects.toThrow(message);
    expect(model.modes).toEqual([]);
  });
});

test("the stream of random numbers of a training is given back", async () => {
  class Noisy extends Spy {
    override forward(x: Tensor): Tensor {
      return super.forward(x.add(randn([1])));
    }
  }
  const model = new Noisy();
  const optimizer = sgd(model);
  const loader = new DataLoader(ones(4), { batchSize: 2 });
  const once = () => fit(model, loader, { loss: new MSELoss(), optimizer, ...quiet });
  await once();
  const before = memory();
  for (let i = 0; i < 5; i++) await once();
  expect(memory()).toMatchObject({ bytes: before.bytes, tensors: before.tensors });
});

test("gives way to the event loop", async () => {
  const model = new Spy();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 150);
  await fit(model, new DataLoader(ones(64)), {
    loss: new MSELoss(),
    optimizer: sgd(model),
    epochs: 1e9,
    signal: controller.signal,
    ...quiet,
  });
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(1);
});

test("writes nothing when told to be quiet, one line an epoch when piped", async () => {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const tty = process.stdout.isTTY;
  try {
    process.stdout.isTTY = false;
    const model = new Spy();
    const options = { loss: new MSELoss(), optimizer: sgd(model), epochs: 2 };
    await fit(model, new DataLoader(ones(2)), { ...options, progress: false });
    const before = write.mock.calls.length;
    await fit(model, new DataLoader(ones(2)), {
      ...options,
      validation: new DataLoader(ones(2)),
      metrics: { half: () => 0.5 },
    });
    const lines = write.mock.calls.slice(before).map(([text]) => String(text));
    expect(before).toBe(0);
    expect(lines.length).toBe(2);
    expect(lines[1]).toMatch(
      /^epoch 2\/2 {2}loss \S+ {2}half 0\.5000 {2}\| {2}validation loss \S+ {2}half 0\.5000 {2}\d\.\ds\n$/,
    );
  } finally {
    process.stdout.isTTY = tty;
    write.mockRestore();
  }
});
