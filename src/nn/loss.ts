// Losses as layers: options now, tensors later.
import {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type CosineEmbeddingOptions,
  type CrossEntropyOptions,
  type CtcOptions,
  cosineEmbeddingLoss,
  crossEntropy,
  ctcLoss,
  type FocalOptions,
  type GaussianNllOptions,
  gaussianNllLoss,
  type HingeEmbeddingOptions,
  type HuberOptions,
  hingeEmbeddingLoss,
  huberLoss,
  type KlDivOptions,
  klDiv,
  type LossOptions,
  l1Loss,
  type MultiMarginOptions,
  mseLoss,
  multiMarginLoss,
  type NllOptions,
  nllLoss,
  type PoissonNllOptions,
  poissonNllLoss,
  type SmoothL1Options,
  sigmoidFocalLoss,
  smoothL1Loss,
  type TripletMarginOptions,
  tripletMarginLoss,
} from "../ops/index.js";
import { Tensor } from "../tensor/index.js";
import { type Given, Layer, settle } from "./layer.js";
import { buffer } from "./parameter.js";

/** A loss op with fixed options; the tensors among these (class weights) are saved with the layer. */
abstract class Loss<Options extends object> extends Layer<Tensor, Tensor> {
  readonly options: Options;
  private readonly op: (...args: never[]) => Tensor;
  /** Names of the options that are tensors: fields of the layer, so that they are saved with it. */
  private readonly weights: string[] = [];

  constructor(op: (...args: never[]) => Tensor, options: Given<Options>, defaults: Options) {
    super();
    this.op = op;
    const { ...rest } = settle<Options>(this.name, options, defaults);
    for (const [key, value] of Object.entries(rest)) {
      if (!(value instanceof Tensor)) continue;
      this.weights.push(key);
      (this as unknown as Record<string, Tensor>)[key] = buffer(value);
    }
    this.options = rest;
  }

  /** The loss of an input against its target. */
  override forward(input: Tensor, target: Tensor): Tensor {
    return this.run(input, target);
  }

  /** @internal */
  protected run(...tensors: readonly unknown[]): Tensor {
    const own = this as unknown as Record<string, Tensor>;
    const weights = Object.fromEntries(this.weights.map((key) => [key, own[key]]));
    const op = this.op as (...args: unknown[]) => Tensor;
    return this.guard(() => op(...tensors, { ...this.options, ...weights }));
  }
}

/** Lengths of `CTCLoss`, one an item. */
type Lengths = Tensor | readonly number[] | number;

const mean = { reduction: "mean" } as const;

/** Absolute differences. PyTorch: `torch.nn.L1Loss`. */
export class L1Loss extends Loss<LossOptions> {
  static override typeName = "L1Loss";
  constructor(options: Given<LossOptions> = {}) {
    super(l1Loss, options, mean);
  }
}

/** Squared differences. PyTorch: `torch.nn.MSELoss`. */
export class MSELoss extends Loss<LossOptions> {
  static override typeName = "MSELoss";
  constructor(options: Given<LossOptions> = {}) {
    super(mseLoss, options, mean);
  }
}

/** Squares below `beta`, absolute differences beyond. PyTorch: `torch.nn.SmoothL1Loss`. */
export class SmoothL1Loss extends Loss<SmoothL1Options> {
  static override typeName = "SmoothL1Loss";
  constructor(options: Given<SmoothL1Options> = {}) {
    super(smoothL1Loss, options, { ...mean, beta: 1 });
  }
}

/** Squares below `delta`, lines beyond. PyTorch: `torch.nn.HuberLoss`. */
export class HuberLoss extends Loss<HuberOptions> {
  static override typeName = "HuberLoss";
  constructor(options: Given<HuberOptions> = {}) {
    super(huberLoss, options, { ...mean, delta: 1 });
  }
}

/** Negative log-likelihood of counts. PyTorch: `torch.nn.PoissonNLLLoss`. */
export class PoissonNLLLoss extends Loss<PoissonNllOptions> {
  static override typeName = "PoissonNLLLoss";
  constructor(options: Given<PoissonNllOptions> = {}) {
    super(poissonNllLoss, options, { ...mean, logInput: true, full: false, eps: 1e-8 });
  }
}

/** Cross-entropy of logits `[batch, classes, …]` with labels, or with probabilities. PyTorch: `torch.nn.CrossEntropyLoss`. */
export class CrossEntropyLoss extends Loss<CrossEntropyOptions> {
  static override typeName = "CrossEntropyLoss";
  constructor(options: Given<CrossEntropyOptions> = {}) {
    super(crossEntropy, options, { ...mean, weight: undefined, ignoreIndex: -100, labelSmoothing: 0 });
  }
}

/** Negative log-likelihood of log-probabilities. PyTorch: `torch.nn.NLLLoss`. */
export class NLLLoss extends Loss<NllOptions> {
  static override typeName = "NLLLoss";
  constructor(options: Given<NllOptions> = {}) {
    super(nllLoss, options, { ...mean, weight: undefined, ignoreIndex: -100 });
  }
}

/** Cross-entropy of probabilities with targets from 0 to 1. PyTorch: `torch.nn.BCELoss`. */
export class BCELoss extends Loss<BinaryCrossEntropyOptions> {
  static override typeName = "BCELoss";
  constructor(options: Given<BinaryCrossEntropyOptions> = {}) {
    super(binaryCrossEntropy, options, { ...mean, weight: undefined });
  }
}

/** Cross-entropy of logits with targets from 0 to 1. PyTorch: `torch.nn.BCEWithLogitsLoss`. */
export class BCEWithLogitsLoss extends Loss<BinaryCrossEntropyWithLogitsOptions> {
  static override typeName = "BCEWithLogitsLoss";
  constructor(options: Given<BinaryCrossEntropyWithLogitsOptions> = {}) {
    super(binaryCrossEntropyWithLogits, options, { ...mean, weight: undefined, posWeight: undefined });
  }
}

/** Kullback-Leibler divergence of targets from log-probabilities. PyTorch: `torch.nn.KLDivLoss`. */
export class KLDivLoss extends Loss<KlDivOptions> {
  static override typeName = "KLDivLoss";
  constructor(options: Given<KlDivOptions> = {}) {
    super(klDiv, options, { ...mean, logTarget: false });
  }
}

/** Distances of pairs, small for targets 1 and beyond the margin for −1. PyTorch: `torch.nn.HingeEmbeddingLoss`. */
export class HingeEmbeddingLoss extends Loss<HingeEmbeddingOptions> {
  static override typeName = "HingeEmbeddingLoss";
  constructor(options: Given<HingeEmbeddingOptions> = {}) {
    super(hingeEmbeddingLoss, options, { ...mean, margin: 1 });
  }
}

/** Hinge loss of several classes. PyTorch: `torch.nn.MultiMarginLoss`. */
export class MultiMarginLoss extends Loss<MultiMarginOptions> {
  static override typeName = "MultiMarginLoss";
  constructor(options: Given<MultiMarginOptions> = {}) {
    super(multiMarginLoss, options, { ...mean, p: 1, margin: 1, weight: undefined });
  }
}

/** Cross-entropy of logits that counts easy examples less (Lin et al. 2017). */
export class SigmoidFocalLoss extends Loss<FocalOptions> {
  static override typeName = "SigmoidFocalLoss";
  constructor(options: Given<FocalOptions> = {}) {
    super(sigmoidFocalLoss, options, { reduction: "none", alpha: 0.25, gamma: 2 });
  }
}

/** Negative log-likelihood of targets by mean (the input) and variance. PyTorch: `torch.nn.GaussianNLLLoss`. */
export class GaussianNLLLoss extends Loss<GaussianNllOptions> {
  static override typeName = "GaussianNLLLoss";
  constructor(options: Given<GaussianNllOptions> = {}) {
    super(gaussianNllLoss, options, { ...mean, full: false, eps: 1e-6 });
  }
  override forward(input: Tensor, target: Tensor, variance?: Tensor): Tensor {
    return this.run(input, target, variance as Tensor);
  }
}

/** Angles of pairs, small for targets 1 and beyond the margin for −1. PyTorch: `torch.nn.CosineEmbeddingLoss`. */
export class CosineEmbeddingLoss extends Loss<CosineEmbeddingOptions> {
  static override typeName = "CosineEmbeddingLoss";
  constructor(options: Given<CosineEmbeddingOptions> = {}) {
    super(cosineEmbeddingLoss, options, { ...mean, margin: 0 });
  }
  override forward(input1: Tensor, input2: Tensor, target?: Tensor): Tensor {
    return this.run(input1, input2, target as Tensor);
  }
}

/** Anchors nearer to the positive than to the negative by a margin. PyTorch: `torch.nn.TripletMarginLoss`. */
export class TripletMarginLoss extends Loss<TripletMarginOptions> {
  static override typeName = "TripletMarginLoss";
  constructor(options: Given<TripletMarginOptions> = {}) {
    super(tripletMarginLoss, options, { ...mean, margin: 1, p: 2, eps: 1e-6, swap: false });
  }
  override forward(anchor: Tensor, positive: Tensor, negative?: Tensor): Tensor {
    return this.run(anchor, positive, negative as Tensor);
  }
}

/** Alignment of sequences with shorter targets (Graves et al. 2006). PyTorch: `torch.nn.CTCLoss`. */
export class CTCLoss extends Loss<CtcOptions> {
  static override typeName = "CTCLoss";
  constructor(options: Given<CtcOptions> = {}) {
    super(ctcLoss, options, { ...mean, blank: 0, zeroInfinity: false });
  }
  override forward(logProbs: Tensor, targets: Tensor, inputLengths?: Lengths, targetLengths?: Lengths): Tensor {
    return this.run(logProbs, targets, inputLengths, targetLengths);
  }
}
