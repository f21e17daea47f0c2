// Depthwise convolutions whose results have the size of the image, computed without a copy of it: rows of results are
// summed as if they went on through their ends, which is wrong only where windows reach beyond a row's end. These columns
// are left out, and summed one by one.
import { FORWARD, Plan } from "./conv-plan";
import { sumTapsExactly } from "./conv-direct";
import { madd } from "./simd";

/** Offsets of the taps from the place of a result: sources may lie before it. */
export function listShifts(plan: Plan): void {
  const sign = plan.op == FORWARD ? 4 : -4;
  let to = plan.taps;
  for (let i = 0; i < plan.kernel1; ++i) {
    const row = (i * plan.dilation1 - plan.pad1) * plan.in2;
    for (let j = 0; j < plan.kernel2; ++j, to += 4) store<i32>(to, sign * (row + j * plan.dilation2 - plan.pad2));
  }
}

/** Along an axis of `size`: the first tap of a window whose source lies inside, for the result at `at`. */
// @ts-ignore: decorator
@inline
function firstTap(plan: Plan, at: i32, size: i32, pad: i32, dilation: i32): i32 {
  const before = plan.op == FORWARD ? pad - at + dilation - 1 : at + pad - size + dilation;
  return before < dilation ? 0 : before / dilation;
}

/** The one after the last such tap. */
// @ts-ignore: decorator
@inline
function lastTap(plan: Plan, at: i32, size: i32, pad: i32, dilation: i32, kernel: i32): i32 {
  return min(kernel, ((plan.op == FORWARD ? size + pad - at - 1 : at + pad) + dilation) / dilation);
}

/**
 * Column `column` of `rows` rows of results (from y on), whose windows have the rows first to last of taps inside x: four
 * rows at a time, of which those past the last one repeat it.
 */
function sumColumn(
  plan: Plan, x: usize, w: usize, y: usize, start: f32, rows: i32, first: i32, last: i32, column: i32,
): void {
  const width = plan.in2, kernel = plan.kernel2, taps = plan.taps;
  const from = firstTap(plan, column, width, plan.pad2, plan.dilation2);
  const count = lastTap(plan, column, width, plan.pad2, plan.dilation2, kernel) - from;
  const row = <usize>width << 2;
  x += <usize>column << 2;
  y += <usize>column << 2;
  for (; rows > 0; rows -= 4, x += row << 2, y += row << 2) {
    const r1 = rows > 1 ? row : 0, r2 = rows > 2 ? r1 + row : r1, r3 = rows > 3 ? r2 + row : r2;
    let sum = f32x4.splat(start);
    for (let i = first; i < last; ++i) {
      for (let t = i * kernel + from, end = t + count; t < end; ++t) {
        const source = x + <usize>load<u32>(taps + (<usize>t << 2));
        let v = v128.load32_zero(source);
        v = v128.load32_lane(source + r1, v, 1);
        v = v128.load32_lane(source + r2, v, 2);
        v = v128.load32_lane(source + r3, v, 3);
        sum = madd(v128.load32_splat(w + (<usize>t << 2)), v, sum);
      }
    }
    v128.store32_lane(y, sum, 0);
    v128.store32_lane(y + r1, sum, 1);
    v128.store32_lane(y + r2, sum, 2);
    v128.store32_lane(y + r3, sum, 3);
  }
}

/** A plane of results from a plane of x; `w` is its window. */
export function sumInPlace(plan: Plan, x: usize, w: usize, y: usize, start: f32): void {
  const height = plan.in1, width = plan.in2, kernel = plan.kernel2, left = plan.left, right = plan.right;
  for (let h = 0; h < height; ) {
    const first = firstTap(plan, h, height, plan.pad1, plan.dilation1);
    const last = lastTap(plan, h, height, plan.pad1, plan.dilation1, plan.kernel1);
    let rows = 1;
    while (
      h + rows < height && firstTap(plan, h + rows, height, plan.pad1, plan.dilation1) == first &&
      lastTap(plan, h + rows, height, plan.pad1, plan.dilation1, plan.kernel1) == last
    ) ++rows;
    const place = <usize>(h * width) << 2;
    const inner = place + (<usize>left << 2), tap = <usize>(first * kernel) << 2;
    sumTapsExactly(
      y + inner, rows * width - left - right, x + inner, plan.taps + tap, w + tap, max(0, last - first) * kernel, start,
    );
    for (let c = 0; c < left; ++c) sumColumn(plan, x + place, w, y + place, start, rows, first, last, c);
    for (let c = width - right; c < width; ++c) sumColumn(plan, x + place, w, y + place, start, rows, first, last, c);
    h += rows;
  }
}
