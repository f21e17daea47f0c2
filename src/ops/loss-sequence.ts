// Connectionist temporal classification: the loss of a sequence whose alignment is unknown.

import { checkInteger, describe, rangeError, readOptions, show, typeError } from "../error.js";
import { sameShape } from "../shape.js";
import { composed } from "../tape/index.js";
import { checkTensor, type DType, full, Tensor, tensor } from "../tensor/index.js";
import { gt, where } from "./compare.js";
import { add, div, neg } from "./elementwise.js";
import { gather } from "./gather.js";
import { stack } from "./join.js";
import { checkFloat } from "./launch.js";
import { cat, expand, reshape, slice } from "./layout.js";
import { mean, sum } from "./reduce.js";
import { type LossOptions, reductions } from "./reduction.js";
import { logsumexp } from "./statistics.js";
import { clamp } from "./unary.js";

/** Options of `ctcLoss`. */
export interface CtcOptions extends LossOptions {
  /** The class that stands for no label; default 0. */
  readonly blank?: number;
  /** Give 0 instead of Infinity where a target is too long for its input; default false. */
  readonly zeroInfinity?: boolean;
}

const op = "ctcLoss";
/** The logarithm of what is impossible: far below all that is possible, and finite, so that no NaN comes of it. */
const impossible = -1e30;

/** Lengths as numbers: from an array or an i32 (or integer-valued f32) tensor of one number an item. */
function lengthsOf(name: string, given: unknown, count: number, least: number, most: number): number[] {
  const list = given instanceof Tensor ? Array.from(given.toTypedArray()) : typeof given === "number" ? [given] : given;
  if (!Array.isArray(list)) throw typeError(op, `${name} must be a tensor or an array: got ${describe(given)}`);
  if (list.length !== count)
    throw rangeError(op, `${name} must hold ${count} lengths, one an item: got ${list.length}`);
  return list.map((length, i) => {
    return checkInteger(op, `${name}[${i}]`, length, least, most);
  });
}

/**
 * Connectionist temporal classification (Graves, Fernández, Gomez, Schmidhuber 2006): −log of the probability of all
 * alignments of a target with its input, in which labels may repeat and blanks come between.
 * `[T, batch, classes], [batch, S] -> []`, or `[T, classes], [S] -> []`.
 *
 * Composed of T steps of ops; targets and lengths are read on the host. Its gradient is the derivative by `logProbs`;
 * PyTorch's differs by exp(logProbs), which drops out where a logSoftmax comes before.
 *
 * @param logProbs logarithms of probabilities, as logSoftmax over the last axis gives them.
 * @param targets labels, without blanks: a row an item, of which its first `targetLengths` count; or all of them one
 *   after another, `[sum of targetLengths]`.
 * @param inputLengths how many steps of each item count, from 1 to T: an array or a tensor.
 * @param targetLengths how many labels each item has.
 * @param options `blank`, `zeroInfinity`, `reduction`: "mean" (default) divides each loss by its target's length first.
 * @throws RangeError for labels that are no class or blank, with their position, and for lengths that do not fit.
 *   PyTorch: `torch.nn.functional.ctc_loss`.
 * @example
 * import { ctcLoss, logSoftmax, zeros } from "gradine";
 * const steps = logSoftmax(zeros([2, 1, 3]), -1); // all classes equally likely
 * // Three alignments of one label with two steps, (1, 1), (1, blank), (blank, 1): −log(3/9)
 * console.log(ctcLoss(steps, zeros([1, 1]).add(1), [2], [1]).item().toFixed(4)); // 1.0986
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Tensor | readonly number[] | number,
  targetLengths: Tensor | readonly number[] | number,
  options: CtcOptions = {},
): Tensor {
  checkFloat(op, "logProbs", logProbs);
  checkTensor(op, "targets", targets);
  const { blank, zeroInfinity, reduction } = readOptions(op, options, {
    blank: [0],
    zeroInfinity: [false],
    reduction: reductions,
  });
  const single = logProbs.ndim === 2;
  if ((!single && logProbs.ndim !== 3) || logProbs.shape[0] === 0) {
    throw rangeError(
      op,
      `logProbs must be [T, batch, classes] or [T, classes], T above 0: got ${show(logProbs.shape)}`,
    );
  }
  const [T, batch, classes] = (single ? [logProbs.shape[0], 1, logProbs.shape[1]] : logProbs.shape) as [
    number,
    number,
    number,
  ];
  checkInteger(op, "blank", blank, 0, classes - 1);
  const inputs = lengthsOf("inputLengths", inputLengths, batch, 1, T);
  const packed = targets.ndim === 1 && !single;
  const most = targets.ndim === 0 ? 0 : packed ? targets.numel : targets.shape[targets.ndim - 1]!;
  const lengths = lengthsOf("targetLengths", targetLengths, batch, 0, most);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const fits = packed ? targets.numel === total : sameShape(targets.shape, single ? [most] : [batch, most]);
  if (!fits) {
    throw rangeError(
      op,
      `targets ${show(targets.shape)} hold neither a row for each of ${batch} items nor ${total} labels`,
    );
  }
  const all = targets.toTypedArray();
  let next = 0;
  const labels = lengths.map((length, n) => {
    const from = packed ? next : n * most;
    next += length;
    return Array.from(all.subarray(from, from + length), (label, i) => {
      if (Number.isInteger(label) && label >= 0 && label < classes && label !== blank) return label;
      throw rangeError(
        op,
        `${label} is no label of ${classes} classes with blank ${blank} (element ${from + i} of targets)`,
      );
    });
  });
  return composed(op, [logProbs, targets], () => {
    // States of an alignment: blanks at even places 0, 2, …, K − 1, labels between them.
    const K = 2 * Math.max(0, ...lengths) + 1;
    const places = Array.from({ length: K }, (_, k) => k);
    const states = labels.map((row) => places.map((k) => (k % 2 === 1 ? row[k >> 1] : undefined) ?? blank));
    const constant = (dtype: DType, rows: readonly (readonly (number | boolean)[])[], width: number): Tensor =>
      tensor(rows.flat().map(Number), { shape: [batch, width], dtype });
    const steps = reshape(logProbs, [T, batch, classes]);
    const scores = clamp(gather(steps, 2, expand(constant("i32", states, K), [T, batch, K])), { min: impossible });
    // From a label the next one can follow without a blank between them, unless they are the same.
    const skips = constant(
      "bool",
      states.map((row) => places.map((k) => k % 2 === 1 && k > 1 && row[k] !== row[k - 2])),
      K,
    );
    const begins = tensor(places.map((k) => k < 2));
    const edge = full([batch, 2], impossible);
    const step = (t: number) => reshape(slice(scores, [[t, t + 1]]), [batch, K]);
    let alpha = where(begins, step(0), impossible);
    for (let t = 1; t < T; t++) {
      const before = cat([edge, alpha], 1);
      const last = slice(before, [null, [1, K + 1]]);
      const overBlank = where(skips, slice(before, [null, [0, K]]), impossible);
      const next = add(logsumexp(stack([alpha, last, overBlank]), 0), step(t));
      const running = constant(
        "bool",
        inputs.map((n) => [t < n]),
        1,
      );
      alpha = where(running, next, alpha);
    }
    // The end is at the last blank or the last label; without labels at the only blank.
    const ends = constant(
      "i32",
      lengths.map((n) => [2 * n, Math.max(0, 2 * n - 1)]),
      2,
    );
    const twice = constant(
      "bool",
      lengths.map((n) => [true, n > 0]),
      2,
    );
    const losses = neg(logsumexp(where(twice, gather(alpha, 1, ends), impossible), 1));
    const none = zeroInfinity ? 0 : Number.POSITIVE_INFINITY;
    const possible = where(gt(losses, -impossible / 2), none, losses);
    if (reduction === "none") return reshape(possible, single ? [] : [batch]);
    if (reduction === "sum") return sum(possible);
    return mean(div(possible, tensor(lengths.map((n) => Math.max(n, 1)))));
  });
}
