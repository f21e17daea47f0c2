// What a training is given: batches, a loss, metrics; and the means of what they say.
import { DataLoader } from "../data/index.js";
import { checkKind, rangeError } from "../error.js";
import { Tensor } from "../tensor/index.js";
import type { StreamingMetric } from "./streaming.js";

/** `[input, target]`, the batches that `fit` takes. */
export type Pair = readonly [Tensor, Tensor, ...unknown[]];

/** A loss: a function, or a layer such as `CrossEntropyLoss`. */
export type LossFunction =
  | ((output: Tensor, target: Tensor) => Tensor)
  | { forward(output: Tensor, target: Tensor): Tensor };

/** A metric: of a batch, whose mean over the samples is reported, or one that gathers what it needs (`new F1()`). */
export type Metric = ((output: Tensor, target: Tensor) => number | Tensor) | StreamingMetric;

/** Whether a value has these methods. */
export const can = (value: unknown, ...methods: readonly string[]): boolean =>
  methods.every((name) => typeof (value as Record<string, unknown> | null | undefined)?.[name] === "function");

/** Values by name. */
export type Values = Readonly<Record<string, number>>;

/** Functions that make the batches of one pass; a loader's own scopes are left aside, since each step has one. */
export function* drawsOf(loader: Iterable<Pair>): globalThis.Generator<() => Pair> {
  if (loader instanceof DataLoader) yield* (loader as DataLoader<Pair>).draws();
  else for (const batch of loader) yield () => batch;
}

export const lengthOf = (loader: Iterable<Pair>): number => (loader as { length?: number }).length ?? 0;

export function lossFunction(op: string, loss: LossFunction): (output: Tensor, target: Tensor) => Tensor {
  if (typeof loss === "function") return loss;
  checkKind(op, can(loss, "forward"), "loss must be a function or have forward()", loss);
  return (output, target) => loss.forward(output, target);
}

export function checkBatch(op: string, batch: Pair): Pair {
  const fits = Array.isArray(batch) && batch[0] instanceof Tensor && batch[1] instanceof Tensor;
  checkKind(op, fits, "a batch is [input, target], two tensors", batch);
  return batch;
}

/** What a checkpoint within a pass holds of its metrics. */
export interface MeasuresState {
  readonly sums: Record<string, number>;
  readonly count: number;
  readonly streaming: Readonly<Record<string, number[]>>;
}

/** The metrics of one pass: means of those that are functions, the gathered state of the others. */
export class Measures {
  /** Samples so far, and the sums over them. */
  count = 0;
  private sums: Record<string, number> = {};
  private readonly metrics: Readonly<Record<string, Metric>>;

  constructor(op: string, metrics: Readonly<Record<string, Metric>>) {
    for (const [name, metric] of Object.entries(metrics)) {
      const fits = typeof metric === "function" || can(metric, "update");
      checkKind(op, fits, `metric ${name} must be a function or have update()`, metric);
      if (name === "loss") throw rangeError(op, 'a metric cannot be named "loss": that is the loss itself');
    }
    this.metrics = metrics;
  }

  /** Takes up a batch. */
  add(op: string, loss: number, output: Tensor, target: Tensor, samples: number): void {
    const values: Record<string, number> = { loss };
    for (const [name, metric] of Object.entries(this.metrics)) {
      try {
        if (typeof metric !== "function") metric.update(output, target);
        else {
          const value = metric(output, target);
          values[name] = value instanceof Tensor ? value.item() : value;
        }
      } catch (error) {
        throw new Error(`${op}: metric ${name} failed: ${(error as Error)?.message ?? error}`, { cause: error });
      }
    }
    for (const name in values) this.sums[name] = (this.sums[name] ?? 0) + values[name]! * samples;
    this.count += samples;
  }

  /** A value of each metric that gathers, by name. */
  private gathered<Value>(of: (metric: StreamingMetric) => Value): Record<string, Value> {
    const values: Record<string, Value> = {};
    for (const [name, metric] of Object.entries(this.metrics))
      if (typeof metric !== "function") values[name] = of(metric);
    return values;
  }

  /** Begins a pass. */
  reset(): void {
    this.gathered((metric) => metric.reset());
    this.sums = {};
    this.count = 0;
  }

  /** Means so far of the loss and the metrics that are functions. */
  get means(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.sums).map(([name, sum]) => [name, sum / this.count]));
  }

  /** What the pass gave. */
  get values(): Record<string, number> {
    return { ...this.means, ...this.gathered((metric) => metric.compute()) };
  }

  get state(): MeasuresState {
    return { sums: this.sums, count: this.count, streaming: this.gathered(({ state }) => state) };
  }
  set state({ streaming, ...own }: MeasuresState) {
    Object.assign(this, own);
    for (const [name, state] of Object.entries(streaming)) {
      const metric = this.metrics[name];
      if (typeof metric === "object") metric.state = state;
    }
  }
}
