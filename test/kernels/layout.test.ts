// Strided copies and additions, against plain loops over index arithmetic.
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { Ptr } from "../../src/kernels/ptr.js";
import { block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

beforeEach(reset);

type Four = [number, number, number, number];
const offset = (p: Ptr, elements: number) => ((p as unknown as number) + 4 * elements) as unknown as Ptr;

/** Lowest and highest element a view reaches, from its element 0. */
function reach(d: Four, s: Four): [number, number] {
  let [low, high] = [0, 0];
  for (const [axis, extent] of d.entries()) {
    const far = (extent - 1) * (s[axis] as number);
    if (far < 0) low += far;
    else high += far;
  }
  return [low, high];
}

/** Runs a kernel on views that just fit their blocks, and the same as a loop. */
function compare(op: "copyStrided" | "addStrided", d: Four, xs: Four, ys: Four) {
  reset();
  const empty = d.some((extent) => extent === 0);
  const [xLow, xHigh] = empty ? [0, 0] : reach(d, xs);
  const [yLow, yHigh] = empty ? [0, 0] : reach(d, ys);
  const next = random(d[2] * 64 + d[3]);
  const x = Float32Array.from({ length: xHigh - xLow + 1 }, () => Math.round(next(-999, 999)));
  const y = Float32Array.from({ length: yHigh - yLow + 1 }, () => Math.round(next(-999, 999)));
  const [px, py] = [floats(x), floats(y)];
  kernels[op](offset(px, -xLow), offset(py, -yLow), ...d, ...xs, ...ys);
  check();
  for (let a = 0; a < d[0]; a++) {
    for (let b = 0; b < d[1]; b++) {
      for (let c = 0; c < d[2]; c++) {
        for (let e = 0; e < d[3]; e++) {
          const from = x[a * xs[0] + b * xs[1] + c * xs[2] + e * xs[3] - xLow] as number;
          const at = a * ys[0] + b * ys[1] + c * ys[2] + e * ys[3] - yLow;
          y[at] = op === "copyStrided" ? from : (y[at] as number) + from;
        }
      }
    }
  }
  expect(readFloats(py, y.length)).toEqual(y);
  expect(readFloats(px, x.length)).toEqual(x);
}

const contiguous = (d: Four): Four => [d[1] * d[2] * d[3], d[2] * d[3], d[3], 1];

describe.each(["copyStrided", "addStrided"] as const)("%s", (op) => {
  test("rows, transposes and splats at all small sizes and around the panel", () => {
    for (const rows of [0, 1, 2, 3, 4, 5, 7, 8, 9]) {
      for (const columns of [...Array(19).keys(), 31, 32, 33, 130]) {
        const d: Four = [1, 2, rows, columns];
        const to = contiguous(d);
        const size = rows * columns;
        compare(op, d, [0, size, columns, 1], to);
        compare(op, d, [0, size + 7, columns + 3, 1], to);
        compare(op, d, [0, size, 1, rows], to);
        compare(op, d, [0, size + 5, 1, rows + 2], to);
        compare(op, d, [0, rows, 1, 0], to);
        compare(op, d, [0, -size, -columns, -1], to);
        compare(op, d, [0, size, -1, rows], to);
        compare(op, d, [0, 3 * size, 3 * columns, 3], to);
        compare(op, d, to, [0, 2 * size, 2 * columns, 2]);
        compare(op, d, to, [0, size, 1, rows]);
      }
    }
  });

  test("any view into any view", () => {
    const stride = fc.integer({ min: -40, max: 40 });
    const four = <T>(a: fc.Arbitrary<T>) => fc.tuple(a, a, a, a);
    fc.assert(
      fc.property(
        four(fc.integer({ min: 0, max: 6 })),
        four(fc.oneof(stride, fc.constantFrom(0, 1))),
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        (d, xs, order) => {
          // y: a permutation of a contiguous layout, so that its elements are distinct.
          const ys: Four = [0, 0, 0, 0];
          let step = 1;
          for (const axis of order) {
            ys[axis] = step;
            step *= d[axis] as number;
          }
          compare(op, d, xs, ys);
        },
      ),
      { numRuns: 400, seed: 7 },
    );
  });
});

test("copies keep bits: i32 values, NaN payloads, -0", () => {
  const words = [-2147483648, 0x7fa12345, -1, 1, 5, 0x7f800001, 0x80000000 | 0, 7, 8, 9, 10, 11];
  const y = block(48);
  kernels.copyStrided(ints(words), y, 1, 1, 1, 12, 0, 0, 0, 1, 0, 0, 0, 1);
  expect([...readInts(y, 12)]).toEqual(words);
  kernels.copyStrided(ints(words), y, 1, 1, 4, 3, 0, 0, 1, 4, 0, 0, 3, 1);
  expect([...readInts(y, 12)]).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11].map((i) => words[i]));
  kernels.copyStrided(ints(words), y, 1, 1, 4, 3, 0, 0, 0, 2, 0, 0, 3, 1);
  expect([...readInts(y, 3)]).toEqual([words[0], words[2], words[4]]);
});
