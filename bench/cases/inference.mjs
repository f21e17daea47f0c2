// Predictions. With a single row or image the call's overhead counts, and products of one row.
import { cnn, cnnBatchNorm, inference, mlp, relu } from "../nets.mjs";
import { predictions } from "../reference.mjs";

export const name = "inference";
export const title = "Inference";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "ort-web", "jax-js", "torch", "ort-node"];

const versus = (name, peer, floor, aim) => ({ name: `${name}, vs ${peer}`, versus: peer, floor, aim });
const perceptrons = [1, 64].map((batch) => {
  const spec = inference(mlp({ sizes: [784, 128, 10], activation: relu, batch }));
  return {
    label: `MLP 784-128-10, batch ${batch}`,
    spec,
    expected: () => predictions(spec),
    goals: batch === 1 ? [versus("MLP 784-128-10 inference, batch 1", "ort-web", 1.2, 1.8)] : [],
  };
});

const images = [
  {
    label: "CNN 1-16-32, batch 1",
    spec: inference(cnn(1)),
    goals: [versus("CNN inference, batch 1", "tfjs-wasm", 1, 1.5)],
  },
  {
    label: "CNN 1-16-32, batch 32",
    spec: inference(cnn(32)),
    goals: [versus("CNN inference, batch 32", "tfjs-wasm", 1, 1.3)],
  },
  {
    label: "CNN with batch norm, batch 1",
    spec: inference(cnnBatchNorm(1)),
    // jax-js has no such layer, and the one built of its functions is the training step's.
    candidates: candidates.filter((peer) => peer !== "jax-js"),
    goals: [versus("CNN with batch norm, inference, batch 1", "ort-web", 1.1, 1.6)],
  },
];

export const rows = [...perceptrons, ...images].map((row) => ({ ...row, tolerance: 1e-4 }));
