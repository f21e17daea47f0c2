// What a training tells: its events, its callbacks, its result.
import type { Module } from "../nn/index.js";
import type { OptimizerState, ScheduledGroup, SchedulerState } from "../optim/index.js";
import type { Tensor } from "../tensor/index.js";
import type { Values } from "./batch.js";

/** What `fit` needs of an optimizer. */
export interface OptimizerLike {
  readonly paramGroups?: readonly (ScheduledGroup & { readonly params: readonly Tensor[] })[];
  /** Whether `step` must be given a closure that computes the loss with its gradients, as that of `LBFGS`. */
  readonly needsClosure?: boolean;
  zeroGrad(): void;
  step(closure?: () => Tensor): unknown;
  stateDict?(): OptimizerState;
  loadStateDict?(state: OptimizerState): void;
}

/** What `fit` needs of a schedule; `ReduceLROnPlateau` gets the monitored value. */
export interface ScheduleLike {
  step(value: number): void;
  stateDict?(): SchedulerState;
  loadStateDict?(state: SchedulerState): void;
}

/** What one epoch gave. */
export interface EpochResult {
  /** From 1. */
  readonly epoch: number;
  /** Means over the epoch: `loss` and the metrics. */
  readonly training: Values;
  /** The same over the validation batches, after the epoch. */
  readonly validation?: Values;
  /** The first group's learning rate in this epoch's last step, if the optimizer tells it. */
  readonly lr?: number;
  /** Duration in seconds. */
  readonly seconds: number;
}

/** What `fit` gives. */
export interface FitResult {
  /**
   * "completed" after the last epoch; "stopped" by a callback; "aborted" by the signal or Ctrl-C; "diverged" when the loss
   * was no longer a finite number: the step that showed it was not taken.
   */
  readonly kind: "completed" | "stopped" | "aborted" | "diverged";
  /** One entry for each epoch that was finished. */
  readonly history: readonly EpochResult[];
  /** The epoch with the best monitored value; null before the first epoch's end. */
  readonly best: { readonly epoch: number; readonly value: number } | null;
  /** Why, when it was stopped or diverged. */
  readonly reason?: string;
}

/** Everything that a training needs to go on: what a safetensors file holds (`encodeSafetensors(tensors, metadata)`). */
export interface TrainingCheckpoint {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** After a batch. */
export interface BatchEvent {
  readonly type: "batch";
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Batches done, and in all (0 when the loader does not tell), of this epoch. */
  readonly batch: number;
  readonly batches: number;
  /** This batch's loss. */
  readonly loss: number;
  /** Means over the epoch so far: `loss` and the metrics that are functions. */
  readonly values: Values;
  /** Seconds since the epoch began. */
  readonly seconds: number;
}

/** What `train` yields. */
export type TrainEvent =
  | BatchEvent
  | { readonly type: "validation"; readonly epoch: number; readonly values: Values }
  | ({ readonly type: "epoch" } & EpochResult)
  | { readonly type: "checkpoint"; readonly name: string; readonly epoch: number; readonly batch: number }
  | ({ readonly type: "end" } & FitResult);

/** A training as its callbacks see it. */
export interface Training {
  readonly model: Module;
  readonly optimizer: OptimizerLike;
  /** Epochs in all, and the one under way, from 1. */
  readonly epochs: number;
  readonly epoch: number;
  /** Optimizer steps so far. */
  readonly steps: number;
  readonly history: readonly EpochResult[];
  /** Each group's learning rate in the last step. */
  readonly rates: readonly number[];
  /** Ends the training after what is under way. */
  stop(reason: string, kind?: "stopped" | "diverged"): void;
  /** Saves a checkpoint once all callbacks of this event have run. */
  checkpoint(name: string, save: (checkpoint: TrainingCheckpoint) => unknown): void;
}

/** What a callback needs to go on after a resume. */
export interface CallbackState {
  /** Anything that JSON holds. */
  readonly values: unknown;
  readonly tensors?: Readonly<Record<string, Tensor>>;
}

/** Called during a training; a promise is waited for. */
export interface Callback {
  onStart?(training: Training): unknown;
  onBatch?(event: BatchEvent, training: Training): unknown;
  onEpoch?(event: EpochResult, training: Training): unknown;
  onEnd?(result: FitResult, training: Training): unknown;
  stateDict?(): CallbackState;
  loadStateDict?(state: CallbackState): void;
}

/** Whether lower or higher values are better, by a metric's name unless it is said. */
export type Mode = "min" | "max" | "auto";

/** A monitored value: `loss` is the validation's if there is one, else the training's; or `training.loss`, `validation.loss`. */
export function monitored(result: EpochResult, monitor: string): number {
  const [part, name] = monitor.includes(".") ? (monitor.split(".") as [string, string]) : [undefined, monitor];
  const values = part === "training" ? result.training : part === "validation" ? result.validation : undefined;
  return (values ?? (part === undefined ? (result.validation ?? result.training) : {}))[name] ?? Number.NaN;
}

/** 1 where lower is better, −1 where higher is. */
export const signOf = (mode: Mode, monitor: string): 1 | -1 =>
  mode === "max" || (mode === "auto" && /acc|auc|f1|precision|recall|r2|score/i.test(monitor)) ? -1 : 1;

/** Whether a value is better than the best so far (NaN: none yet) by more than `delta`. */
export const isBetter = (value: number, best: number, sign: 1 | -1, delta = 0): boolean =>
  Number.isNaN(best) ? !Number.isNaN(value) : sign * value < sign * best - delta;

/** Choices of `Mode`, the default first. */
export const modes: readonly Mode[] = ["auto", "min", "max"];
