// Elementwise ops on two operands beyond the hot ones of elementwise.ts: comparisons, logic, masks, i32 arithmetic,
// powers, remainders; broadcast. Elements are f32, i32 or bool (i32 that are 0 or 1) as the op has it.
import { powPair } from "./special";

/** Also in src/ops/codes.ts. From Pow on, ops have loops of their own. */
const enum Op {
  Maximum, Minimum, Eq, Ne, Lt, Le,
  AddInt, SubInt, MulInt, MaximumInt, MinimumInt, EqInt, NeInt, LtInt, LeInt,
  And, Or, Xor, Keep, Drop, Merge,
  Pow, Remainder, RemainderInt, PowInt,
}

/** A comparison's mask as 0 or 1. */
// @ts-ignore: decorator
@inline
function bool(mask: v128): v128 {
  return i32x4.shr_u(mask, 31);
}

/** a op b; `old` is what y holds. The masks b of Keep, Drop, Merge are bool: their negatives are all zeros or ones. */
// @ts-ignore: decorator
@inline
function value(op: Op, a: v128, b: v128, old: v128): v128 {
  switch (op) {
    case Op.Maximum: return f32x4.max(a, b); // NaN when either is, unlike pmax
    case Op.Minimum: return f32x4.min(a, b);
    case Op.Eq: return bool(f32x4.eq(a, b));
    case Op.Ne: return bool(f32x4.ne(a, b));
    case Op.Lt: return bool(f32x4.lt(a, b));
    case Op.Le: return bool(f32x4.le(a, b));
    case Op.AddInt: return i32x4.add(a, b);
    case Op.SubInt: return i32x4.sub(a, b);
    case Op.MulInt: return i32x4.mul(a, b);
    case Op.MaximumInt: return i32x4.max_s(a, b);
    case Op.MinimumInt: return i32x4.min_s(a, b);
    case Op.EqInt: return bool(i32x4.eq(a, b));
    case Op.NeInt: return bool(i32x4.ne(a, b));
    case Op.LtInt: return bool(i32x4.lt_s(a, b));
    case Op.LeInt: return bool(i32x4.le_s(a, b));
    case Op.And: return v128.and(a, b);
    case Op.Or: return v128.or(a, b);
    case Op.Xor: return v128.xor(a, b);
    case Op.Keep: return v128.and(a, i32x4.neg(b));
    case Op.Drop: return v128.andnot(a, i32x4.neg(b));
    default: return v128.bitselect(a, old, i32x4.neg(b)); // Merge
  }
}

/** `value` as a call, for the last elements of a row. */
function last(op: Op, a: v128, b: v128, old: v128): v128 {
  return value(op, a, b, old);
}

/**
 * A row: y[j] = value(op, a[j aStep], b[j bStep]), steps 0 or 1. The op is looked at for each vector: a branch that is
 * always predicted costs a third of the speed, and 21 loops would weigh 600 bytes gzip.
 */
function vectors(op: Op, a: usize, b: usize, y: usize, n: i32, aStep: i32, bStep: i32): void {
  const end = y + (<usize>(n & ~3) << 2);
  const nextA = <usize>aStep << 4, nextB = <usize>bStep << 4;
  let va = v128.load32_splat(a), vb = v128.load32_splat(b);
  for (; y != end; y += 16) {
    if (aStep) va = v128.load(a);
    if (bStep) vb = v128.load(b);
    v128.store(y, value(op, va, vb, v128.load(y)));
    a += nextA;
    b += nextB;
  }
  for (n &= 3; n > 0; n--) {
    v128.store_lane<u32>(y, last(op, v128.load32_zero(a), v128.load32_zero(b), v128.load32_zero(y)), 0);
    a += nextA >> 2;
    b += nextB >> 2;
    y += 4;
  }
}

/** y = a^b, two elements a trip, in float64 */
function powRow(a: usize, b: usize, y: usize, n: i32, aStep: i32, bStep: i32): void {
  for (; n > 0; n -= 2) {
    const two = n > 1;
    const va = two && aStep ? v128.load64_zero(a) : v128.load32_splat(a);
    const vb = two && bStep ? v128.load64_zero(b) : v128.load32_splat(b);
    const v = powPair(va, vb);
    if (two) v128.store64_lane(y, v, 0);
    else v128.store32_lane(y, v, 0);
    a += <usize>aStep << 3;
    b += <usize>bStep << 3;
    y += 8;
  }
}

/** The remainder of a / b with the sign of b, as Python's: exact. */
function remainderRow(a: usize, b: usize, y: usize, n: i32, aStep: i32, bStep: i32): void {
  for (; n > 0; n--) {
    const q = load<f32>(b);
    const r = load<f32>(a) % q;
    store<f32>(y, r != 0 && r < 0 != q < 0 ? r + q : r);
    a += <usize>aStep << 2;
    b += <usize>bStep << 2;
    y += 4;
  }
}

/** As remainderRow; 0 for b = 0, which the host refuses, and for b = -1, where the machine traps on the least a. */
function remainderIntRow(a: usize, b: usize, y: usize, n: i32, aStep: i32, bStep: i32): void {
  for (; n > 0; n--) {
    const q = load<i32>(b);
    const r = <u32>(q + 1) <= 1 ? 0 : load<i32>(a) % q;
    store<i32>(y, r != 0 && r < 0 != q < 0 ? r + q : r);
    a += <usize>aStep << 2;
    b += <usize>bStep << 2;
    y += 4;
  }
}

/** a^b modulo 2^32; a negative power is 0 but for a = 1 and -1, as in PyTorch. */
function powIntRow(a: usize, b: usize, y: usize, n: i32, aStep: i32, bStep: i32): void {
  for (; n > 0; n--) {
    let p = load<i32>(a), q = load<i32>(b), power = 1;
    if (q < 0) {
      if (<u32>(p + 1) > 2 || p == 0) power = 0;
      q &= 1;
    }
    for (; q > 0; q >>= 1) {
      if (q & 1) power *= p;
      p *= p;
    }
    store<i32>(y, power);
    a += <usize>aStep << 2;
    b += <usize>bStep << 2;
    y += 4;
  }
}

function row(op: Op, a: usize, b: usize, y: usize, n: i32, aStep: i32, bStep: i32): void {
  if (op < Op.Pow) vectors(op, a, b, y, n, aStep, bStep);
  else if (op == Op.Pow) powRow(a, b, y, n, aStep, bStep);
  else if (op == Op.Remainder) remainderRow(a, b, y, n, aStep, bStep);
  else if (op == Op.RemainderInt) remainderIntRow(a, b, y, n, aStep, bStep);
  else powIntRow(a, b, y, n, aStep, bStep);
}

/**
 * y[i, j, k, l] = op(a[i a0 + j a1 + k a2 + l a3], b[...]), as `add` of elementwise.ts: strides in elements, y contiguous
 * [d0, d1, d2, d3], a3 and b3 0 or 1. y may equal an operand that has y's shape. Merge writes a where b, and leaves the
 * rest of y.
 */
export function combine(
  op: i32, a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32,
  a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32,
): void {
  assert(d0 >= 0 && d1 >= 0 && d2 >= 0 && d3 >= 0, "sizes must not be negative");
  assert((a3 | b3) >>> 1 == 0, "innermost strides are 0 or 1");
  if (d3 == 0) return; // a row reads its first elements
  for (let i = 0; i < d0; i++) {
    for (let j = 0; j < d1; j++) {
      for (let k = 0; k < d2; k++) {
        row(op, a + (<usize>(i * a0 + j * a1 + k * a2) << 2), b + (<usize>(i * b0 + j * b1 + k * b2) << 2), y, d3, a3, b3);
        y += <usize>d3 << 2;
      }
    }
  }
}
