// Normalization layers as functions: subtract a mean, divide by a standard deviation, scale and shift.
import { checkInteger, checkNumber, rangeError, show, typeError } from "../error.js";
import { extra } from "../kernels/index.js";
import { checkShape, numelOf, type Shape, sameShape } from "../shape.js";
import { isRecomputing } from "../tape/index.js";
import { allocate, ptr, type Tensor } from "../tensor/index.js";
import { type OrOptions, optionsFrom } from "./arguments.js";
import { checkFloat } from "./launch.js";
import {
  type Affine,
  BOTH,
  checkAffine,
  DEVIATION,
  GIVEN,
  type Grouping,
  inverseStd,
  normalizeBy,
  statistics,
} from "./normalized.js";

/** Options of `layerNorm` and `groupNorm`. */
export interface NormOptions extends Affine {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
}

/** Options of `rmsNorm`. */
export interface RmsNormOptions {
  readonly weight?: Tensor | null | undefined;
  /** Added to the mean square; default 2⁻²³, the distance from 1 to the next f32. */
  readonly eps?: number;
}

/** Options of `batchNorm`. */
export interface BatchNormOptions extends NormOptions {
  /** Normalize by the batch's own statistics and update the running ones; default false. */
  readonly training?: boolean;
  /** Share of the batch in the running statistics; default 0.1. */
  readonly momentum?: number;
}

/** Options of `instanceNorm`. */
export interface InstanceNormOptions extends NormOptions {
  /** `[channels]`; updated in place, or used if `useInputStats` is off. */
  readonly runningMean?: Tensor | null | undefined;
  readonly runningVar?: Tensor | null | undefined;
  /** Normalize by the input's own statistics; default true. */
  readonly useInputStats?: boolean;
  /** Share of the input in the running statistics; default 0.1. */
  readonly momentum?: number;
}

const normOptions = ["weight", "bias", "eps"] as const;
const epsilon = (op: string, eps: number | undefined, otherwise = 1e-5): number =>
  checkNumber(op, "eps", eps ?? otherwise, 0);

/** Throws unless running statistics are f32 of one number a channel. */
function checkRunning(op: string, name: string, x: unknown, channels: number): void {
  if (x === null || x === undefined) return;
  checkFloat(op, name, x);
  if (!sameShape(x.shape, [channels])) throw rangeError(op, `${name} must be [${channels}]: got ${show(x.shape)}`);
}

/** `[batch, channels, …]`, or an error. */
function checkChannels(op: string, x: unknown): asserts x is Tensor {
  checkFloat(op, "x", x);
  if (x.ndim < 2) throw rangeError(op, `x must be [batch, channels, …]: got ${show(x.shape)} (x)`);
}

/** Throws for released tensors, before anything is made or changed. */
function readable(...tensors: readonly (Tensor | null | undefined)[]): void {
  for (const t of tensors) if (t) ptr(t);
}

/** running += momentum · (batch − running), over rows of batch statistics; `scale` makes variances unbiased. */
function updateRunning(running: Tensor, batch: Tensor, momentum: number, scale: number): void {
  const to = ptr(running);
  running.storage.written();
  const channels = running.numel;
  extra().updateRunning(ptr(batch), to, batch.numel / channels, channels, momentum, scale);
}

/**
 * Normalizes each channel over the batch and all further axes: y = (x − mean)/√(var + eps)·weight + bias.
 * `[batch, channels, …] -> ` the same shape. When `training`, mean and (biased) variance are the batch's, and
 * runningMean and runningVar move towards its mean and unbiased variance, in place; else the running ones are used.
 *
 * @param runningMean `[channels]`; may be null when `training`.
 * @param runningVar `[channels]`; may be null when `training`.
 * @param options `weight`, `bias` (`[channels]`; also by position), `training`, `momentum`, `eps`.
 * @throws RangeError for shapes that do not fit, and in training for one value per channel, whose variance says
 *   nothing. PyTorch: `torch.nn.functional.batch_norm`.
 * @example
 * import { batchNorm, tensor } from "gradine";
 * const x = tensor([[1, 10], [3, 30]]);
 * const mean = tensor([0, 0]);
 * const variance = tensor([1, 1]);
 * console.log(batchNorm(x, mean, variance, { training: true, eps: 0 }).toArray()); // [[-1, -1], [1, 1]]
 * console.log(mean.toArray().map((v) => v.toFixed(1))); // ["0.2", "2.0"]
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  weight?: OrOptions<BatchNormOptions>,
  bias?: OrOptions<BatchNormOptions>,
  options?: BatchNormOptions,
): Tensor {
  const op = "batchNorm";
  checkChannels(op, x);
  const given = optionsFrom<BatchNormOptions>(
    op,
    ["weight", "bias"],
    [weight, bias, options],
    [...normOptions, "training", "momentum"],
  );
  const eps = epsilon(op, given.eps);
  const momentum = checkNumber(op, "momentum", given.momentum ?? 0.1, 0, 1);
  const [N, C] = x.shape as readonly [number, number];
  const L = numelOf(x.shape.slice(2));
  checkRunning(op, "runningMean", runningMean, C);
  checkRunning(op, "runningVar", runningVar, C);
  checkAffine(op, given, [C]);
  const by: Grouping = { N, C, D: 1, L, byBatch: true };
  if (!given.training) {
    if (!runningMean || !runningVar) {
      throw typeError(op, "runningMean and runningVar are needed unless training");
    }
    readable(x, runningMean, runningVar, given.weight, given.bias);
    return normalizeBy(op, x, given, by, runningMean, inverseStd(op, runningVar, eps, false), GIVEN, eps);
  }
  const values = N * L;
  if (values === 1) {
    throw rangeError(
      op,
      `one value per channel in training: x is ${show(x.shape)}`,
      "A single value is its own mean: use a larger batch, or training: false.",
    );
  }
  readable(x, runningMean, runningVar, given.weight, given.bias);
  const { mean, variance } = statistics(op, x, by, BOTH);
  if (x.numel > 0 && !isRecomputing()) {
    if (runningMean) updateRunning(runningMean, mean, momentum, 1);
    if (runningVar) updateRunning(runningVar, variance, momentum, values / (values - 1));
  }
  return normalizeBy(op, x, given, by, mean, inverseStd(op, variance, eps, true), BOTH, eps);
}

/** Sizes of the trailing axes that are normalized together. */
function trailing(op: string, x: Tensor, normalizedShape: number | Shape): { shape: Shape; by: Grouping } {
  const shape = checkShape(op, normalizedShape);
  if (shape.length === 0 || !sameShape(x.shape.slice(-shape.length), shape)) {
    throw rangeError(op, `x must end in normalizedShape ${show(shape)}: got ${show(x.shape)} (x)`);
  }
  const n = numelOf(shape);
  return { shape, by: { N: n === 0 ? 0 : x.numel / n, C: n, D: n, L: 1, byBatch: false } };
}

/** Normalizes by the statistics of each item's groups. */
function byItem(op: string, x: Tensor, affine: Affine, by: Grouping, through: 1 | 2, eps: number): Tensor {
  readable(x, affine.weight, affine.bias);
  const [mean, rstd] = [0, 1].map(() => allocate([(by.N * by.C) / by.D], "f32", op)) as [Tensor, Tensor];
  return normalizeBy(op, x, affine, by, mean, rstd, through, eps, true);
}

/**
 * Normalizes over the last axes: y = (x − mean)/√(var + eps)·weight + bias, var biased. `[…, ...normalizedShape]` -> the
 * same shape; weight and bias have `normalizedShape`.
 *
 * @param normalizedShape the last axes' sizes, or the last one's.
 * @param options `eps`; `weight` and `bias` may stand here too.
 * @throws RangeError when x does not end in that shape. PyTorch: `torch.nn.functional.layer_norm`.
 * @example
 * import { layerNorm, tensor } from "gradine";
 * console.log(layerNorm(tensor([[1, 3], [4, 8]]), 2, { eps: 0 }).toArray()); // [[-1, 1], [-1, 1]]
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: OrOptions<NormOptions>,
  bias?: OrOptions<NormOptions>,
  options?: NormOptions,
): Tensor {
  const op = "layerNorm";
  checkFloat(op, "x", x);
  const given = optionsFrom<NormOptions>(op, ["weight", "bias"], [weight, bias, options], normOptions);
  const { shape, by } = trailing(op, x, normalizedShape);
  checkAffine(op, given, shape);
  return byItem(op, x, given, by, BOTH, epsilon(op, given.eps));
}

/**
 * Divides by the root mean square over the last axes: y = x/√(mean(x²) + eps)·weight (Zhang and Sennrich 2019).
 *
 * @param normalizedShape the last axes' sizes, or the last one's.
 * @param options `eps`; `weight` may stand here too. PyTorch (2.4): `torch.nn.functional.rms_norm`.
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: OrOptions<RmsNormOptions>,
  options?: RmsNormOptions,
): Tensor {
  const op = "rmsNorm";
  checkFloat(op, "x", x);
  const given = optionsFrom<RmsNormOptions>(op, ["weight"], [weight, options], ["weight", "eps"]);
  const { shape, by } = trailing(op, x, normalizedShape);
  checkAffine(op, given, shape);
  return byItem(op, x, given, by, DEVIATION, epsilon(op, given.eps, 1.1920928955078125e-7));
}

/**
 * Normalizes each item over groups of channels and all further axes. `[batch, channels, …]` -> the same shape.
 *
 * @param numGroups divides the channels.
 * @param options `eps`; `weight` and `bias` (`[channels]`) may stand here too.
 * @throws RangeError when the groups do not divide the channels. PyTorch: `torch.nn.functional.group_norm`.
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight?: OrOptions<NormOptions>,
  bias?: OrOptions<NormOptions>,
  options?: NormOptions,
): Tensor {
  const op = "groupNorm";
  checkChannels(op, x);
  checkInteger(op, "numGroups", numGroups, 1);
  const given = optionsFrom<NormOptions>(op, ["weight", "bias"], [weight, bias, options], normOptions);
  const [N, C] = x.shape as readonly [number, number];
  if (C % numGroups !== 0) {
    throw rangeError(op, `numGroups ${numGroups} does not divide ${C} channels: x is ${show(x.shape)}`);
  }
  checkAffine(op, given, [C]);
  const by = { N, C, D: Math.max(C / numGroups, 1), L: numelOf(x.shape.slice(2)), byBatch: false };
  return byItem(op, x, given, by, BOTH, epsilon(op, given.eps));
}

/**
 * Normalizes each channel of each item over its further axes. `[batch, channels, …]` -> the same shape.
 *
 * @param options `weight`, `bias`, `runningMean`, `runningVar` (`[channels]`), `useInputStats`, `momentum`, `eps`.
 *   Running statistics move towards the mean over the batch of its items' statistics (variances unbiased).
 * @throws RangeError for a single value per channel. PyTorch: `torch.nn.functional.instance_norm`.
 */
export function instanceNorm(x: Tensor, options: InstanceNormOptions = {}): Tensor {
  const op = "instanceNorm";
  checkChannels(op, x);
  const given = optionsFrom<InstanceNormOptions>(
    op,
    [],
    [options],
    [...normOptions, "runningMean", "runningVar", "useInputStats", "momentum"],
  );
  const { runningMean, runningVar, useInputStats = true } = given;
  const eps = epsilon(op, given.eps);
  const momentum = checkNumber(op, "momentum", given.momentum ?? 0.1, 0, 1);
  const [N, C] = x.shape as readonly [number, number];
  const L = numelOf(x.shape.slice(2));
  checkRunning(op, "runningMean", runningMean, C);
  checkRunning(op, "runningVar", runningVar, C);
  checkAffine(op, given, [C]);
  if (!useInputStats) {
    if (!runningMean || !runningVar) throw typeError(op, "runningMean and runningVar are needed without useInputStats");
    const by: Grouping = { N, C, D: 1, L, byBatch: true };
    readable(x, runningMean, runningVar, given.weight, given.bias);
    return normalizeBy(op, x, given, by, runningMean, inverseStd(op, runningVar, eps, false), GIVEN, eps);
  }
  if (L === 1) {
    throw rangeError(
      op,
      `one value per channel: x is ${show(x.shape)}`,
      "A single value is its own mean: use batchNorm or layerNorm.",
    );
  }
  readable(x, runningMean, runningVar, given.weight, given.bias);
  const by: Grouping = { N, C, D: 1, L, byBatch: false };
  const { mean, variance } = statistics(op, x, by, BOTH);
  if (x.numel > 0 && !isRecomputing()) {
    if (runningMean) updateRunning(runningMean, mean, momentum, 1);
    if (runningVar) updateRunning(runningVar, variance, momentum, L / (L - 1));
  }
  return normalizeBy(op, x, given, by, mean, inverseStd(op, variance, eps, true), BOTH, eps);
}
