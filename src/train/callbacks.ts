// Callbacks that steer a training or note what it does.
import { checkInteger, checkKind, checkOptions, readOptions } from "../error.js";
import { mul, sum } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { can } from "./batch.js";
import { Weights } from "./checkpoint.js";
import {
  type BatchEvent,
  type Callback,
  type CallbackState,
  type EpochResult,
  type FitResult,
  isBetter,
  type Mode,
  modes,
  monitored,
  signOf,
  type Training,
  type TrainingCheckpoint,
} from "./events.js";

/** Options of `EarlyStopping`. */
export interface EarlyStoppingOptions {
  /** The value that is watched; default "loss" (the validation's if there is one). */
  readonly monitor?: string;
  /** Epochs without improvement after which the training stops; default 10. */
  readonly patience?: number;
  /** What counts as an improvement; default 0. */
  readonly minDelta?: number;
  /** Whether a lower ("min") or higher ("max") value is better; default by its name. */
  readonly mode?: Mode;
  /** Put the weights and buffers of the best epoch back at the end; default true. */
  readonly restoreBest?: boolean;
}

/** A callback whose state is some of its fields. */
abstract class Stateful {
  /** @internal Their names. */
  protected abstract readonly lasting: readonly string[];

  stateDict(): CallbackState {
    return { values: Object.fromEntries(this.lasting.map((name) => [name, this[name as keyof this]])) };
  }

  loadStateDict({ values }: CallbackState): void {
    Object.assign(this, values);
  }
}

/** Stops when a value no longer improves, and restores the best weights. Keras: `EarlyStopping`. */
export class EarlyStopping extends Stateful implements Callback {
  /** The best value so far. */
  best = Number.NaN;
  private wait = 0;
  /** @internal */
  protected readonly lasting = ["best", "wait"];
  private readonly weights = new Weights();
  private readonly options: Required<EarlyStoppingOptions>;

  constructor(options: EarlyStoppingOptions = {}) {
    super();
    const { monitor = "loss", ...rest } = readOptions("EarlyStopping", options, {
      monitor: [],
      patience: [10],
      minDelta: [0, 0],
      mode: modes,
      restoreBest: [true],
    });
    checkInteger("EarlyStopping", "patience", rest.patience, 1);
    this.options = { monitor, ...rest };
  }

  onEpoch(event: EpochResult, training: Training): void {
    const { monitor, mode, minDelta, patience, restoreBest } = this.options;
    const value = monitored(event, monitor);
    if (isBetter(value, this.best, signOf(mode, monitor), minDelta)) {
      this.best = value;
      this.wait = 0;
      if (restoreBest) this.weights.take(training.model);
    } else if (++this.wait >= patience) {
      training.stop(`${monitor} has not improved on ${this.best} for ${patience} epochs`);
    }
  }

  onEnd({ kind }: FitResult, { model }: Training): void {
    // An aborted training may be resumed: it stays where it is.
    if (kind !== "aborted") this.weights.restore(model);
  }

  override stateDict(): CallbackState {
    return { ...super.stateDict(), tensors: this.weights.tensors };
  }

  override loadStateDict(state: CallbackState): void {
    super.loadStateDict(state);
    this.weights.set(state.tensors ?? {});
  }
}

/** Options of `Checkpoint`. */
export interface CheckpointOptions {
  /** Stores a checkpoint under a name; a promise is waited for. */
  readonly save: (name: string, checkpoint: TrainingCheckpoint) => unknown;
  /** Removes one that is no longer among the last. */
  readonly remove?: (name: string) => unknown;
  /** Save after every so many epochs, or steps; 0 for none. Default 1. */
  readonly every?: number;
  /** Default "epoch". */
  readonly unit?: "epoch" | "step";
  /** How many of these are kept; default all. */
  readonly last?: number;
  /** Save as "best" whenever the monitored value improves; default false. */
  readonly best?: boolean;
  /** Default "loss". */
  readonly monitor?: string;
  /** Default by the monitored value's name. */
  readonly mode?: Mode;
}

/**
 * Saves checkpoints that `fit`'s `resume` goes on from with the same bits: `epoch-3`, `step-500`, `best`; and `aborted`
 * when the training is aborted.
 *
 * @example
 * import { decodeSafetensors, encodeSafetensors } from "gradine/io";
 * import { Checkpoint } from "gradine/train";
 * const files = new Map(); // or fs.writeFileSync
 * const save = (name, { tensors, metadata }) => files.set(name, encodeSafetensors(tensors, metadata));
 * const callbacks = [new Checkpoint({ save, remove: (name) => files.delete(name), last: 3, best: true })];
 * const resume = () => decodeSafetensors(files.get("epoch-3"));
 */
export class Checkpoint extends Stateful implements Callback {
  private value = Number.NaN;
  private kept: string[] = [];
  /** @internal */
  protected readonly lasting = ["value", "kept"];
  private readonly options;

  constructor(options: CheckpointOptions) {
    super();
    this.options = readOptions("Checkpoint", options, {
      save: [],
      remove: [],
      every: [1],
      unit: ["epoch", "step"],
      last: [],
      best: [false],
      monitor: [],
      mode: modes,
    });
    checkKind("Checkpoint", can(options, "save"), "save must be a function", options.save);
    checkInteger("Checkpoint", "every", this.options.every, 0);
    checkInteger("Checkpoint", "last", options.last ?? 1, 1);
  }

  private put(training: Training, name: string): void {
    const { save, remove, last = Infinity } = this.options;
    this.kept.push(name);
    const gone = this.kept.length > last ? this.kept.shift() : undefined;
    training.checkpoint(name, (checkpoint) => {
      const saved = save(name, checkpoint);
      if (gone === undefined) return saved;
      return saved instanceof Promise ? saved.then(() => remove?.(gone)) : remove?.(gone);
    });
  }

  onBatch(_: BatchEvent, training: Training): void {
    const { every, unit } = this.options;
    const name = `step-${training.steps}`;
    const due = every > 0 && training.steps > 0 && training.steps % every === 0 && this.kept.at(-1) !== name;
    if (unit === "step" && due) this.put(training, name);
  }

  onEpoch(event: EpochResult, training: Training): void {
    const { every, unit, best, monitor = "loss", mode, save } = this.options;
    const value = monitored(event, monitor);
    if (best && isBetter(value, this.value, signOf(mode, monitor))) {
      this.value = value;
      training.checkpoint("best", (checkpoint) => save("best", checkpoint));
    }
    if (unit === "epoch" && every > 0 && event.epoch % every === 0) this.put(training, `epoch-${event.epoch}`);
  }

  onEnd({ kind }: FitResult, training: Training): void {
    if (kind === "aborted") training.checkpoint("aborted", (checkpoint) => this.options.save("aborted", checkpoint));
  }
}

/** Ends as "diverged" when a weight is no longer a finite number (that the loss is, `fit` sees to itself). Keras: `TerminateOnNaN`. */
export class TerminateOnNaN implements Callback {
  private readonly every: number;

  /** @param options `every`: look after every so many steps; default 1. */
  constructor(options: { readonly every?: number } = {}) {
    checkOptions("TerminateOnNaN", options, ["every"]);
    this.every = checkInteger("TerminateOnNaN", "every", options.every ?? 1, 1);
  }

  onBatch(_: BatchEvent, training: Training): void {
    if (training.steps % this.every !== 0) return;
    for (const [name, parameter] of training.model.namedParameters()) {
      // 0 · x is NaN where x is NaN or infinite, and else ±0.
      if (Number.isNaN(noGrad(() => sum(mul(parameter, 0))).item()))
        training.stop(`${name} was not finite after step ${training.steps}`, "diverged");
    }
  }
}

/** Notes the learning rates of every step: `rates[step][group]`. */
export class LearningRateLogger extends Stateful implements Callback {
  rates: (readonly number[])[] = [];
  /** @internal */
  protected readonly lasting = ["rates"];

  onBatch(_: BatchEvent, { rates, steps }: Training): void {
    if (steps > this.rates.length) this.rates.push(rates);
  }
}

/** The values of an epoch in one flat record: epoch, loss, …, validation.loss, …, lr, seconds. */
function flat({ epoch, training, validation = {}, lr, seconds }: EpochResult): Record<string, number> {
  const named = Object.entries(validation).map(([name, value]) => [`validation.${name}`, value] as const);
  return { epoch, ...training, ...Object.fromEntries(named), ...(lr !== undefined && { lr }), seconds };
}

/** A logger of lines. */
abstract class LineLogger extends Stateful {
  protected begun = false;
  /** @internal */
  protected readonly lasting = ["begun"];
  protected readonly write: (line: string) => unknown;

  /** @param write gets each line with its end, such as `(line) => appendFileSync("log.csv", line)`. */
  constructor(write: (line: string) => unknown) {
    super();
    checkKind("a logger", typeof write === "function", "takes a function that writes a line", write);
    this.write = write;
  }
}

/** Writes a line of comma-separated values an epoch, the names first. */
export class CSVLogger extends LineLogger implements Callback {
  onEpoch(event: EpochResult): unknown {
    const values = flat(event);
    const names = this.begun ? "" : `${Object.keys(values).join(",")}\n`;
    this.begun = true;
    return this.write(`${names}${Object.values(values).join(",")}\n`);
  }
}

/** Writes a line of JSON an epoch. Values that are not finite are null, as JSON has none. */
export class JSONLLogger extends LineLogger implements Callback {
  onEpoch(event: EpochResult): unknown {
    return this.write(`${JSON.stringify(flat(event))}\n`);
  }
}
