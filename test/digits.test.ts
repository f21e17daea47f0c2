// The committed copy of the optdigits test set: its size, ranges and label counts as UCI states them.
import { expect, test } from "vitest";

interface Digits {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
  readonly count: number;
}

test("examples/data/digits.bin.gz", async () => {
  const path = "../examples/data/digits.js";
  const { loadDigits } = (await import(path)) as { loadDigits(): Digits };
  const { pixels, labels, count } = loadDigits();
  expect([count, pixels.length, labels.length]).toEqual([1797, 1797 * 64, 1797]);
  expect(pixels.reduce((a, b) => Math.max(a, b))).toBe(16);
  const counts = Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length);
  expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  // The first row of the source: a zero, whose third image row is 0 3 15 2 0 11 8 0.
  expect([labels[0], ...pixels.subarray(16, 24)]).toEqual([0, 0, 3, 15, 2, 0, 11, 8, 0]);
});
