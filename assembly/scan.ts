// Running sums and products, and the reductions that have no SIMD kernel of their own (products; all of i32), along the
// middle axis of x[outer, n, inner]. Not hot: scalar loops; what they share with a reduction is that it keeps the last
// value only. Histograms of equally wide bins.

const SUM = 0;
const PRODUCT = 1;
const INT_SUM = 2;
const INT_PRODUCT = 3;
const INT_MAX = 4;
const INT_MIN = 5;

/** n values `step` bytes apart; f64 between the roundings, so that a long sum is as good as its f32 result can be. */
function scanFloats(x: usize, y: usize, n: i32, step: usize, yStep: usize, product: bool): void {
  let total: f64 = product ? 1 : 0;
  for (; n > 0; n--) {
    const v = <f64>load<f32>(x);
    total = product ? total * v : total + v;
    store<f32>(y, <f32>total);
    x += step;
    y += yStep;
  }
}

/** The same for i32, whose sums and products wrap around. */
function scanInts(x: usize, y: usize, n: i32, step: usize, yStep: usize, what: i32): void {
  let total = what == INT_SUM ? 0 : what == INT_PRODUCT ? 1 : load<i32>(x);
  for (; n > 0; n--) {
    const v = load<i32>(x);
    if (what == INT_SUM) total += v;
    else if (what == INT_PRODUCT) total *= v;
    else if (what == INT_MAX) total = max(total, v);
    else total = min(total, v);
    store<i32>(y, total);
    x += step;
    y += yStep;
  }
}

/**
 * y[o, k, i] = x[o, 0, i] + ... + x[o, k, i], or what else `what` names: 0 sum, 1 product of f32; 2 sum, 3 product,
 * 4 max, 5 min of i32. `reverse` runs from the last k to the first. `last` keeps the final value alone: y[o, i]
 * (nothing is written for n = 0).
 */
export function scan(
  x: usize, y: usize, outer: i32, n: i32, inner: i32, what: i32, reverse: bool, last: bool,
): void {
  assert(what >= SUM && what <= INT_MIN, "scan: unknown operation");
  if (n == 0) return;
  const row = <usize>inner << 2;
  const span = <usize>(n - 1) * row;
  const step = reverse ? 0 - row : row;
  for (; outer > 0; outer--) {
    for (let i = 0; i < inner; i++) {
      const from = reverse ? x + span : x;
      const to = reverse && !last ? y + span : y;
      if (what <= PRODUCT) scanFloats(from, to, n, step, last ? 0 : step, what == PRODUCT);
      else scanInts(from, to, n, step, last ? 0 : step, what);
      x += 4;
      y += 4;
    }
    x += span;
    if (!last) y += span;
  }
}

/** y[o, i] (i32) = the first k where x[o, k, i] == value[o, i], for i32; n if there is none. */
export function firstEqual(x: usize, value: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  const row = <usize>inner << 2;
  for (; outer > 0; outer--) {
    for (let i = 0; i < inner; i++) {
      const wanted = load<i32>(value);
      let k = 0;
      for (let at = x; k < n && load<i32>(at) != wanted; k++) at += row;
      store<i32>(y, k);
      value += 4;
      y += 4;
      x += 4;
    }
    x += <usize>(n - 1) * row;
  }
}

/**
 * y[b] (f32) = how many of n elements fall into bin b of `bins` equal ones from low to high; the last bin holds `high`
 * itself, others outside (and NaN) are not counted. low = high: from the smallest to the largest element, one further
 * to either side if these are equal. Gives 1, with nothing counted, if an end is not finite, else 0.
 */
export function histogram(x: usize, y: usize, n: i32, bins: i32, low: f32, high: f32): i32 {
  assert(bins > 0, "histogram: bins must be positive");
  const end = x + (<usize>n << 2);
  memory.fill(y, 0, <usize>bins << 2);
  if (low == high && n > 0) {
    low = high = load<f32>(x);
    for (let at = x; at < end; at += 4) {
      const v = load<f32>(at);
      // false for NaN only: subtracting makes an end NaN then
      if (!(v == v)) low = v;
      else if (v < low) low = v;
      else if (v > high) high = v;
    }
  }
  if (low == high) {
    low -= 1;
    high += 1;
  }
  if (!(high - low < Infinity)) return 1;
  for (; x < end; x += 4) {
    const v = load<f32>(x);
    if (v >= low && v <= high) {
      const bin = min(<i32>((v - low) * <f32>bins / (high - low)), bins - 1);
      const at = y + (<usize>bin << 2);
      store<f32>(at, load<f32>(at) + 1);
    }
  }
  return 0;
}
