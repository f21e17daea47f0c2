// The training loop.
import { DataLoader } from "../data/index.js";
import { checkInteger, checkOptions, describe, rangeError, typeError } from "../error.js";
import { runInScope } from "../memory/index.js";
import type { Module } from "../nn/index.js";
import { noGrad } from "../tape/index.js";
import { type Generator, nextStream, Tensor, withGenerator } from "../tensor/index.js";
import { type Progress, ProgressWriter } from "./progress.js";

/** `[input, target]`, the batches that `fit` takes. */
export type Pair = readonly [Tensor, Tensor, ...unknown[]];

/** A loss: a function, or a layer such as `CrossEntropyLoss`. */
export type LossFunction =
  | ((output: Tensor, target: Tensor) => Tensor)
  | { forward(output: Tensor, target: Tensor): Tensor };

/** A metric of a batch; its mean over the samples is reported. */
export type Metric = (output: Tensor, target: Tensor) => number | Tensor;

/** What `fit` needs of an AbortSignal. */
export interface AbortSignalLike {
  readonly aborted: boolean;
}

/** Options of `fit`. */
export interface FitOptions {
  /** Loss of the model's output and the batch's target. */
  readonly loss: LossFunction;
  /** Updates the parameters. */
  readonly optimizer: { zeroGrad(): void; step(): void };
  /** Passes over the loader; default 1. */
  readonly epochs?: number;
  /** Batches that the model is evaluated on after each epoch. */
  readonly validation?: Iterable<Pair>;
  /** Metrics by name, such as `{ accuracy }`. */
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** Ends the training after the batch under way, also of the validation: an `AbortController`'s signal. */
  readonly signal?: AbortSignalLike;
  /** Show progress; default true. */
  readonly progress?: boolean;
}

/** What one epoch gave. */
export interface EpochResult {
  /** From 1. */
  readonly epoch: number;
  /** Means over the epoch: `loss` and the metrics. */
  readonly training: Readonly<Record<string, number>>;
  /** The same over the validation batches, after the epoch. */
  readonly validation?: Readonly<Record<string, number>>;
  /** Duration in seconds. */
  readonly seconds: number;
}

/** What `fit` gives. */
export interface FitResult {
  /** "aborted" when the signal ended it. */
  readonly kind: "completed" | "aborted";
  /** One entry for each epoch that was finished. */
  readonly history: readonly EpochResult[];
}

/** Sums of values over samples. */
class Means {
  private readonly sums = new Map<string, number>();
  private count = 0;

  add(values: Readonly<Record<string, number>>, samples: number): void {
    for (const [name, value] of Object.entries(values))
      this.sums.set(name, (this.sums.get(name) ?? 0) + value * samples);
    this.count += samples;
  }

  get empty(): boolean {
    return this.count === 0;
  }

  get values(): Record<string, number> {
    return Object.fromEntries([...this.sums].map(([name, sum]) => [name, sum / this.count]));
  }
}

/** Functions that make the batches of one pass; a loader's own scopes are left aside, since each step has one. */
function drawsOf(loader: Iterable<Pair>): Iterable<() => Pair> {
  if (loader instanceof DataLoader) return (loader as DataLoader<Pair>).draws();
  return (function* () {
    for (const batch of loader) yield () => batch;
  })();
}

const lengthOf = (loader: Iterable<Pair>): number => (loader as { length?: number }).length ?? 0;

const now = (): number => Date.now() / 1000;

/** A macrotask, where the engine has them, so that a page can paint and timers fire. */
const breathe = (): Promise<void> =>
  typeof setTimeout === "function" ? new Promise((resolve) => setTimeout(resolve, 0)) : Promise.resolve();

const secondsBetweenBreaths = 0.03;

/**
 * Trains a model: for each epoch, each batch: forward, loss, backward, optimizer step; then the validation.
 *
 * It gives way to the event loop every 30 ms. Each step is a scope, so memory is constant; random numbers come from a
 * stream of its own, so that two trainings at once give the bits of two in turn.
 *
 * @param loader batches `[input, target]`: a `DataLoader`, or any iterable that can be iterated once an epoch.
 * @returns how it ended, and the history. The model is in evaluation mode then.
 * @throws RangeError for an empty loader or validation; TypeError for what is no model, loader, loss, optimizer or metric.
 * @example
 * import { manualSeed, randn } from "gradine";
 * import { DataLoader, TensorDataset } from "gradine/data";
 * import { Linear, MSELoss } from "gradine/nn";
 * import { SGD } from "gradine/optim";
 * import { fit } from "gradine/train";
 * manualSeed(0);
 * const x = randn([64, 3]);
 * const loader = new DataLoader(new TensorDataset(x, x.sum(1, { keepdim: true })), { batchSize: 16, shuffle: true });
 * const model = new Linear(3, 1);
 * const optimizer = new SGD(model.parameters(), { lr: 0.1 });
 * const { history } = await fit(model, loader, { loss: new MSELoss(), optimizer, epochs: 5, progress: false });
 * console.log(history.at(-1).training.loss < 0.01); // true
 */
export async function fit(model: Module, loader: Iterable<Pair>, options: FitOptions): Promise<FitResult> {
  checkOptions("fit", options, ["loss", "optimizer", "epochs", "validation", "metrics", "signal", "progress"]);
  if (typeof model?.forward !== "function" || typeof model.train !== "function" || typeof model.eval !== "function")
    throw typeError("fit", `the model must be a module: got ${describe(model)}`);
  checkIterable("the loader", loader);
  const { optimizer, validation, metrics = {}, signal, progress = true } = options;
  const epochs = checkInteger("fit", "epochs", options.epochs ?? 1, 0);
  if (typeof optimizer?.step !== "function" || typeof optimizer.zeroGrad !== "function") {
    throw typeError("fit", `optimizer must have step() and zeroGrad(): got ${describe(optimizer)}`);
  }
  if (validation !== undefined) checkIterable("validation", validation);
  const loss = lossFunction(options.loss);
  for (const [name, metric] of Object.entries(metrics)) {
    if (typeof metric !== "function")
      throw typeError("fit", `metric ${name} must be a function: got ${describe(metric)}`);
    if (name === "loss") throw rangeError("fit", 'a metric cannot be named "loss": that is the loss itself');
  }
  const stream = nextStream("fit");
  const writer = progress ? new ProgressWriter() : null;
  const history: EpochResult[] = [];
  let breathed = now();

  const pause = async (): Promise<void> => {
    if (now() - breathed < secondsBetweenBreaths) return;
    await breathe();
    breathed = now();
  };
  /** One batch; gives its values and its number of samples. */
  const visit = (draw: () => Pair, train: boolean) =>
    runInScope("a step of fit()", () =>
      withGenerator(stream, () => {
        const [x, y] = checkBatch(draw());
        if (train) optimizer.zeroGrad();
        const output = model.forward(x);
        const value = loss(output, y);
        if (train) {
          value.backward();
          optimizer.step();
        }
        return { values: noGrad(() => measure(value, output, y, metrics)), samples: x.shape[0] ?? 1 };
      }),
    );

  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const begun = now();
      const means = new Means();
      const batches = lengthOf(loader);
      let batch = 0;
      const state = (): Progress => ({
        epoch,
        epochs,
        batch,
        batches,
        values: means.values,
        seconds: now() - begun,
        remaining: (epochs - epoch) * batches,
      });
      model.train();
      for (const draw of drawsOf(loader)) {
        if (signal?.aborted) return { kind: "aborted", history };
        const { values, samples } = visit(draw, true);
        means.add(values, samples);
        batch++;
        writer?.batch(state());
        await pause();
      }
      if (batch === 0)
        throw rangeError("fit", "the loader gave no batches", "Is the dataset empty, or dropLast on a short one?");
      let checked: Record<string, number> | undefined;
      if (validation !== undefined) {
        model.eval();
        const sums = new Means();
        for (const draw of drawsOf(validation)) {
          if (signal?.aborted) return { kind: "aborted", history };
          const { values, samples } = noGrad(() => visit(draw, false));
          sums.add(values, samples);
          await pause();
        }
        if (sums.empty) throw rangeError("fit", "the validation gave no batches", "Can it be iterated once an epoch?");
        checked = sums.values;
      }
      const seconds = now() - begun;
      history.push({ epoch, training: means.values, ...(checked && { validation: checked }), seconds });
      writer?.epoch(state(), checked);
    }
    return { kind: "completed", history };
  } finally {
    writer?.close();
    model.eval();
    (stream as Generator).dispose();
  }
}

function lossFunction(loss: LossFunction): (output: Tensor, target: Tensor) => Tensor {
  if (typeof loss === "function") return loss;
  if (typeof loss?.forward === "function") return (output, target) => loss.forward(output, target);
  throw typeError("fit", `loss must be a function or have forward(): got ${describe(loss)}`);
}

function checkIterable(what: string, batches: unknown): void {
  if (typeof batches !== "object" || batches === null || !(Symbol.iterator in batches)) {
    throw typeError("fit", `${what} must be a DataLoader or another iterable of batches: got ${describe(batches)}`);
  }
}

function checkBatch(batch: Pair): Pair {
  if (!Array.isArray(batch) || !(batch[0] instanceof Tensor) || !(batch[1] instanceof Tensor)) {
    throw typeError("fit", `a batch is [input, target], two tensors: got ${describe(batch)}`);
  }
  return batch;
}

function measure(
  loss: Tensor,
  output: Tensor,
  target: Tensor,
  metrics: Readonly<Record<string, Metric>>,
): Record<string, number> {
  const values: Record<string, number> = { loss: loss.item() };
  for (const [name, metric] of Object.entries(metrics)) {
    const value = metric(output, target);
    values[name] = value instanceof Tensor ? value.item() : value;
  }
  return values;
}
