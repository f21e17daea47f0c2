// In-place writes: they raise the version of the memory they change, so that backward() refuses stale saved tensors.

import { describe, rangeError, show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { broadcastStrides, sameShape, stridesOf } from "../shape.js";
import { checkTensor, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { checkSameType } from "./checks.js";
import { copyStrided } from "./window.js";
import { checkWritable } from "./writable.js";

/** Writes `source` (broadcast to x) into x and gives x. PyTorch: `Tensor.copy_`. */
export function copy(x: Tensor, source: Tensor): Tensor {
  checkWritable("copy", x);
  checkTensor("copy", "source", source);
  checkSameType("copy", "x", x, "source", source);
  const extra = x.ndim - source.ndim;
  if (extra < 0 || source.shape.some((size, i) => size !== 1 && size !== x.shape[i + extra])) {
    throw rangeError("copy", `source ${show(source.shape)} does not broadcast to x ${show(x.shape)}`);
  }
  const from = ptr(source);
  const to = ptr(x);
  x.storage.written();
  if (sameShape(x.shape, source.shape)) kernels.copyStrided(from, to, 1, 1, 1, x.numel, 0, 0, 0, 1, 0, 0, 0, 1);
  else copyStrided(source, 0, broadcastStrides(source.shape, x.shape), x, 0, stridesOf(x.shape), x.shape);
  return x;
}

/** Writes one value everywhere and gives x. PyTorch: `Tensor.fill_`. */
export function fill(x: Tensor, value: number | boolean): Tensor {
  checkWritable("fill", x);
  if (typeof value !== "number" && typeof value !== "boolean")
    throw typeError("fill", `the value must be a number: got ${describe(value)}`);
  return writeAll(x, Number(value));
}

/** Writes 0 everywhere and gives x. PyTorch: `Tensor.zero_`. */
export function zero(x: Tensor): Tensor {
  checkWritable("zero", x);
  return writeAll(x, 0);
}

function writeAll(x: Tensor, value: number): Tensor {
  ptr(x);
  x.storage.written();
  fillWith(x, value);
  return x;
}
