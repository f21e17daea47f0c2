// Sorted order along an axis: sort, argsort, topk, median; and what sorted values serve for: distinct values, positions
// of values. Stable; NaN counts as larger than everything, and -0 as 0.

import { checkInteger, checkOptions, rangeError, readOptions, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { nullPtr, Storage } from "../memory/index.js";
import { aroundAxis, checkAxis, numelOf, reducedShape, resized, type Shape, sameShape } from "../shape.js";
import { composed, record, unrecorded } from "../tape/index.js";
import { allocate, checkTensor, ptr, type Tensor, tensor } from "../tensor/index.js";
import { scatterAlong, selectAlong } from "./along.js";
import { checkSameType } from "./checks.js";
import { mul } from "./elementwise.js";
import { checkNotEmpty, splitOptions } from "./launch.js";
import { clone, reshape, slice } from "./layout.js";
import { ties, type ValuesAndIndices } from "./ties.js";

const DESCENDING = 2;
const MEDIAN = 4;

interface Sorted {
  readonly values: Tensor | null;
  readonly indices: Tensor | null;
}

/** Runs the kernel: the first k of each sorted row, with `shape` for the results. */
function sorted(op: string, x: Tensor, axis: number, k: number, shape: Shape, flags: number, values = true): Sorted {
  const [outer, n, inner] = aroundAxis(x.shape, axis);
  const from = ptr(x);
  const scratch = Storage.take(kernels.sortScratch(n), op, [n]);
  try {
    const to = values ? allocate(shape, x.dtype, op) : null;
    const indices = allocate(shape, "i32", op);
    const kind = flags + Number(x.dtype === "f32");
    kernels.sort(from, to ? ptr(to) : nullPtr, ptr(indices), scratch.ptr, outer, n, inner, k, kind);
    return { values: to, indices };
  } finally {
    scratch.drop();
  }
}

/** `kept`: the shape of the indices with the axis; values of that gradient go back to where they stood. */
function recorded(op: string, x: Tensor, axis: number, kept: Shape, { values, indices }: Sorted): ValuesAndIndices {
  const [v, at] = [values!, indices!];
  const back = (gy: Tensor) => scatterAlong(reshape(gy, kept), axis, reshape(at, kept), x.shape);
  record(op, v, [[x, back]], [at]);
  return { values: v, indices: unrecorded(op, at, [x]) };
}

/** Options of `sort` and `argsort`. */
export interface SortOptions {
  /** The axis; default −1. */
  readonly dim?: number;
  /** From the largest to the smallest; default false. */
  readonly descending?: boolean;
  /** Equal elements keep their order: they do so always. */
  readonly stable?: boolean;
}

function sortArguments(op: string, x: Tensor, dim: unknown, options: SortOptions | undefined): [number, number] {
  checkTensor(op, "x", x);
  const split = splitOptions(dim, options);
  checkOptions(op, split.options, ["dim", "descending", "stable"]);
  return [checkAxis(op, split.dim ?? -1, x.ndim), split.options.descending ? DESCENDING : 0];
}

/**
 * The elements of each row in order, and where they stood (i32). Stable; NaN comes last, or first if descending.
 *
 * @param dim the axis, default −1; or the options. PyTorch: `torch.sort`.
 * @example
 * import { sort, tensor } from "gradine";
 * const { values, indices } = sort(tensor([3, 1, 2]), { descending: true });
 * console.log(values.toArray(), indices.toArray()); // [3, 2, 1] [0, 2, 1]
 */
export function sort(x: Tensor, dim?: number | SortOptions, options?: SortOptions): ValuesAndIndices {
  const [axis, flags] = sortArguments("sort", x, dim, options);
  const n = x.shape[axis] ?? 1;
  return recorded("sort", x, axis, x.shape, sorted("sort", x, axis, n, x.shape, flags));
}

/** Where the elements of each row in order stand (i32); see sort. PyTorch: `torch.argsort`. */
export function argsort(x: Tensor, dim?: number | SortOptions, options?: SortOptions): Tensor {
  const [axis, flags] = sortArguments("argsort", x, dim, options);
  const { indices } = sorted("argsort", x, axis, x.shape[axis] ?? 1, x.shape, flags, false);
  return unrecorded("argsort", indices!, [x]);
}

/** Options of `topk`. */
export interface TopkOptions {
  /** The axis; default −1. */
  readonly dim?: number;
  /** The largest (default), or the smallest. */
  readonly largest?: boolean;
  /** In order: they are so always. */
  readonly sorted?: boolean;
}

/**
 * The k largest elements of each row in order, and where they stood (i32): the first among equals; NaN is the largest.
 *
 * @throws RangeError when k is more than the axis has. PyTorch: `torch.topk`.
 * @example
 * import { tensor, topk } from "gradine";
 * const { values, indices } = topk(tensor([[1, 5, 3], [9, 7, 8]]), 2);
 * console.log(values.toArray(), indices.toArray()); // [[5, 3], [9, 8]] [[1, 2], [0, 2]]
 */
export function topk(x: Tensor, k: number, dim?: number | TopkOptions, options?: TopkOptions): ValuesAndIndices {
  checkTensor("topk", "x", x);
  const split = splitOptions(dim, options);
  checkOptions("topk", split.options, ["dim", "largest", "sorted"]);
  const axis = checkAxis("topk", split.dim ?? -1, x.ndim);
  checkInteger("topk", "k", k, 0, x.shape[axis] ?? 1);
  const shape = resized(x.shape, axis, k);
  const flags = (split.options.largest ?? true) ? DESCENDING : 0;
  return recorded("topk", x, axis, shape, sorted("topk", x, axis, k, shape, flags));
}

/**
 * The median of all elements, or of each row with where it stands (i32): of an even number the lower of the two in the
 * middle. NaN if there is one. Of equal elements the whole median shares the gradient among all; along an axis the
 * position named takes it. PyTorch: `torch.median`.
 */
export function median(x: Tensor): Tensor;
export function median(
  x: Tensor,
  dim: number | { readonly dim: number; readonly keepdim?: boolean },
  options?: { readonly keepdim?: boolean },
): ValuesAndIndices;
export function median(x: Tensor, dim?: unknown, options?: { readonly keepdim?: boolean }): Tensor | ValuesAndIndices {
  checkTensor("median", "x", x);
  const split = splitOptions(dim, options);
  checkOptions("median", split.options, ["dim", "keepdim"]);
  if (split.dim === undefined) {
    checkNotEmpty("median", x.numel, `x ${show(x.shape)}`);
    return composed("median", [x], () => {
      const flat = reshape(x, [x.numel]);
      const { values, indices } = sorted("median", flat, 0, 1, [], MEDIAN);
      indices!.release("within median()");
      const share = (gy: Tensor) => mul(gy, ties(flat, values!, [1], [0]));
      return record("median", values!, [[flat, share]], [flat, values!]);
    });
  }
  const axis = checkAxis("median", split.dim, x.ndim);
  checkNotEmpty("median", x.shape[axis] ?? 1, `axis ${axis} of ${show(x.shape)}`);
  const kept = reducedShape(x.shape, [axis], true);
  const shape = split.options.keepdim ? kept : reducedShape(x.shape, [axis], false);
  return recorded("median", x, axis, kept, sorted("median", x, axis, 1, shape, MEDIAN));
}

/** Options of `unique`. */
export interface UniqueOptions {
  /** In order: they are so always. */
  readonly sorted?: boolean;
  /** Also the number of each element's value among the distinct ones; default false. */
  readonly returnInverse?: boolean;
  /** Also how often each comes; default false. */
  readonly returnCounts?: boolean;
  /** Distinct slices along this axis, instead of elements. */
  readonly dim?: number;
}

/**
 * The distinct values of x in order: `[count]`, the inverse of x's shape, and counts `[count]`, both i32; an array if
 * more than the values is asked for. With `dim` distinct slices, in lexicographic order. NaNs are all distinct. How many
 * there are is read on the host. PyTorch: `torch.unique`.
 *
 * @example
 * import { tensor, unique } from "gradine";
 * const [values, counts] = unique(tensor([3, 1, 3, 3]), { returnCounts: true });
 * console.log(values.toArray(), counts.toArray()); // [1, 3] [1, 3]
 */
export function unique(x: Tensor, options?: { readonly sorted?: boolean; readonly dim?: number }): Tensor;
export function unique(x: Tensor, options: UniqueOptions): Tensor | Tensor[];
export function unique(x: Tensor, options: UniqueOptions = {}): Tensor | Tensor[] {
  checkTensor("unique", "x", x);
  checkOptions("unique", options, ["sorted", "returnInverse", "returnCounts", "dim"]);
  const axis = options.dim === undefined ? null : checkAxis("unique", options.dim, x.ndim);
  return composed("unique", [], () => {
    const [values, inverse, counts] = axis === null ? distinctElements(x) : distinctSlices(x, axis);
    for (const y of [values, inverse, counts]) unrecorded("unique", y, [x]);
    if (!options.returnInverse && !options.returnCounts) return values;
    return [values, ...(options.returnInverse ? [inverse] : []), ...(options.returnCounts ? [counts] : [])];
  });
}

function distinctElements(x: Tensor): [Tensor, Tensor, Tensor] {
  const n = x.numel;
  const order = sorted("unique", reshape(x, [n]), 0, n, [n], 0);
  const values = allocate([n], x.dtype, "unique");
  const inverse = allocate(x.shape, "i32", "unique");
  const counts = allocate([n], "i32", "unique");
  const [from, at] = [ptr(order.values!), ptr(order.indices!)];
  const float = Number(x.dtype === "f32");
  const found = kernels.distinct(from, at, ptr(values), ptr(inverse), ptr(counts), n, float);
  // Copies: few distinct values should not hold the memory of all.
  const cut = (y: Tensor) => clone(slice(y, [[0, found]]));
  return [cut(values), inverse, cut(counts)];
}

function distinctSlices(x: Tensor, axis: number): [Tensor, Tensor, Tensor] {
  const [outer, n, inner] = aroundAxis(x.shape, axis);
  const data = x.toTypedArray();
  const compare = (a: number, b: number): number => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const difference = data[(o * n + a) * inner + i]! - data[(o * n + b) * inner + i]!;
        if (difference !== 0) return difference;
      }
    }
    return 0;
  };
  const order = Array.from({ length: n }, (_, i) => i).sort(compare);
  const first: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(n);
  for (const i of order) {
    if (first.length === 0 || compare(first[first.length - 1]!, i) !== 0) {
      first.push(i);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    inverse[i] = first.length - 1;
  }
  const rows = tensor(Int32Array.from(first));
  // Detached: which slices there are has no gradient.
  const values = selectAlong("unique", x.detach(), axis, rows);
  return [values, tensor(inverse), tensor(Int32Array.from(counts))];
}

/** Options of `searchsorted`. */
export interface SearchOptions {
  /** Behind equal elements; default false: before them. */
  readonly right?: boolean;
  /** The same in words. */
  readonly side?: "left" | "right";
}

/**
 * Where values would go in sorted rows so that the order stays: `[…, n], […, m] -> […, m]` i32, or a vector `[n]` for
 * values of any shape.
 *
 * @param options `right` or `side: "right"`: behind equal elements. PyTorch: `torch.searchsorted`.
 * @example
 * import { searchsorted, tensor } from "gradine";
 * console.log(searchsorted(tensor([1, 3, 5]), tensor([0, 3, 9])).toArray()); // [0, 1, 3]
 */
export function searchsorted(sortedSequence: Tensor, values: Tensor | number, options: SearchOptions = {}): Tensor {
  const op = "searchsorted";
  checkTensor(op, "sortedSequence", sortedSequence);
  const { side, right = side === "right" } = readOptions(op, options, { side: ["left", "right"], right: [] });
  const { dtype, ndim, shape: rows } = sortedSequence;
  if (typeof values === "number") {
    return composed(op, [], () => searchsorted(sortedSequence, tensor(values, { dtype }), { right }));
  }
  checkTensor(op, "values", values);
  checkSameType(op, "sortedSequence", sortedSequence, "values", values);
  if (ndim !== 1 && (ndim === 0 || values.ndim !== ndim || !sameShape(rows.slice(0, -1), values.shape.slice(0, -1)))) {
    throw rangeError(op, `values ${show(values.shape)} do not fit sortedSequence ${show(rows)} beside the last axis`);
  }
  const [from, at] = [ptr(sortedSequence), ptr(values)];
  const y = allocate(values.shape, "i32", op);
  const shared = ndim === 1;
  const count = shared ? 1 : numelOf(rows.slice(0, -1));
  const each = shared ? values.numel : values.shape[ndim - 1]!;
  const float = Number(dtype === "f32");
  kernels.searchSorted(from, at, ptr(y), count, rows[ndim - 1]!, each, Number(right), float, Number(shared));
  return unrecorded(op, y, [sortedSequence, values]);
}
