// Picking and adding elements by index along an axis: what gather, indexSelect, sort, max and their gradients share.
// Indices are checked in the kernel, which answers with the offending position.
import { rangeError, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { aroundAxis, type Shape } from "../shape.js";
import { goesWith, record } from "../tape/index.js";
import { allocate, type DType, fillWith, ptr, type Tensor } from "../tensor/index.js";

/** Throws for the position that a kernel answered with; -1 is none. */
export function checkPosition(op: string, bad: number, index: Tensor, n: number, wrap = false): void {
  if (bad < 0) return;
  const value = index.toTypedArray()[bad]!;
  throw rangeError(
    op,
    `index out of range: ${value} is no integer from ${wrap ? -n : 0} to ${n - 1} (element ${bad} of index ${show(index.shape)})`,
  );
}

/**
 * Indices as plain i32 for the kernels: integer-valued f32 is converted, negative ones count from the end if `wrap`
 * allows them. The tensor itself if it is plain already: then the kernel that uses it checks it.
 */
export function plainIndex(op: string, index: Tensor, n: number, wrap = false): Tensor {
  if (index.dtype === "i32" && !wrap) return index;
  const from = ptr(index);
  const plain = allocate(index.shape, "i32", op);
  const bad = kernels.resolveIndex(from, ptr(plain), index.numel, n, (index.dtype === "f32" ? 1 : 0) + (wrap ? 2 : 0));
  if (bad >= 0) plain.release(`within ${op}()`);
  checkPosition(op, bad, index, n, wrap);
  return plain;
}

/** After an op is recorded: the plain indices that were made for it stay as long as its gradient may need them. */
export function settleIndex(y: Tensor, plain: Tensor, index: Tensor): Tensor {
  if (plain !== index) goesWith(y, plain);
  return y;
}

/** y[o, j, i] = x[o, index[o, j, i], i], given `shape`; not recorded. */
export function gatherAlong(x: Tensor, axis: number, index: Tensor, shape: Shape, op: string): Tensor {
  const [outer, n, inner] = aroundAxis(x.shape, axis);
  const from = ptr(x);
  const at = ptr(index);
  const y = allocate(shape, x.dtype, op);
  const bad = kernels.gather(from, at, ptr(y), outer, n, index.shape[axis] ?? 1, inner);
  if (bad >= 0) y.release(`within ${op}()`);
  checkPosition(op, bad, index, n);
  return y;
}

/** Zeros of `shape` to which gy is added at the indices: the gradient of gatherAlong, and it of this. */
export function scatterAlong(gy: Tensor, axis: number, index: Tensor, shape: Shape): Tensor {
  const [outer, n, inner] = aroundAxis(shape, axis);
  const from = ptr(gy);
  const at = ptr(index);
  const gx = filled(shape, "f32", "scatterAdd", 0);
  kernels.scatter(from, at, ptr(gx), outer, n, index.shape[axis] ?? 1, inner, 1);
  return record(
    "scatterAdd",
    gx,
    [
      [
        gy,
        (ggx) => {
          const ggy = gatherAlong(ggx, axis, index, gy.shape, "gather");
          return record("gather", ggy, [[ggx, (g) => scatterAlong(g, axis, index, shape)]], [index]);
        },
      ],
    ],
    [index],
  );
}

/** The slices of x along an axis at plain indices [m]; recorded. */
export function selectAlong(op: string, x: Tensor, axis: number, index: Tensor): Tensor {
  const [outer, n, inner] = aroundAxis(x.shape, axis);
  const from = ptr(x);
  const at = ptr(index);
  const y = allocate([...x.shape.slice(0, axis), index.numel, ...x.shape.slice(axis + 1)], x.dtype, op);
  const bad = kernels.indexSelect(from, at, ptr(y), outer, n, index.numel, inner);
  if (bad >= 0) y.release(`within ${op}()`);
  checkPosition(op, bad, index, n);
  return record(op, y, [[x, (gy) => addAlong(gy, axis, index, x.shape)]], [index]);
}

/** Zeros of `shape` to whose slices those of gy are added: the gradient of selectAlong, which is the gradient of this. */
export function addAlong(gy: Tensor, axis: number, index: Tensor, shape: Shape): Tensor {
  const [outer, n, inner] = aroundAxis(shape, axis);
  const from = ptr(gy);
  const at = ptr(index);
  const gx = filled(shape, "f32", "indexAdd", 0);
  kernels.indexAdd(from, at, ptr(gx), outer, n, index.numel, inner);
  return record("indexAdd", gx, [[gy, (ggx) => selectAlong("indexSelect", ggx, axis, index)]], [index]);
}

/** A tensor of one value; not recorded. */
export function filled(shape: Shape, dtype: DType, op: string, value: number): Tensor {
  const y = allocate(shape, dtype, op);
  fillWith(y, value);
  return y;
}

/** A copy of x that the tape knows nothing of. */
export function copyOf(x: Tensor, op: string): Tensor {
  const from = ptr(x);
  const y = allocate(x.shape, x.dtype, op);
  kernels.copyStrided(from, ptr(y), 1, 1, 1, x.numel, 0, 0, 0, 1, 0, 0, 0, 1);
  return y;
}

/** 1 where what was read back is the number that was written there, which means that no later one was; else 0. */
export function isNumbered(op: string, there: Tensor, number: Tensor): Tensor {
  const last = allocate(number.shape, "f32", op);
  // Read as f32, small positive integers are distinct denormals.
  kernels.equalMask(ptr(there), ptr(number), ptr(last), number.numel);
  return last;
}
