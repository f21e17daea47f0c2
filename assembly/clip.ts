// What is done to gradients before a step, and to weights after it: clipping, centralization, norms of weights. Over a
// table of records as the optimizers' (optim.ts), in which word 7 is the number of rows:
//   { param, grad, -, -, -, -, n, rows }
import { addPair, high64, loadWide, low64, storeWide } from "./lanes";
import { scalarPow } from "./scalar";

// The numbers that src/optim/clip.ts passes.
const VALUE = 0, CENTRALIZE = 1, ADAPTIVE = 2, MAX_NORM = 3, UNIT_NORM = 4;

/** Sum of x, or of x^2 with `squares`, in f64. */
function sumOf(x: usize, n: i32, squares: bool): f64 {
  let low = f64x2.splat(0), high = f64x2.splat(0);
  const one = f32x4.splat(1), mask = i32x4.splat(squares ? -1 : 0);
  for (; n >= 4; n -= 4) {
    const v = v128.load(x);
    const factor = v128.bitselect(v, one, mask);
    low = f64x2.add(low, f64x2.mul(low64(v), low64(factor)));
    high = f64x2.add(high, f64x2.mul(high64(v), high64(factor)));
    x += 16;
  }
  let sum = addPair(f64x2.add(low, high));
  for (; n > 0; n--) {
    const v = <f64>load<f32>(x);
    sum += squares ? v * v : v;
    x += 4;
  }
  return sum;
}

/** x = x factor - mean, and not beyond +-limit; NaN stays. */
function adjust(x: usize, n: i32, factor: f32, mean: f32, limit: f32): void {
  const f = f32x4.splat(factor), m = f32x4.splat(mean), high = f32x4.splat(limit), low = f32x4.splat(-limit);
  while (n > 0) {
    const wide = n >= 4;
    storeWide(x, f32x4.pmin(f32x4.pmax(f32x4.sub(f32x4.mul(loadWide(x, wide), f), m), low), high), wide);
    x += wide ? 16 : 4;
    n -= wide ? 4 : 1;
  }
}

/**
 * The norm of this order (Infinity: the greatest absolute value) of all gradients together, into `norm`; then they are
 * multiplied by limit / (norm + 1e-6) if that is below 1. A norm of NaN makes them NaN, one of Infinity 0 (Infinity
 * itself becomes NaN), as in PyTorch. Without a limit (Infinity) nothing is changed.
 */
export function clipNorm(table: usize, count: i32, norm: usize, order: f64, limit: f64): void {
  let total: f64 = 0;
  for (let i = 0; i < count; i++) {
    const at = table + (<usize>i << 5);
    let x = <usize>load<u32>(at, 4);
    const n = load<i32>(at, 24);
    if (order == 2) total += sumOf(x, n, true);
    else {
      for (let j = 0; j < n; j++) {
        const v = <f64>abs(load<f32>(x));
        if (order == Infinity) total = max(total, v);
        else total += order == 1 ? v : scalarPow(v, order);
        x += 4;
      }
    }
  }
  if (order == 2) total = sqrt(total);
  else if (order != Infinity && order != 1) total = scalarPow(total, 1 / order);
  store<f32>(norm, <f32>total);
  const factor = min<f64>(1, limit / (total + 1e-6));
  if (factor == 1 || limit == Infinity) return;
  for (; count > 0; count--) {
    adjust(<usize>load<u32>(table, 4), load<i32>(table, 24), <f32>factor, 0, Infinity);
    table += 32;
  }
}

/**
 * Each row of each record by itself:
 *   VALUE       grad within +-limit
 *   CENTRALIZE  grad - its mean                                        (Yong et al. 2020)
 *   ADAPTIVE    |grad| at most limit max(|param|, eps)                 (Brock et al. 2021)
 *   MAX_NORM    |param| at most limit
 *   UNIT_NORM   |param| = limit
 */
export function adjustRows(table: usize, count: i32, rule: i32, limit: f64, eps: f64): void {
  for (; count > 0; count--) {
    let param = <usize>load<u32>(table), grad = <usize>load<u32>(table, 4);
    let rows = load<i32>(table, 28);
    const width = rows > 0 ? load<i32>(table, 24) / rows : 0;
    for (; rows > 0; rows--) {
      let factor: f64 = 1, mean: f64 = 0, bound: f64 = Infinity;
      if (rule == VALUE) bound = limit;
      else if (rule == CENTRALIZE) mean = width > 0 ? sumOf(grad, width, false) / <f64>width : 0;
      else {
        const size = sqrt(sumOf(param, width, true));
        if (rule == ADAPTIVE) factor = limit * max(size, eps) / max(sqrt(sumOf(grad, width, true)), 1e-6);
        else factor = limit / max(size, eps);
        if (rule != UNIT_NORM) factor = min<f64>(1, factor);
      }
      adjust(rule < MAX_NORM ? grad : param, width, <f32>factor, <f32>mean, <f32>bound);
      param += <usize>width << 2;
      grad += <usize>width << 2;
    }
    table += 32;
  }
}
