// Trainings whose weights must be the same bits for any number of threads, of sizes at which kernels are cut.
import { crossEntropy, gelu, manualSeed, mseLoss, randint, randn, steps, type Tensor } from "../../src/index.js";
import { GPT } from "../../src/models/index.js";
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  LSTM,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  Tanh,
} from "../../src/nn/index.js";
import { Adam, AdamW, SGD } from "../../src/optim/index.js";

/** The bits of all weights, as hexadecimal text. */
function bits(model: Module<never, unknown>): string {
  return [...model.namedParameters()]
    .map(([name, p]) => `${name} ${Buffer.from(p.toTypedArray().slice().buffer).toString("hex")}`)
    .join("\n");
}

const mlp = (): string => {
  const model = new Sequential(new Linear(784, 128), new ReLU(), new Dropout(0.2), new Linear(128, 10));
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const x = randn([64, 784]);
  const y = randint(10, [64]);
  for (const _ of steps(5)) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(x), y).backward();
    optimizer.step();
  }
  return bits(model);
};

const cnn = (): string => {
  const model = new Sequential(
    new Conv2d(3, 16, 3, { padding: 1 }),
    new BatchNorm2d(16),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(16, 16, 3, { padding: 1, groups: 16 }),
    new Conv2d(16, 24, 3, { stride: 2 }),
    new BatchNorm2d(24),
    new Tanh(),
    new Flatten(),
    new Linear(24 * 7 * 7, 10),
  );
  const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9, weightDecay: 1e-3 });
  const x = randn([8, 3, 32, 32]);
  const y = randint(10, [8]);
  for (const _ of steps(4)) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(x), y).backward();
    optimizer.step();
  }
  return bits(model);
};

class Recurrent extends Module<Tensor, Tensor> {
  static override typeName = "Recurrent";
  readonly lstm = new LSTM(48, 96, { numLayers: 2, batchFirst: true });
  readonly out = new Linear(96, 4);
  override forward(x: Tensor): Tensor {
    return this.out.forward(this.lstm.forward(x)[0]);
  }
}

const lstm = (): string => {
  const model = new Recurrent();
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
  const x = randn([16, 12, 48]);
  const y = randn([16, 12, 4]);
  for (const _ of steps(3)) {
    optimizer.zeroGrad();
    mseLoss(gelu(model.forward(x)), y).backward();
    optimizer.step();
  }
  return bits(model);
};

const gpt = (): string => {
  const model = new GPT({ vocabSize: 65, blockSize: 64, nLayer: 2, nHead: 4, nEmbd: 64, dropout: 0.1 });
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
  const tokens = randint(65, [4, 64]);
  for (const _ of steps(3)) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(tokens).reshape([256, 65]), tokens.reshape([256])).backward();
    optimizer.step();
  }
  return bits(model);
};

const trainings = { mlp, cnn, lstm, gpt };
export type Training = keyof typeof trainings;
export const names = Object.keys(trainings) as Training[];

/** Trains from the same seed; the weights as text. */
export function train(name: Training): string {
  manualSeed(7);
  return trainings[name]();
}
