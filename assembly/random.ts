// Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). A generator is 32 bytes of memory: key (2 x u32), counter (u64), stream (2 x u32), and
// 8 spare bytes. Word i of a call is word i % 4 of the block of counter + i / 4, so that any part of a call can be
// computed alone; a call advances the counter by the ceil(n / 4) blocks it used.
import { loadWide, storeLanes, storeWide } from "./lanes";
import { logInner } from "./math";

// Kernels fill a block of memory with words and turn them into numbers in place; this block stays in L1.
const CHUNK = 2048;

/** The high halves of four 64-bit products, two from each vector. */
@inline
function high(even: v128, odd: v128): v128 {
  return v128.shuffle<u32>(even, odd, 1, 3, 5, 7);
}

/** The low halves. */
@inline
function low(even: v128, odd: v128): v128 {
  return v128.shuffle<u32>(even, odd, 0, 2, 4, 6);
}

/**
 * y = the next n words (u32) of the generator, four blocks a trip, one in each lane.
 * For odd n, the word after the last goes to the spare bytes: Box-Muller needs words in pairs.
 */
export function randomWords(state: usize, y: usize, n: i32): void {
  const m0 = i32x4.splat(0xd2511f53), m1 = i32x4.splat(0xcd9e8d57);
  const w0 = i32x4.splat(0x9e3779b9), w1 = i32x4.splat(0xbb67ae85);
  let next = load<u64>(state, 8);
  store<u64>(state, next + ((<u64>n + 3) >> 2), 8);
  for (; n > 0; n -= 16) {
    const pair = i64x2.replace_lane(i64x2.splat(next), 1, next + 1);
    const pair2 = i64x2.add(pair, i64x2.splat(2));
    let c0 = low(pair, pair2), c1 = high(pair, pair2);
    let c2 = v128.load32_splat(state, 16), c3 = v128.load32_splat(state, 20);
    let k0 = v128.load32_splat(state), k1 = v128.load32_splat(state, 4);
    for (let round = 0; round < 10; round++) {
      const a0 = i64x2.extmul_low_i32x4_u(c0, m0), a1 = i64x2.extmul_high_i32x4_u(c0, m0);
      const b0 = i64x2.extmul_low_i32x4_u(c2, m1), b1 = i64x2.extmul_high_i32x4_u(c2, m1);
      c0 = v128.xor(v128.xor(high(b0, b1), c1), k0);
      c1 = low(b0, b1);
      c2 = v128.xor(v128.xor(high(a0, a1), c3), k1);
      c3 = low(a0, a1);
      k0 = i32x4.add(k0, w0);
      k1 = i32x4.add(k1, w1);
    }
    // Transposed: block b is lane b of the four.
    const p = v128.shuffle<u32>(c0, c1, 0, 4, 1, 5), q = v128.shuffle<u32>(c0, c1, 2, 6, 3, 7);
    const r = v128.shuffle<u32>(c2, c3, 0, 4, 1, 5), s = v128.shuffle<u32>(c2, c3, 2, 6, 3, 7);
    const b0 = v128.shuffle<u64>(p, r, 0, 2), b1 = v128.shuffle<u64>(p, r, 1, 3);
    const b2 = v128.shuffle<u64>(q, s, 0, 2), b3 = v128.shuffle<u64>(q, s, 1, 3);
    if (n >= 4) v128.store(y, b0);
    if (n >= 8) v128.store(y, b1, 16);
    if (n >= 12) v128.store(y, b2, 32);
    if (n >= 16) v128.store(y, b3, 48);
    else if ((n & 3) != 0) {
      const last = n < 8 ? (n < 4 ? b0 : b1) : n < 12 ? b2 : b3;
      storeLanes(y + (<usize>(n & ~3) << 2), last, n & 3);
      if (n & 1) store<u32>(state, (n & 2) != 0 ? i32x4.extract_lane(last, 3) : i32x4.extract_lane(last, 1), 24);
    }
    y += 64;
    next += 4;
  }
}

/** 24 bits as a multiple of 2^-24 in [0, 1): every such number is exact in f32. */
@inline
function unit(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(words, 8)), f32x4.splat(5.9604644775390625e-8));
}

// 2^-32, 2^-33, -2, 2^-22, the magic number 1.5 * 2^23, pi / 2, and Cephes' sinf and cosf on [-pi/4, pi/4].
const BOX_MULLER = memory.data<f32>([
  2.3283064365386963e-10, 1.1641532182693481e-10, -2, 2.384185791015625e-7, 12582912, 1.57079632679489662,
  -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1, 2.443315711809948e-5, -1.388731625493765e-3,
  4.166664568298827e-2, -0.5, 1,
]);

/**
 * Words to normal numbers in place (Box and Muller 1958): from a pair of words u, v in turn
 * r = sqrt(-2 ln u), u in [2^-33, 1], and r cos(2 pi v), r sin(2 pi v). So |y - mean| <= 6.77 std.
 */
function boxMuller(y: usize, n: i32, mean: v128, std: v128, spare: usize): void {
  while (n > 0) {
    // Four pairs a trip; the last ones singly, where the spare word completes the last pair of an odd n.
    const wide = n >= 8;
    let u: v128, v: v128;
    if (wide) {
      u = low(v128.load(y), v128.load(y, 16));
      v = high(v128.load(y), v128.load(y, 16));
    } else {
      u = v128.load32_splat(y);
      v = v128.load32_splat(n > 1 ? y + 4 : spare);
    }
    u = f32x4.add(f32x4.mul(f32x4.convert_i32x4_u(u), v128.load32_splat(BOX_MULLER)), v128.load32_splat(BOX_MULLER, 4));
    const r = f32x4.mul(std, f32x4.sqrt(f32x4.mul(logInner(u), v128.load32_splat(BOX_MULLER, 8))));
    // 4 v = q + f with an integer q and f in [-1/2, 1/2], exactly: the angle is q quarter turns and f pi / 2.
    const quarters = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(v, 8)), v128.load32_splat(BOX_MULLER, 12));
    const magic = v128.load32_splat(BOX_MULLER, 16);
    const rounded = f32x4.add(quarters, magic);
    const t = f32x4.mul(f32x4.sub(quarters, f32x4.sub(rounded, magic)), v128.load32_splat(BOX_MULLER, 20));
    const t2 = f32x4.mul(t, t);
    let s = f32x4.add(f32x4.mul(t2, v128.load32_splat(BOX_MULLER, 24)), v128.load32_splat(BOX_MULLER, 28));
    s = f32x4.add(f32x4.mul(s, t2), v128.load32_splat(BOX_MULLER, 32));
    s = f32x4.add(t, f32x4.mul(f32x4.mul(s, t2), t));
    let c = f32x4.add(f32x4.mul(t2, v128.load32_splat(BOX_MULLER, 36)), v128.load32_splat(BOX_MULLER, 40));
    c = f32x4.add(f32x4.mul(c, t2), v128.load32_splat(BOX_MULLER, 44));
    c = f32x4.add(f32x4.mul(c, t2), v128.load32_splat(BOX_MULLER, 48));
    c = f32x4.add(f32x4.mul(c, t2), v128.load32_splat(BOX_MULLER, 52));
    // The low bits of `rounded` are q: odd quarters swap the two; q = 1, 2 negate the cosine, q = 2, 3 the sine.
    const swap = i32x4.shr_s(i32x4.shl(rounded, 31), 31);
    const sinSign = i32x4.shl(i32x4.shr_u(rounded, 1), 31);
    const cosSign = v128.xor(sinSign, i32x4.shl(rounded, 31));
    const cos = v128.xor(v128.bitselect(s, c, swap), cosSign);
    const sin = v128.xor(v128.bitselect(c, s, swap), sinSign);
    const z0 = f32x4.add(f32x4.mul(r, cos), mean), z1 = f32x4.add(f32x4.mul(r, sin), mean);
    if (wide) {
      v128.store(y, v128.shuffle<u32>(z0, z1, 0, 4, 1, 5));
      v128.store(y, v128.shuffle<u32>(z0, z1, 2, 6, 3, 7), 16);
    } else {
      v128.store_lane<u32>(y, z0, 0);
      if (n > 1) v128.store_lane<u32>(y, z1, 0, 4);
    }
    y += wide ? 32 : 8;
    n -= wide ? 8 : 2;
  }
}

const UNIFORM = 0;
const BERNOULLI = 1;
const RANDINT = 2;
const NORMAL = 3;

/** Words to numbers, in place. */
@inline
function convert(op: i32, y: usize, n: i32, a: v128, b: v128, c: v128): void {
  while (n > 0) {
    const wide = n >= 4;
    let v = loadWide(y, wide);
    if (op == UNIFORM) v = f32x4.pmin(f32x4.add(a, f32x4.mul(unit(v), b)), c);
    else if (op == BERNOULLI) v = v128.and(f32x4.lt(unit(v), a), b);
    else v = i32x4.add(high(i64x2.extmul_low_i32x4_u(v, b), i64x2.extmul_high_i32x4_u(v, b)), a);
    storeWide(y, v, wide);
    y += wide ? 16 : 4;
    n -= wide ? 4 : 1;
  }
}

/** n words, chunk by chunk, and each chunk turned into numbers while it is in L1. */
function draw(op: i32, state: usize, y: usize, n: i32, a: v128, b: v128, c: v128): void {
  assert(n >= 0, "uniform, normal, bernoulli, randint: n must not be negative");
  for (; n > 0; n -= CHUNK) {
    const m = min(n, CHUNK);
    randomWords(state, y, m);
    if (op == UNIFORM) convert(UNIFORM, y, m, a, b, c);
    else if (op == BERNOULLI) convert(BERNOULLI, y, m, a, b, c);
    else if (op == RANDINT) convert(RANDINT, y, m, a, b, c);
    else boxMuller(y, m, a, b, state + 24);
    y += CHUNK << 2;
  }
}

/** y uniform in [lo, hi): lo + u * (hi - lo), u a multiple of 2^-24; lo throughout when hi = lo. */
export function uniform(state: usize, y: usize, n: i32, lo: f32, hi: f32): void {
  assert(lo <= hi, "uniform: hi must not be below lo");
  // The sum may round up to hi; the number below hi replaces it.
  const bits = reinterpret<i32>(hi);
  const below = reinterpret<f32>(hi > 0 ? bits - 1 : hi < 0 ? bits + 1 : 0x80000001);
  draw(UNIFORM, state, y, n, f32x4.splat(lo), f32x4.splat(hi - lo), f32x4.splat(max(lo, below)));
}

/** y (f32) = 1 with probability p (to 2^-24), else 0. */
export function bernoulli(state: usize, y: usize, n: i32, p: f32): void {
  assert(p >= 0 && p <= 1, "bernoulli: p must be in [0, 1]");
  const one = f32x4.splat(1);
  draw(BERNOULLI, state, y, n, f32x4.splat(p), one, one);
}

/** y (i32) uniform in [lo, hi): lo + (word * (hi - lo) >> 32); no value's probability is off by more than 2^-32. */
export function randint(state: usize, y: usize, n: i32, lo: i32, hi: i32): void {
  assert(lo < hi, "randint: lo must be below hi");
  const range = i32x4.splat(hi - lo);
  draw(RANDINT, state, y, n, i32x4.splat(lo), range, range);
}

/** y normal with this mean and standard deviation. */
export function normal(state: usize, y: usize, n: i32, mean: f32, std: f32): void {
  const deviation = f32x4.splat(std);
  draw(NORMAL, state, y, n, f32x4.splat(mean), deviation, deviation);
}

/**
 * y (i32) = a random permutation of 0..n-1: Fisher and Yates "inside out", which needs the word of place i only
 * before that place is filled, so that the words can wait in y.
 */
export function permutation(state: usize, y: usize, n: i32): void {
  assert(n >= 0, "permutation: n must not be negative");
  randomWords(state, y, n);
  for (let i = 0; i < n; i++) {
    const at = y + (<usize>i << 2);
    const other = y + (<usize>((<u64>load<u32>(at) * (<u64>i + 1)) >> 32) << 2);
    store<i32>(at, load<i32>(other));
    store<i32>(other, i);
  }
}
