// f32x4 elementary functions for kernels. Only + - * / and bit patterns, so every engine gives the same bits.
//
// A function f comes in parts, so that hot loops hold no call (V8 would keep their counters in memory):
//   fInner  inlined, for ordinary lanes        fRare  mask of the lanes that are not
//   fCall   an out-of-line call, for all lanes  f      inlined, all lanes: fInner, or fCall when a lane is rare
// fInner and fCall give the same bits, so a lane's value never depends on its neighbours or on where a loop ends.
//
// Largest errors against float64 over every 17th f32 bit pattern, in units in the last place (ulp) of the f32 result:
//   exp 1.4   log 0.9   sigmoid 2.5   tanh 2.4   sin 1.6   cos 1.6
import { scalarTrig } from "./scalar";
import { madd, nmadd } from "./simd";

/** The i-th constant of a table in all four lanes: a load, because V8 rebuilds a v128.const in every trip of a loop. */
// @ts-ignore: decorator
@inline
export function splat(table: usize, i: usize): v128 {
  return v128.load32_splat(table + (i << 2));
}

// ---- exp, sigmoid, tanh: one reduction, one rational ----
//
// x = n ln2 + r, |r| <= ln2/2. With E(r^2) = r coth(r/2) = 2 + r^2/6 - r^4/360 + ...,
//   e^r - 1 = 2r / (E - r),   e^r = (E + r) / (E - r),   tanh(r/2) = r / E.
// Two coefficients of E (minimax in r^2) give e^r - 1 within 2.5e-9: fewer operations and constants than a polynomial.
// Adding `rounder` = 1.5 * 2^23 + 127 rounds to the nearest integer n and leaves n + 127 in the low bits, so that a left
// shift by 23 makes the float 2^n.
export const EXP: usize = memory.data<f32>([
  1.4426950408889634, //          0  log2(e)
  -1.4426950408889634, //         1
  12583039.0, //                  2  rounder
  0.693115234375, //              3  ln2, 15 leading bits: n times it is exact
  3.194618329871446e-5, //        4  ln2 - [3]
  2.0, //                         5  E: constant term
  0.16666623950004578, //         6  E: r^2
  -0.0027666278183460236, //      7  E: r^4
  69.0, //                        8  exp: beyond it 2^n q could be denormal and round early
  87.0, //                        9  sigmoid: beyond it 2^n could overflow
  -104.0, //                     10  e^x rounds to 0 below
  89.0, //                       11  e^x is Infinity above
  1.0, //                        12
  2.8853900817779268, //         13  2 log2(e)
  0.34657359027997264, //        14  ln2 / 2, rounded to f32 within 3e-9 relative
  10.0, //                       15  tanh rounds to 1 beyond
  -0.0, //                       16  the sign bit
  0.33333247900009155, //        17  E(4r^2) / 2: r^2
  -0.02213302254676819, //       18  E(4r^2) / 2: r^4
]);

/** r = x - n ln2; n = t - rounder. */
// @ts-ignore: decorator
@inline
export function reduceExp(x: v128, t: v128): v128 {
  const n = f32x4.sub(t, splat(EXP, 2));
  return nmadd(n, splat(EXP, 4), nmadd(n, splat(EXP, 3), x));
}

// @ts-ignore: decorator
@inline
function evenE(r: v128): v128 {
  const z = f32x4.mul(r, r);
  return madd(madd(z, splat(EXP, 7), splat(EXP, 6)), z, splat(EXP, 5));
}

/** e^r - 1 */
// @ts-ignore: decorator
@inline
export function expm1Reduced(r: v128): v128 {
  return f32x4.div(f32x4.add(r, r), f32x4.sub(evenE(r), r));
}

/** e^x for |x| <= 69 */
// @ts-ignore: decorator
@inline
export function expInner(x: v128): v128 {
  const t = madd(x, splat(EXP, 0), splat(EXP, 2));
  const scale = i32x4.shl(t, 23);
  return madd(expm1Reduced(reduceExp(x, t)), scale, scale);
}

// @ts-ignore: decorator
@inline
export function expRare(x: v128): v128 {
  return f32x4.gt(f32x4.abs(x), splat(EXP, 8));
}

/** e^x; 0 and denormals below -87.3, Infinity above 88.72. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  return i32x4.bitmask(expRare(x)) ? expCall(x) : expInner(x);
}

export function expCall(v: v128): v128 {
  // The constant stands second: pmax and pmin then pass a NaN on.
  const x = f32x4.pmin(f32x4.pmax(v, splat(EXP, 10)), splat(EXP, 11));
  const t = madd(x, splat(EXP, 0), splat(EXP, 2));
  const q = expm1Reduced(reduceExp(x, t));
  // n is in [-150, 128]: 2^n may not be a float, so scale by 2^floor(n/2) and then by the rest; only the last
  // multiplication can round.
  const n2 = i32x4.add(t, i32x4.splat(127));
  const half = i32x4.shl(i32x4.shr_u(n2, 1), 23);
  return f32x4.mul(madd(q, half, half), i32x4.sub(i32x4.shl(n2, 23), half));
}

/** 1 / (1 + e^-x) for |x| <= 87: with r reduced from -x it is (E - r) / (E - r + 2^n (E + r)). */
// @ts-ignore: decorator
@inline
export function sigmoidInner(x: v128): v128 {
  const t = madd(x, splat(EXP, 1), splat(EXP, 2));
  const r = reduceExp(f32x4.neg(x), t);
  const e = evenE(r);
  const numerator = f32x4.sub(e, r);
  return f32x4.div(numerator, madd(f32x4.add(e, r), i32x4.shl(t, 23), numerator));
}

// @ts-ignore: decorator
@inline
export function sigmoidRare(x: v128): v128 {
  return f32x4.gt(f32x4.abs(x), splat(EXP, 9));
}

/** 1 / (1 + e^-x), accurate (and gradually denormal) also where it is tiny. */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  return i32x4.bitmask(sigmoidRare(x)) ? sigmoidCall(x) : sigmoidInner(x);
}

export function sigmoidCall(x: v128): v128 {
  const limit = splat(EXP, 9);
  const inner = sigmoidInner(f32x4.pmin(f32x4.pmax(x, f32x4.neg(limit)), limit));
  return v128.bitselect(expCall(x), inner, f32x4.lt(x, f32x4.neg(limit)));
}

/**
 * tanh |x| = u / (u + 2 (E - r)), u = (2^n + 1) r + (2^n - 1) E, where 2|x| = n ln2 + 2r: no cancellation near 0, and
 * where u is large its error cancels. No lane is rare. One part of ln2 suffices, as the error of r is damped by 1 - tanh^2.
 */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const a = f32x4.pmin(f32x4.abs(x), splat(EXP, 15));
  const rounder = splat(EXP, 2), one = splat(EXP, 12);
  const t = madd(a, splat(EXP, 13), rounder);
  const r = nmadd(f32x4.sub(t, rounder), splat(EXP, 14), a);
  const z = f32x4.mul(r, r);
  const e = madd(madd(z, splat(EXP, 18), splat(EXP, 17)), z, one);
  const scale = i32x4.shl(t, 23);
  const u = madd(f32x4.add(scale, one), r, f32x4.mul(f32x4.sub(scale, one), e));
  const rest = f32x4.sub(e, r);
  return v128.or(f32x4.div(u, f32x4.add(u, f32x4.add(rest, rest))), v128.and(x, splat(EXP, 16)));
}

export function tanhCall(x: v128): v128 {
  return tanh(x);
}

// ---- log ----
//
// x = 2^k (1 + f), 1 + f in [sqrt(1/2), sqrt 2); s = f / (2 + f); log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)).
// Coefficients of R: musl's logf.c (FreeBSD e_logf.c), |error| < 2^-34.24.
const LOG: usize = memory.data<f32>([
  0.66666662693, //   0  R: s^2
  0.40000972152, //   1  R: s^4
  0.28498786688, //   2  R: s^6
  0.24279078841, //   3  R: s^8
  0.69313812256, //   4  ln2, leading bits
  9.0580006145e-6, // 5  ln2 - [4]
  1.0, //             6
  2.0, //             7
  0.5, //             8
  8388608.0, //       9  2^23
  23.0, //           10
]);
const LOG_BITS: usize = memory.data<i32>([
  0x00800000, // 0  smallest normal float
  0x7f000000, // 1  normal positive floats: bits - [0] below this, unsigned
  0x3f3504f3, // 2  sqrt(1/2)
  0x007fffff, // 3  mantissa
]);

/** log of normal positive x times 2^-lift. */
// @ts-ignore: decorator
@inline
function logLifted(x: v128, lift: v128): v128 {
  const root = splat(LOG_BITS, 2);
  const i = i32x4.sub(x, root);
  const k = f32x4.sub(f32x4.convert_i32x4_s(i32x4.shr_s(i, 23)), lift);
  const f = f32x4.sub(i32x4.add(v128.and(i, splat(LOG_BITS, 3)), root), splat(LOG, 6));
  const s = f32x4.div(f, f32x4.add(f, splat(LOG, 7)));
  const z = f32x4.mul(s, s), w = f32x4.mul(z, z);
  const odd = f32x4.mul(w, madd(w, splat(LOG, 3), splat(LOG, 1)));
  const r = madd(z, madd(w, splat(LOG, 2), splat(LOG, 0)), odd);
  const h = f32x4.mul(f32x4.mul(f, f), splat(LOG, 8));
  const low = f32x4.sub(madd(s, f32x4.add(h, r), f32x4.mul(k, splat(LOG, 5))), h);
  return madd(k, splat(LOG, 4), f32x4.add(low, f));
}

/** log of normal positive x */
// @ts-ignore: decorator
@inline
export function logInner(x: v128): v128 {
  return logLifted(x, i32x4.splat(0));
}

// @ts-ignore: decorator
@inline
export function logRare(x: v128): v128 {
  return i32x4.ge_u(i32x4.sub(x, splat(LOG_BITS, 0)), splat(LOG_BITS, 1));
}

/** Natural logarithm; log(0) = -Infinity, NaN below. */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  return i32x4.bitmask(logRare(x)) ? logCall(x) : logInner(x);
}

export function logCall(x: v128): v128 {
  const tiny = f32x4.lt(x, splat(LOG_BITS, 0));
  const y = logLifted(
    v128.bitselect(f32x4.mul(x, splat(LOG, 9)), x, tiny),
    v128.and(tiny, splat(LOG, 10)),
  );
  const infinity = f32x4.splat(Infinity);
  const zero = i32x4.splat(0);
  // Infinity and NaN stay what they are; all ones (a NaN) below zero.
  const finite = f32x4.lt(x, infinity);
  const proper = v128.bitselect(y, x, finite);
  return v128.or(v128.bitselect(f32x4.neg(infinity), proper, f32x4.eq(x, zero)), f32x4.lt(x, zero));
}

// ---- sin, cos ----
//
// |x| = n pi/2 + r in float64, where n times the 33 leading bits of pi/2 is exact up to n = 2^20; then polynomials on
// |r| <= pi/4 in f32 (Cephes sinf.c, cosf.c). Larger arguments go lane by lane through the scalar functions.
const TRIG: usize = memory.data<f32>([
  -1.6666654611e-1, //          0  sin: r^3
  8.3321608736e-3, //           1
  -1.9515295891e-4, //          2
  4.166664568298827e-2, //      3  cos: r^4
  -1.388731625493765e-3, //     4
  2.443315711809948e-5, //      5
  -0.5, //                      6
  1.0, //                       7
  1e6, //                       8  largest argument of the short reduction
]);
const ROUNDER: f64 = 6755399441055744.0; // 1.5 * 2^52: rounds, and leaves the integer in the low 32 bits
const TWO_OVER_PI: f64 = 0.6366197723675814;
const PI_OVER_2_HI: f64 = 1.5707963267341256; // 33 leading bits
const PI_OVER_2_LO: f64 = 6.077100506506192e-11;

// @ts-ignore: decorator
@inline
function reduceTurns(a: v128, n: v128): v128 {
  return f64x2.sub(f64x2.sub(a, f64x2.mul(n, f64x2.splat(PI_OVER_2_HI))), f64x2.mul(n, f64x2.splat(PI_OVER_2_LO)));
}

/** sin x for quarter 0, cos x for quarter 1: one body, only called, as it is long. */
function trig(x: v128, quarter: i32): v128 {
  const a = f32x4.abs(x);
  const a0 = f64x2.promote_low_f32x4(a), a1 = f64x2.promote_low_f32x4(i32x4.shuffle(a, a, 2, 3, 2, 3));
  const rounder = f64x2.splat(ROUNDER), twoOverPi = f64x2.splat(TWO_OVER_PI);
  const t0 = f64x2.add(f64x2.mul(a0, twoOverPi), rounder), t1 = f64x2.add(f64x2.mul(a1, twoOverPi), rounder);
  const r = i64x2.shuffle(
    f32x4.demote_f64x2_zero(reduceTurns(a0, f64x2.sub(t0, rounder))),
    f32x4.demote_f64x2_zero(reduceTurns(a1, f64x2.sub(t1, rounder))),
    0,
    2,
  );
  const n = i32x4.add(i32x4.shuffle(t0, t1, 0, 2, 4, 6), i32x4.splat(quarter));
  const z = f32x4.mul(r, r);
  const sine = madd(f32x4.mul(r, z), madd(madd(z, splat(TRIG, 2), splat(TRIG, 1)), z, splat(TRIG, 0)), r);
  const tail = madd(madd(z, splat(TRIG, 5), splat(TRIG, 4)), z, splat(TRIG, 3));
  const cosine = madd(f32x4.mul(z, z), tail, madd(z, splat(TRIG, 6), splat(TRIG, 7)));
  // n odd: the cosine; n & 2: negative. The sine was taken of |x|, so that sin(-0) = -0: it has the sign of x too.
  const odd = i32x4.shr_s(i32x4.shl(n, 31), 31);
  const sign = v128.xor(i32x4.shl(i32x4.shr_u(n, 1), 31), quarter ? i32x4.splat(0) : v128.and(x, splat(EXP, 16)));
  const y = v128.xor(v128.bitselect(cosine, sine, odd), sign);
  return i32x4.bitmask(f32x4.gt(a, splat(TRIG, 8))) ? trigLarge(x, y, quarter) : y;
}

/** y with the lanes whose argument is beyond the short reduction (or infinite) replaced. */
function trigLarge(x: v128, y: v128, quarter: i32): v128 {
  for (let lane = 0; lane < 4; lane++) {
    const v = f32x4.extract_lane(x, 0);
    if (abs(v) > 1e6) y = f32x4.replace_lane(y, 0, <f32>scalarTrig(<f64>v, quarter));
    // Both vectors turn by one lane, as lane numbers must be constants; after four turns they are back.
    x = i32x4.shuffle(x, x, 1, 2, 3, 0);
    y = i32x4.shuffle(y, y, 1, 2, 3, 0);
  }
  return y;
}

/** sin x; NaN for Infinity. */
export function sinCall(x: v128): v128 {
  return trig(x, 0);
}

/** cos x; NaN for Infinity. */
export function cosCall(x: v128): v128 {
  return trig(x, 1);
}
