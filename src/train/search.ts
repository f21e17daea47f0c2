// Cross-validation, and searches over options: grids and random draws, with a table of what they gave.
import { DataLoader, type Dataset, kFold, type SplitOptions } from "../data/index.js";
import { checkInteger, checkKind, checkOptions, describe, rangeError } from "../error.js";
import type { Module } from "../nn/index.js";
import { Generator, rand, scalarExp, scalarLog, withSeed } from "../tensor/index.js";
import type { Pair } from "./batch.js";
import { type FitResult, type Mode, monitored, signOf } from "./events.js";
import { fit } from "./fit.js";
import type { FitOptions } from "./options.js";

/** Options of `crossValidate`. */
export interface CrossValidateOptions extends SplitOptions {
  /** Folds; default 5. */
  readonly k?: number;
  /** What the folds' random numbers come from; default 0. */
  readonly seed?: number;
  /** How a model is trained; `validation` is set to its fold. */
  readonly fit: (model: Module, fold: number) => FitOptions;
  /** Default 32. */
  readonly batchSize?: number;
  /** The value that a fold is judged by, of its last epoch; default "loss". */
  readonly monitor?: string;
}

/** What `crossValidate` gives. */
export interface CrossValidation {
  /** Fewer than k when one was aborted. */
  readonly results: readonly FitResult[];
  /** The monitored value of each fold. */
  readonly values: readonly number[];
  readonly mean: number;
  /** Standard deviation over the folds. */
  readonly std: number;
}

/** Trains a model for each of k folds and validates it on the fold left out. */
export async function crossValidate(
  makeModel: (fold: number) => Module,
  dataset: Dataset<Pair>,
  options: CrossValidateOptions,
): Promise<CrossValidation> {
  const op = "crossValidate";
  checkOptions(op, options, ["k", "seed", "fit", "batchSize", "monitor", "stratify", "generator"]);
  const { k = 5, seed = 0, batchSize = 32, monitor = "loss", stratify } = options;
  const generator = options.generator ?? new Generator(seed, { name: op });
  const folds = kFold(dataset, k, { generator, ...(stratify !== undefined && { stratify }) });
  const results: FitResult[] = [];
  for (const [i, { train, validation }] of folds.entries()) {
    const run = withSeed(seed + i, () => {
      const model = makeModel(i);
      const loader = new DataLoader(train, { batchSize, shuffle: true });
      return fit(model, loader, { ...options.fit(model, i), validation: new DataLoader(validation, { batchSize }) });
    });
    const result = await run;
    results.push(result);
    if (result.kind === "aborted") break; // Ctrl-C is meant for all of them
  }
  const values = results.map(({ history }) => {
    const last = history.at(-1);
    return last === undefined ? Number.NaN : monitored(last, monitor);
  });
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) * (v - mean), 0) / values.length);
  return { results, values, mean, std };
}

/** Values to choose from, or a range: uniform, by its logarithm, or of integers. */
export type Choice =
  | readonly unknown[]
  | { readonly low: number; readonly high: number; readonly log?: boolean; readonly integer?: boolean };

/** One trial of a search. */
export interface Trial {
  readonly options: Readonly<Record<string, unknown>>;
  readonly value: number;
}

/** What a search gives. */
export interface SearchResult {
  /** All trials, the best first; those whose value is NaN last. */
  readonly trials: readonly Trial[];
  /** The best trial; null when there was none with a value. */
  readonly best: Trial | null;
  /** The trials as a table, a line each. */
  toString(): string;
}

/** Whether lower ("min", default) or higher values are better. */
interface SearchOptions {
  readonly mode?: Mode;
}

const shown = (value: unknown): string =>
  typeof value === "number"
    ? String(Number(value.toPrecision(6)))
    : typeof value === "string"
      ? value
      : describe(value);

async function search(
  op: string,
  all: readonly Readonly<Record<string, unknown>>[],
  run: (options: Readonly<Record<string, unknown>>, trial: number) => number | Promise<number>,
  mode: Mode,
): Promise<SearchResult> {
  checkKind(op, typeof run === "function", "takes a function that gives a value", run);
  const trials: Trial[] = [];
  for (const [i, options] of all.entries()) {
    const value = await run(options, i);
    checkKind(op, typeof value === "number", "the value must be a number", value, ` (trial ${i})`);
    trials.push({ options, value });
  }
  const sign = signOf(mode, "");
  const rank = ({ value }: Trial) => (Number.isNaN(value) ? Infinity : sign * value);
  trials.sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
  const names = Object.keys(all[0] ?? {});
  const rows = [
    [...names, "value"],
    ...trials.map(({ options, value }) => [...names.map((name) => shown(options[name])), shown(value)]),
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const first = trials[0];
  return {
    trials,
    best: first === undefined || Number.isNaN(first.value) ? null : first,
    toString: () => rows.map((row) => row.map((cell, i) => cell.padStart(widths[i]!)).join("  ")).join("\n"),
  };
}

/**
 * Tries every combination of the values.
 *
 * @example
 * import { gridSearch } from "gradine/train";
 * const { best } = await gridSearch({ lr: [0.1, 0.01], width: [8, 16] }, ({ lr, width }) => lr * width);
 * console.log(JSON.stringify(best)); // {"options":{"lr":0.01,"width":8},"value":0.08}
 */
export function gridSearch<Space extends Readonly<Record<string, readonly unknown[]>>>(
  space: Space,
  run: (options: { readonly [K in keyof Space]: Space[K][number] }, trial: number) => number | Promise<number>,
  options: SearchOptions = {},
): Promise<SearchResult> {
  checkOptions("gridSearch", options, ["mode"]);
  let all: Record<string, unknown>[] = [{}];
  for (const [name, values] of Object.entries(space)) {
    checkKind("gridSearch", Array.isArray(values), `${name} must be an array of values`, values);
    all = all.flatMap((one) => values.map((value) => ({ ...one, [name]: value as unknown })));
  }
  return search("gridSearch", all, run as never, options.mode ?? "min");
}

/** Tries `n` random combinations, the same for the same seed (Bergstra and Bengio 2012). */
export function randomSearch<Space extends Readonly<Record<string, Choice>>>(
  space: Space,
  run: (
    options: { readonly [K in keyof Space]: Space[K] extends readonly (infer Value)[] ? Value : number },
    trial: number,
  ) => number | Promise<number>,
  options: SearchOptions & { readonly n?: number; readonly seed?: number } = {},
): Promise<SearchResult> {
  const op = "randomSearch";
  checkOptions(op, options, ["mode", "n", "seed"]);
  const n = checkInteger(op, "n", options.n ?? 20, 1);
  const generator = new Generator(options.seed ?? 0, { name: op });
  const names = Object.keys(space);
  const drawn = rand([n, Math.max(1, names.length)], { generator });
  const shares = drawn.toTypedArray();
  drawn.dispose();
  generator.dispose();
  const choose = (name: string, choice: Choice, share: number): unknown => {
    if (Array.isArray(choice)) return choice[Math.floor(share * choice.length)] as unknown;
    const { low, high, log = false, integer = false } = choice as Exclude<Choice, readonly unknown[]>;
    if (!(low <= high) || (log && low <= 0)) throw rangeError(op, `${name} must be a range: got ${low} to ${high}`);
    if (integer) return Math.floor(low + share * (high - low + 1));
    return log ? scalarExp(scalarLog(low) + share * scalarLog(high / low)) : low + share * (high - low);
  };
  const all = Array.from({ length: n }, (_, trial) =>
    Object.fromEntries(names.map((name, i) => [name, choose(name, space[name]!, shares[trial * names.length + i]!)])),
  );
  return search(op, all, run as never, options.mode ?? "min");
}
