// The memory of a training does not change from epoch to epoch. What a test drops leaves the count whenever the garbage
// collector finds it: so this is a file of its own, and holds what its tests make.
import { expect, test } from "vitest";
import { DataLoader, TensorDataset } from "../../src/data/index.js";
import { manualSeed, memory, randn } from "../../src/index.js";
import { Linear, MSELoss, ReLU, Sequential } from "../../src/nn/index.js";
import { Adam, LBFGS } from "../../src/optim/index.js";
import { EarlyStopping, fit, MAE } from "../../src/train/index.js";

const held: unknown[] = [];
function hold<T>(value: T): T {
  held.push(value);
  return value;
}

const net = () => hold(new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 1)));
function plane(n: number) {
  const x = randn([n, 3]);
  return hold(new TensorDataset(x, x.sum(1, { keepdim: true })));
}

test("constant memory from epoch to epoch", async () => {
  manualSeed(8);
  const model = net();
  const data = plane(40);
  const seen: { bytes: number; tensors: number }[] = [];
  await fit(model, new DataLoader(data, { batchSize: 8, shuffle: true }), {
    loss: new MSELoss(),
    optimizer: hold(new Adam(model.parameters())),
    validation: new DataLoader(data, { batchSize: 16 }),
    metrics: {
      memory: () => {
        const { bytes, tensors } = memory();
        seen.push({ bytes, tensors });
        return 0;
      },
    },
    epochs: 40,
    progress: false,
  });
  const perEpoch = 5 + 3;
  for (let i = 0; i < perEpoch; i++) expect(seen[39 * perEpoch + i]).toEqual(seen[2 * perEpoch + i]);
});

test("memory is constant over 100 epochs", async () => {
  manualSeed(8);
  const model = net();
  const data = plane(26);
  const loader = new DataLoader(data, { batchSize: 8, shuffle: true });
  const validation = new DataLoader(data, { batchSize: 4, shuffle: true });
  const optimizer = hold(new Adam(model.parameters()));
  const bytes: number[] = [];
  await fit(model, loader, {
    loss: new MSELoss(),
    progress: false,
    optimizer,
    epochs: 100,
    validation,
    clip: { norm: 1, value: 1, adaptive: 0.1 },
    metrics: { mae: new MAE() },
    callbacks: [{ onEpoch: () => void bytes.push(memory().bytes) }, new EarlyStopping({ patience: 200 })],
  });
  expect(bytes.length).toBe(100);
  expect(bytes[99]).toBe(bytes[2]);
});

test("memory is constant with an optimizer that takes a closure, also within a step", async () => {
  manualSeed(8);
  const model = net();
  const sizes: number[] = [];
  let most = 0;
  const forward = model.forward.bind(model);
  model.forward = (x) => {
    most = Math.max(most, memory().tensors);
    return forward(x);
  };
  await fit(model, new DataLoader(plane(26), { batchSize: 8, shuffle: true }), {
    loss: new MSELoss(),
    progress: false,
    optimizer: hold(new LBFGS(model.parameters(), { maxIter: 50, historySize: 3 })),
    epochs: 6,
    callbacks: [{ onEpoch: () => void sizes.push(memory().tensors) }],
  });
  expect(sizes.at(-1)).toBe(sizes[1]);
  // Of 50 evaluations their losses alone stay until the step ends.
  expect(most - sizes[0]!).toBeLessThan(50 + 10);
});
