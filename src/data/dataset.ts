// Datasets: things with a length whose samples can be gathered into batches.
import { checkInteger, checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { indexSelect } from "../ops/index.js";
import { type Generator, nextStream, randperm, Tensor, tensor } from "../tensor/index.js";

/** What a loader draws batches from. */
export interface Dataset<Batch> {
  /** Number of samples. */
  readonly length: number;
  /** The samples at these positions, as one batch. */
  batch(indices: Int32Array): Batch;
}

/**
 * Samples along the first axis of several tensors: a batch is their rows, `[x, y]`. The tensors are held, not copied.
 *
 * @throws RangeError when the first axes differ. PyTorch: `torch.utils.data.TensorDataset`.
 * @example
 * import { tensor } from "gradine";
 * import { TensorDataset } from "gradine/data";
 * const data = new TensorDataset(tensor([[1], [2], [3]]), tensor([0, 1, 0], { dtype: "i32" }));
 * console.log(data.length); // 3
 */
export class TensorDataset<Tensors extends readonly Tensor[] = readonly Tensor[]> implements Dataset<Tensors> {
  readonly tensors: Tensors;
  readonly length: number;

  constructor(...tensors: Tensors) {
    if (tensors.length === 0) throw typeError("TensorDataset", "needs at least one tensor");
    tensors.forEach((x, i) => {
      if (!(x instanceof Tensor)) throw typeError("TensorDataset", `takes tensors: got ${describe(x)} (argument ${i})`);
      if (x.ndim === 0 || x.shape[0] !== tensors[0]!.shape[0]) {
        throw rangeError(
          "TensorDataset",
          `first axes differ: tensor 0 is ${show(tensors[0]!.shape)}, tensor ${i} is ${show(x.shape)}`,
        );
      }
    });
    this.tensors = tensors;
    this.length = tensors[0]!.shape[0]!;
  }

  batch(indices: Int32Array): Tensors {
    const index = tensor(indices);
    const rows = this.tensors.map((x) => indexSelect(x, 0, index));
    index.dispose();
    return rows as readonly Tensor[] as Tensors;
  }
}

/** A dataset's samples at chosen positions. PyTorch: `torch.utils.data.Subset`. */
export class Subset<Batch> implements Dataset<Batch> {
  readonly dataset: Dataset<Batch>;
  readonly indices: Int32Array;

  constructor(dataset: Dataset<Batch>, indices: ArrayLike<number>) {
    this.dataset = dataset;
    this.indices = Int32Array.from(indices, (index, i) => {
      if (!Number.isInteger(index) || index < 0 || index >= dataset.length) {
        throw rangeError("Subset", `index out of range: ${index} for ${dataset.length} samples (position ${i})`);
      }
      return index;
    });
  }

  get length(): number {
    return this.indices.length;
  }

  batch(indices: Int32Array): Batch {
    return this.dataset.batch(indices.map((i) => this.indices[i]!));
  }
}

/**
 * Splits at random into subsets of these sizes: counts that add up, or fractions that add up to 1.
 *
 * @param options `generator`; default one derived from the seed. PyTorch: `torch.utils.data.random_split`.
 * @example
 * import { zeros } from "gradine";
 * import { randomSplit, TensorDataset } from "gradine/data";
 * const [train, test] = randomSplit(new TensorDataset(zeros([10, 2])), [0.8, 0.2]);
 * console.log(train.length, test.length); // 8 2
 */
export function randomSplit<Batch>(
  dataset: Dataset<Batch>,
  lengths: readonly number[],
  options: { readonly generator?: Generator } = {},
): Subset<Batch>[] {
  checkOptions("randomSplit", options, ["generator"]);
  if (!Array.isArray(lengths)) throw typeError("randomSplit", `lengths must be an array: got ${describe(lengths)}`);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const fractions = Math.abs(total - 1) < 1e-6;
  const counts = fractions ? lengths.map((fraction) => Math.floor(fraction * dataset.length)) : [...lengths];
  counts.forEach((count, i) => checkInteger("randomSplit", `lengths[${i}]`, count, 0));
  if (fractions) {
    // What rounding down left over goes to the first parts, one each, as in PyTorch.
    const rest = dataset.length - counts.reduce((sum, count) => sum + count, 0);
    for (let i = 0; i < rest; i++) counts[i % counts.length]! += 1;
  } else if (total !== dataset.length) {
    throw rangeError(
      "randomSplit",
      `lengths ${describe(lengths)} add up to ${total}: the dataset has ${dataset.length} samples`,
    );
  }
  const generator = options.generator ?? nextStream("randomSplit");
  const permutation = randperm(dataset.length, { generator });
  const order = permutation.toTypedArray();
  permutation.dispose();
  if (options.generator === undefined) generator.dispose();
  let start = 0;
  return counts.map((count) => new Subset(dataset, order.slice(start, (start += count))));
}
