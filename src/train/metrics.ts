// Metrics of a batch.
import { checkInteger, rangeError, show } from "../error.js";
import { argmax } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";

/**
 * Share of rows whose largest output is the target's class. `[batch, classes], [batch] -> number`; further axes count
 * as rows: `[batch, classes, …], [batch, …]`.
 *
 * @throws RangeError when the shapes do not fit.
 * @example
 * import { tensor } from "gradine";
 * import { accuracy } from "gradine/train";
 * console.log(accuracy(tensor([[2, 1], [0, 3]]), tensor([0, 0]))); // 0.5
 */
export function accuracy(output: Tensor, target: Tensor): number {
  const expected = output.shape.filter((_, i) => i !== 1);
  if (output.ndim < 2 || show(target.shape) !== show(expected)) {
    throw rangeError(
      "accuracy",
      `target must be ${show(expected)} for an output of ${show(output.shape)}: got ${show(target.shape)}`,
    );
  }
  const predicted = noGrad(() => argmax(output, 1).toTypedArray());
  const wanted = target.toTypedArray();
  let hits = 0;
  for (let i = 0; i < predicted.length; i++) if (predicted[i] === wanted[i]) hits++;
  return hits / predicted.length;
}

/**
 * Counts of (true class, predicted class): `[classes][classes]`, a row a true class.
 *
 * @throws RangeError for a class out of range.
 */
export function confusionMatrix(predicted: ArrayLike<number>, target: ArrayLike<number>, classes: number): number[][] {
  checkInteger("confusionMatrix", "classes", classes, 1);
  if (predicted.length !== target.length) {
    throw rangeError("confusionMatrix", `lengths differ: ${predicted.length} predictions, ${target.length} targets`);
  }
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < target.length; i++) {
    const row = checkInteger("confusionMatrix", `target[${i}]`, target[i], 0, classes - 1);
    counts[row]![checkInteger("confusionMatrix", `predicted[${i}]`, predicted[i], 0, classes - 1)]! += 1;
  }
  return counts;
}
