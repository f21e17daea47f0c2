// Convolutions and transposed convolutions of 1 to 3 axes.
import { checkInteger, checkOptions, describe, rangeError, show } from "../error.js";
import { sameShape } from "../shape.js";
import { Tensor } from "../tensor/index.js";
import { type Convolution, convolve, convolveBack } from "./convolve.js";
import { checkFloat } from "./launch.js";
import { checkSpatial, checkWindows, leadingOf, type PerAxis, perAxis, threeAxes, windowsIn } from "./spatial.js";

/** Options of `conv1d`, `conv2d`, `conv3d`. */
export interface ConvOptions {
  /** Distance between windows, at least 1; default 1. */
  readonly stride?: PerAxis;
  /** Zeros on both sides of each axis; "valid" is 0, "same" as many as keep the size (stride 1 only); default 0. */
  readonly padding?: PerAxis | "same" | "valid";
  /** Distance between the elements of a window, at least 1; default 1. */
  readonly dilation?: PerAxis;
  /** Into how many groups channels are divided, each with filters of its own; default 1. */
  readonly groups?: number;
}

/** Options of `convTranspose1d`, `convTranspose2d`. */
export interface ConvTransposeOptions {
  /** Distance between windows of the result, at least 1; default 1. */
  readonly stride?: PerAxis;
  /** How much of each side of the result is cut off; default 0. */
  readonly padding?: PerAxis;
  /** Size added behind the last element, less than the stride or the dilation; default 0. */
  readonly outputPadding?: PerAxis;
  /** Into how many groups channels are divided; default 1. */
  readonly groups?: number;
  /** Distance between the elements of a window, at least 1; default 1. */
  readonly dilation?: PerAxis;
}

/** Tells `(bias, options)` from `(options)`. */
function splitBias<O extends object>(op: string, bias: unknown, options: O | undefined): [Tensor | null, O] {
  if (bias === undefined || bias === null) return [null, options ?? ({} as O)];
  if (bias instanceof Tensor) return [bias, options ?? ({} as O)];
  if (typeof bias !== "object" || Array.isArray(bias) || options !== undefined) checkFloat(op, "bias", bias);
  return [null, bias as O];
}

function checkTensors(op: string, n: number, x: Tensor, weight: Tensor, bias: Tensor | null): void {
  checkFloat(op, "x", x);
  checkFloat(op, "weight", weight);
  if (bias !== null) checkFloat(op, "bias", bias);
  checkSpatial(op, x, n);
  if (weight.ndim !== n + 2 || weight.numel === 0) {
    throw rangeError(op, `weight must have ${n + 2} axes, none empty: got ${show(weight.shape)} (weight)`);
  }
}

function checkBias(op: string, bias: Tensor | null, channels: number): void {
  if (bias !== null && !sameShape(bias.shape, [channels])) {
    throw rangeError(op, `bias must be [${channels}]: got ${show(bias.shape)} (bias)`);
  }
}

/** Border before and behind each axis. */
function borders(
  op: string,
  padding: ConvOptions["padding"],
  n: number,
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): { before: number[]; both: number[] } {
  if (padding === "same") {
    if (stride.some((s) => s !== 1)) throw rangeError(op, `padding "same" needs stride 1: got stride ${show(stride)}`);
    const both = kernel.map((k, axis) => dilation[axis]! * (k - 1));
    return { before: both.map((b) => b >> 1), both };
  }
  if (typeof padding === "string" && padding !== "valid") {
    throw rangeError(op, `padding must be a number, an array, "same" or "valid": got ${describe(padding)}`);
  }
  const before = perAxis(op, "padding", padding === "valid" ? 0 : (padding ?? 0), n, 0);
  return { before, both: before.map((b) => 2 * b) };
}

const convOptions = ["stride", "padding", "dilation", "groups"];

/** Sizes of a convolution, or an error. */
function geometry(op: string, n: number, x: Tensor, weight: Tensor, options: ConvOptions): Convolution {
  const stride = perAxis(op, "stride", options.stride ?? 1, n, 1);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, n, 1);
  const groups = checkInteger(op, "groups", options.groups ?? 1, 1);
  const input = x.shape.slice(-n);
  const kernel = weight.shape.slice(2);
  const { before, both } = borders(op, options.padding, n, kernel, stride, dilation);
  const inChannels = x.shape[x.ndim - n - 1]!;
  const outChannels = weight.shape[0]!;
  const channels = weight.shape[1]!;
  if (inChannels !== channels * groups || outChannels % groups !== 0) {
    throw rangeError(
      op,
      `channels do not fit: x is ${show(x.shape)} with ${inChannels} channels, weight ${show(weight.shape)}, groups ${groups}`,
      "weight is [out, in / groups, …], and groups divides out.",
    );
  }
  const output = input.map((size, i) => windowsIn(size, kernel[i]!, stride[i]!, both[i]!, dilation[i]!));
  checkWindows(
    op,
    input,
    output,
    () => `kernel ${show(kernel)}, padding ${show(before)}, dilation ${show(dilation)}, stride ${show(stride)}`,
  );
  const leading = leadingOf(x, n);
  return {
    batch: leading[0] ?? 1,
    groups,
    channels,
    filters: outChannels / groups,
    input: threeAxes(input, 1),
    output: threeAxes(output, 1),
    kernel: threeAxes(kernel, 1),
    stride: threeAxes(stride, 1),
    padding: threeAxes(before, 0),
    dilation: threeAxes(dilation, 1),
    x: x.shape,
    weight: weight.shape,
    y: [...leading, outChannels, ...output],
  };
}

/** A call whose sizes are known: what they followed from beside the shapes. */
interface Known {
  readonly c: Convolution;
  readonly stride: unknown;
  readonly padding: unknown;
  readonly dilation: unknown;
  readonly groups: unknown;
}

/** By weight its latest call: layers are called again and again with one shape, and small ones spend their time on sizes. */
const latest = new WeakMap<Tensor, Known>();

function conv(op: string, n: number, x: Tensor, weight: Tensor, biasOrOptions: unknown, given?: ConvOptions): Tensor {
  const [bias, options] = splitBias(op, biasOrOptions, given);
  checkOptions(op, options, convOptions);
  checkTensors(op, n, x, weight, bias);
  const { stride, padding, dilation, groups } = options;
  let known = latest.get(weight);
  if (
    known === undefined ||
    known.stride !== stride ||
    known.padding !== padding ||
    known.dilation !== dilation ||
    known.groups !== groups ||
    !sameShape(known.c.x, x.shape)
  ) {
    known = { c: geometry(op, n, x, weight, options), stride, padding, dilation, groups };
    // An array may change between calls.
    if (![stride, padding, dilation].some(Array.isArray)) latest.set(weight, known);
  }
  checkBias(op, bias, weight.shape[0]!);
  return convolve(op, x, weight, bias, known.c);
}

/**
 * Slides windows over one axis: y(o, p) = bias(o) + Σ over channels c and taps t of
 * weight(o, c, t) · x(c, p · stride − padding + t · dilation), a cross-correlation as in PyTorch:
 * `torch.nn.functional.conv1d`.
 *
 * @param x `[batch, in, length]` or `[in, length]`.
 * @param weight `[out, in / groups, kernel]`.
 * @param bias `[out]`; may be left out, or be the options.
 * @returns `[batch, out, ⌊(length + 2 padding − dilation (kernel − 1) − 1) / stride⌋ + 1]`, or the same without batch.
 * @throws RangeError when channels, bias or window do not fit.
 * @example
 * import { conv1d, tensor } from "gradine";
 * const x = tensor([[[1, 2, 4, 8]]]);
 * console.log(conv1d(x, tensor([[[-1, 1]]])).toArray()); // [[[1, 2, 4]]]
 */
export function conv1d(x: Tensor, weight: Tensor, bias?: Tensor | ConvOptions | null, options?: ConvOptions): Tensor {
  return conv("conv1d", 1, x, weight, bias, options);
}

/**
 * Slides windows over two axes, as `conv1d` over one: `[batch, in, height, width] -> [batch, out, height', width']`.
 * Groups of one channel each (depthwise convolution) are computed directly. PyTorch: `torch.nn.functional.conv2d`.
 *
 * @param weight `[out, in / groups, kernelHeight, kernelWidth]`.
 * @param bias `[out]`; may be left out, or be the options.
 * @throws RangeError when channels, bias or window do not fit.
 * @example
 * import { conv2d, ones } from "gradine";
 * const y = conv2d(ones([1, 3, 8, 8]), ones([16, 3, 3, 3]), { stride: 2, padding: 1 });
 * console.log(y.shape, y.max().item()); // [1, 16, 4, 4] 27
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | ConvOptions | null, options?: ConvOptions): Tensor {
  return conv("conv2d", 2, x, weight, bias, options);
}

/**
 * Slides windows over three axes, as `conv1d` over one: `[batch, in, depth, height, width] -> [batch, out, …]`.
 * PyTorch: `torch.nn.functional.conv3d`.
 *
 * @param weight `[out, in / groups, kernelDepth, kernelHeight, kernelWidth]`.
 * @param bias `[out]`; may be left out, or be the options.
 * @throws RangeError when channels, bias or window do not fit.
 */
export function conv3d(x: Tensor, weight: Tensor, bias?: Tensor | ConvOptions | null, options?: ConvOptions): Tensor {
  return conv("conv3d", 3, x, weight, bias, options);
}

function convTranspose(
  op: string,
  n: number,
  x: Tensor,
  weight: Tensor,
  biasOrOptions: unknown,
  given?: ConvTransposeOptions,
): Tensor {
  const [bias, options] = splitBias(op, biasOrOptions, given);
  checkOptions(op, options, ["stride", "padding", "outputPadding", "groups", "dilation"]);
  checkTensors(op, n, x, weight, bias);
  const stride = perAxis(op, "stride", options.stride ?? 1, n, 1);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, n, 1);
  const padding = perAxis(op, "padding", options.padding ?? 0, n, 0);
  const extra = perAxis(op, "outputPadding", options.outputPadding ?? 0, n, 0);
  const groups = checkInteger(op, "groups", options.groups ?? 1, 1);
  const input = x.shape.slice(-n);
  const kernel = weight.shape.slice(2);
  const inChannels = x.shape[x.ndim - n - 1]!;
  const outChannels = weight.shape[1]! * groups;
  if (inChannels !== weight.shape[0] || inChannels % groups !== 0) {
    throw rangeError(
      op,
      `channels do not fit: x is ${show(x.shape)} with ${inChannels} channels, weight ${show(weight.shape)}, groups ${groups}`,
      "weight is [in, out / groups, …], and groups divides in.",
    );
  }
  checkBias(op, bias, outChannels);
  extra.forEach((e, i) => {
    if (e >= Math.max(stride[i]!, dilation[i]!)) {
      throw rangeError(
        op,
        `outputPadding must be less than stride or dilation: got ${show(extra)}, stride ${show(stride)}, dilation ${show(dilation)}`,
      );
    }
  });
  const output = input.map(
    (size, i) => (size - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (kernel[i]! - 1) + extra[i]! + 1,
  );
  if (output.some((size) => size < 1)) {
    throw rangeError(
      op,
      `nothing is left of the result: input ${show(input)}, kernel ${show(kernel)}, padding ${show(padding)} give ${show(output)}`,
    );
  }
  const leading = leadingOf(x, n);
  // The convolution whose gradient this is has x and y the other way round.
  const c: Convolution = {
    batch: leading[0] ?? 1,
    groups,
    channels: weight.shape[1]!,
    filters: inChannels / groups,
    input: threeAxes(output, 1),
    output: threeAxes(input, 1),
    kernel: threeAxes(kernel, 1),
    stride: threeAxes(stride, 1),
    padding: threeAxes(padding, 0),
    dilation: threeAxes(dilation, 1),
    x: [...leading, outChannels, ...output],
    weight: weight.shape,
    y: x.shape,
  };
  return convolveBack(op, x, weight, bias, c);
}

/**
 * The transpose of `conv1d`, the gradient of its input: each element of x adds its multiple of the window to the result.
 * PyTorch: `torch.nn.functional.conv_transpose1d`.
 *
 * @param x `[batch, in, length]` or `[in, length]`.
 * @param weight `[in, out / groups, kernel]`.
 * @param bias `[out]`; may be left out, or be the options.
 * @returns `[batch, out, (length − 1) stride − 2 padding + dilation (kernel − 1) + outputPadding + 1]`.
 * @throws RangeError when channels, bias or sizes do not fit.
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | ConvTransposeOptions | null,
  options?: ConvTransposeOptions,
): Tensor {
  return convTranspose("convTranspose1d", 1, x, weight, bias, options);
}

/**
 * The transpose of `conv2d`, as `convTranspose1d` of `conv1d`: `[batch, in, height, width] -> [batch, out, …]`.
 * PyTorch: `torch.nn.functional.conv_transpose2d`.
 *
 * @param weight `[in, out / groups, kernelHeight, kernelWidth]`.
 * @param bias `[out]`; may be left out, or be the options.
 * @throws RangeError when channels, bias or sizes do not fit.
 * @example
 * import { convTranspose2d, ones } from "gradine";
 * console.log(convTranspose2d(ones([1, 2, 4, 4]), ones([2, 3, 2, 2]), { stride: 2 }).shape); // [1, 3, 8, 8]
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | ConvTransposeOptions | null,
  options?: ConvTransposeOptions,
): Tensor {
  return convTranspose("convTranspose2d", 2, x, weight, bias, options);
}
