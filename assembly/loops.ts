// Elementwise maps: what an op does to a vector, and the loops that carry it over contiguous memory. Op codes are
// compile-time constants, so in an exported kernel `unary`, `binary` fold to the one line they need.
import { expInner, expRare, logInner, logRare, sigmoidInner, sigmoidRare, tanh } from "./math";

export const enum Unary { Neg, Abs, Sqrt, Square, Relu, Exp, Log, Sigmoid, Tanh }
export const enum Binary { Add, Sub, Mul, Div, ReluGrad, SigmoidGrad, TanhGrad }

// @ts-ignore: decorator
@inline
function unary(op: Unary, v: v128): v128 {
  if (op == Unary.Neg) return f32x4.neg(v);
  if (op == Unary.Abs) return f32x4.abs(v);
  if (op == Unary.Sqrt) return f32x4.sqrt(v);
  if (op == Unary.Square) return f32x4.mul(v, v);
  if (op == Unary.Relu) return f32x4.pmax(v, i32x4.splat(0)); // zero second: a NaN stays
  if (op == Unary.Exp) return expInner(v);
  if (op == Unary.Log) return logInner(v);
  if (op == Unary.Sigmoid) return sigmoidInner(v);
  return tanh(v);
}

/** Mask of the lanes that only the op's call can do. */
// @ts-ignore: decorator
@inline
function rare(op: Unary, v: v128): v128 {
  if (op == Unary.Exp) return expRare(v);
  if (op == Unary.Log) return logRare(v);
  if (op == Unary.Sigmoid) return sigmoidRare(v);
  return i32x4.splat(0);
}

/** A long op as a call. */
type Call = (v: v128) => v128;

/**
 * y = call(x), n elements; y may equal x. For rare ops; and what the unrolled loop of a long op leaves, without a second
 * copy of the op.
 */
export function each(call: Call, x: usize, y: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, call(v128.load(x)));
    x += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    v128.store_lane<f32>(y, call(v128.load32_zero(x)), 0);
    x += 4;
    y += 4;
  }
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

/** y = op(x) for a short op, n elements; y may equal x. */
// @ts-ignore: decorator
@inline
export function map(op: Unary, x: usize, y: usize, n: i32): void {
  for (; n >= 16; n -= 16) {
    v128.store(y, unary(op, v128.load(x)));
    v128.store(y, unary(op, v128.load(x, 16)), 16);
    v128.store(y, unary(op, v128.load(x, 32)), 32);
    v128.store(y, unary(op, v128.load(x, 48)), 48);
    x += 64;
    y += 64;
  }
  for (; n >= 4; n -= 4) {
    v128.store(y, unary(op, v128.load(x)));
    x += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    v128.store_lane<f32>(y, unary(op, v128.load32_zero(x)), 0);
    x += 4;
    y += 4;
  }
}

/**
 * y = op(x) for a long op, n elements; y may equal x. Two vectors a trip hide its latency; the loop is left for rare
 * lanes and entered again, because a call inside would make V8 keep the loop's counters in memory (-30 %).
 */
// @ts-ignore: decorator
@inline
export function mapLong(op: Unary, call: Call, x: usize, y: usize, n: i32): void {
  while (n > 0) {
    for (; n >= 8; n -= 8) {
      const v0 = v128.load(x), v1 = v128.load(x, 16);
      if (i32x4.bitmask(v128.or(rare(op, v0), rare(op, v1)))) break;
      // Both results before the first store: V8 then loads each constant once for both and interleaves the two.
      const y0 = unary(op, v0), y1 = unary(op, v1);
      v128.store(y, y0);
      v128.store(y, y1, 16);
      x += 32;
      y += 32;
    }
    each(call, x, y, min(n, 8));
    x += 32;
    y += 32;
    n -= 8;
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
