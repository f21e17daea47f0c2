// Masks: filling, selecting, and listing what is not zero.

import { checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { broadcastShapes, type Shape, sameShape } from "../shape.js";
import { composed, unrecorded } from "../tape/index.js";
import { allocate, checkTensor, ptr, Tensor, tensor } from "../tensor/index.js";
import { selectAlong } from "./along.js";
import { checkSameType } from "./checks.js";
import { where } from "./compare.js";
import { unbind } from "./join.js";
import { expand, reshape } from "./layout.js";
import { nonzeroPositions } from "./positions.js";

/** Throws unless `mask` is a bool tensor. */
function checkMask(op: string, mask: unknown): asserts mask is Tensor {
  checkTensor(op, "mask", mask);
  if (mask.dtype !== "bool") throw typeError(op, `mask must be bool: got ${mask.dtype}`, 'Convert with to("bool").');
}

/** x stretched to a shape, or x. */
const wide = (x: Tensor, shape: Shape): Tensor => (sameShape(x.shape, shape) ? x : expand(x, shape));

/**
 * x with a value where the mask is true; mask and x broadcast (PyTorch: the mask only).
 *
 * @param value number, boolean, or 0-d tensor of x's dtype.
 * @throws TypeError for a mask that is not bool. PyTorch: `torch.masked_fill`.
 * @example
 * import { maskedFill, tensor } from "gradine";
 * console.log(maskedFill(tensor([1, 2, 3]), tensor([true, false, true]), -1).toArray()); // [-1, 2, -1]
 */
export function maskedFill(x: Tensor, mask: Tensor, value: number | boolean | Tensor): Tensor {
  checkTensor("maskedFill", "x", x);
  checkMask("maskedFill", mask);
  const isTensor = value instanceof Tensor;
  if (isTensor ? value.numel !== 1 : typeof value !== "number" && typeof value !== "boolean") {
    const given = isTensor ? show(value.shape) : describe(value);
    throw (isTensor ? rangeError : typeError)(
      "maskedFill",
      `value must be a number or one element: got ${given}`,
      "Use where() for more.",
    );
  }
  if (isTensor) checkSameType("maskedFill", "x", x, "value", value);
  broadcastShapes("maskedFill", x.shape, mask.shape);
  return composed("maskedFill", isTensor ? [x, value] : [x], () => {
    if (isTensor) return where(mask, value.ndim === 0 ? value : reshape(value, []), x);
    // A number would promote i32 and bool.
    return where(mask, x.dtype === "f32" ? Number(value) : tensor(Number(value), { dtype: x.dtype }), x);
  });
}

/**
 * The elements where the mask is true, in order: `[count]`. Mask and x broadcast. The count is read on the host.
 * PyTorch: `torch.masked_select`.
 */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  checkTensor("maskedSelect", "x", x);
  checkMask("maskedSelect", mask);
  const shape = broadcastShapes("maskedSelect", x.shape, mask.shape);
  return composed("maskedSelect", [x], () => {
    const over = wide(mask, shape);
    const positions = nonzeroPositions("maskedSelect", over);
    return selectAlong("maskedSelect", reshape(wide(x, shape), [-1]), 0, positions);
  });
}

/**
 * Where x is not 0 (NaN is not 0): i32 `[count, ndim]`, in order; or with `asTuple` one vector an axis, which index x:
 * `x.at(...nonzero(x, { asTuple: true }))`. The count is read on the host. PyTorch: `torch.nonzero`.
 */
export function nonzero(x: Tensor, options?: { readonly asTuple?: false }): Tensor;
export function nonzero(x: Tensor, options: { readonly asTuple: true }): Tensor[];
export function nonzero(x: Tensor, options: { readonly asTuple?: boolean } = {}): Tensor | Tensor[] {
  checkTensor("nonzero", "x", x);
  checkOptions("nonzero", options, ["asTuple"]);
  return composed("nonzero", [], () => {
    const asTuple = options.asTuple ?? false;
    // A 0-d tensor counts as a vector of one in the tuple, as in PyTorch.
    const shape = asTuple && x.ndim === 0 ? [1] : x.shape;
    const positions = nonzeroPositions("nonzero", x);
    const y = allocate([positions.numel, shape.length], "i32", "nonzero");
    kernels.unravel(ptr(positions), ptr(tensor(Int32Array.from(shape))), ptr(y), positions.numel, shape.length);
    if (!asTuple) return unrecorded("nonzero", y, [x]);
    return unbind(y, 1).map((axis) => unrecorded("nonzero", axis, [x]));
  });
}
