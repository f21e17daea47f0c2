// The two ways to run a training: `fit` to its end, `train` as an iteration over its events.
import type { Module } from "../nn/index.js";
import type { Pair } from "./batch.js";
import type { FitResult, TrainEvent } from "./events.js";
import { checkFit, eitherOf, type FitOptions, type SettledFitOptions } from "./options.js";
import { ProgressBar } from "./progress.js";
import { session } from "./session.js";

const now = (): number => Date.now() / 1000;

/** A macrotask, where the engine has them, so that a page can paint and timers fire. */
const breathe = (): Promise<void> =>
  typeof setTimeout === "function" ? new Promise((resolve) => setTimeout(resolve, 0)) : Promise.resolve();

const secondsBetweenBreaths = 0.03;

/** What of Node's process is used. */
interface Process {
  once(event: "SIGINT", listener: () => void): unknown;
  removeListener(event: "SIGINT", listener: () => void): unknown;
}

/** Trainings that Ctrl-C ends: one listener for all, as Node warns of more than ten. */
const interruptible = new Set<{ aborted: boolean }>();
const interruptAll = (): void => {
  for (const signal of interruptible) signal.aborted = true;
};

/** Aborted at Ctrl-C, where there is a process, until it is told to forget it. */
export function interruptSignal(): { readonly aborted: boolean; forget(): void } {
  const { process } = globalThis as unknown as { process?: Process };
  const listens = typeof process?.once === "function";
  const signal = {
    aborted: false,
    forget() {
      if (interruptible.delete(signal) && interruptible.size === 0) process!.removeListener("SIGINT", interruptAll);
    },
  };
  // Once: a second Ctrl-C kills as ever.
  if (listens && interruptible.size === 0) process.once("SIGINT", interruptAll);
  if (listens) interruptible.add(signal);
  return signal;
}

/** Runs the session, waits for its callbacks, gives way to the event loop every 30 ms. */
async function* events(
  op: string,
  model: Module,
  loader: Iterable<Pair>,
  options: SettledFitOptions,
): AsyncGenerator<TrainEvent, FitResult, undefined> {
  const interrupt = options.interrupt ? interruptSignal() : null;
  const signal = interrupt === null ? options.signal : eitherOf(interrupt, options.signal);
  const bar = (options.progress ?? op === "fit") ? new ProgressBar() : null;
  const callbacks = [...options.callbacks, ...(bar === null ? [] : [bar])];
  const run = session(op, model, loader, { ...options, signal, callbacks });
  let breathed = now();
  try {
    for (;;) {
      const { done, value } = run.next();
      if (done) return value;
      if (value instanceof Promise) await value;
      else if (value !== null) yield value;
      if (now() - breathed < secondsBetweenBreaths) continue;
      await breathe();
      breathed = now();
    }
  } finally {
    bar?.close();
    run.return(undefined as never); // where the consumer broke off
    interrupt?.forget();
  }
}

/**
 * Trains a model: for each epoch, each batch: forward, loss, backward, optimizer step; then the validation.
 *
 * It gives way to the event loop every 30 ms. Each step is a scope, so memory is constant; random numbers come from a
 * stream of its own, so that two trainings at once give the bits of two in turn.
 *
 * @param loader batches `[input, target]`: a `DataLoader`, or any iterable that can be iterated once an epoch.
 * @returns how it ended, the history and the best epoch. The model is in evaluation mode then.
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
  const run = events("fit", model, loader, checkFit("fit", model, loader, options));
  for (;;) {
    const { done, value } = await run.next();
    if (done) return value;
  }
}

/**
 * The same as an iteration over what happens, event by event; the last is `{ type: "end", kind, history, best }`. To break
 * off ends the training.
 *
 * @example
 * import { ones } from "gradine";
 * import { Linear, MSELoss } from "gradine/nn";
 * import { SGD } from "gradine/optim";
 * import { train } from "gradine/train";
 * const model = new Linear(2, 1);
 * const optimizer = new SGD(model.parameters(), { lr: 0.1 });
 * for await (const event of train(model, [[ones([4, 2]), ones([4, 1])]], { loss: new MSELoss(), optimizer, epochs: 2 })) {
 *   if (event.type === "end") console.log(event.kind, event.history.length); // completed 2
 * }
 */
export function train(
  model: Module,
  loader: Iterable<Pair>,
  options: FitOptions,
): AsyncGenerator<TrainEvent, FitResult, undefined> {
  return events("train", model, loader, checkFit("train", model, loader, options));
}
