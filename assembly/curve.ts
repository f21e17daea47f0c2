// Unary functions, activations and their gradients, n contiguous f32 elements. What is long (exp, sigmoid, erf, ...) has
// one loop in elementwise.ts, activation.ts or special.ts; here stand the short passes before and after it, run over
// blocks that stay in the L1 cache.
// In gradients: kinks and NaN as in PyTorch.
import { sigmoid } from "./activation";
import { exp } from "./elementwise";
import { expInner } from "./math";
import { madd, nmadd } from "./simd";
import { erf, expm1, log1p } from "./special";

/** What a pass computes of x, of t = the old y (from EluEnd on) and of g (from ClampGrad on; with t again from EluGrad on). */
const enum Pass {
  Sign, Reciprocal, Rsqrt, Floor, Ceil, Round, Step, Clamp, LeakyRelu, Hardsigmoid, Hardswish,
  Scale, TwiceTanhArgument,
  EluEnd, SoftplusEnd, GeluEnd, Times, MishEnd,
  ClampGrad, HardtanhGrad, LeakyReluGrad, HardsigmoidGrad, HardswishGrad,
  EluGrad, SoftplusGrad, GeluGrad, GeluTanhGrad, SiluGrad, MishGrad,
}

/** Elements of a block. */
const BLOCK = 2048;

// @ts-ignore: decorator
@inline
function number(value: f32): v128 {
  return f32x4.splat(value);
}

/** Where a constant and x meet, the constant stands second: pmin and pmax then pass a NaN on. */
// @ts-ignore: decorator
@inline
function clamped(x: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, low), high);
}

/** min(max(x + 3, 0), 6) */
// @ts-ignore: decorator
@inline
function hard(x: v128): v128 {
  return clamped(f32x4.add(x, number(3)), i32x4.splat(0), number(6));
}

/** tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2) */
// @ts-ignore: decorator
@inline
function mishFactor(e: v128): v128 {
  const n = f32x4.mul(e, f32x4.add(e, number(2)));
  return f32x4.div(n, f32x4.add(n, number(2)));
}

// @ts-ignore: decorator
@inline
function value(op: Pass, g: v128, x: v128, t: v128, p: v128, q: v128): v128 {
  const zero = i32x4.splat(0), one = number(1);
  if (op == Pass.Sign) {
    const size = v128.and(f32x4.ne(x, zero), v128.or(one, f32x4.ne(x, x))); // all ones where x is NaN: a NaN
    return v128.or(size, v128.and(f32x4.lt(x, zero), number(-0.0)));
  }
  if (op == Pass.Reciprocal) return f32x4.div(one, x);
  if (op == Pass.Rsqrt) return f32x4.div(one, f32x4.sqrt(x));
  if (op == Pass.Floor) return f32x4.floor(x);
  if (op == Pass.Ceil) return f32x4.ceil(x);
  if (op == Pass.Round) return f32x4.nearest(x); // half to even
  if (op == Pass.Step) return v128.or(v128.and(f32x4.ge(x, zero), one), f32x4.ne(x, x));
  if (op == Pass.Clamp) return clamped(x, p, q);
  if (op == Pass.LeakyRelu) return v128.bitselect(x, f32x4.mul(x, p), f32x4.gt(x, zero));
  if (op == Pass.Hardsigmoid) return f32x4.div(hard(x), number(6));
  if (op == Pass.Hardswish) return f32x4.mul(x, f32x4.div(hard(x), number(6)));
  if (op == Pass.Scale) return f32x4.mul(x, p);
  // 2 sqrt(2/pi) (x + 0.044715 x^3)
  if (op == Pass.TwiceTanhArgument)
    return f32x4.mul(x, madd(f32x4.mul(x, x), number(0.07135481627159655), number(1.5957691216057308)));

  if (op == Pass.EluEnd) return f32x4.mul(v128.bitselect(x, f32x4.mul(t, p), f32x4.gt(x, zero)), q);
  if (op == Pass.SoftplusEnd) return v128.bitselect(x, f32x4.div(t, p), f32x4.gt(f32x4.mul(x, p), q));
  if (op == Pass.GeluEnd) return f32x4.mul(f32x4.mul(x, number(0.5)), f32x4.add(t, one));
  if (op == Pass.Times) return f32x4.mul(x, t);
  if (op == Pass.MishEnd) return f32x4.mul(x, mishFactor(t));

  if (op == Pass.ClampGrad) return v128.and(g, v128.and(f32x4.ge(x, p), f32x4.le(x, q)));
  if (op == Pass.HardtanhGrad) return v128.andnot(g, v128.or(f32x4.le(x, p), f32x4.ge(x, q)));
  if (op == Pass.LeakyReluGrad) return v128.bitselect(g, f32x4.mul(g, p), f32x4.gt(x, zero));
  if (op == Pass.HardsigmoidGrad) return v128.and(f32x4.div(g, number(6)), f32x4.lt(f32x4.abs(x), number(3)));
  if (op == Pass.HardswishGrad) {
    const middle = f32x4.mul(g, f32x4.add(f32x4.div(x, number(3)), number(0.5)));
    return v128.andnot(v128.bitselect(middle, g, f32x4.le(x, number(3))), f32x4.lt(x, number(-3)));
  }
  // Of t = e^x, e^x, sigmoid, ...
  if (op == Pass.EluGrad) return f32x4.mul(g, f32x4.mul(v128.bitselect(f32x4.mul(t, p), one, f32x4.le(x, zero)), q));
  if (op == Pass.SoftplusGrad) return v128.bitselect(g, f32x4.mul(g, t), f32x4.gt(f32x4.mul(x, p), q));
  if (op == Pass.GeluGrad) {
    // Phi(x) + x phi(x); beyond 11.7 the second term is 0 in f32.
    const b = clamped(x, number(-11.7), number(11.7));
    const density = f32x4.mul(expInner(f32x4.mul(f32x4.mul(b, b), number(-0.5))), number(0.3989422804014327));
    return f32x4.mul(g, madd(f32x4.add(t, one), number(0.5), f32x4.mul(b, density)));
  }
  if (op == Pass.GeluTanhGrad) {
    const slope = madd(f32x4.mul(x, x), number(0.21406444881478965), number(1.5957691216057308));
    return f32x4.mul(g, madd(f32x4.mul(f32x4.mul(x, t), f32x4.sub(one, t)), slope, t));
  }
  if (op == Pass.SiluGrad) return f32x4.mul(g, f32x4.mul(t, madd(x, f32x4.sub(one, t), one)));
  // MishGrad: t = e^x; sigmoid(x) = e / (e + 1)
  const m = mishFactor(t);
  const slope = f32x4.mul(nmadd(m, m, one), f32x4.div(t, f32x4.add(t, one)));
  return f32x4.mul(g, madd(x, slope, m));
}

/** y = value(op, ...) over n elements. */
// @ts-ignore: decorator
@inline
function pass(op: Pass, gy: usize, x: usize, y: usize, n: i32, p: f32, q: f32): void {
  assert(n >= 0, "n must not be negative");
  const pp = f32x4.splat(p), qq = f32x4.splat(q), none = i32x4.splat(0);
  for (; n >= 4; n -= 4) {
    const g = op >= Pass.ClampGrad ? v128.load(gy) : none;
    const t = op >= Pass.EluGrad || (op >= Pass.EluEnd && op < Pass.ClampGrad) ? v128.load(y) : none;
    v128.store(y, value(op, g, v128.load(x), t, pp, qq));
    if (op >= Pass.ClampGrad) gy += 16;
    x += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    const g = op >= Pass.ClampGrad ? v128.load32_zero(gy) : none;
    const t = op >= Pass.EluGrad || (op >= Pass.EluEnd && op < Pass.ClampGrad) ? v128.load32_zero(y) : none;
    v128.store_lane<f32>(y, value(op, g, v128.load32_zero(x), t, pp, qq), 0);
    if (op >= Pass.ClampGrad) gy += 4;
    x += 4;
    y += 4;
  }
}

/** y = -1, 0 or 1; NaN for NaN. */
export function sign(x: usize, y: usize, n: i32): void {
  pass(Pass.Sign, x, x, y, n, 0, 0);
}

export function reciprocal(x: usize, y: usize, n: i32): void {
  pass(Pass.Reciprocal, x, x, y, n, 0, 0);
}

/** y = 1 / sqrt x */
export function rsqrt(x: usize, y: usize, n: i32): void {
  pass(Pass.Rsqrt, x, x, y, n, 0, 0);
}

export function floor(x: usize, y: usize, n: i32): void {
  pass(Pass.Floor, x, x, y, n, 0, 0);
}

export function ceil(x: usize, y: usize, n: i32): void {
  pass(Pass.Ceil, x, x, y, n, 0, 0);
}

/** To the nearest integer, half to even. */
export function round(x: usize, y: usize, n: i32): void {
  pass(Pass.Round, x, x, y, n, 0, 0);
}

/** y = 1 where x >= 0, else 0 */
export function binaryStep(x: usize, y: usize, n: i32): void {
  pass(Pass.Step, x, x, y, n, 0, 0);
}

/** y = min(max(x, low), high) */
export function clamp(x: usize, y: usize, n: i32, low: f32, high: f32): void {
  pass(Pass.Clamp, x, x, y, n, low, high);
}

/** gx = gy where low <= x <= high, else 0 */
export function clampGrad(gy: usize, x: usize, gx: usize, n: i32, low: f32, high: f32): void {
  pass(Pass.ClampGrad, gy, x, gx, n, low, high);
}

/** gx = gy where low < x < high or x is NaN, else 0: the other derivative of `clamp` */
export function hardtanhGrad(gy: usize, x: usize, gx: usize, n: i32, low: f32, high: f32): void {
  pass(Pass.HardtanhGrad, gy, x, gx, n, low, high);
}

/** y = x where x > 0, else slope x */
export function leakyRelu(x: usize, y: usize, n: i32, slope: f32): void {
  pass(Pass.LeakyRelu, x, x, y, n, slope, 0);
}

export function leakyReluGrad(gy: usize, x: usize, gx: usize, n: i32, slope: f32): void {
  pass(Pass.LeakyReluGrad, gy, x, gx, n, slope, 0);
}

/** y = min(max(x + 3, 0), 6) / 6 */
export function hardsigmoid(x: usize, y: usize, n: i32): void {
  pass(Pass.Hardsigmoid, x, x, y, n, 0, 0);
}

export function hardsigmoidGrad(gy: usize, x: usize, gx: usize, n: i32): void {
  pass(Pass.HardsigmoidGrad, gy, x, gx, n, 0, 0);
}

/** y = x min(max(x + 3, 0), 6) / 6 */
export function hardswish(x: usize, y: usize, n: i32): void {
  pass(Pass.Hardswish, x, x, y, n, 0, 0);
}

export function hardswishGrad(gy: usize, x: usize, gx: usize, n: i32): void {
  pass(Pass.HardswishGrad, gy, x, gx, n, 0, 0);
}

// What takes several passes. y must not overlap x, nor gx its operands: the passes read them again.

const enum Curve {
  Elu, Softplus, Gelu, GeluTanh, Silu, Mish, EluGrad, SoftplusGrad, GeluGrad, GeluTanhGrad, SiluGrad, MishGrad,
}

// The passes as functions, because one function holds one hot loop.
function scale(x: usize, y: usize, n: i32, by: f32): void {
  pass(Pass.Scale, x, x, y, n, by, 0);
}
function twiceTanhArgument(x: usize, y: usize, n: i32): void {
  pass(Pass.TwiceTanhArgument, x, x, y, n, 0, 0);
}
function eluEnd(x: usize, y: usize, n: i32, alpha: f32, by: f32): void {
  pass(Pass.EluEnd, x, x, y, n, alpha, by);
}
function softplusEnd(x: usize, y: usize, n: i32, beta: f32, threshold: f32): void {
  pass(Pass.SoftplusEnd, x, x, y, n, beta, threshold);
}
function geluEnd(x: usize, y: usize, n: i32): void {
  pass(Pass.GeluEnd, x, x, y, n, 0, 0);
}
function times(x: usize, y: usize, n: i32): void {
  pass(Pass.Times, x, x, y, n, 0, 0);
}
function mishEnd(x: usize, y: usize, n: i32): void {
  pass(Pass.MishEnd, x, x, y, n, 0, 0);
}
function eluGradEnd(gy: usize, x: usize, gx: usize, n: i32, alpha: f32, by: f32): void {
  pass(Pass.EluGrad, gy, x, gx, n, alpha, by);
}
function softplusGradEnd(gy: usize, x: usize, gx: usize, n: i32, beta: f32, threshold: f32): void {
  pass(Pass.SoftplusGrad, gy, x, gx, n, beta, threshold);
}
function geluGradEnd(gy: usize, x: usize, gx: usize, n: i32): void {
  pass(Pass.GeluGrad, gy, x, gx, n, 0, 0);
}
function geluTanhGradEnd(gy: usize, x: usize, gx: usize, n: i32): void {
  pass(Pass.GeluTanhGrad, gy, x, gx, n, 0, 0);
}
function siluGradEnd(gy: usize, x: usize, gx: usize, n: i32): void {
  pass(Pass.SiluGrad, gy, x, gx, n, 0, 0);
}
function mishGradEnd(gy: usize, x: usize, gx: usize, n: i32): void {
  pass(Pass.MishGrad, gy, x, gx, n, 0, 0);
}

/** Block after block, the passes of a curve; y serves as the room between them. */
function curve(kind: Curve, gy: usize, x: usize, y: usize, n: i32, p: f32, q: f32): void {
  assert(n >= 0, "n must not be negative");
  for (; n > 0; n -= BLOCK) {
    const m = min(n, BLOCK);
    switch (kind) {
      case Curve.Elu: expm1(x, y, m); eluEnd(x, y, m, p, q); break;
      case Curve.Softplus: scale(x, y, m, p); exp(y, y, m); log1p(y, y, m); softplusEnd(x, y, m, p, q); break;
      case Curve.Gelu: scale(x, y, m, 0.7071067811865476); erf(y, y, m); geluEnd(x, y, m); break;
      case Curve.GeluTanh: twiceTanhArgument(x, y, m); sigmoid(y, y, m); times(x, y, m); break;
      case Curve.Silu: sigmoid(x, y, m); times(x, y, m); break;
      // From e^20 on the factor is 1.
      case Curve.Mish: clamp(x, y, m, -Infinity, 20); exp(y, y, m); mishEnd(x, y, m); break;
      case Curve.EluGrad: exp(x, y, m); eluGradEnd(gy, x, y, m, p, q); break;
      case Curve.SoftplusGrad: scale(x, y, m, p); sigmoid(y, y, m); softplusGradEnd(gy, x, y, m, p, q); break;
      case Curve.GeluGrad: scale(x, y, m, 0.7071067811865476); erf(y, y, m); geluGradEnd(gy, x, y, m); break;
      case Curve.GeluTanhGrad: twiceTanhArgument(x, y, m); sigmoid(y, y, m); geluTanhGradEnd(gy, x, y, m); break;
      case Curve.SiluGrad: sigmoid(x, y, m); siluGradEnd(gy, x, y, m); break;
      default: clamp(x, y, m, -Infinity, 20); exp(y, y, m); mishGradEnd(gy, x, y, m); // MishGrad
    }
    gy += BLOCK << 2;
    x += BLOCK << 2;
    y += BLOCK << 2;
  }
}

/** y = scale x where x > 0, else scale alpha (e^x - 1) */
export function elu(x: usize, y: usize, n: i32, alpha: f32, scale: f32): void {
  curve(Curve.Elu, x, x, y, n, alpha, scale);
}

export function eluGrad(gy: usize, x: usize, gx: usize, n: i32, alpha: f32, scale: f32): void {
  curve(Curve.EluGrad, gy, x, gx, n, alpha, scale);
}

/** y = x where beta x > threshold, else log(1 + e^(beta x)) / beta. For beta = -1 it is log(sigmoid(x)). */
export function softplus(x: usize, y: usize, n: i32, beta: f32, threshold: f32): void {
  curve(Curve.Softplus, x, x, y, n, beta, threshold);
}

export function softplusGrad(gy: usize, x: usize, gx: usize, n: i32, beta: f32, threshold: f32): void {
  curve(Curve.SoftplusGrad, gy, x, gx, n, beta, threshold);
}

/** y = x Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2 */
export function gelu(x: usize, y: usize, n: i32): void {
  curve(Curve.Gelu, x, x, y, n, 0, 0);
}

export function geluGrad(gy: usize, x: usize, gx: usize, n: i32): void {
  curve(Curve.GeluGrad, gy, x, gx, n, 0, 0);
}

/** y = x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2; (1 + tanh(u)) / 2 is sigmoid(2u), without the cancellation */
export function geluTanh(x: usize, y: usize, n: i32): void {
  curve(Curve.GeluTanh, x, x, y, n, 0, 0);
}

export function geluTanhGrad(gy: usize, x: usize, gx: usize, n: i32): void {
  curve(Curve.GeluTanhGrad, gy, x, gx, n, 0, 0);
}

/** y = x / (1 + e^-x) */
export function silu(x: usize, y: usize, n: i32): void {
  curve(Curve.Silu, x, x, y, n, 0, 0);
}

export function siluGrad(gy: usize, x: usize, gx: usize, n: i32): void {
  curve(Curve.SiluGrad, gy, x, gx, n, 0, 0);
}

/** y = x tanh(log(1 + e^x)) */
export function mish(x: usize, y: usize, n: i32): void {
  curve(Curve.Mish, x, x, y, n, 0, 0);
}

export function mishGrad(gy: usize, x: usize, gx: usize, n: i32): void {
  curve(Curve.MishGrad, gy, x, gx, n, 0, 0);
}
