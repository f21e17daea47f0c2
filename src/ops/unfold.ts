// Windows of images as columns, and back.

import { checkOptions, rangeError, show } from "../error.js";
import { extra } from "../kernels/index.js";
import { numelOf, type Shape, stridesOf } from "../shape.js";
import { composed, record } from "../tape/index.js";
import { allocate, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { checkFits } from "./checks.js";
import { checkFloat } from "./launch.js";
import { pad } from "./pad.js";
import { checkSpatial, checkWindows, type PerAxis, perAxis, windowsIn } from "./spatial.js";
import { copyStrided } from "./window.js";

/** Options of `unfold` and `fold`. */
export interface UnfoldOptions {
  /** Distance between the elements of a window; default 1. */
  readonly dilation?: PerAxis;
  /** Zeros on both sides of each axis; default 0. */
  readonly padding?: PerAxis;
  /** Distance between windows; default 1. */
  readonly stride?: PerAxis;
}

/** Where windows lie on images of one size, and how images and columns are walked together. */
interface Windows {
  /** Sizes of the images, with their borders: `[…, channels, height, width]`. */
  readonly image: Shape;
  /** `[…, channels · kernelHeight · kernelWidth, windows]`. */
  readonly columns: Shape;
  /** Zeros around an image, as `pad` takes them. */
  readonly border: readonly number[];
  /** All elements of all windows: planes, the kernel's rows and columns, the windows' rows and columns. */
  readonly dims: Shape;
  /** Distance of these elements in the image. */
  readonly strides: readonly number[];
}

function windowsOf(op: string, given: Shape, kernelSize: PerAxis, options: UnfoldOptions): Windows {
  checkOptions(op, options, ["dilation", "padding", "stride"]);
  const kernel = perAxis(op, "kernelSize", kernelSize, 2, 1);
  const stride = perAxis(op, "stride", options.stride ?? 1, 2, 1);
  const padding = perAxis(op, "padding", options.padding ?? 0, 2, 0);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, 2, 1);
  const [h, w] = padding as [number, number];
  const planes = given.slice(0, -2);
  const size = given.slice(-2);
  const bordered = size.map((s, i) => s + 2 * padding[i]!);
  const counts = bordered.map((s, i) => windowsIn(s, kernel[i]!, stride[i]!, 0, dilation[i]!));
  checkWindows(op, size, counts, () => `kernel ${show(kernel)}, padding ${show(padding)}, dilation ${show(dilation)}`);
  const width = bordered[1]!;
  return {
    image: [...planes, ...bordered],
    columns: [...planes.slice(0, -1), planes[planes.length - 1]! * numelOf(kernel), numelOf(counts)],
    border: [w, w, h, h],
    dims: [numelOf(planes), ...kernel, ...counts],
    strides: [numelOf(bordered), dilation[0]! * width, dilation[1]!, stride[0]! * width, stride[1]!],
  };
}

/** The image with its border, or (−1) what is within the border; itself where there is none. */
const bordered = (x: Tensor, { border }: Windows, sign: 1 | -1): Tensor =>
  border.some((n) => n > 0)
    ? pad(
        x,
        border.map((n) => sign * n),
      )
    : x;

function toColumns(x: Tensor, w: Windows): Tensor {
  ptr(x);
  const y = allocate(w.columns, "f32", "unfold");
  copyStrided(x, 0, w.strides, y, 0, stridesOf(w.dims), w.dims);
  return record("unfold", y, [[x, (gy) => toImages(gy, w)]]);
}

function toImages(x: Tensor, w: Windows): Tensor {
  ptr(x);
  const y = allocate(w.image, "f32", "fold");
  fillWith(y, 0);
  copyStrided(x, 0, stridesOf(w.dims), y, 0, w.strides, w.dims, extra().addStrided);
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
  const w = windowsOf("unfold", x.shape, kernelSize, options);
  return composed("unfold", [x], () => toColumns(bordered(x, w, 1), w));
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
  const channels = Math.ceil(x.shape[x.ndim - 2]! / numelOf(kernel)) || 1;
  const w = windowsOf("fold", [...x.shape.slice(0, -2), channels, ...size], kernel, options);
  checkFits("fold", "x", x, w.columns, ` for images of ${show(size)} and a kernel ${show(kernel)}`);
  return composed("fold", [x], () => bordered(toImages(x, w), w, -1));
}
