// The tasks that all peers are set: networks with their initial weights and data, and matrix products.

/** Uniform in [0, 1): mulberry32 (T. Ettinger, public domain), because every peer must start from the same numbers. */
export function generator(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Uniform in [-bound, bound). */
function uniform(next, length, bound) {
  return Float32Array.from({ length }, () => (2 * next() - 1) * bound);
}

/**
 * A multilayer perceptron, one training task: weights[i] is [sizes[i + 1], sizes[i]] as in PyTorch, x is [batch, sizes[0]].
 *
 * The targets are `batches` random sets for the same inputs, taken in turn. They contradict each other, so the loss stays
 * near its entropy however long the timing runs, and no peer drifts into vanishing gradients and denormal numbers, which
 * would slow the peers that cannot flush them.
 * @param {{ sizes: number[], activation: "tanh" | "relu", loss: "mse" | "crossEntropy", optimizer: "sgd" | "adam", lr: number, batch: number }} task
 */
export function mlp({ sizes, activation, loss, optimizer, lr, batch, batches = 8, seed = 1 }) {
  const next = generator(seed);
  const weights = [];
  const biases = [];
  for (let i = 1; i < sizes.length; i++) {
    const bound = 1 / Math.sqrt(sizes[i - 1]);
    weights.push(uniform(next, sizes[i] * sizes[i - 1], bound));
    biases.push(uniform(next, sizes[i], bound));
  }
  const x = uniform(next, batch * sizes[0], 1);
  const outputs = sizes.at(-1);
  const targets = Array.from({ length: batches }, () =>
    loss === "mse"
      ? uniform(next, batch * outputs, 1)
      : Int32Array.from({ length: batch }, () => Math.floor(next() * outputs)),
  );
  return { kind: "mlp", sizes, activation, loss, optimizer, lr, batch, weights, biases, x, targets };
}

/**
 * The product of two n x n matrices: "NN" is a b, "NT" is a bT, "TN" is aT b; each as stored, row by row.
 * b is scaled so that repeated products keep their size.
 */
export function matmul(n, layout, seed = 2) {
  const next = generator(seed);
  const a = uniform(next, n * n, 1);
  const b = uniform(next, n * n, Math.sqrt(3 / n));
  return { kind: "matmul", n, layout, a, b, probes: probes(n) };
}

/** Where a product is compared: flat positions in every part of the matrix, the last element among them. */
function probes(n) {
  return Array.from({ length: 16 }, (_, i) => Math.floor(((i + 1) * n * n) / 16) - 1 - (i % 8 ? (7 * i) % n : 0));
}
