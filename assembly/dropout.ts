// Dropout. Masks are not stored: a call keeps the generator's state from before it (32 bytes), and its gradient draws
// the same words again.
import { loadWide, storeWide } from "./lanes";
import { randomWords } from "./random";

/** Words are drawn into y piece by piece and turned into its values in place; a piece stays in L1. */
const CHUNK = 2048;

/** The least 24-bit number that stays when numbers below p * 2^24 are dropped. */
export function dropThreshold(p: f32): i32 {
  return <i32>ceil(p * 16777216);
}

/**
 * y = x * scale + keptShift where the upper 24 bits of a word are at least `threshold`, else x * 0 + droppedShift: NaN
 * and infinities do not vanish. y may be x or the words.
 */
export function dropRow(
  x: usize, words: usize, y: usize, n: i32, threshold: i32, scale: f32, keptShift: f32, droppedShift: f32,
): void {
  const least = i32x4.splat(threshold), by = f32x4.splat(scale);
  const kept = f32x4.splat(keptShift), dropped = f32x4.splat(droppedShift);
  while (n > 0) {
    const wide = n >= 4;
    const keep = i32x4.ge_s(i32x4.shr_u(loadWide(words, wide), 8), least);
    const v = f32x4.mul(loadWide(x, wide), v128.and(by, keep));
    storeWide(y, f32x4.add(v, v128.bitselect(kept, dropped, keep)), wide);
    const step: usize = wide ? 16 : 4;
    x += step;
    words += step;
    y += step;
    n -= wide ? 4 : 1;
  }
}

/**
 * dropRow over n elements with probability p (to 2^-24). The words are the next ones of the generator `state`, whose
 * state before goes to the first half of `saved` (64 bytes; the second half is scratch); without `state` (0) they are
 * those of `saved` again.
 */
export function dropout(
  state: usize, saved: usize, x: usize, y: usize, n: i32, p: f32, scale: f32, keptShift: f32, droppedShift: f32,
): void {
  assert(n >= 0 && p >= 0 && p <= 1, "dropout: n must not be negative, p in [0, 1]");
  if (state) memory.copy(saved, state, 32);
  const copy = saved + 32;
  memory.copy(copy, saved, 32);
  const threshold = dropThreshold(p);
  for (; n > 0; n -= CHUNK) {
    const m = min(n, CHUNK);
    randomWords(copy, y, m);
    dropRow(x, y, y, m, threshold, scale, keptShift, droppedShift);
    x += CHUNK << 2;
    y += CHUNK << 2;
  }
  if (state) store<u64>(state, load<u64>(copy, 8), 8);
}
