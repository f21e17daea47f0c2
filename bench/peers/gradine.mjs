// Gradine itself, through its public API, from the built package.
import { readFileSync } from "node:fs";
import { backend, crossEntropy, init, manualSeed, matmul, mseLoss, noGrad, steps, tensor } from "../../dist/index.js";
import { Linear, ReLU, Sequential, Tanh } from "../../dist/nn/index.js";
import { Adam, SGD } from "../../dist/optim/index.js";
import { CHECKED_STEPS } from "./steps.mjs";

const manifest = new URL("../../package.json", import.meta.url);
export const version = `gradine ${JSON.parse(readFileSync(manifest, "utf8")).version}`;

if (process.env.THREADS !== undefined) {
  await init({ threads: Number(process.env.THREADS) });
  if (backend().reason !== undefined) throw new Error(backend().reason);
}

export function open(task) {
  return task.kind === "mlp" ? openMlp(task) : openMatmul(task);
}

function openMlp({ sizes, activation, loss, optimizer: kind, lr, batch, weights, biases, x, targets }) {
  manualSeed(1);
  const layers = weights.flatMap((_, i) => [
    new Linear(sizes[i], sizes[i + 1]),
    activation === "tanh" ? new Tanh() : new ReLU(),
  ]);
  const model = new Sequential(...layers.slice(0, -1));
  const state = {};
  weights.forEach((w, i) => {
    // An activation stands between two layers, so that every other index has parameters.
    state[`${2 * i}.weight`] = tensor(w, { shape: [sizes[i + 1], sizes[i]] });
    state[`${2 * i}.bias`] = tensor(biases[i]);
  });
  model.loadStateDict(state);
  const optimizer = kind === "adam" ? new Adam(model.parameters(), { lr }) : new SGD(model.parameters(), { lr });
  const lossOf = loss === "mse" ? mseLoss : crossEntropy;
  const input = tensor(x, { shape: [batch, sizes[0]] });
  const wanted = targets.map((t) => (loss === "mse" ? tensor(t, { shape: [batch, sizes.at(-1)] }) : tensor(t)));
  let n = 0;
  const step = () => {
    optimizer.zeroGrad();
    const cost = lossOf(model.forward(input), wanted[n++ % wanted.length]);
    cost.backward();
    optimizer.step();
    return cost;
  };
  return {
    check: () => {
      const values = [];
      for (const _ of steps(CHECKED_STEPS)) values.push(step().item());
      return values;
    },
    run: (repetitions) => {
      const start = performance.now();
      for (const _ of steps(repetitions)) step();
      return performance.now() - start;
    },
  };
}

function openMatmul({ n, layout, a, b, probes }) {
  const left = tensor(a, { shape: [n, n] });
  const right = tensor(b, { shape: [n, n] });
  // transpose only swaps strides: matmul reads the operand where it lies.
  const product = () =>
    matmul(layout === "TN" ? left.transpose(0, 1) : left, layout === "NT" ? right.transpose(0, 1) : right);
  return {
    check: () => {
      const values = noGrad(product).toTypedArray();
      return probes.map((at) => values[at]);
    },
    run: (repetitions) => {
      const start = performance.now();
      for (const _ of steps(repetitions)) product();
      return performance.now() - start;
    },
    close: () => {
      left.dispose();
      right.dispose();
    },
  };
}
