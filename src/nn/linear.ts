// Linear layers.
import { checkInteger, checkOptions } from "../error.js";
import { linear } from "../ops/index.js";
import { empty, type Tensor } from "../tensor/index.js";
import { uniform } from "./init.js";
import { Module } from "./module.js";
import { type Parameter, takeParameter } from "./parameter.js";

/** Options of `Linear`. */
export interface LinearOptions {
  /** Add a learned bias; default true. */
  readonly bias?: boolean;
}

/**
 * y = x·Wᵀ + b. `[…, in] -> […, out]`. Weight `[out, in]` and bias `[out]` start uniform in ±1/√in, as in PyTorch:
 * `torch.nn.Linear`.
 *
 * @example
 * import { randn } from "gradine";
 * import { Linear } from "gradine/nn";
 * console.log(new Linear(3, 2).forward(randn([5, 3])).shape); // [5, 2]
 */
export class Linear extends Module {
  static override typeName = "Linear";
  weight: Parameter;
  bias: Parameter | undefined;

  readonly inFeatures: number;
  readonly outFeatures: number;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkInteger("Linear", "inFeatures", inFeatures, 0);
    checkInteger("Linear", "outFeatures", outFeatures, 0);
    checkOptions("Linear", options, ["bias"]);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const bound = inFeatures > 0 ? 1 / Math.sqrt(inFeatures) : 0;
    const range = { low: -bound, high: bound };
    this.weight = takeParameter(uniform(empty([outFeatures, inFeatures]), range));
    if (options.bias ?? true) this.bias = takeParameter(uniform(empty([outFeatures]), range));
  }

  forward(x: Tensor): Tensor {
    try {
      return linear(x, this.weight, this.bias);
    } catch (error) {
      throw this.located(error);
    }
  }

  protected override extraText(): string {
    return `inFeatures=${this.inFeatures}, outFeatures=${this.outFeatures}, bias=${this.bias !== undefined}`;
  }
}
