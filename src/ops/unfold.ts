// Windows of images as columns, and back.
import { checkOptions, rangeError, show } from "../error.js";
import { type Kernels, kernels, type Ptr } from "../kernels/index.js";
import { offset } from "../memory/index.js";
import { numelOf, type Shape, sameShape, stridesOf } from "../shape.js";
import { record } from "../tape/index.js";
import { allocate, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { checkFloat, inLoops } from "./launch.js";
import { checkSpatial, checkWindows, type PerAxis, perAxis, windowsIn } from "./spatial.js";

/** Options of `unfold` and `fold`. */
export interface UnfoldOptions {
  /** Distance between the elements of a window; default 1. */
  readonly dilation?: PerAxis;
  /** Zeros on both sides of each axis; default 0. */
  readonly padding?: PerAxis;
  /** Distance between windows; default 1. */
  readonly stride?: PerAxis;
}

/** Where windows lie on images of one size. */
interface Windows {
  /** `[…, channels, height, width]` and `[…, channels · kernelHeight · kernelWidth, windows]`. */
  readonly image: Shape;
  readonly columns: Shape;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly counts: readonly number[];
}

function windowsOf(op: string, image: Shape, kernelSize: PerAxis, options: UnfoldOptions): Windows {
  checkOptions(op, options, ["dilation", "padding", "stride"]);
  const kernel = perAxis(op, "kernelSize", kernelSize, 2, 1);
  const stride = perAxis(op, "stride", options.stride ?? 1, 2, 1);
  const padding = perAxis(op, "padding", options.padding ?? 0, 2, 0);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, 2, 1);
  const size = image.slice(-2);
  const counts = size.map((s, i) => windowsIn(s, kernel[i]!, stride[i]!, 2 * padding[i]!, dilation[i]!));
  checkWindows(op, size, counts, () => `kernel ${show(kernel)}, padding ${show(padding)}, dilation ${show(dilation)}`);
  const columns = [...image.slice(0, -3), image[image.length - 3]! * kernel[0]! * kernel[1]!, counts[0]! * counts[1]!];
  return { image, columns, kernel, stride, padding, dilation, counts };
}

/** One call of a kernel with four loops: sizes, then the strides of both operands. */
function strided(kernel: Kernels["copyStrided"], from: Ptr, to: Ptr, d: Shape, s: Shape, t: Shape): void {
  kernel(from, to, d[0]!, d[1]!, d[2]!, d[3]!, s[0]!, s[1]!, s[2]!, s[3]!, t[0]!, t[1]!, t[2]!, t[3]!);
}

/** Copies between images and a bordered copy of them: into it, or the inside out of it. */
function border(x: Tensor, shape: Shape, w: Windows, inward: boolean): Tensor {
  const y = allocate(shape, "f32", "unfold");
  if (inward) fillWith(y, 0);
  const [from, to] = [ptr(x), ptr(y)];
  const inner = inward ? x : y;
  const wide = stridesOf((inward ? y : x).shape);
  const rank = wide.length;
  const corner = 4 * (w.padding[0]! * wide[rank - 2]! + w.padding[1]!);
  const strides = [stridesOf(inner.shape), wide];
  inLoops(4, [...inner.shape], inward ? strides : strides.reverse(), (d, [s, t], [a, b]) => {
    const p = offset(from, 4 * a! + (inward ? 0 : corner));
    const q = offset(to, 4 * b! + (inward ? corner : 0));
    strided(kernels.copyStrided, p, q, d, s!, t!);
  });
  return y;
}

/** Walks all elements of all windows, in the image (bordered) and in the columns. */
function eachElement(w: Windows, bordered: Shape, run: Parameters<typeof inLoops>[3]): void {
  const planes = numelOf(w.image.slice(0, -2));
  const [height, width] = [bordered[bordered.length - 2]!, bordered[bordered.length - 1]!];
  const dims = [planes, w.kernel[0]!, w.kernel[1]!, w.counts[0]!, w.counts[1]!];
  const inImage = [height * width, w.dilation[0]! * width, w.dilation[1]!, w.stride[0]! * width, w.stride[1]!];
  inLoops(4, dims, [inImage, stridesOf(dims)], run);
}

const withBorder = (w: Windows): number[] =>
  w.image.map((size, axis) => size + 2 * (w.padding[axis - w.image.length + 2] ?? 0));

function toColumns(x: Tensor, w: Windows): Tensor {
  ptr(x);
  const bordered = withBorder(w);
  const source = sameShape(bordered, w.image) ? x : border(x, bordered, w, true);
  const from = ptr(source);
  const y = allocate(w.columns, "f32", "unfold");
  const to = ptr(y);
  eachElement(w, bordered, (d, [s, t], [a, b]) =>
    strided(kernels.copyStrided, offset(from, 4 * a!), offset(to, 4 * b!), d, s!, t!),
  );
  if (source !== x) source.release("within unfold()");
  return record("unfold", y, [[x, (gy) => toImages(gy, w)]]);
}

function toImages(x: Tensor, w: Windows): Tensor {
  const from = ptr(x);
  const bordered = withBorder(w);
  const sums = allocate(bordered, "f32", "fold");
  fillWith(sums, 0);
  const to = ptr(sums);
  eachElement(w, bordered, (d, [s, t], [a, b]) =>
    strided(kernels.addStrided, offset(from, 4 * b!), offset(to, 4 * a!), d, t!, s!),
  );
  let y = sums;
  if (!sameShape(bordered, w.image)) {
    y = border(sums, w.image, w, false);
    sums.release("within fold()");
  }
  return record("fold", y, [[x, (gy) => toColumns(gy, w)]]);
}

/**
 * Windows as columns: `[batch, channels, height, width] -> [batch, channels · kernelHeight · kernelWidth, windows]`, what
 * a convolution multiplies with its weight. PyTorch: `torch.nn.functional.unfold`.
 *
 * @param x may have no batch axis.
 * @throws RangeError when no window fits.
 * @example
 * import { tensor, unfold } from "gradine";
 * console.log(unfold(tensor([[[[0, 1, 2, 3]]]]), [1, 2]).toArray()); // [[[0, 1, 2], [1, 2, 3]]]
 */
export function unfold(x: Tensor, kernelSize: PerAxis, options: UnfoldOptions = {}): Tensor {
  checkFloat("unfold", "x", x);
  checkSpatial("unfold", x, 2);
  return toColumns(x, windowsOf("unfold", x.shape, kernelSize, options));
}

/**
 * The transpose of `unfold`: columns added up into images,
 * `[batch, channels · kernelHeight · kernelWidth, windows] -> [batch, channels, …outputSize]`.
 * PyTorch: `torch.nn.functional.fold`.
 *
 * @param x may have no batch axis.
 * @param outputSize height and width of the images.
 * @throws RangeError when the columns are not those of such images.
 */
export function fold(x: Tensor, outputSize: PerAxis, kernelSize: PerAxis, options: UnfoldOptions = {}): Tensor {
  checkFloat("fold", "x", x);
  const size = perAxis("fold", "outputSize", outputSize, 2, 1);
  const kernel = perAxis("fold", "kernelSize", kernelSize, 2, 1);
  if (x.ndim !== 2 && x.ndim !== 3) {
    throw rangeError("fold", `x must be [batch, columns, windows] or [columns, windows]: got ${show(x.shape)} (x)`);
  }
  const columns = x.shape[x.ndim - 2]!;
  const channels = columns / (kernel[0]! * kernel[1]!);
  if (!Number.isInteger(channels) || channels === 0) {
    throw rangeError("fold", `x ${show(x.shape)} has ${columns} rows, no multiple of a kernel ${show(kernel)}`);
  }
  const w = windowsOf("fold", [...x.shape.slice(0, -2), channels, ...size], kernel, options);
  if (!sameShape(w.columns, x.shape)) {
    throw rangeError(
      "fold",
      `images of ${show(size)} with kernel ${show(kernel)} have ${w.columns[w.columns.length - 1]} windows: x is ${show(x.shape)}`,
    );
  }
  return toImages(x, w);
}
