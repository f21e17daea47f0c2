// The classifier of every first course: most of its time is three kinds of matrix product.
import { mlp } from "../data.mjs";
import { losses } from "../reference.mjs";

export const name = "train-mlp";
export const title = "Training step, MLP 784-128-10, ReLU, cross-entropy, batch 64";
export const candidates = ["gradine", "tfjs-wasm", "jax-js", "torch"];
export const rows = ["sgd", "adam"].map((optimizer) => {
  const lr = optimizer === "sgd" ? 0.01 : 0.001;
  const spec = mlp({ sizes: [784, 128, 10], activation: "relu", loss: "crossEntropy", optimizer, lr, batch: 64 });
  return {
    label: optimizer === "sgd" ? "SGD" : "Adam",
    spec,
    expected: (count) => losses(spec, count),
    tolerance: 1e-4,
  };
});
