// Rows of pooling and interpolation, with references by the definition.
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  interpolate,
  maxPool1d,
  maxPool2d,
} from "../../src/index.js";
import { at, average, count, forEachIndex, generate, total } from "../reference.js";
import type { Ref, Row } from "./case.js";

interface Options {
  readonly stride?: number | readonly number[];
  readonly padding?: number | readonly number[];
  readonly dilation?: number | readonly number[];
  readonly ceilMode?: boolean;
  readonly countIncludePad?: boolean;
  readonly divisorOverride?: number;
}

type Kernel = number | readonly number[];

const listed = (value: Kernel, n: number): number[] =>
  typeof value === "number" ? new Array<number>(n).fill(value) : [...value];

/** For each axis and window: the places inside x, and how many the window counts with the border. */
type Windows = readonly (readonly { readonly places: readonly number[]; readonly counted: number }[])[];

function windowsOf(size: readonly number[], kernel: Kernel, options: Options): Windows {
  const n = size.length;
  const k = listed(kernel, n);
  const stride = listed(options.stride ?? k, n);
  const padding = listed(options.padding ?? 0, n);
  const dilation = listed(options.dilation ?? 1, n);
  return size.map((s, i) => {
    const windows = [];
    for (let start = -padding[i]!; ; start += stride[i]!) {
      const reach = start + dilation[i]! * (k[i]! - 1);
      // Inside the borders; with ceilMode it is enough to begin inside x or the border before it.
      const fits = reach < s + padding[i]!;
      if (!fits && !(options.ceilMode && start < s && reach - stride[i]! < s + padding[i]! - 1 + 0)) break;
      const all = Array.from({ length: k[i]! }, (_, j) => start + j * dilation[i]!);
      windows.push({
        places: all.filter((place) => place >= 0 && place < s),
        counted: all.filter((place) => place < s + padding[i]!).length,
      });
      if (!fits) break;
    }
    return windows;
  });
}

function adaptiveWindows(size: readonly number[], out: readonly (number | null)[]): Windows {
  return size.map((s, i) => {
    const m = out[i] ?? s;
    return Array.from({ length: m }, (_, j) => {
      const places = [];
      for (let p = Math.floor((j * s) / m); p < Math.ceil(((j + 1) * s) / m); p++) places.push(p);
      return { places, counted: places.length };
    });
  });
}

/** f of the values of each window, their places in the plane, and the count with the border. */
function pooled(
  x: Ref,
  windows: Windows,
  f: (values: readonly number[], places: readonly number[], counted: number) => number,
): Ref {
  const leading = x.shape.slice(0, x.shape.length - windows.length);
  const size = x.shape.slice(leading.length);
  return generate([...leading, ...windows.map((list) => list.length)], (index) => {
    const chosen = windows.map((list, axis) => list[index[leading.length + axis]!]!);
    const values: number[] = [];
    const places: number[] = [];
    forEachIndex(
      chosen.map(({ places }) => places.length),
      (pick) => {
        const place = pick.map((p, axis) => chosen[axis]!.places[p]!);
        values.push(at(x, [...index.slice(0, leading.length), ...place]));
        places.push(place.reduce((flat, p, axis) => flat * size[axis]! + p, 0));
      },
    );
    return f(
      values,
      places,
      chosen.reduce((n, w) => n * w.counted, 1),
    );
  });
}

/** PyTorch's largest: the first of equal ones; the last NaN. */
function largest(values: readonly number[]): number {
  let best = 0;
  values.forEach((v, i) => {
    if (v > values[best]! || Number.isNaN(v)) best = i;
  });
  return best;
}

const maxima = (x: Ref, windows: Windows): Ref => pooled(x, windows, (values) => values[largest(values)]!);
const positions = (x: Ref, windows: Windows): Ref => pooled(x, windows, (values, places) => places[largest(values)]!);

const nameOf = (...parts: unknown[]): string =>
  parts
    .map((part) => JSON.stringify(part))
    .join(" ")
    .replaceAll('"', "");
const maxPools = [maxPool1d, maxPool2d];
const avgPools = [avgPool1d, avgPool2d];
const adaptiveMax = [adaptiveMaxPool1d, adaptiveMaxPool2d];
const adaptiveAvg = [adaptiveAvgPool1d, adaptiveAvgPool2d];

/** Values that differ by more than the differences' step. */
const distinct = (shape: readonly number[]) => ({
  shape,
  distinct: true,
  margin: 0.01,
  low: -Math.max(2, count(shape) / 100),
  high: Math.max(2, count(shape) / 100),
});

function max(n: number, shape: readonly number[], kernel: Kernel, options: Options = {}, values?: number[]): Row {
  const windows = windowsOf(shape.slice(-n), kernel, options);
  return {
    op: `maxPool${n}d`,
    name: nameOf(kernel, options, ...(values === undefined ? [] : ["special values"])),
    inputs: [values === undefined ? distinct(shape) : { shape, values }],
    run: (x) => maxPools[n - 1]!(x!, kernel, { ...options, returnIndices: true }),
    reference: (x) => [maxima(x!, windows), positions(x!, windows)],
    tolerance: 0,
    ...(values === undefined ? {} : { gradient: "none" as const, reason: "kinks and NaN" }),
  };
}

/** Without the indices: nothing is recorded beside the values. */
const maxAlone = (n: number, shape: readonly number[], kernel: Kernel, options: Options = {}): Row => ({
  ...max(n, shape, kernel, options),
  name: nameOf(kernel, options, "values alone"),
  run: (x) => maxPools[n - 1]!(x!, kernel, options),
  reference: (x) => maxima(x!, windowsOf(shape.slice(-n), kernel, options)),
});

function avg(n: number, shape: readonly number[], kernel: Kernel, options: Options = {}): Row {
  const windows = windowsOf(shape.slice(-n), kernel, options);
  const { countIncludePad = true, divisorOverride } = options;
  return {
    op: `avgPool${n}d`,
    name: nameOf(kernel, options),
    inputs: [{ shape }],
    run: (x) => avgPools[n - 1]!(x!, kernel, options),
    reference: (x) =>
      pooled(x!, windows, (values, _, counted) => {
        const divisor = divisorOverride ?? (countIncludePad ? counted : values.length);
        return total(values) / divisor;
      }),
  };
}

function adaptive(n: number, shape: readonly number[], out: Kernel | readonly (number | null)[]): Row[] {
  const size = typeof out === "number" ? listed(out, n) : out;
  const windows = adaptiveWindows(shape.slice(-n), size);
  return [
    {
      op: `adaptiveAvgPool${n}d`,
      name: nameOf(out),
      inputs: [{ shape }],
      run: (x) => adaptiveAvg[n - 1]!(x!, out),
      reference: (x) => pooled(x!, windows, average),
    },
    {
      op: `adaptiveMaxPool${n}d`,
      name: nameOf(out),
      inputs: [distinct(shape)],
      run: (x) => adaptiveMax[n - 1]!(x!, out, { returnIndices: true }),
      reference: (x) => [maxima(x!, windows), positions(x!, windows)],
      tolerance: 0,
    },
  ];
}

interface Resizing {
  readonly size?: Kernel;
  readonly scaleFactor?: Kernel;
  readonly mode?: "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area";
  readonly alignCorners?: boolean;
}

/** Weights of the elements of x in result j of one axis. */
function weightsOf(n: number, m: number, factor: number | undefined, options: Resizing): number[][] {
  const { mode = "nearest", alignCorners = false } = options;
  const scale = factor === undefined ? n / m : 1 / factor;
  return Array.from({ length: m }, (_, j) => {
    const weights = new Array<number>(n).fill(0);
    const add = (i: number, w: number) => {
      weights[Math.min(Math.max(i, 0), n - 1)]! += w;
    };
    const place = alignCorners ? (m > 1 ? (j * (n - 1)) / (m - 1) : 0) : (j + 0.5) * scale - 0.5;
    if (mode === "nearest") add(Math.floor(j * scale), 1);
    else if (mode === "nearest-exact") add(Math.floor((j + 0.5) * scale), 1);
    else if (mode === "area") {
      const { places } = adaptiveWindows([n], [m])[0]![j]!;
      for (const i of places) add(i, 1 / places.length);
    } else if (mode === "bicubic") {
      const first = Math.floor(place);
      for (let k = -1; k <= 2; k++) {
        const d = Math.abs(place - first - k);
        const near = 1.25 * d ** 3 - 2.25 * d ** 2 + 1;
        const far = -0.75 * d ** 3 + 3.75 * d ** 2 - 6 * d + 3;
        add(first + k, d <= 1 ? near : far);
      }
    } else {
      const inside = Math.min(Math.max(place, 0), n - 1);
      add(Math.floor(inside), 1 - (inside - Math.floor(inside)));
      add(Math.floor(inside) + 1, inside - Math.floor(inside));
    }
    return weights;
  });
}

function resized(shape: readonly number[], options: Resizing): Row {
  const n = shape.length - 2;
  const input = shape.slice(2);
  const factors = options.scaleFactor === undefined ? undefined : listed(options.scaleFactor, n);
  const out = factors === undefined ? listed(options.size!, n) : input.map((s, i) => Math.floor(s * factors[i]!));
  const weights = input.map((s, i) => weightsOf(s, out[i]!, factors?.[i], options));
  return {
    op: "interpolate",
    name: nameOf(options),
    inputs: [{ shape }],
    run: (x) => interpolate(x!, options),
    reference: (x) =>
      generate([...shape.slice(0, 2), ...out], (index) => {
        let sum = 0;
        forEachIndex(input, (from) => {
          const weight = from.reduce((w, i, axis) => w * weights[axis]![index[axis + 2]!]![i]!, 1);
          if (weight !== 0) sum += weight * at(x!, [index[0]!, index[1]!, ...from]);
        });
        return sum;
      }),
  };
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

export const rows: readonly Row[] = [
  ...[1, 2, 3, 4, 5, 8, 9, 17].map((length) => max(1, [2, 2, length], 1)),
  ...[2, 5, 9, 16, 17].map((length) => max(1, [2, length], 2)),
  max(1, [1, 2, 9], 3, { stride: 1, padding: 1 }),
  max(1, [1, 2, 9], 3, { stride: 2, dilation: 2, ceilMode: true, padding: 1 }),
  // The kernel for 2 x 2 windows: from 4 in a row on, a last vector that overlaps, a rest of x without window.
  ...[7, 8, 9, 10, 14, 16, 17].map((width) => max(2, [2, 2, 4, width], 2)),
  maxAlone(2, [1, 2, 5, 11], 2),
  maxAlone(2, [1, 2, 5, 7], 3, { padding: 1 }),
  maxAlone(1, [1, 2, 9], 2),
  max(2, [1, 2, 5, 9], 2, { ceilMode: true }),
  max(2, [2, 5, 6], [3, 2], { stride: [1, 2], padding: [1, 0] }),
  max(2, [1, 2, 6, 7], 3, { stride: 2, padding: 1 }),
  max(2, [1, 2, 6, 7], 3, { stride: 1, padding: 1 }),
  max(2, [1, 2, 7, 9], [2, 3], { dilation: [2, 3], stride: 2 }),
  max(2, [1, 1, 5, 5], 5),
  max(2, [0, 2, 4, 8], 2),
  max(2, [1, 1, 2, 8], 2, {}, [nan, 1, 2, 2, -inf, -inf, 0, -0, 3, nan, 2, 2, -inf, -inf, -0, 0]),
  max(2, [1, 1, 2, 8], 2, { stride: 1 }, [nan, 1, 2, 2, -inf, -inf, 0, -0, 3, nan, 2, 2, -inf, -inf, -0, inf]),
  max(1, [1, 1, 6], 3, { stride: 1, padding: 1 }, [-inf, -inf, nan, 1, nan, 2]),

  ...[1, 2, 7, 8, 17].map((length) => avg(1, [2, 2, length], length === 1 ? 1 : 2)),
  avg(1, [2, 9], 3, { stride: 2, padding: 1 }),
  avg(1, [2, 9], 3, { stride: 2, padding: 1, countIncludePad: false }),
  avg(1, [1, 2, 8], 3, { ceilMode: true }),
  avg(2, [2, 2, 4, 6], 2),
  avg(2, [1, 2, 5, 9], [3, 2], { stride: [1, 2] }),
  avg(2, [1, 2, 5, 6], 3, { stride: 2, padding: 1 }),
  avg(2, [1, 2, 5, 6], 3, { stride: 2, padding: 1, countIncludePad: false }),
  avg(2, [2, 5, 6], [2, 3], { stride: 2, padding: [1, 0], ceilMode: true }),
  avg(2, [1, 2, 5, 6], 2, { ceilMode: true, countIncludePad: false }),
  avg(2, [1, 2, 5, 6], 3, { padding: 1, divisorOverride: 4 }),
  avg(2, [0, 2, 4, 4], 2),

  ...adaptive(1, [2, 2, 8], 4),
  ...adaptive(1, [2, 9], 4),
  ...adaptive(1, [1, 2, 3], 7),
  ...adaptive(2, [2, 2, 4, 6], 1),
  ...adaptive(2, [1, 2, 6, 9], [3, 3]),
  ...adaptive(2, [2, 5, 7], [3, 4]),
  ...adaptive(2, [1, 2, 5, 7], [null, 2]),
  ...adaptive(2, [1, 1, 2, 3], [4, 5]),

  resized([1, 2, 5], { size: 8 }),
  resized([1, 2, 5], { scaleFactor: 2, mode: "linear" }),
  resized([1, 2, 5], { size: 3, mode: "linear", alignCorners: true }),
  resized([1, 2, 5], { size: 1, mode: "linear", alignCorners: true }),
  resized([2, 2, 3, 4], { scaleFactor: 2 }),
  resized([1, 2, 5, 7], { size: [3, 9], mode: "nearest-exact" }),
  resized([1, 2, 3, 4], { size: [7, 6], mode: "bilinear" }),
  resized([1, 2, 3, 4], { size: [7, 6], mode: "bilinear", alignCorners: true }),
  resized([1, 1, 5, 9], { scaleFactor: 0.5, mode: "bilinear" }),
  resized([1, 2, 3, 4], { scaleFactor: [2, 1.5], mode: "bicubic" }),
  resized([1, 1, 4, 5], { size: [3, 7], mode: "bicubic", alignCorners: true }),
  resized([1, 2, 5, 7], { size: [3, 4], mode: "area" }),
  resized([1, 1, 2, 3, 4], { size: [3, 4, 6], mode: "trilinear" }),
  resized([1, 2, 2, 3, 4], { scaleFactor: [1, 2, 2] }),
];
