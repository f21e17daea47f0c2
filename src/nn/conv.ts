// Convolution layers of one to three axes, and transposed ones.
import { checkInteger, describe, rangeError } from "../error.js";
import {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  type PerAxis,
  pad,
} from "../ops/index.js";
import { numelOf } from "../shape.js";
import type { Tensor } from "../tensor/index.js";
import { type Given, Layer, settle } from "./layer.js";
import { boundOf, uniformParameter } from "./linear.js";
import type { Parameter } from "./parameter.js";

/** @internal One number for all axes, or one an axis. */
export function perAxis(op: string, name: string, value: PerAxis, axes: number, low: number): number[] {
  const list = Array.isArray(value) ? [...(value as readonly number[])] : new Array<number>(axes).fill(value as number);
  if (list.length !== axes) throw rangeError(op, `${name} takes one number, or ${axes}: got ${describe(value)}`);
  for (const item of list) checkInteger(op, name, item, low);
  return list;
}

type PaddingMode = "zeros" | "reflect" | "replicate" | "circular";

/** Options of `Conv1d`, `Conv2d`, `Conv3d`: those of the ops, and these. */
export interface ConvLayerOptions extends Required<ConvOptions> {
  readonly bias: boolean;
  /** What stands beyond the edge; default "zeros". */
  readonly paddingMode: PaddingMode;
}

/** Options of `ConvTranspose1d`, `ConvTranspose2d`: those of the ops, and `bias`. */
export interface ConvTransposeLayerOptions extends Required<ConvTransposeOptions> {
  readonly bias: boolean;
}

/** Weight `[out, in / groups, …kernel]`, or `[in, out / groups, …kernel]` when transposed. */
abstract class Convolution<Options extends ConvLayerOptions | ConvTransposeLayerOptions> extends Layer {
  weight: Parameter;
  bias: Parameter | undefined;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  readonly options: Omit<Options, "bias">;

  constructor(
    axes: number,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: Given<Options>,
    defaults: Options,
    transposed: boolean,
  ) {
    super();
    const op = this.name;
    const { bias, ...rest } = settle<Options>(op, options, defaults);
    const groups = checkInteger(op, "groups", rest.groups, 1);
    this.inChannels = checkInteger(op, "inChannels", inChannels, 1);
    this.outChannels = checkInteger(op, "outChannels", outChannels, 1);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw rangeError(
        op,
        `groups must divide the channels: groups is ${groups}, inChannels ${inChannels}, outChannels ${outChannels}`,
      );
    }
    this.kernelSize = perAxis(op, "kernelSize", kernelSize, axes, 1);
    for (const name of ["stride", "dilation"] as const) perAxis(op, name, rest[name], axes, 1);
    if (typeof rest.padding !== "string") perAxis(op, "padding", rest.padding as PerAxis, axes, 0);
    this.options = rest;
    const [rows, columns] = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    // PyTorch's: Kaiming uniform with slope √5, which is 1/√n of what it calls fan-in, for the transposed weight too.
    const bound = boundOf(columns * numelOf(this.kernelSize));
    this.weight = uniformParameter([rows, columns, ...this.kernelSize], bound);
    if (bias) this.bias = uniformParameter([outChannels], bound);
  }
}

type ConvOp = (x: Tensor, weight: Tensor, bias: Tensor | undefined, options: ConvOptions) => Tensor;

const convDefaults: ConvLayerOptions = {
  stride: 1,
  padding: 0,
  dilation: 1,
  groups: 1,
  bias: true,
  paddingMode: "zeros",
};

abstract class Conv extends Convolution<ConvLayerOptions> {
  protected abstract readonly op: ConvOp;

  constructor(
    axes: number,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: Given<ConvLayerOptions>,
  ) {
    super(axes, inChannels, outChannels, kernelSize, options, convDefaults, false);
    const { paddingMode } = this.options;
    if (!["zeros", "reflect", "replicate", "circular"].includes(paddingMode)) {
      throw rangeError(this.name, `unknown paddingMode ${describe(paddingMode)}`);
    }
  }

  forward(x: Tensor): Tensor {
    const { paddingMode, ...options } = this.options;
    if (paddingMode === "zeros") return this.guard(() => this.op(x, this.weight, this.bias, options));
    return this.composite([x], () =>
      this.op(pad(x, this.borders(), { mode: paddingMode }), this.weight, this.bias, { ...options, padding: 0 }),
    );
  }

  /** Amounts of `pad`, from the last axis; "same" puts the odd one behind. */
  private borders(): number[] {
    const { padding, dilation } = this.options;
    const axes = this.kernelSize.length;
    const spread = perAxis(this.name, "dilation", dilation, axes, 1);
    if (padding === "valid") return new Array<number>(2 * axes).fill(0);
    const each =
      padding === "same"
        ? this.kernelSize.map((size, i) => spread[i]! * (size - 1))
        : perAxis(this.name, "padding", padding, axes, 0).map((size) => 2 * size);
    return each.reverse().flatMap((total) => [total >> 1, total - (total >> 1)]);
  }

  override multiplyAdds(_: unknown, y: Tensor): number {
    return (y.numel * this.weight.numel) / this.outChannels;
  }
}

/**
 * Convolution of `[batch, in, length]`. Weight `[out, in / groups, kernel]` and bias `[out]` start uniform in ±1/√n, n the
 * inputs of an output. PyTorch: `torch.nn.Conv1d`.
 */
export class Conv1d extends Conv {
  static override typeName = "Conv1d";
  protected override readonly op: ConvOp = conv1d;
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: Given<ConvLayerOptions> = {}) {
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Convolution of `[batch, in, height, width]`. PyTorch: `torch.nn.Conv2d`.
 *
 * @param kernelSize one number, or `[height, width]`.
 * @param options `stride`, `padding` (or "same"), `dilation`, `groups`, `bias`, `paddingMode`.
 * @example
 * import { randn } from "gradine";
 * import { Conv2d } from "gradine/nn";
 * console.log(new Conv2d(3, 8, 3, { padding: 1, stride: 2 }).forward(randn([1, 3, 32, 32])).shape); // [1, 8, 16, 16]
 */
export class Conv2d extends Conv {
  static override typeName = "Conv2d";
  protected override readonly op: ConvOp = conv2d;
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: Given<ConvLayerOptions> = {}) {
    super(2, inChannels, outChannels, kernelSize, options);
  }
}

/** Convolution of `[batch, in, depth, height, width]`. PyTorch: `torch.nn.Conv3d`. */
export class Conv3d extends Conv {
  static override typeName = "Conv3d";
  protected override readonly op: ConvOp = conv3d;
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: Given<ConvLayerOptions> = {}) {
    super(3, inChannels, outChannels, kernelSize, options);
  }
}

type ConvTransposeOp = (x: Tensor, weight: Tensor, bias: Tensor | undefined, options: ConvTransposeOptions) => Tensor;

const transposeDefaults: ConvTransposeLayerOptions = {
  stride: 1,
  padding: 0,
  outputPadding: 0,
  groups: 1,
  dilation: 1,
  bias: true,
};

abstract class ConvTranspose extends Convolution<ConvTransposeLayerOptions> {
  protected abstract readonly op: ConvTransposeOp;

  constructor(
    axes: number,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: Given<ConvTransposeLayerOptions>,
  ) {
    super(axes, inChannels, outChannels, kernelSize, options, transposeDefaults, true);
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => this.op(x, this.weight, this.bias, this.options));
  }

  override multiplyAdds([x]: readonly [Tensor]): number {
    return (x.numel * this.weight.numel) / this.inChannels;
  }
}

/** Transposed convolution of `[batch, in, length]`: grows where `Conv1d` shrinks. PyTorch: `torch.nn.ConvTranspose1d`. */
export class ConvTranspose1d extends ConvTranspose {
  static override typeName = "ConvTranspose1d";
  protected override readonly op: ConvTransposeOp = convTranspose1d;
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: Given<ConvTransposeLayerOptions> = {},
  ) {
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/** Transposed convolution of `[batch, in, height, width]`. PyTorch: `torch.nn.ConvTranspose2d`. */
export class ConvTranspose2d extends ConvTranspose {
  static override typeName = "ConvTranspose2d";
  protected override readonly op: ConvTransposeOp = convTranspose2d;
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: Given<ConvTransposeLayerOptions> = {},
  ) {
    super(2, inChannels, outChannels, kernelSize, options);
  }
}
