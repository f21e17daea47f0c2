// Sampling of images at given places.
import { rangeError, readOptions, show } from "../error.js";
import { composed } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { remainder } from "./arithmetic.js";
import { gt, logicalOr, lt, where } from "./compare.js";
import { to } from "./convert.js";
import { add, mul, sub } from "./elementwise.js";
import { gather } from "./gather.js";
import { unbind } from "./join.js";
import { checkFloat } from "./launch.js";
import { expand, reshape } from "./layout.js";
import { abs, clamp, floor, round } from "./unary.js";

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /** "bilinear" (default): of the four nearest pixels; "nearest": the nearest, halves to even. */
  readonly mode?: "bilinear" | "nearest";
  /** Outside the image: "zeros" (default), the "border" pixel, or its "reflection". */
  readonly paddingMode?: "zeros" | "border" | "reflection";
  /** −1 and 1 are the centers of the corner pixels, not their outer edges; default false. */
  readonly alignCorners?: boolean;
}

const table = {
  mode: ["bilinear", "nearest"],
  paddingMode: ["zeros", "border", "reflection"],
  alignCorners: [false],
} as const;

/** Where along an axis of `n` pixels the places of a grid lie, brought inside unless outside is zero. */
function positions(places: Tensor, n: number, paddingMode: string, alignCorners: boolean): Tensor {
  const last = n - 1;
  let p = alignCorners ? mul(add(places, 1), last / 2) : sub(mul(add(places, 1), n / 2), 0.5);
  if (paddingMode === "zeros") return p;
  if (paddingMode === "reflection") {
    // Mirrored at the centers or the outer edges of the first and last pixel: a triangle wave.
    const [start, span] = alignCorners ? [0, last] : [-0.5, n];
    if (span === 0) return mul(p, 0);
    p = add(sub(span, abs(sub(span, remainder(sub(p, start), 2 * span)))), start);
  }
  return clamp(p, 0, last);
}

/** Pixels along an axis, and their weights: 0 for those outside. */
function pixels(p: Tensor, n: number, nearest: boolean): [pixel: Tensor, weight: Tensor][] {
  const low = nearest ? round(p) : floor(p);
  const part = sub(p, low);
  const of = (at: Tensor, weight: Tensor): [Tensor, Tensor] => [
    clamp(at, 0, n - 1),
    where(logicalOr(lt(at, 0), gt(at, n - 1)), 0, weight), // a NaN is not outside, and its weight is NaN
  ];
  // The nearest pixel's weight is 1, with a gradient of 0 for the grid.
  return nearest ? [of(low, add(mul(part, 0), 1))] : [of(low, sub(1, part)), of(add(low, 1), part)];
}

/**
 * The pixels of images at given places: `[batch, channels, height, width]`, grid `[batch, h, w, 2]` of (x, y) in [−1, 1]
 * `-> [batch, channels, h, w]`. With an affine grid it is a spatial transformer (Jaderberg et al. 2015).
 * A place that is NaN gives NaN, in all modes. PyTorch: `torch.nn.functional.grid_sample`, of images.
 *
 * @param options `mode`, `paddingMode`, `alignCorners`.
 * @throws RangeError for shapes that do not fit, an empty image, an unknown mode.
 * @example
 * import { gridSample, tensor } from "gradine";
 * const x = tensor([[[[1, 2], [3, 4]]]]);
 * const grid = tensor([[[[0, 0], [1, -1]]]]);
 * console.log(gridSample(x, grid, { alignCorners: true }).toArray()); // [[[[2.5, 2]]]]
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  const op = "gridSample";
  checkFloat(op, "x", x);
  checkFloat(op, "grid", grid);
  const { mode, paddingMode, alignCorners } = readOptions(op, options, table);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [of, h, w, two] = grid.shape as [number, number, number, number];
  if (x.ndim !== 4 || grid.ndim !== 4 || two !== 2 || of !== batch || height * width === 0) {
    const got = `got ${show(x.shape)} (x) and ${show(grid.shape)} (grid)`;
    throw rangeError(op, `takes images [batch, channels, height, width] and a grid [batch, h, w, 2]: ${got}`);
  }
  return composed(op, [x, grid], () => {
    const flat = reshape(x, [batch, channels, height * width]);
    const along = (places: Tensor, n: number) =>
      pixels(positions(places, n, paddingMode, alignCorners), n, mode === "nearest");
    const [across, down] = unbind(grid, -1) as [Tensor, Tensor];
    const columns = along(across, width);
    const terms = along(down, height).flatMap(([row, rowWeight]) =>
      columns.map(([column, columnWeight]) => {
        const at = reshape(add(mul(to(row, "i32"), width), to(column, "i32")), [batch, 1, h * w]);
        const weight = reshape(mul(rowWeight, columnWeight), [batch, 1, h * w]);
        return mul(gather(flat, 2, expand(at, [batch, channels, h * w])), weight);
      }),
    );
    return reshape(
      terms.reduce((sum, term) => add(sum, term)),
      [batch, channels, h, w],
    );
  });
}
