// What schedules share. A rate is a function of the step count alone, worked out anew each time: so it does not gather
// rounding errors, and a schedule can be resumed from its count.
import { checkInteger, checkKind, checkNumber, type OptionTable, readOptions } from "../error.js";

/** What a schedule needs of an optimizer: groups with a rate, perhaps a momentum. */
export interface Scheduled {
  readonly paramGroups: readonly ScheduledGroup[];
}

/** A group whose rate a schedule sets. */
export interface ScheduledGroup {
  lr: number;
  momentum?: number;
  betas?: readonly [number, number];
  /** The rate that the schedules of this group start from. */
  initialLr?: number;
}

/** What `stateDict` of a schedule gives. */
export type SchedulerState = Record<string, number | readonly number[]>;

/** Options that count steps: integers from 1. */
const counts = [
  "stepSize",
  "totalIters",
  "totalSteps",
  "epochs",
  "stepsPerEpoch",
  "tMax",
  "t0",
  "tMult",
  "steps",
  "warmupSteps",
];

/** Options by their table: those that have no default must be given, numbers are finite. */
export function checkSchedule<Options extends object>(
  op: string,
  optimizer: Scheduled,
  options: Partial<Options>,
  table: OptionTable<Options>,
): Options {
  checkKind(op, Array.isArray(optimizer?.paramGroups), "takes an optimizer", optimizer);
  const given = readOptions(op, options, table as OptionTable<Partial<Options>>) as Options;
  for (const [name, value] of Object.entries(given)) {
    checkKind(op, value !== undefined, `${name} must be given`, value);
    if (counts.includes(name) && value !== null) checkInteger(op, name, value, 1);
    else if (typeof value === "number") checkNumber(op, name, value);
  }
  return given;
}

/** The base of schedules. PyTorch: `torch.optim.lr_scheduler`. Of two on one optimizer the later sets the rate; `SequentialLR` joins them. */
export abstract class LRScheduler<Options extends object = object> {
  /** Steps so far. */
  lastEpoch = 0;
  readonly optimizer: Scheduled;
  protected readonly options: Options;
  protected readonly name: string;

  /** @internal Subclasses have no fields of their own: this constructor sets the first rate. */
  protected constructor(name: string, optimizer: Scheduled, options: Partial<Options>, table: OptionTable<Options>) {
    this.options = checkSchedule(name, optimizer, options, table);
    this.name = name;
    this.optimizer = optimizer;
    for (const group of optimizer.paramGroups) group.initialLr ??= group.lr;
    this.check();
    this.apply();
  }

  /** @internal Throws for options that do not fit together. */
  protected check(): void {}

  /** @internal The rate of a group after `t` steps, given the one it started from. */
  abstract rate(t: number, base: number, options: Options, group: number): number;

  /** @internal The momentum after `t` steps, where the schedule moves it. */
  momentum(_t: number, _options: Options): number | undefined {
    return undefined;
  }

  /** @internal Rate and momentum of a group after `t` steps. */
  at(t: number, base: number, group: number): readonly [number, number | undefined] {
    return [this.rate(t, base, this.options, group), this.momentum(t, this.options)];
  }

  /** @internal Sets the rates for a step count. */
  protected apply(t = this.lastEpoch): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      const [lr, momentum] = this.at(t, group.initialLr!, i);
      group.lr = lr;
      if (momentum === undefined) return;
      if (group.betas !== undefined) group.betas = [momentum, group.betas[1]];
      else group.momentum = momentum;
    });
  }

  /** The next step: sets the rate of every group. To be called after the optimizer's. */
  step(): void {
    this.lastEpoch++;
    this.apply();
  }

  /** The rate of each group. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  /** What `loadStateDict` needs to go on from here. */
  stateDict(): SchedulerState {
    return { lastEpoch: this.lastEpoch, baseLrs: this.optimizer.paramGroups.map((group) => group.initialLr!) };
  }

  /** Goes on from a saved state. */
  loadStateDict({ lastEpoch, baseLrs }: SchedulerState): void {
    this.lastEpoch = checkNumber(`${this.name}.loadStateDict`, "lastEpoch", lastEpoch, 0);
    this.optimizer.paramGroups.forEach((group, i) => {
      group.initialLr = (baseLrs as readonly number[])[i]!;
    });
    this.apply();
  }
}
