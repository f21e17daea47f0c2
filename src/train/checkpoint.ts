// A training's whole state as tensors and text, and back: what resuming to the bit takes.
import { checkKind, rangeError } from "../error.js";
import type { Module } from "../nn/index.js";
import { copy } from "../ops/index.js";
import type { OptimizerState } from "../optim/index.js";
import { keep, noGrad } from "../tape/index.js";
import { Tensor, tensor } from "../tensor/index.js";
import type { Callback, OptimizerLike, ScheduleLike, TrainingCheckpoint } from "./events.js";

/** The parts that have a state of their own. */
export interface Parts {
  readonly model: Module;
  readonly optimizer: OptimizerLike;
  readonly schedule: ScheduleLike | undefined;
  readonly callbacks: readonly Callback[];
}

const version = 1;

/** JSON has no numbers that are not finite. */
const toText = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) => (typeof v === "number" && !Number.isFinite(v) ? `#${v}` : v));
const fromText = (text: string): unknown =>
  JSON.parse(text, (_, v: unknown) =>
    typeof v === "string" && /^#(NaN|-?Infinity)$/.test(v) ? Number(v.slice(1)) : v,
  );

/** The checkpoint of a training at `position`, which is anything that JSON holds. */
export function capture({ model, optimizer, schedule, callbacks }: Parts, position: object): TrainingCheckpoint {
  const tensors: Record<string, Tensor> = {};
  const put = (prefix: string, own: Readonly<Record<string, Tensor>>) => {
    for (const [name, x] of Object.entries(own)) tensors[`${prefix}.${name}`] = x;
  };
  put("model", model.stateDict());
  const saved = optimizer.stateDict?.();
  const numbers: Record<string, number> = {};
  for (const [param, own] of Object.entries(saved?.state ?? {})) {
    for (const [name, value] of Object.entries(own)) {
      if (value instanceof Tensor) tensors[`optimizer.${param}.${name}`] = value;
      else numbers[`${param}.${name}`] = value;
    }
  }
  // Gradients that are gathered over several batches.
  for (const [name, { grad }] of model.namedParameters()) if (grad !== null) tensors[`grad.${name}`] = grad;
  const states = callbacks.map((callback, i) => {
    const state = callback.stateDict?.();
    put(`callbacks.${i}`, state?.tensors ?? {});
    return state?.values ?? null;
  });
  const training = {
    version,
    position,
    optimizer: saved && { groups: saved.paramGroups, numbers },
    schedule: schedule?.stateDict?.(),
    callbacks: states,
  };
  return { tensors, metadata: { training: toText(training) } };
}

/** Puts a checkpoint's state into the parts and gives its position. @throws Error when it does not fit. */
export function restore(
  op: string,
  { model, optimizer, schedule, callbacks }: Parts,
  saved: TrainingCheckpoint,
): unknown {
  const text = saved?.metadata?.training;
  checkKind(op, typeof text === "string", "resume takes a training's checkpoint, { tensors, metadata }", saved);
  const training = fromText(text) as {
    version: number;
    position: unknown;
    optimizer?: { groups: OptimizerState["paramGroups"]; numbers: Record<string, number> };
    schedule?: never;
    callbacks: unknown[];
  };
  if (training.version !== version)
    throw rangeError(op, `the checkpoint is of version ${training.version}, not ${version}`);
  const under = (prefix: string): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(saved.tensors)
        .filter(([name]) => name.startsWith(`${prefix}.`))
        .map(([name, x]) => [name.slice(prefix.length + 1), x]),
    );
  model.loadStateDict(under("model"));
  if (training.optimizer !== undefined) {
    const state: Record<string, Record<string, Tensor | number>> = {};
    for (const [path, value] of Object.entries({ ...under("optimizer"), ...training.optimizer.numbers })) {
      const dot = path.indexOf(".");
      (state[path.slice(0, dot)] ??= {})[path.slice(dot + 1)] = value;
    }
    optimizer.loadStateDict?.({ state, paramGroups: training.optimizer.groups });
  }
  const grads = under("grad");
  for (const [name, parameter] of model.namedParameters())
    parameter.grad = grads[name] === undefined ? null : tensor(grads[name]);
  if (training.schedule !== undefined) schedule?.loadStateDict?.(training.schedule);
  for (const [i, callback] of callbacks.entries()) {
    const values = training.callbacks[i];
    if (values !== null && values !== undefined) callback.loadStateDict?.({ values, tensors: under(`callbacks.${i}`) });
  }
  return training.position;
}

/** Copies of a module's weights and buffers, which can be taken again and put back. */
export class Weights {
  tensors: Record<string, Tensor> = {};

  take(model: Module): void {
    noGrad(() => {
      for (const [name, x] of Object.entries(model.stateDict())) {
        const own = this.tensors[name];
        if (own === undefined) this.tensors[name] = kept(x);
        else copy(own, x);
      }
    });
  }

  /** Holds copies of these. */
  set(tensors: Readonly<Record<string, Tensor>>): void {
    this.tensors = Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, kept(x)]));
  }

  restore(model: Module): void {
    if (Object.keys(this.tensors).length > 0) model.loadStateDict(this.tensors);
  }
}

const kept = (x: Tensor): Tensor => keep(tensor(x));
