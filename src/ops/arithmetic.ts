// Elementwise ops on two and more operands beyond sums and products: extremes, remainders, powers, interpolation. Operands
// and types as in elementwise.ts.
import { checkNumber, checkOptions, rangeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { broadcastShapes } from "../shape.js";
import { composed } from "../tape/index.js";
import { checkTensor, ptr, type Tensor } from "../tensor/index.js";
import { binary, checkOperands, integral, recordBinary, tensorsOf, zerosOf } from "./broadcast.js";
import { code } from "./codes.js";
import { eq, ge, gt, logicalAnd, lt, where } from "./compare.js";
import { add, log, mul, neg, sub } from "./elementwise.js";
import { type Operand, shapeOf } from "./launch.js";
import { drop } from "./mask.js";
import { commonType } from "./promote.js";

function extreme(op: "maximum" | "minimum", a: Operand, b: Operand): Tensor {
  checkOperands(op, a, b);
  const type = commonType(a, b);
  const upper = op === "maximum";
  // Of 0 and 1 the larger is "or": the i32 kernels serve bool too.
  if (type !== "f32") return integral(op, upper ? code.maximumInt : code.minimumInt, a, b, type);
  /** gy where p wins, half of it where they are equal; a NaN takes it on both sides. */
  const won = (gy: Tensor, p: Operand, q: Operand): Tensor =>
    mul(drop(gy, upper ? lt(p, q) : lt(q, p)), sub(1, mul(eq(p, q), 0.5)));
  return recordBinary(
    op,
    binary(op, upper ? code.maximum : code.minimum, a, b),
    a,
    b,
    (gy) => won(gy, a, b),
    (gy) => won(gy, b, a),
    tensorsOf(a, b),
  );
}

/** The larger of a and b elementwise, NaN if one is; where they are equal each takes half the gradient. PyTorch: `torch.maximum`. */
export function maximum(a: Operand, b: Operand): Tensor {
  return extreme("maximum", a, b);
}

/** The smaller of a and b elementwise; see maximum. PyTorch: `torch.minimum`. */
export function minimum(a: Operand, b: Operand): Tensor {
  return extreme("minimum", a, b);
}

/**
 * a − b ⌊a / b⌋, computed exactly: the remainder with the sign of b, as Python's `%`. NaN for b = 0.
 *
 * @throws RangeError where i32 are divided by 0. PyTorch: `torch.remainder`.
 */
export function remainder(a: Operand, b: Operand): Tensor {
  checkOperands("remainder", a, b);
  if (commonType(a, b) !== "f32") {
    if (typeof b !== "number") ptr(b);
    const bad = typeof b === "number" ? (b === 0 ? 0 : -1) : b.view().indexOf(0);
    if (bad >= 0) throw rangeError("remainder", `division of an integer by 0: element ${bad} (b)`);
    return integral("remainder", code.remainderInt, a, b, "i32");
  }
  const y = binary("remainder", code.remainder, a, b);
  return recordBinary(
    "remainder",
    y,
    a,
    b,
    (gy) => gy,
    // The quotient is an integer: piecewise constant, so that y may be read as numbers.
    (gy) => neg(mul(gy, rounded(quotient(a, b, y)))),
    [...tensorsOf(a, b), y],
  );
}

/** (a − y) / b, without a place on the tape. */
function quotient(a: Operand, b: Operand, y: Tensor): Tensor {
  const whole = binary("remainder", kernels.sub, a, y);
  const q = binary("remainder", kernels.div, whole, b);
  whole.release("within remainder()");
  return q;
}

function rounded(x: Tensor): Tensor {
  kernels.round(ptr(x), ptr(x), x.numel);
  return x;
}

/**
 * x to the power of `exponent`, broadcast; either may be a number. As C's pow: 1 for an exponent of 0 and for x = 1; NaN for
 * x < 0 with a fraction as exponent. For f32 at most 0.6 ulp from the exact value; i32 to i32 is i32.
 *
 * @throws RangeError for an i32 tensor with a negative integer as exponent. PyTorch: `torch.pow`.
 * @example
 * import { pow, tensor } from "gradine";
 * console.log(pow(tensor([1, 2, 3]), 2).toArray()); // [1, 4, 9]
 */
export function pow(x: Operand, exponent: Operand): Tensor {
  checkOperands("pow", x, exponent);
  if (commonType(x, exponent) !== "f32") {
    if (typeof exponent === "number" && exponent < 0) {
      throw rangeError(
        "pow",
        `integers have no negative integer powers: exponent is ${exponent}`,
        'Convert x with to("f32").',
      );
    }
    return integral("pow", code.powInt, x, exponent, "i32");
  }
  const y = binary("pow", code.pow, x, exponent);
  return recordBinary(
    "pow",
    y,
    x,
    exponent,
    (gy) => powerByBase(gy, x, exponent),
    (gy) => powerByExponent(gy, x, exponent),
    tensorsOf(x, exponent),
  );
}

/** gy · e · xᵉ⁻¹; 0 for e = 0, also at x = 0. */
function powerByBase(gy: Tensor, x: Operand, e: Operand): Tensor {
  if (typeof e === "number") {
    if (e === 0) return zerosOf("pow", gy);
    return mul(gy, e === 1 ? 1 : mul(e === 2 ? (x as Tensor) : pow(x, e - 1), e));
  }
  return drop(mul(gy, mul(pow(x, sub(e, 1)), e)), eq(e, 0));
}

/** gy · xᵉ · log x; 0 for x = 0 and e >= 0. */
function powerByExponent(gy: Tensor, x: Operand, e: Operand): Tensor {
  // Where the gradient is 0, log takes 1 in place of 0: 0 times its -Infinity would be NaN.
  const base =
    x === 0 ? where(ge(e, 0), 1, 0) : typeof x === "number" ? x : where(logicalAnd(eq(x, 0), ge(e, 0)), 1, x);
  return mul(gy, mul(pow(x, e), typeof base === "number" ? kernels.scalarLog(base) : log(base)));
}

/**
 * start + weight · (end − start), broadcast; exactly `end` at weight 1. PyTorch: `torch.lerp`.
 *
 * @param weight a number or a tensor.
 */
export function lerp(start: Tensor, end: Tensor, weight: Operand): Tensor {
  checkOperands("lerp", start, weight);
  checkTensor("lerp", "end", end);
  broadcastShapes("lerp", broadcastShapes("lerp", start.shape, end.shape), shapeOf(weight));
  return composed("lerp", tensorsOf(start, end, weight), () => {
    const way = sub(end, start);
    const near = () => add(start, mul(way, weight));
    const far = () => sub(end, mul(way, sub(1, weight as Tensor)));
    if (typeof weight === "number") return weight < 0.5 ? near() : sub(end, mul(way, 1 - weight));
    // As in PyTorch the formula is that of the nearer end.
    return where(logicalAnd(lt(weight, 0.5), gt(weight, -0.5)), near(), far());
  });
}

/** Options of `addcmul`. */
export interface AddcmulOptions {
  /** A factor of the product; default 1. */
  readonly value?: number;
}

/** x + value · a · b, broadcast. PyTorch: `torch.addcmul`. */
export function addcmul(x: Tensor, a: Tensor, b: Tensor, options: AddcmulOptions = {}): Tensor {
  checkTensor("addcmul", "x", x);
  checkOperands("addcmul", a, b);
  checkOptions("addcmul", options, ["value"]);
  const value = checkNumber("addcmul", "value", options.value ?? 1);
  broadcastShapes("addcmul", broadcastShapes("addcmul", a.shape, b.shape), x.shape);
  return composed("addcmul", [x, a, b], () => add(x, mul(a, b), { alpha: value }));
}
