// Bags: runs of a list of rows, given by where each begins.

/**
 * ids[j] (i32) = the bag of element j of n; bag b begins at offsets[b]. Gives -1, or the position of the first offset
 * that does not fit: they begin with 0, do not decrease, and are at most n; with `closed` one more ends the last bag at n.
 */
export function bagIds(offsets: usize, ids: usize, n: i32, bags: i32, closed: i32): i32 {
  assert(n >= 0 && bags >= 0, "bagIds: extents must not be negative");
  let before = 0;
  for (let b = 0; b < bags + closed; b++) {
    const at = load<i32>(offsets + (<usize>b << 2));
    if (at < before || at > n || (b == 0 && at != 0) || (b == bags && at != n)) return b;
    before = at;
  }
  for (let b = 0; b < bags; b++) {
    const end = b + 1 < bags ? load<i32>(offsets + (<usize>(b + 1) << 2)) : n;
    for (let j = load<i32>(offsets + (<usize>b << 2)); j < end; j++) store<i32>(ids + (<usize>j << 2), b);
  }
  return -1;
}

/**
 * y[b, e] = the largest x[j, e] of bag b, where[b, e] (i32) the first such j, NaN before all; 0 and -1 for an empty bag.
 * Elements with skip[j] != 0 do not count; skip may be absent (0).
 */
export function bagMax(
  x: usize, ids: usize, skip: usize, y: usize, where: usize, n: i32, bags: i32, size: i32,
): void {
  memory.fill(y, 0, (<usize>bags * <usize>size) << 2);
  memory.fill(where, 255, (<usize>bags * <usize>size) << 2);
  for (let j = 0; j < n; j++) {
    if (skip && load<i32>(skip + (<usize>j << 2))) {
      x += <usize>size << 2;
      continue;
    }
    const row = (<usize>load<i32>(ids + (<usize>j << 2)) * <usize>size) << 2;
    for (let e: usize = 0; e < <usize>size << 2; e += 4) {
      const v = load<f32>(x + e), best = load<f32>(y + row + e);
      // Not above a NaN; a NaN above all but another.
      if (load<i32>(where + row + e) < 0 || v > best || (v != v && best == best)) {
        store<f32>(y + row + e, v);
        store<i32>(where + row + e, j);
      }
    }
    x += <usize>size << 2;
  }
}
