// f64 elementary functions for the host (schedules, bias corrections, gains): JavaScript's Math.exp and the like differ
// between engines in the last bits, these do not. Formulas and coefficients of FreeBSD's msun (e_exp.c, e_log.c, k_sin.c,
// k_cos.c; Sun Microsystems, "freely granted"), arranged for few bytes. Errors: 1 ulp.

const LN2_HI: f64 = 6.93147180369123816490e-1; // 33 leading bits
const LN2_LO: f64 = 1.90821492927058770002e-10;
const ROUNDER: f64 = 6755399441055744.0; // 1.5 * 2^52: adding it rounds and leaves the integer in the low bits

/** e^r - 1, where x = n ln2 + r. */
function expm1Reduced(x: f64, n: f64): f64 {
  const hi = x - n * LN2_HI, lo = n * LN2_LO;
  const r = hi - lo, z = r * r;
  const p = 1.66666666666666019037e-1 + z * (-2.77777777770155933842e-3 +
    z * (6.61375632143793436117e-5 + z * (-1.65339022054652515390e-6 + z * 4.13813679705723846039e-8)));
  const c = r - z * p;
  return hi - (lo - (r * c) / (2 - c));
}

/** 2^n for n in [-1022, 1023] */
// @ts-ignore: decorator
@inline
function power2(n: i64): f64 {
  return reinterpret<f64>((1023 + n) << 52);
}

export function scalarExp(x: f64): f64 {
  x = min(max(x, -746), 710); // both pass a NaN on
  const t = x * 1.4426950408889634 + ROUNDER;
  const n = <i64>(<i32>reinterpret<i64>(t));
  // Two factors: 2^n itself may be beyond the range of f64.
  return (1 + expm1Reduced(x, t - ROUNDER)) * power2(n >> 1) * power2(n - (n >> 1));
}

export function scalarLog(x: f64): f64 {
  if (!(x < Infinity && x > 0)) return x == 0 ? -Infinity : x < 0 ? NaN : x;
  let k: i64 = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; // 2^54
    k = -54;
  }
  // x = 2^k (1 + f), 1 + f in [sqrt(1/2), sqrt 2)
  const bits = reinterpret<i64>(x);
  const e = (bits - 0x3fe6a09e00000000) >> 52;
  const f = reinterpret<f64>(bits - (e << 52)) - 1;
  const n = <f64>(k + e);
  const s = f / (2 + f), z = s * s;
  const r = z * (6.666666666666735130e-1 + z * (3.999999999940941908e-1 + z * (2.857142874366239149e-1 +
    z * (2.222219843214978396e-1 + z * (1.818357216161805012e-1 + z * (1.531383769920937332e-1 + z * 1.479819860511658591e-1))))));
  const h = 0.5 * f * f;
  return s * (h + r) + n * LN2_LO - h + f + n * LN2_HI;
}

/** x^y as torch.pow. Exact where the result is for integer |y| <= 64; else relative error about |y log x| 2^-52. */
export function scalarPow(x: f64, y: f64): f64 {
  if (y == 0 || x == 1) return 1;
  const whole = y == floor(y);
  const exponent = abs(y);
  if (whole && exponent <= 64) {
    let power: f64 = 1;
    for (let n = <i32>exponent, square = x; n > 0; n >>= 1) {
      if (n & 1) power *= square;
      square *= square;
    }
    return y < 0 ? 1 / power : power;
  }
  if (x < 0 && x > -Infinity && !whole) return NaN;
  const size = abs(x) == 1 ? (y != y ? y : 1) : scalarExp(y * scalarLog(abs(x)));
  const odd = whole && exponent < 9007199254740992 && (<i64>exponent & 1);
  return odd ? copysign(size, x) : size;
}

// 64 zero bits, then the bits of 2/pi: as far as the largest f64 needs.
const TWO_OVER_PI: usize = memory.data<u64>([
  0, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561, 0xb7246e3a424dd2e0,
  0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4,
  0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
  0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08,
]);

/** 64 bits of the table from this bit on; no branch, as a shift by 64 - s would not shift at all for s = 0. */
// @ts-ignore: decorator
@inline
function window(bit: i32): u64 {
  const at = TWO_OVER_PI + ((bit >> 6) << 3), s = bit & 63;
  return (load<u64>(at) << s) | ((load<u64>(at, 8) >> 1) >> (63 - s));
}

/**
 * x 2/pi mod 4 for x >= 2^20, in units of 2^-62 (Payne and Hanek 1983): with x = m 2^e, those bits of 2/pi that times
 * m 2^e are multiples of 4 are left out, and the product wraps where it would be one. Absolute error below 2^-60.
 */
function quarterTurns(x: f64): u64 {
  const bits = reinterpret<u64>(x);
  const m = (bits & 0x000fffffffffffff) | 0x0010000000000000;
  const first = <i32>(bits >> 52) - 1023 - 52 + 62;
  const low = window(first + 64);
  // The upper 64 bits of m * low, from 26 and 27 bits of m and halves of low.
  const m1 = m >> 27, m0 = m & 0x7ffffff, l1 = low >> 32, l0 = low & 0xffffffff;
  return m * window(first) + ((l1 * m1) >> 5) + ((l1 * m0) >> 32) + ((l0 * m1) >> 37);
}

/** sin(x + quarter pi/2) for quarter 0 or 1. */
export function scalarTrig(x: f64, quarter: i32): f64 {
  if (!(abs(x) < Infinity)) return NaN;
  const a = abs(x);
  let n: i32;
  let r: f64;
  if (a < 1048576) {
    const whole = nearest(a * 0.6366197723675814);
    n = <i32>whole;
    r = a - whole * 1.5707963267341256 - whole * 6.077100506506192e-11; // 33 + 53 bits of pi/2
  } else {
    const turns = quarterTurns(a);
    n = <i32>(((turns >> 61) + 1) >> 1);
    r = <f64>(<i64>(turns << 2)) * 8.515303950216386e-20; // pi/2 2^-64: the signed fraction
  }
  n += quarter;
  const z = r * r;
  let y: f64;
  if (n & 1) {
    y = 1 - (0.5 * z - z * z * (4.16666666666666019037e-2 + z * (-1.38888888888741095749e-3 + z * (2.48015872894767294178e-5 +
      z * (-2.75573143513906633035e-7 + z * (2.08757232129817482790e-9 + z * -1.13596475577881948265e-11))))));
  } else {
    y = r + r * z * (-1.66666666666666324348e-1 + z * (8.33333333332248946124e-3 + z * (-1.98412698298579493134e-4 +
      z * (2.75573137070700676789e-6 + z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10)))));
  }
  if (n & 2) y = -y;
  // Of |x|, so that the sine is exactly odd.
  return quarter == 0 && reinterpret<i64>(x) < 0 ? -y : y;
}
