// Initializers: write into a tensor in place, from the seeded generator. n_in and n_out are a weight's fan-in and fan-out.
import { checkNumber, checkOptions, describe, rangeError, readOptions, show } from "../error.js";
import { copy, exp, fill, fillNormal, fillUniform, mul, qr, reshape, sign, transpose } from "../ops/index.js";
import { numelOf } from "../shape.js";
import { noGrad } from "../tape/index.js";
import { checkTensor, empty, type Generator, rand, randn, type Tensor, tensor } from "../tensor/index.js";

/** Options of random initializers. */
export interface InitOptions {
  /** Where the numbers are drawn from; default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** Options of the Xavier initializers. */
export interface GainOptions extends InitOptions {
  /** Factor of the standard deviation; default 1. See `calculateGain`. */
  readonly gain?: number;
}

/** Options of the Kaiming initializers. */
export interface KaimingOptions extends InitOptions {
  /** Which fan keeps the variance: "fanIn" that of the forward pass (default), "fanOut" that of the backward pass. */
  readonly mode?: "fanIn" | "fanOut";
  /** The activation that follows; default "leakyRelu". */
  readonly nonlinearity?: Nonlinearity;
  /** Negative slope of leakyRelu; default 0. */
  readonly a?: number;
}

/** Activations that `calculateGain` knows. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/**
 * The factor that keeps variances through an activation: linear and sigmoid 1, tanh 5/3, relu √2,
 * leakyRelu √(2/(1+a²)), selu 3/4. PyTorch: `torch.nn.init.calculate_gain`.
 */
export function calculateGain(nonlinearity: Nonlinearity, a = 0.01): number {
  switch (nonlinearity) {
    case "linear":
    case "sigmoid":
      return 1;
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.sqrt(2);
    case "leakyRelu":
      return Math.sqrt(2 / (1 + a * a));
    case "selu":
      return 0.75;
    default:
      throw rangeError("calculateGain", `unknown nonlinearity ${describe(nonlinearity)}`);
  }
}

/** Fan-in and fan-out of a weight `[out, in, …kernel]`: in and out times the size of the kernel. */
function fans(op: string, x: Tensor): { fanIn: number; fanOut: number } {
  checkTensor(op, "x", x);
  if (x.ndim < 2)
    throw rangeError(
      op,
      `needs a tensor of two axes or more: got ${show(x.shape)}`,
      "Biases take zeros() or uniform().",
    );
  const field = x.shape.slice(2).reduce((n, size) => n * size, 1);
  return { fanIn: x.shape[1]! * field, fanOut: x.shape[0]! * field };
}

/** Numbers uniform in [low, high), default [0, 1). PyTorch: `nn.init.uniform_`. */
export function uniform(
  x: Tensor,
  options: InitOptions & { readonly low?: number; readonly high?: number } = {},
): Tensor {
  const table = { low: [0], high: [1, options.low ?? 0], generator: [] } as const;
  const { low, high, generator } = readOptions("init.uniform", options, table);
  return fillUniform(x, low, high, generator);
}

/** Normal numbers, default mean 0 and std 1. PyTorch: `nn.init.normal_`. */
export function normal(
  x: Tensor,
  options: InitOptions & { readonly mean?: number; readonly std?: number } = {},
): Tensor {
  const { mean, std, generator } = readOptions("init.normal", options, { mean: [0], std: [1, 0], generator: [] });
  return fillNormal(x, mean, std, generator);
}

/** One value everywhere. PyTorch: `nn.init.constant_`. */
export function constant(x: Tensor, value: number): Tensor {
  noGrad(() => void fill(x, value));
  return x;
}

/** Zeros. PyTorch: `nn.init.zeros_`. */
export function zeros(x: Tensor): Tensor {
  return constant(x, 0);
}

/** Ones. PyTorch: `nn.init.ones_`. */
export function ones(x: Tensor): Tensor {
  return constant(x, 1);
}

/** Uniform with a standard deviation: within ±√3·std. */
const uniformWithStd = (x: Tensor, std: number, generator: Generator | undefined): Tensor =>
  fillUniform(x, -Math.sqrt(3) * std, Math.sqrt(3) * std, generator);

const gainTable = { gain: [1], generator: [] } as const;

function xavierStd(op: string, x: Tensor, options: GainOptions): number {
  const { gain } = readOptions(op, options, gainTable);
  const { fanIn, fanOut } = fans(op, x);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/** Var = gain²·2/(n_in + n_out), uniform (Glorot and Bengio 2010). PyTorch: `nn.init.xavier_uniform_`. */
export function xavierUniform(x: Tensor, options: GainOptions = {}): Tensor {
  return uniformWithStd(x, xavierStd("init.xavierUniform", x, options), options.generator);
}

/** Var = gain²·2/(n_in + n_out), normal (Glorot and Bengio 2010). PyTorch: `nn.init.xavier_normal_`. */
export function xavierNormal(x: Tensor, options: GainOptions = {}): Tensor {
  return fillNormal(x, 0, xavierStd("init.xavierNormal", x, options), options.generator);
}

function kaimingStd(op: string, x: Tensor, options: KaimingOptions): number {
  const table = { mode: ["fanIn", "fanOut"], nonlinearity: [], a: [0], generator: [] } as const;
  const { mode, nonlinearity = "leakyRelu", a } = readOptions(op, options, table);
  return calculateGain(nonlinearity, a) / Math.sqrt(fans(op, x)[mode]);
}

/** Var = gain²/n_in (2/n_in for ReLU), uniform (He et al. 2015). PyTorch: `nn.init.kaiming_uniform_`. */
export function kaimingUniform(x: Tensor, options: KaimingOptions = {}): Tensor {
  return uniformWithStd(x, kaimingStd("init.kaimingUniform", x, options), options.generator);
}

/** Var = gain²/n_in (2/n_in for ReLU), normal (He et al. 2015). PyTorch: `nn.init.kaiming_normal_`. */
export function kaimingNormal(x: Tensor, options: KaimingOptions = {}): Tensor {
  return fillNormal(x, 0, kaimingStd("init.kaimingNormal", x, options), options.generator);
}

/** Var = 1/n_in, uniform (LeCun et al. 1998). */
export function lecunUniform(x: Tensor, options: InitOptions = {}): Tensor {
  checkOptions("init.lecunUniform", options, ["generator"]);
  return uniformWithStd(x, 1 / Math.sqrt(fans("init.lecunUniform", x).fanIn), options.generator);
}

/** Var = 1/n_in, normal (LeCun et al. 1998). */
export function lecunNormal(x: Tensor, options: InitOptions = {}): Tensor {
  checkOptions("init.lecunNormal", options, ["generator"]);
  return fillNormal(x, 0, 1 / Math.sqrt(fans("init.lecunNormal", x).fanIn), options.generator);
}

/** Writes values computed on the host into x. */
function write(x: Tensor, values: Float32Array): Tensor {
  noGrad(() => void copy(x, tensor(values, { shape: x.shape })));
  return x;
}

/** The identity matrix, ones on the diagonal of a weight `[out, in]`. PyTorch: `nn.init.eye_`. */
export function eye(x: Tensor): Tensor {
  if (x.ndim !== 2) throw rangeError("init.eye", `needs a tensor of two axes: got ${show(x.shape)}`);
  const [rows, columns] = x.shape as [number, number];
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
  return write(x, values);
}

/**
 * A convolution's weight `[out, in / groups, …kernel]` that gives its input: 1 at the kernel's middle where output and
 * input channel are the same (in each group), else 0. PyTorch: `nn.init.dirac_`.
 */
export function dirac(x: Tensor, options: { readonly groups?: number } = {}): Tensor {
  const { groups } = readOptions("init.dirac", options, { groups: [1, 1] });
  if (x.ndim < 3 || x.ndim > 5) throw rangeError("init.dirac", `needs a tensor of 3 to 5 axes: got ${show(x.shape)}`);
  const [out, channels, ...kernel] = x.shape as [number, number, ...number[]];
  if (out % groups !== 0) throw rangeError("init.dirac", `groups ${groups} does not divide ${out} outputs`);
  const field = numelOf(kernel);
  const middle = kernel.reduce((at, size) => at * size + (size >> 1), 0);
  const perGroup = out / groups;
  const values = new Float32Array(x.numel);
  for (let i = 0; i < out; i++) {
    const channel = i % perGroup;
    if (channel < channels) values[(i * channels + channel) * field + middle] = 1;
  }
  return write(x, values);
}

/**
 * Normal numbers within [a, b] (default −2, 2), drawn again until they are; default mean 0 and std 1.
 * PyTorch: `nn.init.trunc_normal_`.
 */
export function truncatedNormal(
  x: Tensor,
  options: InitOptions & {
    readonly mean?: number;
    readonly std?: number;
    readonly a?: number;
    readonly b?: number;
  } = {},
): Tensor {
  const op = "init.truncatedNormal";
  const table = { mean: [0], std: [1, 0], a: [-2], b: [2, options.a ?? -2], generator: [] } as const;
  const { mean, std, a, b, generator } = readOptions(op, options, table);
  const values = new Float32Array(x.numel);
  const source = generator && { generator };
  let filled = 0;
  for (let round = 0; filled < values.length; round++) {
    if (round > 100000 || a > mean + 4 * std || b < mean - 4 * std)
      throw rangeError(op, `almost no normal number lies in [${a}, ${b}]: mean is ${mean}, std ${std}`);
    const drawn = noGrad(() => randn([Math.max(values.length - filled, 64)], source)).toTypedArray();
    for (const z of drawn) {
      const value = mean + std * z;
      if (value >= a && value <= b && filled < values.length) values[filled++] = value;
    }
  }
  return write(x, values);
}

/**
 * A random orthogonal matrix times `gain`, so that a deep linear net keeps lengths exactly (Saxe et al. 2014); axes beyond
 * the first count as one. PyTorch: `nn.init.orthogonal_`.
 */
export function orthogonal(x: Tensor, options: GainOptions = {}): Tensor {
  const { gain } = readOptions("init.orthogonal", options, gainTable);
  fans("init.orthogonal", x);
  const rows = x.shape[0]!;
  const columns = x.numel / rows;
  noGrad(() => {
    const draw = fillNormal(empty(rows < columns ? [columns, rows] : [rows, columns]), 0, 1, options.generator);
    const { q, r } = qr(draw);
    // The signs of R's diagonal make the distribution uniform (Mezzadri 2007).
    const n = r.shape[1]!;
    const diagonal = tensor(Float32Array.from({ length: n }, (_, i) => r.view()[i * n + i]!));
    const uniformQ = mul(mul(q, sign(diagonal)), gain);
    copy(x, reshape(rows < columns ? transpose(uniformQ, 0, 1) : uniformQ, x.shape));
  });
  return x;
}

/** Normal numbers (std default 0.01), of which a share of each column is 0 (Martens 2010). PyTorch: `nn.init.sparse_`. */
export function sparse(x: Tensor, sparsity: number, options: InitOptions & { readonly std?: number } = {}): Tensor {
  const op = "init.sparse";
  const { std, generator } = readOptions(op, options, { std: [0.01, 0], generator: [] });
  checkNumber(op, "sparsity", sparsity, 0, 1);
  if (x.ndim !== 2) throw rangeError(op, `needs a tensor of two axes: got ${show(x.shape)}`);
  const [rows, columns] = x.shape as [number, number];
  const zeros = Math.ceil(sparsity * rows);
  const source = generator && { generator };
  const [values, keys] = noGrad(() => [randn(x.shape, source), rand([columns, rows], source)] as const).map(
    (t) => t.toTypedArray() as Float32Array,
  ) as [Float32Array, Float32Array];
  for (let i = 0; i < values.length; i++) values[i]! *= std;
  for (let j = 0; j < columns; j++) {
    const order = Array.from({ length: rows }, (_, i) => i);
    order.sort((p, q) => keys[j * rows + p]! - keys[j * rows + q]! || p - q);
    for (const i of order.slice(0, zeros)) values[i * columns + j] = 0;
  }
  return write(x, values);
}

/**
 * Random walk initialization (Sussillo and Abbott 2014): Var = g²/n_in with the g that makes the logarithm of the
 * gradient's length an unbiased random walk through many layers: √2·e^(1.2/(max(N, 6) − 2.4)) for ReLU (default),
 * e^(1/(2N)) for linear units, N = n_in.
 */
export function randomWalk(
  x: Tensor,
  options: InitOptions & { readonly nonlinearity?: "relu" | "linear" } = {},
): Tensor {
  const op = "init.randomWalk";
  const { nonlinearity } = readOptions(op, options, { nonlinearity: ["relu", "linear"], generator: [] });
  const { fanIn: n } = fans(op, x);
  const power = nonlinearity === "relu" ? 1.2 / (Math.max(n, 6) - 2.4) : 1 / (2 * n);
  const growth = noGrad(() => exp(tensor(power))).item() * (nonlinearity === "relu" ? Math.sqrt(2) : 1);
  return fillNormal(x, 0, growth / Math.sqrt(n), options.generator);
}
