// Seeded numbers, and the specs of single operations: what goes in, and where the result is compared.

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

/** Tensors as the specs hold them, `{ shape, data }`: uniform in [centre - bound, centre + bound). */
export function tensors(seed) {
  const next = generator(seed);
  return (shape, bound = 1, centre = 0) => ({
    shape,
    data: Float32Array.from({ length: numel(shape) }, () => centre + (2 * next() - 1) * bound),
  });
}

/** Class labels below `classes`, as i32. */
export function labels(seed, shape, classes) {
  const next = generator(seed);
  return { shape, data: Int32Array.from({ length: numel(shape) }, () => Math.floor(next() * classes)) };
}

export const numel = (shape) => shape.reduce((product, size) => product * size, 1);

/**
 * The product of an m x k and a k x n matrix: "NN" is a b, "NT" is a bT, "TN" is aT b; each as stored, row by row.
 * b is scaled so that repeated products keep their size.
 */
export function matmul(m, k, n, layout) {
  const tensor = tensors(2);
  const a = tensor(layout === "TN" ? [k, m] : [m, k]);
  const b = tensor(layout === "NT" ? [n, k] : [k, n], Math.sqrt(3 / k));
  return operation("matmul", [a, b], [m, n], { layout });
}

/** A function of each element of one or two tensors. */
export function elementwise(op, shape, operands = 1) {
  const tensor = tensors(3);
  const inputs = Array.from({ length: operands }, () => tensor(shape, 4));
  return operation(op, inputs, shape);
}

/** Normalizes the rows of a matrix: softmax, or layerNorm with weight and bias. */
export function rowwise(op, rows, width) {
  const tensor = tensors(4);
  const affine = op === "layerNorm" ? [tensor([width], 0.5, 1), tensor([width], 0.5)] : [];
  return operation(op, [tensor([rows, width], 4), ...affine], [rows, width]);
}

/** A 3 x 3 convolution that keeps the image's size; x is [batch, channels, height, width], the weight as in PyTorch. */
export function conv2d({ batch, channels, filters, size, groups = 1 }) {
  const tensor = tensors(5);
  const bound = Math.sqrt((3 * groups) / (9 * channels));
  const x = tensor([batch, channels, size, size]);
  const weight = tensor([filters, channels / groups, 3, 3], bound);
  return operation("conv2d", [x, weight, tensor([filters], bound)], [batch, filters, size, size], { groups });
}

/** Results are compared at probes: flat positions in every part of the output, the last element among them. */
function operation(op, inputs, shape, attributes = {}) {
  const total = numel(shape);
  const width = shape.at(-1);
  const probes = Array.from(
    { length: 16 },
    (_, i) => Math.floor(((i + 1) * total) / 16) - 1 - (i % 8 ? (7 * i) % Math.min(width, total / 16) : 0),
  );
  return { kind: "operation", op, inputs, shape, probes, ...attributes };
}
