// Counting: histograms of values and of integers.

import { checkInteger, rangeError, readOptions, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { composed, unrecorded } from "../tape/index.js";
import { allocate, ptr, type Tensor } from "../tensor/index.js";
import { filled } from "./along.js";
import { type OrOptions, optionsFrom } from "./arguments.js";
import { checkFits, checkNumeric } from "./checks.js";
import { checkFloat } from "./launch.js";
import { amax } from "./reduce.js";

/** Options of `histc`. */
export interface HistcOptions {
  /** Number of bins; default 100. */
  readonly bins?: number;
  /** Ends of the range; default, or both equal: those of the data. */
  readonly min?: number;
  readonly max?: number;
}

/**
 * How many elements fall into each of equally wide bins, f32 `[bins]`. The last bin holds `max` itself; elements outside
 * (and NaN, if the ends are given) are not counted.
 *
 * @throws RangeError for ends that are not finite, also when they are the data's. PyTorch: `torch.histc`.
 * @example
 * import { histc, tensor } from "gradine";
 * console.log(histc(tensor([1, 2, 1, 4]), { bins: 4, min: 0, max: 4 }).toArray()); // [0, 2, 1, 1]
 */
export function histc(x: Tensor, options: HistcOptions = {}): Tensor {
  checkFloat("histc", "x", x);
  const { bins, min, max } = readOptions("histc", options, { bins: [100], min: [0], max: [0, options?.min ?? 0] });
  checkInteger("histc", "bins", bins, 1);
  const from = ptr(x);
  const y = allocate([bins], "f32", "histc");
  if (kernels.histogram(from, ptr(y), x.numel, bins, min, max) !== 0) {
    y.release("within histc()");
    throw rangeError("histc", "the range of the elements is not finite", "Give min and max.");
  }
  return unrecorded("histc", y, [x]);
}

/** Options of `bincount`. */
export interface BincountOptions {
  /** f32, one for each element: what it counts. Default 1. */
  readonly weights?: Tensor | null | undefined;
  /** Least length of the result; default 0. */
  readonly minlength?: number;
}

/**
 * How often each of 0, 1, 2, … comes in a vector: i32 `[max + 1]`, or the sums of weights, f32. The largest element is
 * read on the host, since it is the size.
 *
 * @param x vector of integers, none negative.
 * @param options `weights` (also by position), `minlength`.
 * @throws RangeError for a negative element, with its position. PyTorch: `torch.bincount`.
 * @example
 * import { bincount, tensor } from "gradine";
 * console.log(bincount(tensor([1, 3, 1], { dtype: "i32" })).toArray()); // [0, 2, 0, 1]
 */
export function bincount(x: Tensor, weights?: OrOptions<BincountOptions>, options?: BincountOptions): Tensor {
  const op = "bincount";
  checkNumeric(op, "x", x);
  if (x.ndim !== 1) throw rangeError(op, `takes a vector: x is ${show(x.shape)}`);
  const given = optionsFrom<BincountOptions>(op, ["weights"], [weights, options]);
  const { weights: by, minlength } = readOptions(op, given, { weights: [], minlength: [0, 0] });
  checkInteger(op, "minlength", minlength);
  if (by) {
    checkFloat(op, "weights", by);
    checkFits(op, "weights", by, x.shape);
  }
  const y = composed(op, [], () => {
    const plain = allocate(x.shape, "i32", op);
    const bad = kernels.resolveIndex(ptr(x), ptr(plain), x.numel, 2147483647, Number(x.dtype === "f32"));
    if (bad >= 0) {
      throw rangeError(
        op,
        `takes integers from 0: got ${x.toTypedArray()[bad]} (element ${bad} of x ${show(x.shape)})`,
      );
    }
    const n = Math.max(minlength, x.numel === 0 ? 0 : amax(plain).item() + 1);
    const counts = filled([n], by ? "f32" : "i32", op, 0);
    const add = by ?? filled(x.shape, "i32", op, 1);
    kernels.scatter(ptr(add), ptr(plain), ptr(counts), 1, n, x.numel, 1, by ? 1 : 2);
    return counts;
  });
  return unrecorded(op, y, by ? [x, by] : [x]);
}
