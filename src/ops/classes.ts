// Class numbers as targets: their place beside the logits, and their one-hot rows.
import { rangeError, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { unrecorded } from "../tape/index.js";
import { allocate, ptr, type Tensor } from "../tensor/index.js";
import { checkFits, checkNumeric } from "./checks.js";
import { checkFloat } from "./launch.js";
import { permute, reshape } from "./layout.js";

/** The axis of the classes: `[classes]`, or `[batch, classes, …]`. */
export const classAxis = (input: Tensor): number => (input.ndim === 1 ? 0 : 1);

/** Throws unless input is `[batch, classes, …]` or `[classes]`, and target as many class numbers: `[batch, …]` or `[]`. */
export function checkClasses(op: string, input: Tensor, target: Tensor): void {
  checkFloat(op, "input", input);
  checkNumeric(op, "target", target);
  const expected = input.shape.filter((_, i) => i !== classAxis(input));
  if (input.ndim === 0) throw rangeError(op, "input must be [batch, classes, …]: got []");
  checkFits(op, "target", target, expected, ` for an input of ${show(input.shape)}`);
}

/** The input as `[rows, classes]`, a row for each target. */
export function classRows(input: Tensor, rows: number): Tensor {
  if (input.ndim === 2) return input;
  const last = input.ndim === 1 ? input : permute(input, [0, ...input.shape.map((_, i) => i).slice(2), 1]);
  return reshape(last, [rows, input.shape[classAxis(input)]!]);
}

/** Throws for the position that a kernel answered with; -1 is none. */
export function checkClass(op: string, bad: number, target: Tensor, classes: number, name = "target"): void {
  if (bad < 0) return;
  throw rangeError(
    op,
    `${name} ${target.toTypedArray()[bad]} is no class of ${classes} (element ${bad} of ${name} ${show(target.shape)})`,
    `Classes are integers from 0 to ${classes - 1}.`,
  );
}

/** `[rows, classes]`, bool: true at each row's class; a row whose target is `ignoreIndex` is false throughout. */
export function classMask(op: string, target: Tensor, classes: number, ignoreIndex: number): Tensor {
  const from = ptr(target);
  const mask = allocate([target.numel, classes], "bool", op);
  const isFloat = target.dtype === "f32" ? 1 : 0;
  const bad = kernels.oneHotRows(from, isFloat, ptr(mask), target.numel, classes, ignoreIndex);
  if (bad >= 0) mask.release(`within ${op}()`);
  checkClass(op, bad, target, classes);
  return unrecorded(op, mask, [target]);
}
