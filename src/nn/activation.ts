// Activations as layers.
import { checkInteger } from "../error.js";
import {
  binaryStep,
  elu,
  gelu,
  glu,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  prelu,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softmin,
  softplus,
  softsign,
  tanh,
} from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import { full } from "../tensor/index.js";
import { type Given, Layer, settle } from "./layer.js";
import { type Parameter, takeParameter } from "./parameter.js";

/** An op of one tensor with fixed options. */
abstract class Activation<Options extends object = object> extends Layer {
  readonly options: Options;
  private readonly op: (x: Tensor, options: Options) => Tensor;

  constructor(op: (x: Tensor, options: Options) => Tensor, options: Given<Options>, defaults: Options) {
    super();
    this.op = op;
    this.options = settle(this.name, options, defaults);
  }

  forward(x: Tensor): Tensor {
    // As `guard`, without a function: this is a tenth of what a small layer costs.
    try {
      return this.op(x, this.options);
    } catch (error) {
      throw this.located(error);
    }
  }
}

/** max(x, 0). PyTorch: `torch.nn.ReLU`. */
export class ReLU extends Activation {
  static override typeName = "ReLU";
  constructor() {
    super(relu, {}, {});
  }
}

/** 1 / (1 + e⁻ˣ). PyTorch: `torch.nn.Sigmoid`. */
export class Sigmoid extends Activation {
  static override typeName = "Sigmoid";
  constructor() {
    super(sigmoid, {}, {});
  }
}

/** Hyperbolic tangent. PyTorch: `torch.nn.Tanh`. */
export class Tanh extends Activation {
  static override typeName = "Tanh";
  constructor() {
    super(tanh, {}, {});
  }
}

/** min(max(x, 0), 6). PyTorch: `torch.nn.ReLU6`. */
export class ReLU6 extends Activation {
  static override typeName = "ReLU6";
  constructor() {
    super(relu6, {}, {});
  }
}

/** Scaled elu that keeps mean 0 and variance 1 (Klambauer et al. 2017). PyTorch: `torch.nn.SELU`. */
export class SELU extends Activation {
  static override typeName = "SELU";
  constructor() {
    super(selu, {}, {});
  }
}

/** x·sigmoid(x), also called swish. PyTorch: `torch.nn.SiLU`. */
export class SiLU extends Activation {
  static override typeName = "SiLU";
  constructor() {
    super(silu, {}, {});
  }
}

/** x·tanh(softplus(x)). PyTorch: `torch.nn.Mish`. */
export class Mish extends Activation {
  static override typeName = "Mish";
  constructor() {
    super(mish, {}, {});
  }
}

/** min(max(x + 3, 0), 6) / 6. PyTorch: `torch.nn.Hardsigmoid`. */
export class Hardsigmoid extends Activation {
  static override typeName = "Hardsigmoid";
  constructor() {
    super(hardsigmoid, {}, {});
  }
}

/** x·hardsigmoid(x). PyTorch: `torch.nn.Hardswish`. */
export class Hardswish extends Activation {
  static override typeName = "Hardswish";
  constructor() {
    super(hardswish, {}, {});
  }
}

/** x / (1 + |x|). PyTorch: `torch.nn.Softsign`. */
export class Softsign extends Activation {
  static override typeName = "Softsign";
  constructor() {
    super(softsign, {}, {});
  }
}

/** log sigmoid(x). PyTorch: `torch.nn.LogSigmoid`. */
export class LogSigmoid extends Activation {
  static override typeName = "LogSigmoid";
  constructor() {
    super(logSigmoid, {}, {});
  }
}

/** 1 where x ≥ 0, else 0: a perceptron's unit. Its derivative is 0. */
export class BinaryStep extends Activation {
  static override typeName = "BinaryStep";
  constructor() {
    super(binaryStep, {}, {});
  }
}

/** x where x > 0, else negativeSlope·x (default 0.01). PyTorch: `torch.nn.LeakyReLU`. */
export class LeakyReLU extends Activation<{ readonly negativeSlope: number }> {
  static override typeName = "LeakyReLU";
  constructor(options: Given<{ readonly negativeSlope: number }> = {}) {
    super(leakyRelu, options, { negativeSlope: 0.01 });
  }
}

/** x where x > 0, else alpha·(eˣ − 1). PyTorch: `torch.nn.ELU`. */
export class ELU extends Activation<{ readonly alpha: number }> {
  static override typeName = "ELU";
  constructor(options: Given<{ readonly alpha: number }> = {}) {
    super(elu, options, { alpha: 1 });
  }
}

/** x limited to minVal … maxVal (default −1 … 1). PyTorch: `torch.nn.Hardtanh`. */
export class Hardtanh extends Activation<{ readonly minVal: number; readonly maxVal: number }> {
  static override typeName = "Hardtanh";
  constructor(options: Given<{ readonly minVal: number; readonly maxVal: number }> = {}) {
    super(hardtanh, options, { minVal: -1, maxVal: 1 });
  }
}

/** log(1 + e^(beta·x)) / beta; x itself where beta·x > threshold. PyTorch: `torch.nn.Softplus`. */
export class Softplus extends Activation<{ readonly beta: number; readonly threshold: number }> {
  static override typeName = "Softplus";
  constructor(options: Given<{ readonly beta: number; readonly threshold: number }> = {}) {
    super(softplus, options, { beta: 1, threshold: 20 });
  }
}

type Approximate = { readonly approximate: "none" | "tanh" };

/** x·Φ(x), Φ the normal distribution's; or its approximation by tanh. PyTorch: `torch.nn.GELU`. */
export class GELU extends Activation<Approximate> {
  static override typeName = "GELU";
  constructor(options: Given<Approximate> = {}) {
    super(gelu, options, { approximate: "none" });
  }
}

/** An op along an axis, which may be given by position. */
abstract class AlongAxis extends Layer {
  readonly dim: number;
  private readonly op: (x: Tensor, dim: number) => Tensor;

  constructor(op: (x: Tensor, dim: number) => Tensor, dim: number | Given<{ readonly dim: number }>) {
    super();
    this.op = op;
    const axis = typeof dim === "object" ? settle(this.name, dim, { dim: -1 }).dim : dim;
    this.dim = checkInteger(this.name, "dim", axis);
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => this.op(x, this.dim));
  }
}

/** eˣ / Σ eˣ along an axis, default the last. PyTorch: `torch.nn.Softmax`. */
export class Softmax extends AlongAxis {
  static override typeName = "Softmax";
  constructor(dim: number | Given<{ readonly dim: number }> = -1) {
    super(softmax, dim);
  }
}

/** Logarithm of the softmax along an axis, default the last. PyTorch: `torch.nn.LogSoftmax`. */
export class LogSoftmax extends AlongAxis {
  static override typeName = "LogSoftmax";
  constructor(dim: number | Given<{ readonly dim: number }> = -1) {
    super(logSoftmax, dim);
  }
}

/** Softmax of −x along an axis, default the last. PyTorch: `torch.nn.Softmin`. */
export class Softmin extends AlongAxis {
  static override typeName = "Softmin";
  constructor(dim: number | Given<{ readonly dim: number }> = -1) {
    super(softmin, dim);
  }
}

/** a·sigmoid(b) for the halves a, b of an axis, default the last. PyTorch: `torch.nn.GLU`. */
export class GLU extends AlongAxis {
  static override typeName = "GLU";
  constructor(dim: number | Given<{ readonly dim: number }> = -1) {
    super(glu, dim);
  }
}

type PReLUOptions = { readonly numParameters: number; readonly init: number };

/** x where x > 0, else a·x with learned a: one for all, or one a channel (axis 1). PyTorch: `torch.nn.PReLU`. */
export class PReLU extends Layer {
  static override typeName = "PReLU";
  weight: Parameter;
  readonly numParameters: number;

  constructor(options: Given<PReLUOptions> = {}) {
    super();
    const { numParameters, init } = settle("PReLU", options, { numParameters: 1, init: 0.25 });
    this.numParameters = checkInteger("PReLU", "numParameters", numParameters, 1);
    this.weight = takeParameter(full([numParameters], init));
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => prelu(x, this.weight));
  }
}
