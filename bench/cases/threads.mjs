// The same work on two threads and on one. PyTorch keeps to one: the second thread's worth shows against it too.
import { cnn, cnnBatchNorm, mlp, relu, training } from "../nets.mjs";
import { product } from "../products.mjs";
import { losses } from "../reference.mjs";

export const name = "threads";
export const title = "Two threads";
export const candidates = ["gradine", "gradine 2 threads", "torch"];

const of = "gradine 2 threads";
const perceptron = training(mlp({ sizes: [784, 128, 10], activation: relu, batch: 64 }), {
  loss: "crossEntropy",
  optimizer: "adam",
  lr: 0.001,
});
const how = { loss: "crossEntropy", optimizer: "sgd", lr: 0.01 };
const versusTorch = (name, aim) => ({ name: `${name}, 2 threads, vs PyTorch on one`, of, versus: "torch", aim });

export const rows = [
  {
    ...product(
      "NN",
      [512, 512, 512],
      [{ name: "matmul 512, 2 threads vs 1", of, versus: "gradine", floor: 1.8, aim: 1.95 }],
    ),
    label: "matrix product 512",
  },
  {
    label: "MLP 784-128-10 training step, Adam",
    spec: perceptron,
    expected: () => losses(perceptron),
    goals: [versusTorch("MLP 784-128-10, Adam", 1.3)],
  },
  {
    label: "CNN 1-16-32 training step",
    spec: training(cnn(32), how),
    goals: [versusTorch("CNN training step", 1.6)],
  },
  {
    label: "CNN with batch norm, training step",
    spec: training(cnnBatchNorm(32), how),
    goals: [versusTorch("CNN with batch norm, training step", 1.4)],
  },
].map((row) => ({ ...row, tolerance: 1e-3 }));
