// Running sums and products along an axis.
import { kernels } from "../kernels/index.js";
import { aroundAxis } from "../shape.js";
import { record, unrecorded } from "../tape/index.js";
import { allocate, checkTensor, ptr, type Tensor } from "../tensor/index.js";
import { axisOf } from "./checks.js";
import { add, mul } from "./elementwise.js";
import { cat } from "./layout.js";
import { sliceAxis } from "./window.js";

/** The axis, in place of options. */
type AxisOption = number | { readonly dim: number };

/** The scan kernel; `product` or sum. The result of i32 or bool is i32. */
function scan(op: string, x: Tensor, axis: number, product: boolean, reverse: boolean): Tensor {
  const float = x.dtype === "f32";
  const from = ptr(x);
  const y = allocate(x.shape, float ? "f32" : "i32", op);
  const what = (float ? 0 : 2) + Number(product);
  kernels.scan(from, ptr(y), ...aroundAxis(x.shape, axis), what, Number(reverse), 0);
  return y;
}

/** Sums up to each element, or with `reverse` from each to the end: each is the other's gradient. */
function running(x: Tensor, axis: number, reverse: boolean): Tensor {
  const y = scan("cumsum", x, axis, false, reverse);
  if (x.dtype !== "f32") return unrecorded("cumsum", y, [x]);
  return record("cumsum", y, [[x, (gy) => running(gy, axis, !reverse)]]);
}

/**
 * Running sum along an axis: yᵢ = x₀ + … + xᵢ, summed in float64. The sums of i32 or bool are i32. PyTorch: `torch.cumsum`.
 *
 * @example
 * import { cumsum, tensor } from "gradine";
 * console.log(cumsum(tensor([1, 2, 3]), 0).toArray()); // [1, 3, 6]
 */
export function cumsum(x: Tensor, dim: AxisOption): Tensor {
  checkTensor("cumsum", "x", x);
  return running(x, axisOf("cumsum", dim, x.ndim), false);
}

/** Running product along an axis: yᵢ = x₀ · … · xᵢ. The gradient is right where elements are 0. PyTorch: `torch.cumprod`. */
export function cumprod(x: Tensor, dim: AxisOption): Tensor {
  checkTensor("cumprod", "x", x);
  const axis = axisOf("cumprod", dim, x.ndim);
  const y = scan("cumprod", x, axis, true, false);
  if (x.dtype !== "f32") return unrecorded("cumprod", y, [x]);
  return record("cumprod", y, [[x, (gy) => cumprodGrad(gy, x, axis)]], [x]);
}

/**
 * The gradient without divisions, so that zeros are nothing special: the running product in log₂ n steps, each of which
 * multiplies every element by the one d = 1, 2, 4, … before it; then the steps backwards.
 */
function cumprodGrad(gy: Tensor, x: Tensor, axis: number): Tensor {
  const n = x.shape[axis] ?? 1;
  const steps: { head: Tensor; tail: Tensor; d: number }[] = [];
  let v = x;
  for (let d = 1; d < n; d *= 2) {
    const head = sliceAxis(v, axis, 0, n - d);
    const tail = sliceAxis(v, axis, d, n);
    steps.push({ head, tail, d });
    if (2 * d < n) v = cat([sliceAxis(v, axis, 0, d), mul(tail, head)], axis);
  }
  let g = gy;
  for (const { head, tail, d } of steps.reverse()) {
    const gTail = sliceAxis(g, axis, d, n);
    // An element takes gradient as itself (from place i) and as the factor of place i + d.
    const own = cat([sliceAxis(g, axis, 0, d), mul(gTail, head)], axis);
    const asFactor = mul(gTail, tail);
    g = cat([add(sliceAxis(own, axis, 0, n - d), asFactor), sliceAxis(own, axis, n - d, n)], axis);
  }
  return g;
}
