// Normalization: y = (x - mean) * rstd * w + b, where the statistics are shared by the elements of a group.
// x is [N, C, L], D channels to a group. Two ways of grouping:
//   by batch (batchNorm): a channel of all items is a group; C statistics, D = 1
//   by item (layerNorm: L = 1, D = C; groupNorm; instanceNorm: D = 1; rmsNorm: without mean): N * C / D statistics
// w and b have one number a channel, or are absent (0). With L = 1 channels are neighbours in memory, so that w and b
// (and by batch the statistics) are vectors beside each row of x; otherwise a channel is a run of L with one number each.
import { high64, loadLanes, loadWide, low64, narrow, storeLanes, storeWide } from "./lanes";
import { madd } from "./simd";

/** What takes the place of absent vectors: 16 channels of it, with a step of 0 where real ones have 64 bytes. */
export const ZERO = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
export const ONE = memory.data<f32>([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);

/** A piece of a run that stays in L1 while its mean and then its deviations are summed. */
const CHUNK = 4096;

// What is multiplied: x by x, or x - m by g - o.
const POWER = 0;
const PRODUCT = 1;

/** The second factor, which is summed too. */
@inline
function factor(what: i32, x: usize, g: usize, o: v128): v128 {
  return what == POWER ? v128.load(x) : f32x4.sub(v128.load(g), o);
}

/** s + the product */
@inline
function productOnto(s: v128, what: i32, v: v128, x: usize, m: v128): v128 {
  return madd(what == POWER ? v : f32x4.sub(v128.load(x), m), v, s);
}

/**
 * Sums of products and of their second factors over n elements, as a pair of f64: f32 lanes over blocks of 512, whose
 * totals are added in f64. Two operands go two vectors a trip, as engines load all that a trip needs at its beginning.
 */
@inline
function sumBoth(what: i32, x: usize, g: usize, n: i32, m: f32, o: f32): v128 {
  const zero = f32x4.splat(0), p = f32x4.splat(m), q = f32x4.splat(o);
  const shift = what == POWER ? 4 : 3;
  let products = f64x2.splat(0), total = products;
  while (n >> shift > 0) {
    const trips = min(n >> shift, 512 >> shift);
    const stop = x + (<usize>trips << (shift + 2));
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero, t0 = zero, t1 = zero, t2 = zero, t3 = zero;
    do {
      const v0 = factor(what, x, g, q);
      t0 = f32x4.add(t0, v0);
      s0 = productOnto(s0, what, v0, x, p);
      const v1 = factor(what, x + 16, g + 16, q);
      t1 = f32x4.add(t1, v1);
      s1 = productOnto(s1, what, v1, x + 16, p);
      if (what == POWER) {
        const v2 = v128.load(x, 32), v3 = v128.load(x, 48);
        t2 = f32x4.add(t2, v2);
        s2 = madd(v2, v2, s2);
        t3 = f32x4.add(t3, v3);
        s3 = madd(v3, v3, s3);
      }
      x += <usize>4 << shift;
      g += <usize>4 << shift;
    } while (x != stop);
    s0 = f32x4.add(s0, s1);
    t0 = f32x4.add(t0, t1);
    if (what == POWER) {
      s0 = f32x4.add(s0, f32x4.add(s2, s3));
      t0 = f32x4.add(t0, f32x4.add(t2, t3));
    }
    products = f64x2.add(products, f64x2.add(low64(s0), high64(s0)));
    total = f64x2.add(total, f64x2.add(low64(t0), high64(t0)));
    n -= trips << shift;
  }
  let s = zero, t = zero;
  for (; n >= 4; n -= 4) {
    const v = factor(what, x, g, q);
    t = f32x4.add(t, v);
    s = productOnto(s, what, v, x, p);
    x += 16;
    g += 16;
  }
  if (n > 0) {
    const d = f32x4.sub(loadLanes(x, n, p), p);
    const v = what == POWER ? d : f32x4.sub(loadLanes(g, n, q), q);
    t = f32x4.add(t, v);
    s = madd(d, v, s);
  }
  products = f64x2.add(products, f64x2.add(low64(s), high64(s)));
  total = f64x2.add(total, f64x2.add(low64(t), high64(t)));
  return f64x2.add(v128.shuffle<u64>(products, total, 0, 2), v128.shuffle<u64>(products, total, 1, 3));
}

/** Sums of x^2 and of x over n elements. */
function powerSums(x: usize, n: i32): v128 {
  return sumBoth(POWER, x, x, n, 0, 0);
}

/** Sums of (x - m) * (g - o) and of g - o over n elements. */
export function productSums(x: usize, g: usize, n: i32, m: f32, o: f32): v128 {
  return sumBoth(PRODUCT, x, g, n, m, o);
}

/**
 * Mean and mean squared deviation of `runs` runs of n. Each piece has its own mean and deviations, which are combined
 * in f64 (Chan, Golub, LeVeque 1983), so that a mean far from 0 costs no digits. Without `centered` the mean is 0.
 */
function runMoments(x: usize, runs: i32, n: i32, stride: usize, centered: i32, mean: usize, variance: usize): void {
  const share = 1 / (<f64>runs * <f64>n); // early: divisions are slow, and here nothing waits for them
  let count: f64 = 0, m: f64 = 0, s: f64 = 0;
  for (; runs > 0; runs--) {
    for (let i = 0; i < n; i += CHUNK) {
      const at = x + (<usize>i << 2), k = min(n - i, CHUNK);
      const by = 1 / <f64>k;
      const sums = powerSums(at, k), squares = f64x2.extract_lane(sums, 0);
      const sum = centered ? f64x2.extract_lane(sums, 1) : 0, own = sum * by;
      let around = squares - own * sum;
      // Where little is left of the squares, or they overflow (or are NaN), the deviations themselves are summed, from the
      // mean rounded to f32; the difference is made up for.
      if (!(around * 5 >= squares && squares < Infinity)) {
        const rounded = <f32>own, off = own - <f64>rounded;
        around = f64x2.extract_lane(productSums(at, at, k, rounded, rounded), 0) - off * off * <f64>k;
      }
      s += around;
      if (count == 0) m = own;
      else {
        const delta = own - m, part = <f64>k / (count + <f64>k);
        s += delta * delta * (count * part);
        m += delta * part;
      }
      count += <f64>k;
    }
    x += stride;
  }
  store<f32>(mean, <f32>m);
  store<f32>(variance, <f32>(s * share));
}

/** m and s of f64 pairs with `rows` more values of mean `own` and squared deviations `more`; the rule of runMoments. */
@inline
function combineSquares(s: v128, m: v128, own: v128, more: v128, count: f64, rows: f64): v128 {
  const delta = f64x2.sub(own, m);
  return f64x2.add(
    f64x2.add(s, more), f64x2.mul(f64x2.mul(delta, delta), f64x2.splat(count * rows / (count + rows))),
  );
}

@inline
function combineMeans(m: v128, own: v128, count: f64, rows: f64): v128 {
  return f64x2.add(m, f64x2.mul(f64x2.sub(own, m), f64x2.splat(rows / (count + rows))));
}

/** Moments of four neighbouring columns (`wide`) or one over n rows, in blocks of rows. */
function columnMoments(x: usize, n: i32, stride: usize, mean: usize, variance: usize, wide: bool): void {
  const zero = f32x4.splat(0);
  let count: f64 = 0, mLow = zero, mHigh = zero, sLow = zero, sHigh = zero;
  while (n > 0) {
    const rows = min(n, 64);
    let a = zero, b = zero, at = x;
    for (let r = 0; r < rows; r++) {
      a = f32x4.add(a, loadWide(at, wide));
      at += stride;
    }
    // An approximate mean is enough: what the deviations from it sum to corrects it.
    const about = f32x4.div(a, f32x4.splat(<f32>rows));
    a = zero;
    at = x;
    for (let r = 0; r < rows; r++) {
      const d = f32x4.sub(loadWide(at, wide), about);
      a = f32x4.add(a, d);
      b = madd(d, d, b);
      at += stride;
    }
    const k = <f64>rows, by = f64x2.splat(1 / k);
    const offLow = low64(a), offHigh = high64(a);
    const shiftLow = f64x2.mul(offLow, by), shiftHigh = f64x2.mul(offHigh, by);
    const ownLow = f64x2.add(low64(about), shiftLow), ownHigh = f64x2.add(high64(about), shiftHigh);
    sLow = combineSquares(sLow, mLow, ownLow, f64x2.sub(low64(b), f64x2.mul(offLow, shiftLow)), count, k);
    sHigh = combineSquares(sHigh, mHigh, ownHigh, f64x2.sub(high64(b), f64x2.mul(offHigh, shiftHigh)), count, k);
    mLow = combineMeans(mLow, ownLow, count, k);
    mHigh = combineMeans(mHigh, ownHigh, count, k);
    count += k;
    x = at;
    n -= rows;
  }
  const by = f64x2.splat(count);
  storeWide(mean, narrow(mLow, mHigh), wide);
  storeWide(variance, narrow(f64x2.div(sLow, by), f64x2.div(sHigh, by)), wide);
}

/**
 * mean[c] and variance[c] (biased) of x[:, c, :], x [N, C, L]; NaN for no elements. Statistics by item are those of
 * [1, N * C / D, D * L]. Without `centered` the mean is 0 and the variance the mean square.
 */
export function moments(x: usize, mean: usize, variance: usize, N: i32, C: i32, L: i32, centered: i32): void {
  channelMoments(x, mean, variance, N, C, L, centered, C);
}

/** The same for C neighbouring channels out of `total`. */
export function channelMoments(
  x: usize, mean: usize, variance: usize, N: i32, C: i32, L: i32, centered: i32, total: i32,
): void {
  assert(N >= 0 && C >= 0 && L >= 0, "moments: extents must not be negative");
  assert(centered || N <= 1, "moments: mean squares are taken of runs");
  if (L == 1 && N > 1) {
    const wide = C >= 4;
    for (let c = 0; c < C; c += wide ? 4 : 1) {
      // The last strip may overlap the one before: a column's value does not depend on its strip.
      const at = <usize>(wide ? min(c, C - 4) : c) << 2;
      columnMoments(x + at, N, <usize>total << 2, mean + at, variance + at, wide);
    }
    return;
  }
  const stride = (<usize>total * <usize>L) << 2;
  for (let c = 0; c < C; c++) {
    runMoments(x, N, L, stride, centered, mean, variance);
    x += <usize>L << 2;
    mean += 4;
    variance += 4;
  }
}

/** running[c] = (1 - momentum) * running[c] + momentum * scale * (mean over the rows of batch[rows, C]). */
export function updateRunning(batch: usize, running: usize, rows: i32, C: i32, momentum: f32, scale: f32): void {
  for (let c = 0; c < C; c++) {
    let s: f64 = 0;
    for (let r = 0; r < rows; r++) s += <f64>load<f32>(batch + (<usize>(r * C + c) << 2));
    const at = running + (<usize>c << 2);
    store<f32>(at, <f32>((1 - <f64>momentum) * <f64>load<f32>(at) + <f64>momentum * <f64>scale * (s / <f64>rows)));
  }
}

/** rstd = 1 / sqrt(variance + eps); they may be the same. */
export function inverseStd(variance: usize, rstd: usize, n: i32, eps: f32): void {
  for (let i = 0; i < n; i++) {
    const at = <usize>i << 2;
    store<f32>(rstd + at, 1 / sqrt(load<f32>(variance + at) + eps));
  }
}

/** y = (x - m) * a + b over a run. */
export function affineRow(x: usize, y: usize, n: i32, m: f32, a: f32, b: f32): void {
  const shift = f32x4.splat(m), by = f32x4.splat(a), bias = f32x4.splat(b);
  for (; n >= 4; n -= 4) {
    v128.store(y, madd(f32x4.sub(v128.load(x), shift), by, bias));
    x += 16;
    y += 16;
  }
  if (n > 0) storeLanes(y, madd(f32x4.sub(loadLanes(x, n, shift), shift), by, bias), n);
}

/**
 * y = (x - m) * r * w + b over a row whose channels are neighbours. ws and bs are the steps for 16 of them, 64 bytes, or 0
 * where one vector serves all.
 */
function itemRow(x: usize, y: usize, n: i32, m: usize, r: usize, w: usize, ws: usize, b: usize, bs: usize): void {
  const shift = v128.load32_splat(m), by = v128.load32_splat(r);
  while (n > 0) {
    const wide = n >= 4;
    const v = f32x4.mul(f32x4.mul(f32x4.sub(loadWide(x, wide), shift), by), loadWide(w, wide));
    storeWide(y, f32x4.add(v, loadWide(b, wide)), wide);
    const part: usize = wide ? 2 : 4;
    x += <usize>64 >> part;
    y += <usize>64 >> part;
    w += ws >> part;
    b += bs >> part;
    n -= wide ? 4 : 1;
  }
}

/** A vector of two rows. Loads go first: 4 KB apart from a store, one would wait for it. */
@inline
function itemStep(
  x: usize, x1: usize, y: usize, y1: usize, w: usize, b: usize, m: v128, m1: v128, r: v128, r1: v128,
): void {
  const f = v128.load(w), c = v128.load(b);
  const v = f32x4.add(f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x), m), r), f), c);
  const v1 = f32x4.add(f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x1), m1), r1), f), c);
  v128.store(y, v);
  v128.store(y1, v1);
}

/**
 * The same over two rows, `apart` bytes from each other (0: one row, twice), whose statistics are neighbours. They share
 * the loads of w and b: loads, stores and arithmetic of vectors, four a cycle in all, are what the loop is bound by.
 */
function itemRows(
  x: usize, y: usize, n: i32, apart: usize, mean: usize, rstd: usize, w: usize, ws: usize, b: usize, bs: usize,
): void {
  const next: usize = apart ? 4 : 0;
  const m = v128.load32_splat(mean), m1 = v128.load32_splat(mean + next);
  const r = v128.load32_splat(rstd), r1 = v128.load32_splat(rstd + next);
  let x1 = x + apart, y1 = y + apart;
  for (; n >= 16; n -= 16) {
    itemStep(x, x1, y, y1, w, b, m, m1, r, r1);
    itemStep(x + 16, x1 + 16, y + 16, y1 + 16, w + 16, b + 16, m, m1, r, r1);
    itemStep(x + 32, x1 + 32, y + 32, y1 + 32, w + 32, b + 32, m, m1, r, r1);
    itemStep(x + 48, x1 + 48, y + 48, y1 + 48, w + 48, b + 48, m, m1, r, r1);
    x += 64;
    y += 64;
    x1 += 64;
    y1 += 64;
    w += ws;
    b += bs;
  }
  if (n == 0) return;
  itemRow(x, y, n, mean, rstd, w, ws, b, bs);
  itemRow(x1, y1, n, mean + next, rstd + next, w, ws, b, bs);
}

/** The same where m and r are vectors too. */
export function batchRow(
  x: usize, y: usize, n: i32, m: usize, ms: usize, r: usize, w: usize, ws: usize, b: usize, bs: usize,
): void {
  for (; n >= 4; n -= 4) {
    const by = f32x4.mul(v128.load(r), v128.load(w));
    v128.store(y, madd(f32x4.sub(v128.load(x), v128.load(m)), by, v128.load(b)));
    x += 16;
    y += 16;
    m += ms >> 2;
    r += 16;
    w += ws >> 2;
    b += bs >> 2;
  }
  for (; n > 0; n--) {
    store<f32>(y, (load<f32>(x) - load<f32>(m)) * (load<f32>(r) * load<f32>(w)) + load<f32>(b));
    x += 4;
    y += 4;
    m += ms >> 4;
    r += 4;
    w += ws >> 4;
    b += bs >> 4;
  }
}

/** What `own` may be: the statistics are given, are means of squares, or moments about the mean. */
const GIVEN = 0;
const CENTERED = 2;

/** Numbers whose statistics are computed ahead: a quarter of an L1 of 32 KB, which y, w and b share. */
const AHEAD = 2048;

/**
 * y = (x - mean) * rstd * w + b; see the head of the file. By batch the statistics are [C], by item [N, C / D]; unless
 * they are given (`own` is not 0; by item alone) they are written there, before their groups leave the cache.
 */
export function normalize(
  x: usize, mean: usize, rstd: usize, w: usize, b: usize, y: usize, N: i32, C: i32, D: i32, L: i32, byBatch: i32,
  own: i32, eps: f32,
): void {
  assert(N >= 0 && C >= 0 && D > 0 && L >= 0 && C % D == 0, "normalize: groups must divide the channels");
  assert(!byBatch || own == GIVEN, "normalize: statistics by batch are given");
  const ws: usize = w ? 64 : 0, bs: usize = b ? 64 : 0;
  const run = <usize>L << 2, line = <usize>C << 2;
  if (byBatch && L == 1) {
    for (; N > 0; N--) {
      batchRow(x, y, C, mean, 64, rstd, w ? w : ONE, ws, b ? b : ZERO, bs);
      x += line;
      y += line;
    }
    return;
  }
  // By item groups follow one another, as their statistics do: those of a few are computed ahead, which leaves the
  // processor something to do in the long chains of operations between sums and rstd.
  const few = max(AHEAD / (D * L), 2);
  let channel: usize = 0, ahead = 0;
  for (let groups = N * (C / D); groups > 0; ) {
    if (channel == line) {
      channel = 0;
      if (byBatch) {
        mean -= line;
        rstd -= line;
      }
    }
    if (own != GIVEN && ahead <= 0) {
      ahead = min(few, groups);
      moments(x, mean, rstd, 1, ahead, D * L, own == CENTERED);
      inverseStd(rstd, rstd, ahead, eps);
    }
    let done = 1;
    if (L == 1) {
      if (D == C && ahead != 1 && groups > 1) done = 2;
      const size = <usize>D << 2;
      const f = w ? w + channel : ONE, c = b ? b + channel : ZERO;
      itemRows(x, y, D, done == 2 ? size : 0, mean, rstd, f, ws, c, bs);
      x += size * done;
      y += size * done;
      channel += size;
    } else {
      const m = load<f32>(mean), r = load<f32>(rstd);
      for (let d = D; d > 0; d--) {
        affineRow(x, y, L, m, w ? r * load<f32>(w + channel) : r, b ? load<f32>(b + channel) : 0);
        x += run;
        y += run;
        channel += 4;
      }
    }
    mean += done << 2;
    rstd += done << 2;
    groups -= done;
    ahead -= done;
  }
}
