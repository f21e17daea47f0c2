// A network of 337 parameters: here the price of a call decides, not arithmetic.
import { mlp } from "../data.mjs";
import { losses } from "../reference.mjs";

export const name = "train-tiny";
export const title = "Training step, MLP 2-16-16-1, tanh, mean squared error, batch 32";
export const candidates = ["gradine", "tfjs-wasm", "tfjs-cpu", "jax-js", "brain.js", "torch"];
export const rows = ["sgd", "adam"].map((optimizer) => {
  const spec = mlp({ sizes: [2, 16, 16, 1], activation: "tanh", loss: "mse", optimizer, lr: 0.01, batch: 32 });
  return {
    label: optimizer === "sgd" ? "SGD" : "Adam",
    spec,
    expected: (count) => losses(spec, count),
    tolerance: 1e-4,
  };
});
