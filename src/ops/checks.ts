// Checks that ops share, so that the same mistake reads the same everywhere.
import { checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { checkAxis, type Shape, sameShape } from "../shape.js";
import { checkTensor, type Tensor } from "../tensor/index.js";
import { splitOptions } from "./launch.js";

/** Throws unless `x` is a tensor of numbers, not bool. */
export function checkNumeric(op: string, name: string, x: unknown): asserts x is Tensor {
  checkTensor(op, name, x);
  if (x.dtype === "bool") throw typeError(op, `${name} must be f32 or i32: got bool`);
}

/** Throws unless `x` has this shape; `why` says what it must fit. */
export function checkFits(op: string, name: string, x: Tensor, shape: Shape, why = ""): void {
  if (!sameShape(x.shape, shape)) throw rangeError(op, `${name} must be ${show(shape)}${why}: got ${show(x.shape)}`);
}

/** Throws unless both have one dtype. */
export function checkSameType(op: string, name: string, x: Tensor, other: string, y: Tensor): void {
  if (x.dtype !== y.dtype) throw typeError(op, `dtypes differ: ${name} is ${x.dtype}, ${other} is ${y.dtype}`);
}

/** Throws unless it is a list of tensors, and not an empty one. */
export function checkTensors(op: string, tensors: unknown): asserts tensors is readonly Tensor[] {
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw typeError(op, `takes an array of tensors: got ${describe(tensors)}`);
  tensors.forEach((x, i) => checkTensor(op, `tensor ${i}`, x));
}

/** Throws unless tensors have one dtype and one shape, but for the size of `axis`. */
export function checkAlike(op: string, tensors: readonly Tensor[], axis = -1): void {
  const first = tensors[0]!;
  tensors.forEach((x, i) => {
    checkSameType(op, "tensor 0", first, `tensor ${i}`, x);
    if (x.ndim !== first.ndim || x.shape.some((size, a) => a !== axis && size !== first.shape[a])) {
      const beside = axis < 0 ? "" : ` beside axis ${axis}`;
      throw rangeError(op, `shapes differ${beside}: tensor 0 is ${show(first.shape)}, tensor ${i} is ${show(x.shape)}`);
    }
  });
}

/** The axis of `(x, dim?)`, where `dim` may stand among options. */
export function axisOf(op: string, dim: unknown, rank: number, initial?: number): number {
  const split = splitOptions<object>(dim, undefined);
  checkOptions(op, split.options, ["dim"]);
  return checkAxis(op, split.dim ?? initial, rank);
}

/** Distinct axes, in the order given. */
export function axesInOrder(op: string, dims: readonly number[], rank: number, name?: string): number[] {
  const axes = dims.map((dim) => checkAxis(op, dim, rank, name));
  if (new Set(axes).size !== axes.length)
    throw rangeError(op, `axes must be distinct: ${name ?? "dims"} is ${describe(dims)}`);
  return axes;
}

/** Throws for a 0-d tensor. */
export function checkHasAxes(op: string, x: unknown): asserts x is Tensor {
  checkTensor(op, "x", x);
  if (x.ndim === 0) throw rangeError(op, "the tensor has no axes");
}
