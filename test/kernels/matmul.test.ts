// The matrix product against a float64 reference, and its promise that the bits of a row depend on no other row, on no
// path and on no layout.
import { describe, expect, it } from "vitest";
import type { Kernels } from "../../src/kernels/generated/kernels.js";
import { instantiate } from "../../src/kernels/instantiate.js";
import type { Ptr } from "../../src/kernels/ptr.js";
import { strict } from "../build.js";
import { block, check, code, floats, kernels, random, readFloats, reset } from "./harness.js";

const none = 0 as unknown as Ptr;
const eps = 2 ** -24;

interface Case {
  m: number;
  n: number;
  k: number;
  batch?: number;
  /** Letters N or T of a and b. */
  layout?: string;
  bias?: boolean;
  accumulate?: boolean;
  sharedA?: boolean;
  sharedB?: boolean;
}

const transpose = (x: ArrayLike<number>, rows: number, columns: number): Float32Array =>
  Float32Array.from({ length: rows * columns }, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);

/** Each item of a batch of [rows, columns] matrices transposed. */
function transposeAll(x: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(x.length);
  const size = rows * columns;
  for (let at = 0; at < x.length; at += size) out.set(transpose(x.subarray(at, at + size), rows, columns), at);
  return out;
}

/** Runs the kernel on row-major a [items, m, k] and b [items, k, n], stored as the layout says. */
function run(c: Case, a: Float32Array, b: Float32Array, bias?: Float32Array, start?: Float32Array): Float32Array {
  const { m, n, k, batch = 1, layout = "NN", accumulate = false, sharedA = false, sharedB = false } = c;
  const [aT, bT] = [layout[0] === "T", layout[1] === "T"];
  reset();
  const aPtr = floats(aT ? transposeAll(a, m, k) : a);
  const bPtr = floats(bT ? transposeAll(b, k, n) : b);
  const biasPtr = bias ? floats(bias) : none;
  const y = floats(start ?? new Float32Array(batch * m * n).fill(Number.NaN));
  const scratch = block(kernels.matmulScratch(m, n, k, +aT, +bT));
  const [aStride, bStride] = [sharedA ? 0 : m * k, sharedB ? 0 : k * n];
  kernels.matmul(aPtr, bPtr, y, biasPtr, scratch, batch, m, n, k, aStride, bStride, +aT, +bT, +accumulate);
  check();
  return readFloats(y, batch * m * n);
}

/** Seeded operands of a case; `start` is what y holds before an accumulating call. */
function operands(c: Case, seed: number) {
  const { m, n, k, batch = 1, bias = false, accumulate = false, sharedA = false, sharedB = false } = c;
  const next = random(seed);
  const draw = (length: number) => Float32Array.from({ length }, () => next());
  return {
    a: draw((sharedA ? 1 : batch) * m * k),
    b: draw((sharedB ? 1 : batch) * k * n),
    bias: bias ? draw(n) : undefined,
    start: accumulate ? draw(batch * m * n) : undefined,
  };
}

/** Compares with float64, within (k + 2) eps of the sum of magnitudes. */
function compare(c: Case, seed = 1): void {
  const { m, n, k, batch = 1, sharedA = false, sharedB = false } = c;
  const { a, b, bias, start } = operands(c, seed);
  const y = run(c, a, b, bias, start);
  for (let item = 0, at = 0; item < batch; item++) {
    const a0 = sharedA ? 0 : item * m * k;
    const b0 = sharedB ? 0 : item * k * n;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++, at++) {
        let sum = (start?.[at] ?? 0) + (bias?.[j] ?? 0);
        let magnitude = Math.abs(start?.[at] ?? 0) + Math.abs(bias?.[j] ?? 0);
        for (let p = 0; p < k; p++) {
          const product = a[a0 + i * k + p]! * b[b0 + p * n + j]!;
          sum += product;
          magnitude += Math.abs(product);
        }
        const error = Math.abs(y[at]! - sum);
        if (!(error <= (k + 2) * eps * magnitude)) {
          throw new Error(`${JSON.stringify(c)}: y[${item},${i},${j}] is ${y[at]}, not ${sum}`);
        }
      }
    }
  }
}

/** The order that every path keeps: from +0 or y, p ascending, multiply then add, then the bias. */
function reference(c: Case, a: Float32Array, b: Float32Array, bias?: Float32Array, start?: Float32Array): Float32Array {
  const { m, n, k } = c;
  const y = new Float32Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = start?.[i * n + j] ?? 0;
      for (let p = 0; p < k; p++) sum = Math.fround(sum + Math.fround(a[i * k + p]! * b[p * n + j]!));
      y[i * n + j] = bias ? Math.fround(sum + bias[j]!) : sum;
    }
  }
  return y;
}

const bits = (x: Float32Array) => new Uint32Array(x.buffer, x.byteOffset, x.length);
const layouts = ["NN", "NT", "TN", "TT"];
const flags = [{}, { bias: true }, { accumulate: true }, { bias: true, accumulate: true }];

/**
 * Same bits as the reference, in every layout, with and without bias and accumulation. The fast build rounds as the machine
 * likes, but not differently from layout to layout.
 */
function sameBits(m: number, n: number, k: number, kinds = flags): void {
  for (const kind of kinds) {
    const c: Case = { m, n, k, ...kind };
    const { a, b, bias, start } = operands(c, m * 10007 + n * 101 + k);
    const expected = strict ? reference(c, a, b, bias, start) : run({ ...c, layout: "NN" }, a, b, bias, start);
    for (const layout of layouts) {
      const y = run({ ...c, layout }, a, b, bias, start);
      const at = bits(y).findIndex((word, i) => word !== bits(expected)[i]);
      if (at >= 0) throw new Error(`${JSON.stringify({ ...c, layout })}: y[${at}] is ${y[at]}, not ${expected[at]}`);
    }
  }
}

describe("matmul", () => {
  it("agrees with float64 for sizes 0 to 17", () => {
    const next = random(7);
    const size = () => Math.floor(next(0, 18));
    for (let i = 0; i < 600; i++) {
      compare({ m: size(), n: size(), k: size(), layout: layouts[i % 4]!, ...flags[(i >> 2) % 4] }, i);
    }
  });

  it("agrees with float64 around the edges of blocks", () => {
    for (const layout of layouts) {
      for (const m of [119, 120, 121]) compare({ m, n: 9, k: 257, layout, bias: true });
      for (const n of [255, 256, 257, 264]) compare({ m: 6, n, k: 17, layout, bias: true });
      for (const k of [511, 512, 513, 1025]) compare({ m: 13, n: 19, k, layout, bias: true, accumulate: true });
      compare({ m: 123, n: 261, k: 515, layout, bias: true });
    }
  });

  it("multiplies batches, with either operand shared", () => {
    for (const layout of layouts) {
      for (const shared of [{}, { sharedA: true }, { sharedB: true }, { sharedA: true, sharedB: true }]) {
        for (const [m, n, k] of [
          [1, 9, 5],
          [7, 1, 6],
          [6, 10, 33],
          [33, 24, 40],
        ] as const) {
          for (const batch of [0, 1, 3]) compare({ m, n, k, batch, layout, ...shared, ...flags[(m + batch) % 4] });
        }
      }
    }
  });

  it("gives the same bits in every layout and path: small and narrow", () => {
    for (let m = 1; m <= 12; m++)
      for (let n = 1; n <= 17; n++) sameBits(m, n, (m * 5 + n * 3) % 19, [flags[(m + n) % 4]!]);
    for (const k of [0, 1, 2, 3, 4, 5, 8])
      for (const m of [1, 2, 5, 21]) for (const n of [1, 3, 8, 12]) sameBits(m, n, k);
  });

  it("gives the same bits in every layout and path: packed and blocked", () => {
    for (const [m, n, k] of [
      [20, 72, 300],
      [125, 70, 64],
      [2, 600, 20],
      [3, 70, 64],
      [70, 10, 600],
      [1, 40, 530],
      [40, 1, 530],
    ] as const) {
      sameBits(m, n, k);
    }
  });

  it("gives the same bits whatever the height of tiles: few and many rows", () => {
    for (let m = 38; m <= 46; m++) for (const n of [24, 27, 29]) sameBits(m, n, 16 + m, [flags[m % 4]!]);
    sameBits(123, 29, 515);
  });

  it("computes a row alone as in a batch", () => {
    for (const layout of ["NN", "NT"]) {
      for (const [n, k] of [
        [1, 16],
        [2, 40],
        [10, 128],
        [16, 16],
        [100, 300],
        [128, 784],
        [520, 20],
      ] as const) {
        const c: Case = { m: 64, n, k, layout };
        const { a, b, bias } = operands({ ...c, bias: true }, 5);
        const all = run(c, a, b, bias);
        for (const m of [1, 2, 3, 5, 16, 33]) {
          const first = 64 - m;
          const part = run({ ...c, m }, a.slice(first * k), b, bias);
          expect(bits(part)).toEqual(bits(all.slice(first * n)));
        }
      }
    }
  });

  it("gives zeros, y or the bias when k is 0", () => {
    for (const [m, n] of [
      [1, 3],
      [3, 1],
      [4, 11],
      [8, 8],
    ] as const) {
      const c: Case = { m, n, k: 0 };
      const nothing = new Float32Array(0);
      const start = new Float32Array(m * n).fill(-0);
      const bias = Float32Array.from({ length: n }, (_, j) => j + 1);
      expect(bits(run(c, nothing, nothing))).toEqual(new Uint32Array(m * n));
      expect(bits(run({ ...c, accumulate: true }, nothing, nothing, undefined, start))).toEqual(bits(start));
      expect(run(c, nothing, nothing, bias)).toEqual(Float32Array.from({ length: m * n }, (_, i) => (i % n) + 1));
    }
  });

  it("carries NaN and Inf to the elements they belong to, and to no other", () => {
    for (const layout of layouts) {
      for (const [m, n, k] of [
        [1, 6, 5],
        [6, 1, 5],
        [7, 11, 6],
        [6, 70, 66],
        [123, 70, 40],
      ] as const) {
        const { a, b } = operands({ m, n, k }, 3);
        const [i, j] = [m - 1, n - 1];
        a[i * k] = Number.NaN; // all of the last row
        b[(k - 1) * n + j] = Number.POSITIVE_INFINITY; // the last column: infinite, by the sign of a
        if (m > 1) a[k - 1] = 0; // 0 * Inf in row 0
        const y = run({ m, n, k, layout }, a, b);
        for (let at = 0; at < m * n; at++) {
          const [row, column] = [Math.floor(at / n), at % n];
          const bad = row === i || (row === 0 && column === j);
          const expected = bad ? "NaN" : column === j ? "Inf" : "finite";
          const value = y[at]!;
          expect(Number.isNaN(value) ? "NaN" : Number.isFinite(value) ? "finite" : "Inf").toBe(expected);
        }
      }
    }
  });

  it("reads and writes nothing beyond the end of memory", () => {
    // An instance of its own, so small that each operand in turn can end where its memory ends: a step beyond traps.
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
    const own = instantiate<Kernels>(code, memory);
    const names = ["a", "b", "bias", "y", "scratch"] as const;
    const shapes = [
      [1, 3, 3],
      [3, 1, 3],
      [1, 9, 6],
      [5, 1, 7],
      [3, 9, 2],
      [6, 7, 5],
      [9, 13, 70],
      [4, 8, 8],
      [67, 69, 66],
      [21, 18, 20],
    ] as const;
    for (const layout of layouts) {
      for (const [m, n, k] of shapes) {
        const [aT, bT] = [+(layout[0] === "T"), +(layout[1] === "T")];
        const counts = { a: m * k, b: k * n, bias: n, y: m * n, scratch: own.matmulScratch(m, n, k, aT, bT) / 4 };
        for (const last of names) {
          let top = own.heapBase();
          const place = (name: (typeof names)[number]): Ptr => {
            const at = name === last ? memory.buffer.byteLength - counts[name] * 4 : top;
            if (name !== last) top += (counts[name] * 4 + 15) & ~15;
            return at as unknown as Ptr;
          };
          const [a, b, bias, y, scratch] = [place("a"), place("b"), place("bias"), place("y"), place("scratch")];
          expect(top).toBeLessThanOrEqual(memory.buffer.byteLength - counts[last] * 4);
          own.matmul(a, b, y, bias, scratch, 1, m, n, k, 0, 0, aT, bT, 0);
          own.matmul(a, b, y, bias, scratch, 1, m, n, k, 0, 0, aT, bT, 1);
        }
      }
    }
  });
});
