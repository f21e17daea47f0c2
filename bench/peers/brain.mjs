// brain.js: it has one activation for all layers, the last included, and updates after every sample, so its losses are
// not the task's and are not compared; a step is one pass over the batch, the same number of samples.
import brain from "brain.js";

export function open({ kind, layers, optimizer, lr, x, targets }) {
  const dense = layers?.filter(({ type }) => type === "linear");
  if (kind !== "training" || layers.some(({ type }) => !["linear", "relu", "tanh"].includes(type)))
    throw new Error("brain.js trains dense layers only");
  const net = new brain.NeuralNetwork({
    inputSize: dense[0].ins,
    hiddenLayers: dense.slice(0, -1).map(({ outs }) => outs),
    outputSize: dense.at(-1).outs,
    activation: layers[1].type,
  });
  const outputs = rows(targets[0]);
  const data = rows(x).map((input, i) => ({ input, output: outputs[i] }));
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

const rows = ({ shape: [count, width], data }) =>
  Array.from({ length: count }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width)));
