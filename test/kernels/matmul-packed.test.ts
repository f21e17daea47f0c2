// Products with an operand that was packed once: the bits of matmul, between canaries.
import { expect, test } from "vitest";
import { nullPtr } from "../../src/memory/heap.js";
import { block, check, floats, kernels, random, readFloats, reset } from "./harness.js";

const rows = [0, 1, 2, 3, 4, 5, 7, 8, 16, 119, 121, 245];
const shapes: [number, number, number][] = rows.map((m) => [m, 16, 9]);
for (const k of [1, 2, 3, 4, 5, 15, 16, 17, 255, 256, 257, 515]) shapes.push([5, 8, k]);
for (const n of [0, 8, 24, 520]) shapes.push([6, n, 10]);

test.each(shapes)("[%i, %i, %i]", (m, n, k) => {
  const next = random(m + 7 * n + k);
  const numbers = (length: number) => Float32Array.from({ length }, () => next(-1, 1));
  const [a, b, c, before] = [numbers(m * k), numbers(n * k), numbers(n), numbers(m * n)];
  for (const transposed of [0, 1]) {
    for (const biased of [false, true]) {
      for (const accumulate of [0, 1]) {
        reset();
        const [pa, pb, panels] = [floats(a), floats(b), block(n * k * 4, 4)];
        const bias = biased ? floats(c) : nullPtr;
        const [y, want] = [floats(before), floats(before)];
        kernels.packPanels(pb, panels, n, k, transposed);
        kernels.packedProduct(pa, panels, y, bias, block(kernels.packedScratch()), m, n, k, accumulate);
        const scratch = block(kernels.matmulScratch(m, n, k, 0, transposed));
        kernels.matmul(pa, pb, want, bias, scratch, 1, m, n, k, 0, 0, 0, transposed, accumulate);
        check();
        expect(readFloats(y, m * n)).toEqual(readFloats(want, m * n));
      }
    }
  }
});
