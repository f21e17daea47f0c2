// Several models as one: averages, bagging with its out-of-bag error, snapshots of one training.
import { DataLoader, type Dataset, Subset } from "../data/index.js";
import { checkInteger, checkOptions, describe, rangeError, typeError } from "../error.js";
import { Module } from "../nn/index.js";
import { add, div, softmax } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { Generator, randint, type Tensor, tensor, withSeed } from "../tensor/index.js";
import type { Pair } from "./batch.js";
import { Weights } from "./checkpoint.js";
import type { Callback, EpochResult, FitResult, Training } from "./events.js";
import { fit } from "./fit.js";
import type { FitOptions } from "./options.js";

/** How outputs are averaged: as they are (logits, values of a regression), or as probabilities after softmax over axis 1. */
export type Averaging = "outputs" | "probabilities";

const average = (outputs: readonly Tensor[], how: Averaging): Tensor =>
  div(
    outputs.map((x) => (how === "probabilities" ? softmax(x, 1) : x)).reduce((sum, x) => add(sum, x)),
    outputs.length,
  );

/** Models whose outputs are averaged; made by `ensemble`. */
export class Ensemble extends Module {
  static override typeName = "Ensemble";
  readonly models: readonly Module[];
  private readonly how: Averaging;

  constructor(models: readonly Module[], how: Averaging) {
    super();
    this.models = models;
    this.how = how;
  }

  forward(x: Tensor): Tensor {
    return average(
      this.models.map((model) => model.forward(x)),
      this.how,
    );
  }
}

/**
 * The models as one, whose output is the mean of theirs. Errors that are independent shrink: k models have a k-th of the
 * mean squared error that each has by chance.
 *
 * @param options `average`: "outputs" (default) or "probabilities".
 */
export function ensemble(models: readonly Module[], options: { readonly average?: Averaging } = {}): Ensemble {
  checkOptions("ensemble", options, ["average"]);
  const { average: how = "outputs" } = options;
  if (how !== "outputs" && how !== "probabilities")
    throw rangeError("ensemble", `average must be "outputs" or "probabilities": got ${describe(how)}`);
  if (models.length === 0) throw rangeError("ensemble", "got no models");
  for (const [i, model] of models.entries())
    if (!(model instanceof Module)) throw typeError("ensemble", `takes modules: got ${describe(model)} (model ${i})`);
  return new Ensemble(models, how);
}

/** Options of `bagging`. */
export interface BaggingOptions {
  /** Members; default 5. */
  readonly k?: number;
  /** What all their random numbers come from: a member's do not depend on the others. Default 0. */
  readonly seed?: number;
  /** How a member is trained; the model's parameters go to an optimizer here. */
  readonly fit: (model: Module, member: number) => FitOptions;
  /** Samples a batch; default 32. */
  readonly batchSize?: number;
  /** How outputs are averaged; default "outputs". */
  readonly average?: Averaging;
  /** The error of averaged outputs, for the out-of-bag error; default the loss of member 0's options. */
  readonly error?: (output: Tensor, target: Tensor) => number | Tensor;
}

/** What `bagging` gives. */
export interface BaggingResult {
  readonly model: Ensemble;
  /** Fewer than k when one was aborted. */
  readonly results: readonly FitResult[];
  /** The error over samples, each judged by the members that did not see it; NaN when there are none. */
  readonly outOfBagError: number;
}

/**
 * Trains k models on samples drawn with replacement, and averages them (Breiman 1996).
 *
 * @example
 * import { randn } from "gradine";
 * import { TensorDataset } from "gradine/data";
 * import { Linear, MSELoss } from "gradine/nn";
 * import { SGD } from "gradine/optim";
 * import { bagging } from "gradine/train";
 * const x = randn([60, 2]);
 * const data = new TensorDataset(x, x.sum(1, { keepdim: true }));
 * const { model, outOfBagError } = await bagging(() => new Linear(2, 1), data, {
 *   k: 3,
 *   fit: (member) => ({ loss: new MSELoss(), optimizer: new SGD(member.parameters(), { lr: 0.1 }), epochs: 20, progress: false }),
 * });
 * console.log(model.models.length, outOfBagError < 0.1); // 3 true
 */
export async function bagging(
  makeModel: (member: number) => Module,
  dataset: Dataset<Pair>,
  options: BaggingOptions,
): Promise<BaggingResult> {
  const op = "bagging";
  checkOptions(op, options, ["k", "seed", "fit", "batchSize", "average", "error"]);
  const k = checkInteger(op, "k", options.k ?? 5, 1);
  const seed = checkInteger(op, "seed", options.seed ?? 0, 0);
  const { batchSize = 32, average: how = "outputs" } = options;
  if (typeof options.fit !== "function") throw typeError(op, `fit must be a function: got ${describe(options.fit)}`);
  const n = dataset.length;
  const models: Module[] = [];
  const results: FitResult[] = [];
  let sums: Float64Array | undefined;
  const votes = new Int32Array(n);
  let shape: readonly number[] = [];
  let judge = options.error;
  for (let member = 0; member < k; member++) {
    const generator = new Generator(seed, { name: op, index: member });
    const draw = randint(0, n, [n], { generator });
    const indices = Array.from(draw.toTypedArray());
    draw.dispose();
    generator.dispose();
    // fit takes its random stream before it first waits, so within this seed.
    const { model, done } = withSeed((seed * 65537 + member + 1) % Number.MAX_SAFE_INTEGER, () => {
      const model = makeModel(member);
      const loader = new DataLoader(new Subset(dataset, indices), { batchSize, shuffle: true });
      const given = options.fit(model, member);
      judge ??=
        typeof given.loss === "function"
          ? given.loss
          : (a, b) => (given.loss as { forward(a: Tensor, b: Tensor): Tensor }).forward(a, b);
      return { model, done: fit(model, loader, given) };
    });
    const result = await done;
    results.push(result);
    models.push(model);
    if (result.kind === "aborted") break; // Ctrl-C is meant for all of them
    const seen = new Set(indices);
    const rest = Int32Array.from({ length: n }, (_, i) => i).filter((i) => !seen.has(i));
    for (let start = 0; start < rest.length; start += batchSize) {
      const part = rest.subarray(start, start + batchSize);
      const values = noGrad(() => {
        const output = average([model.forward(dataset.batch(part)[0])], how);
        shape = output.shape.slice(1);
        return output.toTypedArray();
      });
      const width = values.length / part.length;
      sums ??= new Float64Array(n * width);
      for (const [row, i] of part.entries()) {
        votes[i]! += 1;
        for (let j = 0; j < width; j++) sums[i * width + j]! += values[row * width + j]!;
      }
    }
  }
  const judged = Int32Array.from({ length: n }, (_, i) => i).filter((i) => votes[i]! > 0);
  let outOfBagError = Number.NaN;
  if (judged.length > 0) {
    const width = sums!.length / n;
    const means = Float32Array.from({ length: judged.length * width }, (_, at) => {
      const i = judged[Math.floor(at / width)]!;
      return sums![i * width + (at % width)]! / votes[i]!;
    });
    const error = noGrad(() => judge!(tensor(means, { shape: [judged.length, ...shape] }), dataset.batch(judged)[1]));
    outOfBagError = typeof error === "number" ? error : error.item();
  }
  return { model: ensemble(models, { average: how }), results, outOfBagError };
}

/**
 * Keeps the weights at the end of every `every` epochs: of each cycle of a cyclic schedule (snapshot ensembles, Huang et
 * al. 2017). `models(make)` gives the models; `ensemble` joins them.
 */
export class Snapshots implements Callback {
  readonly snapshots: Weights[] = [];
  private readonly every: number;

  constructor(options: { readonly every: number }) {
    checkOptions("Snapshots", options, ["every"]);
    this.every = checkInteger("Snapshots", "every", options.every, 1);
  }

  onEpoch({ epoch }: EpochResult, { model }: Training): void {
    if (epoch % this.every !== 0) return;
    const weights = new Weights();
    weights.take(model);
    this.snapshots.push(weights);
  }

  /** A model made by `make` for each snapshot. */
  models(make: () => Module): Module[] {
    return this.snapshots.map((weights) => {
      const model = make();
      weights.restore(model);
      return model.eval();
    });
  }
}
