// Largest elements of windows, and where they are. As in PyTorch the first of equal ones wins, and a NaN always: the
// last one of several. Comparisons select whole vectors: a scalar select in such a loop is a mispredicted branch.
import { storePart } from "./matmul-pack";

// @ts-ignore: decorator
@lazy
const upToThree: usize = memory.data<i32>([0, 1, 2, 3]);

/** Lanes where `v` replaces the best so far. */
// @ts-ignore: decorator
@inline
function wins(v: v128, best: v128): v128 {
  return v128.or(f32x4.gt(v, best), f32x4.ne(v, v));
}

/** A row of n >= 4 windows of 2 x 2; `at` is the index of the first element. */
// @ts-ignore: decorator
@inline
function pairs(indexed: bool, x: usize, xRow: usize, y: usize, indices: usize, n: i32, at: i32): void {
  const below = i32x4.splat(<i32>(xRow >> 2));
  const one = i32x4.splat(1);
  const lanes = v128.load(upToThree);
  const first = i32x4.add(i32x4.splat(at), i32x4.add(lanes, lanes));
  for (let j = 0; ; j += 4) {
    // The last four may overlap those before.
    j = min(j, n - 4);
    const upper = x + (<usize>j << 3);
    let low = v128.load(upper), high = v128.load(upper, 16);
    let best = v128.shuffle<f32>(low, high, 0, 2, 4, 6);
    let v = v128.shuffle<f32>(low, high, 1, 3, 5, 7);
    const index = i32x4.add(first, i32x4.splat(j << 1));
    let wanted = wins(v, best), bestIndex = index;
    best = v128.bitselect(v, best, wanted);
    if (indexed) bestIndex = v128.bitselect(i32x4.add(index, one), index, wanted);
    const lower = upper + xRow;
    low = v128.load(lower);
    high = v128.load(lower, 16);
    v = v128.shuffle<f32>(low, high, 0, 2, 4, 6);
    wanted = wins(v, best);
    best = v128.bitselect(v, best, wanted);
    const belowIndex = i32x4.add(index, below);
    if (indexed) bestIndex = v128.bitselect(belowIndex, bestIndex, wanted);
    v = v128.shuffle<f32>(low, high, 1, 3, 5, 7);
    wanted = wins(v, best);
    v128.store(y + (<usize>j << 2), v128.bitselect(v, best, wanted));
    if (indexed) v128.store(indices + (<usize>j << 2), v128.bitselect(i32x4.add(belowIndex, one), bestIndex, wanted));
    if (j == n - 4) break;
  }
}

function pairsIndexed(x: usize, xRow: usize, y: usize, indices: usize, n: i32, at: i32): void {
  pairs(true, x, xRow, y, indices, n, at);
}

function pairsAlone(x: usize, xRow: usize, y: usize, n: i32): void {
  pairs(false, x, xRow, y, 0, n, 0);
}

/**
 * Windows of 2 x 2, 2 apart: x is [planes, height, width], y and indices (positions in a plane; 0 for none) [planes,
 * outHeight, outWidth]. outWidth is at least 4, and no window leaves x.
 */
export function maxPoolPairs(
  x: usize, y: usize, indices: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  assert(outWidth >= 4 && 2 * outWidth <= width && 2 * outHeight <= height, "windows must lie inside x");
  const xRow = <usize>width << 2, yRow = <usize>outWidth << 2;
  for (; planes > 0; --planes, x += <usize>height * xRow) {
    for (let h = 0; h < outHeight; ++h, y += yRow) {
      const row = x + <usize>(2 * h) * xRow;
      if (indices == 0) pairsAlone(row, xRow, y, outWidth);
      else {
        pairsIndexed(row, xRow, y, indices, outWidth, 2 * h * width);
        indices += yRow;
      }
    }
  }
}

/** gy where its index is one of `place` or, a column on, of `next`; zeros elsewhere: 8 elements of a row. */
// @ts-ignore: decorator
@inline
function spreadFour(to: usize, g: v128, index: v128, place: v128, next: v128): void {
  const even = v128.and(g, i32x4.eq(index, place)), odd = v128.and(g, i32x4.eq(index, next));
  v128.store(to, v128.shuffle<f32>(even, odd, 0, 4, 1, 5));
  v128.store(to, v128.shuffle<f32>(even, odd, 2, 6, 3, 7), 16);
}

/** The gradient of a row of windows: gy at the index, zeros at the other three. */
function spreadPairs(gy: usize, indices: usize, gx: usize, xRow: usize, n: i32, at: i32): void {
  const width = <i32>(xRow >> 2);
  const lanes = v128.load(upToThree);
  const first = i32x4.add(lanes, lanes);
  const one = i32x4.splat(1), below = i32x4.splat(width);
  for (let j = 0; ; j += 4) {
    j = min(j, n - 4);
    const g = v128.load(gy + (<usize>j << 2)), index = v128.load(indices + (<usize>j << 2));
    const place = i32x4.add(first, i32x4.splat(at + (j << 1)));
    const to = gx + (<usize>j << 3);
    spreadFour(to, g, index, place, i32x4.add(place, one));
    const lower = i32x4.add(place, below);
    spreadFour(to + xRow, g, index, lower, i32x4.add(lower, one));
    if (j == n - 4) break;
  }
}

/** gx for maxPoolPairs, from gy and its indices. */
export function maxPoolPairsGrad(
  gy: usize, indices: usize, gx: usize, planes: i32, height: i32, width: i32, outHeight: i32, outWidth: i32,
): void {
  assert(outWidth >= 4 && 2 * outWidth <= width && 2 * outHeight <= height, "windows must lie inside x");
  const xRow = <usize>width << 2, yRow = <usize>outWidth << 2;
  if (2 * outHeight < height || 2 * outWidth < width) memory.fill(gx, 0, <usize>(planes * height) * xRow);
  for (; planes > 0; --planes, gx += <usize>height * xRow) {
    for (let h = 0; h < outHeight; ++h, gy += yRow, indices += yRow) {
      spreadPairs(gy, indices, gx + <usize>(2 * h) * xRow, xRow, outWidth, 2 * h * width);
    }
  }
}

/**
 * Windows of any shape. `rows` [outHeight, kernelHeight] and `columns` [kernelWidth, outWidth rounded up to 4] list the
 * rows and columns of x that each window visits, in ascending order; short windows repeat their last one. x, y and
 * indices as in maxPoolPairs.
 */
export function maxPool(
  x: usize, y: usize, indices: usize, rows: usize, columns: usize, planes: i32, height: i32, width: i32,
  outHeight: i32, outWidth: i32, kernelHeight: i32, kernelWidth: i32,
): void {
  assert(kernelHeight > 0 && kernelWidth > 0, "windows must not be empty");
  const column = <usize>((outWidth + 3) & ~3) << 2;
  for (; planes > 0; --planes, x += <usize>(height * width) << 2) {
    let visited = rows;
    for (let h = 0; h < outHeight; ++h, visited += <usize>kernelHeight << 2) {
      for (let j = 0; j < outWidth; j += 4) {
        const first = columns + (<usize>j << 2);
        let best = f32x4.splat(-Infinity);
        let index = i32x4.add(i32x4.splat(load<i32>(visited) * width), v128.load(first));
        for (let r = 0; r < kernelHeight; ++r) {
          const at = load<i32>(visited + (<usize>r << 2)) * width;
          const row = x + (<usize>at << 2);
          const start = i32x4.splat(at);
          for (let c = first, end = first + <usize>kernelWidth * column; c != end; c += column) {
            let v = v128.load32_zero(row + (<usize>load<u32>(c) << 2));
            v = v128.load32_lane(row + (<usize>load<u32>(c, 4) << 2), v, 1);
            v = v128.load32_lane(row + (<usize>load<u32>(c, 8) << 2), v, 2);
            v = v128.load32_lane(row + (<usize>load<u32>(c, 12) << 2), v, 3);
            const wanted = wins(v, best);
            best = v128.bitselect(v, best, wanted);
            index = v128.bitselect(i32x4.add(start, v128.load(c)), index, wanted);
          }
        }
        const n = outWidth - j;
        storePart(y + (<usize>j << 2), best, n);
        if (indices != 0) storePart(indices + (<usize>j << 2), index, n);
      }
      y += <usize>outWidth << 2;
      if (indices != 0) indices += <usize>outWidth << 2;
    }
  }
}
