// Conversion between element types.
import { unrecorded } from "../tape/index.js";
import { checkDType, checkTensor, type DType, type Tensor } from "../tensor/index.js";
import { converted } from "./promote.js";

/**
 * The tensor with another element type; itself when it has that type already. f32 to i32 goes towards zero; what is not 0
 * (NaN is not) becomes true. PyTorch: `Tensor.to(dtype)`.
 */
export function to(x: Tensor, dtype: DType): Tensor {
  checkTensor("to", "x", x);
  checkDType("to", dtype);
  return dtype === x.dtype ? x : unrecorded("to", converted(x, dtype, "to"), [x]);
}
