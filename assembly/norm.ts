// Normalization: y = (x - mean) * rstd * w + b, where the statistics are shared by the elements of a group.
// x is [N, C, L], D channels to a group. Two ways of grouping:
//   by batch (batchNorm): a channel of all items is a group; C statistics, D = 1
//   by item (layerNorm: L = 1, D = C; groupNorm; instanceNorm: D = 1; rmsNorm: without mean): N * C / D statistics
// w and b have one number a channel, or are absent (0). With L = 1 channels are neighbours in memory, so that w and b
// (and by batch the statistics) are vectors beside each row of x; otherwise a channel is a run of L with one number each.
import { addPair, high64, loadLanes, loadWide, low64, narrow, storeLanes, storeWide } from "./lanes";
import { sumRow } from "./reduce";

/** What takes the place of absent vectors. Their steps are masked by 0, those of real ones (all bits set) stay. */
const ZERO = memory.data<f32>([0, 0, 0, 0]);
const ONE = memory.data<f32>([1, 1, 1, 1]);

/** A piece of a run that stays in L1 while its mean and then its deviations are summed. */
const CHUNK = 4096;

/**
 * Sum of (x - m) * (g - o) over n elements: f32 lanes over blocks of 512, whose totals are added in f64. With g = x and
 * o = m it is the sum of squared deviations.
 */
function productSum(x: usize, g: usize, n: i32, m: f32, o: f32): f64 {
  const zero = f32x4.splat(0), p = f32x4.splat(m), q = f32x4.splat(o);
  let total = f64x2.splat(0);
  while (n >= 16) {
    const trips = min(n >> 4, 32);
    const stop = x + (<usize>trips << 6);
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    do {
      s0 = f32x4.add(s0, f32x4.mul(f32x4.sub(v128.load(x), p), f32x4.sub(v128.load(g), q)));
      s1 = f32x4.add(s1, f32x4.mul(f32x4.sub(v128.load(x, 16), p), f32x4.sub(v128.load(g, 16), q)));
      s2 = f32x4.add(s2, f32x4.mul(f32x4.sub(v128.load(x, 32), p), f32x4.sub(v128.load(g, 32), q)));
      s3 = f32x4.add(s3, f32x4.mul(f32x4.sub(v128.load(x, 48), p), f32x4.sub(v128.load(g, 48), q)));
      x += 64;
      g += 64;
    } while (x != stop);
    s0 = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
    total = f64x2.add(total, f64x2.add(low64(s0), high64(s0)));
    n -= trips << 4;
  }
  let s = zero;
  for (; n >= 4; n -= 4) {
    s = f32x4.add(s, f32x4.mul(f32x4.sub(v128.load(x), p), f32x4.sub(v128.load(g), q)));
    x += 16;
    g += 16;
  }
  if (n > 0) s = f32x4.add(s, f32x4.mul(f32x4.sub(loadLanes(x, n, p), p), f32x4.sub(loadLanes(g, n, q), q)));
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
      b = f32x4.add(b, f32x4.mul(d, d));
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
  assert(N >= 0 && C >= 0 && L >= 0, "moments: extents must not be negative");
  assert(centered || N <= 1, "moments: mean squares are taken of runs");
  if (L == 1 && N > 1) {
    const wide = C >= 4;
    for (let c = 0; c < C; c += wide ? 4 : 1) {
      // The last strip may overlap the one before: a column's value does not depend on its strip.
      const at = <usize>(wide ? min(c, C - 4) : c) << 2;
      columnMoments(x + at, N, <usize>C << 2, mean + at, variance + at, wide);
    }
    return;
  }
  const stride = (<usize>C * <usize>L) << 2;
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
    v128.store(y, f32x4.add(f32x4.mul(f32x4.sub(v128.load(x), shift), by), bias));
    x += 16;
    y += 16;
  }
  if (n > 0) storeLanes(y, f32x4.add(f32x4.mul(f32x4.sub(loadLanes(x, n, shift), shift), by), bias), n);
}

/** y = (x - m) * r * w + b over a row whose channels are neighbours; ws and bs mask steps. */
function itemRow(x: usize, y: usize, n: i32, m: f32, r: f32, w: usize, ws: usize, b: usize, bs: usize): void {
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
function batchRow(
  x: usize, y: usize, n: i32, m: usize, ms: usize, r: usize, w: usize, ws: usize, b: usize, bs: usize,
): void {
  for (; n >= 4; n -= 4) {
    const by = f32x4.mul(v128.load(r), v128.load(w));
    v128.store(y, f32x4.add(f32x4.mul(f32x4.sub(v128.load(x), v128.load(m)), by), v128.load(b)));
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

/** gx = g * a + (x - m) * b + c over a run; gx may be g. */
function gradRow(g: usize, x: usize, gx: usize, n: i32, m: f32, a: f32, b: f32, c: f32): void {
  const vm = f32x4.splat(m), va = f32x4.splat(a), vb = f32x4.splat(b), vc = f32x4.splat(c);
  for (; n >= 4; n -= 4) {
    const v = f32x4.add(f32x4.mul(f32x4.sub(v128.load(x), vm), vb), vc);
    v128.store(gx, f32x4.add(f32x4.mul(v128.load(g), va), v));
    g += 16;
    x += 16;
    gx += 16;
  }
  if (n > 0) {
    const v = f32x4.add(f32x4.mul(f32x4.sub(loadLanes(x, n, vm), vm), vb), vc);
    storeLanes(gx, f32x4.add(f32x4.mul(loadLanes(g, n, vm), va), v), n);
  }
}

/** gx = r w (g - (gb + (x - m) r gw) * by) over a row of channels, all vectors. */
function batchGradRow(
  g: usize, x: usize, m: usize, r: usize, w: usize, ws: usize, gw: usize, gb: usize, gx: usize, n: i32, by: f32,
): void {
  const scale = f32x4.splat(by);
  for (; n >= 4; n -= 4) {
    const rv = v128.load(r);
    const d = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x), v128.load(m)), rv), v128.load(gw));
    const e = f32x4.sub(v128.load(g), f32x4.mul(f32x4.add(d, v128.load(gb)), scale));
    v128.store(gx, f32x4.mul(f32x4.mul(rv, v128.load(w)), e));
    g += 16;
    x += 16;
    m += 16;
    r += 16;
    w += 16 & ws;
    gw += 16;
    gb += 16;
    gx += 16;
  }
  for (; n > 0; n--) {
    const d = (load<f32>(x) - load<f32>(m)) * load<f32>(r) * load<f32>(gw);
    store<f32>(gx, load<f32>(r) * load<f32>(w) * (load<f32>(g) - (d + load<f32>(gb)) * by));
    g += 4;
    x += 4;
    m += 4;
    r += 4;
    w += 4 & ws;
    gw += 4;
    gb += 4;
    gx += 4;
  }
}

const LANES = memory.data<i32>([0, 1, 2, 3, 4, 5, 6, 7]);

/**
 * gw += sum of g * (x - m) * r, gb += sum of g over a few rows, for eight neighbouring channels, of which the first
 * `skip` were dealt with before. The statistics are one number a row, `step` bytes apart, or (0) vectors.
 */
function parameterColumns(
  g: usize, x: usize, mean: usize, rstd: usize, gw: usize, gb: usize, rows: i32, stride: usize, step: usize, skip: i32,
): void {
  const zero = f32x4.splat(0);
  let s0 = zero, s1 = zero, t0 = zero, t1 = zero;
  let m0 = zero, m1 = zero, r0 = zero, r1 = zero;
  if (step == 0) {
    m0 = v128.load(mean);
    m1 = v128.load(mean, 16);
    r0 = v128.load(rstd);
    r1 = v128.load(rstd, 16);
  }
  for (; rows > 0; rows--) {
    if (step != 0) {
      m0 = m1 = v128.load32_splat(mean);
      r0 = r1 = v128.load32_splat(rstd);
      mean += step;
      rstd += step;
    }
    const g0 = v128.load(g), g1 = v128.load(g, 16);
    s0 = f32x4.add(s0, f32x4.mul(g0, f32x4.mul(f32x4.sub(v128.load(x), m0), r0)));
    s1 = f32x4.add(s1, f32x4.mul(g1, f32x4.mul(f32x4.sub(v128.load(x, 16), m1), r1)));
    t0 = f32x4.add(t0, g0);
    t1 = f32x4.add(t1, g1);
    g += stride;
    x += stride;
  }
  const first = i32x4.splat(skip);
  const keep0 = i32x4.ge_s(v128.load(LANES), first), keep1 = i32x4.ge_s(v128.load(LANES, 16), first);
  v128.store(gw, f32x4.add(v128.load(gw), v128.and(s0, keep0)));
  v128.store(gw, f32x4.add(v128.load(gw, 16), v128.and(s1, keep1)), 16);
  v128.store(gb, f32x4.add(v128.load(gb), v128.and(t0, keep0)));
  v128.store(gb, f32x4.add(v128.load(gb, 16), v128.and(t1, keep1)), 16);
}

/** The same for one channel. */
function parameterColumn(
  g: usize, x: usize, mean: usize, rstd: usize, gw: usize, gb: usize, rows: i32, stride: usize, step: usize,
): void {
  let s: f32 = 0, t: f32 = 0;
  for (; rows > 0; rows--) {
    const v = load<f32>(g);
    s += v * ((load<f32>(x) - load<f32>(mean)) * load<f32>(rstd));
    t += v;
    g += stride;
    x += stride;
    mean += step;
    rstd += step;
  }
  store<f32>(gw, load<f32>(gw) + s);
  store<f32>(gb, load<f32>(gb) + t);
}

/** For all channels of a group, in blocks of 64 rows: the rows stay in the cache, and chains of additions short. */
function parameterSums(
  g: usize, x: usize, mean: usize, rstd: usize, gw: usize, gb: usize, rows: i32, channels: i32, stride: usize,
  step: usize,
): void {
  for (; rows > 0; rows -= 64) {
    const k = min(rows, 64), wide = channels >= 8;
    for (let c = 0; c < channels; c += wide ? 8 : 1) {
      const from = wide ? min(c, channels - 8) : c;
      const at = <usize>from << 2, own = step == 0 ? at : 0;
      if (wide) {
        parameterColumns(g + at, x + at, mean + own, rstd + own, gw + at, gb + at, k, stride, step, c - from);
      } else parameterColumn(g + at, x + at, mean + own, rstd + own, gw + at, gb + at, k, stride, step);
    }
    g += stride << 6;
    x += stride << 6;
    mean += step << 6;
    rstd += step << 6;
  }
}

@inline
function addTo(p: usize, v: f64): void {
  store<f32>(p, <f32>(<f64>load<f32>(p) + v));
}

/** Gradients by batch where a channel is a run. */
function batchRunsGrad(
  g: usize, x: usize, mean: usize, rstd: usize, w: usize, gx: usize, gw: usize, gb: usize, N: i32, C: i32, L: i32,
  constant: bool,
): void {
  const stride = (<usize>C * <usize>L) << 2;
  for (let c: usize = 0; c < <usize>C << 2; c += 4) {
    const m = load<f32>(mean + c), r = load<f32>(rstd + c);
    let s: f64 = 0, t: f64 = 0;
    for (let n: usize = 0; n < <usize>N; n++) {
      s += productSum(x + n * stride, g + n * stride, L, m, 0);
      t += sumRow(g + n * stride, L);
    }
    s *= <f64>r;
    store<f32>(gw + c, <f32>s);
    store<f32>(gb + c, <f32>t);
    const a = w ? r * load<f32>(w + c) : r;
    const by = constant ? 0 : -<f64>a / (<f64>N * <f64>L);
    const b = <f32>(by * s * <f64>r), e = <f32>(by * t);
    for (let n: usize = 0; n < <usize>N; n++) {
      const at = n * stride;
      if (constant) affineRow(g + at, gx + at, L, 0, a, 0);
      else gradRow(g + at, x + at, gx + at, L, m, a, b, e);
    }
    g += <usize>L << 2;
    x += <usize>L << 2;
    gx += <usize>L << 2;
  }
}

/** What a gradient flows through besides x itself: nothing (the statistics are constants), rstd, rstd and the mean. */
const CONSTANT = 0;
const CENTERED = 2;

/**
 * Gradients of normalize: gx of x, gw and gb of the channels' weights and biases (overwritten).
 * gx = rstd * (g w - mean(g w) - xhat * mean(g w xhat)), the means over a group; gw = sum of g xhat, gb = sum of g.
 * `through`: 0 leaves both means out, 1 (rmsNorm) the first one.
 */
export function normalizeGrad(
  g: usize, x: usize, mean: usize, rstd: usize, w: usize, gx: usize, gw: usize, gb: usize, N: i32, C: i32, D: i32,
  L: i32, byBatch: i32, through: i32,
): void {
  assert(N >= 0 && C >= 0 && D > 0 && L >= 0 && C % D == 0, "normalizeGrad: groups must divide the channels");
  if (byBatch && L != 1) {
    batchRunsGrad(g, x, mean, rstd, w, gx, gw, gb, N, C, L, through == CONSTANT);
    return;
  }
  memory.fill(gw, 0, <usize>C << 2);
  memory.fill(gb, 0, <usize>C << 2);
  const stride = <usize>C << 2, row = <usize>D << 2;
  const groups = <usize>(C / D) << 2;
  if (byBatch) {
    parameterSums(g, x, mean, rstd, gw, gb, N, C, stride, 0);
    const ws: usize = w ? -1 : 0, by: f32 = 1 / <f32>N;
    for (; N > 0; N--) {
      if (through == CONSTANT) batchRow(g, gx, C, ZERO, 0, rstd, w ? w : ONE, ws, ZERO, 0);
      else batchGradRow(g, x, mean, rstd, w ? w : ONE, ws, gw, gb, gx, C, by);
      g += stride;
      x += stride;
      gx += stride;
    }
    return;
  }
  if (L == 1) {
    for (let c = 0; c < C; c += D) {
      const at = <usize>c << 2, own = <usize>(c / D) << 2;
      parameterSums(g + at, x + at, mean + own, rstd + own, gw + at, gb + at, N, D, stride, groups);
    }
  }
  // A group is one run of D neighbouring channels, or D runs of L.
  const one = L == 1, runs = one ? 1 : D, n = one ? D : L;
  const by = 1 / (<f64>D * <f64>L), run = <usize>n << 2;
  for (; N > 0; N--) {
    for (let c: usize = 0; c < stride; c += row) {
      const m = load<f32>(mean), r = load<f32>(rstd);
      let s: f64 = 0, t: f64 = 0; // sums of g w (x - m) and of g w
      let from = g, at = x;
      if (one && w) {
        from = gx; // where g w waits
        itemRow(g, gx, D, 0, 1, w + c, -1, ZERO, 0);
      }
      for (let d = 0; d < runs; d++) {
        const p = c + (<usize>d << 2);
        const sd = productSum(at, from, n, m, 0), td = sumRow(from, n);
        const wd = !one && w ? <f64>load<f32>(w + p) : 1;
        s += wd * sd;
        t += wd * td;
        if (!one) {
          addTo(gw + p, sd * <f64>r);
          addTo(gb + p, td);
        }
        from += run;
        at += run;
      }
      const b = <f32>(-by * s * <f64>r * <f64>r * <f64>r);
      const e = through == CENTERED ? <f32>(-by * t * <f64>r) : 0;
      from = one && w ? gx : g;
      for (let d = 0; d < runs; d++) {
        const wd: f32 = !one && w ? load<f32>(w + c + (<usize>d << 2)) : 1;
        gradRow(from, x, gx, n, m, r * wd, b, e);
        from += run;
        g += run;
        x += run;
        gx += run;
      }
      mean += 4;
      rstd += 4;
    }
  }
}
