// Activations and their gradients, n contiguous f32 elements each. The gradients read the output y, not the input.
import { Binary, map, mapLong, Unary, zip } from "./loops";
import { sigmoidCall, tanhCall } from "./math";

/** y = max(x, 0), NaN for NaN; y may equal x, here and below. */
export function relu(x: usize, y: usize, n: i32): void {
  map(Unary.Relu, x, y, n);
}

/** y = 1 / (1 + e^-x) */
export function sigmoid(x: usize, y: usize, n: i32): void {
  mapLong(Unary.Sigmoid, sigmoidCall, x, y, n);
}

/** y = tanh x */
export function tanh(x: usize, y: usize, n: i32): void {
  mapLong(Unary.Tanh, tanhCall, x, y, n);
}

/** gx = gy where not y <= 0, else 0: 0 at the kink, gy where y is NaN (PyTorch). gx may equal gy or y, here and below. */
export function reluGrad(gy: usize, y: usize, gx: usize, n: i32): void {
  zip(Binary.ReluGrad, gy, y, gx, n);
}

/** gx = gy y (1 - y) */
export function sigmoidGrad(gy: usize, y: usize, gx: usize, n: i32): void {
  zip(Binary.SigmoidGrad, gy, y, gx, n);
}

/** gx = gy (1 - y^2) */
export function tanhGrad(gy: usize, y: usize, gx: usize, n: i32): void {
  zip(Binary.TanhGrad, gy, y, gx, n);
}
