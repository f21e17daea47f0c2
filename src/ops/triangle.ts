// Triangles and diagonals of matrices.
import { checkInteger, checkOptions, rangeError, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { checkAxis, numelOf, otherAxes, stridesOf } from "../shape.js";
import { record } from "../tape/index.js";
import { allocate, checkTensor, ptr, type Tensor } from "../tensor/index.js";
import { putWindow, takeWindow, type Window } from "./window.js";

/** Which diagonal: columns to the right of the main one; in place of options. */
type DiagonalOption = number | { readonly diagonal?: number };

function diagonalOf(op: string, option: DiagonalOption): number {
  if (typeof option === "object") checkOptions(op, option, ["diagonal"]);
  const k = typeof option === "object" ? (option.diagonal ?? 0) : option;
  return checkInteger(op, "diagonal", k, -2147483648, 2147483647);
}

function triangle(op: "tril" | "triu", x: Tensor, k: number): Tensor {
  checkTensor(op, "x", x);
  if (x.ndim < 2) throw rangeError(op, `takes matrices: x is ${show(x.shape)}`);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const from = ptr(x);
  const y = allocate(x.shape, x.dtype, op);
  const within = Math.max(-rows - 1, Math.min(columns, k)); // the kernel adds row numbers
  const upper = Number(op === "triu");
  kernels.triangle(from, ptr(y), numelOf(x.shape.slice(0, -2)), rows, columns, within, upper);
  return record(op, y, [[x, (gy) => triangle(op, gy, k)]]);
}

/** The lower triangle of matrices `[…, rows, columns]`, 0 above the diagonal (0 main, positive right of it). PyTorch: `torch.tril`. */
export function tril(x: Tensor, diagonal: DiagonalOption = 0): Tensor {
  return triangle("tril", x, diagonalOf("tril", diagonal));
}

/** The upper triangle of matrices `[…, rows, columns]`, 0 below the diagonal (0 main, positive right of it). PyTorch: `torch.triu`. */
export function triu(x: Tensor, diagonal: DiagonalOption = 0): Tensor {
  return triangle("triu", x, diagonalOf("triu", diagonal));
}

/** Window of a diagonal of two axes, as a last axis. */
function diagonalWindow(x: { readonly shape: readonly number[] }, offset: number, a: number, b: number): Window {
  const strides = stridesOf(x.shape);
  const [rows, columns] = [x.shape[a]!, x.shape[b]!];
  const length = Math.max(0, offset >= 0 ? Math.min(rows, columns - offset) : Math.min(rows + offset, columns));
  const rest = otherAxes(x.shape.length, [a, b]);
  return {
    start: length === 0 ? 0 : offset >= 0 ? offset * strides[b]! : -offset * strides[a]!,
    shape: [...rest.map((i) => x.shape[i]!), length],
    strides: [...rest.map((i) => strides[i]!), strides[a]! + strides[b]!],
  };
}

/** A square matrix with x on a diagonal `[n] -> [n+|k|, n+|k|]`, or the diagonal of a matrix `[r, c] -> [n]`. PyTorch: `torch.diag`. */
export function diag(x: Tensor, diagonal: DiagonalOption = 0): Tensor {
  checkTensor("diag", "x", x);
  const k = diagonalOf("diag", diagonal);
  if (x.ndim === 2) return takeWindow("diag", x, diagonalWindow(x, k, 0, 1));
  if (x.ndim !== 1) throw rangeError("diag", `takes a vector or a matrix: x is ${show(x.shape)}`, "Use diagonal().");
  const size = x.numel + Math.abs(k);
  const shape = [size, size];
  return putWindow("diag", x, shape, diagonalWindow({ shape }, k, 0, 1));
}

/** Options of `diagonal`. */
export interface DiagonalOptions {
  /** Columns to the right of the main diagonal; default 0. */
  readonly offset?: number;
  /** The rows' axis; default 0. */
  readonly dim1?: number;
  /** The columns' axis; default 1. */
  readonly dim2?: number;
}

/** A diagonal of each matrix that two axes hold, as the last axis: `[r, c, …] -> […, n]`. PyTorch: `torch.diagonal`. */
export function diagonal(x: Tensor, options: number | DiagonalOptions = {}): Tensor {
  checkTensor("diagonal", "x", x);
  const given: DiagonalOptions = typeof options === "number" ? { offset: options } : options;
  checkOptions("diagonal", given, ["offset", "dim1", "dim2"]);
  const { offset = 0, dim1 = 0, dim2 = 1 } = given;
  checkInteger("diagonal", "offset", offset);
  if (x.ndim < 2) throw rangeError("diagonal", `takes matrices: x is ${show(x.shape)}`);
  const a = checkAxis("diagonal", dim1, x.ndim, "dim1");
  const b = checkAxis("diagonal", dim2, x.ndim, "dim2");
  if (a === b) throw rangeError("diagonal", `dim1 and dim2 must differ: both are ${a} of ${show(x.shape)}`);
  return takeWindow("diagonal", x, diagonalWindow(x, offset, a, b));
}
