// ONNX Runtime, inference only: in its wasm build (onnxruntime-web) or native (onnxruntime-node).
import { model } from "./onnx.mjs";
import { atProbes, timeAsync } from "./timing.mjs";

let ort;
let options;

export async function start({ build }) {
  ort = await import(build).then((module) => module.default ?? module);
  options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  if (build === "onnxruntime-web") {
    ort.env.wasm.numThreads = 1;
    options.executionProviders = ["wasm"];
  }
}

export const open = (task) => {
  const make = task.kind === "operation" ? OPERATIONS[task.op] : TASKS[task.kind];
  if (!make) throw new Error(`ONNX Runtime is not set to ${task.op ?? task.kind} here`);
  return make(task);
};

const session = (graph) => ort.InferenceSession.create(model(graph), options);
const tensor = ({ shape, data }) => new ort.Tensor("float32", data, shape);

const TASKS = {
  async inference({ layers, x }) {
    const { nodes, constants, shape } = network(layers, x.shape);
    const graph = await session({
      nodes,
      constants,
      inputs: { h0: x.shape },
      outputs: { [nodes.at(-1).output]: shape },
    });
    const feeds = { h0: tensor(x) };
    const predict = async () => Object.values(await graph.run(feeds))[0].data;
    return {
      check: async () => Array.from(await predict()),
      run: (repetitions) => timeAsync(repetitions, predict),
      close: () => graph.release(),
    };
  },
};

const OPERATIONS = {
  /** Both operands are inputs: a constant right operand would be packed ahead of time. */
  matmul(spec) {
    const [a, b] = spec.inputs;
    if (spec.layout !== "NN") throw new Error("an ONNX MatMul takes no transposed operand");
    // Only a square product can be the next one's operand.
    const [m, n] = spec.shape;
    const chain = b.shape[0] !== n ? 1 : m >= 512 ? 2 : 8;
    const node = (from, to) => ({ op: "MatMul", inputs: [from, "b"], output: to });
    return chained(spec, chain, node, { a, b }, {});
  },
  conv2d(spec) {
    const [x, weight, bias] = spec.inputs;
    const node = (from, to) => ({
      op: "Conv",
      inputs: [from, "weight", "bias"],
      output: to,
      attributes: { group: spec.groups, kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    });
    return chained(spec, x.shape[1] === spec.shape[1] ? 8 : 1, node, { x }, { weight, bias });
  },
};

/**
 * One operation, its cost taken from a graph of several, each with the one before as its first input: a run copies inputs
 * in and outputs out, which is no part of the operation.
 */
async function chained(spec, length, node, inputs, constants) {
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
  const graph = (count) => {
    const names = [Object.keys(inputs)[0], ...Array.from({ length: count - 1 }, (_, i) => `t${i}`), "y"];
    const nodes = names.slice(1).map((to, i) => node(names[i], to));
    return session({ nodes, constants, inputs: shapes, outputs: { y: spec.shape } });
  };
  const [one, many] = [await graph(1), await graph(length)];
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, tensor(value)]));
  return {
    check: async () => atProbes(spec, (await one.run(feeds)).y.data),
    run: async (repetitions) => {
      const runs = Math.ceil(repetitions / length);
      return ((await timeAsync(runs, () => many.run(feeds))) * repetitions) / (runs * length);
    },
    close: () => Promise.all([one.release(), many.release()]),
  };
}

/** The networks of nets.mjs as nodes; h0 is the input, and the output has the last node's name. */
function network(layers, shape) {
  const constants = {};
  const nodes = layers.map(({ type, params = {} }, i) => {
    for (const [name, value] of Object.entries(params)) constants[`${name}${i}`] = value;
    const { op, attributes } = NODES[type];
    const weights = Object.keys(params).map((name) => `${name}${i}`);
    return { op, attributes, inputs: [`h${i}`, ...weights], output: `h${i + 1}` };
  });
  return { nodes, constants, shape: [shape[0], layers.at(-1).outs] };
}

const NODES = {
  linear: { op: "Gemm", attributes: { transB: 1 } },
  conv: { op: "Conv", attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
  batchNorm: { op: "BatchNormalization" }, // its epsilon is 1e-5 by default
  relu: { op: "Relu" },
  maxPool: { op: "MaxPool", attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  flatten: { op: "Flatten" },
};
