// Copies for the matrix product: panels of an operand into scratch, and rows narrower than a vector in and out.
// None reads or writes outside its operands, which may end where memory ends.

/** The first `count` (1 to 4) floats at `p`, zeros after them. */
// @ts-ignore: decorator
@inline
export function loadPart(p: usize, count: i32): v128 {
  if (count >= 4) return v128.load(p);
  if (count == 1) return v128.load32_zero(p);
  const pair = v128.load64_zero(p);
  return count == 2 ? pair : v128.load32_lane(p, pair, 2, 8);
}

/** Stores the first `count` (1 to 4) lanes of `v`. */
// @ts-ignore: decorator
@inline
export function storePart(p: usize, v: v128, count: i32): void {
  if (count >= 4) return v128.store(p, v);
  if (count == 1) return v128.store32_lane(p, v, 0);
  v128.store64_lane(p, v, 0);
  if (count == 3) v128.store32_lane(p, v, 2, 8);
}

/** `rows` rows of `width` (1 to 8) floats to rows `step` bytes apart, each padded with zeros to 4 or 8 floats. */
export function gatherRows(to: usize, step: usize, from: usize, fromRow: usize, rows: i32, width: i32): void {
  const end = from + <usize>rows * fromRow;
  for (; from != end; from += fromRow, to += step) {
    if (width > 4) {
      v128.store(to, v128.load(from));
      v128.store(to, loadPart(from + 16, width - 4), 16);
    } else v128.store(to, loadPart(from, width));
  }
}

/** The reverse: the first `width` (1 to 8) floats of rows `step` bytes apart into y. */
export function scatterRows(y: usize, yRow: usize, from: usize, step: usize, rows: i32, width: i32): void {
  const end = y + <usize>rows * yRow;
  for (; y != end; y += yRow, from += step) {
    if (width > 4) {
      v128.store(y, v128.load(from));
      storePart(y + 16, v128.load(from, 16), width - 4);
    } else storePart(y, v128.load(from), width);
  }
}

/** A panel of 8 columns of a row-major matrix, row after row. */
export function packRows(to: usize, from: usize, fromRow: usize, rows: i32): void {
  const end = to + (<usize>rows << 5);
  for (; to != end; to += 32, from += fromRow) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
  }
}

/**
 * Transposes 4 rows of `count` floats: to[i * step + r] = from[r * fromRow + i]. When `rows` < 4 the last one is
 * repeated, so all 4 floats of each destination are written.
 */
export function transpose4(to: usize, step: usize, from: usize, fromRow: usize, rows: i32, count: i32): void {
  const end = from + (<usize>count << 2);
  let r1 = from + (rows > 1 ? fromRow : 0);
  let r2 = from + (rows > 2 ? 2 * fromRow : r1 - from);
  let r3 = from + (rows > 3 ? 3 * fromRow : r2 - from);
  const whole = from + ((<usize>count >> 2) << 4);
  for (; from != whole; from += 16) {
    const v0 = v128.load(from), v1 = v128.load(r1), v2 = v128.load(r2), v3 = v128.load(r3);
    const low01 = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2));
    to += step;
    v128.store(to, v128.shuffle<f64>(low01, low23, 1, 3));
    to += step;
    v128.store(to, v128.shuffle<f64>(high01, high23, 0, 2));
    to += step;
    v128.store(to, v128.shuffle<f64>(high01, high23, 1, 3));
    to += step;
    r1 += 16;
    r2 += 16;
    r3 += 16;
  }
  for (; from != end; from += 4, r1 += 4, r2 += 4, r3 += 4, to += step) {
    store<i32>(to, load<i32>(from));
    store<i32>(to, load<i32>(r1), 4);
    store<i32>(to, load<i32>(r2), 8);
    store<i32>(to, load<i32>(r3), 12);
  }
}

/**
 * Packs rows of a by tiles of `height`, each step after step:
 * a(i, p) = to + (i / height * depth + p) * height * 4 + i % height * 4. Writes up to 12 bytes beyond.
 */
export function packA(to: usize, from: usize, aRow: usize, aStep: usize, rows: i32, depth: i32, height: i32): void {
  const step = <usize>height << 2;
  for (; rows > 0; rows -= height) {
    const present = min(rows, height);
    if (aRow == 4) gatherRows(to, step, from, aStep, depth, present);
    else {
      // Rows from 4 on first: with them go floats into the next step, which rows 0 to 3 then overwrite.
      if (present > 4) transpose4(to + 16, step, from + 4 * aRow, aRow, present - 4, depth);
      transpose4(to, step, from, aRow, present, depth);
    }
    to += <usize>depth * step;
    from += height * aRow;
  }
}
