// Lane helpers that several families share: partial vectors for tails, and f64 accumulation of f32 lanes.

/**
 * The first `count` (1..3) words at `p`, then those of `fill`, a splat. Reads nothing beyond them. For tails outside
 * the hot loop: a call inside one, even if it is never made, has V8 spill every vector that lives across it.
 */
export function loadLanes(p: usize, count: i32, fill: v128): v128 {
  // From the last to the first, each pushing the others up; as a loop it is small, and not inlined everywhere.
  for (p += <usize>count << 2; count > 0; count--) {
    p -= 4;
    fill = v128.shuffle<u32>(v128.load32_zero(p), fill, 0, 4, 5, 6);
  }
  return fill;
}

/** Writes the first `count` (1..3) lanes of `v` to `p`. */
export function storeLanes(p: usize, v: v128, count: i32): void {
  for (; count > 0; count--) {
    v128.store_lane<u32>(p, v, 0);
    v = v128.shuffle<u32>(v, v, 1, 2, 3, 0);
    p += 4;
  }
}

/** Four words, or one in all lanes: loops that take four elements a trip, and the last ones singly, have one body. */
@inline
export function loadWide(p: usize, wide: bool): v128 {
  return wide ? v128.load(p) : v128.load32_splat(p);
}

@inline
export function storeWide(p: usize, v: v128, wide: bool): void {
  if (wide) v128.store(p, v);
  else v128.store_lane<u32>(p, v, 0);
}

/** Lanes 0 and 1 as f64. */
@inline
export function low64(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

/** Lanes 2 and 3 as f64. */
@inline
export function high64(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<u64>(v, v, 1, 0));
}

/** Two f64 pairs rounded to four f32. */
@inline
export function narrow(low: v128, high: v128): v128 {
  return v128.shuffle<u64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

@inline
export function addPair(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}
