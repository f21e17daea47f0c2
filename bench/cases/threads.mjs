// Gradine on one thread and on two: the products, and the step of the first course's classifier.
import { matmul, mlp } from "../data.mjs";
import { losses, products } from "../reference.mjs";

export const name = "threads";
export const title =
  "Gradine with two threads: matrix products n x n, and a training step of MLP 784-128-10, batch 64, Adam";
export const candidates = ["gradine", "gradine-2"];
const training = mlp({
  sizes: [784, 128, 10],
  activation: "relu",
  loss: "crossEntropy",
  optimizer: "adam",
  lr: 0.001,
  batch: 64,
});
export const rows = [
  ...[64, 128, 512, 1024].map((n) => {
    const spec = matmul(n, "NN");
    return { label: `${n} NN`, spec, expected: () => products(spec), tolerance: 1e-4 };
  }),
  { label: "MLP", spec: training, expected: (count) => losses(training, count), tolerance: 1e-4 },
];
