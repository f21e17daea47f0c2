// Parts of a dataset: for training, validation and test, and the folds of a cross-validation; stratified where labels are given.
import { checkInteger, checkNumber, checkOptions, rangeError } from "../error.js";
import { type Generator, nextStream, randperm, Tensor } from "../tensor/index.js";
import { type Dataset, Subset } from "./dataset.js";

/** Options of splits. */
export interface SplitOptions {
  /** A class for each sample: every part then has the classes in the same shares. */
  readonly stratify?: Tensor | ArrayLike<number>;
  /** Where the order is drawn from; default one derived from the seed. */
  readonly generator?: Generator;
}

/** The samples in random order, by class: one list for each label, or one for all. */
function byClass(op: string, n: number, { stratify, generator }: SplitOptions): number[][] {
  const permutation = randperm(n, { generator: generator ?? nextStream(op) });
  const order = Array.from(permutation.toTypedArray());
  permutation.dispose();
  if (stratify === undefined) return [order];
  const labels = stratify instanceof Tensor ? stratify.toTypedArray() : stratify;
  if (labels.length !== n) throw rangeError(op, `stratify has ${labels.length} labels for ${n} samples`);
  const classes = new Map<number, number[]>();
  for (const i of order) {
    const label = labels[i]!;
    const members = classes.get(label);
    if (members === undefined) classes.set(label, [i]);
    else members.push(i);
  }
  return [...classes.values()];
}

/** Options of `trainValTestSplit`. */
export interface TrainValTestOptions extends SplitOptions {
  /** Shares of training, validation and test; default [0.8, 0.1, 0.1]. */
  readonly fractions?: readonly [number, number, number];
}

/**
 * Splits at random into parts for training, validation and test.
 *
 * @example
 * import { zeros } from "gradine";
 * import { TensorDataset, trainValTestSplit } from "gradine/data";
 * const { train, validation, test } = trainValTestSplit(new TensorDataset(zeros([100, 2])), { fractions: [0.6, 0.2, 0.2] });
 * console.log(train.length, validation.length, test.length); // 60 20 20
 */
export function trainValTestSplit<Batch>(
  dataset: Dataset<Batch>,
  options: TrainValTestOptions = {},
): { train: Subset<Batch>; validation: Subset<Batch>; test: Subset<Batch> } {
  const op = "trainValTestSplit";
  checkOptions(op, options, ["fractions", "stratify", "generator"]);
  const { fractions = [0.8, 0.1, 0.1] } = options;
  const total = fractions.reduce((sum, part, i) => sum + checkNumber(op, `fractions[${i}]`, part, 0, 1), 0);
  if (fractions.length !== 3 || Math.abs(total - 1) > 1e-6)
    throw rangeError(op, `fractions must be three that add up to 1: got ${fractions.join(", ")}`);
  const n = dataset.length;
  // Sample j of a class of m stands at (j + 1/2)/m of the way, so that any run of them has the classes in their shares.
  const order = byClass(op, n, options)
    .flatMap((members) => members.map((i, j) => ({ i, at: (j + 0.5) / members.length })))
    .sort((a, b) => a.at - b.at)
    .map(({ i }) => i);
  const [first, second] = [Math.round(n * fractions[0]), Math.round(n * (fractions[0] + fractions[1]))];
  const part = (from: number, to: number) => new Subset(dataset, order.slice(from, to));
  return { train: part(0, first), validation: part(first, second), test: part(second, n) };
}

/** k pairs of a training part and a validation part; each sample is in one validation part. scikit-learn: `KFold`, `StratifiedKFold`. */
export function kFold<Batch>(
  dataset: Dataset<Batch>,
  k: number,
  options: SplitOptions = {},
): { train: Subset<Batch>; validation: Subset<Batch> }[] {
  checkOptions("kFold", options, ["stratify", "generator"]);
  checkInteger("kFold", "k", k, 2, dataset.length);
  // Dealt out class after class: a class's counts in two folds differ by one at most.
  const order = byClass("kFold", dataset.length, options).flat();
  return Array.from({ length: k }, (_, fold) => ({
    train: new Subset(
      dataset,
      order.filter((_, i) => i % k !== fold),
    ),
    validation: new Subset(
      dataset,
      order.filter((_, i) => i % k === fold),
    ),
  }));
}
