// Counting: histograms of values and of integers.
import { checkInteger, checkNumber, checkOptions, rangeError, show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { composed, unrecorded } from "../tape/index.js";
import { allocate, checkTensor, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { checkIndex } from "./along.js";
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
  checkOptions("histc", options, ["bins", "min", "max"]);
  const bins = checkInteger("histc", "bins", options.bins ?? 100, 1);
  const low = checkNumber("histc", "min", options.min ?? 0);
  const high = checkNumber("histc", "max", options.max ?? 0, low);
  const from = ptr(x);
  const y = allocate([bins], "f32", "histc");
  if (kernels.histogram(from, ptr(y), x.numel, bins, low, high) !== 0) {
    y.release("within histc()");
    throw rangeError("histc", "the range of the elements is not finite", "Give min and max.");
  }
  return unrecorded("histc", y, [x]);
}

/**
 * How often each of 0, 1, 2, … comes in a vector: i32 `[max + 1]`, or the sums of weights, f32. The largest element is
 * read on the host, since it is the size.
 *
 * @param x vector of integers, none negative.
 * @param weights f32, one for each element.
 * @param options `minlength`: least length of the result, default 0.
 * @throws RangeError for a negative element, with its position. PyTorch: `torch.bincount`.
 * @example
 * import { bincount, tensor } from "gradine";
 * console.log(bincount(tensor([1, 3, 1], { dtype: "i32" })).toArray()); // [0, 2, 0, 1]
 */
export function bincount(
  x: Tensor,
  weights?: Tensor | { readonly minlength?: number },
  options?: { readonly minlength?: number },
): Tensor {
  const op = "bincount";
  checkIndex(op, "x", x);
  if (x.ndim !== 1) throw rangeError(op, `takes a vector: x is ${show(x.shape)}`);
  const isOptions = weights !== undefined && !("dtype" in weights);
  const given = (isOptions ? (weights as { readonly minlength?: number }) : options) ?? {};
  checkOptions(op, given, ["minlength"]);
  const minlength = checkInteger(op, "minlength", given.minlength ?? 0, 0);
  const by = isOptions ? undefined : (weights as Tensor | undefined);
  if (by !== undefined) {
    checkTensor(op, "weights", by);
    if (by.dtype !== "f32") throw typeError(op, `weights must be f32: got ${by.dtype}`);
    if (by.ndim !== 1 || by.numel !== x.numel) {
      throw rangeError(op, `takes a weight for each element: x is ${show(x.shape)}, weights are ${show(by.shape)}`);
    }
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
    const counts = allocate([n], by ? "f32" : "i32", op);
    fillWith(counts, 0);
    const add = by ?? allocate(x.shape, "i32", op);
    if (by === undefined) fillWith(add, 1);
    kernels.scatter(ptr(add), ptr(plain), ptr(counts), 1, n, x.numel, 1, by ? 1 : 2);
    return counts;
  });
  return unrecorded(op, y, by ? [x, by] : [x]);
}
