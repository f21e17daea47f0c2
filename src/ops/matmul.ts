// Matrix products. Operands are read as they lie: a transpose of the last two axes costs no copy.
import { rangeError, show } from "../error.js";
import { kernels, type Ptr } from "../kernels/index.js";
import { nullPtr, offset } from "../memory/index.js";
import { broadcastShapes, broadcastStrides, numelOf, type Shape, sameShape } from "../shape.js";
import { composed, isRecording, passOn, record, recordJoint } from "../tape/index.js";
import { allocate, isTransposed, ptr, ptrAsStored, type Tensor } from "../tensor/index.js";
import { sumTo } from "./broadcast.js";
import { checkFloat, inLoops } from "./launch.js";
import { reshape, transpose, unsqueeze } from "./layout.js";
import { sum } from "./reduce.js";
import { scratchFor } from "./scratch.js";

/** op(a)·op(b) of the last two axes, with broadcast batch axes; `ta`, `tb` transpose. Not recorded. */
function multiply(a: Tensor, b: Tensor, ta: boolean, tb: boolean): Tensor {
  const ra = a.ndim;
  const rb = b.ndim;
  const m = a.shape[ta ? ra - 1 : ra - 2]!;
  const k = a.shape[ta ? ra - 2 : ra - 1]!;
  const n = b.shape[tb ? rb - 2 : rb - 1]!;
  const pa = ptrAsStored(a);
  const pb = ptrAsStored(b);
  const at = Number(ta !== isTransposed(a));
  const bt = Number(tb !== isTransposed(b));
  const work = scratchFor(kernels.matmulScratch(m, n, k, at, bt));
  if (ra > 2 || rb > 2) return multiplyBatches(a, b, pa, pb, work, m, n, k, at, bt);
  const y = allocate([m, n], "f32", "matmul");
  kernels.matmul(pa, pb, ptr(y), nullPtr, work, 1, m, n, k, 0, 0, at, bt, 0);
  return y;
}

/** For more than two axes; apart, as what a function within holds is kept in memory from the beginning. */
function multiplyBatches(
  a: Tensor,
  b: Tensor,
  pa: Ptr,
  pb: Ptr,
  work: Ptr,
  m: number,
  n: number,
  k: number,
  at: number,
  bt: number,
): Tensor {
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  const batch = broadcastShapes("matmul", batchA, batchB);
  const y = allocate([...batch, m, n], "f32", "matmul");
  const py = ptr(y);
  // Strides in matrices; the kernel walks the innermost merged batch axis.
  const strides = [broadcastStrides(batchA, batch), broadcastStrides(batchB, batch), broadcastStrides(batch, batch)];
  inLoops(1, [...batch], strides, ([count], [sa, sb], [oa, ob, oy]) =>
    kernels.matmul(
      offset(pa, 4 * oa! * m * k),
      offset(pb, 4 * ob! * k * n),
      offset(py, 4 * oy! * m * n),
      nullPtr,
      work,
      count!,
      m,
      n,
      k,
      sa![0]! * m * k,
      sb![0]! * k * n,
      at,
      bt,
      0,
    ),
  );
  return y;
}

/** The same, recorded; closed under differentiation. */
function product(a: Tensor, b: Tensor, ta: boolean, tb: boolean): Tensor {
  const y = multiply(a, b, ta, tb);
  if (!isRecording()) return passOn("matmul", y, [a, b]);
  // The gradient of a lazily transposed operand is computed in the order of its memory, so that no copy follows.
  const lazyA = isTransposed(a);
  const lazyB = isTransposed(b);
  const da = (gy: Tensor) => (ta !== lazyA ? product(b, gy, tb, true) : product(gy, b, false, !tb));
  const db = (gy: Tensor) => (tb !== lazyB ? product(gy, a, true, ta) : product(a, gy, !ta, false));
  return record(
    "matmul",
    y,
    [
      [a, (gy) => sumTo(lazyA ? transpose(da(gy), -1, -2) : da(gy), a.shape)],
      [b, (gy) => sumTo(lazyB ? transpose(db(gy), -1, -2) : db(gy), b.shape)],
    ],
    [a, b],
  );
}

/**
 * Matrix product over the last two axes: `[…, m, k] · […, k, n] -> […, m, n]`; batch axes broadcast; a vector is a row on
 * the left, a column on the right, and its axis is dropped. The sum over k runs in one order in every path, so that a
 * batch of one gives the bits of that row in a batch.
 *
 * @throws RangeError when the inner dimensions differ. PyTorch: `torch.matmul`.
 * @example
 * import { matmul, tensor } from "gradine";
 * const a = tensor([[1, 2], [3, 4]]);
 * console.log(matmul(a, tensor([1, 1])).toArray(), matmul(a, a.transpose(0, 1)).toArray()); // [3, 7] [[5, 11], [11, 25]]
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkFloat("matmul", "a", a);
  checkFloat("matmul", "b", b);
  if (a.ndim === 0 || b.ndim === 0) {
    throw rangeError(
      "matmul",
      `operands need at least one axis: a is ${show(a.shape)}, b is ${show(b.shape)}`,
      "Use mul() for scalars.",
    );
  }
  const axisB = b.ndim === 1 ? 0 : b.ndim - 2;
  const k = a.shape[a.ndim - 1]!;
  if (k !== b.shape[axisB]) {
    throw rangeError(
      "matmul",
      `inner dimensions differ: a is ${show(a.shape)}, b is ${show(b.shape)} (a.shape[${a.ndim - 1}] = ${k}, b.shape[${axisB}] = ${b.shape[axisB]})`,
      b.ndim > 1 && b.shape[b.ndim - 1] === k ? "Transpose b." : undefined,
    );
  }
  if (a.ndim === 1 || b.ndim === 1) return composed("matmul", [a, b], () => vectorProduct(a, b));
  // One matrix for all: the batch joins the rows, so that it is one product and its gradient another.
  if (b.ndim === 2 && a.ndim > 2 && !isTransposed(a)) {
    return composed("matmul", [a, b], () => {
      const y = product(reshape(a, [numelOf(a.shape.slice(0, -1)), k]), b, false, false);
      return reshape(y, [...a.shape.slice(0, -1), b.shape[1]!]);
    });
  }
  return product(a, b, false, false);
}

/** A product with a vector on one side or both: a matrix product whose axis of size 1 is dropped. */
function vectorProduct(a: Tensor, b: Tensor): Tensor {
  const y = matmul(a.ndim === 1 ? unsqueeze(a, 0) : a, b.ndim === 1 ? unsqueeze(b, 1) : b);
  const shape = y.shape.slice();
  if (b.ndim === 1) shape.pop();
  if (a.ndim === 1) shape.splice(shape.length - (b.ndim === 1 ? 1 : 2), 1);
  return reshape(y, shape);
}

const rowsOf = (x: Tensor, features: number): Tensor =>
  x.ndim === 2 ? x : reshape(x, [features === 0 ? numelOf(x.shape.slice(0, -1)) : x.numel / features, features]);

/**
 * x·Wᵀ + b: `[…, in] -> […, out]`.
 *
 * @param weight `[out, in]`.
 * @param bias `[out]`; may be left out.
 * @throws RangeError when the sizes do not fit. PyTorch: `torch.nn.functional.linear`.
 * @example
 * import { linear, tensor } from "gradine";
 * console.log(linear(tensor([[1, 2]]), tensor([[3, 4]]), tensor([5])).toArray()); // [[16]]
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  checkFloat("linear", "x", x);
  checkFloat("linear", "weight", weight);
  const last = x.shape[x.ndim - 1];
  if (weight.ndim !== 2 || last !== weight.shape[1]) {
    throw rangeError(
      "linear",
      `x is ${show(x.shape)}, weight is ${show(weight.shape)} (x.shape[${x.ndim - 1}] = ${last}, weight.shape[1] = ${weight.shape[1]})`,
      "x ends in the weight's second axis: weight is [out, in].",
    );
  }
  const out = weight.shape[0]!;
  const features = weight.shape[1]!;
  if (bias !== undefined) {
    checkFloat("linear", "bias", bias);
    if (bias.ndim !== 1 || bias.numel !== out)
      throw rangeError("linear", `bias must be [${out}]: got ${show(bias.shape)}`);
  }
  const rows = features === 0 ? numelOf(x.shape.slice(0, -1)) : x.numel / features;
  const px = ptr(x);
  const transposed = isTransposed(weight) ? 0 : 1;
  const pw = ptrAsStored(weight);
  const pb = bias === undefined ? nullPtr : ptr(bias);
  const work = scratchFor(kernels.matmulScratch(rows, out, features, 0, transposed));
  const y = allocate(x.ndim === 2 ? [rows, out] : [...x.shape.slice(0, -1), out], "f32", "linear");
  kernels.matmul(px, pw, ptr(y), pb, work, 1, rows, out, features, 0, 0, 0, transposed, 0);
  const inputs = bias === undefined ? [x, weight] : [x, weight, bias];
  if (!isRecording()) return passOn("linear", y, inputs);
  const partial = (gy: Tensor, needs: readonly boolean[]) => {
    const g = rowsOf(gy, out);
    const times = isRecording() ? product : multiply;
    return [
      needs[0] ? shaped(times(g, weight, false, false), x.shape) : null,
      needs[1] ? times(g, rowsOf(x, features), true, false) : null,
      needs[2] ? sumRows(g) : null,
    ];
  };
  return recordJoint("linear", y, inputs, partial, [x, weight]);
}

const shaped = (x: Tensor, shape: Shape): Tensor => (sameShape(x.shape, shape) ? x : reshape(x, shape));

/** The gradient of a bias: `[rows, n] -> [n]`. */
function sumRows(g: Tensor): Tensor {
  if (isRecording()) return sum(g, 0);
  const [rows, n] = g.shape as readonly [number, number];
  const from = ptr(g);
  const y = allocate([n], "f32", "sum");
  kernels.sum(from, ptr(y), 1, rows, n, 1);
  return y;
}

function checkRank(op: string, name: string, x: Tensor, rank: number): void {
  checkFloat(op, name, x);
  if (x.ndim !== rank)
    throw rangeError(op, `${name} must have ${rank} ${rank === 1 ? "axis" : "axes"}: got ${show(x.shape)}`);
}

/** Inner product of two vectors: `[n], [n] -> []`. PyTorch: `torch.dot`. */
export function dot(a: Tensor, b: Tensor): Tensor {
  checkRank("dot", "a", a, 1);
  checkRank("dot", "b", b, 1);
  if (a.numel !== b.numel) throw rangeError("dot", `lengths differ: a is ${show(a.shape)}, b is ${show(b.shape)}`);
  return matmul(a, b);
}

/** All products of two vectors' elements: `[m], [n] -> [m, n]`. PyTorch: `torch.outer`. */
export function outer(a: Tensor, b: Tensor): Tensor {
  checkRank("outer", "a", a, 1);
  checkRank("outer", "b", b, 1);
  return composed("outer", [a, b], () => matmul(unsqueeze(a, 1), unsqueeze(b, 0)));
}

/** A product for each item of a batch: `[batch, m, k], [batch, k, n] -> [batch, m, n]`. PyTorch: `torch.bmm`. */
export function bmm(a: Tensor, b: Tensor): Tensor {
  checkRank("bmm", "a", a, 3);
  checkRank("bmm", "b", b, 3);
  if (a.shape[0] !== b.shape[0])
    throw rangeError(
      "bmm",
      `batches differ: a is ${show(a.shape)}, b is ${show(b.shape)}`,
      "Use matmul() to broadcast.",
    );
  return matmul(a, b);
}
