// brain.js: it has one activation for all layers, the last included, and updates after every sample, so its losses are
// not the task's and are not compared; a step is one pass over the batch, the same number of samples.

import { readFileSync } from "node:fs";
import brain from "brain.js";

const manifest = new URL("../node_modules/brain.js/package.json", import.meta.url);
export const version = `brain.js ${JSON.parse(readFileSync(manifest, "utf8")).version}`;

export function open({ kind, sizes, activation, optimizer, lr, batch, x, targets }) {
  if (kind !== "mlp") throw new Error("brain.js has no tensors");
  const net = new brain.NeuralNetwork({
    inputSize: sizes[0],
    hiddenLayers: sizes.slice(1, -1),
    outputSize: sizes.at(-1),
    activation,
  });
  const rows = (values, width) =>
    Array.from({ length: batch }, (_, i) => Array.from(values.subarray(i * width, (i + 1) * width)));
  const outputs = rows(targets[0], sizes.at(-1));
  const data = rows(x, sizes[0]).map((input, i) => ({ input, output: outputs[i] }));
  const options = {
    learningRate: lr,
    // Neither may be 0.
    momentum: 1e-12,
    errorThresh: 1e-12,
    praxis: optimizer === "adam" ? "adam" : null,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
  };
  net.train(data, { ...options, iterations: 1 });
  return {
    check: () => undefined,
    run: (repetitions) => {
      const start = performance.now();
      net.train(data, { ...options, iterations: repetitions });
      return performance.now() - start;
    },
  };
}
