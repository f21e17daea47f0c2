// The elementary functions of special.ts, and pow: their ulp errors as stated there, special values, lengths.
import { describe, expect, test } from "vitest";
import { erf, power } from "../cases/special.js";
import { block, check, floats, kernels, random, readFloats, reset } from "./harness.js";

const bits = new Int32Array(1);
const single = new Float32Array(bits.buffer);
/** The distance from |x| to the next f32. */
function ulpOf(x: number): number {
  single[0] = Math.abs(x);
  if (!Number.isFinite(single[0])) return 2 ** 104;
  const low = single[0];
  bits[0] = bits[0]! + 1;
  return Number.isFinite(single[0]!) ? single[0]! - low : 2 ** 104;
}

const functions = {
  expm1: {
    of: Math.expm1,
    bound: 2.8,
    ranges: [
      [-20, 88],
      [-1, 1],
      [-1e-4, 1e-4],
      [-1e-30, 1e-30],
    ],
  },
  log1p: {
    of: Math.log1p,
    bound: 2.3,
    ranges: [
      [-1, 2],
      [-0.999999, -0.9],
      [0, 1e10],
      [-1e-4, 1e-4],
      [0, 1e38],
    ],
  },
  atan: {
    of: Math.atan,
    bound: 2.8,
    ranges: [
      [-3, 3],
      [-0.5, 0.5],
      [-100, 100],
      [-1e30, 1e30],
      [-1e-30, 1e-30],
    ],
  },
  erf: {
    of: erf,
    bound: 1.7,
    ranges: [
      [-4.5, 4.5],
      [-1, 1],
      [-1e-4, 1e-4],
      [0.88, 0.92],
    ],
  },
} as const;

describe.each(Object.entries(functions))("%s", (name, { of, bound, ranges }) => {
  const kernel = kernels[name as keyof typeof functions];
  const run = (values: ArrayLike<number>): Float32Array => {
    reset();
    const x = floats(values);
    const y = block(values.length * 4);
    kernel(x, y, values.length);
    check();
    return readFloats(y, values.length);
  };

  test(`is within ${bound} ulp`, () => {
    const draw = random(1);
    let worst = 0;
    for (const [low, high] of ranges) {
      const x = Float32Array.from({ length: 40000 }, () => draw(low, high));
      run(x).forEach((got, i) => {
        const want = of(x[i]!);
        worst = Math.max(worst, Math.abs(got - want) / ulpOf(want));
      });
    }
    expect(worst).toBeLessThan(bound);
    expect(worst).toBeGreaterThan(bound / 2); // the figure in special.ts is not idle
  });

  test("takes special values and any length, also in place", () => {
    const special = [
      Number.NaN,
      Infinity,
      -Infinity,
      0,
      -0,
      1e-45,
      -1e-45,
      1.2e-38,
      3.4e38,
      -3.4e38,
      -1,
      89,
      -104,
      1,
      5,
      -5,
    ];
    const got = run(special);
    special.forEach((x, i) => {
      const want = Math.fround(of(Math.fround(x)));
      if (Number.isFinite(want)) expect(Math.abs(got[i]! - want), `${x}`).toBeLessThanOrEqual(2 * ulpOf(want));
      else expect(got[i], `${x}`).toBe(want);
      if (want === 0) expect(Object.is(got[i], want), `sign of zero at ${x}`).toBe(true);
    });
    const draw = random(2);
    const values = Float32Array.from({ length: 17 }, () => draw(-0.9, 3));
    const whole = run(values);
    for (let n = 0; n <= 17; n++) {
      expect(run(values.slice(0, n))).toEqual(whole.slice(0, n));
      reset();
      const x = floats(values.slice(0, n));
      kernel(x, x, n);
      check();
      expect(readFloats(x, n)).toEqual(whole.slice(0, n));
    }
  });
});

/** Op codes of combine.ts. */
const pow = 21;

describe("pow", () => {
  const run = (a: ArrayLike<number>, b: ArrayLike<number>): Float32Array => {
    reset();
    const [x, y] = [floats(a), floats(b)];
    const z = block(a.length * 4);
    kernels.combine(pow, x, y, z, 1, 1, 1, a.length, 0, 0, 0, 1, 0, 0, 0, 1);
    check();
    return readFloats(z, a.length);
  };

  test("is within 0.6 ulp", () => {
    const draw = random(3);
    let worst = 0;
    for (const [low, high, most] of [
      [0, 4, 10],
      [0, 1e-30, 2],
      [0.9, 1.1, 300],
      [0, 1e20, 1.5],
      [0, 1e-40, 0.9],
    ] as const) {
      const a = Float32Array.from({ length: 20001 }, () => draw(low, high));
      const b = Float32Array.from({ length: 20001 }, () => draw(-most, most));
      run(a, b).forEach((got, i) => {
        const want = a[i]! ** b[i]!;
        if (Number.isFinite(Math.fround(want))) worst = Math.max(worst, Math.abs(got - want) / ulpOf(want));
        else expect(got).toBe(Infinity);
      });
    }
    expect(worst).toBeLessThan(0.6);
  });

  test("takes special values as C's pow", () => {
    const values = [
      Number.NaN,
      Infinity,
      -Infinity,
      0,
      -0,
      1,
      -1,
      2,
      -2,
      3,
      -3,
      0.5,
      -0.5,
      1e-45,
      -1e-45,
      3e38,
      -3e38,
      16777215,
    ];
    const pairs = values.flatMap((x) => values.map((y) => [x, y] as const));
    const got = run(
      pairs.map(([x]) => x),
      pairs.map(([, y]) => y),
    );
    pairs.forEach(([x, y], i) => {
      const want = Math.fround(power(Math.fround(x), Math.fround(y)));
      const close = Object.is(got[i], want) || (want !== 0 && Math.abs(got[i]! - want) <= ulpOf(want));
      expect(close, `${x} ^ ${y}: ${got[i]}, expected ${want}`).toBe(true);
    });
  });
});
