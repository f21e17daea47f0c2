// Schedules that move the rate up and down again, and the momentum against it.
import { rangeError } from "../error.js";
import { scalarPow } from "../tensor/index.js";
import { cosine } from "./schedule.js";
import { LRScheduler, type Scheduled } from "./scheduler.js";

/** One value for all groups, or one a group. */
type PerGroup = number | readonly number[];

const of = (value: PerGroup, group: number): number => (typeof value === "number" ? value : value[group]!);

/** Momentum can be cycled in optimizers that have it: as `momentum`, or as the first of `betas`. */
function checkMomentum(op: string, optimizer: Scheduled): void {
  for (const group of optimizer.paramGroups)
    if (group.betas === undefined && group.momentum === undefined)
      throw rangeError(op, "the optimizer has no momentum to cycle", "Give cycleMomentum: false.");
}

/** Options of `OneCycleLR`. */
export interface OneCycleLROptions {
  /** The highest rate. */
  maxLr: PerGroup;
  /** Steps of the cycle; or `epochs` and `stepsPerEpoch`. */
  totalSteps: number | null;
  epochs: number | null;
  stepsPerEpoch: number | null;
  /** Share of the steps in which the rate rises; default 0.3. */
  pctStart: number;
  /** "cos" (default) or "linear". */
  annealStrategy: "cos" | "linear";
  /** Move the momentum against the rate; default true. */
  cycleMomentum: boolean;
  /** Momentum where the rate is highest; default 0.85. */
  baseMomentum: number;
  /** Momentum where the rate is lowest; default 0.95. */
  maxMomentum: number;
  /** The first rate is maxLr / divFactor; default 25. */
  divFactor: number;
  /** The last rate is the first / finalDivFactor; default 1e4. */
  finalDivFactor: number;
  /** Fall to the first rate as steeply as it rose, then to the last; default false. */
  threePhase: boolean;
}

const totalOf = ({ totalSteps, epochs, stepsPerEpoch }: OneCycleLROptions): number =>
  totalSteps ?? epochs! * stepsPerEpoch!;

/** The 1cycle policy (Smith and Topin 2019); `step()` after every batch. PyTorch: `OneCycleLR`. */
export class OneCycleLR extends LRScheduler<OneCycleLROptions> {
  constructor(optimizer: Scheduled, options: Partial<OneCycleLROptions>) {
    super("OneCycleLR", optimizer, options, {
      maxLr: [],
      totalSteps: [null],
      epochs: [null],
      stepsPerEpoch: [null],
      pctStart: [0.3, 0, 1],
      annealStrategy: ["cos", "linear"],
      cycleMomentum: [true],
      baseMomentum: [0.85],
      maxMomentum: [0.95],
      divFactor: [25],
      finalDivFactor: [1e4],
      threePhase: [false],
    });
  }

  protected override check(): void {
    const { cycleMomentum, maxLr, divFactor } = this.options;
    if (!(totalOf(this.options) > 0)) throw rangeError(this.name, "give totalSteps, or epochs and stepsPerEpoch");
    if (cycleMomentum) checkMomentum(this.name, this.optimizer);
    this.optimizer.paramGroups.forEach((group, i) => {
      group.initialLr = of(maxLr, i) / divFactor;
    });
  }

  /** From one of [first, highest, last] to the next, by the phases. */
  private anneal(t: number, points: readonly [number, number, number]): number {
    const { pctStart, threePhase, annealStrategy } = this.options;
    const total = totalOf(this.options);
    if (t > total) throw rangeError(this.name, `step ${t} is beyond the ${total} of the cycle`);
    const [first, high, last] = points;
    const rise = pctStart * total - 1;
    // Where the phases end, and what they lead to.
    const ends = [0, rise, ...(threePhase ? [2 * rise] : []), total - 1];
    const values = [first, high, ...(threePhase ? [first] : []), last];
    let i = 1;
    while (i < ends.length - 1 && t > ends[i]!) i++;
    const [from, to] = [values[i - 1]!, values[i]!];
    const share = (t - ends[i - 1]!) / (ends[i]! - ends[i - 1]!);
    return annealStrategy === "cos" ? cosine(from, to, share) : from + (to - from) * share;
  }

  rate(t: number, base: number, { maxLr, finalDivFactor }: OneCycleLROptions, group: number): number {
    return this.anneal(t, [base, of(maxLr, group), base / finalDivFactor]);
  }

  override momentum(t: number, { cycleMomentum, baseMomentum, maxMomentum }: OneCycleLROptions): number | undefined {
    return cycleMomentum ? this.anneal(t, [maxMomentum, baseMomentum, maxMomentum]) : undefined;
  }
}

/** Options of `CyclicLR`. */
export interface CyclicLROptions {
  /** The lowest rate. */
  baseLr: PerGroup;
  /** The highest rate. */
  maxLr: PerGroup;
  /** Steps up; default 2000. */
  stepSizeUp: number;
  /** Steps down; default as many as up. */
  stepSizeDown: number | null;
  /** Height of the cycles: "triangular" (default) all the same, "triangular2" halved each time, "expRange" times gamma^t. */
  mode: "triangular" | "triangular2" | "expRange";
  /** Default 1. */
  gamma: number;
  /** The height, instead of `mode`: of the cycle's number from 1, or of t. */
  scaleFn: ((x: number) => number) | null;
  /** What scaleFn gets: "cycle" (default) or "iterations". */
  scaleMode: "cycle" | "iterations";
  /** Move the momentum against the rate; default true. */
  cycleMomentum: boolean;
  /** The lowest momentum; default 0.8. */
  baseMomentum: number;
  /** The highest momentum; default 0.9. */
  maxMomentum: number;
}

/** Up and down between two rates (Smith 2017); `step()` after every batch. PyTorch: `CyclicLR`. */
export class CyclicLR extends LRScheduler<CyclicLROptions> {
  constructor(optimizer: Scheduled, options: Partial<CyclicLROptions>) {
    super("CyclicLR", optimizer, options, {
      baseLr: [],
      maxLr: [],
      stepSizeUp: [2000, 1],
      stepSizeDown: [null],
      mode: ["triangular", "triangular2", "expRange"],
      gamma: [1],
      scaleFn: [null],
      scaleMode: ["cycle", "iterations"],
      cycleMomentum: [true],
      baseMomentum: [0.8],
      maxMomentum: [0.9],
    });
  }

  protected override check(): void {
    const { cycleMomentum, baseLr } = this.options;
    if (cycleMomentum) checkMomentum(this.name, this.optimizer);
    this.optimizer.paramGroups.forEach((group, i) => {
      group.initialLr = of(baseLr, i);
    });
  }

  /** How far up the cycle is at t, from 0 to 1. */
  private height(t: number): number {
    const { stepSizeUp, stepSizeDown, mode, gamma, scaleFn, scaleMode } = this.options;
    const period = stepSizeUp + (stepSizeDown ?? stepSizeUp);
    const cycle = Math.floor(1 + t / period);
    const x = 1 + t / period - cycle;
    const up = stepSizeUp / period;
    const scale =
      scaleFn !== null
        ? scaleFn(scaleMode === "cycle" ? cycle : t)
        : mode === "triangular"
          ? 1
          : mode === "triangular2"
            ? scalarPow(2, 1 - cycle)
            : scalarPow(gamma, t);
    return (x <= up ? x / up : (x - 1) / (up - 1)) * scale;
  }

  rate(t: number, base: number, { maxLr }: CyclicLROptions, group: number): number {
    return base + (of(maxLr, group) - base) * this.height(t);
  }

  override momentum(t: number, { cycleMomentum, baseMomentum, maxMomentum }: CyclicLROptions): number | undefined {
    return cycleMomentum ? maxMomentum - (maxMomentum - baseMomentum) * this.height(t) : undefined;
  }
}
