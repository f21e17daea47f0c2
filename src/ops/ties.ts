// Elements that are the extreme or the median of their row share its gradient.
import { kernels } from "../kernels/index.js";
import { allocate, ptr, type Tensor, viewOf } from "../tensor/index.js";
import { spread } from "./axes.js";
import { div } from "./elementwise.js";
import { sum } from "./reduce.js";

/** Values along an axis and where they stood. */
export interface ValuesAndIndices {
  readonly values: Tensor;
  /** Positions along the axis; i32. */
  readonly indices: Tensor;
}

/** For each element 1/(number of elements equal to the extreme) where it is the extreme, else 0: piecewise constant. */
export function ties(x: Tensor, y: Tensor, kept: readonly number[], axes: readonly number[]): Tensor {
  const px = ptr(x);
  const spreadY = spread(viewOf(y, y.shape, "ties"), kept, x.shape);
  const mask = allocate(x.shape, "f32", "ties");
  kernels.equalMask(px, ptr(spreadY), ptr(mask), x.numel);
  const count = sum(mask, { dim: axes, keepdim: true });
  return div(mask, count);
}
