// Convolution kernels against float64 sums, between canaries: all three products, every option, odd sizes.
import { beforeEach, describe, test } from "vitest";
import { block, check, floats, kernels, random, readFloats, reset } from "./harness.js";

type Axes = readonly [number, number, number];

interface Geometry {
  batch: number;
  groups: number;
  /** Of one group. */
  channels: number;
  filters: number;
  input: Axes;
  kernel: Axes;
  stride: Axes;
  pad: Axes;
  dilation: Axes;
  /** Zeros behind the last element beyond `pad`: what "same" adds to even windows. */
  extra?: Axes;
}

const one: Axes = [1, 1, 1];
const none: Axes = [0, 0, 0];
const product = (a: Axes) => a[0] * a[1] * a[2];

function outputOf(g: Geometry): Axes {
  const size = (axis: 0 | 1 | 2) =>
    Math.floor(
      (g.input[axis] + 2 * g.pad[axis] + (g.extra?.[axis] ?? 0) - (g.kernel[axis] - 1) * g.dilation[axis] - 1) /
        g.stride[axis],
    ) + 1;
  return [size(0), size(1), size(2)];
}

/** Calls f(index of x, of w, of y) for every product of the convolution, by the definition. */
function eachProduct(g: Geometry, f: (x: number, w: number, y: number) => void): void {
  const { input, kernel, stride, pad, dilation } = g;
  const out = outputOf(g);
  let y = 0;
  for (let n = 0; n < g.batch; n++)
    for (let group = 0; group < g.groups; group++)
      for (let o = 0; o < g.filters; o++)
        for (let d = 0; d < out[0]; d++)
          for (let h = 0; h < out[1]; h++)
            for (let v = 0; v < out[2]; v++, y++)
              for (let c = 0; c < g.channels; c++) {
                let w = ((group * g.filters + o) * g.channels + c) * product(kernel);
                for (let kd = 0; kd < kernel[0]; kd++)
                  for (let kh = 0; kh < kernel[1]; kh++)
                    for (let kw = 0; kw < kernel[2]; kw++, w++) {
                      const id = d * stride[0] - pad[0] + kd * dilation[0];
                      const ih = h * stride[1] - pad[1] + kh * dilation[1];
                      const iw = v * stride[2] - pad[2] + kw * dilation[2];
                      if (id < 0 || ih < 0 || iw < 0 || id >= input[0] || ih >= input[1] || iw >= input[2]) continue;
                      const plane = (n * g.groups + group) * g.channels + c;
                      f(((plane * input[0] + id) * input[1] + ih) * input[2] + iw, w, y);
                    }
              }
}

/** Plans in a block of exactly the bytes that the plan asks for, and runs. */
function convolve(op: number, g: Geometry, a: number[], b: number[], bias: number[] | null, n: number): Float32Array {
  const sizes = [...g.input, ...outputOf(g), ...g.kernel, ...g.stride, ...g.pad, ...g.dilation] as [
    ...[number, number, number, number, number, number],
    ...[number, number, number, number, number, number],
    ...[number, number, number, number, number, number],
  ];
  const plan = (at: ReturnType<typeof block>) =>
    kernels.convPlan(at, op, g.batch, g.groups, g.channels, g.filters, ...sizes);
  const bytes = plan(block(512));
  const scratch = block(bytes);
  plan(scratch);
  const y = block(4 * n);
  kernels.convolve(scratch, floats(a), floats(b), bias === null ? (0 as never) : floats(bias), y);
  check();
  return readFloats(y, n);
}

function compare(actual: Float32Array, expected: Float64Array, sums: Float64Array): void {
  for (let i = 0; i < expected.length; i++) {
    // Each of the terms' roundings is at most half an ulp of a partial sum, bounded by the sum of magnitudes.
    if (!(Math.abs(actual[i]! - expected[i]!) <= 1e-6 * (1 + sums[i]!))) {
      throw new Error(`element ${i} of ${expected.length}: ${actual[i]}, expected ${expected[i]}`);
    }
  }
}

function checkAll(g: Geometry, seed = 1): void {
  const next = random(seed);
  const values = (n: number) => Array.from({ length: n }, () => Math.fround(next()));
  const out = outputOf(g);
  const xs = g.batch * g.groups * g.channels * product(g.input);
  const ws = g.groups * g.filters * g.channels * product(g.kernel);
  const ys = g.batch * g.groups * g.filters * product(out);
  const [x, w, gy] = [values(xs), values(ws), values(ys)];
  const yBias = values(g.groups * g.filters);
  const xBias = values(g.groups * g.channels);
  for (const withBias of [false, true]) {
    const y = new Float64Array(ys);
    if (withBias) y.forEach((_, i) => (y[i] = yBias[Math.floor(i / product(out)) % yBias.length]!));
    const sizes = new Float64Array(ys);
    eachProduct(g, (i, j, k) => {
      y[k]! += x[i]! * w[j]!;
      sizes[k]! += Math.abs(x[i]! * w[j]!);
    });
    reset();
    compare(convolve(0, g, x, w, withBias ? yBias : null, ys), y, sizes);
    const gx = new Float64Array(xs);
    if (withBias) gx.forEach((_, i) => (gx[i] = xBias[Math.floor(i / product(g.input)) % xBias.length]!));
    const gxSizes = new Float64Array(xs);
    eachProduct(g, (i, j, k) => {
      gx[i]! += gy[k]! * w[j]!;
      gxSizes[i]! += Math.abs(gy[k]! * w[j]!);
    });
    reset();
    compare(convolve(1, g, gy, w, withBias ? xBias : null, xs), gx, gxSizes);
  }
  const gw = new Float64Array(ws);
  const gwSizes = new Float64Array(ws);
  eachProduct(g, (i, j, k) => {
    gw[j]! += x[i]! * gy[k]!;
    gwSizes[j]! += Math.abs(x[i]! * gy[k]!);
  });
  reset();
  compare(convolve(2, g, x, gy, null, ws), gw, gwSizes);
}

const plain = (g: Partial<Geometry>): Geometry => ({
  batch: 2,
  groups: 1,
  channels: 2,
  filters: 5,
  input: [1, 7, 7],
  kernel: [1, 3, 3],
  stride: one,
  pad: none,
  dilation: one,
  ...g,
});

beforeEach(reset);

describe("convolutions against float64", () => {
  test.each(Array.from({ length: 20 }, (_, i) => i + 1))("width %i", (width) => {
    for (const filters of [1, 2, 3, 4, 9])
      checkAll(plain({ input: [1, 2, width], kernel: [1, 2, Math.min(width, 3)], filters }));
  });

  test.each([1, 2, 3, 4, 5])("stride %i", (stride) => {
    for (const kernel of [1, 2, 3, 4])
      for (const pad of [0, 1, 2])
        for (const filters of [1, 6])
          checkAll(
            plain({
              input: [1, 9, 12],
              kernel: [1, kernel, kernel],
              stride: [1, stride, stride],
              pad: [0, pad, pad],
              filters,
            }),
          );
  });

  test("every axis of its own, in three dimensions", () => {
    checkAll(
      plain({
        input: [5, 6, 9],
        kernel: [2, 3, 2],
        stride: [2, 1, 3],
        pad: [1, 2, 0],
        dilation: [1, 2, 3],
        filters: 4,
      }),
    );
    checkAll(
      plain({
        input: [4, 5, 6],
        kernel: [3, 1, 2],
        stride: [1, 2, 2],
        pad: [1, 0, 1],
        dilation: [1, 1, 2],
        filters: 1,
      }),
    );
  });

  test("dilation, and a border behind the last element alone", () => {
    for (const stride of [1, 2])
      for (const filters of [2, 7])
        checkAll(
          plain({ dilation: [1, 2, 2], pad: [0, 1, 2], stride: [1, stride, stride], filters, extra: [0, 1, 1] }),
        );
  });

  test("groups and depthwise", () => {
    checkAll(plain({ groups: 3, channels: 2, filters: 3, pad: [0, 1, 1] }));
    for (const stride of [1, 2, 3])
      for (const filters of [1, 2, 3])
        checkAll(
          plain({ groups: 4, channels: 1, filters, pad: [0, 1, 1], stride: [1, stride, stride], input: [1, 6, 37] }),
        );
  });

  test("depthwise in place: borders of every width, windows larger than the image", () => {
    for (const width of [16, 18, 19, 24, 33])
      for (const [kernel, pad, dilation, extra] of [
        [[1, 3, 3], [0, 1, 1], one, none],
        [[1, 5, 3], [0, 2, 1], one, none],
        [[1, 3, 5], [0, 1, 2], one, none],
        [[1, 3, 3], [0, 2, 3], [1, 2, 3], none],
        [[1, 2, 4], [0, 0, 1], one, [0, 1, 1]],
        [[1, 7, 1], [0, 3, 0], one, none],
        [one, none, one, none],
      ] as [Axes, Axes, Axes, Axes][])
        for (const height of [1, 3, 6])
          checkAll(
            plain({ groups: 2, channels: 1, filters: 1, kernel, pad, dilation, extra, input: [1, height, width] }),
          );
    checkAll(plain({ groups: 2, channels: 1, filters: 2, pad: [0, 1, 1], input: [2, 4, 21] }));
    // Windows of 3 x 3 take their columns by fours.
    for (let width = 1; width <= 17; width++)
      for (const height of [1, 2, 5])
        checkAll(plain({ groups: 3, channels: 1, filters: 1, pad: [0, 1, 1], input: [1, height, width] }));
  });

  test("one pixel, one tap", () => {
    checkAll(plain({ channels: 19, filters: 21, kernel: one, input: [1, 3, 11] }));
    checkAll(plain({ input: one, kernel: [1, 3, 3], pad: [0, 1, 1] }));
  });

  // 49 and 25 results leave a panel of one column; the product for the weights packs gy from 65 places in a window on.
  test.each([39, 40, 41, 44, 48])("%i filters and channels, whose tiles are low or tall", (rows) => {
    checkAll(plain({ filters: rows, channels: 8, pad: [0, 1, 1] }), rows);
    checkAll(plain({ filters: 8, channels: rows, stride: [1, 2, 2] }), rows);
  });

  test("many rows of weights and long sums are taken in blocks", () => {
    checkAll(plain({ batch: 1, channels: 45, filters: 125, input: [1, 3, 6], pad: [0, 1, 1] }));
    checkAll(plain({ batch: 1, channels: 125, filters: 60, input: [1, 4, 5], pad: [0, 1, 1], stride: [1, 2, 2] }));
    checkAll(plain({ batch: 1, channels: 3, filters: 5, input: [1, 20, 33], pad: [0, 1, 1] }));
    // Weights that leave L2: more than one panel a block.
    checkAll(plain({ batch: 1, channels: 250, filters: 130, kernel: [1, 1, 5], input: [1, 3, 11], pad: [0, 0, 2] }));
  });
});
