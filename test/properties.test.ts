// Properties over random shapes, axes and values: what the rows cannot enumerate. Runs are seeded, so that they repeat;
// PROPERTY_SEED=n draws others, PROPERTY_RUNS=n more of them.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cat, matmul, permute, scope, slice, type Tensor, tensor, transpose } from "../src/index.js";
import type { Input, Row } from "./cases/case.js";
import { rows } from "./cases/index.js";
import { positions } from "./cases/layout.js";
import { reductions } from "./cases/reduce.js";
import { checkFirst, checkForward, expectForward, referenceOf, runRow } from "./checks.js";
import { count, make, matmul as matmulReference, type Ref, reduce, transpose as swapAxes, take } from "./reference.js";
import { refsOf, tensorsOf } from "./rows.js";

const seed = Number(process.env.PROPERTY_SEED ?? 1);
const runs = Number(process.env.PROPERTY_RUNS ?? 60);
const check = <T extends unknown[]>(property: fc.IProperty<T>): void => fc.assert(property, { seed, numRuns: runs });

/** A shape of at most 300 elements, with empty and size-1 axes. */
const anyShape = (minLength = 0, maxLength = 5, smallest = 0): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: smallest, max: 6 }), { minLength, maxLength }).filter((shape) => count(shape) <= 300);

/** Two shapes that broadcast: some axes 1 on one side, leading axes missing. */
const twoShapes = anyShape().chain((shape) => {
  const side = fc
    .tuple(fc.integer({ min: 0, max: shape.length }), fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }))
    .map(([cut, ones]) => shape.map((size, i) => (ones[i] ? 1 : size)).slice(cut));
  return fc.tuple(side, side);
});

const values = (shape: readonly number[]): Ref => make(shape, (i) => Math.fround(Math.sin(i * 12.9898 + 1) * 3));
const asTensor = (x: Ref): Tensor => tensor(x.data, { shape: x.shape });

/** The row on inputs of other shapes. */
const reshapedRow = (row: Row, shapes: readonly (readonly number[])[]): Row => ({
  ...row,
  inputs: row.inputs.map((input, i): Input => {
    const { values: _, ...rest } = input;
    return { ...rest, shape: shapes[i]! };
  }),
});

const elementwise = rows.filter((row) => row.elementwise);

describe("broadcasting", () => {
  for (const row of elementwise.filter((row) => row.inputs.length === 2)) {
    test(`${row.op} ${row.name ?? ""}`, () => {
      check(
        fc.property(twoShapes, (shapes) => {
          const drawn = reshapedRow(row, shapes);
          checkForward(drawn, refsOf(drawn));
          // Values that a row chose keep away from jumps; drawn ones would not.
          const anywhere = row.inputs.every((input) => input.values === undefined);
          if (anywhere && row.gradient !== "none") checkFirst(drawn, refsOf(drawn));
        }),
      );
    });

    test(`${row.op} ${row.name ?? ""} refuses other shapes`, () => {
      check(
        fc.property(anyShape(1), fc.nat(4), (shape, k) => {
          const axis = k % shape.length;
          const other = shape.map((size, i) => (i === axis ? size + 1 : size));
          fc.pre(shape[axis] !== 1 && other[axis] !== 1);
          scope(() => {
            const drawn = reshapedRow(row, [shape, other]);
            const inputs = tensorsOf(drawn, refsOf(drawn));
            expect(() => runRow(row, inputs)).toThrow(RangeError);
          });
        }),
      );
    });
  }
});

describe("any bit pattern", () => {
  const bits = fc
    .uint32Array({ minLength: 1, maxLength: 40 })
    .map((u) => new Float32Array(u.buffer, u.byteOffset, u.length));
  for (const row of elementwise) {
    if (row.inputs.some((x) => (x.dtype ?? "f32") !== "f32")) continue;
    test(`${row.op} ${row.name ?? ""}`, () => {
      check(
        fc.property(bits, (x) => {
          // Every input is the same numbers, each in another order.
          const refs = row.inputs.map((_, i) => make([x.length], (j) => x[(j * (i + 1) + i) % x.length]!));
          scope(() => expectForward(row, runRow(row, refs.map(asTensor)), referenceOf(row, refs)));
        }),
      );
    });
  }
});

describe("reductions over any axes", () => {
  for (const { op, call, fold, ofNothing } of reductions) {
    test(op, () => {
      check(
        fc.property(
          anyShape(0, 5, ofNothing ? 0 : 1),
          fc.subarray([0, 1, 2, 3, 4]),
          fc.boolean(),
          fc.boolean(),
          (shape, chosen, keepdim, fromEnd) => {
            const axes = chosen
              .filter((axis) => axis < shape.length)
              .map((axis) => (fromEnd ? axis - shape.length : axis));
            fc.pre(axes.length > 0);
            const x = values(shape);
            const row: Row = {
              op,
              inputs: [{ shape }],
              run: (x) => call(x!, { dim: axes, keepdim }),
              reference: (x) => reduce(x!, axes, keepdim, fold),
            };
            checkForward(row, [x]);
          },
        ),
      );
    });
  }
});

describe("layout", () => {
  const range = fc.option(
    fc.tuple(
      fc.option(fc.integer({ min: -8, max: 8 })),
      fc.option(fc.integer({ min: -8, max: 8 })),
      fc.integer({ min: -3, max: 3 }).filter((step) => step !== 0),
    ),
  );

  test("slice is Python's, forward and gradient", () => {
    check(
      fc.property(anyShape(1), fc.array(range, { maxLength: 5 }), (shape, drawn) => {
        const ranges = drawn.slice(0, shape.length);
        const row: Row = {
          op: "slice",
          inputs: [{ shape }],
          run: (x) => slice(x!, ranges),
          reference: (x) => x!.shape.reduce((y, n, axis) => take(y, axis, positions(ranges[axis], n)), x!),
          tolerance: 0,
        };
        checkForward(row, [values(shape)]);
        checkFirst(row, [values(shape)]);
      }),
    );
  });

  test("cat puts together what slices cut apart", () => {
    check(
      fc.property(anyShape(1), fc.nat(4), fc.array(fc.nat(6), { maxLength: 4 }), (shape, k, cuts) => {
        scope(() => {
          const axis = k % shape.length;
          const x = asTensor(values(shape));
          const ends = [...cuts.map((cut) => Math.min(cut, shape[axis]!)).sort((a, b) => a - b), shape[axis]!];
          const before = new Array<null>(axis).fill(null);
          const parts = ends.map((end, i) => slice(x, [...before, [i === 0 ? 0 : ends[i - 1]!, end]]));
          const y = cat(parts, { dim: axis });
          expect(y.shape).toEqual(shape);
          expect(y.toTypedArray()).toEqual(x.toTypedArray());
        });
      }),
    );
  });

  test("permute and its inverse give the tensor back, through lazy transposes too", () => {
    const order = anyShape(2).chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: shape.length },
        ),
      ),
    );
    check(
      fc.property(order, ([shape, axes]) => {
        scope(() => {
          const x = asTensor(values(shape));
          const inverse = axes.map((_, i) => axes.indexOf(i));
          const y = permute(transpose(transpose(permute(x, axes), -1, -2), -2, -1), inverse);
          expect(y.shape).toEqual(shape);
          expect(y.toTypedArray()).toEqual(x.toTypedArray());
        });
      }),
    );
  });
});

test("matmul of any sizes, operands lying either way", () => {
  const size = fc.integer({ min: 0, max: 21 });
  check(
    fc.property(size, size, size, fc.boolean(), fc.boolean(), (m, k, n, left, right) => {
      scope(() => {
        const a = values([m, k]);
        const b = values([k, n]);
        const lying = (x: Ref, lazy: boolean): Tensor =>
          lazy ? transpose(asTensor(swapAxes(x, 0, 1)), 0, 1) : asTensor(x);
        const row: Row = {
          op: "matmul",
          inputs: [],
          run: () => matmul(lying(a, left), lying(b, right)),
          reference: () => matmulReference(a, b),
        };
        expectForward(row, runRow(row, []), referenceOf(row, []));
      });
    }),
  );
});
