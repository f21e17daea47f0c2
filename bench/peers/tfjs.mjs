// TensorFlow.js on its wasm or its plain JavaScript backend, eager, the optimizer by minimize().
//
// The whole package is imported, because tfjs-core alone registers no gradients.
import * as tf from "@tensorflow/tfjs";
import * as wasm from "@tensorflow/tfjs-backend-wasm";
import { losses, time } from "./steps.mjs";

wasm.setWasmPaths(new URL("../node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).pathname);
await tf.setBackend(process.env.BACKEND);
await tf.ready();
if (tf.getBackend() !== process.env.BACKEND) throw new Error(`the ${process.env.BACKEND} backend did not start`);

export const version = `@tensorflow/tfjs ${tf.version.tfjs}`;

export function open(task) {
  return task.kind === "mlp" ? openMlp(task) : openMatmul(task);
}

function openMlp({ sizes, activation, loss, optimizer: kind, lr, batch, weights, biases, x, targets }) {
  const outputs = sizes.at(-1);
  const kernels = weights.map((w, i) =>
    tf.variable(tf.tidy(() => tf.tensor2d(w, [sizes[i + 1], sizes[i]]).transpose())),
  );
  const shifts = biases.map((b) => tf.variable(tf.tensor1d(b)));
  const input = tf.tensor2d(x, [batch, sizes[0]]);
  const wanted = targets.map((t) =>
    loss === "mse" ? tf.tensor2d(t, [batch, outputs]) : tf.oneHot(tf.tensor1d(t, "int32"), outputs).toFloat(),
  );
  // tfjs' own epsilon is 1e-7; the task's is that of the paper.
  const optimizer = kind === "adam" ? tf.train.adam(lr, 0.9, 0.999, 1e-8) : tf.train.sgd(lr);
  const act = activation === "tanh" ? tf.tanh : tf.relu;
  const lossOf = loss === "mse" ? tf.losses.meanSquaredError : tf.losses.softmaxCrossEntropy;
  const forward = (target) => {
    let h = input;
    for (let i = 0; i < kernels.length; i++) {
      const z = tf.add(tf.matMul(h, kernels[i]), shifts[i]);
      h = i === kernels.length - 1 ? z : act(z);
    }
    return lossOf(target, h);
  };
  let n = 0;
  const step = (read) => {
    const target = wanted[n++ % wanted.length];
    const cost = optimizer.minimize(() => forward(target), true);
    const value = read ? cost.dataSync()[0] : undefined;
    cost.dispose();
    return value;
  };
  return {
    check: () => losses(() => step(true)),
    run: (repetitions) => time(repetitions, () => step(false)),
    close: () => {
      tf.dispose([input, wanted, kernels, shifts]);
      optimizer.dispose();
    },
  };
}

function openMatmul({ n, layout, a, b, probes }) {
  const left = tf.tensor2d(a, [n, n]);
  const right = tf.tensor2d(b, [n, n]);
  const product = () => tf.matMul(left, right, layout === "TN", layout === "NT");
  return {
    check: () => {
      const y = product();
      const values = y.dataSync();
      y.dispose();
      return probes.map((at) => values[at]);
    },
    run: (repetitions) => time(repetitions, () => product().dispose()),
    close: () => tf.dispose([left, right]),
  };
}
