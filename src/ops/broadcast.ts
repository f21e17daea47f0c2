// How elementwise ops run and are recorded: broadcasting of two operands, and unary kernels.
import { rangeError } from "../error.js";
import type { Kernels, Ptr } from "../kernels/index.js";
import { offset } from "../memory/index.js";
import { broadcastShapes, broadcastStrides, type Shape, sameShape, stridesOf } from "../shape.js";
import { record } from "../tape/index.js";
import { allocate, ptr, type Tensor } from "../tensor/index.js";
import { checkOperand, inLoops, type Operand, operandPtr, shapeOf } from "./launch.js";
import { reshape } from "./layout.js";
import { sum } from "./reduce.js";

type BinaryKernel = Kernels["add"];
type UnaryKernel = Kernels["exp"];

/** Runs a binary kernel with broadcasting. */
export function binary(op: string, kernel: BinaryKernel, a: Operand, b: Operand): Tensor {
  const shapeA = shapeOf(a);
  const shapeB = shapeOf(b);
  const shape = broadcastShapes(op, shapeA, shapeB);
  const pa = operandPtr(a, 0);
  const pb = operandPtr(b, 1);
  const y = allocate(shape, "f32", op);
  broadcastInto(kernel, pa, shapeA, pb, shapeB, ptr(y), shape, y.numel);
  return y;
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
  if (sameShape(sa, sb)) kernel(a, b, y, 1, 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1);
  else if (sb.length === 0) kernel(a, b, y, 1, 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 0);
  else if (sa.length === 0) kernel(a, b, y, 1, 1, 1, n, 0, 0, 0, 0, 0, 0, 0, 1);
  else {
    const strides = [broadcastStrides(sa, shape), broadcastStrides(sb, shape), stridesOf(shape)];
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

/** Throws unless both are f32 tensors or numbers, and one a tensor. */
export function checkOperands(op: string, a: Operand, b: Operand): void {
  checkOperand(op, "a", a);
  checkOperand(op, "b", b);
  if (typeof a === "number" && typeof b === "number") {
    throw rangeError(op, `one operand must be a tensor: got ${a} and ${b}`);
  }
}

/** Runs a unary kernel. */
export function unary(op: string, kernel: UnaryKernel, x: Tensor): Tensor {
  const from = ptr(x);
  const y = allocate(x.shape, "f32", op);
  kernel(from, ptr(y), x.numel);
  return y;
}

/** Runs a gradient kernel (gy, saved) -> gx, of one shape; not recorded. */
export function unaryGrad(op: string, kernel: Kernels["reluGrad"], gy: Tensor, saved: Tensor): Tensor {
  const g = ptr(gy);
  const s = ptr(saved);
  const gx = allocate(gy.shape, "f32", op);
  kernel(g, s, ptr(gx), gx.numel);
  return gx;
}
