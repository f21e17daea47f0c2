// Softmax and log-softmax over the middle axis of x[outer, n, inner], and their gradients.
// Each hot loop has a function of its own. The largest element is subtracted first, so no exponential overflows;
// a NaN or +Inf in a row, or a row of -Inf alone, gives NaN throughout, through max - max or through the sum.
import { addPair, high64, loadLanes, loadWidth, low64, narrow, storeLanes, storeWidth } from "./lanes";
import { exp4, log4 } from "./math";
import { dotRow, maxRow, sumRow } from "./reduce";

/** exp4 as a call, where it is not worth its code inlined: tails and columns. */
function exp4Call(x: v128): v128 {
  return exp4(x);
}

/** ln(x) of one number. */
export function logOne(x: f32): f32 {
  return f32x4.extract_lane(log4(f32x4.splat(x)), 0);
}

/** Sum of exp(x - shift) over a row, in f64 over blocks of 1024; with `keep` also y = scale * exp(x - shift). */
@inline
function expRow(keep: bool, x: usize, y: usize, n: i32, shift: f32, scale: f32): f64 {
  const by = f32x4.splat(scale), minus = f32x4.splat(shift), zero = f32x4.splat(0);
  let total = f64x2.splat(0);
  while (n >= 4) {
    const vectors = min(n >> 2, 256);
    const stop = x + (<usize>vectors << 4);
    let s = zero;
    do {
      const e = exp4(f32x4.sub(v128.load(x), minus));
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
    const e = exp4Call(f32x4.sub(loadLanes(x, n, f32x4.splat(f32.NEGATIVE_INFINITY)), minus));
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
const SOFTMAX_GRAD = 2;
const LOG_SOFTMAX_GRAD = 3;

/** One element of the last pass over a row: `a` and `b` are operands, `s` and `t` numbers of the row. */
@inline
function finish(op: i32, hot: bool, a: v128, b: usize, n: i32, s: v128, t: v128): v128 {
  if (op == SCALE) return f32x4.mul(a, s);
  if (op == SHIFT) return f32x4.sub(f32x4.sub(a, s), t);
  const v = hot ? v128.load(b) : loadLanes(b, n, t);
  if (op == SOFTMAX_GRAD) return f32x4.mul(v, f32x4.sub(a, s));
  return f32x4.sub(a, f32x4.mul(hot ? exp4(v) : exp4Call(v), s));
}

@inline
function finishRow(op: i32, a: usize, b: usize, y: usize, n: i32, first: f32, second: f32): void {
  const s = f32x4.splat(first), t = f32x4.splat(second);
  for (; n >= 4; n -= 4) {
    v128.store(y, finish(op, true, v128.load(a), b, 4, s, t));
    a += 16;
    b += 16;
    y += 16;
  }
  if (n > 0) storeLanes(y, finish(op, false, loadLanes(a, n, t), b, n, s, t), n);
}

function scaleRow(y: usize, n: i32, by: f32): void {
  finishRow(SCALE, y, y, y, n, by, 0);
}

function shiftRow(x: usize, y: usize, n: i32, max: f32, logSum: f32): void {
  finishRow(SHIFT, x, x, y, n, max, logSum);
}

function softmaxGradRow(gy: usize, y: usize, gx: usize, n: i32, dot: f32): void {
  finishRow(SOFTMAX_GRAD, gy, y, gx, n, dot, 0);
}

function logSoftmaxGradRow(gy: usize, y: usize, gx: usize, n: i32, total: f32): void {
  finishRow(LOG_SOFTMAX_GRAD, gy, y, gx, n, total, 0);
}

/** `width` (1..4) columns at once, `stride` bytes from row to row; sums in f64. */
function softmaxColumns(log: bool, x: usize, y: usize, n: i32, stride: usize, width: i32): void {
  const end = stride * <usize>n;
  let m = loadWidth(x, width);
  for (let at = stride; at < end; at += stride) m = f32x4.pmax(m, loadWidth(x + at, width));
  let low = f64x2.splat(0), high = low;
  for (let at: usize = 0; at < end; at += stride) {
    const e = exp4Call(f32x4.sub(loadWidth(x + at, width), m));
    if (!log) storeWidth(y + at, e, width);
    low = f64x2.add(low, low64(e));
    high = f64x2.add(high, high64(e));
  }
  let s = narrow(low, high);
  s = log ? log4(s) : f32x4.div(f32x4.splat(1), s);
  for (let at: usize = 0; at < end; at += stride) {
    const v = log ? f32x4.sub(f32x4.sub(loadWidth(x + at, width), m), s) : f32x4.mul(loadWidth(y + at, width), s);
    storeWidth(y + at, v, width);
  }
}

function softmaxGradColumns(log: bool, gy: usize, y: usize, gx: usize, n: i32, stride: usize, width: i32): void {
  const end = stride * <usize>n;
  let low = f64x2.splat(0), high = low;
  for (let at: usize = 0; at < end; at += stride) {
    let v = loadWidth(gy + at, width);
    if (!log) v = f32x4.mul(v, loadWidth(y + at, width));
    low = f64x2.add(low, low64(v));
    high = f64x2.add(high, high64(v));
  }
  const s = narrow(low, high);
  for (let at: usize = 0; at < end; at += stride) {
    const g = loadWidth(gy + at, width), v = loadWidth(y + at, width);
    const r = log ? f32x4.sub(g, f32x4.mul(exp4Call(v), s)) : f32x4.mul(v, f32x4.sub(g, s));
    storeWidth(gx + at, r, width);
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
      for (let c = 0; c < inner; c += 4) {
        // The last strip may overlap the one before: it computes the same values again from x.
        const at = <usize>max(min(c, inner - 4), 0) << 2;
        softmaxColumns(log, x + at, y + at, n, stride, min(inner, 4));
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
      for (let c = 0; c < inner; c += 4) {
        const at = <usize>max(min(c, inner - 4), 0) << 2;
        softmaxGradColumns(log, gy + at, y + at, gx + at, n, stride, min(inner, 4));
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
