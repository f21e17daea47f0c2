// Penalties on weights, to be added to a loss: over the parameters that are named, such as a layer's weights without biases.
import { checkNumber, rangeError } from "../error.js";
import { abs, add, mul, square, sum } from "../ops/index.js";
import { composed } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { listOf, type Parameters } from "./clip.js";

/** factor · (sum of `term` over all parameters). */
function penalty(op: string, parameters: Parameters, factor: number, term: (x: Tensor) => Tensor): Tensor {
  checkNumber(op, "factor", factor, 0);
  const list = listOf(op, parameters);
  if (list.length === 0) throw rangeError(op, "got no parameters");
  return composed(op, list, () =>
    mul(
      list.map((x) => sum(term(x))).reduce((total, one) => add(total, one)),
      factor,
    ),
  );
}

/** factor · Σ|w|: draws weights to exactly 0. */
export function l1Penalty(parameters: Parameters, factor: number): Tensor {
  return penalty("l1Penalty", parameters, factor, abs);
}

/**
 * factor · Σw². (An optimizer's `weightDecay` of 2·factor does the same without a term in the loss.)
 *
 * @example
 * import { tensor } from "gradine";
 * import { l2Penalty } from "gradine/optim";
 * console.log(l2Penalty([tensor([1, 2]), tensor([3])], 0.5).item()); // 7
 */
export function l2Penalty(parameters: Parameters, factor: number): Tensor {
  return penalty("l2Penalty", parameters, factor, square);
}

/** l1 · Σ|w| + l2 · Σw² (Zou and Hastie 2005). */
export function elasticNet(parameters: Parameters, factors: { readonly l1: number; readonly l2: number }): Tensor {
  const list = listOf("elasticNet", parameters);
  return composed("elasticNet", list, () => add(l1Penalty(list, factors.l1), l2Penalty(list, factors.l2)));
}
