// x[…] of Python: integers, ranges, "...", null, index tensors and masks; reading, writing in place, and a copy written.

import { checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import {
  broadcastShapes,
  numelOf,
  otherAxes,
  type Shape,
  type SliceRange,
  sameShape,
  sliceWindow,
  stridesOf,
} from "../shape.js";
import { composed, isRecording, record } from "../tape/index.js";
import { allocate, arange, checkTensor, ptr, Tensor } from "../tensor/index.js";
import { checkPosition, copyOf, filled, isNumbered, plainIndex, selectAlong } from "./along.js";
import { sumTo } from "./broadcast.js";
import { checkNumeric, checkSameType } from "./checks.js";
import { mul } from "./elementwise.js";
import { expand, permute, reshape, slice } from "./layout.js";
import { nonzeroPositions } from "./positions.js";
import { copyStrided } from "./window.js";
import { checkWritable } from "./writable.js";

/**
 * One index of `at`: an integer (drops the axis), a range `[start, end, step]` with missing or null parts (`[]` and ":"
 * are the whole axis), "..." for as many whole axes as are left, null for a new axis of size 1, a tensor of integers,
 * or a bool tensor for as many axes as it has.
 */
export type Index = number | Exclude<SliceRange, null> | ":" | "..." | null | Tensor;

/** An index tensor that stands for `span` axes of the window from `axis` on. */
interface Picked {
  readonly tensor: Tensor;
  readonly axis: number;
  readonly span: number;
}

interface Selection {
  /** One range for each axis of x. */
  readonly ranges: SliceRange[];
  /** Whether a range is not the whole axis. */
  readonly cuts: boolean;
  /** 0-d index tensors, by axis of x: they drop the axis as integers do, but their value stays in the heap. */
  readonly single: { readonly tensor: Tensor; readonly axis: number }[];
  /** Shape of the window: axes dropped by integers are gone, new ones are there. */
  readonly shape: number[];
  readonly picked: Picked[];
}

/** Reads the indices against x's shape. */
function select(op: string, x: Tensor, indices: readonly Index[]): Selection {
  const spanOf = (index: Index) =>
    index === null || index === "..." ? 0 : index instanceof Tensor && index.dtype === "bool" ? index.ndim : 1;
  const named = indices.reduce<number>((n, index) => n + spanOf(index), 0);
  if (named > x.ndim) throw rangeError(op, `${named} axes are indexed: x has ${x.ndim}, ${show(x.shape)}`);
  if (indices.filter((index) => index === "...").length > 1) throw rangeError(op, '"..." may come once');
  const ranges: SliceRange[] = [];
  const shape: number[] = [];
  const picked: Picked[] = [];
  const single: { tensor: Tensor; axis: number }[] = [];
  const whole = (count: number) => {
    for (; count > 0; count--) {
      shape.push(x.shape[ranges.length]!);
      ranges.push(null);
    }
  };
  for (const index of indices) {
    const axis = ranges.length;
    const n = x.shape[axis]!;
    if (index === null) shape.push(1);
    else if (index === "...") whole(x.ndim - named);
    else if (index === ":") whole(1);
    else if (typeof index === "number") {
      if (!Number.isInteger(index)) throw typeError(op, `an index must be an integer: got ${index} (axis ${axis})`);
      if (index < -n || index >= n) {
        throw rangeError(op, `index ${index} is out of range for axis ${axis} of ${show(x.shape)} (${-n} to ${n - 1})`);
      }
      const at = index < 0 ? index + n : index;
      ranges.push([at, at + 1]);
    } else if (index instanceof Tensor) {
      checkTensor(op, "index", index);
      if (index.dtype === "bool") {
        const over = x.shape.slice(axis, axis + index.ndim);
        if (!sameShape(over, index.shape)) {
          throw rangeError(op, `a mask ${show(index.shape)} does not fit axes ${show(over)} of ${show(x.shape)}`);
        }
        picked.push({ tensor: index, axis: shape.length, span: index.ndim });
        whole(index.ndim);
      } else if (index.ndim === 0) {
        single.push({ tensor: index, axis });
        ranges.push(null);
      } else {
        picked.push({ tensor: index, axis: shape.length, span: 1 });
        whole(1);
      }
    } else if (Array.isArray(index)) {
      shape.push(sliceWindow(op, [n], [index as SliceRange]).shape[0]!);
      ranges.push(index as SliceRange);
    } else {
      throw typeError(op, `cannot index with ${describe(index)} (axis ${axis})`, "See Index for what can.");
    }
  }
  whole(x.ndim - ranges.length);
  return { ranges, cuts: ranges.some((range) => range !== null && range.length > 0), single, shape, picked };
}

/** The picked axes as one axis [outer, n, inner] of the window, and flat positions on it. */
interface Gathered {
  /** Order of the window's axes that brings the picked ones together; null if they are. */
  readonly order: number[] | null;
  readonly outer: Shape;
  readonly inner: Shape;
  readonly n: number;
  /** i32, flat. */
  readonly positions: Tensor;
  /** Shape of the index tensors, broadcast: takes the place of the picked axes. */
  readonly shape: Shape;
}

function gatherIndices(op: string, shape: Shape, picked: readonly Picked[]): Gathered {
  const axes = picked.flatMap(({ axis, span }) => Array.from({ length: span }, (_, i) => axis + i));
  const adjacent = axes.every((axis, i) => i === 0 || axis === axes[i - 1]! + 1);
  const rest = otherAxes(shape.length, axes);
  // As in NumPy: indices that stand apart move to the front.
  const first = adjacent ? rest.filter((axis) => axis < (axes[0] ?? 0)).length : 0;
  const size = (list: readonly number[]) => list.map((axis) => shape[axis]!);
  const tensors = picked.map(({ tensor }) => (tensor.dtype === "bool" ? nonzeroPositions(op, tensor) : tensor));
  const to = tensors.reduce<Shape>((s, tensor) => broadcastShapes(op, s, tensor.shape), []);
  let positions: Tensor | null = null;
  let total = 1;
  picked.forEach(({ axis, span }, k) => {
    const given = tensors[k]!;
    checkNumeric(op, "index", given);
    const n = numelOf(shape.slice(axis, axis + span));
    const index = sameShape(given.shape, to) ? given : expand(given, to);
    positions ??= allocate([numelOf(to)], "i32", op);
    const flags = (index.dtype === "f32" ? 1 : 0) + 2 + (k > 0 ? 4 : 0);
    const bad = kernels.resolveIndex(ptr(index), ptr(positions), index.numel, n, flags);
    checkPosition(op, bad, index, n, true);
    total *= n;
  });
  return {
    order: adjacent ? null : [...axes, ...rest],
    outer: size(rest.slice(0, first)),
    inner: size(rest.slice(first)),
    n: total,
    positions: positions!,
    shape: to,
  };
}

/** What `at` gives, step by step; `base` is the window's source. */
function read(op: string, x: Tensor, selection: Selection): Tensor {
  let y = selection.cuts ? slice(x, selection.ranges) : x;
  for (const { tensor, axis } of selection.single) {
    const index = reshape(tensor, [1]);
    const plain = plainIndex(op, index, x.shape[axis]!, true);
    y = selectAlong(op, y, axis, plain);
  }
  if (!sameShape(y.shape, selection.shape)) y = reshape(y, selection.shape);
  if (selection.picked.length === 0) return y;
  const { order, outer, inner, n, positions, shape } = gatherIndices(op, selection.shape, selection.picked);
  if (order !== null) y = permute(y, order);
  y = selectAlong(op, reshape(y, [numelOf(outer), n, numelOf(inner)]), 1, positions);
  return reshape(y, [...outer, ...shape, ...inner]);
}

/**
 * A part of x, as Python's `x[…]`: one index an axis, from the first; what is not indexed stays whole.
 *
 * Integers drop their axis, ranges `[start, end, step]` cut it (negative counts from the end), ":" is a whole axis,
 * "..." as many as are left, null a new axis. Index tensors are broadcast together and take the place of their axes (the
 * first place, if they stand apart); bool tensors pick where they are true. Parts of the leading axis share the memory.
 *
 * @throws RangeError for an index out of range, with its position. PyTorch: `x[…]`.
 * @example
 * import { arange, at, tensor } from "gradine";
 * const x = arange(12).reshape([3, 4]);
 * console.log(at(x, 1).toArray(), at(x, "...", -1).toArray()); // [4, 5, 6, 7] [3, 7, 11]
 * console.log(x.at([null, null, 2], [1, 3]).toArray());         // [[1, 2], [9, 10]]
 * console.log(x.at(tensor([2, 0], { dtype: "i32" }), 0).toArray()); // [8, 0]
 */
export function at(x: Tensor, ...indices: Index[]): Tensor {
  checkTensor("at", "x", x);
  const selection = select("at", x, indices);
  return composed("at", [x], () => {
    const y = read("at", x, selection);
    return y === x ? reshape(x, x.shape) : y;
  });
}

/** Options of writes by index. */
export interface IndexPutOptions {
  /** Add to what is there instead of replacing it; a repeated place adds up, in order. Default false. */
  readonly accumulate?: boolean;
}

const asList = (indices: Index | readonly Index[]): readonly Index[] =>
  Array.isArray(indices) ? (indices as readonly Index[]) : [indices as Index];

/** The values as a tensor of x's dtype. */
function valueTensor(op: string, x: Tensor, value: unknown): Tensor {
  if (typeof value === "number" || typeof value === "boolean") return filled([], x.dtype, op, Number(value));
  checkTensor(op, "value", value);
  checkSameType(op, "x", x, "value", value);
  return value;
}

/** `value` stretched to the shape of what is written. */
function stretch(op: string, value: Tensor, shape: Shape): Tensor {
  const extra = value.ndim - shape.length;
  // Leading axes of 1 do not count, as in PyTorch.
  const cut = extra > 0 && value.shape.slice(0, extra).every((n) => n === 1) ? value.shape.slice(extra) : value.shape;
  if (cut.length > shape.length || cut.some((n, i) => n !== 1 && n !== shape[i + shape.length - cut.length])) {
    throw rangeError(op, `value ${show(value.shape)} does not fit what is indexed: ${show(shape)}`);
  }
  const y = cut === value.shape ? value : reshape(value, cut);
  return sameShape(cut, shape) ? y : expand(y, shape);
}

/** Writes into x. Everything is checked before the first element changes; what is made on the way is freed. */
function write(op: string, x: Tensor, selection: Selection, value: unknown, accumulate: boolean): void {
  composed(op, [], () => {
    const { ranges, single, picked } = selection;
    const to = ptr(x);
    const given = valueTensor(op, x, value);
    // Values that lie in x itself are read before they are overwritten.
    const source = given.storage === x.storage ? copyOf(given, op) : given;
    if (!accumulate && single.length === 0 && picked.length === 0) {
      const window = sliceWindow(op, x.shape, ranges);
      const from = stretch(op, source, selection.shape);
      x.storage.written();
      copyStrided(from, 0, stridesOf(window.shape), x, window.start, window.strides, window.shape);
      return null;
    }
    const rows = !selection.cuts && single.length === 0 && picked.length > 0 && (!accumulate || x.dtype === "f32");
    if (rows) {
      const { order, outer, inner, n, positions, shape } = gatherIndices(op, selection.shape, picked);
      if (order === null) {
        const from = ptr(stretch(op, source, [...outer, ...shape, ...inner]));
        const kernel = accumulate ? kernels.indexAdd : kernels.indexCopy;
        x.storage.written();
        kernel(from, ptr(positions), to, numelOf(outer), n, positions.numel, numelOf(inner));
        return null;
      }
    }
    // Otherwise through the flat positions of what is indexed.
    const positions = read(op, reshape(arange(x.numel), x.shape), selection);
    const from = ptr(stretch(op, source, positions.shape));
    x.storage.written();
    const what = accumulate ? (x.dtype === "f32" ? 1 : 2) : 0;
    kernels.scatter(from, ptr(positions), to, 1, x.numel, positions.numel, 1, what);
    return null;
  });
}

function checkPut(op: string, x: Tensor, options: IndexPutOptions): boolean {
  checkOptions(op, options, ["accumulate"]);
  const accumulate = options.accumulate ?? false;
  if (accumulate && x.dtype === "bool") throw typeError(op, "bool cannot be accumulated");
  return accumulate;
}

/**
 * Writes into a part of x in place, and gives x: Python's `x[…] = value`. The part is named as in `at`. Places that come
 * more than once keep the last value, or with `accumulate` add up.
 *
 * In-place writes are not recorded: `indexPut` gives a copy, with gradients.
 *
 * @param indices one index, or an array of them; a range is an array within it: `setAt(x, [[1, 3]], 0)`.
 * @param value number, or tensor of x's dtype that broadcasts to the part.
 * @throws RangeError for an index out of range or a value that does not fit, and nothing is written.
 * PyTorch: `x[…] = value`.
 * @example
 * import { setAt, zeros } from "gradine";
 * const x = zeros([2, 3]);
 * setAt(x, [0, [1, null]], 7);
 * x.setAt(["...", 0], 1);
 * console.log(x.toArray()); // [[1, 7, 7], [1, 0, 0]]
 */
export function setAt(
  x: Tensor,
  indices: Index | readonly Index[],
  value: Tensor | number | boolean,
  options: IndexPutOptions = {},
): Tensor {
  checkWritable("setAt", x);
  const accumulate = checkPut("setAt", x, options);
  if (value instanceof Tensor && value.requiresGrad && isRecording()) {
    throw new Error(
      "setAt: a value that requires a gradient cannot be written in place while ops are recorded. " +
        "Use indexPut(), which gives a new tensor, or detach() the value.",
    );
  }
  const selection = select("setAt", x, asList(indices));
  write("setAt", x, selection, value, accumulate);
  return x;
}

/**
 * A copy of x with a part replaced, or with `accumulate` added to; see `setAt`. Differentiable in x and the values: of
 * places that come more than once, the last value takes the gradient. PyTorch: `torch.index_put`.
 */
export function indexPut(
  x: Tensor,
  indices: Index | readonly Index[],
  values: Tensor | number | boolean,
  options: IndexPutOptions = {},
): Tensor {
  checkTensor("indexPut", "x", x);
  const accumulate = checkPut("indexPut", x, options);
  const list = asList(indices);
  const selection = select("indexPut", x, list);
  const y = copyOf(x, "indexPut");
  try {
    write("indexPut", y, selection, values, accumulate);
  } catch (error) {
    y.release("within indexPut()");
    throw error;
  }
  const partials: [Tensor, (gy: Tensor) => Tensor][] = [[x, (gy) => (accumulate ? gy : indexPut(gy, list, 0))]];
  if (values instanceof Tensor) {
    partials.push([
      values,
      (gy) => {
        const part = at(gy, ...list);
        const mine = accumulate ? part : mul(part, lastWriters(x.shape, selection));
        return reshape(sumTo(mine, values.shape.slice(Math.max(0, values.ndim - mine.ndim))), values.shape);
      },
    ]);
  }
  const saved = list.filter((index): index is Tensor => index instanceof Tensor);
  return record("indexPut", y, partials, saved);
}

/** 1 where a value was the last to be written to its place, else 0. */
function lastWriters(shape: Shape, selection: Selection): Tensor {
  return composed("indexPut", [], () => {
    const places = filled(shape, "i32", "indexPut", 0);
    const part = read("indexPut", places, selection);
    const number = reshape(arange(part.numel), part.shape);
    write("indexPut", places, selection, number, false);
    return isNumbered("indexPut", read("indexPut", places, selection), number);
  });
}
