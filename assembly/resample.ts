// Weighted sums along one axis, with a table of what each result is made of: interpolation, uneven averages.
import { madd } from "./simd";

/** y += w x. */
function addScaled(x: usize, y: usize, n: i32, w: f32): void {
  const factor = f32x4.splat(w);
  for (; n >= 4; n -= 4, x += 16, y += 16) v128.store(y, madd(factor, v128.load(x), v128.load(y)));
  for (; n > 0; --n, x += 4, y += 4) {
    v128.store32_lane(y, madd(factor, v128.load32_zero(x), v128.load32_zero(y)), 0);
  }
}

/**
 * y[o, j, i] = sum over t of weight[j, t] * x[o, index[j, t], i], in order of t; terms of weight 0 are left out.
 * x is [outer, n, inner], y [outer, m, inner], index and weight [m, taps]. `adjoint`: the gradient, with y for gx and x
 * for gy: y[o, index[j, t], i] += weight[j, t] * x[o, j, i], in order of j, from zeros; x then is [outer, m, inner].
 */
export function resample(
  x: usize, index: usize, weight: usize, y: usize, outer: i32, n: i32, m: i32, inner: i32, taps: i32, adjoint: i32,
): void {
  assert(outer >= 0 && n >= 0 && m >= 0 && inner >= 0 && taps > 0, "resample: bad sizes");
  const row = <usize>inner << 2;
  const fine = <usize>m * row, coarse = <usize>n * row;
  memory.fill(y, 0, <usize>outer * (adjoint ? coarse : fine));
  for (; outer > 0; --outer, x += adjoint ? fine : coarse, y += adjoint ? coarse : fine) {
    for (let j = 0; j < m; ++j) {
      for (let t = j * taps; t < (j + 1) * taps; ++t) {
        const w = load<f32>(weight + (<usize>t << 2));
        if (w == 0) continue;
        const far = <usize>load<u32>(index + (<usize>t << 2)) * row, near = <usize>j * row;
        addScaled(x + (adjoint ? near : far), y + (adjoint ? far : near), inner, w);
      }
    }
  }
}
