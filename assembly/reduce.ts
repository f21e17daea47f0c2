// Reductions over the middle axis of x[outer, n, inner]: sum (and mean), amax, amin, argmax, argmin.
// The order of the additions depends on the shape alone. Sums run in f32 lanes over short blocks, whose totals are
// added in f64: a chain of f32 additions is at most 32 long, whatever n is.
import { addPair, high64, loadLanes, loadWide, low64, narrow, storeLanes, storeWide } from "./lanes";

// What a row's sum is taken of: x, a * b, (a - b)^2.
const PLAIN = 0;
const PRODUCT = 1;
const SQUARE = 2;

// `b` is loaded inside the branches: a load whose value is not used would still be executed, since it could trap.
@inline
function term(what: i32, a: v128, b: usize): v128 {
  if (what == PRODUCT) return f32x4.mul(a, v128.load(b));
  if (what == SQUARE) {
    const d = f32x4.sub(a, v128.load(b));
    return f32x4.mul(d, d);
  }
  return a;
}

/**
 * Blocks of at most 32 trips in 8 x 4 lanes (4 x 4 for two operands, whose loads are the bound), then vectors, then
 * the tail as one vector filled up with zeros.
 */
@inline
function foldRow(what: i32, a: usize, b: usize, n: i32): f64 {
  const zero = f32x4.splat(0);
  const shift = what == PLAIN ? 5 : 4;
  let total = f64x2.splat(0);
  while (n >> shift > 0) {
    const trips = min(n >> shift, 32);
    const stop = a + (<usize>trips << (shift + 2));
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero;
    do {
      s0 = f32x4.add(s0, term(what, v128.load(a), b));
      s1 = f32x4.add(s1, term(what, v128.load(a, 16), b + 16));
      s2 = f32x4.add(s2, term(what, v128.load(a, 32), b + 32));
      s3 = f32x4.add(s3, term(what, v128.load(a, 48), b + 48));
      if (what == PLAIN) {
        s4 = f32x4.add(s4, v128.load(a, 64));
        s5 = f32x4.add(s5, v128.load(a, 80));
        s6 = f32x4.add(s6, v128.load(a, 96));
        s7 = f32x4.add(s7, v128.load(a, 112));
      }
      a += <usize>4 << shift;
      b += <usize>4 << shift;
    } while (a != stop);
    s0 = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
    if (what == PLAIN) s0 = f32x4.add(s0, f32x4.add(f32x4.add(s4, s5), f32x4.add(s6, s7)));
    total = f64x2.add(total, f64x2.add(low64(s0), high64(s0)));
    n -= trips << shift;
  }
  let s = zero;
  for (; n >= 4; n -= 4) {
    s = f32x4.add(s, term(what, v128.load(a), b));
    a += 16;
    b += 16;
  }
  if (n > 0) {
    let v = loadLanes(a, n, zero);
    if (what == PRODUCT) v = f32x4.mul(v, loadLanes(b, n, zero));
    if (what == SQUARE) {
      v = f32x4.sub(v, loadLanes(b, n, zero));
      v = f32x4.mul(v, v);
    }
    s = f32x4.add(s, v);
  }
  return addPair(f64x2.add(total, f64x2.add(low64(s), high64(s))));
}

/** Sum of n contiguous elements. */
export function sumRow(x: usize, n: i32): f64 {
  return foldRow(PLAIN, x, x, n);
}

/** Sum of a * b over n contiguous elements. */
export function dotRow(a: usize, b: usize, n: i32): f64 {
  return foldRow(PRODUCT, a, b, n);
}

/** Sum of (a - b)^2 over n contiguous elements. */
export function squareRow(a: usize, b: usize, n: i32): f64 {
  return foldRow(SQUARE, a, b, n);
}

/** Sums of 16 neighbouring columns over n rows that lie `stride` bytes apart. */
function sumColumns16(x: usize, y: usize, n: i32, stride: usize, scale: f32): void {
  const zero = f32x4.splat(0);
  let t0 = zero, t1 = zero, t2 = zero, t3 = zero, t4 = zero, t5 = zero, t6 = zero, t7 = zero;
  while (n > 0) {
    const rows = min(n, 32);
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    for (let r = rows; r > 0; r--) {
      s0 = f32x4.add(s0, v128.load(x));
      s1 = f32x4.add(s1, v128.load(x, 16));
      s2 = f32x4.add(s2, v128.load(x, 32));
      s3 = f32x4.add(s3, v128.load(x, 48));
      x += stride;
    }
    t0 = f64x2.add(t0, low64(s0));
    t1 = f64x2.add(t1, high64(s0));
    t2 = f64x2.add(t2, low64(s1));
    t3 = f64x2.add(t3, high64(s1));
    t4 = f64x2.add(t4, low64(s2));
    t5 = f64x2.add(t5, high64(s2));
    t6 = f64x2.add(t6, low64(s3));
    t7 = f64x2.add(t7, high64(s3));
    n -= rows;
  }
  const by = f64x2.splat(<f64>scale);
  v128.store(y, narrow(f64x2.mul(t0, by), f64x2.mul(t1, by)));
  v128.store(y, narrow(f64x2.mul(t2, by), f64x2.mul(t3, by)), 16);
  v128.store(y, narrow(f64x2.mul(t4, by), f64x2.mul(t5, by)), 32);
  v128.store(y, narrow(f64x2.mul(t6, by), f64x2.mul(t7, by)), 48);
}

/** The same for four columns (`wide`) or one; four rows a trip hide the latency of the additions. */
function sumColumns4(x: usize, y: usize, n: i32, stride: usize, scale: f32, wide: bool): void {
  const zero = f32x4.splat(0);
  let low = zero, high = zero;
  while (n > 0) {
    const rows = min(n, 128);
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    let r = rows;
    for (; r >= 4; r -= 4) {
      s0 = f32x4.add(s0, loadWide(x, wide));
      x += stride;
      s1 = f32x4.add(s1, loadWide(x, wide));
      x += stride;
      s2 = f32x4.add(s2, loadWide(x, wide));
      x += stride;
      s3 = f32x4.add(s3, loadWide(x, wide));
      x += stride;
    }
    for (; r > 0; r--) {
      s0 = f32x4.add(s0, loadWide(x, wide));
      x += stride;
    }
    s0 = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
    low = f64x2.add(low, low64(s0));
    high = f64x2.add(high, high64(s0));
    n -= rows;
  }
  const by = f64x2.splat(<f64>scale);
  storeWide(y, narrow(f64x2.mul(low, by), f64x2.mul(high, by)), wide);
}

/** Sums of `columns` neighbouring columns over n rows that lie `stride` bytes apart. */
export function sumColumns(x: usize, y: usize, n: i32, columns: i32, stride: usize, scale: f32): void {
  let c = 0;
  for (; c + 16 <= columns; c += 16) sumColumns16(x + (<usize>c << 2), y + (<usize>c << 2), n, stride, scale);
  const wide = columns >= 4;
  for (; c < columns; c += wide ? 4 : 1) {
    // The last strip may overlap the one before: a column's value does not depend on its strip.
    const at = <usize>(wide ? min(c, columns - 4) : c) << 2;
    sumColumns4(x + at, y + at, n, stride, scale, wide);
  }
}

/** y[o, i] = scale * sum over k of x[o, k, i]; n = 0 gives 0. */
export function sum(x: usize, y: usize, outer: i32, n: i32, inner: i32, scale: f32): void {
  assert(outer >= 0 && n >= 0 && inner >= 0, "sum: extents must not be negative");
  const slice = (<usize>n * <usize>inner) << 2;
  const stride = <usize>inner << 2;
  for (; outer > 0; outer--) {
    if (inner == 1) store<f32>(y, <f32>(sumRow(x, n) * <f64>scale));
    else sumColumns(x, y, n, inner, stride, scale);
    x += slice;
    y += stride;
  }
}

// Minima are maxima of the negated values: `sign` holds -0, to turn signs, or 0.

/** The sign of extremes: 0 for the largest, -0 for the smallest. */
@inline
function turning(smallest: bool): v128 {
  return i32x4.splat(smallest ? 0x80000000 : 0);
}

/** Extreme of n > 0 contiguous elements, NaN if there is one: pmax drops NaN (f32x4.max is slow), so it is noted apart. */
function extremeRow(x: usize, n: i32, sign: v128): f32 {
  const first = v128.xor(v128.load32_splat(x), sign);
  let m0 = first, m1 = first, m2 = first, m3 = first;
  let bad0 = f32x4.ne(first, first), bad1 = bad0;
  for (; n >= 16; n -= 16) {
    const v0 = v128.xor(v128.load(x), sign), v1 = v128.xor(v128.load(x, 16), sign);
    const v2 = v128.xor(v128.load(x, 32), sign), v3 = v128.xor(v128.load(x, 48), sign);
    m0 = f32x4.pmax(m0, v0);
    m1 = f32x4.pmax(m1, v1);
    m2 = f32x4.pmax(m2, v2);
    m3 = f32x4.pmax(m3, v3);
    bad0 = v128.or(bad0, v128.or(f32x4.ne(v0, v0), f32x4.ne(v1, v1)));
    bad1 = v128.or(bad1, v128.or(f32x4.ne(v2, v2), f32x4.ne(v3, v3)));
    x += 64;
  }
  for (; n >= 4; n -= 4) {
    const v = v128.xor(v128.load(x), sign);
    m0 = f32x4.pmax(m0, v);
    bad0 = v128.or(bad0, f32x4.ne(v, v));
    x += 16;
  }
  if (n > 0) {
    const v = v128.xor(loadLanes(x, n, v128.xor(first, sign)), sign);
    m1 = f32x4.pmax(m1, v);
    bad1 = v128.or(bad1, f32x4.ne(v, v));
  }
  m0 = f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3));
  m0 = f32x4.pmax(m0, v128.shuffle<u64>(m0, m0, 1, 0));
  m0 = f32x4.pmax(m0, v128.shuffle<u32>(m0, m0, 1, 0, 3, 2));
  return v128.any_true(v128.or(bad0, bad1)) ? NaN : f32x4.extract_lane(v128.xor(m0, sign), 0);
}

/** Largest of n > 0 contiguous elements; NaN if one is. */
export function maxRow(x: usize, n: i32): f32 {
  return extremeRow(x, n, turning(false));
}

/** First position of `value` (a NaN stands for any NaN) in a row that holds it. */
function findRow(x: usize, n: i32, value: f32): i32 {
  // A row whose extreme is not NaN has no NaN, so both tests can be made at once.
  const wanted = f32x4.splat(value);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(x + (<usize>i << 2));
    const hits = i32x4.bitmask(v128.or(f32x4.eq(v, wanted), f32x4.ne(v, v)));
    if (hits != 0) return i + ctz(hits);
  }
  for (; i < n - 1; i++) {
    const v = load<f32>(x + (<usize>i << 2));
    if (v == value || v != v) break;
  }
  return i;
}

/** y = the more extreme of y and x, n elements; a NaN of either stays. */
function extremeInto(x: usize, y: usize, n: i32, sign: v128): void {
  for (; n >= 4; n -= 4) {
    const v = v128.xor(v128.load(x), sign);
    const best = f32x4.pmax(v128.xor(v128.load(y), sign), v);
    v128.store(y, v128.or(v128.xor(best, sign), f32x4.ne(v, v)));
    x += 16;
    y += 16;
  }
  if (n > 0) {
    const v = v128.xor(loadLanes(x, n, sign), sign);
    const best = f32x4.pmax(v128.xor(loadLanes(y, n, sign), sign), v);
    storeLanes(y, v128.or(v128.xor(best, sign), f32x4.ne(v, v)), n);
  }
}

/** Row numbers of the extremes of four columns (`wide`) or one: the first among equals, the first NaN before all. */
function whereColumns(x: usize, y: usize, n: i32, stride: usize, wide: bool, sign: v128): void {
  let best = v128.xor(loadWide(x, wide), sign);
  let bad = f32x4.ne(best, best);
  let where = i32x4.splat(0);
  for (let r = 1; r < n; r++) {
    x += stride;
    const v = v128.xor(loadWide(x, wide), sign);
    // A NaN is taken unless the best is one already; no number is above a best that is NaN.
    const isBad = f32x4.ne(v, v);
    const take = v128.or(f32x4.gt(v, best), v128.andnot(isBad, bad));
    best = v128.bitselect(v, best, take);
    where = v128.bitselect(i32x4.splat(r), where, take);
    bad = v128.or(bad, isBad);
  }
  storeWide(y, where, wide);
}

function extreme(index: bool, sign: v128, x: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  assert(outer >= 0 && n > 0 && inner >= 0, "amax, amin, argmax, argmin: the axis must not be empty");
  const slice = (<usize>n * <usize>inner) << 2;
  const stride = <usize>inner << 2;
  for (; outer > 0; outer--) {
    if (inner == 1) {
      const value = extremeRow(x, n, sign);
      if (index) store<i32>(y, findRow(x, n, value));
      else store<f32>(y, value);
    } else if (index) {
      const wide = inner >= 4;
      for (let c = 0; c < inner; c += wide ? 4 : 1) {
        const at = <usize>(wide ? min(c, inner - 4) : c) << 2;
        whereColumns(x + at, y + at, n, stride, wide, sign);
      }
    } else {
      // Row by row into y, which stays in the cache: an extreme loses no accuracy there, as a sum would.
      memory.copy(y, x, stride);
      for (let k = 1; k < n; k++) extremeInto(x + <usize>k * stride, y, inner, sign);
    }
    x += slice;
    y += stride;
  }
}

/** y[o, i] = max over k of x[o, k, i], NaN if one is; n > 0. */
export function amax(x: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  extreme(false, turning(false), x, y, outer, n, inner);
}

/** y[o, i] = min over k of x[o, k, i], NaN if one is; n > 0. */
export function amin(x: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  extreme(false, turning(true), x, y, outer, n, inner);
}

/** y[o, i] (i32) = the first k where x[o, k, i] is largest, the first NaN if there is one; n > 0. */
export function argmax(x: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  extreme(true, turning(false), x, y, outer, n, inner);
}

/** y[o, i] (i32) = the first k where x[o, k, i] is smallest, the first NaN if there is one; n > 0. */
export function argmin(x: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  extreme(true, turning(true), x, y, outer, n, inner);
}
