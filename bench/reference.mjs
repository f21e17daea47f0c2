// What every peer must compute, in plain float64 loops: written from the formulas, so that it leans on none of them.

/**
 * The loss of each of the first `steps` training steps of an mlp task (data.mjs).
 * Layer: y = x WT + b; mse: mean of squares; crossEntropy: mean of logsumexp(z) - z[label]; Adam: Kingma and Ba, algorithm 1.
 */
export function losses(task, steps) {
  const { sizes, batch, targets } = task;
  const weights = task.weights.map((w) => Float64Array.from(w));
  const biases = task.biases.map((b) => Float64Array.from(b));
  const update = task.optimizer === "adam" ? adam(task.lr) : sgd(task.lr);
  const out = [];
  for (let step = 0; step < steps; step++) {
    const layers = [Float64Array.from(task.x)];
    for (let l = 0; l < weights.length; l++) {
      const last = l === weights.length - 1;
      const z = linear(layers[l], weights[l], biases[l], batch, sizes[l], sizes[l + 1]);
      layers.push(last ? z : z.map(task.activation === "tanh" ? Math.tanh : (v) => Math.max(v, 0)));
    }
    const { loss, gradient } = (task.loss === "mse" ? mse : crossEntropy)(
      layers.at(-1),
      targets[step % targets.length],
      batch,
    );
    out.push(loss);
    let gy = gradient;
    for (let l = weights.length - 1; l >= 0; l--) {
      const { gx, gw, gb } = linearGradient(layers[l], weights[l], gy, batch, sizes[l], sizes[l + 1]);
      update(weights[l], gw, `w${l}`);
      update(biases[l], gb, `b${l}`);
      // Both derivatives can be had from the layer's value: 1 - tanh^2, and 1 where relu let something through.
      gy = gx.map((g, i) => g * (task.activation === "tanh" ? 1 - layers[l][i] ** 2 : layers[l][i] > 0 ? 1 : 0));
    }
  }
  return out;
}

/** The elements of a matmul task's product at its probes. */
export function products({ n, layout, a, b, probes }) {
  return probes.map((at) => {
    const i = Math.floor(at / n);
    const j = at % n;
    let sum = 0;
    for (let k = 0; k < n; k++)
      sum += (layout === "TN" ? a[k * n + i] : a[i * n + k]) * (layout === "NT" ? b[j * n + k] : b[k * n + j]);
    return sum;
  });
}

function linear(x, w, b, rows, ins, outs) {
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
