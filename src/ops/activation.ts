// The activation functions that are methods of tensors in PyTorch too; the others are in curve.ts.
import { kernels } from "../kernels/index.js";
import { isRecording, record } from "../tape/index.js";
import { checkTensor, type Tensor } from "../tensor/index.js";
import { maximum } from "./arithmetic.js";
import { unary, unaryGrad } from "./broadcast.js";
import { mul, square, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { viaFloat } from "./promote.js";

/** max(x, 0); NaN stays NaN. Derivative 0 at 0. i32 stay i32. PyTorch: `torch.relu`. */
export function relu(x: Tensor): Tensor {
  checkTensor("relu", "x", x);
  if (x.dtype === "i32") return maximum(x, 0);
  checkFloat("relu", "x", x);
  const y = unary("relu", kernels.relu, x);
  return record("relu", y, [[x, (gy) => reluGrad(gy, y)]], [y]);
}

/** gy where y > 0; linear in gy, so that it is its own gradient. */
function reluGrad(gy: Tensor, y: Tensor): Tensor {
  const gx = unaryGrad("reluGrad", kernels.reluGrad, gy, y, true);
  return isRecording() ? record("reluGrad", gx, [[gy, (ggy) => reluGrad(ggy, y)]], [y]) : gx;
}

/** 1 / (1 + e⁻ˣ). PyTorch: `torch.sigmoid`. */
export function sigmoid(x: Tensor): Tensor {
  return viaFloat("sigmoid", x, sigmoidOf);
}

function sigmoidOf(x: Tensor): Tensor {
  const y = unary("sigmoid", kernels.sigmoid, x);
  const gradient = (gy: Tensor) =>
    isRecording() ? mul(gy, mul(y, sub(1, y))) : unaryGrad("sigmoid", kernels.sigmoidGrad, gy, y, true);
  return record("sigmoid", y, [[x, gradient]], [y]);
}

/** Hyperbolic tangent. PyTorch: `torch.tanh`. */
export function tanh(x: Tensor): Tensor {
  return viaFloat("tanh", x, tanhOf);
}

function tanhOf(x: Tensor): Tensor {
  const y = unary("tanh", kernels.tanh, x);
  const gradient = (gy: Tensor) =>
    isRecording() ? mul(gy, sub(1, square(y))) : unaryGrad("tanh", kernels.tanhGrad, gy, y, true);
  return record("tanh", y, [[x, gradient]], [y]);
}
