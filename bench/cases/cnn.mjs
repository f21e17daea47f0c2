// Training of convolutional networks: 1-16-32 filters with pooling on digits, and 3-16-16-32 with batch normalization on
// colour images. tfjs-wasm has no gradient of a convolution's filter: it is asked, and its refusal is what the note says.
import { cnn, cnnBatchNorm, training } from "../nets.mjs";

export const name = "cnn";
export const title = "Training step of CNNs, SGD, batch 32";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "jax-js", "torch"];

const how = { loss: "crossEntropy", optimizer: "sgd", lr: 0.01 };

export const rows = [
  {
    label: "1-16-32, 3x3 and pools on 28x28",
    spec: training(cnn(32), how),
    goals: [{ name: "CNN training step vs PyTorch", versus: "torch", floor: 0.75, aim: 1 }],
  },
  {
    label: "3-16-16-32 with batch norm on 32x32",
    spec: training(cnnBatchNorm(32), how),
    goals: [{ name: "CNN with batch norm, training step vs PyTorch", versus: "torch", floor: 0.6, aim: 0.85 }],
  },
].map((row) => ({ ...row, tolerance: 1e-3 }));
