// Sums over taps without a matrix product: rows of a convolution with one or two filters in a group (depthwise ones).
import { loadPart } from "./matmul-pack";
import { madd } from "./simd";

/** n sums, in whole blocks of 24: y(j) = start + sum over the k taps of w(t) * source(j, t). */
export function sumTaps(y: usize, n: i32, from: usize, taps: usize, w: usize, k: i32, start: f32): void {
  const first = f32x4.splat(start);
  const end = taps + (<usize>k << 2);
  for (; n > 0; n -= 24, y += 96, from += 96) {
    let y0 = first, y1 = first, y2 = first, y3 = first, y4 = first, y5 = first;
    for (let tap = taps, weight = w; tap != end; tap += 4, weight += 4) {
      const source = from + <usize>load<u32>(tap);
      const factor = v128.load32_splat(weight);
      y0 = madd(factor, v128.load(source), y0);
      y1 = madd(factor, v128.load(source, 16), y1);
      y2 = madd(factor, v128.load(source, 32), y2);
      y3 = madd(factor, v128.load(source, 48), y3);
      y4 = madd(factor, v128.load(source, 64), y4);
      y5 = madd(factor, v128.load(source, 80), y5);
    }
    v128.store(y, y0);
    v128.store(y, y1, 16);
    v128.store(y, y2, 32);
    v128.store(y, y3, 48);
    v128.store(y, y4, 64);
    v128.store(y, y5, 80);
  }
}

/** Ones for the first lanes: what follows a row of n elements in whole vectors is cut off with the mask at 16 * (n & 3). */
const masks: usize = memory.data<u32>([0, 0, 0, 0, ~0, 0, 0, 0, ~0, ~0, 0, 0, ~0, ~0, ~0, 0]);

// @ts-ignore: decorator
@inline
function total(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** gw(t) += sum of g * source(t) for three taps, over `rows` rows of n; the taps' sources begin at x0, x1, x2. */
function dotThree(
  gw0: usize, gw1: usize, gw2: usize, x0: usize, x1: usize, x2: usize, xRow: usize, g: usize, rows: i32, n: i32,
): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, t0 = s0, t1 = s0, t2 = s0;
  const eights = <usize>(n & ~7) << 2;
  const skip = xRow - eights;
  const rest = n & 3;
  const mask = v128.load(masks + (<usize>rest << 4));
  const beyond = (<usize>n & 4) << 2;
  for (; rows > 0; --rows) {
    const end = g + eights;
    for (; g != end; g += 32, x0 += 32, x1 += 32, x2 += 32) {
      const g0 = v128.load(g), g1 = v128.load(g, 16);
      s0 = madd(g0, v128.load(x0), s0);
      s1 = madd(g0, v128.load(x1), s1);
      s2 = madd(g0, v128.load(x2), s2);
      t0 = madd(g1, v128.load(x0, 16), t0);
      t1 = madd(g1, v128.load(x1, 16), t1);
      t2 = madd(g1, v128.load(x2, 16), t2);
    }
    if ((n & 4) != 0) {
      const g0 = v128.load(g);
      s0 = madd(g0, v128.load(x0), s0);
      s1 = madd(g0, v128.load(x1), s1);
      s2 = madd(g0, v128.load(x2), s2);
      g += 16;
    }
    if (rest != 0) {
      const g1 = loadPart(g, rest);
      t0 = madd(g1, v128.and(mask, v128.load(x0 + beyond)), t0);
      t1 = madd(g1, v128.and(mask, v128.load(x1 + beyond)), t1);
      t2 = madd(g1, v128.and(mask, v128.load(x2 + beyond)), t2);
      g += <usize>rest << 2;
    }
    x0 += skip;
    x1 += skip;
    x2 += skip;
  }
  store<f32>(gw0, load<f32>(gw0) + total(f32x4.add(s0, t0)));
  if (gw1 != gw0) store<f32>(gw1, load<f32>(gw1) + total(f32x4.add(s1, t1)));
  if (gw2 != gw1) store<f32>(gw2, load<f32>(gw2) + total(f32x4.add(s2, t2)));
}

/** gw(t) += sum over a slice of g (`rows` rows of n) of g * source(t), for all k taps, three at a time. */
export function dotTaps(
  gw: usize, k: i32, taps: usize, source: usize, xRow: usize, g: usize, rows: i32, n: i32,
): void {
  for (let t = 0; t < k; t += 3) {
    // Taps past the last one repeat it, and are not stored.
    const t1 = <usize>min(t + 1, k - 1) << 2, t2 = <usize>min(t + 2, k - 1) << 2, t0 = <usize>t << 2;
    dotThree(
      gw + t0, gw + t1, gw + t2, source + <usize>load<u32>(taps + t0), source + <usize>load<u32>(taps + t1),
      source + <usize>load<u32>(taps + t2), xRow, g, rows, n,
    );
  }
}
