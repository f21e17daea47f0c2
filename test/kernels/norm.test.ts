// Statistics, normalization and its gradients over [N, C, L], by batch and by item, against float64.
import { beforeEach, describe, expect, test } from "vitest";
import { nullPtr } from "../../src/memory/heap.js";
import { block, check, floats, kernels, random, readFloats, reset } from "./harness.js";

beforeEach(reset);

interface Grouping {
  N: number;
  C: number;
  D: number;
  L: number;
  byBatch: boolean;
}

/** The group of an element, and its channel. */
const channelOf = ({ C, L }: Grouping, i: number) => Math.floor(i / L) % C;
const groupOf = (g: Grouping, i: number) =>
  g.byBatch ? channelOf(g, i) : Math.floor(i / (g.C * g.L)) * (g.C / g.D) + Math.floor(channelOf(g, i) / g.D);
const groupsOf = (g: Grouping) => (g.byBatch ? g.C : (g.N * g.C) / g.D);

function momentsOf(x: ArrayLike<number>, g: Grouping, centered = true) {
  const count = new Float64Array(groupsOf(g));
  const mean = new Float64Array(groupsOf(g));
  const variance = new Float64Array(groupsOf(g));
  for (let i = 0; i < x.length; i++) count[groupOf(g, i)]!++;
  if (centered) for (let i = 0; i < x.length; i++) mean[groupOf(g, i)]! += x[i]! / count[groupOf(g, i)]!;
  for (let i = 0; i < x.length; i++)
    variance[groupOf(g, i)]! += (x[i]! - mean[groupOf(g, i)]!) ** 2 / count[groupOf(g, i)]!;
  return { mean, variance, count };
}

const grouped: Grouping[] = [];
for (const C of [...Array(10).keys(), 16, 17])
  for (const N of [1, 2, 63, 65]) grouped.push({ N, C, D: 1, L: 1, byBatch: true });
for (const L of [2, 3, 4, 5, 15, 16, 17, 64]) grouped.push({ N: 3, C: 2, D: 1, L, byBatch: true });
grouped.push({ N: 2, C: 1, D: 1, L: 4099, byBatch: true }, { N: 300, C: 5, D: 1, L: 1, byBatch: true });
for (const D of [1, 2, 3, 4, 5, 8, 15, 16, 17, 33]) grouped.push({ N: 3, C: 2 * D, D, L: 1, byBatch: false });
for (const L of [2, 3, 4, 7, 17]) grouped.push({ N: 2, C: 6, D: 3, L, byBatch: false });
grouped.push({ N: 270, C: 7, D: 7, L: 1, byBatch: false }, { N: 0, C: 4, D: 2, L: 3, byBatch: false });

const title = ({ N, C, D, L, byBatch }: Grouping) => `${byBatch ? "by batch" : "by item"} [${N}, ${C}, ${L}] D ${D}`;
const close = (got: number, want: number, tolerance: number) =>
  expect(Math.abs(got - want)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(want)));

describe("moments", () => {
  test.each(grouped.map((g) => [title(g), g] as const))("%s", (_, g) => {
    for (const [centre, tolerance] of [
      [0, 1e-6],
      [1000, 5e-6],
    ] as const) {
      reset();
      const next = random(g.C + g.L);
      const x = Float32Array.from({ length: g.N * g.C * g.L }, () => centre + next(-1, 1));
      const groups = groupsOf(g);
      const [mean, variance] = [block(groups * 4, 4), block(groups * 4)];
      const [n, c, l] = g.byBatch ? [g.N, g.C, g.L] : [1, groups, g.D * g.L];
      kernels.moments(floats(x), mean, variance, n, c, l, 1);
      check();
      const want = momentsOf(x, g);
      readFloats(mean, groups).forEach((v, i) => close(v, want.mean[i]!, 1e-7));
      readFloats(variance, groups).forEach((v, i) => close(v, want.variance[i]!, tolerance));
    }
  });

  test("a million numbers around 100 keep their variance", () => {
    const next = random(1);
    const x = Float32Array.from({ length: 1_000_000 }, () => 100 + next(-1, 1));
    const [mean, variance] = [block(4), block(4)];
    for (const [N, C, L] of [
      [1, 1, 1_000_000],
      [1000, 1, 1000],
      [1_000_000, 1, 1],
    ] as const) {
      kernels.moments(floats(x), mean, variance, N, C, L, 1);
      const want = momentsOf(x, { N, C, D: 1, L, byBatch: true });
      close(readFloats(mean, 1)[0]!, want.mean[0]!, 1e-7);
      close(readFloats(variance, 1)[0]!, want.variance[0]!, 1e-6);
      reset();
    }
  });

  test("a NaN stays in its group", () => {
    const x = Float32Array.from({ length: 24 }, (_, i) => (i === 4 ? Number.NaN : i));
    const [mean, variance] = [block(12), block(12)];
    kernels.moments(floats(x), mean, variance, 2, 3, 4, 1); // element 4 is of channel 1
    expect([...readFloats(mean, 3)].map(Number.isNaN)).toEqual([false, true, false]);
    kernels.moments(floats(x), mean, variance, 8, 3, 1, 1);
    expect([...readFloats(variance, 3)].map(Number.isNaN)).toEqual([false, true, false]);
  });

  test("running statistics move by their momentum", () => {
    const running = floats([1, 2, 3]);
    kernels.updateRunning(floats([10, 20, 30, 20, 40, 60]), running, 2, 3, 0.1, 1.5);
    check();
    readFloats(running, 3).forEach((v, c) => close(v, 0.9 * (c + 1) + 0.1 * 1.5 * 15 * (c + 1), 1e-6));
  });
});

describe("normalize and its gradients", () => {
  test.each(grouped.map((g) => [title(g), g] as const))("%s", (_, g) => {
    const next = random(7 * g.C + g.L);
    const n = g.N * g.C * g.L;
    const numbers = (length: number, low: number, high: number) => Float32Array.from({ length }, () => next(low, high));
    const [x, gy] = [numbers(n, -2, 2), numbers(n, -1, 1)];
    const [mean, rstd] = [numbers(groupsOf(g), -1, 1), numbers(groupsOf(g), 0.5, 2)];
    const [w, b] = [numbers(g.C, 0.5, 1.5), numbers(g.C, -1, 1)];
    const hat = Float64Array.from(x, (v, i) => (v - mean[groupOf(g, i)]!) * rstd[groupOf(g, i)]!);
    for (const affine of [true, false]) {
      reset();
      const [px, pg, pm, pr] = [floats(x), floats(gy), floats(mean), floats(rstd)];
      const [pw, pb] = affine ? [floats(w), floats(b)] : [nullPtr, nullPtr];
      const y = block(n * 4, 8);
      kernels.normalize(px, pm, pr, pw, pb, y, g.N, g.C, g.D, g.L, g.byBatch ? 1 : 0, 0, 0);
      check();
      readFloats(y, n).forEach((v, i) =>
        close(v, hat[i]! * (affine ? w[channelOf(g, i)]! : 1) + (affine ? b[channelOf(g, i)]! : 0), 1e-6),
      );
      const h = Float64Array.from(gy, (v, i) => v * (affine ? w[channelOf(g, i)]! : 1));
      const { mean: meanH, count } = momentsOf(h, g);
      const meanHat = new Float64Array(groupsOf(g));
      for (let i = 0; i < n; i++) meanHat[groupOf(g, i)]! += (h[i]! * hat[i]!) / count[groupOf(g, i)]!;
      for (const through of g.byBatch ? [0, 2] : [1, 2]) {
        const [gx, gw, gb] = [block(n * 4, 4), block(g.C * 4, 4), block(g.C * 4)];
        kernels.normalizeGrad(pg, px, pm, pr, pw, gx, gw, gb, g.N, g.C, g.D, g.L, g.byBatch ? 1 : 0, through);
        check();
        readFloats(gx, n).forEach((v, i) => {
          const group = groupOf(g, i);
          const flow = h[i]! - (through > 1 ? meanH[group]! : 0) - (through > 0 ? hat[i]! * meanHat[group]! : 0);
          close(v, rstd[group]! * flow, 3e-6);
        });
        const [wantW, wantB] = [new Float64Array(g.C), new Float64Array(g.C)];
        for (let i = 0; i < n; i++) {
          wantW[channelOf(g, i)]! += gy[i]! * hat[i]!;
          wantB[channelOf(g, i)]! += gy[i]!;
        }
        readFloats(gw, g.C).forEach((v, c) => close(v, wantW[c]!, 1e-5));
        readFloats(gb, g.C).forEach((v, c) => close(v, wantB[c]!, 1e-5));
      }
    }
  });
});

describe("normalize by its own statistics", () => {
  const eps = 1e-5;

  /** y, mean and rstd, by item. */
  function run(x: Float32Array, g: Grouping, through: 1 | 2, weight?: Float32Array, bias?: Float32Array) {
    reset();
    const [px, pw, pb] = [floats(x), weight ? floats(weight) : nullPtr, bias ? floats(bias) : nullPtr];
    const [mean, rstd, y] = [block(groupsOf(g) * 4, 4), block(groupsOf(g) * 4), block(x.length * 4, 8)];
    kernels.normalize(px, mean, rstd, pw, pb, y, g.N, g.C, g.D, g.L, 0, through, eps);
    check();
    return { y: readFloats(y, x.length), mean: readFloats(mean, groupsOf(g)), rstd: readFloats(rstd, groupsOf(g)) };
  }

  // Rows go in twos, their statistics in fews: one row, odd numbers of them, the last of a few alone.
  const rows = [1, 2, 3, 7].flatMap((N) =>
    [1, 3, 15, 16, 37, 96, 700].map((C) => ({ N, C, D: C, L: 1, byBatch: false })),
  );
  test.each([...grouped.filter((g) => !g.byBatch), ...rows].map((g) => [title(g), g] as const))("%s", (_, g) => {
    const next = random(3 * g.C + g.L);
    const numbers = (length: number, low: number, high: number) => Float32Array.from({ length }, () => next(low, high));
    for (const through of [1, 2] as const)
      for (const [weight, bias] of [
        [numbers(g.C, 0.5, 1.5), numbers(g.C, -1, 1)],
        [numbers(g.C, 0.5, 1.5), undefined],
        [undefined, numbers(g.C, -1, 1)],
        [undefined, undefined],
      ]) {
        // Groups differ, so that statistics of a neighbour would show.
        const x = Float32Array.from({ length: g.N * g.C * g.L }, (_, i) => next(-2, 2) + (groupOf(g, i) % 5));
        const { y, mean, rstd } = run(x, g, through, weight, bias);
        const want = momentsOf(x, g, through === 2);
        mean.forEach((v, k) => close(v, want.mean[k]!, 1e-6));
        rstd.forEach((v, k) => close(v, 1 / Math.sqrt(want.variance[k]! + eps), 1e-5));
        y.forEach((v, i) => {
          const k = groupOf(g, i);
          const hat = (x[i]! - mean[k]!) * rstd[k]!;
          close(v, hat * (weight?.[channelOf(g, i)] ?? 1) + (bias?.[channelOf(g, i)] ?? 0), 2e-6);
        });
      }
  });

  test("a mean far from 0 costs no digits, squares may overflow, and NaN stays in its row", () => {
    const next = random(5);
    const [N, C] = [6, 100];
    const centre = [0, 3, 1000, -30000, 3e30, Number.NaN];
    const scale = [1, 1, 1, 8, 1e28, 1];
    const x = Float32Array.from({ length: N * C }, (_, i) => {
      const row = Math.floor(i / C);
      return centre[row]! + scale[row]! * next(-1, 1);
    });
    const g = { N, C, D: C, L: 1, byBatch: false };
    const { y, mean, rstd } = run(x, g, 2);
    const want = momentsOf(x, g);
    for (const row of [0, 1, 2, 3]) {
      close(mean[row]! / want.mean[row]!, 1, 2e-7);
      close(rstd[row]! * Math.sqrt(want.variance[row]! + eps), 1, 2e-6);
    }
    // The variance itself is beyond f32 here.
    close(mean[4]! / 3e30, want.mean[4]! / 3e30, 1e-6);
    expect(rstd[4]).toBe(0);
    expect([...y.subarray(0, 5 * C)].every(Number.isFinite)).toBe(true);
    expect([...y.subarray(5 * C)].every(Number.isNaN)).toBe(true);

    const large = Float32Array.from({ length: C }, () => 1e20);
    expect([...run(large, { ...g, N: 1 }, 2).y].every((v) => v === 0)).toBe(true);
  });
});
