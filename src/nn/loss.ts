// Losses as layers of two inputs.
import { type CrossEntropyOptions, crossEntropy, type LossOptions, mseLoss } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";

/** What losses have in common: options now, tensors later. */
abstract class Loss<Options> {
  readonly options: Options;

  constructor(options: Options) {
    this.options = options;
  }

  /** The loss of an input against its target. */
  abstract forward(input: Tensor, target: Tensor): Tensor;
}

/** `crossEntropy` with fixed options. PyTorch: `torch.nn.CrossEntropyLoss`. */
export class CrossEntropyLoss extends Loss<CrossEntropyOptions> {
  constructor(options: CrossEntropyOptions = {}) {
    super(options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return crossEntropy(input, target, this.options);
  }
}

/** `mseLoss` with fixed options. PyTorch: `torch.nn.MSELoss`. */
export class MSELoss extends Loss<LossOptions> {
  constructor(options: LossOptions = {}) {
    super(options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.options);
  }
}
