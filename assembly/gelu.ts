// gelu(x) = x Phi(x), Phi the normal distribution function, and its gradient g (Phi(x) + x phi(x)), n contiguous f32
// elements each.
//
// With a = |x|, Phi(-a) = e^(-a^2/2) R(a), where R(a) = erfcx(a / sqrt 2) / 2 = P(a) / Q(a): minimax on [0, 7], within
// 1.6e-8 (1 + a^2) relative. So the left tail keeps its digits, where x (1 + erf(x / sqrt 2)) / 2 has lost them by x = -5,
// and the exponential serves phi as well. e^(-a^2/2) = 2^(n + f), 2^f a polynomial on |f| <= 1/2, 7.5e-8 relative. Sums
// are nested in pairs (Estrin): the chain of dependent operations is the bound, as few vectors are in flight at once.
import { loadWide, storeWide } from "./lanes";
import { splat } from "./math";
import { madd, nmadd } from "./simd";

const GELU: usize = memory.data<f32>([
  13.26, //                    0  e^(-a^2/2) is taken as 0 from here on: n is -127
  -0.7213475204444817, //      1  -log2(e) / 2
  12583039.0, //               2  1.5 * 2^23 + 127: rounds to n and leaves n + 127 in the low bits
  0.6931469172378893, //       3  2^f: f
  0.24022117787349467, //      4
  0.055507129969377086, //     5
  0.009675552259302105, //     6
  0.0013276459009072886, //    7
  0.5000000277597717, //       8  P
  0.3269725789976844, //       9
  0.10037995117180286, //     10
  0.012726281242416837, //    11
  1.0, //                     12  Q
  1.451828488805307, //       13
  0.8591652780270557, //      14
  0.25095214514070197, //     15
  0.03192569247801758, //     16
  0.3989422804014327, //      17  1 / sqrt(2 pi)
  -0.0, //                    18  the sign bit
]);

/** gelu(x), or its slope. */
// @ts-ignore: decorator
@inline
function value(slope: bool, x: v128): v128 {
  const one = splat(GELU, 12), rounder = splat(GELU, 2), sign = splat(GELU, 18), zero = i32x4.splat(0);
  // The constant stands second: pmin then passes a NaN on.
  const a = f32x4.pmin(v128.andnot(x, sign), splat(GELU, 0)), z = f32x4.mul(a, a);
  const s = f32x4.mul(z, splat(GELU, 1)), t = f32x4.add(s, rounder);
  const f = f32x4.sub(s, f32x4.sub(t, rounder)), w = f32x4.mul(f, f);
  const high = madd(madd(f, splat(GELU, 7), splat(GELU, 6)), w, madd(f, splat(GELU, 5), splat(GELU, 4)));
  const e = madd(high, w, madd(f, splat(GELU, 3), one));
  const p = madd(madd(a, splat(GELU, 11), splat(GELU, 10)), z, madd(a, splat(GELU, 9), splat(GELU, 8)));
  const q = madd(madd(z, splat(GELU, 16), madd(a, splat(GELU, 15), splat(GELU, 14))), z, madd(a, splat(GELU, 13), one));
  let r = f32x4.div(p, q);
  if (slope) r = f32x4.sub(r, f32x4.mul(a, splat(GELU, 17)));
  // Phi(-a); for the slope Phi(-a) - a phi(a), the slope at -a.
  const left = f32x4.mul(f32x4.mul(e, i32x4.shl(t, 23)), r);
  if (slope) return v128.bitselect(f32x4.sub(one, left), left, f32x4.gt(x, zero));
  // The factor is a, but for -Infinity, where PyTorch gives Infinity * 0.
  return nmadd(f32x4.pmax(v128.xor(x, sign), a), left, f32x4.pmax(x, zero));
}

// @ts-ignore: decorator
@inline
function loop(slope: bool, gy: usize, x: usize, y: usize, n: i32): void {
  assert(n >= 0, "n must not be negative");
  while (n > 0) {
    const wide = n >= 4;
    let v = value(slope, loadWide(x, wide));
    if (slope) v = f32x4.mul(v, loadWide(gy, wide));
    storeWide(y, v, wide);
    const step: usize = wide ? 16 : 4;
    x += step;
    y += step;
    if (slope) gy += step;
    n -= wide ? 4 : 1;
  }
}

/** y = x Phi(x); y may equal x. */
export function gelu(x: usize, y: usize, n: i32): void {
  loop(false, x, x, y, n);
}

/** gx = gy (Phi(x) + x phi(x)); gx may equal gy or x. */
export function geluGrad(gy: usize, x: usize, gx: usize, n: i32): void {
  loop(true, gy, x, gx, n);
}
