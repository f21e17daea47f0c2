// Kernels that compute a part of what another one does, where a part is not simply a smaller call: blocks of matrices and
// channels lie apart in memory by strides of the whole. Only the threaded builds (and debug) hold them. Each element is
// computed by the very loops of the whole, so that its bits do not depend on how the work is cut.
import { correlateWeights } from "./conv";
import { Plan } from "./conv-plan";
import { product } from "./matmul";
import { channelMoments } from "./norm";
import { batchRunsGrad, itemsGrad, parameterSums } from "./norm-grad";
import { sumColumns } from "./reduce";

/** A block of `matmul`'s y, m by n; the lines are elements from one row of a matrix, as it is stored, to the next. */
export function matmulPart(
  a: usize, b: usize, y: usize, bias: usize, scratch: usize, m: i32, n: i32, k: i32, aLine: i32, bLine: i32, yLine: i32,
  aTransposed: i32, bTransposed: i32, accumulate: i32,
): void {
  product(a, b, y, bias, scratch, m, n, k, aLine, bLine, yLine, aTransposed, bTransposed, accumulate);
}

/** Some of the groups and taps of the gradient of a convolution's weight. `plan` is a plan of the whole. */
export function convolvePart(
  plan: usize, x: usize, gy: usize, gw: usize, firstGroup: i32, lastGroup: i32, firstTap: i32, lastTap: i32,
): void {
  correlateWeights(changetype<Plan>(plan), x, gy, gw, firstGroup, lastGroup, firstTap, lastTap);
}

/** `sum` of `columns` columns of x[n, line] that are neighbours. */
export function sumPart(x: usize, y: usize, n: i32, columns: i32, line: i32, scale: f32): void {
  sumColumns(x, y, n, columns, <usize>line << 2, scale);
}

/** `moments` of C neighbouring channels out of `total`. */
export function momentsPart(
  x: usize, mean: usize, variance: usize, N: i32, C: i32, L: i32, centered: i32, total: i32,
): void {
  channelMoments(x, mean, variance, N, C, L, centered, total);
}

/** `normalizeGrad` by batch of C neighbouring channels out of `total`, each a run of L. */
export function channelsGradPart(
  g: usize, x: usize, mean: usize, rstd: usize, w: usize, gx: usize, gw: usize, gb: usize, N: i32, C: i32, L: i32,
  constant: i32, total: i32,
): void {
  batchRunsGrad(g, x, mean, rstd, w, gx, gw, gb, N, C, L, constant != 0, total);
}

/** gw and gb of `normalizeGrad` by item for neighbouring columns of rows of `line`, one group a row. */
export function parametersGradPart(
  g: usize, x: usize, mean: usize, rstd: usize, gw: usize, gb: usize, rows: i32, columns: i32, line: i32,
): void {
  memory.fill(gw, 0, <usize>columns << 2);
  memory.fill(gb, 0, <usize>columns << 2);
  parameterSums(g, x, mean, rstd, gw, gb, rows, columns, <usize>line << 2, 4);
}

/** gx of `normalizeGrad` by item for N rows of C, one group a row. */
export function rowsGradPart(
  g: usize, x: usize, mean: usize, rstd: usize, w: usize, gx: usize, N: i32, C: i32, through: i32,
): void {
  itemsGrad(g, x, mean, rstd, w, gx, 0, 0, N, C, C, 1, through);
}
