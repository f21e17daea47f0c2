// Rows of a table by index, one by one or in bags.

import { checkInteger, checkOptions, rangeError, readOptions, show, typeError } from "../error.js";
import { extra } from "../kernels/index.js";
import { nullPtr } from "../memory/index.js";
import { composed, goesWith, record } from "../tape/index.js";
import { allocate, ptr, type Tensor, viewOf } from "../tensor/index.js";
import { addAlong, filled, plainIndex, scatterAlong, selectAlong } from "./along.js";
import { type OrOptions, optionsFrom } from "./arguments.js";
import { maximum } from "./arithmetic.js";
import { checkFits, checkNumeric } from "./checks.js";
import { eq, ge } from "./compare.js";
import { div, mul } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { reshape } from "./layout.js";
import { drop, keep } from "./mask.js";

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** A row that takes no gradient; negative counts from the end. Default none. */
  readonly paddingIdx?: number;
}

/** Options of `embeddingBag`. */
export interface EmbeddingBagOptions {
  /** `[bags]`: where each bag begins in an input of one axis. */
  readonly offsets?: Tensor | null | undefined;
  /** What becomes of a bag's rows; default "mean". */
  readonly mode?: "sum" | "mean" | "max";
  /** A factor of each row, of the input's shape; for mode "sum". */
  readonly perSampleWeights?: Tensor | null | undefined;
  /** Whether one more offset ends the last bag; default false. */
  readonly includeLastOffset?: boolean;
  /** A row that does not count and takes no gradient; negative counts from the end. Default none. */
  readonly paddingIdx?: number;
}

function checkTable(op: string, weight: unknown, paddingIdx: number | undefined): number | null {
  checkFloat(op, "weight", weight);
  if (weight.ndim !== 2) throw rangeError(op, `weight must be [rows, features]: got ${show(weight.shape)}`);
  if (paddingIdx === undefined || paddingIdx === null) return null;
  const rows = weight.shape[0]!;
  checkInteger(op, "paddingIdx", paddingIdx, -rows, rows - 1);
  return paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
}

/** y whose gradient vanishes where the mask is true. */
function withoutGradient(op: string, y: Tensor, mask: Tensor): Tensor {
  return record(op, viewOf(y, y.shape, op), [[y, (gy) => drop(gy, mask)]], [mask]);
}

/**
 * The rows of a table at these indices: `[…], [rows, features] -> […, features]`.
 *
 * @param input i32 or integer-valued f32, from 0 to rows − 1.
 * @param options `paddingIdx`: a row that takes no gradient.
 * @throws RangeError for an index out of range, with its position. PyTorch: `torch.nn.functional.embedding`.
 * @example
 * import { embedding, tensor } from "gradine";
 * const table = tensor([[0, 0], [1, 2], [3, 4]]);
 * console.log(embedding(tensor([2, 1], { dtype: "i32" }), table).toArray()); // [[3, 4], [1, 2]]
 */
export function embedding(input: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  const op = "embedding";
  checkNumeric(op, "input", input);
  checkOptions(op, options, ["paddingIdx"]);
  const padding = checkTable(op, weight, options.paddingIdx);
  const [rows, features] = weight.shape as readonly [number, number];
  ptr(weight);
  return composed(op, [input, weight], () => {
    const index = plainIndex(op, reshape(input, [input.numel]), rows);
    let y = selectAlong(op, weight, 0, index);
    if (padding !== null && y.requiresGrad) y = withoutGradient(op, y, reshape(eq(index, padding), [input.numel, 1]));
    return reshape(y, [...input.shape, features]);
  });
}

/**
 * Rows of a table, summed, averaged or maximized bag by bag, `[bags, n], [rows, features] -> [bags, features]`, or `[n]` indices with `offsets` `[bags]`. An empty bag gives 0.
 *
 * @param input i32 or integer-valued f32, from 0 to rows − 1.
 * @param offsets where each bag begins, for an input of one axis; or the options `offsets`, `mode`, `perSampleWeights`,
 *   `includeLastOffset`, `paddingIdx`.
 * @throws RangeError for an index out of range, with its position, and for offsets that do not begin with 0, decrease,
 *   or pass the end. PyTorch: `torch.nn.functional.embedding_bag`.
 * @example
 * import { embeddingBag, tensor } from "gradine";
 * const table = tensor([[1, 1], [2, 4], [10, 20]]);
 * const words = tensor([[0, 1], [2, 2]], { dtype: "i32" });
 * console.log(embeddingBag(words, table).toArray()); // [[1.5, 2.5], [10, 20]]
 */
export function embeddingBag(
  input: Tensor,
  weight: Tensor,
  offsets?: OrOptions<EmbeddingBagOptions>,
  options?: EmbeddingBagOptions,
): Tensor {
  const op = "embeddingBag";
  checkNumeric(op, "input", input);
  const given = readOptions(op, optionsFrom<EmbeddingBagOptions>(op, ["offsets"], [offsets, options]), {
    offsets: [],
    mode: ["mean", "sum", "max"],
    perSampleWeights: [],
    includeLastOffset: [false],
    paddingIdx: [],
  });
  const padding = checkTable(op, weight, given.paddingIdx);
  const { mode, perSampleWeights: factors } = given;
  if (factors) {
    checkFloat(op, "perSampleWeights", factors);
    checkFits(op, "perSampleWeights", factors, input.shape, " as the input");
    if (mode !== "sum") throw rangeError(op, `perSampleWeights go with mode "sum": mode is "${mode}"`);
  }
  const starts = given.offsets ?? null;
  const closed = given.includeLastOffset ? 1 : 0;
  if (starts !== null) {
    checkNumeric(op, "offsets", starts);
    if (input.ndim !== 1 || starts.ndim !== 1 || starts.numel < closed) {
      throw rangeError(op, `offsets ${show(starts.shape)} go with an input of one axis: got ${show(input.shape)}`);
    }
  } else if (input.ndim !== 2) {
    throw typeError(op, `input must be [bags, n], or [n] with offsets: got ${show(input.shape)}`);
  }
  const bags = starts === null ? input.shape[0]! : starts.numel - closed;
  const n = input.numel;
  if (bags === 0 && n > 0 && starts !== null) throw rangeError(op, `no bags for ${n} indices: offsets is empty`);
  const inputs = [input, weight, starts, factors ?? null].filter((t) => t !== null);
  for (const t of inputs) ptr(t);
  return composed(op, inputs, () => {
    const index = plainIndex(op, reshape(input, [n]), weight.shape[0]!);
    const ids = bagsOf(op, starts, n, bags, closed);
    const padded = padding === null ? null : reshape(eq(index, padding), [n, 1]);
    let rows = selectAlong(op, weight, 0, index);
    if (mode === "max" && n > 0) return largest(op, rows, ids, padded, bags);
    if (factors) rows = mul(rows, reshape(factors, [n, 1]));
    if (padded !== null) rows = drop(rows, padded);
    const total = addAlong(rows, 0, ids, [bags, weight.shape[1]!]);
    if (mode !== "mean") return total;
    const one = filled([n, 1], "f32", op, 1);
    const counts = addAlong(padded === null ? one : drop(one, padded), 0, ids, [bags, 1]);
    return div(total, maximum(counts, 1));
  });
}

/** The bag of each of n indices, i32. */
function bagsOf(op: string, starts: Tensor | null, n: number, bags: number, closed: number): Tensor {
  let offsets: Tensor;
  if (starts === null) {
    offsets = allocate([bags], "i32", op);
    const view = offsets.view();
    for (let b = 0; b < bags; b++) view[b] = (n / bags) * b;
  } else offsets = plainIndex(op, starts, n + 1);
  const from = ptr(offsets);
  const ids = allocate([n], "i32", op);
  const bad = extra().bagIds(from, ptr(ids), n, bags, closed);
  if (bad >= 0) {
    throw rangeError(
      op,
      `offset ${offsets.toTypedArray()[bad]} does not fit ${n} indices (element ${bad} of offsets)`,
      "Offsets begin with 0 and do not decrease.",
    );
  }
  return ids;
}

/** The largest of each bag's rows, feature by feature; the first among equals takes the gradient. */
function largest(op: string, rows: Tensor, ids: Tensor, padded: Tensor | null, bags: number): Tensor {
  const [n, features] = rows.shape as readonly [number, number];
  const from = ptr(rows);
  const skip = padded === null ? nullPtr : ptr(padded);
  const y = allocate([bags, features], "f32", op);
  const where = allocate([bags, features], "i32", op);
  extra().bagMax(from, ptr(ids), skip, ptr(y), ptr(where), n, bags, features);
  record(
    op,
    y,
    // Empty bags stand at −1: they give nothing, wherever it is added.
    [[rows, (gy) => scatterAlong(keep(gy, ge(where, 0)), 0, maximum(where, 0), [n, features])]],
    [where],
  );
  goesWith(y, where);
  return y;
}
