// A network of 337 parameters: here the price of a call decides, not arithmetic.
import { mlp, tanh, training } from "../nets.mjs";
import { losses } from "../reference.mjs";

export const name = "train-tiny";
export const title = "Training step, MLP 2-16-16-1, tanh, mean squared error, batch 32";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "tfjs-cpu", "jax-js", "brain.js", "torch"];
const net = mlp({ sizes: [2, 16, 16, 1], activation: tanh, batch: 32 });

export const rows = ["sgd", "adam"].map((optimizer) => {
  const spec = training(net, { loss: "mse", optimizer, lr: 0.01 });
  const label = optimizer === "sgd" ? "SGD" : "Adam";
  return {
    label,
    spec,
    expected: () => losses(spec),
    tolerance: 1e-4,
    goals: [
      { name: `tiny MLP step, ${label}`, unit: "microseconds", floor: 7, aim: 5 },
      { name: `tiny MLP step, ${label} vs tfjs-wasm`, versus: "tfjs-wasm", floor: 30 },
      { name: `tiny MLP step, ${label} vs jax-js jit`, versus: "jax-js", floor: 20 },
      { name: `tiny MLP step, ${label} vs PyTorch`, versus: "torch", floor: 11 },
    ],
  };
});
