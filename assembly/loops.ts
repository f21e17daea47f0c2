// Elementwise maps: what an op does to a vector, and the loops that carry it over contiguous memory. Op codes are
// compile-time constants, so in an exported kernel `unary`, `binary` fold to the one line they need.
import { cos, cosCall, exp, expCall, log, logCall, sigmoid, sigmoidCall, sin, sinCall, tanh, tanhCall } from "./math";

export const enum Unary { Neg, Abs, Sqrt, Square, Relu, Exp, Log, Sin, Cos, Sigmoid, Tanh }
export const enum Binary { Add, Sub, Mul, Div, ReluGrad, SigmoidGrad, TanhGrad }

// @ts-ignore: decorator
@inline
function unary(op: Unary, v: v128): v128 {
  if (op == Unary.Neg) return f32x4.neg(v);
  if (op == Unary.Abs) return f32x4.abs(v);
  if (op == Unary.Sqrt) return f32x4.sqrt(v);
  if (op == Unary.Square) return f32x4.mul(v, v);
  if (op == Unary.Relu) return f32x4.pmax(v, i32x4.splat(0)); // zero second: a NaN stays
  if (op == Unary.Exp) return exp(v);
  if (op == Unary.Log) return log(v);
  if (op == Unary.Sin) return sin(v);
  if (op == Unary.Cos) return cos(v);
  if (op == Unary.Sigmoid) return sigmoid(v);
  return tanh(v);
}

/** The same bits, as a call where the op is long: a loop's tail need not hold a second copy of it. */
// @ts-ignore: decorator
@inline
function unaryCall(op: Unary, v: v128): v128 {
  if (op == Unary.Exp) return expCall(v);
  if (op == Unary.Log) return logCall(v);
  if (op == Unary.Sin) return sinCall(v);
  if (op == Unary.Cos) return cosCall(v);
  if (op == Unary.Sigmoid) return sigmoidCall(v);
  if (op == Unary.Tanh) return tanhCall(v);
  return unary(op, v);
}

// @ts-ignore: decorator
@inline
export function binary(op: Binary, a: v128, b: v128): v128 {
  if (op == Binary.Add) return f32x4.add(a, b);
  if (op == Binary.Sub) return f32x4.sub(a, b);
  if (op == Binary.Mul) return f32x4.mul(a, b);
  if (op == Binary.Div) return f32x4.div(a, b);
  // Gradients: a = gy, b = y. 0 where y <= 0; a NaN in y is not, so it passes gy, as PyTorch's threshold_backward.
  if (op == Binary.ReluGrad) return v128.andnot(a, f32x4.le(b, i32x4.splat(0)));
  if (op == Binary.SigmoidGrad) return f32x4.mul(a, f32x4.mul(b, f32x4.sub(f32x4.splat(1), b)));
  return f32x4.mul(a, f32x4.sub(f32x4.splat(1), f32x4.mul(b, b)));
}

/** y = op(x), n elements; y may equal x. Two vectors a trip hide the latency of long ops, four the loop of short ones. */
// @ts-ignore: decorator
@inline
export function map(op: Unary, x: usize, y: usize, n: i32): void {
  if (op >= Unary.Exp) {
    for (; n >= 8; n -= 8) {
      const v0 = unary(op, v128.load(x)), v1 = unary(op, v128.load(x, 16));
      v128.store(y, v0);
      v128.store(y, v1, 16);
      x += 32;
      y += 32;
    }
  } else {
    for (; n >= 16; n -= 16) {
      v128.store(y, unary(op, v128.load(x)));
      v128.store(y, unary(op, v128.load(x, 16)), 16);
      v128.store(y, unary(op, v128.load(x, 32)), 32);
      v128.store(y, unary(op, v128.load(x, 48)), 48);
      x += 64;
      y += 64;
    }
  }
  for (; n >= 4; n -= 4) {
    v128.store(y, unaryCall(op, v128.load(x)));
    x += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    v128.store_lane<f32>(y, unaryCall(op, v128.load32_zero(x)), 0);
    x += 4;
    y += 4;
  }
}

/** y = op(a, b), n elements each; y may equal a or b. */
// @ts-ignore: decorator
@inline
export function zip(op: Binary, a: usize, b: usize, y: usize, n: i32): void {
  for (; n >= 16; n -= 16) {
    v128.store(y, binary(op, v128.load(a), v128.load(b)));
    v128.store(y, binary(op, v128.load(a, 16), v128.load(b, 16)), 16);
    v128.store(y, binary(op, v128.load(a, 32), v128.load(b, 32)), 32);
    v128.store(y, binary(op, v128.load(a, 48), v128.load(b, 48)), 48);
    a += 64;
    b += 64;
    y += 64;
  }
  for (; n >= 4; n -= 4) {
    v128.store(y, binary(op, v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    v128.store_lane<f32>(y, binary(op, v128.load32_zero(a), v128.load32_zero(b)), 0);
    a += 4;
    b += 4;
    y += 4;
  }
}
