// Gradients of normalization; see norm.ts.
import { mulBlock } from "./elementwise";
import { loadLanes, storeLanes } from "./lanes";
import { affineRow, batchRow, ONE, productSums, ZERO } from "./norm";
import { madd, nmadd } from "./simd";

/** gx = g * a + (x - m) * b + c over a run; gx may be g. */
function gradRow(g: usize, x: usize, gx: usize, n: i32, m: f32, a: f32, b: f32, c: f32): void {
  const vm = f32x4.splat(m), va = f32x4.splat(a), vb = f32x4.splat(b), vc = f32x4.splat(c);
  for (; n >= 4; n -= 4) {
    const v = madd(f32x4.sub(v128.load(x), vm), vb, vc);
    v128.store(gx, madd(v128.load(g), va, v));
    g += 16;
    x += 16;
    gx += 16;
  }
  if (n > 0) {
    const v = madd(f32x4.sub(loadLanes(x, n, vm), vm), vb, vc);
    storeLanes(gx, madd(loadLanes(g, n, vm), va, v), n);
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
    const e = nmadd(f32x4.add(d, v128.load(gb)), scale, v128.load(g));
    v128.store(gx, f32x4.mul(f32x4.mul(rv, v128.load(w)), e));
    g += 16;
    x += 16;
    m += 16;
    r += 16;
    w += ws >> 2;
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
    w += ws >> 4;
    gw += 4;
    gb += 4;
    gx += 4;
  }
}

@inline
function addVector(p: usize, v: v128): void {
  v128.store(p, f32x4.add(v128.load(p), v));
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
    s0 = madd(g0, f32x4.mul(f32x4.sub(v128.load(x), m0), r0), s0);
    s1 = madd(g1, f32x4.mul(f32x4.sub(v128.load(x, 16), m1), r1), s1);
    t0 = f32x4.add(t0, g0);
    t1 = f32x4.add(t1, g1);
    g += stride;
    x += stride;
  }
  const first = i32x4.splat(skip);
  const keep0 = i32x4.ge_s(v128.load(LANES), first), keep1 = i32x4.ge_s(v128.load(LANES, 16), first);
  addVector(gw, v128.and(s0, keep0));
  addVector(gw + 16, v128.and(s1, keep1));
  addVector(gb, v128.and(t0, keep0));
  addVector(gb + 16, v128.and(t1, keep1));
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

/** For channels of a group, in blocks of 64 rows: the rows stay in the cache, and chains of additions short. */
export function parameterSums(
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

/** Gradients by batch where a channel is a run, for C neighbouring channels out of `total`. */
export function batchRunsGrad(
  g: usize, x: usize, mean: usize, rstd: usize, w: usize, gx: usize, gw: usize, gb: usize, N: i32, C: i32, L: i32,
  constant: bool, total: i32,
): void {
  const stride = (<usize>total * <usize>L) << 2;
  for (let c: usize = 0; c < <usize>C << 2; c += 4) {
    const m = load<f32>(mean + c), r = load<f32>(rstd + c);
    let s: f64 = 0, t: f64 = 0;
    for (let n: usize = 0; n < <usize>N; n++) {
      const sums = productSums(x + n * stride, g + n * stride, L, m, 0);
      s += f64x2.extract_lane(sums, 0);
      t += f64x2.extract_lane(sums, 1);
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
    batchRunsGrad(g, x, mean, rstd, w, gx, gw, gb, N, C, L, through == CONSTANT, C);
    return;
  }
  memory.fill(gw, 0, <usize>C << 2);
  memory.fill(gb, 0, <usize>C << 2);
  const stride = <usize>C << 2, row = <usize>D << 2;
  if (byBatch) {
    parameterSums(g, x, mean, rstd, gw, gb, N, C, stride, 0);
    const ws: usize = w ? 64 : 0, by: f32 = 1 / <f32>N;
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
    const groups = <usize>(C / D) << 2;
    for (let c = 0; c < C; c += D) {
      const at = <usize>c << 2, own = <usize>(c / D) << 2;
      parameterSums(g + at, x + at, mean + own, rstd + own, gw + at, gb + at, N, D, stride, groups);
    }
  }
  itemsGrad(g, x, mean, rstd, w, gx, gw, gb, N, C, D, L, through);
}

/** Gradients by item of N items: gx, and unless L is 1 what they add to gw and gb. */
export function itemsGrad(
  g: usize, x: usize, mean: usize, rstd: usize, w: usize, gx: usize, gw: usize, gb: usize, N: i32, C: i32, D: i32,
  L: i32, through: i32,
): void {
  const stride = <usize>C << 2, row = <usize>D << 2;
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
        mulBlock(g, w + c, gx, 1, D, 0, 0, 1, 1);
      }
      for (let d = 0; d < runs; d++) {
        const p = c + (<usize>d << 2);
        const sums = productSums(at, from, n, m, 0);
        const sd = f64x2.extract_lane(sums, 0), td = f64x2.extract_lane(sums, 1);
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
