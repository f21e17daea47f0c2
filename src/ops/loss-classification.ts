// Losses of scores of classes.
import { checkInteger, rangeError, readOptions, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { nullPtr } from "../memory/index.js";
import { sameShape } from "../shape.js";
import { composed, goesWith, isRecording, record } from "../tape/index.js";
import { allocate, checkTensor, ptr, type Tensor } from "../tensor/index.js";
import { relu } from "./activation.js";
import { type OrOptions, optionsFrom } from "./arguments.js";
import { checkFits } from "./checks.js";
import { checkClass, checkClasses, classAxis, classMask, classRows } from "./classes.js";
import { to } from "./convert.js";
import { add, div, mul, neg, square, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { reshape } from "./layout.js";
import { drop, keep } from "./mask.js";
import { sum } from "./reduce.js";
import { type LossOptions, type Reduction, reduced, reductions } from "./reduction.js";
import { logSoftmax, softmax } from "./softmax.js";

/** Options of `nllLoss`. */
export interface NllOptions extends LossOptions {
  /** `[classes]`: what a row of each class counts; the mean is divided by the sum of the rows' weights. Default 1. */
  readonly weight?: Tensor | null | undefined;
  /** A class number whose rows count for nothing; default −100. */
  readonly ignoreIndex?: number;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends NllOptions {
  /** Share ε of the target that is spread evenly over all classes; default 0 (Szegedy et al. 2016). */
  readonly labelSmoothing?: number;
}

/** Options of `multiMarginLoss`. */
export interface MultiMarginOptions extends LossOptions {
  /** Power of each class's excess: 1 (default) or 2. */
  readonly p?: number;
  /** By how much the right class should lead; default 1. */
  readonly margin?: number;
  /** `[classes]`: what a row of each class counts; default 1. */
  readonly weight?: Tensor | null | undefined;
  /** Divide the sum over the classes by their number, as PyTorch does; default true. */
  readonly divideByClasses?: boolean;
}

const noClass = -100;
const nllTable = { weight: [], ignoreIndex: [noClass], reduction: reductions } as const;

/** The weight of each class, checked; null for none. */
function classWeight(op: string, weight: Tensor | null | undefined, classes: number): Tensor | null {
  if (!weight) return null;
  checkFloat(op, "weight", weight);
  checkFits(op, "weight", weight, [classes]);
  return weight;
}

const tensors = (...list: readonly (Tensor | null)[]): Tensor[] => list.filter((t) => t !== null);

/** Losses of rows that count `counts` each: themselves, their sum, or their weighted mean; NaN if nothing counts. */
function weighed(losses: Tensor, counts: Tensor, reduction: Reduction, target: Tensor): Tensor {
  if (reduction === "none") return reshape(losses, target.shape);
  return reduction === "sum" ? sum(losses) : div(sum(losses), sum(counts));
}

/**
 * Cross entropy of logits with class numbers, logsumexp(x) − x[target], averaged over the rows that count, or with
 * class probabilities, −Σ target·logSoftmax(x).
 * `[batch, classes], [batch] -> []`; also `[batch, classes, …], [batch, …]` and `[classes], []`; probabilities have the
 * shape of the input.
 *
 * @param target class numbers, i32 or integer-valued f32; or probabilities, f32.
 * @param options `weight` (also by position), `ignoreIndex`, `labelSmoothing`, `reduction`.
 * @throws RangeError for a target outside 0..classes−1 or not an integer, with its position. PyTorch:
 *   `torch.nn.functional.cross_entropy`.
 * @example
 * import { crossEntropy, tensor } from "gradine";
 * const loss = crossEntropy(tensor([[2, 0], [0, 2]]), tensor([0, 1], { dtype: "i32" }));
 * console.log(loss.item().toFixed(4)); // 0.1269
 */
export function crossEntropy(
  input: Tensor,
  target: Tensor,
  weight?: OrOptions<CrossEntropyOptions>,
  options?: CrossEntropyOptions,
): Tensor {
  const op = "crossEntropy";
  checkFloat(op, "input", input);
  checkTensor(op, "target", target);
  const given = readOptions(op, optionsFrom<CrossEntropyOptions>(op, ["weight"], [weight, options]), {
    ...nllTable,
    labelSmoothing: [0, 0, 1],
  });
  const { reduction, labelSmoothing: smoothing } = given;
  const ignoreIndex = checkInteger(op, "ignoreIndex", given.ignoreIndex);
  const axis = classAxis(input);
  const classes = input.shape[axis]!;
  if (target.dtype === "f32" && input.ndim > 0 && sameShape(target.shape, input.shape)) {
    const weights = classWeight(op, given.weight, classes);
    if (ignoreIndex >= 0) throw rangeError(op, `probabilities have no class to ignore: ignoreIndex is ${ignoreIndex}`);
    return composed(op, tensors(input, target, weights), () => {
      const spread = smoothing === 0 ? target : add(mul(target, 1 - smoothing), smoothing / classes);
      let terms = mul(logSoftmax(input, axis), spread);
      if (weights) terms = mul(terms, reshape(weights, [classes, ...input.shape.slice(axis + 1).map(() => 1)]));
      return reduced(neg(sum(terms, axis)), reduction);
    });
  }
  checkClasses(op, input, target);
  const weights = classWeight(op, given.weight, classes);
  if (weights === null && smoothing === 0) {
    if (input.ndim === 2) return rowLosses(input, target, ignoreIndex, reduction);
    return composed(op, [input, target], () => {
      const losses = rowLosses(classRows(input, target.numel), target, ignoreIndex, reduction);
      return reduction === "none" ? reshape(losses, target.shape) : losses;
    });
  }
  return composed(op, tensors(input, target, weights), () => {
    const shares = logSoftmax(classRows(input, target.numel), 1);
    const { losses, mask, counts } = nllRows(op, shares, target, weights, ignoreIndex);
    if (smoothing === 0) return weighed(losses, counts, reduction, target);
    const even = neg(sum(weights === null ? shares : mul(shares, weights), 1));
    const all = add(
      mul(losses, 1 - smoothing),
      mul(keep(even, to(sum(to(mask, "f32"), 1), "bool")), smoothing / classes),
    );
    return weighed(all, counts, reduction, target);
  });
}

/** −weight·x[target] of each row of `[rows, classes]`, what each row counts, and the rows' classes. */
function nllRows(
  op: string,
  x: Tensor,
  target: Tensor,
  weight: Tensor | null,
  ignoreIndex: number,
): { losses: Tensor; counts: Tensor; mask: Tensor } {
  const mask = classMask(op, target, x.shape[1]!, ignoreIndex);
  const onehot = to(mask, "f32");
  const counts = sum(weight === null ? onehot : mul(onehot, weight), 1);
  // `keep` and not a product: another class's −Infinity times 0 would be NaN.
  const losses = neg(sum(keep(x, mask), 1));
  return { losses: weight === null ? losses : mul(losses, counts), counts, mask };
}

/**
 * Negative log likelihood: −weight·x[target], averaged over the rows that count. `[batch, classes], [batch] -> []`; also
 * `[batch, classes, …], [batch, …]` and `[classes], []`.
 *
 * @param input logarithms of probabilities, as logSoftmax gives them.
 * @param target class numbers, i32 or integer-valued f32.
 * @param options `weight` (also by position), `ignoreIndex`, `reduction`.
 * @throws RangeError for a target that is no class, with its position. PyTorch: `torch.nn.functional.nll_loss`.
 */
export function nllLoss(input: Tensor, target: Tensor, weight?: OrOptions<NllOptions>, options?: NllOptions): Tensor {
  const op = "nllLoss";
  checkClasses(op, input, target);
  const given = readOptions(op, optionsFrom<NllOptions>(op, ["weight"], [weight, options]), nllTable);
  const ignoreIndex = checkInteger(op, "ignoreIndex", given.ignoreIndex);
  const weights = classWeight(op, given.weight, input.shape[classAxis(input)]!);
  return composed(op, tensors(input, target, weights), () => {
    const { losses, counts } = nllRows(op, classRows(input, target.numel), target, weights, ignoreIndex);
    return weighed(losses, counts, given.reduction, target);
  });
}

/**
 * Multi-class hinge loss of scores s with class y: weight[y]·Σ_{j≠y} max(0, margin − s_y + s_j)^p / classes.
 * `[batch, classes], [batch] -> []`, or `[classes], [] -> []`. The lectures' multi-class SVM, Σ max(0, s_j − s_y + 1), is
 * `{ divideByClasses: false }`.
 *
 * @param target class numbers, i32 or integer-valued f32.
 * @param options `p`, `margin`, `weight`, `divideByClasses`, `reduction`.
 * @throws RangeError for a target that is no class. PyTorch: `torch.nn.functional.multi_margin_loss`.
 * @example
 * import { multiMarginLoss, tensor } from "gradine";
 * const scores = tensor([[3, 5, 1]]);
 * const label = tensor([0], { dtype: "i32" });
 * console.log(multiMarginLoss(scores, label, { divideByClasses: false }).item()); // 3
 */
export function multiMarginLoss(input: Tensor, target: Tensor, options: MultiMarginOptions = {}): Tensor {
  const op = "multiMarginLoss";
  checkClasses(op, input, target);
  if (input.ndim > 2) throw rangeError(op, `input must be [batch, classes] or [classes]: got ${show(input.shape)}`);
  const table = { p: [1, 1, 2], margin: [1], weight: [], divideByClasses: [true], reduction: reductions } as const;
  const { p, margin, weight, divideByClasses, reduction } = readOptions(op, options, table);
  checkInteger(op, "p", p);
  const classes = input.shape[classAxis(input)]!;
  const weights = classWeight(op, weight, classes);
  return composed(op, tensors(input, target, weights), () => {
    const x = classRows(input, target.numel);
    const mask = classMask(op, target, classes, noClass);
    const right = sum(keep(x, mask), { dim: 1, keepdim: true });
    const excess = relu(add(sub(x, right), margin));
    const losses = drop(p === 2 ? square(excess) : excess, mask);
    let rows = sum(losses, 1);
    if (weights) rows = mul(rows, sum(mul(to(mask, "f32"), weights), 1));
    if (divideByClasses) rows = div(rows, classes);
    return reduced(reduction === "none" ? reshape(rows, target.shape) : rows, reduction);
  });
}

/** Cross entropy of `[rows, classes]` with as many class numbers, fused: the loss of each row, or their sum or mean. */
function rowLosses(x: Tensor, target: Tensor, ignoreIndex: number, reduction: Reduction): Tensor {
  const op = "crossEntropy";
  const [rows, classes] = x.shape as readonly [number, number];
  const px = ptr(x);
  const pt = ptr(target);
  const isFloat = target.dtype === "f32" ? 1 : 0;
  const losses = allocate([rows], "f32", op);
  const lse = allocate([rows], "f32", "logsumexp");
  const bad = kernels.crossEntropy(px, pt, isFloat, ptr(losses), ptr(lse), rows, classes, ignoreIndex);
  if (bad >= 0) for (const t of [losses, lse]) t.release("within crossEntropy()");
  checkClass(op, bad, target, classes);
  let y = losses;
  let scale: Tensor | null = null; // one over the number of rows that count, for the mean
  if (reduction !== "none") {
    y = allocate([], "f32", op);
    scale = allocate([], "f32", op);
    kernels.reduceLosses(ptr(losses), pt, isFloat, rows, ignoreIndex, reduction === "mean" ? 1 : 0, ptr(y), ptr(scale));
    losses.release("within crossEntropy()");
  }
  const gradient = (gy: Tensor): Tensor => {
    if (isRecording()) {
      // (softmax(x)·counts − onehot)·gy·scale, with a row of zeros for a target that is ignored
      const onehot = to(classMask(op, target, classes, ignoreIndex), "f32");
      const counts = sum(onehot, { dim: 1, keepdim: true });
      const g = scale === null ? reshape(gy, [rows, 1]) : mul(gy, scale);
      return mul(sub(mul(softmax(x, 1), counts), onehot), g);
    }
    const from = ptr(x);
    const at = ptr(target);
    const g = ptr(gy);
    const gx = allocate(x.shape, "f32", op);
    const [stride, by] = scale === null ? [1, nullPtr] : [0, ptr(scale)];
    kernels.crossEntropyGrad(from, at, isFloat, ptr(lse), g, stride, by, ptr(gx), rows, classes, ignoreIndex);
    return gx;
  };
  record(op, y, [[x, gradient]], scale === null ? [x, target, lse] : [x, target, lse, scale]);
  goesWith(y, lse);
  if (scale !== null) goesWith(y, scale);
  return y;
}
