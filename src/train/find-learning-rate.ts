// The learning-rate range test.
import { checkInteger, checkNumber, checkOptions, rangeError } from "../error.js";
import { runInScope } from "../memory/index.js";
import type { Module } from "../nn/index.js";
import type { OptimizerState } from "../optim/index.js";
import { nextStream, scalarLog, scalarPow, Tensor, tensor, withGenerator } from "../tensor/index.js";
import { checkBatch, drawsOf, type LossFunction, lossFunction, type Pair } from "./batch.js";
import { Weights } from "./checkpoint.js";
import type { OptimizerLike } from "./events.js";

/** Options of `findLearningRate`. */
export interface FindLearningRateOptions {
  readonly loss: LossFunction;
  readonly optimizer: OptimizerLike;
  /** First rate; default 1e-7. */
  readonly low?: number;
  /** Last rate; default 10. */
  readonly high?: number;
  /** Steps from the one to the other, by equal factors; default 100. */
  readonly steps?: number;
}

/** What `findLearningRate` gives. */
export interface LearningRateRange {
  /** The rates tried, until the loss grew to four times its least. */
  readonly rates: readonly number[];
  /** The losses there, smoothed. */
  readonly losses: readonly number[];
  /** The rate where the loss fell most steeply: a good first guess; null if it never fell. */
  readonly suggestion: number | null;
}

const smoothing = 0.9;

/** A copy of a state whose tensors are the optimizer's own. */
const copied = (state: OptimizerState): OptimizerState => ({
  paramGroups: state.paramGroups,
  state: Object.fromEntries(
    Object.entries(state.state).map(([param, own]) => [
      param,
      Object.fromEntries(Object.entries(own).map(([name, x]) => [name, x instanceof Tensor ? tensor(x) : x])),
    ]),
  ),
});

/**
 * Trains with a rate that grows from step to step and notes the loss (Smith 2017); weights and optimizer are as before
 * afterwards.
 *
 * @example
 * import { manualSeed, randn } from "gradine";
 * import { Linear, MSELoss } from "gradine/nn";
 * import { SGD } from "gradine/optim";
 * import { findLearningRate } from "gradine/train";
 * manualSeed(0);
 * const x = randn([64, 3]);
 * const model = new Linear(3, 1);
 * const optimizer = new SGD(model.parameters(), { lr: 0.1 });
 * const { suggestion } = findLearningRate(model, [[x, x.sum(1, { keepdim: true })]], { loss: new MSELoss(), optimizer });
 * console.log(suggestion > 1e-3 && suggestion < 1); // true
 */
export function findLearningRate(
  model: Module,
  loader: Iterable<Pair>,
  options: FindLearningRateOptions,
): LearningRateRange {
  const op = "findLearningRate";
  checkOptions(op, options, ["loss", "optimizer", "low", "high", "steps"]);
  const { optimizer } = options;
  const low = checkNumber(op, "low", options.low ?? 1e-7, Number.MIN_VALUE);
  const high = checkNumber(op, "high", options.high ?? 10, low);
  const steps = checkInteger(op, "steps", options.steps ?? 100, 2);
  const loss = lossFunction(op, options.loss);
  const groups = optimizer.paramGroups;
  if (groups === undefined || optimizer.stateDict === undefined)
    throw rangeError(op, "the optimizer must have paramGroups and a state dict");
  const weights = new Weights();
  weights.take(model);
  const before = copied(optimizer.stateDict());
  const stream = nextStream(op);
  const rates: number[] = [];
  const losses: number[] = [];
  let mean = 0;
  let least = Infinity;
  model.train();
  try {
    walk: for (;;) {
      let drawn = false;
      for (const draw of drawsOf(loader)) {
        drawn = true;
        const i = rates.length;
        const rate = low * scalarPow(high / low, i / (steps - 1));
        for (const group of groups) group.lr = rate;
        const value = runInScope("a step of findLearningRate()", () =>
          withGenerator(stream, () => {
            const [x, y] = checkBatch(op, draw());
            optimizer.zeroGrad();
            const lost = loss(model.forward(x), y);
            lost.backward();
            optimizer.step();
            return lost.item();
          }),
        );
        mean = smoothing * mean + (1 - smoothing) * value;
        const smooth = mean / (1 - scalarPow(smoothing, i + 1));
        if (!(smooth <= 4 * least || i === 0) || !Number.isFinite(value)) break walk;
        least = Math.min(least, smooth);
        rates.push(rate);
        losses.push(smooth);
        if (rates.length === steps) break walk;
      }
      if (!drawn) throw rangeError(op, "the loader gave no batches");
    }
  } finally {
    optimizer.zeroGrad();
    weights.restore(model);
    optimizer.loadStateDict?.(before);
    stream.dispose();
    model.eval();
  }
  let suggestion: number | null = null;
  let steepest = 0;
  // Over a few steps, and not among the first, whose means are of few losses.
  const width = Math.max(1, Math.floor(steps / 25));
  for (let i = Math.max(width, Math.floor(steps / 10)); i + width < rates.length; i++) {
    const slope = (losses[i + width]! - losses[i - width]!) / scalarLog(rates[i + width]! / rates[i - width]!);
    if (slope < steepest) [steepest, suggestion] = [slope, rates[i]!];
  }
  return { rates, losses, suggestion };
}
