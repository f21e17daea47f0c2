// Tasks for workers.test.ts, as a program would have them in a module of its own: imports the built package by its name.
import { manualSeed, rand, randn } from "gradine";
import { TensorDataset } from "gradine/data";
import { BatchNorm1d, Dropout, Linear, Module, MSELoss, Sequential, Tanh } from "gradine/nn";
import { Adam } from "gradine/optim";
import { baggingTask, inWorkers } from "gradine/train";

manualSeed(11);
const x = randn([90, 3]);
export const dataset = new TensorDataset(
  x,
  x
    .square()
    .sum(1, { keepdim: true })
    .add(randn([90, 1]).mul(0.1)),
);

/** Weights, running statistics, and random numbers in every step. */
export const makeModel = () =>
  new Sequential(new Linear(3, 16), new BatchNorm1d(16), new Tanh(), new Dropout(0.2), new Linear(16, 1));

const fit = (model) => ({
  loss: new MSELoss(),
  optimizer: new Adam(model.parameters(), { lr: 0.01 }),
  epochs: 8,
  gradNoise: { eta: 0.01 },
  progress: false,
});
export const options = { k: 5, seed: 3, batchSize: 16, fit };
export const forest = baggingTask(makeModel, dataset, options);

/** Goes on until it is told to stop. */
export const endless = baggingTask(makeModel, dataset, {
  ...options,
  k: 3,
  fit: (model) => ({ ...fit(model), epochs: 1e9 }),
});

class Fragile extends Module {
  fc = new Linear(3, 1);
  forward() {
    rand([1]);
    throw new RangeError("the glass broke");
  }
}
export const fragile = baggingTask((member) => (member === 2 ? new Fragile() : makeModel()), dataset, options);

const task = (run) => ({ members: 4, run, join: (parts) => parts });
export const squares = task((member) => member * member);
export const deadly = task((member) => (member === 1 ? process.exit(7) : new Promise(() => {})));
/** Would begin workers in workers in workers. */
export const nested = task(() => inWorkers(import.meta.url, "nested", { workers: 2 }));
export const nothing = task(() => undefined);
export const functions = task(() => () => 1);
export const number = 5;
