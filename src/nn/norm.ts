// Normalization layers.
import { checkInteger, checkNumber, rangeError, show } from "../error.js";
import {
  add,
  batchNorm,
  copy,
  groupNorm,
  instanceNorm,
  type LocalResponseOptions,
  layerNorm,
  localResponseNorm,
  reshape,
  rmsNorm,
} from "../ops/index.js";
import { checkShape } from "../shape.js";
import { isRecomputing, noGrad } from "../tape/index.js";
import { ones, type Tensor, zeros } from "../tensor/index.js";
import { type Given, Layer, settle } from "./layer.js";
import { type Buffer, type Parameter, takeBuffer, takeParameter } from "./parameter.js";

/** What normalizations share: a learned scale, beginning at 1, and shift, beginning at 0. */
export abstract class Normalization extends Layer {
  weight: Parameter | undefined;
  bias: Parameter | undefined;

  /** @internal */
  protected affine(shape: readonly number[], weight: boolean, bias = weight): void {
    if (weight) this.weight = takeParameter(ones(shape));
    if (bias) this.bias = takeParameter(zeros(shape));
  }

  protected override extraText(): string {
    return super.extraText().replace(/bias=\w+$/, `affine=${this.weight !== undefined}`);
  }
}

/** Throws unless x has one of the ranks that a layer takes. */
function checkRank(op: string, x: Tensor, ranks: readonly number[], shape: string): void {
  if (!ranks.includes(x.ndim)) throw rangeError(op, `takes ${shape}: got ${show(x.shape)} (x)`);
}

/** Options of batch normalization. */
export interface BatchNormLayerOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps: number;
  /** Share of the batch in the running statistics, default 0.1; null: the average over all batches seen. */
  readonly momentum: number | null;
  /** Learn a scale and a shift; default true. */
  readonly affine: boolean;
  /** Keep running statistics for evaluation; default true. Without them every batch is its own measure. */
  readonly trackRunningStats: boolean;
}

/** A normalization of channels that may keep running statistics. */
abstract class TrackingNorm extends Normalization {
  runningMean: Buffer | undefined;
  runningVar: Buffer | undefined;
  numBatchesTracked: Buffer | undefined;
  readonly numFeatures: number;
  readonly eps: number;
  /** Share of the batch in the running statistics; may be set at any time. */
  momentum: number | null;

  constructor(numFeatures: number, options: Given<BatchNormLayerOptions>, on: boolean) {
    super();
    const settled = settle<BatchNormLayerOptions>(this.name, options, {
      eps: 1e-5,
      momentum: 0.1,
      affine: on,
      trackRunningStats: on,
    });
    this.numFeatures = checkInteger(this.name, "numFeatures", numFeatures, 1);
    this.eps = checkNumber(this.name, "eps", settled.eps, 0);
    this.momentum = settled.momentum;
    this.affine([numFeatures], settled.affine);
    if (!settled.trackRunningStats) return;
    this.runningMean = takeBuffer(zeros([numFeatures]));
    this.runningVar = takeBuffer(ones([numFeatures]));
    this.numBatchesTracked = takeBuffer(zeros([], { dtype: "i32" }));
  }
}

/** Batch normalization of any rank. */
export abstract class BatchNorm extends TrackingNorm {
  constructor(numFeatures: number, options: Given<BatchNormLayerOptions>) {
    super(numFeatures, options, true);
  }

  /** @internal Throws for an input of another rank. */
  protected abstract checkInput(x: Tensor): void;

  forward(x: Tensor): Tensor {
    return this.guard(() => {
      this.checkInput(x);
      const { runningMean = null, runningVar = null, numBatchesTracked, weight, bias, eps } = this;
      const tracked = numBatchesTracked !== undefined && this.training && !isRecomputing();
      // The exact average is a moving one whose momentum is 1/n.
      const momentum = this.momentum ?? (tracked ? 1 / (numBatchesTracked.item() + 1) : 0);
      const training = this.training || runningMean === null;
      const y = batchNorm(x, runningMean, runningVar, { weight, bias, training, momentum, eps });
      if (tracked) noGrad(() => void copy(numBatchesTracked, add(numBatchesTracked, 1)));
      return y;
    });
  }

  /** Forgets the running statistics. */
  resetRunningStats(): void {
    noGrad(() => {
      this.runningMean?.zero();
      this.runningVar?.fill(1);
      this.numBatchesTracked?.zero();
    });
  }
}

/**
 * Batch normalization of `[batch, features]` or `[batch, features, length]` (Ioffe and Szegedy 2015): in training by the
 * batch's mean and variance, in evaluation by the running ones. PyTorch: `torch.nn.BatchNorm1d`.
 */
export class BatchNorm1d extends BatchNorm {
  static override typeName = "BatchNorm1d";
  constructor(numFeatures: number, options: Given<BatchNormLayerOptions> = {}) {
    super(numFeatures, options);
  }
  protected checkInput(x: Tensor): void {
    checkRank("BatchNorm1d", x, [2, 3], "[batch, features] or [batch, features, length]");
  }
}

/** Batch normalization of the channels of `[batch, channels, height, width]`. PyTorch: `torch.nn.BatchNorm2d`. */
export class BatchNorm2d extends BatchNorm {
  static override typeName = "BatchNorm2d";
  constructor(numFeatures: number, options: Given<BatchNormLayerOptions> = {}) {
    super(numFeatures, options);
  }
  protected checkInput(x: Tensor): void {
    checkRank("BatchNorm2d", x, [4], "[batch, channels, height, width]");
  }
}

type NormLayerOptions = { readonly eps: number; readonly elementwiseAffine: boolean };

/** Normalizes each item over its last axes (Ba et al. 2016). PyTorch: `torch.nn.LayerNorm`. */
export class LayerNorm extends Normalization {
  static override typeName = "LayerNorm";
  readonly normalizedShape: readonly number[];
  readonly eps: number;

  constructor(
    normalizedShape: number | readonly number[],
    options: Given<NormLayerOptions & { readonly bias: boolean }> = {},
  ) {
    super();
    const { eps, elementwiseAffine, bias } = settle("LayerNorm", options, {
      eps: 1e-5,
      elementwiseAffine: true,
      bias: true,
    });
    this.normalizedShape = checkShape("LayerNorm", normalizedShape);
    this.eps = checkNumber("LayerNorm", "eps", eps, 0);
    this.affine(this.normalizedShape, elementwiseAffine, elementwiseAffine && bias);
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => layerNorm(x, this.normalizedShape, this.weight, this.bias, { eps: this.eps }));
  }
}

/** Divides by the root mean square over the last axes (Zhang and Sennrich 2019). PyTorch (2.4): `torch.nn.RMSNorm`. */
export class RMSNorm extends Normalization {
  static override typeName = "RMSNorm";
  readonly normalizedShape: readonly number[];
  readonly eps: number;

  constructor(normalizedShape: number | readonly number[], options: Given<NormLayerOptions> = {}) {
    super();
    const { eps, elementwiseAffine } = settle("RMSNorm", options, {
      eps: 1.1920928955078125e-7,
      elementwiseAffine: true,
    });
    this.normalizedShape = checkShape("RMSNorm", normalizedShape);
    this.eps = checkNumber("RMSNorm", "eps", eps, 0);
    this.affine(this.normalizedShape, elementwiseAffine, false);
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => rmsNorm(x, this.normalizedShape, this.weight, { eps: this.eps }));
  }
}

/** Normalizes each item over groups of channels (Wu and He 2018). PyTorch: `torch.nn.GroupNorm`. */
export class GroupNorm extends Normalization {
  static override typeName = "GroupNorm";
  readonly eps: number;

  readonly numGroups: number;
  readonly numChannels: number;

  constructor(
    numGroups: number,
    numChannels: number,
    options: Given<{ readonly eps: number; readonly affine: boolean }> = {},
  ) {
    super();
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    const { eps, affine } = settle("GroupNorm", options, { eps: 1e-5, affine: true });
    checkInteger("GroupNorm", "numGroups", numGroups, 1);
    checkInteger("GroupNorm", "numChannels", numChannels, 1);
    if (numChannels % numGroups !== 0) {
      throw rangeError("GroupNorm", `numGroups ${numGroups} does not divide numChannels ${numChannels}`);
    }
    this.eps = checkNumber("GroupNorm", "eps", eps, 0);
    this.affine([numChannels], affine);
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => groupNorm(x, this.numGroups, this.weight, this.bias, { eps: this.eps }));
  }
}

/** Normalizes each channel of each item (Ulyanov et al. 2016). */
abstract class InstanceNorm extends TrackingNorm {
  declare readonly momentum: number;

  constructor(numFeatures: number, options: Given<BatchNormLayerOptions>) {
    super(numFeatures, options, false);
    checkNumber(this.name, "momentum", this.momentum, 0, 1);
  }

  /** @internal Rank of an input with its batch axis. */
  protected abstract readonly rank: number;

  forward(x: Tensor): Tensor {
    return this.composite([x], () => {
      const { runningMean, runningVar, weight, bias, eps, momentum, rank } = this;
      checkRank(
        this.name,
        x,
        [rank - 1, rank],
        rank === 3 ? "[batch, channels, length]" : "[batch, channels, height, width]",
      );
      const batched = x.ndim === rank ? x : reshape(x, [1, ...x.shape]);
      const useInputStats = this.training || runningMean === undefined;
      const y = instanceNorm(batched, { weight, bias, eps, momentum, useInputStats, runningMean, runningVar });
      return batched === x ? y : reshape(y, x.shape);
    });
  }
}

/** Normalizes each channel of each item of `[batch, channels, length]`. PyTorch: `torch.nn.InstanceNorm1d`. */
export class InstanceNorm1d extends InstanceNorm {
  static override typeName = "InstanceNorm1d";
  protected override get rank(): number {
    return 3;
  }
  constructor(numFeatures: number, options: Given<BatchNormLayerOptions> = {}) {
    super(numFeatures, options);
  }
}

/** Normalizes each channel of each item of `[batch, channels, height, width]`. PyTorch: `torch.nn.InstanceNorm2d`. */
export class InstanceNorm2d extends InstanceNorm {
  static override typeName = "InstanceNorm2d";
  protected override get rank(): number {
    return 4;
  }
  constructor(numFeatures: number, options: Given<BatchNormLayerOptions> = {}) {
    super(numFeatures, options);
  }
}

/**
 * x / (k + alpha·mean of x² over `size` neighbouring channels)^beta (Krizhevsky et al. 2012), zeros beyond the first and
 * last channel. PyTorch: `torch.nn.LocalResponseNorm`.
 */
export class LocalResponseNorm extends Layer {
  static override typeName = "LocalResponseNorm";
  readonly options: Required<LocalResponseOptions>;

  readonly size: number;

  constructor(size: number, options: Given<LocalResponseOptions> = {}) {
    super();
    this.size = size;
    checkInteger("LocalResponseNorm", "size", size, 1);
    this.options = settle<Required<LocalResponseOptions>>("LocalResponseNorm", options, {
      alpha: 1e-4,
      beta: 0.75,
      k: 1,
    });
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => localResponseNorm(x, this.size, this.options));
  }
}
