// Positions of elements that are not zero, and triangles of matrices. Any 4-byte elements.

/**
 * Positions (i32) of the elements with a bit of `bits` set, in order; gives how many. For f32 `bits` leaves out the
 * sign, since -0 is zero. y = 0: only counts.
 */
export function nonzero(x: usize, y: usize, n: i32, bits: i32): i32 {
  let count = 0;
  for (let i = 0; i < n; i++) {
    if ((load<i32>(x + (<usize>i << 2)) & bits) == 0) continue;
    if (y != 0) store<i32>(y + (<usize>count << 2), i);
    count++;
  }
  return count;
}

/** y[j, axis] = coordinates of n flat positions in a shape of `rank` sizes (i32, in memory); y is [n, rank]. */
export function unravel(positions: usize, shape: usize, y: usize, n: i32, rank: i32): void {
  for (; n > 0; n--) {
    let at = load<u32>(positions);
    for (let axis = rank - 1; axis >= 0; axis--) {
      const size = load<u32>(shape + (<usize>axis << 2));
      store<u32>(y + (<usize>axis << 2), at % size);
      at /= size;
    }
    positions += 4;
    y += <usize>rank << 2;
  }
}

/** y = x on and below the diagonal that lies `diagonal` columns right of the main one, 0 above (`upper`: the reverse). */
export function triangle(x: usize, y: usize, batch: i32, rows: i32, columns: i32, diagonal: i32, upper: bool): void {
  const row = <usize>columns << 2;
  for (; batch > 0; batch--) {
    for (let i = 0; i < rows; i++) {
      // Columns below `split` are the lower triangle's.
      const split = <usize>max(min(i + diagonal + i32(!upper), columns), 0) << 2;
      const kept = upper ? split : 0;
      const end = upper ? row : split;
      memory.fill(y, 0, row);
      memory.copy(y + kept, x + kept, end - kept);
      x += row;
      y += row;
    }
  }
}
