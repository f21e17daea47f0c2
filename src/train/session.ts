// The training loop, as a generator of what happens: `fit` and `train` are the two ways to run it. What it yields beside
// events are promises of callbacks, to be waited for, and null where it may pause.
import { rangeError, show } from "../error.js";
import { runInScope } from "../memory/index.js";
import type { Module } from "../nn/index.js";
import { mul } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { type Generator, nextStream, type Tensor, withGenerator } from "../tensor/index.js";
import { checkBatch, drawsOf, lengthOf, lossFunction, Measures, type Pair } from "./batch.js";
import { capture, type Parts, restore } from "./checkpoint.js";
import {
  type BatchEvent,
  type EpochResult,
  type FitResult,
  isBetter,
  monitored,
  signOf,
  type TrainEvent,
  type Training,
  type TrainingCheckpoint,
} from "./events.js";
import { type SettledFitOptions, treatment } from "./options.js";

/** Where a training is: what a checkpoint holds beside the parts' own states. */
interface Position {
  /** The epoch under way, from 1, and batches of it that are done. */
  epoch: number;
  batch: number;
  steps: number;
  history: EpochResult[];
  best: FitResult["best"];
  rates: readonly number[];
  /** The random numbers of the steps. */
  stream: readonly number[];
  /** The loaders' states when the epoch began. */
  loader: unknown;
  validation: unknown;
  measures: Measures["state"];
}

/** What of a loader makes a pass repeatable, if it has any. */
interface Resumable {
  stateDict?(): unknown;
  loadStateDict?(state: never): void;
}

const now = (): number => Date.now() / 1000;

/** The training: see `fit`. */
export function* session(
  op: string,
  model: Module,
  loader: Iterable<Pair>,
  options: SettledFitOptions,
): globalThis.Generator<TrainEvent | Promise<unknown> | null, FitResult> {
  const { optimizer, validation, schedule, scheduleEvery, callbacks, transform, signal } = options;
  const { epochs, accumulate, monitor = "loss", mode, metrics } = options;
  const loss = lossFunction(op, options.loss);
  const treat = treatment(op, options);
  const measures = new Measures(op, metrics);
  const stream: Generator = nextStream("fit");
  const parts: Parts = { model, optimizer, schedule, callbacks };
  const loaders: [Resumable, Resumable] = [loader as Resumable, (validation ?? {}) as Resumable];
  const statesOf = () => loaders.map((one) => one.stateDict?.());
  const batches = lengthOf(loader);
  const at = {
    epoch: 1,
    batch: 0,
    steps: 0,
    history: [] as EpochResult[],
    best: null as FitResult["best"],
    rates: [] as readonly number[],
  };
  let begunWith = statesOf();
  let pending = false; // gradients that no step has used yet
  let ending: { kind: FitResult["kind"]; reason?: string } | null = null;
  const saves: { name: string; save: (checkpoint: TrainingCheckpoint) => unknown }[] = [];

  const training: Training = {
    model,
    optimizer,
    epochs,
    history: at.history,
    get epoch() {
      return at.epoch;
    },
    get steps() {
      return at.steps;
    },
    get rates() {
      return at.rates;
    },
    stop(reason, kind = "stopped") {
      ending ??= { kind, reason };
    },
    checkpoint(name, save) {
      saves.push({ name, save });
    },
  };
  const position = (): Position => ({
    ...at,
    stream: stream.getState(),
    loader: begunWith[0],
    validation: begunWith[1],
    measures: measures.state,
  });

  /** Calls a method of every callback, then saves what they asked for. */
  function* tell(
    method: "onStart" | "onBatch" | "onEpoch" | "onEnd",
    ...event: readonly unknown[]
  ): globalThis.Generator<TrainEvent | Promise<unknown>> {
    for (const callback of callbacks) {
      const told = callback[method] as ((...given: unknown[]) => unknown) | undefined;
      const answer = told?.call(callback, ...event, training);
      if (answer instanceof Promise) yield answer;
    }
    while (saves.length > 0) {
      const { name, save } = saves.shift()!;
      const saved = save(capture(parts, position()));
      if (saved instanceof Promise) yield saved;
      yield { type: "checkpoint", name, epoch: at.epoch, batch: at.batch };
    }
  }

  /** The optimizer's step. */
  const update = (value: number, closure?: () => Tensor): void => {
    const groups = optimizer.paramGroups;
    treat?.(groups?.flatMap((group) => [...group.params]) ?? model.parameters(), at.steps, stream);
    at.rates = groups?.map((group) => group.lr) ?? [];
    optimizer.step(closure);
    pending = false;
    at.steps++;
    if (scheduleEvery === "step") schedule?.step(value);
  };

  /** One batch in a scope of its own; false when the loss is not a finite number. */
  const visit = (
    draw: () => Pair,
    train: { readonly share: number; readonly first: boolean; readonly last: boolean } | null,
  ) =>
    runInScope("a step of fit()", () =>
      withGenerator(stream, () => {
        const drawn = checkBatch(op, draw());
        const [x, y] = train !== null && transform !== undefined ? checkBatch(op, transform(drawn)) : drawn;
        if (train?.first) optimizer.zeroGrad();
        const random = optimizer.needsClosure ? stream.getState() : null;
        const output = model.forward(x);
        const lost = loss(output, y);
        if (lost.numel !== 1)
          throw rangeError(
            op,
            `the loss must be one number: got shape ${show(lost.shape)}`,
            "Take its mean() or sum().",
          );
        const value = lost.item();
        if (train !== null) {
          if (!Number.isFinite(value)) {
            ending = {
              kind: "diverged",
              reason: `the loss was ${value} in batch ${at.batch + 1} of epoch ${at.epoch}`,
            };
            return value;
          }
          if (random !== null) {
            let begun = false;
            update(value, () => {
              if (!begun) {
                begun = true;
                lost.backward();
                return lost;
              }
              stream.setState(random);
              optimizer.zeroGrad();
              return runInScope("a step of fit()", () => {
                const again = loss(model.forward(x), y);
                again.backward();
                return again;
              });
            });
          } else {
            (train.share === 1 ? lost : mul(lost, train.share)).backward();
            pending = true;
            if (train.last) update(value);
          }
        }
        noGrad(() => measures.add(op, value, output, y, x.shape[0] ?? 1));
        return value;
      }),
    );

  try {
    if (options.resume !== undefined) {
      const {
        stream: random,
        loader: a,
        validation: b,
        measures: gathered,
        ...place
      } = restore(op, parts, options.resume) as Position;
      at.history.push(...place.history);
      Object.assign(at, { ...place, history: at.history });
      stream.setState(random);
      if (a !== undefined) loaders[0].loadStateDict?.(a as never);
      if (b !== undefined) loaders[1].loadStateDict?.(b as never);
      begunWith = [a, b];
      measures.state = gathered;
    }
    yield* tell("onStart");
    const listens = callbacks.some((callback) => callback.onBatch !== undefined) || op === "train";
    for (; at.epoch <= epochs && ending === null; at.epoch++) {
      const begun = now();
      model.train();
      const draws = drawsOf(loader);
      let passed = 0;
      if (at.batch === 0) measures.reset();
      for (const draw of draws) {
        if (passed++ < at.batch) continue; // done before the break
        if (signal?.aborted) {
          ending ??= { kind: "aborted" };
          break;
        }
        const within = at.batch % accumulate;
        // The last step of an epoch may have fewer batches.
        const together = batches > 0 ? Math.min(accumulate, batches - (at.batch - within)) : accumulate;
        const value = visit(draw, { share: 1 / together, first: within === 0, last: within === together - 1 });
        if (ending !== null) break;
        at.batch++;
        if (listens) {
          const event: BatchEvent = {
            type: "batch",
            epoch: at.epoch,
            epochs,
            batch: at.batch,
            batches,
            loss: value,
            values: measures.means,
            seconds: now() - begun,
          };
          yield* tell("onBatch", event);
          yield event;
        }
        yield null;
        if (ending !== null) break;
      }
      if (ending !== null) break;
      if (at.batch === 0)
        throw rangeError(op, "the loader gave no batches", "Is the dataset empty, or dropLast on a short one?");
      // A loader that does not tell its length may leave gradients over.
      if (pending) runInScope("a step of fit()", () => update(measures.means.loss!));
      const trained = measures.values;
      let checked: Record<string, number> | undefined;
      if (validation !== undefined) {
        model.eval();
        const gathered = measures.state; // a checkpoint made meanwhile begins the validation anew
        measures.reset();
        for (const draw of drawsOf(validation)) {
          if (signal?.aborted) {
            ending ??= { kind: "aborted" };
            measures.state = gathered;
            break;
          }
          noGrad(() => visit(draw, null));
          yield null;
        }
        if (ending !== null) break;
        if (measures.count === 0)
          throw rangeError(op, "the validation gave no batches", "Can it be iterated once an epoch?");
        checked = measures.values;
        yield { type: "validation", epoch: at.epoch, values: checked };
      }
      const lr = at.rates[0];
      const result: EpochResult = {
        epoch: at.epoch,
        training: trained,
        ...(checked && { validation: checked }),
        ...(lr !== undefined && { lr }),
        seconds: now() - begun,
      };
      at.history.push(result);
      const value = monitored(result, monitor);
      if (isBetter(value, at.best?.value ?? Number.NaN, signOf(mode, monitor))) at.best = { epoch: at.epoch, value };
      if (scheduleEvery === "epoch") schedule?.step(value);
      // A checkpoint from here on begins the next epoch.
      at.epoch++;
      at.batch = 0;
      begunWith = statesOf();
      yield* tell("onEpoch", result);
      at.epoch--;
      yield { type: "epoch", ...result };
    }
    const { kind, reason } = (ending ?? { kind: "completed" }) as NonNullable<typeof ending>;
    const result: FitResult = { kind, history: at.history, best: at.best, ...(reason !== undefined && { reason }) };
    yield* tell("onEnd", result);
    yield { type: "end", ...result };
    return result;
  } finally {
    model.eval();
    stream.dispose();
  }
}
