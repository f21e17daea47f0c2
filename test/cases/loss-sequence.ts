// Rows of ctcLoss: the sum over all alignments, written down one by one.
import { type CtcOptions, ctcLoss } from "../../src/index.js";
import { make, type Ref, scalar, total } from "../reference.js";
import type { Row } from "./case.js";

/** −log Σ over all paths of T steps that collapse to the target: repeats merged, then blanks dropped. */
function pathLoss(
  at: (t: number, c: number) => number,
  T: number,
  classes: number,
  target: readonly number[],
  blank: number,
): number {
  let sum = 0;
  for (let path = 0; path < classes ** T; path++) {
    const steps = Array.from({ length: T }, (_, t) => Math.floor(path / classes ** t) % classes);
    const collapsed = steps.filter((c, t) => c !== steps[t - 1]).filter((c) => c !== blank);
    if (collapsed.join() === target.join()) sum += Math.exp(total(steps.map((c, t) => at(t, c))));
  }
  return -Math.log(sum);
}

interface Sequence {
  readonly T: number;
  readonly classes: number;
  readonly targets: readonly (readonly number[])[];
  readonly inputs?: readonly number[];
  readonly options?: CtcOptions;
  readonly packed?: boolean;
  readonly single?: boolean;
}

function row(name: string, { T, classes, targets, inputs, options = {}, packed, single }: Sequence): Row {
  const batch = targets.length;
  const S = Math.max(...targets.map((t) => t.length));
  const lengths = targets.map((t) => t.length);
  const flat = targets.flatMap((t) => (packed ? t : [...t, ...new Array<number>(S - t.length).fill(0)]));
  const steps = inputs ?? new Array<number>(batch).fill(T);
  const blank = options.blank ?? 0;
  return {
    op: "ctcLoss",
    name,
    inputs: [
      { shape: single ? [T, classes] : [T, batch, classes], low: -2, high: 0 },
      { shape: packed ? [flat.length] : single ? [S] : [batch, S], dtype: "i32", values: flat },
    ],
    run: (x, t) => ctcLoss(x!, t!, steps, lengths, options),
    reference: (x: Ref) => {
      const losses = targets.map((target, n) =>
        pathLoss((t, c) => x.data[(t * batch + n) * classes + c]!, steps[n]!, classes, target, blank),
      );
      const finite = losses.map((v) => (v === Infinity && options.zeroInfinity ? 0 : v));
      if (options.reduction === "none") return single ? scalar(finite[0]!) : make([batch], finite);
      if (options.reduction === "sum") return scalar(total(finite));
      return scalar(total(finite.map((v, n) => v / Math.max(lengths[n]!, 1))) / batch);
    },
  };
}

export const rows: readonly Row[] = [
  row("", { T: 4, classes: 3, targets: [[1, 2], [2, 2], [1]] }),
  row("sum, input lengths", {
    T: 5,
    classes: 3,
    targets: [[1, 2], [2]],
    inputs: [3, 4],
    options: { reduction: "sum" },
  }),
  row("none, one after another", {
    T: 4,
    classes: 3,
    targets: [[1], [2, 1, 2]],
    packed: true,
    options: { reduction: "none" },
  }),
  row("another blank", {
    T: 4,
    classes: 4,
    targets: [
      [0, 1],
      [3, 0],
    ],
    options: { blank: 2 },
  }),
  row("one item", { T: 4, classes: 3, targets: [[1, 2]], single: true, options: { reduction: "none" } }),
  row("no labels", { T: 3, classes: 3, targets: [[], [1]], options: { reduction: "sum" } }),
  row("one step", { T: 1, classes: 3, targets: [[2]] }),
  row("impossible, zeroInfinity", {
    T: 2,
    classes: 3,
    targets: [
      [1, 1],
      [1, 2],
    ],
    options: { zeroInfinity: true },
  }),
];
