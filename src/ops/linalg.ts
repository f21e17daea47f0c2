// Decompositions of small matrices, on the host in float64: for initializers, whitening and principal components. They
// have no gradient.
import { rangeError, show } from "../error.js";
import { isRecording, unrecorded } from "../tape/index.js";
import { type Tensor, tensor } from "../tensor/index.js";
import { checkFloat } from "./launch.js";

/** A matrix in float64, row-major. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

function read(op: string, x: Tensor): Matrix {
  checkFloat(op, "x", x);
  if (x.ndim !== 2) throw rangeError(op, `takes a matrix: got ${show(x.shape)}`);
  if (x.requiresGrad && isRecording())
    throw new Error(`${op}: has no gradient, and x requires one. Use detach() or noGrad().`);
  const data = Float64Array.from(x.toTypedArray());
  if (!data.every(Number.isFinite)) throw rangeError(op, "x holds NaN or Infinity");
  return { rows: x.shape[0]!, columns: x.shape[1]!, data };
}

const write = (op: string, x: Tensor, { rows, columns, data }: Matrix): Tensor =>
  unrecorded(op, tensor(data, { shape: [rows, columns] }), [x]);

/** Rotates two rows: (p, q) <- (c·p - s·q, s·p + c·q). */
function rotate(data: Float64Array, width: number, p: number, q: number, c: number, s: number): void {
  for (let k = 0; k < width; k++) {
    const a = data[p * width + k]!;
    const b = data[q * width + k]!;
    data[p * width + k] = c * a - s * b;
    data[q * width + k] = s * a + c * b;
  }
}

function identity(n: number): Float64Array {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) data[i * n + i] = 1;
  return data;
}

function transposed({ rows, columns, data }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  return { rows: columns, columns: rows, data: out };
}

/** Rows of a matrix of `columns`, in an order. */
const rowsInOrder = (data: Float64Array, order: readonly number[], columns: number): Matrix => ({
  rows: order.length,
  columns,
  data: Float64Array.from(order.flatMap((i) => [...data.subarray(i * columns, (i + 1) * columns)])),
});

/** The angle that annuls the off-diagonal element `b` between diagonal elements `a` and `d`: [cos, sin]. */
function jacobiAngle(a: number, b: number, d: number): [number, number] {
  const theta = (d - a) / (2 * b);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  return [c, t * c];
}

const maxSweeps = 60;

/**
 * Turns pairs of the k rows of `a`, of m elements, until all are orthogonal (one-sided Jacobi), and gives the k x k
 * rotation: `a` becomes rotation·a.
 */
function orthogonalize(a: Float64Array, k: number, m: number): Float64Array {
  const v = identity(k);
  for (let sweep = 0, turned = true; turned && sweep < maxSweeps; sweep++) {
    turned = false;
    for (let p = 0; p < k; p++) {
      for (let q = p + 1; q < k; q++) {
        let alpha = 0;
        let beta = 0;
        let gamma = 0;
        for (let i = 0; i < m; i++) {
          const left = a[p * m + i]!;
          const right = a[q * m + i]!;
          alpha += left * left;
          beta += right * right;
          gamma += left * right;
        }
        if (Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta)) continue;
        turned = true;
        const [c, s] = jacobiAngle(alpha, gamma, beta);
        rotate(a, m, p, q, c, s);
        rotate(v, k, p, q, c, s);
      }
    }
  }
  return v;
}

/**
 * QR decomposition by Householder reflections: x = q·r, `[m, n] -> q [m, k], r [k, n]`, k = min(m, n), the diagonal of r
 * not positive where LAPACK's is not. No gradient. PyTorch: `torch.linalg.qr`.
 *
 * @throws RangeError for anything but a matrix of finite numbers; Error when x requires a gradient.
 */
export function qr(x: Tensor): { readonly q: Tensor; readonly r: Tensor } {
  const { rows, columns, data: a } = read("qr", x);
  const k = Math.min(rows, columns);
  const reflections: Float64Array[] = [];
  for (let j = 0; j < k; j++) {
    const v = new Float64Array(rows);
    let norm = 0;
    for (let i = j; i < rows; i++) {
      v[i] = a[i * columns + j]!;
      norm += v[i]! * v[i]!;
    }
    let below = norm - v[j]! * v[j]!;
    norm = Math.sqrt(norm);
    if (below <= 0) {
      reflections.push(new Float64Array(rows)); // already triangular: no reflection, as in LAPACK
      continue;
    }
    v[j]! += v[j]! >= 0 ? norm : -norm;
    below += v[j]! * v[j]!;
    const scale = Math.sqrt(2 / below); // v·vᵀ with |v|² = 2 is the whole reflection
    for (let i = j; i < rows; i++) v[i]! *= scale;
    reflect(a, rows, columns, v);
    reflections.push(v);
  }
  const q = new Float64Array(rows * k);
  for (let i = 0; i < k; i++) q[i * k + i] = 1;
  for (const v of reflections.reverse()) reflect(q, rows, k, v);
  const r = new Float64Array(k * columns);
  for (let i = 0; i < k; i++) for (let j = i; j < columns; j++) r[i * columns + j] = a[i * columns + j]!;
  return { q: write("qr", x, { rows, columns: k, data: q }), r: write("qr", x, { rows: k, columns, data: r }) };
}

/** a <- a - v·(vᵀ·a). */
function reflect(a: Float64Array, rows: number, columns: number, v: Float64Array): void {
  for (let j = 0; j < columns; j++) {
    let dot = 0;
    for (let i = 0; i < rows; i++) dot += v[i]! * a[i * columns + j]!;
    for (let i = 0; i < rows; i++) a[i * columns + j]! -= v[i]! * dot;
  }
}

/**
 * Eigenvalues, ascending, and orthonormal eigenvectors (columns) of a symmetric matrix, by Jacobi rotations:
 * x = vectors·diag(values)·vectorsᵀ. The lower triangle is read. No gradient. PyTorch: `torch.linalg.eigh`.
 *
 * @throws RangeError for a matrix that is not square.
 */
export function eigh(x: Tensor): { readonly values: Tensor; readonly vectors: Tensor } {
  const { rows: n, columns, data: a } = read("eigh", x);
  if (n !== columns) throw rangeError("eigh", `takes a square matrix: got ${show(x.shape)}`);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) a[j * n + i] = a[i * n + j]!;
  // Shifted by more than any eigenvalue, the matrix is positive: its eigenvectors are its singular vectors.
  const shifted = a.slice();
  const shift = 2 * Math.sqrt(a.reduce((sum, value) => sum + value * value, 0));
  for (let i = 0; i < n; i++) shifted[i * n + i]! += shift;
  const v = orthogonalize(shifted, n, n); // rows are the eigenvectors
  // vᵀ·x·v, as the shift would take the last digits of small eigenvalues.
  const unordered = Array.from({ length: n }, (_, p) =>
    a.reduce((sum, value, at) => sum + v[p * n + Math.floor(at / n)]! * value * v[p * n + (at % n)]!, 0),
  );
  const order = unordered.map((_, i) => i).sort((p, q) => unordered[p]! - unordered[q]!);
  const values = Float64Array.from(order, (i) => unordered[i]!);
  return {
    values: unrecorded("eigh", tensor(values), [x]),
    vectors: write("eigh", x, transposed(rowsInOrder(v, order, n))),
  };
}

/**
 * Singular value decomposition by one-sided Jacobi rotations: x = u·diag(s)·vh, `[m, n] -> u [m, k], s [k], vh [k, n]`,
 * k = min(m, n), values descending. No gradient. PyTorch: `torch.linalg.svd(x, full_matrices=False)`.
 */
export function svd(x: Tensor): { readonly u: Tensor; readonly s: Tensor; readonly vh: Tensor } {
  const given = read("svd", x);
  const wide = given.columns > given.rows;
  // Columns of the tall orientation are rows here, so that rotations run along memory.
  const { rows: k, columns: m, data: a } = wide ? given : transposed(given);
  const v = orthogonalize(a, k, m);
  const norms = Array.from({ length: k }, (_, p) =>
    Math.sqrt(a.subarray(p * m, (p + 1) * m).reduce((n, value) => n + value * value, 0)),
  );
  const order = norms.map((_, i) => i).sort((p, q) => norms[q]! - norms[p]!);
  const values = Float64Array.from(order, (i) => norms[i]!);
  const long = orthonormalRows(
    order.map((i) => a.subarray(i * m, (i + 1) * m)),
    values,
    m,
  );
  const short = rowsInOrder(v, order, k);
  const [u, vh] = wide ? [transposed(short), long] : [transposed(long), short];
  return { u: write("svd", x, u), s: unrecorded("svd", tensor(values), [x]), vh: write("svd", x, vh) };
}

/** Rows divided by their lengths; a row of a zero singular value is completed to an orthonormal set. */
function orthonormalRows(rows: readonly Float64Array[], lengths: Float64Array, width: number): Matrix {
  const data = new Float64Array(rows.length * width);
  const floor = 1e-14 * (lengths[0] ?? 0);
  for (const [p, row] of rows.entries()) {
    const target = data.subarray(p * width, (p + 1) * width);
    if (lengths[p]! > floor) {
      for (let i = 0; i < width; i++) target[i] = row[i]! / lengths[p]!;
      continue;
    }
    // Gram-Schmidt, twice for accuracy, from the first unit vector that is far enough from the rows before.
    for (let unit = 0; unit < width; unit++) {
      target.fill(0);
      target[unit] = 1;
      for (let pass = 0; pass < 2; pass++) {
        for (let q = 0; q < p; q++) {
          const other = data.subarray(q * width, (q + 1) * width);
          const dot = other.reduce((n, value, i) => n + value * target[i]!, 0);
          for (let i = 0; i < width; i++) target[i]! -= dot * other[i]!;
        }
      }
      const length = Math.sqrt(target.reduce((n, value) => n + value * value, 0));
      if (length < 0.5 / Math.sqrt(width)) continue;
      for (let i = 0; i < width; i++) target[i]! /= length;
      break;
    }
  }
  return { rows: rows.length, columns: width, data };
}
