// Picking rows by index.
import { rangeError, show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { aroundAxis, checkAxis, type Shape } from "../shape.js";
import { record } from "../tape/index.js";
import { allocate, checkTensor, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { checkPosition } from "./along.js";

/**
 * The slices of x along an axis at these positions: `[…, n, …], [m] -> […, m, …]`.
 *
 * @param index i32, each in 0..n−1; a position may come more than once.
 * @throws RangeError for an index out of range, with its position. PyTorch: `torch.index_select`.
 * @example
 * import { indexSelect, tensor } from "gradine";
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * console.log(indexSelect(x, 0, tensor([2, 0], { dtype: "i32" })).toArray()); // [[5, 6], [1, 2]]
 */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  checkTensor("indexSelect", "x", x);
  checkTensor("indexSelect", "index", index);
  const axis = checkAxis("indexSelect", dim, x.ndim);
  if (index.dtype !== "i32")
    throw typeError("indexSelect", `index must be i32: got ${index.dtype}`, 'Convert with to("i32").');
  if (x.ndim === 0 || index.ndim !== 1) {
    throw rangeError(
      "indexSelect",
      `takes a tensor with axes and an index of one: x is ${show(x.shape)}, index is ${show(index.shape)}`,
    );
  }
  const [outer, n, inner] = aroundAxis(x.shape, axis);
  const from = ptr(x);
  const at = ptr(index);
  const y = allocate([...x.shape.slice(0, axis), index.numel, ...x.shape.slice(axis + 1)], x.dtype, "indexSelect");
  const bad = kernels.indexSelect(from, at, ptr(y), outer, n, index.numel, inner);
  if (bad >= 0) y.release("within indexSelect()");
  checkPosition("indexSelect", bad, index, n);
  return record("indexSelect", y, [[x, (gy) => indexAdd(gy, axis, index, x.shape)]], [index]);
}

/** Zeros of `shape` to whose slices those of gy are added: the gradient of indexSelect, which is the gradient of this. */
function indexAdd(gy: Tensor, axis: number, index: Tensor, shape: Shape): Tensor {
  const [outer, n, inner] = aroundAxis(shape, axis);
  const from = ptr(gy);
  const at = ptr(index);
  const gx = allocate(shape, "f32", "indexAdd");
  fillWith(gx, 0);
  kernels.indexAdd(from, at, ptr(gx), outer, n, index.numel, inner);
  return record("indexAdd", gx, [[gy, (ggx) => indexSelect(ggx, axis, index)]], [index]);
}
