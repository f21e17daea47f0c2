// Conversion between element types.
import { kernels } from "../kernels/index.js";
import { record, unrecorded } from "../tape/index.js";
import { allocate, checkDType, checkTensor, type DType, ptr, type Tensor } from "../tensor/index.js";

/**
 * The tensor with another element type; itself when it has that type already. f32 to i32 goes towards zero.
 * PyTorch: `Tensor.to(dtype)`.
 */
export function to(x: Tensor, dtype: DType): Tensor {
  checkTensor("to", "x", x);
  checkDType("to", dtype);
  if (dtype === x.dtype) return x;
  const from = ptr(x);
  const y = allocate(x.shape, dtype, "to");
  const at = ptr(y);
  if (dtype === "f32") kernels.intToFloat(from, at, x.numel);
  else if (x.dtype === "f32") (dtype === "i32" ? kernels.floatToInt : kernels.floatToBool)(from, at, x.numel);
  else if (dtype === "bool") kernels.intToBool(from, at, x.numel);
  else kernels.copyStrided(from, at, 1, 1, 1, x.numel, 0, 0, 0, 1, 0, 0, 0, 1);
  return dtype === "f32" ? record("to", y, []) : unrecorded("to", y, [x]);
}
