// Losses of distances and angles between embeddings.
import { rangeError, readOptions, show } from "../error.js";
import { broadcastShapes, sameShape } from "../shape.js";
import { composed } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { relu } from "./activation.js";
import { minimum } from "./arithmetic.js";
import { checkNumeric } from "./checks.js";
import { eq } from "./compare.js";
import { add, div, mul, sqrt, square, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { keep } from "./mask.js";
import { sum } from "./reduce.js";
import { type LossOptions, reduced, reductions } from "./reduction.js";
import { vectorNorm } from "./vector-norm.js";

/** Options of `cosineEmbeddingLoss`. */
export interface CosineEmbeddingOptions extends LossOptions {
  /** Cosine below which pairs with target −1 cost nothing, from −1 to 1; default 0. */
  readonly margin?: number;
}

/**
 * 1 − cos(x1, x2) where the target is 1, max(0, cos(x1, x2) − margin) where it is −1.
 * `[batch, features], [batch, features], [batch] -> []`, or `[features], [features], [] -> []`.
 *
 * @param target 1 or −1, f32 or i32.
 * @param options `margin`, `reduction`. PyTorch: `torch.nn.functional.cosine_embedding_loss`.
 */
export function cosineEmbeddingLoss(
  x1: Tensor,
  x2: Tensor,
  target: Tensor,
  options: CosineEmbeddingOptions = {},
): Tensor {
  const op = "cosineEmbeddingLoss";
  checkFloat(op, "x1", x1);
  checkFloat(op, "x2", x2);
  checkNumeric(op, "target", target);
  const { margin, reduction } = readOptions(op, options, { margin: [0], reduction: reductions });
  if (
    !sameShape(x1.shape, x2.shape) ||
    x1.ndim === 0 ||
    !sameShape(target.shape, x1.shape.slice(0, -1)) ||
    x1.ndim > 2
  ) {
    throw rangeError(
      op,
      `x1 is ${show(x1.shape)}, x2 ${show(x2.shape)}, target ${show(target.shape)}`,
      "They are [batch, features] twice and [batch], or [features] twice and [].",
    );
  }
  return composed(op, [x1, x2, target], () => {
    const tiny = 1e-12;
    const sizes = mul(add(sum(square(x1), -1), tiny), add(sum(square(x2), -1), tiny));
    const cosine = div(sum(mul(x1, x2), -1), sqrt(sizes));
    const losses = add(keep(sub(1, cosine), eq(target, 1)), keep(relu(sub(cosine, margin)), eq(target, -1)));
    return reduced(losses, reduction);
  });
}

/** Options of `tripletMarginLoss`. */
export interface TripletMarginOptions extends LossOptions {
  /** By how much the negative should be further away than the positive; default 1. */
  readonly margin?: number;
  /** Norm of the distances; default 2. */
  readonly p?: number;
  /** Added to each difference, so that no distance is 0; default 1e-6. */
  readonly eps?: number;
  /** Take the negative's distance from the positive where that is smaller (Balntas et al. 2016); default false. */
  readonly swap?: boolean;
}

/**
 * max(0, d(anchor, positive) − d(anchor, negative) + margin), d(a, b) = ‖a − b + eps‖_p over the last axis.
 * `[batch, features]` three times -> `[]`; also `[features]`, and shapes that broadcast.
 *
 * @param options `margin`, `p`, `eps`, `swap`, `reduction`. PyTorch: `torch.nn.functional.triplet_margin_loss`.
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginOptions = {},
): Tensor {
  const op = "tripletMarginLoss";
  checkFloat(op, "anchor", anchor);
  checkFloat(op, "positive", positive);
  checkFloat(op, "negative", negative);
  const table = { margin: [1], p: [2, 0], eps: [1e-6], swap: [false], reduction: reductions } as const;
  const { margin, p, eps, swap, reduction } = readOptions(op, options, table);
  if (anchor.ndim === 0 || anchor.ndim !== positive.ndim || anchor.ndim !== negative.ndim) {
    throw rangeError(
      op,
      `anchor is ${show(anchor.shape)}, positive ${show(positive.shape)}, negative ${show(negative.shape)}`,
      "They have the same axes, the last of features.",
    );
  }
  broadcastShapes(op, broadcastShapes(op, anchor.shape, positive.shape), negative.shape);
  return composed(op, [anchor, positive, negative], () => {
    const distance = (a: Tensor, b: Tensor) => vectorNorm(add(sub(a, b), eps), p, { dim: -1 });
    const near = distance(anchor, positive);
    let far = distance(anchor, negative);
    if (swap) far = minimum(far, distance(positive, negative));
    return reduced(relu(add(sub(near, far), margin)), reduction);
  });
}
