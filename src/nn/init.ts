// Initializers: write into a tensor in place, from the seeded generator. n_in and n_out are a weight's fan-in and fan-out.
import { checkNumber, checkOptions, describe, rangeError, show } from "../error.js";
import { fill, fillNormal, fillUniform } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { checkTensor, type Generator, type Tensor } from "../tensor/index.js";

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
  checkOptions("init.uniform", options, ["low", "high", "generator"]);
  const low = checkNumber("init.uniform", "low", options.low ?? 0);
  const high = checkNumber("init.uniform", "high", options.high ?? 1, low);
  return fillUniform(x, low, high, options.generator);
}

/** Normal numbers, default mean 0 and std 1. PyTorch: `nn.init.normal_`. */
export function normal(
  x: Tensor,
  options: InitOptions & { readonly mean?: number; readonly std?: number } = {},
): Tensor {
  checkOptions("init.normal", options, ["mean", "std", "generator"]);
  const mean = checkNumber("init.normal", "mean", options.mean ?? 0);
  return fillNormal(x, mean, checkNumber("init.normal", "std", options.std ?? 1, 0), options.generator);
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

function xavierStd(op: string, x: Tensor, options: GainOptions): number {
  checkOptions(op, options, ["gain", "generator"]);
  const { fanIn, fanOut } = fans(op, x);
  return checkNumber(op, "gain", options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut));
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
  checkOptions(op, options, ["mode", "nonlinearity", "a", "generator"]);
  const { mode = "fanIn", nonlinearity = "leakyRelu", a = 0 } = options;
  if (mode !== "fanIn" && mode !== "fanOut")
    throw rangeError(op, `mode must be "fanIn" or "fanOut": got ${describe(mode)}`);
  return calculateGain(nonlinearity, checkNumber(op, "a", a)) / Math.sqrt(fans(op, x)[mode]);
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
