// Dropout as layers: they drop in training and pass on in evaluation.
import { checkNumber, rangeError } from "../error.js";
import { alphaDropout, bernoulli, type DropoutOptions, dropout, dropout1d, dropout2d, mul } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { full, type Generator, type Tensor } from "../tensor/index.js";
import { type Given, Layer, settle } from "./layer.js";

/** Options of dropout layers. */
export interface DropoutLayerOptions {
  /** Probability of an element (or channel) to be dropped; default 0.5. */
  readonly p: number;
  /** Where masks are drawn from; default: the generator that `manualSeed` seeds. */
  readonly generator: Generator | undefined;
}

type DropoutOp = (x: Tensor, options: DropoutOptions) => Tensor;

abstract class Drop<Options extends DropoutLayerOptions = DropoutLayerOptions> extends Layer {
  /** Probability of an element (or channel) to be dropped; may be set at any time. */
  p: number;
  protected readonly generator: Generator | undefined;
  protected readonly op: DropoutOp;

  constructor(op: DropoutOp, p: number | Given<Options>, defaults: Options) {
    super();
    this.op = op;
    const settled = settle<Options>(this.name, typeof p === "number" ? ({ p } as Given<Options>) : p, defaults);
    this.p = checkNumber(this.name, "p", settled.p, 0, 1);
    this.generator = settled.generator;
  }

  forward(x: Tensor): Tensor {
    if (!this.training) return x;
    return this.guard(() => this.op(x, { p: this.p, ...(this.generator && { generator: this.generator }) }));
  }
}

const defaults: DropoutLayerOptions = { p: 0.5, generator: undefined };

type Rule = { readonly rule: "inverted" | "weightScaling" };

/**
 * Sets elements to 0 with probability p in training.
 *
 * @param p probability, default 0.5; or the options. `rule` "inverted" (default, PyTorch's) multiplies what stays by
 * 1/(1 − p) in training; "weightScaling" (Srivastava et al. 2014) multiplies everything by 1 − p in evaluation instead.
 * PyTorch: `torch.nn.Dropout`.
 */
export class Dropout extends Drop<DropoutLayerOptions & Rule> {
  static override typeName = "Dropout";
  readonly rule: Rule["rule"];

  constructor(p: number | Given<DropoutLayerOptions & Rule> = {}) {
    const rule = (typeof p === "object" ? p.rule : undefined) ?? "inverted";
    super(dropout, p, { ...defaults, rule: "inverted" });
    if (rule !== "inverted" && rule !== "weightScaling") {
      throw rangeError("Dropout", `rule must be "inverted" or "weightScaling": got ${String(rule)}`);
    }
    this.rule = rule;
  }

  override forward(x: Tensor): Tensor {
    if (this.rule === "inverted") return super.forward(x);
    const { p, generator } = this;
    return this.composite([x], () => {
      if (!this.training) return mul(x, 1 - p);
      return mul(
        x,
        noGrad(() => bernoulli(full(x.shape, 1 - p), generator && { generator })),
      );
    });
  }
}

/** Drops whole channels of `[batch, channels, length]` in training. PyTorch: `torch.nn.Dropout1d`. */
export class Dropout1d extends Drop {
  static override typeName = "Dropout1d";
  constructor(p: number | Given<DropoutLayerOptions> = {}) {
    super(dropout1d, p, defaults);
  }
}

/** Drops whole channels of `[batch, channels, height, width]` in training (Tompson et al. 2015). PyTorch: `torch.nn.Dropout2d`. */
export class Dropout2d extends Drop {
  static override typeName = "Dropout2d";
  constructor(p: number | Given<DropoutLayerOptions> = {}) {
    super(dropout2d, p, defaults);
  }
}

/** Dropout that keeps mean 0 and variance 1 behind selu. PyTorch: `torch.nn.AlphaDropout`. */
export class AlphaDropout extends Drop {
  static override typeName = "AlphaDropout";
  constructor(p: number | Given<DropoutLayerOptions> = {}) {
    super(alphaDropout, p, defaults);
  }
}
