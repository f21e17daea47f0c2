// Depthwise convolutions with windows of 3 x 3 whose results have the size of the image, computed without a copy of it:
// down the image, four columns at a time.
import { FORWARD, Plan } from "./conv-plan";
import { madd } from "./simd";

/** Byte lanes for swizzles: neighbours moved up by one, as they are (4 bytes on), and moved down (8 bytes on). */
const moved: usize = memory.data<u8>([
  255, 255, 255, 255, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255, 255, 255, 255,
]);

/**
 * Four columns of results of a window of 3 x 3 (weights `step` bytes apart), whose left neighbours lie at x: each row of x
 * enters the sums of three rows, two of which wait in registers. Nine weights, these two and three neighbours are all the
 * registers there are, so `start` stays in memory. Unless the columns lie `within` the image, `side` tells where the
 * neighbours are the middle ones, moved, and a zero beyond: on the left (-1) or on the right (1).
 */
// @ts-ignore: decorator
@inline
function goDown(
  within: bool, side: i32, y: usize, x: usize, w: usize, step: usize, row: usize, height: i32, start: usize,
): void {
  const w0 = v128.load32_splat(w), w1 = v128.load32_splat(w + step), w2 = v128.load32_splat(w + 2 * step);
  w += 3 * step;
  const w3 = v128.load32_splat(w), w4 = v128.load32_splat(w + step), w5 = v128.load32_splat(w + 2 * step);
  w += 3 * step;
  const w6 = v128.load32_splat(w), w7 = v128.load32_splat(w + step), w8 = v128.load32_splat(w + 2 * step);
  let here = v128.load32_splat(start), below = here;
  // The first row of x ends the sums of a row above the first one of y: they go there, and are overwritten.
  let next = y;
  const atLeft: usize = side < 0 ? 4 : 0, atRight: usize = side > 0 ? 4 : 8;
  for (const end = x + <usize>height * row; x != end; x += row) {
    let a = v128.load(x + atLeft), b = v128.load(x, 4), c = v128.load(x + atRight);
    if (!within) {
      a = i8x16.swizzle(a, v128.load(moved + 4 - atLeft));
      c = i8x16.swizzle(c, v128.load(moved + 12 - atRight));
    }
    v128.store(y, madd(w8, c, madd(w7, b, madd(w6, a, here))));
    here = madd(w5, c, madd(w4, b, madd(w3, a, below)));
    below = madd(w2, c, madd(w1, b, madd(w0, a, v128.load32_splat(start))));
    y = next;
    next += row;
  }
  v128.store(y, here);
}

function goDownWithin(y: usize, x: usize, w: usize, step: usize, row: usize, height: i32, start: usize): void {
  goDown(true, 0, y, x, w, step, row, height, start);
}

function goDownAside(
  side: i32, y: usize, x: usize, w: usize, step: usize, row: usize, height: i32, start: usize,
): void {
  goDown(false, side, y, x, w, step, row, height, start);
}

/** A plane of results from a plane of x; `w` is its window, and `init` the address of what the sums start from. */
export function sumInPlace(plan: Plan, x: usize, w: usize, y: usize, init: usize): void {
  const height = plan.in1, row = <usize>plan.in2 << 2, last = row - 16;
  let step: usize = 4;
  if (plan.op != FORWARD) {
    // The window of an INPUT is turned.
    step = -4;
    w += 32;
  }
  x -= 4;
  goDownAside(-1, y, x, w, step, row, height, init);
  goDownAside(1, y + last, x + last, w, step, row, height, init);
  let at: usize = 16;
  for (; at + 16 <= last; at += 16) goDownWithin(y + at, x + at, w, step, row, height, init);
  // The last four may overlap those before.
  if (at < last) goDownWithin(y + last - 16, x + last - 16, w, step, row, height, init);
}
