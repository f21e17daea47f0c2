// Register tiles of the matrix product: 5 or 4 rows by 8 or 4 columns of y, all of k in one loop.
//
// A column of tiles shares one panel of b, so that the panel stays in L1 while a and y stream by. Operands are
// addressed by strides in bytes: a(i, p) = a + i * aRow + p * aStep, b(p, j) = b + p * bStep + j * 4. A packed panel
// and an operand read in place differ in strides alone, hence one kernel serves every layout, and every element of y
// is the same sum: it starts at init(i, j), then + a(i, p) * b(p, j) for p = 0, 1, ..., then + bias(j).
import { madd } from "./simd";

/** 32 bytes of zeros to start sums from (with a row stride of 0). */
// @ts-ignore: decorator
@inline
export const zeros: usize = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0]);

// 5x8 holds 10 sums, 2 vectors of b, 1 of a and a product: 14 of the 15 registers that V8 gives. Six rows, or two
// steps of p in one trip, spill and halve the speed.
// `five` and `wide` are constants at each call, so that each function below keeps its own rows and columns only.
// @ts-ignore: decorator
@inline
function tiles(
  five: bool, wide: bool, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  const height = five ? 5 : 4;
  const bEnd = b + <usize>k * bStep;
  for (let row = 0; row < rows; row += height) {
    // Rows past the last one repeat it: they read, compute and store the same values at the same place, so that a
    // short tile needs neither a kernel of its own nor memory outside the operands. (Fives are always whole.)
    const left = rows - row;
    const r1: usize = five || left > 1 ? 1 : 0;
    const r2: usize = five || left > 2 ? 2 : <usize>left - 1;
    const r3: usize = five || left > 3 ? 3 : <usize>left - 1;
    let y00 = v128.load(init);
    let y10 = v128.load(init + r1 * initRow);
    let y20 = v128.load(init + r2 * initRow);
    let y30 = v128.load(init + r3 * initRow);
    let y40 = five ? v128.load(init + 4 * initRow) : y00;
    let y01 = y00, y11 = y10, y21 = y20, y31 = y30, y41 = y40;
    if (wide) {
      y01 = v128.load(init, 16);
      y11 = v128.load(init + r1 * initRow, 16);
      y21 = v128.load(init + r2 * initRow, 16);
      y31 = v128.load(init + r3 * initRow, 16);
      if (five) y41 = v128.load(init + 4 * initRow, 16);
    }
    let a0 = a, a1 = a + r1 * aRow, a2 = a + r2 * aRow, a3 = a + r3 * aRow, a4 = a + 4 * aRow;
    for (let p = b; p != bEnd; p += bStep) {
      const b0 = v128.load(p);
      const b1 = wide ? v128.load(p, 16) : b0;
      let x = v128.load32_splat(a0);
      y00 = madd(x, b0, y00);
      if (wide) y01 = madd(x, b1, y01);
      x = v128.load32_splat(a1);
      y10 = madd(x, b0, y10);
      if (wide) y11 = madd(x, b1, y11);
      x = v128.load32_splat(a2);
      y20 = madd(x, b0, y20);
      if (wide) y21 = madd(x, b1, y21);
      x = v128.load32_splat(a3);
      y30 = madd(x, b0, y30);
      if (wide) y31 = madd(x, b1, y31);
      if (five) {
        x = v128.load32_splat(a4);
        y40 = madd(x, b0, y40);
        if (wide) y41 = madd(x, b1, y41);
      }
      a0 += aStep;
      a1 += aStep;
      a2 += aStep;
      a3 += aStep;
      a4 += aStep;
    }
    if (bias != 0) {
      const c0 = v128.load(bias);
      y00 = f32x4.add(y00, c0);
      y10 = f32x4.add(y10, c0);
      y20 = f32x4.add(y20, c0);
      y30 = f32x4.add(y30, c0);
      y40 = f32x4.add(y40, c0);
      if (wide) {
        const c1 = v128.load(bias, 16);
        y01 = f32x4.add(y01, c1);
        y11 = f32x4.add(y11, c1);
        y21 = f32x4.add(y21, c1);
        y31 = f32x4.add(y31, c1);
        y41 = f32x4.add(y41, c1);
      }
    }
    v128.store(y, y00);
    v128.store(y + r1 * yRow, y10);
    v128.store(y + r2 * yRow, y20);
    v128.store(y + r3 * yRow, y30);
    if (five) v128.store(y + 4 * yRow, y40);
    if (wide) {
      v128.store(y, y01, 16);
      v128.store(y + r1 * yRow, y11, 16);
      v128.store(y + r2 * yRow, y21, 16);
      v128.store(y + r3 * yRow, y31, 16);
      if (five) v128.store(y + 4 * yRow, y41, 16);
    }
    a += height * aRow;
    y += height * yRow;
    init += height * initRow;
  }
}

function tiles5x8(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tiles(true, true, a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

function tiles4x8(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tiles(false, true, a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

function tiles5x4(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tiles(true, false, a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

function tiles4x4(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tiles(false, false, a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

/**
 * How many of `rows` rows go to tiles of five; the rest goes to tiles of four. Chosen so that as few rows as possible
 * are computed twice: every count from 12 on is 5 s + 4 t with s + t = ceil(rows / 5); below, 6, 7, 11 and 1 to 3 are
 * not, and take fours with repeated rows.
 */
// @ts-ignore: decorator
@inline
export function rowsInFives(rows: i32): i32 {
  const count = (rows + 4) / 5;
  const fours = 5 * count - rows;
  return fours < count ? 5 * (count - fours) : 0;
}

/** One panel of 8 (or, when not `wide`, 4) columns: y = init + a b (+ bias). Strides in bytes; `rows` >= 1. */
export function panel(
  wide: bool, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  const fives = rowsInFives(rows);
  if (fives > 0) {
    if (wide) tiles5x8(a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, fives, k);
    else tiles5x4(a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, fives, k);
    rows -= fives;
    if (rows == 0) return;
    a += <usize>fives * aRow;
    y += <usize>fives * yRow;
    init += <usize>fives * initRow;
  }
  if (wide) tiles4x8(a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
  else tiles4x4(a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}
