// Several models as one: averages, bagging with its out-of-bag error, snapshots of one training.
import { DataLoader, type Dataset, Subset } from "../data/index.js";
import { checkInteger, checkKind, checkOptions, rangeError, readOptions } from "../error.js";
import { Module } from "../nn/index.js";
import { add, div, softmax } from "../ops/index.js";
import { numelOf } from "../shape.js";
import { noGrad } from "../tape/index.js";
import { type DType, Generator, randint, type Tensor, type TypedArray, tensor, withSeed } from "../tensor/index.js";
import { can, type LossFunction, lossFunction, type Pair } from "./batch.js";
import { Weights } from "./checkpoint.js";
import type { Callback, EpochResult, FitResult, Training } from "./events.js";
import { fit } from "./fit.js";
import { type AbortSignalLike, eitherOf, type FitOptions } from "./options.js";
import type { Task } from "./workers.js";

/** How outputs are averaged: as they are (logits, values of a regression), or as probabilities after softmax over axis 1. */
export type Averaging = "outputs" | "probabilities";

const averagings: readonly Averaging[] = ["outputs", "probabilities"];

const averageOf = (outputs: readonly Tensor[], how: Averaging): Tensor =>
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
    return averageOf(
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
  const { average } = readOptions("ensemble", options, { average: averagings });
  if (models.length === 0) throw rangeError("ensemble", "got no models");
  for (const [i, model] of models.entries())
    checkKind("ensemble", model instanceof Module, "takes modules", model, ` (model ${i})`);
  return new Ensemble(models, average);
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
  readonly weights: Record<string, { data: TypedArray; shape: readonly number[]; dtype: DType }>;
};

/** The parts of `bagging`: how a member is trained, sent, taken up, and all are joined. */
function parts(makeModel: (member: number) => Module, dataset: Dataset<Pair>, options: BaggingOptions) {
  const op = "bagging";
  const { k, seed, batchSize, average, error } = readOptions(op, options, {
    k: [5],
    seed: [0],
    fit: [],
    batchSize: [32],
    average: averagings,
    error: [],
  });
  checkInteger(op, "k", k, 1);
  checkInteger(op, "seed", seed, 0);
  checkKind(op, can(options, "fit"), "fit must be a function", options.fit);
  const n = dataset.length;

  /** `fn` as if the program had begun with a seed of the member's own. */
  const seeded = <T>(member: number, fn: () => T): T =>
    withSeed((seed * 65537 + member + 1) % Number.MAX_SAFE_INTEGER, fn);

  async function train(member: number, signal?: AbortSignalLike): Promise<Member> {
    const generator = new Generator(seed, { name: op, index: member });
    const draw = randint(0, n, [n], { generator });
    const indices = Array.from(draw.toTypedArray());
    draw.dispose();
    generator.dispose();
    // fit takes its random stream before it first waits, so within this seed.
    const { model, loss, done } = seeded(member, () => {
      const model = makeModel(member);
      const loader = new DataLoader(new Subset(dataset, indices), { batchSize, shuffle: true });
      const given = options.fit(model, member);
      const own = signal && { progress: false, signal: eitherOf(signal, given.signal) };
      return { model, loss: given.loss, done: fit(model, loader, { ...given, ...own }) };
    });
    const result = await done;
    const seen = new Set(indices);
    const unseen = Int32Array.from({ length: n }, (_, i) => i).filter((i) => !seen.has(i));
    const outputs: number[] = [];
    let shape: readonly number[] = [];
    for (let start = 0; start < unseen.length; start += batchSize)
      noGrad(() => {
        const output = averageOf([model.forward(dataset.batch(unseen.subarray(start, start + batchSize))[0])], average);
        shape = output.shape.slice(1);
        outputs.push(...output.toTypedArray());
      });
    return { model, loss, result, unseen, outputs: Float32Array.from(outputs), shape };
  }

  /** The error of the mean outputs for the samples that some member did not see. */
  function outOfBag(members: readonly Member[]): number {
    const shape = members.find(({ unseen }) => unseen.length > 0)?.shape;
    if (shape === undefined) return Number.NaN;
    const width = numelOf(shape);
    const sums = new Float64Array(n * width);
    const votes = new Int32Array(n);
    for (const { unseen, outputs } of members)
      for (const [row, i] of unseen.entries()) {
        votes[i]! += 1;
        for (let j = 0; j < width; j++) sums[i * width + j]! += outputs[row * width + j]!;
      }
    const judged = Int32Array.from(votes.keys()).filter((i) => votes[i]! > 0);
    const means = Float32Array.from({ length: judged.length * width }, (_, at) => {
      const i = judged[Math.floor(at / width)]!;
      return sums[i * width + (at % width)]! / votes[i]!;
    });
    const { model, loss = options.fit(model, 0).loss } = members[0]!;
    const judge = error ?? lossFunction(op, loss);
    const value = noGrad(() => judge(tensor(means, { shape: [judged.length, ...shape] }), dataset.batch(judged)[1]));
    return typeof value === "number" ? value : value.item();
  }

  return {
    k,
    train,
    join: (members: readonly Member[]): BaggingResult => ({
      model: ensemble(
        members.map(({ model }) => model),
        { average },
      ),
      results: members.map(({ result }) => result),
      outOfBagError: outOfBag(members),
    }),
    /** A member as it is sent from one thread to another. */
    pack({ model, loss: _, ...rest }: Member): BaggingPart {
      const weights: BaggingPart["weights"] = {};
      for (const [name, x] of Object.entries(model.stateDict()))
        weights[name] = { data: x.toTypedArray(), shape: x.shape, dtype: x.dtype };
      return { ...rest, weights };
    },
    unpack({ weights, ...rest }: BaggingPart, member: number): Member {
      const model = seeded(member, () => makeModel(member));
      noGrad(() => {
        const tensors = Object.entries(weights).map(([name, { data, ...kind }]) => [name, tensor(data, kind)]);
        model.loadStateDict(Object.fromEntries(tensors));
      });
      return { ...rest, model: model.eval() };
    },
  };
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
  const { k, train, join } = parts(makeModel, dataset, options);
  const members: Member[] = [];
  // Ctrl-C is meant for all of them.
  while (members.length < k && members.at(-1)?.result.kind !== "aborted") members.push(await train(members.length));
  return join(members);
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
  const { k, train, join, pack, unpack } = parts(makeModel, dataset, options);
  return {
    members: k,
    run: async (member, signal) => pack(await train(member, signal)),
    join: (packed) => join(packed.map(unpack)),
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
