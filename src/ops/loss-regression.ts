// Losses of numbers against numbers.
import { rangeError, readOptions, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { sameShape } from "../shape.js";
import { composed, isRecording, record, recordJoint } from "../tape/index.js";
import { allocate, ptr, type Tensor } from "../tensor/index.js";
import { unary } from "./broadcast.js";
import { checkFits } from "./checks.js";
import { gt } from "./compare.js";
import { add, div, exp, log, mul, square, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { reshape } from "./layout.js";
import { keep } from "./mask.js";
import { checkPair, type LossOptions, pairLoss, reduced, reductions } from "./reduction.js";
import { abs, clamp } from "./unary.js";

const onlyReduction = { reduction: reductions };

/**
 * Mean squared error: mean of (input − target)². `[…] , […] -> []`.
 *
 * @param options `reduction`: "mean" (default), "sum", or "none" (the shape of the input).
 * @throws RangeError when the shapes differ (PyTorch warns and broadcasts). PyTorch: `torch.nn.functional.mse_loss`.
 * @example
 * import { mseLoss, tensor } from "gradine";
 * console.log(mseLoss(tensor([1, 2]), tensor([1, 4])).item()); // 2
 */
export function mseLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  checkPair("mseLoss", input, target);
  const reduction = options === undefined ? "mean" : readOptions("mseLoss", options, onlyReduction).reduction;
  if (reduction === "none") return composed("mseLoss", [input, target], () => square(sub(input, target)));
  const scale = reduction === "mean" ? 1 / input.numel : 1;
  const a = ptr(input);
  const b = ptr(target);
  const y = allocate([], "f32", "mseLoss");
  kernels.mse(a, b, ptr(y), input.numel, scale);
  const pair = [input, target];
  // The gradient of the target is that of the input with the sides exchanged.
  const partial = (gy: Tensor, needs: readonly boolean[]) => [
    needs[0] ? mseGrad(input, target, gy, scale) : null,
    needs[1] ? mseGrad(target, input, gy, scale) : null,
  ];
  return recordJoint("mseLoss", y, pair, partial, pair);
}

/** 2·scale·gy·(a − b). */
function mseGrad(a: Tensor, b: Tensor, gy: Tensor, scale: number): Tensor {
  if (isRecording()) return mul(mul(sub(a, b), gy), 2 * scale);
  const pa = ptr(a);
  const pb = ptr(b);
  const g = ptr(gy);
  const ga = allocate(a.shape, "f32", "mseLoss");
  kernels.mseGrad(pa, pb, g, scale, ptr(ga), a.numel);
  return ga;
}

/**
 * Mean of |input − target|; the derivative is 0 where they are equal. `[…], […] -> []`.
 *
 * @param options `reduction`. PyTorch: `torch.nn.functional.l1_loss`.
 */
export function l1Loss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  return pairLoss("l1Loss", input, target, options, onlyReduction, () => abs(sub(input, target)));
}

/** Options of `smoothL1Loss`. */
export interface SmoothL1Options extends LossOptions {
  /** Where the parabola becomes a line; default 1. With 0 it is `l1Loss`. */
  readonly beta?: number;
}

/** Options of `huberLoss`. */
export interface HuberOptions extends LossOptions {
  /** Where the parabola becomes a line; default 1. */
  readonly delta?: number;
}

/** m·(d − m/2) with d = |input − target|, m = min(d, limit): a parabola that becomes a line at the limit. */
function huber(input: Tensor, target: Tensor, limit: number): Tensor {
  const d = abs(sub(input, target));
  const m = clamp(d, { max: limit });
  return mul(m, sub(d, mul(m, 0.5)));
}

/**
 * ½d²/beta for d = |input − target| < beta, d − ½beta beyond. `[…], […] -> []`.
 *
 * @param options `beta`, `reduction`. PyTorch: `torch.nn.functional.smooth_l1_loss`.
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  return pairLoss("smoothL1Loss", input, target, options, { beta: [1, 0], reduction: reductions }, ({ beta }) =>
    beta === 0 ? abs(sub(input, target)) : mul(huber(input, target, beta), 1 / beta),
  );
}

/**
 * ½d² for d = |input − target| ≤ delta, delta·(d − ½delta) beyond. `[…], […] -> []`.
 *
 * @param options `delta` (above 0), `reduction`. PyTorch: `torch.nn.functional.huber_loss`.
 */
export function huberLoss(input: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  const table = { delta: [1, Number.MIN_VALUE], reduction: reductions } as const;
  return pairLoss("huberLoss", input, target, options, table, ({ delta }) => huber(input, target, delta));
}

/** Options of `poissonNllLoss`. */
export interface PoissonNllOptions extends LossOptions {
  /** Whether the input is the logarithm of the rate; default true. */
  readonly logInput?: boolean;
  /** Add Stirling's approximation of log(target!) where target > 1; default false. */
  readonly full?: boolean;
  /** Added to rates before their logarithm (logInput false); default 1e-8. */
  readonly eps?: number;
}

/**
 * Negative log likelihood of counts under Poisson rates: e^input − target·input, or input − target·log(input + eps)
 * with `logInput: false`; without log(target!) unless `full`. `[…], […] -> []`.
 *
 * @param options `logInput`, `full`, `eps`, `reduction`. PyTorch: `torch.nn.functional.poisson_nll_loss`.
 */
export function poissonNllLoss(input: Tensor, target: Tensor, options: PoissonNllOptions = {}): Tensor {
  const table = { logInput: [true], full: [false], eps: [1e-8, 0], reduction: reductions } as const;
  return pairLoss("poissonNllLoss", input, target, options, table, ({ logInput, full, eps }) => {
    const losses = logInput ? sub(exp(input), mul(target, input)) : sub(input, mul(target, log(add(input, eps))));
    if (!full) return losses;
    // log t! ≈ t log t − t + ½ log 2πt
    const stirling = add(sub(mul(target, log(target)), target), mul(log(mul(target, 6.283185307179586)), 0.5));
    return add(losses, keep(stirling, gt(target, 1)));
  });
}

/** Options of `gaussianNllLoss`. */
export interface GaussianNllOptions extends LossOptions {
  /** Add the constant ½ log 2π; default false. */
  readonly full?: boolean;
  /** Lower bound of the variance; default 1e-6. Gradients pass it as if it were not there. */
  readonly eps?: number;
}

/**
 * Negative log likelihood of numbers under Gaussians: ½(log v + (input − target)²/v), v = max(variance, eps).
 * `[…, n], […, n], […, n] -> []`.
 *
 * @param variance of the input's shape, or with a last axis of 1, or without the last axis: one for its n elements.
 * @param options `full`, `eps`, `reduction`.
 * @throws RangeError for a negative variance, with its position. PyTorch: `torch.nn.functional.gaussian_nll_loss`.
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor,
  options: GaussianNllOptions = {},
): Tensor {
  const op = "gaussianNllLoss";
  checkPair(op, input, target);
  checkFloat(op, "variance", variance);
  const { full, eps, reduction } = readOptions(op, options, { full: [false], eps: [1e-6, 0], reduction: reductions });
  const shared = [...input.shape.slice(0, -1), 1];
  const same = sameShape(variance.shape, input.shape);
  const dropped = !same && sameShape(variance.shape, input.shape.slice(0, -1));
  if (!same && !dropped) checkFits(op, "variance", variance, shared, ` for an input of ${show(input.shape)}`);
  ptr(input);
  ptr(target);
  ptr(variance);
  const bad = variance.view().findIndex((v) => v < 0);
  if (bad >= 0) {
    throw rangeError(op, `a variance is negative: ${variance.view()[bad]} (element ${bad} of ${show(variance.shape)})`);
  }
  return composed(op, [input, target, variance], () => {
    const bounded = unary(op, kernels.clamp, variance, eps, Number.POSITIVE_INFINITY);
    record(op, bounded, [[variance, (gy) => gy]]);
    const v = dropped ? reshape(bounded, shared) : bounded;
    let losses = mul(add(log(v), div(square(sub(input, target)), v)), 0.5);
    if (full) losses = add(losses, 0.9189385332046727); // ½ log 2π
    return reduced(losses, reduction);
  });
}
