// Gradine itself, through its public API, from the built package.
import * as gradine from "../../dist/index.js";
import { Adam, SGD } from "../../dist/optim/index.js";
import { network, toTensor } from "./gradine-nets.mjs";
import { atProbes, losses, time } from "./timing.mjs";

const { crossEntropy, manualSeed, mean, mseLoss, mul, noGrad, rsqrt, square, steps, sub } = gradine;

let settings;

/** `init`: the options of gradine's init; `composed`: normalization from elementwise ops instead of its kernel. */
export async function start(given) {
  settings = given;
  if (!settings.init) return;
  await gradine.init(settings.init);
  // What the engine cannot do, init leaves out.
  const { fast = false, threads = 1 } = settings.init;
  const got = gradine.backend();
  if ((got.build === "fast") !== fast || got.threads !== threads) throw new Error(got.reason);
}

export const open = (task) => TASKS[task.kind](task);

const TASKS = {
  training(task) {
    manualSeed(1);
    const { loss, optimizer: kind, lr, targets } = task;
    const model = network(task.layers);
    const optimizer = kind === "adam" ? new Adam(model.parameters(), { lr }) : new SGD(model.parameters(), { lr });
    const lossOf = loss === "mse" ? mseLoss : crossEntropy;
    const x = toTensor(task.x);
    const wanted = targets.map(toTensor);
    let n = 0;
    const step = () => {
      optimizer.zeroGrad();
      const cost = lossOf(model.forward(x), wanted[n++ % wanted.length]);
      cost.backward();
      optimizer.step();
      return cost;
    };
    return {
      check: () => losses(task, () => scoped(() => step().item())),
      run: (repetitions) => timeScoped(repetitions, step),
    };
  },

  inference({ layers, x }) {
    const model = network(layers).eval();
    const input = toTensor(x);
    const predict = () => noGrad(() => model.forward(input).toTypedArray());
    return {
      check: () => Array.from(predict()),
      run: (repetitions) => time(repetitions, predict),
    };
  },

  operation(spec) {
    const inputs = spec.inputs.map(toTensor);
    const op = (settings.composed ? COMPOSED : OPERATIONS)[spec.op](spec);
    const call = () => op(...inputs);
    return {
      check: () => scoped(() => atProbes(spec, call().toTypedArray())),
      run: (repetitions) => timeScoped(repetitions, call),
      close: () => {
        for (const tensor of inputs) tensor.dispose();
      },
    };
  },
};

const OPERATIONS = {
  exp: () => gradine.exp,
  tanh: () => gradine.tanh,
  sigmoid: () => gradine.sigmoid,
  relu: () => gradine.relu,
  add: () => (a, b) => gradine.add(a, b),
  softmax: () => (x) => gradine.softmax(x, -1),
  layerNorm:
    ({ shape: [, width] }) =>
    (x, weight, bias) =>
      gradine.layerNorm(x, [width], { weight, bias }),
  // transpose only swaps strides: matmul reads the operand where it lies.
  matmul:
    ({ layout }) =>
    (a, b) =>
      gradine.matmul(layout === "TN" ? a.transpose(0, 1) : a, layout === "NT" ? b.transpose(0, 1) : b),
  conv2d:
    ({ groups }) =>
    (x, weight, bias) =>
      gradine.conv2d(x, weight, bias, { padding: 1, groups }),
};

const COMPOSED = {
  layerNorm: () => (x, weight, bias) => {
    const centred = sub(x, mean(x, -1, { keepdim: true }));
    const variance = mean(square(centred), -1, { keepdim: true });
    return gradine.add(mul(mul(centred, rsqrt(gradine.add(variance, 1e-5))), weight), bias);
  },
};

/** What a run makes is given back after each repetition, as in a training loop. */
function timeScoped(repetitions, call) {
  const start = performance.now();
  for (const _ of steps(repetitions)) call();
  return performance.now() - start;
}

function scoped(call) {
  let result;
  for (const _ of steps(1)) result = call();
  return result;
}
