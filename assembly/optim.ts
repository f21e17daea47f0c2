// Optimizer steps: one call a parameter group. The host writes a table of records of 8 x u32,
//   { param, grad, state0, state1, state2, step, n, 0 }
// pointers to n f32 each and to the parameter's step count (i32: f32 would stand still at 2^24), which the kernel
// increments, so that no argument changes from step to step. Formulas and defaults are PyTorch 1.13's.
// Each rule has a loop for all cases, which takes the last elements singly, and a lean one for whole vectors of the
// usual case; both give an element the same bits, so that they do not depend on its place.
//
// `maximize` turns the gradient's sign s: s g + weightDecay p = s (g + s weightDecay p), and the factor s goes into
// the constants that follow, exactly.
import { loadWide, storeWide } from "./lanes";

// The exponent bits of f32.
export const EXPONENT = memory.data<i32>([0x7f800000]);

/** Denormals become 0: arithmetic with them is several times slower, and the states of dead units decay into them. */
@inline
export function flush(v: v128, exponent: v128): v128 {
  return v128.andnot(v, i32x4.eq(v128.and(v, exponent), i32x4.splat(0)));
}

/** All bits where `condition`, else none. */
@inline
export function maskOf(condition: bool): v128 {
  return i32x4.splat(condition ? -1 : 0);
}

/** g + decay * p; `decays` masks the product, so that a decay of 0 adds nothing where p is infinite. */
@inline
export function decayed(g: v128, p: v128, decay: v128, decays: v128): v128 {
  return f32x4.add(g, v128.and(f32x4.mul(decay, p), decays));
}

/** p -= rate * (g + decay * p) */
function sgdRow(param: usize, grad: usize, n: i32, lr: f32, weightDecay: f32): void {
  const rate = f32x4.splat(lr), decay = f32x4.splat(weightDecay), decays = maskOf(weightDecay != 0);
  for (; n >= 4; n -= 4) {
    const p = v128.load(param);
    v128.store(param, f32x4.sub(p, f32x4.mul(rate, decayed(v128.load(grad), p, decay, decays))));
    param += 16;
    grad += 16;
  }
  for (; n > 0; n--) {
    const p = v128.load32_splat(param);
    const g = decayed(v128.load32_splat(grad), p, decay, decays);
    v128.store_lane<u32>(param, f32x4.sub(p, f32x4.mul(rate, g)), 0);
    param += 4;
    grad += 4;
  }
}

/** b = momentum * b + share * g, at first b = g; p -= rate * (b, or with Nesterov g + momentum * b). */
function momentumRow(
  param: usize, grad: usize, buffer: usize, n: i32, first: bool, rate: f32, momentum: f32, share: f32,
  weightDecay: f32, nesterov: i32, turn: f32,
): void {
  const step = f32x4.splat(rate), decay = f32x4.splat(weightDecay), decays = maskOf(weightDecay != 0);
  const keep = f32x4.splat(momentum), kept = maskOf(!first), take = f32x4.splat(first ? turn : share);
  const ahead = f32x4.splat(nesterov ? momentum : 1), own = maskOf(nesterov != 0), sign = f32x4.splat(turn);
  const exponent = v128.load32_splat(EXPONENT);
  while (n > 0) {
    const wide = n >= 4;
    const p = loadWide(param, wide);
    const g = decayed(loadWide(grad, wide), p, decay, decays);
    const old = v128.and(f32x4.mul(keep, loadWide(buffer, wide)), kept);
    const b = flush(f32x4.add(old, f32x4.mul(take, g)), exponent);
    const direction = f32x4.add(v128.and(f32x4.mul(sign, g), own), f32x4.mul(ahead, b));
    storeWide(buffer, b, wide);
    storeWide(param, f32x4.sub(p, f32x4.mul(step, direction)), wide);
    param += wide ? 16 : 4;
    grad += wide ? 16 : 4;
    buffer += wide ? 16 : 4;
    n -= wide ? 4 : 1;
  }
}

/** The same for n / 4 vectors, after the first step and without Nesterov. */
function momentumVectors(
  param: usize, grad: usize, buffer: usize, n: i32, rate: f32, momentum: f32, share: f32, weightDecay: f32,
): void {
  const step = f32x4.splat(rate), decay = f32x4.splat(weightDecay), decays = maskOf(weightDecay != 0);
  const keep = f32x4.splat(momentum), take = f32x4.splat(share), exponent = v128.load32_splat(EXPONENT);
  for (; n >= 4; n -= 4) {
    const p = v128.load(param);
    const g = decayed(v128.load(grad), p, decay, decays);
    const b = flush(f32x4.add(f32x4.mul(keep, v128.load(buffer)), f32x4.mul(take, g)), exponent);
    v128.store(buffer, b);
    v128.store(param, f32x4.sub(p, f32x4.mul(step, b)));
    param += 16;
    grad += 16;
    buffer += 16;
  }
}

/**
 * Stochastic gradient descent over `count` records; state0 is the momentum buffer, which is not read while the step
 * count is 0. Without momentum neither state0 nor the step count is touched (both pointers may be 0).
 */
export function sgd(
  table: usize, count: i32, lr: f32, momentum: f32, dampening: f32, weightDecay: f32, nesterov: i32, maximize: i32,
): void {
  const turn: f32 = maximize ? -1 : 1;
  const share = turn * (1 - dampening), decay = turn * weightDecay;
  for (; count > 0; count--) {
    let param = <usize>load<u32>(table), grad = <usize>load<u32>(table, 4), buffer = <usize>load<u32>(table, 8);
    let n = load<i32>(table, 24);
    assert(n >= 0, "sgd: n must not be negative");
    if (momentum == 0) sgdRow(param, grad, n, turn * lr, decay);
    else {
      const counter = <usize>load<u32>(table, 20);
      const step = load<i32>(counter);
      store<i32>(counter, step + 1);
      if (step > 0 && !nesterov) {
        momentumVectors(param, grad, buffer, n, lr, momentum, share, decay);
        const done = <usize>(n & ~3) << 2;
        param += done;
        grad += done;
        buffer += done;
        n &= 3;
      }
      momentumRow(param, grad, buffer, n, step == 0, lr, momentum, share, decay, nesterov, turn);
    }
    table += 32;
  }
}

/** base^n by repeated squaring: the same bits in every engine. */
export function power(base: f64, n: i32): f64 {
  let result: f64 = 1;
  for (; n > 0; n >>= 1) {
    if (n & 1) result *= base;
    base *= base;
  }
  return result;
}

/**
 * m = keep1 m + take1 g, v = keep2 v + take2 g^2, p = shrink p - size m / (sqrt(v) root + eps).
 * With AMSGrad v's running maximum stands in the root; without, `highest` is v's own place and gets v again.
 */
function adamRow(
  param: usize, grad: usize, mean: usize, square: usize, highest: usize, n: i32, keep1: f32, take1: f32, keep2: f32,
  take2: f32, size: f32, root: f32, eps: f32, shrink: f32, weightDecay: f32, amsgrad: i32,
): void {
  const k1 = f32x4.splat(keep1), t1 = f32x4.splat(take1), k2 = f32x4.splat(keep2), t2 = f32x4.splat(take2);
  const s = f32x4.splat(size), r = f32x4.splat(root), e = f32x4.splat(eps), shrunk = f32x4.splat(shrink);
  const decay = f32x4.splat(weightDecay), decays = maskOf(weightDecay != 0), maxima = maskOf(amsgrad != 0);
  const exponent = v128.load32_splat(EXPONENT);
  while (n > 0) {
    const wide = n >= 4;
    const p = f32x4.mul(shrunk, loadWide(param, wide));
    const g = decayed(loadWide(grad, wide), p, decay, decays);
    const m = flush(f32x4.add(f32x4.mul(k1, loadWide(mean, wide)), f32x4.mul(t1, g)), exponent);
    const v = flush(f32x4.add(f32x4.mul(k2, loadWide(square, wide)), f32x4.mul(t2, f32x4.mul(g, g))), exponent);
    // v first: pmax keeps a NaN of its first operand, and where the maximum is NaN v has been since.
    const top = f32x4.pmax(v, v128.and(loadWide(highest, wide), maxima));
    storeWide(mean, m, wide);
    storeWide(square, v, wide);
    storeWide(highest, top, wide);
    const divisor = f32x4.add(f32x4.mul(f32x4.sqrt(top), r), e);
    storeWide(param, f32x4.sub(p, f32x4.mul(s, f32x4.div(m, divisor))), wide);
    param += wide ? 16 : 4;
    grad += wide ? 16 : 4;
    mean += wide ? 16 : 4;
    square += wide ? 16 : 4;
    highest += wide ? 16 : 4;
    n -= wide ? 4 : 1;
  }
}

/** The same for n / 4 vectors, without AMSGrad and without decay in the gradient: Adam's default, and AdamW. */
function adamVectors(
  param: usize, grad: usize, mean: usize, square: usize, n: i32, keep1: f32, take1: f32, keep2: f32, take2: f32,
  size: f32, root: f32, eps: f32, shrink: f32,
): void {
  const k1 = f32x4.splat(keep1), t1 = f32x4.splat(take1), k2 = f32x4.splat(keep2), t2 = f32x4.splat(take2);
  const s = f32x4.splat(size), r = f32x4.splat(root), e = f32x4.splat(eps), shrunk = f32x4.splat(shrink);
  const exponent = v128.load32_splat(EXPONENT);
  for (; n >= 4; n -= 4) {
    const g = v128.load(grad);
    const m = flush(f32x4.add(f32x4.mul(k1, v128.load(mean)), f32x4.mul(t1, g)), exponent);
    const v = flush(f32x4.add(f32x4.mul(k2, v128.load(square)), f32x4.mul(t2, f32x4.mul(g, g))), exponent);
    v128.store(mean, m);
    v128.store(square, v);
    const update = f32x4.div(m, f32x4.add(f32x4.mul(f32x4.sqrt(v), r), e));
    v128.store(param, f32x4.sub(f32x4.mul(shrunk, v128.load(param)), f32x4.mul(s, update)));
    param += 16;
    grad += 16;
    mean += 16;
    square += 16;
  }
}

/**
 * Adam (Kingma and Ba 2015), with `decoupled` AdamW (Loshchilov and Hutter 2019), over `count` records: state0 is the
 * running mean of the gradient, state1 of its square, state2 (with amsgrad) the greatest of the latter so far.
 */
export function adam(
  table: usize, count: i32, lr: f64, beta1: f64, beta2: f64, eps: f64, weightDecay: f64, decoupled: i32, amsgrad: i32,
  maximize: i32,
): void {
  const keep1 = <f32>beta1, keep2 = <f32>beta2, take2 = <f32>(1 - beta2), small = <f32>eps;
  const take1 = <f32>(maximize ? beta1 - 1 : 1 - beta1);
  const shrink: f32 = decoupled ? <f32>(1 - lr * weightDecay) : 1;
  const decay: f32 = decoupled ? 0 : <f32>(maximize ? -weightDecay : weightDecay);
  // The bias corrections, worked out anew where a record's step is not that of the one before: their powers take as long as
  // a hundred elements.
  let corrected = 0, size: f32 = 0, root: f32 = 0;
  for (; count > 0; count--) {
    let param = <usize>load<u32>(table), grad = <usize>load<u32>(table, 4), mean = <usize>load<u32>(table, 8);
    let square = <usize>load<u32>(table, 12), n = load<i32>(table, 24);
    assert(n >= 0, "adam: n must not be negative");
    const counter = <usize>load<u32>(table, 20);
    const step = load<i32>(counter) + 1;
    store<i32>(counter, step);
    if (step != corrected) {
      corrected = step;
      size = <f32>(lr / (1 - power(beta1, step)));
      root = <f32>(1 / sqrt(1 - power(beta2, step)));
    }
    if (!amsgrad && decay == 0) {
      adamVectors(param, grad, mean, square, n, keep1, take1, keep2, take2, size, root, small, shrink);
      const done = <usize>(n & ~3) << 2;
      param += done;
      grad += done;
      mean += done;
      square += done;
      n &= 3;
    }
    adamRow(param, grad, mean, square, amsgrad ? <usize>load<u32>(table, 16) : square, n, keep1, take1, keep2, take2,
      size, root, small, shrink, decay, amsgrad);
    table += 32;
  }
}
