// Broadcasting binary kernels, unary kernels and fills against a reference written out with strides.
import { describe, expect, test } from "vitest";
import type { Ptr } from "../../src/kernels/ptr.js";
import { asserts, block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

const ops = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
};
type Op = keyof typeof ops;
type Four = readonly [number, number, number, number];
const names = Object.keys(ops) as Op[];

/** Elements an operand of this shape and these strides spans. */
const span = (d: Four, s: Four) =>
  d.some((n) => n === 0) ? 0 : 1 + d.reduce((sum, n, i) => sum + (n - 1) * (s[i] as number), 0);

function reference(op: Op, a: ArrayLike<number>, b: ArrayLike<number>, d: Four, sa: Four, sb: Four): number[] {
  const y: number[] = [];
  for (let i = 0; i < d[0]; i++)
    for (let j = 0; j < d[1]; j++)
      for (let k = 0; k < d[2]; k++)
        for (let l = 0; l < d[3]; l++)
          y.push(
            Math.fround(
              ops[op](
                a[i * sa[0] + j * sa[1] + k * sa[2] + l * sa[3]] as number,
                b[i * sb[0] + j * sb[1] + k * sb[2] + l * sb[3]] as number,
              ),
            ),
          );
  return y;
}

const call = (op: Op, a: Ptr, b: Ptr, y: Ptr, d: Four, sa: Four, sb: Four) => kernels[op](a, b, y, ...d, ...sa, ...sb);

/** f32 values; a pattern of these lengths never repeats along rows, so that a wrong row shows. */
function values(seed: number, n: number): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: n }, () => next(-3, 3));
}

/** One case, with both operands and the result on any 4-byte boundary. */
function verify(op: Op, d: Four, sa: Four, sb: Four, misalign = 0): void {
  reset();
  const av = values(1, span(d, sa));
  const bv = values(2, span(d, sb));
  const shift = block(misalign);
  expect(shift).toBeDefined();
  const a = floats(av);
  const b = floats(bv);
  const n = d[0] * d[1] * d[2] * d[3];
  const y = block(n * 4, misalign);
  call(op, a, b, y, d, sa, sb);
  expect([...readFloats(y, n)], `${op} [${d}] a ${sa} b ${sb}`).toEqual(reference(op, av, bv, d, sa, sb));
  check();
}

describe.each(names)("%s", (op) => {
  test("equal shapes, all lengths", () => {
    for (let n = 0; n <= 37; n++) verify(op, [1, 1, 1, n], [0, 0, 0, 1], [0, 0, 0, 1], (n % 4) * 4);
    verify(op, [1, 1, 1, 1003], [0, 0, 0, 1], [0, 0, 0, 1]);
  });

  test("a scalar on either side, all lengths", () => {
    for (let n = 0; n <= 21; n++) {
      verify(op, [1, 1, 1, n], [0, 0, 0, 1], [0, 0, 0, 0], (n % 4) * 4);
      verify(op, [1, 1, 1, n], [0, 0, 0, 0], [0, 0, 0, 1], (n % 4) * 4);
      verify(op, [1, 1, 1, n], [0, 0, 0, 0], [0, 0, 0, 0], (n % 4) * 4);
    }
  });

  test("[m, n] with [n], [m, 1], [1, n] on either side", () => {
    for (const m of [0, 1, 3]) {
      for (const n of [1, 2, 5, 16, 19]) {
        const whole: Four = [0, 0, n, 1];
        for (const other of [
          [0, 0, 0, 1],
          [0, 0, 1, 0],
          [0, 0, 0, 0],
        ] as Four[]) {
          verify(op, [1, 1, m, n], whole, other);
          verify(op, [1, 1, m, n], other, whole);
        }
        verify(op, [1, 1, m, n], [0, 0, 1, 0], [0, 0, 0, 1]); // outer sum: neither is whole
      }
    }
  });

  test("four axes: every subset of broadcast axes on both sides", () => {
    const d: Four = [2, 3, 2, 5];
    for (let maskA = 0; maskA < 16; maskA++) {
      for (let maskB = 0; maskB < 16; maskB++) {
        const strides = (mask: number): Four => {
          const s = [0, 0, 0, 0];
          let step = 1;
          for (let axis = 3; axis >= 0; axis--) {
            if (mask & (1 << axis)) continue;
            s[axis] = step;
            step *= d[axis] as number;
          }
          return s as unknown as Four;
        };
        verify(op, d, strides(maskA), strides(maskB));
      }
    }
    verify(op, [0, 3, 2, 5], [30, 10, 5, 1], [30, 10, 5, 1]);
    verify(op, [2, 0, 2, 5], [0, 10, 5, 1], [0, 10, 5, 1]);
  });

  test("rows further apart than they are long", () => {
    verify(op, [1, 2, 3, 7], [0, 40, 11, 1], [0, 0, 9, 1]);
  });

  test("in place into either operand", () => {
    for (const n of [1, 4, 7, 16, 35]) {
      const d: Four = [1, 1, 3, n];
      const whole: Four = [0, 0, n, 1];
      const av = values(1, 3 * n);
      const bv = values(2, n);
      for (const swapped of [false, true]) {
        reset();
        const a = floats(av);
        const b = floats(bv);
        if (swapped) call(op, b, a, a, d, [0, 0, 0, 1], whole);
        else call(op, a, b, a, d, whole, [0, 0, 0, 1]);
        const wanted = swapped
          ? reference(op, bv, av, d, [0, 0, 0, 1], whole)
          : reference(op, av, bv, d, whole, [0, 0, 0, 1]);
        expect([...readFloats(a, 3 * n)]).toEqual(wanted);
        expect([...readFloats(b, n)]).toEqual([...bv]);
        call(op, b, b, b, [1, 1, 1, n], [0, 0, 0, 1], [0, 0, 0, 1]);
        expect([...readFloats(b, n)]).toEqual(reference(op, bv, bv, [1, 1, 1, n], [0, 0, 0, 1], [0, 0, 0, 1]));
        check();
      }
    }
  });

  test("NaN, infinities, -0, denormals: the bits of IEEE arithmetic", () => {
    const special = [0, -0, 1, -2.5, NaN, Infinity, -Infinity, 1e-45, 1e-38, 3e38];
    const d: Four = [1, 1, special.length, special.length];
    reset();
    const a = floats(special);
    const y = block(special.length ** 2 * 4);
    call(op, a, a, y, d, [0, 0, 1, 0], [0, 0, 0, 1]);
    const got = readFloats(y, special.length ** 2);
    const exact = Float32Array.from(special);
    const wanted = reference(op, exact, exact, d, [0, 0, 1, 0], [0, 0, 0, 1]);
    for (const [i, v] of wanted.entries()) expect(got[i]).toBe(v); // Object.is: tells -0 from 0
    check();
  });
});

test("a stride of the innermost axis other than 0 or 1 is refused in the debug build", () => {
  reset();
  const a = floats([1, 2, 3, 4]);
  if (asserts)
    expect(() => call("add", a, a, a, [1, 1, 1, 2], [0, 0, 0, 2], [0, 0, 0, 1])).toThrow(
      "innermost strides are 0 or 1",
    );
});

const unary = {
  neg: (x: number) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  square: (x: number) => x * x,
};

describe.each(Object.keys(unary) as (keyof typeof unary)[])("%s", (name) => {
  test("lengths 0 to 37, unaligned, in place, special values", () => {
    const special = [0, -0, NaN, Infinity, -Infinity, 1e-45, -1e-45, 3e38, -3e38];
    for (let n = 0; n <= 37; n++) {
      const xv = values(n, n);
      for (const [i, v] of special.entries()) if (n > 20) xv[(i * 4 + n) % n] = v;
      const wanted = [...xv].map((v) => Math.fround(unary[name](v)));
      reset();
      const x = floats(xv);
      const y = block(n * 4, (n % 4) * 4);
      kernels[name](x, y, n);
      for (const [i, v] of wanted.entries()) expect(readFloats(y, n)[i], `${xv[i]}`).toBe(v);
      kernels[name](x, x, n);
      expect([...readFloats(x, n)]).toEqual(wanted);
      check();
    }
  });
});

describe("fill and fillInt", () => {
  test("lengths 0 to 37 on any boundary", () => {
    for (let n = 0; n <= 37; n++) {
      reset();
      const y = block(n * 4, (n % 4) * 4);
      kernels.fill(y, 0.1, n);
      expect([...readFloats(y, n)]).toEqual(Array(n).fill(Math.fround(0.1)));
      kernels.fillInt(y, -7, n);
      expect([...readInts(y, n)]).toEqual(Array(n).fill(-7));
      check();
    }
  });

  test("keep the bits of -0, NaN and large integers", () => {
    reset();
    const y = ints([1, 1, 1]);
    kernels.fill(y, -0, 3);
    expect([...readFloats(y, 3)]).toEqual([-0, -0, -0]);
    kernels.fill(y, NaN, 3);
    expect([...readFloats(y, 3)]).toEqual([NaN, NaN, NaN]);
    kernels.fillInt(y, 0x7fffffff, 3);
    expect([...readInts(y, 3)]).toEqual([0x7fffffff, 0x7fffffff, 0x7fffffff]);
    check();
  });
});
