// Sequences: an LSTM, a block of a transformer, and a GPT over characters.
import { gpt, lstm, parameters, training, transformerBlock } from "../nets.mjs";

export const name = "sequence";
export const title = "Training step of sequence models, SGD, batch 16";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "jax-js", "torch"];

const characters = gpt({ width: 96, heads: 4, blocks: 3, length: 64, vocabulary: 65, batch: 16 });
const count = parameters(characters).toLocaleString("en");

/** Floors and aims against each of the peers. */
const goals = (name, torch, jax, tfjs) =>
  Object.entries({
    PyTorch: ["torch", ...torch],
    "jax-js jit": ["jax-js", ...jax],
    "tfjs-wasm": ["tfjs-wasm", ...tfjs],
  }).map(([peer, [versus, floor, aim]]) => ({ name: `${name} vs ${peer}`, versus, floor, aim }));

export const rows = [
  {
    label: "LSTM 64 to 128, 50 steps",
    spec: training(lstm({ ins: 64, width: 128, length: 50, batch: 16 }), {
      loss: "crossEntropy",
      optimizer: "sgd",
      lr: 0.01,
    }),
    goals: goals("LSTM 64 to 128, training step", [0.65, 1], [5, 7], [9, 13]),
  },
  {
    label: "transformer block, width 96, 4 heads, 64 tokens, 384 hidden",
    spec: training(transformerBlock({ width: 96, heads: 4, hidden: 384, length: 64, batch: 16 }), {
      loss: "mse",
      optimizer: "sgd",
      lr: 0.01,
    }),
    goals: goals("transformer block, training step", [0.45, 0.65], [1.5, 2.2], [8, 11]),
  },
  {
    label: `GPT, width 96, 3 blocks, context 64, 65 characters (${count} parameters)`,
    spec: training(characters, { loss: "crossEntropy", optimizer: "sgd", lr: 0.01 }),
    goals: goals("char-GPT, training step", [0.45, 0.65], [1.8, 2.6], [8, 11]),
  },
].map((row) => ({ ...row, tolerance: 1e-3 }));
