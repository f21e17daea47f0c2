// Pooling, resizing and padding as layers.
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  type InterpolateOptions,
  interpolate,
  maxPool1d,
  maxPool2d,
  type OutputSize,
  type PerAxis,
  pad,
} from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import { perAxis } from "./conv.js";
import { type Given, Layer, settle } from "./layer.js";

interface MaxPoolLayerOptions {
  /** Distance between windows; default the kernel's size. */
  readonly stride: PerAxis;
  readonly padding: PerAxis;
  readonly dilation: PerAxis;
  readonly ceilMode: boolean;
}

interface AvgPoolLayerOptions {
  readonly stride: PerAxis;
  readonly padding: PerAxis;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
}

abstract class Pool<Options extends object> extends Layer {
  readonly kernelSize: PerAxis;
  readonly options: Options;
  private readonly op: (x: Tensor, kernelSize: PerAxis, options: Options) => Tensor;

  constructor(
    op: (x: Tensor, kernelSize: PerAxis, options: Options) => Tensor,
    axes: number,
    kernelSize: PerAxis,
    options: Given<Options>,
    defaults: Options,
  ) {
    super();
    this.op = op;
    perAxis(this.name, "kernelSize", kernelSize, axes, 1);
    this.kernelSize = kernelSize;
    this.options = settle(this.name, options, defaults);
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => this.op(x, this.kernelSize, this.options));
  }
}

const maxDefaults = (stride: PerAxis): MaxPoolLayerOptions => ({ stride, padding: 0, dilation: 1, ceilMode: false });

/** The largest element of each window of `[batch, channels, length]`. PyTorch: `torch.nn.MaxPool1d`. */
export class MaxPool1d extends Pool<MaxPoolLayerOptions> {
  static override typeName = "MaxPool1d";
  constructor(kernelSize: PerAxis, options: Given<MaxPoolLayerOptions> = {}) {
    super(maxPool1d, 1, kernelSize, options, maxDefaults(kernelSize));
  }
}

/** The largest element of each window of `[batch, channels, height, width]`. PyTorch: `torch.nn.MaxPool2d`. */
export class MaxPool2d extends Pool<MaxPoolLayerOptions> {
  static override typeName = "MaxPool2d";
  constructor(kernelSize: PerAxis, options: Given<MaxPoolLayerOptions> = {}) {
    super(maxPool2d, 2, kernelSize, options, maxDefaults(kernelSize));
  }
}

const avgDefaults = (stride: PerAxis): AvgPoolLayerOptions => ({
  stride,
  padding: 0,
  ceilMode: false,
  countIncludePad: true,
});

/** The average of each window of `[batch, channels, length]`. PyTorch: `torch.nn.AvgPool1d`. */
export class AvgPool1d extends Pool<AvgPoolLayerOptions> {
  static override typeName = "AvgPool1d";
  constructor(kernelSize: PerAxis, options: Given<AvgPoolLayerOptions> = {}) {
    super(avgPool1d, 1, kernelSize, options, avgDefaults(kernelSize));
  }
}

/** The average of each window of `[batch, channels, height, width]`. PyTorch: `torch.nn.AvgPool2d`. */
export class AvgPool2d extends Pool<AvgPoolLayerOptions> {
  static override typeName = "AvgPool2d";
  constructor(kernelSize: PerAxis, options: Given<AvgPoolLayerOptions> = {}) {
    super(avgPool2d, 2, kernelSize, options, avgDefaults(kernelSize));
  }
}

abstract class AdaptivePool extends Layer {
  readonly outputSize: OutputSize;
  private readonly op: (x: Tensor, outputSize: OutputSize) => Tensor;

  constructor(op: (x: Tensor, outputSize: OutputSize) => Tensor, outputSize: OutputSize) {
    super();
    this.op = op;
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => this.op(x, this.outputSize));
  }
}

/** Averages down to a given length. PyTorch: `torch.nn.AdaptiveAvgPool1d`. */
export class AdaptiveAvgPool1d extends AdaptivePool {
  static override typeName = "AdaptiveAvgPool1d";
  constructor(outputSize: OutputSize) {
    super(adaptiveAvgPool1d, outputSize);
  }
}

/** Averages down to a given size; 1 is the global average. PyTorch: `torch.nn.AdaptiveAvgPool2d`. */
export class AdaptiveAvgPool2d extends AdaptivePool {
  static override typeName = "AdaptiveAvgPool2d";
  constructor(outputSize: OutputSize) {
    super(adaptiveAvgPool2d, outputSize);
  }
}

/** Largest elements, down to a given length. PyTorch: `torch.nn.AdaptiveMaxPool1d`. */
export class AdaptiveMaxPool1d extends AdaptivePool {
  static override typeName = "AdaptiveMaxPool1d";
  constructor(outputSize: OutputSize) {
    super(adaptiveMaxPool1d, outputSize);
  }
}

/** Largest elements, down to a given size. PyTorch: `torch.nn.AdaptiveMaxPool2d`. */
export class AdaptiveMaxPool2d extends AdaptivePool {
  static override typeName = "AdaptiveMaxPool2d";
  constructor(outputSize: OutputSize) {
    super(adaptiveMaxPool2d, outputSize);
  }
}

/** Resizes to a `size`, or by a `scaleFactor`. PyTorch: `torch.nn.Upsample`. */
export class Upsample extends Layer {
  static override typeName = "Upsample";
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => interpolate(x, this.options));
  }
}

abstract class Padding extends Layer {
  /** Amounts as `pad` takes them: left, right, top, bottom. */
  readonly padding: readonly number[];
  private readonly mode: "constant" | "reflect";

  constructor(padding: PerAxis, mode: "constant" | "reflect") {
    super();
    this.mode = mode;
    this.padding = perAxis(this.name, "padding", padding, 4, -Infinity);
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => pad(x, this.padding, { mode: this.mode }));
  }
}

/** Zeros around the last two axes: one number, or `[left, right, top, bottom]`. PyTorch: `torch.nn.ZeroPad2d`. */
export class ZeroPad2d extends Padding {
  static override typeName = "ZeroPad2d";
  constructor(padding: PerAxis) {
    super(padding, "constant");
  }
}

/** The mirror image around the last two axes, without the edge itself. PyTorch: `torch.nn.ReflectionPad2d`. */
export class ReflectionPad2d extends Padding {
  static override typeName = "ReflectionPad2d";
  constructor(padding: PerAxis) {
    super(padding, "reflect");
  }
}
