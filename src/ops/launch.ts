// What op files share: operands that may be plain numbers, and loops of any rank for kernels with four loops.
import { rangeError, typeError } from "../error.js";
import type { Ptr } from "../kernels/index.js";
import { heap, offset, Storage, word } from "../memory/index.js";
import { mergeAxes, type Shape } from "../shape.js";
import { checkTensor, type DType, ptr, Tensor } from "../tensor/index.js";

/** A tensor, or a number that broadcasts to it. */
export type Operand = Tensor | number;

const scalarShape: Shape = [];
let slots: Storage | null = null;

export const shapeOf = (x: Operand): Shape => (typeof x === "number" ? scalarShape : x.shape);

/**
 * Address of an operand. A number is written into one of two lasting slots (one for each side of a binary op): kernels
 * run at once, so that it is read before it is overwritten, and no tensor is made for it.
 */
export function operandPtr(x: Operand, side: 0 | 1, type: DType | null = "f32"): Ptr {
  if (typeof x !== "number") return ptr(x);
  slots ??= Storage.take(64, "scalars", [16]);
  const at = offset(slots.ptr, 4 * side);
  if (type === "f32") heap.f32[word(at)] = x;
  else heap.i32[word(at)] = x;
  return at;
}

/** Throws unless `x` is an f32 tensor. */
export function checkFloat(op: string, name: string, x: unknown): asserts x is Tensor {
  checkTensor(op, name, x);
  if (x.dtype !== "f32") {
    throw typeError(op, `${name} must be f32: got ${x.dtype}`, 'Convert with to("f32").');
  }
}

/** How a kernel with its own loops walks: sizes, and for each operand strides and an offset, in elements. */
export type Nest = (
  dims: readonly number[],
  strides: readonly (readonly number[])[],
  offsets: readonly number[],
) => void;

/**
 * Calls a kernel that has `depth` loops of its own for axes of any number: neighbours that all operands walk as one are
 * merged; what remains beyond `depth` is looped over here. `dims` and `strides` are used up.
 */
export function inLoops(depth: number, dims: number[], strides: number[][], run: Nest): void {
  if (dims.some((size) => size === 0)) return;
  mergeAxes(dims, strides);
  while (dims.length < depth) {
    dims.unshift(1);
    for (const s of strides) s.unshift(0);
  }
  const outer = dims.length - depth;
  const offsets = strides.map(() => 0);
  const walk = (axis: number): void => {
    if (axis === outer) {
      run(
        dims.slice(outer),
        strides.map((s) => s.slice(outer)),
        offsets,
      );
      return;
    }
    for (let i = 0; i < dims[axis]!; i++) {
      walk(axis + 1);
      for (let k = 0; k < offsets.length; k++) offsets[k]! += strides[k]![axis]!;
    }
    for (let k = 0; k < offsets.length; k++) offsets[k]! -= strides[k]![axis]! * dims[axis]!;
  };
  walk(0);
}

/** Where `dim` may be positional and a plain object in last place is the options: tells the two apart. */
export function splitOptions<O extends object>(dim: unknown, options: O | undefined): { dim: unknown; options: O } {
  if (typeof dim === "object" && dim !== null && !Array.isArray(dim) && !(dim instanceof Tensor)) {
    return { dim: (dim as { dim?: unknown }).dim, options: dim as O };
  }
  return { dim: dim ?? (options as { dim?: unknown } | undefined)?.dim, options: options ?? ({} as O) };
}

/** Throws when an op that needs elements gets none. */
export function checkNotEmpty(op: string, n: number, what: string): void {
  if (n === 0) throw rangeError(op, `${what} is empty, and the result has no identity`);
}
