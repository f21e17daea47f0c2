// f32x4 exp and log. Constants live in memory: V8 rebuilds a splat constant in every trip of a hot loop.

// log2(e); the magic number 1.5 * 2^23 + 126; ln 2 in two parts, the first of 9 bits, so that its product with an
// exponent is exact; 2 and twice the polynomial of (e^r - 1 - r) / r^2 (minimax for the relative error of e^r on
// |r| <= ln 2 / 2, 3e-9, by Lawson's algorithm); the range.
export const EXP = memory.data<f32>([
  1.44269504088896341, 12583038, 0.693359375, -2.12194440e-4, 0.0027629080150811, 0.016737490425627756,
  0.08333678158603163, 0.3333304079633439, 0.9999998686413285, 2, -87.5, 89,
]);

/**
 * e^x for x <= 89, with the constants as arguments, so that a loop can load them before its first trip.
 * x = n ln 2 + r: adding the magic number rounds x log2(e) to n and leaves n + 126 in the low bits; shifted into the
 * exponent field it is 2^(n-1), and the polynomial gives 2 e^r. n = 128 overflows rightly; n = -126 gives 0.
 */
@inline
export function expCore(
  x: v128, log2e: v128, magic: v128, ln2High: v128, ln2Low: v128, c4: v128, c3: v128, c2: v128, c1: v128, c0: v128,
  two: v128, least: v128,
): v128 {
  // pmax with the constant second keeps NaN.
  x = f32x4.pmax(x, least);
  const z = f32x4.add(f32x4.mul(x, log2e), magic);
  const n = f32x4.sub(z, magic);
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, ln2High)), f32x4.mul(n, ln2Low));
  const r2 = f32x4.mul(r, r);
  const p = f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(c4, r), c3), r2), f32x4.add(f32x4.mul(c2, r), c1));
  const q = f32x4.mul(f32x4.add(f32x4.mul(p, r), c0), r2);
  return f32x4.mul(f32x4.add(f32x4.add(q, f32x4.add(r, r)), two), i32x4.shl(z, 23));
}

/** e^x, to 8e-8 relative; 0 where that is below 1.7e-38 (no denormals), Inf above 88.72, NaN for NaN. */
@inline
export function exp4(x: v128): v128 {
  return expCore(
    f32x4.pmin(x, v128.load32_splat(EXP, 44)), v128.load32_splat(EXP), v128.load32_splat(EXP, 4),
    v128.load32_splat(EXP, 8), v128.load32_splat(EXP, 12), v128.load32_splat(EXP, 16), v128.load32_splat(EXP, 20),
    v128.load32_splat(EXP, 24), v128.load32_splat(EXP, 28), v128.load32_splat(EXP, 32), v128.load32_splat(EXP, 36),
    v128.load32_splat(EXP, 40),
  );
}

// The polynomial of Cephes' logf, ln 2 in two parts, 1/2, 1, 2^23, the least normal number, Inf, -Inf, 23.
const LOG = memory.data<f32>([
  7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1, -2.12194440e-4, 0.693359375, 0.5, 1, 8388608, 1.17549435e-38,
  Infinity, -Infinity, 23,
]);
const LOG_BITS = memory.data<i32>([0x3f3504f3, 0x007fffff]);

/** ln(x) to about 1e-7 relative; -Inf for 0, NaN for negative numbers, Inf for Inf; denormals too. */
@inline
export function log4(input: v128): v128 {
  // Denormals are scaled by 2^23 first.
  const tiny = f32x4.lt(input, v128.load32_splat(LOG, 56));
  const x = v128.bitselect(f32x4.mul(input, v128.load32_splat(LOG, 52)), input, tiny);
  // x = (1 + m) 2^e with 1 + m in [sqrt(1/2), sqrt(2)): less the bits of sqrt(1/2), e is in the exponent field.
  const rootHalf = v128.load32_splat(LOG_BITS);
  const bits = i32x4.sub(x, rootHalf);
  const fraction = i32x4.add(v128.and(bits, v128.load32_splat(LOG_BITS, 4)), rootHalf);
  const m = f32x4.sub(fraction, v128.load32_splat(LOG, 48));
  const e = f32x4.sub(f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23)), v128.and(tiny, v128.load32_splat(LOG, 68)));
  const m2 = f32x4.mul(m, m);
  let p = f32x4.add(f32x4.mul(v128.load32_splat(LOG), m), v128.load32_splat(LOG, 4));
  p = f32x4.add(f32x4.mul(p, m), v128.load32_splat(LOG, 8));
  p = f32x4.add(f32x4.mul(p, m), v128.load32_splat(LOG, 12));
  p = f32x4.add(f32x4.mul(p, m), v128.load32_splat(LOG, 16));
  p = f32x4.add(f32x4.mul(p, m), v128.load32_splat(LOG, 20));
  p = f32x4.add(f32x4.mul(p, m), v128.load32_splat(LOG, 24));
  p = f32x4.add(f32x4.mul(p, m), v128.load32_splat(LOG, 28));
  p = f32x4.add(f32x4.mul(p, m), v128.load32_splat(LOG, 32));
  let y = f32x4.add(f32x4.mul(f32x4.mul(m2, m), p), f32x4.mul(e, v128.load32_splat(LOG, 36)));
  y = f32x4.add(m, f32x4.sub(y, f32x4.mul(m2, v128.load32_splat(LOG, 44))));
  y = f32x4.add(y, f32x4.mul(e, v128.load32_splat(LOG, 40)));
  const zero = f32x4.splat(0);
  y = v128.bitselect(input, y, f32x4.ge(input, v128.load32_splat(LOG, 60)));
  y = v128.bitselect(v128.load32_splat(LOG, 64), y, f32x4.eq(input, zero));
  return v128.or(y, v128.or(f32x4.lt(input, zero), f32x4.ne(input, input)));
}
