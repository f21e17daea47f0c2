// The matrix product y = op(a) op(b): which path a shape takes, and the blocks of the large ones.
//
// Every path forms each element of y by the same operations in the same order: the sum starts at +0 (at y when
// accumulating), then + a(i, p) * b(p, j) for p = 0, 1, ..., k - 1, then + bias(j). Blocks of k continue from the
// partial sums kept in y. So the bits of a row depend neither on the other rows nor on the path or the layout.
//
// Blocks after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): a block of b lies in
// L2, one of its panels in L1, while tiles of a pass by. Small operands are read in place.
import { gatherRows, packA, packRows, scatterRows, transpose4 } from "./matmul-pack";
import { packedHeight, slimPanel, tallRows, tileRows, widePanel, zeros } from "./matmul-tiles";
import { vectorTimesColumns, vectorTimesRows } from "./matmul-vector";

/** Block sizes; the speed is flat within 3 % around these. rowBlock is a multiple of 4, 5 and 6, columnBlock of 8. */
// @ts-ignore: decorator
@inline
const rowBlock = 120, columnBlock = 256, depthBlock = 512;
/** Matrices b of at most this many elements are read in place: they stay in L1, and copying would not pay. */
// @ts-ignore: decorator
@inline
const smallB = 4096;
/**
 * Packing a pays when more columns than this use it. Rows read in place cost an address each and, a power of two apart,
 * meet the same bank of the cache, so they are packed from this depth on; a transposed a only once it has this many
 * elements. Whether rows are packed does not depend on m, since a batch may be computed as more rows of one item.
 */
// @ts-ignore: decorator
@inline
const packAColumns = 16, packADepth = 16, packATransposed = 4096;
/** Bytes of the staging area of a narrow panel: its bias, then one block of rows of y, 8 floats each. */
// @ts-ignore: decorator
@inline
const stageBytes = 32 + rowBlock * 32;

// @ts-ignore: decorator
@inline
function packsB(n: i32, k: i32, bTransposed: i32): bool {
  return bTransposed != 0 || <i64>n * k > smallB;
}

// @ts-ignore: decorator
@inline
function packsA(m: i32, n: i32, k: i32, aTransposed: i32): bool {
  return n > packAColumns && (aTransposed ? <i64>m * k > packATransposed : k >= packADepth);
}

/** Bytes of a packed block of a: whole tiles, and a full block of rows where a batch may become rows. */
// @ts-ignore: decorator
@inline
function packedABytes(m: i32, depth: i32, aTransposed: i32): i32 {
  return (aTransposed && m < rowBlock ? m + tallRows - 1 : rowBlock) * depth * 4 + 16;
}

/** Bytes of scratch that `matmul` needs for one shape (whatever the batch). */
export function matmulScratch(m: i32, n: i32, k: i32, aTransposed: i32, bTransposed: i32): i32 {
  if (m <= 1 || n <= 1) return 0;
  const depth = min(k, depthBlock);
  let bytes = 0;
  if (packsB(n, k, bTransposed)) bytes = min((n + 7) & ~7, columnBlock) * depth * 4;
  else if ((n & 7) != 0) bytes = depth * 32;
  if ((n & 7) != 0) bytes += stageBytes;
  if (packsA(m, n, k, aTransposed)) bytes += packedABytes(m, depth, aTransposed);
  return bytes;
}

/** y[i] += bias[i], or bias[0] when `step` is 0. */
function addBias(y: usize, bias: usize, step: usize, count: i32): void {
  const end = y + (<usize>count << 2);
  for (; y != end; y += 4, bias += step) store<f32>(y, load<f32>(y) + load<f32>(bias));
}

/** One row y (+)= x op(b). `alongK`: b is stored [n, k]. */
function vectorTimes(x: usize, b: usize, y: usize, n: i32, k: i32, alongK: bool, accumulate: i32): void {
  if (!accumulate) memory.fill(y, 0, <usize>n << 2);
  if (alongK) vectorTimesColumns(x, b, y, n, k);
  else vectorTimesRows(x, b, y, n, k);
}

/** A panel of `width` < 8 columns: computed whole in the staging area, from which the columns that exist are copied. */
function narrowPanel(
  width: i32, stage: usize, height: i32, a: usize, aTile: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  fresh: bool, y: usize, yRow: usize, bias: usize, rows: i32, k: i32,
): void {
  const sums = stage + 32;
  if (!fresh) gatherRows(sums, 32, y, yRow, rows, width);
  if (bias != 0) {
    gatherRows(stage, 32, bias, 32, 1, width);
    bias = stage;
  }
  const init = fresh ? zeros : sums, initRow: usize = fresh ? 0 : 32;
  if (width > 4) widePanel(height, a, aTile, aRow, aStep, b, bStep, init, initRow, sums, 32, bias, rows, k);
  else slimPanel(a, aTile, aRow, aStep, b, bStep, init, initRow, sums, 32, bias, rows, k);
  scatterRows(y, yRow, sums, 32, rows, width);
}

/**
 * One product of blocks of matrices: `aLine`, `bLine`, `yLine` are the elements from one row, as it is stored, to the next.
 * For the rest see `matmul`; n and m are 2 at least.
 */
export function product(
  a: usize, b: usize, y: usize, bias: usize, scratch: usize, m: i32, n: i32, k: i32, aLine: i32, bLine: i32, yLine: i32,
  aTransposed: i32, bTransposed: i32, accumulate: i32,
): void {
  const packB = packsB(n, k, bTransposed);
  const packed = packsA(m, n, k, aTransposed);
  // Panels of 4 columns have no tall tiles.
  const height = packed && ((n & 7) == 0 || (n & 7) > 4) ? packedHeight(m) : tileRows;
  const yRow = <usize>yLine << 2, bRow = <usize>bLine << 2;
  const aRow: usize = aTransposed ? 4 : <usize>aLine << 2, aStep: usize = aTransposed ? <usize>aLine << 2 : 4;
  const stage = scratch;
  if ((n & 7) != 0) scratch += stageBytes;
  const packedA = scratch;
  if (packed) scratch += packedABytes(m, min(k, depthBlock), aTransposed);
  for (let j0 = 0; j0 < n; j0 += columnBlock) {
    const columns = min(n - j0, columnBlock);
    let p0 = 0;
    do {
      const depth = min(k - p0, depthBlock);
      const fresh = p0 == 0 && !accumulate;
      const blockBias = bias != 0 && p0 + depth == k ? bias : 0;
      for (let j = 0; j < columns; j += 8) {
        const width = min(columns - j, 8);
        const to = scratch + (packB ? (<usize>(j * depth) << 2) : 0);
        if (bTransposed) {
          const step: usize = width > 4 ? 32 : 16;
          const from = b + <usize>(j0 + j) * bRow + (<usize>p0 << 2);
          transpose4(to, step, from, bRow, width, depth);
          if (width > 4) transpose4(to + 16, step, from + 4 * bRow, bRow, width - 4, depth);
        } else {
          const from = b + <usize>p0 * bRow + (<usize>(j0 + j) << 2);
          if (width < 8) gatherRows(to, width > 4 ? 32 : 16, from, bRow, depth, width);
          else if (packB) packRows(to, from, bRow, depth);
        }
      }
      for (let i0 = 0; i0 < m; i0 += rowBlock) {
        const rows = min(m - i0, rowBlock);
        let block = a + <usize>i0 * aRow + <usize>p0 * aStep;
        let blockTile: usize = tileRows * aRow, blockRow: usize = aRow, blockStep: usize = aStep;
        if (packed) {
          packA(packedA, block, aRow, aStep, rows, depth, height);
          block = packedA;
          blockRow = 4;
          blockStep = height << 2;
          blockTile = <usize>depth * blockStep;
        }
        for (let j = 0; j < columns; j += 8) {
          const width = min(columns - j, 8);
          let bPanel = scratch, bStep: usize = width > 4 ? 32 : 16;
          if (packB) bPanel += <usize>(j * depth) << 2;
          else if (width == 8) {
            bPanel = b + <usize>p0 * bRow + (<usize>(j0 + j) << 2);
            bStep = bRow;
          }
          const yBlock = y + <usize>i0 * yRow + (<usize>(j0 + j) << 2);
          const panelBias = blockBias != 0 ? blockBias + (<usize>(j0 + j) << 2) : 0;
          if (width == 8) {
            widePanel(
              height, block, blockTile, blockRow, blockStep, bPanel, bStep, fresh ? zeros : yBlock, fresh ? 0 : yRow,
              yBlock, yRow, panelBias, rows, depth,
            );
          } else {
            narrowPanel(
              width, stage, height, block, blockTile, blockRow, blockStep, bPanel, bStep, fresh,
              yBlock, yRow, panelBias, rows, depth,
            );
          }
        }
      }
      p0 += depth;
    } while (p0 < k);
  }
}

/**
 * y[batch, m, n] = op(a) op(b) (+ bias[n] when bias is not 0) (+ y when `accumulate`; the sum then starts at y).
 * op(a) is [m, k], stored [k, m] when `aTransposed`; op(b) is [k, n], stored [n, k] when `bTransposed`. `aStride` and
 * `bStride` are the elements between two items of the batch, 0 to use one matrix for all. y aliases no operand.
 * `scratch` has `matmulScratch` bytes.
 */
export function matmul(
  a: usize, b: usize, y: usize, bias: usize, scratch: usize, batch: i32, m: i32, n: i32, k: i32,
  aStride: i32, bStride: i32, aTransposed: i32, bTransposed: i32, accumulate: i32,
): void {
  assert(batch >= 0 && m >= 0 && n >= 0 && k >= 0, "sizes must not be negative");
  if (m == 0 || n == 0) return;
  // Many products with one b are one product with more rows.
  if (m > 1 && n > 1 && bStride == 0 && !aTransposed && aStride == m * k) {
    m *= batch;
    batch = min(batch, 1);
  }
  // For few rows a large b is better streamed once a row than packed.
  const rowwise = m == 1 || (m < 4 && !aTransposed && <i64>n * k > smallB);
  const outputs = m * n;
  for (; batch > 0; --batch) {
    if (n == 1 && m > 1) {
      // yT = bT aT makes the single column a row. A transposed column is stored like a straight one.
      vectorTimes(b, a, y, m, k, !aTransposed, accumulate);
      if (bias != 0) addBias(y, bias, 0, m);
    } else if (rowwise) {
      for (let i: usize = 0; i < <usize>m; ++i) {
        const row = y + i * (<usize>n << 2);
        vectorTimes(a + i * (<usize>k << 2), b, row, n, k, bTransposed != 0, accumulate);
        if (bias != 0) addBias(row, bias, 4, n);
      }
    } else {
      product(
        a, b, y, bias, scratch, m, n, k, aTransposed ? m : k, bTransposed ? k : n, n, aTransposed, bTransposed, accumulate,
      );
    }
    a += <usize>aStride << 2;
    b += <usize>bStride << 2;
    y += <usize>outputs << 2;
  }
}
