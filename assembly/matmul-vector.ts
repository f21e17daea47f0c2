// Matrix times vector, with the sums of matmul-tiles.ts: y(j) starts at y(j), then + x(p) * b(p, j) for p = 0, 1, ...
import { loadPart, storePart } from "./matmul-pack";
import { madd } from "./simd";

/** y(j) += x(p + q) * b(p + q, j) for q = 0..3: one pass over y for four rows of b. */
function streamFour(x: usize, b: usize, bRow: usize, y: usize, n: i32): void {
  const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4);
  const x2 = v128.load32_splat(x, 8), x3 = v128.load32_splat(x, 12);
  let b1 = b + bRow, b2 = b1 + bRow, b3 = b2 + bRow;
  const whole = y + ((<usize>n >> 3) << 5);
  for (; y != whole; y += 32, b += 32, b1 += 32, b2 += 32, b3 += 32) {
    let sum = madd(x0, v128.load(b), v128.load(y));
    let next = madd(x0, v128.load(b, 16), v128.load(y, 16));
    sum = madd(x1, v128.load(b1), sum);
    next = madd(x1, v128.load(b1, 16), next);
    sum = madd(x2, v128.load(b2), sum);
    next = madd(x2, v128.load(b2, 16), next);
    v128.store(y, madd(x3, v128.load(b3), sum));
    v128.store(y, madd(x3, v128.load(b3, 16), next), 16);
  }
  if ((n & 4) != 0) {
    let sum = madd(x0, v128.load(b), v128.load(y));
    sum = madd(x1, v128.load(b1), sum);
    sum = madd(x2, v128.load(b2), sum);
    v128.store(y, madd(x3, v128.load(b3), sum));
    y += 16;
    b += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
  }
  const rest = n & 3;
  if (rest != 0) {
    let sum = madd(x0, loadPart(b, rest), loadPart(y, rest));
    sum = madd(x1, loadPart(b1, rest), sum);
    sum = madd(x2, loadPart(b2, rest), sum);
    storePart(y, madd(x3, loadPart(b3, rest), sum), rest);
  }
}

function streamOne(x: usize, b: usize, y: usize, n: i32): void {
  const x0 = v128.load32_splat(x);
  const whole = y + ((<usize>n >> 2) << 4);
  for (; y != whole; y += 16, b += 16) v128.store(y, madd(x0, v128.load(b), v128.load(y)));
  const rest = n & 3;
  if (rest != 0) storePart(y, madd(x0, loadPart(b, rest), loadPart(y, rest)), rest);
}

/** y += x b for b stored [k, n]. Streams b row after row: columns of b would fall into few sets of the cache. */
export function vectorTimesRows(x: usize, b: usize, y: usize, n: i32, k: i32): void {
  const bRow = <usize>n << 2;
  let p = 0;
  for (; p + 4 <= k; p += 4, x += 16, b += 4 * bRow) streamFour(x, b, bRow, y, n);
  for (; p < k; ++p, x += 4, b += bRow) streamOne(x, b, y, n);
}

/** Four steps of p (x holds theirs) for the four columns of y whose rows of b begin at r0..r3. */
// @ts-ignore: decorator
@inline
function fourByFour(x: v128, r0: usize, r1: usize, r2: usize, r3: usize, sum: v128): v128 {
  const v0 = v128.load(r0), v1 = v128.load(r1), v2 = v128.load(r2), v3 = v128.load(r3);
  const low01 = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5), low23 = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5);
  sum = madd(v128.shuffle<f32>(x, x, 0, 0, 0, 0), v128.shuffle<f64>(low01, low23, 0, 2), sum);
  sum = madd(v128.shuffle<f32>(x, x, 1, 1, 1, 1), v128.shuffle<f64>(low01, low23, 1, 3), sum);
  const high01 = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7), high23 = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
  sum = madd(v128.shuffle<f32>(x, x, 2, 2, 2, 2), v128.shuffle<f64>(high01, high23, 0, 2), sum);
  return madd(v128.shuffle<f32>(x, x, 3, 3, 3, 3), v128.shuffle<f64>(high01, high23, 1, 3), sum);
}

/** One step of p for those four columns. */
// @ts-ignore: decorator
@inline
function oneByFour(x: usize, r0: usize, r1: usize, r2: usize, r3: usize, sum: v128): v128 {
  let v = v128.load32_zero(r0);
  v = v128.load32_lane(r1, v, 1);
  v = v128.load32_lane(r2, v, 2);
  v = v128.load32_lane(r3, v, 3);
  return madd(v128.load32_splat(x), v, sum);
}

/**
 * y += x bT for b stored [n, k]. Lanes are columns of y and not steps of p, which keeps the order of the sum; blocks of
 * 4x4 are transposed in registers on the way. Eight columns at a time hide the latency of the additions.
 */
export function vectorTimesColumns(x: usize, b: usize, y: usize, n: i32, k: i32): void {
  const bRow = <usize>k << 2;
  const wholeBytes = (<usize>k >> 2) << 4;
  for (let j = 0; j < n; j += 8, y += 32) {
    // Columns past the last repeat it, and are not stored.
    const last = n - 1 - j;
    const r0 = b + <usize>j * bRow;
    const r1 = r0 + <usize>min(1, last) * bRow, r2 = r0 + <usize>min(2, last) * bRow;
    const r3 = r0 + <usize>min(3, last) * bRow, r4 = r0 + <usize>min(4, last) * bRow;
    const r5 = r0 + <usize>min(5, last) * bRow, r6 = r0 + <usize>min(6, last) * bRow;
    const r7 = r0 + <usize>min(7, last) * bRow;
    let sum0 = loadPart(y, last + 1);
    let sum1 = last > 3 ? loadPart(y + 16, last - 3) : sum0;
    let p: usize = 0;
    for (; p != wholeBytes; p += 16) {
      const x0123 = v128.load(x + p);
      sum0 = fourByFour(x0123, r0 + p, r1 + p, r2 + p, r3 + p, sum0);
      sum1 = fourByFour(x0123, r4 + p, r5 + p, r6 + p, r7 + p, sum1);
    }
    for (; p != bRow; p += 4) {
      sum0 = oneByFour(x + p, r0 + p, r1 + p, r2 + p, r3 + p, sum0);
      sum1 = oneByFour(x + p, r4 + p, r5 + p, r6 + p, r7 + p, sum1);
    }
    storePart(y, sum0, last + 1);
    if (last > 3) storePart(y + 16, sum1, last - 3);
  }
}
