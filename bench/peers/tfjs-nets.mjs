// The networks of nets.mjs in TensorFlow.js: variables, and functions of tensors.
//
// Images lie with their channels last, the only layout its wasm backend has; weights are converted once, here.
import * as tf from "@tensorflow/tfjs";

/** A spec's tensor: f32, or i32 where the numbers are labels. */
export const toTensor = ({ shape, data }) => tf.tensor(data, shape, data instanceof Int32Array ? "int32" : "float32");

/** A batch of images, [batch, channels, height, width] -> [batch, height, width, channels]. */
export const toNhwc = (x) => tf.tidy(() => tf.transpose(toTensor(x), [0, 2, 3, 1]));

/** What computes the network's output of `input`, and all its variables. */
export function network({ layers, x }) {
  const variables = [];
  const variable = (make) => {
    const v = tf.variable(tf.tidy(make));
    variables.push(v);
    return v;
  };
  const functions = [];
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i];
    // A ReLU is part of the product or the convolution before it: fused, as tfjs does with the models it converts.
    const fuses = (layer.type === "linear" || layer.type === "conv") && layers[i + 1]?.type === "relu";
    functions.push(LAYERS[layer.type](layer, variable, { before: layers[i - 1], relu: fuses }));
    if (fuses) i++;
  }
  return {
    variables,
    input: x.shape.length === 4 ? toNhwc(x) : toTensor(x),
    forward: (input) => functions.reduce((h, f) => f(h), input),
  };
}

const transposed = (weight) => tf.transpose(toTensor(weight));

const LAYERS = {
  linear({ outs, params }, variable, { before, relu }) {
    const kernel = variable(() => {
      if (before?.type !== "flatten") return transposed(params.weight);
      // The columns of a layer behind flatten go from [channels, height, width] to [height, width, channels].
      const columns = tf.reshape(toTensor(params.weight), [outs, ...before.shape]);
      return tf.reshape(tf.transpose(columns, [2, 3, 1, 0]), [-1, outs]);
    });
    const bias = variable(() => toTensor(params.bias));
    const activation = relu ? "relu" : undefined;
    return (x) => tf.fused.matMul({ a: x, b: kernel, bias, activation });
  },
  conv({ params }, variable, { relu }) {
    const filter = variable(() => tf.transpose(toTensor(params.weight), [2, 3, 1, 0]));
    const bias = variable(() => toTensor(params.bias));
    const activation = relu ? "relu" : undefined;
    return (x) => tf.fused.conv2d({ x, filter, strides: 1, pad: "same", bias, activation });
  },
  /** By the running statistics alone: the backend has no gradient of a convolution, so it never trains one. */
  batchNorm({ params: { weight, bias, running_mean, running_var } }, variable) {
    const [scale, shift, mean, variance] = [weight, bias, running_mean, running_var].map((value) =>
      variable(() => toTensor(value)),
    );
    return (x) => tf.batchNorm(x, mean, variance, shift, scale, 1e-5);
  },
  layerNorm: ({ params: { weight, bias } }, variable) => normalization(weight, bias, variable),
  relu: () => tf.relu,
  tanh: () => tf.tanh,
  maxPool: () => (x) => tf.maxPool(x, 2, 2, "valid"),
  flatten: () => (x) => tf.reshape(x, [x.shape[0], -1]),
  rows: () => (x) => tf.reshape(x, [-1, x.shape.at(-1)]),
  lstm,
  block,
  embed,
};

/** Over the last axis, from elementwise operations: the backend has no kernel of it. */
function normalization(weight, bias, variable) {
  const [scale, shift] = [weight, bias].map((value) => variable(() => toTensor(value)));
  return (x) => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), scale), shift);
  };
}

/** The inputs' part of all gates is one product for the whole sequence. */
function lstm({ ins, width, params }, variable) {
  const kernel = variable(() => transposed(params["lstm.weight_ih_l0"]));
  const recurrent = variable(() => transposed(params["lstm.weight_hh_l0"]));
  const biasIh = variable(() => toTensor(params["lstm.bias_ih_l0"]));
  const biasHh = variable(() => toTensor(params["lstm.bias_hh_l0"]));
  return (x) => {
    const [batch, length] = x.shape;
    const inTime = tf.reshape(tf.transpose(x, [1, 0, 2]), [length * batch, ins]);
    const gates = tf.add(tf.matMul(inTime, kernel), tf.add(biasIh, biasHh));
    let h = tf.zeros([batch, width]);
    let c = h;
    for (const given of tf.split(gates, length)) {
      const [i, f, g, o] = tf.split(tf.add(given, tf.matMul(h, recurrent)), 4, 1);
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
    }
    return h;
  };
}

const erfGelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

function block({ width, heads, activation, normFirst, causal, params }, variable) {
  const given = (name) => params[`layer.${name}`];
  const dense = (weight, bias) => {
    const kernel = variable(() => transposed(given(weight)));
    const shift = variable(() => toTensor(given(bias)));
    return (x) => tf.add(tf.matMul(x, kernel), shift);
  };
  const inward = dense("self_attn.in_proj_weight", "self_attn.in_proj_bias");
  const outward = dense("self_attn.out_proj.weight", "self_attn.out_proj.bias");
  const first = dense("linear1.weight", "linear1.bias");
  const second = dense("linear2.weight", "linear2.bias");
  const norm1 = normalization(given("norm1.weight"), given("norm1.bias"), variable);
  const norm2 = normalization(given("norm2.weight"), given("norm2.bias"), variable);
  const act = activation === "relu" ? tf.relu : erfGelu;

  return (x) => {
    const [batch, length] = x.shape;
    // [batch * length, width] -> [batch, heads, length, features]; keys come transposed, which spares the backend's slow
    // products with a transposed operand in the forward pass.
    const split = (y, order) => tf.transpose(tf.reshape(y, [batch, length, heads, width / heads]), order);
    const attention = (y) => {
      const [q, k, v] = tf.split(inward(y), 3, 1);
      const scores = tf.matMul(tf.mul(split(q, [0, 2, 1, 3]), Math.sqrt(heads / width)), split(k, [0, 2, 3, 1]));
      const weights = tf.softmax(causal ? tf.add(scores, causalMask(length)) : scores);
      const heard = tf.matMul(weights, split(v, [0, 2, 1, 3]));
      return outward(tf.reshape(tf.transpose(heard, [0, 2, 1, 3]), [batch * length, width]));
    };
    const feedForward = (y) => second(act(first(y)));
    let y = tf.reshape(x, [batch * length, width]);
    for (const [norm, part] of [
      [norm1, attention],
      [norm2, feedForward],
    ])
      y = normFirst ? tf.add(y, part(norm(y))) : norm(tf.add(y, part(y)));
    return tf.reshape(y, x.shape);
  };
}

const masks = new Map();
/** 0 where a query may look, a large negative number beyond it; kept, so that it is made once. */
function causalMask(length) {
  if (!masks.has(length)) {
    const data = Float32Array.from({ length: length * length }, (_, at) =>
      at % length > Math.floor(at / length) ? -1e9 : 0,
    );
    masks.set(length, tf.keep(tf.tensor2d(data, [length, length])));
  }
  return masks.get(length);
}

/** A product with one-hot rows: the gradient of a lookup has no kernel in the backend. */
function embed({ vocabulary, length, width, params }, variable) {
  const tokens = variable(() => toTensor(params["tokens.weight"]));
  const positions = variable(() => toTensor(params["positions.weight"]));
  return (x) => {
    const hot = tf.reshape(tf.oneHot(x, vocabulary).toFloat(), [-1, vocabulary]);
    return tf.add(tf.reshape(tf.matMul(hot, tokens), [x.shape[0], length, width]), positions);
  };
}
