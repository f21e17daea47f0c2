// Rows of counting.
import { bincount, type HistcOptions, histc } from "../../src/index.js";
import * as ref from "../reference.js";
import { exact, integers } from "./build.js";
import type { Input, Row } from "./case.js";

const none = { gradient: "none", reason: "counts have no derivative" } as const;

const histograms = (x: Input, options: HistcOptions = {}): Row =>
  exact(
    "histc",
    JSON.stringify(options),
    [x],
    (x) => histc(x!, options),
    (x) => {
      const { bins = 100, min = 0, max = 0 } = options;
      let [low, high] = min === max ? [Math.min(...x!.data), Math.max(...x!.data)] : [min, max];
      if (x!.data.length === 0 && min === max) [low, high] = [min, max];
      if (low === high) [low, high] = [low - 1, high + 1];
      return ref.make([bins], (bin) => {
        const inside = x!.data.filter((v) => v >= low && v <= high);
        return inside.filter((v) => Math.min(Math.floor(((v - low) * bins) / (high - low)), bins - 1) === bin).length;
      });
    },
    none,
  );

const counts = (x: Input, minlength = 0): Row =>
  exact(
    "bincount",
    `${minlength}`,
    [x],
    (x) => (minlength === 0 ? bincount(x!) : bincount(x!, { minlength })),
    (x) =>
      ref.make([Math.max(minlength, ...[...x!.data].map((v) => v + 1))], (k) => x!.data.filter((v) => v === k).length),
    none,
  );

const weighed = (x: Input, minlength = 0): Row =>
  exact(
    "bincount",
    `weighed, ${minlength}`,
    [x, { shape: x.shape, constant: true }],
    (x, w) => bincount(x!, w!, { minlength }),
    (x, w) =>
      ref.make([Math.max(minlength, ...[...x!.data].map((v) => v + 1))], (k) =>
        ref.total([...w!.data].filter((_, i) => x!.data[i] === k)),
      ),
    { ...none, tolerance: 1e-6 },
  );

/** Eighths are exact, and so are the edges of their bins. */
const eighths: Input = { shape: [4, 8], values: Array.from({ length: 32 }, (_, i) => ((i * 13) % 32) / 8 - 2) };

export const rows: readonly Row[] = [
  histograms(eighths, { bins: 8, min: -2, max: 2 }),
  histograms(eighths, { bins: 3, min: -1, max: 0.5 }),
  histograms({ shape: [5], values: [0, 1, 2, 3, 4] }, { bins: 4 }),
  histograms({ shape: [5], values: [0, 1, 2, 4, Number.NaN] }, { bins: 4, min: 0, max: 4 }),
  histograms({ shape: [3], values: [2, 2, 2] }, { bins: 4 }),
  histograms({ shape: [0] }, { bins: 3 }),
  histograms({ shape: [101], values: Array.from({ length: 101 }, (_, i) => i) }),
  counts(integers([7], [1, 3, 1, 0, 3, 3, 5])),
  counts(integers([3], [0, 2, 1]), 6),
  counts(integers([3], [0, 7, 1]), 2),
  counts(integers([0], [])),
  counts(integers([0], []), 3),
  counts({ shape: [4], values: [2, 0, 2, 1], constant: true }),
  weighed(integers([6], [1, 3, 1, 0, 3, 3])),
  weighed(integers([2], [1, 0]), 4),
];
