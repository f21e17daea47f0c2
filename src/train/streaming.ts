// Metrics that gather over the batches of a pass what they need, so that they are exact however unequal the batches are.
// The state is a flat list of numbers: a checkpoint holds it.
import { checkInteger, rangeError, readOptions, show } from "../error.js";
import { permute, reshape, softmax } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { scalarExp, scalarLog, type Tensor, type TypedArray } from "../tensor/index.js";
import { checkTarget } from "./metrics.js";

/** A metric over a pass: `update` with each batch, then `compute`. */
export abstract class StreamingMetric {
  /** What was gathered. */
  state: number[] = [];

  /** Takes up a batch. */
  abstract update(output: Tensor, target: Tensor): void;

  /** The value over all batches since `reset`; NaN where there is none. */
  abstract compute(): number;

  /** Forgets what was gathered. */
  reset(): void {
    this.state = [];
  }

  /** Adds to entries of the state; those that are missing are 0. */
  protected gather(values: readonly number[]): void {
    for (const [i, value] of values.entries()) this.state[i] = (this.state[i] ?? 0) + value;
  }
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Rows of scores and their classes. */
interface Rows {
  readonly scores: TypedArray;
  readonly classes: number;
  readonly target: TypedArray;
}

/** `[batch, classes, …], [batch, …]` as rows, through softmax if asked; `[batch]` or `[batch, 1]` scores have one class. */
function rowsOf(op: string, output: Tensor, target: Tensor, probabilities = false): Rows {
  const single = output.ndim === 1 || (output.ndim === 2 && output.shape[1] === 1);
  checkTarget(op, output, target, single);
  const classes = single ? 1 : output.shape[1]!;
  const scores = noGrad(() => {
    const last = [0, ...output.shape.map((_, i) => i).slice(2), 1];
    const rows = reshape(output.ndim > 2 ? permute(output, last) : output, [target.numel, classes]);
    return (probabilities && !single ? softmax(rows, 1) : rows).toTypedArray();
  });
  return { scores, classes, target: target.toTypedArray() };
}

/** A metric whose state is a sum and its count. */
abstract class Mean extends StreamingMetric {
  compute(): number {
    return this.state[0]! / this.state[1]!;
  }
}

/** The class with the highest score of row `i`; the first of equals. */
function best({ scores, classes }: Rows, i: number): number {
  let top = 0;
  for (let c = 1; c < classes; c++) if (scores[i * classes + c]! > scores[i * classes + top]!) top = c;
  return top;
}

/** Share of rows whose class is among the k with the highest scores (equal ones that stand before it count). */
export class TopKAccuracy extends Mean {
  private readonly k: number;

  /** @param k default 5. */
  constructor(k = 5) {
    super();
    this.k = checkInteger("TopKAccuracy", "k", k, 1);
  }

  update(output: Tensor, target: Tensor): void {
    const rows = rowsOf("TopKAccuracy", output, target);
    const { scores, classes } = rows;
    let hits = 0;
    for (const [i, wanted] of rows.target.entries()) {
      const own = scores[i * classes + wanted]!;
      let before = 0;
      for (let c = 0; c < classes; c++) {
        const score = scores[i * classes + c]!;
        if (score > own || (score === own && c < wanted)) before++;
      }
      if (before < this.k) hits++;
    }
    this.gather([hits, rows.target.length]);
  }
}

/** Share of rows whose class has the highest score: as the function `accuracy`, for a pass. */
export class Accuracy extends TopKAccuracy {
  constructor() {
    super(1);
  }
}

/** Options of metrics that go by classes. */
export interface ClassOptions {
  /** Mean over the classes that occur ("macro", default), or over all samples together ("micro"). */
  readonly average?: "macro" | "micro";
  /** With one score a sample: from where on it is positive; default 0.5, for logits give 0. */
  readonly threshold?: number;
}

/** Counts of (true class, predicted class): `matrix()`; `compute()` is the share on its diagonal. */
export class ConfusionMatrix extends StreamingMetric {
  /** Classes, known after the first batch; 2 with one score a sample. */
  private get classes(): number {
    return Math.round(Math.sqrt(this.state.length));
  }
  protected readonly options: Required<ClassOptions>;
  protected binary = false;

  constructor(options: ClassOptions = {}) {
    super();
    this.options = readOptions("ConfusionMatrix", options, { average: ["macro", "micro"], threshold: [0.5] });
  }

  update(output: Tensor, target: Tensor): void {
    const rows = rowsOf("ConfusionMatrix", output, target);
    this.binary = rows.classes === 1;
    const classes = this.binary ? 2 : rows.classes;
    if (this.state.length !== classes * classes) this.state = new Array<number>(classes * classes).fill(0);
    for (const [i, wanted] of rows.target.entries()) {
      checkInteger("ConfusionMatrix", `target[${i}]`, wanted, 0, classes - 1);
      const predicted = this.binary ? Number(rows.scores[i]! > this.options.threshold) : best(rows, i);
      this.state[wanted * classes + predicted]! += 1;
    }
  }

  /** `[classes][classes]`, a row a true class. */
  matrix(): number[][] {
    const { classes } = this;
    return Array.from({ length: classes }, (_, row) => this.state.slice(row * classes, (row + 1) * classes));
  }

  compute(): number {
    return sumOf(this.matrix().map((row, i) => row[i]!)) / sumOf(this.state);
  }

  /** The mean of `score` over classes, given hits, predictions and samples of each; 0/0 counts as 0, as in scikit-learn. */
  protected averaged(score: (hits: number, predicted: number, actual: number) => number): number {
    const matrix = this.matrix();
    const counts = matrix.map((row, c) => ({
      hits: row[c]!,
      predicted: sumOf(matrix.map((other) => other[c]!)),
      actual: sumOf(row),
    }));
    // With one score a sample the positive class alone is meant.
    const meant = this.binary ? counts.slice(1) : counts.filter(({ predicted, actual }) => predicted + actual > 0);
    const over = (name: "hits" | "predicted" | "actual") => sumOf(meant.map((c) => c[name]));
    if (this.options.average === "micro") return score(over("hits"), over("predicted"), over("actual")) || 0;
    return sumOf(meant.map(({ hits, predicted, actual }) => score(hits, predicted, actual) || 0)) / meant.length;
  }
}

/** Of what was predicted as a class, the share that is of it. */
export class Precision extends ConfusionMatrix {
  override compute(): number {
    return this.averaged((hits, predicted) => hits / predicted);
  }
}

/** Of what is of a class, the share that was predicted so. */
export class Recall extends ConfusionMatrix {
  override compute(): number {
    return this.averaged((hits, _, actual) => hits / actual);
  }
}

/** Harmonic mean of precision and recall. */
export class F1 extends ConfusionMatrix {
  override compute(): number {
    return this.averaged((hits, predicted, actual) => (2 * hits) / (predicted + actual));
  }
}

/** Scores and labels 0 or 1, kept until the end: score, label, score, label, … */
abstract class Ranking extends StreamingMetric {
  update(output: Tensor, target: Tensor): void {
    const { scores, classes, target: labels } = rowsOf("ROCAUC, PRAUC", output, target);
    if (classes > 2) throw rangeError("ROCAUC, PRAUC", `takes one score a sample, or two: got ${classes}`);
    for (const [i, label] of labels.entries()) {
      checkInteger("ROCAUC, PRAUC", `target[${i}]`, label, 0, 1);
      this.state.push(classes === 1 ? scores[i]! : scores[2 * i + 1]! - scores[2 * i]!, label);
    }
  }

  /** What a distinct score with `up` positives and `down` negatives adds, below `positives` and `negatives` of higher ones. */
  protected abstract slice(up: number, down: number, positives: number, negatives: number): number;

  /** What the sum of the slices is divided by. */
  protected abstract whole(positives: number, negatives: number): number;

  compute(): number {
    const score = (i: number) => this.state[2 * i]!;
    const order = Array.from({ length: this.state.length / 2 }, (_, i) => i).sort((a, b) => score(b) - score(a));
    let [area, positives, negatives] = [0, 0, 0];
    for (let i = 0; i < order.length; ) {
      const first = order[i]!;
      let [up, down] = [0, 0];
      do {
        if (this.state[2 * order[i++]! + 1] === 1) up++;
        else down++;
      } while (i < order.length && score(order[i]!) === score(first));
      area += this.slice(up, down, positives, negatives);
      positives += up;
      negatives += down;
    }
    return area / this.whole(positives, negatives);
  }
}

/** Area under the ROC curve: how often a positive scores above a negative, equal scores counting half. */
export class ROCAUC extends Ranking {
  protected slice(up: number, down: number, positives: number): number {
    return down * (positives + up / 2);
  }

  protected whole(positives: number, negatives: number): number {
    return positives * negatives;
  }
}

/** Area under the precision-recall curve: the mean of the precision over the positives (scikit-learn's average precision). */
export class PRAUC extends Ranking {
  protected slice(up: number, down: number, positives: number, negatives: number): number {
    return (up * (positives + up)) / (positives + up + negatives + down);
  }

  protected whole(positives: number): number {
    return positives;
  }
}

/** Count, sum of |d|, sum of d², mean and sum of squared deviations of the targets: over all elements. */
abstract class Regression extends StreamingMetric {
  override state = [0, 0, 0, 0, 0];

  override reset(): void {
    this.state = [0, 0, 0, 0, 0];
  }

  update(output: Tensor, target: Tensor): void {
    if (output.numel !== target.numel)
      throw rangeError(
        "MAE, MSE, RMSE, R2",
        `shapes differ: output is ${show(output.shape)}, target is ${show(target.shape)}`,
      );
    const predicted = output.toTypedArray();
    let [count, absolute, square, mean, spread] = this.state as [number, number, number, number, number];
    for (const [i, wanted] of target.toTypedArray().entries()) {
      const d = predicted[i]! - wanted;
      absolute += Math.abs(d);
      square += d * d;
      // Welford's update: sums of squares would cancel where the mean is large.
      const off = wanted - mean;
      mean += off / ++count;
      spread += off * (wanted - mean);
    }
    this.state = [count, absolute, square, mean, spread];
  }
}

/** Mean absolute error. */
export class MAE extends Regression {
  compute(): number {
    return this.state[1]! / this.state[0]!;
  }
}

/** Mean squared error. */
export class MSE extends Regression {
  compute(): number {
    return this.state[2]! / this.state[0]!;
  }
}

/** Root of the mean squared error. */
export class RMSE extends Regression {
  compute(): number {
    return Math.sqrt(this.state[2]! / this.state[0]!);
  }
}

/** Share of the targets' variance that is explained: 1 − Σ(ŷ−y)²/Σ(y−ȳ)². */
export class R2 extends Regression {
  compute(): number {
    return 1 - this.state[2]! / this.state[4]!;
  }
}

/** Options of metrics of probabilities. */
export interface ProbabilityOptions {
  /** Whether the outputs are logits (default) or probabilities already. */
  readonly logits?: boolean;
}

const likelihoods = "LogLoss, Perplexity, CalibrationError";

/** Probability of each row's class, or with one score a sample of its label. */
abstract class Likelihood extends Mean {
  protected readonly logits: boolean;

  constructor(options: ProbabilityOptions = {}) {
    super();
    this.logits = readOptions(likelihoods, options, { logits: [true] }).logits;
  }

  protected rows(output: Tensor, target: Tensor): Rows {
    const rows = rowsOf(likelihoods, output, target, this.logits);
    if (rows.classes > 1) return rows;
    // One score is that of class 1: rows of two.
    const scores = new Float32Array(2 * rows.target.length);
    for (const [i, score] of rows.scores.entries()) {
      scores[2 * i + 1] = this.logits ? 1 / (1 + scalarExp(-score)) : score;
      scores[2 * i] = this.logits ? 1 / (1 + scalarExp(score)) : 1 - score;
    }
    return { ...rows, scores, classes: 2 };
  }

  update(output: Tensor, target: Tensor): void {
    const { scores, classes, target: labels } = this.rows(output, target);
    let sum = 0;
    // Not below the least normal number: a class of probability 0 would make every mean infinite.
    for (const [i, label] of labels.entries()) sum -= scalarLog(Math.max(scores[i * classes + label]!, 1.1754944e-38));
    this.gather([sum, labels.length]);
  }
}

/** Mean negative logarithm of the probability of the true class, in nats. */
export class LogLoss extends Likelihood {}

/** e^(log loss): as how many equally likely classes the model leaves. */
export class Perplexity extends Likelihood {
  override compute(): number {
    return this.state.length > 0 ? scalarExp(super.compute()) : Number.NaN;
  }
}

/**
 * Expected calibration error: mean over 15 bins of |accuracy − confidence|, weighted by their samples (Guo et al. 2017).
 */
export class CalibrationError extends Likelihood {
  override update(output: Tensor, target: Tensor): void {
    const rows = this.rows(output, target);
    for (const [i, label] of rows.target.entries()) {
      const top = best(rows, i);
      const confidence = rows.scores[i * rows.classes + top]!;
      const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
      while (this.state.length <= bins) this.state.push(0);
      this.state[bin]! += Number(top === label) - confidence;
      this.state[bins]! += 1;
    }
  }

  override compute(): number {
    // |Σ correct − Σ confidence| of a bin is its count times its gap.
    let sum = 0;
    for (let bin = 0; bin < bins; bin++) sum += Math.abs(this.state[bin] ?? Number.NaN);
    return sum / this.state[bins]!;
  }
}

const bins = 15;
