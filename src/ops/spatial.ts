// What windowed ops share: sizes by axis from numbers or arrays, paddings, and sizes of results.
import { checkInteger, describe, rangeError, show, typeError } from "../error.js";
import type { Shape } from "../shape.js";
import type { Tensor } from "../tensor/index.js";

/** One number for all axes, or one an axis. */
export type PerAxis = number | readonly number[];

/** `value` as n integers of at least `low`. */
export function perAxis(op: string, name: string, value: unknown, n: number, low: number): number[] {
  if (!Array.isArray(value)) {
    if (typeof value !== "number")
      throw typeError(op, `${name} must be a number or an array of ${n}: got ${describe(value)}`);
    return new Array<number>(n).fill(checkInteger(op, name, value, low));
  }
  if (value.length !== n)
    throw rangeError(op, `${name} must have one number for each of ${n} axes: got ${show(value)}`);
  return value.map((v, axis) => checkInteger(op, `${name}[${axis}]`, v, low));
}

/** Throws unless x has n spatial axes behind `[batch, channels]` or `[channels]`, none empty but the batch. */
export function checkSpatial(op: string, x: Tensor, n: number): void {
  if (x.ndim !== n + 1 && x.ndim !== n + 2) {
    const axes = ["length", "height, width", "depth, height, width"][n - 1];
    throw rangeError(op, `x must be [batch, channels, ${axes}] or [channels, ${axes}]: got ${show(x.shape)} (x)`);
  }
  for (let axis = x.ndim - n - 1; axis < x.ndim; axis++) {
    if (x.shape[axis] === 0) throw rangeError(op, `only the batch may be empty: x is ${show(x.shape)} (axis ${axis})`);
  }
}

/** The axes of x before the channels: [batch] or none. */
export const leadingOf = (x: Tensor, n: number): Shape => x.shape.slice(0, x.ndim - n - 1);

/** Three axes for the kernels, which know no fewer: missing ones come first. */
export function threeAxes(values: Shape, missing: number): [number, number, number] {
  const all = [missing, missing, ...values].slice(-3);
  return [all[0]!, all[1]!, all[2]!];
}

/** How many windows of `kernel` elements, `dilation` apart, fit every `stride` into `size` and its borders. */
export function windowsIn(size: number, kernel: number, stride: number, border: number, dilation: number): number {
  return Math.floor((size + border - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** Throws unless windows fit on every axis; `window` describes them. */
export function checkWindows(op: string, input: Shape, output: Shape, window: () => string): void {
  if (output.some((size) => size < 1)) {
    throw rangeError(
      op,
      `the window is larger than the input: input ${show(input)}, ${window()}, output ${show(output)}`,
    );
  }
}
