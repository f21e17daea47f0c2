// Softmax and log-softmax over the middle axis of x[outer, n, inner], and their gradients.
// Each hot loop has a function of its own. The largest element is subtracted first, so no exponential overflows;
// a NaN or +Inf in a row, or a row of -Inf alone, gives NaN throughout, through max - max or through the sum.
import { addPair, high64, loadLanes, loadWide, low64, narrow, storeLanes, storeWide } from "./lanes";
import { logCall } from "./math";
import { affineRow } from "./norm";
import { dotRow, maxRow, sumRow } from "./reduce";
import { madd, nmadd } from "./simd";

// Exponentials here are of numbers <= 0, and often of -Inf (masks), so they have a form of their own, which neither
// branches nor gives denormals, slow in all that follows. log2(e); the least exponent; 1.5 * 2^23 + 126; twice the
// polynomial of 2^f, minimax for the relative error on |f| <= 1/2 (9e-8, Lawson's algorithm).
const EXP = memory.data<f32>([
  1.44269504088896341, -126, 12583038, 2, 1.3862939547100268, 0.48044483516600567, 0.11101468002793963,
  0.019343068135632694, 0.00265294004254116,
]);

/**
 * e^x for x <= 88, within 1.6e-7 + |x| 7.5e-8 relative; 0 where that is below 1.7e-38, NaN for NaN. Constants are arguments,
 * so that a loop can load them before its first trip: V8 rebuilds a splat constant, and repeats a load, in every trip.
 * x log2(e) = n + f: adding the magic number rounds to n and leaves n + 126 in the low bits; shifted into the exponent
 * field it is 2^(n-1), and the polynomial gives 2 * 2^f. At n = -126 the field is 0, and so is the result. The sum is
 * nested in pairs (Estrin): few vectors are in flight at once, so that the length of the chain is what counts.
 */
@inline
function expBelow(
  x: v128, log2e: v128, least: v128, magic: v128, c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128,
): v128 {
  // pmax with the constant second keeps NaN.
  const s = f32x4.pmax(f32x4.mul(x, log2e), least);
  const z = f32x4.add(s, magic);
  const f = f32x4.sub(s, f32x4.sub(z, magic)), w = f32x4.mul(f, f);
  const high = madd(madd(f, c5, c4), w, madd(f, c3, c2));
  return f32x4.mul(madd(high, w, madd(f, c1, c0)), i32x4.shl(z, 23));
}

/** The same as a call, where it is not worth its code inlined: tails and columns. */
function expCall(x: v128): v128 {
  return expBelow(
    x, v128.load32_splat(EXP), v128.load32_splat(EXP, 4), v128.load32_splat(EXP, 8), v128.load32_splat(EXP, 12),
    v128.load32_splat(EXP, 16), v128.load32_splat(EXP, 20), v128.load32_splat(EXP, 24), v128.load32_splat(EXP, 28),
    v128.load32_splat(EXP, 32),
  );
}

/** ln(x) of one number. */
export function logOne(x: f32): f32 {
  return f32x4.extract_lane(logCall(f32x4.splat(x)), 0);
}

/** Sum of exp(x - shift) over a row, in f64 over blocks of 1024; with `keep` also y = exp(x - shift). */
@inline
function expRow(keep: bool, x: usize, y: usize, n: i32, shift: f32): f64 {
  const log2e = v128.load32_splat(EXP), least = v128.load32_splat(EXP, 4), magic = v128.load32_splat(EXP, 8);
  const c0 = v128.load32_splat(EXP, 12), c1 = v128.load32_splat(EXP, 16), c2 = v128.load32_splat(EXP, 20);
  const c3 = v128.load32_splat(EXP, 24), c4 = v128.load32_splat(EXP, 28), c5 = v128.load32_splat(EXP, 32);
  const minus = f32x4.splat(shift), zero = f32x4.splat(0);
  let total = f64x2.splat(0);
  while (n >= 4) {
    const vectors = min(n >> 2, 256);
    const stop = x + (<usize>vectors << 4);
    let s = zero;
    do {
      const d = f32x4.sub(v128.load(x), minus);
      const e = expBelow(d, log2e, least, magic, c0, c1, c2, c3, c4, c5);
      s = f32x4.add(s, e);
      if (keep) {
        v128.store(y, e);
        y += 16;
      }
      x += 16;
    } while (x != stop);
    total = f64x2.add(total, f64x2.add(low64(s), high64(s)));
    n -= vectors << 2;
  }
  if (n > 0) {
    const e = expCall(f32x4.sub(loadLanes(x, n, f32x4.splat(f32.NEGATIVE_INFINITY)), minus));
    if (keep) storeLanes(y, e, n);
    // Lanes beyond the row hold exp(-Inf - shift) = 0, and NaN when shift is -Inf: then the row is NaN anyway.
    total = f64x2.add(total, f64x2.add(low64(e), high64(e)));
  }
  return addPair(total);
}

/** y = exp(x - shift) over a row; gives the sum. */
export function keptExpRow(x: usize, y: usize, n: i32, shift: f32): f64 {
  return expRow(true, x, y, n, shift);
}

/** Sum of exp(x - shift) over a row. */
export function sumExpRow(x: usize, n: i32, shift: f32): f64 {
  return expRow(false, x, x, n, shift);
}

/** gx = y * (gy - dot) */
function softmaxGradRow(gy: usize, y: usize, gx: usize, n: i32, dot: f32): void {
  const s = f32x4.splat(dot);
  for (; n >= 4; n -= 4) {
    v128.store(gx, f32x4.mul(v128.load(y), f32x4.sub(v128.load(gy), s)));
    gy += 16;
    y += 16;
    gx += 16;
  }
  if (n > 0) storeLanes(gx, f32x4.mul(loadLanes(y, n, s), f32x4.sub(loadLanes(gy, n, s), s)), n);
}

/** gx = gy - total * exp(y) */
function logSoftmaxGradRow(gy: usize, y: usize, gx: usize, n: i32, total: f32): void {
  const log2e = v128.load32_splat(EXP), least = v128.load32_splat(EXP, 4), magic = v128.load32_splat(EXP, 8);
  const c0 = v128.load32_splat(EXP, 12), c1 = v128.load32_splat(EXP, 16), c2 = v128.load32_splat(EXP, 20);
  const c3 = v128.load32_splat(EXP, 24), c4 = v128.load32_splat(EXP, 28), c5 = v128.load32_splat(EXP, 32);
  const s = f32x4.splat(total);
  for (; n >= 4; n -= 4) {
    const e = expBelow(v128.load(y), log2e, least, magic, c0, c1, c2, c3, c4, c5);
    v128.store(gx, nmadd(e, s, v128.load(gy)));
    gy += 16;
    y += 16;
    gx += 16;
  }
  if (n > 0) storeLanes(gx, nmadd(expCall(loadLanes(y, n, s)), s, loadLanes(gy, n, s)), n);
}

/** Four columns at once (`wide`) or one, `stride` bytes from row to row; sums in f64. */
function softmaxColumns(log: bool, x: usize, y: usize, n: i32, stride: usize, wide: bool): void {
  const end = stride * <usize>n;
  let m = loadWide(x, wide);
  for (let at = stride; at < end; at += stride) m = f32x4.pmax(m, loadWide(x + at, wide));
  let low = f64x2.splat(0), high = low;
  for (let at: usize = 0; at < end; at += stride) {
    const e = expCall(f32x4.sub(loadWide(x + at, wide), m));
    if (!log) storeWide(y + at, e, wide);
    low = f64x2.add(low, low64(e));
    high = f64x2.add(high, high64(e));
  }
  let s = narrow(low, high);
  s = log ? logCall(s) : f32x4.div(f32x4.splat(1), s);
  for (let at: usize = 0; at < end; at += stride) {
    const v = log ? f32x4.sub(f32x4.sub(loadWide(x + at, wide), m), s) : f32x4.mul(loadWide(y + at, wide), s);
    storeWide(y + at, v, wide);
  }
}

function softmaxGradColumns(log: bool, gy: usize, y: usize, gx: usize, n: i32, stride: usize, wide: bool): void {
  const end = stride * <usize>n;
  let low = f64x2.splat(0), high = low;
  for (let at: usize = 0; at < end; at += stride) {
    let v = loadWide(gy + at, wide);
    if (!log) v = f32x4.mul(v, loadWide(y + at, wide));
    low = f64x2.add(low, low64(v));
    high = f64x2.add(high, high64(v));
  }
  const s = narrow(low, high);
  for (let at: usize = 0; at < end; at += stride) {
    const g = loadWide(gy + at, wide), v = loadWide(y + at, wide);
    const r = log ? nmadd(expCall(v), s, g) : f32x4.mul(v, f32x4.sub(g, s));
    storeWide(gx + at, r, wide);
  }
}

@inline
function forward(log: bool, x: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  assert(outer >= 0 && n >= 0 && inner >= 0, "softmax: extents must not be negative");
  const stride = <usize>inner << 2;
  const slice = <usize>n * stride;
  if (n == 0) return;
  for (; outer > 0; outer--) {
    if (inner == 1) {
      const m = maxRow(x, n);
      if (log) affineRow(x, y, n, m, 1, -logOne(<f32>sumExpRow(x, n, m)));
      else affineRow(y, y, n, 0, <f32>(1 / keptExpRow(x, y, n, m)), 0);
    } else {
      const wide = inner >= 4;
      for (let c = 0; c < inner; c += wide ? 4 : 1) {
        // The last strip may overlap the one before: it computes the same values again from x.
        const at = <usize>(wide ? min(c, inner - 4) : c) << 2;
        softmaxColumns(log, x + at, y + at, n, stride, wide);
      }
    }
    x += slice;
    y += slice;
  }
}

@inline
function backward(log: bool, gy: usize, y: usize, gx: usize, outer: i32, n: i32, inner: i32): void {
  assert(outer >= 0 && n >= 0 && inner >= 0, "softmaxGrad: extents must not be negative");
  const stride = <usize>inner << 2;
  const slice = <usize>n * stride;
  for (; outer > 0; outer--) {
    if (inner == 1) {
      if (log) logSoftmaxGradRow(gy, y, gx, n, <f32>sumRow(gy, n));
      else softmaxGradRow(gy, y, gx, n, <f32>dotRow(gy, y, n));
    } else {
      const wide = inner >= 4;
      for (let c = 0; c < inner; c += wide ? 4 : 1) {
        const at = <usize>(wide ? min(c, inner - 4) : c) << 2;
        softmaxGradColumns(log, gy + at, y + at, gx + at, n, stride, wide);
      }
    }
    gy += slice;
    y += slice;
    gx += slice;
  }
}

/** y = exp(x - max) / sum of exp(x - max) along the axis of n. */
export function softmax(x: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  forward(false, x, y, outer, n, inner);
}

/** y = (x - max) - ln(sum of exp(x - max)) along the axis of n. */
export function logSoftmax(x: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  forward(true, x, y, outer, n, inner);
}

/** gx = y * (gy - sum of gy * y), with y = softmax(x). */
export function softmaxGrad(gy: usize, y: usize, gx: usize, outer: i32, n: i32, inner: i32): void {
  backward(false, gy, y, gx, outer, n, inner);
}

/** gx = gy - exp(y) * sum of gy, with y = logSoftmax(x). */
export function logSoftmaxGrad(gy: usize, y: usize, gx: usize, outer: i32, n: i32, inner: i32): void {
  backward(true, gy, y, gx, outer, n, inner);
}
