// Philox 4x32-10 against the published vectors and a plain transcription; distributions against their statistics.
import { beforeEach, describe, expect, test } from "vitest";
import { block, check, ints, kernels, readFloats, readInts, reset } from "./harness.js";

beforeEach(reset);

/** Philox 4x32-10 as in Salmon et al. 2011, one block. */
function philox(counter: number[], key: number[]): number[] {
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0;
    const b = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & 0xffffffffn, (a >> 32n) ^ c3 ^ k1, a & 0xffffffffn];
    k0 = (k0 + 0x9e3779b9n) & 0xffffffffn;
    k1 = (k1 + 0xbb67ae85n) & 0xffffffffn;
  }
  return [c0, c1, c2, c3].map(Number);
}

/** A generator's state: key, counter (low, high), stream, spare. */
const state = (key: number[], counter: number[]) => ints([...key, ...counter, 0, 0]);
const seeded = (seed: number) => state([seed, 1234], [0, 0, 0, 0]);
const unsigned = (a: Int32Array) => Array.from(a, (v) => v >>> 0);
const hex = (text: string) => text.split(" ").map((word) => Number.parseInt(word, 16));

describe("randomWords", () => {
  // tests/kat_vectors of the Random123 distribution, philox4x32 10: counter, key, result.
  test.each([
    ["00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ])("known answer for counter %s", (counter, key, result) => {
    const y = block(16);
    kernels.randomWords(state(hex(key), hex(counter)), y, 4);
    expect(unsigned(readInts(y, 4))).toEqual(hex(result));
    expect(philox(hex(counter), hex(key))).toEqual(hex(result));
  });

  test("any count gives the first words, the counter advances by the blocks used and carries", () => {
    const key = [7, 0x80000001];
    for (const counter of [
      [0, 0, 5, 6],
      [0xfffffffe, 3, 5, 6],
      [0xffffffff, 0xffffffff, 0, 1],
    ]) {
      const at = (i: number) => {
        const c =
          (BigInt(counter[0] as number) + (BigInt(counter[1] as number) << 32n) + BigInt(i)) & 0xffffffffffffffffn;
        return [Number(c & 0xffffffffn), Number(c >> 32n)];
      };
      const expected = [...Array(12).keys()].flatMap((i) => philox([...at(i), ...counter.slice(2)], key));
      for (let n = 0; n <= 40; n++) {
        reset();
        const s = state(key, counter);
        const y = block(n * 4);
        kernels.randomWords(s, y, n);
        check();
        expect(unsigned(readInts(y, n))).toEqual(expected.slice(0, n));
        const after = unsigned(readInts(s, 8));
        expect(after.slice(0, 6)).toEqual([...key, ...at(Math.ceil(n / 4)), ...counter.slice(2)]);
        if (n % 2 === 1) expect(after[6]).toBe(expected[n]);
      }
    }
  });
});

describe("an element depends on the counter and its place alone", () => {
  const draws = {
    uniform: (s: Parameters<typeof kernels.uniform>[0], y: typeof s, n: number) => kernels.uniform(s, y, n, -1, 2),
    normal: (s: Parameters<typeof kernels.uniform>[0], y: typeof s, n: number) => kernels.normal(s, y, n, 1, 2),
    randint: (s: Parameters<typeof kernels.uniform>[0], y: typeof s, n: number) => kernels.randint(s, y, n, -5, 100),
    bernoulli: (s: Parameters<typeof kernels.uniform>[0], y: typeof s, n: number) => kernels.bernoulli(s, y, n, 0.3),
  };
  test.each(Object.keys(draws) as (keyof typeof draws)[])("%s", (name) => {
    const total = 5000; // more than two of the kernels' chunks
    const all = block(total * 4);
    draws[name](seeded(3), all, total);
    const expected = readInts(all, total);
    for (const n of [...Array(34).keys(), 2047, 2048, 2049, 4095, 4097]) {
      reset();
      const s = seeded(3);
      const y = block(n * 4);
      draws[name](s, y, n);
      check();
      expect(readInts(y, n)).toEqual(expected.slice(0, n));
      expect(readInts(s, 3)[2]).toBe(Math.ceil(n / 4));
      // The rest from where the counter stands, when n is a whole number of blocks.
      if (n % 4 === 0) {
        const rest = block((total - n) * 4);
        draws[name](s, rest, total - n);
        expect(readInts(rest, total - n)).toEqual(expected.slice(n));
      }
    }
  });
});

const count = 400_000;
function moments(v: Float32Array) {
  let [mean, square, third, fourth] = [0, 0, 0, 0];
  for (const e of v) mean += e / v.length;
  for (const e of v) {
    const d = e - mean;
    square += d ** 2 / v.length;
    third += d ** 3 / v.length;
    fourth += d ** 4 / v.length;
  }
  return { mean, variance: square, skew: third / square ** 1.5, kurtosis: fourth / square ** 2 };
}
/** Pearson's statistic of counts that should be equal, as a number of standard deviations from its mean. */
function chiSquare(counts: number[], expected = counts.reduce((a, b) => a + b, 0) / counts.length) {
  const x2 = counts.reduce((a, c) => a + (c - expected) ** 2 / expected, 0);
  return (x2 - (counts.length - 1)) / Math.sqrt(2 * (counts.length - 1));
}

describe("uniform", () => {
  test("bins, moments, pairs", () => {
    const y = block(count * 4);
    kernels.uniform(seeded(1), y, count, 0, 1);
    const v = readFloats(y, count);
    const bins = Array<number>(100).fill(0);
    const pairs = Array<number>(100).fill(0);
    for (const [i, e] of v.entries()) {
      expect(e >= 0 && e < 1).toBe(true);
      bins[Math.floor(e * 100)] = (bins[Math.floor(e * 100)] as number) + 1;
      if (i % 2 === 1) {
        const cell = Math.floor((v[i - 1] as number) * 10) * 10 + Math.floor(e * 10);
        pairs[cell] = (pairs[cell] as number) + 1;
      }
    }
    expect(Math.abs(chiSquare(bins))).toBeLessThan(4);
    expect(Math.abs(chiSquare(pairs))).toBeLessThan(4);
    const { mean, variance } = moments(v);
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 / Math.sqrt(12 * count));
    expect(Math.abs(variance * 12 - 1)).toBeLessThan(0.01);
  });

  test("is below hi, also where the sum would round up to it", () => {
    for (const [lo, hi] of [
      [1, 2],
      [-2, -1],
      [-1, 0],
      [1, 1 + 2 ** -23],
      [1e30, 1.0000001e30],
      [5, 5],
      [0, 0],
      [-3, 1000],
    ] as const) {
      reset();
      const y = block(count);
      kernels.uniform(seeded(8), y, count / 4, lo, hi);
      const [low, high] = [Math.fround(lo), Math.fround(hi)];
      for (const e of readFloats(y, count / 4))
        if (!(e >= low && (e < high || low === high))) expect(e).toBe(`in [${low}, ${high})`);
    }
  });
});

describe("normal", () => {
  test("moments, tails, bins by the distribution function", () => {
    const y = block(count * 4);
    kernels.normal(seeded(2), y, count, 0, 1);
    const v = readFloats(y, count);
    const { mean, variance, skew, kurtosis } = moments(v);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    expect(Math.abs(skew)).toBeLessThan(4 * Math.sqrt(6 / count));
    expect(Math.abs(kurtosis - 3)).toBeLessThan(4 * Math.sqrt(24 / count));
    // Quantiles of the normal distribution that bound ten equal parts.
    const cuts = [-1.2815516, -0.8416212, -0.5244005, -0.2533471, 0, 0.2533471, 0.5244005, 0.8416212, 1.2815516];
    const bins = Array<number>(10).fill(0);
    for (const e of v) {
      const bin = cuts.filter((c) => e > c).length;
      bins[bin] = (bins[bin] as number) + 1;
    }
    expect(Math.abs(chiSquare(bins))).toBeLessThan(4);
    // P(|z| > 3) = 2.6998e-3, P(|z| > 4) = 6.334e-5.
    for (const [limit, p] of [
      [3, 2.6998e-3],
      [4, 6.334e-5],
    ] as const) {
      const beyond = v.filter((e) => Math.abs(e) > limit).length;
      expect(Math.abs(beyond - count * p)).toBeLessThan(4 * Math.sqrt(count * p));
    }
  });

  test("is Box and Muller's formula on the words, within rounding", () => {
    const n = 4099;
    const words = block(n * 4 + 4);
    kernels.randomWords(seeded(6), words, n + 1);
    const w = unsigned(readInts(words, n + 1));
    const y = block(n * 4);
    kernels.normal(seeded(6), y, n, 10, 3);
    check();
    for (const [i, e] of readFloats(y, n).entries()) {
      const u = ((w[i & ~1] as number) + 0.5) / 2 ** 32;
      const angle = 2 * Math.PI * (((w[i | 1] as number) >>> 8) / 2 ** 24);
      const z = Math.sqrt(-2 * Math.log(u)) * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
      // u near 1 is rounded to 2^-24, which the root of its logarithm magnifies.
      expect(Math.abs(e - (10 + 3 * z))).toBeLessThan(2e-3 * (u > 0.999 ? 1 : 0) + 1e-5);
    }
  });

  test("neighbours are uncorrelated, std 0 gives the mean", () => {
    const y = block(count * 4);
    kernels.normal(seeded(11), y, count, 0, 1);
    const v = readFloats(y, count);
    for (const lag of [1, 2, 3, 4, 16]) {
      let c = 0;
      for (let i = lag; i < count; i++) c += (v[i] as number) * (v[i - lag] as number);
      expect(Math.abs(c / count)).toBeLessThan(4 / Math.sqrt(count));
    }
    reset();
    const constant = block(36);
    kernels.normal(seeded(1), constant, 9, 2.5, 0);
    expect([...readFloats(constant, 9)]).toEqual(Array(9).fill(2.5));
  });
});

test("bernoulli: frequency, and p = 0 and 1", () => {
  for (const p of [0, 0.1, 0.5, 0.9, 1]) {
    reset();
    const y = block(count * 4);
    kernels.bernoulli(seeded(5), y, count, p);
    const v = readFloats(y, count);
    const ones = v.filter((e) => e === 1).length;
    expect(v.filter((e) => e === 0).length).toBe(count - ones);
    expect(Math.abs(ones - count * p)).toBeLessThanOrEqual(4 * Math.sqrt(count * p * (1 - p)));
  }
});

test("randint: every value, equally often, over the whole range too", () => {
  const y = block(count * 4);
  kernels.randint(seeded(4), y, count, -3, 8);
  const counts = Array<number>(11).fill(0);
  for (const e of readInts(y, count)) counts[e + 3] = (counts[e + 3] as number) + 1;
  expect(counts.length).toBe(11);
  expect(Math.abs(chiSquare(counts))).toBeLessThan(4);
  kernels.randint(seeded(4), y, count, -2147483648, 2147483647);
  const wide = readInts(y, count);
  expect(Math.abs(wide.filter((e) => e < 0).length - count / 2)).toBeLessThan(2 * Math.sqrt(count));
  kernels.randint(seeded(4), y, 7, 6, 7);
  expect([...readInts(y, 7)]).toEqual(Array(7).fill(6));
});

describe("permutation", () => {
  test("holds every number once", () => {
    for (const n of [...Array(20).keys(), 1000, 4097]) {
      reset();
      const y = block(n * 4);
      const s = seeded(n);
      kernels.permutation(s, y, n);
      check();
      expect([...readInts(y, n)].sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
      expect(readInts(s, 3)[2]).toBe(Math.ceil(n / 4));
    }
  });

  test("all orders of four are equally likely", () => {
    const orders = new Map<string, number>();
    const s = seeded(77);
    const y = block(16);
    for (let i = 0; i < 24_000; i++) {
      kernels.permutation(s, y, 4);
      const order = readInts(y, 4).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(24);
    expect(Math.abs(chiSquare([...orders.values()]))).toBeLessThan(4);
  });
});
