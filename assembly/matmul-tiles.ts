// Register tiles of the matrix product: 4 or 5 (6 in the fast builds) rows by 8 (or 4) columns of y at a time, all of k
// in one loop.
//
// Operands are addressed by strides in bytes: a(i, p) = a + i * aRow + p * aStep, b(p, j) = b + p * bStep + j * 4. A
// packed panel and an operand read in place differ in strides alone, hence few kernels serve every layout, and every
// element of y is the same sum: it starts at init(i, j), then + a(i, p) * b(p, j) for p = 0, 1, ..., then + bias(j).
//
// 4x8 holds 8 sums, 2 vectors of b, 4 of a and a product, V8's 15 registers: it loads all that a step needs at its start.
// 5x8 loads less for a product, and has room only where each row's load stands before its products. Older V8 puts it there
// when a step begins where two ways meet, one of which stores (loads must then not wait for those of the next step to be
// placed): hence the branch in `tiles` that is never taken. 5x8 is for many rows, of an operand packed for it.
// A fused product needs no register: 6x8 holds 12 sums and 3 vectors, exactly all, and hides the latency of its sums.
// The loop is unrolled by emit.mjs.
import { madd } from "./simd";

/** Rows of a tile, and of one of an operand packed for many rows. */
// @ts-ignore: decorator
@inline
export const tileRows: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4, tallRows: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;
/** The height of the tiles in which `rows` rows are packed. */
// @ts-ignore: decorator
@inline
export function packedHeight(rows: i32): i32 {
  return rows >= 40 ? tallRows : tileRows;
}

/** What sums start from when not from y (with a row stride of 0). */
// @ts-ignore: decorator
@lazy
export const zeros: usize = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0]);

// `columnwise`: the elements of a step of a are neighbours (aRow is 4), one address for all; only whole tiles.
// Otherwise rows past the last one of a short tile repeat it: they read, compute and store the same values at the same
// place, so that it needs neither a kernel of its own nor memory outside the operands.
// `height`, `columnwise` and `wide` are constants at each call: each function below keeps its own part only.
// @ts-ignore: decorator
@inline
function tiles(
  height: i32, columnwise: bool, wide: bool, a: usize, aTile: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  init: usize, initRow: usize, y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  const length = <usize>k * aStep;
  let r1: usize = 1, r2: usize = 2, r3: usize = 3, r4: usize = 4, r5: usize = 5;
  for (; rows > 0; rows -= height) {
    if (!columnwise && rows < height) {
      r1 = rows > 1 ? 1 : 0;
      r2 = rows > 2 ? 2 : r1;
      r3 = rows > 3 ? 3 : r2;
      r4 = rows > 4 ? 4 : r3;
      r5 = r4;
    }
    let y00 = v128.load(init), y01 = y00;
    if (wide) y01 = v128.load(init, 16);
    let y10 = v128.load(init + initRow * r1), y11 = y10;
    if (wide) y11 = v128.load(init + initRow * r1, 16);
    let y20 = v128.load(init + initRow * r2), y21 = y20;
    if (wide) y21 = v128.load(init + initRow * r2, 16);
    let y30 = v128.load(init + initRow * r3), y31 = y30;
    if (wide) y31 = v128.load(init + initRow * r3, 16);
    let y40 = y00, y41 = y00;
    if (height > 4) y40 = v128.load(init + initRow * r4);
    if (height > 4 && wide) y41 = v128.load(init + initRow * r4, 16);
    let y50 = y00, y51 = y00;
    if (height > 5) y50 = v128.load(init + initRow * r5);
    if (height > 5 && wide) y51 = v128.load(init + initRow * r5, 16);
    const a1 = aRow * r1, a2 = aRow * r2, a3 = aRow * r3, a4 = aRow * r4, a5 = aRow * r5;
    const end = a + length;
    let from = a, p = b;
    if (k > 0) {
      // unroll 8 as copy
      do {
        // Never so, p being a multiple of 4; for what it is there, see above. The rows are in the order that V8 keeps.
        if (height == 5 && copy > 0 && p == 2 * copy + 1) store<i32>(y, 0);
        const b0 = v128.load(p);
        const b1 = wide ? v128.load(p, 16) : b0;
        let x: v128;
        if (height > 5) {
          x = columnwise ? v128.load32_splat(from, 20) : v128.load32_splat(from + a5);
          y50 = madd(x, b0, y50);
          if (wide) y51 = madd(x, b1, y51);
        }
        if (height > 4) {
          x = columnwise ? v128.load32_splat(from, 16) : v128.load32_splat(from + a4);
          y40 = madd(x, b0, y40);
          if (wide) y41 = madd(x, b1, y41);
        }
        x = columnwise ? v128.load32_splat(from, 12) : v128.load32_splat(from + a3);
        y30 = madd(x, b0, y30);
        if (wide) y31 = madd(x, b1, y31);
        x = columnwise ? v128.load32_splat(from, 8) : v128.load32_splat(from + a2);
        y20 = madd(x, b0, y20);
        if (wide) y21 = madd(x, b1, y21);
        x = columnwise ? v128.load32_splat(from, 4) : v128.load32_splat(from + a1);
        y10 = madd(x, b0, y10);
        if (wide) y11 = madd(x, b1, y11);
        x = v128.load32_splat(from);
        y00 = madd(x, b0, y00);
        if (wide) y01 = madd(x, b1, y01);
        from += aStep;
        p += bStep;
        if (!wide && copy == 0) continue; // A panel of 4 columns is the last of its matrix: one copy does.
      } while (from != end);
    }
    if (bias != 0) {
      const c0 = v128.load(bias);
      y00 = f32x4.add(y00, c0);
      y10 = f32x4.add(y10, c0);
      y20 = f32x4.add(y20, c0);
      y30 = f32x4.add(y30, c0);
      if (height > 4) y40 = f32x4.add(y40, c0);
      if (height > 5) y50 = f32x4.add(y50, c0);
      if (wide) {
        const c1 = v128.load(bias, 16);
        y01 = f32x4.add(y01, c1);
        y11 = f32x4.add(y11, c1);
        y21 = f32x4.add(y21, c1);
        y31 = f32x4.add(y31, c1);
        if (height > 4) y41 = f32x4.add(y41, c1);
        if (height > 5) y51 = f32x4.add(y51, c1);
      }
    }
    v128.store(y, y00);
    if (wide) v128.store(y, y01, 16);
    v128.store(y + yRow * r1, y10);
    if (wide) v128.store(y + yRow * r1, y11, 16);
    v128.store(y + yRow * r2, y20);
    if (wide) v128.store(y + yRow * r2, y21, 16);
    v128.store(y + yRow * r3, y30);
    if (wide) v128.store(y + yRow * r3, y31, 16);
    if (height > 4) v128.store(y + yRow * r4, y40);
    if (height > 4 && wide) v128.store(y + yRow * r4, y41, 16);
    if (height > 5) v128.store(y + yRow * r5, y50);
    if (height > 5 && wide) v128.store(y + yRow * r5, y51, 16);
    a += aTile;
    init += height * initRow;
    y += height * yRow;
  }
}

/** y = init + a b (+ bias) for one panel of 8 columns: the panel of b stays in L1 while a and y stream by. */
function wideTiles(
  a: usize, aTile: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tiles(tileRows, false, true, a, aTile, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

/** The same for whole tiles of an operand a whose elements of a step are neighbours: transposed, or packed. */
function wideTilesColumnwise(
  a: usize, aTile: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tiles(tileRows, true, true, a, aTile, 4, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

/** The same for tiles of `tallRows`. */
function tallTiles(
  a: usize, aTile: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tiles(tallRows, true, true, a, aTile, 4, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

/** A panel of 8 columns. `aTile` is the stride between tiles of a, of `height` rows; `rows` >= 1. */
export function widePanel(
  height: i32, a: usize, aTile: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  if (aRow == 4) {
    const whole = rows - rows % height;
    if (tallRows > tileRows && height == tallRows) {
      tallTiles(a, aTile, aStep, b, bStep, init, initRow, y, yRow, bias, whole, k);
    } else wideTilesColumnwise(a, aTile, aStep, b, bStep, init, initRow, y, yRow, bias, whole, k);
    if (whole == rows) return;
    rows -= whole;
    a += <usize>(whole / height) * aTile;
    init += <usize>whole * initRow;
    y += <usize>whole * yRow;
  }
  wideTiles(a, aTile, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

/** A panel of 4 columns. */
export function slimPanel(
  a: usize, aTile: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tiles(tileRows, false, false, a, aTile, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}
