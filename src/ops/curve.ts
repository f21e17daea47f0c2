// The activation functions of torch.nn.functional. A plain backward walk runs a fused kernel; a recorded one runs the derivative as
// a formula of ops, or, where the derivative is piecewise constant, the same kernel again, as it is linear in gy.
// Derivatives at kinks are PyTorch's.
import { checkNumber, checkOptions, describe, rangeError, show } from "../error.js";
import { type ExtraKernels, extra, kernels, type Ptr } from "../kernels/index.js";
import { composed, isRecording, record } from "../tape/index.js";
import { checkTensor, type Tensor } from "../tensor/index.js";
import { sigmoid, tanh } from "./activation.js";
import { binary, merge, sumTo, unary, unaryGrad, zerosOf } from "./broadcast.js";
import { code } from "./codes.js";
import { gt, le, lt, where } from "./compare.js";
import { add, div, exp, mul, square, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { reshape } from "./layout.js";
import { drop } from "./mask.js";
import { abs, clamp, erf } from "./unary.js";

type GradKernel<P extends number[]> = (gy: Ptr, x: Ptr, gx: Ptr, n: number, ...parameters: P) => void;

/** Kernels of that kind. What a graph records names one, since `init` may put others in place before it is walked. */
type GradName<P extends number[]> = {
  [K in keyof ExtraKernels]: ExtraKernels[K] extends GradKernel<P> ? (K extends `${string}Grad` ? K : never) : never;
}[keyof ExtraKernels];

/** gy · f'(x) where f' is piecewise constant: linear in gy, so that it is its own gradient. */
function piecewise<P extends number[]>(
  op: string,
  kernel: GradName<P>,
  gy: Tensor,
  x: Tensor,
  ...parameters: P
): Tensor {
  const gx = unaryGrad(op, extra()[kernel] as unknown as GradKernel<P>, gy, x, true, ...parameters);
  return record(op, gx, [[gy, (ggx) => piecewise(op, kernel, ggx, x, ...parameters)]], [x]);
}

/**
 * Records y = f(x): the kernel gives gy · f'(x) in a plain walk, `slope` gives f'(x) in a recorded one. Most of these kernels
 * keep a part of f'(x) in the place of their result before they read gy.
 */
function smooth<P extends number[]>(
  op: string,
  y: Tensor,
  x: Tensor,
  kernel: GradName<P>,
  slope: () => Tensor,
  ...parameters: P
): Tensor {
  const gradient = (gy: Tensor): Tensor =>
    isRecording()
      ? mul(gy, slope())
      : unaryGrad(op, extra()[kernel] as unknown as GradKernel<P>, gy, x, false, ...parameters);
  return record(op, y, [[x, gradient]], [x]);
}

/** x itself. PyTorch: `torch.nn.Identity`. */
export function identity(x: Tensor): Tensor {
  checkTensor("identity", "x", x);
  return x;
}

/** 1 where x ≥ 0, else 0; NaN stays NaN. The derivative is 0 everywhere. */
export function binaryStep(x: Tensor): Tensor {
  checkFloat("binaryStep", "x", x);
  const y = unary("binaryStep", extra().binaryStep, x);
  return record("binaryStep", y, [[x, (gy) => zerosOf("binaryStep", gy)]]);
}

/** Options of `hardtanh`. */
export interface HardtanhOptions {
  /** Lowest value; default −1. */
  readonly minVal?: number;
  /** Highest value; default 1. */
  readonly maxVal?: number;
}

/** min(max(x, minVal), maxVal). Unlike that of clamp, the derivative at the bounds is 0. PyTorch: `F.hardtanh`. */
export function hardtanh(x: Tensor, options: HardtanhOptions = {}): Tensor {
  checkFloat("hardtanh", "x", x);
  checkOptions("hardtanh", options, ["minVal", "maxVal"]);
  const low = checkNumber("hardtanh", "minVal", options.minVal ?? -1);
  const high = checkNumber("hardtanh", "maxVal", options.maxVal ?? 1);
  if (low > high) throw rangeError("hardtanh", `minVal ${low} is above maxVal ${high}`);
  return bounded("hardtanh", x, low, high);
}

/** min(max(x, 0), 6); the derivative at 0 and 6 is 0. PyTorch: `F.relu6`. */
export function relu6(x: Tensor): Tensor {
  checkFloat("relu6", "x", x);
  return bounded("relu6", x, 0, 6);
}

function bounded(op: string, x: Tensor, low: number, high: number): Tensor {
  const y = unary(op, kernels.clamp, x, low, high);
  return record(op, y, [[x, (gy) => piecewise(op, "hardtanhGrad", gy, x, low, high)]], [x]);
}

/** Options of `leakyRelu`. */
export interface LeakyReluOptions {
  /** Slope for x ≤ 0; default 0.01. */
  readonly negativeSlope?: number;
}

/** x for x > 0, else negativeSlope · x; derivative negativeSlope at 0. PyTorch: `F.leaky_relu`. */
export function leakyRelu(x: Tensor, options: LeakyReluOptions = {}): Tensor {
  checkFloat("leakyRelu", "x", x);
  checkOptions("leakyRelu", options, ["negativeSlope"]);
  const slope = checkNumber("leakyRelu", "negativeSlope", options.negativeSlope ?? 0.01);
  const y = unary("leakyRelu", extra().leakyRelu, x, slope);
  return record("leakyRelu", y, [[x, (gy) => piecewise("leakyRelu", "leakyReluGrad", gy, x, slope)]], [x]);
}

/**
 * x for x > 0, else weight · x, with a learned weight: one for all, or one for each channel (axis 1).
 * `[batch, channels, …], [1] or [channels] -> [batch, channels, …]`. Derivative `weight` at 0.
 *
 * @throws RangeError when the weight is neither one number nor one a channel. PyTorch: `F.prelu`.
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  checkFloat("prelu", "x", x);
  checkFloat("prelu", "weight", weight);
  const channels = x.ndim > 1 ? x.shape[1]! : 1;
  if (weight.ndim > 1 || (weight.numel !== 1 && weight.numel !== channels)) {
    throw rangeError("prelu", `weight must be [1] or [${channels}] for x ${show(x.shape)}: got ${show(weight.shape)}`);
  }
  const shape = weight.numel === 1 ? [] : x.shape.map((size, i) => (i === 1 ? size : 1));
  return composed("prelu", [x, weight], () => leakyBy(x, reshape(weight, shape)));
}

/** x for x > 0, else w · x, where w broadcasts to x. */
function leakyBy(x: Tensor, w: Tensor): Tensor {
  const y = binary("prelu", kernels.mul, x, w);
  const positive = binary("prelu", code.lt, 0, x, "f32", "bool");
  merge("prelu", x, positive, y);
  positive.release("within prelu()");
  return record(
    "prelu",
    y,
    [
      [x, (gy) => where(gt(x, 0), gy, mul(gy, w))],
      [w, (gy) => sumTo(drop(mul(gy, x), gt(x, 0)), w.shape)],
    ],
    [x, w],
  );
}

/** Options of `elu`. */
export interface EluOptions {
  /** Minus the limit at −Infinity; default 1. */
  readonly alpha?: number;
}

/** x for x > 0, else alpha · (eˣ − 1); derivative alpha at 0. PyTorch: `F.elu`. */
export function elu(x: Tensor, options: EluOptions = {}): Tensor {
  checkFloat("elu", "x", x);
  checkOptions("elu", options, ["alpha"]);
  return exponentialLinear("elu", x, checkNumber("elu", "alpha", options.alpha ?? 1), 1);
}

/**
 * scale · (x for x > 0, else alpha · (eˣ − 1)) with alpha = 1.6732632…, scale = 1.0507009…: the fixed point of mean 0 and
 * variance 1 (Klambauer et al. 2017). PyTorch: `torch.selu`.
 */
export function selu(x: Tensor): Tensor {
  checkFloat("selu", "x", x);
  return exponentialLinear("selu", x, 1.6732632423543772, 1.0507009873554805);
}

function exponentialLinear(op: string, x: Tensor, alpha: number, scale: number): Tensor {
  const y = unary(op, extra().elu, x, alpha, scale);
  // The exponential of the positive part is not chosen, but must not overflow.
  const slope = () => where(le(x, 0), mul(exp(clamp(x, { max: 0 })), alpha * scale), scale);
  return smooth(op, y, x, "eluGrad", slope, alpha, scale);
}

/** Options of `softplus`. */
export interface SoftplusOptions {
  /** Steepness; default 1. */
  readonly beta?: number;
  /** Where beta · x is above it, the result is x; default 20. */
  readonly threshold?: number;
}

/** log(1 + e^(beta x)) / beta: a smooth max(x, 0). PyTorch: `F.softplus`. */
export function softplus(x: Tensor, options: SoftplusOptions = {}): Tensor {
  checkFloat("softplus", "x", x);
  checkOptions("softplus", options, ["beta", "threshold"]);
  const beta = checkNumber("softplus", "beta", options.beta ?? 1);
  if (beta === 0) throw rangeError("softplus", "beta must not be 0");
  return smoothPlus("softplus", x, beta, checkNumber("softplus", "threshold", options.threshold ?? 20));
}

/** log(1 / (1 + e⁻ˣ)), without overflow. PyTorch: `F.logsigmoid`. */
export function logSigmoid(x: Tensor): Tensor {
  checkFloat("logSigmoid", "x", x);
  return smoothPlus("logSigmoid", x, -1, 20); // log(1 + e^(−x)) / −1
}

function smoothPlus(op: string, x: Tensor, beta: number, threshold: number): Tensor {
  const y = unary(op, extra().softplus, x, beta, threshold);
  const slope = () => {
    const bx = mul(x, beta);
    return where(gt(bx, threshold), 1, sigmoid(bx));
  };
  return smooth(op, y, x, "softplusGrad", slope, beta, threshold);
}

/** x / (1 + |x|). PyTorch: `F.softsign`. */
export function softsign(x: Tensor): Tensor {
  checkFloat("softsign", "x", x);
  return composed("softsign", [x], () => div(x, add(abs(x), 1)));
}

/** Options of `gelu`. */
export interface GeluOptions {
  /** "none" (default): with the error function; "tanh": its approximation by a hyperbolic tangent. */
  readonly approximate?: "none" | "tanh";
}

/**
 * x · Φ(x), Φ the normal distribution function; with `approximate: "tanh"` x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))).
 * PyTorch: `F.gelu`.
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  checkFloat("gelu", "x", x);
  checkOptions("gelu", options, ["approximate"]);
  const { approximate = "none" } = options;
  if (approximate === "none") {
    const slope = () => {
      const cdf = mul(add(erf(mul(x, Math.sqrt(0.5))), 1), 0.5);
      return add(cdf, mul(x, mul(exp(mul(square(x), -0.5)), 0.3989422804014327))); // 1/√(2π)
    };
    return smooth("gelu", unary("gelu", extra().gelu, x), x, "geluGrad", slope);
  }
  if (approximate !== "tanh")
    throw rangeError("gelu", `approximate must be "none" or "tanh": got ${describe(approximate)}`);
  const slope = () => {
    const steep = 1.5957691216057308; // 2 √(2/π)
    const cubic = steep * 0.044715;
    const s = sigmoid(mul(x, add(mul(square(x), cubic), steep)));
    return add(s, mul(mul(x, mul(s, sub(1, s))), add(mul(square(x), 3 * cubic), steep)));
  };
  return smooth("gelu", unary("gelu", extra().geluTanh, x), x, "geluTanhGrad", slope);
}

/** x / (1 + e⁻ˣ), also called swish. PyTorch: `F.silu`. */
export function silu(x: Tensor): Tensor {
  checkFloat("silu", "x", x);
  const slope = () => {
    const s = sigmoid(x);
    return mul(s, add(mul(x, sub(1, s)), 1));
  };
  return smooth("silu", unary("silu", extra().silu, x), x, "siluGrad", slope);
}

/** x · tanh(log(1 + eˣ)). PyTorch: `F.mish`. */
export function mish(x: Tensor): Tensor {
  checkFloat("mish", "x", x);
  const slope = () => {
    const t = tanh(softplus(x));
    return add(t, mul(mul(x, sub(1, square(t))), sigmoid(x)));
  };
  return smooth("mish", unary("mish", extra().mish, x), x, "mishGrad", slope);
}

/** min(max(x + 3, 0), 6) / 6; the derivative at ±3 is 0. PyTorch: `F.hardsigmoid`. */
export function hardsigmoid(x: Tensor): Tensor {
  checkFloat("hardsigmoid", "x", x);
  const y = unary("hardsigmoid", extra().hardsigmoid, x);
  return record("hardsigmoid", y, [[x, (gy) => piecewise("hardsigmoid", "hardsigmoidGrad", gy, x)]], [x]);
}

/** x · min(max(x + 3, 0), 6) / 6; the derivative is −1/2 at −3 and 3/2 at 3. PyTorch: `F.hardswish`. */
export function hardswish(x: Tensor): Tensor {
  checkFloat("hardswish", "x", x);
  const slope = () => where(le(x, 3), drop(add(div(x, 3), 0.5), lt(x, -3)), 1);
  return smooth("hardswish", unary("hardswish", extra().hardswish, x), x, "hardswishGrad", slope);
}
