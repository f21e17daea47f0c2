// Fine-tuning: freezing, features computed once, learning rates by depth, low-rank adapters.
import { type Dataset, TensorDataset } from "../data/index.js";
import { checkInteger, checkNumber, checkOptions, describe, rangeError } from "../error.js";
import { init, Linear, Module, Parameter } from "../nn/index.js";
import { add, cat, copy, linear, matmul, mul } from "../ops/index.js";
import { keep, noGrad } from "../tape/index.js";
import { empty, scalarPow, type Tensor, zeros } from "../tensor/index.js";
import type { Pair } from "./batch.js";

/** Names of parameters or modules: a beginning ("body" means "body.…" too), an expression, or a function. */
export type Pattern = string | RegExp | ((name: string) => boolean);

const matches = (pattern: Pattern, name: string): boolean =>
  typeof pattern === "string"
    ? name === pattern || name.startsWith(`${pattern}.`)
    : typeof pattern === "function"
      ? pattern(name)
      : pattern.test(name);

/**
 * Takes the parameters whose names match out of training (`on` puts them back), and gives their names.
 *
 * @throws RangeError when none matches.
 * @example
 * import { Linear, ReLU, Sequential } from "gradine/nn";
 * import { freeze } from "gradine/train";
 * const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 2));
 * console.log(freeze(model, "0")); // ["0.weight", "0.bias"]
 */
export function freeze(model: Module, pattern: Pattern, options: { readonly on?: boolean } = {}): string[] {
  checkOptions("freeze", options, ["on"]);
  const found = [...model.namedParameters()].filter(([name]) => matches(pattern, name));
  if (found.length === 0) throw rangeError("freeze", `no parameter matches ${String(pattern)}`);
  for (const [, parameter] of found) {
    parameter.requiresGrad = options.on ?? false;
    if (!parameter.requiresGrad) parameter.grad = null;
  }
  return found.map(([name]) => name);
}

/**
 * Groups for an optimizer, one for each module directly within: the last has the rate `lr`, each before it `decay` times
 * that of the next (discriminative fine-tuning, Howard and Ruder 2018).
 *
 * @param options `lr`; `decay`, default 0.4.
 */
export function groupsByDepth(
  model: Module,
  options: { readonly lr: number; readonly decay?: number },
): { params: Parameter[]; lr: number }[] {
  checkOptions("groupsByDepth", options, ["lr", "decay"]);
  const lr = checkNumber("groupsByDepth", "lr", options.lr, 0);
  const decay = checkNumber("groupsByDepth", "decay", options.decay ?? 0.4, 0);
  const layers = new Map<string, Parameter[]>();
  for (const [name, parameter] of model.namedParameters()) {
    if (!parameter.requiresGrad) continue;
    const layer = [...model.namedChildren()].find(([child]) => matches(child, name))?.[0] ?? "";
    layers.set(layer, [...(layers.get(layer) ?? []), parameter]);
  }
  const last = layers.size - 1;
  return [...layers.values()].map((params, i) => ({ params, lr: lr * scalarPow(decay, last - i) }));
}

/**
 * What a frozen body makes of every sample, computed once: a dataset to train a head on. The body is in evaluation mode then.
 *
 * @param options `batchSize`, default 64.
 */
export function extractFeatures(
  body: Module,
  dataset: Dataset<Pair>,
  options: { readonly batchSize?: number } = {},
): TensorDataset<readonly [Tensor, Tensor]> {
  checkOptions("extractFeatures", options, ["batchSize"]);
  const batchSize = checkInteger("extractFeatures", "batchSize", options.batchSize ?? 64, 1);
  if (dataset.length === 0) throw rangeError("extractFeatures", "the dataset is empty");
  body.eval();
  const [x, y] = noGrad(() => {
    const parts: [Tensor, Tensor][] = [];
    for (let start = 0; start < dataset.length; start += batchSize) {
      const size = Math.min(batchSize, dataset.length - start);
      const [input, target] = dataset.batch(Int32Array.from({ length: size }, (_, i) => start + i));
      parts.push([body.forward(input), target]);
    }
    return [cat(parts.map(([features]) => features)), cat(parts.map(([, target]) => target))] as const;
  });
  keep([x, y]);
  return new TensorDataset(x, y);
}

/** Options of `lora`. */
export interface LoraOptions {
  /** Rank of the adapters; default 8. */
  readonly rank?: number;
  /** They count alpha / rank; default 16. */
  readonly alpha?: number;
  /** The linear layers that get one, by name; default all. */
  readonly targets?: Pattern;
}

/** A frozen linear layer with an adapter of low rank: y = x·Wᵀ + b + (alpha/rank)·(x·Aᵀ)·Bᵀ. Made by `lora`. */
export class LoraLinear extends Module {
  static override typeName = "LoraLinear";
  readonly base: Linear;
  /** `[rank, in]` */
  loraA: Parameter;
  /** `[out, rank]`, zeros at first: the adapter changes nothing before it is trained. */
  loraB: Parameter;
  readonly scale: number;

  constructor(base: Linear, rank: number, alpha: number) {
    super();
    this.base = base;
    this.scale = alpha / rank;
    this.loraA = new Parameter(init.kaimingUniform(empty([rank, base.inFeatures]), { a: Math.sqrt(5) }));
    this.loraB = new Parameter(zeros([base.outFeatures, rank]));
  }

  forward(x: Tensor): Tensor {
    return add(this.base.forward(x), mul(linear(linear(x, this.loraA), this.loraB), this.scale));
  }

  /** The layer with the adapter added to its weight. */
  merge(): Linear {
    noGrad(() => {
      const { weight } = this.base;
      copy(weight, add(weight, mul(matmul(this.loraB, this.loraA), this.scale)));
    });
    return this.base;
  }
}

/** Puts other modules in the place of those within `model` for which `change` gives one. */
function replace(model: Module, change: (module: Module, name: string) => Module | undefined): string[] {
  const changed: string[] = [];
  const names = new Map([...model.namedModules()].map(([name, module]) => [module as unknown, name]));
  const visit = (holder: Record<string, unknown> | unknown[] | Map<unknown, unknown>): void => {
    const entries = holder instanceof Map ? [...holder] : Object.entries(holder);
    for (const [key, value] of entries) {
      if (value instanceof Module) {
        const name = names.get(value) ?? "";
        const other = change(value, name);
        if (other === undefined) continue;
        changed.push(name);
        if (holder instanceof Map) holder.set(key, other);
        else (holder as Record<string, unknown>)[key as string] = other;
      } else if (Array.isArray(value) || value instanceof Map) visit(value);
      else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype)
        visit(value as Record<string, unknown>);
    }
  };
  for (const module of model.modules()) visit(module as unknown as Record<string, unknown>);
  return changed;
}

/**
 * Freezes a model and puts adapters of low rank beside its linear layers (LoRA, Hu et al. 2022): few parameters to train,
 * store and send. `mergeLora` adds them to the weights in the end. Gives the names of the layers.
 *
 * @throws RangeError when no linear layer matches.
 * @example
 * import { Linear, ReLU, Sequential } from "gradine/nn";
 * import { lora, mergeLora } from "gradine/train";
 * const model = new Sequential(new Linear(64, 64), new ReLU(), new Linear(64, 10));
 * console.log(lora(model, { rank: 2, targets: "0" })); // ["0"]
 * console.log(model.parameters().filter((p) => p.requiresGrad).reduce((n, p) => n + p.numel, 0)); // 256
 * mergeLora(model);
 */
export function lora(model: Module, options: LoraOptions = {}): string[] {
  checkOptions("lora", options, ["rank", "alpha", "targets"]);
  const rank = checkInteger("lora", "rank", options.rank ?? 8, 1);
  const alpha = checkNumber("lora", "alpha", options.alpha ?? 16);
  const { targets = () => true } = options;
  if (
    ![...model.namedModules()].some(
      ([name, module]) => module !== model && module instanceof Linear && matches(targets, name),
    )
  )
    throw rangeError("lora", `no linear layer within ${describe(model)} matches ${String(targets)}`);
  model.requiresGrad(false);
  return replace(model, (module, name) =>
    module instanceof Linear && matches(targets, name) ? new LoraLinear(module, rank, alpha) : undefined,
  );
}

/** Adds the adapters to their layers' weights and takes them away; all parameters are trainable again. Gives the layers' names. */
export function mergeLora(model: Module): string[] {
  const names = replace(model, (module) => (module instanceof LoraLinear ? module.merge() : undefined));
  model.requiresGrad(true);
  return names;
}
