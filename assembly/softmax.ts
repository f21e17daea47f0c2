// Softmax and log-softmax over the middle axis of x[outer, n, inner], and their gradients.
// Each hot loop has a function of its own. The largest element is subtracted first, so no exponential overflows;
// a NaN or +Inf in a row, or a row of -Inf alone, gives NaN throughout, through max - max or through the sum.
import { addPair, high64, loadLanes, loadWide, low64, narrow, storeLanes, storeWide } from "./lanes";
import { logCall } from "./math";
import { dotRow, maxRow, sumRow } from "./reduce";
import { madd, nmadd } from "./simd";

// Exponentials here are of numbers <= 0, and often of -Inf (masks), so they have a form of their own, which neither
// branches nor gives denormals, slow in all that follows. log2(e); 1.5 * 2^23 + 126; ln 2 in two parts, the first of
// 9 bits, so that its product with an exponent is exact; twice the polynomial of (e^r - 1 - r) / r^2, minimax for the
// relative error of e^r on |r| <= ln 2 / 2 (3e-9, Lawson's algorithm); 2; the least x of which e^x is not 0.
const EXP = memory.data<f32>([
  1.44269504088896341, 12583038, 0.693359375, -2.12194440e-4, 0.0027629080150811, 0.016737490425627756,
  0.08333678158603163, 0.3333304079633439, 0.9999998686413285, 2, -87.5,
]);

/**
 * e^x for x <= 88, to 8e-8 relative; 0 where that is below 1.7e-38, NaN for NaN. Constants are arguments, so that a
 * loop can load them before its first trip: V8 rebuilds a splat constant, and repeats a load, in every trip.
 * x = n ln 2 + r: adding the magic number rounds x log2(e) to n and leaves n + 126 in the low bits; shifted into the
 * exponent field it is 2^(n-1), and the polynomial gives 2 e^r. At n = -126 the field is 0, and so is the result.
 */
@inline
function expBelow(
  x: v128, log2e: v128, magic: v128, ln2High: v128, ln2Low: v128, c4: v128, c3: v128, c2: v128, c1: v128, c0: v128,
  two: v128, least: v128,
): v128 {
  // pmax with the constant second keeps NaN.
  x = f32x4.pmax(x, least);
  const z = madd(x, log2e, magic);
  const n = f32x4.sub(z, magic);
  const r = nmadd(n, ln2Low, nmadd(n, ln2High, x));
  const r2 = f32x4.mul(r, r);
  const p = madd(madd(c4, r, c3), r2, madd(c2, r, c1));
  const q = f32x4.mul(madd(p, r, c0), r2);
  return f32x4.mul(f32x4.add(f32x4.add(q, f32x4.add(r, r)), two), i32x4.shl(z, 23));
}

/** The same as a call, where it is not worth its code inlined: tails and columns. */
function expCall(x: v128): v128 {
  return expBelow(
    x, v128.load32_splat(EXP), v128.load32_splat(EXP, 4), v128.load32_splat(EXP, 8), v128.load32_splat(EXP, 12),
    v128.load32_splat(EXP, 16), v128.load32_splat(EXP, 20), v128.load32_splat(EXP, 24), v128.load32_splat(EXP, 28),
    v128.load32_splat(EXP, 32), v128.load32_splat(EXP, 36), v128.load32_splat(EXP, 40),
  );
}

/** ln(x) of one number. */
export function logOne(x: f32): f32 {
  return f32x4.extract_lane(logCall(f32x4.splat(x)), 0);
}

/** Sum of exp(x - shift) over a row, in f64 over blocks of 1024; with `keep` also y = scale * exp(x - shift). */
@inline
function expRow(keep: bool, x: usize, y: usize, n: i32, shift: f32, scale: f32): f64 {
  const log2e = v128.load32_splat(EXP), magic = v128.load32_splat(EXP, 4), ln2High = v128.load32_splat(EXP, 8);
  const ln2Low = v128.load32_splat(EXP, 12), c4 = v128.load32_splat(EXP, 16), c3 = v128.load32_splat(EXP, 20);
  const c2 = v128.load32_splat(EXP, 24), c1 = v128.load32_splat(EXP, 28), c0 = v128.load32_splat(EXP, 32);
  const two = v128.load32_splat(EXP, 36), least = v128.load32_splat(EXP, 40);
  const by = f32x4.splat(scale), minus = f32x4.splat(shift), zero = f32x4.splat(0);
  let total = f64x2.splat(0);
  while (n >= 4) {
    const vectors = min(n >> 2, 256);
    const stop = x + (<usize>vectors << 4);
    let s = zero;
    do {
      const d = f32x4.sub(v128.load(x), minus);
      const e = expBelow(d, log2e, magic, ln2High, ln2Low, c4, c3, c2, c1, c0, two, least);
      s = f32x4.add(s, e);
      if (keep) {
        v128.store(y, f32x4.mul(e, by));
        y += 16;
      }
      x += 16;
    } while (x != stop);
    total = f64x2.add(total, f64x2.add(low64(s), high64(s)));
    n -= vectors << 2;
  }
  if (n > 0) {
    const e = expCall(f32x4.sub(loadLanes(x, n, f32x4.splat(f32.NEGATIVE_INFINITY)), minus));
    if (keep) storeLanes(y, f32x4.mul(e, by), n);
    // Lanes beyond the row hold exp(-Inf - shift) = 0, and NaN when shift is -Inf: then the row is NaN anyway.
    total = f64x2.add(total, f64x2.add(low64(e), high64(e)));
  }
  return addPair(total);
}

/** y = scale * exp(x - shift) over a row; gives the sum of the exponentials. */
export function scaledExpRow(x: usize, y: usize, n: i32, shift: f32, scale: f32): f64 {
  return expRow(true, x, y, n, shift, scale);
}

/** Sum of exp(x - shift) over a row. */
export function sumExpRow(x: usize, n: i32, shift: f32): f64 {
  return expRow(false, x, x, n, shift, 1);
}

const SCALE = 0;
const SHIFT = 1;
const GRADIENT = 2;

/** The last pass over a row: y = a * s, (a - s) - t or b * (a - s). */
@inline
function finish(op: i32, a: v128, b: v128, s: v128, t: v128): v128 {
  if (op == SCALE) return f32x4.mul(a, s);
  if (op == SHIFT) return f32x4.sub(f32x4.sub(a, s), t);
  return f32x4.mul(b, f32x4.sub(a, s));
}

@inline
function finishRow(op: i32, a: usize, b: usize, y: usize, n: i32, first: f32, second: f32): void {
  const s = f32x4.splat(first), t = f32x4.splat(second);
  for (; n >= 4; n -= 4) {
    v128.store(y, finish(op, v128.load(a), op == GRADIENT ? v128.load(b) : t, s, t));
    a += 16;
    if (op == GRADIENT) b += 16;
    y += 16;
  }
  if (n > 0) storeLanes(y, finish(op, loadLanes(a, n, t), op == GRADIENT ? loadLanes(b, n, t) : t, s, t), n);
}

function scaleRow(y: usize, n: i32, by: f32): void {
  finishRow(SCALE, y, y, y, n, by, 0);
}

function shiftRow(x: usize, y: usize, n: i32, max: f32, logSum: f32): void {
  finishRow(SHIFT, x, x, y, n, max, logSum);
}

function softmaxGradRow(gy: usize, y: usize, gx: usize, n: i32, dot: f32): void {
  finishRow(GRADIENT, gy, y, gx, n, dot, 0);
}

/** gx = gy - total * exp(y) */
function logSoftmaxGradRow(gy: usize, y: usize, gx: usize, n: i32, total: f32): void {
  const log2e = v128.load32_splat(EXP), magic = v128.load32_splat(EXP, 4), ln2High = v128.load32_splat(EXP, 8);
  const ln2Low = v128.load32_splat(EXP, 12), c4 = v128.load32_splat(EXP, 16), c3 = v128.load32_splat(EXP, 20);
  const c2 = v128.load32_splat(EXP, 24), c1 = v128.load32_splat(EXP, 28), c0 = v128.load32_splat(EXP, 32);
  const two = v128.load32_splat(EXP, 36), least = v128.load32_splat(EXP, 40);
  const s = f32x4.splat(total);
  for (; n >= 4; n -= 4) {
    const e = expBelow(v128.load(y), log2e, magic, ln2High, ln2Low, c4, c3, c2, c1, c0, two, least);
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
      if (log) shiftRow(x, y, n, m, logOne(<f32>sumExpRow(x, n, m)));
      else scaleRow(y, n, <f32>(1 / scaledExpRow(x, y, n, m, 1)));
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
