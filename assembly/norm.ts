// Normalization: y = (x - mean) * rstd * w + b, where the statistics are shared by the elements of a group.
// x is [N, C, L], D channels to a group. Two ways of grouping:
//   by batch (batchNorm): a channel of all items is a group; C statistics, D = 1
//   by item (layerNorm: L = 1, D = C; groupNorm; instanceNorm: D = 1; rmsNorm: without mean): N * C / D statistics
// w and b have one number a channel, or are absent (0). With L = 1 channels are neighbours in memory, so that w and b
// (and by batch the statistics) are vectors beside each row of x; otherwise a channel is a run of L with one number each.
import { addPair, high64, loadLanes, loadWide, low64, narrow, storeLanes, storeWide } from "./lanes";
import { sumRow } from "./reduce";
import { madd } from "./simd";

/** What takes the place of absent vectors. Their steps are masked by 0, those of real ones (all bits set) stay. */
export const ZERO = memory.data<f32>([0, 0, 0, 0]);
export const ONE = memory.data<f32>([1, 1, 1, 1]);

/** A piece of a run that stays in L1 while its mean and then its deviations are summed. */
const CHUNK = 4096;

/**
 * Sum of (x - m) * (g - o) over n elements: f32 lanes over blocks of 512, whose totals are added in f64. With g = x and
 * o = m it is the sum of squared deviations.
 */
export function productSum(x: usize, g: usize, n: i32, m: f32, o: f32): f64 {
  const zero = f32x4.splat(0), p = f32x4.splat(m), q = f32x4.splat(o);
  let total = f64x2.splat(0);
  while (n >= 16) {
    const trips = min(n >> 4, 32);
    const stop = x + (<usize>trips << 6);
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    do {
      s0 = madd(f32x4.sub(v128.load(x), p), f32x4.sub(v128.load(g), q), s0);
      s1 = madd(f32x4.sub(v128.load(x, 16), p), f32x4.sub(v128.load(g, 16), q), s1);
      s2 = madd(f32x4.sub(v128.load(x, 32), p), f32x4.sub(v128.load(g, 32), q), s2);
      s3 = madd(f32x4.sub(v128.load(x, 48), p), f32x4.sub(v128.load(g, 48), q), s3);
      x += 64;
      g += 64;
    } while (x != stop);
    s0 = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
    total = f64x2.add(total, f64x2.add(low64(s0), high64(s0)));
    n -= trips << 4;
  }
  let s = zero;
  for (; n >= 4; n -= 4) {
    s = madd(f32x4.sub(v128.load(x), p), f32x4.sub(v128.load(g), q), s);
    x += 16;
    g += 16;
  }
  if (n > 0) s = madd(f32x4.sub(loadLanes(x, n, p), p), f32x4.sub(loadLanes(g, n, q), q), s);
  return addPair(f64x2.add(total, f64x2.add(low64(s), high64(s))));
}

/**
 * Mean and mean squared deviation of `runs` runs of n. Each piece has its own mean and deviations, which are combined
 * in f64 (Chan, Golub, LeVeque 1983), so that a mean far from 0 costs no digits. Without `centered` the mean is 0.
 */
function runMoments(x: usize, runs: i32, n: i32, stride: usize, centered: i32, mean: usize, variance: usize): void {
  let count: f64 = 0, m: f64 = 0, s: f64 = 0;
  for (; runs > 0; runs--) {
    for (let i = 0; i < n; i += CHUNK) {
      const at = x + (<usize>i << 2), k = min(n - i, CHUNK);
      const own = centered ? sumRow(at, k) / <f64>k : 0;
      // The deviations are taken from the mean rounded to f32; the difference is made up for.
      const rounded = <f32>own, off = own - <f64>rounded;
      const delta = own - m, total = count + <f64>k;
      s += productSum(at, at, k, rounded, rounded) - off * off * <f64>k + delta * delta * (count * <f64>k / total);
      m += delta * (<f64>k / total);
      count = total;
    }
    x += stride;
  }
  store<f32>(mean, <f32>m);
  store<f32>(variance, <f32>(s / count));
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

/** y = (x - m) * r * w + b over a row whose channels are neighbours; ws and bs mask steps. */
export function itemRow(x: usize, y: usize, n: i32, m: f32, r: f32, w: usize, ws: usize, b: usize, bs: usize): void {
  const shift = f32x4.splat(m), by = f32x4.splat(r);
  for (; n >= 4; n -= 4) {
    const v = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x), shift), by), v128.load(w));
    v128.store(y, f32x4.add(v, v128.load(b)));
    x += 16;
    y += 16;
    w += 16 & ws;
    b += 16 & bs;
  }
  for (; n > 0; n--) {
    store<f32>(y, (load<f32>(x) - m) * r * load<f32>(w) + load<f32>(b));
    x += 4;
    y += 4;
    w += 4 & ws;
    b += 4 & bs;
  }
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
    m += 16 & ms;
    r += 16;
    w += 16 & ws;
    b += 16 & bs;
  }
  for (; n > 0; n--) {
    store<f32>(y, (load<f32>(x) - load<f32>(m)) * (load<f32>(r) * load<f32>(w)) + load<f32>(b));
    x += 4;
    y += 4;
    m += 4 & ms;
    r += 4;
    w += 4 & ws;
    b += 4 & bs;
  }
}

/** y = (x - mean) * rstd * w + b; see the head of the file. By batch the statistics are [C], by item [N, C / D]. */
export function normalize(
  x: usize, mean: usize, rstd: usize, w: usize, b: usize, y: usize, N: i32, C: i32, D: i32, L: i32, byBatch: i32,
): void {
  assert(N >= 0 && C >= 0 && D > 0 && L >= 0 && C % D == 0, "normalize: groups must divide the channels");
  const ws: usize = w ? -1 : 0, bs: usize = b ? -1 : 0;
  const row = <usize>D << 2, run = <usize>L << 2;
  for (; N > 0; N--) {
    if (L == 1 && byBatch) {
      batchRow(x, y, C, mean, -1, rstd, w ? w : ONE, ws, b ? b : ZERO, bs);
      x += <usize>C << 2;
      y += <usize>C << 2;
      continue;
    }
    let group: usize = 0;
    for (let c = 0; c < C; c += D) {
      const first = <usize>c << 2;
      if (L == 1) {
        const m = load<f32>(mean + group), r = load<f32>(rstd + group);
        itemRow(x, y, D, m, r, w ? w + first : ONE, ws, b ? b + first : ZERO, bs);
        x += row;
        y += row;
      } else {
        const m = load<f32>(mean + group), r = load<f32>(rstd + group);
        for (let d: usize = 0; d < row; d += 4) {
          affineRow(x, y, L, m, w ? r * load<f32>(w + first + d) : r, b ? load<f32>(b + first + d) : 0);
          x += run;
          y += run;
        }
      }
      group += 4;
    }
    if (!byBatch) {
      mean += group;
      rstd += group;
    }
  }
}
