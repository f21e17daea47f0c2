// Losses of probabilities and of logits of yes-or-no questions.
import { rangeError, readOptions, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { runInScope } from "../memory/index.js";
import { broadcastShapes, sameShape } from "../shape.js";
import { composed, record } from "../tape/index.js";
import { ptr, type Tensor } from "../tensor/index.js";
import { relu, sigmoid } from "./activation.js";
import { type OrOptions, optionsFrom } from "./arguments.js";
import { pow } from "./arithmetic.js";
import { binary, unary } from "./broadcast.js";
import { checkFits, checkNumeric } from "./checks.js";
import { eq, ne, where } from "./compare.js";
import { logSigmoid } from "./curve.js";
import { add, div, exp, log, mul, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { keep } from "./mask.js";
import { sum } from "./reduce.js";
import { checkPair, type LossOptions, pairLoss, type Reduction, reduced, reductions } from "./reduction.js";
import { clamp } from "./unary.js";

/** Options of `binaryCrossEntropy`. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** A factor of each loss; broadcasts to the input. */
  readonly weight?: Tensor | null | undefined;
}

/** Options of `binaryCrossEntropyWithLogits`. */
export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** A factor of the losses of positive targets; broadcasts to the input: above 1 it trades precision for recall. */
  readonly posWeight?: Tensor | null | undefined;
}

function checkFactor(op: string, name: string, factor: Tensor | null | undefined, input: Tensor): Tensor[] {
  if (!factor) return [];
  checkFloat(op, name, factor);
  if (!sameShape(broadcastShapes(op, factor.shape, input.shape), input.shape)) {
    throw rangeError(op, `${name} ${show(factor.shape)} does not broadcast to the input ${show(input.shape)}`);
  }
  return [factor];
}

/**
 * −(target·log x + (1 − target)·log(1 − x)) with logarithms bounded below by −100. `[…], […] -> []`.
 *
 * @param input probabilities.
 * @param target numbers from 0 to 1.
 * @param options `weight` (also by position), `reduction`.
 * @throws RangeError for an input outside 0 to 1, with its position. PyTorch: `torch.nn.functional.binary_cross_entropy`.
 */
export function binaryCrossEntropy(
  input: Tensor,
  target: Tensor,
  weight?: OrOptions<BinaryCrossEntropyOptions>,
  options?: BinaryCrossEntropyOptions,
): Tensor {
  const op = "binaryCrossEntropy";
  checkPair(op, input, target);
  const given = optionsFrom<BinaryCrossEntropyOptions>(op, ["weight"], [weight, options]);
  const { reduction } = readOptions(op, given, { weight: [], reduction: reductions });
  const factor = checkFactor(op, "weight", given.weight, input);
  for (const t of [input, target, ...factor]) ptr(t);
  const bad = input.view().findIndex((v) => v < 0 || v > 1);
  if (bad >= 0) {
    throw rangeError(
      op,
      `input ${input.view()[bad]} is no probability (element ${bad} of ${show(input.shape)})`,
      "Use binaryCrossEntropyWithLogits for logits.",
    );
  }
  return composed(op, [input, target, ...factor], () => {
    const losses = probabilityLosses(op, input, target);
    return reduced(factor[0] ? mul(losses, factor[0]) : losses, reduction);
  });
}

/** The losses, with PyTorch's gradient: (x − t)/max(x(1 − x), 1e-12) by x, log(1 − x) − log x by t. */
function probabilityLosses(op: string, x: Tensor, t: Tensor): Tensor {
  const y = runInScope(op, () => {
    const bounded = (v: Tensor) => unary(op, kernels.clamp, v, -100, Number.POSITIVE_INFINITY);
    const yes = binary(op, kernels.mul, t, bounded(unary(op, kernels.log, x)));
    const no = bounded(unary(op, kernels.log1p, unary(op, kernels.neg, x)));
    const rest = binary(op, kernels.mul, binary(op, kernels.sub, t, 1), no);
    return binary(op, kernels.sub, rest, yes);
  });
  return record(
    op,
    y,
    [
      [x, (gy) => mul(gy, div(sub(x, t), clamp(mul(x, sub(1, x)), { min: 1e-12 })))],
      [t, (gy) => mul(gy, sub(log(sub(1, x)), log(x)))],
    ],
    [x, t],
  );
}

/** (1 − t)·x − (1 + (posWeight − 1)·t)·log σ(x): the losses of logits, without overflow. */
function logitLosses(x: Tensor, t: Tensor, posWeight?: Tensor | null): Tensor {
  const positive = logSigmoid(x);
  const weighed = posWeight ? mul(add(mul(sub(posWeight, 1), t), 1), positive) : positive;
  return sub(mul(sub(1, t), x), weighed);
}

/**
 * Binary cross entropy of σ(input), from logits: stable for any input.
 * −(posWeight·target·log σ(x) + (1 − target)·log(1 − σ(x))). `[…], […] -> []`.
 *
 * @param input logits.
 * @param target numbers from 0 to 1.
 * @param options `weight` (also by position), `posWeight`, `reduction`. PyTorch:
 *   `torch.nn.functional.binary_cross_entropy_with_logits`.
 * @example
 * import { binaryCrossEntropyWithLogits, tensor } from "gradine";
 * console.log(binaryCrossEntropyWithLogits(tensor([200, -3]), tensor([1, 0])).item().toFixed(4)); // 0.0243
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  weight?: OrOptions<BinaryCrossEntropyWithLogitsOptions>,
  options?: BinaryCrossEntropyWithLogitsOptions,
): Tensor {
  const op = "binaryCrossEntropyWithLogits";
  checkPair(op, input, target);
  const given = optionsFrom<BinaryCrossEntropyWithLogitsOptions>(op, ["weight"], [weight, options]);
  const { reduction } = readOptions(op, given, { weight: [], posWeight: [], reduction: reductions });
  const factor = checkFactor(op, "weight", given.weight, input);
  const positive = checkFactor(op, "posWeight", given.posWeight, input);
  return composed(op, [input, target, ...factor, ...positive], () => {
    const losses = logitLosses(input, target, positive[0]);
    return reduced(factor[0] ? mul(losses, factor[0]) : losses, reduction);
  });
}

/** Options of `sigmoidFocalLoss`. */
export interface FocalOptions extends LossOptions {
  /** Weight of positive targets, 1 − alpha that of negative ones; default 0.25. A negative number: no weights. */
  readonly alpha?: number;
  /** How much easy examples are played down; default 2. */
  readonly gamma?: number;
  /** Default "none", as in torchvision. */
  readonly reduction?: Reduction;
}

/**
 * Focal loss (Lin, Goyal, Girshick, He, Dollár, "Focal Loss for Dense Object Detection", 2017): α_t·(1 − p_t)^γ·(−log
 * p_t), with p_t = σ(x) for target 1 and 1 − σ(x) for 0. `[…], […] -> […]`.
 *
 * @param input logits.
 * @param options `alpha`, `gamma`, `reduction` (default "none"). torchvision: `torchvision.ops.sigmoid_focal_loss`.
 */
export function sigmoidFocalLoss(input: Tensor, target: Tensor, options: FocalOptions = {}): Tensor {
  const table = {
    alpha: [0.25, Number.NEGATIVE_INFINITY, 1],
    gamma: [2, 0],
    reduction: ["none", "mean", "sum"],
  } as const;
  return pairLoss("sigmoidFocalLoss", input, target, options, table, ({ alpha, gamma }) => {
    const p = sigmoid(input);
    // 1 − p_t = p + t − 2pt
    const missed = add(mul(p, sub(1, mul(target, 2))), target);
    const losses = mul(logitLosses(input, target), pow(missed, gamma));
    return alpha < 0 ? losses : mul(losses, add(mul(target, 2 * alpha - 1), 1 - alpha));
  });
}

/** Options of `hingeEmbeddingLoss`. */
export interface HingeEmbeddingOptions extends LossOptions {
  /** Distance beyond which pairs with target −1 cost nothing; default 1. */
  readonly margin?: number;
}

/**
 * x where the target is 1, max(0, margin − x) where it is −1; of other targets the sum of both. `[…], […] -> []`.
 *
 * @param target 1 or −1, f32 or i32.
 * @param options `margin`, `reduction`. PyTorch: `torch.nn.functional.hinge_embedding_loss`.
 */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options: HingeEmbeddingOptions = {}): Tensor {
  const op = "hingeEmbeddingLoss";
  checkFloat(op, "input", input);
  checkNumeric(op, "target", target);
  checkFits(op, "target", target, input.shape, " as the input");
  const { margin, reduction } = readOptions(op, options, { margin: [1], reduction: reductions });
  return composed(op, [input, target], () =>
    reduced(add(keep(relu(sub(margin, input)), ne(target, 1)), keep(input, ne(target, -1))), reduction),
  );
}

/** Options of `klDiv`. */
export interface KlDivOptions {
  /** Whether the target holds logarithms too; default false. */
  readonly logTarget?: boolean;
  /** "batchmean" divides the sum by the first axis's size, which is the mathematical value; "mean" (default) by all. */
  readonly reduction?: Reduction | "batchmean";
}

/**
 * Kullback-Leibler divergence: target·(log target − input), 0 where the target is 0. `[…], […] -> []`.
 *
 * @param input logarithms of probabilities.
 * @param target probabilities, or with `logTarget` their logarithms.
 * @param options `logTarget`, `reduction`. PyTorch: `torch.nn.functional.kl_div`.
 */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  const op = "klDiv";
  checkPair(op, input, target);
  const table = { logTarget: [false], reduction: [...reductions, "batchmean"] } as const;
  const { logTarget, reduction } = readOptions(op, options, table);
  return composed(op, [input, target], () => {
    const losses = logTarget
      ? mul(exp(target), sub(target, input))
      : sub(mul(target, log(where(eq(target, 0), 1, target))), mul(target, input));
    return reduction === "batchmean" ? div(sum(losses), input.shape[0] ?? 1) : reduced(losses, reduction);
  });
}
