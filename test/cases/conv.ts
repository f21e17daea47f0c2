// Rows of convolutions, transposed convolutions, unfold and fold, with references by the definition.
import { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, fold, unfold } from "../../src/index.js";
import { count, forEachIndex, fullOf, generate, position } from "../reference.js";
import type { Ref, Row } from "./case.js";

interface Options {
  readonly stride?: number | readonly number[];
  readonly padding?: number | readonly number[] | "same" | "valid";
  readonly outputPadding?: number | readonly number[];
  readonly dilation?: number | readonly number[];
  readonly groups?: number;
}

const listed = (value: number | readonly number[], n: number): number[] =>
  typeof value === "number" ? new Array<number>(n).fill(value) : [...value];

/** Calls f(element of x, of weight, of y, all with batch) for every product of a convolution of `size` into `out`. */
function eachProduct(
  x: readonly number[],
  weight: readonly number[],
  y: readonly number[],
  stride: readonly number[],
  before: readonly number[],
  dilation: readonly number[],
  groups: number,
  f: (x: number, w: number, y: number) => void,
): void {
  const filters = weight[0]! / groups;
  forEachIndex(y, (index, toY) => {
    const [n, o, ...p] = index;
    forEachIndex(weight.slice(1), (w) => {
      const [c, ...t] = w;
      const place = p.map((q, axis) => q * stride[axis]! - before[axis]! + t[axis]! * dilation[axis]!);
      if (place.some((i, axis) => i < 0 || i >= x[axis + 2]!)) return;
      const channel = Math.floor(o! / filters) * weight[1]! + c!;
      f(position(x, [n!, channel, ...place]), position(weight, [o!, c!, ...t]), toY);
    });
  });
}

/** Adds the batch axis that may be missing. */
const batched = (x: Ref, n: number): Ref => (x.shape.length === n + 2 ? x : { shape: [1, ...x.shape], data: x.data });
const like = (y: Ref, x: Ref, n: number): Ref =>
  x.shape.length === n + 2 ? y : { shape: y.shape.slice(1), data: y.data };

/** The bias of each channel, everywhere. */
const biased = (shape: readonly number[], bias: Ref | undefined): Ref =>
  bias === undefined ? fullOf(shape, 0) : generate(shape, (index) => bias.data[index[1]!]!);

function convolution(n: number, input: Ref, weight: Ref, bias: Ref | undefined, options: Options): Ref {
  const x = batched(input, n);
  const kernel = weight.shape.slice(2);
  const stride = listed(options.stride ?? 1, n);
  const dilation = listed(options.dilation ?? 1, n);
  const { padding = 0 } = options;
  const both = kernel.map((k, i) =>
    padding === "same" ? dilation[i]! * (k - 1) : 2 * listed(padding === "valid" ? 0 : padding, n)[i]!,
  );
  const out = kernel.map((k, i) =>
    Math.floor((x.shape[i + 2]! + both[i]! - dilation[i]! * (k - 1) - 1) / stride[i]! + 1),
  );
  const y = biased([x.shape[0]!, weight.shape[0]!, ...out], bias);
  const before = both.map((b) => Math.floor(b / 2));
  eachProduct(x.shape, weight.shape, y.shape, stride, before, dilation, options.groups ?? 1, (i, j, k) => {
    y.data[k]! += x.data[i]! * weight.data[j]!;
  });
  return like(y, input, n);
}

function transposedConvolution(n: number, input: Ref, weight: Ref, bias: Ref | undefined, options: Options): Ref {
  const x = batched(input, n);
  const { groups = 1 } = options;
  const stride = listed(options.stride ?? 1, n);
  const dilation = listed(options.dilation ?? 1, n);
  const padding = listed((options.padding ?? 0) as number, n);
  const extra = listed(options.outputPadding ?? 0, n);
  const out = weight.shape
    .slice(2)
    .map((k, i) => (x.shape[i + 2]! - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (k - 1) + extra[i]! + 1);
  const y = biased([x.shape[0]!, weight.shape[1]! * groups, ...out], bias);
  eachProduct(y.shape, weight.shape, x.shape, stride, padding, dilation, groups, (i, j, k) => {
    y.data[i]! += x.data[k]! * weight.data[j]!;
  });
  return like(y, input, n);
}

const convs = [conv1d, conv2d, conv3d];
const transposes = [convTranspose1d, convTranspose2d];

const nameOf = (options: object, bias: boolean): string =>
  `${bias ? "" : "without bias "}${JSON.stringify(options)}`.replaceAll('"', "");

function conv(x: readonly number[], weight: readonly number[], options: Options = {}, bias = true): Row {
  const n = weight.length - 2;
  return {
    op: `conv${n}d`,
    name: nameOf(options, bias),
    inputs: [{ shape: x }, { shape: weight, low: -1, high: 1 }, ...(bias ? [{ shape: [weight[0]!] }] : [])],
    run: (x, w, b) => convs[n - 1]!(x!, w!, b, options),
    reference: (x, w, b) => convolution(n, x!, w!, b, options),
  };
}

function transposed(x: readonly number[], weight: readonly number[], options: Options = {}, bias = true): Row {
  const n = weight.length - 2;
  const out = weight[1]! * (options.groups ?? 1);
  return {
    op: `convTranspose${n}d`,
    name: nameOf(options, bias),
    inputs: [{ shape: x }, { shape: weight, low: -1, high: 1 }, ...(bias ? [{ shape: [out] }] : [])],
    run: (x, w, b) => transposes[n - 1]!(x!, w!, b, options as { padding?: number }),
    reference: (x, w, b) => transposedConvolution(n, x!, w!, b, options),
  };
}

interface Unfolding {
  readonly kernel: readonly [number, number];
  readonly stride?: readonly [number, number];
  readonly padding?: readonly [number, number];
  readonly dilation?: readonly [number, number];
}

/** Calls f(element of the images, of the columns) for every element of every window. */
function eachElement(images: readonly number[], u: Unfolding, f: (image: number, column: number) => void): number[] {
  const { kernel, stride = [1, 1], padding = [0, 0], dilation = [1, 1] } = u;
  const [height, width] = images.slice(-2);
  const planes = count(images.slice(0, -2));
  const counts = [height!, width!].map(
    (size, i) => Math.floor((size + 2 * padding[i]! - dilation[i]! * (kernel[i]! - 1) - 1) / stride[i]!) + 1,
  );
  forEachIndex([planes, ...kernel, ...counts], ([plane, i, j, p, q], column) => {
    const h = p! * stride[0] - padding[0] + i! * dilation[0];
    const v = q! * stride[1] - padding[1] + j! * dilation[1];
    if (h >= 0 && h < height! && v >= 0 && v < width!) f((plane! * height! + h) * width! + v, column);
  });
  return [...images.slice(0, -3), images[images.length - 3]! * kernel[0] * kernel[1], counts[0]! * counts[1]!];
}

function unfolding(images: readonly number[], u: Unfolding): Row[] {
  const { kernel, ...options } = u;
  const columns = eachElement(images, u, () => {});
  const common = { name: `${kernel} ${JSON.stringify(options)}`.replaceAll('"', ""), tolerance: 0 };
  return [
    {
      ...common,
      op: "unfold",
      inputs: [{ shape: images }],
      run: (x) => unfold(x!, kernel, options),
      reference: (x) => {
        const y = fullOf(columns, 0);
        eachElement(images, u, (i, c) => {
          y.data[c] = x!.data[i]!;
        });
        return y;
      },
    },
    {
      ...common,
      op: "fold",
      tolerance: 1e-6,
      inputs: [{ shape: columns }],
      run: (x) => fold(x!, images.slice(-2), kernel, options),
      reference: (x) => {
        const y = fullOf(images, 0);
        eachElement(images, u, (i, c) => {
          y.data[i]! += x!.data[c]!;
        });
        return y;
      },
    },
  ];
}

/** x at one place, for a NaN that must reach the windows over it and no others. */
const poisoned = (shape: readonly number[], place: readonly number[]): number[] => {
  const values = Array.from({ length: count(shape) }, (_, i) => (i % 7) - 3);
  values[position(shape, place)] = Number.NaN;
  return values;
};

export const rows: readonly Row[] = [
  // Lengths around a vector and a panel of 8.
  ...[1, 3, 4, 5, 7, 8, 9, 11, 16, 17].map((length) =>
    conv([2, 2, length], [3, 2, 3], { padding: 1 }, length % 2 === 0),
  ),
  ...[1, 2, 3, 4, 5].map((filters) => conv([1, 2, 9], [filters, 2, 2])),
  conv([2, 9], [3, 2, 2]),
  conv([1, 2, 9], [4, 1, 3], { groups: 2, stride: 2 }),
  conv([2, 1, 20], [1, 1, 5], { dilation: 3, padding: 4, stride: 3 }),
  conv([1, 2, 6], [2, 2, 4], { padding: "same" }),
  conv([1, 2, 6], [2, 2, 3], { padding: "same", dilation: 2 }, false),
  conv([1, 2, 6], [2, 2, 3], { padding: "valid" }),
  conv([1, 2, 6], [3, 2, 6]),

  conv([2, 3, 5, 6], [4, 3, 3, 3], { padding: 1 }),
  conv([2, 3, 5, 6], [4, 3, 3, 3], { padding: 1 }, false),
  conv([3, 5, 6], [4, 3, 3, 3], { stride: 2 }),
  conv([1, 2, 7, 8], [5, 2, 3, 2], { stride: [2, 3], padding: [2, 1] }),
  conv([1, 2, 7, 8], [3, 2, 3, 3], { dilation: [1, 2], padding: [0, 2] }),
  conv([1, 2, 7, 8], [3, 2, 3, 3], { stride: 2, dilation: 2, padding: 2 }),
  conv([1, 2, 6, 5], [3, 2, 2, 4], { padding: "same" }),
  conv([1, 2, 6, 5], [3, 2, 2, 3], { padding: "same", dilation: [2, 1] }),
  conv([2, 4, 4, 5], [6, 2, 3, 3], { groups: 2, padding: 1 }),
  conv([1, 9, 3, 5], [9, 3, 1, 1], { groups: 3 }),
  conv([2, 7, 3, 5], [6, 7, 1, 1]),
  conv([2, 3, 5, 6], [3, 3, 1, 1], { stride: 2, padding: 1 }),
  conv([1, 1, 9, 17], [1, 1, 3, 3], { padding: 1 }),
  conv([1, 3, 6, 7], [2, 3, 3, 3], { padding: 1 }),
  conv([0, 2, 4, 4], [3, 2, 3, 3]),
  // Depthwise: computed directly.
  conv([2, 3, 5, 18], [3, 1, 3, 3], { groups: 3, padding: 1 }),
  conv([2, 3, 6, 7], [3, 1, 3, 3], { groups: 3, padding: 1, stride: 2 }, false),
  conv([1, 3, 6, 7], [6, 1, 3, 2], { groups: 3, stride: [3, 2] }),
  conv([1, 2, 6, 7], [6, 1, 3, 3], { groups: 2, dilation: 2 }),
  // A stride larger than the window: elements without gradient.
  conv([1, 2, 7, 7], [3, 2, 2, 2], { stride: 3 }),

  conv([1, 2, 3, 4, 5], [3, 2, 2, 2, 2]),
  conv([1, 2, 4, 4, 5], [2, 2, 2, 3, 2], { stride: [2, 1, 2], padding: [1, 0, 1], dilation: [1, 1, 2] }),
  conv([2, 3, 3, 4], [2, 2, 2, 3, 1], { padding: "same" }),
  conv([1, 2, 3, 3, 4], [2, 1, 3, 1, 3], { groups: 2, padding: 1 }),

  {
    ...conv([1, 1, 4, 9], [4, 1, 3, 3]),
    name: "a NaN reaches its windows only",
    inputs: [{ shape: [1, 1, 4, 9], values: poisoned([1, 1, 4, 9], [0, 0, 1, 2]) }, { shape: [4, 1, 3, 3] }],
    gradient: "none",
    reason: "differences of NaN",
  },
  {
    ...conv([1, 2, 4, 17], [2, 1, 3, 3], { groups: 2, padding: 1 }),
    name: "a NaN reaches its windows only, depthwise",
    inputs: [
      { shape: [1, 2, 4, 17], values: poisoned([1, 2, 4, 17], [0, 1, 3, 16]) },
      { shape: [2, 1, 3, 3] },
      { shape: [2] },
    ],
    gradient: "none",
    reason: "differences of NaN",
  },

  transposed([2, 3, 5], [3, 2, 3]),
  transposed([2, 5], [2, 3, 4], { stride: 2, padding: 1 }, false),
  transposed([1, 4, 5], [4, 1, 3], { groups: 2, stride: 3, outputPadding: 2 }),
  transposed([1, 2, 4], [2, 1, 2], { stride: 3 }),
  transposed([1, 2, 4], [2, 3, 3], { dilation: 2, outputPadding: 1, stride: 1 }),
  transposed([2, 3, 3, 4], [3, 2, 2, 2], { stride: 2 }),
  transposed([3, 3, 4], [3, 2, 3, 3], { stride: [2, 1], padding: 1, outputPadding: [1, 0] }),
  transposed([1, 3, 3, 4], [3, 4, 3, 2], {}, false),
  transposed([1, 4, 3, 4], [4, 2, 3, 3], { groups: 2, stride: 2, dilation: [1, 2], padding: [1, 2] }),
  transposed([1, 2, 3, 3], [2, 1, 3, 3], { groups: 2, stride: 2, padding: 1, outputPadding: 1 }),

  ...unfolding([2, 2, 4, 5], { kernel: [2, 3] }),
  ...unfolding([2, 4, 5], { kernel: [2, 2], stride: [2, 1], padding: [1, 2] }),
  ...unfolding([1, 3, 6, 7], { kernel: [3, 2], dilation: [2, 3], padding: [1, 1], stride: [1, 2] }),
  ...unfolding([1, 1, 3, 9], { kernel: [1, 1] }),
];
