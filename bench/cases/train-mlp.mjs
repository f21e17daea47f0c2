// The classifier of every first course: most of its time is three kinds of matrix product.
import { mlp, relu, training } from "../nets.mjs";
import { losses } from "../reference.mjs";

export const name = "train-mlp";
export const title = "Training step, MLP 784-128-10, ReLU, cross-entropy, batch 64";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "jax-js", "brain.js", "torch"];
const net = mlp({ sizes: [784, 128, 10], activation: relu, batch: 64 });

const goals = [
  { name: "MLP 784-128-10, Adam, vs tfjs-wasm", versus: "tfjs-wasm", floor: 7, aim: 9 },
  { name: "MLP 784-128-10, Adam, vs jax-js jit", versus: "jax-js", floor: 1.3, aim: 1.7 },
  { name: "MLP 784-128-10, Adam, vs PyTorch", versus: "torch", floor: 0.6, aim: 0.8 },
];

export const rows = ["sgd", "adam"].map((optimizer) => {
  const spec = training(net, { loss: "crossEntropy", optimizer, lr: optimizer === "sgd" ? 0.01 : 0.001 });
  return {
    label: optimizer === "sgd" ? "SGD" : "Adam",
    spec,
    expected: () => losses(spec),
    tolerance: 1e-4,
    goals: optimizer === "adam" ? goals : [],
  };
});
