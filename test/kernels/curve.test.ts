// The kernels of curve.ts and combine.ts between canaries: values against float64, lengths around vectors and blocks,
// strides of broadcasting.
import { describe, expect, test } from "vitest";
import type { Ptr } from "../../src/kernels/ptr.js";
import { code } from "../../src/ops/codes.js";
import { erf, modulo, power, roundEven } from "../cases/special.js";
import { block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

const lengths = [...Array.from({ length: 18 }, (_, n) => n), 63, 2047, 2048, 2049, 4101];
const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
const within = (v: number, low: number, high: number): number => Math.min(Math.max(v, low), high);
const normal = (v: number): number => 0.5 * (1 + erf(v / Math.SQRT2));
const density = (v: number): number => Math.exp(-v * v * 0.5) / Math.sqrt(2 * Math.PI);
const argument = (v: number): number => Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3);
/** tanh(log(1 + e^v)) and its derivative. */
const mishFactor = (v: number): number => Math.tanh(Math.log1p(Math.exp(v)));

type Curve = readonly [
  name: string,
  of: (v: number) => number,
  slope: ((v: number) => number) | null,
  parameters?: readonly number[],
  gradient?: string,
];
const curves: readonly Curve[] = [
  ["sign", Math.sign, null],
  ["reciprocal", (v) => 1 / v, null],
  ["rsqrt", (v) => 1 / Math.sqrt(v), null],
  ["floor", Math.floor, null],
  ["ceil", Math.ceil, null],
  ["round", roundEven, null],
  ["binaryStep", (v) => Number(v >= 0), null],
  ["clamp", (v) => within(v, -1, 2), (v) => Number(v >= -1 && v <= 2), [-1, 2]],
  ["clamp", (v) => within(v, -1, 2), (v) => Number(v > -1 && v < 2), [-1, 2], "hardtanhGrad"],
  ["leakyRelu", (v) => (v > 0 ? v : 0.25 * v), (v) => (v > 0 ? 1 : 0.25), [0.25]],
  ["hardsigmoid", (v) => within(v + 3, 0, 6) / 6, (v) => (Math.abs(v) < 3 ? 1 / 6 : 0)],
  ["hardswish", (v) => (v * within(v + 3, 0, 6)) / 6, (v) => (v < -3 ? 0 : v <= 3 ? v / 3 + 0.5 : 1)],
  ["elu", (v) => 1.5 * (v > 0 ? v : 0.5 * Math.expm1(v)), (v) => 1.5 * (v > 0 ? 1 : 0.5 * Math.exp(v)), [0.5, 1.5]],
  [
    "softplus",
    (v) => (2 * v > 5 ? v : Math.log1p(Math.exp(2 * v)) / 2),
    (v) => (2 * v > 5 ? 1 : sigmoid(2 * v)),
    [2, 5],
  ],
  ["gelu", (v) => v * normal(v), (v) => normal(v) + v * density(v)],
  [
    "geluTanh",
    (v) => 0.5 * v * (1 + Math.tanh(argument(v))),
    (v) => {
      const t = Math.tanh(argument(v));
      return 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * v * v);
    },
  ],
  ["silu", (v) => v * sigmoid(v), (v) => sigmoid(v) * (1 + v * (1 - sigmoid(v)))],
  ["mish", (v) => v * mishFactor(v), (v) => mishFactor(v) + v * (1 - mishFactor(v) ** 2) * sigmoid(v)],
];

type Run = (...args: unknown[]) => void;
const kernel = (name: string): Run => kernels[name as keyof typeof kernels] as unknown as Run;

describe.each(curves.map((curve) => ({ curve, title: curve[0] })))("$title", ({ curve }) => {
  const [name, of, slope, parameters = [], gradient = `${name}Grad`] = curve;
  const draw = random(7);
  const x = Float32Array.from({ length: 4101 }, () => (name === "rsqrt" ? draw(0.1, 9) : draw(-9, 9)));
  const gy = Float32Array.from(x, () => draw(-2, 2));
  const compare = (got: Float32Array, want: (i: number) => number, bound: number) => {
    got.forEach((value, i) => {
      const reference = want(i);
      const error = Math.abs(value - reference) / Math.max(1, Math.abs(reference));
      if (!(error < bound)) throw new Error(`element ${i}: f(${x[i]}) is ${value}, the reference ${reference}`);
    });
  };

  test("value", () => {
    for (const n of lengths) {
      reset();
      const [from, to] = [floats(x.subarray(0, n)), block(4 * n)];
      kernel(name)(from, to, n, ...parameters);
      check();
      compare(readFloats(to, n), (i) => of(x[i]!), 2 ** -21);
      expect(readFloats(from, n)).toEqual(x.slice(0, n));
    }
  });

  if (slope !== null)
    test("gradient", () => {
      for (const n of lengths) {
        reset();
        const [g, from, to] = [floats(gy.subarray(0, n)), floats(x.subarray(0, n)), block(4 * n)];
        kernel(gradient)(g, from, to, n, ...parameters);
        check();
        // 1 - sigmoid(x) keeps few digits where it is multiplied by a large x, as in PyTorch.
        compare(readFloats(to, n), (i) => gy[i]! * slope!(x[i]!), 2 ** -18);
      }
    });
});

test("gelu keeps the digits of the left tail and ends in PyTorch's values", () => {
  const tail = Float32Array.from({ length: 801 }, (_, i) => -2 - i / 100);
  const ends = [Infinity, -Infinity, NaN, 0, -0, 20, -20, 3e38, -3e38];
  const n = tail.length + ends.length;
  reset();
  const [from, to] = [floats([...tail, ...ends]), block(4 * n)];
  kernels.gelu(from, to, n);
  check();
  const y = readFloats(to, n);
  tail.forEach((v, i) => {
    // Phi(v) = phi(v) / (-v + 1 / (-v + 2 / (-v + ...))), the continued fraction of Mills' ratio.
    let fraction = -v;
    for (let k = 200; k > 0; k--) fraction = k / fraction - v;
    const want = (v * density(v)) / fraction;
    // The rounding of v^2 / 2 is that of the result, times v^2 / 2.
    if (!(Math.abs(y[i]! / want - 1) < 3e-7 + 2e-7 * v * v)) throw new Error(`gelu(${v}) is ${y[i]}, not ${want}`);
  });
  expect([...y.subarray(tail.length)]).toEqual([Infinity, NaN, NaN, 0, -0, 20, 0, Math.fround(3e38), 0]);
  kernels.geluGrad(floats(new Float32Array(n).fill(1)), from, to, n);
  check();
  expect([...readFloats(to, n).subarray(tail.length)]).toEqual([1, -0, NaN, 0.5, 0.5, 1, -0, 1, -0]);
});

type Op = (a: number, b: number, old: number) => number;
const larger: Op = (a, b) => Math.max(a, b);
const smaller: Op = (a, b) => Math.min(a, b);
const isFloat = { maximum: larger, minimum: smaller, pow: power, remainder: modulo };
const bool = (of: (a: number, b: number) => boolean) => (a: number, b: number) => Number(of(a, b));
const comparisons = {
  eq: bool((a, b) => a === b),
  ne: bool((a, b) => a !== b),
  lt: bool((a, b) => a < b),
  le: bool((a, b) => a <= b),
};
const integers = {
  addInt: (a: number, b: number) => a + b,
  subInt: (a: number, b: number) => a - b,
  mulInt: (a: number, b: number) => a * b,
  maximumInt: larger,
  minimumInt: smaller,
  remainderInt: (a: number, b: number) => (b === 0 ? 0 : modulo(a, b)),
  powInt: (a: number, b: number) => (b >= 0 ? a ** b : Math.abs(a) === 1 ? a ** b : 0),
  eqInt: comparisons.eq,
  neInt: comparisons.ne,
  ltInt: comparisons.lt,
  leInt: comparisons.le,
  and: (a: number, b: number) => a & b,
  or: (a: number, b: number) => a | b,
  xor: (a: number, b: number) => a ^ b,
};

/** Sizes, then element strides of a and b. */
const walks: readonly (readonly [number[], number[], number[]])[] = [
  ...Array.from(
    { length: 18 },
    (_, n) =>
      [
        [1, 1, 1, n],
        [0, 0, 0, 1],
        [0, 0, 0, 1],
      ] as [number[], number[], number[]],
  ),
  ...[1, 3, 4, 9].flatMap((n): [number[], number[], number[]][] => [
    [
      [1, 1, 1, n],
      [0, 0, 0, 1],
      [0, 0, 0, 0],
    ],
    [
      [1, 1, 1, n],
      [0, 0, 0, 0],
      [0, 0, 0, 1],
    ],
    [
      [1, 1, 3, n],
      [0, 0, n, 1],
      [0, 0, 1, 0],
    ],
    [
      [2, 3, 2, n],
      [0, n, 0, 1],
      [2, 0, 1, 0],
    ],
    [
      [2, 0, 2, n],
      [0, n, 0, 1],
      [2, 0, 1, 0],
    ],
  ]),
];

describe.each(Object.keys(code) as (keyof typeof code)[])("combine %s", (name) => {
  const size = 64;
  const draw = random(11);
  const whole = !(name in isFloat) && !(name in comparisons);
  const mask = name === "keep" || name === "drop" || name === "merge";
  const few = () => Math.floor(draw(-4, 5));
  const a = Float64Array.from({ length: size }, () =>
    whole && !mask ? few() : name === "pow" ? draw(0.1, 4) : few() / 2,
  );
  const b = Float64Array.from({ length: size }, () =>
    mask ? Number(draw() > 0) : whole ? few() : few() / 2 + 0.25 * Number(name === "remainder"),
  );
  const masked: Op = (p, q, old) => (name === "keep" ? (q ? p : 0) : name === "drop" ? (q ? 0 : p) : q ? p : old);
  const ops: Record<string, Op> = { ...isFloat, ...comparisons, ...integers };
  const of = ops[name] ?? masked;

  test("walks its operands", () => {
    for (const [sizes, as, bs] of walks) {
      reset();
      const pa: Ptr = whole && !mask ? ints(a) : floats(a);
      const pb: Ptr = whole || mask ? ints(b) : floats(b);
      const [d0, d1, d2, d3] = sizes as [number, number, number, number];
      const n = d0 * d1 * d2 * d3;
      const old = Float32Array.from({ length: n }, () => 7.5);
      const py = floats(old);
      const [a0, a1, a2, a3] = as as [number, number, number, number];
      const [b0, b1, b2, b3] = bs as [number, number, number, number];
      kernels.combine(code[name], pa, pb, py, d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3);
      check();
      const got = name in isFloat || mask ? readFloats(py, n) : readInts(py, n);
      let flat = 0;
      for (let i = 0; i < d0; i++)
        for (let j = 0; j < d1; j++)
          for (let k = 0; k < d2; k++)
            for (let l = 0; l < d3; l++, flat++) {
              const p = Math.fround(a[i * a0 + j * a1 + k * a2 + l * a3]!);
              const q = Math.fround(b[i * b0 + j * b1 + k * b2 + l * b3]!);
              const want = Math.fround(of(p, q, 7.5)) + 0;
              expect(Math.abs(got[flat]! - want), `${name}(${p}, ${q}) is ${got[flat]}`).toBeLessThanOrEqual(
                name === "pow" ? 1e-6 * Math.abs(want) : 0,
              );
            }
    }
  });
});

test("oneHot answers with the first position that is no class, and then writes nothing", () => {
  for (const n of [0, 1, 5]) {
    reset();
    const [x, y] = [ints(Array.from({ length: n }, (_, i) => i % 3)), block(4 * 3 * n)];
    expect(kernels.oneHot(x, 0, y, n, 3, 1)).toBe(-1);
    check();
    expect([...readInts(y, 3 * n)]).toEqual(
      Array.from({ length: 3 * n }, (_, i) => Number(i % 3 === Math.floor(i / 3) % 3)),
    );
  }
  reset();
  const [x, y] = [floats([0, 2.5, -1]), floats([9, 9, 9, 9, 9, 9, 9, 9, 9])];
  expect(kernels.oneHot(x, 1, y, 3, 3, 1)).toBe(1);
  check();
  expect([...readFloats(y, 9)]).toEqual(new Array(9).fill(9));
});
