// Activation functions and their gradients.
import { kernels } from "../kernels/index.js";
import { isRecording, record } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { unary, unaryGrad } from "./broadcast.js";
import { mul, square, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";

/** max(x, 0); NaN stays NaN. Derivative 0 at 0, as in PyTorch: `torch.relu`. */
export function relu(x: Tensor): Tensor {
  checkFloat("relu", "x", x);
  const y = unary("relu", kernels.relu, x);
  return record("relu", y, [[x, (gy) => reluGrad(gy, y)]], [y]);
}

/** gy where y > 0; linear in gy, so that it is its own gradient. */
function reluGrad(gy: Tensor, y: Tensor): Tensor {
  return record("reluGrad", unaryGrad("reluGrad", kernels.reluGrad, gy, y), [[gy, (ggy) => reluGrad(ggy, y)]], [y]);
}

/** 1 / (1 + e⁻ˣ). PyTorch: `torch.sigmoid`. */
export function sigmoid(x: Tensor): Tensor {
  checkFloat("sigmoid", "x", x);
  const y = unary("sigmoid", kernels.sigmoid, x);
  return record(
    "sigmoid",
    y,
    [[x, (gy) => (isRecording() ? mul(gy, mul(y, sub(1, y))) : unaryGrad("sigmoid", kernels.sigmoidGrad, gy, y))]],
    [y],
  );
}

/** Hyperbolic tangent. PyTorch: `torch.tanh`. */
export function tanh(x: Tensor): Tensor {
  checkFloat("tanh", "x", x);
  const y = unary("tanh", kernels.tanh, x);
  return record(
    "tanh",
    y,
    [[x, (gy) => (isRecording() ? mul(gy, sub(1, square(y))) : unaryGrad("tanh", kernels.tanhGrad, gy, y))]],
    [y],
  );
}
