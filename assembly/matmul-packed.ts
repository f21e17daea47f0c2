// Products y = a op(b) with one b many times, as a recurrent layer has them: b is packed once, and the packing, a quarter
// of the time of a product with few rows, is not repeated. The sums are those of matmul, in the same order.
import { packA, packRows, transpose4 } from "./matmul-pack";
import { packedHeight, widePanel, zeros } from "./matmul-tiles";

/** Rows, whole tiles in every build, and depth of a block of a. */
const ROWS = 120;
const DEPTH = 256;

/** Bytes of scratch of `packedProduct`; packA writes up to 16 beyond a block. */
export function packedScratch(): i32 {
  return ROWS * DEPTH * 4 + 16;
}

/** Packs op(b) [k, n], stored [n, k] when `transposed`, by panels of 8 columns; n is a multiple of 8. */
export function packPanels(b: usize, to: usize, n: i32, k: i32, transposed: i32): void {
  assert(n >= 0 && n % 8 == 0 && k >= 0, "packPanels: n must be a multiple of 8");
  const row = <usize>(transposed ? k : n) << 2;
  for (; n > 0; n -= 8) {
    if (transposed) {
      transpose4(to, 32, b, row, 4, k);
      transpose4(to + 16, 32, b + 4 * row, row, 4, k);
    } else packRows(to, b, row, k);
    b += transposed ? 8 * row : 32;
    to += <usize>k << 5;
  }
}

/** y[m, n] = a[m, k] b (+ bias[n] when bias is not 0) (+ y when `accumulate`), b as `packPanels` left it; k > 0. */
export function packedProduct(
  a: usize, b: usize, y: usize, bias: usize, scratch: usize, m: i32, n: i32, k: i32, accumulate: i32,
): void {
  assert(m >= 0 && n >= 0 && n % 8 == 0 && k > 0, "packedProduct: n must be a multiple of 8, k positive");
  const aRow = <usize>k << 2, yRow = <usize>n << 2;
  const height = packedHeight(m), step = <usize>height << 2;
  for (; m > 0; m -= ROWS) {
    const rows = min(m, ROWS);
    for (let p = 0; p < k; p += DEPTH) {
      const depth = min(k - p, DEPTH), fresh = p == 0 && !accumulate;
      packA(scratch, a + (<usize>p << 2), aRow, 4, rows, depth, height);
      for (let j = 0; j < n; j += 8) {
        const at = y + (<usize>j << 2), panel = b + (<usize>(j * k + p * 8) << 2);
        const end = bias != 0 && p + depth == k ? bias + (<usize>j << 2) : 0;
        widePanel(
          height, scratch, <usize>depth * step, 4, step, panel, 32, fresh ? zeros : at, fresh ? 0 : yRow, at, yRow, end,
          rows, depth,
        );
      }
    }
    a += ROWS * aRow;
    y += ROWS * yRow;
  }
}
