// Cross entropy of logits with class numbers, and the mean squared error, with their gradients.
import { loadLanes, storeLanes } from "./lanes";
import { affineRow } from "./norm";
import { maxRow, squareRow, sumRow } from "./reduce";
import { keptExpRow, logOne, sumExpRow } from "./softmax";

const IGNORED = -1;
const BAD = -2;

/** The class in row i, IGNORED, or BAD; targets are i32, or f32 that must hold an integer. */
@inline
function classAt(target: usize, isFloat: i32, i: i32, classes: i32, ignoreIndex: i32): i32 {
  const at = target + (<usize>i << 2);
  if (isFloat) {
    const t = load<f32>(at);
    if (t == <f32>ignoreIndex) return IGNORED;
    // The comparisons are false for NaN; what passes them can be converted.
    if (!(t >= 0 && t < <f32>classes) || floor(t) != t) return BAD;
    return <i32>t;
  }
  const t = load<i32>(at);
  if (t == ignoreIndex) return IGNORED;
  return <u32>t < <u32>classes ? t : BAD;
}

/**
 * losses[i] = lse[i] - x[i, target[i]] (0 where the target is ignoreIndex), lse[i] = ln sum of exp(x[i, :]).
 * Gives -1, or the first row whose target is no class; then nothing has been written.
 */
export function crossEntropy(
  x: usize, target: usize, targetIsFloat: i32, losses: usize, lse: usize, rows: i32, classes: i32, ignoreIndex: i32,
): i32 {
  assert(rows >= 0 && classes >= 0, "crossEntropy: extents must not be negative");
  for (let i = 0; i < rows; i++) {
    if (classAt(target, targetIsFloat, i, classes, ignoreIndex) == BAD) return i;
  }
  if (classes == 0) {
    // Only ignored rows can come this far.
    memory.fill(losses, 0, <usize>rows << 2);
    memory.fill(lse, 0, <usize>rows << 2);
    return -1;
  }
  for (let i = 0; i < rows; i++) {
    const m = maxRow(x, classes);
    const logSum = logOne(<f32>sumExpRow(x, classes, m));
    const t = classAt(target, targetIsFloat, i, classes, ignoreIndex);
    // (max - x[t]) + ln(sum) keeps the digits that max + ln(sum) loses when the maximum is large.
    const loss: f32 = t == IGNORED ? 0 : m - load<f32>(x + (<usize>t << 2)) + logSum;
    store<f32>(losses + (<usize>i << 2), loss);
    store<f32>(lse + (<usize>i << 2), m + logSum);
    x += <usize>classes << 2;
  }
  return -1;
}

/**
 * y[0] = scale[0] * sum of the losses; scale[0] = 1, or for the mean one over the number of rows that are not ignored.
 * The count stays in memory, so that no launch depends on a tensor's values. Without such rows the mean is NaN.
 */
export function reduceLosses(
  losses: usize, target: usize, targetIsFloat: i32, rows: i32, ignoreIndex: i32, mean: i32, y: usize, scale: usize,
): void {
  let by: f32 = 1;
  if (mean) {
    let count = 0;
    for (let i = 0; i < rows; i++) {
      const at = target + (<usize>i << 2);
      const ignored = targetIsFloat ? load<f32>(at) == <f32>ignoreIndex : load<i32>(at) == ignoreIndex;
      count += i32(!ignored);
    }
    by = 1 / <f32>count;
  }
  store<f32>(y, <f32>(sumRow(losses, rows) * <f64>by));
  store<f32>(scale, by);
}

/**
 * y[i, :] (bool) = onehot(target[i]) over the classes, a row of 0 where the target is ignored. Gives -1, or the first row
 * whose target is no class; then nothing has been written.
 */
export function oneHotRows(target: usize, targetIsFloat: i32, y: usize, rows: i32, classes: i32, ignoreIndex: i32): i32 {
  for (let i = 0; i < rows; i++) {
    if (classAt(target, targetIsFloat, i, classes, ignoreIndex) == BAD) return i;
  }
  memory.fill(y, 0, (<usize>rows * <usize>classes) << 2);
  for (let i = 0; i < rows; i++) {
    const t = classAt(target, targetIsFloat, i, classes, ignoreIndex);
    if (t >= 0) store<i32>(y + (<usize>t << 2), 1);
    y += <usize>classes << 2;
  }
  return -1;
}

/**
 * gx = (softmax(x) - onehot(target)) * g * scale, 0 in rows that are ignored; softmax(x) = exp(x - lse).
 * g holds one number for all rows (gStride 0) or one a row (1); scale one number (0 for none: 1). Targets must have
 * passed crossEntropy.
 */
export function crossEntropyGrad(
  x: usize, target: usize, targetIsFloat: i32, lse: usize, g: usize, gStride: i32, scale: usize, gx: usize, rows: i32,
  classes: i32, ignoreIndex: i32,
): void {
  const all: f32 = scale ? load<f32>(scale) : 1;
  for (let i = 0; i < rows; i++) {
    const t = classAt(target, targetIsFloat, i, classes, ignoreIndex);
    assert(t != BAD, "crossEntropyGrad: a target is no class");
    if (t == IGNORED) memory.fill(gx, 0, <usize>classes << 2);
    else {
      const by = load<f32>(g + (<usize>(gStride * i) << 2)) * all;
      keptExpRow(x, gx, classes, load<f32>(lse + (<usize>i << 2)));
      affineRow(gx, gx, classes, 0, by, 0);
      const at = gx + (<usize>t << 2);
      store<f32>(at, load<f32>(at) - by);
    }
    x += <usize>classes << 2;
    gx += <usize>classes << 2;
  }
}

/** y[0] = scale * sum of (a - b)^2 over n elements. */
export function mse(a: usize, b: usize, y: usize, n: i32, scale: f32): void {
  assert(n >= 0, "mse: n must not be negative");
  store<f32>(y, <f32>(squareRow(a, b, n) * <f64>scale));
}

/** ga = 2 * scale * g[0] * (a - b); the gradient of b is its negative. */
export function mseGrad(a: usize, b: usize, g: usize, scale: f32, ga: usize, n: i32): void {
  assert(n >= 0, "mseGrad: n must not be negative");
  const by = f32x4.splat(2 * scale * load<f32>(g));
  for (; n >= 4; n -= 4) {
    v128.store(ga, f32x4.mul(f32x4.sub(v128.load(a), v128.load(b)), by));
    a += 16;
    b += 16;
    ga += 16;
  }
  if (n > 0) storeLanes(ga, f32x4.mul(f32x4.sub(loadLanes(a, n, by), loadLanes(b, n, by)), by), n);
}
