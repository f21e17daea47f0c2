// What losses share: how a batch of losses becomes one number, and checks of their operands.
import { describe, rangeError, show } from "../error.js";
import { sameShape } from "../shape.js";
import type { Tensor } from "../tensor/index.js";
import { checkFloat } from "./launch.js";
import { mean, sum } from "./reduce.js";

/** How the losses of a batch become one number: their mean, their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

/** Options that all losses share. */
export interface LossOptions {
  /** Default "mean". */
  readonly reduction?: Reduction;
}

export function checkReduction(op: string, reduction: unknown = "mean"): Reduction {
  if (reduction === "mean" || reduction === "sum" || reduction === "none") return reduction;
  throw rangeError(op, `reduction must be "mean", "sum" or "none": got ${describe(reduction)}`);
}

/** The losses, their sum or their mean. */
export function reduced(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === "none") return losses;
  return reduction === "sum" ? sum(losses) : mean(losses);
}

/** Throws unless both are f32 of one shape. (PyTorch warns of other shapes and broadcasts, which is never what is meant.) */
export function checkPair(op: string, input: unknown, target: unknown): void {
  checkFloat(op, "input", input);
  checkFloat(op, "target", target);
  if (!sameShape(input.shape, target.shape)) {
    throw rangeError(op, `shapes differ: input is ${show(input.shape)}, target is ${show(target.shape)}`);
  }
}
