// Batches of a dataset, in order or shuffled; each iteration is a scope.
import { checkInteger, checkOptions, describe, typeError } from "../error.js";
import { LoopScope } from "../memory/index.js";
import { type Generator, nextStream, randperm } from "../tensor/index.js";
import type { Dataset } from "./dataset.js";

/** Options of `DataLoader`. */
export interface DataLoaderOptions {
  /** Samples a batch; default 1. */
  readonly batchSize?: number;
  /** A new random order in each pass; default false. */
  readonly shuffle?: boolean;
  /** Leave out a last batch that is not full; default false. */
  readonly dropLast?: boolean;
  /** Where orders are drawn from; default one of its own, derived from the seed. */
  readonly generator?: Generator;
}

/**
 * Iterates over batches of a dataset. An iteration of the loop is a scope: when it goes on, the batch and all that was
 * made of it are released, except parameters, gradients, optimizer state, what `keep()` holds and detached tensors.
 *
 * PyTorch: `torch.utils.data.DataLoader`.
 *
 * @example
 * import { zeros } from "gradine";
 * import { DataLoader, TensorDataset } from "gradine/data";
 * const loader = new DataLoader(new TensorDataset(zeros([10, 2]), zeros([10])), { batchSize: 4, shuffle: true });
 * for (const [x, y] of loader) console.log(x.shape, y.shape); // [4, 2] [4], twice, then [2, 2] [2]
 */
export class DataLoader<Batch> implements Iterable<Batch> {
  readonly dataset: Dataset<Batch>;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  private readonly generator: Generator;
  /** Where a generator of its own goes on: it holds memory only while it draws, so that a dropped loader leaves none. */
  private state: number[] | null = null;
  private readonly ownGenerator: boolean;

  constructor(dataset: Dataset<Batch>, options: DataLoaderOptions = {}) {
    checkOptions("DataLoader", options, ["batchSize", "shuffle", "dropLast", "generator"]);
    if (typeof dataset?.length !== "number" || typeof dataset.batch !== "function") {
      throw typeError(
        "DataLoader",
        `the dataset must have a length and batch(indices): got ${describe(dataset)}`,
        "Make one with new TensorDataset(x, y).",
      );
    }
    this.dataset = dataset;
    this.batchSize = checkInteger("DataLoader", "batchSize", options.batchSize ?? 1, 1);
    this.shuffle = options.shuffle ?? false;
    this.dropLast = options.dropLast ?? false;
    this.ownGenerator = options.generator === undefined;
    this.generator = options.generator ?? nextStream("DataLoader");
  }

  /** Number of batches a pass. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** One pass. */
  [Symbol.iterator](): IterableIterator<Batch> {
    const loop = new LoopScope("the loader");
    const draws = this.draws();
    const finish = (): IteratorResult<Batch> => {
      draws.return();
      loop.finish();
      return { done: true, value: undefined };
    };
    return {
      [Symbol.iterator]() {
        return this;
      },
      next() {
        // A `for` does not call return() when next() throws: then the loop is ended here.
        try {
          const { done, value: draw } = draws.next();
          if (done) return finish();
          loop.advance();
          return { done: false, value: loop.make(draw) };
        } catch (error) {
          finish();
          throw error;
        }
      },
      return: finish,
    };
  }

  /** @internal One pass, as functions that make the batches: for loops that have scopes of their own. */
  *draws(): globalThis.Generator<() => Batch, void> {
    const order = this.order();
    const { dataset, batchSize, length } = this;
    for (let i = 0; i < length; i++) {
      yield () => dataset.batch(order.subarray(i * batchSize, Math.min((i + 1) * batchSize, dataset.length)));
    }
  }

  /** Where its random orders are: what a resumed training needs to draw the same batches. */
  stateDict(): { readonly generator: readonly number[] } {
    const state = this.state ?? this.generator.getState();
    if (this.ownGenerator) this.generator.dispose();
    return { generator: state };
  }

  /** Goes on from a saved state. */
  loadStateDict(state: { readonly generator: readonly number[] }): void {
    if (this.ownGenerator) this.state = [...state.generator];
    else this.generator.setState(state.generator);
  }

  private order(): Int32Array {
    const n = this.dataset.length;
    if (!this.shuffle) return new Int32Array(n).map((_, i) => i);
    const { generator } = this;
    if (this.state !== null) generator.setState(this.state);
    const permutation = randperm(n, { generator });
    const order = permutation.toTypedArray() as Int32Array;
    permutation.dispose();
    if (this.ownGenerator) {
      this.state = generator.getState();
      generator.dispose();
    }
    return order;
  }
}
