// Variance, standard deviation, log-sum-exp: reductions of more than one pass, composed of ops.
import { checkNumber, typeError } from "../error.js";
import { composed, record } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { type ReduceOptions, type Reduction, reduction, spread } from "./axes.js";
import { to } from "./convert.js";
import { add, div, exp, log, mul, sqrt, square, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { reshape } from "./layout.js";
import { drop, keep } from "./mask.js";
import { amax, mean, sum } from "./reduce.js";

/** Runs a forward pass of several ops on x cut off from the tape: the op is recorded as one. */
const forward = (op: string, x: Tensor, fn: (x: Tensor) => Tensor): Tensor => composed(op, [], () => fn(x.detach()));

/** Options of `variance`, `std`, `varMean`. */
export interface VarianceOptions extends ReduceOptions {
  /** What is subtracted from the number of elements in the divisor; default 1 (unbiased). */
  readonly correction?: number;
  /** false: correction 0. */
  readonly unbiased?: boolean;
}

/** `variance(x, dim?, options?)`, or the options in place of dim. */
export type VarianceDim = number | readonly number[] | VarianceOptions | undefined;

interface Spread extends Reduction {
  /** 1 / (n − correction); Infinity where there are too few elements. */
  readonly scale: number;
}

function arguments_(op: string, x: Tensor, dim: VarianceDim, options: VarianceOptions | undefined): Spread {
  checkFloat(op, "x", x);
  const read = reduction<VarianceOptions>(op, x, dim, options, ["correction", "unbiased"]);
  const { correction, unbiased } = read.options;
  if (correction !== undefined && unbiased !== undefined) {
    throw typeError(op, "takes correction or unbiased, not both");
  }
  const minus = checkNumber(op, "correction", correction ?? (unbiased === false ? 0 : 1));
  return { ...read, scale: 1 / Math.max(0, read.count - minus) };
}

/**
 * x − mean, twice: a large mean is rounded by more than small distances can bear, and the mean of what is left is that
 * rounding.
 */
function centred(x: Tensor, axes: readonly number[]): Tensor {
  const near = sub(x, mean(x, { dim: axes, keepdim: true }));
  return sub(near, mean(near, { dim: axes, keepdim: true }));
}

/** Σ (x − mean)² / (n − correction). */
function varianceOf(x: Tensor, { axes, keepdim, scale }: Spread): Tensor {
  return mul(sum(square(centred(x, axes)), { dim: axes, keepdim }), scale);
}

/** gy · 2 (x − mean) / (n − correction). */
function varianceGrad(gy: Tensor, x: Tensor, { axes, kept, scale }: Spread): Tensor {
  return mul(spread(mul(gy, 2 * scale), kept, x.shape), centred(x, axes));
}

/**
 * Variance over axes: Σ (x − mean)² / (n − correction), in two passes, also accurate around a large mean. NaN where n is not more than the correction.
 * As a method: `x.var()`.
 *
 * @param dim the axis or axes, default all; or the options: `correction` (default 1) or `unbiased: false`, `keepdim`.
 * PyTorch: `torch.var`.
 * @example
 * import { tensor, variance } from "gradine";
 * const x = tensor([1, 2, 3, 4]);
 * console.log(x.var({ unbiased: false }).item(), variance(tensor([[1, 3], [2, 6]]), 1).toArray()); // 1.25 [2, 8]
 */
export function variance(x: Tensor, dim?: VarianceDim, options?: VarianceOptions): Tensor {
  const over = arguments_("variance", x, dim, options);
  const y = forward("variance", x, (x) => varianceOf(x, over));
  return record("variance", y, [[x, (gy) => varianceGrad(gy, x, over)]], [x]);
}

/** Standard deviation over axes: the square root of the variance. Its gradient at 0 is 0. PyTorch: `torch.std`. */
export function std(x: Tensor, dim?: VarianceDim, options?: VarianceOptions): Tensor {
  const over = arguments_("std", x, dim, options);
  const y = forward("std", x, (x) => sqrt(varianceOf(x, over)));
  // ∂√v = ∂v / 2√v, where that is not 0.
  const ofVariance = (gy: Tensor) => keep(div(gy, mul(y, 2)), to(y, "bool"));
  return record("std", y, [[x, (gy) => varianceGrad(ofVariance(gy), x, over)]], [x, y]);
}

/** Variance and mean over axes: `[variance, mean]`. PyTorch: `torch.var_mean`. */
export function varMean(x: Tensor, dim?: VarianceDim, options?: VarianceOptions): [variance: Tensor, mean: Tensor] {
  const { axes, keepdim } = arguments_("varMean", x, dim, options);
  return [variance(x, dim, options), mean(x, { dim: axes, keepdim })];
}

/**
 * log Σ exp(x) over axes, with the largest element taken out of the sum, so that nothing overflows; −Infinity for no
 * elements. PyTorch: `torch.logsumexp`.
 *
 * @example
 * import { logsumexp, tensor } from "gradine";
 * console.log(logsumexp(tensor([1000, 1000]), 0).item() - 1000); // 0.69…
 */
export function logsumexp(
  x: Tensor,
  dim: number | readonly number[] | ReduceOptions,
  options?: { readonly keepdim?: boolean },
): Tensor {
  checkFloat("logsumexp", "x", x);
  const { axes, kept, shape, count } = reduction("logsumexp", x, dim, options);
  const y = forward("logsumexp", x, (x) => {
    if (count === 0) return log(sum(exp(x), { dim: axes, keepdim: shape === kept }));
    const top = amax(x, { dim: axes, keepdim: true });
    // ∞ − ∞ is NaN: an infinite largest element is left in the sum.
    const shift = drop(top, to(sub(top, top), "bool"));
    const total = sum(exp(sub(x, shift)), { dim: axes, keepdim: true });
    return reshape(add(log(total), shift), shape);
  });
  const gradient = (gy: Tensor) => mul(spread(gy, kept, x.shape), exp(sub(x, reshape(y, kept))));
  return record("logsumexp", y, [[x, gradient]], [x, y]);
}
