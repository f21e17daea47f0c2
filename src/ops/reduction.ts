// What losses share: how a batch of losses becomes one number, and checks of their operands.
import { type OptionTable, readOptions, type Settled } from "../error.js";
import { composed } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { checkFits } from "./checks.js";
import { checkFloat } from "./launch.js";
import { mean, sum } from "./reduce.js";

/** How the losses of a batch become one number: their mean, their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

export const reductions = ["mean", "sum", "none"] as const satisfies readonly Reduction[];

/** Options that all losses share. */
export interface LossOptions {
  /** Default "mean". */
  readonly reduction?: Reduction;
}

/** The losses, their sum or their mean. */
export function reduced(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === "none") return losses;
  return reduction === "sum" ? sum(losses) : mean(losses);
}

/** Throws unless both are f32 of one shape. (PyTorch warns of other shapes and broadcasts, which is never what is meant.) */
export function checkPair(op: string, input: unknown, target: unknown): void {
  checkFloat(op, "input", input);
  checkFloat(op, "target", target);
  checkFits(op, "target", target, input.shape, " as the input");
}

/** A loss of two tensors of one shape; `losses` gives that of each element, from the options. */
export function pairLoss<Options extends LossOptions, const Table extends OptionTable<Options>>(
  op: string,
  input: Tensor,
  target: Tensor,
  options: Options,
  table: Table,
  losses: (options: Settled<Options, Table>) => Tensor,
): Tensor {
  checkPair(op, input, target);
  const read = readOptions(op, options, table);
  return composed(op, [input, target], () => reduced(losses(read), (read as Required<LossOptions>).reduction));
}
