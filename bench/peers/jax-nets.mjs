// The networks of nets.mjs in jax-js: trees of arrays, and functions of them.
//
// Every function consumes its arguments, `.ref` keeps one for another use.
import { lax, nn, numpy as np } from "@jax-js/jax";

/** A spec's tensor. */
export const toArray = ({ shape, data }) => np.array(data).reshape(shape);

/** Labels as rows with a single 1: [labels, classes]. */
export function oneHot({ data }, classes) {
  const hot = new Float32Array(data.length * classes);
  for (const [i, label] of data.entries()) hot[i * classes + label] = 1;
  return np.array(hot).reshape([data.length, classes]);
}

/** The parameters of a list of layers, one entry each, and forward(params, x). */
export function network(layers) {
  const built = layers.map((layer) => LAYERS[layer.type](layer));
  return {
    params: built.map(({ params = {} }) => params),
    forward: (params, x) => built.reduce((h, { call }, i) => call(h, params[i]), x),
  };
}

const transposed = (weight) => toArray(weight).transpose();
const linear = (x, { w, b }) => np.matmul(x, w).add(b);

const LAYERS = {
  linear: ({ params: { weight, bias } }) => ({ params: { w: transposed(weight), b: toArray(bias) }, call: linear }),
  conv: ({ params: { weight, bias } }) => ({
    params: { w: toArray(weight), b: toArray(bias).reshape([-1, 1, 1]) },
    call: (x, { w, b }) => lax.convGeneralDilated(x, w, [1, 1], "SAME").add(b),
  }),
  /** By the batch's own statistics; the running ones are not kept, which only spares this peer work. */
  batchNorm: ({ params: { weight, bias } }) => ({
    params: { w: toArray(weight).reshape([-1, 1, 1]), b: toArray(bias).reshape([-1, 1, 1]) },
    call: (x, { w, b }) => normalized(x, [0, 2, 3]).mul(w).add(b),
  }),
  layerNorm: ({ params: { weight, bias } }) => norm(weight, bias),
  relu: () => ({ call: (x) => nn.relu(x) }),
  tanh: () => ({ call: (x) => np.tanh(x) }),
  maxPool: () => ({
    call(x) {
      const [batch, channels, height, width] = x.shape;
      return np.max(x.reshape([batch, channels, height / 2, 2, width / 2, 2]), [3, 5]);
    },
  }),
  flatten: () => ({ call: (x) => x.reshape([x.shape[0], -1]) }),
  rows: () => ({ call: (x) => x.reshape([-1, x.shape.at(-1)]) }),
  lstm,
  block,
  /** x is one-hot rows already. */
  embed: ({ length, width, params }) => ({
    params: { tokens: toArray(params["tokens.weight"]), positions: toArray(params["positions.weight"]) },
    call: (x, { tokens, positions }) => np.matmul(x, tokens).reshape([-1, length, width]).add(positions),
  }),
};

/** (x - mean) / sqrt(variance + 1e-5) over some axes. */
function normalized(x, axes) {
  const centred = x.ref.sub(np.mean(x, axes, { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), axes, { keepdims: true });
  return centred.div(np.sqrt(variance.add(1e-5)));
}

const norm = (weight, bias) => ({
  params: { w: toArray(weight), b: toArray(bias) },
  call: (x, { w, b }) => normalized(x, -1).mul(w).add(b),
});

/** The inputs' part of all gates is one product for the whole sequence. */
function lstm({ ins, width, params }) {
  return {
    params: {
      input: transposed(params["lstm.weight_ih_l0"]),
      state: transposed(params["lstm.weight_hh_l0"]),
      biasIh: toArray(params["lstm.bias_ih_l0"]),
      biasHh: toArray(params["lstm.bias_hh_l0"]),
    },
    call(x, { input, state, biasIh, biasHh }) {
      const [batch, length] = x.shape;
      const inTime = x.transpose([1, 0, 2]).reshape([length * batch, ins]);
      const gates = np
        .matmul(inTime, input)
        .add(biasIh.add(biasHh))
        .reshape([length, batch, 4 * width]);
      let h = np.zeros([batch, width]);
      let c = np.zeros([batch, width]);
      for (const given of np.split(gates, length)) {
        const all = given.reshape([batch, 4 * width]).add(np.matmul(h, state.ref));
        const [i, f, g, o] = np.split(all, 4, 1);
        c = nn
          .sigmoid(f)
          .mul(c)
          .add(nn.sigmoid(i).mul(np.tanh(g)));
        h = nn.sigmoid(o).mul(np.tanh(c.ref));
      }
      c.dispose();
      state.dispose();
      return h;
    },
  };
}

function block({ width, heads, activation, normFirst, causal, params }) {
  const given = (name) => params[`layer.${name}`];
  const dense = (weight, bias) => ({ w: transposed(given(weight)), b: toArray(given(bias)) });
  const norm1 = norm(given("norm1.weight"), given("norm1.bias"));
  const norm2 = norm(given("norm2.weight"), given("norm2.bias"));
  const act = activation === "relu" ? (x) => nn.relu(x) : (x) => nn.gelu(x, { approximate: false });
  return {
    params: {
      inward: dense("self_attn.in_proj_weight", "self_attn.in_proj_bias"),
      outward: dense("self_attn.out_proj.weight", "self_attn.out_proj.bias"),
      first: dense("linear1.weight", "linear1.bias"),
      second: dense("linear2.weight", "linear2.bias"),
      norm1: norm1.params,
      norm2: norm2.params,
    },
    call(x, { inward, outward, first, second, norm1: affine1, norm2: affine2 }) {
      const [batch, length] = x.shape;
      const split = (y) => y.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3]);
      const attention = (y) => {
        const [q, k, v] = np.split(linear(y, inward), 3, 1).map(split);
        const scores = np.matmul(q.mul(Math.sqrt(heads / width)), np.matrixTranspose(k));
        const weights = nn.softmax(causal ? scores.add(causalMask(length)) : scores, -1);
        return linear(
          np
            .matmul(weights, v)
            .transpose([0, 2, 1, 3])
            .reshape([batch * length, width]),
          outward,
        );
      };
      const feedForward = (y) => linear(act(linear(y, first)), second);
      let y = x.reshape([batch * length, width]);
      for (const [{ call }, affine, part] of [
        [norm1, affine1, attention],
        [norm2, affine2, feedForward],
      ])
        y = normFirst ? y.ref.add(part(call(y, affine))) : call(y.ref.add(part(y)), affine);
      return y.reshape([batch, length, width]);
    },
  };
}

/** 0 where a query may look, a large negative number beyond it. */
const causalMask = (length) =>
  np
    .array(
      Float32Array.from({ length: length * length }, (_, at) => (at % length > Math.floor(at / length) ? -1e9 : 0)),
    )
    .reshape([length, length]);
