// Metrics of a batch.
import { checkInteger, checkKind, rangeError, show } from "../error.js";
import { argmax } from "../ops/index.js";
import { sameShape } from "../shape.js";
import { noGrad } from "../tape/index.js";
import { checkTensor, Tensor } from "../tensor/index.js";

/** Throws unless a target has a class for each row of an output, or for `single` scores one element each. */
export function checkTarget(op: string, output: Tensor, target: Tensor, single = false): void {
  const expected = output.shape.filter((_, i) => i !== 1);
  const fits = single ? output.numel === target.numel : output.ndim > 1 && sameShape(target.shape, expected);
  if (fits) return;
  const wanted = `target must be ${show(expected)} for an output of ${show(output.shape)}`;
  throw rangeError(op, `${wanted}: got ${show(target.shape)}`);
}

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
  checkTensor("accuracy", "output", output);
  checkTensor("accuracy", "target", target);
  checkTarget("accuracy", output, target);
  const predicted = noGrad(() => argmax(output, 1).toTypedArray());
  const wanted = target.toTypedArray();
  let hits = 0;
  for (let i = 0; i < predicted.length; i++) if (predicted[i] === wanted[i]) hits++;
  return hits / predicted.length;
}

/** Classes as numbers: a tensor of one axis, or what is like an array. */
function classesOf(name: string, classes: Tensor | ArrayLike<number>): ArrayLike<number> {
  if (classes instanceof Tensor) {
    if (classes.ndim === 1) return classes.toTypedArray();
    throw rangeError(
      "confusionMatrix",
      `${name} must have one axis: got ${show(classes.shape)}`,
      "Take argmax(1) of logits.",
    );
  }
  const fits = typeof classes?.length === "number";
  checkKind("confusionMatrix", fits, `${name} must be a tensor or an array of classes`, classes);
  return classes;
}

/**
 * Counts of (true class, predicted class): `[classes][classes]`, a row a true class.
 *
 * @param predicted classes, as a tensor `[samples]` or an array; of logits take `argmax(1)`.
 * @throws RangeError for a class out of range.
 */
export function confusionMatrix(
  predicted: Tensor | ArrayLike<number>,
  target: Tensor | ArrayLike<number>,
  classes: number,
): number[][] {
  checkInteger("confusionMatrix", "classes", classes, 1);
  const columns = classesOf("predicted", predicted);
  const rows = classesOf("target", target);
  if (columns.length !== rows.length) {
    throw rangeError("confusionMatrix", `lengths differ: ${columns.length} predictions, ${rows.length} targets`);
  }
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < rows.length; i++) {
    const row = checkInteger("confusionMatrix", `target[${i}]`, rows[i], 0, classes - 1);
    counts[row]![checkInteger("confusionMatrix", `predicted[${i}]`, columns[i], 0, classes - 1)]! += 1;
  }
  return counts;
}
