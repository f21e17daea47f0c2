// Rows of running sums and products.
import { cumprod, cumsum } from "../../src/index.js";
import * as ref from "../reference.js";
import { exact } from "./build.js";
import type { Input, Row } from "./case.js";

type Shape = readonly number[];

/** Each value with all before it. */
function running(run: Float64Array, start: number, f: (total: number, v: number) => number): number[] {
  let total = start;
  return [...run].map((v) => {
    total = f(total, v);
    return total;
  });
}

const scans = (x: Shape | Input, dim: number, name = ""): Row[] =>
  [cumsum, cumprod].map((op) =>
    exact(
      op.name,
      `${name} along ${dim}`.trim(),
      [x],
      (x) => (dim === 0 ? op(x!, dim) : op(x!, { dim })),
      (x) =>
        ref.along(x!, dim, (run) =>
          op === cumsum ? running(run, 0, (t, v) => t + v) : running(run, 1, (t, v) => t * v),
        ),
      { tolerance: 1e-6 },
    ),
  );

export const rows: readonly Row[] = [
  ...Array.from({ length: 18 }, (_, n) => scans([n], 0)).flat(),
  ...scans([3, 4], 0),
  ...scans([3, 4], -1),
  ...scans([2, 5, 3], 1),
  ...scans([], 0),
  ...scans([3, 1], 1),
  ...scans([0, 3], 1),
  ...scans([3, 0], 1),
  ...scans({ shape: [3, 4], transposed: true }, 1),
  ...scans({ shape: [2, 5], values: [2, 0, 3, -1, 0.5, 0, 4, 0, 1, 3] }, 1, "zeros"),
  ...scans({ shape: [3, 4], dtype: "i32", low: -3, high: 4 }, 1),
  ...scans({ shape: [3, 4], dtype: "bool" }, 0),
];
