// Rows of padding.
import { type PadOptions, pad } from "../../src/index.js";
import * as ref from "../reference.js";
import { exact, kinds } from "./build.js";
import type { Input, Row } from "./case.js";

type Shape = readonly number[];

/** Where place i of a padded axis comes from; −1 for the constant. */
function sourceOf(i: number, n: number, mode: string): number {
  if (i >= 0 && i < n) return i;
  if (mode === "constant") return -1;
  if (mode === "replicate") return i < 0 ? 0 : n - 1;
  if (mode === "circular") return ((i % n) + n) % n;
  return i < 0 ? -i : 2 * (n - 1) - i;
}

const padded = (x: Shape | Input, amounts: Shape, options: PadOptions = {}): Row =>
  exact(
    "pad",
    `[${amounts}] ${Object.values(options)}`.trim(),
    [x],
    (x) => (Object.keys(options).length === 0 ? pad(x!, amounts) : pad(x!, amounts, options)),
    (x) => {
      const rank = x!.shape.length;
      const before = x!.shape.map((_, axis) => amounts[2 * (rank - 1 - axis)] ?? 0);
      const after = x!.shape.map((_, axis) => amounts[2 * (rank - 1 - axis) + 1] ?? 0);
      return ref.generate(
        x!.shape.map((n, axis) => n + before[axis]! + after[axis]!),
        (index) => {
          const from = index.map((i, axis) => sourceOf(i - before[axis]!, x!.shape[axis]!, options.mode ?? "constant"));
          return from.includes(-1) ? (options.value ?? 0) : ref.at(x!, from);
        },
      );
    },
  );

export const rows: readonly Row[] = [
  ...kinds([2, 3]).map((x) => padded(x, [1, 2])),
  padded([2, 3], [1, 2, 3, 0]),
  padded([3, 4, 2], [0, 1, -1, 2], { value: 1.5 }),
  padded([5], [-2, -1]),
  padded([4], [-4, 3], { value: 2 }),
  padded([2, 0], [1, 1], { value: -1 }),
  padded([], []),
  padded([2, 3], []),
  padded({ shape: [3, 4], transposed: true }, [1, 1, 1, 1]),
  { ...padded([2, 3], [1, 1], { value: Number.POSITIVE_INFINITY }), gradient: "none", reason: "infinite" },
  ...(["reflect", "replicate", "circular"] as const).flatMap((mode) => [
    padded([4], [3, 2], { mode }),
    padded([2, 5, 3], [2, 1, 0, 4], { mode }),
    padded([1, 2, 3, 3, 3], [2, 2, 1, 0, 2, 1], { mode }),
    padded([6], [-2, 3], { mode }),
    padded({ shape: [3, 4], transposed: true }, [1, 2, 2, 1], { mode }),
    padded({ shape: [4], dtype: "i32", low: 0, high: 9 }, [2, 2], { mode }),
    padded([3], [0, 0], { mode }),
  ]),
];
