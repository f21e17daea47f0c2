// Optimizer steps: one call a parameter group. The host writes a table of records of 8 x u32,
//   { param, grad, state0, state1, state2, step, n, 0 }
// pointers to n f32 each and to the parameter's step count (i32: f32 would stand still at 2^24), which the kernel
// increments, so that no argument changes from step to step. Formulas and defaults are PyTorch 1.13's.
// Tails run through the same vector code, so that an element's bits do not depend on its place.
import { loadWidth, storeWidth } from "./lanes";

/** Denormals become 0: arithmetic with them is several times slower, and dead units' states decay into them. */
@inline
function flush(v: v128): v128 {
  const magnitude = v128.and(v, i32x4.splat(0x7fffffff));
  return v128.and(v, i32x4.gt_s(magnitude, i32x4.splat(0x007fffff)));
}

/** All bits where `condition`, else none. */
@inline
function maskOf(condition: bool): v128 {
  return i32x4.splat(condition ? -1 : 0);
}

/** The gradient (its sign turned to maximize) plus weightDecay * p; `decays` masks the product, so 0 * Inf adds nothing. */
@inline
function gradient(g: v128, p: v128, sign: v128, weightDecay: v128, decays: v128): v128 {
  return f32x4.add(v128.xor(g, sign), v128.and(f32x4.mul(weightDecay, p), decays));
}

/** p -= lr * g */
function sgdRow(param: usize, grad: usize, n: i32, lr: f32, weightDecay: f32, maximize: i32): void {
  const rate = f32x4.splat(lr), decay = f32x4.splat(weightDecay), decays = maskOf(weightDecay != 0);
  const sign = i32x4.splat(maximize ? 0x80000000 : 0);
  for (; n > 0; n -= 4) {
    const width = min(n, 4);
    const p = loadWidth(param, width);
    const g = gradient(loadWidth(grad, width), p, sign, decay, decays);
    storeWidth(param, f32x4.sub(p, f32x4.mul(rate, g)), width);
    param += 16;
    grad += 16;
  }
}

/** b = momentum * b + (1 - dampening) * g, at first b = g; p -= lr * b, or with Nesterov lr * (g + momentum * b). */
function momentumRow(
  param: usize, grad: usize, buffer: usize, n: i32, first: bool, lr: f32, momentum: f32, dampening: f32,
  weightDecay: f32, nesterov: i32, maximize: i32,
): void {
  const rate = f32x4.splat(lr), decay = f32x4.splat(weightDecay), decays = maskOf(weightDecay != 0);
  const sign = i32x4.splat(maximize ? 0x80000000 : 0);
  const keep = f32x4.splat(momentum), kept = maskOf(!first), share = f32x4.splat(first ? 1 : 1 - dampening);
  const ahead = f32x4.splat(nesterov ? momentum : 1), own = maskOf(nesterov != 0);
  for (; n > 0; n -= 4) {
    const width = min(n, 4);
    const p = loadWidth(param, width);
    const g = gradient(loadWidth(grad, width), p, sign, decay, decays);
    const old = v128.and(f32x4.mul(keep, loadWidth(buffer, width)), kept);
    const b = flush(f32x4.add(old, f32x4.mul(share, g)));
    storeWidth(buffer, b, width);
    const direction = f32x4.add(v128.and(g, own), f32x4.mul(ahead, b));
    storeWidth(param, f32x4.sub(p, f32x4.mul(rate, direction)), width);
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
  for (; count > 0; count--) {
    const param = <usize>load<u32>(table), grad = <usize>load<u32>(table, 4), n = load<i32>(table, 24);
    if (momentum == 0) sgdRow(param, grad, n, lr, weightDecay, maximize);
    else {
      const counter = <usize>load<u32>(table, 20);
      const step = load<i32>(counter);
      store<i32>(counter, step + 1);
      momentumRow(param, grad, <usize>load<u32>(table, 8), n, step == 0, lr, momentum, dampening, weightDecay, nesterov,
        maximize);
    }
    table += 32;
  }
}

/** base^n by repeated squaring: the same bits in every engine. */
function power(base: f64, n: i32): f64 {
  let result: f64 = 1;
  for (; n > 0; n >>= 1) {
    if (n & 1) result *= base;
    base *= base;
  }
  return result;
}

/**
 * m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, p = p shrink - stepSize m / (sqrt(v) rootScale + eps).
 * With AMSGrad v's running maximum stands in the root; without, `highest` is v's own place and gets v again.
 */
function adamRow(
  param: usize, grad: usize, mean: usize, square: usize, highest: usize, n: i32, beta1: f64, beta2: f64, stepSize: f32,
  rootScale: f32, eps: f32, weightDecay: f32, shrink: f32, amsgrad: i32, maximize: i32,
): void {
  const keep1 = f32x4.splat(<f32>beta1), take1 = f32x4.splat(<f32>(1 - beta1));
  const keep2 = f32x4.splat(<f32>beta2), take2 = f32x4.splat(<f32>(1 - beta2));
  const size = f32x4.splat(stepSize), root = f32x4.splat(rootScale), epsilon = f32x4.splat(eps);
  const decay = f32x4.splat(weightDecay), decays = maskOf(weightDecay != 0), shrunk = f32x4.splat(shrink);
  const sign = i32x4.splat(maximize ? 0x80000000 : 0), maxima = maskOf(amsgrad != 0);
  for (; n > 0; n -= 4) {
    const width = min(n, 4);
    const p = f32x4.mul(loadWidth(param, width), shrunk);
    const g = gradient(loadWidth(grad, width), p, sign, decay, decays);
    const m = flush(f32x4.add(f32x4.mul(keep1, loadWidth(mean, width)), f32x4.mul(take1, g)));
    const v = flush(f32x4.add(f32x4.mul(keep2, loadWidth(square, width)), f32x4.mul(take2, f32x4.mul(g, g))));
    // v first: pmax keeps a NaN of its first operand, and where the maximum is NaN v has been since.
    const top = f32x4.pmax(v, v128.and(loadWidth(highest, width), maxima));
    storeWidth(mean, m, width);
    storeWidth(square, v, width);
    storeWidth(highest, top, width);
    const divisor = f32x4.add(f32x4.mul(f32x4.sqrt(top), root), epsilon);
    storeWidth(param, f32x4.sub(p, f32x4.mul(size, f32x4.div(m, divisor))), width);
    param += 16;
    grad += 16;
    mean += 16;
    square += 16;
    highest += 16;
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
  for (; count > 0; count--) {
    const counter = <usize>load<u32>(table, 20);
    const step = load<i32>(counter) + 1;
    store<i32>(counter, step);
    const square = <usize>load<u32>(table, 12);
    adamRow(
      <usize>load<u32>(table), <usize>load<u32>(table, 4), <usize>load<u32>(table, 8), square,
      amsgrad ? <usize>load<u32>(table, 16) : square, load<i32>(table, 24), beta1, beta2,
      <f32>(lr / (1 - power(beta1, step))), <f32>(1 / sqrt(1 - power(beta2, step))), <f32>eps,
      decoupled ? 0 : <f32>weightDecay, decoupled ? <f32>(1 - lr * weightDecay) : 1, amsgrad, maximize,
    );
    table += 32;
  }
}
