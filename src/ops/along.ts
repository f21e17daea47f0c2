// Picking elements by index along an axis. Indices are checked in the kernel, which answers with the offending position.
import { rangeError, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { aroundAxis, type Shape } from "../shape.js";
import { record } from "../tape/index.js";
import { allocate, fillWith, ptr, type Tensor } from "../tensor/index.js";

/** Throws for the position that a kernel answered with; -1 is none. */
export function checkPosition(op: string, bad: number, index: Tensor, n: number): void {
  if (bad < 0) return;
  throw rangeError(
    op,
    `index out of range: ${index.toTypedArray()[bad]} for an axis of ${n} (element ${bad} of index ${show(index.shape)})`,
  );
}

/** y[o, j, i] = x[o, index[o, j, i], i], given `shape`; not recorded. */
export function gatherAlong(x: Tensor, axis: number, index: Tensor, shape: Shape, op: string): Tensor {
  const [outer, n, inner] = aroundAxis(x.shape, axis);
  const from = ptr(x);
  const at = ptr(index);
  const y = allocate(shape, x.dtype, op);
  checkPosition(op, kernels.gather(from, at, ptr(y), outer, n, index.shape[axis] ?? 1, inner), index, n);
  return y;
}

/** Zeros of `shape` to which gy is added at the indices: the gradient of gatherAlong, and it of this. */
export function scatterAlong(gy: Tensor, axis: number, index: Tensor, shape: Shape): Tensor {
  const [outer, n, inner] = aroundAxis(shape, axis);
  const from = ptr(gy);
  const at = ptr(index);
  const gx = allocate(shape, "f32", "scatterAdd");
  fillWith(gx, 0);
  checkPosition("scatterAdd", kernels.scatterAdd(from, at, ptr(gx), outer, n, index.shape[axis] ?? 1, inner), index, n);
  return record("scatterAdd", gx, [
    [
      gy,
      (ggx) => {
        const ggy = gatherAlong(ggx, axis, index, gy.shape, "gather");
        return record("gather", ggy, [[ggx, (g) => scatterAlong(g, axis, index, shape)]]);
      },
    ],
  ]);
}
