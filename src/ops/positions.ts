// Positions of elements that are not zero: what masks become. The number of them is read on the host, since it is a size.
import { kernels } from "../kernels/index.js";
import { nullPtr } from "../memory/index.js";
import { allocate, ptr, type Tensor } from "../tensor/index.js";

/** Flat positions of the elements of x that are not 0, in order: i32 `[count]`. */
export function nonzeroPositions(op: string, x: Tensor): Tensor {
  const bits = x.dtype === "f32" ? 0x7fffffff : -1; // -0 is 0
  const from = ptr(x);
  const count = kernels.nonzero(from, nullPtr, x.numel, bits);
  const y = allocate([count], "i32", op);
  kernels.nonzero(from, ptr(y), x.numel, bits);
  return y;
}
