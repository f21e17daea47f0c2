// Resizing of images and sequences.
import { checkInteger, checkNumber, describe, rangeError, readOptions, show, typeError } from "../error.js";
import { ptr, type Tensor } from "../tensor/index.js";
import { checkFloat } from "./launch.js";
import { adaptiveVisits } from "./pooling.js";
import { resample, tapsOf } from "./resample.js";
import { type PerAxis, perAxis } from "./spatial.js";

/** Options of `interpolate`: `size` or `scaleFactor`. */
export interface InterpolateOptions {
  /** Size of the result, for all axes or one an axis. */
  readonly size?: PerAxis;
  /** By how much each axis grows; the size is rounded down. */
  readonly scaleFactor?: PerAxis;
  /**
   * "nearest" (default), "nearest-exact", "linear" (1 axis), "bilinear" (2), "trilinear" (3), "bicubic" (2), or "area"
   * (averages).
   */
  readonly mode?: "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area";
  /** Corner elements of x and of the result coincide, in the linear and cubic modes; default false. */
  readonly alignCorners?: boolean;
}

const axesOfMode = {
  linear: 1,
  bilinear: 2,
  trilinear: 3,
  bicubic: 2,
  nearest: 0,
  "nearest-exact": 0,
  area: 0,
} as const;
const modes = Object.keys(axesOfMode) as (keyof typeof axesOfMode)[];

/** Keys' cubic convolution with a = −3/4, at a distance of less than 2: "Cubic convolution interpolation" (1981). */
function cubic(distance: number): number {
  const a = -0.75;
  const d = Math.abs(distance);
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

type Terms = (j: number) => [index: number, weight: number][];

/** What result j of an axis is made of. Positions are computed in f32, as PyTorch does, so that floors agree. */
function termsOf(mode: string, n: number, m: number, factor: number | undefined, alignCorners: boolean): Terms {
  const f = Math.fround;
  const scale = f(factor === undefined ? f(n) / m : 1 / factor);
  const inside = (i: number) => Math.min(Math.max(i, 0), n - 1);
  if (mode === "nearest") return (j) => [[inside(Math.floor(f(j * scale))), 1]];
  if (mode === "nearest-exact") return (j) => [[inside(Math.floor(f(f(j + 0.5) * scale))), 1]];
  if (mode === "area") {
    return (j) => {
      const places = adaptiveVisits({ size: n, out: m }, j);
      return places.map((place) => [place, 1 / places.length]);
    };
  }
  const step = alignCorners ? (m > 1 ? f((n - 1) / (m - 1)) : 0) : scale;
  const source = (j: number) => (alignCorners ? f(step * j) : f(f(step * f(j + 0.5)) - 0.5));
  if (mode === "bicubic") {
    return (j) => {
      const at = source(j);
      const first = Math.floor(at);
      return [-1, 0, 1, 2].map((k) => [inside(first + k), cubic(at - first - k)]);
    };
  }
  return (j) => {
    const at = Math.max(source(j), 0);
    const first = Math.min(Math.floor(at), n - 1);
    const part = f(at - first);
    return first + 1 < n
      ? [
          [first, f(1 - part)],
          [first + 1, part],
        ]
      : [[first, 1]];
  };
}

/**
 * Resizes the spatial axes: `[batch, channels, …] -> [batch, channels, …size]`, of 1 to 3 axes.
 * PyTorch: `torch.nn.functional.interpolate`.
 *
 * @param options `size` or `scaleFactor`, `mode`, `alignCorners`.
 * @throws RangeError for a bad size, or a mode for another number of axes; TypeError without size and scaleFactor.
 * @example
 * import { interpolate, tensor } from "gradine";
 * const x = tensor([[[0, 1]]]);
 * console.log(interpolate(x, { size: 3, mode: "linear", alignCorners: true }).toArray()); // [[[0, 0.5, 1]]]
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const op = "interpolate";
  checkFloat(op, "x", x);
  const { size, scaleFactor, mode, alignCorners } = readOptions(op, options, {
    size: [],
    scaleFactor: [],
    mode: ["nearest", ...modes],
    alignCorners: [],
  });
  const n = x.ndim - 2;
  if (n < 1 || n > 3 || x.shape.some((s, axis) => s === 0 && axis > 0)) {
    throw rangeError(op, `x must be [batch, channels] and 1 to 3 axes, only the batch empty: got ${show(x.shape)} (x)`);
  }
  const wanted = axesOfMode[mode];
  if (wanted !== 0 && wanted !== n) {
    throw rangeError(op, `mode ${mode} is for ${wanted} axes: x is ${show(x.shape)}, with ${n}`);
  }
  if (alignCorners !== undefined && wanted === 0) {
    throw rangeError(op, `alignCorners is for linear and cubic modes: got ${alignCorners} with mode ${mode}`);
  }
  if ((size === undefined) === (scaleFactor === undefined)) throw typeError(op, "takes either size or scaleFactor");
  const input = x.shape.slice(2);
  let factors: readonly number[] | undefined;
  let output: number[];
  if (size !== undefined) output = perAxis(op, "size", size, n, 1);
  else {
    factors = typeof scaleFactor === "number" ? new Array<number>(n).fill(scaleFactor) : scaleFactor!;
    if (factors.length !== n) throw rangeError(op, `scaleFactor must have ${n} numbers: got ${describe(scaleFactor)}`);
    for (const factor of factors) checkNumber(op, "scaleFactor", factor, 0);
    output = input.map((s, i) => checkInteger(op, "size", Math.floor(s * factors![i]!), 1));
  }
  ptr(x); // a released tensor throws before anything is made
  const tables = input.map((s, i) =>
    tapsOf(2 + i, s, output[i]!, termsOf(mode, s, output[i]!, factors?.[i], alignCorners ?? false)),
  );
  return resample(op, x, tables.reverse());
}
