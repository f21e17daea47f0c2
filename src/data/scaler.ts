// Preprocessing that is fitted on training data and kept with the model.
import { checkNumber, rangeError, show, typeError } from "../error.js";
import { watchHolder } from "../memory/index.js";
import { add, div, mul, sub } from "../ops/index.js";
import { keep, noGrad } from "../tape/index.js";
import { checkTensor, Tensor, tensor } from "../tensor/index.js";

/**
 * Standardizes features: (x − mean) / std, with the statistics of the data it was fitted on. A feature without variance
 * is only centred. `[samples, …features]`. Fit it on the training part alone. scikit-learn: `StandardScaler`.
 *
 * @example
 * import { tensor } from "gradine";
 * import { StandardScaler } from "gradine/data";
 * const scaler = new StandardScaler().fit(tensor([[1, 10], [3, 30]]));
 * console.log(scaler.transform(tensor([[2, 40]])).toArray()); // [[0, 2]]
 */
export class StandardScaler {
  /** Mean of each feature; null before `fit`. */
  mean: Tensor | null = null;
  /** Population standard deviation of each feature, 1 where it is 0; null before `fit`. */
  std: Tensor | null = null;

  /** Takes the statistics of the samples along the first axis, in float64. */
  fit(x: Tensor): this {
    checkTensor("StandardScaler.fit", "x", x);
    if (x.ndim < 2 || x.shape[0] === 0)
      throw rangeError("StandardScaler.fit", `needs samples with features: got ${show(x.shape)}`);
    const data = x.toTypedArray();
    const samples = x.shape[0]!;
    const features = x.shape.slice(1);
    const width = data.length / samples;
    // Of the distances from the first sample: a constant feature has a variance of exactly 0 then, not of rounding errors.
    const shift = new Float64Array(width);
    const squares = new Float64Array(width);
    for (let i = width; i < data.length; i++) shift[i % width]! += data[i]! - data[i % width]!;
    for (let j = 0; j < width; j++) shift[j]! /= samples;
    for (let i = 0; i < data.length; i++) {
      const d = data[i]! - data[i % width]! - shift[i % width]!;
      squares[i % width]! += d * d;
    }
    this.set(
      tensor(
        shift.map((d, j) => data[j]! + d),
        { shape: features },
      ),
      // In f32, as it will be divided by: a variance that underflows there counts as none.
      tensor(
        squares.map((sum) => Math.fround(Math.sqrt(sum / samples)) || 1),
        { shape: features },
      ),
    );
    return this;
  }

  /** The standardized samples. */
  transform(x: Tensor): Tensor {
    const [mean, std] = this.fitted("transform", x);
    return noGrad(() => div(sub(x, mean), std));
  }

  /** Back from standardized samples. */
  inverseTransform(x: Tensor): Tensor {
    const [mean, std] = this.fitted("inverseTransform", x);
    return noGrad(() => add(mul(x, std), mean));
  }

  /** `fit` and `transform` of the same samples. */
  fitTransform(x: Tensor): Tensor {
    return this.fit(x).transform(x);
  }

  /** The statistics, to be saved with the model. */
  stateDict(): { mean: Tensor; std: Tensor } {
    if (this.mean === null || this.std === null) throw rangeError("StandardScaler.stateDict", "fit() comes first");
    return { mean: this.mean, std: this.std };
  }

  /** Takes saved statistics. */
  loadStateDict(state: { readonly mean: Tensor; readonly std: Tensor }): void {
    if (typeof state !== "object" || state === null)
      throw typeError("StandardScaler.loadStateDict", `takes { mean, std }: got ${String(state)}`);
    const { mean, std } = state;
    if (!(mean instanceof Tensor && std instanceof Tensor) || show(mean.shape) !== show(std.shape)) {
      throw rangeError("StandardScaler.loadStateDict", "takes { mean, std }, two tensors of one shape");
    }
    for (const value of std.toTypedArray()) checkNumber("StandardScaler.loadStateDict", "std", value, Number.MIN_VALUE);
    this.set(tensor(mean), tensor(std));
  }

  private set(mean: Tensor, std: Tensor): void {
    this.mean?.dispose();
    this.std?.dispose();
    keep([mean, std]);
    watchHolder(mean);
    watchHolder(std);
    this.mean = mean;
    this.std = std;
  }

  private fitted(method: string, x: Tensor): [Tensor, Tensor] {
    if (this.mean === null || this.std === null) throw rangeError(`StandardScaler.${method}`, "fit() comes first");
    if (show(x.shape.slice(1)) !== show(this.mean.shape)) {
      throw rangeError(
        `StandardScaler.${method}`,
        `features differ: x is ${show(x.shape)}, fitted on [samples,${this.mean.shape.join(",")}]`,
      );
    }
    return [this.mean, this.std];
  }
}
