// Convolutional networks: 1-16-32 filters with pooling on digits, and 3-16-16-32 with batch normalization on colour images.
import { cnn, cnnBatchNorm, inference, training } from "../nets.mjs";

export const name = "cnn";
export const title = "CNN 1-16-32, 3x3 and pools on 28x28; CNN 3-16-16-32 with batch norm on 32x32";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "ort-web", "jax-js", "torch", "ort-node"];

const how = { loss: "crossEntropy", optimizer: "sgd", lr: 0.01 };
/** tfjs-wasm has no gradient of a convolution's filter: it is asked, and its refusal is what the note says. */
const trains = ["gradine", "gradine fast", "tfjs-wasm", "jax-js", "torch"];
const predicts = ["gradine", "gradine fast", "tfjs-wasm", "ort-web", "torch", "ort-node"];

export const rows = [
  {
    label: "training step, batch 32",
    spec: training(cnn(32), how),
    candidates: trains,
    goals: [{ name: "CNN training step vs PyTorch", versus: "torch", floor: 0.75, aim: 1 }],
  },
  {
    label: "with batch norm, training step, batch 32",
    spec: training(cnnBatchNorm(32), how),
    candidates: trains,
    goals: [{ name: "CNN with batch norm, training step vs PyTorch", versus: "torch", floor: 0.6, aim: 0.85 }],
  },
  {
    label: "inference, batch 32",
    spec: inference(cnn(32)),
    candidates: predicts,
    goals: [{ name: "CNN inference, batch 32, vs tfjs-wasm", versus: "tfjs-wasm", floor: 1, aim: 1.3 }],
  },
  {
    label: "inference, batch 1",
    spec: inference(cnn(1)),
    candidates: predicts,
    goals: [{ name: "CNN inference, batch 1, vs tfjs-wasm", versus: "tfjs-wasm", floor: 1, aim: 1.5 }],
  },
  {
    label: "with batch norm, inference, batch 1",
    spec: inference(cnnBatchNorm(1)),
    candidates: predicts,
    goals: [{ name: "CNN with batch norm, inference, batch 1, vs ort-web", versus: "ort-web", floor: 1.1, aim: 1.6 }],
  },
].map((row) => ({ ...row, tolerance: 1e-3 }));
