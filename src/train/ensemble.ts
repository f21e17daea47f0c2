// Several models as one: averages, bagging with its out-of-bag error, snapshots of one training.
import { DataLoader, type Dataset, Subset } from "../data/index.js";
import { checkInteger, checkOptions, describe, rangeError, typeError } from "../error.js";
import { Module } from "../nn/index.js";
import { add, div, softmax } from "../ops/index.js";
import { numelOf } from "../shape.js";
import { noGrad } from "../tape/index.js";
import { type DType, Generator, randint, type Tensor, type TypedArray, tensor, withSeed } from "../tensor/index.js";
import { type LossFunction, lossFunction, type Pair } from "./batch.js";
import { Weights } from "./checkpoint.js";
import type { Callback, EpochResult, FitResult, Training } from "./events.js";
import { fit } from "./fit.js";
import type { AbortSignalLike, FitOptions } from "./options.js";
import type { Task } from "./workers.js";

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

/** What a member became, and what it makes of the samples that were not drawn for it. */
interface Member {
  readonly model: Module;
  readonly loss?: LossFunction;
  readonly result: FitResult;
  readonly unseen: Int32Array;
  readonly outputs: Float32Array;
  /** Shape of one output. */
  readonly shape: readonly number[];
}

/** A member as plain data. */
export type BaggingPart = Omit<Member, "model" | "loss"> & {
  readonly weights: Readonly<Record<string, { data: TypedArray; shape: readonly number[]; dtype: DType }>>;
};

/** The arguments of `bagging`, checked. */
class Bagging {
  readonly k: number;
  private readonly seed: number;
  private readonly batchSize: number;
  private readonly how: Averaging;
  private readonly makeModel: (member: number) => Module;
  private readonly dataset: Dataset<Pair>;
  private readonly options: BaggingOptions;

  constructor(makeModel: (member: number) => Module, dataset: Dataset<Pair>, options: BaggingOptions) {
    const op = "bagging";
    checkOptions(op, options, ["k", "seed", "fit", "batchSize", "average", "error"]);
    this.k = checkInteger(op, "k", options.k ?? 5, 1);
    this.seed = checkInteger(op, "seed", options.seed ?? 0, 0);
    if (typeof options.fit !== "function") throw typeError(op, `fit must be a function: got ${describe(options.fit)}`);
    this.batchSize = options.batchSize ?? 32;
    this.how = options.average ?? "outputs";
    [this.makeModel, this.dataset, this.options] = [makeModel, dataset, options];
  }

  /** `fn` as if the program had begun with a seed of the member's own. */
  private seeded<T>(member: number, fn: () => T): T {
    return withSeed((this.seed * 65537 + member + 1) % Number.MAX_SAFE_INTEGER, fn);
  }

  async train(member: number, signal?: AbortSignalLike): Promise<Member> {
    const { batchSize, dataset, makeModel, how } = this;
    const n = dataset.length;
    const generator = new Generator(this.seed, { name: "bagging", index: member });
    const draw = randint(0, n, [n], { generator });
    const indices = Array.from(draw.toTypedArray());
    draw.dispose();
    generator.dispose();
    // fit takes its random stream before it first waits, so within this seed.
    const { model, loss, done } = this.seeded(member, () => {
      const model = makeModel(member);
      const loader = new DataLoader(new Subset(dataset, indices), { batchSize, shuffle: true });
      const given = this.options.fit(model, member);
      const either: AbortSignalLike = {
        get aborted() {
          return signal?.aborted === true || given.signal?.aborted === true;
        },
      };
      const quiet = signal !== undefined && { progress: false };
      return { model, loss: given.loss, done: fit(model, loader, { ...given, ...quiet, signal: either }) };
    });
    const result = await done;
    const seen = new Set(indices);
    const unseen = Int32Array.from({ length: n }, (_, i) => i).filter((i) => !seen.has(i));
    const outputs: number[] = [];
    let shape: readonly number[] = [];
    for (let start = 0; start < unseen.length; start += batchSize)
      noGrad(() => {
        const output = average([model.forward(dataset.batch(unseen.subarray(start, start + batchSize))[0])], how);
        shape = output.shape.slice(1);
        outputs.push(...output.toTypedArray());
      });
    return { model, loss, result, unseen, outputs: Float32Array.from(outputs), shape };
  }

  join(members: readonly Member[]): BaggingResult {
    const { dataset, options, how } = this;
    const width = members.reduce((most, { shape }) => Math.max(most, numelOf(shape)), 0);
    const sums = new Float64Array(dataset.length * width);
    const votes = new Int32Array(dataset.length);
    for (const { unseen, outputs } of members)
      for (const [row, i] of unseen.entries()) {
        votes[i]! += 1;
        for (let j = 0; j < width; j++) sums[i * width + j]! += outputs[row * width + j]!;
      }
    const models = members.map(({ model }) => model);
    const judged = Int32Array.from(votes.keys()).filter((i) => votes[i]! > 0);
    const outOfBagError = noGrad(() => {
      if (judged.length === 0) return Number.NaN;
      const means = Array.from(judged, (i) => sums.subarray(i * width, (i + 1) * width).map((sum) => sum / votes[i]!));
      const shape = [judged.length, ...members.find(({ unseen }) => unseen.length > 0)!.shape];
      const output = tensor(Float32Array.from(means.flatMap((row) => [...row])), { shape });
      const judge = options.error ?? lossFunction("bagging", members[0]!.loss ?? options.fit(models[0]!, 0).loss);
      const error = judge(output, dataset.batch(judged)[1]);
      return typeof error === "number" ? error : error.item();
    });
    return { model: ensemble(models, { average: how }), results: members.map(({ result }) => result), outOfBagError };
  }

  async run(member: number, signal: AbortSignalLike): Promise<BaggingPart> {
    const { model, loss: _, ...rest } = await this.train(member, signal);
    const weights = Object.entries(model.stateDict()).map(
      ([name, x]) => [name, { data: x.toTypedArray(), shape: x.shape, dtype: x.dtype }] as const,
    );
    return { ...rest, weights: Object.fromEntries(weights) };
  }

  /** A member of another thread, here. */
  revive({ weights, ...rest }: BaggingPart, member: number): Member {
    const model = this.seeded(member, () => this.makeModel(member));
    noGrad(() => {
      const tensors = Object.entries(weights).map(([name, { data, ...kind }]) => [name, tensor(data, kind)]);
      model.loadStateDict(Object.fromEntries(tensors));
    });
    return { ...rest, model: model.eval() };
  }
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
  const bag = new Bagging(makeModel, dataset, options);
  const members: Member[] = [];
  // Ctrl-C is meant for all of them.
  while (members.length < bag.k && members.at(-1)?.result.kind !== "aborted")
    members.push(await bag.train(members.length));
  return bag.join(members);
}

/**
 * `bagging` as a task whose members `inWorkers` trains in parallel: the same arguments, the same bits. Callbacks run in the
 * workers; a signal and Ctrl-C are those of `inWorkers`.
 */
export function baggingTask(
  makeModel: (member: number) => Module,
  dataset: Dataset<Pair>,
  options: BaggingOptions,
): Task<BaggingPart, BaggingResult> {
  const bag = new Bagging(makeModel, dataset, options);
  return {
    members: bag.k,
    run: (member, signal) => bag.run(member, signal),
    join: (parts) => bag.join(parts.map((part, member) => bag.revive(part, member))),
  };
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
