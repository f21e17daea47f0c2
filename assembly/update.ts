// Steps of the optimizers beside SGD and Adam (optim.ts): one call a parameter group, over the same table of records
//   { param, grad, state0, state1, state2, step, n, scalar }
// `scalar` points to an f32 of the parameter (NAdam's product of momenta). Formulas are PyTorch 1.13's; Lion is that of
// Chen et al. 2023. Each rule is one element-wise row; what depends on the step count alone is worked out once a record.
// A state that a rule's options leave out has the place of state0: it is stored first, so that state0 gets its own.
import { loadWide, storeWide } from "./lanes";
import { decayed, EXPONENT, flush, maskOf, power } from "./optim";
import { scalarPow } from "./scalar";

// The numbers that src/optim/rules.ts passes.
const ADAGRAD = 0, ADADELTA = 1, RMSPROP = 2, ADAMAX = 3, NADAM = 4, RADAM = 5, LION = 6, RPROP = 7;

/** size where x > 0, -size where x < 0, else 0 (also for NaN, as in PyTorch). */
@inline
function signed(x: v128, size: v128): v128 {
  const zero = i32x4.splat(0);
  return f32x4.sub(v128.and(size, f32x4.gt(x, zero)), v128.and(size, f32x4.lt(x, zero)));
}

/**
 * The row of a rule. g = turn grad + decay p; a, b decay the running means s0, s1, their shares are 1 - a, 1 - b; what
 * c0, c1 are says each rule. One loop for all: which branch it takes is the same in every trip, and costs less than the
 * divisions; a loop a rule would be half a kilobyte more.
 */
function row(
  rule: i32, param: usize, grad: usize, p0: usize, p1: usize, p2: usize, n: i32, lr: f32, a: f32, aShare: f32, b: f32,
  bShare: f32, eps: f32, c0: f32, c1: f32, decay: f32, turn: f32,
): void {
  const exponent = v128.load32_splat(EXPONENT), decays = maskOf(decay != 0), weight = f32x4.splat(decay);
  const sign = f32x4.splat(turn), rate = f32x4.splat(lr), small = f32x4.splat(eps);
  const k0 = f32x4.splat(a), t0 = f32x4.splat(aShare), k1 = f32x4.splat(b), t1 = f32x4.splat(bShare);
  const x0 = f32x4.splat(c0), x1 = f32x4.splat(c1);
  while (n > 0) {
    const wide = n >= 4;
    const p = loadWide(param, wide);
    const g = decayed(f32x4.mul(sign, loadWide(grad, wide)), p, weight, decays);
    let s0 = loadWide(p0, wide), direction = g;
    if (rule == ADAGRAD) {
      s0 = f32x4.add(s0, f32x4.mul(g, g));
      direction = f32x4.div(g, f32x4.add(f32x4.sqrt(s0), small));
    } else if (rule == ADADELTA || rule == RMSPROP) {
      s0 = flush(f32x4.add(f32x4.mul(k0, s0), f32x4.mul(t0, f32x4.mul(g, g))), exponent);
      let s1 = loadWide(p1, wide);
      if (rule == ADADELTA) {
        direction = f32x4.mul(f32x4.div(f32x4.sqrt(f32x4.add(s1, small)), f32x4.sqrt(f32x4.add(s0, small))), g);
        s1 = flush(f32x4.add(f32x4.mul(k0, s1), f32x4.mul(t0, f32x4.mul(direction, direction))), exponent);
      } else {
        // c0 = 1 with centering, c1 the momentum; 0 leaves out the state, whatever its place holds
        const centered = f32x4.ne(x0, i32x4.splat(0)), moves = f32x4.ne(x1, i32x4.splat(0));
        s1 = flush(f32x4.add(f32x4.mul(k0, s1), f32x4.mul(t0, g)), exponent);
        // The mean square is not below the square of the mean but by rounding, which must not make it NaN.
        const variance = f32x4.pmax(f32x4.sub(s0, v128.and(f32x4.mul(s1, s1), centered)), i32x4.splat(0));
        direction = f32x4.div(g, f32x4.add(f32x4.sqrt(variance), small));
        const kept = v128.and(f32x4.mul(x1, loadWide(p2, wide)), moves);
        direction = flush(f32x4.add(kept, direction), exponent);
        storeWide(p2, direction, wide);
      }
      storeWide(p1, s1, wide);
    } else if (rule == RPROP) {
      // s0 the gradient before, s1 the step size; a, b are etaminus, etaplus; c0, c1 the bounds of the step size
      const change = f32x4.mul(g, s0), zero = i32x4.splat(0), back = f32x4.lt(change, zero);
      const factor = v128.bitselect(k0, v128.bitselect(k1, f32x4.splat(1), f32x4.gt(change, zero)), back);
      const size = f32x4.pmin(f32x4.pmax(f32x4.mul(loadWide(p1, wide), factor), x0), x1);
      storeWide(p1, size, wide);
      s0 = v128.andnot(g, back);
      direction = signed(s0, size);
    } else {
      const mean = s0;
      s0 = flush(f32x4.add(f32x4.mul(k0, mean), f32x4.mul(t0, g)), exponent);
      if (rule == LION) {
        // state0 decays by b (passed as a), the direction by beta1 (as b); c0 is the decoupled decay
        direction = signed(f32x4.add(f32x4.mul(k1, mean), f32x4.mul(t1, g)), f32x4.splat(1));
        direction = f32x4.add(direction, f32x4.mul(x0, p));
      } else {
        let s1 = loadWide(p1, wide);
        if (rule == ADAMAX) {
          s1 = flush(f32x4.pmax(f32x4.add(f32x4.abs(g), small), f32x4.mul(k1, s1)), exponent);
          direction = f32x4.div(s0, s1);
        } else {
          // NAdam, RAdam: (c0 g + m) / (sqrt(v) c1 + eps)
          s1 = flush(f32x4.add(f32x4.mul(k1, s1), f32x4.mul(t1, f32x4.mul(g, g))), exponent);
          const divisor = f32x4.add(f32x4.mul(f32x4.sqrt(s1), x1), small);
          direction = f32x4.div(f32x4.add(f32x4.mul(x0, g), s0), divisor);
        }
        storeWide(p1, s1, wide);
      }
    }
    storeWide(p0, s0, wide);
    storeWide(param, f32x4.sub(p, rule == RPROP ? direction : f32x4.mul(rate, direction)), wide);
    const bytes: usize = wide ? 16 : 4;
    param += bytes;
    grad += bytes;
    p0 += bytes;
    p1 += bytes;
    p2 += bytes;
    n -= wide ? 4 : 1;
  }
}

/**
 * A step of `rule` over `count` records. What a, b, c, d are:
 *   Adagrad  a lrDecay                    Adamax, NAdam, RAdam  a, b betas; NAdam: c momentumDecay
 *   Adadelta a rho                        Lion  a, b betas
 *   RMSprop  a alpha, c 1 if centered, d momentum
 *   Rprop    a, b etas, c, d bounds of the step size
 */
export function optimize(
  table: usize, count: i32, rule: i32, lr: f64, a: f64, b: f64, c: f64, d: f64, eps: f64, weightDecay: f64, maximize: i32,
): void {
  const turn: f32 = maximize ? -1 : 1;
  for (; count > 0; count--) {
    const p = <usize>load<u32>(table), g = <usize>load<u32>(table, 4), s0 = <usize>load<u32>(table, 8);
    const s1 = <usize>load<u32>(table, 12), s2 = <usize>load<u32>(table, 16), n = load<i32>(table, 24);
    assert(n >= 0, "optimize: n must not be negative");
    const counter = <usize>load<u32>(table, 20), step = load<i32>(counter) + 1;
    store<i32>(counter, step);
    let rate = lr, first = a, second = b, c0 = c, c1 = d, small = eps, decay = weightDecay;
    if (rule == ADAGRAD) rate = lr / (1 + <f64>(step - 1) * a);
    else if (rule == LION) {
      first = b;
      second = a;
      c0 = decay;
      decay = 0;
    } else if (rule >= ADAMAX && rule <= RADAM) {
      const left1 = 1 - power(a, step), power2 = power(b, step), left2 = 1 - power2;
      rate = lr / left1;
      c0 = 0;
      c1 = 1 / sqrt(left2);
      if (rule == NADAM) {
        const mu = a * (1 - 0.5 * scalarPow(0.96, <f64>step * c));
        const next = a * (1 - 0.5 * scalarPow(0.96, <f64>(step + 1) * c));
        const place = <usize>load<u32>(table, 28), product = load<f32>(place) * <f32>mu;
        store<f32>(place, product);
        // PyTorch 1.13 has mu_t twice in the product to come (mended in 2.0); it fades with the product.
        rate = lr * next / (1 - <f64>product * mu * next);
        c0 = lr * (1 - mu) / (1 - <f64>product) / rate;
      } else if (rule == RADAM) {
        const longest = 2 / (1 - b) - 1, length = longest - 2 * <f64>step * power2 / left2;
        // Too few squares to trust their mean: momentum alone, over a divisor of 1.
        if (length > 5) {
          rate *= sqrt(left2 * (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
          c1 = 1;
        } else {
          c1 = 0;
          small = 1;
        }
      }
    }
    row(rule, p, g, s0, s1, s2, n, <f32>rate, <f32>first, <f32>(1 - first), <f32>second, <f32>(1 - second), <f32>small,
      <f32>c0, <f32>c1, <f32>decay, turn);
    table += 32;
  }
}
