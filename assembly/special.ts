// Elementary functions beyond those of math.ts: e^x - 1, log(1 + x), arc tangent, error function over n elements, and the
// power of float64 pairs. A lane's value never depends on its neighbours.
//
// Largest errors against float64, in units in the last place (ulp) of the f32 result, test/kernels/special.test.ts:
//   expm1 2.8   log1p 2.3   atan 2.8   erf 1.7   pow 0.6
import { EXP, expInner, expm1Reduced, logInner, reduceExp, splat } from "./math";
import { madd } from "./simd";

const CONSTANTS: usize = memory.data<f32>([
  1.0, //                          0
  -0.0, //                         1  the sign bit
  2.98023223876953125e-8, //       2  expm1: x itself below
  -30.0, //                        3  expm1: -1 below
  89.0, //                         4  expm1: Infinity above
  -0.5, //                         5
  2.0, //                          6
  0.41421356237309503, //          7  tan(pi/8)
  2.414213562373095, //            8  tan(3 pi/8)
  1.5707963267948966, //           9  pi/2
  0.7853981633974483, //          10  pi/4
  8.05374449538e-2, //            11  atan: Cephes atanf.c
  -1.38776856032e-1, //           12
  1.99777106478e-1, //            13
  -3.33329491539e-1, //           14
  4.0, //                         15  erf rounds to 1 beyond
  0.9, //                         16  where erf changes its formula
  -6.09037175308913e-4, //        17  erf(x) / x - 1 in x^2, minimax on [0, 0.9]: 1.2e-8 relative
  5.011965520679951e-3, //        18
  -2.677891217172146e-2, //       19
  1.1282140761613846e-1, //       20
  -3.761252462863922e-1, //       21
  1.2837915122509003e-1, //       22
  -1.2667368864640594e-3, //      23  log(1 - erf(x)) in x, minimax on [0.9, 4] for the error of erf: 2.8e-8 relative
  1.5693582594394684e-2, //       24
  -9.144512563943863e-2, //       25
  -6.502761244773865e-1, //       26
  -1.1205235719680786, //         27
  -1.7874962650239468e-3, //      28
]);

// @ts-ignore: decorator
@inline
function constant(i: usize): v128 {
  return splat(CONSTANTS, i);
}

/** The sign bits of x. */
// @ts-ignore: decorator
@inline
function signOf(x: v128): v128 {
  return v128.and(x, constant(1));
}

/** c[from] z^5 + c[from + 1] z^4 + ... + c[from + 5], by pairs (Estrin): half the latency of Horner's rule. */
// @ts-ignore: decorator
@inline
function quintic(z: v128, from: usize): v128 {
  const z2 = f32x4.mul(z, z);
  const high = madd(madd(z, constant(from), constant(from + 1)), z2, madd(z, constant(from + 2), constant(from + 3)));
  return madd(high, z2, madd(z, constant(from + 4), constant(from + 5)));
}

/**
 * e^x - 1 = 2 (h q + (h - 1/2)), where x = n ln2 + r, q = e^r - 1, h = 2^(n-1): no cancellation near 0, and h is a float
 * also where 2^n is none.
 */
// @ts-ignore: decorator
@inline
function expm1Of(v: v128): v128 {
  const x = f32x4.pmin(f32x4.pmax(v, constant(3)), constant(4));
  const t = madd(x, splat(EXP, 0), splat(EXP, 2));
  const h = i32x4.shl(i32x4.sub(t, i32x4.splat(1)), 23);
  const y = madd(expm1Reduced(reduceExp(x, t)), h, f32x4.add(h, constant(5)));
  return v128.bitselect(v, f32x4.mul(y, constant(6)), f32x4.lt(f32x4.abs(v), constant(2)));
}

/** log(1 + x) = log(u) x / (u - 1) with u = 1 + x rounded: the quotient undoes the rounding (Kahan). */
// @ts-ignore: decorator
@inline
function log1pOf(x: v128): v128 {
  const one = constant(0), zero = i32x4.splat(0), infinity = f32x4.splat(Infinity);
  const u = f32x4.add(x, one);
  const y = f32x4.mul(logInner(u), f32x4.div(x, f32x4.sub(u, one)));
  // x itself where it is tiny, Infinity or NaN; -Infinity at -1; all ones (a NaN) below.
  const proper = v128.andnot(f32x4.lt(u, infinity), f32x4.eq(u, one));
  const inside = v128.bitselect(y, x, proper);
  return v128.or(v128.bitselect(f32x4.neg(infinity), inside, f32x4.eq(u, zero)), f32x4.lt(u, zero));
}

/** Arc tangent: |x| is turned by pi/4 or pi/2 into [-tan(pi/8), tan(pi/8)], with one division for all three cases. */
// @ts-ignore: decorator
@inline
function atanOf(x: v128): v128 {
  const one = constant(0);
  const a = f32x4.abs(x);
  const beyond = f32x4.gt(a, constant(8)), middle = f32x4.gt(a, constant(7));
  const numerator = v128.bitselect(f32x4.neg(one), f32x4.sub(a, v128.and(one, middle)), beyond);
  const denominator = v128.bitselect(a, f32x4.add(v128.and(a, middle), one), beyond);
  const turn = v128.bitselect(constant(9), v128.and(constant(10), middle), beyond);
  const r = f32x4.div(numerator, denominator), z = f32x4.mul(r, r);
  let p = madd(z, constant(11), constant(12));
  p = madd(p, z, constant(13));
  p = madd(p, z, constant(14));
  return v128.or(f32x4.add(turn, madd(f32x4.mul(p, z), r, r)), signOf(x));
}

// @ts-ignore: decorator
@inline
function erfOf(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), constant(15));
  const inner = madd(a, quintic(f32x4.mul(a, a), 17), a);
  const outer = f32x4.sub(constant(0), expInner(quintic(a, 23)));
  return v128.or(v128.bitselect(inner, outer, f32x4.lt(a, constant(16))), signOf(x));
}

const enum Special { Expm1, Log1p, Atan, Erf }

// @ts-ignore: decorator
@inline
function value(op: Special, v: v128): v128 {
  if (op == Special.Expm1) return expm1Of(v);
  if (op == Special.Log1p) return log1pOf(v);
  if (op == Special.Atan) return atanOf(v);
  return erfOf(v);
}

/** y = value(op, x) */
// @ts-ignore: decorator
@inline
function loop(op: Special, x: usize, y: usize, n: i32): void {
  assert(n >= 0, "n must not be negative");
  for (; n >= 4; n -= 4) {
    v128.store(y, value(op, v128.load(x)));
    x += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    v128.store_lane<f32>(y, value(op, v128.load32_zero(x)), 0);
    x += 4;
    y += 4;
  }
}

/** y = e^x - 1; y may equal x, here and below. */
export function expm1(x: usize, y: usize, n: i32): void {
  loop(Special.Expm1, x, y, n);
}

/** y = log(1 + x); -Infinity at -1, NaN below. */
export function log1p(x: usize, y: usize, n: i32): void {
  loop(Special.Log1p, x, y, n);
}

/** y = arc tangent of x */
export function atan(x: usize, y: usize, n: i32): void {
  loop(Special.Atan, x, y, n);
}

/** y = erf x = 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x */
export function erf(x: usize, y: usize, n: i32): void {
  loop(Special.Erf, x, y, n);
}

// ---- pow ----
//
// |x|^y = 2^(y log2 |x|) in float64, two lanes at a time. |x| = 2^k m, m in [sqrt(1/2), sqrt 2), s = (m - 1) / (m + 1):
// log2 m = s L(s^2) within 4.2e-12 relative; 2^f on [-1/2, 1/2] within 1.9e-9. Both minimax for the relative error.
const POW: usize = memory.data<f64>([
  0.34072781677102043, //       0  L: s^8
  0.4116728403581836, //        1
  0.5770835829577232, //        2
  0.9617966733526873, //        3
  2.8853900817900744, //        4
  0.000153458125221791, //      5  2^f: f^6
  0.0013399931710625348, //     6
  0.009618488959502378, //      7
  0.05550328775752769, //       8
  0.24022646890571558, //       9
  0.6931472057378218, //       10
  1.0000000005541798, //       11
  1.0, //                      12
  6755399441055744.0, //       13  1.5 * 2^52: rounds, and leaves the integer in the low bits
  4503599627371520.0, //       14  2^52 + 1024
  250.0, //                    15  2^t is infinite beyond, and 0 below its negative
  -250.0, //                   16
]);
const POW_BITS: usize = memory.data<u64>([
  0x3fe6a09e667f3bcd, // 0  sqrt(1/2)
  0x4000000000000000, // 1  1024 in the exponent field
  0x4330000000000000, // 2  2^52
]);

// @ts-ignore: decorator
@inline
function number(i: usize): v128 {
  return v128.load64_splat(POW + (i << 3));
}

// @ts-ignore: decorator
@inline
function madd64(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(f64x2.mul(a, b), c);
}

/** a^y for two f64 lanes, a >= 0 or NaN. */
// @ts-ignore: decorator
@inline
function pow64(a: v128, y: v128): v128 {
  const one = number(12), zero = i32x4.splat(0);
  const exponentBits = v128.load64_splat(POW_BITS, 8);
  const shifted = i64x2.add(i64x2.sub(a, v128.load64_splat(POW_BITS)), exponentBits);
  const e = i64x2.shr_u(shifted, 52); // k + 1024, not negative
  const m = i64x2.add(i64x2.sub(a, i64x2.shl(e, 52)), exponentBits);
  const k = f64x2.sub(v128.or(e, v128.load64_splat(POW_BITS, 16)), number(14));
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one)), z = f64x2.mul(s, s);
  let p = madd64(z, number(0), number(1));
  p = madd64(p, z, number(2));
  p = madd64(p, z, number(3));
  p = madd64(p, z, number(4));
  // Infinity and NaN stay what they are; the logarithm of 0 is -Infinity.
  const finite = v128.bitselect(madd64(p, s, k), a, f64x2.lt(a, f64x2.splat(Infinity)));
  const log2 = v128.bitselect(f64x2.splat(-Infinity), finite, f64x2.eq(a, zero));
  // 1^y and a^0 are 1 whatever the other is.
  const trivial = v128.or(f64x2.eq(log2, zero), f64x2.eq(y, zero));
  const t = f64x2.pmax(f64x2.pmin(v128.andnot(f64x2.mul(log2, y), trivial), number(15)), number(16));
  const n = f64x2.add(t, number(13));
  const f = f64x2.sub(t, f64x2.sub(n, number(13)));
  p = madd64(f, number(5), number(6));
  p = madd64(p, f, number(7));
  p = madd64(p, f, number(8));
  p = madd64(p, f, number(9));
  p = madd64(p, f, number(10));
  p = madd64(p, f, number(11));
  return i64x2.add(p, i64x2.shl(n, 52));
}

/**
 * x^y of the two lower lanes, as C's pow: 1 for y = 0 and for x = 1; NaN for finite x < 0 and fractional y; an odd y keeps
 * the sign of x.
 */
// @ts-ignore: decorator
@inline
export function powPair(x: v128, y: v128): v128 {
  const a = f32x4.abs(x);
  const size = f32x4.demote_f64x2_zero(pow64(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(y)));
  const half = f32x4.mul(y, f32x4.splat(0.5));
  const whole = f32x4.eq(f32x4.nearest(y), y);
  const odd = v128.andnot(whole, f32x4.eq(f32x4.nearest(half), half));
  const negative = v128.and(f32x4.lt(x, i32x4.splat(0)), f32x4.lt(a, f32x4.splat(Infinity)));
  return v128.or(v128.or(size, v128.and(signOf(x), odd)), v128.andnot(negative, whole));
}
