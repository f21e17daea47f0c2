// Losses.
import { checkInteger, checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { nullPtr } from "../memory/index.js";
import { sameShape } from "../shape.js";
import { composed, goesWith, isRecording, record } from "../tape/index.js";
import { allocate, checkTensor, ptr, type Tensor } from "../tensor/index.js";
import { mul, square, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { permute, reshape } from "./layout.js";
import { sum } from "./reduce.js";
import { softmax } from "./softmax.js";

/** How the losses of a batch become one number: their mean, their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

/** Options that all losses share. */
export interface LossOptions {
  /** Default "mean". */
  readonly reduction?: Reduction;
}

function checkReduction(op: string, reduction: unknown): Reduction {
  if (reduction === "mean" || reduction === "sum" || reduction === "none") return reduction;
  throw rangeError(op, `reduction must be "mean", "sum" or "none": got ${describe(reduction)}`);
}

/**
 * Mean squared error: mean of (input − target)². `[…] , […] -> []`.
 *
 * @param options `reduction`: "mean" (default), "sum", or "none" (the shape of the input).
 * @throws RangeError when the shapes differ (PyTorch warns and broadcasts). PyTorch: `torch.nn.functional.mse_loss`.
 * @example
 * import { mseLoss, tensor } from "gradine";
 * console.log(mseLoss(tensor([1, 2]), tensor([1, 4])).item()); // 2
 */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkFloat("mseLoss", "input", input);
  checkFloat("mseLoss", "target", target);
  checkOptions("mseLoss", options, ["reduction"]);
  const reduction = checkReduction("mseLoss", options.reduction ?? "mean");
  if (!sameShape(input.shape, target.shape)) {
    throw rangeError("mseLoss", `shapes differ: input is ${show(input.shape)}, target is ${show(target.shape)}`);
  }
  if (reduction === "none") return composed("mseLoss", [input, target], () => square(sub(input, target)));
  const scale = reduction === "mean" ? 1 / input.numel : 1;
  const a = ptr(input);
  const b = ptr(target);
  const y = allocate([], "f32", "mseLoss");
  kernels.mse(a, b, ptr(y), input.numel, scale);
  // The gradient of the target is that of the input with the sides exchanged.
  return record(
    "mseLoss",
    y,
    [
      [input, (gy) => mseGrad(input, target, gy, scale)],
      [target, (gy) => mseGrad(target, input, gy, scale)],
    ],
    [input, target],
  );
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

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends LossOptions {
  /** A class number whose rows count for nothing; default −100. */
  readonly ignoreIndex?: number;
}

/**
 * Cross entropy of logits with class numbers: logsumexp(x) − x[target], averaged over the rows that count.
 * `[batch, classes], [batch] -> []`; also `[batch, classes, …], [batch, …]` and `[classes], []`.
 *
 * @param target class numbers, i32 or integer-valued f32.
 * @param options `ignoreIndex`, `reduction`.
 * @throws RangeError for a target outside 0..classes−1 or not an integer, with its position. PyTorch:
 *   `torch.nn.functional.cross_entropy`.
 * @example
 * import { crossEntropy, tensor } from "gradine";
 * const loss = crossEntropy(tensor([[2, 0], [0, 2]]), tensor([0, 1], { dtype: "i32" }));
 * console.log(loss.item().toFixed(4)); // 0.1269
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkFloat("crossEntropy", "input", input);
  checkTensor("crossEntropy", "target", target);
  checkOptions("crossEntropy", options, ["ignoreIndex", "reduction"]);
  const reduction = checkReduction("crossEntropy", options.reduction ?? "mean");
  const ignoreIndex = checkInteger("crossEntropy", "ignoreIndex", options.ignoreIndex ?? -100);
  if (target.dtype === "bool")
    throw typeError("crossEntropy", "target holds class numbers: got bool", 'Convert with to("i32").');
  const axis = input.ndim === 1 ? 0 : 1;
  const expected = input.shape.filter((_, i) => i !== axis);
  if (input.ndim === 0 || !sameShape(target.shape, expected)) {
    throw rangeError(
      "crossEntropy",
      `target must be ${show(expected)} for an input of ${show(input.shape)}: got ${show(target.shape)}`,
      "input is [batch, classes, …], target [batch, …].",
    );
  }
  if (input.ndim === 2) return rowLosses(input, target, ignoreIndex, reduction);
  return composed("crossEntropy", [input, target], () => {
    const last = input.ndim === 1 ? input : permute(input, [0, ...input.shape.map((_, i) => i).slice(2), 1]);
    const rows = reshape(last, [target.numel, input.shape[axis]!]);
    const losses = rowLosses(rows, target, ignoreIndex, reduction);
    return reduction === "none" ? reshape(losses, target.shape) : losses;
  });
}

/** `[rows, classes]` and as many targets: the loss of each row, or their sum or mean. */
function rowLosses(x: Tensor, target: Tensor, ignoreIndex: number, reduction: Reduction): Tensor {
  const [rows, classes] = x.shape as readonly [number, number];
  const px = ptr(x);
  const pt = ptr(target);
  const isFloat = target.dtype === "f32" ? 1 : 0;
  const losses = allocate([rows], "f32", "crossEntropy");
  const lse = allocate([rows], "f32", "logsumexp");
  const bad = kernels.crossEntropy(px, pt, isFloat, ptr(losses), ptr(lse), rows, classes, ignoreIndex);
  if (bad >= 0) {
    const value = target.toTypedArray()[bad];
    losses.release("within crossEntropy()");
    lse.release("within crossEntropy()");
    throw rangeError(
      "crossEntropy",
      `target ${value} is no class of ${classes} (element ${bad} of target ${show(target.shape)})`,
      `Targets are integers from 0 to ${classes - 1}.`,
    );
  }
  let y = losses;
  let scale: Tensor | null = null; // one over the number of rows that count, for the mean
  if (reduction !== "none") {
    y = allocate([], "f32", "crossEntropy");
    scale = allocate([], "f32", "crossEntropy");
    kernels.reduceLosses(ptr(losses), pt, isFloat, rows, ignoreIndex, reduction === "mean" ? 1 : 0, ptr(y), ptr(scale));
    losses.release("within crossEntropy()");
  }
  const gradient = (gy: Tensor): Tensor => {
    if (isRecording()) {
      // (softmax(x)·counts − onehot)·gy·scale, with a row of zeros for a target that is ignored
      const onehot = allocate(x.shape, "f32", "oneHot");
      kernels.oneHotRows(ptr(target), isFloat, ptr(onehot), rows, classes, ignoreIndex);
      const counts = sum(onehot, { dim: 1, keepdim: true });
      const g = scale === null ? reshape(gy, [rows, 1]) : mul(gy, scale);
      return mul(sub(mul(softmax(x, 1), counts), onehot), g);
    }
    const from = ptr(x);
    const at = ptr(target);
    const g = ptr(gy);
    const gx = allocate(x.shape, "f32", "crossEntropy");
    const stride = scale === null ? 1 : 0;
    kernels.crossEntropyGrad(
      from,
      at,
      isFloat,
      ptr(lse),
      g,
      stride,
      scale === null ? nullPtr : ptr(scale),
      ptr(gx),
      rows,
      classes,
      ignoreIndex,
    );
    return gx;
  };
  record("crossEntropy", y, [[x, gradient]], scale === null ? [x, target, lse] : [x, target, lse, scale]);
  goesWith(y, lse);
  if (scale !== null) goesWith(y, scale);
  return y;
}
