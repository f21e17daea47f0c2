// Softmax and its logarithm along an axis.
import { checkOptions } from "../error.js";
import { type Kernels, kernels } from "../kernels/index.js";
import { aroundAxis, checkAxis } from "../shape.js";
import { isRecording, record } from "../tape/index.js";
import { allocate, ptr, type Tensor } from "../tensor/index.js";
import { exp, mul, sub } from "./elementwise.js";
import { checkFloat, splitOptions } from "./launch.js";
import { sum } from "./reduce.js";

/** The axis, in place of options. */
type AxisOption = number | { readonly dim: number };

function axisOf(op: string, x: Tensor, dim: AxisOption): number {
  checkFloat(op, "x", x);
  const split = splitOptions<object>(dim, undefined);
  checkOptions(op, split.options, ["dim"]);
  return checkAxis(op, split.dim, x.ndim);
}

/** Runs the joint gradient kernel of softmax or logSoftmax. */
function axisGrad(kernel: Kernels["softmaxGrad"], op: string, gy: Tensor, y: Tensor, axis: number): Tensor {
  const g = ptr(gy);
  const saved = ptr(y);
  const gx = allocate(y.shape, "f32", op);
  kernel(g, saved, ptr(gx), ...aroundAxis(y.shape, axis));
  return gx;
}

/**
 * exp(x) / Σ exp(x) along an axis, computed with the largest element subtracted.
 *
 * @param dim the axis: `softmax(x, -1)` or `softmax(x, { dim: -1 })`. PyTorch: `torch.softmax`.
 * @example
 * import { softmax, tensor } from "gradine";
 * console.log(softmax(tensor([0, 0]), -1).toArray()); // [0.5, 0.5]
 */
export function softmax(x: Tensor, dim: AxisOption): Tensor {
  const axis = axisOf("softmax", x, dim);
  const from = ptr(x);
  const y = allocate(x.shape, "f32", "softmax");
  kernels.softmax(from, ptr(y), ...aroundAxis(x.shape, axis));
  return record(
    "softmax",
    y,
    [
      [
        x,
        (gy) =>
          isRecording()
            ? mul(y, sub(gy, sum(mul(gy, y), { dim: axis, keepdim: true })))
            : axisGrad(kernels.softmaxGrad, "softmax", gy, y, axis),
      ],
    ],
    [y],
  );
}

/** x − log Σ exp(x) along an axis: the logarithm of softmax without its underflow. PyTorch: `torch.log_softmax`. */
export function logSoftmax(x: Tensor, dim: AxisOption): Tensor {
  const axis = axisOf("logSoftmax", x, dim);
  const from = ptr(x);
  const y = allocate(x.shape, "f32", "logSoftmax");
  kernels.logSoftmax(from, ptr(y), ...aroundAxis(x.shape, axis));
  return record(
    "logSoftmax",
    y,
    [
      [
        x,
        (gy) =>
          isRecording()
            ? sub(gy, mul(exp(y), sum(gy, { dim: axis, keepdim: true })))
            : axisGrad(kernels.logSoftmaxGrad, "logSoftmax", gy, y, axis),
      ],
    ],
    [y],
  );
}
