// Padding.
import { checkChoice, checkInteger, checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { stridesOf } from "../shape.js";
import { composed } from "../tape/index.js";
import { checkTensor, type Tensor, tensor } from "../tensor/index.js";
import { selectAlong } from "./along.js";
import { reshape, slice } from "./layout.js";
import { putWindow } from "./window.js";

/** Options of `pad`. */
export interface PadOptions {
  /**
   * What is put around: a constant, the mirror image without the edge ("reflect"), the edge ("replicate"), or the other
   * end ("circular"). Default "constant".
   */
  readonly mode?: "constant" | "reflect" | "replicate" | "circular";
  /** The constant; default 0. */
  readonly value?: number;
}

/**
 * x with elements put before and after along axes, counted from the last: `[left, right]` of the last axis,
 * `[left, right, top, bottom]` of the last two, … Negative amounts cut off.
 *
 * @throws RangeError for an odd number of amounts, more than axes, or more than the mode has elements for.
 * PyTorch: `nn.functional.pad`.
 * @example
 * import { pad, tensor } from "gradine";
 * const x = tensor([1, 2, 3]);
 * console.log(pad(x, [1, 1]).toArray(), pad(x, [2, 0], { mode: "reflect" }).toArray()); // [0, 1, 2, 3, 0] [3, 2, 1, 2, 3]
 */
export function pad(x: Tensor, pad: readonly number[], options: PadOptions = {}): Tensor {
  checkTensor("pad", "x", x);
  checkOptions("pad", options, ["mode", "value"]);
  const mode = checkChoice("pad", "mode", options.mode ?? "constant", ["constant", "reflect", "replicate", "circular"]);
  // NaN and the infinities are values like any other here.
  const { value = 0 } = options;
  if (typeof value !== "number") throw typeError("pad", `value must be a number: got ${describe(value)}`);
  if (!Array.isArray(pad) || pad.length % 2 !== 0 || pad.length > 2 * x.ndim) {
    throw rangeError("pad", `takes two amounts an axis, from the last: got ${describe(pad)} for ${show(x.shape)}`);
  }
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  for (let i = 0; i < pad.length; i += 2) {
    const axis = x.ndim - 1 - i / 2;
    before[axis] = checkInteger("pad", `pad[${i}]`, pad[i]);
    after[axis] = checkInteger("pad", `pad[${i + 1}]`, pad[i + 1]);
    const n = x.shape[axis]!;
    const size = n + before[axis] + after[axis];
    const most = mode === "reflect" ? n - 1 : mode === "circular" ? n : mode === "replicate" && n === 0 ? 0 : Infinity;
    if (size < 0 || Math.max(before[axis], after[axis]) > most) {
      throw rangeError(
        "pad",
        `cannot pad axis ${axis} of ${show(x.shape)} by ${before[axis]} and ${after[axis]} (${mode})`,
      );
    }
  }
  if (mode === "constant") return composed("pad", [x], () => padConstant(x, before, after, value));
  return composed("pad", [x], () => {
    let y = x;
    for (let axis = 0; axis < x.ndim; axis++) {
      if (before[axis] !== 0 || after[axis] !== 0) y = padAxis(y, axis, before[axis]!, after[axis]!, mode);
    }
    return y === x ? reshape(x, x.shape) : y;
  });
}

/** Negative amounts cut first; the rest is put into a tensor of the value. */
function padConstant(x: Tensor, before: readonly number[], after: readonly number[], value: number): Tensor {
  const cut = before.map((n, i) => [Math.max(0, -n), x.shape[i]! + Math.min(0, after[i]!)] as const);
  const inner = slice(x, cut);
  const shape = inner.shape.map((n, i) => n + Math.max(0, before[i]!) + Math.max(0, after[i]!));
  const strides = stridesOf(shape);
  const start = strides.reduce((sum, stride, i) => sum + stride * Math.max(0, before[i]!), 0);
  return putWindow("pad", inner, shape, { start, shape: inner.shape, strides }, value);
}

/** One axis by an index of where each place's value comes from. */
function padAxis(x: Tensor, axis: number, before: number, after: number, mode: string): Tensor {
  const n = x.shape[axis]!;
  const source = Int32Array.from({ length: n + before + after }, (_, i) => {
    const at = i - before;
    if (mode === "replicate") return Math.min(Math.max(at, 0), n - 1);
    if (mode === "circular") return (at + n) % n;
    return at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at;
  });
  return selectAlong("pad", x, axis, tensor(source));
}
