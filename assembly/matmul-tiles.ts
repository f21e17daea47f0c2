// Register tiles of the matrix product: 5 or 4 rows by 8 or 4 columns of y, all of k in one loop.
//
// Operands are addressed by strides in bytes: a(i, p) = a + i * aRow + p * aStep, b(p, j) = b + p * bStep + j * 4. A
// packed panel and an operand read in place differ in strides alone, hence one kernel serves every layout, and every
// element of y is the same sum: it starts at init(i, j), then + a(i, p) * b(p, j) for p = 0, 1, ..., then + bias(j).
import { madd } from "./simd";

/** What sums start from when not from y (with a row stride of 0). */
// @ts-ignore: decorator
@lazy
export const zeros: usize = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0]);

// @ts-ignore: decorator
@inline
function addTo(wide: bool, y: usize, c0: v128, c1: v128): void {
  v128.store(y, f32x4.add(v128.load(y), c0));
  if (wide) v128.store(y, f32x4.add(v128.load(y, 16), c1), 16);
}

// 5x8 holds 10 sums, 2 vectors of b, 1 of a and a product: 14 of the 15 registers that V8 gives. V8 unrolls a loop of
// up to 50 nodes (100 when another loop surrounds it) and then hoists the loads of the copies, which spills sums and
// halves the speed; hence no loop around this one, no second step of p in a trip, and one function a shape, called
// through the table so that none is inlined into the loop over tiles. For the same reason the sums go straight from the
// loop to y, row after row, and the bias is added there: V8 orders the loop's instructions by what follows it, and with
// a branch or an addition in between it hoists the loads just the same.
//
// Rows past the last one of a short tile repeat it: they read, compute and store the same values at the same place, so
// that it needs neither a kernel of its own nor memory outside the operands. (Fives are always whole.)
// `five` and `wide` are constants at each call: each function below keeps its own rows and columns only.
// @ts-ignore: decorator
@inline
function tile(
  five: bool, wide: bool, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  const r1: usize = five || rows > 1 ? 1 : 0;
  const r2: usize = five || rows > 2 ? 2 : r1;
  const r3: usize = five || rows > 3 ? 3 : r2;
  let y00 = v128.load(init), y01 = y00;
  if (wide) y01 = v128.load(init, 16);
  init += initRow * r1;
  let y10 = v128.load(init), y11 = y10;
  if (wide) y11 = v128.load(init, 16);
  init += initRow * (r2 - r1);
  let y20 = v128.load(init), y21 = y20;
  if (wide) y21 = v128.load(init, 16);
  init += initRow * (r3 - r2);
  let y30 = v128.load(init), y31 = y30;
  if (wide) y31 = v128.load(init, 16);
  init += initRow;
  let y40 = y00, y41 = y00;
  if (five) {
    y40 = v128.load(init);
    if (wide) y41 = v128.load(init, 16);
  }
  const a1 = aRow * r1, a2 = aRow * r2, a3 = aRow * r3, a4 = aRow * 4;
  const bEnd = b + <usize>k * bStep;
  for (; b != bEnd; b += bStep, a += aStep) {
    const b0 = v128.load(b);
    const b1 = wide ? v128.load(b, 16) : b0;
    let x = v128.load32_splat(a);
    y00 = madd(x, b0, y00);
    if (wide) y01 = madd(x, b1, y01);
    x = v128.load32_splat(a + a1);
    y10 = madd(x, b0, y10);
    if (wide) y11 = madd(x, b1, y11);
    x = v128.load32_splat(a + a2);
    y20 = madd(x, b0, y20);
    if (wide) y21 = madd(x, b1, y21);
    x = v128.load32_splat(a + a3);
    y30 = madd(x, b0, y30);
    if (wide) y31 = madd(x, b1, y31);
    if (five) {
      x = v128.load32_splat(a + a4);
      y40 = madd(x, b0, y40);
      if (wide) y41 = madd(x, b1, y41);
    }
  }
  const y1 = y + yRow * r1, y2 = y + yRow * r2, y3 = y + yRow * r3, y4 = y + yRow * 4;
  v128.store(y, y00);
  if (wide) v128.store(y, y01, 16);
  v128.store(y1, y10);
  if (wide) v128.store(y1, y11, 16);
  v128.store(y2, y20);
  if (wide) v128.store(y2, y21, 16);
  v128.store(y3, y30);
  if (wide) v128.store(y3, y31, 16);
  if (five) {
    v128.store(y4, y40);
    if (wide) v128.store(y4, y41, 16);
  }
  if (bias == 0) return;
  // Rows that repeat another are stored already and must not get their bias twice.
  const c0 = v128.load(bias);
  const c1 = wide ? v128.load(bias, 16) : c0;
  addTo(wide, y, c0, c1);
  if (r1 > 0) addTo(wide, y1, c0, c1);
  if (r2 > r1) addTo(wide, y2, c0, c1);
  if (r3 > r2) addTo(wide, y3, c0, c1);
  if (five) addTo(wide, y4, c0, c1);
}

type Tile = (
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
) => void;

function tile5x8(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tile(true, true, a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

function tile4x8(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tile(false, true, a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

function tile5x4(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tile(true, false, a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
}

function tile4x4(
  a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  tile(false, false, a, aRow, aStep, b, bStep, init, initRow, y, yRow, bias, rows, k);
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

/**
 * One panel of 8 (or, when not `wide`, 4) columns: y = init + a b (+ bias), tile after tile, so that the panel of b
 * stays in L1 while a and y stream by. When `aStep` is 0, a was packed by `packA`: each tile is stored step after step.
 */
export function panel(
  wide: bool, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, init: usize, initRow: usize,
  y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  const next = aStep == 0 ? <usize>k << 2 : aRow;
  let height = 5, left = rowsInFives(rows);
  let kernel: Tile = wide ? tile5x8 : tile5x4;
  rows -= left;
  for (;;) {
    for (; left > 0; left -= height) {
      kernel(
        a, aStep == 0 ? 4 : aRow, aStep == 0 ? <usize>height << 2 : aStep, b, bStep, init, initRow,
        y, yRow, bias, left, k,
      );
      a += height * next;
      init += height * initRow;
      y += height * yRow;
    }
    if (height == 4) return;
    height = 4;
    left = rows;
    kernel = wide ? tile4x8 : tile4x4;
  }
}
