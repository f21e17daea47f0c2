// Schedules that are one formula of the step count t. Names, defaults and values are PyTorch's.
import { checkKind, checkNumber, rangeError } from "../error.js";
import { scalarCos, scalarPow } from "../tensor/index.js";
import { LRScheduler, type Scheduled } from "./scheduler.js";

// biome-ignore lint/suspicious/noApproximativeNumericConstant: Math is refused here but for its exact functions
const pi = 3.141592653589793;

/** From `start` to `end` along half a cosine, share from 0 to 1. */
export const cosine = (start: number, end: number, share: number): number =>
  end + ((start - end) / 2) * (1 + scalarCos(pi * share));

/** Options of `StepLR`. */
export interface StepLROptions {
  /** Steps between two falls. */
  stepSize: number;
  /** Factor of each fall; default 0.1. */
  gamma: number;
}

/**
 * lr = base · gamma^⌊t/stepSize⌋. PyTorch: `StepLR`.
 *
 * @example
 * import { tensor } from "gradine";
 * import { SGD, StepLR } from "gradine/optim";
 * const optimizer = new SGD([tensor([1], { requiresGrad: true })], { lr: 0.1 });
 * const schedule = new StepLR(optimizer, { stepSize: 7, gamma: 0.5 });
 * for (let epoch = 0; epoch < 7; epoch++) schedule.step();
 * console.log(optimizer.paramGroups[0].lr); // 0.05
 */
export class StepLR extends LRScheduler<StepLROptions> {
  constructor(optimizer: Scheduled, options: Partial<StepLROptions>) {
    super("StepLR", optimizer, options, { stepSize: [], gamma: [0.1] });
  }

  rate(t: number, base: number, { stepSize, gamma }: StepLROptions): number {
    return base * scalarPow(gamma, Math.floor(t / stepSize));
  }
}

/** Options of `MultiStepLR`. */
export interface MultiStepLROptions {
  /** The steps at which the rate falls. */
  milestones: readonly number[];
  /** Factor of each fall; default 0.1. */
  gamma: number;
}

/** lr = base · gamma^(milestones passed). PyTorch: `MultiStepLR`. */
export class MultiStepLR extends LRScheduler<MultiStepLROptions> {
  constructor(optimizer: Scheduled, options: Partial<MultiStepLROptions>) {
    super("MultiStepLR", optimizer, options, { milestones: [], gamma: [0.1] });
  }

  rate(t: number, base: number, { milestones, gamma }: MultiStepLROptions): number {
    return base * scalarPow(gamma, milestones.filter((at) => at <= t).length);
  }
}

/** lr = base · gamma^t. PyTorch: `ExponentialLR`. */
export class ExponentialLR extends LRScheduler<{ gamma: number }> {
  constructor(optimizer: Scheduled, options: { gamma: number }) {
    super("ExponentialLR", optimizer, options, { gamma: [] });
  }

  rate(t: number, base: number, { gamma }: { gamma: number }): number {
    return base * scalarPow(gamma, t);
  }
}

/** Options of `LinearLR`. */
export interface LinearLROptions {
  /** Factor at first; default 1/3. */
  startFactor: number;
  /** Factor at last; default 1. */
  endFactor: number;
  /** Steps from the one to the other; default 5. */
  totalIters: number;
}

/** lr = base · (a straight line from startFactor to endFactor). PyTorch: `LinearLR`. */
export class LinearLR extends LRScheduler<LinearLROptions> {
  constructor(optimizer: Scheduled, options: Partial<LinearLROptions> = {}) {
    super("LinearLR", optimizer, options, {
      startFactor: [1 / 3, Number.MIN_VALUE, 1],
      endFactor: [1, 0, 1],
      totalIters: [5],
    });
  }

  rate(t: number, base: number, { startFactor, endFactor, totalIters }: LinearLROptions): number {
    return base * (startFactor + ((endFactor - startFactor) * Math.min(t, totalIters)) / totalIters);
  }
}

/** Options of `PolynomialLR`. */
export interface PolynomialLROptions {
  /** Steps until the rate is 0; default 5. */
  totalIters: number;
  /** Exponent; default 1. */
  power: number;
}

/** lr = base · (1 − t/totalIters)^power. PyTorch: `PolynomialLR`. */
export class PolynomialLR extends LRScheduler<PolynomialLROptions> {
  constructor(optimizer: Scheduled, options: Partial<PolynomialLROptions> = {}) {
    super("PolynomialLR", optimizer, options, { totalIters: [5], power: [1] });
  }

  rate(t: number, base: number, { totalIters, power }: PolynomialLROptions): number {
    return base * scalarPow(1 - Math.min(t, totalIters) / totalIters, power);
  }
}

/** Options of `CosineAnnealingLR`. */
export interface CosineAnnealingLROptions {
  /** Steps from the highest rate to the lowest. */
  tMax: number;
  /** The lowest rate; default 0. */
  etaMin: number;
}

/** lr = etaMin + (base − etaMin)·(1 + cos(πt/tMax))/2 (Loshchilov and Hutter 2017). PyTorch: `CosineAnnealingLR`. */
export class CosineAnnealingLR extends LRScheduler<CosineAnnealingLROptions> {
  constructor(optimizer: Scheduled, options: Partial<CosineAnnealingLROptions>) {
    super("CosineAnnealingLR", optimizer, options, { tMax: [], etaMin: [0] });
  }

  rate(t: number, base: number, { tMax, etaMin }: CosineAnnealingLROptions): number {
    return cosine(base, etaMin, t / tMax);
  }
}

/** Options of `CosineAnnealingWarmRestarts`. */
export interface CosineAnnealingWarmRestartsOptions {
  /** Steps until the first restart. */
  t0: number;
  /** Factor from one period to the next, an integer; default 1. */
  tMult: number;
  /** The lowest rate; default 0. */
  etaMin: number;
}

/** Cosines from base to etaMin, one after another (SGDR, Loshchilov and Hutter 2017). PyTorch: `CosineAnnealingWarmRestarts`. */
export class CosineAnnealingWarmRestarts extends LRScheduler<CosineAnnealingWarmRestartsOptions> {
  constructor(optimizer: Scheduled, options: Partial<CosineAnnealingWarmRestartsOptions>) {
    super("CosineAnnealingWarmRestarts", optimizer, options, { t0: [], tMult: [1], etaMin: [0] });
  }

  rate(t: number, base: number, { t0, tMult, etaMin }: CosineAnnealingWarmRestartsOptions): number {
    let [begin, period] = [0, t0];
    if (tMult === 1) begin = t - (t % t0);
    else for (; t >= begin + period; period *= tMult) begin += period;
    return cosine(base, etaMin, (t - begin) / period);
  }
}

/** The factor of a rate after `t` steps. */
export type LrLambda = (t: number) => number;

/** Options of `LambdaLR`. */
export interface LambdaLROptions {
  /** One function for all groups, or one a group. */
  lrLambda: LrLambda | readonly LrLambda[];
}

/** lr = base · lrLambda(t); one function, or one a group. PyTorch: `LambdaLR`. */
export class LambdaLR extends LRScheduler<LambdaLROptions> {
  constructor(optimizer: Scheduled, options: LambdaLROptions) {
    super("LambdaLR", optimizer, options, { lrLambda: [] });
  }

  rate(t: number, base: number, { lrLambda }: LambdaLROptions, group: number): number {
    const factor = typeof lrLambda === "function" ? lrLambda : lrLambda[group];
    checkKind(this.name, typeof factor === "function", `lrLambda must be a function for group ${group}`, factor);
    return base * checkNumber(this.name, "the factor", factor(t));
  }
}

/** lr = base · min(1, (t + 1)/steps), so that the first step moves already. For what comes after: `SequentialLR`. */
export class WarmupLR extends LRScheduler<{ steps: number }> {
  constructor(optimizer: Scheduled, options: { steps: number }) {
    super("WarmupLR", optimizer, options, { steps: [] });
  }

  rate(t: number, base: number, { steps }: { steps: number }): number {
    return base * Math.min(1, (t + 1) / steps);
  }
}

/** Warm-up, then as 1/√t: lr = base · min((t+1)/w, √(w/(t+1))) with w = warmupSteps (Vaswani et al. 2017). */
export class InverseSquareRootLR extends LRScheduler<{ warmupSteps: number }> {
  constructor(optimizer: Scheduled, options: { warmupSteps: number }) {
    super("InverseSquareRootLR", optimizer, options, { warmupSteps: [] });
  }

  rate(t: number, base: number, { warmupSteps }: { warmupSteps: number }): number {
    const share = (t + 1) / warmupSteps;
    return base * Math.min(share, Math.sqrt(1 / share));
  }
}

/** Options of `SequentialLR`. */
export interface SequentialLROptions {
  /** The schedules in their order, of the same optimizer. */
  schedulers: readonly LRScheduler[];
  /** The steps at which the second, third, … take over; each then counts from 0. */
  milestones: readonly number[];
}

/**
 * One schedule after another. PyTorch: `SequentialLR`.
 *
 * @example
 * import { tensor } from "gradine";
 * import { CosineAnnealingLR, SequentialLR, SGD, WarmupLR } from "gradine/optim";
 * const optimizer = new SGD([tensor([1], { requiresGrad: true })], { lr: 0.1 });
 * const schedulers = [new WarmupLR(optimizer, { steps: 5 }), new CosineAnnealingLR(optimizer, { tMax: 95 })];
 * const schedule = new SequentialLR(optimizer, { schedulers, milestones: [5] });
 * console.log(optimizer.paramGroups[0].lr); // 0.02
 */
export class SequentialLR extends LRScheduler<SequentialLROptions> {
  constructor(optimizer: Scheduled, options: SequentialLROptions) {
    super("SequentialLR", optimizer, options, { schedulers: [], milestones: [] });
  }

  protected override check(): void {
    const { schedulers, milestones } = this.options;
    if (schedulers.length !== milestones.length + 1)
      throw rangeError(
        this.name,
        `there must be a milestone between two schedulers: got ${milestones.length} for ${schedulers.length}`,
      );
    for (const one of schedulers) {
      const fits = one instanceof LRScheduler && one.optimizer === this.optimizer;
      checkKind(this.name, fits, "schedulers must be formulas of the same optimizer", one);
    }
  }

  rate(t: number, base: number, _: SequentialLROptions, group: number): number {
    return this.at(t, base, group)[0];
  }

  override at(t: number, base: number, group: number): readonly [number, number | undefined] {
    const { schedulers, milestones } = this.options;
    const passed = milestones.filter((at) => at <= t).length;
    return schedulers[passed]!.at(t - (milestones[passed - 1] ?? 0), base, group);
  }
}
