// PyTorch's type promotion: bool < i32 < f32. A number joins as an i32 if it is an integer, else as an f32, and only its
// kind counts, not its size: i32 and 2 give i32, i32 and 2.5 f32, f32 and 2 f32, bool and 2 i32.
import { kernels } from "../kernels/index.js";
import { unrecorded } from "../tape/index.js";
import { allocate, checkTensor, type DType, ptr, type Tensor } from "../tensor/index.js";
import type { Operand } from "./launch.js";

const rank = { bool: 0, i32: 1, f32: 2 } as const;

/** The type a number joins as. An integer that no i32 holds is an f32. */
export const numberType = (value: number): DType =>
  Number.isInteger(value) && value >= -2147483648 && value <= 2147483647 ? "i32" : "f32";

const typeOf = (x: Operand): DType => (typeof x === "number" ? numberType(x) : x.dtype);

/** The higher of a type and that of an operand. */
export function higherType(type: DType, x: Operand): DType {
  const other = typeOf(x);
  return rank[type] >= rank[other] ? type : other;
}

/** The type in which two operands meet. */
export const commonType = (a: Operand, b: Operand): DType => higherType(typeOf(a), b);

/** x as a tensor of another type, not recorded: a temporary of an op, which releases it. x itself if it has the type. */
export function converted(x: Tensor, dtype: DType, op: string): Tensor {
  if (x.dtype === dtype) return x;
  const from = ptr(x);
  const y = allocate(x.shape, dtype, op);
  const at = ptr(y);
  if (dtype === "f32") kernels.intToFloat(from, at, x.numel);
  else if (x.dtype === "f32") (dtype === "i32" ? kernels.floatToInt : kernels.floatToBool)(from, at, x.numel);
  else if (dtype === "bool") kernels.intToBool(from, at, x.numel);
  else kernels.copyStrided(from, at, 1, 1, 1, x.numel, 0, 0, 0, 1, 0, 0, 0, 1); // bool to i32: the same bits
  return y;
}

/** Runs a function of f32 tensors; i32 and bool are converted first, and give f32 as well. */
export function viaFloat(op: string, x: Tensor, run: (x: Tensor) => Tensor): Tensor {
  checkTensor(op, "x", x);
  if (x.dtype === "f32") return run(x);
  const v = converted(x, "f32", op);
  const y = unrecorded(op, run(v), [x]);
  v.release(`within ${op}()`);
  return y;
}
