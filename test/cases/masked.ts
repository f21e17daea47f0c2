// Rows of masks: filling, selecting, positions of what is not zero.
import { maskedFill, maskedSelect, nonzero } from "../../src/index.js";
import * as ref from "../reference.js";
import { exact, flags } from "./build.js";
import type { Input, Row } from "./case.js";

type Shape = readonly number[];

const mask = (shape: Shape): Input => ({ shape, dtype: "bool" });

const filled = (x: Shape | Input, over: Shape, value: number | boolean): Row =>
  exact(
    "maskedFill",
    `with ${value}`,
    [x, mask(over)],
    (x, m) => maskedFill(x!, m!, value),
    (x, m) => ref.zip(x!, m!, (v, on) => (on ? Number(value) : v)),
  );

const filledWith = (x: Shape, over: Shape, value: Shape): Row =>
  exact(
    "maskedFill",
    "with a tensor",
    [x, mask(over), value],
    (x, m, v) => maskedFill(x!, m!, v!),
    (x, m, v) => ref.zip(x!, m!, (own, on) => (on ? v!.data[0]! : own)),
  );

const selected = (x: Shape | Input, over: Input): Row =>
  exact(
    "maskedSelect",
    "",
    [x, over],
    (x, m) => maskedSelect(x!, m!),
    (x, m) => {
      const shape = ref.broadcastShape(x!.shape, m!.shape);
      const [wide, on] = [ref.broadcastTo(x!, shape), ref.broadcastTo(m!, shape)];
      const picked = [...wide.data].filter((_, i) => on.data[i]! !== 0);
      return ref.make([picked.length], picked);
    },
  );

/** Coordinates of what is not 0, one row each. */
function coordinates(x: ref.Ref): number[][] {
  const found: number[][] = [];
  ref.forEachIndex(x.shape, (index, flat) => {
    if (x.data[flat] !== 0) found.push([...index]);
  });
  return found;
}

const none = { gradient: "none", reason: "positions are integers" } as const;

const listed = (x: Shape | Input): Row[] => [
  exact(
    "nonzero",
    "",
    [x],
    (x) => nonzero(x!),
    (x) => {
      const found = coordinates(x!);
      return ref.make([found.length, x!.shape.length], found.flat());
    },
    none,
  ),
  exact(
    "nonzero",
    "as a tuple",
    [x],
    (x) => nonzero(x!, { asTuple: true }),
    (x) => {
      const found = coordinates(x!);
      if (x!.shape.length === 0) return [ref.make([found.length], () => 0)];
      return x!.shape.map((_, axis) =>
        ref.make(
          [found.length],
          found.map((at) => at[axis]!),
        ),
      );
    },
    none,
  ),
];

export const rows: readonly Row[] = [
  filled([3, 5], [3, 5], -1.5),
  filled([3, 5], [5], 0),
  { ...filled([3, 5], [3, 1], Number.NEGATIVE_INFINITY), gradient: "none", reason: "infinite" },
  filled([3, 1], [1, 4], 2),
  filled([5], [2, 5], 2),
  filled([0, 3], [3], 1),
  filled([], [], 1),
  filled({ shape: [3, 4], dtype: "i32", low: -9, high: 9 }, [3, 4], 7),
  filled({ shape: [3, 4], dtype: "bool" }, [4], true),
  filled({ shape: [3, 4], transposed: true }, [3, 4], 1),
  ...Array.from({ length: 9 }, (_, n) => filled([n], [n], 3)),
  filledWith([3, 4], [3, 4], []),
  filledWith([3, 4], [4], [1]),
  filledWith([2, 1], [1, 3], []),
  selected([3, 4], flags([3, 4], [1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1])),
  selected([3, 4], flags([4], [0, 1, 1, 0])),
  selected([1, 3], flags([2, 1], [1, 0])),
  selected([4], flags([4], [0, 0, 0, 0])),
  selected([0], flags([0], [])),
  selected({ shape: [2, 2], dtype: "i32", low: 0, high: 9 }, flags([2, 2], [1, 1, 0, 1])),
  selected({ shape: [2, 3], transposed: true }, flags([2, 3], [1, 0, 1, 0, 1, 1])),
  ...listed({ shape: [2, 3], values: [0, 1, -0, Number.NaN, 0, 1e-40] }),
  ...listed({ shape: [7], dtype: "i32", low: -1, high: 2 }),
  ...listed({ shape: [2, 3, 4], dtype: "bool" }),
  ...listed([]),
  ...listed([0, 3]),
  ...listed({ shape: [3], values: [0, 0, 0] }),
];
