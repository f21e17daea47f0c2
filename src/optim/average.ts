// Averages of weights over the course of a training: exponential (EMA) or equal (SWA).
import { checkNumber, checkOptions, rangeError, show } from "../error.js";
import { kernels } from "../kernels/index.js";
import { heap, Storage, word } from "../memory/index.js";
import { copy } from "../ops/index.js";
import { keep, noGrad } from "../tape/index.js";
import { ptr, type Tensor, tensor } from "../tensor/index.js";

/** Options of `WeightAverage`. */
export interface WeightAverageOptions {
  /** Share of the average that an update keeps: EMA. Without it all updates weigh the same: SWA (Izmailov et al. 2018). */
  readonly decay?: number;
}

/**
 * A running average of weights, which often generalizes better than the last ones. `update()` after a step (EMA) or after
 * an epoch (SWA); `swap()` puts the average into the model for an evaluation, and back. Buffers are left alone. PyTorch:
 * `torch.optim.swa_utils.AveragedModel`.
 *
 * @example
 * import { tensor } from "gradine";
 * import { WeightAverage } from "gradine/optim";
 * const w = tensor([1, 2]);
 * const average = new WeightAverage([w], { decay: 0.9 });
 * average.update(); // the first is a copy
 * w.fill(0);
 * average.update();
 * average.swap();
 * console.log(w.toArray()[0].toFixed(2)); // 0.90
 */
export class WeightAverage {
  /** Updates so far. */
  count = 0;
  private readonly params: readonly Tensor[];
  private readonly averages: readonly Tensor[];
  private readonly decay: number | undefined;

  constructor(params: Iterable<Tensor>, options: WeightAverageOptions = {}) {
    checkOptions("WeightAverage", options, ["decay"]);
    this.params = [...params];
    this.decay = options.decay === undefined ? undefined : checkNumber("WeightAverage", "decay", options.decay, 0, 1);
    this.averages = this.params.map((param) => keep(tensor(param)));
  }

  /** average ← average + share · (w − average), share 1 − decay, or 1/n. */
  update(): void {
    const share = this.count++ === 0 ? 1 : this.decay === undefined ? 1 / this.count : 1 - this.decay;
    const { params, averages } = this;
    if (share === 1) {
      noGrad(() => averages.forEach((average, i) => void copy(average, params[i]!)));
      return;
    }
    // The step of SGD is p − lr·(g + decay·p): with lr = −share and a decay of −1 it is this average.
    const records = averages.flatMap((average, i) => {
      const record = [ptr(average), ptr(params[i]!), 0, 0, 0, 0, average.numel, 0];
      average.storage.written();
      return record as number[];
    });
    const table = Storage.take(4 * records.length, "WeightAverage", [params.length, 8]);
    heap.u32.set(records, word(table.ptr));
    kernels.sgd(table.ptr, params.length, -share, 0, 0, -1, 0, 0);
    table.drop();
  }

  /** Exchanges the weights and their averages; a second call takes it back. */
  swap(): void {
    noGrad(() => {
      this.params.forEach((param, i) => {
        const held = tensor(param);
        copy(param, this.averages[i]!);
        copy(this.averages[i]!, held);
      });
    });
  }

  /** The averages in the order of the parameters, and their number of updates; the tensors themselves. */
  stateDict(): { count: number; averages: readonly Tensor[] } {
    return { count: this.count, averages: this.averages };
  }

  /** Goes on from a saved state; values are copied. @throws RangeError when the shapes differ. */
  loadStateDict({ count, averages }: { readonly count: number; readonly averages: readonly Tensor[] }): void {
    const shapes = (list: readonly Tensor[]) => list.map((x) => show(x.shape)).join();
    if (shapes(averages) !== shapes(this.averages))
      throw rangeError(
        "WeightAverage.loadStateDict",
        `shapes differ: ${shapes(averages)} for ${shapes(this.averages)}`,
      );
    this.count = count;
    noGrad(() => averages.forEach((average, i) => void copy(this.averages[i]!, average)));
  }
}
