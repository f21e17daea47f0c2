// Sampling of images: gridSample.
import { gridSample } from "../../src/index.js";
import { at, generate } from "../reference.js";
import type { Row } from "./case.js";

interface Options {
  readonly mode?: "bilinear" | "nearest";
  readonly paddingMode?: "zeros" | "border" | "reflection";
  readonly alignCorners?: boolean;
}

/** Where a place of [−1, 1] lies on an axis of n pixels, after padding. */
function position(place: number, n: number, { paddingMode, alignCorners }: Options): number {
  let p = alignCorners ? ((place + 1) / 2) * (n - 1) : ((place + 1) * n - 1) / 2;
  const [low, high] = alignCorners ? [0, n - 1] : [-0.5, n - 0.5];
  if (paddingMode === "reflection") {
    if (low === high) return 0;
    while (p < low || p > high) p = p < low ? 2 * low - p : 2 * high - p;
  }
  return paddingMode === "reflection" || paddingMode === "border" ? Math.min(Math.max(p, 0), n - 1) : p;
}

const roundHalfEven = (p: number) => (Math.abs(p % 1) === 0.5 ? 2 * Math.round(p / 2) : Math.round(p));

const shapes = [
  { x: [2, 3, 4, 5], grid: [2, 3, 2, 2] },
  { x: [1, 1, 1, 3], grid: [1, 2, 2, 2] },
  { x: [1, 2, 6, 2], grid: [1, 1, 5, 2] },
];
const options = (["bilinear", "nearest"] as const).flatMap((mode) =>
  (["zeros", "border", "reflection"] as const).flatMap((paddingMode) =>
    [false, true].map((alignCorners) => ({ mode, paddingMode, alignCorners })),
  ),
);

export const rows: readonly Row[] = [
  ...shapes.flatMap((shape) => options.map((o) => ({ ...shape, options: o as Options }))),
  { x: [2, 0, 4, 5], grid: [2, 3, 2, 2], options: {} },
  { x: [0, 2, 4, 5], grid: [0, 3, 2, 2], options: {} },
  { x: [2, 2, 4, 5], grid: [2, 0, 2, 2], options: {} },
].map(({ x: shape, grid: places, options }) => ({
  op: "gridSample",
  name: `${shape} at ${places} ${JSON.stringify(options)}`,
  inputs: [
    { shape },
    {
      shape: places,
      low: -1.9,
      high: 1.9,
      // Where a pixel's weight begins, the nearest pixel changes, or reflection turns: centers and edges of pixels.
      avoid: [shape[2]!, shape[3]!].flatMap((n) =>
        Array.from({ length: 6 * n }, (_, i) => i / 2 - n).map((p) =>
          options.alignCorners ? (2 * p) / Math.max(1, n - 1) - 1 : (2 * p + 1) / n - 1,
        ),
      ),
      margin: 0.005,
    },
  ],
  run: (x, grid) => gridSample(x!, grid!, options),
  reference: (x, grid) =>
    generate([shape[0]!, shape[1]!, places[1]!, places[2]!], ([b, c, i, j]) => {
      const [height, width] = [shape[2]!, shape[3]!];
      const across = position(at(grid!, [b!, i!, j!, 0]), width, options);
      const down = position(at(grid!, [b!, i!, j!, 1]), height, options);
      const pixel = (row: number, column: number) =>
        row < 0 || row >= height || column < 0 || column >= width ? 0 : at(x!, [b!, c!, row, column]);
      if (options.mode === "nearest") return pixel(roundHalfEven(down), roundHalfEven(across));
      let sum = 0;
      for (const row of [Math.floor(down), Math.floor(down) + 1]) {
        for (const column of [Math.floor(across), Math.floor(across) + 1]) {
          sum += (1 - Math.abs(down - row)) * (1 - Math.abs(across - column)) * pixel(row, column);
        }
      }
      return sum;
    }),
}));
