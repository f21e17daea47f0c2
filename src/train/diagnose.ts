// What the errors of training, validation and test say, in words: the basic recipe.
import { checkNumber, checkOptions, describe, rangeError } from "../error.js";
import { type EpochResult, monitored, signOf } from "./events.js";

/** Errors between 0 and 1 (or losses, with `target` in the same unit). */
export interface FitErrors {
  readonly training: number;
  /** On held-out samples of the training's own distribution, where the validation's is another. */
  readonly trainingDev?: number;
  readonly validation: number;
  readonly test?: number;
}

/** Options of `diagnoseFit`. */
export interface DiagnoseOptions {
  /** The error that can be reached: a human's, or what is asked for; default 0. */
  readonly target?: number;
  /** Gaps below it are of no account; default 0.01, or a tenth of the validation error if that is less. */
  readonly tolerance?: number;
  /** With a history: the value to go by; default "accuracy" if it is there, else "loss". */
  readonly monitor?: string;
}

/** One gap between two errors. */
export interface Finding {
  readonly kind: "high bias" | "high variance" | "train/validation mismatch" | "test overfit";
  readonly gap: number;
  readonly try: readonly string[];
}

/** What `diagnoseFit` gives. */
export interface Diagnosis {
  readonly bias: number;
  readonly variance: number;
  readonly mismatch: number;
  readonly testGap: number;
  /** Gaps above the tolerance, the widest first. */
  readonly findings: readonly Finding[];
  /** The same in words. */
  readonly text: string;
}

/** What each gap is called, and what to try. */
const recipe = {
  bias: [
    "high bias",
    "a bigger network",
    "training longer, or a better optimizer and schedule",
    "another architecture",
    "less regularization",
  ],
  variance: [
    "high variance",
    "more data, or augmentation",
    "regularization: dropout, weight decay, early stopping",
    "bagging or an ensemble",
    "a smaller network",
  ],
  mismatch: [
    "train/validation mismatch",
    "training data more like the validation's",
    "looking at what differs",
    "data synthesis, domain adaptation",
  ],
  testGap: ["test overfit", "a bigger validation set", "fewer choices made by it"],
} as const;

/** The last epoch's errors; of a value that should be high, what it lacks to 1. */
function errorsOf(history: readonly EpochResult[], given: string | undefined): FitErrors {
  const last = history.at(-1);
  if (last?.validation === undefined) throw rangeError("diagnoseFit", "the history has no validation");
  const monitor = given ?? ("accuracy" in last.validation ? "accuracy" : "loss");
  const turn = (value: number) => (signOf("auto", monitor) === 1 ? value : 1 - value);
  return {
    training: turn(monitored(last, `training.${monitor}`)),
    validation: turn(monitored(last, `validation.${monitor}`)),
  };
}

/**
 * Takes the errors (or a history) apart: bias is the training error above the target, variance what held-out samples add,
 * mismatch what another distribution adds, and the test's gap what was tuned to the validation set.
 *
 * @example
 * import { diagnoseFit } from "gradine/train";
 * const { findings } = diagnoseFit({ training: 0.05, validation: 0.08 }, { target: 0.01 });
 * console.log(findings.map(({ kind, gap }) => `${kind} ${gap.toFixed(2)}`).join(", ")); // high bias 0.04, high variance 0.03
 */
export function diagnoseFit(errors: FitErrors | readonly EpochResult[], options: DiagnoseOptions = {}): Diagnosis {
  const op = "diagnoseFit";
  checkOptions(op, options, ["target", "tolerance", "monitor"]);
  if (typeof errors !== "object" || errors === null)
    throw rangeError(op, `takes errors or a history: got ${describe(errors)}`);
  const all = Array.isArray(errors)
    ? errorsOf(errors as readonly EpochResult[], options.monitor)
    : (errors as FitErrors);
  const { training, validation, test } = all;
  const dev = all.trainingDev ?? validation;
  for (const [name, value] of Object.entries(all)) checkNumber(op, name, value);
  const target = checkNumber(op, "target", options.target ?? 0);
  const tolerance = options.tolerance ?? Math.min(0.01, Math.abs(validation) / 10);
  const gaps = {
    bias: training - target,
    variance: dev - training,
    mismatch: validation - dev,
    testGap: test === undefined ? 0 : test - validation,
  };
  const findings = (Object.keys(gaps) as (keyof typeof gaps)[])
    .map((name): Finding => {
      const [kind, ...advice] = recipe[name];
      return { kind, gap: gaps[name], try: advice };
    })
    // Rounded, so that 0.06 − 0.05 is 0.01.
    .filter(({ gap }) => Math.round((gap - tolerance) * 1e9) > 0)
    .sort((a, b) => b.gap - a.gap);
  const points = (gap: number) => `${(100 * gap).toFixed(1)} points`;
  const text =
    findings.length === 0
      ? `Nothing stands out: the validation error is ${points(validation - target)} from the target.`
      : findings
          .map(
            ({ kind, gap, try: list }, i) =>
              `${i === 0 ? "First" : "Then"}: ${kind} (${points(gap)}). Try ${list.join("; ")}.`,
          )
          .join("\n");
  return { ...gaps, findings, text };
}
