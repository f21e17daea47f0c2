// TensorFlow.js on its wasm or its plain JavaScript backend, eager, the optimizer by minimize().
//
// The whole package is imported, because tfjs-core alone registers no gradients.
import * as tf from "@tensorflow/tfjs";
import * as wasm from "@tensorflow/tfjs-backend-wasm";
import { network, toNhwc, toTensor } from "./tfjs-nets.mjs";
import { atProbes, losses, time } from "./timing.mjs";

export async function start({ backend }) {
  wasm.setWasmPaths(new URL("../node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).pathname);
  wasm.setThreadsCount(1);
  await tf.setBackend(backend);
  await tf.ready();
  if (tf.getBackend() !== backend) throw new Error(`the ${backend} backend did not start`);
}

export const open = (task) => TASKS[task.kind](task);

const TASKS = {
  training(task) {
    const { loss, optimizer: kind, lr, targets } = task;
    const { forward, input, variables } = network(task);
    const wanted = targets.map((target) =>
      loss === "mse" ? toTensor(target) : tf.tidy(() => tf.oneHot(toTensor(target), task.layers.at(-1).outs).toFloat()),
    );
    // tfjs' own epsilon is 1e-7; the task's is that of the paper.
    const optimizer = kind === "adam" ? tf.train.adam(lr, 0.9, 0.999, 1e-8) : tf.train.sgd(lr);
    const lossOf = loss === "mse" ? tf.losses.meanSquaredError : tf.losses.softmaxCrossEntropy;
    let n = 0;
    const step = (read) => {
      const target = wanted[n++ % wanted.length];
      const cost = optimizer.minimize(() => lossOf(target, forward(input)), true);
      const value = read ? cost.dataSync()[0] : undefined;
      cost.dispose();
      return value;
    };
    return {
      check: () => losses(task, () => step(true)),
      run: (repetitions) => time(repetitions, () => step(false)),
      close: () => {
        tf.dispose([input, variables, wanted]);
        optimizer.dispose();
      },
    };
  },

  inference(task) {
    const { forward, input, variables } = network(task);
    const predict = () => {
      const y = tf.tidy(() => forward(input));
      const values = y.dataSync();
      y.dispose();
      return values;
    };
    return {
      check: () => Array.from(predict()),
      run: (repetitions) => time(repetitions, predict),
      close: () => tf.dispose([input, variables]),
    };
  },

  operation(spec) {
    const { inputs, call, result = (y) => y } = OPERATIONS[spec.op](spec);
    return {
      check: () => atProbes(spec, tf.tidy(() => result(call())).dataSync()),
      run: (repetitions) => time(repetitions, () => tf.tidy(call).dispose()),
      close: () => tf.dispose(inputs),
    };
  },
};

const elementwise = (op) => (spec) => {
  const inputs = spec.inputs.map(toTensor);
  return { inputs, call: () => op(...inputs) };
};

const OPERATIONS = {
  exp: elementwise(tf.exp),
  tanh: elementwise(tf.tanh),
  sigmoid: elementwise(tf.sigmoid),
  relu: elementwise(tf.relu),
  add: elementwise(tf.add),
  softmax: elementwise((x) => tf.softmax(x)),
  // There is no kernel of it: moments and elementwise operations.
  layerNorm: elementwise((x, weight, bias) => {
    const { mean, variance } = tf.moments(x, 1, true);
    return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), weight), bias);
  }),
  matmul(spec) {
    const inputs = spec.inputs.map(toTensor);
    return { inputs, call: () => tf.matMul(...inputs, spec.layout === "TN", spec.layout === "NT") };
  },
  /** Channels last, the only layout of this backend: converted here, once. */
  conv2d({ inputs: [x, weight, bias], groups }) {
    const image = toNhwc(x);
    const depthwise = groups > 1;
    // [outs, ins, 3, 3] -> [3, 3, ins, outs]; of a depthwise weight, [3, 3, channels, 1].
    const filter = tf.tidy(() => tf.transpose(toTensor(weight), depthwise ? [2, 3, 0, 1] : [2, 3, 1, 0]));
    const shift = toTensor(bias);
    const conv = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
    return {
      inputs: [image, filter, shift],
      call: () => conv({ x: image, filter, strides: 1, pad: "same", bias: shift }),
      result: (y) => tf.transpose(y, [0, 3, 1, 2]),
    };
  },
};
