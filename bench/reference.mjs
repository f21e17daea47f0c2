// What every peer must compute, in plain float64 loops: written from the formulas, so that it leans on none of them.

/**
 * The loss of each of the first training steps of a multilayer perceptron (nets.mjs).
 * Layer: y = x WT + b; mse: mean of squares; crossEntropy: mean of logsumexp(z) - z[label]; Adam: Kingma and Ba, algorithm 1.
 */
export function losses({ layers, x, targets, loss: kind, optimizer, lr, checkedSteps }) {
  const batch = x.shape[0];
  const weights = weightsOf(layers);
  const update = optimizer === "adam" ? adam(lr) : sgd(lr);
  return Array.from({ length: checkedSteps }, (_, step) => {
    const values = forward(layers, weights, x);
    const target = targets[step % targets.length].data;
    const { loss, gradient } = (kind === "mse" ? mse : crossEntropy)(values.at(-1), target, batch);
    let gy = gradient;
    for (let l = layers.length - 1; l >= 0; l--) {
      const { type, ins, outs } = layers[l];
      if (type === "linear") {
        const { gx, gw, gb } = linearGradient(values[l], weights[l].w, gy, batch, ins, outs);
        update(weights[l].w, gw, `w${l}`);
        update(weights[l].b, gb, `b${l}`);
        gy = gx;
      } else gy = gy.map((g, i) => g * ACTIVATIONS[type].slope(values[l + 1][i]));
    }
    return loss;
  });
}

/** The output of a multilayer perceptron. */
export const predictions = ({ layers, x }) => Array.from(forward(layers, weightsOf(layers), x).at(-1));

const weightsOf = (layers) =>
  layers.map(
    ({ params }) => params && { w: Float64Array.from(params.weight.data), b: Float64Array.from(params.bias.data) },
  );

/** The input and every layer's value. */
function forward(layers, weights, x) {
  const values = [Float64Array.from(x.data)];
  layers.forEach(({ type, ins, outs }, l) => {
    const h = values[l];
    values.push(type === "linear" ? linear(h, weights[l], x.shape[0], ins, outs) : h.map(ACTIVATIONS[type].value));
  });
  return values;
}

/** Both derivatives can be had from the layer's value: 1 - tanh^2, and 1 where relu let something through. */
const ACTIVATIONS = {
  tanh: { value: Math.tanh, slope: (y) => 1 - y ** 2 },
  relu: { value: (x) => Math.max(x, 0), slope: (y) => (y > 0 ? 1 : 0) },
};

/** The elements of an operation's result (data.mjs) at its probes. */
export function elements(spec) {
  const [x, ...rest] = spec.inputs.map(({ data }) => data);
  return spec.probes.map((at) => ELEMENT[spec.op](at, spec, x, ...rest));
}

const ELEMENT = {
  exp: (at, _, x) => Math.exp(x[at]),
  tanh: (at, _, x) => Math.tanh(x[at]),
  sigmoid: (at, _, x) => 1 / (1 + Math.exp(-x[at])),
  relu: (at, _, x) => Math.max(x[at], 0),
  add: (at, _, x, y) => x[at] + y[at],
  softmax(at, { shape }, x) {
    const row = rowOf(x, at, shape[1]);
    return Math.exp(x[at]) / row.reduce((sum, v) => sum + Math.exp(v), 0);
  },
  /** (x - mean) / sqrt(variance + 1e-5) w + b, the variance over n. */
  layerNorm(at, { shape }, x, weight, bias) {
    const width = shape[1];
    const row = rowOf(x, at, width);
    const mean = row.reduce((sum, v) => sum + v, 0) / width;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / width;
    return ((x[at] - mean) / Math.sqrt(variance + 1e-5)) * weight[at % width] + bias[at % width];
  },
  matmul(at, { layout, inputs, shape: [m, n] }, a, b) {
    const k = inputs[0].shape[layout === "TN" ? 0 : 1];
    const i = Math.floor(at / n);
    const j = at % n;
    let sum = 0;
    for (let p = 0; p < k; p++)
      sum += (layout === "TN" ? a[p * m + i] : a[i * k + p]) * (layout === "NT" ? b[j * k + p] : b[p * n + j]);
    return sum;
  },
  /** Cross-correlation with a border of one zero. */
  conv2d(at, { inputs, shape: [, filters, height, width], groups }, x, weight, bias) {
    const channels = inputs[0].shape[1];
    const each = channels / groups;
    const column = at % width;
    const row = Math.floor(at / width) % height;
    const filter = Math.floor(at / (width * height)) % filters;
    const image = Math.floor(at / (width * height * filters));
    const first = Math.floor(filter / (filters / groups)) * each;
    let sum = bias[filter];
    for (let c = 0; c < each; c++)
      for (let u = 0; u < 3; u++)
        for (let v = 0; v < 3; v++) {
          const i = row + u - 1;
          const j = column + v - 1;
          if (i < 0 || i >= height || j < 0 || j >= width) continue;
          sum +=
            x[((image * channels + first + c) * height + i) * width + j] *
            weight[((filter * each + c) * 3 + u) * 3 + v];
        }
    return sum;
  },
};

/** The row of a matrix that holds position `at`, as float64. */
const rowOf = (x, at, width) => {
  const begin = at - (at % width);
  return Float64Array.from(x.subarray(begin, begin + width));
};

function linear(x, { w, b }, rows, ins, outs) {
  const y = new Float64Array(rows * outs);
  for (let r = 0; r < rows; r++)
    for (let o = 0; o < outs; o++) {
      let sum = b[o];
      for (let i = 0; i < ins; i++) sum += x[r * ins + i] * w[o * ins + i];
      y[r * outs + o] = sum;
    }
  return y;
}

function linearGradient(x, w, gy, rows, ins, outs) {
  const gx = new Float64Array(rows * ins);
  const gw = new Float64Array(outs * ins);
  const gb = new Float64Array(outs);
  for (let r = 0; r < rows; r++)
    for (let o = 0; o < outs; o++) {
      const g = gy[r * outs + o];
      gb[o] += g;
      for (let i = 0; i < ins; i++) {
        gw[o * ins + i] += g * x[r * ins + i];
        gx[r * ins + i] += g * w[o * ins + i];
      }
    }
  return { gx, gw, gb };
}

function mse(y, target) {
  const difference = y.map((v, i) => v - target[i]);
  return {
    loss: difference.reduce((sum, d) => sum + d * d, 0) / y.length,
    gradient: difference.map((d) => (2 * d) / y.length),
  };
}

function crossEntropy(z, labels, rows) {
  const classes = z.length / rows;
  const gradient = new Float64Array(z.length);
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const row = z.subarray(r * classes, (r + 1) * classes);
    const max = Math.max(...row);
    const logSum = max + Math.log(row.reduce((sum, v) => sum + Math.exp(v - max), 0));
    loss += (logSum - row[labels[r]]) / rows;
    for (let c = 0; c < classes; c++)
      gradient[r * classes + c] = (Math.exp(row[c] - logSum) - (c === labels[r] ? 1 : 0)) / rows;
  }
  return { loss, gradient };
}

function sgd(lr) {
  return (p, g) => {
    for (let i = 0; i < p.length; i++) p[i] -= lr * g[i];
  };
}

function adam(lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  const states = new Map();
  return (p, g, name) => {
    if (!states.has(name)) states.set(name, { t: 0, m: new Float64Array(p.length), v: new Float64Array(p.length) });
    const state = states.get(name);
    state.t++;
    for (let i = 0; i < p.length; i++) {
      state.m[i] = beta1 * state.m[i] + (1 - beta1) * g[i];
      state.v[i] = beta2 * state.v[i] + (1 - beta2) * g[i] ** 2;
      p[i] -= ((lr / (1 - beta1 ** state.t)) * state.m[i]) / (Math.sqrt(state.v[i] / (1 - beta2 ** state.t)) + eps);
    }
  };
}
