// Elementary functions against float64: dense sweeps over all f32 bit patterns, special values, and that a lane's bits
// depend neither on its neighbours nor on where a loop ends.
import { describe, expect, test } from "vitest";
import type { Ptr } from "../../src/kernels/ptr.js";
import { block, check, floats, kernels, random, readFloats, readInts, reset } from "./harness.js";

const sigmoid = (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

/** name, float64 reference, largest error allowed in ulp of the f32 result (measured: assembly/math.ts). */
const functions: ["exp" | "log" | "sigmoid" | "tanh" | "sin" | "cos", (x: number) => number, number][] = [
  ["exp", Math.exp, 1.5],
  ["log", Math.log, 1],
  ["sigmoid", sigmoid, 2.5],
  ["tanh", Math.tanh, 2.5],
  ["sin", Math.sin, 1.7],
  ["cos", Math.cos, 1.7],
];

const word = new Float32Array(1);
const bits = new Int32Array(word.buffer);
/** Distance between neighbouring f32 values at r, 2^-149 for denormals. */
function ulp(r: number): number {
  word[0] = Math.abs(r);
  return 2 ** (Math.max((bits[0] as number) >>> 23, 1) - 150);
}

function run(name: (typeof functions)[number][0], values: ArrayLike<number>): Float32Array {
  reset();
  const x = floats(values);
  const y = block(values.length * 4);
  kernels[name](x, y, values.length);
  check();
  return readFloats(y, values.length);
}

const expectSame = (got: number, wanted: number, what: string) => {
  if (!Object.is(got, wanted)) throw new Error(`${what}: ${got}, not ${wanted}`);
};

describe.each(functions)("%s", (name, reference, limit) => {
  test("error over all bit patterns", () => {
    const count = 1 << 20;
    const patterns = Int32Array.from({ length: count }, (_, i) => i * 4093);
    const x = new Float32Array(patterns.buffer);
    const y = run(name, x);
    let worst = 0;
    let at = 0;
    for (let i = 0; i < count; i++) {
      const argument = x[i] as number;
      const exact = reference(argument);
      const rounded = Math.fround(exact);
      if (rounded === 0 || !Number.isFinite(rounded)) {
        // 0, Infinity and NaN are exact; a result that rounds to 0 or Infinity may be the last number before.
        if (!Object.is(y[i], rounded) && !(Math.abs((y[i] as number) - exact) <= ulp(0)))
          throw new Error(`${name}(${argument}) = ${y[i]}, not ${rounded}`);
        continue;
      }
      const error = Math.abs((y[i] as number) - exact) / ulp(exact);
      if (!(error <= worst)) {
        worst = error;
        at = argument;
      }
    }
    expect(worst, `at ${at}`).toBeLessThan(limit);
  });

  test("error near 0 and where rows of layers live", () => {
    const x = new Float32Array(100_000);
    for (let i = 0; i < x.length; i++) x[i] = (i - 50_000) * 4e-4 + 1e-5;
    const y = run(name, x);
    for (let i = 0; i < x.length; i++) {
      const exact = reference(x[i] as number);
      if (Number.isNaN(exact)) expectSame(y[i] as number, NaN, `${name}(${x[i]})`);
      else if (!(Math.abs((y[i] as number) - exact) <= limit * ulp(exact)))
        throw new Error(`${name}(${x[i]}) = ${y[i]}, not ${exact}`);
    }
  });

  test("special values", () => {
    const x = [0, -0, NaN, Infinity, -Infinity, 1e-45, -1e-45, 1.1754943508222875e-38, 3.4028234663852886e38];
    const y = run(name, x);
    for (const [i, v] of x.entries())
      expectSame(y[i] as number, Math.fround(reference(Math.fround(v))), `${name}(${v})`);
  });

  test("NaN with any payload stays NaN", () => {
    reset();
    const x = block(64);
    const at = x as unknown as number;
    const patterns = [0x7fc00000, 0x7f800001, 0x7fc00002, 0x7fffffff, 0xffc12345 | 0, 0xffffffff | 0, 0x7fa00000, -1];
    const source = patterns.concat(patterns);
    const view = new Int32Array(source);
    // Through fillInt, as writing NaN floats from JavaScript may drop the payload.
    for (const [i, v] of view.entries()) kernels.fillInt((at + 4 * i) as unknown as Ptr, v, 1);
    const y = block(64);
    kernels[name](x, y, 16);
    expect([...readFloats(y, 16)].every(Number.isNaN)).toBe(true);
    check();
  });

  test("lengths 0 to 33, unaligned, in place: the bits of each element computed alone", () => {
    const next = random(7);
    // Rare lanes (huge, tiny, negative) beside ordinary ones.
    const values = Array.from({ length: 33 }, (_, i) =>
      Math.fround(i % 5 === 3 ? next(-200, 200) : i % 11 === 7 ? next(1e-42, 1e-41) : i % 13 === 6 ? 3e7 : next(-4, 4)),
    );
    reset();
    const alone = values.map((v) => {
      const x = floats([v]);
      kernels[name](x, x, 1);
      return readInts(x, 1)[0] as number;
    });
    check();
    for (let n = 0; n <= 33; n++) {
      for (const misalign of [0, 4, 12]) {
        reset();
        const x = floats(values.slice(0, n));
        const y = block(n * 4, misalign);
        kernels[name](x, y, n);
        expect([...readInts(y, n)], `n = ${n}`).toEqual(alone.slice(0, n));
        kernels[name](x, x, n);
        expect([...readInts(x, n)], `n = ${n}, in place`).toEqual(alone.slice(0, n));
        check();
      }
    }
  });
});

test("exp: gradual underflow, overflow at the last finite value", () => {
  const y = run("exp", [-87.5, -90, -100, -103.2, -103.98, -105, 88.72283, 88.72284, 1e30, -1e30]);
  const wanted = [-87.5, -90, -100, -103.2].map((v) => Math.exp(Math.fround(v)));
  for (const [i, v] of wanted.entries()) expect(Math.abs((y[i] as number) - v)).toBeLessThan(1.5 * 2 ** -149);
  expect([...y.slice(4, 6), ...y.slice(7)]).toEqual([0, 0, Infinity, Infinity, 0]);
  expect(y[6]).toBeGreaterThan(3.402e38);
});

test("tanh is exactly odd and tanh(tiny) = tiny", () => {
  const x = Array.from({ length: 1000 }, (_, i) => Math.fround(1.03 ** i * 1e-12));
  const y = run("tanh", x);
  const minus = run(
    "tanh",
    x.map((v) => -v),
  );
  for (const [i, v] of x.entries()) {
    expectSame(minus[i] as number, -(y[i] as number), `tanh(${-v})`);
    if (v < 1e-5) expectSame(y[i] as number, v, `tanh(${v})`);
    expect(y[i]).toBeLessThanOrEqual(1);
  }
});

test("sigmoid(-100) is a denormal, not 0", () => {
  expect(run("sigmoid", [-100])[0]).toBe(Math.fround(Math.exp(-100)));
});

describe("scalar functions of f64", () => {
  const double = new Float64Array(1);
  const long = new BigInt64Array(double.buffer);
  const ulps = (got: number, exact: number) => {
    double[0] = Math.abs(exact);
    const size = double[0];
    long[0] = (long[0] as bigint) + 1n;
    return Math.abs(got - exact) / ((double[0] as number) - size);
  };
  const sine = (x: number) => kernels.scalarTrig(x, 0);
  const cosine = (x: number) => kernels.scalarTrig(x, 1);
  const cases: [string, (x: number) => number, (x: number) => number, number, number, number][] = [
    ["scalarExp", kernels.scalarExp, Math.exp, -700, 709.7, 1],
    ["scalarLog", kernels.scalarLog, Math.log, 1e-300, 100, 1],
    ["sine", sine, Math.sin, -30, 30, 1],
    ["cosine", cosine, Math.cos, -30, 30, 1],
  ];
  test.each(cases)("%s", (_, f, reference, lo, hi, limit) => {
    const next = random(3);
    for (let i = 0; i < 5000; i++) {
      const x = next(lo, hi);
      // One ulp more than stated, for the error of the reference.
      expect(ulps(f(x), reference(x)), `${x}`).toBeLessThanOrEqual(limit + 1);
    }
    for (const x of [NaN, Infinity, -Infinity, 0, -0]) expect(f(x), `${x}`).toBe(reference(x));
  });

  test("the ends of the range", () => {
    expect(kernels.scalarExp(-745)).toBe(5e-324);
    expect(kernels.scalarExp(-746)).toBe(0);
    expect(kernels.scalarExp(709.9)).toBe(Infinity);
    expect(kernels.scalarLog(5e-324)).toBeCloseTo(-744.4400719213812, 12);
    expect(kernels.scalarLog(-1)).toBeNaN();
  });

  test("sin and cos of large arguments", () => {
    const next = random(5);
    for (let i = 0; i < 5000; i++) {
      const x = 2 ** next(19, 1023.9);
      expect(Math.abs(sine(x) - Math.sin(x)), `${x}`).toBeLessThan(3e-16);
      expect(Math.abs(cosine(-x) - Math.cos(x)), `${x}`).toBeLessThan(3e-16);
    }
    expect(sine(1e22)).toBe(-0.8522008497671888);
    expect(cosine(Number.MAX_VALUE)).toBeCloseTo(-0.9999876894265599, 15);
  });

  test("scalarPow", () => {
    const next = random(9);
    for (let i = 0; i < 5000; i++) {
      const x = next(0, 4);
      const y = next(-80, 80);
      const exact = x ** y;
      const tolerance = (2 + Math.abs(y * Math.log(x))) * 2 ** -52 * exact;
      expect(Math.abs(kernels.scalarPow(x, y) - exact), `${x} ** ${y}`).toBeLessThanOrEqual(tolerance);
    }
    for (const x of [-3, -1, -0.5, -0, 0, 0.5, 2, 10, Infinity, -Infinity, NaN]) {
      for (const y of [
        -1001,
        -66,
        -65,
        -3,
        -2,
        -1,
        -0.5,
        0,
        0.5,
        1,
        2,
        3,
        10,
        65,
        66,
        1001,
        Infinity,
        -Infinity,
        NaN,
      ]) {
        // IEEE 754 and torch: pow(1, anything) = pow(-1, ±Infinity) = 1, where JavaScript's ** gives NaN.
        const exact = Math.abs(x) === 1 && !Number.isFinite(y) && !(x === -1 && Number.isNaN(y)) ? 1 : x ** y;
        const got = kernels.scalarPow(x, y);
        if (exact === 0 || !Number.isFinite(exact) || (Number.isInteger(exact) && Math.abs(y) <= 64))
          expectSame(got, exact, `${x} ** ${y}`);
        else expect(Math.abs(got / exact - 1), `${x} ** ${y}`).toBeLessThan(1e-12);
      }
    }
    expect([kernels.scalarPow(1, NaN), kernels.scalarPow(2, 10), kernels.scalarPow(0.999, 0)]).toEqual([1, 1024, 1]);
  });
});
