// The options of a training: what they are, and that they fit together.
import { checkInteger, checkKind, checkNumber, checkOptions, rangeError, readOptions, type Settled } from "../error.js";
import type { Module } from "../nn/index.js";
import { addGradNoise, clipGradAdaptive, clipGradNorm, clipGradValue } from "../optim/index.js";
import type { Generator, Tensor } from "../tensor/index.js";
import { can, type LossFunction, lossFunction, Measures, type Metric, type Pair } from "./batch.js";
import {
  type Callback,
  type Mode,
  modes,
  type OptimizerLike,
  type ScheduleLike,
  type TrainingCheckpoint,
} from "./events.js";

/** What `fit` needs of an AbortSignal. */
export interface AbortSignalLike {
  readonly aborted: boolean;
}

/** Aborted when one of two is. */
export const eitherOf = (a: AbortSignalLike, b: AbortSignalLike | undefined): AbortSignalLike => ({
  get aborted() {
    return a.aborted || b?.aborted === true;
  },
});

/** How gradients are clipped before each step. */
export interface ClipOptions {
  /** Greatest norm of all gradients together. */
  readonly norm?: number;
  /** Greatest absolute value of an element. */
  readonly value?: number;
  /** Greatest norm of an output's gradient, as a share of its weights' norm. */
  readonly adaptive?: number;
}

/** Options of `fit` and `train`. */
export interface FitOptions {
  /** Loss of the model's output and the batch's target. */
  readonly loss: LossFunction;
  /** Updates the parameters. One that takes a closure (`LBFGS`) evaluates each batch several times, with the same random numbers. */
  readonly optimizer: OptimizerLike;
  /** Passes over the loader; default 1. */
  readonly epochs?: number;
  /** Moves the learning rate, after each epoch or each step. `ReduceLROnPlateau` gets the monitored value. */
  readonly schedule?: ScheduleLike;
  /** When the schedule steps: after each "epoch" (default), or each "step" of the optimizer. */
  readonly scheduleEvery?: "epoch" | "step";
  /** Batches that the model is evaluated on after each epoch. */
  readonly validation?: Iterable<Pair>;
  /** Metrics by name, such as `{ accuracy }` or `{ f1: new F1() }`. */
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** Told of what happens, in their order: `EarlyStopping`, `Checkpoint`, loggers, your own. */
  readonly callbacks?: readonly Callback[];
  /** Batches whose gradients are averaged for one step; default 1. */
  readonly accumulate?: number;
  /** Clips the gradients: a number is the greatest norm of all of them together. */
  readonly clip?: number | ClipOptions;
  /** Adds normal noise of variance eta/(1 + step)^gamma to the gradients, after clipping (Neelakantan et al. 2015). */
  readonly gradNoise?: { readonly eta?: number; readonly gamma?: number };
  /** Changes each training batch before it is used: mixup, augmentation. */
  readonly transform?: (batch: Pair) => Pair;
  /** The value that best epochs go by; default "loss" (the validation's if there is one). */
  readonly monitor?: string;
  /** Whether a lower ("min") or higher ("max") value is better; default by its name. */
  readonly mode?: Mode;
  /** Ends the training after the batch under way, also of the validation: an `AbortController`'s signal. */
  readonly signal?: AbortSignalLike;
  /** Ctrl-C ends it so, where there is a process; a second one kills as ever. Default true. */
  readonly interrupt?: boolean;
  /** Go on from a checkpoint, with the same bits as if there had been no break. */
  readonly resume?: TrainingCheckpoint;
  /** Show progress; default true in `fit`. */
  readonly progress?: boolean;
}

/** Defaults and choices; see `readOptions`. */
const table = {
  loss: [],
  optimizer: [],
  epochs: [1],
  schedule: [],
  scheduleEvery: ["epoch", "step"],
  validation: [],
  metrics: [{} as NonNullable<FitOptions["metrics"]>],
  callbacks: [[] as readonly Callback[]],
  accumulate: [1],
  clip: [],
  gradNoise: [],
  transform: [],
  monitor: [],
  mode: modes,
  signal: [],
  interrupt: [true],
  resume: [],
  progress: [],
} as const;

/** The options with their defaults. */
export type SettledFitOptions = Settled<FitOptions, typeof table>;

/** Checks what a training is given, at once and not when the first event is asked for; gives the options with defaults. */
export function checkFit(op: string, model: Module, loader: Iterable<Pair>, options: FitOptions): SettledFitOptions {
  const settled = readOptions(op, options, table);
  checkKind(op, can(model, "forward", "train", "eval"), "the model must be a module", model);
  for (const [name, batches] of Object.entries({ "the loader": loader, validation: options.validation ?? [] })) {
    const fits = typeof batches === "object" && batches !== null && Symbol.iterator in batches;
    checkKind(op, fits, `${name} must be a DataLoader or another iterable of batches`, batches);
  }
  const { optimizer, schedule, callbacks, epochs, accumulate, clip, gradNoise, metrics } = settled;
  checkInteger(op, "epochs", epochs, 0);
  checkInteger(op, "accumulate", accumulate, 1);
  checkKind(op, can(optimizer, "step", "zeroGrad"), "optimizer must have step() and zeroGrad()", optimizer);
  checkKind(op, schedule === undefined || can(schedule, "step"), "schedule must have step()", schedule);
  for (const [i, callback] of callbacks.entries())
    checkKind(op, typeof callback === "object", "callbacks must be objects", callback, ` (callback ${i})`);
  // They would change the gradient behind the back of the search along it.
  const useless = Object.entries({ accumulate: accumulate > 1, clip, gradNoise }).filter(([, value]) => value);
  if (optimizer.needsClosure && useless.length > 0)
    throw rangeError(
      op,
      `an optimizer that takes a closure has no use for ${useless.map(([name]) => name).join(", ")}`,
      "Use larger batches, and penalties in the loss.",
    );
  lossFunction(op, options.loss);
  treatment(op, settled);
  new Measures(op, metrics);
  return settled;
}

/** What is done to the gradients of these parameters before the optimizer's step, given its number; null for nothing. */
export function treatment(
  op: string,
  { clip, gradNoise }: Pick<SettledFitOptions, "clip" | "gradNoise">,
): ((params: readonly Tensor[], step: number, generator: Generator) => void) | null {
  const { norm, value, adaptive }: ClipOptions = typeof clip === "number" ? { norm: clip } : (clip ?? {});
  for (const [name, limit] of Object.entries({ norm, value, adaptive }))
    if (limit !== undefined) checkNumber(op, `clip.${name}`, limit, 0);
  if (gradNoise !== undefined) {
    checkOptions(`${op}: gradNoise`, gradNoise, ["eta", "gamma"]);
    for (const [name, given] of Object.entries(gradNoise)) checkNumber(op, `gradNoise.${name}`, given, 0);
  }
  if (clip === undefined && gradNoise === undefined) return null;
  return (params, step, generator) => {
    if (adaptive !== undefined) clipGradAdaptive(params, { clipping: adaptive });
    if (value !== undefined) clipGradValue(params, value);
    if (norm !== undefined) clipGradNorm(params, norm);
    if (gradNoise !== undefined) addGradNoise(params, { ...gradNoise, step, generator });
  };
}
