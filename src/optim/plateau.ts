// The schedule that goes by a measured value.
import { checkNumber, rangeError } from "../error.js";
import { checkSchedule, type Scheduled, type SchedulerState } from "./scheduler.js";

/** Options of `ReduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions {
  /** Whether a lower ("min", default) or a higher ("max") value is better. */
  mode: "min" | "max";
  /** Factor of the rate; default 0.1. */
  factor: number;
  /** Steps without improvement that are waited out; default 10. */
  patience: number;
  /** What counts as an improvement; default 1e-4. */
  threshold: number;
  /** Whether the threshold is a share of the best value ("rel", default) or a difference ("abs"). */
  thresholdMode: "rel" | "abs";
  /** Steps after a reduction in which nothing is counted; default 0. */
  cooldown: number;
  /** The lowest rate; default 0. */
  minLr: number;
  /** Smaller changes of the rate are left out; default 1e-8. */
  eps: number;
}

/** Lowers the rate when a value stops improving. PyTorch: `ReduceLROnPlateau`. */
export class ReduceLROnPlateau {
  readonly optimizer: Scheduled;
  /** The best value so far. */
  best: number;
  /** Steps since then. */
  numBadEpochs = 0;
  private cooldownCounter = 0;
  private readonly options: ReduceLROnPlateauOptions;

  constructor(optimizer: Scheduled, options: Partial<ReduceLROnPlateauOptions> = {}) {
    const name = "ReduceLROnPlateau";
    this.options = checkSchedule<ReduceLROnPlateauOptions>(name, optimizer, options, {
      mode: ["min", "max"],
      factor: [0.1],
      patience: [10],
      threshold: [1e-4],
      thresholdMode: ["rel", "abs"],
      cooldown: [0],
      minLr: [0],
      eps: [1e-8],
    });
    const { factor } = this.options;
    if (!(factor > 0 && factor < 1)) throw rangeError(name, `factor must be between 0 and 1: got ${factor}`);
    this.optimizer = optimizer;
    this.best = this.sign * Infinity;
  }

  /** 1 where a lower value is better, else −1. */
  private get sign(): 1 | -1 {
    return this.options.mode === "min" ? 1 : -1;
  }

  private better(value: number): boolean {
    const { threshold, thresholdMode } = this.options;
    const { best, sign } = this;
    // Infinity · (1 − threshold) and Infinity − threshold are Infinity: the first value is always better.
    const bound = thresholdMode === "rel" ? best * (1 - sign * threshold) : best - sign * threshold;
    return sign * value < sign * bound;
  }

  /** Takes the value of an epoch. */
  step(value: number): void {
    const { patience, cooldown, factor, minLr, eps } = this.options;
    if (typeof value !== "number") checkNumber("ReduceLROnPlateau.step", "value", value);
    if (this.better(value)) {
      this.best = value;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs <= patience) return;
    this.cooldownCounter = cooldown;
    this.numBadEpochs = 0;
    for (const group of this.optimizer.paramGroups) {
      const lr = Math.max(group.lr * factor, minLr);
      if (group.lr - lr > eps) group.lr = lr;
    }
  }

  /** The rate of each group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  /** What `loadStateDict` needs to go on from here; infinite values, which JSON lacks, are left out. */
  stateDict(): SchedulerState {
    const { best, numBadEpochs, cooldownCounter } = this;
    return { numBadEpochs, cooldownCounter, lrs: this.getLastLr(), ...(Number.isFinite(best) && { best }) };
  }

  /** Goes on from a saved state. */
  loadStateDict(state: SchedulerState): void {
    const { numBadEpochs, cooldownCounter, lrs, best = this.sign * Infinity } = state;
    Object.assign(this, { numBadEpochs, cooldownCounter, best });
    this.optimizer.paramGroups.forEach((group, i) => {
      group.lr = (lrs as readonly number[])[i]!;
    });
  }
}
