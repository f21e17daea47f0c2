// Drawing the next token from logits.
import { checkInteger, checkNumber, rangeError } from "../error.js";
import { div, softmax } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { type Generator, rand, type Tensor } from "../tensor/index.js";

/** How tokens are drawn. */
export interface SampleOptions {
  /** Divides the logits: below 1 bolder, above 1 more even, 0 the likeliest token always; default 1. */
  readonly temperature?: number;
  /** Only the k likeliest tokens are drawn; default all. */
  readonly topK?: number;
  /** Only the likeliest tokens that together have this probability; default 1: all. */
  readonly topP?: number;
  /** Ends the text: a token, or a test of the tokens so far. The token that ends it is part of the result. */
  readonly stop?: number | ((tokens: readonly number[]) => boolean);
  /** Where the numbers are drawn from; default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** @internal Names of the options, for `checkOptions`. */
export const sampleOptions = ["temperature", "topK", "topP", "stop", "generator"];

/** @internal Throws for options out of range. */
export function checkSampling(op: string, { temperature, topK, topP }: SampleOptions): void {
  checkNumber(op, "temperature", temperature ?? 1, 0);
  checkInteger(op, "topK", topK ?? 1, 1);
  if (checkNumber(op, "topP", topP ?? 1, 0, 1) === 0) throw rangeError(op, "topP must be above 0: got 0");
}

/** @internal A token drawn from logits `[vocabulary]`. */
export function sample(logits: Tensor, options: SampleOptions): number {
  const { temperature = 1, topK = Infinity, topP = 1, generator } = options;
  const probabilities = noGrad(() => softmax(temperature === 0 ? logits : div(logits, temperature), -1)).toTypedArray();
  // Equal ones in order of the token, so that the result does not depend on the engine's sort.
  const order = Array.from(probabilities, (_, i) => i).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  if (temperature === 0) return order[0]!;
  let kept = 0;
  let total = 0;
  while (kept < Math.min(topK, order.length) && (kept === 0 || total < topP)) total += probabilities[order[kept++]!]!;
  let left = noGrad(() => rand([1], generator && { generator })).item() * total;
  for (let i = 0; i < kept; i++) {
    left -= probabilities[order[i]!]!;
    if (left < 0) return order[i]!;
  }
  return order[kept - 1]!;
}

/** @internal Whether a text ends with its last token. */
export const ends = (stop: SampleOptions["stop"], tokens: readonly number[]): boolean =>
  typeof stop === "function" ? stop(tokens) : tokens[tokens.length - 1] === stop;
