// How elementwise ops run and are recorded: broadcasting of two operands, and unary kernels.
import { rangeError } from "../error.js";
import { type Kernels, kernels, type Ptr } from "../kernels/index.js";
import { offset } from "../memory/index.js";
import { broadcastShapes, broadcastStrides, type Shape, sameShape, stridesOf } from "../shape.js";
import { overwritable, record, unrecorded } from "../tape/index.js";
import { allocate, checkTensor, type DType, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { code } from "./codes.js";
import { inLoops, type Operand, operandPtr, shapeOf } from "./launch.js";
import { reshape } from "./layout.js";
import { converted } from "./promote.js";
import { sum } from "./reduce.js";

/** A binary kernel, or an op code of the kernel `combine`. */
export type BinaryKernel = Kernels["add"] | number;

/**
 * Runs a binary kernel with broadcasting, on operands of one type: tensors of another are converted first.
 *
 * @param type the type of the operands; null leaves them as they are (a value and a mask, both tensors).
 * @param result the type of the result.
 */
export function binary(
  op: string,
  kernel: BinaryKernel,
  a: Operand,
  b: Operand,
  type: DType | null = "f32",
  result: DType = type ?? "f32",
): Tensor {
  const shapeA = shapeOf(a);
  const shapeB = shapeOf(b);
  const shape = broadcastShapes(op, shapeA, shapeB);
  let pa = operandPtr(a, 0, type);
  let pb = operandPtr(b, 1, type);
  let p: Tensor | null = null;
  let q: Tensor | null = null;
  if (isOther(a, type)) {
    p = converted(a, type!, op);
    pa = ptr(p);
  }
  if (isOther(b, type)) {
    q = converted(b, type!, op);
    pb = ptr(q);
  }
  const y = allocate(shape, result, op);
  broadcastInto(kernel, pa, shapeA, pb, shapeB, ptr(y), shape, y.numel);
  if (p !== null) p.release(`within ${op}()`);
  if (q !== null) q.release(`within ${op}()`);
  return y;
}

/** Whether an operand must be converted; a bool is an i32 as it is. */
function isOther(x: Operand, type: DType | null): x is Tensor {
  return typeof x !== "number" && type !== null && x.dtype !== type && !(type === "i32" && x.dtype === "bool");
}

/** y = a where the mask is true, the rest of y stays; both broadcast to y. */
export function merge(op: string, a: Operand, mask: Tensor, y: Tensor): void {
  const value = isOther(a, y.dtype) ? converted(a, y.dtype, op) : a;
  const from = operandPtr(value, 0, y.dtype);
  const shapeA = shapeOf(value);
  const strides = [broadcastStrides(shapeA, y.shape), broadcastStrides(mask.shape, y.shape), stridesOf(y.shape)];
  nested(code.merge, from, ptr(mask), ptr(y), y.shape, strides);
  if (value !== a) (value as Tensor).release(`within ${op}()`);
}

function broadcastInto(
  kernel: BinaryKernel,
  a: Ptr,
  sa: Shape,
  b: Ptr,
  sb: Shape,
  y: Ptr,
  shape: Shape,
  n: number,
): void {
  // The three common cases need no look at the axes.
  if (sameShape(sa, sb)) rows(kernel, a, b, y, n, 1, 1);
  else if (sb.length === 0) rows(kernel, a, b, y, n, 1, 0);
  else if (sa.length === 0) rows(kernel, a, b, y, n, 0, 1);
  else {
    nested(kernel, a, b, y, shape, [broadcastStrides(sa, shape), broadcastStrides(sb, shape), stridesOf(shape)]);
  }
}

/** One row: steps of 1, or 0 for an operand that is one value. */
function rows(kernel: BinaryKernel, a: Ptr, b: Ptr, y: Ptr, n: number, aStep: number, bStep: number): void {
  if (typeof kernel === "number") kernels.combine(kernel, a, b, y, 1, 1, 1, n, 0, 0, 0, aStep, 0, 0, 0, bStep);
  else kernel(a, b, y, 1, 1, 1, n, 0, 0, 0, aStep, 0, 0, 0, bStep);
}

/** Up to four loops in the kernel; more axes are walked here. */
function nested(op: BinaryKernel, a: Ptr, b: Ptr, y: Ptr, shape: Shape, strides: number[][]): void {
  const kernel =
    typeof op !== "number"
      ? op
      : (...args: Parameters<Kernels["add"]>) => {
          kernels.combine(op, ...args);
        };
  inLoops(4, [...shape], strides, ([d0, d1, d2, d3], [p, q], [oa, ob, oy]) =>
    kernel(
      offset(a, 4 * oa!),
      offset(b, 4 * ob!),
      offset(y, 4 * oy!),
      d0!,
      d1!,
      d2!,
      d3!,
      p![0]!,
      p![1]!,
      p![2]!,
      p![3]!,
      q![0]!,
      q![1]!,
      q![2]!,
      q![3]!,
    ),
  );
}

/** An op whose operands and result are i32 or bool: it has no gradient. */
export function integral(op: string, kernel: BinaryKernel, a: Operand, b: Operand, type: DType): Tensor {
  return unrecorded(op, binary(op, kernel, a, b, type), tensorsOf(a, b));
}

/** Zeros of the shape of gy: the gradient of what is piecewise constant. */
export function zerosOf(op: string, gy: Tensor): Tensor {
  const gx = allocate(gy.shape, "f32", op);
  fillWith(gx, 0);
  return gx;
}

/** Gradient of a broadcast operand: summed over the axes along which it was stretched. */
export function sumTo(gy: Tensor, shape: Shape): Tensor {
  if (sameShape(gy.shape, shape)) return gy;
  const extra = gy.shape.length - shape.length;
  const axes: number[] = [];
  for (let i = 0; i < gy.shape.length; i++) {
    if (i < extra || (shape[i - extra] === 1 && gy.shape[i] !== 1)) axes.push(i);
  }
  const reduced = axes.length === 0 ? gy : sum(gy, { dim: axes });
  return sameShape(reduced.shape, shape) ? reduced : reshape(reduced, shape);
}

/** Records a binary op, one partial for each operand that is a tensor. */
export function recordBinary(
  op: string,
  y: Tensor,
  a: Operand,
  b: Operand,
  da: (gy: Tensor) => Tensor,
  db: (gy: Tensor) => Tensor,
  saved?: readonly Tensor[],
): Tensor {
  if (typeof b === "number")
    return typeof a === "number" ? y : record(op, y, [[a, (gy) => sumTo(da(gy), a.shape)]], saved);
  if (typeof a === "number") return record(op, y, [[b, (gy) => sumTo(db(gy), b.shape)]], saved);
  return record(
    op,
    y,
    [
      [a, (gy) => sumTo(da(gy), a.shape)],
      [b, (gy) => sumTo(db(gy), b.shape)],
    ],
    saved,
  );
}

/** The operands that are tensors: what a partial saves. */
export const tensorsOf = (...operands: readonly Operand[]): Tensor[] =>
  operands.filter((x): x is Tensor => typeof x !== "number");

/** Throws unless both are tensors or numbers, and one a tensor. */
export function checkOperands(op: string, a: Operand, b: Operand): void {
  if (typeof a !== "number") checkTensor(op, "a", a);
  if (typeof b !== "number") checkTensor(op, "b", b);
  else if (typeof a === "number") throw rangeError(op, `one operand must be a tensor: got ${a} and ${b}`);
}

type UnaryKernel<P extends number[]> = (x: Ptr, y: Ptr, n: number, ...parameters: P) => void;
type GradKernel<P extends number[]> = (gy: Ptr, saved: Ptr, gx: Ptr, n: number, ...parameters: P) => void;

// A call that spreads an array costs as much as all else in these two, even if the array is empty: most kernels get none.

/** Runs a unary kernel, with parameters where it has some. */
export function unary<P extends number[]>(op: string, kernel: UnaryKernel<P>, x: Tensor, ...parameters: P): Tensor {
  const from = ptr(x);
  const y = allocate(x.shape, "f32", op);
  if (parameters.length === 0) (kernel as unknown as UnaryKernel<[]>)(from, ptr(y), x.numel);
  else kernel(from, ptr(y), x.numel, ...parameters);
  return y;
}

/**
 * Runs a gradient kernel (gy, saved) -> gx, of one shape, not recorded: the last that a partial does with gy.
 *
 * @param inPlace whether the kernel can write gx where gy lies. Then it does if the walk lets it.
 */
export function unaryGrad<P extends number[]>(
  op: string,
  kernel: GradKernel<P>,
  gy: Tensor,
  saved: Tensor,
  inPlace: boolean,
  ...parameters: P
): Tensor {
  const g = ptr(gy);
  const s = ptr(saved);
  const gx = inPlace && gy === overwritable ? gy : allocate(gy.shape, "f32", op);
  if (parameters.length === 0) (kernel as unknown as GradKernel<[]>)(g, s, ptr(gx), gx.numel);
  else kernel(g, s, ptr(gx), gx.numel, ...parameters);
  return gx;
}
