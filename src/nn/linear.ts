// Linear layers and what is made of them.
import { checkInteger, rangeError, show } from "../error.js";
import { add, einsum, linear, matmul, maxout, reshape, unsqueeze } from "../ops/index.js";
import { numelOf } from "../shape.js";
import { empty, type Tensor } from "../tensor/index.js";
import { uniform } from "./init.js";
import { type Given, Layer, settle } from "./layer.js";
import { type Parameter, takeParameter } from "./parameter.js";

/** Options of layers with a bias. */
export interface BiasOptions {
  /** Add a learned bias; default true. */
  readonly bias?: boolean;
}
/** Options of `Linear`. */
export type LinearOptions = BiasOptions;

/** @internal A parameter uniform in ±bound. */
export const uniformParameter = (shape: readonly number[], bound: number): Parameter =>
  takeParameter(uniform(empty(shape), { low: -bound, high: bound }));

/** @internal 1/√n, PyTorch's bound of weights and biases; 0 for no inputs. */
export const boundOf = (n: number): number => (n > 0 ? 1 / Math.sqrt(n) : 0);

/**
 * y = x·Wᵀ + b. `[…, in] -> […, out]`. Weight `[out, in]` and bias `[out]` start uniform in ±1/√in, as in PyTorch:
 * `torch.nn.Linear`.
 *
 * @example
 * import { randn } from "gradine";
 * import { Linear } from "gradine/nn";
 * console.log(new Linear(3, 2).forward(randn([5, 3])).shape); // [5, 2]
 */
export class Linear extends Layer {
  static override typeName = "Linear";
  weight!: Parameter;
  bias: Parameter | undefined;
  inFeatures!: number;
  readonly outFeatures: number;

  constructor(inFeatures: number, outFeatures: number, options: Given<LinearOptions> = {}) {
    super();
    this.outFeatures = checkInteger(this.name, "outFeatures", outFeatures, 0);
    this.make(inFeatures, settle<Required<BiasOptions>>(this.name, options, { bias: true }).bias);
  }

  /** @internal Makes the parameters. */
  protected make(inFeatures: number, bias: boolean): void {
    this.inFeatures = checkInteger(this.name, "inFeatures", inFeatures, 0);
    const bound = boundOf(inFeatures);
    this.weight = uniformParameter([this.outFeatures, inFeatures], bound);
    if (bias) this.bias = uniformParameter([this.outFeatures], bound);
  }

  forward(x: Tensor): Tensor {
    // As `guard`, without a function: this is a tenth of what a small layer costs.
    try {
      return linear(x, this.weight, this.bias);
    } catch (error) {
      throw this.located(error);
    }
  }

  override multiplyAdds(_: unknown, y: Tensor): number {
    return y.numel * this.inFeatures;
  }
}

/**
 * A `Linear` whose input size is that of the first input. Run one batch before making the optimizer.
 * PyTorch: `torch.nn.LazyLinear`.
 *
 * @example
 * import { randn } from "gradine";
 * import { LazyLinear } from "gradine/nn";
 * const layer = new LazyLinear(2);
 * layer.forward(randn([5, 3]));
 * console.log(layer.weight.shape); // [2, 3]
 */
export class LazyLinear extends Linear {
  static override typeName = "LazyLinear";
  // A function, so that it is not printed as a size.
  private readonly biased: () => boolean;

  constructor(outFeatures: number, options: Given<LinearOptions> = {}) {
    super(-1, outFeatures, options);
    this.biased = () => options.bias ?? true;
  }

  protected override make(inFeatures: number, bias: boolean): void {
    if (inFeatures >= 0) super.make(inFeatures, bias);
  }

  override checkComplete(): void {
    if (this.weight === undefined) {
      throw this.located(
        rangeError(this.name, "the input size is not known yet", "Run one batch through the model first."),
      );
    }
  }

  override forward(x: Tensor): Tensor {
    if (this.weight === undefined) this.guard(() => super.make(x.shape[x.ndim - 1] ?? -1, this.biased()));
    return super.forward(x);
  }
}

/** y_k = x1ᵀ·W_k·x2 + b_k. `[…, in1], […, in2] -> […, out]`; weight `[out, in1, in2]`. PyTorch: `torch.nn.Bilinear`. */
export class Bilinear extends Layer {
  static override typeName = "Bilinear";
  weight: Parameter;
  bias: Parameter | undefined;

  readonly in1Features: number;
  readonly in2Features: number;
  readonly outFeatures: number;

  constructor(in1Features: number, in2Features: number, outFeatures: number, options: Given<BiasOptions> = {}) {
    super();
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    for (const [name, size] of Object.entries({ in1Features, in2Features, outFeatures })) {
      checkInteger("Bilinear", name, size, 1);
    }
    const bound = boundOf(in1Features);
    this.weight = uniformParameter([outFeatures, in1Features, in2Features], bound);
    if (settle<Required<BiasOptions>>("Bilinear", options, { bias: true }).bias)
      this.bias = uniformParameter([outFeatures], bound);
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    return this.composite([x1, x2], () => {
      const { in1Features: n1, in2Features: n2, outFeatures } = this;
      const leading = x1.shape.slice(0, -1);
      if (show([...leading, n1]) !== show(x1.shape) || show([...leading, n2]) !== show(x2.shape)) {
        throw rangeError(
          "Bilinear",
          `x1 is ${show(x1.shape)}, x2 is ${show(x2.shape)} where […, ${n1}] and […, ${n2}] belong`,
          "Their leading axes agree.",
        );
      }
      const rows = numelOf(leading);
      const half = einsum("ni,kij->nkj", reshape(x1, [rows, n1]), this.weight);
      const y = reshape(matmul(half, unsqueeze(reshape(x2, [rows, n2]), 2)), [...leading, outFeatures]);
      return this.bias === undefined ? y : add(y, this.bias);
    });
  }

  override multiplyAdds(_: unknown, y: Tensor): number {
    return y.numel * this.in1Features * (this.in2Features + 1);
  }
}

/** Gives its input. PyTorch: `torch.nn.Identity`. */
export class Identity extends Layer {
  static override typeName = "Identity";
  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * The largest of `pieces` linear functions for each output (Goodfellow et al. 2013): a learned convex activation.
 * `[…, in] -> […, out]`; the weight is that of a `Linear` with pieces·out outputs, the pieces of one output in a row.
 */
export class Maxout extends Linear {
  static override typeName = "Maxout";
  readonly pieces: number;

  constructor(inFeatures: number, outFeatures: number, pieces: number, options: Given<LinearOptions> = {}) {
    checkInteger("Maxout", "pieces", pieces, 1);
    super(inFeatures, outFeatures * pieces, options);
    this.pieces = pieces;
  }

  override forward(x: Tensor): Tensor {
    return this.composite([x], () => maxout(super.forward(x), this.pieces));
  }
}
