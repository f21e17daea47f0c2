// Picking, writing and adding elements and slices by index along an axis. Every index is checked before anything is
// written. Indices are i32, or f32 that hold integers. Repeated indices: additions run in the order of the index, of
// values written the last stays.

import { checkOptions, rangeError, readOptions, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { aroundAxis, broadcastShapes, checkAxis, resized, type Shape, sameShape } from "../shape.js";
import { composed, record } from "../tape/index.js";
import { allocate, arange, checkTensor, ptr, type Tensor } from "../tensor/index.js";
import {
  addAlong,
  checkPosition,
  copyOf,
  filled,
  gatherAlong,
  isNumbered,
  plainIndex,
  scatterAlong,
  selectAlong,
  settleIndex,
} from "./along.js";
import { checkFits, checkNumeric, checkSameType } from "./checks.js";
import { mul } from "./elementwise.js";
import { checkFloat, splitOptions } from "./launch.js";
import { expand, reshape, slice } from "./layout.js";

type Partials = [Tensor, (gy: Tensor) => Tensor][];

/**
 * The slices of x along an axis at these positions: `[…, n, …], [m] -> […, m, …]`.
 *
 * @param index each in 0..n−1; a position may come more than once.
 * @throws RangeError for an index out of range, with its position. PyTorch: `torch.index_select`.
 * @example
 * import { indexSelect, tensor } from "gradine";
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * console.log(indexSelect(x, 0, tensor([2, 0], { dtype: "i32" })).toArray()); // [[5, 6], [1, 2]]
 */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  checkTensor("indexSelect", "x", x);
  const axis = checkRows("indexSelect", x, dim, index);
  ptr(x); // a released tensor throws before anything is made
  const plain = plainIndex("indexSelect", index, x.shape[axis]!);
  return settleIndex(selectAlong("indexSelect", x, axis, plain), plain, index);
}

function checkRows(op: string, x: Tensor, dim: number, index: Tensor): number {
  checkNumeric(op, "index", index);
  const axis = checkAxis(op, dim, x.ndim);
  if (x.ndim === 0 || index.ndim !== 1) {
    throw rangeError(
      op,
      `takes a tensor with axes and an index of one: x is ${show(x.shape)}, index is ${show(index.shape)}`,
    );
  }
  return axis;
}

/**
 * x with slices added along an axis: y[…, index[j], …] += alpha · source[…, j, …]. f32.
 *
 * @param source `[…, m, …]` for an index `[m]`, the other axes those of x.
 * @param options `alpha`: factor of the source, default 1.
 * @throws RangeError for an index out of range, with its position. PyTorch: `torch.index_add`.
 */
export function indexAdd(
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
  options: { readonly alpha?: number } = {},
): Tensor {
  checkFloat("indexAdd", "x", x);
  checkFloat("indexAdd", "source", source);
  const axis = checkRows("indexAdd", x, dim, index);
  const { alpha } = readOptions("indexAdd", options, { alpha: [1] });
  checkFits("indexAdd", "source", source, resized(x.shape, axis, index.numel), ` for x ${show(x.shape)}`);
  return composed("indexAdd", [x, source], () => {
    const plain = plainIndex("indexAdd", index, x.shape[axis]!);
    const scaled = alpha === 1 ? source : mul(source, alpha);
    const [outer, n, inner] = aroundAxis(x.shape, axis);
    const y = copyOf(x, "indexAdd");
    checkPosition(
      "indexAdd",
      kernels.indexAdd(ptr(scaled), ptr(plain), ptr(y), outer, n, plain.numel, inner),
      index,
      n,
    );
    const partials: Partials = [
      [x, (gy) => gy],
      [scaled, (gy) => selectAlong("indexSelect", gy, axis, plain)],
    ];
    return record("indexAdd", y, partials, [plain]);
  });
}

/**
 * Elements of x at indices along an axis: y[i, j, k] = x[i, index[i, j, k], k] for axis 1. The index has as many axes
 * as x, and no other of its axes is longer than that of x; y has its shape.
 *
 * @throws RangeError for an index out of range, with its position. PyTorch: `torch.gather`.
 * @example
 * import { gather, tensor } from "gradine";
 * const logits = tensor([[1, 2, 3], [4, 5, 6]]);
 * const labels = tensor([[2], [0]], { dtype: "i32" });
 * console.log(gather(logits, 1, labels).toArray()); // [[3], [4]]
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  checkTensor("gather", "x", x);
  const axis = checkElements("gather", x, dim, index);
  return composed("gather", [x], () => {
    const plain = plainIndex("gather", index, x.shape[axis] ?? 1);
    const from = part(x, index.shape, axis);
    const y = gatherAlong(from, axis, plain, index.shape, "gather");
    return record("gather", y, [[from, (gy) => scatterAlong(gy, axis, plain, from.shape)]], [plain]);
  });
}

function checkElements(op: string, x: Tensor, dim: number, index: Tensor): number {
  checkNumeric(op, "index", index);
  const axis = checkAxis(op, dim, x.ndim);
  if (index.ndim !== x.ndim || index.shape.some((size, i) => i !== axis && size > x.shape[i]!)) {
    throw rangeError(op, `index ${show(index.shape)} does not fit x ${show(x.shape)} beside axis ${axis}`);
  }
  return axis;
}

/** The first elements along each axis but one, as many as `shape` has; x itself if that is all. */
function part(x: Tensor, shape: Shape, axis: number): Tensor {
  if (shape.every((size, i) => i === axis || size === x.shape[i])) return x;
  return slice(
    x,
    shape.map((size, i) => (i === axis ? null : ([0, size] as const))),
  );
}

/**
 * Elements of x at indices along an axis, with the other axes broadcast: takeAlongDim(x, argsort(x, 1), 1) sorts.
 * Without an axis: of flattened x at the flattened index. PyTorch: `torch.take_along_dim`.
 */
export function takeAlongDim(x: Tensor, index: Tensor, dim?: number | { readonly dim?: number }): Tensor {
  const op = "takeAlongDim";
  checkTensor(op, "x", x);
  checkNumeric(op, "index", index);
  const split = splitOptions<object>(dim, undefined);
  checkOptions(op, split.options, ["dim"]);
  if (split.dim === undefined) {
    return composed(op, [x], () => gather(reshape(x, [x.numel]), 0, reshape(index, [index.numel])));
  }
  const axis = checkAxis(op, split.dim, x.ndim);
  if (index.ndim !== x.ndim) {
    throw rangeError(op, `index ${show(index.shape)} does not fit x ${show(x.shape)} beside axis ${axis}`);
  }
  const shape = broadcastShapes(op, resized(x.shape, axis, 1), resized(index.shape, axis, 1));
  const wide = (t: Tensor) => {
    const to = resized(shape, axis, t.shape[axis]!);
    return sameShape(to, t.shape) ? t : expand(t, to);
  };
  return composed(op, [x], () => gather(wide(x), axis, wide(index)));
}

/**
 * Elements of flattened x: `x, index of any shape -> the index's shape`. Negative indices count from the end.
 *
 * @throws RangeError for an index out of range, with its position. PyTorch: `torch.take`.
 */
export function take(x: Tensor, index: Tensor): Tensor {
  checkTensor("take", "x", x);
  checkNumeric("take", "index", index);
  const from = ptr(x);
  const plain = plainIndex("take", index, x.numel, true);
  const y = allocate(index.shape, x.dtype, "take");
  kernels.indexSelect(from, ptr(plain), ptr(y), 1, x.numel, plain.numel, 1);
  const grad = (gy: Tensor) => reshape(addAlong(reshape(gy, [plain.numel]), 0, plain, [x.numel]), x.shape);
  return settleIndex(record("take", y, [[x, grad]], [plain]), plain, index);
}

/** A source of scatter, checked: a tensor of x's dtype at least as large as the index. */
function checkSource(op: string, x: Tensor, index: Tensor, src: Tensor): void {
  checkTensor(op, "src", src);
  checkSameType(op, "x", x, "src", src);
  if (src.ndim !== index.ndim || index.shape.some((size, i) => size > src.shape[i]!)) {
    throw rangeError(op, `src ${show(src.shape)} must be at least as large as index ${show(index.shape)}`);
  }
}

/**
 * A copy of x with src written (op 0) or added (1 f32, 2 i32) at plain indices; both have one shape. Not recorded. To be
 * called within `composed`, which frees what is left by an error.
 */
function writeAlong(op: string, x: Tensor, axis: number, index: Tensor, src: Tensor, what: number): Tensor {
  const y = copyOf(x, op);
  const [outer, n, inner] = aroundAxis(x.shape, axis);
  let bad: number;
  if (index.shape.every((size, i) => i === axis || size === x.shape[i])) {
    bad = kernels.scatter(ptr(src), ptr(index), ptr(y), outer, n, index.shape[axis] ?? 1, inner, what);
  } else {
    // The index covers a part of the other axes: through the flat positions of the elements it names.
    const positions = composed(op, [], () =>
      gatherAlong(part(reshape(arange(x.numel), x.shape), index.shape, axis), axis, index, index.shape, op),
    );
    bad = kernels.scatter(ptr(src), ptr(positions), ptr(y), 1, x.numel, positions.numel, 1, what);
    positions.release(`within ${op}()`);
  }
  checkPosition(op, bad, index, n);
  return y;
}

/** 1 where an element of the index was the last to write its place, else 0: the others have no gradient. */
function lastWriters(axis: number, index: Tensor, shape: Shape): Tensor {
  return composed("scatter", [], () => {
    const number = reshape(arange(index.numel), index.shape);
    const places = allocate(shape, "i32", "scatter");
    return isNumbered("scatter", gather(writeAlong("scatter", places, axis, index, number, 0), axis, index), number);
  });
}

/**
 * x with elements replaced along an axis: y[i, index[i, j, k], k] = src[i, j, k] for axis 1. Where an index comes more
 * than once the last one stays, and it alone takes the gradient (PyTorch leaves both open).
 *
 * @param index as many axes as x and src, none longer than theirs (but for x's axis `dim`).
 * @param src tensor of x's dtype, or one value.
 * @throws RangeError for an index out of range, with its position. PyTorch: `torch.scatter`.
 * @example
 * import { scatter, tensor, zeros } from "gradine";
 * const labels = tensor([[2], [0]], { dtype: "i32" });
 * console.log(scatter(zeros([2, 3]), 1, labels, 1).toArray()); // [[0, 0, 1], [1, 0, 0]]
 */
export function scatter(x: Tensor, dim: number, index: Tensor, src: Tensor | number | boolean): Tensor {
  return written("scatter", x, dim, index, src, false);
}

/**
 * x with elements added along an axis: y[i, index[i, j, k], k] += src[i, j, k] for axis 1, in the order of the index:
 * the sum is the same in every run. f32 or i32.
 *
 * @throws RangeError for an index out of range, with its position. PyTorch: `torch.scatter_add`.
 */
export function scatterAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  return written("scatterAdd", x, dim, index, src, true);
}

/** x with the values at the index, or with them added there. */
function written(
  op: string,
  x: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor | number | boolean,
  adds: boolean,
): Tensor {
  checkTensor(op, "x", x);
  if (adds) checkNumeric(op, "x", x);
  const axis = checkElements(op, x, dim, index);
  const value = adds || (typeof src !== "number" && typeof src !== "boolean") ? null : Number(src);
  if (value === null) checkSource(op, x, index, src as Tensor);
  return composed(op, value === null ? [x, src as Tensor] : [x], () => {
    const plain = plainIndex(op, index, x.shape[axis] ?? 1);
    const values = value === null ? part(src as Tensor, index.shape, -1) : filled(index.shape, x.dtype, op, value);
    const y = writeAlong(op, x, axis, plain, values, adds ? (x.dtype === "f32" ? 1 : 2) : 0);
    const partials: Partials = [[x, (gy) => (adds ? gy : scatter(gy, axis, plain, 0))]];
    if (value !== null) values.release(`within ${op}()`);
    else {
      partials.push([
        values,
        (gy) => {
          const there = gather(gy, axis, plain);
          return adds ? there : mul(there, lastWriters(axis, plain, x.shape));
        },
      ]);
    }
    return record(op, y, partials, [plain]);
  });
}
