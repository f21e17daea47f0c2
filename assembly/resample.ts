// Weighted sums along one axis, with a table of what each result is made of: interpolation, uneven averages.
import { madd } from "./simd";

/** y = w x, or with `more` y += w x. */
// @ts-ignore: decorator
@inline
function scale(more: bool, x: usize, y: usize, n: i32, w: f32): void {
  const factor = f32x4.splat(w);
  for (; n >= 4; n -= 4, x += 16, y += 16) {
    const v = v128.load(x);
    v128.store(y, more ? madd(factor, v, v128.load(y)) : f32x4.mul(factor, v));
  }
  for (; n > 0; --n, x += 4, y += 4) store<f32>(y, more ? load<f32>(y) + w * load<f32>(x) : w * load<f32>(x));
}

function setScaled(x: usize, y: usize, n: i32, w: f32): void {
  scale(false, x, y, n, w);
}

function addScaled(x: usize, y: usize, n: i32, w: f32): void {
  scale(true, x, y, n, w);
}

/** A row of m single results. */
function resampleRow(x: usize, index: usize, weight: usize, y: usize, m: i32, taps: i32): void {
  for (; m > 0; --m, y += 4) {
    let sum = load<f32>(weight) * load<f32>(x + (<usize>load<u32>(index) << 2));
    index += 4;
    weight += 4;
    for (let t = 1; t < taps; ++t, index += 4, weight += 4) {
      const w = load<f32>(weight);
      if (w != 0) sum += w * load<f32>(x + (<usize>load<u32>(index) << 2));
    }
    store<f32>(y, sum);
  }
}

/**
 * y[o, j, i] = sum over t of weight[j, t] * x[o, index[j, t], i], in order of t; terms of weight 0 after the first are
 * left out. x is [outer, n, inner], y [outer, m, inner], index and weight [m, taps]. `adjoint`: the gradient, with y for
 * gx and x for gy: y[o, index[j, t], i] += weight[j, t] * x[o, j, i], in order of j, from zeros; x then is
 * [outer, m, inner].
 */
export function resample(
  x: usize, index: usize, weight: usize, y: usize, outer: i32, n: i32, m: i32, inner: i32, taps: i32, adjoint: i32,
): void {
  assert(outer >= 0 && n >= 0 && m >= 0 && inner >= 0 && taps > 0, "resample: bad sizes");
  const row = <usize>inner << 2;
  const fine = <usize>m * row, coarse = <usize>n * row;
  if (adjoint) memory.fill(y, 0, <usize>outer * coarse);
  for (; outer > 0; --outer, x += adjoint ? fine : coarse, y += adjoint ? coarse : fine) {
    if (inner == 1 && !adjoint) {
      resampleRow(x, index, weight, y, m, taps);
      continue;
    }
    for (let j = 0, t = 0; j < m; ++j) {
      const near = <usize>j * row;
      for (let k = 0; k < taps; ++k, ++t) {
        const w = load<f32>(weight + (<usize>t << 2));
        const far = <usize>load<u32>(index + (<usize>t << 2)) * row;
        if (adjoint) {
          if (w != 0) addScaled(x + near, y + far, inner, w);
        } else if (k == 0) setScaled(x + far, y + near, inner, w);
        else if (w != 0) addScaled(x + far, y + near, inner, w);
      }
    }
  }
}
