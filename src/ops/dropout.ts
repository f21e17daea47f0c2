// Dropout in its forms: random elements or channels become 0, and the rest makes up for it.
import { checkNumber, checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { extra } from "../kernels/index.js";
import { nullPtr } from "../memory/index.js";
import { composed, goesWith, record } from "../tape/index.js";
import { allocate, defaultGenerator, fillWith, Generator, ptr, type Tensor } from "../tensor/index.js";
import { mul } from "./elementwise.js";
import { checkFloat } from "./launch.js";

/** Options of dropout. */
export interface DropoutOptions {
  /** Probability of an element (or channel) to be dropped; default 0.5. */
  readonly p?: number;
  /** Whether anything is dropped; default true. */
  readonly training?: boolean;
  /** Where the mask is drawn from; default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** The probability, or the options it stands among. */
type Probability = number | DropoutOptions;

/** Reads `(x, p?, options?)`; p is 0 where nothing is dropped. */
function settings(
  op: string,
  x: Tensor,
  p: Probability | undefined,
  options: DropoutOptions | undefined,
): { p: number; generator: Generator } {
  checkFloat(op, "x", x);
  const given = (typeof p === "object" && p !== null ? p : (options ?? {})) as DropoutOptions;
  checkOptions(op, given, ["p", "training", "generator"]);
  const probability = checkNumber(op, "p", (typeof p === "number" ? p : given.p) ?? 0.5, 0, 1);
  const generator = given.generator ?? defaultGenerator;
  if (!(generator instanceof Generator)) {
    throw typeError(op, `generator must be a Generator: got ${describe(generator)}`);
  }
  ptr(x);
  return { p: given.training === false ? 0 : probability, generator };
}

/** What kept and dropped elements become: x·scale + kept, and dropped. */
interface Outcome {
  readonly scale: number;
  readonly kept: number;
  readonly dropped: number;
}

/** Runs the kernel: on the next words of `generator`, whose state goes to `state`, or (null) on those of `state` again. */
function run(op: string, x: Tensor, state: Tensor, p: number, outcome: Outcome, generator: Generator | null): Tensor {
  const from = ptr(x);
  const at = ptr(state);
  const y = allocate(x.shape, "f32", op);
  const { scale, kept, dropped } = outcome;
  extra().dropout(generator?.ptr ?? nullPtr, at, from, ptr(y), x.numel, p, scale, kept, dropped);
  return y;
}

/** gy·mask·scale with the mask that `state` drew: linear in gy, so that it is its own gradient. */
function again(op: string, gy: Tensor, state: Tensor, p: number, scale: number): Tensor {
  const gx = run(op, gy, state, p, { scale, kept: 0, dropped: 0 }, null);
  return record(op, gx, [[gy, (ggx) => again(op, ggx, state, p, scale)]]);
}

function drop(op: string, x: Tensor, p: number, outcome: Outcome, generator: Generator): Tensor {
  const state = allocate([16], "i32", op);
  const y = run(op, x, state, p, outcome, generator);
  record(op, y, [[x, (gy) => again(op, gy, state, p, outcome.scale)]]);
  goesWith(y, state);
  return y;
}

/** Scale that keeps the mean; with p = 1 nothing is kept, and nothing scaled. */
const keepMean = (p: number): Outcome => ({ scale: p === 1 ? 0 : 1 / (1 - p), kept: 0, dropped: 0 });

/**
 * Sets each element to 0 with probability p and multiplies the others by 1/(1 − p), so that the mean stays (Srivastava
 * et al. 2014). Each call draws a new mask; runs of one seed draw the same ones. NaN and infinities do not vanish.
 *
 * @param p probability, default 0.5; or the options `p`, `training`, `generator`. x itself when not `training`.
 * @throws RangeError for p outside 0 to 1. PyTorch: `torch.nn.functional.dropout`.
 * @example
 * import { dropout, ones } from "gradine";
 * const y = dropout(ones([1000]), { p: 0.2 });
 * console.log(new Set(y.toArray()).size); // 2
 * console.log(dropout(ones([2]), { training: false }).toArray()); // [1, 1]
 */
export function dropout(x: Tensor, p?: Probability, options?: DropoutOptions): Tensor {
  const given = settings("dropout", x, p, options);
  return given.p === 0 ? x : drop("dropout", x, given.p, keepMean(given.p), given.generator);
}

/**
 * Dropout for selu networks: dropped elements become selu's limit −1.7581 instead of 0, and all are scaled and shifted
 * so that mean 0 and variance 1 stay (Klambauer et al. 2017). PyTorch: `torch.nn.functional.alpha_dropout`.
 *
 * @param p probability, default 0.5; or the options `p`, `training`, `generator`.
 */
export function alphaDropout(x: Tensor, p?: Probability, options?: DropoutOptions): Tensor {
  const given = settings("alphaDropout", x, p, options);
  if (given.p === 0) return x;
  const limit = -1.7580993408473766;
  const a = given.p === 1 ? 0 : 1 / Math.sqrt((1 - given.p) * (1 + given.p * limit * limit));
  const kept = -a * limit * given.p;
  return drop("alphaDropout", x, given.p, { scale: a, kept, dropped: a * limit + kept }, given.generator);
}

/** Drops channels: the first two axes name one, or the first alone where there are two. */
function dropChannels(
  op: string,
  x: Tensor,
  p: Probability | undefined,
  options: DropoutOptions | undefined,
  ranks: readonly number[],
  form: string,
): Tensor {
  const given = settings(op, x, p, options);
  if (!ranks.includes(x.ndim)) throw rangeError(op, `x must be ${form}: got ${show(x.shape)} (x)`);
  if (given.p === 0) return x;
  return composed(op, [x], () => {
    const lead = x.ndim === 2 ? 1 : 2;
    const ones = allocate(
      x.shape.map((size, axis) => (axis < lead ? size : 1)),
      "f32",
      op,
    );
    fillWith(ones, 1);
    const mask = run(op, ones, allocate([16], "i32", op), given.p, keepMean(given.p), given.generator);
    const y = mul(x, mask);
    y.op = op;
    return y;
  });
}

/** Drops whole channels of `[batch, channels, length]` or `[channels, length]`. PyTorch: `torch.nn.functional.dropout1d`. */
export function dropout1d(x: Tensor, p?: Probability, options?: DropoutOptions): Tensor {
  return dropChannels("dropout1d", x, p, options, [2, 3], "[batch, channels, length] or [channels, length]");
}

/** Drops whole channels of `[batch, channels, height, width]` (or `[batch, channels, length]`). PyTorch: `torch.nn.functional.dropout2d`. */
export function dropout2d(x: Tensor, p?: Probability, options?: DropoutOptions): Tensor {
  return dropChannels("dropout2d", x, p, options, [3, 4], "[batch, channels, height, width]");
}

/** Drops whole channels of `[batch, channels, depth, height, width]`. PyTorch: `torch.nn.functional.dropout3d`. */
export function dropout3d(x: Tensor, p?: Probability, options?: DropoutOptions): Tensor {
  return dropChannels("dropout3d", x, p, options, [5], "[batch, channels, depth, height, width]");
}
