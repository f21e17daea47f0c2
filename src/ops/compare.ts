// Comparisons, logic and choice. Operands broadcast, and meet in one type as in elementwise.ts; results are bool.
import { typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { broadcastShapes } from "../shape.js";
import { record, unrecorded } from "../tape/index.js";
import { allocate, checkTensor, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { binary, checkOperands, merge, sumTo, tensorsOf } from "./broadcast.js";
import { code } from "./codes.js";
import { type Operand, shapeOf } from "./launch.js";
import { drop, keep } from "./mask.js";
import { commonType, converted } from "./promote.js";
import { copy } from "./write.js";

const kernelsOf = {
  eq: [code.eq, code.eqInt],
  ne: [code.ne, code.neInt],
  lt: [code.lt, code.ltInt],
  le: [code.le, code.leInt],
} as const;

/** `swapped`: b before a, which makes "greater" of "less". */
function compare(op: string, kind: keyof typeof kernelsOf, a: Operand, b: Operand, swapped = false): Tensor {
  checkOperands(op, a, b);
  const type = commonType(a, b);
  const kernel = kernelsOf[kind][type === "f32" ? 0 : 1];
  const y = swapped ? binary(op, kernel, b, a, type, "bool") : binary(op, kernel, a, b, type, "bool");
  return unrecorded(op, y, tensorsOf(a, b));
}

/** a = b elementwise, as bool; false where one is NaN. PyTorch: `torch.eq`. */
export function eq(a: Operand, b: Operand): Tensor {
  return compare("eq", "eq", a, b);
}

/** a ≠ b elementwise, as bool; true where one is NaN. PyTorch: `torch.ne`. */
export function ne(a: Operand, b: Operand): Tensor {
  return compare("ne", "ne", a, b);
}

/** a < b elementwise, as bool; false where one is NaN, here and below. PyTorch: `torch.lt`. */
export function lt(a: Operand, b: Operand): Tensor {
  return compare("lt", "lt", a, b);
}

/** a ≤ b elementwise, as bool. PyTorch: `torch.le`. */
export function le(a: Operand, b: Operand): Tensor {
  return compare("le", "le", a, b);
}

/**
 * a > b elementwise, as bool. PyTorch: `torch.gt`.
 *
 * @example
 * import { gt, tensor } from "gradine";
 * console.log(gt(tensor([1, 2, 3]), 2).toArray()); // [false, false, true]
 */
export function gt(a: Operand, b: Operand): Tensor {
  return compare("gt", "lt", a, b, true);
}

/** a ≥ b elementwise, as bool. PyTorch: `torch.ge`. */
export function ge(a: Operand, b: Operand): Tensor {
  return compare("ge", "le", a, b, true);
}

/** A number as 0 or 1; tensors are converted by `binary`. */
const truth = (x: Operand): Operand => (typeof x === "number" ? Number(x !== 0) : x);

/** Whether a and b are both true (not 0; NaN is true), as bool. PyTorch: `torch.logical_and`. */
export function logicalAnd(a: Operand, b: Operand): Tensor {
  checkOperands("logicalAnd", a, b);
  return unrecorded("logicalAnd", binary("logicalAnd", code.and, truth(a), truth(b), "bool"), tensorsOf(a, b));
}

/** Whether a or b is true, as bool. PyTorch: `torch.logical_or`. */
export function logicalOr(a: Operand, b: Operand): Tensor {
  checkOperands("logicalOr", a, b);
  return unrecorded("logicalOr", binary("logicalOr", code.or, truth(a), truth(b), "bool"), tensorsOf(a, b));
}

/** Whether one of a and b is true, but not both, as bool. PyTorch: `torch.logical_xor`. */
export function logicalXor(a: Operand, b: Operand): Tensor {
  checkOperands("logicalXor", a, b);
  return unrecorded("logicalXor", binary("logicalXor", code.xor, truth(a), truth(b), "bool"), tensorsOf(a, b));
}

/** Whether x is 0 or false, as bool. PyTorch: `torch.logical_not`. */
export function logicalNot(x: Tensor): Tensor {
  return compare("logicalNot", "eq", x, 0);
}

/** Whether x is NaN, as bool. PyTorch: `torch.isnan`. */
function nanMask(x: Tensor): Tensor {
  return compare("isNaN", "ne", x, x);
}

/** Whether x is neither infinite nor NaN, as bool. PyTorch: `torch.isfinite`. */
function finiteMask(x: Tensor): Tensor {
  checkTensor("isFinite", "x", x);
  if (x.dtype !== "f32") return compare("isFinite", "eq", x, x);
  const from = ptr(x);
  const size = allocate(x.shape, "f32", "isFinite");
  kernels.abs(from, ptr(size), x.numel);
  const y = unrecorded("isFinite", binary("isFinite", kernelsOf.lt[0], size, Number.POSITIVE_INFINITY, "f32", "bool"), [
    x,
  ]);
  size.release("within isFinite()");
  return y;
}

/**
 * a where the condition is true, b where it is false; all three broadcast. What is not chosen takes no gradient, and no
 * NaN of it comes through. As a method it is PyTorch's: `a.where(condition, b)`.
 *
 * @param condition a bool tensor.
 * @param a a tensor or a number, as is `b`; their common type is that of the result.
 * @throws TypeError for a condition that is not bool. PyTorch: `torch.where`.
 * @example
 * import { gt, tensor, where } from "gradine";
 * const x = tensor([-1, 2]);
 * console.log(where(gt(x, 0), x, 0).toArray()); // [0, 2]
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  checkTensor("where", "condition", condition);
  if (condition.dtype !== "bool") {
    throw typeError("where", `condition must be bool: got ${condition.dtype}`, 'Compare, or convert with to("bool").');
  }
  if (typeof a !== "number") checkTensor("where", "a", a);
  if (typeof b !== "number") checkTensor("where", "b", b);
  const shape = broadcastShapes("where", broadcastShapes("where", condition.shape, shapeOf(a)), shapeOf(b));
  for (const x of tensorsOf(condition, a, b)) ptr(x);
  const y = allocate(shape, commonType(a, b), "where");
  if (typeof b === "number") fillWith(y, b);
  else {
    const from = converted(b, y.dtype, "where");
    copy(y, from);
    if (from !== b) from.release("within where()");
  }
  merge("where", a, condition, y);
  const inputs = tensorsOf(a, b);
  if (y.dtype !== "f32") return unrecorded("where", y, [condition, ...inputs]);
  const partials: [Tensor, (gy: Tensor) => Tensor][] = [];
  if (typeof a !== "number") partials.push([a, (gy) => sumTo(keep(gy, condition), a.shape)]);
  if (typeof b !== "number") partials.push([b, (gy) => sumTo(drop(gy, condition), b.shape)]);
  return record("where", y, partials, [condition]);
}

export { finiteMask as isFinite, nanMask as isNaN };
